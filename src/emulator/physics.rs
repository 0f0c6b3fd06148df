//! Time and its effects: a deed in the making, and what happens by itself.

use std::path::Path;
use std::time::Duration;

use super::Imitate;
use super::clock::Moment;
use super::disk::Disks;
use super::face;
use super::fault::FaultKind;
use super::objects::{CopyState, Root, ServerState, VolumeState};
use super::refusal::{Refusal, RefusalKind};
use super::truth::{Effect, Transition, Truth};

/// How fast what a call sets off will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// So many times as long as usual.
    Times(u64),
    /// It never completes.
    Never,
}

impl Pace {
    /// The pace of what a call sets off that a fault may have befallen.
    pub(super) fn under(fault: Option<FaultKind>) -> Pace {
        match fault {
            Some(FaultKind::Stuck) => Pace::Never,
            Some(FaultKind::Slow { factor }) => Pace::Times(u64::from(factor)),
            _ => Pace::Times(1),
        }
    }
}

/// A change in the making: a copy of the truth that replaces it if all goes well.
pub(super) struct Deed {
    pub(super) truth: Truth,
    pub(super) disks: Disks,
    pub(super) now: Moment,
    pub(super) pace: Pace,
    /// Whether what is started finds no machine.
    pub(super) turned_away: bool,
    /// Whether the job that is set off will fail.
    pub(super) in_vain: bool,
    /// Disk files made for this deed, to be removed if it is refused.
    pub(super) made: Vec<String>,
    /// Disk files to be sealed once the deed is done.
    pub(super) unsealed: Vec<String>,
    /// Disk files to be removed once the deed is done.
    pub(super) doomed: Vec<String>,
}

impl Deed {
    pub(super) fn new(truth: Truth, disks: Disks, now: Moment) -> Deed {
        Deed {
            truth,
            disks,
            now,
            pace: Pace::Times(1),
            turned_away: false,
            in_vain: false,
            made: Vec::new(),
            unsealed: Vec::new(),
            doomed: Vec::new(),
        }
    }

    /// A stamp that no other object has, later than all before it.
    pub(super) fn tick(&mut self) -> Moment {
        let next = Moment(self.truth.last_stamp.0.saturating_add(1));
        self.truth.last_stamp = self.now.max(next);
        self.truth.last_stamp
    }

    /// A new id.
    pub(super) fn mint(&mut self, prefix: &str) -> String {
        self.truth.last_id += 1;
        self.truth.market.id(prefix, self.truth.seed, self.truth.last_id)
    }

    /// Has something happen by itself, so many cloud seconds from now.
    pub(super) fn schedule(&mut self, seconds: u64, effect: Effect) {
        self.schedule_in(Duration::from_secs(seconds), effect);
    }

    /// The same for a time that is no whole number of seconds.
    pub(super) fn schedule_in(&mut self, time: Duration, effect: Effect) {
        let (due, factor) = match self.pace {
            Pace::Times(factor) => (self.now.plus(time.saturating_mul(u32::try_from(factor).unwrap_or(u32::MAX))), factor),
            Pace::Never => (Moment::NEVER, 1),
        };
        self.truth.transitions.push(Transition { due, effect, factor });
    }

    /// Refuses one more object of a kind that has reached its quota.
    pub(super) fn check_quota(&self, kind: &str) -> Result<(), Refusal> {
        match self.truth.faults.quota.get(kind) {
            Some(limit) if self.truth.count(kind) >= *limit as usize => {
                Err(Refusal::new(RefusalKind::Quota, format!("the quota of {limit} objects of kind {kind} is used up")))
            }
            _ => Ok(()),
        }
    }

    /// Makes the file of a new disk, empty but for its first bytes.
    pub(super) fn make_disk(&mut self, file: &str, size_gb: u64, header: &[u8]) -> Result<(), Refusal> {
        self.made.push(file.to_owned());
        self.disks.create(file, size_gb, header)?;
        self.note_birth(file);
        Ok(())
    }

