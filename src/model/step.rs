//! What may be done: single mutating calls, and what is asked for.

use super::{
    Address, Aim, Applied, Declared, Expendable, Firewall, Id, Idle, Image, Instance, InstanceKey, LocalDisk, Quiet, Role, Rule, Server,
    ServerState, Snapshot, Spared, Stamp, Tags, Volume, Wish, wish_at,
};

/// One wish about one instance.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The instance.
    pub key: InstanceKey,
    /// Its spec.
    pub spec: Declared,
    /// Set when the instance is to be removed altogether.
    pub deletion: Option<Deletion>,
    /// The source that manages the instance (`--owner`, or a watch).
    pub owner: Option<String>,
    /// Take over what another source manages.
    pub adopt: bool,
    /// Digest of everything that configures the server; `none` where nothing does.
    pub recipe: String,
    /// Whether something runs on the server at every start.
    pub on_start: bool,
    /// How it stands to another spec that was applied meanwhile.
    pub stance: Stance,
    /// That its guest said that nobody uses it: then it is archived although its spec says `present`.
    pub idle: Option<Idle>,
    /// End its rest, whatever was told of it.
    pub wake: bool,
    /// What the clock makes of its spec; `None` for who does not know what time it is.
    pub by_clock: Option<Wish>,
}

impl Ask {
    /// That the instance reach its spec.
    pub fn of(instance: Instance) -> Self {
        let key = instance.key();
        let spec = instance.spec.into();
        Self {
            key,
            spec,
            deletion: None,
            owner: None,
            adopt: false,
            recipe: "none".to_owned(),
            on_start: false,
            stance: Stance::Apply,
            idle: None,
            wake: false,
            by_clock: None,
        }
    }

    /// Says what time it is: what its schedule, session and suspension ask for follows from that.
    pub fn set_clock(&mut self, now: jiff::Timestamp) {
        self.by_clock = Some(wish_at(&self.spec, now));
    }

    /// What is wished for its server now.
    pub fn wished(&self) -> ServerState {
        self.by_clock.as_ref().map_or(self.spec.server_state, |it| it.state)
    }

    /// Whether hands are to be kept off it now.
    pub fn is_suspended(&self) -> bool {
        self.spec.suspend.is_on(self.by_clock.as_ref().map(|it| it.now))
    }

    /// What the instance is applied for.
    pub fn aim(&self) -> Aim {
        match self.deletion {
            Some(Deletion { keep_snapshots }) => Aim::Delete { keep_snapshots },
            None => Aim::Reach(self.wished()),
        }
    }
}

/// How a wish stands to another spec that the instance carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stance {
    /// Somebody applies it now: of several, the last wins.
    Apply,
    /// It was applied before, is as it was then, and is kept: who applies another one meanwhile is not fought.
    Keep,
}

/// A confirmed `cloudypad delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Leave snapshots and images; disks get a last one first.
    pub keep_snapshots: bool,
}

/// What a server boots from, at its birth. Never compared with a living server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boot {
    /// A stock image, by label.
    Stock(String),
    /// An existing volume.
    Volume(Id<Volume>),
    /// A private image.
    Image(Id<Image>),
}

/// A volume to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// Its name.
    pub name: String,
    /// What it will be.
    pub role: Role,
    /// Size in GB.
    pub size_gb: u64,
    /// The snapshot to make it from; `None` for an empty one.
    pub from: Option<Id<Snapshot>>,
    /// Operations a second to pay for, where the spec says so.
    pub iops: Option<u32>,
    /// Its tags.
    pub tags: Tags,
}

/// A server to be made, off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewServer {
    /// Its name.
    pub name: String,
    /// Its type.
    pub machine_type: String,
    /// What it boots from.
    pub boot: Boot,
    /// Size of its root disk in GB.
    pub root_gb: u64,
    /// The data volume to attach.
    pub data: Option<Id<Volume>>,
    /// The reserved address to use.
    pub address: Option<Id<Address>>,
    /// The firewall to stand behind.
    pub firewall: Option<Id<Firewall>>,
    /// Its tags.
    pub tags: Tags,
}

/// Any object that carries tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A server.
    Server(Id<Server>),
    /// A volume.
    Volume(Id<Volume>),
    /// A snapshot.
    Snapshot(Id<Snapshot>),
    /// An image.
    Image(Id<Image>),
    /// An address.
    Address(Id<Address>),
    /// A firewall.
    Firewall(Id<Firewall>),
}

impl Object {
    /// The vendor's id, as text.
    pub fn id(&self) -> &str {
        match self {
            Object::Server(id) => id.as_str(),
            Object::Volume(id) => id.as_str(),
            Object::Snapshot(id) => id.as_str(),
            Object::Image(id) => id.as_str(),
            Object::Address(id) => id.as_str(),
            Object::Firewall(id) => id.as_str(),
        }
    }
}

