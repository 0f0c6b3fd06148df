//! A look, sorted: which server, which disks, which copies are the instance's. Whatever cannot be
//! told apart for sure is a hold.

use super::rest;
use crate::model::{
    Address, Applied, Ask, Capabilities, Cause, Copy, CopyStatus, DELETED, Facts, Firewall, HAD_DATA, Hold, LOSER, PROTECTED, Power, Ran,
    Rest, Role, Root, Seen, Server, ServerState, Stamp, Tags, UNCAPTURED, Volume, VolumeStatus, World, instance_tag, tag_value,
};

/// One instance, sorted. References point into the look.
#[derive(Debug, Clone)]
pub(crate) struct Scene<'w> {
    pub ask: &'w Ask,
    pub world: &'w World,
    pub facts: &'w Facts,
    pub cloud: &'w Capabilities,
    /// Which spec was applied last, as far as the instance says.
    pub applied: Option<Applied>,
    /// The rest that it is in, or on the way to.
    pub rest: Option<Rest>,
    /// The elected server.
    pub server: Option<&'w Server>,
    /// A server on its way out.
    pub leaving: Option<&'w Server>,
    /// Servers made twice that were never used.
    pub spare_servers: Vec<&'w Server>,
    /// The root volume, where roots are volumes.
    pub root: Option<&'w Volume>,
    /// Root volumes of another image than the spec's.
    pub outdated_roots: Vec<&'w Volume>,
    /// The data volume.
    pub data: Option<&'w Volume>,
    /// Volumes made twice that were never used.
    pub spare_volumes: Vec<&'w Volume>,
    /// Copies of root disks, newest first.
    pub root_copies: Vec<Copy<'w>>,
    /// Copies of data disks, newest first.
    pub data_copies: Vec<Copy<'w>>,
    /// The address.
    pub address: Option<&'w Address>,
    /// An address of ours is at a server that is not: what is to be said by whoever needs it.
    pub lent: Option<Hold>,
    /// Addresses made twice.
    pub spare_addresses: Vec<&'w Address>,
    /// The firewall.
    pub firewall: Option<&'w Firewall>,
    /// Firewalls made twice.
    pub spare_firewalls: Vec<&'w Firewall>,
}

impl<'w> Scene<'w> {
    /// Sorts a look, or says why it cannot be told what is what.
    pub fn read(ask: &'w Ask, world: &'w World, facts: &'w Facts, cloud: &'w Capabilities) -> Result<Self, Hold> {
        refuse_blindness(world, ask.deletion.is_some())?;
        // Who deletes an instance deletes what is here; where there is nothing, and nothing went, another place was meant.
        if let Seen::Present(zones) = &world.elsewhere
            && !(ask.deletion.is_some() && (facts.begun || has_something(world)))
        {
            let project = ask.spec.provider.scaleway.as_ref().and_then(|it| it.project_id.as_ref());
            let zone = ask.spec.placement().zone;
            let wanted = match project.filter(|_| zones.iter().any(|it| it.starts_with("project "))) {
                Some(project) => format!("project {project}"),
                None => zone.to_owned(),
            };
            return Err(Hold::LivesElsewhere { zones: zones.clone(), wanted });
        }
        refuse_other_owners(ask, world)?;

        let mut scene = Scene {
            ask,
            world,
            facts,
            cloud,
            applied: Applied::latest(world),
            rest: None,
            server: None,
            leaving: None,
            spare_servers: Vec::new(),
            root: None,
            outdated_roots: Vec::new(),
            data: None,
            spare_volumes: Vec::new(),
            root_copies: world.copies(Role::Root),
            data_copies: world.copies(Role::Data),
            address: None,
            lent: None,
            spare_addresses: Vec::new(),
            firewall: None,
            spare_firewalls: Vec::new(),
        };
        scene.sort_servers()?;
        scene.sort_volumes()?;
        scene.check_copies()?;
        scene.sort_network();
        scene.rest = rest::standing(&scene).filter(|_| !ask.wake);
        Ok(scene)
    }

    /// What is wished for the server: the spec's word, but while the instance rests.
    pub fn wish(&self) -> ServerState {
        if self.rest.is_some() { ServerState::Absent } else { self.ask.wished() }
    }

