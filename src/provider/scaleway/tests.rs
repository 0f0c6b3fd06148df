//! Our decoders against recorded traffic of the real API, where that is at hand.

use super::{
    super::client::{Kind, Refused},
    super::http::Reply,
    look,
    refusal::Refusal,
    wire,
};
use crate::model::{CopyStatus, Power, VolumeStatus};
use crate::provider::tests::{Call, calls, read};
use std::collections::BTreeMap;

fn recorded() -> Vec<Call> {
    calls("scaleway", |it| it.len() == 36 && it.matches('-').count() == 4)
}

#[test]
fn every_recorded_answer_is_read_and_every_recorded_state_is_known() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in recorded().iter().filter(|it| (200..300).contains(&it.status) && it.method != "DELETE") {
        let route: Vec<&str> = call.route.iter().map(String::as_str).collect();
        let mut servers: Vec<wire::Server> = Vec::new();
        let mut volumes: Vec<wire::Volume> = Vec::new();
        let mut snapshots: Vec<wire::Snapshot> = Vec::new();
        let kind = match route.as_slice() {
            ["instance", "v1", "zones", _, "servers"] if call.method == "GET" => {
                servers = read::<wire::Servers>(call).servers;
                "servers"
            }
            ["instance", "v1", "zones", _, "servers"] | ["instance", "v1", "zones", _, "servers", "{id}"] => {
                servers = vec![read::<wire::InServer>(call).server];
                "server"
            }
            ["block", _, "zones", _, "volumes"] if call.method == "GET" => {
                let page = read::<wire::Volumes>(call);
                assert!(page.total_count >= page.volumes.len(), "{}", call.place);
                volumes = page.volumes;
                "volumes"
            }
            ["block", _, "zones", _, "volumes", ..] => {
                volumes = vec![read(call)];
                "volume"
            }
            ["block", _, "zones", _, "snapshots"] if call.method == "GET" => {
                snapshots = read::<wire::Snapshots>(call).snapshots;
                "snapshots"
            }
            ["block", _, "zones", _, "snapshots"] | ["block", _, "zones", _, "snapshots", "{id}"] => {
                snapshots = vec![read(call)];
                "snapshot"
            }
            ["instance", "v1", "zones", _, "ips"] if call.method == "GET" => {
                read::<wire::Ips>(call);
                "ips"
            }
            ["instance", "v1", "zones", _, "ips", ..] => {
                let ip = read::<wire::InIp>(call).ip;
                assert!(["attached", "detached", "pending"].contains(&ip.state.as_str()), "{}: {}", call.place, ip.state);
                "ip"
            }
            ["instance", "v1", "zones", _, "security_groups"] if call.method == "GET" => {
                read::<wire::Groups>(call);
                "groups"
            }
            ["instance", "v1", "zones", _, "security_groups", "{id}", "rules"] => {
                read::<wire::Rules>(call);
                "rules"
            }
            ["instance", "v1", "zones", _, "security_groups", ..] => {
                let group = read::<wire::InGroup>(call).security_group;
                assert!(["available", "syncing"].contains(&group.state.as_str()), "{}: {}", call.place, group.state);
                "group"
            }
            ["instance", "v1", "zones", _, "servers", "{id}", "user_data"] => {
                read::<wire::UserData>(call);
                "user data"
            }
            ["instance", "v1", "zones", _, "products", "servers"] => {
                assert!(!read::<wire::ServerTypes>(call).servers.is_empty(), "{}", call.place);
                "types"
            }
            ["instance", "v1", "zones", _, "products", "servers", "availability"] => {
                read::<wire::Availabilities>(call);
                "availability"
            }
            ["marketplace", "v2", "local-images"] => {
                assert!(!read::<wire::LocalImages>(call).local_images.is_empty(), "{}", call.place);
                "images"
            }
            ["domain", "v2beta1", "dns-zones", _, "records"] => {
                read::<wire::Records>(call);
                "records"
            }
            _ => continue,
        };
        *counts.entry(kind).or_default() += 1;
        for it in &servers {
            assert!(!matches!(look::power(&it.state), Power::Unknown(_)), "{}: {}", call.place, it.state);
        }
        for it in &volumes {
            assert!(!matches!(look::volume(it).status, VolumeStatus::Unknown(_)), "{}: {}", call.place, it.status);
        }
        for it in &snapshots {
            assert!(!matches!(look::snapshot(it).status, CopyStatus::Unknown(_)), "{}: {}", call.place, it.status);
        }
    }
    assert!(counts.is_empty() || counts.len() >= 15, "{counts:?}");
}

