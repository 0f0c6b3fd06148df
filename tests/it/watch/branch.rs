//! A branch of a real repository is the truth: what is pushed is done, and what cannot be read changes nothing.

use crate::support::{
    forge::{Forge, has_git},
    shop::pad,
    teller::Teller,
};
use std::fs;

fn watched(forge: &Forge, more: &[&str]) -> Teller {
    let bare = forge.bare().display().to_string();
    let words = ["watch", &bare, "--branch", "main", "--path", "specs", "--poll", "1s", "-o", "json"];
    Teller::of(&mut forge.shop.command(&[&words[..], more].concat()))
}

/// Reads on until a run for this commit is done.
fn until_done(watch: &mut Teller, commit: &str) {
    watch.until(&format!("\"commit\":\"{commit}\""));
    while !watch.told.last().unwrap().contains("\"verdict\":\"done\"") {
        watch.until(&format!("\"commit\":\"{commit}\""));
    }
}

/// Commits, a revert, a commit with a mistake, and a repository that is gone: every event says of which commit it is.
#[test]
fn what_is_pushed_is_done() {
    if !has_git() {
        return println!("skipped: no git");
    }
    let forge = Forge::new();
    let push = |text: &str, message: &str| forge.commit("specs/mypad.yaml", Some(text), message);
    let first = forge.git(&["rev-parse", "HEAD"]);
    let mut watch = watched(&forge, &[]);
    until_done(&mut watch, &first);
    let second = push(&pad("stopped", ""), "Off for today");
    until_done(&mut watch, &second);
    assert!(forge.shop.cloud().truth().unwrap().servers.values().all(|it| it.tags.iter().any(|it| it.starts_with("by:git-"))));

    // A mistake holds its own instance where it is, and hurts no other.
    let calls = forge.shop.calls();
    push("apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {name: mypad", "A slip");
    let other = pad("stopped", "").replace("name: mypad", "name: other");
    let third = forge.commit("specs/other.yaml", Some(&other), "Another");
    until_done(&mut watch, &third);
    assert!(forge.shop.calls() > calls);
    let back = push(&pad("present", ""), "Back again");
    until_done(&mut watch, &back);
    let calls = forge.shop.calls();
    assert!(watch.told.iter().all(|it| !it.contains("delete")), "{:#?}", watch.told);

    // Whatever becomes of the repository.
    fs::rename(forge.bare(), forge.shop.path("elsewhere.git")).unwrap();
    assert_eq!(watch.interrupt(), 130);
    let mut watch = watched(&forge, &[]);
    watch.until("\"verdict\":\"done\"");
    assert_eq!(forge.shop.calls(), calls, "what was carried out last is kept on, with nothing to do");
    drop(watch);
}

/// A branch whose history was written anew is held, until its owner says that it is to be so.
#[test]
fn a_rewritten_branch_asks_first() {
    if !has_git() {
        return println!("skipped: no git");
    }
    let forge = Forge::new();
    let bare = forge.bare().display().to_string();
    let first = forge.git(&["rev-parse", "HEAD"]);
    let mut watch = watched(&forge, &[]);
    until_done(&mut watch, &first);
    let calls = forge.shop.calls();
    forge.git(&["checkout", "-q", "--orphan", "anew"]);
    let anew = forge.commit("specs/mypad.yaml", Some(&pad("absent", "")), "As if nothing had been");
    assert_eq!(watch.interrupt(), 130);
    let mut watch = watched(&forge, &[]);
    watch.until("\"verdict\":\"done\"");
    assert_eq!(forge.shop.calls(), calls, "what was carried out last is kept on");
    let odd = forge.shop.run(&["approve", "the latest", &bare, "--path", "specs"]);
    assert!(odd.code == 1 && odd.err.contains("nothing was approved"), "{}", odd.err);
    forge.shop.expect(0, &["approve", &anew[..7], &bare, "--path", "specs"]);
    until_done(&mut watch, &anew);
    assert_eq!(watch.interrupt(), 130);
}