    /// Servers: the used one, or of several unused ones the oldest.
    fn sort_servers(&mut self) -> Result<(), Hold> {
        let mut used: Vec<&Server> = Vec::new();
        let mut unused: Vec<&Server> = Vec::new();
        for server in self.world.servers.items() {
            match &server.power {
                Power::Unknown(state) => {
                    return Err(Hold::UnknownState { object: format!("server {}", server.id), state: state.clone() });
                }
                Power::Locked(by) => return Err(Hold::Locked { object: format!("server {}", server.id), by: *by }),
                Power::Deleting => self.leaving = Some(server),
                Power::Off if server.ran == Ran::Never && self.is_marked(server) => self.spare_servers.push(server),
                Power::Off if server.ran == Ran::Never && !self.is_claimed(server) => unused.push(server),
                Power::Off | Power::Starting | Power::Running | Power::Stopping | Power::StoppedInPlace | Power::Busy => used.push(server),
            }
        }
        if used.len() > 1 {
            return Err(Hold::TwoServers { ids: used.iter().map(|it| it.id.to_string()).collect() });
        }
        unused.sort_by_key(|it| (it.created, it.id.clone()));
        self.server = used.pop().or_else(|| (!unused.is_empty()).then(|| unused.remove(0)));
        self.spare_servers.extend(unused);
        Ok(())
    }

    /// Whether a server that never ran is on its way out: a root volume is marked as its.
    fn is_marked(&self, server: &Server) -> bool {
        let has_local_root = matches!(server.root, Root::Local { .. });
        !has_local_root && self.world.volumes.items().iter().any(|it| it.tags.get(LOSER) == Some(server.id.as_str()))
    }

    /// Whether a server was elected by us: its root volume carries our tags, which comes before the
    /// first start. A server with a local disk has a unique name, so it is the only one.
    fn is_claimed(&self, server: &Server) -> bool {
        match &server.root {
            Root::Volume(id) => self.world.volume(id).is_some_and(|it| it.tags.role() == Some(Role::Root)),
            Root::Local { .. } => true,
            Root::Detached => false,
        }
    }

    /// What a volume is: by its tag, else by where it is attached. `None`: not the instance's.
    fn role_of(&self, volume: &Volume) -> Result<Option<Role>, Hold> {
        let mark = instance_tag(&self.ask.key);
        let ours = volume.tags.has(&mark);
        // Powering off harms no disk, whoever's it is.
        let only_stops = self.ask.wished() == ServerState::Stopped && self.ask.deletion.is_none();
        if let Some(other) = volume.tags.get("in").filter(|_| !ours) {
            if only_stops {
                return Ok(None);
            }
            return Err(Hold::ForeignDisk { volume: volume.id.to_string(), instance: other.to_owned() });
        }
        let holder = volume.attached_to.as_ref().and_then(|id| self.world.server(id));
        let is_root = holder.is_some_and(|it| it.root == Root::Volume(volume.id.clone()));
        match (volume.tags.role(), ours, is_root) {
            (Some(role), true, _) => Ok(Some(role)),
            (_, _, true) => Ok(Some(Role::Root)),
            (None, true, false) if holder.is_some() => Ok(Some(Role::Data)),
            (None, true, false) => Err(Hold::TagsDamaged { object: format!("volume {}", volume.id) }),
            (_, false, false) => Ok(None),
        }
    }

