//! The garden's own tests: physics, bytes, faults and the judge, on a clock moved by hand.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;

/// A directory that is gone when the test is.
struct Garden(PathBuf);

impl Garden {
    fn new() -> Garden {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cloudypad-garden-{}-{count}", process::id()));
        Garden(dir)
    }

    fn open(&self, imitate: Imitate) -> Cloud {
        Cloud::open(&self.0, Settings { imitate, clock: Clock::Manual }).unwrap()
    }
}

impl Drop for Garden {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pass(cloud: &Cloud, seconds: u64) {
    cloud.advance(Duration::from_secs(seconds)).unwrap();
}

fn server(boot: Boot, volumes: &[&str]) -> NewServer {
    NewServer {
        zone: "local-1".to_owned(),
        name: "pad".to_owned(),
        kind: "local-small".to_owned(),
        boot,
        root_gb: None,
        volumes: volumes.iter().map(|id| (*id).to_owned()).collect(),
        address: None,
        firewall: None,
        tags: vec!["in:pad".to_owned()],
    }
}

fn stock() -> Boot {
    Boot::Image("local-os".to_owned())
}

fn volume(size_gb: u64, from_snapshot: Option<&str>) -> NewVolume {
    NewVolume {
        zone: "local-1".to_owned(),
        name: "data".to_owned(),
        size_gb,
        from_snapshot: from_snapshot.map(str::to_owned),
        tags: vec!["in:pad".to_owned()],
    }
}

fn state_of(cloud: &Cloud, id: &str) -> String {
    let needle = format!(" {id} ");
    let lines = cloud.inventory().unwrap();
    let line = lines.iter().find(|line| line.contains(&needle));
    line.and_then(|line| line.split(' ').next_back()).unwrap_or("gone").to_owned()
}

fn found_volume(cloud: &Cloud, id: &str) -> Volume {
    match cloud.find(id).unwrap() {
        Some(Object::Volume(volume)) => volume,
        other => panic!("{id} is {other:?}"),
    }
}

fn write_bytes(cloud: &Cloud, id: &str, at: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(cloud.disk_path(id)).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

fn read_bytes(cloud: &Cloud, id: &str, at: u64, size: usize) -> Vec<u8> {
    let file = fs::File::open(cloud.disk_path(id)).unwrap();
    let mut bytes = vec![0_u8; size];
    file.read_exact_at(&mut bytes, at).unwrap();
    bytes
}

fn kind_of<T>(outcome: Result<T, Refusal>) -> RefusalKind {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(refusal) => refusal.kind,
    }
}

fn losses(cloud: &Cloud) -> usize {
    cloud.ledger().unwrap().losses.len()
}

#[test]
fn a_server_lives_and_dies_and_its_volumes_stay() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let data = cloud.create_volume(volume(10, None)).unwrap().id;
    let born = cloud.create_server(server(stock(), &[data.as_str()])).unwrap();
    let id = born.id.as_str();
    let root = born.volumes[0].clone();
    assert_eq!(born.volumes, [root.clone(), data.clone()]);
    assert_eq!(found_volume(&cloud, &root).tags, Vec::<String>::new());
    assert_eq!(state_of(&cloud, &data), "in-use");
    assert!(read_bytes(&cloud, &root, 0, 30).starts_with(b"cloudypad local image local-os"));

    assert_eq!(kind_of(cloud.power_off(id)), RefusalKind::Conflict);
    cloud.power_on(id).unwrap();
    assert_eq!(state_of(&cloud, id), "starting");
    assert_eq!(kind_of(cloud.delete_server(id)), RefusalKind::Conflict);
    pass(&cloud, 10);
    assert_eq!(state_of(&cloud, id), "running");
    assert_eq!(kind_of(cloud.change_type(id, "local-large")), RefusalKind::Conflict);
    cloud.guest_shutdown(id).unwrap();
    pass(&cloud, 20);
    assert_eq!(state_of(&cloud, id), "stopped-in-place");
    cloud.power_off(id).unwrap();
    pass(&cloud, 6);
    assert_eq!(state_of(&cloud, id), "stopped");
    cloud.change_type(id, "local-large").unwrap();
    cloud.power_on(id).unwrap();
    pass(&cloud, 10);

