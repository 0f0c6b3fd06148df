//! What else happens to people: names, strangers in the console, other zones, protection, orphans.

use crate::support::{
    face::{Entry, Face},
    scaleway::{PROJECT, SCALEWAY, pad},
    shop::{Ran, Shop},
};
use serde_json::{Value, json};

const NAMED: &str = "  network:\n    dns: {zone: example.com, record: mypad}\n";

/// The instance's server, as a stranger in the console sees it.
fn server(face: &Face) -> Value {
    let servers = face.get("/instance/v1/zones/fr-par-2/servers?tags=in%3Adefault.mypad");
    let servers = servers["servers"].as_array().unwrap().clone();
    assert_eq!(servers.len(), 1, "{servers:?}");
    servers.into_iter().next().unwrap()
}

fn record(face: &Face) -> Vec<(String, u64)> {
    let records = face.get("/domain/v2beta1/dns-zones/example.com/records?name=mypad&type=A");
    let records = records["records"].as_array().unwrap().clone();
    records.iter().map(|it| (it["data"].as_str().unwrap().to_owned(), it["ttl"].as_u64().unwrap())).collect()
}

fn addresses(face: &Face) -> Vec<String> {
    let ips = face.get("/instance/v1/zones/fr-par-2/ips");
    ips["ips"].as_array().unwrap().iter().map(|it| it["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_name_follows_the_machine_and_spares_the_address() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", NAMED));
    let first = addresses(&face);
    assert_eq!(record(&face), [(first[0].clone(), 60)]);

    let (ran, calls) = face.apply(&shop, &pad("absent", NAMED));
    assert!(ran.out.contains("park") && !ran.out.contains("kept, still billed: address"), "{}", ran.out);
    assert!(calls.contains(&"DELETE ips".to_owned()), "{calls:?}");
    assert_eq!((record(&face), addresses(&face)), (vec![("192.0.2.1".to_owned(), 60)], vec![]));
    assert_eq!(face.apply(&shop, &pad("absent", NAMED)).1, [""; 0]);

    face.apply(&shop, &pad("present", NAMED));
    assert_eq!(record(&face), [(addresses(&face)[0].clone(), 60)]);
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(record(&face), []);
}

/// Without a name, the address is what players know: it is kept while archived, and the plan says that it is billed.
#[test]
fn without_a_name_the_address_stays() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    let before = addresses(&face);
    let (ran, _) = face.apply(&shop, &pad("absent", ""));
    assert!(ran.out.contains(&format!("address {}", before[0])), "{}", ran.out);
    face.apply(&shop, &pad("present", ""));
    assert_eq!(addresses(&face), before);
    assert_eq!(server(&face)["public_ip"]["address"].as_str(), Some(before[0].as_str()));
}

#[test]
fn a_name_that_somebody_else_uses_is_left_alone() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let add =
        json!({"add": {"records": [{"name": "mypad", "type": "A", "data": "198.51.100.7", "ttl": 300, "priority": 0, "comment": null}]}});
    let body = json!({"changes": [add], "return_all_records": false, "disallow_new_zone_creation": false});
    let (status, answer) = face.call("PATCH", "/domain/v2beta1/dns-zones/example.com/records", Some(&body));
    assert_eq!(status, 200, "{answer}");
    shop.write("pad.yaml", &pad("present", NAMED));
    face.log();
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("RecordTaken") && ran.out.contains("198.51.100.7"), "{}", ran.out);
    assert_eq!(face.changes(), [""; 0], "nothing was made for a name that cannot be had");
}

/// Only the looks that a spec needs may hold it.
#[test]
fn a_missing_permission_holds_only_those_who_need_it() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.arm("GET /domain*", "denied", 1000, 0);
    face.apply(&shop, &pad("present", ""));
    shop.write("pad.yaml", &pad("present", NAMED));
    let ran = face.expect(&shop, 3, &["plan", "pad.yaml"]);
    assert!(ran.out.contains("DNS record") && ran.out.contains("DomainsDNSFullAccess"), "{}", ran.out);
}

