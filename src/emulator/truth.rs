//! Everything the cloud knows, in one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Imitate;
use super::clock::{Moment, Timepiece};
use super::face::Order;
use super::fault::Faults;
use super::ledger::Ledger;
use super::linode;
use super::market::Market;
use super::objects::{Address, CopyState, Firewall, Image, Object, Server, Snapshot, Volume, VolumeState};
use super::refusal::Refusal;
use super::scaleway;

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
    /// The vendor it stands in for.
    #[serde(default)]
    pub market: Market,
    /// What ids that look random are made from.
    #[serde(default)]
    pub seed: u64,
    /// The first two numbers of its servers' addresses, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<[u8; 2]>,
    /// How time passes.
    pub clock: Timepiece,
    /// The latest moment anything was written; time does not go back behind it.
    pub latest: Moment,
    /// The latest stamp given to an object; stamps are unique.
    pub last_stamp: Moment,
    /// The number in the latest id.
    pub last_id: u64,
    /// The number of the latest address.
    pub last_address: u32,
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
    /// What only Scaleway's API knows of its objects.
    #[serde(default)]
    pub scaleway: scaleway::Details,
    /// What only Linode's API knows of its objects.
    #[serde(default)]
    pub linode: linode::Details,
}

/// Something that will happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub due: Moment,
    /// What.
    pub effect: Effect,
    /// How many times as long as usual it takes, and so will what follows from it.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub factor: u64,
}

fn usual() -> u64 {
    1
}

fn is_usual(factor: &u64) -> bool {
    *factor == 1
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
    /// A guest that reboots is down, and comes up again.
    Rebooting(String),
    /// A server that found no machine to start on is stopped again.
    TurnedAway(String),
    /// A request takes effect whose caller was never answered.
    Late(Order),
    /// Something only Scaleway's API shows.
    Scaleway(scaleway::Change),
    /// Something only Linode's API shows.
    Linode(linode::Change),
}

impl Truth {
    /// The address with a number.
    pub(super) fn dotted(&self, number: u32) -> String {
        self.market.dotted(number, self.network)
    }

    /// An empty cloud.
    pub(super) fn new(imitate: Imitate, market: Market, seed: u64, clock: Timepiece) -> Truth {
        Truth {
            version: VERSION,
            generation: 0,
            imitate,
            market,
            seed,
            network: None,
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
            scaleway: scaleway::Details::default(),
            linode: linode::Details::default(),
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
        let server = self.servers.get(id).cloned().map(Object::Server);
        let volume = || self.volumes.get(id).cloned().map(Object::Volume);
        let snapshot = || self.snapshots.get(id).cloned().map(Object::Snapshot);
        let image = || self.images.get(id).cloned().map(Object::Image);
        let address = || self.addresses.get(id).cloned().map(Object::Address);
        let firewall = || self.firewalls.get(id).cloned().map(Object::Firewall);
        server.or_else(volume).or_else(snapshot).or_else(image).or_else(address).or_else(firewall)
    }

    /// The tags of the object of this id.
    pub(super) fn tags_mut(&mut self, id: &str) -> Result<&mut Vec<String>, Refusal> {
        let server = self.servers.get_mut(id).map(|object| &mut object.tags);
        let volume = self.volumes.get_mut(id).map(|object| &mut object.tags);
        let snapshot = self.snapshots.get_mut(id).map(|object| &mut object.tags);
        let image = self.images.get_mut(id).map(|object| &mut object.tags);
        let address = self.addresses.get_mut(id).map(|object| &mut object.tags);
        let firewall = self.firewalls.get_mut(id).map(|object| &mut object.tags);
        let tags = server.or(volume).or(snapshot).or(image).or(address).or(firewall);
        tags.ok_or_else(|| Refusal::not_found("object", id))
    }

    /// The name of the object of this id.
    pub(super) fn name_mut(&mut self, id: &str) -> Result<&mut String, Refusal> {
        let server = self.servers.get_mut(id).map(|object| &mut object.name);
        let volume = self.volumes.get_mut(id).map(|object| &mut object.name);
        let snapshot = self.snapshots.get_mut(id).map(|object| &mut object.name);
        let image = self.images.get_mut(id).map(|object| &mut object.name);
        let firewall = self.firewalls.get_mut(id).map(|object| &mut object.name);
        let name = server.or(volume).or(snapshot).or(image).or(firewall);
        name.ok_or_else(|| Refusal::not_found("object with a name", id))
    }

    /// How many objects of a kind there are.
    pub(super) fn count(&self, kind: &str) -> usize {
        match kind {
            "server" => self.servers.len(),
            "volume" => self.volumes.len(),
            "snapshot" => self.snapshots.len(),
            "image" => self.images.len() + self.scaleway.images.len(),
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
        let volume = self.volumes.get(file).map(|it| it.state != VolumeState::Error);
        let snapshot = || self.snapshots.get(file).map(|it| it.state == CopyState::Available);
        let image = || self.images.get(file).map(|it| it.state == CopyState::Available);
        volume.or_else(snapshot).or_else(image).unwrap_or(true)
    }
}
