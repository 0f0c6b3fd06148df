//! How volumes and snapshots come to be, whichever API asked for them.

use super::catalogue::BLOCK_MAX;
use super::details::{GB, Kind, Reference, SnapshotDetails, Stage, VolumeDetails};
use super::input::invalid;
use crate::emulator::face::Answer;
use crate::emulator::objects::{CopyState, Snapshot, Volume, VolumeState};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;

/// What a new volume begins with.
pub enum Source<'s> {
    /// Nothing.
    Empty,
    /// A stock image, by name; its root snapshot by id.
    Image {
        /// The image's id.
        image: &'s str,
        /// Its name.
        name: &'s str,
        /// The vendor's snapshot.
        snapshot: &'s str,
    },
    /// A snapshot of our own.
    Snapshot(&'s str),
}

/// A volume to be made.
pub struct NewDisk<'s> {
    /// Where.
    pub zone: &'s str,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Where it lies.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
    /// Operations per second.
    pub iops: u64,
    /// What it begins with.
    pub source: Source<'s>,
    /// The customer's tags.
    pub tags: Vec<String>,
}

/// More than the local disks of any machine, in bytes.
const LOCAL_MAX: u64 = 100_000 * GB;

/// The size of the file behind so many bytes, in GB.
pub fn whole_gb(bytes: u64) -> u64 {
    bytes.div_ceil(GB).max(1)
}

/// Refuses what no disk is large enough for.
pub fn check_bytes(kind: Kind, bytes: u64) -> Result<(), Answer> {
    let most = if kind == Kind::Sbs { BLOCK_MAX } else { LOCAL_MAX };
    if bytes > most { Err(invalid("size", "constraint", &format!("must be at most {most}"))) } else { Ok(()) }
}

/// Makes a volume; a block volume takes a moment until it is available.
pub fn make_volume(deed: &mut Deed, new: NewDisk) -> Result<String, Answer> {
    if deed.check_quota("volume").is_err() {
        return Err(Answer::quota_exceeded("volumes"));
    }
    check_bytes(new.kind, new.bytes)?;
    let id = deed.mint("volume");
    let size_gb = whole_gb(new.bytes);
    let takes = deed.truth.market.takes();
    let (mut from_snapshot, mut from_image, mut parent) = (None, None, None);
    let seconds = match new.source {
        Source::Empty => {
            deed.make_disk(&id, size_gb, b"")?;
            takes.create_volume
        }
        Source::Image { image, name, snapshot } => {
            deed.make_disk(&id, size_gb, format!("scaleway image {image}: {name}\n").as_bytes())?;
            from_image = Some(image.to_owned());
            parent = (new.kind == Kind::Sbs).then(|| snapshot.to_owned());
            takes.create_volume
        }
        Source::Snapshot(snapshot) => {
            deed.copy_disk(snapshot, &id, size_gb)?;
            from_snapshot = Some(snapshot.to_owned());
            parent = Some(snapshot.to_owned());
            takes.restore_volume
        }
    };
    let local = new.kind != Kind::Sbs;
    let state = if local { VolumeState::Available } else { VolumeState::Creating };
    let created = deed.tick();
    let volume = Volume {
        id: id.clone(),
        zone: new.zone.to_owned(),
        name: new.name,
        size_gb,
        state,
        server: None,
        created,
        last_detached: None,
        from_snapshot,
        from_image,
        tags: new.tags,
        local,
        ephemeral: new.kind == Kind::Scratch,
    };
    let details = VolumeDetails {
        kind: new.kind,
        bytes: new.bytes,
        growing_to: None,
        project: new.project,
        iops: new.iops,
        parent,
        reference: None,
        kms_key: None,
        modified: created,
    };
    if !local {
        let price = deed.truth.market.volume(new.zone, size_gb);
        deed.open_bill(&id, "volume", &volume.name, price);
        deed.schedule(seconds, Effect::VolumeReady(id.clone()));
    }
    deed.truth.volumes.insert(id.clone(), volume);
    deed.truth.scaleway.volumes.insert(id.clone(), details);
    Ok(id)
}