    cloud.delete_server(id).unwrap();
    assert_eq!(state_of(&cloud, id), "deleting");
    pass(&cloud, 10);
    assert_eq!(state_of(&cloud, id), "gone");
    assert_eq!(state_of(&cloud, &root), "detaching");
    assert_eq!(kind_of(cloud.delete_volume(&root)), RefusalKind::Conflict);
    pass(&cloud, 5);
    assert_eq!(state_of(&cloud, &root), "available");
    assert_eq!(state_of(&cloud, &data), "available");
    assert!(found_volume(&cloud, &data).last_detached.is_some());
    assert_eq!(cloud.leaks(&["in:pad"]).unwrap(), [format!("volume {root} local-os_root")]);
    let both = [format!("volume {data} data"), format!("volume {root} local-os_root")];
    assert_eq!(cloud.leaks(&["in:other"]).unwrap(), both);
    assert_eq!(losses(&cloud), 0);
}

#[test]
fn a_detach_says_when_it_was_complete() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    let root = born.volumes[0].as_str();
    let before = cloud.now().unwrap();
    cloud.detach_all(&born.id).unwrap();
    assert_eq!(found_volume(&cloud, root).server, Some(born.id.clone()));
    assert_eq!(cloud.truth().unwrap().servers[&born.id].volumes, Vec::<String>::new());
    pass(&cloud, 60);
    let detached = found_volume(&cloud, root).last_detached;
    assert_eq!(detached, Some(before.plus_seconds(5)));
    assert_eq!(found_volume(&cloud, root).server, None);
    assert_eq!(kind_of(cloud.power_on(&born.id)), RefusalKind::Conflict);

    cloud.attach(&born.id, root).unwrap();
    cloud.power_on(&born.id).unwrap();
    pass(&cloud, 10);
    cloud.detach(&born.id, root).unwrap();
    pass(&cloud, 49);
    assert_eq!(state_of(&cloud, root), "detaching");
    pass(&cloud, 1);
    assert_eq!(state_of(&cloud, root), "available");
}

#[test]
fn a_protected_server_cannot_be_switched_off_but_deleted_when_it_is_off() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let id = cloud.create_server(server(stock(), &[])).unwrap().id;
    cloud.protect(&id, true).unwrap();
    cloud.power_on(&id).unwrap();
    pass(&cloud, 10);
    assert_eq!(kind_of(cloud.power_off(&id)), RefusalKind::Conflict);
    assert_eq!(kind_of(cloud.delete_server(&id)), RefusalKind::Conflict);
    cloud.protect(&id, false).unwrap();
    cloud.power_off(&id).unwrap();
    pass(&cloud, 30);
    cloud.protect(&id, true).unwrap();
    cloud.delete_server(&id).unwrap();
}

#[test]
fn a_large_empty_disk_costs_nothing() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(100, None)).unwrap().id;
    write_bytes(&cloud, &disk, 50_000_000_000, b"in the middle");
    pass(&cloud, 1);
    let copy = cloud.snapshot_volume(&disk, "copy", Vec::new()).unwrap().id;
    for id in [&disk, &copy] {
        let data = fs::metadata(cloud.disk_path(id)).unwrap();
        assert_eq!(data.len(), 100_000_000_000);
        assert!(data.blocks() * 512 < 1_000_000);
    }
    assert_eq!(read_bytes(&cloud, &copy, 50_000_000_000, 13), b"in the middle");
}

#[test]
fn bytes_survive_snapshot_and_restore() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(2, None)).unwrap().id;
    pass(&cloud, 1);
    write_bytes(&cloud, &disk, 1_000_000, b"a saved game");
    let copy = cloud.snapshot_volume(&disk, "copy", Vec::new()).unwrap().id;
    assert_eq!(kind_of(cloud.create_volume(volume(2, Some(&copy)))), RefusalKind::Conflict);
    pass(&cloud, 2);
    assert_eq!(kind_of(cloud.create_volume(volume(1, Some(&copy)))), RefusalKind::Invalid);
    cloud.delete_volume(&disk).unwrap();
    assert!(!cloud.disk_path(&disk).exists());
    let restored = cloud.create_volume(volume(3, Some(&copy))).unwrap().id;
    pass(&cloud, 5);
    cloud.delete_snapshot(&copy).unwrap();
    assert_eq!(read_bytes(&cloud, &restored, 1_000_000, 12), b"a saved game");
    cloud.grow_volume(&restored, 5).unwrap();
    pass(&cloud, 1);
    assert_eq!(found_volume(&cloud, &restored).size_gb, 5);
    assert_eq!(fs::metadata(cloud.disk_path(&restored)).unwrap().len(), 5_000_000_000);
    assert_eq!(losses(&cloud), 0);
    cloud.delete_volume(&restored).unwrap();
    assert_eq!(losses(&cloud), 1);
}

