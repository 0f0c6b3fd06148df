//! Firewalls.

use serde_json::Value;

use crate::emulator::Truth;
use crate::emulator::face::Answer;
use crate::emulator::physics::Deed;

/// Puts a Linode behind a firewall.
pub fn protect(_: &mut Deed, _: u64, _: &str) -> Result<(), Answer> {
    Ok(())
}

/// The firewall of what is new.
pub fn default_for(_: &Truth, _: &str) -> Option<u64> {
    None
}

/// The firewalls of a Linode.
pub fn of(_: &Truth, _: &str) -> Vec<Value> {
    Vec::new()
}

/// Takes a Linode out of all firewalls.
pub fn forget(_: &mut Deed, _: &str) {}
