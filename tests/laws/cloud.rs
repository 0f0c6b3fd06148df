//! The truth: an abstract cloud that knows which version of a disk's bytes lives where, and what a call does to it.
//!
//! It holds no bytes, no HTTP and no clock of its own. Whatever takes time waits as a pending change until a
//! [`Cloud::settle`] lets it come to pass, in any order.

use super::order::Order;
use cloudypad::{
    model::{
        Address, Boot, Capabilities, CopyStatus, Firewall, Id, Image, LastHeld, NewServer, NewVolume, Object, Origin, Power, Ran, Record,
        Role, Root, Seed, Seen, Server, Snapshot, Stamp, Tags, Told, Volume, VolumeStatus, World,
    },
    provider::Problem,
};
use std::sync::Arc;

/// The descent of some bytes: the version they are, last, and the older versions they were made of that some other
/// disk or copy still is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u32>);

/// The mark of a version that nobody wrote: an empty disk, or a stock image.
const VIRGIN: u32 = 1 << 31;

impl Bytes {
    pub fn head(&self) -> Option<u32> {
        self.0.last().copied()
    }

    /// The same, of a disk that nobody wrote to.
    pub fn unwritten(mut self) -> Self {
        if let Some(head) = self.0.last_mut() {
            *head |= VIRGIN;
        }
        self
    }

    /// Whether nobody ever wrote to the disk that they were on.
    pub fn is_virgin(&self) -> bool {
        self.head().is_none_or(|it| it & VIRGIN != 0)
    }

    /// Whether these are the other ones, or were made of them.
    pub fn descends_from(&self, other: &Bytes) -> bool {
        other.head().is_none_or(|it| self.0.contains(&it))
    }
}

/// A server, with the bytes of its own disk where it has one.
#[derive(Clone, Debug)]
pub struct Machine {
    pub it: Server,
    pub local: Option<Bytes>,
    /// The volume that it boots from, attached or not.
    pub boots_from: Option<Id<Volume>>,
    /// Not in lists yet.
    pub hidden: bool,
}

/// A volume, with its bytes.
#[derive(Clone, Debug)]
pub struct Disk {
    pub it: Volume,
    pub bytes: Bytes,
    pub hidden: bool,
    /// The server it is taken off, while that lasts.
    pub growing: Option<u64>,
}

/// A snapshot or an image. An image is a snapshot of a server's own disk, whose id is the server's.
#[derive(Clone, Debug)]
pub struct Kept {
    pub it: Snapshot,
    pub of_local: bool,
    pub bytes: Bytes,
    pub hidden: bool,
}

/// A call that nobody was answered, and that may still take effect.
#[derive(Clone, Debug)]
pub struct Late {
    pub order: Order,
    /// The moment after which it surely has, or never will.
    pub until: Stamp,
    /// Which applier sent it, and in which epoch of the truth.
    pub by: usize,
    pub epoch: u32,
}

/// The last copy of some bytes is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub role: Role,
    pub object: String,
    /// Whether an older version of the same disk is left in a complete copy.
    pub older_left: bool,
}

/// What a call came to.
pub struct Deed {
    pub answer: Result<String, Problem>,
    pub losses: Vec<Loss>,
    /// A copy was taken of a disk that somebody may be writing to.
    pub of_restless: bool,
    /// A copy was taken of bytes of which there is a complete copy already.
    pub redone: bool,
}

#[derive(Clone)]
pub struct Cloud {
    pub can: &'static Capabilities,
    pub now: i64,
    pub servers: Vec<Machine>,
    pub volumes: Vec<Disk>,
    pub copies: Vec<Kept>,
    pub addresses: Vec<Address>,
    pub firewalls: Vec<Firewall>,
    pub record: Seen<Record>,
    pub late: Vec<Late>,
    /// What a look says beside the objects, where that is odd: lists that do not come, other zones.
    pub beside: Option<Arc<World>>,
    pub made: u32,
    pub written: u32,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    Server(usize),
    Volume(usize),
    Copy(usize),
    Address(usize),
}

/// The firewall of a server at Scaleway that was given none.
pub const DEFAULT: &str = "default";
/// The vendor's snapshot of a stock image.
pub const STOCK: &str = "stock";

fn not_done(answer: &str) -> Problem {
    Problem::NotDone { answer: answer.to_owned(), pause: None }
}

fn refused(answer: &str) -> Problem {
    Problem::Refused { answer: answer.to_owned(), remedy: None }
}

impl Cloud {
    pub fn new(can: &'static Capabilities) -> Self {
        Cloud {
            can,
            now: 1_000_000_000,
            servers: Vec::new(),
            volumes: Vec::new(),
            copies: Vec::new(),
            addresses: Vec::new(),
            firewalls: Vec::new(),
            record: Seen::Absent,
            late: Vec::new(),
            beside: None,
            made: 0,
            written: 0,
        }
    }

    /// A stamp that no earlier one equals, as precise as the vendor's are.
    pub fn stamp(&mut self) -> Stamp {
        self.now += 1;
        Stamp(if self.whole_seconds() { self.now.div_euclid(1_000_000) * 1_000_000 } else { self.now })
    }

    /// Whether it is the local cloud.
    fn is_local(&self) -> bool {
        self.can.provider == "local"
    }

