//! What else happens to people: names, strangers in the console, another region, labels that are taken.

use super::limits::linode;
use crate::support::{face::Face, linode::pad, shop::Shop};
use serde_json::{Value, json};

const NAMED: &str = "  network:\n    dns: {zone: example.com, record: mypad}\n";

/// An account with a DNS zone.
fn with_zone(shop: &Shop) -> (Face, Value) {
    let face = Face::linode(shop);
    let zone = face.post("/v4/domains", json!({"domain": "example.com", "type": "master", "soa_email": "me@example.com"}));
    (face, zone["id"].clone())
}

fn records(face: &Face, zone: &Value) -> Vec<(String, u64)> {
    let all = face.get(&format!("/v4/domains/{zone}/records"));
    let all = all["data"].as_array().unwrap().iter().filter(|it| it["name"] == "mypad");
    all.map(|it| (it["target"].as_str().unwrap().to_owned(), it["ttl_sec"].as_u64().unwrap())).collect()
}

#[test]
fn a_name_follows_the_linode_and_is_parked_while_it_is_archived() {
    let shop = Shop::new();
    let (face, zone) = with_zone(&shop);
    let (_, calls) = face.apply(&shop, &pad("present", NAMED));
    assert!(calls.iter().all(|it| !it.contains("reserved")), "a name spares the address: {calls:?}");
    let own = linode(&face)["ipv4"][0].as_str().unwrap().to_owned();
    assert_eq!(records(&face, &zone), [(own, 30)]);
    assert_eq!(face.apply(&shop, &pad("present", NAMED)).1, [""; 0]);

    face.apply(&shop, &pad("absent", NAMED));
    assert_eq!(records(&face, &zone), [("192.0.2.1".to_owned(), 30)]);
    assert_eq!(face.apply(&shop, &pad("absent", NAMED)).1, [""; 0]);
    face.apply(&shop, &pad("present", NAMED));
    assert_eq!(records(&face, &zone), [(linode(&face)["ipv4"][0].as_str().unwrap().to_owned(), 30)]);
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(records(&face, &zone), []);
}

/// The record still points to the address of a Linode that somebody deleted: the firewall remembers whose name it is.
#[test]
fn a_name_stays_ours_when_its_linode_is_gone() {
    let shop = Shop::new();
    let (face, zone) = with_zone(&shop);
    face.apply(&shop, &pad("present", NAMED));
    let id = linode(&face)["id"].clone();
    face.call("DELETE", &format!("/v4/linode/instances/{id}"), None);
    face.post("/_emulator/clock", json!({"advance": 120}));
    face.apply(&shop, &pad("present", NAMED));
    assert_eq!(records(&face, &zone), [(linode(&face)["ipv4"][0].as_str().unwrap().to_owned(), 30)]);
}

#[test]
fn a_name_that_somebody_else_uses_is_left_alone() {
    let shop = Shop::new();
    let (face, zone) = with_zone(&shop);
    face.post(&format!("/v4/domains/{zone}/records"), json!({"type": "A", "name": "mypad", "target": "198.51.100.7", "ttl_sec": 300}));
    for state in ["present", "stopped"] {
        shop.write("pad.yaml", &pad(state, NAMED));
        face.log();
        let ran = face.run(&shop, &["apply", "pad.yaml", "--yes"]);
        assert!(state != "present" || (ran.code == 3 && ran.out.contains("RecordTaken")), "{}", ran.out);
        assert_eq!(records(&face, &zone), [("198.51.100.7".to_owned(), 300)]);
    }
    // A machine that was made meanwhile does not make the name its own.
    shop.write("pad.yaml", &pad("present", NAMED));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("RecordTaken"), "{}", ran.out);
}

