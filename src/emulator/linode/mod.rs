//! The face of Linode: its API v4 over the same truth, physics, faults and ledger.
//!
//! Reading order: `vendor`, `routes`, `problem`, then a file per kind of object. `details` is this face's own part of the
//! truth. Whatever takes its time on a Linode is a job: `jobs` has their queue, `events` what the account is told of them.

mod details;
mod events;
mod problem;
mod routes;
mod vendor;

pub use details::Details;
pub(in crate::emulator) use vendor::Linode;

/// Whether a region exists.
pub(in crate::emulator) fn has_region(_region: &str) -> bool {
    true
}

/// The price of a plan in a region per hour, if it is sold there.
pub(in crate::emulator) fn per_hour(_region: &str, _plan: &str) -> Option<f64> {
    Some(0.0075)
}