/// One mutating call, as an order. The destructive ones carry their proof.
#[derive(Debug)]
pub enum Step {
    /// Reserve an address.
    ReserveAddress {
        /// Its tags.
        tags: Tags,
    },
    /// Make a firewall that lets nothing in.
    CreateFirewall {
        /// Its name.
        name: String,
        /// Its tags.
        tags: Tags,
    },
    /// Replace what a firewall lets in.
    SetRules {
        /// The firewall.
        firewall: Id<Firewall>,
        /// Everything it lets in.
        rules: Vec<Rule>,
    },
    /// Have a firewall keep out what no rule speaks of.
    ShutFirewall(Id<Firewall>),
    /// Make a volume.
    CreateVolume(NewVolume),
    /// Make a server, off.
    CreateServer(NewServer),
    /// Replace an object's tags, and its name where one is given.
    Retag {
        /// The object.
        object: Object,
        /// All its tags.
        tags: Tags,
        /// Its new name.
        name: Option<String>,
    },
    /// Give a server what its guest needs at its first boot.
    SeedServer(Id<Server>),
    /// Have the cloud start a server again when its guest shuts down, or not.
    SetWatchdog {
        /// The server.
        server: Id<Server>,
        /// Whether.
        on: bool,
    },
    /// Power a server on.
    StartServer(Id<Server>),
    /// Power a server off, keeping it.
    StopServer(Id<Server>),
    /// Detach volumes from a server, in one call.
    Detach {
        /// The server.
        server: Id<Server>,
        /// The volumes to detach.
        volumes: Vec<Id<Volume>>,
    },
    /// Attach a volume.
    Attach {
        /// The server.
        server: Id<Server>,
        /// The volume.
        volume: Id<Volume>,
        /// As what.
        role: Role,
    },
    /// Give a server a reserved address.
    AssignAddress {
        /// The server.
        server: Id<Server>,
        /// The address.
        address: Id<Address>,
    },
    /// Put a server behind a firewall.
    AssignFirewall {
        /// The server.
        server: Id<Server>,
        /// The firewall.
        firewall: Id<Firewall>,
    },
    /// Grow a volume.
    Grow {
        /// The volume.
        volume: Id<Volume>,
        /// Its new size in GB.
        size_gb: u64,
    },
    /// Pay for other operations a second on a volume.
    Tune {
        /// The volume.
        volume: Id<Volume>,
        /// Operations a second.
        iops: u32,
    },
    /// Have the spec's DNS record name this address, and no other.
    SetRecord {
        /// The address.
        address: String,
    },
    /// Delete the spec's DNS record.
    DeleteRecord {
        /// Where it was seen pointing.
        addresses: Vec<String>,
    },
    /// Change the type of a server that is off.
    ChangeType {
        /// The server.
        server: Id<Server>,
        /// The new type.
        machine_type: String,
    },
    /// Run the recipe on a server.
    Configure {
        /// The server.
        server: Id<Server>,
        /// The recipe's digest.
        recipe: String,
        /// The recipe that the server was configured by before, where it was.
        over: Option<String>,
    },
    /// Run what runs on a server at every start.
    StartUp(Id<Server>),
    /// Snapshot a quiet volume.
    TakeSnapshot {
        /// The volume, proven quiet.
        disk: Quiet<Volume>,
        /// The snapshot's name.
        name: String,
        /// The snapshot's tags.
        tags: Tags,
    },
    /// Capture a quiet local disk as an image.
    CaptureImage {
        /// The disk, proven quiet.
        disk: Quiet<LocalDisk>,
        /// The image's name.
        name: String,
        /// The image's tags.
        tags: Tags,
    },
    /// Delete a server, and the disks that die with it.
    DeleteServer {
        /// The server.
        server: Id<Server>,
        /// Every disk that dies with it, each spared.
        dying: Vec<Spared<LocalDisk>>,
        /// Whether it was seen off: one that runs by then is left alone.
        off: bool,
    },
    /// Delete a volume.
    DeleteVolume(Spared<Volume>),
    /// Delete a snapshot.
    DeleteSnapshot(Expendable<Snapshot>),
    /// Delete an image.
    DeleteImage(Expendable<Image>),
    /// Give an address back.
    ReleaseAddress(Id<Address>),
    /// Delete a firewall.
    DeleteFirewall(Id<Firewall>),
}

