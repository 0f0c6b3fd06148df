//! Stories of Linodes, from the request to the answer: their jobs, their power, and what is refused.

use serde_json::{Value, json};

use super::garden::{Garden, open};
use crate::emulator::face::Request;
use crate::emulator::{Clock, Fault, FaultKind};

#[test]
fn a_linode_is_made_booted_and_shut_down_step_by_step() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let url = format!("/linode/instances/{linode}");
    let disks = garden.get(&format!("{url}/disks"));
    let shape = |disk: &Value| (disk["label"].clone(), disk["size"].clone(), disk["filesystem"].clone(), disk["status"].clone());
    assert_eq!(shape(&disks["data"][0]), (json!("Debian 12 Disk"), json!(10_000), json!("ext4"), json!("not ready")));
    assert_eq!(shape(&disks["data"][1]), (json!("512 MB Swap Image"), json!(512), json!("swap"), json!("not ready")));
    let config = garden.get(&format!("{url}/configs"))["data"][0].clone();
    assert_eq!((&config["label"], &config["kernel"]), (&json!("My Debian 12 Disk Profile"), &json!("linode/grub2")));
    assert_eq!(
        (garden.event("linode_create")["status"].clone(), garden.event("linode_boot")["status"].clone()),
        (json!("scheduled"), json!("scheduled"))
    );

    let mut seen = Vec::new();
    for _ in 0..100 {
        let status = garden.status(linode);
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        garden.advance(1);
    }
    assert_eq!(seen, ["provisioning", "booting", "running"]);
    let boot = garden.event("linode_boot");
    assert_eq!((&boot["status"], &boot["percent_complete"], &boot["duration"]), (&json!("finished"), &json!(100), &json!(27.0)));
    assert_eq!(boot["secondary_entity"]["type"], "linode_config");
    assert_eq!(garden.event("linode_create")["duration"], json!(47.0));

    garden.post(&format!("{url}/shutdown"), Value::Null);
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), Value::Null), "Linode busy.");
    garden.advance(2);
    assert_eq!(garden.status(linode), "shutting_down");
    garden.calm();
    assert_eq!(garden.status(linode), "offline");
    assert_eq!(garden.reason("POST", &format!("{url}/shutdown"), Value::Null), "This Linode is not running.");
}

#[test]
fn a_boot_waits_behind_the_making_and_nothing_else_does() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    garden.post(&format!("{url}/boot"), json!({}));
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    for (path, body) in [
        ("shutdown", json!({})),
        ("disks", json!({"label": "x", "size": 500})),
        ("resize", json!({"type": "g6-standard-4"})),
        ("clone", json!({"region": "us-east", "type": "g6-standard-2"})),
        ("rebuild", json!({"image": "linode/debian12", "root_pass": "aVeryLong-Password1"})),
    ] {
        assert_eq!(garden.reason("POST", &format!("{url}/{path}"), body), "Linode busy.", "{path}");
    }
    garden.advance(73);
    assert_eq!(garden.status(linode), "running");
    assert_eq!(garden.reason("POST", &format!("{url}/shutdown"), json!({})), "Linode busy.", "the job is not done when the guest is");
    garden.advance(3);
    garden.post(&format!("{url}/shutdown"), json!({}));
}

#[test]
fn the_watchdog_boots_what_went_down_by_itself() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    for _ in 0..5 {
        garden.post("/_emulator/guest-shutdown", json!({"linode": linode}));
        garden.advance(13);
        assert_eq!(garden.status(linode), "offline");
        garden.calm();
        assert_eq!(garden.status(linode), "running");
        assert_eq!(garden.event("lassie_reboot")["status"], "finished");
    }
    garden.post("/_emulator/guest-shutdown", json!({"linode": linode.to_string()}));
    garden.calm();
    assert_eq!(garden.status(linode), "offline", "after five times it gives up");

    garden.send("PUT", &url, json!({"watchdog_enabled": false}));
    garden.advance(1000);
    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    garden.post("/_emulator/guest-shutdown", json!({"linode": linode}));
    garden.calm();
    assert_eq!(garden.status(linode), "offline", "nobody watches");

    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    garden.post("/_emulator/host-reboot", json!({"linode": linode}));
    garden.advance(5);
    assert_eq!(garden.status(linode), "rebooting");
    garden.calm();
    assert_eq!((garden.status(linode).as_str(), &garden.event("host_reboot")["status"]), ("running", &json!("finished")));
    for (what, status) in [("platform-stop", "stopped"), ("suspend", "billing_suspension")] {
        garden.post(&format!("/_emulator/{what}"), json!({"linode": linode}));
        assert_eq!(garden.status(linode), status);
        assert_eq!(garden.send("POST", &format!("{url}/boot"), json!({})).0, 400);
        garden.post("/_emulator/release", json!({"linode": linode}));
        assert_eq!(garden.status(linode), "offline");
    }
}