/// A guest that shuts itself down is still billed: that is not stopped.
#[test]
fn a_guest_that_shut_itself_down_is_stopped_for_good() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    let shut_down = || {
        face.post("/_emulator/guest-shutdown", json!({"server": server(&face)["id"]}));
        while server(&face)["state"] != "stopped in place" {
            face.post("/_emulator/clock", json!({"advance": 5}));
        }
    };
    shut_down();
    shop.write("pad.yaml", &pad("stopped", ""));
    let ran = face.expect(&shop, 0, &["plan", "pad.yaml"]);
    assert!(ran.out.contains("the guest is off, and the machine is still billed"), "{}", ran.out);
    let (_, calls) = face.apply(&shop, &pad("stopped", ""));
    assert!(calls.contains(&"POST servers/action poweroff".to_owned()), "{calls:?}");
    assert_eq!(server(&face)["state"], "stopped");
    face.apply(&shop, &pad("present", ""));
    shut_down();
    assert_eq!(face.apply(&shop, &pad("present", "")).1, ["POST servers/action poweron"]);
}

/// Scaleway's own protection blocks power-off, yet not DELETE: we honour it for both, and never set it.
#[test]
fn a_server_that_its_owner_protected_is_not_touched() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("stopped", "  protect: true\n"));
    assert_eq!(server(&face)["protected"], false, "our protect is not Scaleway's");
    let path = format!("/instance/v1/zones/fr-par-2/servers/{}", server(&face)["id"].as_str().unwrap());
    let protect = |protected: bool| {
        let (status, answer) = face.call("PATCH", &path, Some(&json!({"protected": protected})));
        assert_eq!(status, 200, "{answer}");
    };
    protect(true);
    for state in ["absent", "present"] {
        shop.write("pad.yaml", &pad(state, ""));
        face.log();
        let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
        assert!(ran.out.contains("is locked"), "{state}: {}", ran.out);
        assert!(face.changes().iter().all(|it| !it.starts_with("DELETE servers") && !it.contains("action")), "{state}");
    }
    protect(false);
    face.apply(&shop, &pad("absent", ""));
}

/// A spec that moves to another zone or project does not lose sight of what it has.
#[test]
fn an_instance_is_found_where_it_lives() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("absent", "").replace("    enable: true\n", "    enable: false\n").replace("absent", "stopped"));
    for (moved, place) in [
        (pad("present", "").replace("fr-par-2", "nl-ams-1"), "fr-par-2"),
        (pad("present", "").replace(PROJECT, "22222222-2222-4222-8222-222222222222"), PROJECT),
    ] {
        shop.write("pad.yaml", &moved);
        face.log();
        let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
        assert!(ran.out.contains("LivesElsewhere") && ran.out.contains(place), "{}", ran.out);
        assert_eq!(face.changes(), [""; 0]);
    }
    shop.write("pad.yaml", &pad("present", "").replace("fr-par-2", "nl-ams-1"));
    let ran = face.expect(&shop, 3, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert!(ran.out.contains("LivesElsewhere"), "{}", ran.out);
}

/// A root disk that Scaleway made, and whose server went before anybody could tag it: told with its price, never deleted.
#[test]
fn an_orphan_is_told_and_not_deleted() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let images = face.get("/marketplace/v2/local-images?image_label=ubuntu_jammy_gpu_os_12&zone=fr-par-2&type=instance_sbs");
    let server = json!({
        "name": "lost", "commercial_type": "L4-1-24G", "project": PROJECT, "image": images["local_images"][0]["id"],
        "dynamic_ip_required": false, "volumes": {"0": {"volume_type": "sbs_volume", "size": 30_000_000_000_u64}},
    });
    let made = face.post("/instance/v1/zones/fr-par-2/servers", server);
    let (status, _) = face.call("DELETE", &format!("/instance/v1/zones/fr-par-2/servers/{}", made["server"]["id"].as_str().unwrap()), None);
    assert_eq!(status, 204);
    face.post("/_emulator/clock", json!({"advance": 30}));
    face.apply(&shop, &pad("present", ""));
    let ran = face.expect(&shop, 0, &["describe", "pad.yaml"]);
    assert!(ran.out.contains("probably left behind") && ran.out.contains("EUR a month"), "{}", ran.out);
    let ran = face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert!(ran.out.contains("probably left behind"), "{}", ran.out);
    assert_eq!(face.judge(&[]).0.len(), 1, "the orphan is still there");
}

