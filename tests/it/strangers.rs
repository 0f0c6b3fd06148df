//! Others have hands too: what a stranger does in the console costs time, never a byte.

use crate::support::shop::{SPEED, Shop, read_at, write_at};
use cloudypad::{
    emulator::{Cloud, Fault, FaultKind, ServerState},
    model::{Ask, Ending, Event, Instance},
    provider::local::Local,
    run::{Run, converge},
    store::{Home, Journal},
};
use std::cell::Cell;

/// The spec that most tests use, in this process.
fn pad_instance(state: &str, speed: u32) -> Instance {
    let document: serde_json::Value = serde_json::from_str(&format!(
        r#"{{"apiVersion":"cloudypad.gg/v1alpha1","kind":"Instance","metadata":{{"name":"mypad"}},"spec":{{
            "serverState":"{state}","provider":{{"local":{{"speed":{speed}}}}},"rootDisk":{{"sizeGb":30}},"dataDisk":{{"sizeGb":100}},
            "rootDiskSnapshot":{{"enable":true}},"dataDiskSnapshot":{{"enable":true}}}}}}"#
    ))
    .unwrap();
    serde_json::from_value(document).unwrap()
}

/// Runs an apply in this process, so that a stranger can act at an exact event.
fn apply_with_stranger(shop: &Shop, state: &str, mut stranger: impl FnMut(&Event, &Cloud)) -> (Ending, u32) {
    let instance = pad_instance(state, SPEED);
    let home = Home::at(&shop.path("home"));
    let provider = Local::open(&home.local_cloud(), instance.spec.provider.local.as_ref().unwrap()).unwrap();
    let cloud = shop.cloud();
    let key = instance.key();
    let mut journal = Journal::open(&home, &key).unwrap();
    let ask = Ask::of(instance);
    let events = Cell::new(0);
    let stranger = std::cell::RefCell::new(&mut stranger);
    let tell = |event: Event| {
        events.set(events.get() + 1);
        (stranger.borrow_mut())(&event, &cloud);
    };
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = Run {
        ask: &ask,
        provider: &provider,
        journal: &mut journal,
        stop,
        inside: None,
        patience: None,
        not_before: None,
        tell: &tell,
        show: &|_, _| {},
    };
    (runtime.block_on(converge(run)).unwrap(), events.get())
}

/// Waits until nothing in the cloud is under way.
fn settle(cloud: &Cloud) {
    while cloud.next_due().unwrap().is_some() {
        std::thread::yield_now();
    }
}

/// Between the snapshots and the deletion of the server, a stranger attaches the disks again, starts
/// the server and saves a game: one more snapshot of each disk, and the save is there.
#[test]
fn a_stranger_who_starts_the_server_costs_snapshots_and_no_byte() {
    let shop = Shop::new();
    shop.apply("present");
    let (root, data) = shop.disk_files();
    write_at(&data, 0, b"before the archive");
    let mut came = false;
    let (ending, _) = apply_with_stranger(&shop, "absent", |event, cloud| {
        let taken = matches!(event, Event::Finished { line, .. } if line.verb == "snapshot" && line.object.starts_with("data disk"));
        if !taken || std::mem::replace(&mut came, true) {
            return;
        }
        settle(cloud);
        let truth = cloud.truth().unwrap();
        let server = truth.servers.keys().next().unwrap().clone();
        let root_id = root.file_stem().unwrap().to_str().unwrap().to_owned();
        let data_id = data.file_stem().unwrap().to_str().unwrap().to_owned();
        cloud.attach(&server, &root_id).unwrap();
        cloud.attach(&server, &data_id).unwrap();
        cloud.power_on(&server).unwrap();
        write_at(&data, 0, b"saved by a stranger");
    });
    assert!(came, "the stranger never came");
    assert!(matches!(ending, Ending::Done { .. }), "{ending:?}");
    assert_eq!(shop.cloud().ledger().unwrap().losses, []);
    shop.apply("present");
    let (_, data) = shop.disk_files();
    assert_eq!(read_at(&data, 0, 19), b"saved by a stranger");
}

/// A stranger deletes the server of a running instance: it is made again around its disks.
#[test]
fn a_deleted_server_is_made_again_around_its_disks() {
    let shop = Shop::new();
    shop.apply("present");
    let (_, data) = shop.disk_files();
    write_at(&data, 0, b"still here");
    let cloud = shop.cloud();
    let server = cloud.truth().unwrap().servers.keys().next().unwrap().clone();
    cloud.delete_server(&server).unwrap();
    let plan = shop.expect(2, &["plan", "pad.yaml", "--detailed-exitcode"]);
    assert!(plan.out.contains("its root disk was kept"), "{}", plan.out);
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    let (_, data_now) = shop.disk_files();
    assert_eq!(data, data_now, "the same disk");
    assert_eq!(read_at(&data, 0, 10), b"still here");
}

/// A guest that shuts itself down is still billed: `stopped` sees it as drift and powers it off.
#[test]
fn a_guest_that_shuts_itself_down_is_powered_off() {
    let shop = Shop::new();
    shop.apply("present");
    let cloud = shop.cloud();
    let server = cloud.truth().unwrap().servers.keys().next().unwrap().clone();
    cloud.guest_shutdown(&server).unwrap();
    settle(&cloud);
    assert_eq!(cloud.truth().unwrap().servers[&server].state, ServerState::StoppedInPlace);
    let ran = shop.apply("stopped");
    assert!(ran.out.contains("the guest is off, and the machine is still billed"), "{}", ran.out);
    assert_eq!(cloud.truth().unwrap().servers[&server].state, ServerState::Stopped);
}