    fn is_linode(&self) -> bool {
        self.can.provider == "linode"
    }

    pub fn is_scaleway(&self) -> bool {
        self.can.provider == "scaleway"
    }

    /// What is answered where an order is about something that is gone: the vendors' hands look first, and say that the next
    /// look will tell.
    fn gone(&self, answer: &str) -> Problem {
        if self.is_local() { refused(answer) } else { not_done(answer) }
    }

    /// A server that can still be dealt with; of one on its way out the vendors take no orders.
    fn staying(&self, id: &str, answer: &str) -> Result<usize, Problem> {
        let index = self.server(id).ok_or_else(|| self.gone(answer))?;
        match self.servers[index].it.power {
            Power::Deleting if !self.is_local() => Err(not_done("the server is about to go")),
            _ => Ok(index),
        }
    }

    /// What is answered where somebody protected a server.
    fn protected(&self) -> Problem {
        if self.is_local() { not_done("the server is protected") } else { refused("the server is protected") }
    }

    /// Refuses a name that another server has, where names are unique; so they are at the local cloud that is like Linode.
    fn check_server_name(&self, name: &str, own_id: &str) -> Result<(), Problem> {
        let is_taken = self.servers.iter().any(|it| it.it.name == name && it.it.id.as_str() != own_id);
        match is_taken {
            true if self.is_local() && !self.can.root_outlives_server => Err(refused("the name is taken")),
            true if self.can.unique_names => Err(not_done("the label is taken")),
            _ => Ok(()),
        }
    }

    fn check_volume_name(&self, name: &str, own_id: &str) -> Result<(), Problem> {
        let is_taken = self.volumes.iter().any(|it| it.it.name == name && it.it.id.as_str() != own_id);
        if is_taken && self.can.unique_names { Err(not_done("the label is taken")) } else { Ok(()) }
    }

    fn whole_seconds(&self) -> bool {
        self.can.unique_names
    }

    fn id<K>(&mut self, kind: &str) -> Id<K> {
        self.made += 1;
        Id::new(format!("{kind}-{}", self.made))
    }

    pub fn fresh_bytes(&mut self) -> Bytes {
        self.written += 1;
        Bytes(vec![self.written | VIRGIN])
    }

    pub fn server(&self, id: &str) -> Option<usize> {
        self.servers.iter().position(|it| it.it.id.as_str() == id)
    }

    pub fn volume(&self, id: &str) -> Option<usize> {
        self.volumes.iter().position(|it| it.it.id.as_str() == id)
    }

    pub fn copy(&self, id: &str) -> Option<usize> {
        self.copies.iter().position(|it| it.it.id.as_str() == id)
    }

    fn is_free(&self, volume: usize) -> bool {
        self.volumes[volume].it.status == VolumeStatus::Available
    }

    /// Whether a server may have it, as far as the volume goes: also one that is still being made. Linode says only
    /// whether somebody has it.
    fn may_be_taken(&self, volume: usize) -> bool {
        self.is_free(volume) || self.volumes[volume].it.status == VolumeStatus::Creating
    }

    /// Whether a server has an address. Of one that is about to go it may still be said where it is listed itself.
    fn is_held(&self, it: &Address) -> bool {
        let holder = it.server.as_ref().and_then(|id| self.server(id.as_str()));
        holder.is_some_and(|at| self.servers[at].it.address.as_ref() == Some(&it.id))
    }

    /// Whether a volume was taken off its server, and the store does not know yet: Scaleway's tells two products.
    fn is_leaving_unnoticed(&self, it: &Volume) -> bool {
        let holds = |id: &Id<Server>| self.server(id.as_str()).is_some_and(|at| self.servers[at].it.volumes.contains(&it.id));
        it.status == VolumeStatus::InUse && it.attached_to.as_ref().is_some_and(|id| !holds(id))
    }

    /// Whether the guest of some server may be writing to a volume.
    fn may_be_written(&self, volume: &str) -> bool {
        // Also one that is letting it go.
        let holder = self.volume(volume).and_then(|at| self.volumes[at].it.attached_to.as_ref());
        holder.and_then(|id| self.server(id.as_str())).is_some_and(|at| is_awake(&self.servers[at].it))
    }

    /// New bytes on every disk of a server.
    fn write_all(&mut self, server: usize) {
        let held = self.servers[server].it.volumes.clone();
        for id in held {
            if let Some(index) = self.volume(id.as_str()) {
                self.write(index);
            }
        }
        if self.servers[server].local.is_some() {
            self.written += 1;
            let next = self.written;
            if let Some(bytes) = &mut self.servers[server].local {
                bytes.0.push(next);
            }
        }
    }

    fn write(&mut self, volume: usize) {
        self.written += 1;
        let disk = &mut self.volumes[volume];
        disk.bytes.0.push(self.written);
    }

    /// Everything that holds bytes which can be read back.
    fn whole(&self) -> impl Iterator<Item = &Bytes> {
        let volumes = self.volumes.iter().filter(|it| it.it.status != VolumeStatus::Error).map(|it| &it.bytes);
        let copies = self.copies.iter().filter(|it| it.it.status == CopyStatus::Ready).map(|it| &it.bytes);
        self.servers.iter().filter_map(|it| it.local.as_ref()).chain(volumes).chain(copies)
    }

