//! Proofs that a destructive step may be taken. They are minted from the look of this turn and from
//! the words of the spec, have no public fields, and cannot be copied, kept or read from a file.
//!
//! ```compile_fail
//! use cloudypad::model::{Id, Quiet, Volume};
//! let forged = Quiet::<Volume> { disk: Id::new("vol-1") }; // fields are private
//! ```
//!
//! ```compile_fail
//! use cloudypad::model::{Spared, Volume};
//! fn keep_for_later(proof: &Spared<Volume>) -> Spared<Volume> { proof.clone() } // not Clone
//! ```
//!
//! ```compile_fail
//! use cloudypad::model::{Id, Step, Volume};
//! let vol: Id<Volume> = Id::new("vol-1");
//! let step = Step::DeleteVolume(vol); // an id is not a proof
//! ```
//!
//! ```compile_fail
//! use cloudypad::model::{Id, Step, Tags, Volume};
//! let vol: Id<Volume> = Id::new("vol-1");
//! let step = Step::TakeSnapshot { disk: vol, name: String::new(), tags: Tags::default() }; // nor quiet
//! ```
//!
//! ```compile_fail
//! use cloudypad::model::{Quiet, LocalDisk, Step, Tags};
//! fn wrong_kind(disk: Quiet<LocalDisk>) -> Step {
//!     Step::TakeSnapshot { disk, name: String::new(), tags: Tags::default() } // a local disk has no snapshot
//! }
//! ```
//!
//! ```compile_fail
//! use cloudypad::model::Word;
//! let word = Word { word: "disposable", role: None }; // only a spec, or the delete command, says a word
//! ```
//!
//! ```compile_fail
//! let proof: cloudypad::model::Spared<cloudypad::model::Volume> = serde_json::from_str("{}").unwrap();
//! ```

use super::{
    Copy, CopyStatus, Id, Image, LastHeld, LocalDisk, OnStop, Origin, Power, Ran, Role, Root, Server, Snapshot, Spec, Volume, World,
};
use std::fmt;

/// A disk nobody writes to: its server is seen off, or gone.
#[derive(Debug)]
pub struct Quiet<K> {
    disk: Id<K>,
}

impl<K> Quiet<K> {
    /// The disk.
    pub fn disk(&self) -> &Id<K> {
        &self.disk
    }
}

impl Quiet<Volume> {
    /// A volume that is free, or whose server is seen off.
    pub fn volume(world: &World, id: &Id<Volume>) -> Option<Self> {
        let volume = world.volume(id)?;
        let quiet = match &volume.attached_to {
            None => volume.is_free(),
            Some(server) => world.server(server)?.power == Power::Off,
        };
        quiet.then(|| Self { disk: id.clone() })
    }
}

impl Quiet<LocalDisk> {
    /// The local disk of a server that is seen off.
    pub fn local(world: &World, server: &Id<Server>) -> Option<Self> {
        let server = world.server(server)?;
        let quiet = server.power == Power::Off && matches!(server.root, Root::Local { .. });
        quiet.then(|| Self { disk: Id::new(server.id.as_str()) })
    }
}

/// A word of the owner that lets bytes of one role, or of both, go. Only a spec or the delete command
/// says one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    word: &'static str,
    role: Option<Role>,
}

impl Word {
    /// `rootDiskSnapshot.onStop: reuse`, where the spec (or the cloud's default) says so.
    pub fn reuse(spec: &Spec, cloud: &super::Capabilities) -> Option<Word> {
        (spec.root_disk_snapshot.enable && spec.on_stop(cloud) == OnStop::Reuse)
            .then_some(Word { word: "onStop: reuse", role: Some(Role::Root) })
    }

    /// `rootDisk.disposable: true`.
    pub fn disposable(spec: &Spec) -> Option<Word> {
        spec.root_disk.disposable.then_some(Word { word: "rootDisk.disposable", role: Some(Role::Root) })
    }

    /// `dataDisk.delete: true`.
    pub fn delete_data(spec: &Spec) -> Option<Word> {
        spec.data_disk.as_ref().is_some_and(|disk| disk.delete).then_some(Word { word: "dataDisk.delete", role: Some(Role::Data) })
    }

