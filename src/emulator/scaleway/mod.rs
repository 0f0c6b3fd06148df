//! The face of Scaleway: its REST API over the same truth, physics, faults and ledger.
//!
//! Reading order: `vendor`, `routes`, then a file per kind of object. `details` is this face's own part of
//! the truth, `changes` what happens by itself in it. What is for sale is in [`catalogue`], `types`, `offers` and
//! [`stock_images`].

mod actions;
mod addresses;
mod backups;
mod block_snapshots;
mod block_volumes;
pub mod catalogue;
mod changes;
mod create;
mod details;
mod disks;
mod groups;
mod images;
mod input;
pub mod keys;
mod local_snapshots;
mod local_volumes;
mod making;
pub mod marketplace;
mod moments;
mod mounted;
mod newer;
mod offers;
mod pages;
mod placement_groups;
mod private_nics;
pub mod products;
mod record_data;
pub mod records;
mod routes;
mod rules;
mod servers;
mod show;
pub mod stock_images;
#[cfg(test)]
mod tests;
pub mod types;
mod user_data;
mod vendor;
mod words;

use super::ids;

pub use changes::Change;
pub use details::Details;
pub(in crate::emulator) use mounted::{eur_per_hour, has_zone};
pub(in crate::emulator) use vendor::Scaleway;
