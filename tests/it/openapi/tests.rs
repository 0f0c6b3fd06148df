//! The judge sees what is wrong, and nothing where nothing is.

use super::OpenApi;
use serde_json::{Value, json};

fn asked(method: &str, path: &str, body: Value) -> Value {
    json!({"method": method, "path": path, "query": {}, "filter": null, "body": body})
}

fn linode() -> Value {
    json!({
        "label": "pad-1", "region": "us-sea", "type": "g6-nanode-1", "image": "linode/debian12", "authorized_keys": ["ssh-ed25519 AAAA me"],
        "booted": false, "tags": ["in:default.pad"], "swap_size": 512, "firewall_id": 7, "metadata": {"user_data": "I2Nsb3Vk"},
        "root_pass": "correct-horse", "boot_size": 30720, "kernel": "linode/grub2", "interface_generation": "legacy_config",
        "disk_encryption": "enabled", "ipv4": ["203.0.113.9"],
    })
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[test]
fn what_is_right_is_right() {
    let Some(api) = OpenApi::beside() else { return };
    let rules = json!({"inbound": [{"action": "ACCEPT", "protocol": "TCP", "ports": "22", "addresses": {"ipv4": ["0.0.0.0/0"]}}],
                       "inbound_policy": "DROP", "outbound_policy": "ACCEPT"});
    let mut log = vec![
        asked("POST", "/v4/linode/instances", linode()),
        asked("GET", "/v4beta/linode/instances/123", Value::Null),
        asked("PUT", "/v4/linode/instances/123", json!({"watchdog_enabled": false, "tags": ["in:default.pad"]})),
        asked("POST", "/v4/linode/instances/123/boot", json!({})),
        asked("POST", "/v4/linode/instances/123/shutdown", Value::Null),
        asked(
            "POST",
            "/v4/volumes",
            json!({"label": "pad-data", "region": "us-sea", "size": 100, "tags": ["abc"], "encryption": "enabled"}),
        ),
        asked("POST", "/v4/volumes/5/attach", json!({"linode_id": 123, "persist_across_boots": true})),
        asked("POST", "/v4/volumes/5/resize", json!({"size": 120})),
        asked("POST", "/v4/images", json!({"disk_id": 9, "label": "pad", "tags": ["abc"], "cloud_init": true})),
        asked("GET", "/v4/images/private/12", Value::Null),
        asked("DELETE", "/v4/images/private%2F12", Value::Null),
        asked("POST", "/v4/networking/firewalls", json!({"label": "pad-fw", "rules": rules, "tags": ["abc"]})),
        asked("POST", "/v4/networking/reserved/ips", json!({"region": "us-sea", "tags": ["abc"]})),
        asked("PUT", "/v4/networking/reserved/ips/203.0.113.9", json!({"tags": ["abc"]})),
        asked("POST", "/v4/domains/3/records", json!({"type": "A", "name": "pad", "target": "203.0.113.9", "ttl_sec": 300})),
    ];
    log.push(json!({"method": "GET", "path": "/v4/account/events", "query": {"page": ["1"], "page_size": ["100"]}, "body": null,
                    "filter": r#"{"+order": "desc", "+order_by": "created", "action": "linode_boot", "entity.id": 4, "entity.type": "linode"}"#}));
    log.push(json!({"method": "GET", "path": "/v4/volumes", "query": {}, "body": null, "filter": r#"{"+and": [{"tags": "a"}, {"label": "b"}]}"#}));
    assert_eq!(api.violations(&log), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_found() {
    let Some(api) = OpenApi::beside() else { return };
    let create = |body| asked("POST", "/v4/linode/instances", body);
    let without = |key: &str| {
        let mut body = linode();
        body.as_object_mut().expect("an object").remove(key);
        body
    };
    let listed =
        |path: &str, query: Value, filter: Value| json!({"method": "GET", "path": path, "query": query, "filter": filter, "body": null});
    let wrong = [
        (create(without("region")), "body/region is missing"),
        (create(with(linode(), "label", json!("ab"))), "is below 3"),
        (create(with(linode(), "label", json!("a--b"))), "is not like"),
        (create(with(linode(), "label", json!("1ab"))), "is not like"),
        (create(with(linode(), "label", json!("a".repeat(65)))), "is above 64"),
        (create(with(linode(), "watchdog_enabled", json!(true))), "body/watchdog_enabled is unknown"),
        (create(with(linode(), "status", json!("running"))), "body/status is unknown"),
        (create(with(linode(), "booted", json!("no"))), "is no boolean"),
        (create(with(linode(), "region", Value::Null)), "body/region is null"),
        (create(with(linode(), "authorized_keys", json!([1]))), "body/authorized_keys/0 is no string"),
        (create(with(linode(), "boot_size", json!("30720"))), "body/boot_size cannot be"),
        (create(with(linode(), "interface_generation", json!("new"))), "body/interface_generation cannot be"),
        (create(with(linode(), "metadata", json!({"userdata": ""}))), "body/metadata/userdata is unknown"),
        (asked("PUT", "/v4/linode/instances/1", json!({"region": "us-sea"})), "body/region is only for reading"),
        (asked("POST", "/v4/volumes/5/detach", json!({"linode_id": 1})), "a body where there is none"),
        (asked("POST", "/v4/volumes", json!({"label": "a", "size": 100, "encryption": "yes"})), "not one of"),
        (asked("POST", "/v4/networking/firewalls", json!({"label": "abc"})), "body/rules is missing"),
        (asked("POST", "/v4/networking/firewalls", json!({"label": "abc", "rules": {}})), "body/rules/inbound_policy is missing"),
        (
            asked("PUT", "/v4/networking/firewalls/1/rules", json!({"inbound": [{"action": "ACCEPT"}]})),
            "body/inbound/0/protocol is missing",
        ),
        (asked("POST", "/v4/networking/reserved/ips", json!({})), "body/region is missing"),
        (asked("POST", "/v4/networking/reserved/ips", json!({"region": "us-sea", "linode_id": 1})), "body/linode_id is unknown"),
        (asked("PATCH", "/v4/linode/instances/1", json!({})), "no such operation"),
        (asked("GET", "/v4/linode/instance", Value::Null), "no such operation"),
        (asked("GET", "/v3/linode/instances", Value::Null), "not a path of the API"),
        (listed("/v4/volumes", json!({"limit": ["3"]}), Value::Null), "query limit is unknown"),
        (listed("/v4/volumes", json!({"page_size": ["10"]}), Value::Null), "is below 25"),
        (listed("/v4/volumes", json!({"page": ["one"]}), Value::Null), "is no integer"),
        (listed("/v4/volumes", json!({}), json!(r#"{"status": "active"}"#)), "filter on status"),
        (listed("/v4/linode/instances", json!({}), json!(r#"{"+or": [{"label": "a"}, {"status": "running"}]}"#)), "filter on status"),
        (listed("/v4/linode/instances", json!({}), json!("label")), "is not JSON"),
    ];
    for (entry, expected) in wrong {
        let found = api.violations(std::slice::from_ref(&entry));
        assert!(found.iter().any(|it| it.contains(expected)), "{entry}: expected {expected}, found {found:?}");
    }
}
