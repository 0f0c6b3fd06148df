//! Hands that do not wait: each takes one wait out of the real ones, and the order on the wire is then not kept.

use super::wire::check;
use crate::support::{
    face::{Face, PROJECT, SECRET, SPEED, pad},
    shop::Shop,
};
use async_trait::async_trait;
use cloudypad::{
    model::{Ask, Awaited, Capabilities, CopyStatus, Event, InstanceKey, LastHeld, Power, Root, Seen, Step, VolumeStatus, World},
    provider::{
        Problem, Provider,
        http::Secret,
        scaleway::{Account, Scaleway, Zone},
    },
    read,
    run::{Run, converge},
    store::{Home, Journal},
};
use std::sync::Arc;
use tokio::sync::watch;

/// Which wait is taken out.
#[derive(Debug, Clone, Copy)]
enum Haste {
    /// A server on its way down counts as off.
    Off,
    /// A volume on its way off counts as free.
    Free,
    /// A snapshot in the making counts as ready.
    Ready,
    /// Nothing: the real hands.
    None,
}

struct Hasty {
    inner: Scaleway,
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
            let moving = |it: &&mut cloudypad::model::Volume| matches!(it.status, VolumeStatus::Detaching | VolumeStatus::InUse);
            let loose = world.servers.items().iter().all(|it| it.root == Root::Detached);
            for volume in volumes.iter_mut().filter(moving).filter(|_| loose) {
                (volume.status, volume.attached_to, volume.last_held) = (VolumeStatus::Available, None, LastHeld::Until(volume.created));
            }
        }
        if let (Haste::Ready, Seen::Present(snapshots)) = (self.haste, &mut world.snapshots) {
            snapshots.iter_mut().filter(|it| it.status == CopyStatus::Creating).for_each(|it| it.status = CopyStatus::Ready);
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

/// Archives an instance with hands in a hurry; what the order on the wire was.
fn archive(haste: Haste) -> Result<(), String> {
    let shop = Shop::new();
    let face = Face::start(&shop);
    face.apply(&shop, &pad("present", ""));
    // What is not waited for takes some seconds of ours.
    let (operation, factor) = match haste {
        Haste::Off => ("POST /instance/v1/zones/{zone}/servers/{id}/action poweroff", 150),
        Haste::Free => ("PATCH /instance*", 1000),
        Haste::Ready => ("POST /block*", 5000),
        Haste::None => ("*", 2),
    };
    face.post("/_emulator/faults", serde_json::json!({"operation": operation, "what": "slow", "factor": factor, "times": 2}));
    shop.write("pad.yaml", &pad("absent", ""));
    let spec = read::read(&[shop.path("pad.yaml")]).specs.remove(0).instance;
    let ask = Ask { key: spec.key(), spec: spec.spec, deletion: None, owner: None, adopt: false, recipe: "none".to_owned() };
    let speed: f64 = SPEED.parse().unwrap();
    let account = Account { key: Secret::new(SECRET), found: "a test".to_owned(), url: face.url(), project: None, zone: None };
    let zone = Arc::new(Zone::open(account, "fr-par-2", std::slice::from_ref(&ask.key), None, speed).unwrap());
    let inner = Scaleway::new(zone, PROJECT, &ask, Box::new(|| Err("no birth here".to_owned())), speed);
    let hands = Hasty { inner, haste };
    let home = Home::at(&shop.path("home"));
    let mut journal = Journal::open(&home, &ask.key).unwrap();
    face.log();
    let stop = watch::channel(false).1;
    let run = Run { ask: &ask, provider: &hands, journal: &mut journal, stop, patience: None, tell: &|_: Event| {} };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ending = runtime.block_on(converge(run));
    let order = check(&face.log());
    // Who deletes a disk before its copy is ready has lost it, and the judge knows.
    let losses = face.judge(&["in:default.mypad"]).1.len();
    assert_eq!(losses > 0, matches!(haste, Haste::Ready), "{haste:?}: {losses} losses, {ending:?}");
    order
}

#[test]
fn hands_that_do_not_wait_break_the_order_and_real_ones_keep_it() {
    assert_eq!(archive(Haste::None), Ok(()));
    for haste in [Haste::Off, Haste::Free, Haste::Ready] {
        assert!(archive(haste).is_err(), "{haste:?}: the order passes without the wait");
    }
}
