//! What is run in a machine: once, captured, and carried on; and what runs at every start. The cloud is a vendor's emulator,
//! the machine behind its addresses a real SSH server.

use crate::support::{linode::LINODE, scaleway::SCALEWAY, scene::Scene, sshd::SshServer, vendor::Vendor};
use std::{fs, process::Command};

const NOTHING: [&str; 0] = [];

/// Configured once, captured, and never again, however often it is archived and comes back; what runs at every start runs at
/// every start.
fn configured_once(vendor: &'static Vendor) {
    let Some(scene) = Scene::at(vendor) else { return };
    scene.wish("present");
    let first = scene.apply();
    assert_eq!(scene.ran(), ["once", "start"], "{}", first.out);
    assert!(first.out.contains("| once runs"), "{}", first.out);
    let log = fs::read_to_string(scene.shop.path("home/log/default.mypad.log")).unwrap();
    assert!(log.contains("once runs") && log.contains("start runs"), "{log}");
    let calls = scene.face.changes_so_far();
    scene.apply();
    assert_eq!((scene.ran(), scene.face.changes_so_far()), (Vec::new(), calls), "nothing is left to do");
    for _ in 0..2 {
        scene.wish("absent");
        scene.apply();
        assert_eq!(scene.ran(), NOTHING, "an archive runs nothing");
        scene.wish("present");
        scene.apply();
        assert_eq!(scene.ran(), ["start"], "it came back from its capture");
    }
    scene.wish("stopped");
    scene.apply();
    scene.wish("present");
    scene.apply();
    assert_eq!(scene.ran(), ["start"]);
    assert_eq!(scene.face.judge(&["in:default.mypad"]).0, [""; 0]);
}

#[test]
fn at_scaleway_it_is_configured_once_and_captured() {
    configured_once(&SCALEWAY);
}

#[test]
fn at_linode_it_is_configured_once_and_captured() {
    configured_once(&LINODE);
}

/// Another recipe interrupts nobody. It runs at the next start, and is in the next capture: also where the last one is reused.
#[test]
fn another_recipe_waits_for_the_next_start() {
    let Some(scene) = Scene::at(&LINODE) else { return };
    scene.wish("present");
    scene.apply();
    scene.ran();
    scene.script("once", "echo more");
    let plan = scene.expect(0, &["plan", "pad.yaml"]);
    assert!(plan.out.contains("applied at the next start"), "{}", plan.out);
    scene.apply();
    assert_eq!(scene.ran(), NOTHING);
    scene.wish("stopped");
    scene.apply();
    scene.wish("present");
    scene.apply();
    assert_eq!(scene.ran(), ["once", "start"]);
    assert_eq!(scene.row()["conditions"], serde_json::json!(["CapturePending"]));
    scene.wish("absent");
    let archived = scene.apply();
    assert!(archived.out.contains("capture   root disk"), "the old capture is not of this recipe: {}", archived.out);
    scene.wish("present");
    scene.apply();
    assert_eq!(scene.ran(), ["start"]);
}

/// Told to run now, it runs now, and is captured at once.
#[test]
fn another_recipe_runs_at_once_where_the_owner_says_so() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    scene.wish("present");
    scene.apply();
    scene.ran();
    scene.script("once", "echo more");
    scene.wish_with("present", "    when: now\n");
    let applied = scene.apply();
    assert_eq!(scene.ran(), ["once", "start"], "{}", applied.out);
    assert!(applied.out.contains("snapshot  root disk"), "{}", applied.out);
}

/// A recipe that fails is tried again, then told: which script, what it said, how to look around. The server stays. Mended, it
/// goes on from there.
#[test]
fn a_recipe_that_fails_is_told_and_the_server_stays() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    scene.script("once", "echo no such package >&2; exit 3");
    scene.wish("present");
    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("once.sh failed: exit code 3: no such package"), "{}", held.out);
    assert!(held.out.contains("cloudypad ssh mypad"), "{}", held.out);
    let tries = scene.ran().len();
    assert!((2..=6).contains(&tries), "tried {tries} times");
    let inside = scene.expect(0, &["ssh", "mypad", "-f", "pad.yaml", "--", "echo", "I am in"]);
    assert_eq!(inside.out.trim(), "I am in");
    scene.script("once", "");
    scene.apply();
    assert_eq!(scene.ran(), ["once", "start"]);
}

/// Whoever runs the recipe is killed in the middle of it. The next apply goes on, and runs nothing beside what still runs.
#[test]
fn killed_while_it_configures_the_next_apply_goes_on() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    let gate = scene.shop.path("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    scene.script("once", &format!("mkdir {} 2> /dev/null && cat {}\ntrue", scene.shop.path("cut").display(), gate.display()));
    scene.wish("present");
    let mut first = scene.command(&["apply", "pad.yaml", "--yes"]).spawn().unwrap();
    // The first run opens the gate once it is in the middle of it: whoever opens it to write waits for that.
    let mut opened = fs::OpenOptions::new().write(true).open(&gate).unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    std::io::Write::write_all(&mut opened, b"go on\n").unwrap();
    drop(opened);
    scene.apply();
    assert_eq!(scene.ran(), ["once", "once", "start"]);
}

/// Nobody is let in who is not the machine that was made: nothing runs there.
#[test]
fn a_machine_that_is_another_is_not_configured() {
    let Some(mut scene) = Scene::at(&LINODE) else { return };
    let other = scene.shop.path("other");
    cloudypad::machine::seed(&other, None).unwrap();
    let port = SshServer::free_port();
    let strange = SshServer::open(&scene.shop.path(""), port, &other, &scene.shop.path("owner"));
    scene.lead_to(port);
    scene.machine = strange;
    scene.wish("present");
    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("another host key"), "{}", held.out);
    assert_eq!(scene.ran(), NOTHING);
}

#[test]
fn who_is_not_there_is_told() {
    let Some(scene) = Scene::at(&SCALEWAY) else { return };
    scene.wish("present");
    let ran = scene.run(&["ssh", "mypad", "-f", "pad.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("does not run") && ran.err.contains("you can"), "{}", ran.err);
}
