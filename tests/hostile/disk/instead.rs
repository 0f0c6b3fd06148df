//! Something else in the place of a file of ours: a directory, a pipe, a link, a device, or what was never ours.

use crate::{
    stage::{Kind, Stage, assert_names},
    support::shop::Ran,
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// What stands in a file's place; where it leads, if anywhere, and whether that may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Directory,
    Pipe,
    LinkToADevice,
    LinkToAFile,
    LinkToNowhere,
    Garbage,
    Nothing,
}

const ALL: [Odd; 7] = [Odd::Directory, Odd::Pipe, Odd::LinkToADevice, Odd::LinkToAFile, Odd::LinkToNowhere, Odd::Garbage, Odd::Nothing];

const PRECIOUS: &str = "somebody's only copy of something\n";

impl Odd {
    /// Puts it in a file's place; the file that a link leads to stands beside the shop's own.
    fn put(self, stage: &Stage, file: &Path) {
        clear(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let precious = stage.shop.path("precious");
        fs::write(&precious, PRECIOUS).unwrap();
        match self {
            Odd::Directory => fs::create_dir(file).unwrap(),
            Odd::Pipe => assert!(Command::new("mkfifo").arg(file).status().unwrap().success()),
            Odd::LinkToADevice => symlink("/dev/zero", file).unwrap(),
            Odd::LinkToAFile => symlink(precious, file).unwrap(),
            Odd::LinkToNowhere => symlink(stage.shop.path("nowhere/at/all"), file).unwrap(),
            Odd::Garbage => fs::write(file, [0xff, 0xfe, b'7', 0, b'\n', 0x1b]).unwrap(),
            Odd::Nothing => {}
        }
    }
}

fn clear(file: &Path) {
    let _ = fs::remove_file(file);
    let _ = fs::remove_dir_all(file);
}

/// Whatever stands there: the run goes on, or stops, names the file and says what to do; with it gone all is well.
fn told_or_passed_over(stage: &Stage, file: &Path, odd: Odd, wish: &str, remedy: &str) -> Ran {
    let what = format!("{:?}: {odd:?} at {}", stage.kind, file.display());
    odd.put(stage, file);
    stage.write(wish);
    let ran = stage.apply();
    assert!([0, 1, 3].contains(&ran.code), "{what}\n{}{}", ran.out, ran.err);
    if ran.code != 0 {
        assert_names(&ran, file, remedy, &what);
    }
    assert_eq!(stage.harm(), [""; 0], "{what}");
    clear(file);
    stage.reach(wish, &what);
    ran
}

const MOVE_IT: &str = "move it out of the way";

#[test]
fn something_else_stands_for_the_journal() {
    for kind in [Kind::Local, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.reach("present", "at first");
        for (odd, wish) in ALL.into_iter().zip(["absent", "present", "stopped"].into_iter().cycle()) {
            let ran = told_or_passed_over(&stage, &stage.journal(), odd, wish, MOVE_IT);
            let refused = matches!(odd, Odd::Directory | Odd::Pipe | Odd::LinkToADevice | Odd::LinkToNowhere);
            assert_eq!(ran.code, i32::from(refused), "{odd:?}\n{}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn something_else_stands_for_the_lock() {
    let stage = Stage::new(Kind::Local);
    stage.reach("present", "at first");
    for (odd, wish) in ALL.into_iter().zip(["absent", "present", "stopped"].into_iter().cycle()) {
        let ran = told_or_passed_over(&stage, &stage.lock(), odd, wish, MOVE_IT);
        let refused = !matches!(odd, Odd::Garbage | Odd::Nothing);
        assert_eq!(ran.code, i32::from(refused), "{odd:?}\n{}{}", ran.out, ran.err);
        assert_eq!(stage.shop.read("precious"), PRECIOUS, "{odd:?}: what a link leads to is not ours to write to");
    }
}

/// Whoever holds the lock writes its number there, and a reader believes nothing else of it.
#[test]
fn a_held_lock_with_odd_words_in_it_is_held_all_the_same() {
    let stage = Stage::new(Kind::Local);
    stage.reach("present", "at first");
    stage.write("absent");
    let held = fs::OpenOptions::new().write(true).open(stage.lock()).unwrap();
    held.lock().unwrap();
    for words in ["", "1\u{1b}[2J", "-7", "99999999999999999999", &"9".repeat(1 << 20)] {
        fs::write(stage.lock(), words).unwrap();
        let ran = stage.apply();
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("another cloudypad is working on mypad"), "{}", ran.err);
    }
    drop(held);
    stage.reach("absent", "the lock was given back");
}

/// A host key that cannot be read is told before a server is started with another one; with it gone, a new one is made.
#[test]
fn something_else_stands_for_the_host_key() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        for odd in ALL {
            let ran = told_or_passed_over(&stage, &stage.host_key(), odd, "present", "move what is there out of the way");
            let refused = !matches!(odd, Odd::Nothing | Odd::LinkToNowhere);
            assert_eq!(ran.code == 0, !refused, "{odd:?}\n{}{}", ran.out, ran.err);
            stage.reach("absent", "and back");
        }
    }
}

/// What was kept of firewalls may be anything: it is read again, and the firewall ends as the spec says.
#[test]
fn something_else_stands_for_the_rules_that_were_read() {
    let stage = Stage::new(Kind::Scaleway);
    stage.reach("present", "at first");
    let file = stage.state().join("cache/scaleway-fr-par-2-rules.json");
    let rules = || {
        let group = stage.face().get("/_emulator/truth")["firewalls"].as_object().unwrap().values().next().unwrap()["rules"].clone();
        serde_json::to_string(&group).unwrap()
    };
    let (wanted, kept) = (rules(), fs::read_to_string(&file).unwrap());
    let texts = [
        kept[..kept.len() / 2].to_owned(),
        kept.replace("tcp", "udp"),
        kept.replace("47984", "1"),
        "{\"x\": {\"of\": \"in:default.mypad\", \"modified\": 9223372036854775807, \"rules\": []}}".to_owned(),
        "[".repeat(100_000),
    ];
    for (text, wish) in texts.iter().zip(["absent", "present", "stopped", "present", "absent"]) {
        fs::write(&file, text).unwrap();
        stage.reach(wish, "rules that were made up");
        assert_eq!(rules(), wanted, "{wish}");
    }
    for (odd, wish) in ALL.into_iter().zip(["present", "absent"].into_iter().cycle()) {
        let ran = told_or_passed_over(&stage, &file, odd, wish, "");
        assert_eq!(ran.code, 0, "{odd:?}\n{}{}", ran.out, ran.err);
        assert_eq!(rules(), wanted, "{odd:?}");
    }
    assert_eq!(stage.shop.read("precious"), PRECIOUS);
    let aside: Vec<PathBuf> = fs::read_dir(file.parent().unwrap()).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(aside.iter().all(|it| it.extension().is_some_and(|it| it == "json")), "{aside:?}");
}