#[test]
fn plans_and_profiles_change() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"boot_size": null}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    garden.post(&format!("{url}/resize"), json!({"type": "g6-standard-4"}));
    garden.advance(5);
    assert_eq!(garden.status(linode), "resizing");
    garden.calm();
    assert_eq!((garden.get(&url)["type"].clone(), garden.status(linode)), (json!("g6-standard-4"), "offline".to_owned()));
    assert_eq!(garden.get(&format!("{url}/disks"))["data"][0]["size"], 163_840 - 512, "the disk takes what room there is");
    let exceeds = "Current disk size exceeds new plan. Please resize your disks to be smaller, then try again.";
    assert_eq!(garden.reason("POST", &format!("{url}/resize"), json!({"type": "g6-standard-2"})), exceeds);

    let config = garden.post(&format!("{url}/configs"), json!({"label": "mine", "devices": {}, "interfaces": null}));
    assert_eq!((&config["kernel"], &config["devices"]["sdh"]), (&json!("linode/latest-64bit"), &Value::Null));
    let volume = garden.post("/volumes", json!({"label": "pad-data", "region": "us-east"}));
    let one = format!("{url}/configs/{}", config["id"]);
    let (status, put) = garden.send("PUT", &one, json!({"devices": {"sda": {"volume_id": volume["id"]}}}));
    assert_eq!((status, &put["devices"]["sda"]), (200, &json!({"disk_id": null, "volume_id": volume["id"]})));
    assert_eq!(garden.get(&format!("{url}/volumes"))["data"][0]["linode_id"], json!(linode));
    let needs = "A config_id is required: this Linode has several configuration profiles.";
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), needs);
    garden.calm();
    garden.send("PUT", &one, json!({"devices": {}}));
    garden.calm();
    assert_eq!(garden.get(&format!("/volumes/{}", volume["id"]))["linode_id"], Value::Null);
    let event = garden.event("linode_config_create");
    assert_eq!((&event["status"], &event["percent_complete"], &event["duration"]), (&json!("notification"), &Value::Null, &Value::Null));
}

#[test]
fn what_cannot_be_made_is_refused_with_its_reason() {
    let garden = Garden::new();
    let usual = json!({"region": "us-east", "type": "g6-nanode-1", "image": "linode/debian12", "root_pass": "aVeryLong-Password1"});
    let refused = |key: &str, value: Value| {
        let mut body = usual.clone();
        body[key] = value;
        let (status, answer) = garden.send("POST", "/linode/instances", body);
        (status, answer["errors"][0]["reason"].as_str().unwrap_or_default().to_owned(), answer["errors"][0]["field"].clone())
    };
    assert_eq!(refused("region", json!("mars")), (400, "region is not valid".to_owned(), json!("region")));
    assert_eq!(refused("type", Value::Null), (400, "type is required".to_owned(), json!("type")));
    assert_eq!(refused("image", json!("linode/nothing")).1, "image is not valid");
    assert_eq!(refused("image", json!("private/1")).1, "image is not valid");
    let nobody = "Must provide valid root_pass, authorized_keys, or authorized_users";
    assert_eq!(refused("root_pass", Value::Null), (400, nobody.to_owned(), Value::Null));
    assert_eq!(refused("root_pass", json!("password")).1, "Password does not meet strength requirement.");
    assert_eq!(refused("boot_size", json!(8000)).2, json!("boot_size"));
    assert_eq!(refused("boot_size", json!(25_500)).2, json!("boot_size"));
    assert_eq!(refused("kernel", json!("linode/none")).1, "kernel is not valid");
    assert_eq!(refused("label", json!("a--b")).2, json!("label"));
    assert_eq!(refused("tags", json!(["ab"])).1, "Length must be 3-50 characters");
    assert_eq!(refused("metadata", json!({"user_data": "no base 64!"})).2, json!("metadata.user_data"));
    assert_eq!(refused("maintenance_policy", json!("invalid_policy")).1, "Unsupported maintenance policy slug format.");
    garden.post("/_emulator/settings", json!({"sold_out": {"us-east/g6-nanode-1": true}}));
    assert_eq!(refused("label", json!("pad-1")).0, 403);
    garden.post("/_emulator/settings", json!({"sold_out": {"us-east/g6-nanode-1": false}, "quota": {"server": 0}}));
    assert_eq!(refused("label", json!("pad-1")).1, "Account Limit reached. Please open a support ticket.");
    assert_eq!(garden.get("/linode/instances")["results"], 0);
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "v", "size": 5, "region": "us-east"})), "Must be 10-16384");
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "v"})), "Must provide a region or a Linode ID");
    assert_eq!(garden.reason("POST", "/volumes", json!({"region": "us-east"})), "label is required");
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "1v", "region": "us-east"})), "Must begin with a letter");
}