    /// Judges the end of some bytes that are no longer held by what held them.
    fn judge(&self, bytes: &Bytes, role: Role, object: &str) -> Option<Loss> {
        let head = bytes.head().filter(|_| !bytes.is_virgin())?;
        if self.whole().any(|it| it.0.contains(&head)) {
            return None;
        }
        let ready = self.copies.iter().filter(|it| it.it.status == CopyStatus::Ready);
        let older_left = ready.filter_map(|it| it.bytes.head()).any(|it| bytes.0.contains(&it));
        Some(Loss { role, object: object.to_owned(), older_left })
    }

    /// Forgets versions that nothing else is any more, so that histories of equal meaning are equal.
    pub fn forget(&mut self) {
        let heads: Vec<u32> = (self.volumes.iter().map(|it| &it.bytes))
            .chain(self.copies.iter().map(|it| &it.bytes))
            .chain(self.servers.iter().filter_map(|it| it.local.as_ref()))
            .filter_map(Bytes::head)
            .collect();
        let trim = |bytes: &mut Bytes| bytes.0.retain(|it| heads.contains(it));
        self.volumes.iter_mut().for_each(|it| trim(&mut it.bytes));
        self.copies.iter_mut().for_each(|it| trim(&mut it.bytes));
        self.servers.iter_mut().filter_map(|it| it.local.as_mut()).for_each(trim);
    }

    /// What is under way.
    pub fn pending(&self) -> Vec<Pending> {
        let moving = |it: &Power| matches!(it, Power::Starting | Power::Stopping | Power::Deleting | Power::Busy);
        let changing = |it: &VolumeStatus| matches!(it, VolumeStatus::Creating | VolumeStatus::Detaching | VolumeStatus::Busy);
        let servers = self.servers.iter().enumerate().filter(|(_, it)| moving(&it.it.power)).map(|(index, _)| Pending::Server(index));
        let volumes = self.volumes.iter().enumerate().filter(|(_, it)| changing(&it.it.status) || self.is_leaving_unnoticed(&it.it));
        let volumes = volumes.map(|(index, _)| Pending::Volume(index));
        let making = |it: &CopyStatus| *it == CopyStatus::Creating;
        let copies = self.copies.iter().enumerate().filter(|(_, it)| making(&it.it.status)).map(|(index, _)| Pending::Copy(index));
        let leaving = |it: &Address| it.server.is_some() && !self.is_held(it);
        let addresses = self.addresses.iter().enumerate().filter(|(_, it)| leaving(it)).map(|(index, _)| Pending::Address(index));
        servers.chain(volumes).chain(copies).chain(addresses).collect()
    }

    /// Lets one change come to pass.
    pub fn settle(&mut self, pending: Pending) {
        match pending {
            Pending::Server(index) => self.settle_server(index),
            Pending::Volume(index) => {
                let stamp = self.stamp();
                let unnoticed = self.is_leaving_unnoticed(&self.volumes[index].it);
                let disk = &mut self.volumes[index];
                match disk.it.status {
                    VolumeStatus::InUse if unnoticed => disk.it.status = VolumeStatus::Detaching,
                    VolumeStatus::Detaching => {
                        disk.it.attached_to = None;
                        disk.it.last_held = LastHeld::Until(stamp);
                        disk.it.status = VolumeStatus::Available;
                    }
                    _ => {
                        disk.it.size_gb = disk.growing.take().unwrap_or(disk.it.size_gb);
                        disk.it.status = if disk.it.attached_to.is_some() { VolumeStatus::InUse } else { VolumeStatus::Available };
                    }
                }
            }
            Pending::Copy(index) => self.copies[index].it.status = CopyStatus::Ready,
            Pending::Address(index) => self.addresses[index].server = None,
        }
        self.forget();
    }

    fn settle_server(&mut self, index: usize) {
        let (stamp, is_linode) = (self.stamp(), self.is_linode());
        let machine = &mut self.servers[index].it;
        match machine.power {
            Power::Starting => machine.power = Power::Running,
            Power::Stopping => {
                machine.power = Power::Off;
                machine.off_since = machine.off_since.or(Some(stamp));
            }
            Power::Busy => {
                machine.power = Power::Off;
                // What Linode tells of a server's disk, it tells of the end of what was done to it.
                if is_linode {
                    machine.off_since = Some(stamp);
                }
            }
            Power::Deleting => self.end_server(index),
            _ => {}
        }
    }

    /// A server is gone.
    fn end_server(&mut self, index: usize) {
        let gone = self.servers.remove(index).it;
        for disk in self.volumes.iter_mut().filter(|it| it.it.attached_to.as_ref() == Some(&gone.id)) {
            disk.it.status = VolumeStatus::Detaching;
        }
        self.let_address_go(&gone.id);
    }

    fn let_address_go(&mut self, server: &Id<Server>) {
        for address in self.addresses.iter_mut().filter(|it| it.server.as_ref() == Some(server)) {
            address.server = None;
        }
    }

    /// A guest shuts itself down: off where that ends the machine, held in place where the vendor keeps it.
    pub fn guest_shuts_down(&mut self, index: usize) {
        let stamp = self.stamp();
        let machine = &mut self.servers[index].it;
        machine.power = if self.can.root_outlives_server { Power::StoppedInPlace } else { Power::Off };
        machine.off_since = (self.can.provider == "local").then_some(stamp);
    }