/// What a server is born with: its keys before its first start; on its return a volume of ours, and no image.
#[test]
fn births_carry_keys_and_returns_carry_the_volume() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2VfCzWQpDX6DJdrLLXhkkGXzMZ5x5YQ8jKcW7CQ6rD";
    shop.write("id.pub", &format!("{key} me@here\n"));
    let spec = |state| pad(state, "  ssh:\n    publicKeyPath: id.pub\n");
    shop.write("pad.yaml", &spec("present"));
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let log = face.log();
    let at = |brief: &str| log.iter().position(|it| it.brief() == brief).unwrap();
    assert!(at("PATCH servers/user_data/cloud-init") < at("POST servers/action poweron"));
    let born = &log[at("POST servers")].body;
    assert_eq!(born["volumes"]["0"]["size"], 30_000_000_000_u64);
    assert_eq!(born["dynamic_ip_required"], false);
    assert!(born["image"].is_string() && born.get("protected").is_none(), "{born}");
    let truth = face.get("/_emulator/truth").to_string();
    assert!(truth.contains(key.split(' ').nth(1).unwrap()), "the owner's key is in the user data");
    let keys = face.get("/iam/v1alpha1/ssh-keys");
    assert_eq!(keys["total_count"], 0, "the project's keys are not touched");

    face.apply(&shop, &spec("absent"));
    face.log();
    shop.write("pad.yaml", &spec("present"));
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let log: Vec<Entry> = face.log();
    let born = &log.iter().find(|it| it.brief() == "POST servers").unwrap().body;
    assert!(born.get("image").is_none() && born["volumes"]["0"]["id"].is_string(), "{born}");
}

/// A detach that is refused: copied as it lies, and once more when the server is gone.
#[test]
fn a_refused_detach_costs_snapshots_and_no_byte() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    face.apply(&shop, &pad("stopped", ""));
    face.arm("PATCH /instance/v1/zones/{zone}/servers/{id}", "refused", 9, 0);
    let (ran, calls) = face.apply(&shop, &pad("absent", ""));
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    assert_eq!(calls.iter().filter(|it| *it == "POST snapshots").count(), 4, "{calls:?}");
    face.disarm();
    assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()));
    face.apply(&shop, &pad("present", ""));
}

/// For a moment after a server's deletion its volumes still say that it holds them.
#[test]
fn a_volume_that_speaks_of_a_server_that_is_gone_is_waited_for() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let kept = |state| pad(state, "").replace("enable: true", "enable: false");
    face.apply(&shop, &kept("present"));
    face.apply(&shop, &kept("stopped"));
    face.post(
        "/_emulator/faults",
        json!({"operation": "DELETE /instance/v1/zones/{zone}/servers/{id}", "what": "slow", "factor": 400, "times": 1}),
    );
    face.apply(&shop, &kept("absent"));
    assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()));
    face.apply(&shop, &kept("present"));
}

/// A snapshot's deletion that is refused is said, and never keeps an instance from done.
#[test]
fn a_refused_snapshot_delete_is_tried_again_at_the_next_archive() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", ""));
    face.arm("DELETE /block*", "refused", 9, 2); // the two volumes go well
    let (ran, _) = face.apply(&shop, &pad("absent", ""));
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    face.disarm();
    let (_, calls) = face.apply(&shop, &pad("absent", ""));
    assert_eq!(calls, ["DELETE snapshots"]);
}

/// In a fleet, one list asks for the tag that all carry: what lost it is found all the same.
#[test]
fn a_fleet_sees_what_lost_the_common_tag() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let other = pad("absent", "").replace("name: mypad", "name: otherpad");
    let strip = |kind: &str, path: &str| {
        let listed = face.get(&format!("{path}?tags=in%3Adefault.mypad"));
        for it in listed[kind].as_array().unwrap() {
            let tags: Vec<&Value> = it["tags"].as_array().unwrap().iter().filter(|it| *it != "cloudypad:v1").collect();
            let (status, _) = face.call("PATCH", &format!("{path}/{}", it["id"].as_str().unwrap()), Some(&json!({"tags": tags})));
            assert_eq!(status, 200);
        }
    };
    let plan = |state: &str| {
        shop.write("specs/pad.yaml", &pad(state, ""));
        shop.write("specs/other.yaml", &other);
        face.expect(&shop, 0, &["plan", "specs"]).out
    };
    face.apply(&shop, &pad("present", ""));
    strip("servers", "/instance/v1/zones/fr-par-2/servers");
    strip("volumes", "/block/v1/zones/fr-par-2/volumes");
    let told = plan("present");
    assert!(told.contains("tag       server mypad") && !told.contains("create"), "{told}");
    face.apply(&shop, &pad("absent", ""));
    strip("snapshots", "/block/v1/zones/fr-par-2/snapshots");
    let told = plan("present");
    assert!(told.contains("its newest root snapshot has its bytes") && !told.contains("first deploy"), "{told}");
}

