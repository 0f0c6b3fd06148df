//! `/networking/reserved/ips`: the addresses that the account keeps, whether a Linode has them or not.

use serde_json::Value;

use super::addresses::{find, reserve, set_reserved, shown_with_tags};
use super::input::Fields;
use super::listing::{self, list};
use super::networking_ips::tell;
use super::problem::{not_found, required};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};
use std::net::Ipv4Addr;

/// The endpoints.
pub const ROUTES: [Route; 5] = [
    look("/networking/reserved/ips", list_all),
    change("POST", "/networking/reserved/ips", create),
    look("/networking/reserved/ips/{id}", get),
    change("PUT", "/networking/reserved/ips/{id}", update),
    change("DELETE", "/networking/reserved/ips/{id}", delete),
];

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let addresses = truth.linode.network.addresses.iter().filter(|(_, details)| details.reserved.is_some());
    let rows: Vec<Value> = addresses.map(|(address, details)| shown_with_tags(truth, *address, details)).collect();
    list(args.request, &listing::RESERVED_IPS, rows)
}

/// Billed from now on.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let tags = fields.tags()?.unwrap_or_default();
    let region = fields.text("region")?.ok_or_else(|| required("region"))?;
    let address = reserve(deed, region, tags)?;
    tell(deed, address)
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let address = reserved(truth, args)?;
    let (address, details) = find(truth, &address.to_string())?;
    Ok(Answer::ok(shown_with_tags(truth, address, details)))
}

/// PUT: its tags.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let address = reserved(&deed.truth, args)?;
    let id = deed.truth.linode.network.addresses.get(&address).and_then(|details| details.reserved.clone());
    if let Some(tags) = fields.tags()?
        && let Some(found) = id.and_then(|id| deed.truth.addresses.get_mut(&id))
    {
        found.tags = tags;
    }
    tell(deed, address)
}

/// Gives it back; a Linode that has it keeps it as one that goes with the Linode.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let address = reserved(&deed.truth, args)?;
    set_reserved(deed, address, false)?;
    Ok(Answer::ok(serde_json::json!({})))
}

/// The address in the path, if it is reserved.
fn reserved(truth: &Truth, args: &Args) -> Result<Ipv4Addr, Answer> {
    let (address, details) = find(truth, args.id)?;
    if details.reserved.is_some() { Ok(address) } else { Err(not_found()) }
}