    /// Carries an order out, or says why not.
    pub fn carry_out(&mut self, order: &Order) -> Deed {
        let mut deed = Deed { answer: Ok(String::new()), losses: Vec::new(), of_restless: false, redone: false };
        deed.answer = self.obey(order, &mut deed);
        self.forget();
        deed
    }

    /// Whether an order would make something.
    pub fn would_make(&self, order: &Order) -> bool {
        let mut cloud = self.clone();
        cloud.carry_out(order).answer.is_ok() && cloud.made > self.made
    }

    fn obey(&mut self, order: &Order, deed: &mut Deed) -> Result<String, Problem> {
        let done = |id: &str| Ok(id.to_owned());
        match order {
            Order::ReserveAddress(tags) => {
                let (id, created) = (self.id("ip"), self.stamp());
                self.addresses.push(Address { id, address: "203.0.113.7".to_owned(), server: None, created, tags: tags.clone() });
                done("ip")
            }
            Order::CreateFirewall(name, tags) => {
                if self.can.unique_names && self.firewalls.iter().any(|it| it.name == *name) {
                    return Err(not_done("the label is taken"));
                }
                let (id, created) = (self.id("fw"), self.stamp());
                self.firewalls.push(Firewall { id, name: name.clone(), shut: true, rules: Vec::new(), created, tags: tags.clone() });
                done("fw")
            }
            Order::SetRules(id, rules) => {
                let wall = self.firewalls.iter_mut().find(|it| it.id == *id).ok_or_else(|| refused("no such firewall"))?;
                wall.rules.clone_from(rules);
                done(id.as_str())
            }
            Order::ShutFirewall(id) => {
                let wall = self.firewalls.iter_mut().find(|it| it.id == *id).ok_or_else(|| refused("no such firewall"))?;
                wall.shut = true;
                done(id.as_str())
            }
            Order::CreateVolume(new) => self.create_volume(new),
            Order::CreateServer(new) => self.create_server(new),
            Order::Retag(object, tags, name) => self.retag(object, tags, name.as_deref()),
            Order::Seed(_) if !self.can.seeds => Err(refused("there is no such call")),
            Order::Seed(id) => {
                let index = self.staying(id.as_str(), "no such server")?;
                self.servers[index].it.seed = Seed::Set;
                done(id.as_str())
            }
            Order::Watchdog(..) if !self.can.watchdog => Err(refused("there is no such call")),
            Order::Watchdog(id, on) => {
                let index = self.staying(id.as_str(), "no such server")?;
                self.servers[index].it.told.watchdog = Some(*on);
                done(id.as_str())
            }
            Order::Start(id) => self.start(id.as_str()),
            Order::Stop(id) => {
                let index = self.server(id.as_str()).ok_or_else(|| self.gone("the server is gone"))?;
                let (protected, is_linode) = (self.protected(), self.is_linode());
                let machine = &mut self.servers[index].it;
                if machine.locked {
                    return Err(protected);
                }
                match machine.power {
                    Power::Running | Power::StoppedInPlace => {}
                    Power::Off | Power::Stopping if is_linode => return done(id.as_str()),
                    _ => return Err(not_done("the server does not run")),
                }
                machine.power = Power::Stopping;
                done(id.as_str())
            }
            Order::Detach(server, volumes) => {
                let index = self.server(server.as_str());
                if index.is_none() && !self.is_linode() {
                    return Err(self.gone("the server is gone"));
                }
                // The vendors' hands look first, and take off what is still there.
                let held = |it: &&Id<Volume>| index.is_some_and(|at| self.servers[at].it.volumes.contains(it));
                let leaving: Vec<Id<Volume>> = volumes.iter().filter(|it| self.is_local() || held(it)).cloned().collect();
                for volume in &leaving {
                    self.check_leave(server.as_str(), volume.as_str())?;
                }
                for volume in &leaving {
                    self.detach(server.as_str(), volume.as_str())?;
                }
                done(server.as_str())
            }
            Order::Attach(server, volume, role) => self.attach(server, volume, *role),
            Order::AssignAddress(..) if self.is_linode() => Err(refused("there is no such call")),
            Order::AssignAddress(server, address) => {
                let index = self.server(server.as_str()).ok_or_else(|| refused("no such server"))?;
                match &self.servers[index].it.address {
                    Some(own) if own == address => return done(address.as_str()),
                    Some(_) => return Err(not_done("the server has an address already")),
                    None => {}
                }
                let found = self.addresses.iter().position(|it| it.id == *address).ok_or_else(|| refused("no such address"))?;
                if self.is_held(&self.addresses[found]) {
                    return Err(not_done("the address is in use"));
                }
                self.addresses[found].server = Some(server.clone());
                self.servers[index].it.address = Some(address.clone());
                done(address.as_str())
            }
            Order::AssignFirewall(server, firewall) => {
                if self.firewalls.iter().all(|it| it.id != *firewall) {
                    return Err(refused("no such firewall"));
                }
                let index = self.staying(server.as_str(), "no such server")?;
                self.servers[index].it.firewall = Some(firewall.clone());
                self.touch(server.as_str());
                done(firewall.as_str())
            }
            Order::Grow(id, size_gb) => {
                let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
                let (is_linode, is_scaleway) = (self.is_linode(), self.is_scaleway());
                let disk = &mut self.volumes[index];
                // Scaleway has nothing to do then, and does not look whether it could.
                if is_scaleway && *size_gb == disk.it.size_gb {
                    return done(id.as_str());
                }
                if !matches!(disk.it.status, VolumeStatus::Available | VolumeStatus::InUse) {
                    return Err(not_done("the volume is busy"));
                }
                match size_gb.cmp(&disk.it.size_gb) {
                    std::cmp::Ordering::Less => return Err(refused("a volume does not shrink")),
                    std::cmp::Ordering::Equal if is_linode => return Err(refused("volumes can only be resized up")),
                    std::cmp::Ordering::Equal => return done(id.as_str()),
                    std::cmp::Ordering::Greater => {}
                }
                disk.growing = Some(*size_gb);
                disk.it.status = VolumeStatus::Busy;
                if is_linode {
                    disk.it.size_gb = *size_gb;
                }
                done(id.as_str())
            }
            Order::Tune(id, iops) => {
                let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
                self.volumes[index].it.iops = Some(*iops);
                done(id.as_str())
            }
            Order::SetRecord(address) => {
                self.record = Seen::Present(Record { addresses: vec![address.clone()], ttl: self.can.dns_ttl, ours: true, id: None });
                done("record")
            }
            Order::DeleteRecord => {
                self.record = Seen::Absent;
                done("record")
            }
            Order::ChangeType(id, name) => {
                let index = self.staying(id.as_str(), "no such server")?;
                if self.servers[index].it.power != Power::Off {
                    return Err(not_done("the server is not off"));
                }
                self.servers[index].it.machine_type.clone_from(name);
                self.touch(id.as_str());
                done(id.as_str())
            }
            Order::Configure(id, recipe) => {
                let index = self.server(id.as_str()).ok_or_else(|| refused("no such server"))?;
                let tags = self.servers[index].it.tags.clone();
                self.servers[index].it.tags = tags.with_value("recipe", recipe);
                done(id.as_str())
            }
            Order::Snapshot(volume, tags) => self.snapshot(volume.as_str(), tags, deed),
            Order::Capture(server, tags) => self.capture(server.as_str(), tags, deed),
            Order::DeleteServer(id, off) => self.delete_server(id.as_str(), *off, deed),
            Order::DeleteVolume(id) => {
                let Some(index) = self.volume(id.as_str()) else { return done(id.as_str()) };
                if !self.is_free(index) {
                    return Err(not_done("the volume is in use"));
                }
                let gone = self.volumes.remove(index);
                let role = gone.it.tags.role().unwrap_or(Role::Root);
                deed.losses.extend(self.judge(&gone.bytes, role, id.as_str()));
                done(id.as_str())
            }
            Order::DeleteCopy(id) => {
                let Some(index) = self.copy(id) else { return done(id) };
                let is_used = |it: &Disk| {
                    it.it.status == VolumeStatus::Creating && matches!(&it.it.origin, Origin::Snapshot(from) if from.as_str() == id)
                };
                if self.copies[index].it.status == CopyStatus::Creating || self.volumes.iter().any(is_used) {
                    let problem = if self.is_scaleway() { refused } else { not_done };
                    return Err(problem("the copy is in use"));
                }
                let gone = self.copies.remove(index);
                let role = gone.it.tags.role().unwrap_or(Role::Root);
                if gone.it.status == CopyStatus::Ready {
                    deed.losses.extend(self.judge(&gone.bytes, role, id));
                }
                done(id)
            }
            Order::ReleaseAddress(id) => {
                if !self.is_local() && self.addresses.iter().any(|it| it.id == *id && it.server.is_some()) {
                    return Err(not_done("the address is in use"));
                }
                for machine in self.servers.iter_mut().filter(|it| it.it.address.as_ref() == Some(id)) {
                    machine.it.address = None;
                }
                self.addresses.retain(|it| it.id != *id);
                done(id.as_str())
            }
            Order::DeleteFirewall(id) => {
                let is_linode = self.is_linode();
                for machine in self.servers.iter_mut().filter(|it| it.it.firewall.as_ref() == Some(id)) {
                    if !is_linode {
                        return Err(not_done("the firewall is in use"));
                    }
                    machine.it.firewall = None;
                }
                self.firewalls.retain(|it| it.id != *id);
                done(id.as_str())
            }
        }
    }

