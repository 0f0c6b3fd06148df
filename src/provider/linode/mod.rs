//! Linode (Akamai): Linodes whose root disk dies with them, volumes that do not, through the REST API v4.
//!
//! In reading order: [`account`] finds token and settings, `client` sends calls, `wire` is what we read of the answers
//! and `refusal` what their errors mean; `shot` looks at an account for all its instances at once, with its DNS `zones`,
//! `events` says what happened to a Linode, `look` makes a world of both; `act` performs steps, with `birth`, `names`,
//! `labels` and `rules`; `stock` says what is free.

mod account;
mod act;
mod birth;
mod client;
mod events;
mod labels;
mod look;
mod names;
#[cfg(test)]
mod recorded;
mod refusal;
mod rules;
mod shot;
mod stock;
#[cfg(test)]
mod tests;
mod wire;
mod zones;

pub use account::Account;
pub use shot::Estate;

use super::{
    Problem, Provider, Seed,
    http::{Wire, network},
};
use crate::model::{
    Ask, Awaited, Capabilities, FailedCapture, InstanceKey, Rule, ServerState, Stamp, Step, World, instance_tag, spec::Dns, tag_value,
};
use async_trait::async_trait;
use client::Client;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One instance at Linode.
pub struct Linode {
    estate: Arc<Estate>,
    region: String,
    dns: Option<Dns>,
    /// The instance's tag.
    mark: String,
    /// The type that the wish names.
    machine_type: String,
    /// The image of a first deploy.
    image: String,
    /// The image that the wish names, as tags say it.
    named_image: Option<String>,
    /// The size of the root disk in GB that the wish names.
    root_gb: u64,
    /// What the wish lets in.
    rules: Vec<Rule>,
    /// Whether the wish has a data volume.
    has_data: bool,
    /// Whether the wish is a server, on or off.
    keeps_server: bool,
    /// Whether the wish is nothing at all.
    destroys: bool,
    /// Whether the wish is a server that is off.
    keeps_off: bool,
    /// Whether the wish has the root disk captured.
    captures: bool,
    seed: Seed,
    capabilities: Capabilities,
    memory: Mutex<Memory>,
}

/// What this process saw and did that the API does not tell, by id. It is never a reason to destroy anything: losing it
/// costs time.
#[derive(Default)]
struct Memory {
    /// Linodes seen off: since when without a gap, and when last.
    off: BTreeMap<String, (Stamp, Stamp)>,
    /// Volumes told to leave a Linode, and when.
    detaching: BTreeMap<String, (String, Stamp)>,
    /// Addresses reserved.
    reserved: Vec<String>,
    /// Addresses that were reserved without our tags, and are to be given back.
    untagged: Vec<String>,
    /// Whether addresses were listed without a word on tags.
    tagless: bool,
    /// Linodes told to go off, or on, and when.
    ordered: BTreeMap<String, (bool, Stamp)>,
    /// Images begun, with the Linode whose disk they are of, and when.
    captures: BTreeMap<String, (String, Stamp)>,
    /// Linodes whose capture vanished.
    failed: BTreeMap<String, FailedCapture>,
}

impl Memory {
    /// Whether a volume was told a moment ago to leave its Linode. An order that did nothing is forgotten after a while.
    fn is_leaving(&self, volume: &str, linode: &str, now: Stamp) -> bool {
        /// Seconds that letting go takes at most (recorded: 15).
        const TAKES: u64 = 120;
        self.detaching.get(volume).is_some_and(|(holder, at)| holder == linode && now < at.plus_seconds(TAKES))
    }
}

impl Estate {
    /// An account, for these instances and the DNS names that they wish for. `speed` is 1 but for an emulator.
    ///
    /// # Errors
    /// A sentence for people, where the account's settings cannot be used.
    pub fn open(account: Account, keys: &[InstanceKey], names: &[Dns], speed: f64) -> Result<Self, String> {
        Self::over(network()?, account, keys, names, speed)
    }

    /// [`Estate::open`], over a wire.
    ///
    /// # Errors
    /// As there.
    pub fn over(wire: Arc<dyn Wire>, account: Account, keys: &[InstanceKey], names: &[Dns], speed: f64) -> Result<Self, String> {
        Ok(Self::new(Client::new(wire, account, speed)?, keys, names))
    }
}

impl Linode {
    /// The hands for one wish.
    pub fn new(estate: Arc<Estate>, ask: &Ask, seed: Seed, speed: f64) -> Self {
        let capabilities = Capabilities::linode().at_speed(speed);
        let (spec, placement) = (&ask.spec, ask.spec.placement());
        Self {
            estate,
            region: placement.zone.to_owned(),
            dns: spec.network.dns.clone(),
            mark: instance_tag(&ask.key),
            machine_type: placement.machine_type.to_owned(),
            image: spec.image(&capabilities).to_owned(),
            named_image: placement.image.map(|it| tag_value("img", it)),
            root_gb: spec.root_disk.size_gb,
            rules: spec.network.rules(),
            has_data: spec.data_gb().is_some(),
            keeps_server: ask.wished() != ServerState::Absent && ask.deletion.is_none(),
            destroys: ask.deletion.is_some_and(|it| !it.keep_snapshots),
            keeps_off: ask.wished() == ServerState::Stopped && ask.deletion.is_none(),
            captures: spec.root_disk_snapshot.enable,
            seed,
            capabilities,
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Provider for Linode {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn observe(&self, key: &InstanceKey) -> World {
        self.look(key).await
    }

    async fn perform(&self, step: &Step) -> Result<String, Problem> {
        self.act(step).await
    }

    async fn arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        self.has_arrived(awaited).await
    }

    async fn instead(&self, _step: &Step) -> String {
        self.instead_of(&self.machine_type).await
    }

    async fn vet(&self, world: &World) -> Result<(), Problem> {
        self.can_be_had(world).await
    }
}
