//! Conformance: what the real API was recorded to answer, the emulator must answer.
//!
//! ```text
//! cargo test --test conformance                       everything below
//! cargo test --test conformance -- FOLDER             the recordings of a folder against the emulator
//! cargo test --test conformance -- --recordings       those beside the repository, if they are there
//! cargo test --test conformance -- --contract         the cases in tests/conformance/cases against the emulator
//! cargo test --test conformance -- --self-test        recordings and cases against themselves under other names
//! cargo test --test conformance -- --planted          whether planted deviations are found
//! ```
//! `--endpoint-table` says no more than the table, `--only TEXT` takes recordings whose name contains it, `--vendor NAME` one vendor.
//! It fails on any difference.

mod align;
mod cloud;
mod compare;
mod deviate;
mod echo;
mod emulator;
mod linode;
mod motion;
mod names;
mod recording;
mod replay;
mod report;
mod route;
mod scaleway;
mod vendor;
mod wire;

use crate::{
    cloud::Cloud,
    deviate::Deviating,
    echo::Echo,
    emulator::Emulator,
    recording::{Recording, read_folder},
    replay::{Line, Verdict, replay},
    vendor::{VENDORS, Vendor},
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// What was asked for.
#[derive(Default)]
struct Wish {
    folder: Option<PathBuf>,
    recordings: bool,
    contract: bool,
    self_test: bool,
    planted: bool,
    table_only: bool,
    only: Option<String>,
    vendor: Option<String>,
}

fn wish(args: Vec<String>) -> io::Result<Wish> {
    let mut wish = Wish::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--recordings" => wish.recordings = true,
            "--contract" => wish.contract = true,
            "--self-test" => wish.self_test = true,
            "--planted" => wish.planted = true,
            "--endpoint-table" => wish.table_only = true,
            "--only" => wish.only = args.next(),
            "--vendor" => wish.vendor = args.next(),
            other if other.starts_with('-') => return Err(io::Error::other(format!("unknown option {other}"))),
            other => wish.folder = Some(PathBuf::from(other)),
        }
    }
    wish.recordings |= wish.folder.is_some();
    if !(wish.recordings || wish.contract || wish.self_test || wish.planted) {
        wish = Wish { recordings: true, contract: true, self_test: true, planted: true, ..wish };
    }
    Ok(wish)
}

fn run(args: Vec<String>) -> io::Result<bool> {
    let wish = wish(args)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut given = match &wish.folder {
        Some(folder) if !folder.is_dir() => return Err(io::Error::other(format!("{} is not a folder", folder.display()))),
        Some(folder) => Some(read_folder(folder)?),
        None => None,
    };
    let mut good = true;
    for vendor in VENDORS.iter().filter(|it| wish.vendor.as_ref().is_none_or(|name| name == it.name())) {
        let beside = root.join("../shared/recordings").join(vendor.name());
        let recordings = match &mut given {
            Some(given) => {
                let theirs;
                (theirs, *given) = std::mem::take(given).into_iter().partition(|it| it.vendor.name() == vendor.name());
                theirs
            }
            None if beside.is_dir() => read_folder(&beside)?,
            None => {
                println!("{}: recordings skipped, {} is not there", vendor.name(), beside.display());
                Vec::new()
            }
        };
        let cases = read_folder(&root.join("tests/conformance/cases").join(vendor.name()))?;
        good &= held(*vendor, &wish, &cases, recordings)?;
    }
    Ok(good)
}

/// Is everything that was asked for right for one vendor?
fn held(vendor: &'static dyn Vendor, wish: &Wish, cases: &[Recording], mut recordings: Vec<Recording>) -> io::Result<bool> {
    let name = vendor.name();
    if let Some(only) = &wish.only {
        recordings.retain(|recording| recording.name.contains(only.as_str()));
    }
    let all: Vec<&Recording> = cases.iter().chain(&recordings).collect();
    let emulated = || -> io::Result<Box<dyn Cloud>> { Ok(Box::new(Emulator::start(vendor)?)) };
    let mut good = true;
    if wish.self_test {
        good &= compared(&format!("{name} self-test"), &all, &|| Ok(Box::new(Echo::strict(vendor))), false)?;
    }
    if wish.planted {
        good &= planted(vendor, cases)?;
    }
    if wish.contract {
        good &= compared(&format!("{name} contract"), &cases.iter().collect::<Vec<_>>(), &emulated, wish.table_only)?;
    }
    if wish.recordings && !recordings.is_empty() {
        good &= compared(&format!("{name} recordings"), &recordings.iter().collect::<Vec<_>>(), &emulated, wish.table_only)?;
    }
    Ok(good)
}

/// Replays recordings, each against a cloud of its own, and says what differed. True, if nothing did.
fn compared(
    what: &str,
    recordings: &[&Recording],
    cloud: &(dyn Fn() -> io::Result<Box<dyn Cloud>> + Sync),
    table_only: bool,
) -> io::Result<bool> {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, io::Result<Vec<Line>>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(recording) = recordings.get(index) else { break };
                    let lines = cloud().and_then(|mut cloud| replay(recording, cloud.as_mut()));
                    done.lock().expect("no thread panics while it holds this").push((index, lines));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panics while it holds this");
    done.sort_by_key(|(index, _)| *index);
    let (mut lines, mut broken) = (Vec::new(), Vec::new());
    for (_, result) in done {
        match result {
            Ok(more) => lines.extend(more),
            Err(error) => broken.push(error.to_string()),
        }
    }
    let differences = report::differences(&lines);
    println!("{what}: {} files, {} calls, {:.1} s", recordings.len(), lines.len(), began.elapsed().as_secs_f64());
    print!("{}{}{}", report::table(&lines), report::excuses(&lines), report::reasons(&lines));
    if !table_only {
        differences.iter().for_each(|line| println!("{line}"));
    }
    broken.iter().for_each(|error| println!("broken off: {error}"));
    println!("{what}: {} differences, {} files broken off", differences.len(), broken.len());
    Ok(differences.is_empty() && broken.is_empty())
}

/// Is every planted deviation found, wherever it had an occasion?
fn planted(vendor: &'static dyn Vendor, cases: &[Recording]) -> io::Result<bool> {
    let mut good = true;
    for deviation in vendor.deviations() {
        let (mut spoilt, mut missed) = (0, Vec::new());
        for case in cases {
            let mut cloud = Deviating::new(Echo::lenient(vendor), deviation);
            let lines = replay(case, &mut cloud)?;
            let found = |line: &&Line| matches!(&line.verdict, Verdict::Compared { differences, .. } if !differences.is_empty());
            let found: BTreeSet<u64> = lines.iter().filter(found).map(|line| line.seq).collect();
            spoilt += cloud.spoilt.len();
            // Where a case leaves something open, that may be just what was made wrong.
            let is_open = |seq: &u64| {
                let notes = case.interactions.iter().filter(|it| it.seq == *seq).flat_map(|it| &it.notes);
                notes.into_iter().any(|note| note.starts_with("open ") || note.starts_with("free "))
            };
            let overlooked = cloud.spoilt.iter().filter(|seq| !found.contains(seq) && !is_open(seq));
            missed.extend(overlooked.map(|seq| format!("{}:{seq}", case.name)));
        }
        let right = spoilt > 0 && missed.is_empty();
        good &= right;
        let word = if right { "found" } else { "NOT FOUND" };
        println!("{} planted: {}: {spoilt} answers made wrong, {word} {}", vendor.name(), deviation.name, missed.join(" "));
    }
    println!("{} planted: {} deviations", vendor.name(), vendor.deviations().len());
    Ok(good)
}