    fn create_volume(&mut self, new: &NewVolume) -> Result<String, Problem> {
        self.check_volume_name(&new.name, "")?;
        let bytes = match &new.from {
            None => self.fresh_bytes(),
            Some(from) => {
                let index = self.copy(from.as_str()).ok_or_else(|| refused("no such snapshot"))?;
                if self.copies[index].it.status != CopyStatus::Ready {
                    let problem = if self.is_scaleway() { refused } else { not_done };
                    return Err(problem("the snapshot is not available"));
                }
                self.copies[index].bytes.clone()
            }
        };
        let (id, created): (Id<Volume>, _) = (self.id("vol"), self.stamp());
        let text = id.to_string();
        let it = Volume {
            id,
            name: new.name.clone(),
            size_gb: new.size_gb,
            status: VolumeStatus::Creating,
            attached_to: None,
            created,
            last_held: LastHeld::Never,
            origin: new.from.clone().map_or(Origin::Empty, Origin::Snapshot),
            iops: new.iops,
            tags: new.tags.clone(),
        };
        self.volumes.push(Disk { it, bytes, hidden: false, growing: None });
        Ok(text)
    }

    fn create_server(&mut self, new: &NewServer) -> Result<String, Problem> {
        self.check_server_name(&new.name, "")?;
        let boot_volume = if let Boot::Volume(id) = &new.boot { Some(id.clone()) } else { None };
        if boot_volume.is_some() && !self.can.root_outlives_server {
            return Err(refused("servers boot from disks of their own"));
        }
        for id in boot_volume.iter().chain(&new.data) {
            let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
            // The local cloud boots from none that is still being made.
            let may_come = self.may_be_taken(index) && !(self.is_local() && boot_volume.as_ref() == Some(id));
            if !self.is_free(index) && !may_come {
                return Err(not_done("the volume is in use"));
            }
        }
        if let Some(address) = &new.address {
            let found = self.addresses.iter().find(|it| it.id == *address).ok_or_else(|| refused("no such address"))?;
            if self.is_held(found) {
                return Err(if self.is_linode() { refused("the address is in use") } else { not_done("the address is in use") });
            }
        }
        if new.firewall.as_ref().is_some_and(|id| self.firewalls.iter().all(|it| it.id != *id)) {
            return Err(refused("no such firewall"));
        }
        let local = match &new.boot {
            Boot::Volume(_) => None,
            Boot::Stock(_) if self.can.root_outlives_server => None,
            Boot::Stock(_) => Some(self.fresh_bytes()),
            Boot::Image(id) => {
                let index = self.copy(id.as_str()).ok_or_else(|| refused("no such image"))?;
                if self.copies[index].it.status != CopyStatus::Ready {
                    return Err(not_done("the image is not available"));
                }
                Some(self.copies[index].bytes.clone())
            }
        };
        let (id, created): (Id<Server>, _) = (self.id("srv"), self.stamp());
        let mut volumes = Vec::new();
        let root = match (&boot_volume, &local) {
            (Some(volume), _) => Root::Volume(volume.clone()),
            (None, Some(_)) => Root::Local { size_gb: new.root_gb },
            (None, None) => {
                let (bytes, volume): (_, Id<Volume>) = (self.fresh_bytes(), self.id("vol"));
                let created = self.stamp();
                let it = Volume {
                    id: volume.clone(),
                    name: "untagged".to_owned(),
                    size_gb: new.root_gb,
                    status: VolumeStatus::Available,
                    attached_to: None,
                    created,
                    last_held: LastHeld::Never,
                    // Scaleway makes it of a snapshot that is the vendor's.
                    origin: if self.is_scaleway() { Origin::Snapshot(Id::new(STOCK)) } else { Origin::Stock },
                    iops: None,
                    tags: Tags::default(),
                };
                self.volumes.push(Disk { it, bytes, hidden: false, growing: None });
                Root::Volume(volume)
            }
        };
        if let Root::Volume(volume) = &root {
            volumes.push(volume.clone());
        }
        volumes.extend(new.data.clone());
        for volume in &volumes {
            if let Some(index) = self.volume(volume.as_str()) {
                self.volumes[index].it.attached_to = Some(id.clone());
                self.volumes[index].it.status = VolumeStatus::InUse;
            }
        }
        for address in self.addresses.iter_mut().filter(|it| Some(&it.id) == new.address.as_ref()) {
            address.server = Some(id.clone());
        }
        let text = id.to_string();
        let takes = self.can.durations.create_server > self.can.durations.call;
        let own_address = (self.can.own_address && new.address.is_none()).then(|| "203.0.113.9".to_owned());
        let mut it = Server {
            id,
            name: new.name.clone(),
            machine_type: new.machine_type.clone(),
            power: if takes { Power::Busy } else { Power::Off },
            created,
            root,
            volumes,
            address: new.address.clone(),
            firewall: new.firewall.clone().or_else(|| self.is_scaleway().then(|| Id::new(DEFAULT))),
            off_since: Some(created),
            ran: Ran::Never,
            seed: if self.is_scaleway() { Seed::Missing } else { Seed::Untold },
            locked: false,
            told: Told { own_address, watchdog: self.can.watchdog.then_some(true), ..Told::default() },
            tags: new.tags.clone(),
        };
        // What Linode does not tell, its hands write down.
        if self.is_linode() {
            it.tags = it.tags.with_value("gb", &new.root_gb.to_string());
        }
        let boots_from = it.volumes.first().filter(|_| local.is_none()).cloned();
        self.servers.push(Machine { it, local, boots_from, hidden: false });
        Ok(text)
    }

