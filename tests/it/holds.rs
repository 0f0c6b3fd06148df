//! Every hold of the closed table: a world that has it, and that doing what its remedy says leads on.
//!
//! The holds that only a call can bring about are in `strangers` and `the_engine_holds` below.

use crate::support::{
    shop::{Shop, pad},
    words,
};
use cloudypad::{
    emulator::{Fault, FaultKind},
    model::{Aim, Asleep, Facts, Hold, Lock, ServerState, Verdict},
    plan::{forecast, plan},
};

struct Story {
    code: &'static str,
    spec: &'static str,
    world: &'static str,
    /// The spec and the world once the owner has done what the remedy says.
    then: (&'static str, &'static str),
}

const STORIES: &[Story] = &[
    Story {
        code: "Archived",
        spec: "scaleway; present; root snapshot",
        world: "root snapshot s ready; asleep since 400",
        then: ("scaleway; present; root snapshot; woken", "root snapshot s ready; asleep since 400"),
    },
    Story {
        code: "Archived",
        spec: "linode; present; root snapshot",
        world: "root image i ready; asleep since 400",
        then: ("linode; present; root snapshot; wake tonight", "root image i ready; asleep since 400"),
    },
    Story {
        code: "CaptureFailed",
        spec: "linode; absent; root snapshot",
        world: "server s running, root local, recipe none, uncaptured 6-800",
        then: ("linode; absent; root snapshot; root disposable", "server s running, root local, recipe none, uncaptured 6-800"),
    },
    Story {
        code: "CaptureFailed",
        spec: "linode; absent; root snapshot",
        world: "server s off, root local, recipe none, uncaptured 6-800, capture failed at 800",
        then: (
            "linode; absent; root snapshot; image limit 20 GB",
            "server s off, root local, recipe none, uncaptured 6-800, capture failed at 800",
        ),
    },
    Story {
        code: "Locked",
        spec: "linode; present",
        world: "server s suspended, root local",
        then: ("linode; present", "server s off, root local"),
    },
    Story {
        code: "Protected",
        spec: "absent; image other; root disposable; protect",
        world: "root disk r, protected",
        then: ("absent; image other; root disposable", "root disk r"),
    },
    Story {
        code: "DiskBroken",
        spec: "present; data 100 GB, snapshot; root disposable",
        world: "data snapshot new failed, taken at 400; data snapshot old ready, taken at 300",
        then: (
            "present; data 100 GB, snapshot; root disposable",
            "data snapshot new ready, taken at 400; data snapshot old ready, taken at 300",
        ),
    },
    Story {
        code: "UnknownState",
        spec: "linode; absent; root snapshot, onStop refresh",
        world: "server s off, root local, off untold",
        then: ("linode; absent; root snapshot, onStop refresh", "server s off, root local"),
    },
    Story {
        code: "TwoDisks",
        spec: "linode; present; data 100 GB",
        world: "data disk d, untold; data disk e, untold",
        then: ("linode; present; data 100 GB; root disposable", "data disk d, untold"),
    },
    Story { code: "Suspended", spec: "absent; suspend", world: "server s running, root r", then: ("absent", "server s running, root r") },
    Story { code: "Blind", spec: "present", world: "blind to servers", then: ("present", "nothing") },
    Story { code: "Blind", spec: "present", world: "blind to elsewhere", then: ("present", "nothing") },
    Story { code: "Denied", spec: "present", world: "denied servers", then: ("present", "nothing") },
    Story { code: "UnknownState", spec: "present", world: "strange address limbo", then: ("present", "nothing") },
    Story {
        code: "RecordTaken",
        spec: "scaleway; present; dns mypad.example.com",
        world: "nothing; record taken 203.0.113.99",
        then: ("scaleway; present; dns mypad.example.com", "nothing"),
    },
    Story {
        code: "RecordTaken",
        spec: "scaleway; present; dns mypad.example.com",
        world: "server s off, root r; record taken 203.0.113.99",
        then: ("scaleway; present; dns other.example.com", "server s off, root r"),
    },
    Story {
        code: "Blind",
        spec: "scaleway; absent; dns mypad.example.com",
        world: "root disk r; blind to record",
        then: ("scaleway; absent", "root disk r"),
    },
    Story {
        code: "Blind",
        spec: "scaleway; present; dns mypad.example.com",
        world: "server s running, root r; blind to record",
        then: ("scaleway; present", "server s running, root r"),
    },
    Story { code: "UnknownState", spec: "absent", world: "server s dreaming, root r", then: ("absent", "server s running, root r") },
    Story { code: "Locked", spec: "absent", world: "server s running, root r, locked", then: ("absent", "server s running, root r") },
    Story { code: "Locked", spec: "present", world: "server s locked, root r", then: ("present", "server s off, root r") },
    Story { code: "LivesElsewhere", spec: "present", world: "nothing; elsewhere fr-par-1", then: ("present", "nothing") },
    Story {
        code: "OtherOwner",
        spec: "absent",
        world: "server s running, root r, by watch-1",
        then: ("absent; adopt", "server s running, root r, by watch-1"),
    },
    Story {
        code: "OtherApplier",
        spec: "present; watched",
        world: "server s off, root r; applied stopped at 880",
        then: ("present", "server s off, root r; applied stopped at 880"),
    },
    Story {
        code: "OtherApplier",
        spec: "present; root disposable; watched",
        world: "no address; applied deletion at 880",
        then: ("present; root disposable", "nothing"),
    },
    Story {
        code: "TwoServers",
        spec: "present",
        world: "server s running, root r; server t running, root q",
        then: ("present", "server s running, root r; root disk q, never used"),
    },
    Story {
        code: "TwoDisks",
        spec: "present; data 100 GB",
        world: "data disk d; data disk e",
        then: ("present; data 100 GB; root disposable", "data disk d"),
    },
    Story {
        code: "DiskGone",
        spec: "present; data 100 GB",
        world: "server s running, root r, had data",
        then: ("present; data delete", "server s running, root r, had data"),
    },
    Story {
        code: "DiskGone",
        spec: "present; data 100 GB",
        world: "server s running, root r, had data; data snapshot z ready",
        then: ("absent; data 100 GB", "server s running, root r, had data; data snapshot z ready"),
    },
    Story {
        code: "DiskGone",
        spec: "present; data 100 GB",
        world: "data disk d",
        then: ("present; data 100 GB; root disposable", "data disk d"),
    },
    Story {
        code: "DiskGone",
        spec: "present; data 100 GB, snapshot",
        world: "root snapshot z ready, had data",
        then: ("present; data delete", "root snapshot z ready, had data"),
    },
    Story { code: "DiskGone", spec: "present", world: "server s off", then: ("present; root disposable", "server s off") },
    Story {
        code: "WouldShrink",
        spec: "present; data 50 GB; root disposable",
        world: "data snapshot z ready, 100 GB",
        then: ("present; data 100 GB; root disposable", "data snapshot z ready, 100 GB"),
    },
    Story {
        code: "WouldShrink",
        spec: "present; root 20 GB",
        world: "server s running, root r 30 GB",
        then: ("present; root 30 GB", "server s running, root r 30 GB"),
    },
    Story {
        code: "RootWouldDie",
        spec: "linode; absent",
        world: "server s running, root local",
        then: ("linode; absent; root disposable", "server s running, root local"),
    },
    Story {
        code: "RootWouldDie",
        spec: "present; image other",
        world: "server s running, root r",
        then: ("present; image other; root snapshot", "server s running, root r"),
    },
    Story { code: "Protected", spec: "deleted; protect", world: "server s running, root r", then: ("deleted", "server s running, root r") },
    Story {
        code: "Protected",
        spec: "deleted",
        world: "server s running, root r, protected",
        then: ("absent", "server s running, root r, protected"),
    },
    Story {
        code: "Protected",
        spec: "absent; data delete; protect",
        world: "server s off, root r, data d",
        then: ("absent; data delete", "server s off, root r, data d"),
    },
    Story {
        code: "AttachedElsewhere",
        spec: "present; data 100 GB",
        world: "data disk d, attached other",
        then: ("present; data 100 GB; root disposable", "data disk d"),
    },
    Story { code: "AttachedElsewhere", spec: "deleted", world: "root disk r; address lent to other", then: ("deleted", "root disk r") },
    Story {
        code: "ForeignDisk",
        spec: "absent; data 100 GB",
        world: "server s off, root r; data disk d, attached s, in default.otherpad",
        then: ("absent; data 100 GB", "server s off, root r"),
    },
    Story { code: "TagsDamaged", spec: "absent", world: "data disk d, without role", then: ("absent; data 100 GB", "data disk d") },
    Story { code: "TagsDamaged", spec: "absent", world: "data snapshot z ready, without role", then: ("absent", "data snapshot z ready") },
    Story { code: "DiskBroken", spec: "absent", world: "root disk r, broken", then: ("absent", "root disk r") },
];

