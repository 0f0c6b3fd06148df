//! The local cloud: the emulator's in-process face, persisted in a directory.

use super::{Problem, Provider};
use crate::{
    emulator::{self, Cloud, RefusalKind, Settings},
    model::{
        self, Address, Awaited, Boot, Capabilities, Cause, CopyStatus, DELETED, Firewall, Id, Image, InstanceKey, LastHeld, Lock, Object,
        Origin, Power, Ran, Root, Rule, Seed, Seen, Server, Snapshot, Stamp, Step, Tags, Told, Volume, VolumeStatus, World, instance_tag,
        spec::{Imitate, Local as LocalSpec, Machine},
    },
};
use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// One zone of the local cloud.
pub struct Local {
    cloud: Arc<Cloud>,
    imitate: emulator::Imitate,
    speed: f64,
    zone: String,
    /// Whether its servers have machines.
    machine: Machine,
    /// The file with the owner's image, where it is not one of the cloud's own.
    image: Option<PathBuf>,
    capabilities: Capabilities,
}

impl Local {
    /// Opens the local cloud below `home`, one directory per kind of cloud, making it where it is new.
    ///
    /// # Errors
    /// Where the directory cannot be used; the message names the file.
    pub fn open(home: &Path, spec: &LocalSpec) -> Result<Self, Problem> {
        let (name, imitate) = kind_of(spec.imitate, spec.machine);
        let cloud = Cloud::open(home.join(name), Settings { imitate, clock: emulator::Clock::AsIs }).map_err(problem)?;
        Ok(Self::over(Arc::new(cloud), spec))
    }

    /// The hands over a cloud of the spec's kind that is open already.
    pub fn over(cloud: Arc<Cloud>, spec: &LocalSpec) -> Self {
        let (imitate, speed) = (kind_of(spec.imitate, spec.machine).1, f64::from(spec.speed));
        let capabilities = Capabilities::local(spec);
        Self { cloud, imitate, speed, zone: spec.zone.clone(), machine: spec.machine, image: None, capabilities }
    }

    /// The same, whose first root disks have the bytes of a file.
    pub(super) fn with_image(self, file: PathBuf) -> Self {
        Self { image: Some(file), ..self }
    }

    /// Where the cloud lives.
    pub(super) fn dir(&self) -> &Path {
        self.cloud.dir()
    }

    /// What a server's machine consists of; `None` where there is no such server.
    pub(super) fn frame(&self, server: &str) -> Result<Option<Frame>, Problem> {
        let truth = self.cloud.truth().map_err(problem)?;
        let Some(server) = truth.servers.get(server) else { return Ok(None) };
        let kind = emulator::catalogue::server_type(&server.kind).map_err(problem)?;
        // What it boots from comes first.
        let root = server.root.iter().map(|it| match it {
            emulator::Root::Volume(id) | emulator::Root::Disk { id, .. } => id,
        });
        let mut disks: Vec<String> = root.cloned().collect();
        disks.extend(server.volumes.iter().filter(|it| !disks.contains(it)).cloned().collect::<Vec<_>>());
        let disks = disks.into_iter().map(|id| (self.cloud.disk_path(&id), id)).map(|(file, id)| Disk { id, file });
        Ok(Some(Frame { name: server.name.clone(), vcpus: kind.vcpus, memory_gb: kind.memory_gb, disks: disks.collect() }))
    }

    /// The server that holds a disk, if one does. A local disk goes by its server's id.
    pub(super) fn holder_of(&self, disk: &str) -> Result<Option<String>, Problem> {
        let truth = self.cloud.truth().map_err(problem)?;
        let holds = |it: &&emulator::Server| it.id == disk || it.volumes.iter().any(|id| id == disk);
        Ok(truth.servers.values().find(holds).map(|it| it.id.clone()))
    }

    /// Writes down that a server's guest shut down by itself.
    pub(super) fn went_off(&self, server: &str) -> Result<(), Problem> {
        self.cloud.guest_shutdown(server).map_err(problem)
    }

