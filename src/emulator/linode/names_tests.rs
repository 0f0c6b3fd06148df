//! Stories of domains, tags, the account and the catalogue.

use serde_json::{Value, json};

use super::garden::Garden;
use crate::emulator::face::{Body, Request};

impl Garden {
    /// The rows of a list that a filter lets pass, or the reason why it is refused.
    fn filtered(&self, path: &str, filter: Value) -> Result<Vec<Value>, String> {
        let headers = [("authorization", "Bearer any".to_owned()), ("x-filter", filter.to_string())];
        let path = format!("v4{path}").split('/').map(str::to_owned).collect();
        let headers = headers.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let request = Request { method: "GET".to_owned(), path, headers, ..Request::default() };
        match self.face.answer(&request).answer.unwrap().body {
            Body::Json(body) => match body["data"].as_array() {
                Some(rows) => Ok(rows.clone()),
                None => Err(body["errors"][0]["reason"].as_str().unwrap().to_owned()),
            },
            other => panic!("{other:?}"),
        }
    }

    fn domain(&self, name: &str) -> Value {
        self.post("/domains", json!({"domain": name, "type": "master", "soa_email": "me@example.com"}))
    }
}

#[test]
fn a_domain_is_what_it_was_made() {
    let garden = Garden::new();
    let body =
        json!({"domain": "example.com", "type": "master", "soa_email": "me@example.com", "ttl_sec": 31, "master_ips": null, "tags": null});
    let domain = garden.post("/domains", body);
    assert_eq!(
        (&domain["ttl_sec"], &domain["master_ips"], &domain["tags"], &domain["status"]),
        (&json!(120), &json!([]), &json!([]), &json!("active"))
    );
    let url = format!("/domains/{}", domain["id"]);
    let (status, renamed) = garden.send("PUT", &url, json!({"domain": "other.example", "tags": null}));
    assert_eq!((status, &renamed["domain"], &renamed["soa_email"]), (200, &json!("other.example"), &json!("me@example.com")));
    assert_eq!(garden.filtered("/domains", json!({"domain": "other.example"})).unwrap().len(), 1);
    assert_eq!(garden.filtered("/domains", json!({"status": "active"})), Err("Cannot filter on status".to_owned()));
    let refused = |body: Value| garden.reason("POST", "/domains", body);
    assert_eq!(refused(json!({"domain": "a.example", "type": "master"})), "soa_email required when type=master");
    refused(json!({"domain": "a.example", "type": "slave"}));
    refused(json!({"domain": "other.example", "type": "master", "soa_email": "me@example.com"}));
    for wrong in ["example", "-a.example", "a..example", "a b.example", "1.2.3.4"] {
        refused(json!({"domain": wrong, "type": "master", "soa_email": "me@example.com"}));
    }
    let copy = garden.post(&format!("{url}/clone"), json!({"domain": "copy.example"}));
    assert!(copy["id"] != domain["id"]);
    assert!(garden.get(&format!("{url}/zone-file"))["zone_file"].as_array().unwrap().len() > 5);
    garden.delete(&url);
    assert_eq!(garden.send("GET", &url, Value::Null).0, 404);
}

#[test]
fn records_are_relative_and_rounded() {
    let garden = Garden::new();
    let domain = garden.domain("example.com");
    let url = format!("/domains/{}/records", domain["id"]);
    let record = |body: Value| garden.post(&url, body);
    let a = record(json!({"type": "A", "name": "Pad.example.com", "target": "192.0.2.1", "ttl_sec": 30}));
    assert_eq!((&a["name"], &a["ttl_sec"], &a["priority"], &a["service"]), (&json!("pad"), &json!(30), &json!(0), &Value::Null));
    let own = format!("{url}/{}", a["id"]);
    let (_, changed) = garden.send("PUT", &own, json!({"target": "192.0.2.2", "ttl_sec": 31}));
    assert_eq!((&changed["target"], &changed["ttl_sec"], &changed["name"]), (&json!("192.0.2.2"), &json!(120), &json!("pad")));
    record(json!({"type": "A", "name": "pad", "target": "192.0.2.1"}));
    let found = garden.filtered(&format!("/domains/{}/records", domain["id"]), json!({"name": "pad", "type": "A"})).unwrap();
    assert_eq!(found.len(), 2, "names are not unique");
    let service = record(
        json!({"type": "SRV", "service": "sip", "protocol": "tcp", "target": "a.example.com", "port": 5060, "priority": 1, "weight": 2}),
    );
    assert_eq!((&service["name"], &service["service"]), (&json!("_sip._tcp"), &json!("_sip")));
    assert_eq!(record(json!({"type": "MX", "target": "mail.example.com"}))["priority"], 10);
    assert_eq!(record(json!({"type": "CAA", "tag": "issue", "target": "ca.example"}))["tag"], "issue");
    assert_eq!(record(json!({"type": "AAAA", "name": "", "target": "2001:db8::1"}))["name"], "");
    assert_eq!(record(json!({"type": "TXT", "name": "*.x", "target": "v=1"}))["name"], "*.x");
    let cases = [
        json!({"type": "A", "target": "2001:db8::1"}),
        json!({"type": "AAAA", "target": "192.0.2.1"}),
        json!({"type": "A", "name": "a b", "target": "192.0.2.1"}),
        json!({"type": "A", "name": "a".repeat(101), "target": "192.0.2.1"}),
        json!({"type": "A"}),
        json!({"type": "X", "target": "192.0.2.1"}),
        json!({"target": "192.0.2.1"}),
        json!({"type": "SRV", "target": "a.example.com"}),
        json!({"type": "CAA", "target": "ca.example", "tag": "other"}),
        json!({"type": "MX", "target": "mail.example.com", "priority": 256}),
    ];
    for case in cases {
        garden.reason("POST", &url, case);
    }
    garden.delete(&own);
    assert_eq!(garden.send("GET", &own, Value::Null).0, 404);
    assert_eq!(garden.send("GET", "/domains/1/records", Value::Null).0, 404);
}