#[test]
fn every_hold_has_a_remedy_that_works() {
    for story in STORIES {
        let look = |spec: &str, world: &str| {
            let cloud = if spec.contains("linode") { String::new() } else { "scaleway; ".to_owned() };
            let (ask, cloud) = words::ask(&format!("{cloud}{spec}")).unwrap();
            let world = words::world_of(world, &ask).unwrap();
            (ask, world, cloud)
        };
        let (ask, world, cloud) = look(story.spec, story.world);
        let held = plan(&ask, &world, &Facts::default(), &cloud);
        let Verdict::Held(hold) = &held.verdict else { panic!("{}: {} / {}: {:?}", story.code, story.spec, story.world, held) };
        assert_eq!(hold.code(), story.code, "{} / {}", story.spec, story.world);
        assert!(held.next.is_empty() && !hold.remedy().is_empty() && !hold.to_string().is_empty());

        let (ask, world, cloud) = look(story.then.0, story.then.1);
        let told = forecast(&ask, &world, &Facts::default(), &cloud);
        assert_eq!(told.end, Verdict::Done, "{}: after the remedy: {} / {}", story.code, story.then.0, story.then.1);
    }
}

/// What a data disk's remedy promises, to its end: let go, then a new empty one.
#[test]
fn a_data_disk_that_is_gone_can_be_let_go_and_made_anew() {
    let (ask, cloud) = words::ask("scaleway; present; data delete").unwrap();
    let world = words::world_of("server s running, root r, had data; root snapshot z ready, had data", &ask).unwrap();
    let told = forecast(&ask, &world, &Facts::default(), &cloud);
    assert_eq!(told.end, Verdict::Done);
    let (ask, cloud) = words::ask("scaleway; present; data 60 GB").unwrap();
    let told = forecast(&ask, &told.world, &Facts::default(), &cloud);
    assert_eq!(told.end, Verdict::Done);
    let made: Vec<_> = told.acts.iter().map(|it| it.line.to_string()).collect();
    assert!(made.contains(&"create data disk 60 GB".to_owned()), "{made:?}");
}