#[test]
fn what_was_never_written_is_no_loss() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(2, None)).unwrap().id;
    pass(&cloud, 1);
    cloud.delete_volume(&disk).unwrap();
    assert_eq!(losses(&cloud), 0);
}

#[test]
fn writes_in_the_same_instant_are_noticed() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(1, None)).unwrap().id;
    pass(&cloud, 1);
    write_bytes(&cloud, &disk, 0, b"first");
    let copy = cloud.snapshot_volume(&disk, "copy", Vec::new()).unwrap().id;
    pass(&cloud, 2);
    write_bytes(&cloud, &disk, 0, b"second");
    cloud.delete_volume(&disk).unwrap();
    let ledger = cloud.ledger().unwrap();
    assert_eq!(ledger.losses.len(), 1);
    assert_eq!(ledger.losses[0].object, disk);
    cloud.delete_snapshot(&copy).unwrap();
    assert_eq!(losses(&cloud), 2);
}

#[test]
fn a_copy_that_is_not_complete_covers_nothing() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(1, None)).unwrap().id;
    pass(&cloud, 1);
    write_bytes(&cloud, &disk, 0, b"bytes");
    cloud.snapshot_volume(&disk, "copy", Vec::new()).unwrap();
    cloud.delete_volume(&disk).unwrap();
    assert_eq!(losses(&cloud), 1);
}

#[test]
fn a_start_between_snapshot_and_delete_is_a_loss() {
    for stranger_starts in [false, true] {
        let garden = Garden::new();
        let cloud = garden.open(Imitate::Volumes);
        let born = cloud.create_server(server(stock(), &[])).unwrap();
        let root = born.volumes[0].as_str();
        cloud.power_on(&born.id).unwrap();
        pass(&cloud, 10);
        cloud.power_off(&born.id).unwrap();
        pass(&cloud, 30);
        cloud.snapshot_volume(root, "copy", Vec::new()).unwrap();
        pass(&cloud, 2);
        if stranger_starts {
            cloud.power_on(&born.id).unwrap();
            pass(&cloud, 10);
        }
        cloud.delete_server(&born.id).unwrap();
        pass(&cloud, 15);
        cloud.delete_volume(root).unwrap();
        assert_eq!(losses(&cloud), usize::from(stranger_starts));
    }
}

#[test]
fn a_snapshot_of_a_running_server_covers_nothing_later() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    let root = born.volumes[0].as_str();
    cloud.power_on(&born.id).unwrap();
    pass(&cloud, 10);
    cloud.snapshot_volume(root, "copy", Vec::new()).unwrap();
    cloud.delete_server(&born.id).unwrap();
    pass(&cloud, 30);
    cloud.delete_volume(root).unwrap();
    assert_eq!(losses(&cloud), 1);
}

#[test]
fn a_local_disk_dies_with_its_server() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::LocalDisks);
    let id = cloud.create_server(server(stock(), &[])).unwrap().id;
    assert_eq!(kind_of(cloud.create_server(server(stock(), &[]))), RefusalKind::Invalid);
    cloud.power_on(&id).unwrap();
    pass(&cloud, 10);
    cloud.guest_shutdown(&id).unwrap();
    pass(&cloud, 20);
    assert_eq!(state_of(&cloud, &id), "stopped");
    let image = cloud.capture_image(&id, "copy", Vec::new()).unwrap().id;
    assert_eq!(kind_of(cloud.delete_image(&image)), RefusalKind::Conflict);
    pass(&cloud, 60);
    cloud.delete_server(&id).unwrap();
    pass(&cloud, 5);
    assert_eq!(losses(&cloud), 0);

    let again = cloud.create_server(server(Boot::Capture(image.clone()), &[])).unwrap();
    cloud.power_on(&again.id).unwrap();
    pass(&cloud, 10);
    cloud.delete_server(&again.id).unwrap();
    pass(&cloud, 10);
    let ledger = cloud.ledger().unwrap();
    assert_eq!(ledger.losses.len(), 1);
    assert!(ledger.losses[0].object.starts_with("disk-"));
}

