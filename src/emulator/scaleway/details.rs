//! What only this vendor's API knows of the objects: its part of the truth. Names, tags, zones and conditions are the
//! core's; sizes here are exact, in bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::Availability;
use super::keys::{Keys, default_project};
use super::placement_groups::PlacementGroup;
use super::private_nics::PrivateNic;
use super::records::Records;
use crate::emulator::{Moment, Truth};

/// Bytes of a GB, as disks are sold.
pub const GB: u64 = 1_000_000_000;

/// Everything, by the ids of the core's objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The one organisation: as for a personal account, the id of its first project.
    pub organization: Option<String>,
    /// Of servers.
    pub servers: BTreeMap<String, ServerDetails>,
    /// Of volumes.
    pub volumes: BTreeMap<String, VolumeDetails>,
    /// Of snapshots.
    pub snapshots: BTreeMap<String, SnapshotDetails>,
    /// Images, which are lists of snapshots and have no bytes of their own.
    pub images: BTreeMap<String, ImageDetails>,
    /// Of addresses.
    pub addresses: BTreeMap<String, AddressDetails>,
    /// Of security groups.
    pub groups: BTreeMap<String, GroupDetails>,
    /// Placement groups.
    pub placement_groups: BTreeMap<String, PlacementGroup>,
    /// Private NICs of servers.
    pub private_nics: BTreeMap<String, PrivateNic>,
    /// SSH keys.
    pub keys: Keys,
    /// DNS records.
    pub records: Records,
    /// What is not simply available, by `zone/TYPE`.
    pub stock: BTreeMap<String, Availability>,
    /// Whether a shortage makes creating a server fail as well, and not only starting it.
    pub stock_at_create: bool,
}

/// What a slot of a server holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The volume.
    pub volume: String,
    /// Whether the server was told to boot from it.
    pub boot: bool,
}

/// An address that comes with starting and goes with stopping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dynamic {
    /// Its id, which no list of addresses knows.
    pub id: String,
    /// The IPv4 address.
    pub address: String,
    /// Whether the guest does not have it yet.
    pub pending: bool,
}

/// Of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerDetails {
    /// Its project.
    pub project: String,
    /// Its name at birth.
    pub hostname: String,
    /// `local` or `rescue`.
    pub boot_type: String,
    /// Whether it gets an address of its own while it runs.
    pub dynamic_ip_required: bool,
    /// The image it was born from, as that looked then.
    pub image: Option<Value>,
    /// What it does, in words.
    pub detail: String,
    /// Its volumes by number.
    pub slots: BTreeMap<u8, Slot>,
    /// Its reserved addresses, the first one first.
    pub public_ips: Vec<String>,
    /// Its own address, while it has one.
    pub dynamic: Option<Dynamic>,
    /// User data by key; each character stands for the byte of its number.
    pub user_data: BTreeMap<String, String>,
    /// The last four bytes of its MAC address.
    pub mac: u32,
    /// Whether it has a machine: its location is known.
    pub placed: bool,
    /// The placement group it was put in.
    pub placement_group: Option<String>,
    /// The key its administrator's password is to be encrypted with (Windows).
    pub admin_key: Option<String>,
    /// When it last changed.
    pub modified: Moment,
}

/// Where a volume or snapshot lies, as the API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// In the block storage.
    Sbs,
    /// On the machine's own disks.
    LSsd,
    /// The same, for what nobody keeps: gone when it leaves its server.
    Scratch,
}

impl Kind {
    /// The kind of a `volume_type`.
    pub fn of(word: &str) -> Option<Kind> {
        match word {
            "sbs_volume" | "sbs_snapshot" => Some(Kind::Sbs),
            "l_ssd" | "unified" => Some(Kind::LSsd),
            "scratch" => Some(Kind::Scratch),
            _ => None,
        }
    }

    /// The `volume_type` of a volume of this kind.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Sbs => "sbs_volume",
            Kind::LSsd => "l_ssd",
            Kind::Scratch => "scratch",
        }
    }
}

/// The bond between a block volume and its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created: Moment,
    /// How far it has come.
    pub stage: Stage,
}

/// How far the bond between a volume and its server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is being made with its server, which takes it for granted.
    Joining,
    /// It is being made.
    Attaching,
    /// It holds; also while nobody has noticed yet that it is to end.
    Attached,
    /// It is being undone.
    Detaching,
}

impl Stage {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Joining | Stage::Attaching => "attaching",
            Stage::Attached => "attached",
            Stage::Detaching => "detaching",
        }
    }
}

