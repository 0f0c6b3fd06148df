//! Scaleway, end to end: the real binary against an emulator of Scaleway's API, over HTTP.
//!
//! - `lifecycle`: the reference lifecycle, its calls counted, every byte back;
//! - `wire`: the order on the wire on the way to the archive; `hasty`: hands without one of its waits break it;
//! - `errors`: what people meet, word by word;
//! - `account`: whose key;
//! - `cost`: how few requests a plan takes, for one instance and for a hundred;
//! - `stories`: names, strangers, other zones, protection, orphans;
//! - `crowds`: killed at any instant, two who apply at once;
//! - `weather`: seeded lifecycles with faults.

mod account;
mod cost;
mod crowds;
mod errors;
mod hasty;
mod lifecycle;
mod stories;
mod weather;
mod wire;

use crate::{support::scaleway::SCALEWAY, vendors::Trial};

/// While archived there are snapshots in place of disks.
static TRIAL: Trial = Trial { vendor: &SCALEWAY, stands: |state| if state == "absent" { (0, 0) } else { (1, 2) } };
