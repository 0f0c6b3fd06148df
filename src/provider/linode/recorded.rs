//! Our decoders against recorded traffic of the real API, where that is at hand.

use super::{
    look::{image_status, power, volume_status},
    refusal::Refusal,
    wire::{self, Page},
};
use crate::{
    model::{CopyStatus, Power, VolumeStatus},
    provider::{
        client::{Kind, Refused},
        http::Reply,
        tests::{Call, calls, read},
    },
};
use std::collections::BTreeMap;

fn recorded() -> Vec<Call> {
    calls("linode", |it| it.starts_with(|first: char| first.is_ascii_digit()) || it.starts_with("private%2F"))
}

fn page<T: serde::de::DeserializeOwned>(call: &Call) -> Vec<T> {
    let page: Page<T> = read(call);
    assert!(page.results >= page.data.len(), "{}", call.place);
    page.data
}

#[test]
fn every_recorded_answer_is_read_and_every_recorded_state_is_known() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let calls = recorded();
    for call in calls.iter().filter(|it| it.status == 200 && it.method != "DELETE") {
        let route: Vec<&str> = call.route.iter().skip(1).map(String::as_str).collect();
        let is_list = call.method == "GET";
        let mut linodes: Vec<wire::Linode> = Vec::new();
        let mut volumes: Vec<wire::Volume> = Vec::new();
        let mut images: Vec<wire::Image> = Vec::new();
        let kind = match route.as_slice() {
            ["linode", "instances"] if is_list => {
                linodes = page(call);
                "linodes"
            }
            ["linode", "instances"] | ["linode", "instances", "{id}"] => {
                linodes = vec![read(call)];
                "linode"
            }
            ["volumes"] if is_list => {
                volumes = page(call);
                "volumes"
            }
            ["volumes"] | ["volumes", "{id}"] | ["volumes", "{id}", "attach" | "resize"] => {
                volumes = vec![read(call)];
                "volume"
            }
            ["images"] if is_list => {
                images = page(call);
                "images"
            }
            ["images"] | ["images", "{id}"] => {
                images = vec![read(call)];
                "image"
            }
            ["networking", "firewalls"] if is_list => {
                page::<wire::Firewall>(call);
                "firewalls"
            }
            ["networking", "firewalls"] | ["networking", "firewalls", "{id}"] => {
                assert_eq!(read::<wire::Firewall>(call).status, "enabled", "{}", call.place);
                "firewall"
            }
            ["networking", "ips"] if is_list => {
                page::<wire::Ip>(call);
                "addresses"
            }
            ["networking", "reserved", "ips"] | ["networking", "ips", "{id}"] => {
                read::<wire::Ip>(call);
                "address"
            }
            ["linode", "instances", "{id}", "disks"] if is_list => {
                page::<wire::Disk>(call);
                "disks"
            }
            ["linode", "instances", "{id}", "configs"] if !is_list => {
                read::<wire::Config>(call);
                "configuration"
            }
            ["account", "events"] => {
                page::<wire::Event>(call);
                "events"
            }
            ["account", "settings"] if is_list => {
                read::<wire::Settings>(call);
                "settings"
            }
            ["regions"] => {
                page::<wire::Region>(call);
                "regions"
            }
            ["linode", "types"] => {
                assert!(page::<wire::Type>(call).iter().any(|it| it.gpus > 0), "{}", call.place);
                "types"
            }
            ["domains", "{id}", "records"] if is_list => {
                page::<wire::Record>(call);
                "records"
            }
            ["domains", "{id}", "records"] | ["domains", "{id}", "records", "{id}"] => {
                read::<wire::Record>(call);
                "record"
            }
            _ => continue,
        };
        *counts.entry(kind).or_default() += 1;
        for it in linodes {
            assert!(!matches!(power(&it.status), Power::Unknown(_)), "{}: {}", call.place, it.status);
        }
        for it in volumes {
            assert!(
                !matches!(volume_status(&it.status, it.linode_id.is_some()), VolumeStatus::Unknown(_)),
                "{}: {}",
                call.place,
                it.status
            );
        }
        for it in images {
            let status = image_status(it.status.as_deref(), false);
            assert!(it.status.is_none() || !matches!(status, CopyStatus::Unknown(_)), "{}: {:?}", call.place, it.status);
        }
    }
    let kinds = [
        "linodes",
        "linode",
        "volumes",
        "volume",
        "images",
        "image",
        "firewalls",
        "firewall",
        "addresses",
        "address",
        "disks",
        "configuration",
        "events",
        "settings",
        "regions",
        "types",
        "records",
        "record",
    ];
    let missing: Vec<_> = kinds.iter().filter(|it| !counts.contains_key(*it)).collect();
    assert!(calls.is_empty() || missing.is_empty(), "nothing was recorded of {missing:?}: {counts:?}");
}

/// No recorded refusal is one that we would not know what to do about.
#[test]
fn every_recorded_refusal_is_told_apart() {
    for call in recorded().iter().filter(|it| it.status >= 400) {
        let body = match &call.body {
            serde_json::Value::String(text) => text.clone().into_bytes(),
            body => body.to_string().into_bytes(),
        };
        let refusal = Refusal::of(&Reply { status: call.status, date: None, total: None, pause: None, maintenance: false, body });
        let said = refusal.said();
        let is = match (call.status, said.as_str()) {
            (401, _) => Kind::Unauthenticated,
            (404, _) => Kind::Gone,
            (429, _) => Kind::TooMany,
            (500.., _) => Kind::Broken,
            (_, "Linode busy.") => Kind::Transient,
            (_, said) if said.contains("technical justification") => Kind::Quota,
            _ => Kind::Invalid,
        };
        assert_eq!(refusal.kind(), is, "{}: {said}", call.place);
    }
}
