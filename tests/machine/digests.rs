//! What makes a configuration another one: everything that decides what it does, and nothing else.

use crate::room::Room;
use cloudypad::{
    machine::{Recipe, RecipeError},
    model::spec::{Ansible, Configuration, OnStart, SecretSource, Variable, When},
};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn ansible() -> Ansible {
    Ansible {
        playbook: "play/site.yml".to_owned(),
        variables: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags: Vec::new(),
        extra_arguments: Vec::new(),
    }
}

fn recipe(ansible: Ansible) -> cloudypad::model::spec::Recipe {
    cloudypad::model::spec::Recipe { ansible: Some(ansible), ..Default::default() }
}

fn digest(room: &Room, recipe: cloudypad::model::spec::Recipe) -> String {
    let resolve = |text: &str| -> Option<PathBuf> { Some(room.path(text)) };
    Recipe::read(&Configuration::Recipe(Box::new(recipe)), &resolve).unwrap().digest.unwrap()
}

fn furnished() -> Room {
    let room = Room::new();
    room.write("play/site.yml", "- hosts: all\n  roles: [steam]\n  tasks:\n    - import_tasks: more.yml\n");
    room.write("play/more.yml", "- debug: {msg: hello}\n");
    room.write("play/roles/steam/tasks/main.yml", "- package: {name: steam}\n");
    room.write("play/another.yml", "- hosts: all\n");
    room
}

#[test]
fn whatever_decides_what_it_does_is_in_it() {
    let room = furnished();
    let before = digest(&room, recipe(ansible()));
    assert_eq!(before.len(), 16);
    for (file, text) in [
        ("play/site.yml", "- hosts: all\n  roles: [steam]\n  become: true\n  tasks:\n    - import_tasks: more.yml\n"),
        ("play/more.yml", "- debug: {msg: hello again}\n"),
        ("play/roles/steam/tasks/main.yml", "- package: {name: lutris}\n"),
        ("play/roles/steam/files/new.conf", "x=1\n"),
        ("play/group_vars/all.yml", "size: 3\n"),
    ] {
        let was = fs::read(room.path(file)).ok();
        room.write(file, text);
        assert_ne!(digest(&room, recipe(ansible())), before, "{file} changed");
        match was {
            Some(bytes) => fs::write(room.path(file), bytes).unwrap(),
            None => fs::remove_file(room.path(file)).unwrap(),
        }
        assert_eq!(digest(&room, recipe(ansible())), before, "{file} is as it was");
    }
    let said = [
        Ansible { variables: [("size".to_owned(), Variable::Number(3))].into(), ..ansible() },
        Ansible { tags: vec!["base".to_owned()], ..ansible() },
        Ansible { extra_arguments: vec!["--diff".to_owned()], ..ansible() },
        Ansible { secrets: [("password".to_owned(), SecretSource { env: Some("A".to_owned()), file: None })].into(), ..ansible() },
    ];
    let mut all: Vec<String> = said.into_iter().map(|it| digest(&room, recipe(it))).chain([before]).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5, "{all:?}");
}

#[test]
fn nothing_else_is() {
    let room = furnished();
    let before = digest(&room, recipe(ansible()));
    room.write("play/another.yml", "- hosts: none\n");
    room.write("play/notes.txt", "buy milk\n");
    room.write("play/roles/steam/.git/index", "x");
    room.write("play/roles/steam/library/__pycache__/x.pyc", "x");
    room.write("play/roles/steam/tasks/main.yml~", "x");
    assert_eq!(digest(&room, recipe(ansible())), before);
    // When, and what runs at every start, are not what is captured.
    let mut other = recipe(ansible());
    other.when = When::Now;
    room.write("start.sh", "#!/bin/sh\n");
    other.on_start = Some(OnStart { script: Some("start.sh".to_owned()), ansible: None });
    assert_eq!(digest(&room, other), before);
}

/// A secret counts by where it is found. What it is is looked up when it is needed, and missing it is told then.
#[test]
fn a_secret_counts_by_its_place() {
    let room = furnished();
    room.write("secret", "correct horse\nnot this\n");
    let said =
        Ansible { secrets: [("password".to_owned(), SecretSource { env: None, file: Some("secret".to_owned()) })].into(), ..ansible() };
    let resolve = |text: &str| -> Option<PathBuf> { Some(room.path(text)) };
    let read = || Recipe::read(&Configuration::Recipe(Box::new(recipe(said.clone()))), &resolve).unwrap();
    let before = read();
    assert_eq!(before.once.as_ref().unwrap().secrets(&resolve).unwrap()["password"], "correct horse");
    room.write("secret", "battery staple\n");
    assert_eq!(read(), before);
    fs::remove_file(room.path("secret")).unwrap();
    assert_eq!(read(), before);
    let told = before.once.unwrap().secrets(&resolve).unwrap_err();
    assert!(matches!(&told, RecipeError::NoSecret { name, .. } if name == "password"), "{told}");
}

#[test]
fn a_part_that_cannot_be_read_is_named() {
    let room = furnished();
    fs::remove_file(room.path("play/site.yml")).unwrap();
    let resolve = |text: &str| -> Option<PathBuf> { Some(room.path(text)) };
    let told = Recipe::read(&Configuration::Recipe(Box::new(recipe(ansible()))), &resolve).unwrap_err().to_string();
    assert!(told.contains("play/site.yml"), "{told}");
}