    /// What a server's power is in the book; `None` where there is no such server.
    pub(super) fn power(&self, server: &str) -> Result<Option<Power>, Problem> {
        let found = self.cloud.find(server).map_err(problem)?;
        Ok(if let Some(emulator::Object::Server(it)) = found { Some(power(it.state)) } else { None })
    }

    fn look(&self, key: &InstanceKey) -> Result<World, emulator::Refusal> {
        let tag = instance_tag(key);
        let mut look = self.cloud.look(None, Some(&tag))?;
        // A list may lag: a server that holds one of our volumes is looked up by its id.
        for holder in look.volumes.iter().filter_map(|it| it.server.clone()) {
            if look.servers.iter().any(|it| it.id == holder) {
                continue;
            }
            if let Some(emulator::Object::Server(server)) = self.cloud.find(&holder)?
                && server.tags.contains(&tag)
            {
                look.servers.push(server);
            }
        }
        let here = |zone: &String| *zone == self.zone;
        // Copies that were kept when an instance was deleted do not bind it to their zone.
        let kept = |tags: &[String]| tags.iter().any(|it| it == DELETED);
        let zones = (look.servers.iter().map(|it| &it.zone))
            .chain(look.volumes.iter().map(|it| &it.zone))
            .chain(look.snapshots.iter().filter(|it| !kept(&it.tags)).map(|it| &it.zone))
            .chain(look.images.iter().filter(|it| !kept(&it.tags)).map(|it| &it.zone))
            .chain(look.addresses.iter().map(|it| &it.zone))
            .chain(look.firewalls.iter().map(|it| &it.zone));
        let mut elsewhere: Vec<String> = zones.filter(|it| !here(it)).cloned().collect();
        elsewhere.extend(self.on_another_kind(&tag)?);
        elsewhere.sort();
        elsewhere.dedup();
        Ok(World {
            now: stamp(look.now),
            servers: Seen::listed(look.servers.iter().filter(|it| here(&it.zone)).map(server).collect()),
            volumes: Seen::listed(look.volumes.iter().filter(|it| here(&it.zone)).map(volume).collect()),
            snapshots: Seen::listed(look.snapshots.iter().filter(|it| here(&it.zone)).map(snapshot).collect()),
            images: Seen::listed(look.images.iter().filter(|it| here(&it.zone)).map(image).collect()),
            addresses: Seen::listed(look.addresses.iter().filter(|it| here(&it.zone)).map(address).collect()),
            firewalls: Seen::listed(look.firewalls.iter().filter(|it| here(&it.zone)).map(firewall).collect()),
            elsewhere: Seen::listed(elsewhere),
            record: Seen::Absent,
            strange: Vec::new(),
        })
    }

    /// Where the instance lives on a local cloud of another kind, where there is one.
    fn on_another_kind(&self, tag: &str) -> Result<Vec<String>, emulator::Refusal> {
        let mut found = Vec::new();
        for imitate in [Imitate::Scaleway, Imitate::Linode] {
            for machine in [Machine::None, Machine::Qemu] {
                let (name, sort) = kind_of(imitate, machine);
                let dir = self.cloud.dir().with_file_name(name);
                if dir == self.cloud.dir() || !dir.join("cloud.json").exists() {
                    continue;
                }
                let truth = Cloud::open(dir, Settings { imitate: sort, clock: emulator::Clock::AsIs })?.truth()?;
                if lives_in(&truth, tag) {
                    let imitating = if imitate == Imitate::Linode { "linode" } else { "scaleway" };
                    let running = if machine == Machine::Qemu { "qemu" } else { "none" };
                    let here = (sort == self.imitate, machine == self.machine);
                    found.push(match here {
                        (false, true) => format!("imitate: {imitating}"),
                        (true, _) => format!("machine: {running}"),
                        (false, false) => format!("imitate: {imitating}, machine: {running}"),
                    });
                }
            }
        }
        Ok(found)
    }