    fn sort_volumes(&mut self) -> Result<(), Hold> {
        let (mut roots, mut datas) = (Vec::new(), Vec::new());
        for volume in self.world.volumes.items() {
            let Some(role) = self.role_of(volume)? else { continue };
            match &volume.status {
                VolumeStatus::Unknown(state) => {
                    return Err(Hold::UnknownState { object: format!("volume {}", volume.id), state: state.clone() });
                }
                // Who destroys everything need not wait until a disk is whole again; it stays behind, and is told.
                VolumeStatus::Error if self.ask.deletion.is_some_and(|it| !it.keep_snapshots) => continue,
                VolumeStatus::Error => return Err(Hold::DiskBroken { object: format!("volume {}", volume.id) }),
                VolumeStatus::Deleting => continue,
                VolumeStatus::Creating | VolumeStatus::Available | VolumeStatus::InUse | VolumeStatus::Detaching | VolumeStatus::Busy => {}
            }
            if let Some(server) = &volume.attached_to
                && self.world.server(server).is_none()
                && volume.status == VolumeStatus::InUse
            {
                return Err(Hold::AttachedElsewhere { object: format!("volume {}", volume.id), server: server.to_string() });
            }
            let is_root_of = |it: &Server| it.root == Root::Volume(volume.id.clone());
            let lost_of = |it: &Server| {
                let elsewhere = volume.attached_to.as_ref().is_some_and(|holder| *holder != it.id);
                volume.tags.get(LOSER) == Some(it.id.as_str()) && !elsewhere
            };
            let lost = self.spare_servers.iter().any(|it| lost_of(it));
            if lost || self.spare_servers.iter().any(|it| is_root_of(it)) {
                self.spare_volumes.push(volume);
            } else if role == Role::Root && self.is_outdated(&volume.tags) {
                self.outdated_roots.push(volume);
            } else if role == Role::Root {
                roots.push(volume);
            } else {
                datas.push(volume);
            }
        }
        self.root = self.elect(Role::Root, roots)?;
        self.data = self.elect(Role::Data, datas)?;
        Ok(())
    }

    /// The used volume, or of several unused ones the oldest; two used ones are a hold.
    fn elect(&mut self, role: Role, candidates: Vec<&'w Volume>) -> Result<Option<&'w Volume>, Hold> {
        let (used, mut unused): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|it| it.was_used());
        if used.len() > 1 {
            return Err(Hold::TwoDisks { role, ids: used.iter().map(|it| it.id.to_string()).collect() });
        }
        unused.sort_by_key(|it| (it.created, it.id.clone()));
        let winner = used.first().copied().or_else(|| (!unused.is_empty()).then(|| unused.remove(0)));
        self.spare_volumes.extend(unused);
        Ok(winner)
    }

    fn check_copies(&self) -> Result<(), Hold> {
        let snapshots = self.world.snapshots.items().iter().map(Copy::Snapshot);
        let images = self.world.images.items().iter().map(Copy::Image);
        for copy in snapshots.chain(images) {
            if let CopyStatus::Unknown(state) = copy.status() {
                return Err(Hold::UnknownState { object: format!("snapshot {}", copy.id()), state: state.clone() });
            }
            if copy.tags().role().is_none() {
                return Err(Hold::TagsDamaged { object: format!("snapshot {}", copy.id()) });
            }
        }
        Ok(())
    }

    /// Addresses and firewalls: the one in use, else the oldest.
    fn sort_network(&mut self) {
        let mut addresses: Vec<_> = self.world.addresses.items().iter().collect();
        let lent = addresses.iter().find_map(|it| Some((it, it.server.as_ref().filter(|id| self.world.server(id).is_none())?)));
        self.lent = lent.map(|(address, server)| Hold::AttachedElsewhere {
            object: format!("address {}", address.address),
            server: server.to_string(),
        });
        addresses.sort_by_key(|it| (it.server.is_none(), it.created, it.id.clone()));
        let mut firewalls: Vec<_> = self.world.firewalls.items().iter().collect();
        let in_use = |it: &Firewall| self.server.is_some_and(|server| server.firewall.as_ref() == Some(&it.id));
        firewalls.sort_by_key(|it| (!in_use(it), it.created, it.id.clone()));
        let mut addresses = addresses.into_iter();
        self.address = addresses.next();
        self.spare_addresses = addresses.collect();
        let mut firewalls = firewalls.into_iter();
        self.firewall = firewalls.next();
        self.spare_firewalls = firewalls.collect();
    }

    /// Whether the object was born from another image than the one the owner names. A default image
    /// that changes with our version replaces nothing.
    pub fn is_outdated(&self, tags: &Tags) -> bool {
        let Some(named) = self.ask.spec.placement().image else { return false };
        tags.get("img").is_some_and(|born| born != tag_value("img", named))
    }

