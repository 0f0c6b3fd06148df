//! `examples/local-qemu.yaml`, as its owner sees it: `tests/transcripts/local-qemu.txt`. Real Ansible configures a real guest.
//!
//! On demand (`CLOUDYPAD_QEMU=all`): it takes minutes where there is no KVM. `BLESS=1` rewrites the transcript.

use crate::scene::Scene;
use std::{fmt::Write, fs, path::Path, process::Command};

/// Booted, configured, captured, archived and had back; what was saved on the data disk is there, and the playbook that
/// configures ran once.
#[test]
fn the_example_lives_its_life_as_in_its_transcript() {
    if std::env::var("CLOUDYPAD_QEMU").as_deref() != Ok("all") {
        println!("skipped: on demand, with CLOUDYPAD_QEMU=all");
        return;
    }
    if Command::new("ansible-playbook").arg("--version").output().is_err() {
        println!("skipped: no ansible-playbook");
        return;
    }
    let Some(scene) = Scene::with_guest() else { return };
    let image = Command::new("qemu-img")
        .args(["convert", "-O", "qcow2"])
        .args([scene.shop.path("guest.img"), scene.shop.path("debian-12.qcow2")])
        .status();
    assert!(image.unwrap().success());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copied = Command::new("cp").arg("-r").arg(root.join("examples")).arg(scene.shop.path("")).status().unwrap();
    assert!(copied.success());

    let spec = "examples/local-qemu.yaml";
    let mut transcript = String::new();
    let mut say = |command: &[&str]| {
        let ran = scene.expect(0, command);
        // What is awaited, and for how long, depends on how fast this machine is.
        let told = ran.out.lines().filter(|it| !it.starts_with("wait ") && !it.contains("| not in yet"));
        let told: String = told.map(|it| format!("{}\n", blotted(it))).collect();
        let _ = write!(transcript, "$ cloudypad {}\n{told}\n", command.join(" "));
    };
    say(&["apply", spec, "--yes"]);
    say(&["ssh", spec, "--", "echo level 7 > /srv/cloudypad/saved"]);
    say(&["set", spec, "serverState=absent", "--apply", "--yes"]);
    say(&["get", spec]);
    say(&["set", spec, "serverState=present", "--apply", "--yes"]);
    say(&["ssh", spec, "--", "cat /srv/cloudypad/saved"]);
    say(&["delete", spec, "--yes", "--destroy-data", "homelab"]);

    let log = fs::read_to_string(scene.shop.path("home/log/default.homelab.log")).unwrap();
    let runs = |playbook: &str| log.lines().filter(|it| it.starts_with("--- ") && it.ends_with(playbook)).count();
    assert_eq!((runs("configure.yml"), runs("on-start.yml")), (1, 2));
    assert!(scene.machines().is_empty());

    let golden = root.join("tests/transcripts/local-qemu.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&golden, &transcript).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    let difference = similar::TextDiff::from_lines(&expected, &transcript).unified_diff().to_string();
    assert!(expected == transcript, "{difference}");
}

/// A line without what differs from one life to the next.
fn blotted(line: &str) -> String {
    let uuid = regex_lite::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let blotted = uuid.replace_all(line, "UUID");
    // Ansible rules its lines off to their full width.
    blotted.trim_end_matches('*').trim_end().to_owned()
}