    /// Makes the file of a new disk, snapshot or image with the bytes of another one.
    pub(super) fn copy_disk(&mut self, from: &str, to: &str, size_gb: u64) -> Result<(), Refusal> {
        self.made.push(to.to_owned());
        self.disks.copy(from, to, size_gb)?;
        self.note_copy(from, to);
        Ok(())
    }

    /// Makes the file of a new disk with the bytes of a file that is nobody's disk.
    pub(super) fn import_disk(&mut self, from: &Path, to: &str, size_gb: u64) -> Result<(), Refusal> {
        self.made.push(to.to_owned());
        self.disks.import(from, to, size_gb)?;
        self.note_birth(to);
        Ok(())
    }

    /// Lets everything happen that is due by now, in the order of its time. What cannot be done to one disk breaks that
    /// disk and stops nothing else.
    pub(super) fn settle(&mut self) {
        let now = self.now;
        while let Some(index) = self.first_due(now) {
            let transition = self.truth.transitions.remove(index);
            self.now = transition.due;
            self.pace = Pace::Times(transition.factor);
            self.happen(transition.effect.clone());
            if let Some(vendor) = self.truth.market.vendor() {
                if let Effect::Late(order) = &transition.effect {
                    face::arrive(self, vendor, order);
                }
                vendor.follow(self, &transition.effect);
            }
        }
        self.now = now;
        self.pace = Pace::Times(1);
    }

    fn first_due(&self, now: Moment) -> Option<usize> {
        let transitions = self.truth.transitions.iter().enumerate();
        let due = transitions.filter(|(_, transition)| transition.due <= now);
        due.min_by_key(|(index, transition)| (transition.due, *index)).map(|(index, _)| index)
    }

    fn happen(&mut self, effect: Effect) {
        match effect {
            Effect::Started(id) => {
                if let Some(server) = self.truth.servers.get_mut(&id)
                    && server.state == ServerState::Starting
                {
                    server.state = ServerState::Running;
                }
            }
            Effect::Stopped(id) => self.become_off(&id, ServerState::Stopped),
            Effect::StoppedInPlace(id) => self.become_off(&id, ServerState::StoppedInPlace),
            Effect::ServerGone(id) => self.remove_server(&id),
            Effect::VolumeReady(id) => {
                if let Some(volume) = self.truth.volumes.get_mut(&id)
                    && volume.state == VolumeState::Creating
                {
                    volume.state = VolumeState::Available;
                }
            }
            Effect::VolumeDetached(id) => self.free_volume(&id),
            Effect::VolumeResized { volume, size_gb } => self.resize_volume(&volume, size_gb),
            Effect::SnapshotReady(id) => {
                if let Some(snapshot) = self.truth.snapshots.get_mut(&id)
                    && snapshot.state == CopyState::Creating
                {
                    snapshot.state = CopyState::Available;
                }
            }
            Effect::Rebooting(id) => {
                let seconds = self.truth.market.takes().power_on;
                if let Some(server) = self.truth.servers.get_mut(&id)
                    && server.state == ServerState::Stopping
                {
                    server.state = ServerState::Starting;
                    self.schedule(seconds, Effect::Started(id));
                }
            }
            Effect::TurnedAway(id) => {
                if let Some(server) = self.truth.servers.get_mut(&id)
                    && server.state == ServerState::Starting
                {
                    server.state = ServerState::Stopped;
                }
            }
            Effect::Late(_) | Effect::Scaleway(_) | Effect::Linode(_) => {}
            Effect::ImageReady(id) => {
                if let Some(image) = self.truth.images.get_mut(&id)
                    && image.state == CopyState::Creating
                {
                    image.state = CopyState::Available;
                }
            }
        }
    }