#[test]
fn two_openings_see_one_cloud() {
    let garden = Garden::new();
    let first = garden.open(Imitate::Volumes);
    let id = first.create_server(server(stock(), &[])).unwrap().id;
    let second = garden.open(Imitate::Volumes);
    assert_eq!(first.truth().unwrap(), second.truth().unwrap());
    second.power_on(&id).unwrap();
    pass(&first, 10);
    assert_eq!(state_of(&second, &id), "running");
    assert_eq!(first.truth().unwrap(), second.truth().unwrap());

    let settings = Settings { imitate: Imitate::LocalDisks, clock: Clock::Manual };
    assert_eq!(kind_of(Cloud::open(&garden.0, settings)), RefusalKind::Invalid);
}

#[test]
fn leftovers_of_a_kill_are_swept_away() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(1, None)).unwrap().id;
    let inner = garden.0.join("disks");
    for name in ["vol-0099.img.tmp", "vol-0099.img", "backup.tar"] {
        fs::write(inner.join(name), name).unwrap();
    }
    fs::create_dir(inner.join("mine")).unwrap();
    fs::write(inner.join("mine/vol-0001.img"), b"mine").unwrap();
    let again = garden.open(Imitate::Volumes);
    assert!(again.disk_path(&disk).exists());
    assert!(!inner.join("vol-0099.img.tmp").exists());
    assert!(!inner.join("lost/vol-0099.img.tmp").exists());
    for name in ["vol-0099.img", "backup.tar"] {
        assert!(!inner.join(name).exists());
        assert_eq!(fs::read(inner.join("lost").join(name)).unwrap(), name.as_bytes());
    }
    assert_eq!(fs::read(inner.join("mine/vol-0001.img")).unwrap(), b"mine");
}

#[test]
fn an_old_truth_put_back_destroys_nothing() {
    let garden = Garden::new();
    let path = garden.0.join("cloud.json");
    let cloud = garden.open(Imitate::Volumes);
    let first = cloud.create_volume(volume(1, None)).unwrap().id;
    let old = fs::read(&path).unwrap();
    for bytes in [b"one", b"two"] {
        let again = garden.open(Imitate::Volumes);
        let second = again.create_volume(volume(1, None)).unwrap().id;
        assert_eq!(second, "vol-0002");
        write_bytes(&again, &second, 0, bytes);
        fs::write(&path, &old).unwrap();
    }
    let again = garden.open(Imitate::Volumes);
    assert!(again.disk_path(&first).exists());
    assert!(!again.disk_path("vol-0002").exists());
    for (name, bytes) in [("vol-0002.img", b"one"), ("vol-0002.img.1", b"two")] {
        let file = fs::File::open(garden.0.join("disks/lost").join(name)).unwrap();
        let mut found = [0_u8; 3];
        file.read_exact_at(&mut found, 0).unwrap();
        assert_eq!(&found, bytes);
    }
}

#[test]
fn a_disk_that_cannot_grow_breaks_and_stops_nothing_else() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let broken = cloud.create_volume(volume(1, None)).unwrap().id;
    pass(&cloud, 1);
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    cloud.power_on(&born.id).unwrap();
    cloud.grow_volume(&broken, 2).unwrap();
    cloud.grow_volume(&born.volumes[0], 9).unwrap();
    fs::remove_file(cloud.disk_path(&broken)).unwrap();
    pass(&cloud, 10);
    assert_eq!(cloud.look(None, None).unwrap().volumes.len(), 2);
    assert_eq!(state_of(&cloud, &broken), "error");
    assert_eq!(found_volume(&cloud, &broken).size_gb, 1);
    assert_eq!(state_of(&cloud, &born.id), "running");
    assert_eq!(found_volume(&cloud, &born.volumes[0]).size_gb, 9);
    cloud.delete_volume(&broken).unwrap();
}