/// Somebody's record beside ours is not ours to delete; two of ours are one again.
#[test]
fn a_name_with_two_records_is_told() {
    let shop = Shop::new();
    let (face, zone) = with_zone(&shop);
    face.apply(&shop, &pad("present", NAMED));
    let own = linode(&face)["ipv4"][0].clone();
    let add = |target: &Value| {
        face.post(&format!("/v4/domains/{zone}/records"), json!({"type": "A", "name": "mypad", "target": target, "ttl_sec": 31}))
    };
    add(&own);
    face.apply(&shop, &pad("present", NAMED));
    assert_eq!(records(&face, &zone), [(own.as_str().unwrap().to_owned(), 30)]);
    add(&json!("198.51.100.7"));
    shop.write("pad.yaml", &pad("present", NAMED));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("RecordTaken") && ran.out.contains("198.51.100.7"), "{}", ran.out);
    assert_eq!(records(&face, &zone).len(), 2);
}

/// A Linode of that label that is not ours is neither taken over nor worked around.
#[test]
fn a_label_that_is_taken_is_a_hold() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/v4/linode/instances", json!({"region": "fr-par", "type": "g6-nanode-1", "label": "mypad"}));
    shop.write("pad.yaml", &pad("present", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("the label mypad is taken by ") && ran.out.contains("another name"), "{}", ran.out);
}

/// The lists are of the whole account: another region costs no call to be seen.
#[test]
fn another_region_is_refused_with_the_way_back() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    shop.write("pad.yaml", &pad("present", "").replace("fr-par", "us-ord"));
    face.log();
    let ran = face.expect(&shop, 3, &["plan", "pad.yaml"]);
    assert!(ran.out.contains("held LivesElsewhere") && ran.out.contains("fr-par"), "{}", ran.out);
    assert!(face.log().len() <= 6);
}

/// Somebody played on it in between: the image that was made before is no copy of what is there now.
#[test]
fn a_linode_that_was_started_meanwhile_is_captured_again() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    // The deletion is refused once: the run stops with the image made, and the Linode off.
    face.arm("DELETE /linode/instances/{id}", "denied", 1, 0);
    shop.write("pad.yaml", &pad("absent", ""));
    face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    let id = linode(&face)["id"].clone();
    for order in ["boot", "shutdown"] {
        face.post(&format!("/v4/linode/instances/{id}/{order}"), json!({}));
        face.post("/_emulator/clock", json!({"advance": 120}));
    }
    face.log();
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let changes = face.changes();
    let at = |brief: &str| changes.iter().position(|it| it == brief).unwrap_or_else(|| panic!("no {brief} in {changes:?}"));
    assert!(at("POST images") < at("DELETE linode/instances"), "{changes:?}");
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
}

/// Cut after the image was ready: it is found, and not made again.
#[test]
fn a_capture_that_is_there_is_used() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    face.arm("DELETE /linode/instances/{id}", "denied", 1, 0);
    shop.write("pad.yaml", &pad("absent", ""));
    face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    face.log();
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    assert!(!face.changes().contains(&"POST images".to_owned()));
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
}

/// A typing mistake costs no call that changes something.
#[test]
fn what_cannot_be_had_is_said_before_anything_is_made() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    let wrong = [
        ("g2-gpu-rtx4000a1-s", "g2-gpu-rtx4000-s", "Linode has no type g2-gpu-rtx4000-s", "like g2-gpu-"),
        ("region: fr-par", "region: xx-nowhere", "Linode has no region xx-nowhere", "regions list"),
        ("sizeGb: 30", "sizeGb: 9000", "has room for ", "or another instanceType"),
        ("      region:", "      image: linode/ubuntu99.04\n      region:", "Linode has no image linode/ubuntu99.04", "images list"),
    ];
    for (right, wrong, says, remedy) in wrong {
        shop.write("pad.yaml", &pad("present", "").replace(right, wrong));
        face.log();
        let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
        assert!(ran.out.contains(says) && ran.out.contains(remedy), "{wrong}: {}", ran.out);
        assert_eq!(face.changes(), [""; 0], "{wrong}");
    }
}

