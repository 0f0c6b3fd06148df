//! A script over SSH: it runs on the machine, every line is told, and one that was cut off is not run beside itself.

use crate::{
    room::{Room, run},
    sshd::has_ssh,
};
use cloudypad::machine::{Play, PlayError};
use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    sync::{Mutex, mpsc},
};
use tokio::sync::watch;

fn open() -> Option<Room> {
    if !has_ssh() {
        return None;
    }
    let mut room = Room::new();
    room.open("host");
    run(room.way().know(None, Some(room.identity("host")))).unwrap();
    Some(room)
}

#[test]
fn a_script_runs_there_and_every_line_is_told() {
    let Some(room) = open() else { return };
    let mark = room.path("mark");
    let script = room.write(
        "setup.py",
        &format!(
            "#!/usr/bin/env python3\nimport sys\nprint('begins')\nprint('aside', file=sys.stderr)\nopen('{}', 'w').write('here')\n",
            mark.display()
        ),
    );
    let (came, told) = room.play(&Play::Script(script), &BTreeMap::new());
    assert_eq!(came, Ok(()));
    assert!(told.contains(&"begins".to_owned()) && told.contains(&"aside".to_owned()), "{told:?}");
    assert_eq!(fs::read_to_string(mark).unwrap(), "here");
}

#[test]
fn a_script_that_fails_says_why() {
    let Some(room) = open() else { return };
    let script = room.write("setup.sh", "#!/bin/sh\necho installing\necho 'no such package: steam' >&2\nexit 7\n");
    let (came, _) = room.play(&Play::Script(script), &BTreeMap::new());
    let Err(PlayError::Failed { what, answer }) = came else { panic!("{came:?}") };
    assert!(what.ends_with("setup.sh") && answer == "exit code 7: no such package: steam", "{what}: {answer}");
}

/// Whoever is cut off here leaves a script at work there. The next run does not run beside it, and goes on once it ended.
#[test]
fn a_script_is_never_run_beside_itself() {
    let Some(room) = open() else { return };
    let (gate, count) = (room.path("gate"), room.path("count"));
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let script = room.write("setup.sh", &format!("#!/bin/sh\necho once >> {}\necho under way\ncat {}\n", count.display(), gate.display()));
    let play = Play::Script(script);
    let (stopper, stop) = watch::channel(false);
    let (heard, hear) = mpsc::channel();
    let heard = Mutex::new(heard);
    let cut_off = std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            room.play_until(&play, &BTreeMap::new(), stop, &|line| {
                if line == "under way" {
                    heard.lock().unwrap().send(()).unwrap();
                }
            })
        });
        hear.recv().unwrap();
        stopper.send(true).unwrap();
        first.join().unwrap().0
    });
    assert_eq!(cut_off, Err(PlayError::Stopped));
    let (second, _) = room.play(&play, &BTreeMap::new());
    assert!(matches!(&second, Err(PlayError::NotYet(why)) if why.contains("still at work")), "{second:?}");
    assert_eq!(fs::read_to_string(&count).unwrap(), "once\n");
    // It ends; whoever opens its lock is the next.
    fs::write(&gate, "").unwrap();
    let uid = Command::new("id").arg("-u").output().unwrap().stdout;
    let lock = room.path(&format!(".{}.{}.lock", room.way().alias, String::from_utf8(uid).unwrap().trim()));
    assert!(Command::new("flock").arg(lock).arg("true").status().unwrap().success());
    let opened = std::thread::spawn({
        let gate = gate.clone();
        move || fs::write(gate, "").unwrap()
    });
    assert_eq!(room.play(&play, &BTreeMap::new()).0, Ok(()));
    opened.join().unwrap();
    assert_eq!(fs::read_to_string(&count).unwrap(), "once\nonce\n");
}

#[test]
fn a_machine_that_went_away_is_not_a_script_that_failed() {
    let Some(mut room) = open() else { return };
    let script = room.write("setup.sh", "#!/bin/sh\ntrue\n");
    room.close();
    let (came, _) = room.play(&Play::Script(script), &BTreeMap::new());
    assert!(matches!(came, Err(PlayError::NotYet(_))), "{came:?}");
}
