//! What mistaken eyes make of a look.

use cloudypad::model::{Copy, CopyStatus, Id, Image, LastHeld, Origin, Power, Role, Seen, Server, Snapshot, Stamp, Tags, World};

fn each<T>(seen: &mut Seen<Vec<T>>) -> &mut [T] {
    if let Seen::Present(items) = seen { items } else { &mut [] }
}

fn add<T>(seen: &mut Seen<Vec<T>>, item: T) {
    match seen {
        Seen::Present(items) => items.push(item),
        Seen::Absent => *seen = Seen::Present(vec![item]),
        Seen::Unknown(_) => {}
    }
}

/// A list that did not come is an empty one.
pub fn unknown_is_absent(world: &mut World) {
    fn empty<T>(seen: &mut Seen<T>) {
        if let Seen::Unknown(_) = seen {
            *seen = Seen::Absent;
        }
    }
    empty(&mut world.servers);
    empty(&mut world.volumes);
    empty(&mut world.snapshots);
    empty(&mut world.images);
    empty(&mut world.addresses);
    empty(&mut world.firewalls);
}

fn every_copy(world: &mut World, change: impl Fn(&mut CopyStatus, &mut Stamp, &mut Tags)) {
    each(&mut world.snapshots).iter_mut().for_each(|it| change(&mut it.status, &mut it.created, &mut it.tags));
    each(&mut world.images).iter_mut().for_each(|it| change(&mut it.status, &mut it.created, &mut it.tags));
}

fn read_copies_as(world: &mut World, from: CopyStatus, to: CopyStatus) {
    every_copy(world, |status, _, _| {
        if *status == from {
            *status = to.clone();
        }
    });
}

/// Nothing says that it rests.
pub fn rest_is_overlooked(world: &mut World) {
    let forget = |tags: &mut Tags| tags.0.retain(|it| !it.starts_with("rest:"));
    each(&mut world.servers).iter_mut().for_each(|it| forget(&mut it.tags));
    each(&mut world.volumes).iter_mut().for_each(|it| forget(&mut it.tags));
    each(&mut world.addresses).iter_mut().for_each(|it| forget(&mut it.tags));
    each(&mut world.firewalls).iter_mut().for_each(|it| forget(&mut it.tags));
    every_copy(world, |_, _, tags| forget(tags));
}

/// A copy that is being made is a copy.
pub fn making_is_ready(world: &mut World) {
    read_copies_as(world, CopyStatus::Creating, CopyStatus::Ready);
}

/// A copy that failed is a copy.
pub fn failed_is_ready(world: &mut World) {
    read_copies_as(world, CopyStatus::Failed, CopyStatus::Ready);
}

/// A copy that is there has failed.
pub fn ready_is_failed(world: &mut World) {
    read_copies_as(world, CopyStatus::Ready, CopyStatus::Failed);
}

/// However old a copy is, it is new enough.
pub fn every_copy_is_new(world: &mut World) {
    let now = world.now;
    every_copy(world, |_, created, _| *created = now.plus_seconds(1));
}

/// There is a copy of every disk, and it was taken a moment ago.
pub fn a_copy_is_supposed(world: &mut World) {
    let created = world.now.plus_seconds(1);
    for it in world.volumes.items().to_vec() {
        let tags = it.tags.clone().with_value("line", it.line());
        let (id, name, of) = (Id::new("snap-0"), it.name.clone(), it.id.clone());
        add(&mut world.snapshots, Snapshot { id, name, of, size_gb: it.size_gb, status: CopyStatus::Ready, created, tags });
    }
    for it in world.servers.items().to_vec() {
        let mut tags = it.tags.clone().with("role:root").with_value("line", it.id.as_str());
        tags.0.retain(|it| !it.starts_with("spec:"));
        let (id, name, of) = (Id::new("img-0"), it.name.clone(), Id::new(it.id.as_str()));
        add(&mut world.images, Image { id, name, of, size_gb: 1, status: CopyStatus::Ready, created, tags });
    }
}

/// Every copy has a newer one.
pub fn every_copy_is_superseded(world: &mut World) {
    let created = world.now.plus_seconds(1);
    for it in world.snapshots.items().to_vec() {
        let tags = it.tags.clone().with_value("line", Copy::Snapshot(&it).line());
        add(&mut world.snapshots, Snapshot { id: Id::new("snap-0"), created, tags, status: CopyStatus::Ready, ..it });
    }
    for it in world.images.items().to_vec() {
        let tags = it.tags.clone().with_value("line", Copy::Image(&it).line());
        add(&mut world.images, Image { id: Id::new("img-0"), created, tags, status: CopyStatus::Ready, ..it });
    }
}

