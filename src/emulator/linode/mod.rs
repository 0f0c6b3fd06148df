//! The face of Linode: its API v4 over the same truth, physics, faults and ledger.
//!
//! Reading order: `vendor`, `routes`, `problem`, `input`, `listing`, then `linodes`, `create`, `deploy`, `power` and a file
//! per kind of object. `details` and `network` are this face's own part of the truth. Whatever takes its time on a Linode is
//! a job: `jobs` has their queue, `events` what the account is told of them.
//! What anybody may read is in tables (`regions`, `plans`, `kernels`, `stock`, `prices`; `catalogue` shows them); `filter` and
//! `listing` cut every list; `zones` is the truth about names.

mod account;
mod addresses;
mod attach;
mod backups;
mod catalogue;
mod clone;
mod config_interfaces;
mod configs;
mod create;
mod deploy;
mod details;
mod devices;
mod disks;
mod domains;
mod events;
mod filter;
mod firewall_rules;
mod firewalls;
#[cfg(test)]
mod garden;
mod image_copies;
mod images;
mod input;
mod interfaces;
mod jobs;
mod kernels;
mod label;
mod linode_firewalls;
mod linode_ips;
mod linodes;
mod listing;
mod locks;
mod moments;
#[cfg(test)]
mod names_tests;
mod network;
#[cfg(test)]
mod network_tests;
mod networking_ips;
#[cfg(test)]
mod odd_tests;
mod plans;
mod power;
pub(in crate::emulator) mod prices;
mod problem;
mod ranges;
mod rebuild;
mod records;
mod regions;
mod reserved_ips;
mod resize;
mod routes;
mod stock;
#[cfg(test)]
mod storage_tests;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod ttl;
mod usage;
mod vendor;
mod volumes;
mod vpcs;
mod zones;

pub use details::Details;
pub use jobs::Change;
pub(in crate::emulator) use vendor::Linode;

/// Whether a region exists.
pub(in crate::emulator) fn has_region(region: &str) -> bool {
    regions::find(region).is_some()
}

/// The price of a plan in a region per hour, if there is such a plan.
pub(in crate::emulator) fn per_hour(region: &str, plan: &str) -> Option<f64> {
    plans::find(plan).map(|plan| plan.hourly(region))
}
