//! Linode's weather.

use super::TRIAL;
use crate::{
    support::face::Face,
    vendors::{
        sky::LINODE,
        weather::{GUEST_SHUTDOWN, Incident, Remedy, Season},
    },
};
use fastrand::Rng;
use serde_json::{Value, json};

static SEASON: Season = Season { trial: &TRIAL, sky: &LINODE, incidents: INCIDENTS, habits, remedies: REMEDIES, prepare, records };

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
