//! The nouns of the cloud: what it holds for its customers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::clock::Moment;

/// The condition of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerState {
    /// Off, and no machine is held for it.
    Stopped,
    /// On its way to running.
    Starting,
    /// Running.
    Running,
    /// On its way to one of the stopped states.
    Stopping,
    /// Shut down from inside: off, but its machine is still held and billed.
    StoppedInPlace,
    /// On its way out.
    Deleting,
    /// Taken out of the customer's hands by the cloud.
    Locked,
}

impl fmt::Display for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServerState::Stopped => "stopped",
            ServerState::Starting => "starting",
            ServerState::Running => "running",
            ServerState::Stopping => "stopping",
            ServerState::StoppedInPlace => "stopped-in-place",
            ServerState::Deleting => "deleting",
            ServerState::Locked => "locked",
        })
    }
}

/// The condition of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeState {
    /// Not usable yet.
    Creating,
    /// Usable, and used by nobody.
    Available,
    /// Attached to a server, be it running or not.
    InUse,
    /// On its way from in use to available.
    Detaching,
    /// Growing.
    Resizing,
    /// Broken.
    Error,
}

impl fmt::Display for VolumeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VolumeState::Creating => "creating",
            VolumeState::Available => "available",
            VolumeState::InUse => "in-use",
            VolumeState::Detaching => "detaching",
            VolumeState::Resizing => "resizing",
            VolumeState::Error => "error",
        })
    }
}

/// The condition of a snapshot or an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyState {
    /// Not usable yet.
    Creating,
    /// Usable.
    Available,
    /// Broken.
    Error,
}

impl fmt::Display for CopyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyState::Creating => "creating",
            CopyState::Available => "available",
            CopyState::Error => "error",
        })
    }
}

/// What a server boots from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// A volume, by id; it outlives the server, and may be detached for now.
    Volume(String),
    /// A local disk, which dies with the server.
    Disk {
        /// Its id.
        id: String,
        /// Its size in GB.
        size_gb: u64,
    },
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its id, such as `srv-0001`.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// The customer's name for it.
    pub name: String,
    /// Its server type, by name.
    pub kind: String,
    /// Its condition.
    pub state: ServerState,
    /// When it was created.
    pub created: Moment,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// The stock image label or private image id it was born from, if any.
    pub image: Option<String>,
    /// What it boots from.
    pub root: Option<Root>,
    /// Ids of the attached volumes in order, a root volume first.
    pub volumes: Vec<String>,
    /// Id of its reserved address.
    pub address: Option<String>,
    /// Id of its firewall.
    pub firewall: Option<String>,
    /// Whether it was ever ordered to start.
    pub ever_started: bool,
    /// Since when its guest has been off, once it was on.
    pub off_since: Option<Moment>,
    /// Whether it refuses to be powered off or terminated.
    pub protected: bool,
    /// Whether its volumes on the machine's own disks go when it goes.
    #[serde(default)]
    pub takes_local_disks: bool,
    /// Further local disks by id, which die with it as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<String>,
}

impl Server {
    /// Whether a guest may be writing to its disks now.
    pub fn may_write(&self) -> bool {
        self.ever_started && self.off_since.is_none()
    }

    /// Ids of all its disk files: attached volumes and local disks.
    pub(super) fn files(&self) -> Vec<String> {
        let local = match &self.root {
            Some(Root::Disk { id, .. }) => Some(id.clone()),
            _ => None,
        };
        self.volumes.iter().cloned().chain(local).chain(self.disks.iter().cloned()).collect()
    }
}

/// A network disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// `vol-0001`.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// The customer's name for it.
    pub name: String,
    /// Its size in GB (10^9 bytes).
    pub size_gb: u64,
    /// Its condition.
    pub state: VolumeState,
    /// The server that references it, until a detach is complete.
    pub server: Option<String>,
    /// When it was created.
    pub created: Moment,
    /// When it last became available again after a detach.
    pub last_detached: Option<Moment>,
    /// The snapshot it was created from, by id.
    pub from_snapshot: Option<String>,
    /// The stock image it was created from, by label.
    pub from_image: Option<String>,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// Whether it lies on the machine's own disks: it costs nothing by itself, and joins and leaves a server at once.
    #[serde(default)]
    pub local: bool,
    /// Whether nobody may count on its bytes: it goes when it leaves its server, and that is no loss.
    #[serde(default)]
    pub ephemeral: bool,
}

/// A copy of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `snap-0001`.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// The customer's name for it.
    pub name: String,
    /// Its size in GB.
    pub size_gb: u64,
    /// The volume it is a copy of, by id, kept when that is gone.
    pub volume: String,
    /// Its condition.
    pub state: CopyState,
    /// When it was created.
    pub created: Moment,
    /// The customer's tags.
    pub tags: Vec<String>,
}

/// A private image: a copy of a local disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `img-0001`.
    pub id: String,
    /// Where it was made.
    pub zone: String,
    /// The customer's name for it.
    pub name: String,
    /// Its size in GB.
    pub size_gb: u64,
    /// The server it was captured from, by id.
    pub server: String,
    /// The local disk it was captured from, by id.
    pub disk: String,
    /// Its condition.
    pub state: CopyState,
    /// When it was created.
    pub created: Moment,
    /// The customer's tags.
    pub tags: Vec<String>,
}

/// A reserved address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `ip-0001`.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// The IPv4 address.
    pub address: String,
    /// The server it belongs to now.
    pub server: Option<String>,
    /// When it was reserved.
    pub created: Moment,
    /// The customer's tags.
    pub tags: Vec<String>,
}

/// A set of rules for who may reach a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// `fw-0001`.
    pub id: String,
    /// Where it is.
    pub zone: String,
    /// The customer's name for it.
    pub name: String,
    /// What is let in.
    pub rules: Vec<Rule>,
    /// When it was created.
    pub created: Moment,
    /// The customer's tags.
    pub tags: Vec<String>,
}

/// One thing a firewall lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// A port or a range, such as `47984-48010`.
    pub ports: String,
    /// The network let in, such as `0.0.0.0/0`.
    pub from: String,
}

/// Any object of the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// A machine.
    Server(Server),
    /// A network disk.
    Volume(Volume),
    /// A copy of a volume.
    Snapshot(Snapshot),
    /// A copy of a local disk.
    Image(Image),
    /// A reserved address.
    Address(Address),
    /// A firewall.
    Firewall(Firewall),
}
