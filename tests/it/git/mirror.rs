//! What is ours may be lost or broken, and two may want it at once.

use super::{by_path, fails, names};
use crate::support::{
    forge::{Forge, has_git},
    shop::pad,
};
use std::{fs, path::Path};

/// Puts nonsense into every file of a directory that holds what Git knows.
fn spoil(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        if entry.path().is_dir() {
            spoil(&entry.path());
        } else {
            fs::remove_file(entry.path()).unwrap();
            fs::write(entry.path(), "nonsense").unwrap();
        }
    }
}

#[tokio::test]
async fn a_broken_mirror_is_made_again_and_a_rewritten_branch_is_still_noticed() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let mut git = by_path(&forge);
    let first = git.fetch().await.unwrap().commit;
    let mirror = forge.shop.path("home/sources").join(git.owner()).join("mirror.git");
    for (number, part) in ["objects", "refs", ""].iter().enumerate() {
        spoil(&mirror.join(part));
        let commit = forge.commit("notes", Some(&number.to_string()), "Goes on");
        assert_eq!(git.fetch().await.unwrap().commit, commit, "{part}");
    }
    // What a `git` leaves that was killed.
    fs::write(mirror.join("shallow.lock"), "").unwrap();
    fs::create_dir_all(mirror.join("refs/cloudypad")).unwrap();
    fs::write(mirror.join("refs/cloudypad/seen.lock"), "").unwrap();
    let commit = forge.commit("notes", Some("locks"), "Goes on");
    assert_eq!(git.fetch().await.unwrap().commit, commit);

    fs::remove_dir_all(&mirror).unwrap();
    forge.git(&["reset", "-q", "--hard", &first]);
    forge.commit("notes", Some("rewritten"), "Rewritten");
    fails(&mut git, "Rewritten").await;
}

#[tokio::test]
async fn after_a_restart_the_last_good_commit_is_there_whatever_became_of_the_repository() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let commit = by_path(&forge).fetch().await.unwrap().commit;
    fs::remove_dir_all(forge.bare()).unwrap();
    let mut git = by_path(&forge);
    let last = git.last().await.unwrap().unwrap();
    assert_eq!((names(&last), &last.commit), (vec!["mypad".to_owned()], &commit));
    fails(&mut git, "Unreadable").await;
    // What a process left that was killed is removed, what a living one holds is not.
    let checkouts = forge.shop.path("home/sources").join(git.owner()).join("checkouts");
    fs::create_dir(checkouts.join("left")).unwrap();
    fs::write(checkouts.join("left.lock"), "").unwrap();
    let another = by_path(&forge).last().await.unwrap().unwrap();
    assert!(!checkouts.join("left").exists() && !checkouts.join("left.lock").exists());
    assert_eq!(names(&last), names(&another));
}

#[tokio::test]
async fn two_at_once_take_turns() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let (mut one, mut other) = (by_path(&forge), by_path(&forge));
    for number in 0..3 {
        let second = pad("stopped", "").replace("mypad", &format!("pad{number}"));
        let commit = forge.commit(&format!("specs/{number}.yaml"), Some(&second), "One more");
        let (a, b) = tokio::join!(one.fetch(), other.fetch());
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((&a.commit, &b.commit), (&commit, &commit));
        assert_eq!((names(&a).len(), names(&b).len()), (number + 2, number + 2));
    }
}