/// Of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeDetails {
    /// Where it lies.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// The size it is about to have.
    pub growing_to: Option<u64>,
    /// Its project.
    pub project: String,
    /// Operations per second.
    pub iops: u64,
    /// The snapshot it was made from, which may be the vendor's.
    pub parent: Option<String>,
    /// Its bond with a server.
    pub reference: Option<Reference>,
    /// The key it is encrypted with, if it is the customer's.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// When it last changed.
    pub modified: Moment,
}

/// Of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotDetails {
    /// Where it lies.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// Its project.
    pub project: String,
    /// Whether others may use it.
    pub public: bool,
    /// Whether it can become a volume of any kind; of local ones only.
    #[serde(default)]
    pub unified: bool,
    /// The name its volume had, for when that is gone.
    pub volume_name: String,
    /// Whether the storage itself holds it while it is being made.
    pub held: bool,
    /// Whether it is being copied to the object storage.
    pub exporting: bool,
    /// Whether it came from the object storage, and has no volume.
    pub imported: bool,
    /// The image that is gone, while the storage has not noticed yet, and since when that held it.
    pub released_by: Option<(String, Moment)>,
    /// When it last changed.
    pub modified: Moment,
}

impl SnapshotDetails {
    /// The `volume_type` of the snapshot, as the instance API names it.
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::Sbs => "sbs_snapshot",
            _ if self.unified => "unified",
            kind => kind.word(),
        }
    }
}

/// An image: which snapshots a server begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// Where it is.
    pub zone: String,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// `x86_64` or `arm64`.
    pub arch: String,
    /// The snapshot of the root.
    pub root: String,
    /// The snapshots of further volumes, by number.
    pub extra: BTreeMap<u8, String>,
    /// Whether others may use it.
    pub public: bool,
    /// The server it was made from, if it was made by a backup.
    pub from_server: String,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub modified: Moment,
}

/// Of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressDetails {
    /// Its project.
    pub project: String,
    /// The network of an IPv6 address; nothing for IPv4.
    pub prefix: Option<String>,
    /// The name it resolves to.
    pub reverse: Option<String>,
    /// Whether the guest of its server does not have it yet.
    pub pending: bool,
    /// Id and name of the server it has just left, while it does not know it yet.
    pub leaving: Option<(String, String)>,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleDetails {
    /// Its id.
    pub id: String,
    /// `TCP`, `UDP`, `ICMP` or `ANY`.
    pub protocol: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// `accept` or `drop`.
    pub action: String,
    /// The network it is about.
    pub ip_range: String,
    /// The first port.
    pub port_from: Option<u16>,
    /// The last port, if there are several.
    pub port_to: Option<u16>,
}

/// Of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDetails {
    /// Its project.
    pub project: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether answers pass.
    pub stateful: bool,
    /// What becomes of traffic to a server that no rule is about.
    pub inbound: String,
    /// The same from a server.
    pub outbound: String,
    /// Whether mail may not be sent.
    pub default_security: bool,
    /// Whether servers of its project get it unasked.
    pub project_default: bool,
    /// Its rules, of both directions, in order.
    pub rules: Vec<RuleDetails>,
    /// Whether a change is on its way to running servers.
    pub syncing: bool,
    /// When it last changed.
    pub modified: Moment,
}

impl Details {
    /// The addresses that servers have for as long as they run.
    pub fn dynamic_addresses(&self) -> impl Iterator<Item = String> + '_ {
        self.servers.values().filter_map(|server| server.dynamic.as_ref()).map(|dynamic| dynamic.address.clone())
    }

    /// The project meant, which a first one founds the organisation with.
    pub fn project(&mut self, seed: u64, given: Option<&str>) -> String {
        let own = || default_project(seed);
        let project = given.map_or_else(|| self.organization.clone().unwrap_or_else(own), str::to_owned);
        self.organization.get_or_insert_with(|| project.clone());
        project
    }

    /// How much of a type is left in a zone.
    pub fn stock_of(&self, zone: &str, kind: &str) -> Availability {
        self.stock.get(&format!("{zone}/{kind}")).copied().unwrap_or_default()
    }

    /// The images that hold a snapshot.
    pub fn images_with<'d>(&'d self, snapshot: &'d str) -> impl Iterator<Item = (&'d String, &'d ImageDetails)> + 'd {
        self.images.iter().filter(move |(_, image)| image.root == snapshot || image.extra.values().any(|it| it == snapshot))
    }
}

/// The organisation, as shown.
pub fn organization(truth: &Truth) -> String {
    truth.scaleway.organization.clone().unwrap_or_else(|| default_project(truth.seed))
}
