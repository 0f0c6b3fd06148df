//! Every request of an instance's life, against what the vendor's own description of its API takes.

use crate::{
    openapi::OpenApi,
    support::{face::Face, linode::pad, shop::Shop},
};
use serde_json::{Value, json};

#[test]
fn every_request_is_one_that_the_vendor_describes() {
    let Some(api) = OpenApi::beside() else { return };
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/v4/domains", json!({"domain": "example.com", "type": "master", "soa_email": "me@example.com"}));
    shop.write("id.pub", include_str!("id.pub"));
    let mut seen: Vec<Value> = Vec::new();
    let mut live = |spec: &str| {
        shop.write("pad.yaml", spec);
        face.call("DELETE", "/_emulator/log", None);
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
        seen.extend(face.get("/_emulator/log")["requests"].as_array().unwrap().iter().cloned());
    };
    let keyed = |state: &str, more: &str| pad(state, &format!("  ssh: {{publicKeyPath: id.pub}}\n{more}"));
    let named = "  network:\n    dns: {zone: example.com, record: mypad}\n    ports: [22/tcp, 47984-47990/tcp, 47998/udp]\n";
    live(&keyed("present", ""));
    live(&keyed("stopped", ""));
    live(&keyed("absent", ""));
    let grown = |state: &str| keyed(state, named).replace("sizeGb: 100", "sizeGb: 120");
    live(&grown("present"));
    live(&grown("present").replace("rtx4000a1-s", "rtx4000a1-m"));
    live(&grown("absent"));
    face.call("DELETE", "/_emulator/log", None);
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    seen.extend(face.get("/_emulator/log")["requests"].as_array().unwrap().iter().cloned());

    let wrong = api.violations(&seen);
    assert!(wrong.is_empty(), "{} of {} requests:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    let kinds = ["boot", "shutdown", "attach", "resize", "rules", "records", "images", "reserved"];
    for kind in kinds {
        assert!(seen.iter().any(|it| it["path"].as_str().unwrap().contains(kind)), "no request about {kind}");
    }
}

/// A Linode is born behind its firewall, off, with everything said that an account's settings would say otherwise.
#[test]
fn a_linode_is_born_with_everything_said() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    shop.write("id.pub", include_str!("id.pub"));
    shop.write("pad.yaml", &pad("present", "  ssh: {publicKeyPath: id.pub}\n"));
    face.log();
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let log = face.log();
    let born = log.iter().find(|it| it.brief() == "POST linode/instances").unwrap();
    let body = &born.body;
    assert_eq!((&body["booted"], &body["kernel"], &body["boot_size"]), (&json!(false), &json!("linode/grub2"), &json!(30 * 1024)));
    assert_eq!((&body["interface_generation"], &body["disk_encryption"]), (&json!("legacy_config"), &json!("enabled")));
    assert!(body["firewall_id"].as_u64().is_some_and(|it| it > 0), "{body}");
    assert_eq!(body["authorized_keys"], json!([include_str!("id.pub").trim().rsplit_once(' ').unwrap().0]));
    assert_eq!(body["ipv4"].as_array().map(Vec::len), Some(1), "its reserved address");
    assert!(body["metadata"]["user_data"].is_string(), "its host key, which the log leaves out: {body}");
    for tag in ["cloudypad:v1", "in:default.mypad"] {
        assert!(body["tags"].as_array().unwrap().contains(&json!(tag)), "{body}");
    }
    let before = log.iter().position(|it| it.brief() == "PUT networking/firewalls/rules").unwrap();
    assert!(before < log.iter().position(|it| it.brief() == "POST linode/instances").unwrap(), "the rules come first");
    // The watchdog cannot be set at birth: off before the first boot.
    let at = |brief: &str| log.iter().position(|it| it.brief() == brief).unwrap();
    assert!(log.iter().any(|it| it.body["watchdog_enabled"] == json!(false)));
    assert!(at("PUT linode/instances") < at("POST linode/instances/boot"));
}
