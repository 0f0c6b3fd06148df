//! The truth: an abstract cloud that knows which version of a disk's bytes lives where, and what a call does to it.
//!
//! It holds no bytes, no HTTP and no clock of its own. Whatever takes time waits as a pending change until a
//! [`Cloud::settle`] lets it come to pass, in any order.

mod births;
mod deeds;

use super::order::Order;
use cloudypad::{
    model::{
        Address, Capabilities, CopyStatus, Firewall, Id, Image, LastHeld, Power, Record, Role, Seen, Server, Snapshot, Stamp, Volume,
        VolumeStatus, World,
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
    /// It is to start, and that has not begun.
    pub starts: bool,
    /// It runs, and Linode is not quite done with starting it.
    pub lingers: bool,
    /// Its end was ordered here; an odd beginning shows what it says instead.
    pub ends: bool,
    /// The type that it is becoming.
    pub becomes: Option<String>,
}

/// A volume, with its bytes.
#[derive(Clone, Debug)]
pub struct Disk {
    pub it: Volume,
    pub bytes: Bytes,
    pub hidden: bool,
    /// The size that it is to have, while it grows.
    pub growing: Option<u64>,
    /// It came to a server that runs, whose guest at Linode does not have it yet.
    pub plugs: bool,
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

    pub fn is_linode(&self) -> bool {
        self.can.provider == "linode"
    }

    pub fn is_scaleway(&self) -> bool {
        self.can.provider == "scaleway"
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
        let changing = |it: &VolumeStatus| {
            matches!(it, VolumeStatus::Creating | VolumeStatus::Detaching | VolumeStatus::Busy | VolumeStatus::Deleting)
        };
        let waits = |it: &Machine| moving(&it.it.power) || it.starts || it.lingers;
        let servers = self.servers.iter().enumerate().filter(|(_, it)| waits(it)).map(|(index, _)| Pending::Server(index));
        let volumes = self.volumes.iter().enumerate();
        let volumes = volumes.filter(|(_, it)| changing(&it.it.status) || it.plugs || self.is_leaving_unnoticed(&it.it));
        let volumes = volumes.map(|(index, _)| Pending::Volume(index));
        let making = |it: &CopyStatus| matches!(it, CopyStatus::Creating | CopyStatus::Deleting);
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
                    VolumeStatus::Deleting => {
                        self.volumes.remove(index);
                    }
                    VolumeStatus::InUse if disk.plugs => disk.plugs = false,
                    VolumeStatus::InUse if unnoticed => disk.it.status = VolumeStatus::Detaching,
                    // It grows on its way.
                    VolumeStatus::Detaching if disk.growing.is_some() => disk.it.size_gb = disk.growing.take().unwrap_or_default(),
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
            Pending::Copy(index) if self.copies[index].it.status == CopyStatus::Deleting => {
                self.copies.remove(index);
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
            Power::Off => self.begin_start(index),
            Power::Running => self.servers[index].lingers = false,
            Power::Starting => {
                machine.power = Power::Running;
                self.servers[index].lingers = is_linode;
            }
            Power::Stopping => {
                machine.power = Power::Off;
                machine.off_since = machine.off_since.or(Some(stamp));
            }
            Power::Busy => {
                machine.power = Power::Off;
                // Linode tells since when a disk is quiet by the end of what was done to its server.
                if is_linode {
                    machine.off_since = Some(stamp);
                }
                let machine = &mut self.servers[index];
                if let Some(becomes) = machine.becomes.take() {
                    machine.it.machine_type = becomes;
                }
                if machine.starts {
                    self.begin_start(index);
                }
            }
            Power::Deleting => self.end_server(index),
            _ => {}
        }
    }

    /// A server begins to start.
    pub fn begin_start(&mut self, index: usize) {
        self.write_all(index);
        let machine = &mut self.servers[index];
        machine.starts = false;
        machine.it.power = Power::Starting;
        machine.it.ran = cloudypad::model::Ran::Maybe;
        machine.it.off_since = None;
    }

    /// Whether Linode is at work on a server, and takes no orders that would disturb that.
    pub fn is_busy(&self, index: usize) -> bool {
        let machine = &self.servers[index];
        let imaged = |it: &Kept| it.of_local && it.it.status == CopyStatus::Creating && it.it.of.as_str() == machine.it.id.as_str();
        self.is_linode() && (machine.lingers || machine.starts || self.copies.iter().any(imaged))
    }

    /// A server is on its way out. What was on its own disk.
    pub fn send_off(&mut self, index: usize) -> Option<Bytes> {
        let (is_linode, is_scaleway) = (self.is_linode(), self.is_scaleway());
        let machine = &mut self.servers[index];
        let (id, was_off) = (machine.it.id.clone(), machine.it.power == Power::Off);
        machine.it.power = Power::Deleting;
        machine.ends = true;
        let bytes = machine.local.take();
        if is_linode {
            (machine.it.address, machine.it.firewall, machine.it.told.own_address) = (None, None, None);
            (machine.starts, machine.lingers) = (false, false);
            self.let_address_go(&id);
            // An image that is being made of its disk comes to nothing.
            self.copies.retain(|it| !(it.of_local && it.it.status == CopyStatus::Creating && it.it.of.as_str() == id.as_str()));
        } else if is_scaleway {
            // The list of addresses is told a little later.
            machine.it.address = None;
            if was_off {
                self.end_server(index);
            }
        }
        bytes
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