#[test]
fn jobs_can_be_slow_stuck_or_refused() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    let arm = |what: FaultKind, operation: &str| {
        garden.face.cloud().arm(Fault { operation: operation.to_owned(), what, times: 1, skip: 0 }).unwrap();
    };
    arm(FaultKind::Transient, "POST /linode/instances/{id}/boot");
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    arm(FaultKind::Slow { factor: 10 }, "POST /linode/instances/{id}/boot");
    garden.post(&format!("{url}/boot"), json!({}));
    garden.advance(100);
    assert_eq!(garden.status(linode), "booting");
    garden.advance(180);
    assert_eq!(garden.status(linode), "running");
    arm(FaultKind::Stuck, "POST /linode/instances/{id}/shutdown");
    garden.post(&format!("{url}/shutdown"), json!({}));
    garden.advance(86_400);
    assert_eq!(garden.status(linode), "shutting_down");
    garden.face.cloud().unstick().unwrap();
    garden.calm();
    assert_eq!(garden.status(linode), "offline");
    arm(FaultKind::Slow { factor: 100 }, "DELETE /linode/instances/{id}");
    garden.delete(&url);
    garden.advance(700);
    assert_eq!(garden.status(linode), "deleting");
    assert_eq!(garden.reason("DELETE", &url, Value::Null), "Linode busy.");
}

#[test]
fn a_token_is_needed_but_for_what_is_public_and_rates_are_limited() {
    let garden = Garden::with(Clock::Speed(1.0));
    let ask = |path: &str, token: Option<&str>| {
        let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
        let path = path.split('/').skip(1).map(str::to_owned).collect();
        let request = Request { method: "GET".to_owned(), path, headers, ..Request::default() };
        let reply = garden.face.answer(&request);
        garden.face.dressed(&request, reply).unwrap()
    };
    assert_eq!(ask("/v4/linode/instances", None).status, 401);
    assert_eq!(ask("/v4beta/linode/instances", Some("x")).status, 200);
    assert_eq!(ask("/v5/linode/instances", Some("x")).status, 404);
    assert_eq!((ask("/v4/regions", None).status, ask("/v4/images/linode/debian12", None).status), (200, 200));
    let header = |answer: &crate::emulator::face::Answer, name: &str| {
        answer.headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let answers: Vec<_> = (0..21).map(|_| ask("/v4/images", Some("x"))).collect();
    assert_eq!((answers[19].status, answers[20].status), (200, 429));
    assert_eq!(header(&answers[0], "x-ratelimit-limit").as_deref(), Some("20"));
    assert_eq!(header(&answers[20], "x-ratelimit-remaining").as_deref(), Some("0"));
    let wait: u64 = header(&answers[20], "retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(ask("/v4/images", Some("y")).status, 200, "each token has its own");
    garden.post("/_emulator/settings", json!({"rate_limits": false}));
    assert_eq!(ask("/v4/images", Some("x")).status, 200);
    let same = ask("/v4/images/private%2F1", Some("x"));
    assert_eq!(same.status, 404);
}

#[test]
fn a_cloud_is_what_it_was_when_opened_again() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.advance(20);
    let before = garden.get(&format!("/linode/instances/{linode}"));
    let again = Garden { dir: garden.dir.clone(), face: open(&garden.dir, Clock::Manual) };
    assert_eq!(again.get(&format!("/linode/instances/{linode}")), before);
    again.calm();
    assert_eq!(again.status(linode), "running");
}

#[test]
fn a_profile_has_up_to_three_interfaces_in_an_order() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let config = garden.get(&format!("/linode/instances/{linode}/configs"))["data"][0]["id"].clone();
    let url = format!("/linode/instances/{linode}/configs/{config}/interfaces");
    assert_eq!(garden.get(&url), json!([]));
    let public = garden.post(&url, json!({"purpose": "public", "primary": true}));
    let vlan = garden.post(&url, json!({"purpose": "vlan", "label": "home", "ipam_address": "10.0.0.1/24"}));
    assert_eq!((&vlan["label"], &vlan["active"], &vlan["ipv4"]), (&json!("home"), &json!(false), &Value::Null));
    garden.post(&format!("{url}/order"), json!({"ids": [vlan["id"], public["id"]]}));
    assert_eq!(garden.get(&url)[0], vlan);
    assert_eq!(
        garden.reason("POST", &format!("{url}/order"), json!({"ids": [vlan["id"]]})),
        "Must name every interface of the configuration profile once."
    );
    let (_, put) = garden.send("PUT", &format!("{url}/{}", vlan["id"]), json!({"primary": true}));
    assert_eq!((put["primary"].clone(), garden.get(&format!("{url}/{}", public["id"]))["primary"].clone()), (json!(true), json!(false)));
    garden.post(&format!("/linode/instances/{linode}/boot"), json!({}));
    garden.calm();
    assert_eq!(garden.get(&format!("{url}/{}", vlan["id"]))["active"], true);
    assert_eq!(garden.send("DELETE", &format!("{url}/{}", vlan["id"]), Value::Null).0, 400);
    garden.post(&format!("/linode/instances/{linode}/shutdown"), json!({}));
    garden.calm();
    garden.delete(&format!("{url}/{}", vlan["id"]));
    assert_eq!(garden.get(&url).as_array().map(Vec::len), Some(1));
    assert_eq!(garden.reason("POST", &url, json!({"purpose": "other"})), "Must be one of public, vlan, vpc");
    assert_eq!(garden.get(&format!("/linode/instances/{linode}/transfer/2026/1"))["bytes_total"], 0);
    assert_eq!(garden.send("GET", &format!("/linode/instances/{linode}/transfer/2026/13"), Value::Null).0, 404);
}

