//! What only this vendor's API knows of the objects: its part of the truth. Labels, tags, regions and bytes are the core's,
//! whose ids are this API's numbers as decimal text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Account;
use super::configs::Config;
use super::events::Events;
use super::jobs::Job;
use super::network::Network;
use super::zones::Zones;
use crate::emulator::Moment;

/// Bytes of an MB, as disks, images and memory are measured here.
pub const MB: u64 = 1 << 20;

/// The size of the file behind so many MB, in the core's GB.
pub fn whole_gb(mb: u64) -> u64 {
    (mb * MB).div_ceil(1_000_000_000).max(1)
}

/// Everything, by the ids of the core's objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What the account was told.
    pub events: Events,
    /// Of Linodes, which are the core's servers.
    pub linodes: BTreeMap<String, LinodeDetails>,
    /// The local disks of all Linodes; those with bytes have a file of their id.
    pub disks: BTreeMap<String, Disk>,
    /// Of volumes.
    pub volumes: BTreeMap<String, VolumeDetails>,
    /// Of private images, by the number in their id; recovery images have no bytes in the core.
    pub images: BTreeMap<String, ImageDetails>,
    /// Addresses and firewalls.
    pub network: Network,
    /// Domains and their records.
    pub zones: Zones,
    /// Who pays, and what new objects are like.
    pub account: Account,
    /// Plans that no machine is free for: `region/plan`, or a plan alone.
    pub sold_out: Vec<String>,
    /// The largest image an account may have, in MB; the vendor's default if missing.
    pub image_limit_mb: Option<u64>,
    /// For how many cloud seconds after its job an image is still said to be `creating`.
    pub image_lag: u64,
    /// Whether every deleted Linode leaves a recovery image, and not only those older than half a day.
    pub recover_all: bool,
}

impl Details {
    /// All addresses in use, as they are written.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.network.addresses.keys().map(|address| address.to_string())
    }
}

/// What a Linode is said to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is being made.
    Provisioning,
    /// Its guest is being started.
    Booting,
    /// Its guest runs.
    Running,
    /// Its guest is being shut down.
    ShuttingDown,
    /// It is off.
    Offline,
    /// Its guest goes down and comes up again.
    Rebooting,
    /// Its disks are being replaced.
    Rebuilding,
    /// It becomes another plan.
    Resizing,
    /// It moves to another host.
    Migrating,
    /// A backup is being put back.
    Restoring,
    /// It is on its way out.
    Deleting,
    /// The platform took it down.
    Stopped,
    /// It was taken down because nobody pays.
    BillingSuspension,
}

impl Status {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Status::Provisioning => "provisioning",
            Status::Booting => "booting",
            Status::Running => "running",
            Status::ShuttingDown => "shutting_down",
            Status::Offline => "offline",
            Status::Rebooting => "rebooting",
            Status::Rebuilding => "rebuilding",
            Status::Resizing => "resizing",
            Status::Migrating => "migrating",
            Status::Restoring => "restoring",
            Status::Deleting => "deleting",
            Status::Stopped => "stopped",
            Status::BillingSuspension => "billing_suspension",
        }
    }
}

/// Of a Linode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinodeDetails {
    /// What it is said to be doing.
    pub status: Status,
    /// The display group.
    pub group: String,
    /// When its owner wants a mail.
    pub alerts: Value,
    /// Its backups.
    pub backups: Backups,
    /// Whether a guest that goes down by itself is started again.
    pub watchdog: bool,
    /// When the watchdog started the guest lately.
    pub rescues: Vec<Moment>,
    /// The host it is on.
    pub host: String,
    /// What its guest was told, in base 64.
    pub user_data: Option<String>,
    /// The keys its root lets in.
    pub keys: Vec<String>,
    /// The placement group it was put in.
    pub placement_group: Option<Value>,
    /// Whether its disks are encrypted.
    pub encrypted: bool,
    /// `legacy_config` or `linode`.
    pub generation: String,
    /// Its own interfaces, as they were asked for; those of configs are there.
    pub interfaces: Vec<Value>,
    /// What happens to it when its host is maintained.
    pub maintenance_policy: String,
    /// Its disks in order.
    pub disks: Vec<String>,
    /// Its configuration profiles in order.
    pub configs: Vec<Config>,
    /// The profile it was last booted with.
    pub booted: Option<u64>,
    /// What is being done to it, the first one now.
    pub jobs: Vec<Job>,
    /// Locks by number.
    pub locks: BTreeMap<u64, String>,
    /// When it last changed.
    pub updated: Moment,
}