#[test]
fn settings_of_the_account_shape_what_is_new() {
    let garden = Garden::new();
    let wanted = json!({"backups_enabled": true, "network_helper": false, "maintenance_policy": "linode/power_off_on", "interfaces_for_new_linodes": "linode_only"});
    let (status, set) = garden.send("PUT", "/account/settings", wanted.clone());
    assert_eq!(status, 200);
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&set[key], value, "{key}");
    }
    assert_eq!(garden.get("/account/settings"), set);
    garden.reason("PUT", "/account/settings", json!({"interfaces_for_new_linodes": "some"}));
    garden.reason("PUT", "/account/settings", json!({"maintenance_policy": "nonsense"}));
    garden.reason("PUT", "/account/settings", json!({"backups_enabled": "yes"}));
    assert_eq!(garden.get("/account/settings"), set);
    let (_, account) = garden.send("PUT", "/account", json!({"city": "Lyon"}));
    assert_eq!((&account["city"], &garden.get("/account")["city"]), (&json!("Lyon"), &json!("Lyon")));
}

#[test]
fn a_tag_leads_to_what_has_it() {
    let garden = Garden::new();
    let linode = garden.post("/linode/instances", json!({"label": "one", "region": "gb-lon", "type": "g6-nanode-1", "tags": ["in:a"]}));
    garden.post("/networking/reserved/ips", json!({"region": "gb-lon", "tags": ["in:a", "other"]}));
    let domain = garden.domain("example.com");
    garden.post("/tags", json!({"label": "in:a", "domains": [domain["id"]]}));
    let found = garden.get("/tags/in:a");
    let kinds: Vec<&Value> = found["data"].as_array().unwrap().iter().map(|row| &row["type"]).collect();
    assert_eq!(kinds, ["linode", "domain", "reserved_ipv4_address"]);
    assert_eq!(found["data"][0]["data"]["id"], linode["id"]);
    assert_eq!(garden.get("/tags")["results"], 2);
    assert_eq!(garden.reason("POST", "/tags", json!({"label": "ab"})), "Length must be 3-50 characters");
    garden.delete("/tags/in:a");
    assert_eq!(garden.send("GET", "/tags/in:a", Value::Null).0, 404);
    assert_eq!(garden.get(&format!("/linode/instances/{}", linode["id"]))["tags"], json!([]));
}

#[test]
fn anybody_may_read_the_catalogue() {
    let garden = Garden::new();
    assert_eq!(garden.get("/regions")["results"], 34);
    assert_eq!(garden.get("/regions/us-den-1")["site_type"], "distributed");
    assert_eq!(garden.send("GET", "/regions/none", Value::Null).0, 404);
    assert_eq!(garden.get("/linode/kernels")["pages"], 4);
    assert_eq!(garden.filtered("/linode/kernels", json!({"label": "5.17.5-x86_64-linode154"})).unwrap().len(), 1);
    assert!(garden.filtered("/linode/types", json!({"gpus": {"+gt": 0}})).unwrap().iter().all(|plan| plan["class"] == "gpu"));
    assert_eq!(garden.filtered("/linode/types", json!({"price.hourly": 1})), Err("Cannot filter on price.hourly".to_owned()));
    let row = |garden: &Garden| {
        let rows = garden.filtered("/regions/availability", json!({"region": "fr-par", "plan": "g2-gpu-rtx4000a1-s"})).unwrap();
        rows[0]["available"].clone()
    };
    assert_eq!(row(&garden), true);
    garden.post("/_emulator/settings", json!({"sold_out": {"fr-par/g2-gpu-rtx4000a1-s": true}}));
    assert_eq!(row(&garden), false);
    assert!(garden.get("/regions/fr-par/availability").is_array());
    for prices in ["/volumes/types", "/networking/reserved/ips/types", "/network-transfer/prices"] {
        assert!(garden.get(prices)["data"][0]["price"]["hourly"].as_f64().unwrap() > 0.0, "{prices}");
    }
}