/// Every fault the cloud knows, on every call of a lifecycle: the run goes on, or ends in a hold from
/// which a plain apply goes on; nothing is lost, leaked or made twice.
#[test]
fn faults_on_every_call_end_well() {
    let kinds = [
        FaultKind::RateLimited,
        FaultKind::BrokenBefore,
        FaultKind::LostReply,
        FaultKind::Dropped,
        FaultKind::OutOfStock,
        FaultKind::Quota,
        FaultKind::Denied,
    ];
    let calls = [
        "create_volume",
        "create_server",
        "reserve_address",
        "create_firewall",
        "set_rules",
        "relabel",
        "power_on",
        "power_off",
        "detach_all",
        "snapshot_volume",
        "delete_server",
        "delete_volume",
        "delete_snapshot",
        "look",
        "find",
    ];
    for call in calls {
        for what in kinds {
            let shop = Shop::new();
            for state in ["present", "absent", "present", "stopped"] {
                let cloud = shop.cloud();
                for skip in [0, 1] {
                    cloud.arm(Fault { operation: call.to_owned(), what, times: 1, skip }).unwrap();
                }
                drop(cloud);
                shop.write_pad(state);
                let first = shop.run(&["apply", "pad.yaml", "--yes"]);
                assert!([0, 1, 3].contains(&first.code), "{call} {what:?} {state}: {}{}", first.out, first.err);
                shop.cloud().disarm_all().unwrap();
                let then = shop.run(&["apply", "pad.yaml", "--yes"]);
                assert_eq!(then.code, 0, "{call} {what:?} {state}: {}{}", then.out, then.err);
            }
            let cloud = shop.cloud();
            let truth = cloud.truth().unwrap();
            assert_eq!(truth.ledger.losses, [], "{call} {what:?}");
            assert_eq!((truth.servers.len(), truth.volumes.len()), (1, 2), "{call} {what:?}: {:?}", cloud.inventory());
            assert_eq!((truth.addresses.len(), truth.firewalls.len()), (1, 1), "{call} {what:?}: {:?}", cloud.inventory());
            assert!(truth.snapshots.len() <= 4, "{call} {what:?}: {:?}", cloud.inventory());
        }
    }
}

/// A cloud whose lists lag by five cloud seconds, and that says so.
struct Lagging {
    local: Local,
    capabilities: cloudypad::model::Capabilities,
}

#[async_trait::async_trait]
impl cloudypad::provider::Provider for Lagging {
    fn capabilities(&self) -> &cloudypad::model::Capabilities {
        &self.capabilities
    }

    async fn begin(&self) -> Result<(), cloudypad::provider::Problem> {
        self.local.begin().await
    }

    async fn observe(&self, key: &cloudypad::model::InstanceKey) -> cloudypad::model::World {
        self.local.observe(key).await
    }

    async fn perform(&self, step: &cloudypad::model::Step) -> Result<String, cloudypad::provider::Problem> {
        self.local.perform(step).await
    }

    async fn arrived(&self, awaited: &cloudypad::model::Awaited) -> Result<bool, cloudypad::provider::Problem> {
        self.local.arrived(awaited).await
    }
}

/// What was just made is not in the list yet: it is waited for, not made again. The same holds where
/// the answer to the create was lost.
#[test]
fn a_list_that_lags_makes_nothing_twice() {
    for fault in [None, Some("create_volume"), Some("create_server"), Some("reserve_address"), Some("snapshot_volume")] {
        let shop = Shop::new();
        let home = Home::at(&shop.path("home"));
        let instance = pad_instance("present", 200);
        let local = Local::open(&home.local_cloud(), instance.spec.provider.local.as_ref().unwrap()).unwrap();
        let mut capabilities = cloudypad::provider::Provider::capabilities(&local).clone();
        (capabilities.listing_lag, capabilities.late_effect) = (5, 30);
        let provider = Lagging { local, capabilities };
        let cloud = shop.cloud_at(200.0);
        cloud.set_listing_lag(5).unwrap();
        if let Some(operation) = fault {
            cloud.arm(Fault { operation: operation.to_owned(), what: FaultKind::LostReply, times: 1, skip: 0 }).unwrap();
        }
        for state in ["present", "absent", "present"] {
            let instance = pad_instance(state, 200);
            let key = instance.key();
            let mut journal = Journal::open(&home, &key).unwrap();
            let ask = Ask::of(instance);
            let (_keep, stop) = tokio::sync::watch::channel(false);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let run = Run {
                ask: &ask,
                provider: &provider,
                journal: &mut journal,
                stop,
                inside: None,
                patience: None,
                not_before: None,
                tell: &|_| {},
                show: &|_, _| {},
            };
            let ending = runtime.block_on(converge(run)).unwrap();
            assert!(matches!(ending, Ending::Done { .. }), "{fault:?}, {state}: {ending:?}");
        }
        let calls = cloud.ledger().unwrap().calls;
        let made = |operation: &str| calls.get(operation).copied().unwrap_or(0);
        assert_eq!((made("create_server"), made("reserve_address"), made("create_firewall")), (2, 1, 1), "{fault:?}");
        assert_eq!((made("create_volume"), made("snapshot_volume")), (3, 3), "{fault:?}");
        assert_eq!(cloud.ledger().unwrap().losses, [], "{fault:?}");
    }
}
