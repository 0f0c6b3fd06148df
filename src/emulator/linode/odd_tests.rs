//! Odd requests: whatever is asked, the answer is a clean one.

use serde_json::{Value, json};

use super::garden::Garden;
use super::routes::every;
use crate::emulator::face::{Body, Request};

/// Bodies that no endpoint wants.
fn bodies() -> Vec<Vec<u8>> {
    let keys = [
        "label",
        "region",
        "type",
        "tags",
        "rules",
        "devices",
        "id",
        "ids",
        "ipv4",
        "size",
        "image",
        "linode_id",
        "volume_id",
        "disk_id",
        "config_id",
        "booted",
        "domain",
        "soa_email",
        "target",
        "name",
        "ttl_sec",
        "reserved",
        "rdns",
        "assignments",
        "ips",
        "subnets",
        "interfaces",
        "metadata",
        "default_firewall_ids",
        "firewall_id",
        "inbound",
        "outbound",
        "inbound_policy",
        "alerts",
        "backups",
        "swap_size",
        "boot_size",
        "kernel",
        "authorized_keys",
        "prefix_length",
        "entity_id",
        "entity_type",
        "lock_type",
        "address",
        "public",
        "description",
        "helpers",
        "root_device",
        "regions",
        "status",
        "placement_group",
        "linodes",
    ];
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("x"),
        json!("é".repeat(500)),
        json!([]),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!(["abc"]),
        json!([-1]),
        json!({}),
        json!({"sda": {"disk_id": -1}}),
        json!({"linode": "x"}),
    ];
    let full = |value: &Value| keys.iter().map(|key| ((*key).to_owned(), value.clone())).collect::<serde_json::Map<_, _>>();
    let mut bodies: Vec<Vec<u8>> = values.iter().map(|value| json!(full(value)).to_string().into_bytes()).collect();
    bodies.extend(values.iter().map(|value| value.to_string().into_bytes()));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    bodies.extend(["", "{", "}{", "\u{0}", "{\"a\":1,}", nested.as_str()].map(|text| text.as_bytes().to_vec()));
    bodies.push(vec![0xff, 0xfe, 0x00]);
    bodies
}

fn ask(garden: &Garden, method: &str, path: Vec<String>, query: Vec<(String, String)>, filter: &str, body: Vec<u8>) -> u16 {
    let headers = vec![("authorization".to_owned(), "Bearer any".to_owned()), ("x-filter".to_owned(), filter.to_owned())];
    let told = format!("{method} /{} {query:?} {filter} {}", path.join("/"), String::from_utf8_lossy(&body[..body.len().min(200)]));
    let request = Request { method: method.to_owned(), path, query, headers, body };
    let answer = garden.face.answer(&request).answer.expect("the connection was closed");
    match (answer.status, &answer.body) {
        (200, Body::Json(_)) => {}
        (400..=499, Body::Json(body)) => {
            let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{told}: {body}"));
            assert!(!errors.is_empty() && errors.iter().all(|error| error["reason"].is_string()), "{told}: {body}");
        }
        (status, body) => panic!("{told}: {status} {body:?}"),
    }
    answer.status
}

#[test]
fn every_endpoint_stands_every_body() {
    let garden = Garden::new();
    let linode = garden.post("/linode/instances", json!({"label": "one", "region": "gb-lon", "type": "g6-standard-1", "image": "linode/debian12", "root_pass": "thisIsYourRootPassword"}));
    garden.calm();
    let names = [linode["id"].to_string(), "private/1".to_owned(), "99999999999999999999999".to_owned()];
    for route in every().filter(|route| route.method != "DELETE") {
        for name in &names {
            let part = |part: &str| if part.starts_with('{') { name.clone() } else { part.to_owned() };
            let path: Vec<String> = ["v4".to_owned()].into_iter().chain(route.path.split('/').skip(1).map(part)).collect();
            let few = if route.method == "GET" { vec![Vec::new()] } else { bodies() };
            for body in few {
                ask(&garden, route.method, path.clone(), Vec::new(), "", body);
            }
        }
    }
}

#[test]
fn every_list_stands_every_page_and_filter() {
    let garden = Garden::new();
    let pages = [
        ("page", "0"),
        ("page", "-1"),
        ("page", "2"),
        ("page", "18446744073709551615"),
        ("page", "x"),
        ("page_size", "1"),
        ("page_size", "500"),
        ("page_size", ""),
    ];
    let filters = ["{", "[]", "null", "\"x\"", "{\"+or\":[{\"x\":{}}]}", "{\"+order_by\":{}}", "{\"label\":{\"+gt\":{}}}", "{\"tags\":[]}"];
    for route in every().filter(|route| route.method == "GET" && !route.path.contains('{')) {
        let path: Vec<String> = ["v4"].into_iter().chain(route.path.split('/').skip(1)).map(str::to_owned).collect();
        for (key, value) in pages {
            ask(&garden, "GET", path.clone(), vec![(key.to_owned(), value.to_owned())], "", Vec::new());
        }
        for filter in filters {
            ask(&garden, "GET", path.clone(), Vec::new(), filter, Vec::new());
        }
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let garden = Garden::new();
    let status = |method: &str, path: &str| {
        let path = path.split('/').map(str::to_owned).collect();
        ask(&garden, method, path, Vec::new(), "", Vec::new())
    };
    for path in [
        "",
        "v4",
        "v5/regions",
        "v4/none",
        "v4/linode",
        "v4/regions/x/y/z",
        "v4//regions",
        "v4/images/private",
        "v4/images/private/1/x",
        "regions",
    ] {
        assert_eq!(status("GET", path), 404, "{path}");
    }
    assert_eq!(status("PATCH", "v4/domains"), 405);
    assert_eq!(status("GET", "v4beta/regions/gb-lon"), 200);
    assert_eq!(status("GET", "v4/linode/kernels/linode/grub2"), 200);
    assert_eq!(status("GET", "v4/images/linode/debian12"), 200);
}
