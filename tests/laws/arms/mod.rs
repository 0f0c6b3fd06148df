//! Which arms of the planner's matches a walk comes to. The walk runs in a process of its own, before the eyes of gdb, which
//! stops it once at every place where an arm's code begins.
//!
//! An arm that does nothing (`_ => {}`) has no code of its own, and is nowhere to be seen; a golden plan is named for each.
//! What is no match (`matches!`, `if let`) has no arms.

mod excused;
mod rows;
mod sources;

use super::figures;
use excused::{SILENT, UNMET};
use sources::{Sources, Written};
use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

/// Set for the process that is watched.
const WATCHED: &str = "CLOUDYPAD_WATCHED";

/// What gdb is told.
const SCRIPT: &str = include_str!("watch.py");

/// A test that was watched.
pub struct Watched {
    /// Whether it went well.
    pub passed: bool,
    /// What it printed.
    pub said: String,
    sources: Sources,
    /// Of every arm where it begins in memory.
    entries: Vec<Vec<u64>>,
    met: HashSet<u64>,
}

/// Whether this process is the watched one.
pub fn is_watched() -> bool {
    env::var_os(WATCHED).is_some()
}

/// A directory for what gdb reads and writes, gone with its end.
struct Desk(PathBuf);

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs one test of this binary and looks which arms it comes to. An error says why nothing can be watched here.
pub fn watch(test: &str) -> Result<Watched, String> {
    let sources = sources::read();
    let binary = env::current_exe().map_err(|error| error.to_string())?;
    let entries = rows::entries(&sources.arms, &binary)?;
    let desk = Desk(env::temp_dir().join(format!("cloudypad-arms-{}", process::id())));
    fs::create_dir_all(&desk.0).map_err(|error| error.to_string())?;
    let (script, wanted, met) = (desk.0.join("watch.py"), desk.0.join("wanted"), desk.0.join("met"));
    let all: HashSet<u64> = entries.iter().flatten().copied().collect();
    let lines: String = all.iter().map(|it| format!("{it:x}\n")).collect();
    fs::write(&wanted, lines).and_then(|()| fs::write(&script, SCRIPT)).map_err(|error| error.to_string())?;

    let ran = Command::new("gdb")
        .args(["-nx", "-batch-silent", "-readnever", "-iex", "set auto-load no", "-ex"])
        .arg(format!("python wanted, met = {wanted:?}, {met:?}"))
        .arg("-x")
        .arg(&script)
        .arg("--args")
        .arg(&binary)
        .args([test, "--exact", "--nocapture"])
        .env(WATCHED, "yes")
        .output()
        .map_err(|error| format!("gdb: {error}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let Ok(text) = fs::read_to_string(&met) else {
        return Err(format!("gdb could not begin: {}", said.trim().lines().next_back().unwrap_or_default()));
    };
    let ended = text.lines().find_map(|it| it.strip_prefix("ended ")).unwrap_or_else(|| panic!("gdb lost sight of the walk:\n{said}"));
    let met = text.lines().filter_map(|it| u64::from_str_radix(it, 16).ok()).collect();
    Ok(Watched { passed: ended == "0", said, sources, entries, met })
}

/// An arm for people, as excuses name it.
fn told(arm: &Written) -> String {
    let file = arm.file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&arm.file);
    format!("{}:{} {}", file.display(), arm.line, arm.text)
}

/// What a list of excuses says of an arm.
fn said_of(arm: &Written, excuses: &[(&str, &str, &'static str)]) -> Option<&'static str> {
    excuses.iter().find(|(file, text, _)| arm.file.ends_with(file) && *text == arm.text).map(|it| it.2)
}

impl Watched {
    /// Says what was met; what was not, and is not excused, comes back, and so do excuses that are none.
    pub fn report(&self) -> Vec<String> {
        let (mut met, mut proven, mut silent, mut wrong) = (0, 0, 0, Vec::new());
        for (arm, entries) in self.sources.arms.iter().zip(&self.entries) {
            let is_met = entries.iter().any(|it| self.met.contains(it));
            let is_silent = entries.is_empty();
            met += usize::from(is_met);
            match (said_of(arm, UNMET), said_of(arm, SILENT)) {
                (Some(proof), None) if !is_met => {
                    proven += 1;
                    println!("{}: cannot be met: {proof}", told(arm));
                }
                (None, Some(plan)) if is_silent => {
                    silent += 1;
                    println!("{}: does nothing that could be seen; met by tests/plans/{plan}.case", told(arm));
                }
                (None, None) if is_met => {}
                (None, None) if is_silent => {
                    wrong.push(format!("{} does nothing that could be seen: which golden plan meets it?", told(arm)))
                }
                (None, None) => wrong.push(told(arm)),
                _ => wrong.push(format!("{} is excused for no reason", told(arm))),
            }
        }
        for (file, text, _) in UNMET.iter().chain(SILENT) {
            if !self.sources.arms.iter().any(|it| it.file.ends_with(file) && it.text == *text) {
                wrong.push(format!("{file} has no arm \"{text}\", which is excused"));
            }
        }
        for (_, _, plan) in SILENT {
            if !Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/plans/{plan}.case")).exists() {
                wrong.push(format!("tests/plans/{plan}.case is not there"));
            }
        }
        let all = self.sources.arms.len();
        let others = format!("{proven} proven out of reach, {silent} that do nothing");
        figures::tell("arms of the planner's matches met", format!("{met} of {all}, and {others}"));
        println!("conditions written as matches!, which are no arms: {}", self.sources.conditions);
        self.sources.unread.iter().for_each(|it| println!("not read: {it}"));
        wrong
    }
}
