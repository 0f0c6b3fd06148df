//! What is ordered of a machine, and what becomes of it where an order is cut off. The disks here boot nothing: a machine runs
//! all the same.

use crate::scene::Scene;
use cloudypad::emulator::{Fault, FaultKind};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Another program that holds a disk, as QEMU's own tools do, until it is dropped.
struct Holder(Child);

impl Holder {
    fn of(disk: &Path) -> Self {
        let mut child = Command::new("qemu-io").args(["-f", "raw"]).arg(disk).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It answers once it has the disk.
        child.stdin.as_mut().unwrap().write_all(b"length\n").unwrap();
        let mut answer = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What befalls the next order to start.
fn fault(what: FaultKind) -> Fault {
    Fault { operation: "power_on".to_owned(), what, times: 1, skip: 0 }
}

/// Disks, port and QEMU itself are had before the book says that a server starts: what cannot be had is said in QEMU's words,
/// and once it can, the same command goes on.
#[test]
fn a_machine_that_cannot_start_says_why() {
    let Some(scene) = Scene::without_guest() else { return };
    scene.wish("stopped", "");
    scene.apply();
    let holder = Holder::of(&scene.root_file());
    scene.wish("present", "");
    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("QEMU does not start") && held.out.contains("lock"), "{}", held.out);
    assert!(held.out.contains("qemu.log"), "{}", held.out);
    assert!(scene.machines().is_empty());
    assert!(scene.book()[0].ends_with("stopped"), "{:?}", scene.book());
    drop(holder);
    scene.apply();
    scene.the_machine();
}

/// Without QEMU nothing is begun, and the package is named.
#[test]
fn without_qemu_nothing_is_begun() {
    let Some(scene) = Scene::without_guest() else { return };
    fs::create_dir(scene.shop.path("bin")).unwrap();
    symlink("/usr/bin/ssh", scene.shop.path("bin/ssh")).unwrap();
    scene.wish("present", "");
    let ran = scene.command(&["apply", "pad.yaml", "--yes"]).env("PATH", scene.shop.path("bin")).output().unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(3), "{out}");
    assert!(out.contains("qemu-system-x86_64") && out.contains("Debian and Ubuntu: qemu-system-x86"), "{out}");
    assert_eq!(scene.cloud().inventory().unwrap(), Vec::<String>::new());
}

/// An image of its owner's, in QEMU's own format, becomes the root disk, wherever cloudypad keeps its files: a socket's path
/// may not be as long as theirs.
#[test]
fn the_owners_image_becomes_the_root_disk() {
    let Some(mut scene) = Scene::without_guest() else { return };
    scene.home = scene.shop.path(&format!("{}/home", "long-".repeat(30)));
    let image = scene.shop.path("guest.img");
    let tool = |program: &str, words: &[&str]| {
        let ran = Command::new(program).args(words).arg(&image).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{program} {words:?}");
    };
    fs::remove_file(&image).unwrap();
    assert!(Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&image).arg("20G").status().unwrap().success());
    tool("qemu-io", &["-f", "qcow2", "-c", "write -P 0x5a 1M 4k"]);

    scene.wish("present", "");
    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("needs 22 GB, not 8"), "{}", held.out);

    scene.wish("present", "  rootDisk: {sizeGb: 22}\n");
    let spec = scene.shop.read("pad.yaml").replace("  rootDisk: {sizeGb: 8}\n", "");
    scene.shop.write("pad.yaml", &spec);
    scene.apply();
    scene.the_machine();
    let root = scene.root_file();
    assert_eq!(fs::metadata(&root).unwrap().len(), 22_000_000_000);
    assert_eq!(crate::shop::read_at(&root, 1 << 20, 4096), vec![0x5a; 4096]);
}

/// The answer to the order to start is lost: the order came, and one machine runs, once.
#[test]
fn a_start_whose_answer_is_lost_is_one_start() {
    let Some(scene) = Scene::without_guest() else { return };
    scene.wish("stopped", "");
    scene.apply();
    scene.cloud().arm(fault(FaultKind::LostReply)).unwrap();
    scene.wish("present", "");
    scene.apply();
    scene.the_machine();
    assert_eq!(scene.cloud().ledger().unwrap().calls["power_on"], 1);
}

/// The cloud refuses to start it: the machine that was made for it is gone again.
#[test]
fn a_start_that_is_refused_leaves_no_machine() {
    let Some(scene) = Scene::without_guest() else { return };
    scene.wish("stopped", "");
    scene.apply();
    scene.cloud().arm(fault(FaultKind::OutOfStock)).unwrap();
    scene.wish("present", "");
    scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(scene.machines().is_empty());
}

/// Killed right after a machine was made, which is before the book knows: whoever looks next takes it away or lets it loose, and
/// the same command goes on.
#[test]
fn a_start_that_is_cut_off_is_finished_by_the_next() {
    let Some(scene) = Scene::without_guest() else { return };
    scene.wish("stopped", "");
    scene.apply();
    scene.wish("present", "");
    let mut child = scene.command(&["apply", "pad.yaml", "--yes"]).spawn().unwrap();
    let began = Instant::now();
    // A machine lives from the moment that it locks its file, which nothing tells.
    while scene.machines().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "no machine was made");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    scene.expect(0, &["get", "pad.yaml"]);
    scene.apply();
    scene.the_machine();
    assert!(scene.expect(0, &["apply", "pad.yaml", "--yes"]).out.contains("Nothing to do"));
}

/// A machine that is killed, as by a host that lost its power, is off, whatever the book said; and is started again.
#[test]
fn a_machine_that_died_is_started_again() {
    let Some(scene) = Scene::without_guest() else { return };
    scene.wish("present", "");
    scene.apply();
    let machine = scene.the_machine();
    let (number, port) = (machine.number(), fs::read_to_string(machine.dir.join("ssh-port")).unwrap());
    machine.kill();
    let plan = scene.expect(2, &["plan", "pad.yaml", "--detailed-exitcode"]).out;
    assert!(plan.contains("start     server mypad"), "{plan}");
    scene.apply();
    assert_ne!(scene.the_machine().number(), number);
    assert_eq!(fs::read_to_string(machine.dir.join("ssh-port")).unwrap(), port, "it is found where it was");
}