    /// Copies of root disks that this spec's server may come back from, newest first.
    pub fn usable_root_copies(&self) -> impl Iterator<Item = Copy<'w>> + '_ {
        self.root_copies.iter().copied().filter(|it| !self.is_outdated(it.tags()))
    }

    /// Whether nothing of a living instance is here.
    pub fn is_empty(&self) -> bool {
        !has_something(self.world)
    }

    /// Whether the object is older than the time a list may lag.
    pub fn is_settled(&self, created: Stamp) -> bool {
        self.world.now >= created.plus_seconds(self.cloud.listing_lag)
    }

    /// The capture of the server's root disk that the cloud gave up, where that was noted on the server, or is not yet.
    pub fn given_up(&self) -> Option<GivenUp> {
        let server = self.server?;
        let noted = server.tags.get(UNCAPTURED).and_then(|it| {
            let (limit, seconds) = it.split_once('-')?;
            Some((limit.parse::<u64>().ok()?, seconds.parse::<i64>().ok()?))
        });
        let limit_gb = self.ask.spec.copy_limit_gb(self.cloud).unwrap_or(0);
        // One that went well later has the last word.
        let line = self.root_line();
        let ready = self.root_copies.iter().filter(|it| it.is_ready() && Some(it.line()) == line);
        let later = ready.map(|it| it.created().0.div_euclid(1_000_000)).max();
        let noted = noted.filter(|(_, at)| later.is_none_or(|later| later <= *at));
        let seen = server.told.failed_capture.as_ref().filter(|it| later.is_none_or(|later| later <= it.at.0.div_euclid(1_000_000)));
        let news = seen.map(|it| it.at.0.div_euclid(1_000_000)).filter(|at| noted.is_none_or(|(_, then)| *at > then));
        if let Some(at) = news {
            return Some(GivenUp { limit_gb, said: seen.map_or_else(String::new, |it| it.said.clone()), news: Some(at) });
        }
        let (then, at) = noted?;
        let said = seen.filter(|it| it.at.0.div_euclid(1_000_000) == at).map_or_else(String::new, |it| it.said.clone());
        // A limit that was raised since asks for another try.
        (limit_gb <= then).then_some(GivenUp { limit_gb, said, news: None })
    }

    /// [`Scene::given_up`], as a hold.
    pub fn capture_failed(&self) -> Option<Hold> {
        let it = self.given_up()?;
        let disk_gb = match self.server.map(|it| &it.root) {
            Some(Root::Local { size_gb }) => *size_gb,
            _ => self.ask.spec.root_disk.size_gb,
        };
        Some(Hold::CaptureFailed { disk_gb, limit_gb: it.limit_gb, said: it.said })
    }

    /// Whether the root disk, or a copy of one, remembers that the instance had a data disk. What a server remembers is asked of it first.
    pub fn had_data(&self) -> bool {
        let remembers = |tags: &Tags| tags.has(HAD_DATA);
        self.root.is_some_and(|it| remembers(&it.tags)) || self.root_copies.iter().any(|it| remembers(it.tags()))
    }

    /// The line of descent of the server's root disk.
    pub fn root_line(&self) -> Option<&'w str> {
        match self.server.map(|it| (it, &it.root)) {
            Some((server, Root::Local { .. })) => Some(server.tags.line().unwrap_or(server.id.as_str())),
            _ => self.root.map(Volume::line),
        }
    }

    /// The newest ready copy of the server's root disk, or of a disk it descends from, that was configured as the server is.
    pub fn root_capture(&self) -> Option<Copy<'w>> {
        let line = self.root_line()?;
        let recipe = self.server.and_then(|it| it.tags.get("recipe"));
        let is_as_it = |it: &Copy<'w>| recipe.is_none() || it.tags().get("recipe") == recipe;
        // Only the newest counts: it is what a server would come back from.
        self.usable_root_copies().find(|it| it.is_ready() && it.line() == line).filter(is_as_it)
    }

    /// Whether there are captures of the server's root disk, all from before it was configured as it is.
    pub fn is_capture_outdated(&self) -> bool {
        let of_line = |line| self.usable_root_copies().any(|it| it.is_ready() && it.line() == line);
        self.root_capture().is_none() && self.root_line().is_some_and(of_line)
    }

    /// Whether the spec, or a tag on any object whose tags follow the spec, protects the instance.
    pub fn is_protected(&self) -> bool {
        let volumes = self.root.iter().chain(&self.outdated_roots).chain(&self.data).map(|it| &it.tags);
        let copies = self.root_copies.iter().chain(&self.data_copies).map(|it| it.tags());
        let server = self.server.map(|it| &it.tags);
        self.ask.spec.protect || volumes.chain(copies).chain(server).any(|tags| tags.has(PROTECTED))
    }

    /// A volume as attached to the elected server.
    pub fn is_attached(&self, volume: &Volume) -> bool {
        self.server.is_some_and(|server| server.volumes.contains(&volume.id))
    }
}