    fn retag(&mut self, object: &Object, tags: &Tags, name: Option<&str>) -> Result<String, Problem> {
        let id = object.id();
        if let Object::Server(id) = object {
            self.staying(id.as_str(), "the server is gone")?;
        }
        if let (Some(name), Object::Server(_)) = (name, object) {
            self.check_server_name(name, id)?;
        }
        // At Linode a volume's name is its path in the guest, and stays.
        let name = name.filter(|_| !(self.is_linode() && matches!(object, Object::Volume(_))));
        if let (Some(name), Object::Volume(_)) = (name, object) {
            self.check_volume_name(name, id)?;
        }
        let gone = self.gone("the object is gone");
        let mut nothing = String::new();
        let slot = match object {
            Object::Server(id) => self.servers.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Volume(id) => self.volumes.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Snapshot(id) => self.copies.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Image(id) => {
                let found = self.copies.iter_mut().find(|it| it.it.id.as_str() == id.as_str());
                found.map(|it| (&mut it.it.tags, &mut it.it.name))
            }
            Object::Address(id) => self.addresses.iter_mut().find(|it| it.id == *id).map(|it| (&mut it.tags, &mut nothing)),
            Object::Firewall(id) => self.firewalls.iter_mut().find(|it| it.id == *id).map(|it| (&mut it.tags, &mut it.name)),
        };
        let (its_tags, its_name) = slot.ok_or(gone)?;
        its_tags.clone_from(tags);
        if let Some(name) = name {
            name.clone_into(its_name);
        }
        if let Object::Server(id) = object {
            self.touch(id.as_str());
        }
        Ok(id.to_owned())
    }

