//! What is true in the cloud, whatever anybody saw: nothing lost, nothing left over, nothing twice, the wish fulfilled.

use crate::{place::Place, vendors::TAG};
use cloudypad::{
    emulator::{Loss, ServerState as Power},
    model::{Capabilities, Hold, OnStop, ServerState, Spec},
};
use std::collections::BTreeSet;

/// Whether the spec lets a disk go in words.
pub fn is_let_go(spec: &Spec, cloud: &Capabilities, loss: &Loss) -> bool {
    let of_root = !loss.tags.iter().any(|it| it == "role:data");
    of_root && (spec.root_disk.disposable || spec.on_stop(cloud) == OnStop::Reuse)
}

/// What is wrong with a cloud in which a wish was fulfilled.
pub fn flaws(place: &Place, spec: &Spec) -> Vec<String> {
    let cloud = place.face.cloud();
    let truth = cloud.truth().unwrap();
    let mut flaws = Vec::new();
    let now = place.catch_up();
    for leak in cloud.leaks(&[TAG]).unwrap() {
        let id = leak.split(' ').nth(1).unwrap_or_default();
        if !place.is_a_strangers(id, now) {
            flaws.push(format!("left behind: {leak}"));
        }
    }
    let ours = |tags: &[String]| tags.iter().any(|it| it == TAG);
    let servers: Vec<_> = truth.servers.values().filter(|it| ours(&it.tags)).collect();
    let volumes = truth.volumes.values().filter(|it| ours(&it.tags)).count();
    let mut stands = place.vendor.stands(spec);
    // While archived, a copy that was made before is as good as the disk, and what was never made, or was ended by a
    // stranger, is not missed.
    let copies = truth.snapshots.values().map(|it| &it.tags).filter(|it| ours(it));
    let is_copied = copies.clone().any(|it| it.iter().any(|tag| tag == "role:data"));
    let nothing = volumes == 0 && copies.count() + truth.images.values().filter(|it| ours(&it.tags)).count() == 0;
    if spec.server_state == ServerState::Absent && volumes < stands.1 && (is_copied || nothing || place.has_condemned()) {
        stands.1 = volumes;
    }
    if (servers.len(), volumes) != stands {
        flaws.push(format!("there are {} servers and {volumes} volumes, and the spec comes to {stands:?}", servers.len()));
    }
    let wanted = if spec.server_state == ServerState::Present { Power::Running } else { Power::Stopped };
    for server in servers {
        if server.state != wanted {
            flaws.push(format!("server {} is {}", server.id, server.state));
        }
        let (root, data) = (server.root.is_some(), spec.data_gb().is_none_or(|_| holds_data(&truth, &server.volumes)));
        if !root || !data {
            flaws.push(format!("server {} stands without {}", server.id, if root { "its data disk" } else { "its root disk" }));
        }
    }
    let addresses = truth.addresses.values().filter(|it| ours(&it.tags)).count();
    let firewalls = truth.firewalls.values().filter(|it| ours(&it.tags)).count();
    if addresses > 1 || firewalls > 1 {
        flaws.push(format!("{addresses} addresses and {firewalls} firewalls"));
    }
    flaws
}

fn holds_data(truth: &cloudypad::emulator::Truth, volumes: &[String]) -> bool {
    volumes.iter().filter_map(|it| truth.volumes.get(it)).any(|it| it.tags.iter().any(|tag| tag == "role:data"))
}

/// What is wrong with a cloud in which everything was deleted.
pub fn remains(place: &Place) -> Vec<String> {
    let now = place.catch_up();
    let leaks = place.face.cloud().leaks(&[]).unwrap();
    let ours = |leak: &String| !place.is_a_strangers(leak.split(' ').nth(1).unwrap_or_default(), now);
    leaks.into_iter().filter(ours).map(|it| format!("left behind: {it}")).collect()
}

/// Whether what befell an instance can bring about a hold: what befell this run, and what befell it before. Any other hold
/// would be a false one.
pub fn explains(hold: &Hold, now: &BTreeSet<&str>, before: &BTreeSet<&str>) -> bool {
    let any = |befell: &BTreeSet<&str>, kinds: &[&str]| befell.iter().any(|it| kinds.contains(it));
    let ever = |kinds: &[&str]| any(now, kinds) || any(before, kinds);
    let strangers = |befell: &BTreeSet<&str>| befell.iter().any(|it| it.starts_with("console") || is_an_incident(it));
    let crowd = now.contains("conflict");
    match hold.code() {
        "Refused" => any(now, &["quota", "refused", "denied", "maintenance"]) || strangers(now) || crowd,
        "Denied" => any(now, &["denied"]),
        "OutOfStock" => any(now, &["out-of-stock"]),
        "Stuck" => ever(&["stuck", "slow"]),
        // A look is tried so often that only lasting weather blinds it.
        "Blind" => now.iter().any(|it| *it != "stuck"),
        "KeepsFailing" => now.iter().any(|it| *it != "stuck"),
        "CaptureFailed" => ever(&["in-vain"]),
        "KeepsGoingOff" => strangers(now) || strangers(before),
        "DiskGone" => ever(&["console-delete-server", "console-delete-volume"]),
        "TwoServers" | "TwoDisks" | "OtherApplier" => crowd,
        _ => false,
    }
}

fn is_an_incident(what: &str) -> bool {
    ["guest-shutdown", "host-reboot", "watchdog"].contains(&what)
}
