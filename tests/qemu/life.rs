//! A whole life of a real guest, whose controller is killed at the worst moments.

use crate::scene::Scene;
use std::process::Command;

/// What makes the guest a gaming machine. The first time it never ends by itself: it goes on for as long as somebody listens.
const ONCE: &str = "#!/bin/sh
echo begun >> /root/diary
echo half way
if [ ! -e /root/again ]; then
    touch /root/again
    while sleep 0.2; do echo still at it || exit 1; done
fi
echo configured >> /root/diary
";

/// What runs at every start: the data disk, which is told by its id, is mounted; a filesystem is made on one without.
const ON_START: &str = "#!/bin/sh -e
echo started >> /root/diary
disk=$(ls /dev/disk/by-id/virtio-vol-* | grep -v part | while read -r it; do
    [ \"$(readlink -f \"$it\")\" = /dev/vda ] || echo \"$it\"; done)
blkid \"$disk\" || mkfs.ext4 -q \"$disk\"
mkdir -p /srv/saves
mountpoint -q /srv/saves || mount \"$disk\" /srv/saves
";

const WISH: &str = "  rootDiskSnapshot: {enable: true}\n  dataDiskSnapshot: {enable: true}\n  \
                    configuration: {script: once.sh, onStart: {script: start.sh}}\n";

/// Created, configured once, captured, archived and had back: everything that was written before the archive is there, the
/// filesystems are clean, and the recipe did not run again. cloudypad is killed while it configures, while it captures and
/// while the guest shuts down; the same command goes on each time, and the machine never noticed.
#[test]
fn a_guest_survives_its_archive_and_its_controllers_death() {
    let Some(scene) = Scene::with_guest() else { return };
    scene.shop.write("once.sh", ONCE);
    scene.shop.write("start.sh", ON_START);
    scene.wish("present", WISH);

    scene.apply_until("        | half way");
    let machine = scene.the_machine().number();
    scene.apply_until("snapshot  root disk");
    scene.apply();
    assert_eq!(scene.inside("cat /root/diary"), "begun\nbegun\nconfigured\nstarted\n");
    assert_ne!(scene.the_machine().number(), machine, "it was off for its capture");
    scene.inside("echo level 7 > /srv/saves/game && echo mine > /root/mine");

    scene.wish("absent", WISH);
    scene.apply_until("wait      until server mypad is off");
    scene.apply();
    assert!(scene.machines().is_empty(), "nothing runs, and nothing is billed");
    are_clean(&scene);

    scene.wish("present", WISH);
    scene.apply_while(&|| drop(scene.expect(0, &["get", "pad.yaml"])));
    let told = scene.inside("cat /srv/saves/game /root/mine /root/diary; df --output=size -BG / | tail -1 | tr -d ' '");
    assert_eq!(told, "level 7\nmine\nbegun\nbegun\nconfigured\nstarted\nstarted\n8G\n");
    assert!(scene.expect(0, &["apply", "pad.yaml", "--yes"]).out.contains("Nothing to do"));

    // Its guest powers off by itself: what was present is not, and the next look says so.
    let machine = scene.the_machine();
    scene.run(&["ssh", "pad.yaml", "--", "systemctl poweroff"]);
    machine.ended();
    let plan = scene.expect(2, &["plan", "pad.yaml", "--detailed-exitcode"]).out;
    assert!(plan.contains("start     server mypad") && plan.contains("it was found off"), "{plan}");

    assert!(machine.dir.join("seed/user-data").exists());
    scene.expect(0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert!(!machine.dir.exists(), "what it was given for its first boot holds a private key");
    assert!(scene.book().is_empty() && scene.machines().is_empty());
}

/// The copies that an archive keeps were taken of filesystems that were put away in order.
fn are_clean(scene: &Scene) {
    let cloud = scene.cloud();
    let snapshots: Vec<String> = cloud.truth().unwrap().snapshots.into_keys().collect();
    assert_eq!(snapshots.len(), 2, "{snapshots:?}");
    for snapshot in snapshots {
        let file = cloud.disk_path(&snapshot);
        let whole = file.display().to_string();
        // The root file system begins a mebibyte into its disk; the data disk is one as a whole.
        let checks = [whole.clone(), format!("{whole}?offset=1048576")].map(|it| {
            let check = Command::new("/usr/sbin/e2fsck").args(["-f", "-n", &it]).output().unwrap();
            (check.status.code(), String::from_utf8_lossy(&check.stdout).into_owned())
        });
        assert!(checks.iter().any(|(code, _)| *code == Some(0)), "{whole}: {checks:#?}");
    }
}