    fn call(&self, step: &Step) -> Result<String, emulator::Refusal> {
        let cloud = &self.cloud;
        let zone = self.zone.as_str();
        let done = |id: &str| id.to_owned();
        match step {
            Step::ReserveAddress { tags } => cloud.reserve_address(zone, tags.0.clone()).map(|it| it.id),
            Step::CreateFirewall { name, tags } => cloud.create_firewall(zone, name, Vec::new(), tags.0.clone()).map(|it| it.id),
            Step::SetRules { firewall, rules } => {
                let rules =
                    rules.iter().map(|it| emulator::Rule { protocol: it.protocol.clone(), ports: it.ports.clone(), from: it.from.clone() });
                cloud.set_rules(firewall.as_str(), rules.collect()).map(|()| done(firewall.as_str()))
            }
            Step::CreateVolume(new) => {
                let volume = emulator::NewVolume {
                    zone: zone.to_owned(),
                    name: new.name.clone(),
                    size_gb: new.size_gb,
                    from_snapshot: new.from.as_ref().map(ToString::to_string),
                    tags: new.tags.0.clone(),
                };
                cloud.create_volume(volume).map(|it| it.id)
            }
            Step::CreateServer(new) => {
                let (boot, root_gb) = match &new.boot {
                    Boot::Stock(label) => {
                        let own = self.image.clone().map(emulator::Boot::File);
                        (own.unwrap_or_else(|| emulator::Boot::Image(label.clone())), Some(new.root_gb))
                    }
                    Boot::Volume(id) => (emulator::Boot::Volume(id.to_string()), None),
                    Boot::Image(id) => (emulator::Boot::Capture(id.to_string()), Some(new.root_gb)),
                };
                let server = emulator::NewServer {
                    zone: zone.to_owned(),
                    name: new.name.clone(),
                    kind: new.machine_type.clone(),
                    boot,
                    root_gb,
                    volumes: new.data.iter().map(ToString::to_string).collect(),
                    address: new.address.as_ref().map(ToString::to_string),
                    firewall: new.firewall.as_ref().map(ToString::to_string),
                    tags: new.tags.0.clone(),
                };
                cloud.create_server(server).map(|it| it.id)
            }
            Step::Retag { object, tags, name } => {
                let name = name.as_deref().filter(|_| !matches!(object, Object::Address(_)));
                cloud.relabel(object.id(), name, tags.0.clone()).map(|()| done(object.id()))
            }
            Step::StartServer(id) => cloud.power_on(id.as_str()).map(|()| done(id.as_str())),
            Step::StopServer(id) => cloud.power_off(id.as_str()).map(|()| done(id.as_str())),
            Step::Detach { server, volumes } => match volumes.as_slice() {
                [one] => cloud.detach(server.as_str(), one.as_str()).map(|()| done(one.as_str())),
                _ => cloud.detach_all(server.as_str()).map(|()| done(server.as_str())),
            },
            Step::Attach { server, volume, .. } => cloud.attach(server.as_str(), volume.as_str()).map(|()| done(volume.as_str())),
            Step::AssignAddress { server, address } => {
                cloud.assign_address(server.as_str(), address.as_str()).map(|()| done(address.as_str()))
            }
            Step::AssignFirewall { server, firewall } => {
                cloud.assign_firewall(server.as_str(), firewall.as_str()).map(|()| done(firewall.as_str()))
            }
            Step::Grow { volume, size_gb } => cloud.grow_volume(volume.as_str(), *size_gb).map(|()| done(volume.as_str())),
            Step::ChangeType { server, machine_type } => cloud.change_type(server.as_str(), machine_type).map(|()| done(server.as_str())),
            Step::SeedServer(_)
            | Step::SetWatchdog { .. }
            | Step::ShutFirewall(_)
            | Step::Tune { .. }
            | Step::SetRecord { .. }
            | Step::DeleteRecord { .. } => Err(emulator::Refusal::new(RefusalKind::Invalid, "the local cloud has no such thing")),
            Step::Configure { .. } | Step::StartUp(_) => {
                Err(emulator::Refusal::new(RefusalKind::Invalid, "a local server has no guest to configure"))
            }
            Step::TakeSnapshot { disk, name, tags } => cloud.snapshot_volume(disk.disk().as_str(), name, tags.0.clone()).map(|it| it.id),
            Step::CaptureImage { disk, name, tags } => cloud.capture_image(disk.disk().as_str(), name, tags.0.clone()).map(|it| it.id),
            Step::DeleteServer { server, off, .. } => {
                let found = cloud.find(server.as_str())?;
                let runs = matches!(&found, Some(emulator::Object::Server(it)) if it.state != emulator::ServerState::Stopped);
                if *off && runs {
                    return Err(emulator::Refusal::new(RefusalKind::Conflict, format!("server {server} was started meanwhile")));
                }
                gone(cloud.delete_server(server.as_str()), server.as_str())
            }
            Step::DeleteVolume(spared) => gone(cloud.delete_volume(spared.disk().as_str()), spared.disk().as_str()),
            Step::DeleteSnapshot(copy) => gone(cloud.delete_snapshot(copy.copy().as_str()), copy.copy().as_str()),
            Step::DeleteImage(copy) => gone(cloud.delete_image(copy.copy().as_str()), copy.copy().as_str()),
            Step::ReleaseAddress(id) => gone(cloud.release_address(id.as_str()), id.as_str()),
            Step::DeleteFirewall(id) => gone(cloud.delete_firewall(id.as_str()), id.as_str()),
        }
    }