impl Step {
    /// A name for this step that is the same in every look at the same cloud: kind and object.
    pub fn key(&self) -> String {
        match self {
            Step::ReserveAddress { .. } => RESERVE_ADDRESS_KEY.to_owned(),
            Step::CreateFirewall { .. } => "create-firewall".to_owned(),
            Step::SetRules { firewall, .. } => format!("set-rules {firewall}"),
            Step::ShutFirewall(firewall) => format!("shut-firewall {firewall}"),
            Step::SeedServer(server) => format!("seed-server {server}"),
            Step::SetWatchdog { server, .. } => format!("set-watchdog {server}"),
            Step::Tune { volume, .. } => format!("tune {volume}"),
            Step::SetRecord { .. } => "set-record".to_owned(),
            Step::DeleteRecord { .. } => "delete-record".to_owned(),
            Step::CreateVolume(new) => create_volume_key(new.role),
            Step::CreateServer(_) => CREATE_SERVER_KEY.to_owned(),
            Step::Retag { object, .. } => format!("retag {}", object.id()),
            Step::StartServer(server) => format!("{START_SERVER} {server}"),
            Step::StopServer(server) => format!("{STOP_SERVER} {server}"),
            Step::Detach { server, .. } => detach_key(server),
            Step::Attach { server, volume, .. } => format!("attach {server} {volume}"),
            Step::AssignAddress { server, address } => format!("assign-address {server} {address}"),
            Step::AssignFirewall { server, firewall } => format!("assign-firewall {server} {firewall}"),
            Step::Grow { volume, .. } => format!("grow {volume}"),
            Step::ChangeType { server, .. } => format!("change-type {server}"),
            Step::Configure { server, recipe, over } => configure_key(server.as_str(), recipe, over.as_deref()),
            Step::StartUp(server) => start_up_key(server.as_str()),
            Step::TakeSnapshot { disk, .. } => copy_key(disk.disk().as_str()),
            Step::CaptureImage { disk, .. } => copy_key(disk.disk().as_str()),
            Step::DeleteServer { server, .. } => format!("delete-server {server}"),
            Step::DeleteVolume(spared) => format!("delete-volume {}", spared.disk()),
            Step::DeleteSnapshot(copy) => delete_copy_key(copy.copy().as_str()),
            Step::DeleteImage(copy) => delete_copy_key(copy.copy().as_str()),
            Step::ReleaseAddress(address) => format!("release-address {address}"),
            Step::DeleteFirewall(firewall) => format!("delete-firewall {firewall}"),
        }
    }

    /// The spec whose application the step writes down, where it does.
    pub fn applied(&self) -> Option<Applied> {
        match self {
            Step::CreateFirewall { tags, .. } | Step::Retag { tags, .. } => Applied::said_by(tags),
            Step::CreateServer(new) => Applied::said_by(&new.tags),
            _ => None,
        }
    }

    /// Whether the step ends something that cannot be made again. Such a step is planned once more,
    /// from a fresh look, right before its call.
    pub fn is_destructive(&self) -> bool {
        matches!(
            self,
            Step::DeleteRecord { .. }
                | Step::DeleteServer { .. }
                | Step::DeleteVolume(_)
                | Step::DeleteSnapshot(_)
                | Step::DeleteImage(_)
                | Step::ReleaseAddress(_)
        )
    }
}

/// The word of the keys of [`Step::StartServer`].
const START_SERVER: &str = "start-server";

/// The id of the server that the step with this key powers on.
pub fn started_server(key: &str) -> Option<&str> {
    key.strip_prefix(START_SERVER)?.strip_prefix(' ')
}

/// The word of the keys of [`Step::StopServer`].
const STOP_SERVER: &str = "stop-server";

/// The id of the server that the step with this key powers off.
pub fn stopped_server(key: &str) -> Option<&str> {
    key.strip_prefix(STOP_SERVER)?.strip_prefix(' ')
}

/// Whether the step with this key makes something: asked twice, there would be two of it.
pub fn is_create_key(key: &str) -> bool {
    ["reserve-", "create-", "copy "].iter().any(|it| key.starts_with(it))
}

/// Whether the step with this key makes something under a name of the instance.
pub fn is_named_create_key(key: &str) -> bool {
    key == CREATE_SERVER_KEY || key == "create-firewall" || key.starts_with("create-volume ")
}

/// Key of [`Step::ReserveAddress`].
pub const RESERVE_ADDRESS_KEY: &str = "reserve-address";

/// Key of [`Step::CreateServer`].
pub const CREATE_SERVER_KEY: &str = "create-server";

/// Key of [`Step::CreateVolume`].
pub fn create_volume_key(role: Role) -> String {
    format!("create-volume {role}")
}

/// Key of [`Step::Detach`].
pub fn detach_key(server: &Id<Server>) -> String {
    format!("detach {server}")
}