/// The oldest copy is the newest.
pub fn copies_are_upside_down(world: &mut World) {
    let now = world.now.0;
    every_copy(world, |_, created, _| *created = Stamp(now - created.0));
}

/// The oldest copy is the newest, once nothing else is left.
pub fn archived_copies_are_upside_down(world: &mut World) {
    if world.volumes.items().is_empty() && world.servers.items().is_empty() {
        copies_are_upside_down(world);
    }
}

/// All copies of a role are copies of one disk.
pub fn every_line_is_one(world: &mut World) {
    every_copy(world, |_, _, tags| *tags = tags.clone().with_value("line", "one"));
    each(&mut world.volumes).iter_mut().for_each(|it| it.tags = it.tags.clone().with_value("line", "one"));
}

/// While there is no server, there are no copies to come back from.
pub fn copies_are_overlooked(world: &mut World) {
    if world.servers.items().is_empty() {
        world.snapshots = Seen::Absent;
        world.images = Seen::Absent;
    }
}

fn read_power_as(world: &mut World, from: Power, to: Power) {
    let now = world.now;
    for it in each(&mut world.servers).iter_mut().filter(|it| it.power == from) {
        it.power = to.clone();
        it.off_since = (to == Power::Off).then_some(now);
    }
}

/// A server on its way down is off.
pub fn stopping_is_off(world: &mut World) {
    read_power_as(world, Power::Stopping, Power::Off);
}

/// A server whose guest shut down, and that its vendor holds, is off.
pub fn stopped_in_place_is_off(world: &mut World) {
    read_power_as(world, Power::StoppedInPlace, Power::Off);
}

/// A server that runs is as good as off.
pub fn running_is_off(world: &mut World) {
    read_power_as(world, Power::Running, Power::Off);
}

/// A server on its way up runs.
pub fn starting_is_running(world: &mut World) {
    read_power_as(world, Power::Starting, Power::Running);
}

/// A server on its way out is gone.
pub fn deleting_is_gone(world: &mut World) {
    if let Seen::Present(servers) = &mut world.servers {
        servers.retain(|it| it.power != Power::Deleting);
    }
}

/// No disk was ever used.
pub fn nothing_was_used(world: &mut World) {
    for it in each(&mut world.volumes) {
        it.last_held = LastHeld::Never;
        it.origin = Origin::Empty;
    }
}

/// When a disk was last held counts for nothing: it was written to when it was made, and never again.
pub fn last_held_is_forgotten(world: &mut World) {
    for it in each(&mut world.volumes).iter_mut().filter(|it| matches!(it.last_held, LastHeld::Until(_))) {
        it.last_held = LastHeld::Until(it.created);
    }
}

/// When a server went off counts for nothing: it was off since it was made.
pub fn off_since_is_forgotten(world: &mut World) {
    each(&mut world.servers).iter_mut().for_each(|it| it.off_since = it.off_since.map(|_| it.created));
}

/// Only the youngest data disk was never used.
pub fn the_younger_is_the_used_one(world: &mut World) {
    let datas = |world: &World| -> Vec<(Stamp, Id<cloudypad::model::Volume>)> {
        let datas = world.volumes.items().iter().filter(|it| it.tags.role() == Some(Role::Data));
        datas.map(|it| (it.created, it.id.clone())).collect()
    };
    let all = datas(world);
    let Some(youngest) = all.iter().max().filter(|_| all.len() > 1) else { return };
    for it in each(&mut world.volumes).iter_mut().filter(|it| it.tags.role() == Some(Role::Data)) {
        it.last_held = if it.id == youngest.1 { LastHeld::Until(it.created) } else { LastHeld::Never };
    }
}

/// A root disk without our tags is ours, and says so.
pub fn untagged_is_tagged(world: &mut World) {
    let mark = world.servers.items().first().map(|it: &Server| it.tags.clone());
    for it in each(&mut world.volumes).iter_mut().filter(|it| it.tags.0.is_empty()) {
        it.tags = mark.clone().unwrap_or_default().with("role:root");
    }
}
