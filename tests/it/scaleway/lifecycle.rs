//! Create, stop, start, archive, return, delete; each twice.

use super::TRIAL;
use crate::support::{
    face::{Face, in_any_order},
    scaleway::pad,
    shop::Shop,
};
use serde_json::Value;
use std::path::PathBuf;

const CREATE: &[&str] = &[
    "POST ips",
    "POST security_groups",
    "PUT security_groups/rules",
    "POST volumes",
    "POST servers",
    "PATCH volumes",
    "PATCH servers/user_data/cloud-init",
    "POST servers/action poweron",
];
const CAPTURE: &[&str] = &[
    "PATCH servers", // recipe: it has run
    "POST servers/action poweroff",
    "POST snapshots",
    "POST servers/action poweron",
    "PATCH servers", // capture:due goes
];
// A wish that changed says so: on the server, or on the firewall where the server goes or is yet to come.
const SERVER_SAYS: &str = "PATCH servers";
const FIREWALL_SAYS: &str = "PATCH security_groups";
const ARCHIVE: &[&str] = &[
    FIREWALL_SAYS,
    "POST servers/action poweroff",
    "PATCH servers",
    "POST snapshots",
    "POST snapshots",
    "DELETE servers",
    "DELETE volumes",
    "DELETE volumes",
];
const RETURN: &[&str] =
    &[FIREWALL_SAYS, "POST volumes", "POST volumes", "POST servers", "PATCH servers/user_data/cloud-init", "POST servers/action poweron"];
const DELETE: &[&str] = &[
    FIREWALL_SAYS,
    "POST servers/action terminate",
    "DELETE volumes",
    "DELETE volumes",
    "DELETE snapshots",
    "DELETE snapshots",
    "DELETE ips",
    "DELETE security_groups",
];

#[test]
fn the_reference_lifecycle_costs_these_calls_and_no_more() {
    let legs = &[
        ("present", &[CREATE, CAPTURE][..]),
        ("stopped", &[&["POST servers/action poweroff", SERVER_SAYS]]),
        ("present", &[&["POST servers/action poweron", SERVER_SAYS]]),
        ("absent", &[ARCHIVE, &["DELETE snapshots"]]),
        ("present", &[RETURN]),
        // The second archive has an old snapshot of each disk to clear away.
        ("absent", &[ARCHIVE, &["DELETE snapshots", "DELETE snapshots"]]),
        ("present", &[RETURN]),
    ];
    TRIAL.costs(legs, DELETE, 2);
}

/// The files behind the root and the data disk, as the emulator knows them.
fn disks(shop: &Shop, face: &Face) -> (PathBuf, PathBuf) {
    let described = face.expect(shop, 0, &["describe", "pad.yaml", "-o", "json"]).out;
    let described: Value = serde_json::from_str(&described).unwrap();
    let file = |role: &str| {
        let volume = described["volumes"].as_array().unwrap().iter().find(|it| it["role"] == role).unwrap();
        let answer = face.get(&format!("/_emulator/disks/{}", volume["id"].as_str().unwrap()));
        PathBuf::from(answer["path"].as_str().unwrap())
    };
    (file("root"), file("data"))
}

#[test]
fn every_byte_comes_back_from_the_archive() {
    TRIAL.every_byte_comes_back(disks);
}

/// The example that README names, as it is.
#[test]
fn the_example_works_as_it_is() {
    TRIAL.example_works(include_str!("../../../examples/scaleway.yaml"), "scwpad");
}

/// Growing, a change of type, more operations a second, network rules: in place, each once.
#[test]
fn changes_are_made_in_place() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    let larger = pad("present", "").replace("sizeGb: 100", "sizeGb: 120");
    assert_eq!(in_any_order(face.apply(&shop, &larger).1), in_any_order(["PATCH volumes", SERVER_SAYS]));
    assert_eq!(face.apply(&shop, &larger).1, [""; 0]);
    let faster = larger.replace("      zone:", "      iops: 15000\n      zone:");
    assert_eq!(in_any_order(face.apply(&shop, &faster).1), in_any_order(["PATCH volumes", "PATCH volumes", SERVER_SAYS]));
    let stronger = faster.replace("L4-1-24G", "L40S-1-48G");
    let (_, calls) = face.apply(&shop, &stronger);
    assert_eq!(
        in_any_order(calls),
        in_any_order(["POST servers/action poweroff", SERVER_SAYS, "PATCH servers", "POST servers/action poweron"])
    );
    let narrow = format!("{stronger}  network:\n    allowFrom: [192.0.2.77/32, 2001:db8::/32]\n    ports: [22/tcp, 47998-48010/udp]\n");
    assert_eq!(in_any_order(face.apply(&shop, &narrow).1), in_any_order(["PUT security_groups/rules", SERVER_SAYS]));
    assert_eq!(face.apply(&shop, &narrow).1, [""; 0], "what Scaleway normalises is compared as it means");
    let smaller = pad("present", "").replace("sizeGb: 100", "sizeGb: 50");
    shop.write("pad.yaml", &smaller);
    assert!(face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]).out.contains("disks never shrink"));
}