/// A server that was just created never ran, and every power action shows.
#[test]
fn recorded_stamps_tell_whether_a_server_ever_ran() {
    let untouched = |it: &wire::Server| it.creation_date.0 == it.modification_date.0;
    for call in recorded().iter().filter(|it| it.status < 300 && it.route.get(4).is_some_and(|it| it == "servers")) {
        match (call.method.as_str(), call.route.len()) {
            ("POST", 5) => assert!(untouched(&read::<wire::InServer>(call).server), "{}", call.place),
            ("GET", 6) => {
                let server = read::<wire::InServer>(call).server;
                assert!(server.state == "stopped" || !untouched(&server), "{}: {}", call.place, server.state);
            }
            _ => {}
        }
    }
}

#[test]
fn every_recorded_refusal_has_a_meaning() {
    let ours = ["instance", "block", "marketplace", "domain"];
    for call in recorded().iter().filter(|it| it.status >= 400 && it.route.first().is_some_and(|it| ours.contains(&it.as_str()))) {
        let body = if call.body.is_null() { Vec::new() } else { serde_json::to_vec(&call.body).unwrap() };
        let refusal = Refusal::of(&Reply { status: call.status, date: None, total: None, pause: None, maintenance: false, body });
        let expected = match call.status {
            404 => Kind::Gone,
            403 => Kind::Denied,
            400 => Kind::Invalid,
            429 => Kind::TooMany,
            other => panic!("{}: status {other}", call.place),
        };
        assert_eq!(refusal.kind(), expected, "{}: {}", call.place, refusal.said());
        assert!(!refusal.said().is_empty());
    }
}

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::of(&Reply { status, date: None, total: None, pause: None, maintenance: false, body: body.as_bytes().to_vec() })
}

/// Shapes that were not recorded lately, from the fact sheet: the type decides, then the status.
#[test]
fn refusals_are_told_apart_by_type() {
    let precondition = r#"{"type":"precondition_failed","message":"precondition is not respected","precondition":"resource_not_usable","help_message":"server should be stopped"}"#;
    let cases = [
        (400, precondition, Kind::Precondition),
        (412, precondition, Kind::Precondition),
        (409, r#"{"type":"transient_state","message":"resource is in a transient state","current_state":"configuring"}"#, Kind::Transient),
        (403, r#"{"type":"invalid_request_error","message":"Quota exceeded for this resource.","resource":"ips"}"#, Kind::Quota),
        (403, r#"{"type":"quotas_exceeded","details":[{"resource":"servers_type_L4","quota":1,"current":1}]}"#, Kind::Quota),
        (
            403,
            r#"{"type":"permissions_denied","message":"insufficient permissions","details":[{"resource":"server","action":"write"}]}"#,
            Kind::Denied,
        ),
        (503, r#"{"type":"out_of_stock","message":"out of stock","resource":"L4-1-24G"}"#, Kind::OutOfStock),
        (
            401,
            r#"{"type":"denied_authentication","message":"authentication is denied","method":"api_key","reason":"not_found"}"#,
            Kind::Unauthenticated,
        ),
        (410, r#"{"type":"expired","message":"resource has expired","resource":"volume"}"#, Kind::Gone),
        (500, r#"{"type":"server_error","message":"Internal error"}"#, Kind::Broken),
        (502, "<html><h1>502 Bad Gateway</h1></html>", Kind::Broken),
        (503, "", Kind::Broken),
        (429, "", Kind::TooMany),
        (404, r#"{"message":"resource is not found"}"#, Kind::Gone),
        // Every recorded refusal has a body of the API's: what has none was not said by it.
        (404, "", Kind::Broken),
        (410, "<html><h1>410 Gone</h1></html>", Kind::Broken),
    ];
    for (status, body, kind) in cases {
        let refusal = refusal(status, body);
        assert_eq!(refusal.kind(), kind, "{status} {body}");
        assert!(!refusal.said().contains('<'), "{}", refusal.said());
    }
}
