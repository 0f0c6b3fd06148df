//! No room on the disk, from the first byte on or after any number of them, and a disk that cannot be written.

use crate::{
    stage::{Kind, Stage, assert_names},
    support::shop::Ran,
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A small disk of its own under a directory, which only those see who enter: it goes with its keeper.
struct SmallDisk {
    keeper: Child,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl SmallDisk {
    /// `None`, with a notice, where this system lets nobody have one.
    fn under(dir: &Path, kilobytes: usize) -> Option<Self> {
        fs::create_dir_all(dir).unwrap();
        let started = Command::new("unshare").args(["-m", "sh"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut keeper) = started else {
            println!("skipped: no unshare(1) to have a small disk with");
            return None;
        };
        let (told, says) = (keeper.stdin.take().unwrap(), BufReader::new(keeper.stdout.take().unwrap()));
        let mut disk = Self { keeper, told, says };
        if disk.tell(&format!("mount -t tmpfs -o size={kilobytes}k,mode=700 none '{}'", dir.display())) {
            return Some(disk);
        }
        println!("skipped: mounting a small disk is not allowed here");
        None
    }

    /// Has the keeper do something; whether it went well.
    fn tell(&mut self, what: &str) -> bool {
        let mut answer = String::new();
        let sent = writeln!(self.told, "{what} 2>/dev/null && echo well || echo badly");
        sent.is_ok() && self.says.read_line(&mut answer).is_ok() && answer.trim() == "well"
    }

    /// Runs a command where the disk is seen.
    fn run(&self, stage: &Stage, args: &[&str]) -> Ran {
        let command = stage.command(args);
        let mut within = Command::new("nsenter");
        within.args(["-m", "-t", &self.keeper.id().to_string(), "--"]).arg(command.get_program()).args(command.get_args()).env_clear();
        within.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ran::from(within.stdin(Stdio::null()).output().unwrap())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// With no room, or a few kB of it, a run stops before the call that it could not write down; with room again it goes on.
#[test]
fn a_full_disk_stops_a_run_and_room_lets_it_go_on() {
    for kind in [Kind::Local, Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        let state = stage.shop.path("state");
        let Some(mut disk) = SmallDisk::under(&state, 64) else { return };
        let spec = stage.shop.path("pad.yaml");
        let apply = ["apply", spec.to_str().unwrap(), "--yes"];
        let filler = state.join("filler");
        for (round, wish) in ["present", "absent", "present", "stopped"].into_iter().enumerate() {
            let what = format!("{kind:?}, round {round}");
            stage.write(wish);
            // What is left is a page, or nothing at all: not even what our own files have room for within their last pages.
            let left = round % 2;
            assert!(left > 0 || disk.tell(&format!("rm -rf '{}'", stage.state().display())));
            disk.tell(&format!("head -c 1M /dev/zero > '{}'", filler.display()));
            assert!(left == 0 || disk.tell(&format!("truncate -s -4096 '{}'", filler.display())), "{what}");
            let before = stage.inventory();
            let ran = disk.run(&stage, &apply);
            if left == 0 {
                assert_eq!(ran.code, 1, "{what}\n{}{}", ran.out, ran.err);
                assert_names(&ran, &stage.state(), "No space left on device", &what);
                assert!(ran.err.contains("make room there"), "{what}: {}", ran.err);
                assert_eq!(stage.inventory(), before, "{what}: nothing was done that could not be written down");
            }
            assert!([0, 1].contains(&ran.code), "{what}\n{}{}", ran.out, ran.err);
            // Who only looks needs no room.
            assert_ne!(disk.run(&stage, &["plan", spec.to_str().unwrap()]).code, 1, "{what}");
            assert!(disk.tell(&format!("rm '{}'", filler.display())));
            let ran = disk.run(&stage, &apply);
            assert_eq!(ran.code, 0, "{what}\n{}{}", ran.out, ran.err);
            stage.judge(wish, &what);
        }
    }
}

/// On a disk that cannot be written a plan is made, nothing is changed, and the file is named.
#[test]
fn a_read_only_disk_is_told_and_planning_goes_on() {
    let stage = Stage::new(Kind::Scaleway);
    let state = stage.shop.path("state");
    let Some(mut disk) = SmallDisk::under(&state, 256) else { return };
    let spec = stage.shop.path("pad.yaml");
    let apply = ["apply", spec.to_str().unwrap(), "--yes"];
    for (round, wish) in ["present", "absent"].into_iter().enumerate() {
        stage.write(wish);
        assert!(disk.tell(&format!("mount -o remount,ro none '{}'", state.display())));
        let before = stage.inventory();
        let ran = disk.run(&stage, &["plan", spec.to_str().unwrap(), "--detailed-exitcode"]);
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        let ran = disk.run(&stage, &apply);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert_names(&ran, &stage.state(), "let this user write there, or set CLOUDYPAD_HOME", wish);
        assert_eq!(stage.inventory(), before, "round {round}");
        assert!(disk.tell(&format!("mount -o remount,rw none '{}'", state.display())));
        assert_eq!(disk.run(&stage, &apply).code, 0);
        stage.judge(wish, "writable again");
    }
}

/// No file of ours may grow beyond so many bytes, whatever so many are: the run that meets the limit says which file, and
/// a plain apply without the limit goes on.
#[test]
fn room_ends_after_any_number_of_bytes() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        println!("skipped: no prlimit(1) to end the room with");
        return;
    }
    let (mut stopped, mut tried) = (0, 0);
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        let mut length = 40;
        for round in 0..18 {
            let wish = ["present", "absent", "present", "stopped"][round % 4];
            let what = format!("{kind:?}, round {round}, at most {length} bytes");
            stage.write(wish);
            let ran = limited(&stage, length);
            assert!([0, 1, 3].contains(&ran.code), "{what}\n{}{}", ran.out, ran.err);
            if ran.code != 0 {
                stopped += 1;
                assert_names(&ran, &stage.shop.path(""), "File too large", &what);
                assert!(ran.err.contains("make room there") || ran.out.contains("make room there"), "{what}: {}{}", ran.out, ran.err);
            }
            tried += 1;
            assert_eq!(stage.harm(), [""; 0], "{what}");
            stage.reach(wish, &what);
            // The next limit: somewhere in what the next run will add, or before it.
            let end = fs::metadata(stage.journal()).map_or(0, |it| it.len());
            length = (end + [0, 1, 150, 333, 700, 1111][round % 6]).max(40 + round as u64 * 60);
        }
    }
    assert!(stopped > tried / 2, "only {stopped} of {tried} runs met the limit");
}

/// A run whose files may have no more than so many bytes.
fn limited(stage: &Stage, length: u64) -> Ran {
    let command = stage.command(&["apply", "pad.yaml", "--yes"]);
    // The signal would end it; an error is what a full disk gives.
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let mut within = Command::new("prlimit");
    within.arg(format!("--fsize={length}")).args(["sh", "-c", script]).arg(command.get_program()).args(command.get_args()).env_clear();
    within.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    within.current_dir(stage.shop.path("")).stdin(Stdio::null()).process_group(0);
    Ran::from(within.output().unwrap())
}