/// What is mistyped on a machine that runs is said before it is stopped.
#[test]
fn a_typing_mistake_stops_nobody_who_plays() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    let wrong = [
        ("g2-gpu-rtx4000a1-s", "g2-gpu-rtx4000a1-z", "Linode has no type"),
        ("g2-gpu-rtx4000a1-s", "g6-nanode-1", "has room for "),
        ("      region:", "      image: linode/ubuntu99.04\n      region:", "Linode has no image"),
    ];
    for (right, wrong, says) in wrong {
        shop.write("pad.yaml", &pad("present", "").replace(right, wrong));
        face.log();
        let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
        assert!(ran.out.contains(says), "{wrong}: {}", ran.out);
        assert_eq!((face.changes(), &linode(&face)["status"]), (vec![], &json!("running")), "{wrong}");
    }
    face.post("/_emulator/settings", json!({"sold_out": {"fr-par/g2-gpu-rtx4000a1-m": true}}));
    shop.write("pad.yaml", &pad("present", "").replace("rtx4000a1-s", "rtx4000a1-m"));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("sold out in fr-par"), "{}", ran.out);
    assert_eq!(linode(&face)["status"], "running");
}

/// A disk that somebody made beside the root disk dies with its Linode, and nothing has a copy of it.
#[test]
fn a_disk_of_somebodys_own_keeps_its_linode() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    let id = linode(&face)["id"].clone();
    face.apply(&shop, &pad("stopped", ""));
    face.post(&format!("/v4/linode/instances/{id}/disks"), json!({"label": "games", "size": 20_480, "filesystem": "ext4"}));
    face.post("/_emulator/clock", json!({"advance": 300}));
    shop.write("pad.yaml", &pad("absent", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("1 disks beside its root disk") && ran.out.contains("move what they hold"), "{}", ran.out);
    assert_eq!(linode(&face)["id"], id);
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(face.judge(&[]).0, [""; 0]);
}

/// An account whose Linodes have interfaces of the new kind only.
#[test]
fn an_account_of_new_interfaces_is_served() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    let (status, answer) = face.call("PUT", "/v4/account/settings", Some(&json!({"interfaces_for_new_linodes": "linode_only"})));
    assert_eq!(status, 200, "{answer}");
    let (_, calls) = face.apply(&shop, &pad("present", ""));
    assert!(calls.iter().all(|it| !it.contains("reserved") && !it.contains("devices")), "{calls:?}");
    for state in ["present", "stopped", "absent", "present"] {
        face.apply(&shop, &pad(state, ""));
        assert_eq!(face.apply(&shop, &pad(state, "")).1, [""; 0], "{state} twice");
    }
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
}

/// Off, with another image wished for: what it is captured for, its events are read for.
#[test]
fn a_new_image_for_one_that_is_off_is_no_riddle() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &pad("present", ""));
    face.apply(&shop, &pad("stopped", ""));
    let other = pad("stopped", "").replace("      region:", "      image: linode/ubuntu24.04\n      region:");
    face.apply(&shop, &other);
    assert_eq!(face.apply(&shop, &other).1, [""; 0]);
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
}

/// Two instances cannot have one name: the second is told, whether the first runs or is archived.
#[test]
fn one_name_is_one_instances() {
    let shop = Shop::new();
    let (face, zone) = with_zone(&shop);
    face.apply(&shop, &pad("present", NAMED));
    face.apply(&shop, &pad("absent", NAMED));
    shop.write("other.yaml", &pad("present", NAMED).replace("name: mypad", "name: other"));
    let ran = face.expect(&shop, 3, &["apply", "other.yaml", "--yes"]);
    assert!(ran.out.contains("RecordTaken"), "{}", ran.out);
    assert_eq!(records(&face, &zone), [("192.0.2.1".to_owned(), 30)]);
}