/// Notes the bond of a volume with the server that has just taken it.
pub fn bind(deed: &mut Deed, volume: &str, stage: Stage) {
    let (id, created) = (deed.mint("reference"), deed.tick());
    if let Some(details) = deed.truth.scaleway.volumes.get_mut(volume)
        && details.kind == Kind::Sbs
    {
        details.reference = Some(Reference { id, created, stage });
        details.modified = created;
    }
}

/// Takes a snapshot of a volume; gives its id.
pub fn take_snapshot(deed: &mut Deed, volume: &str, name: &str, project: String, tags: Vec<String>) -> Result<String, Answer> {
    if deed.check_quota("snapshot").is_err() {
        return Err(Answer::quota_exceeded("snapshots"));
    }
    // The call lasts until a volume that was just ordered is there.
    if let Some(volume) = deed.truth.volumes.get_mut(volume)
        && volume.state == VolumeState::Creating
    {
        volume.state = VolumeState::Available;
    }
    let is_first = !deed.truth.snapshots.values().any(|snapshot| snapshot.volume == volume);
    let snapshot = deed.snapshot_volume(volume, name, tags)?;
    let found = deed.truth.volumes.get(volume);
    let written = found.is_some_and(|volume| deed.truth.is_written(volume));
    let held = is_first && written;
    // A local volume at rest is copied before the call ends.
    if found.is_some_and(|volume| volume.local)
        && !written
        && let Some(snapshot) = deed.truth.snapshots.get_mut(&snapshot.id)
    {
        snapshot.state = CopyState::Available;
    }
    let (kind, bytes) = deed.truth.scaleway.volumes.get(volume).map_or((Kind::Sbs, snapshot.size_gb * GB), |it| (it.kind, it.bytes));
    let details = SnapshotDetails {
        kind,
        bytes,
        project,
        public: false,
        unified: false,
        volume_name: found.map(|volume| volume.name.clone()).unwrap_or_default(),
        held,
        exporting: false,
        imported: false,
        released_by: None,
        modified: snapshot.created,
    };
    deed.truth.scaleway.snapshots.insert(snapshot.id.clone(), details);
    Ok(snapshot.id)
}

/// Makes a snapshot that holds no volume's bytes, such as one that comes from the object storage.
pub fn import_snapshot(
    deed: &mut Deed,
    zone: &str,
    name: &str,
    kind: Kind,
    bytes: u64,
    project: String,
    tags: Vec<String>,
) -> Result<String, Answer> {
    if deed.check_quota("snapshot").is_err() {
        return Err(Answer::quota_exceeded("snapshots"));
    }
    check_bytes(kind, bytes)?;
    let id = deed.mint("snapshot");
    let size_gb = whole_gb(bytes);
    deed.make_disk(&id, size_gb, format!("imported {name}\n").as_bytes())?;
    let created = deed.tick();
    let snapshot = Snapshot {
        id: id.clone(),
        zone: zone.to_owned(),
        name: name.to_owned(),
        size_gb,
        volume: String::new(),
        state: CopyState::Creating,
        created,
        tags,
    };
    let details = SnapshotDetails {
        kind,
        bytes,
        project,
        public: false,
        unified: false,
        volume_name: String::new(),
        held: false,
        exporting: false,
        imported: true,
        released_by: None,
        modified: created,
    };
    let price = deed.truth.market.snapshot(size_gb);
    deed.open_bill(&id, "snapshot", name, price);
    deed.schedule(IMPORT_SECONDS, Effect::SnapshotReady(id.clone()));
    deed.truth.snapshots.insert(id.clone(), snapshot);
    deed.truth.scaleway.snapshots.insert(id.clone(), details);
    Ok(id)
}

/// How long it takes to bring a snapshot in from the object storage.
const IMPORT_SECONDS: u64 = 100;