/// Key of [`Step::Configure`]: of one recipe, on one server, over another one. Whoever else configures it in between makes
/// it another step.
pub fn configure_key(server: &str, recipe: &str, over: Option<&str>) -> String {
    format!("configure {server} {recipe} over {}", over.unwrap_or("nothing"))
}

/// Key of [`Step::StartUp`].
pub fn start_up_key(server: &str) -> String {
    format!("start-up {server}")
}

/// What a step that runs something inside a server is answered with where that told that the data disk is mounted.
pub const MOUNTED: &str = "mounted";

/// Whether the step with this key runs something inside a server: no look shows whether it did.
pub fn is_play_key(key: &str) -> bool {
    ["configure ", "start-up "].iter().any(|it| key.starts_with(it))
}

/// Key of the steps that copy a disk.
pub fn copy_key(disk: &str) -> String {
    format!("copy {disk}")
}

/// Key of the steps that delete a copy.
pub fn delete_copy_key(copy: &str) -> String {
    format!("delete-copy {copy}")
}

/// Something that is awaited, looked at by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// A server in a settled state: on, off or gone.
    ServerSettled(Id<Server>),
    /// A server's disappearance.
    ServerGone(Id<Server>),
    /// A volume in a settled state: free, attached or gone.
    VolumeSettled(Id<Volume>),
    /// A snapshot, complete or failed.
    SnapshotSettled(Id<Snapshot>),
    /// An image, complete or failed.
    ImageSettled(Id<Image>),
    /// The vendor's clock past this moment: until then a list may be stale or a lost call take effect.
    Clock(Stamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal keeps keys alone: what a run makes of them later must be in them.
    #[test]
    fn a_key_tells_what_its_step_was() {
        let server: Id<Server> = Id::new("srv");
        let start = Step::StartServer(server.clone()).key();
        let stop = Step::StopServer(server.clone()).key();
        assert_eq!((started_server(&start), stopped_server(&start)), (Some("srv"), None));
        assert_eq!((started_server(&stop), stopped_server(&stop)), (None, Some("srv")));
        assert_eq!(started_server("start-server"), None, "of which server?");

        let firewall = Step::CreateFirewall { name: "mypad".to_owned(), tags: Tags::default() }.key();
        let reserve = Step::ReserveAddress { tags: Tags::default() }.key();
        let volume = create_volume_key(Role::Data);
        for key in [CREATE_SERVER_KEY, &firewall, &volume] {
            assert!(is_create_key(key) && is_named_create_key(key), "{key}");
        }
        for key in [&reserve, &copy_key("vol")] {
            assert!(is_create_key(key) && !is_named_create_key(key), "{key} makes what has no name of its own");
        }
        let (configure, start_up) = (configure_key("srv", "r8", None), start_up_key("srv"));
        for key in [&configure, &start_up] {
            assert!(is_play_key(key) && !is_create_key(key), "{key}");
        }
        assert_ne!(configure, configure_key("srv", "r8", Some("r7")), "the same recipe over another one is another play");
        for key in [&start, &stop, &detach_key(&server), &delete_copy_key("z")] {
            assert!(!is_create_key(key) && !is_play_key(key) && !is_named_create_key(key), "{key}");
        }
    }

    /// Before these a second look is taken.
    #[test]
    fn what_cannot_be_undone_is_known() {
        let gone = [Step::DeleteRecord { addresses: Vec::new() }, Step::ReleaseAddress(Id::new("ip"))];
        assert!(gone.iter().all(Step::is_destructive));
        let back = [Step::StopServer(Id::new("srv")), Step::ReserveAddress { tags: Tags::default() }];
        assert!(!back.iter().any(Step::is_destructive));
    }

    /// Whoever applies finds his own word again in what he writes.
    #[test]
    fn a_step_says_what_it_says_to_be_applied() {
        let said = Applied { at: 7, digest: 8, aim: Aim::Delete { keep_snapshots: false } };
        let tags = Tags::default().with_value(super::super::APPLIED, &said.value());
        let server = NewServer {
            name: "mypad".to_owned(),
            machine_type: "local-small".to_owned(),
            boot: Boot::Stock("local-os".to_owned()),
            root_gb: 30,
            data: None,
            address: None,
            firewall: None,
            tags: tags.clone(),
        };
        let steps = [
            Step::CreateFirewall { name: "mypad".to_owned(), tags: tags.clone() },
            Step::Retag { object: Object::Server(Id::new("srv")), tags: tags.clone(), name: None },
            Step::CreateServer(server),
        ];
        assert!(steps.iter().all(|it| it.applied() == Some(said)));
        assert_eq!(Step::ReserveAddress { tags }.applied(), None, "an address says nothing of it");
    }
}