    fn has_arrived(&self, awaited: &Awaited) -> Result<bool, emulator::Refusal> {
        use emulator::{CopyState, Object, ServerState, VolumeState};
        let id = match awaited {
            Awaited::Clock(stamp) => return Ok(self.cloud.now()?.0 >= stamp.0),
            Awaited::ServerSettled(id) | Awaited::ServerGone(id) => id.as_str(),
            Awaited::VolumeSettled(id) => id.as_str(),
            Awaited::SnapshotSettled(id) => id.as_str(),
            Awaited::ImageSettled(id) => id.as_str(),
        };
        let found = self.cloud.find(id)?;
        Ok(match (awaited, found) {
            (_, None) => true,
            (Awaited::ServerSettled(_), Some(Object::Server(it))) => {
                !matches!(it.state, ServerState::Starting | ServerState::Stopping | ServerState::Deleting)
            }
            (Awaited::VolumeSettled(_), Some(Object::Volume(it))) => {
                !matches!(it.state, VolumeState::Creating | VolumeState::Detaching | VolumeState::Resizing)
            }
            (_, Some(Object::Snapshot(it))) => it.state != CopyState::Creating,
            (_, Some(Object::Image(it))) => it.state != CopyState::Creating,
            (_, Some(_)) => false,
        })
    }
}

/// What a server's machine consists of.
pub(super) struct Frame {
    /// The server's name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in GB.
    pub memory_gb: u32,
    /// Its disks, the one that it boots from first.
    pub disks: Vec<Disk>,
}

/// One disk of a server.
pub(super) struct Disk {
    /// Its id, by which its guest knows it as well.
    pub id: String,
    /// The file with its bytes.
    pub file: PathBuf,
}

/// The directory of a kind of cloud, and what it imitates.
fn kind_of(imitate: Imitate, machine: Machine) -> (&'static str, emulator::Imitate) {
    match (imitate, machine) {
        (Imitate::Scaleway, Machine::None) => ("scaleway", emulator::Imitate::Volumes),
        (Imitate::Scaleway, Machine::Qemu) => ("scaleway-qemu", emulator::Imitate::Volumes),
        (Imitate::Linode, Machine::None) => ("linode", emulator::Imitate::LocalDisks),
        (Imitate::Linode, Machine::Qemu) => ("linode-qemu", emulator::Imitate::LocalDisks),
    }
}

