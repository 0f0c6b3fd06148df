//! What is: one look at the cloud, now, by ownership tags.

use super::{Address, FRESH, Firewall, Id, Record, Role, Stamp, Tags};
use std::fmt;

/// What a look at one kind of object gave. There is no default: a forgotten look cannot mean "absent".
#[derive(Debug, Clone, PartialEq)]
pub enum Seen<T> {
    /// It is there.
    Present(T),
    /// The look worked, and it is not there.
    Absent,
    /// The look failed, or showed something we do not know.
    Unknown(Cause),
}

/// Why a look told nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It may go well the next time.
    Passing(String),
    /// The vendor's platform is being maintained: asking again soon is of no use.
    Maintained(String),
    /// The cloud does not let us look, or there is no such place: somebody must change something first.
    Lasting {
        /// What the cloud said.
        answer: String,
        /// What the owner can do.
        remedy: String,
    },
}

impl<T> Seen<Vec<T>> {
    /// A complete listing.
    pub fn listed(items: Vec<T>) -> Self {
        if items.is_empty() { Seen::Absent } else { Seen::Present(items) }
    }

    /// The items of a listing; none where it is absent or unknown.
    pub fn items(&self) -> &[T] {
        match self {
            Seen::Present(items) => items,
            Seen::Absent | Seen::Unknown(_) => &[],
        }
    }
}

/// Everything of one instance, as the cloud showed it in one look.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The vendor's clock at the look.
    pub now: Stamp,
    /// Servers.
    pub servers: Seen<Vec<Server>>,
    /// Volumes carrying our tag, and untagged ones attached to our servers.
    pub volumes: Seen<Vec<Volume>>,
    /// Block snapshots.
    pub snapshots: Seen<Vec<Snapshot>>,
    /// Private instance images.
    pub images: Seen<Vec<Image>>,
    /// Reserved addresses.
    pub addresses: Seen<Vec<Address>>,
    /// Firewalls (Scaleway: security groups).
    pub firewalls: Seen<Vec<Firewall>>,
    /// Zones other than the wished one where the instance lives.
    pub elsewhere: Seen<Vec<String>>,
    /// The DNS record of the spec's `network.dns`; absent where the spec has none.
    pub record: Seen<Record>,
    /// Addresses and firewalls in a state that is not in our table: what, and the vendor's word.
    pub strange: Vec<(String, String)>,
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// The vendor's id.
    pub id: Id<Server>,
    /// Its name.
    pub name: String,
    /// Its type.
    pub machine_type: String,
    /// Whether it runs.
    pub power: Power,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// Its root disk.
    pub root: Root,
    /// Attached volumes, the root volume among them.
    pub volumes: Vec<Id<Volume>>,
    /// Its reserved address.
    pub address: Option<Id<Address>>,
    /// Its firewall.
    pub firewall: Option<Id<Firewall>>,
    /// Since when it is off, where the vendor says so.
    pub off_since: Option<Stamp>,
    /// Whether it ever ran, as far as the vendor tells.
    pub ran: Ran,
    /// Whether its first-boot data are there.
    pub seed: Seed,
    /// The owner locked it in the vendor's console.
    pub locked: bool,
    /// What only some clouds tell.
    pub told: Told,
    /// Its tags.
    pub tags: Tags,
}

/// Whether a server runs. The mapping of vendor states into this is total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// Off, and seen so.
    Off,
    /// On its way up.
    Starting,
    /// Up.
    Running,
    /// On its way down.
    Stopping,
    /// The guest shut itself down; the vendor still holds and bills the machine. Not off.
    StoppedInPlace,
    /// On its way out.
    Deleting,
    /// Something else is done to it, or it is being made: it settles by itself.
    Busy,
    /// The vendor holds it back.
    Locked(Lock),
    /// A state we do not know, in the vendor's words.
    Unknown(String),
}

/// Who keeps hands off an object, or has others keep them off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// The vendor, who does not say why.
    Vendor,
    /// The vendor, until a bill is paid.
    Bill,
    /// The vendor, while its machine is maintained.
    Maintenance,
    /// The owner, in the vendor's console.
    Owner,
}

/// What some clouds tell of a server and others do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The address that it has for its own lifetime, where none is reserved for it.
    pub own_address: Option<String>,
    /// Whether the cloud starts it again when its guest shuts down, where that can be chosen.
    pub watchdog: Option<bool>,
    /// Its last capture, where that failed.
    pub failed_capture: Option<FailedCapture>,
    /// The port of its SSH server, where that is not 22.
    pub ssh_port: Option<u16>,
    /// How it went off, where it did not by an order through the API that is ours.
    pub off_by: Option<OffBy>,
}

