//! A second opinion on every plan, before its first call. It shares no reasoning with the planner
//! and none with the witnesses: it looks at the world with its own, plainer eyes.

use crate::model::{
    Applied, Ask, Capabilities, CopyStatus, LastHeld, OnStop, Origin, Plan, Power, Ran, Role, Root, Seen, Stance, Step, Verdict, World,
    instance_tag,
};

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
    // What goes in this turn covers nothing in this turn.
    let going: Vec<&str> = plan.next.iter().filter_map(|it| ends(&it.step)).collect();
    let mut object = |step: &Step, why: &str| objections.push(Objection { step: step.key(), why: why.to_owned() });
    for planned in &plan.next {
        let step = &planned.step;
        if matches!(plan.verdict, Verdict::Held(_) | Verdict::Done) {
            object(step, "a plan that is done or held has steps");
        }
        if is_blind(world) {
            object(step, "the look was not complete");
        }
        if ask.stance == Stance::Keep && Applied::latest(world).is_some_and(|it| !it.agrees_with(ask)) {
            object(step, "another spec was applied, and this one is only kept");
        }
        if ends(step).is_some_and(|id| is_foreign(ask, world, id)) {
            object(step, "its tags say that it is another instance's");
        }
        match step {
            Step::DeleteVolume(spared) => {
                if let Some(why) = volume_would_be_lost(ask, world, cloud, spared.disk().as_str(), &going) {
                    object(step, why);
                }
            }
            Step::SetRecord { .. } | Step::DeleteRecord { .. } => {
                if !matches!(&world.record, Seen::Absent) && !matches!(&world.record, Seen::Present(it) if it.ours) {
                    object(step, "the name is not seen to be the instance's");
                }
            }
            Step::ReleaseAddress(id) => {
                let found = world.addresses.items().iter().find(|it| it.id == *id);
                if found.is_some_and(|it| it.server.as_ref().is_some_and(|holder| world.server(holder).is_none())) {
                    object(step, "a server that is not the instance's has the address");
                }
            }
            Step::DeleteServer { server, .. } => {
                if let Some(why) = server_would_lose(ask, world, cloud, server.as_str()) {
                    object(step, why);
                }
            }
            Step::DeleteSnapshot(copy) => {
                if let Some(why) = copy_would_be_missed(ask, world, copy.copy().as_str(), &going) {
                    object(step, why);
                }
            }
            Step::DeleteImage(copy) => {
                if let Some(why) = copy_would_be_missed(ask, world, copy.copy().as_str(), &going) {
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

/// Whether an object carries an instance's tag, and not this one's.
fn is_foreign(ask: &Ask, world: &World, id: &str) -> bool {
    let tags = (world.servers.items().iter().map(|it| (it.id.as_str(), &it.tags)))
        .chain(world.volumes.items().iter().map(|it| (it.id.as_str(), &it.tags)))
        .chain(world.snapshots.items().iter().map(|it| (it.id.as_str(), &it.tags)))
        .chain(world.images.items().iter().map(|it| (it.id.as_str(), &it.tags)));
    let mark = instance_tag(&ask.key);
    tags.into_iter().any(|(its, tags)| its == id && tags.get("in").is_some() && !tags.has(&mark))
}

/// The id of what a step ends.
fn ends(step: &Step) -> Option<&str> {
    match step {
        Step::DeleteVolume(spared) => Some(spared.disk().as_str()),
        Step::DeleteServer { server, .. } => Some(server.as_str()),
        Step::DeleteSnapshot(copy) => Some(copy.copy().as_str()),
        Step::DeleteImage(copy) => Some(copy.copy().as_str()),
        _ => None,
    }
}

fn is_blind(world: &World) -> bool {
    let unseen = [
        matches!(world.servers, Seen::Unknown(_)),
        matches!(world.volumes, Seen::Unknown(_)),
        matches!(world.snapshots, Seen::Unknown(_)),
        matches!(world.images, Seen::Unknown(_)),
        matches!(world.addresses, Seen::Unknown(_)),
        matches!(world.firewalls, Seen::Unknown(_)),
        matches!(world.elsewhere, Seen::Unknown(_)),
    ];
    unseen.contains(&true)
}

/// Whether the owner said in words that disks of this role may go.
fn let_go(ask: &Ask, world: &World, cloud: &Capabilities, role: Option<Role>) -> bool {
    if ask.spec.protect {
        return false;
    }
    if ask.deletion.is_some_and(|it| !it.keep_snapshots) {
        return true;
    }
    let spec = &ask.spec;
    match role {
        Some(Role::Data) => spec.data_disk.as_ref().is_some_and(|it| it.delete),
        Some(Role::Root) => {
            let reuse = spec.root_disk_snapshot.on_stop.unwrap_or(cloud.default_on_stop) == OnStop::Reuse;
            let captured = world.copies(Role::Root).iter().any(|it| *it.status() == CopyStatus::Ready);
            spec.root_disk.disposable || (spec.root_disk_snapshot.enable && reuse && captured)
        }
        None => false,
    }
}

fn volume_would_be_lost(ask: &Ask, world: &World, cloud: &Capabilities, id: &str, going: &[&str]) -> Option<&'static str> {
    let Some(volume) = world.volumes.items().iter().find(|it| it.id.as_str() == id) else {
        return Some("the volume was not seen");
    };
    if world.servers.items().iter().any(|it| it.volumes.iter().any(|held| held.as_str() == id)) || volume.attached_to.is_some() {
        return Some("a server still holds the volume");
    }
    let made_for = world.servers.items().iter().find(|it| volume.tags.get("loser") == Some(it.id.as_str()));
    let never_ran = made_for.is_some_and(|it| it.ran == Ran::Never && it.power == Power::Off);
    if never_ran || let_go(ask, world, cloud, volume.tags.role()) {
        return None;
    }
    let ready: Vec<_> =
        world.snapshots.items().iter().filter(|it| it.status == CopyStatus::Ready && !going.contains(&it.id.as_str())).collect();
    let last_write = match volume.last_held {
        LastHeld::Untold => return Some("the vendor does not tell when the disk was last held"),
        LastHeld::Until(stamp) => stamp,
        LastHeld::Never if volume.origin == Origin::Empty => return None,
        LastHeld::Never if ready.iter().any(|it| volume.origin == Origin::Snapshot(it.id.clone())) => return None,
        LastHeld::Never => volume.created,
    };
    let covered = ready.iter().any(|it| it.of.as_str() == id && it.created.0 > last_write.0);
    (!covered).then_some("no ready snapshot was taken after the disk's last possible write, and the spec does not let it go")
}

fn server_would_lose(ask: &Ask, world: &World, cloud: &Capabilities, id: &str) -> Option<&'static str> {
    let Some(server) = world.servers.items().iter().find(|it| it.id.as_str() == id) else {
        return Some("the server was not seen");
    };
    let Root::Local { .. } = server.root else {
        // Its volumes outlive it; but while they are to be copied, it goes only when it is off.
        let torn = server.power != Power::Off && ask.deletion.is_none_or(|it| it.keep_snapshots);
        return torn.then_some("the server is not seen off");
    };
    if let_go(ask, world, cloud, Some(Role::Root)) {
        return None;
    }
    let Some(off_since) = server.off_since.filter(|_| server.power == Power::Off) else {
        return Some("the server is not seen off, and its root disk dies with it");
    };
    let images = world.images.items().iter().filter(|it| it.status == CopyStatus::Ready && it.of.as_str() == id);
    let covered = images.into_iter().any(|it| it.created.0 > off_since.0);
    (!covered).then_some("no ready image of its root disk was made since it went off")
}

fn copy_would_be_missed(ask: &Ask, world: &World, id: &str, going: &[&str]) -> Option<&'static str> {
    let mut copies = world.copies(Role::Root);
    copies.extend(world.copies(Role::Data));
    let Some(copy) = copies.iter().find(|it| it.id() == id) else { return Some("the copy was not seen") };
    let role = copy.tags().role();
    let deleting = ask.deletion.is_some_and(|it| !it.keep_snapshots);
    let word = deleting || (role == Some(Role::Data) && ask.spec.data_disk.as_ref().is_some_and(|it| it.delete));
    if word && !ask.spec.protect {
        return None;
    }
    let disk_is_there = world.volumes.items().iter().any(|it| it.id.as_str() == copy.of() && !going.contains(&it.id.as_str()))
        || world.servers.items().iter().any(|it| it.id.as_str() == copy.of() && !going.contains(&it.id.as_str()));
    if *copy.status() == CopyStatus::Failed && disk_is_there {
        return None;
    }
    let newer = copies.iter().any(|it| {
        let stays = it.id() != id && !going.contains(&it.id());
        stays && it.tags().role() == role && it.is_ready() && it.line() == copy.line() && it.created().0 > copy.created().0
    });
    (!newer).then_some("no newer copy of the same disk is ready")
}
