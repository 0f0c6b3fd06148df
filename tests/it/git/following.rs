//! What is pushed is laid out, commit by commit, over every transport.

use super::{PATIENCE, by_path, names, source};
use crate::support::{
    forge::{Forge, Way, has_git, serve},
    shop::pad,
};
use cloudypad::source::Access;
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn a_branch_is_followed_by_path_by_file_and_by_http() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let bare = forge.bare().display().to_string();
    let http = serve(&forge.shop.path(""), Way::Open);
    for (number, address) in [bare.clone(), format!("file://{bare}"), format!("http://{http}/pads.git")].iter().enumerate() {
        let mut git = source(&forge, address, PATIENCE, None);
        let first = git.fetch().await.unwrap();
        assert_eq!(names(&first), ["mypad"], "{address}");
        assert_eq!(git.fetch().await.unwrap().directory, first.directory, "nothing new is nothing to do");

        let second = pad("stopped", "").replace("mypad", "second");
        let commit = forge.commit("specs/second.yaml", Some(&second), &format!("A second one, {number}"));
        let both = git.fetch().await.unwrap();
        assert_eq!((names(&both), &both.commit), (vec!["mypad".to_owned(), "second".to_owned()], &commit));
        assert_eq!((both.subject.as_str(), both.time.to_string().as_str()), (&*format!("A second one, {number}"), "2026-03-01T12:00:00Z"));
        assert!(commit.starts_with(both.short()) && !both.is_rewritten);

        forge.git(&["mv", "specs/second.yaml", "specs/renamed.yaml"]);
        forge.commit_all("Another file, the same instance");
        assert_eq!(names(&git.fetch().await.unwrap()), ["mypad", "second"]);

        forge.git(&["revert", "--no-edit", "HEAD~1..HEAD"]);
        forge.git(&["rm", "-q", "specs/second.yaml"]);
        forge.commit_all("Only the first");
        assert_eq!(names(&git.fetch().await.unwrap()), ["mypad"]);

        // Who still works with a commit finds it; then it goes.
        assert_eq!(names(&both), ["mypad", "second"]);
        let directory = both.directory.clone();
        drop(both);
        assert!(!directory.exists());
    }
}

#[tokio::test]
async fn a_locked_repository_opens_to_a_token_that_nobody_sees() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    // ada:s3cret-t0ken
    let http = serve(&forge.shop.path(""), Way::Locked("YWRhOnMzY3JldC10MGtlbg=="));
    let address = format!("http://{http}/pads.git");
    let access = |token: &str| Some(Access { user: "ada".to_owned(), token: token.to_owned() });
    let mut right = source(&forge, &address, PATIENCE, access("s3cret-t0ken"));
    assert_eq!(names(&right.fetch().await.unwrap()), ["mypad"]);
    for nobody in [None, access("an-old-t0ken")] {
        let mut git = source(&forge, &address, PATIENCE, nobody);
        let said = super::fails(&mut git, "Denied").await.to_string();
        assert!(!said.contains("t0ken"), "{said}");
    }
    let kept = fs::read_to_string(forge.shop.path("home/sources").join(right.owner()).join("mirror.git/config")).unwrap();
    assert!(!kept.contains("t0ken"), "{kept}");
}

#[tokio::test]
async fn files_are_as_git_has_them_and_closed_to_others() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    forge.shop.write("work/playbooks/install", "#!/bin/sh\n$Id$\r\n");
    forge.shop.write("work/.gitattributes", "* text eol=crlf ident export-subst\nspecs/** export-ignore\n");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(forge.shop.path("work/playbooks/install"), fs::Permissions::from_mode(0o755)).unwrap();
    for (target, link) in
        [("../playbooks", "specs/playbooks"), ("/etc", "specs/absolute"), ("../../..", "specs/above"), ("mypad.yaml", "specs/same")]
    {
        std::os::unix::fs::symlink(target, forge.shop.path(&format!("work/{link}"))).unwrap();
    }
    forge.commit_all("Beside the spec");
    let checkout = by_path(&forge).fetch().await.unwrap();
    let at = |name: &str| checkout.directory.join(name);
    assert_eq!(fs::read_to_string(at("playbooks/install")).unwrap(), forge.git(&["cat-file", "blob", "HEAD:playbooks/install"]) + "\n");
    assert_eq!((mode(&at("playbooks/install")), mode(&at("mypad.yaml")), mode(&checkout.directory)), (0o700, 0o600, 0o700));
    assert_eq!(fs::read(at("same")).unwrap(), fs::read(at("mypad.yaml")).unwrap());
    assert!(!at("absolute").exists() && !at("above").exists(), "no link leads out");
    let strays: Vec<String> = checkout.strays.iter().map(|it| it.display().to_string()).collect();
    assert_eq!(strays, ["specs/above", "specs/absolute"]);
}

#[tokio::test]
async fn an_approval_is_of_the_commits_that_came_together() {
    if !has_git() {
        return;
    }
    let forge = Forge::new();
    let mut git = by_path(&forge);
    assert!(git.fetch().await.unwrap().approvals().is_empty());
    forge.commit("notes", Some("1"), "Spring cleaning\n\nMany go.\n\nCloudypad-Approve: mypad, home.second");
    forge.commit("notes", Some("2"), "Later\n\nThis says Cloudypad-Approve: nothing\n\ncloudypad-approve: third");
    let approved = git.fetch().await.unwrap();
    assert_eq!(approved.approvals(), &BTreeSet::from(["mypad", "home.second", "third"].map(str::to_owned)));
    // Also after a restart, before anything was done.
    drop((git, approved));
    assert_eq!(by_path(&forge).last().await.unwrap().unwrap().approvals().len(), 3);
    let mut git = by_path(&forge);
    forge.commit("notes", Some("3"), "Nothing is approved");
    assert!(git.fetch().await.unwrap().approvals().is_empty());
}
