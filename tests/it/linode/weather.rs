//! Linode's weather.

use super::TRIAL;
use crate::{
    support::face::Face,
    vendors::weather::{Call, GUEST_SHUTDOWN, Incident, Remedy, Season, call},
};
use fastrand::Rng;
use serde_json::{Value, json};

static SEASON: Season =
    Season { trial: &TRIAL, weather: WEATHER, calls: CALLS, incidents: INCIDENTS, habits, remedies: REMEDIES, prepare, records };

/// A maintenance that is announced, and captures that fail: mostly they are larger than what the account may store.
const WEATHER: &[(&str, &str)] = &[("maintenance", "any"), ("in-vain", "capture"), ("in-vain", "capture")];

const CALLS: &[Call] = &[
    call("*", "present stopped absent delete", ""),
    call("GET *", "present stopped absent delete", "look"),
    call("GET /linode/instances", "present stopped absent delete", "look"),
    call("GET /linode/instances/{id}*", "present stopped absent delete", "look"),
    call("GET /volumes*", "present stopped absent delete", "look"),
    call("GET /images*", "present stopped absent delete", "look"),
    call("GET /account/events*", "present stopped absent delete", "look"),
    call("POST *", "present stopped absent", "change"),
    call("POST /networking/firewalls", "present stopped", "change birth"),
    call("POST /networking/reserved/ips", "present stopped", "change birth"),
    call("POST /volumes", "present stopped", "change birth motion"),
    call("POST /linode/instances", "present stopped", "change birth motion machine"),
    call("PUT *", "present stopped absent", "change"),
    call("PUT /linode/instances/{id}", "present stopped absent", "change"),
    call("POST /volumes/{id}/attach", "present stopped", "change motion"),
    call("POST /linode/instances/{id}/boot", "present", "change motion"),
    call("POST /linode/instances/{id}/shutdown", "present stopped absent", "change motion"),
    call("POST /images", "present absent", "change birth motion capture"),
    call("DELETE *", "absent delete", "change"),
    call("DELETE /linode/instances/{id}", "absent delete", "change motion"),
    call("DELETE /images/{id}", "absent delete", "change"),
];

const INCIDENTS: &[Incident] = &[
    GUEST_SHUTDOWN,
    Incident {
        what: "host-reboot",
        happens: |face, server| {
            face.call("POST", "/_emulator/host-reboot", Some(&json!({"server": server})));
        },
    },
    // With the watchdog on, a guest that shut itself down is booted again.
    Incident {
        what: "watchdog",
        happens: |face, server| {
            face.call("PUT", &format!("/v4/linode/instances/{server}"), Some(&json!({"watchdog_enabled": true})));
            (GUEST_SHUTDOWN.happens)(face, server);
        },
    },
];

/// Lists and events lag.
fn habits(rng: &mut Rng) -> Value {
    json!({"listing_lag": rng.u32(0..5), "event_lag": rng.u32(0..10)})
}

const REMEDIES: &[Remedy] = &[
    Remedy { weather: "in-vain", hold: "CaptureFailed", word: Some(raise_the_limit) },
    Remedy { weather: "maintenance", hold: "Refused", word: None },
];

/// What the owner can do about a capture that failed: say that the limit is higher than it was.
fn raise_the_limit(spec: &str) -> String {
    let said = spec.lines().find_map(|it| it.trim().strip_prefix("imageLimitGb: ")).map_or(6, |it| it.parse::<u64>().unwrap());
    let without: Vec<&str> = spec.lines().filter(|it| !it.contains("imageLimitGb")).collect();
    without.join("\n").replace("      region:", &format!("      imageLimitGb: {}\n      region:", said + 10)) + "\n"
}

fn prepare(face: &Face) {
    face.post("/v4/domains", json!({"domain": "example.com", "type": "master", "soa_email": "owner@example.com"}));
}

fn records(face: &Face, name: &str) -> u64 {
    let zones = face.get("/v4/domains");
    let zone = zones["data"].as_array().unwrap().iter().find(|it| it["domain"] == "example.com");
    let Some(zone) = zone else { return 0 };
    let records = face.get(&format!("/v4/domains/{}/records", zone["id"]));
    let named = records["data"].as_array().unwrap().iter().filter(|it| it["name"] == name && it["type"] == "A");
    named.count() as u64
}

// In two halves, which run side by side.
#[test]
fn odd_lifecycles_in_bad_weather_end_well() {
    SEASON.pass(1);
}

#[test]
fn even_lifecycles_in_bad_weather_end_well() {
    SEASON.pass(0);
}
