//! The planner over random worlds: whatever the cloud shows, it answers soundly and settles.

use crate::support::words::{self, at};
use cloudypad::{
    model::{
        Address, Ask, Capabilities, CopyStatus, Facts, FailedCapture, Firewall, Id, Image, LastHeld, Lock, OffBy, Origin, Power, Ran,
        Record, Root, Seed, Seen, Server, Snapshot, Tags, Told, Verdict, Volume, VolumeStatus, World,
    },
    plan::{audit, forecast, plan},
};
use proptest::prelude::*;

fn wishes() -> impl Strategy<Value = (Ask, Capabilities)> {
    let provider = prop_oneof![Just("scaleway"), Just("linode"), Just("local"), Just("local like linode")];
    let state = prop_oneof![Just("present"), Just("stopped"), Just("absent"), Just("deleted"), Just("deleted keeping snapshots")];
    let root = prop_oneof![
        Just(""),
        Just("root snapshot"),
        Just("root snapshot, onStop reuse"),
        Just("root snapshot, onStop refresh, retain 2"),
        Just("root disposable"),
        Just("root 40 GB")
    ];
    let data = prop_oneof![Just(""), Just("data 100 GB"), Just("data 100 GB, snapshot"), Just("data delete"), Just("data 50 GB")];
    let more = prop_oneof![4 => Just(""), 1 => Just("watched"), 1 => Just("protect"), 1 => Just("suspend"), 1 => Just("image other"), 1 => Just("type other"), 1 => Just("dns a.example.com")];
    (provider, state, root, data, more)
        .prop_map(|(provider, state, root, data, more)| words::ask(&[provider, state, root, data, more].join("; ")).unwrap())
}

fn power() -> impl Strategy<Value = Power> {
    prop_oneof![
        4 => Just(Power::Running), 4 => Just(Power::Off), 1 => Just(Power::Starting), 1 => Just(Power::Stopping),
        1 => Just(Power::StoppedInPlace), 1 => Just(Power::Deleting), 1 => Just(Power::Busy), 1 => Just(Power::Locked(Lock::Bill)), 1 => Just(Power::Unknown("hibernating".to_owned())),
    ]
}

fn tags(role: Option<&str>, bits: u8) -> Tags {
    let mut tags = Tags(vec!["cloudypad:v1".to_owned(), "in:default.mypad".to_owned()]);
    if let Some(role) = role {
        tags = tags.with_value("role", role);
    }
    for (bit, tag) in [
        (1, "had:data"),
        (2, "capture:due"),
        (4, "recipe:none"),
        (8, "img:local-os"),
        (16, "protect:yes"),
        (32, "line:a"),
        (64, "loser:srv-0"),
    ] {
        tags = tags.with_if(tag, bits & bit != 0);
    }
    // Servers, and a firewall now and then, say what somebody applied.
    match bits % 7 {
        1 if role.is_none() => tags.with_value("spec", "absent-000b5e55ed5a11ed-1200"),
        3 if role.is_none() => tags.with_value("spec", "present-000b5e55ed5a11ed-9000"),
        5 if role.is_none() => tags.with_value("spec", "deleted-000b5e55ed5a11ed-40"),
        6 if role.is_none() => tags.with_value("spec", "nonsense"),
        _ => tags,
    }
}

/// What only the kind of cloud tells whose root disks die with their servers.
fn told(born: i64, outlives: bool) -> Told {
    if outlives {
        return Told::default();
    }
    let off_by = [
        None,
        Some(OffBy::Guest),
        Some(OffBy::Order { user: "somebody".to_owned(), at: at(born) }),
        Some(OffBy::Vendor("host_reboot".to_owned())),
    ];
    Told {
        ssh_port: None,
        own_address: (born % 2 == 0).then(|| "203.0.113.9".to_owned()),
        watchdog: [None, Some(true), Some(false)][born as usize % 3],
        failed_capture: (born % 5 == 0).then(|| FailedCapture { at: at(born), said: String::new() }),
        off_by: off_by[born as usize % 4].clone(),
    }
}