    /// The command `cloudypad delete`, confirmed.
    pub fn delete_command(confirmed: &super::Deletion) -> Option<Word> {
        (!confirmed.keep_snapshots).then_some(Word { word: "cloudypad delete", role: None })
    }

    /// Whether the word is about disks of this role.
    fn speaks_of(&self, role: Option<Role>) -> bool {
        self.role.is_none() || self.role == role
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

/// A disk whose destruction loses nothing that the owner has not let go.
#[derive(Debug)]
pub struct Spared<K> {
    disk: Id<K>,
    why: Why,
}

/// Why a disk's destruction loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A ready copy was taken after its last possible write; the copy's id.
    Covered(String),
    /// The owner let it go.
    LetGo(Word),
    /// No server ever had it, and what it was made from is still there.
    NeverUsed,
}

impl<K> Spared<K> {
    /// The disk.
    pub fn disk(&self) -> &Id<K> {
        &self.disk
    }

    /// Why its destruction loses nothing.
    pub fn why(&self) -> &Why {
        &self.why
    }
}

impl Spared<Volume> {
    /// A free volume of the role that the owner's word speaks of.
    pub fn let_go(world: &World, id: &Id<Volume>, word: Word) -> Option<Self> {
        let volume = world.volume(id)?;
        (volume.is_free() && word.speaks_of(volume.tags.role())).then(|| Self { disk: id.clone(), why: Why::LetGo(word) })
    }

    /// A free volume with a ready snapshot of it, taken after its last possible write.
    pub fn covered(world: &World, id: &Id<Volume>) -> Option<Self> {
        let volume = world.volume(id)?;
        let copy = cover_of(world, volume)?;
        Some(Self { disk: id.clone(), why: Why::Covered(copy.id.to_string()) })
    }

    /// A free volume that no server ever had: born empty, born from a snapshot that is still ready,
    /// or taken off a server that never ran.
    pub fn never_used(world: &World, id: &Id<Volume>) -> Option<Self> {
        let volume = world.volume(id)?;
        let unused = match &volume.origin {
            _ if !volume.is_free() => false,
            _ if is_loser(world, volume) => true,
            _ if volume.attached_to.is_some() || volume.last_held != LastHeld::Never => false,
            Origin::Empty => true,
            Origin::Snapshot(from) => world.snapshots.items().iter().any(|it| it.id == *from && it.status == CopyStatus::Ready),
            Origin::Stock | Origin::Untold => false,
        };
        unused.then(|| Self { disk: id.clone(), why: Why::NeverUsed })
    }
}

/// The word of the tag on the root volume of a server that lost the election before it was ever started;
/// its value is that server's id.
pub const LOSER: &str = "loser";

/// Whether a volume was taken off a server that, as the vendor's stamps prove in this very look, never
/// ran. The tag names the server; the server's stamps are the proof.
fn is_loser(world: &World, volume: &Volume) -> bool {
    let held = world.servers.items().iter().any(|it| it.volumes.contains(&volume.id));
    let of = volume.tags.get(LOSER).and_then(|id| world.servers.items().iter().find(|it| it.id.as_str() == id));
    let never_ran = of.is_some_and(|it| it.ran == Ran::Never && it.power == Power::Off);
    never_ran && volume.is_free() && !held
}

/// The newest ready snapshot of a free volume that was taken after its last possible write: when a
/// server last let it go, or, where none ever had it, when it was made.
pub fn cover_of<'w>(world: &'w World, volume: &Volume) -> Option<&'w Snapshot> {
    if !volume.is_free() {
        return None;
    }
    let since = volume.last_write()?;
    world
        .snapshots
        .items()
        .iter()
        .filter(|it| it.of == volume.id && it.status == CopyStatus::Ready && it.created > since)
        .max_by_key(|it| it.created)
}

impl Spared<LocalDisk> {
    /// The local disk of a server, where the owner's word speaks of root disks.
    pub fn let_go(world: &World, server: &Id<Server>, word: Word) -> Option<Self> {
        let has_one = matches!(world.server(server)?.root, Root::Local { .. });
        (has_one && word.speaks_of(Some(Role::Root))).then(|| Self { disk: Id::new(server.as_str()), why: Why::LetGo(word) })
    }

