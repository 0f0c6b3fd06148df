//! Scaleway: Instances on block volumes (SBS), through its REST API.
//!
//! In reading order: [`account`] finds key and settings, `client` sends calls, `wire` is what we read of the
//! answers and `refusal` what their errors mean; `shot` looks at a zone for all its instances at once, `look`
//! makes a world of it; `act` performs steps, with `birth`, `power` and `names`; `stock` says what is free,
//! `rules` reads and writes firewalls.

mod account;
mod act;
mod birth;
mod client;
mod look;
mod names;
#[cfg(test)]
mod pages;
mod power;
mod refusal;
mod rules;
mod shot;
#[cfg(test)]
mod states;
mod stock;
#[cfg(test)]
mod tests;
mod wire;

pub use account::Account;
pub use shot::Zone;

use super::{
    Problem, Provider, Seed,
    http::{Wire, network},
};
use crate::model::{Ask, Awaited, Capabilities, InstanceKey, ServerState, Step, World, instance_tag, spec::Dns};
use async_trait::async_trait;
use client::Client;
use rules::RuleBook;
pub(crate) use shot::ZONES;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// One instance at Scaleway.
pub struct Scaleway {
    zone: Arc<Zone>,
    project: String,
    dns: Option<Dns>,
    /// The instance's tag, which is also the comment of its DNS record.
    mark: String,
    /// The type that the wish names.
    machine_type: String,
    /// The image of a first deploy.
    image: String,
    /// Whether the wish is a server, on or off.
    keeps_server: bool,
    /// Whether the wish is a server that runs.
    starts: bool,
    deleting: bool,
    seed: Seed,
    capabilities: Capabilities,
    /// How often this process powered on each server, and has neither stopped it nor seen it run since.
    started: Mutex<BTreeMap<String, u32>>,
}

impl Zone {
    /// A zone of an account, for these instances. `rules` is a file that keeps what was read of firewalls; `speed`
    /// is 1 but for an emulator.
    ///
    /// # Errors
    /// A sentence for people, where the account's settings cannot be used.
    pub fn open(account: Account, name: &str, keys: &[InstanceKey], rules: Option<PathBuf>, speed: f64) -> Result<Self, String> {
        Self::over(network()?, account, name, keys, rules, speed)
    }

    /// [`Zone::open`], over a wire.
    ///
    /// # Errors
    /// As there.
    pub fn over(
        wire: Arc<dyn Wire>,
        account: Account,
        name: &str,
        keys: &[InstanceKey],
        rules: Option<PathBuf>,
        speed: f64,
    ) -> Result<Self, String> {
        Ok(Self::new(Client::new(wire, account, speed)?, name.to_owned(), RuleBook::open(rules), keys))
    }
}

impl Scaleway {
    /// The hands for one wish.
    pub fn new(zone: Arc<Zone>, project: &str, ask: &Ask, seed: Seed, speed: f64) -> Self {
        let capabilities = Capabilities::scaleway().at_speed(speed);
        Self {
            zone,
            project: project.to_owned(),
            dns: ask.spec.network.dns.clone(),
            mark: instance_tag(&ask.key),
            machine_type: ask.spec.placement().machine_type.to_owned(),
            image: ask.spec.image(&capabilities).to_owned(),
            keeps_server: ask.wished() != ServerState::Absent && ask.deletion.is_none(),
            starts: ask.wished() == ServerState::Present && ask.deletion.is_none(),
            deleting: ask.deletion.is_some(),
            seed,
            capabilities,
            started: Mutex::default(),
        }
    }
}

#[async_trait]
impl Provider for Scaleway {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn observe(&self, key: &InstanceKey) -> World {
        debug_assert_eq!(instance_tag(key), self.mark, "hands are for one instance");
        self.look().await
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

    async fn strays(&self) -> Result<Vec<String>, Problem> {
        self.left_behind().await
    }
}