/// A capture that the cloud gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCapture {
    /// When it was begun.
    pub at: Stamp,
    /// What the cloud said; may be empty.
    pub said: String,
}

/// How a server went off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OffBy {
    /// By an order through the API or the vendor's console.
    Order {
        /// Whose.
        user: String,
        /// When.
        at: Stamp,
    },
    /// By the vendor, for its machine's sake, in the vendor's word.
    Vendor(String),
    /// By nothing that the vendor knows of: its guest shut down.
    Guest,
}

/// Whether a server ever ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// Not once; the vendor's stamps prove it.
    Never,
    /// It did, or the vendor does not say.
    Maybe,
}

/// Whether what a guest is given for its first boot (keys, host key) is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// It is.
    Set,
    /// It is not.
    Missing,
    /// It was not looked for: the server is not about to start, or its cloud takes it at birth.
    Untold,
}

/// Where a server's root disk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A volume, which outlives the server.
    Volume(Id<Volume>),
    /// A disk that dies with the server.
    Local {
        /// Size in GB.
        size_gb: u64,
    },
    /// None is attached.
    Detached,
}

/// A disk that lives and dies with its server. `Id<LocalDisk>` carries the server's id.
#[derive(Debug)]
pub struct LocalDisk;

/// One volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The vendor's id.
    pub id: Id<Volume>,
    /// Its name.
    pub name: String,
    /// Size in GB.
    pub size_gb: u64,
    /// Whether it can be used.
    pub status: VolumeStatus,
    /// The server that holds it, or is letting it go.
    pub attached_to: Option<Id<Server>>,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// When a server last held it.
    pub last_held: LastHeld,
    /// What it was made from.
    pub origin: Origin,
    /// Input and output operations a second that are paid for, where the cloud sells them.
    pub iops: Option<u32>,
    /// Its tags.
    pub tags: Tags,
}

/// When a server last held a volume that none holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastHeld {
    /// No server ever did; the vendor's stamps prove it.
    Never,
    /// A server let it go at this moment.
    Until(Stamp),
    /// The vendor does not say. It counts as used, and its last write is not known.
    Untold,
}

/// Whether a volume can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeStatus {
    /// Being made.
    Creating,
    /// Free.
    Available,
    /// Attached, or being attached.
    InUse,
    /// A server, which may be gone by now, is letting it go.
    Detaching,
    /// Changing size, being snapshotted, or otherwise busy for a moment.
    Busy,
    /// On its way out.
    Deleting,
    /// The vendor reports an error.
    Error,
    /// A status we do not know, in the vendor's words.
    Unknown(String),
}

/// What a volume was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing: it was empty.
    Empty,
    /// A stock image.
    Stock,
    /// A snapshot.
    Snapshot(Id<Snapshot>),
    /// The vendor does not say.
    Untold,
}

/// One block snapshot of a volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The vendor's id.
    pub id: Id<Snapshot>,
    /// Its name.
    pub name: String,
    /// The volume it was taken of, which may be gone.
    pub of: Id<Volume>,
    /// Size of that volume in GB.
    pub size_gb: u64,
    /// Whether it can be used.
    pub status: CopyStatus,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// Its tags.
    pub tags: Tags,
}

/// One private instance image, captured from a server's local disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The vendor's id.
    pub id: Id<Image>,
    /// Its name.
    pub name: String,
    /// The server whose disk it was taken of, which may be gone.
    pub of: Id<LocalDisk>,
    /// Smallest disk it fits on, in GB.
    pub size_gb: u64,
    /// Whether it can be used.
    pub status: CopyStatus,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// Its tags.
    pub tags: Tags,
}

/// Whether a copy can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyStatus {
    /// Being made.
    Creating,
    /// Complete.
    Ready,
    /// The vendor reports that it failed; it holds nothing.
    Failed,
    /// On its way out.
    Deleting,
    /// A status we do not know, in the vendor's words.
    Unknown(String),
}