/// The backups of a Linode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Backups {
    /// Whether the service is on.
    pub enabled: bool,
    /// The day of the week they are made on.
    pub day: Option<String>,
    /// The hours they are made in.
    pub window: Option<String>,
    /// When one was last made.
    pub last_successful: Option<Moment>,
    /// The snapshot that was asked for.
    pub snapshot: Option<Snapshot>,
}

/// A backup that was asked for. It keeps no bytes that anybody counts on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number.
    pub id: u64,
    /// Its label.
    pub label: String,
    /// When it was asked for.
    pub created: Moment,
    /// When it was there.
    pub finished: Option<Moment>,
    /// The labels of the profiles at that time.
    pub configs: Vec<String>,
    /// The disks at that time: label, size in MB, filesystem.
    pub disks: Vec<(String, u64, String)>,
}

/// A local disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Its Linode.
    pub linode: String,
    /// Its label.
    pub label: String,
    /// `ext4`, `swap`, ….
    pub filesystem: String,
    /// Its size in MB.
    pub size_mb: u64,
    /// The size it is said to have while it is being made, in MB.
    pub first_mb: Option<u64>,
    /// Whether it can be used.
    pub ready: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// How much of it is in use, beyond what its file shows, in MB.
    pub used_mb: u64,
    /// Since when lists leave it out, until it is ready.
    pub hidden_from: Option<Moment>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

impl Disk {
    /// Whether it has bytes of its own; what is swapped out is nobody's to keep.
    pub fn has_file(&self) -> bool {
        self.filesystem != "swap"
    }

    /// The word of the API for its condition.
    pub fn word(&self) -> &'static str {
        match (self.deleting, self.ready) {
            (true, _) => "deleting",
            (false, true) => "ready",
            (false, false) => "not ready",
        }
    }

    /// Whether lists and reads show it at a moment.
    pub fn is_shown(&self, now: Moment) -> bool {
        self.ready || self.hidden_from.is_none_or(|from| now < from)
    }
}

/// Of a volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeDetails {
    /// `creating`, `active` or `resizing`.
    pub status: String,
    /// Its size in GB, as ordered.
    pub size_gb: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether a running guest can use it.
    pub io_ready: bool,
    /// Locks by number.
    pub locks: BTreeMap<u64, String>,
    /// The events of what is under way, by action.
    pub events: BTreeMap<String, u64>,
    /// When it last changed.
    pub updated: Moment,
}

/// Of a private image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// Its label.
    pub label: String,
    /// What its owner says of it.
    pub description: String,
    /// The owner's tags.
    pub tags: Vec<String>,
    /// `creating`, `pending_upload` or `available`.
    pub status: String,
    /// Whether the vendor made it of a deleted Linode.
    pub automatic: bool,
    /// Its size in MB: of the disk at first, later what it takes to deploy it.
    pub size_mb: u64,
    /// What it takes to deploy it, in MB.
    pub min_mb: u64,
    /// Whether its guest asks for user data.
    pub cloud_init: bool,
    /// Where it is kept.
    pub regions: Vec<String>,
    /// Where it is still being copied to.
    #[serde(default)]
    pub underway: Vec<String>,
    /// When it goes by itself.
    pub expiry: Option<Moment>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}