    fn become_off(&mut self, id: &str, state: ServerState) {
        let stamp = self.tick();
        let Some(server) = self.truth.servers.get_mut(id) else {
            return;
        };
        if server.state != ServerState::Stopping {
            return;
        }
        server.state = state;
        if server.off_since.is_none() {
            server.off_since = Some(stamp);
        }
        if state == ServerState::Stopped && self.truth.imitate == Imitate::Volumes {
            self.close_bills(id);
        }
    }

    fn remove_server(&mut self, id: &str) {
        let Some(server) = self.truth.servers.get(id).cloned() else {
            return;
        };
        if let Some(Root::Disk { id: disk, .. }) = &server.root {
            if self.notice_writes(disk).is_err() {
                self.note_writing(disk); // Somebody may have written to a file we cannot look at.
            }
            self.bury(disk, &server.name, &server.tags);
        }
        for disk in &server.disks {
            if self.notice_writes(disk).is_err() {
                self.note_writing(disk);
            }
            self.bury(disk, &server.name, &server.tags);
        }
        for volume in &server.volumes {
            let own = server.takes_local_disks && self.truth.volumes.get(volume).is_some_and(|volume| volume.local);
            if own {
                if self.notice_writes(volume).is_err() {
                    self.note_writing(volume);
                }
                self.remove_volume(volume);
                continue;
            }
            if self.notice_writes(volume).is_err()
                && let Some(volume) = self.truth.volumes.get_mut(volume)
            {
                volume.state = VolumeState::Error;
            }
            let seconds = self.truth.market.takes().detach;
            self.send_off(volume, seconds);
        }
        for address in self.truth.addresses.values_mut().filter(|address| address.server.as_deref() == Some(id)) {
            address.server = None;
        }
        self.close_bills(id);
        self.truth.servers.remove(id);
    }

    /// Sets a volume on its way from its server; it stays referenced until it is there.
    pub(super) fn begin_detach(&mut self, id: &str, seconds: u64) -> Result<(), Refusal> {
        self.notice_writes(id)?;
        self.send_off(id, seconds);
        Ok(())
    }

    fn send_off(&mut self, id: &str, seconds: u64) {
        if let Some(volume) = self.truth.volumes.get_mut(id) {
            if volume.state != VolumeState::Error {
                volume.state = VolumeState::Detaching;
            }
            let seconds = if volume.local { 0 } else { seconds };
            self.schedule(seconds, Effect::VolumeDetached(id.to_owned()));
        }
    }

    /// Has a volume arrive where no server has it; a broken one stays broken.
    fn free_volume(&mut self, id: &str) {
        let stamp = self.tick();
        if let Some(volume) = self.truth.volumes.get_mut(id)
            && matches!(volume.state, VolumeState::Detaching | VolumeState::Error)
        {
            if volume.state == VolumeState::Detaching {
                volume.state = VolumeState::Available;
            }
            volume.server = None;
            volume.last_detached = Some(stamp);
            if volume.ephemeral {
                self.remove_volume(id);
            }
        }
    }

    /// Ends a volume by itself, bytes and all.
    fn remove_volume(&mut self, id: &str) {
        if let Some(volume) = self.truth.volumes.get(id).cloned() {
            self.bury(id, &volume.name, &volume.tags);
            self.close_bills(id);
            self.truth.volumes.remove(id);
        }
    }

    /// Makes a volume larger, or breaks it if its file does not grow.
    fn resize_volume(&mut self, id: &str, size_gb: u64) {
        let Some(volume) = self.truth.volumes.get_mut(id) else {
            return;
        };
        if self.disks.grow(id, size_gb).is_err() {
            volume.state = VolumeState::Error;
            return;
        }
        volume.size_gb = size_gb;
        if volume.state == VolumeState::Resizing {
            let attached = volume.server.is_some();
            volume.state = if attached { VolumeState::InUse } else { VolumeState::Available };
        }
        let (name, zone) = (volume.name.clone(), volume.zone.clone());
        self.close_bills(id);
        let price = self.truth.market.volume(&zone, size_gb);
        self.open_bill(id, "volume", &name, price);
    }
}
