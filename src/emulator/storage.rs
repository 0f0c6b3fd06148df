//! What a customer can do with volumes, snapshots and images.

use super::objects::{CopyState, Image, Root, ServerState, Snapshot, Volume, VolumeState};
use super::physics::Deed;
use super::refusal::Refusal;
use super::truth::Effect;
use super::{Cloud, Imitate};

/// A volume to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVolume {
    /// Where.
    pub zone: String,
    /// Its name.
    pub name: String,
    /// Its size in GB.
    pub size_gb: u64,
    /// The snapshot it starts with, by id; it is empty if missing.
    pub from_snapshot: Option<String>,
    /// The customer's tags.
    pub tags: Vec<String>,
}

impl Cloud {
    /// Creates a volume, empty or from a snapshot that is not larger.
    pub fn create_volume(&self, new: NewVolume) -> Result<Volume, Refusal> {
        self.mutate("create_volume", |deed| deed.create_volume(new))
    }

    /// Makes a volume larger, also while it is in use.
    pub fn grow_volume(&self, volume: &str, size_gb: u64) -> Result<(), Refusal> {
        self.mutate("grow_volume", |deed| deed.grow_volume(volume, size_gb))
    }

    /// Deletes a volume that is available and that no server references.
    pub fn delete_volume(&self, volume: &str) -> Result<(), Refusal> {
        self.mutate("delete_volume", |deed| deed.delete_volume(volume))
    }

    /// Copies a volume as it is now; if its server runs, the copy is of a disk being written to.
    pub fn snapshot_volume(&self, volume: &str, name: &str, tags: Vec<String>) -> Result<Snapshot, Refusal> {
        self.mutate("snapshot_volume", |deed| deed.snapshot_volume(volume, name, tags))
    }

    /// Deletes a snapshot that is complete and that no volume is being made from.
    pub fn delete_snapshot(&self, snapshot: &str) -> Result<(), Refusal> {
        self.mutate("delete_snapshot", |deed| deed.delete_snapshot(snapshot))
    }

    /// Copies the local disk of a server as it is now.
    pub fn capture_image(&self, server: &str, name: &str, tags: Vec<String>) -> Result<Image, Refusal> {
        self.mutate("capture_image", |deed| deed.capture_image(server, name, tags))
    }

    /// Deletes a private image that is complete.
    pub fn delete_image(&self, image: &str) -> Result<(), Refusal> {
        self.mutate("delete_image", |deed| deed.delete_image(image))
    }
}

impl Deed {
    /// Creates a volume, empty or from a snapshot that is not larger.
    pub(super) fn create_volume(&mut self, new: NewVolume) -> Result<Volume, Refusal> {
        self.truth.market.check_zone(&new.zone)?;
        self.check_quota("volume")?;
        check_size(new.size_gb)?;
        let id = self.mint("vol");
        let seconds = match &new.from_snapshot {
            None => {
                self.make_disk(&id, new.size_gb, b"")?;
                self.truth.market.takes().create_volume
            }
            Some(snapshot) => {
                let found = self.truth.snapshot(snapshot)?;
                if found.state != CopyState::Available {
                    return Err(Refusal::conflict(format!("snapshot {snapshot} should be available, it is {}", found.state)));
                }
                if found.zone != new.zone {
                    let message = format!("snapshot {snapshot} is in zone {}", found.zone);
                    return Err(Refusal::invalid(message));
                }
                if new.size_gb < found.size_gb {
                    return Err(Refusal::invalid(format!("snapshot {snapshot} needs {} GB, not {}", found.size_gb, new.size_gb)));
                }
                self.copy_disk(snapshot, &id, new.size_gb)?;
                self.truth.market.takes().restore_volume
            }
        };
        let volume = Volume {
            id: id.clone(),
            zone: new.zone,
            name: new.name,
            size_gb: new.size_gb,
            state: VolumeState::Creating,
            server: None,
            created: self.tick(),
            last_detached: None,
            from_snapshot: new.from_snapshot,
            from_image: None,
            tags: new.tags,
            local: false,
            ephemeral: false,
        };
        let price = self.truth.market.volume(&volume.zone, volume.size_gb);
        self.open_bill(&id, "volume", &volume.name, price);
        self.schedule(seconds, Effect::VolumeReady(id.clone()));
        self.truth.volumes.insert(id, volume.clone());
        Ok(volume)
    }

    /// Makes a volume larger, also while it is in use.
    pub(super) fn grow_volume(&mut self, volume: &str, size_gb: u64) -> Result<(), Refusal> {
        check_size(size_gb)?;
        let found = self.truth.volume_mut(volume)?;
        if !matches!(found.state, VolumeState::Available | VolumeState::InUse) {
            let message = format!("volume {volume} should be available or in use, it is {}", found.state);
            return Err(Refusal::conflict(message));
        }
        if size_gb < found.size_gb {
            return Err(Refusal::invalid(format!("volume {volume} has {} GB and cannot shrink to {size_gb}", found.size_gb)));
        }
        if size_gb > found.size_gb {
            found.state = VolumeState::Resizing;
            let effect = Effect::VolumeResized { volume: volume.to_owned(), size_gb };
            self.schedule(self.truth.market.takes().resize, effect);
        }
        Ok(())
    }

