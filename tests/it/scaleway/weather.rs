//! Scaleway's weather.

use super::TRIAL;
use crate::{
    support::face::Face,
    vendors::weather::{Call, GUEST_SHUTDOWN, Season, call, listing_lag},
};

static SEASON: Season = Season {
    trial: &TRIAL,
    weather: &[],
    calls: CALLS,
    incidents: &[GUEST_SHUTDOWN],
    habits: listing_lag,
    remedies: &[],
    prepare: |_| {},
    records,
};

fn records(face: &Face, name: &str) -> u64 {
    let records = face.get(&format!("/domain/v2beta1/dns-zones/example.com/records?name={name}&type=A"));
    records["total_count"].as_u64().unwrap()
}

const CALLS: &[Call] = &[
    call("*", "present stopped absent delete", ""),
    call("GET *", "present stopped absent delete", "look"),
    call("GET /instance/v1/zones/{zone}/servers", "present stopped absent delete", "look"),
    call("GET /instance/v1/zones/{zone}/servers/{id}", "present stopped absent delete", "look"),
    call("GET /block*", "present stopped absent delete", "look"),
    call("POST *", "present stopped absent", "change"),
    call("POST /instance/v1/zones/{zone}/ips", "present stopped", "change birth"),
    call("POST /instance/v1/zones/{zone}/security_groups", "present stopped", "change birth"),
    call("PUT *", "present stopped", "change"),
    call("POST /block/v1/zones/{zone}/volumes", "present stopped", "change birth motion"),
    call("POST /instance/v1/zones/{zone}/servers", "present stopped", "change birth machine"),
    call("PATCH *", "present stopped absent", "change"),
    call("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", "present", "change motion machine"),
    call("POST /instance/v1/zones/{zone}/servers/{id}/action poweroff", "stopped absent", "change motion"),
    call("PATCH /instance/v1/zones/{zone}/servers/{id}", "absent", "change motion"),
    call("POST /block/v1/zones/{zone}/snapshots", "absent", "change birth motion"),
    call("DELETE *", "absent delete", "change"),
    call("DELETE /instance*", "absent delete", "change motion"),
    call("DELETE /block*", "absent delete", "change"),
];

// In two halves, which run side by side.
#[test]
fn odd_lifecycles_in_bad_weather_end_well() {
    SEASON.pass(1);
}

#[test]
fn even_lifecycles_in_bad_weather_end_well() {
    SEASON.pass(0);
}