/// Whether an instance has something there that binds it.
fn lives_in(truth: &emulator::Truth, tag: &str) -> bool {
    let ours = |tags: &[String]| tags.iter().any(|it| it == tag) && !tags.iter().any(|it| it == DELETED);
    truth.servers.values().any(|it| ours(&it.tags))
        || truth.volumes.values().any(|it| ours(&it.tags))
        || truth.snapshots.values().any(|it| ours(&it.tags))
        || truth.images.values().any(|it| ours(&it.tags))
        || truth.addresses.values().any(|it| ours(&it.tags))
}

/// What is gone already is as deleted as it can be.
fn gone(answer: Result<(), emulator::Refusal>, id: &str) -> Result<String, emulator::Refusal> {
    match answer {
        Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(id.to_owned()),
        Err(refusal) => Err(refusal),
        Ok(()) => Ok(id.to_owned()),
    }
}

#[async_trait]
impl Provider for Local {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn begin(&self) -> Result<(), Problem> {
        let speed = emulator::Clock::Speed(self.speed);
        match self.cloud.truth().map_err(problem)?.clock.clock() == speed {
            true => Ok(()),
            false => self.cloud.set_clock(speed).map_err(problem),
        }
    }

    async fn observe(&self, key: &InstanceKey) -> World {
        self.look(key).unwrap_or_else(|refusal| blind(&refusal))
    }

    async fn perform(&self, step: &Step) -> Result<String, Problem> {
        self.call(step).map_err(problem)
    }

    async fn arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        self.has_arrived(awaited).map_err(problem)
    }

    fn file_of(&self, id: &str) -> Option<PathBuf> {
        Some(self.cloud.disk_path(id))
    }

    fn local_disk_of(&self, server: &str) -> Option<String> {
        match self.cloud.truth().ok()?.servers.get(server)?.root.clone()? {
            emulator::Root::Disk { id, .. } => Some(id),
            emulator::Root::Volume(_) => None,
        }
    }
}

/// By what is true now: a conflict clears up by itself, a refusal needs the owner.
fn problem(refusal: emulator::Refusal) -> Problem {
    let answer = refusal.message;
    match refusal.kind {
        RefusalKind::Lost => Problem::MaybeDone { answer },
        RefusalKind::Conflict | RefusalKind::RateLimited | RefusalKind::Broken => Problem::NotDone { answer, pause: None },
        RefusalKind::OutOfStock => Problem::OutOfStock { answer },
        RefusalKind::NotFound | RefusalKind::Invalid | RefusalKind::Quota | RefusalKind::Denied | RefusalKind::Storage => {
            Problem::Refused { answer, remedy: None }
        }
    }
}

/// A look that showed nothing at all.
fn blind(refusal: &emulator::Refusal) -> World {
    let cause = || Cause::Passing(refusal.message.clone());
    World {
        now: Stamp(0),
        servers: Seen::Unknown(cause()),
        volumes: Seen::Unknown(cause()),
        snapshots: Seen::Unknown(cause()),
        images: Seen::Unknown(cause()),
        addresses: Seen::Unknown(cause()),
        firewalls: Seen::Unknown(cause()),
        elsewhere: Seen::Unknown(cause()),
        record: Seen::Absent,
        strange: Vec::new(),
    }
}

fn stamp(moment: emulator::Moment) -> Stamp {
    Stamp(moment.0)
}

fn power(state: emulator::ServerState) -> Power {
    match state {
        emulator::ServerState::Stopped => Power::Off,
        emulator::ServerState::Starting => Power::Starting,
        emulator::ServerState::Running => Power::Running,
        emulator::ServerState::Stopping => Power::Stopping,
        emulator::ServerState::StoppedInPlace => Power::StoppedInPlace,
        emulator::ServerState::Deleting => Power::Deleting,
        emulator::ServerState::Locked => Power::Locked(Lock::Vendor),
    }
}