/// A capture that the cloud gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// The largest capture that the account may store now, in GB.
    pub limit_gb: u64,
    /// What the cloud said; may be empty.
    pub said: String,
    /// When it was begun in seconds, where the server does not carry the note yet.
    pub news: Option<i64>,
}

/// The hold of whoever needs what could not be seen.
pub(crate) fn blind(what: &'static str, cause: &Cause) -> Hold {
    match cause {
        Cause::Passing(cause) | Cause::Maintained(cause) => Hold::Blind { what, cause: cause.clone() },
        Cause::Lasting { answer, remedy } => Hold::Denied { what, answer: answer.clone(), remedy: remedy.clone() },
    }
}

/// Whether something is here that belongs to a living instance: copies that were kept on deletion do not.
fn has_something(world: &World) -> bool {
    let kept = |tags: &Tags| tags.has(DELETED);
    let copies = world.snapshots.items().iter().map(|it| &it.tags).chain(world.images.items().iter().map(|it| &it.tags));
    let disks = !world.servers.items().is_empty() || !world.volumes.items().is_empty() || copies.into_iter().any(|it| !kept(it));
    disks || !world.addresses.items().is_empty() || !world.firewalls.items().is_empty()
}

fn refuse_blindness(world: &World, deleting: bool) -> Result<(), Hold> {
    fn check<T>(what: &'static str, seen: &Seen<T>) -> Result<(), Hold> {
        match seen {
            Seen::Unknown(cause) => Err(blind(what, cause)),
            Seen::Present(_) | Seen::Absent => Ok(()),
        }
    }
    check("servers", &world.servers)?;
    check("volumes", &world.volumes)?;
    check("snapshots", &world.snapshots)?;
    check("images", &world.images)?;
    check("addresses", &world.addresses)?;
    check("firewalls", &world.firewalls)?;
    check("objects in other zones", &world.elsewhere)?;
    // What is only to be deleted need not be understood.
    match world.strange.first().filter(|_| !deleting) {
        Some((object, state)) => Err(Hold::UnknownState { object: object.clone(), state: state.clone() }),
        None => Ok(()),
    }
}

fn refuse_other_owners(ask: &Ask, world: &World) -> Result<(), Hold> {
    if ask.adopt {
        return Ok(());
    }
    let ours = ask.owner.as_deref().map(|owner| tag_value("by", owner));
    let tags = (world.servers.items().iter().map(|it| (&it.tags, "server", it.id.as_str())))
        .chain(world.volumes.items().iter().map(|it| (&it.tags, "volume", it.id.as_str())))
        .chain(world.snapshots.items().iter().map(|it| (&it.tags, "snapshot", it.id.as_str())))
        .chain(world.images.items().iter().map(|it| (&it.tags, "image", it.id.as_str())))
        .chain(world.addresses.items().iter().map(|it| (&it.tags, "address", it.id.as_str())))
        .chain(world.firewalls.items().iter().map(|it| (&it.tags, "firewall", it.id.as_str())));
    for (tags, what, id) in tags {
        if let Some(owner) = tags.owner()
            && Some(owner) != ours.as_deref()
        {
            return Err(Hold::OtherOwner { object: format!("{what} {id}"), owner: owner.to_owned() });
        }
    }
    Ok(())
}
