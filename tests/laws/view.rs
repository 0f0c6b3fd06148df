//! What a look shows of the truth: all of it, or, in bad luck, lists that lag, are older than the rest, or do not come.

use super::cloud::{Cloud, Disk, Kept, Machine};
use cloudypad::model::{Cause, Id, LastHeld, Origin, Power, Ran, Role, Seen, Server, Stamp, Tags, Volume, VolumeStatus, World};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    Servers,
    Volumes,
    Copies,
    Addresses,
    Firewalls,
}

pub const LISTS: [List; 5] = [List::Servers, List::Volumes, List::Copies, List::Addresses, List::Firewalls];

/// How a look goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glance {
    /// It shows what is listed.
    Clear,
    /// One list is as it was before the last change.
    Stale(List),
    /// All lists are.
    AllStale,
}

/// When one process saw a server off of which the vendor does not say since when.
pub type SeenOff = Option<(Id<Server>, Stamp)>;

/// The tag by which everything of the instance is found.
pub const MARK: &str = "in:default.mypad";

/// One look at the cloud. `before` is the cloud before its last change.
pub fn look(now: &Cloud, before: Option<&Cloud>, glance: Glance, seen_off: &mut SeenOff) -> World {
    let old = before.unwrap_or(now);
    let of = |list: List| match glance {
        Glance::Stale(stale) if stale == list => old,
        Glance::AllStale => old,
        _ => now,
    };
    let exact = now.can.provider == "local";
    let moment = Stamp(if exact { now.now } else { now.now.div_euclid(1_000_000) * 1_000_000 });
    let mut volumes: Vec<_> = of(List::Volumes).volumes.iter().filter(|it| !it.hidden).map(volume).collect();
    let ours = |tags: &Tags| tags.has(MARK);
    let listed = of(List::Servers).servers.iter().filter(|it| ours(&it.it.tags) && !it.hidden);
    let mut machines: Vec<&Machine> = listed.collect();
    // A server that holds a volume of ours and is missing from the list is looked at by its id.
    for volume in volumes.iter_mut().filter(|it| ours(&it.tags)) {
        let Some(holder) = volume.attached_to.clone().filter(|id| machines.iter().all(|it| it.it.id != *id)) else { continue };
        match now.servers.iter().find(|it| it.it.id == holder) {
            Some(found) => machines.extend(Some(found).filter(|it| ours(&it.it.tags))),
            None => {
                if volume.status == VolumeStatus::InUse {
                    volume.status = VolumeStatus::Detaching;
                }
                if now.is_scaleway() {
                    volume.attached_to = None;
                }
            }
        }
    }
    // And so is a volume that a server of ours holds.
    let held: Vec<&Id<_>> = machines.iter().flat_map(|it| &it.it.volumes).collect();
    let missing = now.volumes.iter().map(|it| &it.it).filter(|it| held.contains(&&it.id) && volumes.iter().all(|other| other.id != it.id));
    let missing: Vec<_> = missing.cloned().collect();
    volumes.extend(missing);
    let servers: Vec<Server> = machines.into_iter().map(|it| server(it, now, moment, seen_off)).collect();
    // The local cloud shows as a server's what it is still letting go.
    let leaves = |holder: &Option<Id<Server>>| exact && servers.iter().any(|it| Some(&it.id) == holder.as_ref());
    let held = |it: &Volume| servers.iter().any(|server| server.volumes.contains(&it.id)) || leaves(&it.attached_to);
    let volumes = volumes.into_iter().filter(|it| ours(&it.tags) || held(it)).map(|mut it| {
        if !now.can.tells_last_held {
            it.last_held = LastHeld::Untold;
            it.origin = if it.tags.role() == Some(Role::Data) { Origin::Empty } else { Origin::Untold };
        }
        it
    });
    let volumes: Vec<_> = volumes.collect();
    let copies: Vec<&Kept> = of(List::Copies).copies.iter().filter(|it| !it.hidden && ours(&it.it.tags)).collect();
    let snapshot = |it: &&Kept| {
        let mut shown = it.it.clone();
        // Scaleway forgets what a snapshot is of once that is gone.
        if now.is_scaleway() && now.volume(shown.of.as_str()).is_none() {
            shown.of = Id::new("");
        }
        shown
    };
    let mut world = World {
        now: moment,
        servers: Seen::listed(servers),
        volumes: Seen::listed(volumes),
        snapshots: Seen::listed(copies.iter().filter(|it| !it.of_local).map(snapshot).collect()),
        images: Seen::listed(copies.iter().filter(|it| it.of_local).map(|it| Cloud::image(it)).collect()),
        addresses: Seen::listed(of(List::Addresses).addresses.clone()),
        firewalls: Seen::listed(of(List::Firewalls).firewalls.clone()),
        elsewhere: Seen::Absent,
        record: now.record.clone(),
        strange: Vec::new(),
    };
    if let Some(beside) = &now.beside {
        odd(&mut world, beside);
    }
    world
}

/// Adds what an odd beginning says beside its objects.
fn odd(world: &mut World, beside: &World) {
    fn unless_seen<T: Clone>(list: &mut Seen<Vec<T>>, beside: &Seen<Vec<T>>) {
        if let Seen::Unknown(_) = beside {
            *list = beside.clone();
        }
    }
    unless_seen(&mut world.servers, &beside.servers);
    unless_seen(&mut world.volumes, &beside.volumes);
    unless_seen(&mut world.snapshots, &beside.snapshots);
    unless_seen(&mut world.images, &beside.images);
    unless_seen(&mut world.addresses, &beside.addresses);
    unless_seen(&mut world.firewalls, &beside.firewalls);
    world.elsewhere = beside.elsewhere.clone();
    world.strange.clone_from(&beside.strange);
}

/// Has a list not come.
pub fn blind(world: &mut World, list: List) {
    let cause = || Cause::Passing("timeout".to_owned());
    match list {
        List::Servers => world.servers = Seen::Unknown(cause()),
        List::Volumes => world.volumes = Seen::Unknown(cause()),
        List::Copies => {
            world.snapshots = Seen::Unknown(cause());
            world.images = Seen::Unknown(cause());
        }
        List::Addresses => world.addresses = Seen::Unknown(cause()),
        List::Firewalls => world.firewalls = Seen::Unknown(cause()),
    }
}

fn volume(disk: &Disk) -> Volume {
    let mut it = disk.it.clone();
    if disk.plugs && it.status == VolumeStatus::InUse {
        it.status = VolumeStatus::Busy;
    }
    it
}

fn server(machine: &Machine, cloud: &Cloud, now: Stamp, seen_off: &mut SeenOff) -> Server {
    let mut it = machine.it.clone();
    if !cloud.can.tells_last_held {
        it.ran = Ran::Maybe;
    }
    // Whoever told Linode to start a server takes it for starting.
    if machine.starts && it.power == Power::Off {
        it.power = Power::Starting;
    }
    // Scaleway has no word for a server on its way out.
    if machine.ends && cloud.is_scaleway() {
        it.power = Power::Stopping;
    }
    if it.power != Power::Off {
        it.off_since = None;
        return it;
    }
    // A guest's own end leaves no stamp: the disk is quiet since this process saw it.
    if it.off_since.is_none() {
        let since = seen_off.as_ref().filter(|(id, _)| *id == it.id).map_or(now, |(_, since)| *since);
        *seen_off = Some((it.id.clone(), since));
        it.off_since = Some(since);
    }
    it
}
