//! A machine that nobody uses falls asleep by itself, and its bill with it. Its guest says so, with the program that gaming
//! machines run; whoever watches archives it; and it sleeps until its owner wakes it.

use crate::support::{linode::LINODE, scaleway::SCALEWAY, scene::Scene, teller::Teller, vendor::Vendor};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

/// What notices idleness, as a guest runs it.
const NOTICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gaming/roles/autostop/files/cloudypad-idle");

/// The guest's own: what notices idleness, for a machine that stands for nobody but itself.
struct Guest<'a> {
    scene: &'a Scene,
}

impl<'a> Guest<'a> {
    fn of(scene: &'a Scene) -> Self {
        let shop = &scene.shop;
        for dir in ["guest/bin", "guest/run", "guest/disk", "guest/proc/net"] {
            fs::create_dir_all(shop.path(dir)).unwrap();
        }
        // Nothing moves there, whatever else runs on this machine.
        shop.write("guest/proc/net/snmp", "Udp: InDatagrams OutDatagrams\nUdp: 0 0\n");
        shop.write("guest/proc/net/dev", "Inter-|\n face |\n");
        let program = format!("#!/bin/sh\nexec python3 {NOTICES} --run {} \"$@\"\n", shop.path("guest/run").display());
        shop.write("guest/bin/cloudypad-idle", &program);
        fs::set_permissions(shop.path("guest/bin/cloudypad-idle"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { scene }
    }

    /// Begins to notice; after a second without use it says the word.
    fn notice(&self, grace: u32) -> Teller {
        let path = |name: &str| self.scene.shop.path(name).display().to_string();
        let mut program = Command::new(path("guest/bin/cloudypad-idle"));
        program.args(["watch", "--after", "1", "--every", "0.2", "--grace", &grace.to_string(), "--disk", &path("guest/disk")]);
        program.args(["--proc", &path("guest/proc"), "--power-off", &format!("touch {}", path("guest/off"))]);
        Teller::of(&mut program)
    }
}

fn has_python() -> bool {
    let there = Command::new("python3").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: no python3, which guests have");
    }
    there
}

const SLEEPS: &str = "  autostop: {timeoutSeconds: 60}\n";

/// The servers that are paid for now.
fn paid_for(scene: &Scene) -> Vec<String> {
    let ledger = scene.face.get("/_emulator/ledger");
    let open = ledger["bill"].as_array().unwrap().iter().filter(|it| it["kind"] == "compute" && it["to"].is_null());
    open.map(|it| it["object"].as_str().unwrap().to_owned()).collect()
}

/// Idle, it is archived by whoever watches, and what it costs to run ends. It stays archived whoever applies it, until it is
/// woken; then it is what it was.
fn sleeps_until_it_is_woken(vendor: &'static Vendor) {
    let Some(scene) = Scene::at(vendor).filter(|_| has_python()) else { return };
    let guest = Guest::of(&scene);
    scene.wish_with("present", SLEEPS);
    let mut watch = Teller::of(&mut scene.command(&["watch", "pad.yaml"]));
    watch.until("done: ");
    assert_eq!(scene.ran(), ["once", "start"]);
    assert_eq!(paid_for(&scene).len(), 1);

    let mut notices = guest.notice(600);
    notices.until("\"idle\": true");
    watch.until("it went to sleep by itself");
    assert_eq!(paid_for(&scene), [""; 0], "nobody pays for a machine that nobody uses");
    notices.until("\"heard\"");
    assert!(!Path::new(&scene.shop.path("guest/off")).exists(), "who is heard need not switch itself off");
    drop(notices);
    assert_eq!(watch.interrupt(), 130);

    // On another machine, with no journal.
    fs::remove_dir_all(scene.shop.path("home/journal")).unwrap();
    let calls = scene.face.changes_so_far();
    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("Archived") && held.out.contains("cloudypad wake"), "{}", held.out);
    assert_eq!(scene.face.changes_so_far(), calls, "it sleeps on");

    scene.expect(0, &["wake", "pad.yaml", "--yes"]);
    assert_eq!(scene.ran(), ["start"], "it came back from its capture");
    scene.apply();
    assert_eq!((scene.ran().len(), paid_for(&scene).len()), (0, 1), "and stays");
    assert_eq!(scene.face.judge(&["in:default.mypad"]).0, [""; 0]);
}

#[test]
fn at_scaleway_a_machine_that_nobody_uses_sleeps_until_it_is_woken() {
    sleeps_until_it_is_woken(&SCALEWAY);
}

#[test]
fn at_linode_a_machine_that_nobody_uses_sleeps_until_it_is_woken() {
    sleeps_until_it_is_woken(&LINODE);
}

/// Another word as `wake:` wakes it as well, as soon as it is saved.
#[test]
fn another_word_in_its_spec_wakes_it() {
    let Some(scene) = Scene::at(&SCALEWAY).filter(|_| has_python()) else { return };
    let guest = Guest::of(&scene);
    scene.wish_with("present", SLEEPS);
    let mut watch = Teller::of(&mut scene.command(&["watch", "pad.yaml"]));
    watch.until("done: ");
    let notices = guest.notice(600);
    watch.until("it went to sleep by itself");
    drop(notices);
    fs::remove_dir_all(scene.shop.path("guest/run")).unwrap();
    fs::create_dir(scene.shop.path("guest/run")).unwrap();
    scene.wish_with("present", &format!("{SLEEPS}  protect: true\n"));
    watch.until("tag ");
    assert_eq!(paid_for(&scene), [""; 0], "another edit wakes nobody");
    scene.wish_with("present", &format!("{SLEEPS}  wake: tonight\n"));
    watch.until("done: ");
    assert_eq!(paid_for(&scene).len(), 1);
    assert_eq!(watch.interrupt(), 130);
}

/// Where nobody watches, the machine switches itself off, which ends no bill: applying says so beforehand. Whoever applies
/// finds it off, and starts it.
#[test]
fn unwatched_it_switches_itself_off() {
    let Some(scene) = Scene::at(&SCALEWAY).filter(|_| has_python()) else { return };
    let guest = Guest::of(&scene);
    scene.wish_with("present", SLEEPS);
    let applied = scene.apply();
    assert!(applied.out.contains("a guest that powers itself off is billed on"), "{}", applied.out);
    let mut notices = guest.notice(1);
    notices.until("powerOff");
    assert_eq!(notices.wait(), 0);
    assert!(scene.shop.path("guest/off").exists());
    scene.face.post("/_emulator/guest-shutdown", serde_json::json!({"server": paid_for(&scene)[0]}));
    let started = scene.apply();
    assert!(started.out.contains("it was found off"), "{}", started.out);
}
