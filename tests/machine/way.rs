//! The way in: who is let in, by whom, and what is told where that fails. Nothing is ever sent to a machine that is not the
//! one that was born.

use crate::{
    room::{Room, run},
    sshd::has_ssh,
};
use cloudypad::machine::{Barred, Identity};
use std::fs;

fn shut(barred: Barred) -> (String, String) {
    match barred {
        Barred::Shut { why, remedy } => (why, remedy),
        other => panic!("{other:?}"),
    }
}

/// Our own file says whom the machine must be, and its owner is let in.
#[test]
fn the_owner_gets_in() {
    if !has_ssh() {
        return;
    }
    let mut room = Room::new();
    room.open("host");
    let way = room.way();
    run(way.know(None, Some(room.identity("host")))).unwrap();
    assert_eq!(run(way.knock()), Ok(()));
}

/// Nobody answers: the machine may still boot.
#[test]
fn where_nobody_answers_it_is_tried_again() {
    if !has_ssh() {
        return;
    }
    let room = Room::new();
    room.born("host");
    let way = room.way();
    run(way.know(None, Some(room.identity("host")))).unwrap();
    assert!(matches!(run(way.knock()), Err(Barred::NotYet(said)) if said.contains("refused")));
    // With our file lost, nobody can be asked whom the fingerprint belongs to.
    assert!(matches!(run(way.know(Some("00"), None)), Err(Barred::NotYet(_))));
}

/// Whoever shows another key than the machine was given is told nothing, and the owner is told so.
#[test]
fn a_machine_with_another_key_is_not_trusted() {
    if !has_ssh() {
        return;
    }
    let mut room = Room::new();
    room.open("another");
    room.born("host");
    let way = room.way();
    run(way.know(Some(&room.identity("host").fingerprint()), Some(room.identity("host")))).unwrap();
    let (why, remedy) = shut(run(way.knock()).unwrap_err());
    assert!(why.contains("another host key") && remedy.contains("nothing was sent"), "{why}; {remedy}");
}

/// The file with the key is gone, on this machine or because it is another one. The fingerprint on the cloud's object is
/// what is left, and it is enough; only the right key has it.
#[test]
fn with_the_key_lost_the_fingerprint_says_who_it_is() {
    if !has_ssh() {
        return;
    }
    let mut room = Room::new();
    room.open("host");
    let tagged = room.identity("host").fingerprint();
    assert!(tagged.len() == 40 && tagged.chars().all(|it| it.is_ascii_hexdigit() && !it.is_ascii_uppercase()), "{tagged}: fits a tag");
    let way = room.way();
    run(way.know(Some(&tagged), None)).unwrap();
    assert_eq!(run(way.knock()), Ok(()));
    // A new key of ours is not the machine's.
    run(way.know(Some(&tagged), Some(room.identity("owner")))).unwrap();
    assert_eq!(run(way.knock()), Ok(()));

    room.open("another");
    fs::remove_file(room.path("known/default.mypad")).unwrap();
    let (why, _) = shut(run(way.know(Some(&tagged), None)).unwrap_err());
    assert!(why.contains("another host key"), "{why}");
    assert!(!room.path("known/default.mypad").exists(), "it was not written down as known");
    let (why, remedy) = shut(run(way.know(None, None)).unwrap_err());
    assert!(why.contains("nothing says") && remedy.contains("absent"), "{why}; {remedy}");
}

/// Another's key is not let in, and that does not pass by itself.
#[test]
fn a_key_that_is_not_let_in_is_told() {
    if !has_ssh() {
        return;
    }
    let mut room = Room::new();
    room.open("host");
    room.born("stranger");
    let way = cloudypad::machine::Way { key: Some(room.path("stranger")), ..room.way() };
    run(way.know(None, Some(room.identity("host")))).unwrap();
    let (why, remedy) = shut(run(way.knock()).unwrap_err());
    assert!(why.contains("stranger") && remedy.contains("ssh.privateKeyPath"), "{why}; {remedy}");
}

#[test]
fn what_is_shown_and_is_no_key_is_nobody() {
    for line in ["", "host", "host ssh-ed25519", "host ssh-ed25519 AAAA", "# 127.0.0.1:22 SSH-2.0-OpenSSH_9.2"] {
        assert_eq!(Identity::shown(line), None, "{line}");
    }
}