    /// Somebody changed a server: at Scaleway nothing tells any more that it never ran.
    fn touch(&mut self, id: &str) {
        if let Some(index) = self.server(id).filter(|_| self.is_scaleway()) {
            self.servers[index].it.ran = Ran::Maybe;
        }
    }

    pub fn start(&mut self, id: &str) -> Result<String, Problem> {
        let index = self.server(id).ok_or_else(|| self.gone("the server is gone"))?;
        let machine = &self.servers[index].it;
        // Protection is against the end of a machine, not its beginning.
        match machine.power {
            Power::Off | Power::StoppedInPlace => {}
            Power::Running | Power::Starting if self.is_linode() => return Ok(id.to_owned()),
            _ => return Err(not_done("the server is not off")),
        }
        if machine.root == Root::Detached {
            return Err(not_done("the server has no root disk"));
        }
        self.write_all(index);
        let machine = &mut self.servers[index].it;
        machine.power = Power::Starting;
        machine.ran = Ran::Maybe;
        machine.off_since = None;
        Ok(id.to_owned())
    }

    pub fn detach(&mut self, server: &str, volume: &str) -> Result<(), Problem> {
        let (index, found) = self.check_leave(server, volume)?;
        if !self.is_scaleway() {
            self.volumes[found].it.status = VolumeStatus::Detaching;
        }
        let machine = &mut self.servers[index].it;
        machine.volumes.retain(|it| it.as_str() != volume);
        if matches!(&machine.root, Root::Volume(id) if id.as_str() == volume) {
            machine.root = Root::Detached;
        }
        Ok(())
    }

    /// Whether a volume may be taken off a server now: where both are, or why not.
    fn check_leave(&self, server: &str, volume: &str) -> Result<(usize, usize), Problem> {
        let index = self.server(server).ok_or_else(|| self.gone("the server is gone"))?;
        let power = &self.servers[index].it.power;
        // Also a root disk, from a machine that runs.
        let is_settled = matches!(power, Power::Off | Power::Running | Power::StoppedInPlace);
        if !is_settled && !(self.is_linode() && *power != Power::Deleting) {
            return Err(not_done("the server is on its way"));
        }
        if !self.servers[index].it.volumes.iter().any(|it| it.as_str() == volume) {
            return Err(not_done("the volume is not attached"));
        }
        let found = self.volume(volume).ok_or_else(|| refused("no such volume"))?;
        if self.volumes[found].it.status == VolumeStatus::Busy {
            return Err(not_done("the volume is busy"));
        }
        Ok((index, found))
    }

    fn attach(&mut self, server: &Id<Server>, volume: &Id<Volume>, role: Role) -> Result<String, Problem> {
        let index = self.server(server.as_str()).ok_or_else(|| self.gone("the server is gone"))?;
        if !self.is_local() && self.servers[index].it.volumes.contains(volume) {
            return Ok(volume.to_string());
        }
        let is_settled = matches!(self.servers[index].it.power, Power::Off | Power::Running | Power::StoppedInPlace);
        if !is_settled && !(self.is_linode() && self.servers[index].it.power != Power::Deleting) {
            return Err(not_done("the server is not settled"));
        }
        let found = self.volume(volume.as_str()).ok_or_else(|| refused("no such volume"))?;
        if !self.may_be_taken(found) {
            return Err(not_done("the volume is in use"));
        }
        let as_root = if self.is_local() { self.would_boot_from(index, volume) } else { role == Role::Root };
        if as_root && self.servers[index].it.root != Root::Detached {
            return Err(not_done("the server has a root disk"));
        }
        self.volumes[found].it.status = VolumeStatus::InUse;
        self.volumes[found].it.attached_to = Some(server.clone());
        if as_root {
            self.servers[index].boots_from = Some(volume.clone());
            self.servers[index].it.root = Root::Volume(volume.clone());
            self.servers[index].it.volumes.insert(0, volume.clone());
        } else {
            self.servers[index].it.volumes.push(volume.clone());
        }
        if is_awake(&self.servers[index].it) {
            self.write(found);
        }
        Ok(volume.to_string())
    }

