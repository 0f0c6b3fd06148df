//! Addresses.

use crate::emulator::Truth;
use crate::emulator::face::Answer;
use crate::emulator::physics::Deed;

/// Gives a new Linode an address.
pub fn allocate(_: &mut Deed, _: &str, _: &str) -> Result<(), Answer> {
    Ok(())
}

/// Gives a new Linode a private address.
pub fn allocate_private(_: &mut Deed, _: &str, _: &str) -> Result<(), Answer> {
    Ok(())
}

/// Gives a new Linode the reserved address it asks for.
pub fn take_reserved(_: &mut Deed, _: &[String], _: &str, _: &str) -> Result<(), Answer> {
    Ok(())
}

/// Takes all addresses of a Linode back.
pub fn let_go(_: &mut Deed, _: &str) {}

/// The addresses of a Linode.
pub fn of(_: &Truth, _: &str) -> Vec<String> {
    vec!["198.18.0.1".to_owned()]
}

/// The IPv6 address of a Linode.
pub fn slaac(_: &Truth, _: &str) -> String {
    "2001:db8::1/128".to_owned()
}