fn server(it: &emulator::Server) -> Server {
    let root = match &it.root {
        Some(emulator::Root::Volume(id)) if it.volumes.contains(id) => Root::Volume(Id::new(id.as_str())),
        Some(emulator::Root::Volume(_)) | None => Root::Detached,
        Some(emulator::Root::Disk { size_gb, .. }) => Root::Local { size_gb: *size_gb },
    };
    let power = power(it.state);
    // A server that never ran has been off since its birth.
    let off_since = (power == Power::Off).then(|| stamp(it.off_since.unwrap_or(it.created)));
    Server {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        machine_type: it.kind.clone(),
        power,
        created: stamp(it.created),
        root,
        volumes: it.volumes.iter().map(|id| Id::new(id.as_str())).collect(),
        address: it.address.as_deref().map(Id::new),
        firewall: it.firewall.as_deref().map(Id::new),
        off_since,
        ran: if it.ever_started { Ran::Maybe } else { Ran::Never },
        seed: Seed::Untold,
        locked: it.protected,
        told: Told::default(),
        tags: Tags(it.tags.clone()),
    }
}

fn volume(it: &emulator::Volume) -> Volume {
    let status = match it.state {
        emulator::VolumeState::Creating => VolumeStatus::Creating,
        emulator::VolumeState::Available => VolumeStatus::Available,
        emulator::VolumeState::InUse => VolumeStatus::InUse,
        emulator::VolumeState::Detaching => VolumeStatus::Detaching,
        emulator::VolumeState::Resizing => VolumeStatus::Busy,
        emulator::VolumeState::Error => VolumeStatus::Error,
    };
    let origin = match (&it.from_snapshot, &it.from_image) {
        (Some(id), _) => Origin::Snapshot(Id::new(id.as_str())),
        (None, Some(_)) => Origin::Stock,
        (None, None) => Origin::Empty,
    };
    Volume {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        size_gb: it.size_gb,
        status,
        attached_to: it.server.as_deref().map(Id::new),
        created: stamp(it.created),
        last_held: it.last_detached.map_or(LastHeld::Never, |it| LastHeld::Until(stamp(it))),
        origin,
        iops: None,
        tags: Tags(it.tags.clone()),
    }
}

fn copy_status(state: emulator::CopyState) -> CopyStatus {
    match state {
        emulator::CopyState::Creating => CopyStatus::Creating,
        emulator::CopyState::Available => CopyStatus::Ready,
        emulator::CopyState::Error => CopyStatus::Failed,
    }
}

fn snapshot(it: &emulator::Snapshot) -> Snapshot {
    Snapshot {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        of: Id::new(it.volume.as_str()),
        size_gb: it.size_gb,
        status: copy_status(it.state),
        created: stamp(it.created),
        tags: Tags(it.tags.clone()),
    }
}

fn image(it: &emulator::Image) -> Image {
    Image {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        of: Id::<model::LocalDisk>::new(it.server.as_str()),
        size_gb: it.size_gb,
        status: copy_status(it.state),
        created: stamp(it.created),
        tags: Tags(it.tags.clone()),
    }
}

fn address(it: &emulator::Address) -> Address {
    Address {
        id: Id::new(it.id.as_str()),
        address: it.address.clone(),
        server: it.server.as_deref().map(Id::new),
        created: stamp(it.created),
        tags: Tags(it.tags.clone()),
    }
}

fn firewall(it: &emulator::Firewall) -> Firewall {
    let rules = it.rules.iter().map(|rule| Rule::new(&rule.protocol, &rule.ports, &rule.from));
    let mut rules: Vec<Rule> = rules.collect();
    rules.sort();
    Firewall {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        shut: true,
        rules,
        created: stamp(it.created),
        tags: Tags(it.tags.clone()),
    }
}