    /// Whether the local cloud takes a volume for the one that a server boots from: that one, or, where it is gone, the
    /// first to come.
    fn would_boot_from(&self, server: usize, volume: &Id<Volume>) -> bool {
        let machine = &self.servers[server];
        match &machine.boots_from {
            Some(own) if own == volume => true,
            Some(own) => self.volume(own.as_str()).is_none() && machine.it.volumes.is_empty(),
            None => false,
        }
    }

    fn snapshot(&mut self, volume: &str, tags: &Tags, deed: &mut Deed) -> Result<String, Problem> {
        let index = self.volume(volume).ok_or_else(|| refused("no such volume"))?;
        if !matches!(self.volumes[index].it.status, VolumeStatus::Available | VolumeStatus::InUse | VolumeStatus::Detaching) {
            return Err(not_done("the volume is busy"));
        }
        let bytes = self.volumes[index].bytes.clone();
        // A copy from before the detach proves nothing to somebody who sees stamps alone.
        let since = self.volumes[index].it.last_write();
        deed.redone = since.is_some_and(|since| self.is_copied(&bytes, since));
        deed.of_restless = self.may_be_written(volume);
        if deed.of_restless {
            self.write(index);
        }
        let (of, size_gb) = (self.volumes[index].it.id.clone(), self.volumes[index].it.size_gb);
        Ok(self.keep(of, size_gb, tags, bytes, false))
    }

    fn capture(&mut self, server: &str, tags: &Tags, deed: &mut Deed) -> Result<String, Problem> {
        let index = self.server(server).ok_or_else(|| refused("no such server"))?;
        let machine = &self.servers[index];
        if !matches!(machine.it.power, Power::Off | Power::Running) {
            return Err(not_done("the server is busy"));
        }
        let Some(bytes) = machine.local.clone() else { return Err(refused("the server has no disk of its own")) };
        let Root::Local { size_gb } = machine.it.root else { return Err(refused("the server has no disk of its own")) };
        let since = machine.it.off_since;
        deed.redone = since.is_some_and(|since| self.is_copied(&bytes, since));
        deed.of_restless = is_awake(&machine.it);
        if deed.of_restless {
            self.write_all(index);
        }
        Ok(self.keep(Id::new(server), size_gb, tags, bytes, true))
    }

    fn is_copied(&self, bytes: &Bytes, since: Stamp) -> bool {
        let live = self.copies.iter().filter(|it| matches!(it.it.status, CopyStatus::Ready | CopyStatus::Creating));
        live.into_iter().any(|it| it.bytes.head() == bytes.head() && it.it.created > since)
    }

    fn keep(&mut self, of: Id<Volume>, size_gb: u64, tags: &Tags, bytes: Bytes, of_local: bool) -> String {
        let (id, created): (Id<Snapshot>, _) = (self.id(if of_local { "img" } else { "snap" }), self.stamp());
        let text = id.to_string();
        let mut tags = tags.clone();
        if self.is_linode() {
            tags = tags.with_value("of", of.as_str());
        }
        let it = Snapshot { id, name: "copy".to_owned(), of, size_gb, status: CopyStatus::Creating, created, tags };
        self.copies.push(Kept { it, of_local, bytes, hidden: false });
        text
    }

    fn delete_server(&mut self, id: &str, off: bool, deed: &mut Deed) -> Result<String, Problem> {
        let Some(index) = self.server(id) else { return Ok(id.to_owned()) };
        let (protected, local) = (self.protected(), self.is_local());
        let machine = &mut self.servers[index];
        let allowed = match machine.it.power {
            Power::Off => true,
            Power::Running | Power::StoppedInPlace | Power::Busy => !off,
            _ => false,
        };
        if !allowed {
            return Err(not_done("the server is not off"));
        }
        if machine.it.locked && !(local && machine.it.power == Power::Off) {
            return Err(protected);
        }
        let was_off = machine.it.power == Power::Off;
        machine.it.power = Power::Deleting;
        if let Some(bytes) = machine.local.take() {
            deed.losses.extend(self.judge(&bytes, Role::Root, id));
        }
        if self.is_linode() {
            let machine = &mut self.servers[index].it;
            (machine.address, machine.firewall, machine.told.own_address) = (None, None, None);
            self.let_address_go(&Id::new(id));
        }
        if self.is_scaleway() {
            // The addresses are told a little later.
            self.servers[index].it.address = None;
            if was_off {
                self.end_server(index);
            }
        }
        Ok(id.to_owned())
    }

    /// A copy as the planner sees one of a server's own disk.
    pub fn image(kept: &Kept) -> Image {
        let it = &kept.it;
        Image {
            id: Id::new(it.id.as_str()),
            name: it.name.clone(),
            of: Id::new(it.of.as_str()),
            size_gb: it.size_gb,
            status: it.status.clone(),
            created: it.created,
            tags: it.tags.clone(),
        }
    }
}

/// Whether a guest may be writing: also of a server on its way out that was not off.
pub fn is_awake(server: &Server) -> bool {
    !matches!(server.power, Power::Off | Power::StoppedInPlace | Power::Busy) && server.off_since.is_none()
}