    /// Deletes a volume that is available and that no server references.
    pub(super) fn delete_volume(&mut self, volume: &str) -> Result<(), Refusal> {
        let found = self.truth.volume(volume)?.clone();
        if let Some(server) = &found.server {
            let message = format!("volume {volume} is in use by server {server}");
            return Err(Refusal::conflict(message));
        }
        if !matches!(found.state, VolumeState::Available | VolumeState::Error) {
            let message = format!("volume {volume} should be available, it is {}", found.state);
            return Err(Refusal::conflict(message));
        }
        self.destroy(volume, &found.name, &found.tags)?;
        self.close_bills(volume);
        self.truth.volumes.remove(volume);
        Ok(())
    }

    /// Copies a volume as it is now; if its server runs, the copy is of a disk being written to.
    pub(super) fn snapshot_volume(&mut self, volume: &str, name: &str, tags: Vec<String>) -> Result<Snapshot, Refusal> {
        self.check_quota("snapshot")?;
        let found = self.truth.volume(volume)?.clone();
        let is_readable = matches!(found.state, VolumeState::Available | VolumeState::InUse | VolumeState::Detaching);
        if !is_readable {
            let message = format!("volume {volume} should be available or in use, it is {}", found.state);
            return Err(Refusal::conflict(message));
        }
        let id = self.mint("snap");
        self.notice_writes(volume)?;
        self.copy_disk(volume, &id, found.size_gb)?;
        let seconds = if self.truth.is_written(&found) {
            self.note_writing(volume);
            let is_first = !self.truth.snapshots.values().any(|it| it.volume == volume);
            let takes = self.truth.market.takes();
            if is_first { takes.snapshot_running } else { takes.snapshot_again }
        } else {
            self.truth.market.takes().snapshot
        };
        let snapshot = Snapshot {
            id: id.clone(),
            zone: found.zone,
            name: name.to_owned(),
            size_gb: found.size_gb,
            volume: volume.to_owned(),
            state: CopyState::Creating,
            created: self.tick(),
            tags,
        };
        let price = self.truth.market.snapshot(found.size_gb);
        self.open_bill(&id, "snapshot", name, price);
        self.schedule(seconds, Effect::SnapshotReady(id.clone()));
        self.truth.snapshots.insert(id, snapshot.clone());
        Ok(snapshot)
    }

    /// Deletes a snapshot that is complete and that no volume is being made from.
    pub(super) fn delete_snapshot(&mut self, snapshot: &str) -> Result<(), Refusal> {
        let found = self.truth.snapshot(snapshot)?.clone();
        if found.state == CopyState::Creating {
            return Err(Refusal::conflict(format!("snapshot {snapshot} is {}", found.state)));
        }
        let made_of_it = |volume: &Volume| volume.state == VolumeState::Creating && volume.from_snapshot.as_deref() == Some(snapshot);
        if self.truth.volumes.values().any(made_of_it) {
            return Err(Refusal::conflict(format!("snapshot {snapshot} is in use: a volume is being made from it")));
        }
        self.destroy(snapshot, &found.name, &found.tags)?;
        self.close_bills(snapshot);
        self.truth.snapshots.remove(snapshot);
        Ok(())
    }

    /// Copies the local disk of a server as it is now.
    pub(super) fn capture_image(&mut self, server: &str, name: &str, tags: Vec<String>) -> Result<Image, Refusal> {
        if self.truth.imitate != Imitate::LocalDisks {
            let message = "this cloud has no local disks: take a snapshot of the root volume";
            return Err(Refusal::invalid(message));
        }
        self.check_quota("image")?;
        let found = self.truth.server(server)?.clone();
        if !matches!(found.state, ServerState::Running | ServerState::Stopped) {
            let message = format!("server should be running or stopped: {server} is {}", found.state);
            return Err(Refusal::conflict(message));
        }
        let Some(Root::Disk { id: disk, size_gb }) = found.root.clone() else {
            return Err(Refusal::conflict(format!("server {server} has no local disk")));
        };
        let id = self.mint("img");
        self.notice_writes(&disk)?;
        self.copy_disk(&disk, &id, size_gb)?;
        if found.may_write() {
            self.note_writing(&disk);
        }
        let image = Image {
            id: id.clone(),
            zone: found.zone,
            name: name.to_owned(),
            size_gb,
            server: server.to_owned(),
            disk,
            state: CopyState::Creating,
            created: self.tick(),
            tags,
        };
        let price = self.truth.market.image(size_gb);
        self.open_bill(&id, "image", name, price);
        self.schedule(self.truth.market.takes().capture, Effect::ImageReady(id.clone()));
        self.truth.images.insert(id, image.clone());
        Ok(image)
    }

    /// Deletes a private image that is complete.
    pub(super) fn delete_image(&mut self, image: &str) -> Result<(), Refusal> {
        let found = self.truth.image(image)?.clone();
        if found.state == CopyState::Creating {
            return Err(Refusal::conflict(format!("image {image} is {}", found.state)));
        }
        self.destroy(image, &found.name, &found.tags)?;
        self.close_bills(image);
        self.truth.images.remove(image);
        Ok(())
    }
}

/// Refuses sizes no disk of this cloud has.
fn check_size(size_gb: u64) -> Result<(), Refusal> {
    if (1..=10_000).contains(&size_gb) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("a volume has 1 to 10000 GB, not {size_gb}")))
}
