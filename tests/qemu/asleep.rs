//! A real guest that nobody uses is archived without a human, and had back.
//!
//! On demand (`CLOUDYPAD_QEMU=all`): it takes minutes where there is no KVM.

use crate::{scene::Scene, teller::Teller};
use std::fs;

/// What notices idleness, as the gaming playbook installs it.
const NOTICES: &str = include_str!("../../examples/gaming/roles/autostop/files/cloudypad-idle");

const WISH: &str = "  autostop: {timeoutSeconds: 60}\n  configuration: {script: once.sh, onStart: {script: start.sh}}\n";

#[test]
fn a_guest_that_nobody_uses_falls_asleep_and_its_bill_with_it() {
    if std::env::var("CLOUDYPAD_QEMU").as_deref() != Ok("all") {
        println!("skipped: on demand, with CLOUDYPAD_QEMU=all");
        return;
    }
    let Some(scene) = Scene::with_guest() else { return };
    let install = format!(
        "#!/bin/sh -e\ncat > /usr/local/sbin/cloudypad-idle <<'END OF PROGRAM'\n{NOTICES}END OF PROGRAM\n\
         chmod 755 /usr/local/sbin/cloudypad-idle\necho mine > /root/mine\n"
    );
    scene.shop.write("once.sh", &install);
    let notice = "systemd-run --quiet --unit cloudypad-idle /usr/local/sbin/cloudypad-idle watch --after 20 --grace 600";
    scene.shop.write("start.sh", &format!("#!/bin/sh -e\nmkdir -p /run/cloudypad\n{notice}\n"));
    scene.wish("present", WISH);
    let paid_for = || {
        let bills = scene.cloud().ledger().unwrap().bill;
        bills.into_iter().filter(|it| it.kind == "compute" && it.to.is_none()).count()
    };

    let mut watch = Teller::of(&mut scene.command(&["watch", "pad.yaml"]));
    watch.until("done: ");
    assert_eq!((scene.machines().len(), paid_for()), (1, 1));
    watch.until("it went to sleep by itself");
    assert_eq!((scene.machines().len(), paid_for()), (0, 0), "nobody pays for a machine that nobody uses");
    assert_eq!(watch.interrupt(), 130);

    let held = scene.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("cloudypad wake"), "{}", held.out);
    scene.expect(0, &["wake", "pad.yaml", "--yes"]);
    assert_eq!(scene.inside("cat /root/mine"), "mine\n");
    let log = fs::read_to_string(scene.home.join("log/default.mypad.log")).unwrap();
    assert_eq!(log.matches("once.sh").count(), 1, "configured once: {log}");
    scene.expect(0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
}
