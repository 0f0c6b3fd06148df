//! The reference specs, and what else differs between the vendors for whoever drives their emulators.

#[path = "../it/support/linode.rs"]
pub mod linode;
#[path = "../it/support/scaleway.rs"]
pub mod scaleway;
#[path = "../it/support/vendor.rs"]
pub mod vendor;