/// A copy of a disk, of either kind.
#[derive(Debug, Clone, Copy)]
pub enum Copy<'w> {
    /// A block snapshot.
    Snapshot(&'w Snapshot),
    /// An instance image.
    Image(&'w Image),
}

impl<'w> Copy<'w> {
    /// The vendor's id, as text.
    pub fn id(&self) -> &'w str {
        match self {
            Copy::Snapshot(it) => it.id.as_str(),
            Copy::Image(it) => it.id.as_str(),
        }
    }

    /// The id of the disk it was taken of, as text.
    pub fn of(&self) -> &'w str {
        match self {
            Copy::Snapshot(it) => it.of.as_str(),
            Copy::Image(it) => it.of.as_str(),
        }
    }

    /// Whether it can be used.
    pub fn status(&self) -> &'w CopyStatus {
        match self {
            Copy::Snapshot(it) => &it.status,
            Copy::Image(it) => &it.status,
        }
    }

    /// The vendor's creation stamp.
    pub fn created(&self) -> Stamp {
        match self {
            Copy::Snapshot(it) => it.created,
            Copy::Image(it) => it.created,
        }
    }

    /// Smallest disk it fits on, in GB.
    pub fn size_gb(&self) -> u64 {
        match self {
            Copy::Snapshot(it) => it.size_gb,
            Copy::Image(it) => it.size_gb,
        }
    }

    /// Its tags.
    pub fn tags(&self) -> &'w Tags {
        match self {
            Copy::Snapshot(it) => &it.tags,
            Copy::Image(it) => &it.tags,
        }
    }

    /// The line of descent of its bytes; without a tag, it begins with the disk it was taken of.
    pub fn line(&self) -> &'w str {
        // A copy whose disk nobody remembers descends from nothing that another copy descends from.
        let disk = if self.of().is_empty() { self.id() } else { self.of() };
        self.tags().line().unwrap_or(disk)
    }

    /// Whether it is complete.
    pub fn is_ready(&self) -> bool {
        *self.status() == CopyStatus::Ready
    }
}

impl Volume {
    /// The line of descent of its bytes; without a tag, it begins here.
    pub fn line(&self) -> &str {
        self.tags.line().unwrap_or(self.id.as_str())
    }

    /// Whether a server ever had it, or may have had. Where the vendor does not say, a tag does: enough to tell a
    /// first deploy from a later one, and never a reason to destroy.
    pub fn was_used(&self) -> bool {
        let held = match self.last_held {
            LastHeld::Never => false,
            LastHeld::Until(_) => true,
            LastHeld::Untold => !self.tags.has(FRESH),
        };
        self.attached_to.is_some() || held
    }

    /// The last moment at which it may have been written to, where no server holds it and the vendor tells.
    pub fn last_write(&self) -> Option<Stamp> {
        match (&self.attached_to, self.last_held) {
            (None, LastHeld::Until(stamp)) => Some(stamp),
            (None, LastHeld::Never) => Some(self.created),
            (Some(_), _) | (None, LastHeld::Untold) => None,
        }
    }

    /// Whether it is free to attach, delete or snapshot.
    pub fn is_free(&self) -> bool {
        self.status == VolumeStatus::Available && self.attached_to.is_none()
    }
}

impl World {
    /// The volume with this id.
    pub fn volume(&self, id: &Id<Volume>) -> Option<&Volume> {
        self.volumes.items().iter().find(|it| it.id == *id)
    }

    /// Where a server is reached: at its reserved address, or at one of its own.
    pub fn address_of<'w>(&'w self, server: &'w Server) -> Option<&'w str> {
        let reserved = self.addresses.items().iter().find(|it| server.address.as_ref() == Some(&it.id));
        server.told.own_address.as_deref().or(reserved.map(|it| it.address.as_str()))
    }

    /// The server with this id.
    pub fn server(&self, id: &Id<Server>) -> Option<&Server> {
        self.servers.items().iter().find(|it| it.id == *id)
    }

    /// Every copy of a role, newest first.
    pub fn copies(&self, role: Role) -> Vec<Copy<'_>> {
        let snapshots = self.snapshots.items().iter().map(Copy::Snapshot);
        let images = self.images.items().iter().map(Copy::Image);
        let mut copies: Vec<_> = snapshots.chain(images).filter(|it| it.tags().role() == Some(role)).collect();
        copies.sort_by(|a, b| (b.created(), b.id()).cmp(&(a.created(), a.id())));
        copies
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Power::Off => "off",
            Power::Starting => "starting",
            Power::Running => "running",
            Power::Stopping => "stopping",
            Power::StoppedInPlace => "stopped in place",
            Power::Deleting => "being deleted",
            Power::Busy => "busy",
            Power::Locked(Lock::Bill) => "suspended",
            Power::Locked(Lock::Maintenance) => "stopped for maintenance",
            Power::Locked(Lock::Owner | Lock::Vendor) => "locked",
            Power::Unknown(state) => state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_does_is_told_in_words() {
        let locks = [Lock::Vendor, Lock::Bill, Lock::Maintenance, Lock::Owner].map(|by| Power::Locked(by).to_string());
        assert_eq!(locks, ["locked", "suspended", "stopped for maintenance", "locked"]);
        let powers = [Power::Off, Power::StoppedInPlace, Power::Deleting, Power::Unknown("dreaming".to_owned())];
        assert_eq!(powers.map(|it| it.to_string()), ["off", "stopped in place", "being deleted", "dreaming"]);
    }
}
