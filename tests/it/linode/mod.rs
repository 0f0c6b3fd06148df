//! Linode, end to end: the real binary against an emulator of Linode's API, over HTTP.
//!
//! - `lifecycle`: the reference lifecycle, its calls counted, every byte back;
//! - `account`: where the token is found, and that it is told nowhere;
//! - `crowds`: killed at any instant, two who apply at once;
//! - `hasty`: hands with one of their waits taken out break the order on the wire;
//! - `limits`: large images, sold out plans, no reserved addresses, no events, many calls;
//! - `stories`: names, strangers in the console, regions;
//! - `wire`: every request against the vendor's own description of its API;
//! - `weather`: seeded lifecycles with faults.

mod account;
mod crowds;
mod hasty;
mod lifecycle;
mod limits;
mod stories;
mod weather;
mod wire;

use crate::{support::linode::LINODE, vendors::Trial};

/// The root disk is the Linode's own, and no volume; the data disk stays while archived.
static TRIAL: Trial = Trial { vendor: &LINODE, stands: |state| if state == "absent" { (0, 1) } else { (1, 1) } };
