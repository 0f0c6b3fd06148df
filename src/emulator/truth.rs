//! Everything the cloud knows, in one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Imitate;
use super::clock::{Moment, Timepiece};
use super::fault::Faults;
use super::ledger::Ledger;
use super::objects::{Address, CopyState, Firewall, Image, Object, Server, Snapshot, Volume, VolumeState};
use super::refusal::Refusal;

/// The layout of the file that this code reads and writes.
pub const VERSION: u32 = 1;

/// What the cloud really holds. The first two fields come first in the file as well: they are its
/// head, by which a cached copy is known to be fresh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The layout of the file.
    pub version: u32,
    /// Counts the writes of the file.
    pub generation: u64,
    /// Which sort of cloud this is.
    pub imitate: Imitate,
    /// How time passes.
    pub clock: Timepiece,
    /// The latest moment anything was written; time does not go back behind it.
    pub latest: Moment,
    /// The latest stamp given to an object; stamps are unique.
    pub last_stamp: Moment,
    /// The number in the latest id.
    pub last_id: u64,
    /// The last part of the latest address.
    pub last_address: u8,
    /// Servers by id.
    pub servers: BTreeMap<String, Server>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, Volume>,
    /// Snapshots by id.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Private images by id.
    pub images: BTreeMap<String, Image>,
    /// Reserved addresses by id.
    pub addresses: BTreeMap<String, Address>,
    /// Firewalls by id.
    pub firewalls: BTreeMap<String, Firewall>,
    /// What is yet to happen by itself.
    pub transitions: Vec<Transition>,
    /// What is to go wrong.
    pub faults: Faults,
    /// What was lost, and what it all costs.
    pub ledger: Ledger,
}

/// Something that will happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub due: Moment,
    /// What.
    pub effect: Effect,
}

/// What may happen by itself; each names its object by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A server runs.
    Started(String),
    /// A server is stopped.
    Stopped(String),
    /// A server is stopped in place.
    StoppedInPlace(String),
    /// A server is gone.
    ServerGone(String),
    /// A new volume is usable.
    VolumeReady(String),
    /// A volume is free of its server.
    VolumeDetached(String),
    /// A volume has its new size.
    VolumeResized {
        /// The volume.
        volume: String,
        /// The new size in GB.
        size_gb: u64,
    },
    /// A snapshot is usable.
    SnapshotReady(String),
    /// An image is usable.
    ImageReady(String),
}

impl Truth {
    /// An empty cloud.
    pub(super) fn new(imitate: Imitate, clock: Timepiece) -> Truth {
        Truth {
            version: VERSION,
            generation: 0,
            imitate,
            clock,
            latest: Moment::default(),
            last_stamp: Moment::default(),
            last_id: 0,
            last_address: 0,
            servers: BTreeMap::new(),
            volumes: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            images: BTreeMap::new(),
            addresses: BTreeMap::new(),
            firewalls: BTreeMap::new(),
            transitions: Vec::new(),
            faults: Faults::default(),
            ledger: Ledger::default(),
        }
    }

    pub(super) fn server(&self, id: &str) -> Result<&Server, Refusal> {
        self.servers.get(id).ok_or_else(|| Refusal::not_found("server", id))
    }

    pub(super) fn server_mut(&mut self, id: &str) -> Result<&mut Server, Refusal> {
        self.servers.get_mut(id).ok_or_else(|| Refusal::not_found("server", id))
    }

    pub(super) fn volume(&self, id: &str) -> Result<&Volume, Refusal> {
        self.volumes.get(id).ok_or_else(|| Refusal::not_found("volume", id))
    }

    pub(super) fn volume_mut(&mut self, id: &str) -> Result<&mut Volume, Refusal> {
        self.volumes.get_mut(id).ok_or_else(|| Refusal::not_found("volume", id))
    }

    pub(super) fn snapshot(&self, id: &str) -> Result<&Snapshot, Refusal> {
        self.snapshots.get(id).ok_or_else(|| Refusal::not_found("snapshot", id))
    }