#[test]
fn a_broken_volume_is_detached_and_stays_broken() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    let root = born.volumes[0].as_str();
    cloud.condemn(root).unwrap();
    cloud.delete_server(&born.id).unwrap();
    pass(&cloud, 10);
    let found = found_volume(&cloud, root);
    assert_eq!((found.state, found.server), (VolumeState::Error, None));
    assert!(found.last_detached.is_some());
    cloud.delete_volume(root).unwrap();
}

#[test]
fn a_snapshot_stays_while_a_volume_is_made_from_it() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(1, None)).unwrap().id;
    pass(&cloud, 1);
    let copy = cloud.snapshot_volume(&disk, "copy", Vec::new()).unwrap().id;
    pass(&cloud, 2);
    cloud.create_volume(volume(1, Some(&copy))).unwrap();
    let refusal = cloud.delete_snapshot(&copy).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Conflict);
    assert!(refusal.message.contains("a volume is being made from it"));
    pass(&cloud, 5);
    cloud.delete_snapshot(&copy).unwrap();
}

#[test]
fn a_locked_server_is_refused_everything() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let used = cloud.reserve_address("local-1", Vec::new()).unwrap().id;
    let free = cloud.reserve_address("local-1", Vec::new()).unwrap().id;
    let firewall = cloud.create_firewall("local-1", "fw", Vec::new(), Vec::new()).unwrap().id;
    let data = cloud.create_volume(volume(1, None)).unwrap().id;
    let born = cloud.create_server(NewServer { address: Some(used.clone()), ..server(stock(), &[]) }).unwrap();
    let id = born.id.as_str();
    cloud.condemn(id).unwrap();
    let before = cloud.find(id).unwrap();
    let outcomes = [
        cloud.power_on(id),
        cloud.power_off(id),
        cloud.guest_shutdown(id),
        cloud.attach(id, &data),
        cloud.detach(id, &born.volumes[0]),
        cloud.detach_all(id),
        cloud.delete_server(id),
        cloud.change_type(id, "local-large"),
        cloud.protect(id, true),
        cloud.assign_address(id, &used),
        cloud.assign_address(id, &free),
        cloud.release_address(&used),
        cloud.assign_firewall(id, &firewall),
        cloud.relabel(id, Some("other"), Vec::new()),
    ];
    for outcome in outcomes {
        assert_eq!(kind_of(outcome), RefusalKind::Conflict);
    }
    assert_eq!(cloud.find(id).unwrap(), before);
}

#[test]
fn what_no_living_owner_claims_is_a_leak() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let address = cloud.reserve_address("local-1", Vec::new()).unwrap();
    let born = cloud.create_server(NewServer { address: Some(address.id.clone()), ..server(stock(), &[]) }).unwrap();
    let root = born.volumes[0].as_str();
    let copy = cloud.snapshot_volume(root, "copy", vec!["in:gone".to_owned()]).unwrap().id;
    cloud.create_firewall("local-1", "fw", Vec::new(), Vec::new()).unwrap();
    let snapshot = format!("snapshot {copy} copy");
    assert_eq!(cloud.leaks(&["in:pad", "in:gone"]).unwrap(), Vec::<String>::new());
    assert_eq!(cloud.leaks(&["in:pad"]).unwrap(), std::slice::from_ref(&snapshot));
    let all = [
        format!("server {} pad", born.id),
        format!("volume {root} local-os_root"),
        snapshot,
        format!("address {} {}", address.id, address.address),
    ];
    assert_eq!(cloud.leaks(&[]).unwrap(), all);
}

#[test]
fn a_cloud_opened_as_it_is_keeps_its_clock() {
    let garden = Garden::new();
    let as_is = Settings { imitate: Imitate::Volumes, clock: Clock::AsIs };
    let cloud = garden.open(Imitate::Volumes);
    let before = fs::read(garden.0.join("cloud.json")).unwrap();
    let again = Cloud::open(&garden.0, as_is).unwrap();
    again.now().unwrap();
    assert_eq!(fs::read(garden.0.join("cloud.json")).unwrap(), before);
    again.set_clock(Clock::AsIs).unwrap();
    assert!(matches!(cloud.truth().unwrap().clock, Timepiece::Manual { .. }));

    let other = Garden::new();
    let new = Cloud::open(&other.0, as_is).unwrap();
    assert!(matches!(new.truth().unwrap().clock, Timepiece::Wall { speed: 1.0, .. }));
}

