//! Scaleway's weather.

use super::TRIAL;
use crate::{
    support::face::Face,
    vendors::{
        sky::SCALEWAY,
        weather::{GUEST_SHUTDOWN, Season, listing_lag},
    },
};

static SEASON: Season =
    Season { trial: &TRIAL, sky: &SCALEWAY, incidents: &[GUEST_SHUTDOWN], habits: listing_lag, remedies: &[], prepare: |_| {}, records };

fn records(face: &Face, name: &str) -> u64 {
    let records = face.get(&format!("/domain/v2beta1/dns-zones/example.com/records?name={name}&type=A"));
    records["total_count"].as_u64().unwrap()
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