    pub(super) fn image(&self, id: &str) -> Result<&Image, Refusal> {
        self.images.get(id).ok_or_else(|| Refusal::not_found("image", id))
    }

    pub(super) fn address(&self, id: &str) -> Result<&Address, Refusal> {
        self.addresses.get(id).ok_or_else(|| Refusal::not_found("address", id))
    }

    pub(super) fn firewall(&self, id: &str) -> Result<&Firewall, Refusal> {
        self.firewalls.get(id).ok_or_else(|| Refusal::not_found("firewall", id))
    }

    /// The object of this id, whatever its kind.
    pub fn object(&self, id: &str) -> Option<Object> {
        match prefix(id) {
            "srv" => self.servers.get(id).cloned().map(Object::Server),
            "vol" => self.volumes.get(id).cloned().map(Object::Volume),
            "snap" => self.snapshots.get(id).cloned().map(Object::Snapshot),
            "img" => self.images.get(id).cloned().map(Object::Image),
            "ip" => self.addresses.get(id).cloned().map(Object::Address),
            "fw" => self.firewalls.get(id).cloned().map(Object::Firewall),
            _ => None,
        }
    }

    /// The tags of the object of this id.
    pub(super) fn tags_mut(&mut self, id: &str) -> Result<&mut Vec<String>, Refusal> {
        let tags = match prefix(id) {
            "srv" => self.servers.get_mut(id).map(|object| &mut object.tags),
            "vol" => self.volumes.get_mut(id).map(|object| &mut object.tags),
            "snap" => self.snapshots.get_mut(id).map(|object| &mut object.tags),
            "img" => self.images.get_mut(id).map(|object| &mut object.tags),
            "ip" => self.addresses.get_mut(id).map(|object| &mut object.tags),
            "fw" => self.firewalls.get_mut(id).map(|object| &mut object.tags),
            _ => None,
        };
        tags.ok_or_else(|| Refusal::not_found("object", id))
    }

    /// The name of the object of this id.
    pub(super) fn name_mut(&mut self, id: &str) -> Result<&mut String, Refusal> {
        let name = match prefix(id) {
            "srv" => self.servers.get_mut(id).map(|object| &mut object.name),
            "vol" => self.volumes.get_mut(id).map(|object| &mut object.name),
            "snap" => self.snapshots.get_mut(id).map(|object| &mut object.name),
            "img" => self.images.get_mut(id).map(|object| &mut object.name),
            "fw" => self.firewalls.get_mut(id).map(|object| &mut object.name),
            _ => None,
        };
        name.ok_or_else(|| Refusal::not_found("object with a name", id))
    }

    /// How many objects of a kind there are.
    pub(super) fn count(&self, kind: &str) -> usize {
        match kind {
            "server" => self.servers.len(),
            "volume" => self.volumes.len(),
            "snapshot" => self.snapshots.len(),
            "image" => self.images.len(),
            "address" => self.addresses.len(),
            "firewall" => self.firewalls.len(),
            _ => 0,
        }
    }

    /// Whether the guest of the server that references this volume may be writing to it.
    pub(super) fn is_written(&self, volume: &Volume) -> bool {
        let server = volume.server.as_ref().and_then(|id| self.servers.get(id));
        server.is_some_and(Server::may_write)
    }

    /// Whether a disk file can be read back: a disk, or a copy that is complete.
    pub(super) fn is_whole(&self, file: &str) -> bool {
        match prefix(file) {
            "vol" => self.volumes.get(file).is_some_and(|it| it.state != VolumeState::Error),
            "snap" => self.snapshots.get(file).is_some_and(|it| it.state == CopyState::Available),
            "img" => self.images.get(file).is_some_and(|it| it.state == CopyState::Available),
            _ => true,
        }
    }
}

/// The part of an id that tells its kind.
fn prefix(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}
