//! Create, stop, start, archive, return, delete; each twice.

use crate::support::{
    face::Face,
    scaleway::pad,
    shop::{Shop, read_at, write_at},
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
const ARCHIVE: &[&str] = &[
    "POST servers/action poweroff",
    "PATCH servers",
    "POST snapshots",
    "POST snapshots",
    "DELETE servers",
    "DELETE volumes",
    "DELETE volumes",
];
const RETURN: &[&str] =
    &["POST volumes", "POST volumes", "POST servers", "PATCH servers/user_data/cloud-init", "POST servers/action poweron"];

fn sorted(calls: &[String]) -> Vec<String> {
    let mut calls = calls.to_vec();
    calls.sort();
    calls
}

fn all(parts: &[&[&str]]) -> Vec<String> {
    sorted(&parts.concat().iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
}

#[test]
fn the_reference_lifecycle_costs_these_calls_and_no_more() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let again = |state: &str| {
        let (ran, calls) = face.apply(&shop, &pad(state, ""));
        assert!(ran.out.contains("Nothing to do: 1 instance in sync"), "{state}: {}", ran.out);
        assert_eq!(calls, [""; 0], "{state} twice");
    };
    let (_, calls) = face.apply(&shop, &pad("present", ""));
    assert_eq!(sorted(&calls), all(&[CREATE, CAPTURE]));
    again("present");

    let (_, calls) = face.apply(&shop, &pad("stopped", ""));
    assert_eq!(calls, ["POST servers/action poweroff"]);
    again("stopped");
    let (_, calls) = face.apply(&shop, &pad("present", ""));
    assert_eq!(calls, ["POST servers/action poweron"]);
    again("present");

    let (ran, calls) = face.apply(&shop, &pad("absent", ""));
    assert_eq!(sorted(&calls), all(&[ARCHIVE, &["DELETE snapshots"]]));
    assert!(ran.out.contains("kept, still billed: "), "{}", ran.out);
    again("absent");
    let (_, calls) = face.apply(&shop, &pad("present", ""));
    assert_eq!(sorted(&calls), all(&[RETURN]));
    again("present");

    // The second archive has an old snapshot of each disk to clear away.
    let (_, calls) = face.apply(&shop, &pad("absent", ""));
    assert_eq!(sorted(&calls), all(&[ARCHIVE, &["DELETE snapshots", "DELETE snapshots"]]));
    face.apply(&shop, &pad("present", ""));

    face.log();
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    let calls = sorted(&face.changes());
    let expected: &[&str] = &[
        "POST servers/action terminate",
        "DELETE volumes",
        "DELETE volumes",
        "DELETE snapshots",
        "DELETE snapshots",
        "DELETE ips",
        "DELETE security_groups",
    ];
    assert_eq!(calls, all(&[expected]));
    let (leaks, losses) = face.judge(&[]);
    assert_eq!((leaks, losses.len()), (Vec::new(), 2), "nothing billable is left; the owner let two disks go");
    let ran = face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert!(ran.out.contains("does not exist"), "{}", ran.out);
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
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    for round in 0..3u8 {
        let (root, data) = disks(&shop, &face);
        write_at(&root, 4096, &[round + 1; 512]);
        write_at(&data, 1 << 20, &[round + 101; 512]);
        face.apply(&shop, &pad("absent", ""));
        face.apply(&shop, &pad("present", ""));
        let (root, data) = disks(&shop, &face);
        assert_eq!(read_at(&root, 4096, 512), [round + 1; 512], "root, round {round}");
        assert_eq!(read_at(&data, 1 << 20, 512), [round + 101; 512], "data, round {round}");
    }
    assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()));
}

/// The example that README names, as it is.
#[test]
fn the_example_works_as_it_is() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    shop.write("scaleway.yaml", include_str!("../../../examples/scaleway.yaml"));
    face.expect(&shop, 0, &["apply", "scaleway.yaml", "--yes"]);
    face.expect(&shop, 0, &["set", "scaleway.yaml", "serverState=absent", "--apply", "--yes"]);
    face.expect(&shop, 0, &["set", "scaleway.yaml", "serverState=present", "--apply", "--yes"]);
    face.expect(&shop, 0, &["delete", "scaleway.yaml", "--yes", "--destroy-data", "scwpad"]);
    assert_eq!(face.judge(&[]).0, Vec::<String>::new());
}

/// Growing, a change of type, more operations a second, network rules: in place, each once.
#[test]
fn changes_are_made_in_place() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    let larger = pad("present", "").replace("sizeGb: 100", "sizeGb: 120");
    assert_eq!(face.apply(&shop, &larger).1, ["PATCH volumes"]);
    assert_eq!(face.apply(&shop, &larger).1, [""; 0]);
    let faster = larger.replace("      zone:", "      iops: 15000\n      zone:");
    assert_eq!(face.apply(&shop, &faster).1, ["PATCH volumes", "PATCH volumes"]);
    let stronger = faster.replace("L4-1-24G", "L40S-1-48G");
    let (_, calls) = face.apply(&shop, &stronger);
    assert_eq!(calls, ["POST servers/action poweroff", "PATCH servers", "POST servers/action poweron"]);
    let narrow = format!("{stronger}  network:\n    allowFrom: [192.0.2.77/32, 2001:db8::/32]\n    ports: [22/tcp, 47998-48010/udp]\n");
    assert_eq!(face.apply(&shop, &narrow).1, ["PUT security_groups/rules"]);
    assert_eq!(face.apply(&shop, &narrow).1, [""; 0], "what Scaleway normalises is compared as it means");
    let smaller = pad("present", "").replace("sizeGb: 100", "sizeGb: 50");
    shop.write("pad.yaml", &smaller);
    assert!(face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]).out.contains("disks never shrink"));
}