#[test]
fn a_wall_clock_set_back_does_not_freeze_the_cloud() {
    let garden = Garden::new();
    let cloud = Cloud::open(&garden.0, Settings { imitate: Imitate::Volumes, clock: Clock::Speed(1.0) }).unwrap();
    let mut truth = cloud.truth().unwrap();
    let Timepiece::Wall { base_wall, base_cloud, speed } = truth.clock else {
        panic!("{:?} does not follow the wall", truth.clock);
    };
    truth.clock = Timepiece::Wall { base_wall: base_wall.plus_seconds(3600), base_cloud, speed };
    truth.generation += 1;
    fs::write(garden.0.join("cloud.json"), serde_json::to_vec(&truth).unwrap()).unwrap();
    cloud.look(None, None).unwrap();
    let after = cloud.truth().unwrap();
    assert_eq!(after.generation, truth.generation + 1);
    assert!(after.latest >= truth.latest);
    assert!(matches!(after.clock, Timepiece::Wall { base_wall: rebased, .. } if rebased < base_wall.plus_seconds(3600)));
}

#[test]
fn a_damaged_file_is_named_and_nothing_is_touched() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let disk = cloud.create_volume(volume(1, None)).unwrap().id;
    let path = garden.0.join("cloud.json");
    fs::write(&path, b"{\"version\":").unwrap();
    let refusal = cloud.now().unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Storage);
    assert!(refusal.message.contains("cloud.json"));
    fs::write(&path, b"{\"version\":2}").unwrap();
    assert!(cloud.now().unwrap_err().message.contains("version 2"));
    fs::remove_file(&path).unwrap();
    let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Manual };
    assert_eq!(kind_of(Cloud::open(&garden.0, settings)), RefusalKind::Storage);
    assert!(cloud.disk_path(&disk).exists());
}

#[test]
fn faults_befall_the_calls_they_are_meant_for() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let arm = |what, skip| {
        let operation = "create_volume".to_owned();
        cloud.arm(Fault { operation, what, times: 1, skip }).unwrap();
    };
    let count = || cloud.look(None, None).unwrap().volumes.len();

    arm(FaultKind::BrokenBefore, 0);
    assert_eq!(kind_of(cloud.create_volume(volume(1, None))), RefusalKind::Broken);
    arm(FaultKind::Dropped, 0);
    assert_eq!(kind_of(cloud.create_volume(volume(1, None))), RefusalKind::Lost);
    assert_eq!(count(), 0);
    arm(FaultKind::LostReply, 0);
    assert_eq!(kind_of(cloud.create_volume(volume(1, None))), RefusalKind::Lost);
    assert_eq!(count(), 1);
    arm(FaultKind::RateLimited, 1);
    cloud.create_volume(volume(1, None)).unwrap();
    assert_eq!(kind_of(cloud.create_volume(volume(1, None))), RefusalKind::RateLimited);
    assert_eq!(count(), 2);

    arm(FaultKind::Stuck, 0);
    let stuck = cloud.create_volume(volume(1, None)).unwrap().id;
    arm(FaultKind::Slow { factor: 10 }, 0);
    let slow = cloud.create_volume(volume(1, None)).unwrap().id;
    pass(&cloud, 9);
    assert_eq!(state_of(&cloud, &slow), "creating");
    pass(&cloud, 1);
    assert_eq!(state_of(&cloud, &slow), "available");
    pass(&cloud, 1_000_000);
    assert_eq!(state_of(&cloud, &stuck), "creating");

    cloud.set_quota("volume", Some(4)).unwrap();
    assert_eq!(kind_of(cloud.create_volume(volume(1, None))), RefusalKind::Quota);
    assert_eq!(cloud.ledger().unwrap().calls["create_volume"], 4);
}

#[test]
fn a_listing_lags_and_a_search_by_id_does_not() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    cloud.set_listing_lag(3).unwrap();
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    assert!(cloud.look(None, None).unwrap().servers.is_empty());
    assert!(cloud.find(&born.id).unwrap().is_some());
    pass(&cloud, 4);
    let look = cloud.look(Some("local-1"), Some("in:pad")).unwrap();
    assert_eq!(look.servers, std::slice::from_ref(&born));
    assert_eq!(look.volumes.len(), 1);
    assert!(cloud.look(Some("local-2"), None).unwrap().servers.is_empty());
    assert_eq!(kind_of(cloud.look(Some("local-3"), None)), RefusalKind::Invalid);
    assert!(cloud.look(None, Some("in:other")).unwrap().volumes.is_empty());
}