/// Holds that only a call brings about: the cloud refuses, a transition never arrives, a call keeps
/// failing. Each says what now is and what to do; with the fault gone, the same command goes on.
#[test]
fn the_engine_holds_and_goes_on() {
    let cases = [
        ("create_server", FaultKind::OutOfStock, 1, "held: no machine is free to create server mypad"),
        ("create_volume", FaultKind::Quota, 1, "held: the cloud refused to create data disk 100 GB"),
        ("power_on", FaultKind::Denied, 1, "held: the cloud refused to start server mypad"),
        ("create_server", FaultKind::BrokenBefore, 50, "held: could not create server mypad"),
        ("power_on", FaultKind::Stuck, 1, "held: waited 5 s until server mypad runs, in vain"),
    ];
    for (operation, what, times, says) in cases {
        let shop = Shop::new();
        shop.write("pad.yaml", &pad("present", ""));
        shop.cloud().arm(Fault { operation: operation.to_owned(), what, times, skip: 0 }).unwrap();
        let ran = shop.expect(3, &["apply", "pad.yaml", "--yes"]);
        assert!(ran.out.contains(says), "{operation} {what:?}: {}", ran.out);
        assert!(ran.out.contains("you can: "), "{}", ran.out);
        shop.cloud().disarm_all().unwrap();
        shop.cloud().unstick().unwrap();
        shop.expect(0, &["apply", "pad.yaml", "--yes"]);
        assert_eq!(shop.cloud().truth().unwrap().volumes.len(), 2);
    }
}

/// A detach that the cloud refuses: the disks are copied as they lie, and once more when the server is gone.
#[test]
fn a_refused_detach_costs_snapshots_and_no_byte() {
    let shop = Shop::new();
    shop.apply("present");
    shop.cloud().arm(Fault { operation: "detach_all".to_owned(), what: FaultKind::Denied, times: 9, skip: 0 }).unwrap();
    let ran = shop.apply("absent");
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    let cloud = shop.cloud();
    assert_eq!(cloud.ledger().unwrap().losses, []);
    assert!(cloud.truth().unwrap().servers.is_empty() && cloud.truth().unwrap().volumes.is_empty());
    cloud.disarm_all().unwrap();
    shop.apply("present");
}

/// A snapshot's deletion that the cloud refuses is said, and never keeps an instance from done.
#[test]
fn a_refused_snapshot_delete_is_tried_again_next_time() {
    let shop = Shop::new();
    shop.apply("present");
    shop.cloud().arm(Fault { operation: "delete_snapshot".to_owned(), what: FaultKind::Denied, times: 1, skip: 0 }).unwrap();
    let ran = shop.apply("absent");
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    assert_eq!(shop.cloud().truth().unwrap().snapshots.len(), 3);
    shop.apply("absent");
    assert_eq!(shop.cloud().truth().unwrap().snapshots.len(), 2);
}

