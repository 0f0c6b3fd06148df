//! A plan being written: steps with reasons, waits, notes.

use super::{line, scene::Scene};
use crate::model::{
    Awaited, Copy, CopyStatus, Hold, Lock, Note, Plan, Planned, Reason, Role, Server, Stamp, Step, Volume, VolumeStatus, Wait,
    is_named_create_key,
};

/// The steps, waits and notes gathered so far.
pub(crate) struct Draft<'w> {
    pub scene: Scene<'w>,
    pub next: Vec<Planned>,
    pub waits: Vec<Wait>,
    pub notes: Vec<Note>,
}

impl<'w> Draft<'w> {
    pub fn new(scene: Scene<'w>) -> Self {
        Self { scene, next: Vec::new(), waits: Vec::new(), notes: Vec::new() }
    }

    /// Adds a step.
    pub fn step(&mut self, step: Step, reason: Reason) {
        let (line, reason) = (line::describe(&step, &self.scene), reason.by_clock(self.scene.ask));
        self.next.push(Planned { step, reason, line, optional: false });
    }

    /// Adds a step that the instance can do without: a refusal of it is a fact for the next turn.
    pub fn optional_step(&mut self, step: Step, reason: Reason) {
        let (line, reason) = (line::describe(&step, &self.scene), reason.by_clock(self.scene.ask));
        self.next.push(Planned { step, reason, line, optional: true });
    }

    /// [`Draft::create`], of what the instance can do without.
    pub fn create_optional(&mut self, step: Step, reason: Reason) {
        let before = self.next.len();
        self.create(step, reason);
        self.next[before..].iter_mut().for_each(|it| it.optional = true);
    }

    /// Adds a create, unless an earlier one may still take effect, or has and is not listed yet.
    pub fn create(&mut self, step: Step, reason: Reason) {
        let key = step.key();
        let lag = self.scene.cloud.listing_lag;
        let what = || line::describe(&step, &self.scene);
        if let Some(until) = self.stands_in_the_way(&key) {
            let wait = format!("an earlier call to {} has surely ended", what());
            self.wait(Awaited::Clock(until), wait, self.scene.cloud.late_effect + lag);
        } else if let Some(until) =
            self.scene.facts.made.get(&key).map(|asked| asked.plus_seconds(lag)).filter(|it| self.scene.world.now < *it)
        {
            let wait = format!("the cloud lists what it was asked to {}", what());
            self.wait(Awaited::Clock(until), wait, lag);
        } else {
            self.step(step, reason);
        }
    }

    /// Until when a create whose answer was lost stands in the way of the same create.
    fn stands_in_the_way(&self, key: &str) -> Option<Stamp> {
        // Whatever becomes of an earlier call, a second one under the same name makes nothing.
        let is_named = self.scene.cloud.unique_names && is_named_create_key(key);
        self.still_open(key).filter(|_| !is_named)
    }

    /// Until when a create whose answer was lost may still take effect. A stamp of the future is of
    /// another cloud's clock, and tells nothing.
    pub fn still_open(&self, key: &str) -> Option<Stamp> {
        let asked = *self.scene.facts.open.get(key)?;
        let until = asked.plus_seconds(self.scene.cloud.late_effect + self.scene.cloud.listing_lag);
        (asked <= self.scene.world.now && self.scene.world.now < until).then_some(until)
    }

    /// Adds a wait.
    pub fn wait(&mut self, awaited: Awaited, until: String, seconds: u64) {
        let wait = Wait { awaited, until, seconds };
        if !self.waits.contains(&wait) {
            self.waits.push(wait);
        }
    }

    /// Whether an object made at `created` may be used; if not yet, waits until it may.
    pub fn settled(&mut self, created: Stamp, what: &str) -> bool {
        let settled = self.scene.is_settled(created);
        if !settled {
            let lag = self.scene.cloud.listing_lag;
            self.wait(Awaited::Clock(created.plus_seconds(lag)), format!("it is sure that {what} is the only one"), lag);
        }
        settled
    }

    /// Whether a server, volume or firewall made at `created` is the only one of its name; if not yet, waits until it
    /// surely is.
    pub fn elected(&mut self, created: Stamp, what: &str) -> bool {
        self.scene.cloud.unique_names || self.settled(created, what)
    }

    /// Waits until a volume is free, attached or gone.
    pub fn wait_volume(&mut self, volume: &Volume) {
        let usual = self.scene.cloud.durations;
        let (word, seconds) = match volume.status {
            VolumeStatus::InUse | VolumeStatus::Detaching => ("detached", usual.detach),
            VolumeStatus::Deleting => ("gone", usual.call),
            _ => ("ready", usual.volume),
        };
        let until = format!("the {} is {word}", line::disk(volume, &self.scene));
        self.wait(Awaited::VolumeSettled(volume.id.clone()), until, seconds);
    }

    /// Waits until a server is on or off.
    pub fn wait_server(&mut self, server: &Server) {
        let durations = self.scene.cloud.durations;
        let (word, seconds) = match server.power {
            crate::model::Power::Starting => ("runs", durations.start),
            crate::model::Power::Busy => ("is ready", durations.create_server),
            _ => ("is off", durations.stop),
        };
        self.wait(Awaited::ServerSettled(server.id.clone()), format!("server {} {word}", server.name), seconds);
    }

    /// Waits until a copy is complete, has failed, or is gone.
    pub fn await_copy(&mut self, copy: Copy<'_>) {
        let usual = self.scene.cloud.durations;
        let awaited = match copy {
            Copy::Snapshot(it) => Awaited::SnapshotSettled(it.id.clone()),
            Copy::Image(it) => Awaited::ImageSettled(it.id.clone()),
        };
        let role = copy.tags().role().map_or("", Role::word);
        let seconds = usual.copy + usual.copy_per_100_gb * copy.size_gb() / 100;
        let word = if *copy.status() == CopyStatus::Deleting { "gone" } else { "ready" };
        self.wait(awaited, format!("the {role} snapshot is {word}"), seconds);
    }

    /// [`Draft::await_copy`], by id.
    pub fn await_copy_id(&mut self, id: &str) {
        let copies = self.scene.root_copies.iter().chain(&self.scene.data_copies);
        if let Some(copy) = copies.copied().find(|it| it.id() == id) {
            self.await_copy(copy);
        }
    }

    /// Waits for a server that is on its way out; its name, address and disks come free with it.
    pub fn await_leaving(&mut self) -> bool {
        let Some(leaving) = self.scene.leaving else { return false };
        let seconds = self.scene.cloud.durations.delete_server;
        self.wait(Awaited::ServerGone(leaving.id.clone()), format!("server {} is gone", leaving.name), seconds);
        true
    }

    /// A server that its owner locked in the vendor's console is not touched.
    pub fn refuse_locked(&self, server: &Server) -> Result<(), Hold> {
        if server.locked { Err(Hold::Locked { object: format!("server {}", server.id), by: Lock::Owner }) } else { Ok(()) }
    }

    /// Whether nothing is left to do and nothing to wait for.
    pub fn is_quiet(&self) -> bool {
        self.next.is_empty() && self.waits.is_empty()
    }
}

/// The plan's next steps, by key.
impl Plan {
    /// The planned step with this key.
    pub fn take(&mut self, key: &str) -> Option<Planned> {
        let index = self.next.iter().position(|it| it.step.key() == key)?;
        Some(self.next.swap_remove(index))
    }
}
