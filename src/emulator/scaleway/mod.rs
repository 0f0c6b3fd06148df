//! The face of Scaleway: its REST API over the same truth, physics, faults and ledger.

pub mod exchange;
pub mod ids;
