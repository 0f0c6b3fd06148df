//! A second opinion on every plan, before its first call. It shares no reasoning with the planner
//! and none with the witnesses: it looks at the world with its own, plainer eyes.

use crate::model::{Ask, Capabilities, CopyStatus, OnStop, Plan, Power, Role, Root, Seen, Step, Verdict, World};

/// A step that must not be taken, and why. Always a fault of cloudypad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The step's key.
    pub step: String,
    /// What is wrong with it.
    pub why: String,
}

/// Every objection to a plan; none is what is expected.
pub fn audit(plan: &Plan, ask: &Ask, world: &World, cloud: &Capabilities) -> Vec<Objection> {
    let mut objections = Vec::new();
    let mut object = |step: &Step, why: &str| objections.push(Objection { step: step.key(), why: why.to_owned() });
    for planned in &plan.next {
        let step = &planned.step;
        if matches!(plan.verdict, Verdict::Held(_) | Verdict::Done) {
            object(step, "a plan that is done or held has steps");
        }
        if is_blind(world) {
            object(step, "the look was not complete");
        }
        match step {
            Step::DeleteVolume(spared) => {
                if let Some(why) = volume_would_be_lost(ask, world, cloud, spared.disk().as_str()) {
                    object(step, why);
                }
            }
            Step::DeleteServer { server, .. } => {
                if let Some(why) = server_would_lose(ask, world, cloud, server.as_str()) {
                    object(step, why);
                }
            }
            Step::DeleteSnapshot(copy) => {
                if let Some(why) = copy_would_be_missed(ask, world, copy.copy().as_str()) {
                    object(step, why);
                }
            }
            Step::DeleteImage(copy) => {
                if let Some(why) = copy_would_be_missed(ask, world, copy.copy().as_str()) {
                    object(step, why);
                }
            }
            Step::TakeSnapshot { disk, .. } => {
                let writers = world.servers.items().iter().filter(|it| it.volumes.contains(disk.disk()));
                if writers.into_iter().any(|it| it.power != Power::Off) {
                    object(step, "a server that is not off holds the disk");
                }
            }
            Step::CaptureImage { disk, .. } => {
                let off = world.servers.items().iter().any(|it| it.id.as_str() == disk.disk().as_str() && it.power == Power::Off);
                if !off {
                    object(step, "the server is not seen off");
                }
            }
            Step::CreateServer(_) => {
                if world.servers.items().iter().any(|it| it.power != Power::Deleting) {
                    object(step, "there is a server already");
                }
            }
            Step::Grow { volume, size_gb } => {
                if world.volume(volume).is_some_and(|it| it.size_gb >= *size_gb) {
                    object(step, "a disk never shrinks");
                }
            }
            _ => {}
        }
    }
    objections
}

fn is_blind(world: &World) -> bool {
    let unseen = [
        matches!(world.servers, Seen::Unknown(_)),
        matches!(world.volumes, Seen::Unknown(_)),
        matches!(world.snapshots, Seen::Unknown(_)),
        matches!(world.images, Seen::Unknown(_)),
        matches!(world.addresses, Seen::Unknown(_)),
        matches!(world.firewalls, Seen::Unknown(_)),
    ];
    unseen.contains(&true)
}

/// Whether the owner said in words that disks of this role may go.
fn let_go(ask: &Ask, cloud: &Capabilities, role: Option<Role>) -> bool {
    if ask.deletion.is_some_and(|it| !it.keep_snapshots) {
        return true;
    }
    let spec = &ask.spec;
    match role {
        Some(Role::Data) => spec.data_disk.as_ref().is_some_and(|it| it.delete),
        Some(Role::Root) | None => {
            let reuse = spec.root_disk_snapshot.on_stop.unwrap_or(cloud.default_on_stop) == OnStop::Reuse;
            spec.root_disk.disposable || (spec.root_disk_snapshot.enable && reuse)
        }
    }
}

fn volume_would_be_lost(ask: &Ask, world: &World, cloud: &Capabilities, id: &str) -> Option<&'static str> {
    let Some(volume) = world.volumes.items().iter().find(|it| it.id.as_str() == id) else {
        return Some("the volume was not seen");
    };
    let holders = world.servers.items().iter().filter(|it| it.power != Power::Deleting);
    if holders.into_iter().any(|it| it.volumes.iter().any(|held| held.as_str() == id)) {
        return Some("a server still holds the volume");
    }
    let untouched = volume.last_detached.is_none() && volume.attached_to.is_none();
    if let_go(ask, cloud, volume.tags.role()) || volume.tags.has("loser:unused") {
        return None;
    }
    let born_empty = volume.origin == crate::model::Origin::Empty;
    let ready = |it: &&crate::model::Snapshot| it.status == CopyStatus::Ready;
    let source_left = world.snapshots.items().iter().filter(ready).any(|it| volume.origin == crate::model::Origin::Snapshot(it.id.clone()));
    if untouched && (born_empty || source_left) {
        return None;
    }
    let last_write = volume.last_detached.unwrap_or(volume.created);
    let covered = world.snapshots.items().iter().filter(ready).any(|it| it.of.as_str() == id && it.created.0 > last_write.0);
    (!covered).then_some("no ready snapshot was taken after the disk's last possible write, and the spec does not let it go")
}

fn server_would_lose(ask: &Ask, world: &World, cloud: &Capabilities, id: &str) -> Option<&'static str> {
    let Some(server) = world.servers.items().iter().find(|it| it.id.as_str() == id) else {
        return Some("the server was not seen");
    };
    if !matches!(server.root, Root::Local { .. }) || let_go(ask, cloud, Some(Role::Root)) {
        return None;
    }
    let Some(off_since) = server.off_since.filter(|_| server.power == Power::Off) else {
        return Some("the server is not seen off, and its root disk dies with it");
    };
    let images = world.images.items().iter().filter(|it| it.status == CopyStatus::Ready && it.of.as_str() == id);
    let covered = images.into_iter().any(|it| it.created.0 > off_since.0);
    (!covered).then_some("no ready image of its root disk was made since it went off")
}

fn copy_would_be_missed(ask: &Ask, world: &World, id: &str) -> Option<&'static str> {
    let mut copies = world.copies(Role::Root);
    copies.extend(world.copies(Role::Data));
    let Some(copy) = copies.iter().find(|it| it.id() == id) else { return Some("the copy was not seen") };
    let role = copy.tags().role();
    let deleting = ask.deletion.is_some_and(|it| !it.keep_snapshots);
    let word = deleting || (role == Some(Role::Data) && ask.spec.data_disk.as_ref().is_some_and(|it| it.delete));
    if word || *copy.status() == CopyStatus::Failed {
        return None;
    }
    let newer = copies.iter().any(|it| {
        it.tags().role() == role && it.is_ready() && it.line() == copy.line() && it.created().0 >= copy.created().0 && it.id() != id
    });
    (!newer).then_some("no newer copy of the same disk is ready")
}