/// Two projects, one name: what is in the other is told, and neither touched nor restored from.
#[test]
fn another_projects_instance_is_left_alone() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let second = |state: &str| pad(state, "").replace(PROJECT, "22222222-2222-4222-8222-222222222222");
    let delete = ["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"];
    face.apply(&shop, &second("present"));
    shop.write("pad.yaml", &pad("present", ""));
    face.log();
    for args in [&delete[..], &["delete", "pad.yaml", "--yes", "--keep-snapshots"], &["apply", "pad.yaml", "--yes"]] {
        let ran = face.expect(&shop, 3, args);
        assert!(ran.out.contains("LivesElsewhere") && ran.out.contains("project 2222"), "{}", ran.out);
    }
    assert_eq!(face.changes(), [""; 0]);
    // Kept copies of the other project bind nobody, and are nobody's to use.
    shop.write("pad.yaml", &second("present"));
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--keep-snapshots"]);
    shop.write("pad.yaml", &pad("present", ""));
    let ran = face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("first deploy") && !ran.out.contains("newest"), "{}", ran.out);
    face.expect(&shop, 0, &delete);
    assert_eq!(face.inventory().iter().filter(|it| it.starts_with("snapshot ")).count(), 3, "the other project's copies are there");
}

/// A machine in two zones: deleted where the spec says, and told that there is more; then deleted there too.
#[test]
fn an_instance_in_two_zones_can_be_deleted() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    let other = |state: &str| pad(state, "").replace("fr-par-2", "fr-par-1");
    let delete = ["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"];
    face.apply(&shop, &pad("present", ""));
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--keep-snapshots"]);
    face.apply(&shop, &other("present"));
    // Kept copies here hide nothing that lives elsewhere.
    shop.write("pad.yaml", &pad("present", ""));
    for args in [&["apply", "pad.yaml", "--yes"][..], &delete] {
        assert!(face.expect(&shop, 3, args).out.contains("LivesElsewhere"));
    }
    let snapshots = |face: &Face| face.inventory().iter().filter(|it| it.starts_with("snapshot ")).count();
    assert_eq!(snapshots(&face), 4);
    // A stray address makes it live in both.
    face.post("/instance/v1/zones/fr-par-2/ips", json!({"project": PROJECT, "tags": ["cloudypad:v1", "in:default.mypad"]}));
    let ran = face.expect(&shop, 0, &delete);
    assert!(ran.out.contains("left alone: what it has in fr-par-1") && !ran.out.contains("0 instances to change"), "{}", ran.out);
    assert_eq!(snapshots(&face), 1, "what is in the other zone is there");
    shop.write("pad.yaml", &other("present"));
    face.expect(&shop, 0, &delete);
    assert_eq!(face.judge(&[]).0, Vec::<String>::new());
}