/// A machine that is found off is started. One that was started for that, and is off again within a quarter of an hour, is
/// not, until its owner has looked; one that stayed on for longer is.
#[test]
fn a_machine_that_does_not_stay_on_is_started_once() {
    // Off since 900.
    let (ask, world, cloud) = words::parse("spec: scaleway; present\nworld: server s off, root r\n").unwrap();
    let (woken, ..) = words::parse("spec: scaleway; present; woken\nworld: nothing\n").unwrap();
    let started = |seconds: Option<i64>| {
        let restarted = seconds.map(|it| ("s".to_owned(), words::at(it))).into_iter().collect();
        Facts { restarted, ..Facts::default() }
    };
    for fine in [None, Some(-1), Some(950)] {
        assert_eq!(forecast(&ask, &world, &started(fine), &cloud).end, Verdict::Done, "{fine:?}");
    }
    let held = Verdict::Held(Hold::KeepsGoingOff { server: "mypad".to_owned(), seconds: 899 });
    assert_eq!(forecast(&ask, &world, &started(Some(1)), &cloud).end, held);
    assert_eq!(forecast(&woken, &world, &started(Some(1)), &cloud).end, Verdict::Done);
}

/// A server that was to rest, and still runs much later, may be used again: its rest is over. One that is off goes on resting.
#[test]
fn a_rest_that_was_never_begun_is_forgotten() {
    let world = |power: &str, hours: i64| {
        let (ask, mut world, cloud) =
            words::parse(&format!("spec: scaleway; present; autostop; watched\nworld: server s {power}, root r, falls asleep since 900\n"))
                .unwrap();
        world.now = words::at(900 + hours * 3600);
        (ask, world, cloud)
    };
    let end = |(ask, world, cloud): (_, _, _)| forecast(&ask, &world, &Facts::default(), &cloud).end;
    let asleep = Verdict::Held(Hold::Archived { since: 900, why: Asleep::Idle });
    assert_eq!(end(world("running", 1)), asleep);
    assert_eq!(end(world("running", 7)), Verdict::Done);
    assert_eq!(end(world("off", 7)), asleep);
    // What somebody else woke in the middle of it is not put to sleep again by the same word.
    let (ask, world, cloud) = words::parse("spec: scaleway; present; idle 900\nworld: server s running, root r\n").unwrap();
    let woken = Facts { rested: true, ..Facts::default() };
    assert_eq!(forecast(&ask, &world, &woken, &cloud).end, Verdict::Done);
    assert!(matches!(forecast(&ask, &world, &Facts::default(), &cloud).end, Verdict::Held(Hold::Archived { .. })));
}

/// The table in specs/laws.md names exactly the holds that exist.
#[test]
fn the_table_of_holds_is_complete() {
    let laws = include_str!("../../specs/laws.md");
    let table = laws.split("## Holds").nth(1).expect("a section Holds").split("\n## ").next().unwrap();
    let mut listed: Vec<&str> = table.lines().filter_map(|it| it.strip_prefix("| `")?.split('`').next()).collect();
    let role = cloudypad::model::Role::Root;
    let text = String::new;
    let all = [
        Hold::Suspended,
        Hold::Blind { what: "servers", cause: text() },
        Hold::Denied { what: "servers", answer: text(), remedy: text() },
        Hold::RecordTaken { name: text(), addresses: vec![] },
        Hold::OutOfStock { step: text(), answer: text(), instead: text() },
        Hold::UnknownState { object: text(), state: text() },
        Hold::Locked { object: text(), by: Lock::Vendor },
        Hold::CaptureFailed { disk_gb: 1, limit_gb: 1, said: text() },
        Hold::LivesElsewhere { zones: vec![], wanted: text() },
        Hold::OtherOwner { object: text(), owner: text() },
        Hold::OtherApplier { aim: Aim::Reach(ServerState::Absent), seconds: 1 },
        Hold::TwoServers { ids: vec![] },
        Hold::TwoDisks { role, ids: vec![] },
        Hold::DiskGone { role, copy: true },
        Hold::WouldShrink { role, has: 2, wants: 1 },
        Hold::RootWouldDie { by: "archiving" },
        Hold::Protected { what: text() },
        Hold::AttachedElsewhere { object: text(), server: text() },
        Hold::ForeignDisk { volume: text(), instance: text() },
        Hold::TagsDamaged { object: text() },
        Hold::DiskBroken { object: text() },
        Hold::Refused { step: text(), answer: text(), remedy: None },
        Hold::Stuck { awaited: text(), seconds: 1 },
        Hold::Archived { since: 1, why: Asleep::Idle },
        Hold::KeepsGoingOff { server: text(), seconds: 1 },
        Hold::KeepsFailing { step: text(), answer: text() },
    ];
    let mut codes: Vec<_> = all.iter().map(Hold::code).collect();
    codes.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, codes);
    let told: Vec<_> = STORIES.iter().map(|it| it.code).collect();
    let by_call = ["OutOfStock", "Refused", "Stuck", "KeepsFailing", "KeepsGoingOff"];
    for code in codes {
        assert!(told.contains(&code) || by_call.contains(&code), "no story tells {code}");
    }
}