#[test]
fn interfaces_of_its_own_have_addresses_and_firewalls() {
    let garden = Garden::new();
    let rules = json!({"inbound": [], "outbound": [], "inbound_policy": "DROP", "outbound_policy": "ACCEPT"});
    let firewall = garden.post("/networking/firewalls", json!({"label": "pad-fw", "rules": rules}));
    let reserved = garden.post("/networking/reserved/ips", json!({"region": "us-east"}))["address"].clone();
    let own = |address: &Value| {
        let addresses = json!([{"address": address, "primary": true}]);
        json!({"interface_generation": "linode", "interfaces": [{"firewall_id": firewall["id"], "public": {"ipv4": {"addresses": addresses}}}]})
    };
    let body = |address: &Value| {
        let mut body = own(address);
        body["region"] = json!("us-east");
        body["type"] = json!("g6-nanode-1");
        body
    };
    let (status, answer) = garden.send("POST", "/linode/instances", body(&json!("198.51.100.1")));
    let wrong =
        json!({"reason": "Must provide a single valid reserved ipv4 address", "field": "interfaces[0].public.ipv4.addresses[0].address"});
    assert_eq!((status, &answer["errors"][0]), (400, &wrong));
    let linode = garden.linode("pad-1", own(&reserved));
    assert_eq!(garden.get(&format!("/linode/instances/{linode}"))["ipv4"], json!([reserved]));
    assert_eq!(garden.send("POST", "/linode/instances", body(&reserved)).1["errors"][0]["reason"], "Address must be currently unassigned.");
    let entity = garden.get(&format!("/networking/firewalls/{}", firewall["id"]))["entities"][0].clone();
    assert_eq!((&entity["type"], &entity["parent_entity"]["id"]), (&json!("linode_interface"), &json!(linode)));
    let devices = format!("/networking/firewalls/{}/devices", firewall["id"]);
    assert!(garden.reason("POST", &devices, json!({"id": linode, "type": "linode"})).contains("interfaces of its own"));
}

#[test]
fn user_data_needs_an_image_that_asks_for_it() {
    let garden = Garden::new();
    let metadata = json!({"user_data": "I2Nsb3Vk"});
    let linode = garden.linode("pad-1", json!({"metadata": metadata}));
    assert_eq!(garden.get(&format!("/linode/instances/{linode}"))["has_user_data"], true);
    garden.calm();
    let mut captured = Vec::new();
    for cloud_init in [false, true] {
        let body = json!({"disk_id": garden.root(linode), "label": "base", "cloud_init": cloud_init});
        captured.push(garden.post("/images", body)["id"].clone());
        garden.calm();
    }
    let body = |image: &Value| json!({"region": "us-east", "type": "g6-nanode-1", "image": image, "root_pass": "aVeryLong-Password1", "metadata": metadata});
    let (status, answer) = garden.send("POST", "/linode/instances", body(&captured[0]));
    assert_eq!((status, &answer["errors"][0]["field"]), (400, &json!("metadata.user_data")));
    garden.post("/linode/instances", body(&captured[1]));
}
