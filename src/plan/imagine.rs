//! An imagined cloud, in which every step works and takes its usual time. Forecasts walk through it.

use crate::model::{
    Address, Ask, Awaited, Boot, Capabilities, CopyStatus, Firewall, Id, Image, LastHeld, NewServer, NewVolume, Object, Origin, Planned,
    Power, Ran, Record, Root, Seed, Seen, Server, Snapshot, Stamp, Step, Tags, Told, Volume, VolumeStatus, World,
};

/// Something that will have happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Power(Id<Server>, Power),
    Gone(Id<Server>),
    VolumeReady(Id<Volume>),
    SnapshotReady(Id<Snapshot>),
    ImageReady(Id<Image>),
    Clock(Stamp),
    Played(String),
    /// A call with no transition of its own.
    Nothing,
}

fn list<T>(seen: &mut Seen<Vec<T>>) -> &mut Vec<T> {
    if !matches!(seen, Seen::Present(_)) {
        *seen = Seen::Present(Vec::new());
    }
    match seen {
        Seen::Present(items) => items,
        Seen::Absent | Seen::Unknown(_) => unreachable!("just made present"),
    }
}

fn server<'w>(world: &'w mut World, id: &Id<Server>) -> Option<&'w mut Server> {
    list(&mut world.servers).iter_mut().find(|it| it.id == *id)
}

fn volume<'w>(world: &'w mut World, id: &Id<Volume>) -> Option<&'w mut Volume> {
    list(&mut world.volumes).iter_mut().find(|it| it.id == *id)
}

/// Makes a step's call in the imagined world. What it answers arrives after the step's usual time.
pub(crate) fn begin(world: &mut World, ask: &Ask, cloud: &Capabilities, planned: &Planned, number: usize) -> Effect {
    // Stamps of one API differ from each other.
    world.now.0 += 1;
    let now = world.now;
    match &planned.step {
        Step::ReserveAddress { tags } => {
            let id = Id::new(format!("new-address-{number}"));
            let address = Address { id, address: "a new address".to_owned(), server: None, created: now, tags: tags.clone() };
            list(&mut world.addresses).push(address);
            Effect::Nothing
        }
        Step::CreateFirewall { name, tags } => {
            let id = Id::new(format!("new-firewall-{number}"));
            list(&mut world.firewalls).push(Firewall {
                id,
                name: name.clone(),
                shut: true,
                rules: Vec::new(),
                created: now,
                tags: tags.clone(),
            });
            Effect::Nothing
        }
        Step::SetRules { firewall, rules } => {
            if let Some(it) = list(&mut world.firewalls).iter_mut().find(|it| it.id == *firewall) {
                it.rules.clone_from(rules);
            }
            Effect::Nothing
        }
        Step::ShutFirewall(id) => {
            if let Some(it) = list(&mut world.firewalls).iter_mut().find(|it| it.id == *id) {
                it.shut = true;
            }
            Effect::Nothing
        }
        Step::SeedServer(id) => {
            if let Some(it) = server(world, id) {
                it.seed = Seed::Set;
            }
            Effect::Nothing
        }
        Step::Tune { volume: of, iops } => {
            if let Some(it) = volume(world, of) {
                it.iops = Some(*iops);
            }
            Effect::Nothing
        }
        Step::SetWatchdog { server: id, on } => {
            if let Some(it) = server(world, id) {
                it.told.watchdog = Some(*on);
            }
            Effect::Nothing
        }
        Step::SetRecord { address } => {
            world.record = Seen::Present(Record { addresses: vec![address.clone()], ttl: cloud.dns_ttl, ours: true, id: None });
            Effect::Nothing
        }
        Step::DeleteRecord { .. } => {
            world.record = Seen::Absent;
            Effect::Nothing
        }
        Step::CreateVolume(new) => create_volume(world, new, number),
        Step::CreateServer(new) => create_server(world, ask, cloud, new, number),
        Step::Retag { object, tags, .. } => {
            retag(world, object, tags);
            Effect::Nothing
        }
        Step::StartServer(id) => set_power(world, id, Power::Starting, Power::Running),
        Step::StopServer(id) => set_power(world, id, Power::Stopping, Power::Off),
        Step::Detach { server: id, volumes } => {
            detach(world, id, volumes);
            volumes.first().map_or(Effect::Nothing, |it| Effect::VolumeReady(it.clone()))
        }
        Step::Attach { server: id, volume: of, role } => {
            if let Some(it) = server(world, id) {
                it.volumes.push(of.clone());
                if *role == crate::model::Role::Root {
                    it.root = Root::Volume(of.clone());
                }
            }
            if let Some(it) = volume(world, of) {
                it.attached_to = Some(id.clone());
                it.status = VolumeStatus::InUse;
            }
            Effect::Nothing
        }
        Step::AssignAddress { server: id, address } => {
            if let Some(it) = server(world, id) {
                it.address = Some(address.clone());
            }
            if let Some(it) = list(&mut world.addresses).iter_mut().find(|it| it.id == *address) {
                it.server = Some(id.clone());
            }
            Effect::Nothing
        }
        Step::AssignFirewall { server: id, firewall } => {
            if let Some(it) = server(world, id) {
                it.firewall = Some(firewall.clone());
            }
            Effect::Nothing
        }
        Step::Grow { volume: of, size_gb } => {
            if let Some(it) = volume(world, of) {
                it.size_gb = *size_gb;
            }
            Effect::Nothing
        }
        Step::ChangeType { server: id, machine_type } => {
            if let Some(it) = server(world, id) {
                it.machine_type.clone_from(machine_type);
            }
            Effect::Nothing
        }
        Step::Configure { .. } | Step::StartUp(_) => Effect::Played(planned.step.key()),
        Step::TakeSnapshot { disk, name, tags } => {
            let id: Id<Snapshot> = Id::new(format!("new-snapshot-{number}"));
            let size_gb = world.volume(disk.disk()).map_or(0, |it| it.size_gb);
            let (of, status) = (disk.disk().clone(), CopyStatus::Creating);
            let snapshot = Snapshot { id: id.clone(), name: name.clone(), of, size_gb, status, created: now, tags: tags.clone() };
            list(&mut world.snapshots).push(snapshot);
            Effect::SnapshotReady(id)
        }
        Step::CaptureImage { disk, name, tags } => {
            let id: Id<Image> = Id::new(format!("new-image-{number}"));
            let (of, status) = (disk.disk().clone(), CopyStatus::Creating);
            let size_gb = ask.spec.root_disk.size_gb;
            let image = Image { id: id.clone(), name: name.clone(), of, size_gb, status, created: now, tags: tags.clone() };
            list(&mut world.images).push(image);
            Effect::ImageReady(id)
        }
        Step::DeleteServer { server: id, .. } => {
            if let Some(it) = server(world, id) {
                it.power = Power::Deleting;
            }
            Effect::Gone(id.clone())
        }
        Step::DeleteVolume(spared) => {
            list(&mut world.volumes).retain(|it| it.id != *spared.disk());
            Effect::Nothing
        }
        Step::DeleteSnapshot(copy) => {
            list(&mut world.snapshots).retain(|it| it.id != *copy.copy());
            Effect::Nothing
        }
        Step::DeleteImage(copy) => {
            list(&mut world.images).retain(|it| it.id != *copy.copy());
            Effect::Nothing
        }
        Step::ReleaseAddress(id) => {
            list(&mut world.addresses).retain(|it| it.id != *id);
            Effect::Nothing
        }
        Step::DeleteFirewall(id) => {
            list(&mut world.firewalls).retain(|it| it.id != *id);
            Effect::Nothing
        }
    }
}