/// What nobody needs for it keeps no machine running.
#[test]
fn a_machine_is_stopped_whatever_else_is_wrong() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", NAMED));
    // A foreign disk on the server, the name unreadable, the address at somebody else's server.
    let tags = json!(["cloudypad:v1", "in:default.otherpad", "role:data"]);
    let disk = json!({"name": "theirs", "project_id": PROJECT, "from_empty": {"size": 1_000_000_000}, "tags": tags});
    let disk = face.post("/block/v1/zones/fr-par-2/volumes", disk);
    face.post("/_emulator/clock", json!({"advance": 30}));
    let server = format!("/instance/v1/zones/fr-par-2/servers/{}", server(&face)["id"].as_str().unwrap());
    face.post(&format!("{server}/attach-volume"), json!({"volume_id": disk["id"], "volume_type": "sbs_volume"}));
    face.arm("GET /domain*", "denied", 1000, 0);
    face.apply(&shop, &pad("stopped", NAMED));
    assert_eq!(face.get(&server)["server"]["state"], "stopped");
    face.disarm();
    for state in ["present", "absent"] {
        shop.write("pad.yaml", &pad(state, NAMED));
        let ran = face.expect(&shop, 3, &["plan", "pad.yaml"]);
        assert!(ran.out.contains("ForeignDisk"), "{state}: {}", ran.out);
    }
    let ran = face.expect(&shop, 3, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert!(ran.out.contains("ForeignDisk"), "{}", ran.out);
    face.post(&format!("{server}/detach-volume"), json!({"volume_id": disk["id"]}));
    face.post("/_emulator/clock", json!({"advance": 60}));
    face.apply(&shop, &pad("absent", NAMED));
    let left = face.get(&format!("/block/v1/zones/fr-par-2/volumes/{}", disk["id"].as_str().unwrap()));
    assert_eq!(left["tags"], tags, "their disk is as it was");
}

/// A record that lost its comment is still ours where it points to us, and goes before the address does.
#[test]
fn a_record_without_a_comment_goes_before_its_address() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    face.apply(&shop, &pad("present", NAMED));
    let address = addresses(&face)[0].clone();
    let plain = json!({"name": "mypad", "type": "A", "data": address, "ttl": 60, "priority": 0, "comment": null});
    let set = json!({"set": {"id_fields": {"name": "mypad", "type": "A"}, "records": [plain]}});
    let body = json!({"changes": [set], "return_all_records": false, "disallow_new_zone_creation": true});
    assert_eq!(face.call("PATCH", "/domain/v2beta1/dns-zones/example.com/records", Some(&body)).0, 200);
    face.log();
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    let calls = face.changes();
    let at = |what: &str| calls.iter().position(|it| it.starts_with(what)).unwrap_or_else(|| panic!("{what}: {calls:?}"));
    assert!(at("PATCH domain") < at("DELETE ips"), "{calls:?}");
    assert_eq!(record(&face), []);
}

/// A type that is spelt otherwise, or is not there, is told before anything is made.
#[test]
fn a_type_that_cannot_be_had_costs_nothing() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    shop.write("pad.yaml", &pad("present", "").replace("L4-1-24G", "l4-1-24g"));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("write instanceType: L4-1-24G") && ran.out.contains("nothing of it is billed now"), "{}", ran.out);
    // The same for a machine that runs: it is not even stopped.
    face.apply(&shop, &pad("present", ""));
    shop.write("pad.yaml", &pad("present", "").replace("L4-1-24G", "L9-1-24G"));
    face.log();
    face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert_eq!((face.changes(), server(&face)["state"].as_str()), (vec![], Some("running")));
}

/// One directory, two accounts: each spec says whose key it means.
#[test]
fn a_spec_names_its_account() {
    let shop = Shop::new();
    let face = Face::start_demanding(&SCALEWAY, &shop, "the-other-key");
    let spec = |how: &str| pad("present", "").replace("      zone:", &format!("      credentials:\n        {how}\n      zone:"));
    shop.write("pad.yaml", &spec("env: OTHER_KEY"));
    let mut command = face.command(&shop, &["apply", "pad.yaml", "--yes"]);
    let ran = Ran::from(command.env("OTHER_KEY", "the-other-key").output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let config = "secret_key: wrong\nprofiles:\n  other:\n    secret_key: the-other-key\n    default_zone: fr-par-2\n";
    shop.write("scw.yaml", &format!("{config}    default_project_id: {PROJECT}\n"));
    shop.write(
        "pad.yaml",
        &spec("profile: other").replace("      zone: fr-par-2\n", "").replace(&format!("      projectId: {PROJECT}\n"), ""),
    );
    let mut command = face.command(&shop, &["apply", "pad.yaml", "--yes"]);
    let ran = Ran::from(command.env("SCW_CONFIG_PATH", shop.path("scw.yaml")).output().unwrap());
    assert!(ran.code == 0 && ran.out.contains("in sync"), "{}{}", ran.out, ran.err);
}
