//! Hands that do not wait: each takes one wait out of the real ones, and the order on the wire is then not kept.

use super::Trial;
use crate::support::{
    face::{Entry, Face},
    shop::Shop,
};
use async_trait::async_trait;
use cloudypad::{
    model::{Ask, Awaited, Capabilities, CopyStatus, Event, InstanceKey, LastHeld, Power, Root, Seen, Step, Volume, VolumeStatus, World},
    provider::{Problem, Provider},
    read,
    run::{Run, converge},
    store::{Home, Journal},
};
use serde_json::json;
use tokio::sync::watch;

/// Which wait is taken out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Haste {
    /// A server on its way down counts as off.
    Off,
    /// A volume on its way off counts as free.
    Free,
    /// A copy in the making counts as ready.
    Ready,
    /// Nothing: the real hands.
    None,
}

/// An archive by hands in a hurry.
pub struct Hurry {
    pub trial: &'static Trial,
    /// The real hands for a wish.
    pub hands: fn(&Face, &Ask) -> Box<dyn Provider>,
    /// Which waits there are, and what is made so slow that not to wait shows: a call, and how many times as long it takes.
    pub slow: &'static [(Haste, &'static str, u32)],
    /// The order that must be kept on the wire.
    pub check: fn(&[Entry]) -> Result<(), String>,
}

struct Hasty {
    inner: Box<dyn Provider>,
    haste: Haste,
}

#[async_trait]
impl Provider for Hasty {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn observe(&self, key: &InstanceKey) -> World {
        let mut world = self.inner.observe(key).await;
        let now = world.now;
        if let (Haste::Off, Seen::Present(servers)) = (self.haste, &mut world.servers) {
            for server in servers.iter_mut().filter(|it| matches!(it.power, Power::Stopping | Power::Running)) {
                server.power = Power::Off;
                server.off_since = Some(now);
            }
        }
        if let (Haste::Free, Seen::Present(volumes)) = (self.haste, &mut world.volumes) {
            let moving = |it: &&mut Volume| matches!(it.status, VolumeStatus::Detaching | VolumeStatus::InUse);
            let loose = world.servers.items().iter().all(|it| it.root == Root::Detached);
            for volume in volumes.iter_mut().filter(moving).filter(|_| loose) {
                (volume.status, volume.attached_to, volume.last_held) = (VolumeStatus::Available, None, LastHeld::Until(volume.created));
            }
        }
        if let (Haste::Ready, Seen::Present(snapshots)) = (self.haste, &mut world.snapshots) {
            snapshots.iter_mut().filter(|it| it.status == CopyStatus::Creating).for_each(|it| it.status = CopyStatus::Ready);
        }
        if let (Haste::Ready, Seen::Present(images)) = (self.haste, &mut world.images) {
            images.iter_mut().filter(|it| it.status == CopyStatus::Creating).for_each(|it| it.status = CopyStatus::Ready);
        }
        world
    }

    async fn perform(&self, step: &Step) -> Result<String, Problem> {
        self.inner.perform(step).await
    }

    async fn arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        self.inner.arrived(awaited).await
    }
}

impl Hurry {
    /// The real hands keep the order; without any of the waits it is broken.
    pub fn breaks_the_order(&self) {
        assert_eq!(self.archive(Haste::None, "*", 2), Ok(()));
        for (haste, operation, factor) in self.slow {
            assert!(self.archive(*haste, operation, *factor).is_err(), "{haste:?}: the order passes without the wait");
        }
    }

    /// Archives an instance with hands in a hurry; what the order on the wire was.
    fn archive(&self, haste: Haste, operation: &str, factor: u32) -> Result<(), String> {
        let shop = Shop::new();
        let face = Face::start(self.trial.vendor, &shop);
        face.apply(&shop, &(self.trial.vendor.pad)("present", ""));
        // What is not waited for takes some seconds of ours.
        face.post("/_emulator/faults", json!({"operation": operation, "what": "slow", "factor": factor, "times": 2}));
        self.trial.write(&shop, "absent", "");
        let spec = read::read(&[shop.path("pad.yaml")]).specs.remove(0).instance;
        let ask = Ask::of(spec);
        let hands = Hasty { inner: (self.hands)(&face, &ask), haste };
        let home = Home::at(&shop.path("home"));
        let mut journal = Journal::open(&home, &ask.key).unwrap();
        face.log();
        let stop = watch::channel(false).1;
        let run = Run {
            ask: &ask,
            provider: &hands,
            journal: &mut journal,
            stop,
            inside: None,
            patience: None,
            not_before: None,
            tell: &|_: Event| {},
            show: &|_, _| {},
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ending = runtime.block_on(converge(run));
        let order = (self.check)(&face.log());
        // Who deletes a disk before its copy is ready has lost it, and the judge knows.
        let losses = face.judge(&["in:default.mypad"]).1.len();
        assert_eq!(losses > 0, haste == Haste::Ready, "{haste:?}: {losses} losses, {ending:?}");
        order
    }
}
