//! What this cloud sells: zones, server types and their stock, and kinds of block volumes, with prices.
//!
//! The rows are in [`offers`](super::offers), the images in [`stock_images`](super::stock_images).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::offers::FAMILIES;
use super::types::ServerType;

/// The zones.
pub const ZONES: [&str; 10] =
    ["fr-par-1", "fr-par-2", "fr-par-3", "nl-ams-1", "nl-ams-2", "nl-ams-3", "pl-waw-1", "pl-waw-2", "pl-waw-3", "it-mil-1"];

/// Price of a reserved IPv4 address, in EUR per hour, attached or not; IPv6 is free. Published, not recorded.
pub const IPV4_EUR_PER_HOUR: f64 = 0.004;
/// Price of local volumes beyond what their server includes, and of their snapshots, in EUR per GB and hour; published.
pub const LOCAL_EUR_PER_GB_HOUR: f64 = 0.000_055;
/// Price of a snapshot of a block volume, in EUR per GB and hour. Published, not recorded.
pub const BLOCK_SNAPSHOT_EUR_PER_GB_HOUR: f64 = 0.000_044;

/// The zones, in the vendor's order.
pub fn zones() -> &'static [&'static str] {
    &ZONES
}

/// Whether a zone exists.
pub fn is_zone(zone: &str) -> bool {
    ZONES.contains(&zone)
}

/// The region of a zone: `fr-par` of `fr-par-2`.
pub fn region_of(zone: &str) -> &str {
    zone.rsplit_once('-').map_or(zone, |(region, _)| region)
}

/// The types a zone sells, in the order of image lists.
pub fn server_types(zone: &str) -> impl Iterator<Item = &'static ServerType> + '_ {
    FAMILIES.iter().flat_map(|family| family.iter()).filter(move |row| row.sold_in(zone))
}

/// A type that a zone sells, by its name as listed or another name of it.
pub fn server_type(zone: &str, name: &str) -> Option<&'static ServerType> {
    server_types(zone).find(|row| row.is_called(name))
}

/// How much of a type is left in a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Availability {
    /// Enough.
    #[default]
    Available,
    /// Little.
    Scarce,
    /// None: what is asked for cannot be placed.
    Shortage,
}

impl Availability {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Availability::Available => "available",
            Availability::Scarce => "scarce",
            Availability::Shortage => "shortage",
        }
    }
}

/// A kind of block volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VolumeType {
    /// Its name.
    pub name: &'static str,
    /// Operations per second.
    pub perf_iops: u32,
    /// Price in EUR per GB and hour. Published, not recorded.
    pub eur_per_gb_hour: f64,
}

/// The kinds of block volumes.
pub const VOLUME_TYPES: [VolumeType; 2] = [
    VolumeType { name: "sbs_5k", perf_iops: 5000, eur_per_gb_hour: 0.000_118 },
    VolumeType { name: "sbs_15k", perf_iops: 15000, eur_per_gb_hour: 0.000_178 },
];

/// The smallest block volume, in bytes.
pub const BLOCK_MIN: u64 = 1_000_000_000;
/// The largest block volume, in bytes.
pub const BLOCK_MAX: u64 = 10_000_000_000_000;

/// The kind of block volume with so many operations per second.
pub fn volume_type(perf_iops: u64) -> Option<&'static VolumeType> {
    VOLUME_TYPES.iter().find(|row| u64::from(row.perf_iops) == perf_iops)
}

/// The kinds of block volumes of a zone, as `volume-types` shows them: one object each.
pub fn volume_types(zone: &str) -> Vec<Value> {
    let row = |row: &VolumeType| {
        json!({
            "type": row.name,
            "pricing": money(row.eur_per_gb_hour),
            "snapshot_pricing": money(BLOCK_SNAPSHOT_EUR_PER_GB_HOUR),
            "specs": {"perf_iops": row.perf_iops, "class": "sbs"},
            "zone": zone,
        })
    };
    VOLUME_TYPES.iter().map(row).collect()
}

/// An amount in EUR as the newer APIs write it: whole units and billionths.
fn money(eur: f64) -> Value {
    let nanos = (eur * 1e9).round() as i64;
    json!({"currency_code": "EUR", "units": nanos / 1_000_000_000, "nanos": nanos % 1_000_000_000})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::emulator::scaleway::types::{ARM, X86};

    #[test]
    fn names_are_found_as_listed_and_by_their_other_names_only() {
        assert_eq!(server_type("fr-par-1", "DEV1-S").map(|row| row.ncpus), Some(2));
        assert_eq!(server_type("fr-par-1", "X64-2GB").map(|row| row.name), Some("VC1S"));
        assert_eq!(server_type("fr-par-1", "dev1-s"), None);
        assert_eq!(server_type("mars-1", "DEV1-S"), None);
    }

    #[test]
    fn no_name_is_sold_twice() {
        for zone in zones() {
            let names: Vec<&str> = server_types(zone).flat_map(|row| row.alt_names.iter().copied().chain([row.name])).collect();
            let set: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(set.len(), names.len(), "{zone}");
        }
    }

    #[test]
    fn cards_are_where_they_are_sold() {
        let zones_of = |name: &str| zones().iter().copied().filter(|zone| server_type(zone, name).is_some()).collect::<Vec<_>>();
        assert_eq!(zones_of("L4-1-24G"), ["fr-par-1", "fr-par-2", "pl-waw-2"]);
        assert_eq!(zones_of("L40S-1-48G"), ["fr-par-2", "pl-waw-2"]);
        assert_eq!(zones_of("H100-SXM-8-80G"), ["fr-par-2"]);
        assert_eq!(zones_of("DEV1-S").len(), ZONES.len());
        assert!(!zones_of("START1-S").contains(&"fr-par-2"));
    }

    #[test]
    fn rows_make_sense() {
        for row in server_types("fr-par-1").chain(server_types("fr-par-2")) {
            assert!(row.hourly_price > 0.0 && row.ncpus > 0 && row.ram_gib > 0, "{}", row.name);
            let hours = row.monthly_price() / row.hourly_price;
            assert!((700.0..=731.0).contains(&hours), "{}: a month of {hours} hours", row.name);
            assert_eq!(row.scratch_gb == 0, row.scratch_count == 0, "{}", row.name);
            assert!([X86, ARM].contains(&row.arch));
            // Small types are not reached faster from outside than from inside.
            assert!(row.internal_mbps >= row.internet_mbps, "{}", row.name);
        }
    }

    #[test]
    fn money_is_split_into_units_and_billionths() {
        assert_eq!(money(1.25), json!({"currency_code": "EUR", "units": 1, "nanos": 250_000_000}));
        assert_eq!(volume_types("fr-par-1")[0]["pricing"]["nanos"], 118_000);
        assert_eq!(volume_type(15000).map(|row| row.name), Some("sbs_15k"));
        assert_eq!(volume_type(7000), None);
    }

    #[test]
    fn regions_are_zones_without_their_number() {
        assert_eq!(region_of("nl-ams-3"), "nl-ams");
    }
}