#[test]
fn compute_is_billed_while_a_machine_is_held() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let born = cloud.create_server(server(stock(), &[])).unwrap();
    let compute = || {
        let bills = cloud.ledger().unwrap().bill;
        bills.iter().filter(|bill| bill.kind == "compute" && bill.to.is_none()).count()
    };
    assert_eq!(compute(), 0);
    cloud.power_on(&born.id).unwrap();
    pass(&cloud, 3600);
    assert_eq!(compute(), 1);
    cloud.guest_shutdown(&born.id).unwrap();
    pass(&cloud, 20);
    assert_eq!(compute(), 1);
    cloud.power_off(&born.id).unwrap();
    pass(&cloud, 6);
    assert_eq!(compute(), 0);
    let euros = cloud.ledger().unwrap().euros(cloud.now().unwrap());
    assert!(euros > 0.05 && euros < 0.06, "{euros}");
}

#[test]
fn addresses_and_firewalls_are_used_or_free() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let first = cloud.reserve_address("local-1", Vec::new()).unwrap();
    let second = cloud.reserve_address("local-1", Vec::new()).unwrap();
    assert_eq!((first.address.as_str(), second.address.as_str()), ("203.0.113.1", "203.0.113.2"));
    let firewall = cloud.create_firewall("local-1", "fw", Vec::new(), Vec::new()).unwrap();
    let wish = NewServer { firewall: Some(firewall.id.clone()), ..server(stock(), &[]) };
    let born = cloud.create_server(wish).unwrap();
    cloud.assign_address(&born.id, &first.id).unwrap();
    assert_eq!(kind_of(cloud.assign_address(&born.id, &second.id)), RefusalKind::Conflict);
    assert_eq!(kind_of(cloud.delete_firewall(&firewall.id)), RefusalKind::Conflict);
    cloud.delete_server(&born.id).unwrap();
    pass(&cloud, 5);
    assert_eq!(state_of(&cloud, &first.id), "free");
    cloud.delete_firewall(&firewall.id).unwrap();
    cloud.release_address(&first.id).unwrap();
    let third = cloud.reserve_address("local-1", Vec::new()).unwrap();
    assert_eq!(third.address, "203.0.113.3");
    cloud.relabel(&third.id, None, vec!["in:pad".to_owned()]).unwrap();
    assert_eq!(cloud.look(None, Some("in:pad")).unwrap().addresses.len(), 1);
}

#[test]
fn reads_write_nothing() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    cloud.create_server(server(stock(), &[])).unwrap();
    let before = cloud.truth().unwrap().generation;
    cloud.look(None, None).unwrap();
    cloud.find("srv-0001").unwrap();
    cloud.inventory().unwrap();
    assert_eq!(cloud.truth().unwrap().generation, before);
}

/// Two disks made from one snapshot go their own ways: neither covers the other.
#[test]
fn a_sibling_covers_nothing() {
    let garden = Garden::new();
    let cloud = garden.open(Imitate::Volumes);
    let first = cloud.create_volume(volume(10, None)).unwrap().id;
    write_bytes(&cloud, &first, 0, b"common");
    pass(&cloud, 10);
    let snapshot = cloud.snapshot_volume(&first, "copy", Vec::new()).unwrap().id;
    pass(&cloud, 60);
    let one = cloud.create_volume(volume(10, Some(&snapshot))).unwrap().id;
    let two = cloud.create_volume(volume(10, Some(&snapshot))).unwrap().id;
    pass(&cloud, 60);
    write_bytes(&cloud, &one, 0, b"one");
    write_bytes(&cloud, &two, 0, b"two");
    cloud.delete_volume(&first).unwrap();
    assert_eq!(losses(&cloud), 0, "the snapshot has its bytes");
    cloud.delete_volume(&one).unwrap();
    assert_eq!(losses(&cloud), 1, "nothing has the bytes of the first sibling");
    cloud.delete_snapshot(&snapshot).unwrap();
    assert_eq!(losses(&cloud), 1, "the second sibling descends from the snapshot");
}