/// Lets the clock go to `then`, and a microsecond beside it: whole seconds are the stamps of vendors who tell nothing finer.
pub(crate) fn pass(world: &mut World, then: Stamp) {
    world.now = Stamp(world.now.max(then).0 + 1);
}

/// What a wait that nobody's step began will bring.
pub(crate) fn expect(world: &World, awaited: &Awaited) -> Effect {
    match awaited {
        Awaited::ServerSettled(id) => match world.server(id).map(|it| &it.power) {
            Some(Power::Starting) => Effect::Power(id.clone(), Power::Running),
            _ => Effect::Power(id.clone(), Power::Off),
        },
        Awaited::ServerGone(id) => Effect::Gone(id.clone()),
        Awaited::VolumeSettled(id) => Effect::VolumeReady(id.clone()),
        Awaited::SnapshotSettled(id) => Effect::SnapshotReady(id.clone()),
        Awaited::ImageSettled(id) => Effect::ImageReady(id.clone()),
        Awaited::Clock(stamp) => Effect::Clock(*stamp),
    }
}

/// Lets an effect happen.
pub(crate) fn arrive(world: &mut World, effect: &Effect) {
    let now = world.now;
    match effect {
        Effect::Nothing | Effect::Played(_) => {}
        Effect::Clock(stamp) => world.now = (*stamp).max(now),
        Effect::Power(id, power) => {
            if let Some(it) = server(world, id) {
                it.power = power.clone();
                it.off_since = (*power == Power::Off).then_some(now);
            }
        }
        Effect::Gone(id) => {
            let held: Vec<_> =
                world.volumes.items().iter().filter(|it| it.attached_to.as_ref() == Some(id)).map(|it| it.id.clone()).collect();
            detach(world, id, &held);
            for held in held {
                arrive(world, &Effect::VolumeReady(held));
            }
            for address in list(&mut world.addresses).iter_mut().filter(|it| it.server.as_ref() == Some(id)) {
                address.server = None;
            }
            list(&mut world.servers).retain(|it| it.id != *id);
        }
        Effect::VolumeReady(id) => {
            list(&mut world.volumes).retain(|it| it.status != VolumeStatus::Deleting);
            let held = world.servers.items().iter().any(|it| it.volumes.contains(id));
            // A detach of several volumes frees them together.
            for it in list(&mut world.volumes).iter_mut() {
                let leaving = it.status == VolumeStatus::Detaching;
                if leaving {
                    it.status = VolumeStatus::Available;
                    it.attached_to = None;
                    it.last_held = LastHeld::Until(now);
                } else if it.id == *id {
                    // Letting go of it mends no disk.
                    if it.status != VolumeStatus::Error {
                        it.status = if held { VolumeStatus::InUse } else { VolumeStatus::Available };
                    }
                    if !held && it.attached_to.take().is_some() {
                        it.last_held = LastHeld::Until(now);
                    }
                }
            }
        }
        Effect::SnapshotReady(id) => {
            list(&mut world.snapshots).retain(|it| it.status != CopyStatus::Deleting);
            if let Some(it) = list(&mut world.snapshots).iter_mut().find(|it| it.id == *id) {
                it.status = CopyStatus::Ready;
            }
        }
        Effect::ImageReady(id) => {
            list(&mut world.images).retain(|it| it.status != CopyStatus::Deleting);
            if let Some(it) = list(&mut world.images).iter_mut().find(|it| it.id == *id) {
                it.status = CopyStatus::Ready;
            }
        }
    }
}