    /// The local disk of a server seen off, with a ready image of it taken after it went off.
    pub fn covered(world: &World, server: &Id<Server>) -> Option<Self> {
        let image = image_cover_of(world, world.server(server)?)?;
        Some(Self { disk: Id::new(server.as_str()), why: Why::Covered(image.id.to_string()) })
    }
}

/// The newest ready image of the local disk of a server seen off, taken after it went off.
pub fn image_cover_of<'w>(world: &'w World, server: &Server) -> Option<&'w Image> {
    if server.power != Power::Off {
        return None;
    }
    let since = server.off_since?;
    world
        .images
        .items()
        .iter()
        .filter(|it| it.of.as_str() == server.id.as_str() && it.status == CopyStatus::Ready && it.created > since)
        .max_by_key(|it| it.created)
}

/// A copy whose destruction loses nothing that the owner has not let go.
#[derive(Debug)]
pub struct Expendable<K> {
    copy: Id<K>,
    why: CopyWhy,
}

/// Why a copy's destruction loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyWhy {
    /// As many newer ready copies of the same line exist as the owner wants to keep.
    Superseded,
    /// The vendor says that it failed, and its disk or a newer copy is there.
    Failed,
    /// The owner let it go.
    LetGo(Word),
}

impl<K> Expendable<K> {
    /// The copy.
    pub fn copy(&self) -> &Id<K> {
        &self.copy
    }

    /// Why its destruction loses nothing.
    pub fn why(&self) -> &CopyWhy {
        &self.why
    }
}

impl Expendable<Snapshot> {
    /// A snapshot of a disk of the role that the owner's word speaks of.
    pub fn let_go(snapshot: &Snapshot, word: Word) -> Option<Self> {
        let copy = snapshot.id.clone();
        word.speaks_of(snapshot.tags.role()).then_some(Self { copy, why: CopyWhy::LetGo(word) })
    }

    /// A snapshot that the retention no longer keeps, or that failed.
    pub fn of(world: &World, snapshot: &Snapshot, retain: u32) -> Option<Self> {
        let making = world
            .volumes
            .items()
            .iter()
            .any(|volume| volume.status == super::VolumeStatus::Creating && volume.origin == Origin::Snapshot(snapshot.id.clone()));
        if making {
            return None;
        }
        let why = expendable(world, Copy::Snapshot(snapshot), retain)?;
        Some(Self { copy: snapshot.id.clone(), why })
    }
}

impl Expendable<Image> {
    /// An image of a disk of the role that the owner's word speaks of.
    pub fn let_go(image: &Image, word: Word) -> Option<Self> {
        let copy = image.id.clone();
        word.speaks_of(image.tags.role()).then_some(Self { copy, why: CopyWhy::LetGo(word) })
    }

    /// An image that the retention no longer keeps, or that failed.
    pub fn of(world: &World, image: &Image, retain: u32) -> Option<Self> {
        let why = expendable(world, Copy::Image(image), retain)?;
        Some(Self { copy: image.id.clone(), why })
    }
}

/// At least `retain` newer ready copies of the same role and line, and, for a root disk, not the newest
/// configured one. A failed one may go while its disk is there, or once a newer one is ready: a copy
/// that became bad after its disk was gone may be all there is.
fn expendable(world: &World, copy: Copy<'_>, retain: u32) -> Option<CopyWhy> {
    let role = copy.tags().role()?;
    let newer: Vec<_> = world
        .copies(role)
        .into_iter()
        .take_while(|it| it.id() != copy.id())
        .filter(|it| it.is_ready() && it.line() == copy.line() && it.created() > copy.created())
        .collect();
    let configured = |it: &Copy<'_>| it.tags().get("recipe").is_some();
    let newest_configured = role == Role::Root && configured(&copy) && !newer.iter().any(configured);
    if *copy.status() == CopyStatus::Failed {
        let disk_is_there = world.volumes.items().iter().any(|it| it.id.as_str() == copy.of())
            || world.servers.items().iter().any(|it| it.id.as_str() == copy.of());
        return (disk_is_there || !newer.is_empty()).then_some(CopyWhy::Failed);
    }
    let enough = newer.len() >= retain.max(1) as usize;
    (copy.is_ready() && enough && !newest_configured).then_some(CopyWhy::Superseded)
}
