//! The face of Linode: its API v4 over the same truth, physics, faults and ledger.
//!
//! Reading order: `vendor`, `routes`, `problem`, then a file per kind of object. `details` is this face's own part of the
//! truth. Whatever takes its time on a Linode is a job: `jobs` has their queue, `events` what the account is told of them.

mod catalogue;
mod details;
mod events;
mod filter;
mod input;
mod kernels;
mod listing;
mod plans;
mod prices;
mod problem;
mod regions;
mod routes;
mod stock;
mod vendor;

pub use details::Details;
pub(in crate::emulator) use vendor::Linode;

/// Whether a region exists.
pub(in crate::emulator) fn has_region(region: &str) -> bool {
    regions::find(region).is_some()
}

/// The price of a plan in a region per hour, if there is such a plan.
pub(in crate::emulator) fn per_hour(region: &str, plan: &str) -> Option<f64> {
    plans::find(plan).map(|plan| plan.hourly(region))
}
