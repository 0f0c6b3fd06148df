//! Create, stop, start, archive, return, delete; each twice.

use super::TRIAL;
use crate::support::{
    face::{Face, in_any_order},
    linode::pad,
    shop::Shop,
};
use std::path::PathBuf;

const CREATE: &[&str] = &[
    "POST networking/firewalls",
    "PUT networking/firewalls/rules",
    "POST networking/reserved/ips",
    "POST volumes",
    "POST linode/instances",
    "PUT linode/instances", // the watchdog
    "POST volumes/attach",
    "POST linode/instances/boot",
    "PUT volumes", // fresh:yes goes
];
const CAPTURE: &[&str] = &[
    "PUT linode/instances", // recipe: it has run
    "POST linode/instances/shutdown",
    "POST images",
    "POST linode/instances/boot",
    "PUT linode/instances", // capture:due goes
];
// A wish that changed says so: on the Linode, or on the firewall where the Linode goes or is yet to come.
const LINODE_SAYS: &str = "PUT linode/instances";
const FIREWALL_SAYS: &str = "PUT networking/firewalls";
const ARCHIVE: &[&str] = &[FIREWALL_SAYS, "POST linode/instances/shutdown", "POST images", "DELETE linode/instances", "DELETE images"];
const RETURN: &[&str] =
    &[FIREWALL_SAYS, "POST linode/instances", "PUT linode/instances", "POST volumes/attach", "POST linode/instances/boot"];
const DELETE: &[&str] = &[
    FIREWALL_SAYS,
    "DELETE linode/instances",
    "DELETE volumes",
    "DELETE images",
    "DELETE networking/reserved/ips",
    "DELETE networking/firewalls",
];

#[test]
fn the_reference_lifecycle_costs_these_calls_and_no_more() {
    let legs = &[
        ("present", &[CREATE, CAPTURE][..]),
        ("stopped", &[&["POST linode/instances/shutdown", LINODE_SAYS]]),
        ("present", &[&["POST linode/instances/boot", LINODE_SAYS]]),
        ("absent", &[ARCHIVE]),
        ("present", &[RETURN]),
        ("absent", &[ARCHIVE]),
        ("present", &[RETURN]),
    ];
    TRIAL.costs(legs, DELETE, 2);
}

/// The files behind the root and the data disk, as the emulator knows them.
fn disks(_: &Shop, face: &Face) -> (PathBuf, PathBuf) {
    let only = |list: &str, wanted: &dyn Fn(&serde_json::Value) -> bool| {
        let listed = face.get(list);
        let found: Vec<_> = listed["data"].as_array().unwrap().iter().filter(|it| wanted(it)).map(|it| it["id"].clone()).collect();
        let [one] = found.as_slice() else { panic!("{list}: {listed}") };
        one.clone()
    };
    let file = |id| PathBuf::from(face.get(&format!("/_emulator/disks/{id}"))["path"].as_str().unwrap());
    let linode = only("/v4/linode/instances", &|_| true);
    let root = only(&format!("/v4/linode/instances/{linode}/disks"), &|it| it["filesystem"] != "swap");
    (file(root), file(only("/v4/volumes", &|_| true)))
}

#[test]
fn every_byte_comes_back_from_the_archive() {
    TRIAL.every_byte_comes_back(disks);
}

/// The example that README names, as it is.
#[test]
fn the_example_works_as_it_is() {
    TRIAL.example_works(include_str!("../../../examples/linode.yaml"), "linpad");
}

/// Growing, a change of type, network rules: in place, each once.
#[test]
fn changes_are_made_in_place() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    let larger = pad("present", "").replace("sizeGb: 100", "sizeGb: 120");
    assert_eq!(in_any_order(face.apply(&shop, &larger).1), in_any_order(["POST volumes/resize", LINODE_SAYS]));
    assert_eq!(face.apply(&shop, &larger).1, [""; 0]);
    let stronger = larger.replace("rtx4000a1-s", "rtx4000a1-m");
    let (_, calls) = face.apply(&shop, &stronger);
    assert_eq!(
        in_any_order(calls),
        in_any_order(["POST linode/instances/shutdown", LINODE_SAYS, "POST linode/instances/resize", "POST linode/instances/boot"])
    );
    let narrow = format!("{stronger}  network:\n    allowFrom: [192.0.2.77/32, 2001:db8::/32]\n    ports: [22/tcp, 47998-48010/udp]\n");
    assert_eq!(in_any_order(face.apply(&shop, &narrow).1), in_any_order(["PUT networking/firewalls/rules", LINODE_SAYS]));
    assert_eq!(face.apply(&shop, &narrow).1, [""; 0]);
    shop.write("pad.yaml", &pad("present", "").replace("sizeGb: 100", "sizeGb: 50"));
    assert!(face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]).out.contains("disks never shrink"));
}
