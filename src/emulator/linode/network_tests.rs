//! Stories of addresses and firewalls.

use serde_json::{Value, json};

use super::garden::Garden;

const RULES: fn() -> Value = || json!({"inbound": [], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"});

impl Garden {
    fn server(&self, label: &str, more: Value) -> Value {
        let mut body = json!({"label": label, "region": "gb-lon", "type": "g6-nanode-1"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/linode/instances", body)
    }

    fn firewall(&self, label: &str) -> Value {
        self.post("/networking/firewalls", json!({"label": label, "rules": RULES()}))
    }

    fn reserve(&self, region: &str) -> String {
        self.post("/networking/reserved/ips", json!({"region": region}))["address"].as_str().unwrap().to_owned()
    }

    fn put(&self, url: &str, body: Value) -> Value {
        let (status, answer) = self.send("PUT", url, body);
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }
}

#[test]
fn a_reserved_address_outlives_its_linode() {
    let garden = Garden::new();
    let address = garden.reserve("gb-lon");
    let free = garden.get(&format!("/networking/reserved/ips/{address}"));
    assert_eq!(
        (&free["linode_id"], &free["rdns"], &free["reserved"], &free["tags"]),
        (&Value::Null, &Value::Null, &json!(true), &json!([]))
    );
    let linode = garden.server("one", json!({"ipv4": [address]}));
    assert_eq!(linode["ipv4"], json!([address]));
    let taken = garden.get(&format!("/networking/ips/{address}"));
    assert_eq!((&taken["linode_id"], &taken["assigned_entity"]["label"]), (&linode["id"], &json!("one")));
    let dashed = address.replace('.', "-");
    assert_eq!(taken["rdns"], json!(format!("{dashed}.ip.linodeusercontent.com")));
    let again = json!({"label": "two", "region": "gb-lon", "type": "g6-nanode-1", "ipv4": [address]});
    assert_eq!(garden.reason("POST", "/linode/instances", again), "Address must be currently unassigned.");
    garden.delete(&format!("/linode/instances/{}", linode["id"]));
    garden.calm();
    assert_eq!(garden.get(&format!("/networking/reserved/ips/{address}")), free);
    let bill = garden.get("/_emulator/ledger")["bill"].clone();
    let open = bill.as_array().unwrap().iter().filter(|it| it["kind"] == "address" && it["to"].is_null()).count();
    assert_eq!(open, 1, "a reserved address costs something until it is given back");
    garden.delete(&format!("/networking/reserved/ips/{address}"));
    assert_eq!(garden.send("GET", &format!("/networking/ips/{address}"), Value::Null).0, 404);
}

#[test]
fn a_new_linode_takes_one_reserved_address_or_none() {
    let garden = Garden::new();
    let (here, elsewhere) = (garden.reserve("gb-lon"), garden.reserve("us-sea"));
    let own = garden.server("own", json!({}))["ipv4"][0].clone();
    for ipv4 in [json!([]), json!([here, elsewhere]), json!(["198.51.100.1"]), json!(["nonsense"]), json!([elsewhere]), json!([own])] {
        let body = json!({"label": "two", "region": "gb-lon", "type": "g6-nanode-1", "ipv4": ipv4});
        assert_eq!(garden.reason("POST", "/linode/instances", body), "Must provide a single valid reserved ipv4 address", "{ipv4}");
    }
    assert_eq!(garden.get("/linode/instances")["results"], 1);
}

#[test]
fn an_address_of_a_linode_can_be_kept_and_let_go() {
    let garden = Garden::new();
    let linode = garden.server("one", json!({"private_ip": true}));
    let address = linode["ipv4"][0].as_str().unwrap();
    assert!(linode["ipv4"][1].as_str().unwrap().starts_with("192.168."));
    let url = format!("/networking/ips/{address}");
    assert_eq!(garden.put(&url, json!({"reserved": true}))["reserved"], true);
    assert_eq!(garden.put(&url, json!({"reserved": true}))["reserved"], true);
    assert_eq!(garden.get("/networking/reserved/ips")["results"], 1);
    assert_eq!(garden.put(&url, json!({"reserved": false}))["linode_id"], linode["id"]);
    assert_eq!(garden.send("DELETE", &format!("/networking/reserved/ips/{address}"), Value::Null).0, 404);
    let free = garden.reserve("gb-lon");
    assert_eq!(garden.put(&format!("/networking/ips/{free}"), json!({"reserved": false}))["reserved"], false);
    assert_eq!(garden.send("PUT", &format!("/networking/ips/{free}"), json!({"reserved": false})).0, 404);
    assert_eq!(garden.put(&url, json!({"rdns": "a.example.com"}))["rdns"], "a.example.com");
    assert!(garden.put(&url, json!({"rdns": null}))["rdns"].as_str().unwrap().ends_with(".ip.linodeusercontent.com"));
    assert_eq!(garden.reason("PUT", &url, json!({"rdns": "sample rdns", "reserved": true})), "Domain is not valid.");
    assert_eq!(garden.get(&url)["reserved"], false, "a call that is refused changes nothing");
}

#[test]
fn addresses_move_between_linodes_of_a_region() {
    let garden = Garden::new();
    let (one, two) = (garden.server("one", json!({})), garden.server("two", json!({})));
    let (address, far) = (garden.reserve("gb-lon"), garden.reserve("us-sea"));
    let assign = |address: &str, linode: &Value| json!({"region": "gb-lon", "assignments": [{"address": address, "linode_id": linode}]});
    garden.post("/networking/ips/assign", assign(&address, &one["id"]));
    garden.post("/networking/ips/assign", assign(&address, &two["id"]));
    assert_eq!(garden.get(&format!("/networking/ips/{address}"))["linode_id"], two["id"]);
    let refused = |body: Value| garden.reason("POST", "/networking/ips/assign", body);
    assert_eq!(refused(assign("192.0.2.1", &one["id"])), "IP Address not found.");
    assert_eq!(refused(assign(&address, &json!(99999))), "Invalid Linode ID 99999");
    refused(assign(&far, &one["id"]));
    // Nobody may be left without a public address.
    refused(assign(one["ipv4"][0].as_str().unwrap(), &two["id"]));
    assert_eq!(garden.get(&format!("/linode/instances/{}", one["id"]))["ipv4"], one["ipv4"]);
    let ips = format!("/linode/instances/{}/ips", one["id"]);
    let add = |address: &str| json!({"type": "ipv4", "public": true, "address": address});
    assert_eq!(garden.reason("POST", &ips, add(&address)), "Address must be reserved and must be currently unassigned.");
    assert_eq!(garden.reason("POST", &ips, add(&far)), "Address must belong to same region as linode.");
    assert_eq!(garden.reason("POST", &ips, add("198.51.100.1")), "Must provide a valid reserved address");
    let own = garden.post(&ips, json!({"type": "ipv4", "public": false}));
    assert_eq!((&own["gateway"], &own["prefix"], &own["rdns"]), (&Value::Null, &json!(17), &Value::Null));
    let all = garden.get(&ips);
    assert_eq!((all["ipv4"]["public"].as_array().unwrap().len(), all["ipv4"]["private"].as_array().unwrap().len()), (1, 1));
    assert_eq!((&all["ipv6"]["link_local"]["public"], &all["ipv6"]["slaac"]["prefix"]), (&json!(false), &json!(64)));
    garden.reason("DELETE", &format!("{ips}/{}", one["ipv4"][0].as_str().unwrap()), Value::Null);
    garden.delete(&format!("{ips}/{}", own["address"].as_str().unwrap()));
}

#[test]
fn an_account_reserves_so_many_addresses() {
    let garden = Garden::new();
    garden.post("/_emulator/settings", json!({"quota": {"address": 1}}));
    garden.reserve("gb-lon");
    let refused = garden.reason("POST", "/networking/reserved/ips", json!({"region": "gb-lon"}));
    assert_eq!(
        refused,
        "Additional Reserved IPv4 addresses require technical justification.  Please contact support describing your requirement."
    );
    let linode = garden.server("one", json!({}));
    let url = format!("/networking/ips/{}", linode["ipv4"][0].as_str().unwrap());
    assert_eq!(garden.reason("PUT", &url, json!({"reserved": true})), refused);
    assert_eq!(garden.reason("POST", "/networking/reserved/ips", json!({"region": "nowhere"})), "region is not valid");
    let without = json!({"type": "ipv4", "public": true});
    assert_eq!(garden.reason("POST", "/networking/ips", without), "Linode is a required argument when not reserving an IP address.");
}

#[test]
fn addresses_are_never_given_twice() {
    let garden = Garden::new();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..12 {
        let linode = garden.server(&format!("linode-{number}"), json!({}));
        assert!(seen.insert(linode["ipv4"][0].as_str().unwrap().to_owned()));
        assert!(seen.insert(garden.reserve("gb-lon")));
        assert!(seen.insert(linode["ipv6"].as_str().unwrap().to_owned()));
    }
    let listed = garden.get("/networking/ips?skip_ipv6_rdns=true");
    assert_eq!(listed["results"], 24);
    assert!(seen.iter().all(|address| !address.ends_with(".1")), "the first of a network is its gateway");
}

#[test]
fn rules_have_numbers_and_fingerprints() {
    let garden = Garden::new();
    let firewall = garden.firewall("pad-fw");
    let url = format!("/networking/firewalls/{}", firewall["id"]);
    assert_eq!((&firewall["rules"]["version"], &firewall["status"], &firewall["entities"]), (&json!(1), &json!("enabled"), &json!([])));
    let mut rules = RULES();
    rules["inbound"] =
        json!([{"protocol": "TCP", "ports": "22", "action": "ACCEPT", "label": "ssh", "addresses": {"ipv4": ["0.0.0.0/0"]}}]);
    let changed = garden.put(&format!("{url}/rules"), rules.clone());
    assert_eq!((&changed["version"], &changed["inbound"]), (&json!(2), &rules["inbound"]));
    assert_eq!(garden.put(&format!("{url}/rules"), rules)["version"], 2, "the same rules are no change");
    assert_eq!(garden.get(&url)["rules"], changed);
    let back = garden.put(&format!("{url}/rules"), RULES());
    assert_eq!((&back["version"], &back["fingerprint"]), (&json!(3), &firewall["rules"]["fingerprint"]));
    assert_eq!(garden.get(&format!("{url}/history"))["results"], 3);
    assert_eq!(garden.get(&format!("{url}/history/rules/2")), changed);
    let core = garden.get("/_emulator/truth")["firewalls"][firewall["id"].to_string()]["rules"].clone();
    assert_eq!(core, json!([]), "what the core knows follows");
}

#[test]
fn firewalls_have_labels_of_their_own() {
    let garden = Garden::new();
    garden.firewall("pad-fw");
    let create = |label: Value| garden.reason("POST", "/networking/firewalls", json!({"label": label, "rules": RULES()}));
    assert_eq!(create(json!("pad-fw")), "Label must be unique among your Cloud Firewalls");
    assert_eq!(create(json!("PAD-FW")), "Label must be unique among your Cloud Firewalls");
    for wrong in ["ab", "1abc", "a--b", "with blank", &"a".repeat(33)] {
        create(json!(wrong));
    }
    assert_eq!(create(Value::Null), "label is required");
    let body = json!({"label": "other", "rules": {"outbound_policy": "DROP"}});
    assert_eq!(garden.reason("POST", "/networking/firewalls", body), "inbound_policy is required");
    assert_eq!(garden.reason("POST", "/networking/firewalls", json!({"label": "other"})), "rules is required");
    assert_eq!(garden.get("/networking/firewalls")["results"], 1);
}

#[test]
fn a_linode_stands_behind_one_firewall() {
    let garden = Garden::new();
    let (first, second) = (garden.firewall("first"), garden.firewall("second"));
    let linode = garden.server("one", json!({"firewall_id": first["id"]}));
    let own = format!("/linode/instances/{}/firewalls", linode["id"]);
    assert_eq!(garden.get(&own)["data"][0]["entities"][0]["label"], "one");
    let devices = format!("/networking/firewalls/{}/devices", second["id"]);
    let body = json!({"id": linode["id"], "type": "linode"});
    garden.reason("POST", &devices, body.clone());
    garden.put(&format!("/networking/firewalls/{}", first["id"]), json!({"status": "disabled"}));
    let device = garden.post(&devices, body);
    assert_eq!(garden.get(&format!("{devices}/{}", device["id"]))["entity"]["id"], linode["id"]);
    garden.reason("PUT", &format!("/networking/firewalls/{}", first["id"]), json!({"status": "enabled"}));
    let truth = || garden.get("/_emulator/truth")["servers"][linode["id"].to_string()]["firewall"].clone();
    assert_eq!(truth(), json!(second["id"].to_string()));
    assert_eq!(garden.put(&own, json!({"firewall_ids": []}))["results"], 0);
    assert_eq!(truth(), Value::Null);
    assert_eq!(garden.put(&own, json!({"firewall_ids": [second["id"]]}))["results"], 1);
    garden.reason("PUT", &own, json!({"firewall_ids": [1]}));
    garden.post(&format!("{own}/apply"), Value::Null);
    let device = garden.get(&devices)["data"][0].clone();
    garden.delete(&format!("{devices}/{}", device["id"]));
    assert_eq!(truth(), Value::Null);
    garden.delete(&format!("/networking/firewalls/{}", first["id"]));
    assert_eq!(garden.get(&own)["results"], 0);
    garden.reason("POST", &devices, json!({"id": 1, "type": "linode"}));
    garden.reason("POST", &devices, json!({"id": 1, "type": "horse"}));
}

#[test]
fn what_is_new_comes_behind_the_usual_firewall() {
    let garden = Garden::new();
    let firewall = garden.firewall("usual");
    let defaults = json!({"default_firewall_ids": {"linode": firewall["id"], "public_interface": firewall["id"]}});
    let set = garden.put("/networking/firewalls/settings", defaults);
    assert_eq!(set["default_firewall_ids"]["vpc_interface"], Value::Null);
    let entities = || garden.get(&format!("/networking/firewalls/{}", firewall["id"]))["entities"].as_array().unwrap().clone();
    garden.server("covered", json!({}));
    garden.server("bare", json!({"firewall_id": -1}));
    assert_eq!(entities().len(), 1);
    garden.server("modern", json!({"interface_generation": "linode", "interfaces": [{"public": {}}]}));
    let last = entities()[1].clone();
    assert_eq!(
        (&last["type"], &last["label"], &last["parent_entity"]["label"]),
        (&json!("linode_interface"), &Value::Null, &json!("modern"))
    );
    garden.reason("DELETE", &format!("/networking/firewalls/{}", firewall["id"]), Value::Null);
    let nobody = json!({"default_firewall_ids": {"linode": 1}});
    garden.reason("PUT", "/networking/firewalls/settings", nobody);
    let none = json!({"default_firewall_ids": {"linode": null, "public_interface": null}});
    garden.put("/networking/firewalls/settings", none);
    let naked = json!({"label": "naked", "region": "gb-lon", "type": "g6-nanode-1", "interface_generation": "linode", "interfaces": [{"public": {}}]});
    assert_eq!(garden.reason("POST", "/linode/instances", naked), "firewall_id is required");
    let linodes = garden.get("/linode/instances");
    for linode in linodes["data"].as_array().unwrap() {
        garden.delete(&format!("/linode/instances/{}", linode["id"]));
    }
    garden.calm();
    assert_eq!(entities().len(), 0, "a Linode that is gone stands behind nothing");
}

#[test]
fn a_profile_joins_a_network_of_ones_own() {
    let garden = Garden::new();
    let vpc = garden.post("/vpcs", json!({"label": "mine", "region": "gb-lon", "subnets": [{"label": "a", "ipv4": "192.168.0.0/25"}]}));
    let linode = garden.server("one", json!({}));
    let url = format!("/linode/instances/{}", linode["id"]);
    let interfaces = json!([{"purpose": "public"}, {"purpose": "vpc", "subnet_id": vpc["subnets"][0]["id"], "ipv4": {"nat_1_1": "any"}}]);
    let config = garden.post(&format!("{url}/configs"), json!({"label": "c", "devices": {}, "interfaces": interfaces}));
    assert_eq!(config["interfaces"][0]["ipv4"], Value::Null);
    assert_eq!(config["interfaces"][1]["ipv4"], json!({"vpc": "192.168.0.2", "nat_1_1": linode["ipv4"][0]}));
    let ips = garden.get(&format!("{url}/ips"));
    let entry = &ips["ipv4"]["vpc"][0];
    assert_eq!(
        (&entry["gateway"], &entry["subnet_mask"], &entry["config_id"]),
        (&json!("192.168.0.1"), &json!("255.255.255.128"), &config["id"])
    );
    assert_eq!(ips["ipv4"]["public"][0]["vpc_nat_1_1"]["address"], "192.168.0.2");
    let subnet = garden.get(&format!("/vpcs/{}/subnets/{}", vpc["id"], vpc["subnets"][0]["id"]));
    assert_eq!(subnet["linodes"][0]["id"], linode["id"]);
    assert_eq!(garden.reason("POST", "/vpcs", json!({"label": "mine", "region": "gb-lon"})), "Label must be unique among your VPCs");
    for wrong in ["8.8.8.0/24", "192.168.0.1/24", "192.168.0.0/30", "192.168.0.0", "192.168.0.0/26"] {
        garden.reason("POST", &format!("/vpcs/{}/subnets", vpc["id"]), json!({"label": "b", "ipv4": wrong}));
    }
    garden.delete(&format!("/vpcs/{}", vpc["id"]));
}

#[test]
fn a_template_makes_a_firewall() {
    let garden = Garden::new();
    for template in garden.get("/networking/firewalls/templates")["data"].as_array().unwrap() {
        let slug = template["slug"].as_str().unwrap();
        assert_eq!(&garden.get(&format!("/networking/firewalls/templates/{slug}")), template);
        let made = garden.post("/networking/firewalls", json!({"label": format!("like-{slug}"), "rules": template["rules"]}));
        assert_eq!(made["rules"]["inbound"], template["rules"]["inbound"]);
    }
    assert_eq!(garden.send("GET", "/networking/firewalls/templates/none", Value::Null).0, 404);
}
