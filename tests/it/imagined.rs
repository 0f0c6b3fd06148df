//! The imagined world that a forecast walks through: it takes the time that a cloud takes, and ends as a cloud could show it.

use crate::support::words;
use cloudypad::{
    model::{Facts, LastHeld, Power, Ran, Root, Verdict, VolumeStatus, World},
    plan::forecast,
};
use std::{fs, path::Path};

/// The spec, what is seen, and the cloud seconds until everything is done.
const TABLE: &[(&str, &str, u64)] = &[
    ("scaleway; present", "server srv off, root vol-r, recipe none", 20),
    ("scaleway; present", "root disk vol-r, born 999", 32),
    ("scaleway; present", "nothing", 35),
    // What took longer to make than a list may lag is used at once.
    ("scaleway; present", "root snapshot y ready, of vol-r", 32),
    ("linode; present", "nothing", 103),
    ("linode; present; data 100 GB", "root image img-r ready", 91),
    ("scaleway; absent; root snapshot", "server srv off, root vol-r", 101),
    ("scaleway; absent; root snapshot; data 100 GB, snapshot", "server srv running, root vol-r, data vol-d", 246),
    ("linode; absent; root snapshot, onStop refresh", "server srv running, root local", 255),
    ("linode; absent; root snapshot, onStop refresh; root 20 GB", "server srv off, root local 40 GB", 255),
    ("local; present; root snapshot; data 100 GB", "nothing", 57),
];

#[test]
fn a_forecast_takes_the_time_that_a_cloud_takes() {
    let told: Vec<_> = TABLE
        .iter()
        .map(|(spec, seen, _)| {
            let (ask, cloud) = words::ask(spec).unwrap();
            let told = forecast(&ask, &words::world_of(seen, &ask).unwrap(), &Facts::default(), &cloud);
            assert_eq!(told.end, Verdict::Done, "{spec}: {seen}");
            (*spec, *seen, told.seconds)
        })
        .collect();
    assert_eq!(told, TABLE);
}

/// Every golden plan, walked to its end: who holds what is said by both alike, and nothing is left half-way.
#[test]
fn every_imagined_end_could_be_seen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    for file in fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        let (ask, world, cloud) = words::parse(text.split_once("---\n").unwrap().0).unwrap();
        let told = forecast(&ask, &world, &Facts::default(), &cloud);
        if told.end == Verdict::Done && !told.acts.is_empty() {
            let odd = oddities(&told.world, &world, cloud.own_address);
            assert!(odd.is_empty(), "{}: {odd:?}", file.display());
        }
    }
}

/// What no cloud would show, of objects that were not odd before.
fn oddities(end: &World, before: &World, has_own_addresses: bool) -> Vec<String> {
    let mut odd = Vec::new();
    for server in end.servers.items() {
        let address = end.addresses.items().iter().find(|it| server.address.as_ref() == Some(&it.id));
        if address.is_some_and(|it| it.server.as_ref() != Some(&server.id)) {
            odd.push(format!("the address of {} does not know its server", server.id));
        }
        let is_new = before.server(&server.id).is_none();
        if is_new && server.told.own_address.is_some() != (has_own_addresses && server.address.is_none()) {
            odd.push(format!("{} has an address of its own: {:?}", server.id, server.told.own_address));
        }
        if !matches!(server.power, Power::Off | Power::Running) {
            odd.push(format!("{} is {}", server.id, server.power));
        }
        if server.power == Power::Running && (server.ran == Ran::Never || server.off_since.is_some()) && is_new {
            odd.push(format!("{} runs and never ran", server.id));
        }
        if let Root::Volume(root) = &server.root
            && !server.volumes.contains(root)
        {
            odd.push(format!("{} boots from a disk that it does not hold", server.id));
        }
    }
    for address in end.addresses.items() {
        let server = address.server.as_ref().and_then(|it| end.server(it));
        if server.is_some_and(|it| it.address.as_ref() != Some(&address.id)) {
            odd.push(format!("{} is at a server that does not know it", address.id));
        }
    }
    for volume in end.volumes.items() {
        let holder = end.servers.items().iter().find(|it| it.volumes.contains(&volume.id));
        if volume.attached_to.as_ref() != holder.map(|it| &it.id) {
            odd.push(format!("{} is attached to {:?} and held by {:?}", volume.id, volume.attached_to, holder.map(|it| &it.id)));
        }
        let settled = if holder.is_some() { VolumeStatus::InUse } else { VolumeStatus::Available };
        if volume.status != settled && volume.status != VolumeStatus::Error {
            odd.push(format!("{} is {:?}", volume.id, volume.status));
        }
        let was_held = before.volume(&volume.id).is_some_and(|it| it.attached_to.is_some());
        if was_held && holder.is_none() && !matches!(volume.last_held, LastHeld::Until(_)) {
            odd.push(format!("{} was held, and nobody let it go", volume.id));
        }
    }
    odd
}