/// Any world that a cloud of this kind could show, sensible or not.
fn worlds(outlives: bool) -> impl Strategy<Value = World> {
    let server = (power(), any::<u8>(), 0..1000i64, any::<bool>(), any::<bool>());
    let status = prop_oneof![
        6 => Just(VolumeStatus::Available), 1 => Just(VolumeStatus::Creating), 1 => Just(VolumeStatus::Busy), 1 => Just(VolumeStatus::Error)
    ];
    let volume = (any::<bool>(), status, 0..3u8, 0..1000i64, proptest::option::of(0..1000i64), any::<u8>(), 0..4u8);
    let copy = (any::<bool>(), 0..5u8, 0..4u8, 0..1000i64, any::<u8>());
    let servers = proptest::collection::vec(server, 0..3);
    let volumes = proptest::collection::vec(volume, 0..4);
    let copies = proptest::collection::vec(copy, 0..4);
    (servers, volumes, copies, 0..3u8, 0..3u8, 0..5u8).prop_map(move |(servers, volumes, copies, addresses, firewalls, record)| {
        let mut world = words::nothing();
        world.now = at(3000); // later than every stamp below: a vendor's clock does not run backwards
        let mut made: Vec<Server> = Vec::new();
        for (index, (power, bits, born, with_address, locked)) in servers.into_iter().enumerate() {
            made.push(Server {
                id: Id::new(format!("srv-{index}")),
                name: "mypad".to_owned(),
                machine_type: "local-small".to_owned(),
                off_since: (power == Power::Off && bits & 128 == 0).then(|| at(born + 1)),
                ran: if bits & 32 == 0 && power == Power::Off { Ran::Never } else { Ran::Maybe },
                seed: if bits & 2 == 0 { Seed::Set } else { Seed::Missing },
                power,
                created: at(born),
                root: if outlives { Root::Detached } else { Root::Local { size_gb: 30 } },
                volumes: Vec::new(),
                address: (with_address && addresses > 0).then(|| Id::new("ip-0")),
                firewall: (firewalls > 0).then(|| Id::new("fw-0")),
                locked: locked && bits & 64 != 0,
                told: told(born, outlives),
                tags: tags(None, bits).with_if("uncaptured:6-500", born % 7 == 0),
            });
        }
        let mut disks: Vec<Volume> = Vec::new();
        for (index, (is_root, status, holder, born, detached, bits, origin)) in volumes.into_iter().enumerate() {
            let is_root = is_root && outlives;
            let id: Id<Volume> = Id::new(format!("vol-{index}"));
            let holder = made.get_mut(usize::from(holder)).filter(|it| !is_root || it.root == Root::Detached);
            let attached_to = holder.as_ref().map(|it| it.id.clone());
            if let Some(holder) = holder {
                if is_root {
                    holder.root = Root::Volume(id.clone());
                }
                holder.volumes.push(id.clone());
            }
            let untagged = is_root && attached_to.is_some() && bits & 64 != 0;
            disks.push(Volume {
                id,
                name: "disk".to_owned(),
                size_gb: if is_root { 30 } else { 100 },
                status: if attached_to.is_some() { VolumeStatus::InUse } else { status },
                attached_to,
                created: at(born),
                last_held: match detached {
                    Some(after) if bits & 128 == 0 => LastHeld::Until(at(born + after)),
                    Some(_) => LastHeld::Untold,
                    None => LastHeld::Never,
                },
                origin: match origin {
                    0 => Origin::Empty,
                    1 if bits & 64 == 0 => Origin::Stock,
                    1 => Origin::Untold,
                    _ => Origin::Snapshot(Id::new(format!("snap-{origin}"))),
                },
                iops: (bits & 2 == 0).then_some(5000),
                tags: match untagged {
                    true => Tags::default(),
                    false => tags(Some(if is_root { "root" } else { "data" }), bits).with_if("fresh:yes", !is_root && born % 3 == 0),
                },
            });
        }
        let (mut snapshots, mut images) = (Vec::new(), Vec::new());
        for (index, (is_root, status, of, born, bits)) in copies.into_iter().enumerate() {
            let status = match status {
                0 => CopyStatus::Creating,
                1 => CopyStatus::Failed,
                _ => CopyStatus::Ready,
            };
            let tags = tags(Some(if is_root { "root" } else { "data" }), bits);
            let name = "copy".to_owned();
            if is_root && !outlives {
                let (id, of) = (Id::new(format!("img-{index}")), Id::new(format!("srv-{of}")));
                images.push(Image { id, name, of, size_gb: 30, status, created: at(born), tags });
            } else if outlives {
                let (id, of) = (Id::new(format!("snap-{index}")), Id::new(format!("vol-{of}")));
                snapshots.push(Snapshot { id, name, of, size_gb: if is_root { 30 } else { 100 }, status, created: at(born), tags });
            }
        }
        world.servers = Seen::listed(made);
        world.volumes = Seen::listed(disks);
        world.snapshots = Seen::listed(snapshots);
        world.images = Seen::listed(images);
        let address = |index: u8| Address {
            id: Id::new(format!("ip-{index}")),
            address: "203.0.113.1".to_owned(),
            server: None,
            created: at(1),
            tags: tags(None, 0),
        };
        let firewall = |index: u8| Firewall {
            id: Id::new(format!("fw-{index}")),
            name: "mypad".to_owned(),
            shut: firewalls == 1,
            rules: Vec::new(),
            created: at(1),
            tags: tags(None, if record % 2 == 0 { 0 } else { 3 }).without("had:data").without("capture:due"),
        };
        let pointing = |to: &[&str], ours| {
            let addresses = to.iter().map(|it| (*it).to_owned()).collect();
            Seen::Present(Record { addresses, ttl: 60, ours, id: None })
        };
        world.record = match record {
            0 => pointing(&["203.0.113.1"], true),
            1 => pointing(&["192.0.2.1"], true),
            2 => pointing(&["203.0.113.1", "203.0.113.2"], true),
            3 => pointing(&["203.0.113.9"], false),
            _ => Seen::Absent,
        };
        world.addresses = Seen::listed((0..addresses).map(address).collect());
        world.firewalls = Seen::listed((0..firewalls).map(firewall).collect());
        world
    })
}

