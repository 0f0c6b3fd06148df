//! Whatever is wrong with a repository changes nothing, and is said with what to do about it.

use super::{PATIENCE, by_path, fails, names, source, stopped_by};
use crate::support::{
    forge::{Forge, Way, has_git, serve},
    shop::pad,
};
use cloudypad::source::Manner;
use std::{fs, time::Duration};
use tokio::sync::watch;

#[tokio::test]
async fn a_repository_that_is_empty_renamed_or_gone_changes_nothing() {
    if !has_git() {
        return;
    }
    let forge = Forge::unborn();
    let mut git = by_path(&forge);
    fails(&mut git, "NoBranch").await;
    assert!(git.last().await.unwrap().is_none());
    forge.commit("specs/mypad.yaml", Some(&pad("present", "")), "mypad begins");
    assert_eq!(names(&git.fetch().await.unwrap()), ["mypad"]);

    forge.git(&["push", "-q", "origin", "main:other"]);
    forge.git(&["--git-dir", forge.bare().to_str().unwrap(), "update-ref", "-d", "refs/heads/main"]);
    let said = fails(&mut git, "NoBranch").await.to_string();
    assert!(said.contains("no branch main") && said.contains("--branch"), "{said}");
    forge.push();

    fs::rename(forge.bare(), forge.shop.path("away")).unwrap();
    fails(&mut git, "Unreadable").await;
    fs::create_dir(forge.bare()).unwrap();
    fails(&mut git, "Unreadable").await;
    fs::remove_dir(forge.bare()).unwrap();
    fs::rename(forge.shop.path("away"), forge.bare()).unwrap();
    assert_eq!(names(&git.fetch().await.unwrap()), ["mypad"]);
}

#[tokio::test]
async fn a_branch_without_specs_is_never_carried_out() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let mut git = by_path(&forge);
    git.fetch().await.unwrap();
    forge.git(&["mv", "specs", "elsewhere"]);
    let commit = forge.commit_all("Somebody tidies up");
    let said = fails(&mut git, "Empty").await.to_string();
    assert!(said.contains(&commit) && said.contains("no spec in specs"), "{said}");
    forge.commit("specs/values.yaml", Some("colour: green\n"), "Not a spec");
    fails(&mut git, "Empty").await;
    forge.git(&["revert", "--no-edit", "HEAD~2..HEAD"]);
    forge.push();
    assert_eq!(names(&git.fetch().await.unwrap()), ["mypad"]);
}

#[tokio::test]
async fn a_rewritten_branch_waits_for_approval_or_for_its_history() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let mut git = by_path(&forge);
    let first = git.fetch().await.unwrap().commit;
    let good = forge.commit("notes", Some("good"), "Good");
    assert_eq!(git.fetch().await.unwrap().commit, good);

    // Back to before, and something else on top: what was carried out is gone from its history.
    forge.git(&["reset", "-q", "--hard", &first]);
    forge.push();
    fails(&mut git, "Rewritten").await;
    let other = forge.commit("specs/mypad.yaml", Some(&pad("absent", "")), "Something else");
    let said = fails(&mut git, "Rewritten").await.to_string();
    assert!(said.contains(&good) && said.contains(&other), "{said}");
    // Another process does not know better.
    fails(&mut by_path(&forge), "Rewritten").await;

    // Forced back, nothing has happened.
    forge.git(&["reset", "-q", "--hard", &good]);
    forge.push();
    assert_eq!(git.fetch().await.unwrap().commit, good);
    // A merge has both histories in it.
    forge.git(&["merge", "-q", "--no-edit", &other]);
    let merged = forge.push();
    let checkout = git.fetch().await.unwrap();
    assert_eq!((&checkout.commit, checkout.is_rewritten), (&merged, false));

    // What is approved is taken once, and what follows it.
    forge.git(&["reset", "-q", "--hard", &first]);
    forge.push();
    fails(&mut git, "Rewritten").await;
    assert!(!git.accept("HEAD").unwrap());
    assert!(git.accept(&other[..12]).unwrap());
    fails(&mut git, "Rewritten").await;
    assert!(by_path(&forge).accept(&first[..12]).unwrap(), "whoever may write here may approve");
    let later = forge.commit("notes", Some("later"), "Later");
    let checkout = git.fetch().await.unwrap();
    assert_eq!((&checkout.commit, checkout.is_rewritten), (&later, true));
    assert!(!git.fetch().await.unwrap().is_rewritten, "that was told");
}

#[tokio::test]
async fn specs_in_a_submodule_are_missing_not_gone() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let mut git = by_path(&forge);
    let first = git.fetch().await.unwrap().commit;
    let submodule = |at: &str| {
        forge.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},{at}")]);
        forge.git(&["commit", "-q", "-m", "A submodule"]);
        forge.push();
    };
    submodule("theme");
    assert_eq!(names(&git.fetch().await.unwrap()), ["mypad"], "nobody needs that one");
    submodule("specs/more");
    let said = fails(&mut git, "MissingSubmodule").await.to_string();
    assert!(said.contains("specs/more"), "{said}");
}

#[tokio::test]
async fn a_server_that_hangs_or_never_ends_is_left() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let short = Duration::from_secs(1);
    let silent = serve(&forge.shop.path(""), Way::Silent);
    let mut git = source(&forge, &format!("http://{silent}/pads.git"), short, None);
    assert_eq!(git.fetch().await.unwrap_err().word(), "TimedOut");
    let endless = serve(&forge.shop.path(""), Way::Endless);
    let mut git = source(&forge, &format!("http://{endless}/pads.git"), short, None);
    let trouble = git.fetch().await.unwrap_err();
    assert!(["TimedOut", "Unreadable"].contains(&trouble.word()), "{trouble}");

    // Told to stop, nobody waits for an answer.
    let (stopper, stop) = watch::channel(false);
    let mut git = stopped_by(&forge, &format!("http://{silent}/pads.git"), Manner { patience: PATIENCE, access: None, stop });
    let (fetched, ()) = tokio::join!(git.fetch(), async { stopper.send(true).unwrap() });
    assert_eq!(fetched.unwrap_err().word(), "Stopped");
}