fn create_volume(world: &mut World, new: &NewVolume, number: usize) -> Effect {
    let id: Id<Volume> = Id::new(format!("new-{}-disk-{number}", new.role));
    let created = world.now;
    list(&mut world.volumes).push(Volume {
        id: id.clone(),
        name: new.name.clone(),
        size_gb: new.size_gb,
        status: VolumeStatus::Creating,
        attached_to: None,
        created,
        last_held: LastHeld::Never,
        origin: new.from.clone().map_or(Origin::Empty, Origin::Snapshot),
        iops: new.iops,
        tags: new.tags.clone(),
    });
    Effect::VolumeReady(id)
}

fn create_server(world: &mut World, ask: &Ask, cloud: &Capabilities, new: &NewServer, number: usize) -> Effect {
    let id: Id<Server> = Id::new(format!("new-server-{number}"));
    let created = world.now;
    let mut volumes = Vec::new();
    let root = match &new.boot {
        Boot::Volume(of) => Root::Volume(of.clone()),
        _ if !cloud.root_outlives_server => Root::Local { size_gb: new.root_gb },
        _ => {
            let of: Id<Volume> = Id::new(format!("new-root-disk-{number}"));
            list(&mut world.volumes).push(Volume {
                id: of.clone(),
                name: format!("{}_root", ask.key.name),
                size_gb: new.root_gb,
                status: VolumeStatus::InUse,
                attached_to: Some(id.clone()),
                created,
                last_held: LastHeld::Never,
                origin: Origin::Stock,
                iops: None,
                tags: Tags::default(),
            });
            Root::Volume(of)
        }
    };
    if let Root::Volume(of) = &root {
        volumes.push(of.clone());
    }
    volumes.extend(new.data.clone());
    for of in &volumes {
        if let Some(it) = volume(world, of) {
            it.attached_to = Some(id.clone());
            it.status = VolumeStatus::InUse;
        }
    }
    for address in list(&mut world.addresses).iter_mut().filter(|it| Some(&it.id) == new.address.as_ref()) {
        address.server = Some(id.clone());
    }
    let own_address = (cloud.own_address && new.address.is_none()).then(|| "its own address".to_owned());
    list(&mut world.servers).push(Server {
        id: id.clone(),
        name: new.name.clone(),
        machine_type: new.machine_type.clone(),
        power: Power::Busy,
        created,
        root,
        volumes,
        address: new.address.clone(),
        firewall: new.firewall.clone(),
        off_since: None,
        ran: Ran::Never,
        seed: if cloud.seeds { Seed::Missing } else { Seed::Untold },
        locked: false,
        told: Told { own_address, watchdog: cloud.watchdog.then_some(true), ..Told::default() },
        tags: new.tags.clone(),
    });
    Effect::Power(id, Power::Off)
}

fn set_power(world: &mut World, id: &Id<Server>, now: Power, later: Power) -> Effect {
    if let Some(it) = server(world, id) {
        it.power = now;
        it.off_since = None;
        it.ran = Ran::Maybe;
    }
    Effect::Power(id.clone(), later)
}

fn detach(world: &mut World, id: &Id<Server>, volumes: &[Id<Volume>]) {
    if let Some(it) = server(world, id) {
        it.volumes.retain(|held| !volumes.contains(held));
        if let Root::Volume(root) = &it.root
            && volumes.contains(root)
        {
            it.root = Root::Detached;
        }
    }
    for of in volumes {
        if let Some(it) = volume(world, of).filter(|it| it.status != VolumeStatus::Error) {
            it.status = VolumeStatus::Detaching;
        }
    }
}

fn retag(world: &mut World, object: &Object, tags: &Tags) {
    let slot = match object {
        Object::Server(id) => list(&mut world.servers).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
        Object::Volume(id) => list(&mut world.volumes).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
        Object::Snapshot(id) => list(&mut world.snapshots).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
        Object::Image(id) => list(&mut world.images).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
        Object::Address(id) => list(&mut world.addresses).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
        Object::Firewall(id) => list(&mut world.firewalls).iter_mut().find(|it| it.id == *id).map(|it| &mut it.tags),
    };
    if let Some(slot) = slot {
        slot.clone_from(tags);
    }
}