fn cases() -> impl Strategy<Value = (Ask, Capabilities, World)> {
    wishes().prop_flat_map(|(ask, cloud)| {
        let outlives = cloud.root_outlives_server;
        (Just(ask), Just(cloud), worlds(outlives))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Convergence: from any world the plan ends in done or held, and planning there again is quiet.
    #[test]
    fn every_plan_ends_and_stays_ended((ask, cloud, world) in cases()) {
        let told = forecast(&ask, &world, &Facts::default(), &cloud);
        prop_assert!(told.end != Verdict::Underway, "never settles: {:?}", told.acts.iter().rev().take(6).collect::<Vec<_>>());
        let again = plan(&ask, &told.world, &Facts::default(), &cloud);
        prop_assert!(again.next.is_empty(), "{:?}", again.next);
        prop_assert_eq!(again.verdict, told.end);
    }

    /// Safety, second opinion: the audit, which shares no code with the planner, objects to nothing.
    #[test]
    fn the_audit_never_objects((ask, cloud, world) in cases()) {
        let plan = plan(&ask, &world, &Facts::default(), &cloud);
        let objections = audit(&plan, &ask, &world, &cloud);
        prop_assert!(objections.is_empty(), "{objections:?}");
    }

    /// A held plan carries no steps; one that is done has nothing to do; the same world gives the same plan.
    #[test]
    fn verdicts_and_steps_agree((ask, cloud, world) in cases()) {
        let facts = Facts::default();
        let first = plan(&ask, &world, &facts, &cloud);
        match &first.verdict {
            Verdict::Held(_) => prop_assert!(first.next.is_empty() && first.waits.is_empty()),
            Verdict::Done => prop_assert!(first.next.is_empty() && first.waits.is_empty()),
            Verdict::Underway => prop_assert!(!first.next.is_empty() || !first.waits.is_empty()),
        }
        let second = plan(&ask, &world, &facts, &cloud);
        prop_assert_eq!(format!("{first:?}"), format!("{second:?}"));
        let mut keys: Vec<_> = first.next.iter().map(|it| it.step.key()).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), count, "two steps of one key: {:?}", first.next);
    }

    /// Unknown is not absent: a look that failed in any part holds.
    #[test]
    fn a_blind_planner_does_nothing((ask, cloud, mut world) in cases(), part in 0..7u8) {
        let cause = || cloudypad::model::Cause::Passing("timeout".to_owned());
        match part {
            0 => world.servers = Seen::Unknown(cause()),
            1 => world.volumes = Seen::Unknown(cause()),
            2 => world.snapshots = Seen::Unknown(cause()),
            3 => world.images = Seen::Unknown(cause()),
            4 => world.addresses = Seen::Unknown(cause()),
            5 => world.firewalls = Seen::Unknown(cause()),
            _ => world.elsewhere = Seen::Unknown(cause()),
        }
        let plan = plan(&ask, &world, &Facts::default(), &cloud);
        prop_assert!(plan.next.is_empty());
        prop_assert!(matches!(plan.verdict, Verdict::Held(_)), "{:?}", plan.verdict);
    }
}
