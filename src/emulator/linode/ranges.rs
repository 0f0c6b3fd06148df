//! `/networking/ipv6/ranges`: whole networks for a Linode.

use serde_json::{Value, json};

use super::addresses::{number, owner, slaac_of};
use super::input::Fields;
use super::listing::{self, list};
use super::network::Range;
use super::problem::{invalid, not_found, refused};
use super::regions;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::Server;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 4] = [
    look("/networking/ipv6/ranges", list_all),
    change("POST", "/networking/ipv6/ranges", create),
    look("/networking/ipv6/ranges/{id}", get),
    change("DELETE", "/networking/ipv6/ranges/{id}", delete),
];

/// A range as lists show it.
pub fn shown(truth: &Truth, first: &str, range: &Range) -> Value {
    let target = range.linode.as_ref().and_then(|id| owner(truth, id)).map(|server| slaac_of(server).to_string());
    json!({"range": first, "region": range.region, "prefix": range.prefix, "route_target": target})
}

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let rows = truth.linode.network.ranges.iter().map(|(first, range)| shown(truth, first, range)).collect();
    list(args.request, &listing::RANGES, rows)
}

/// GET of one.
fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let range = truth.linode.network.ranges.get(args.id).ok_or_else(not_found)?;
    let linodes: Vec<u64> = range.linode.iter().map(|id| number(id)).collect();
    let range = json!({"range": args.id, "region": range.region, "prefix": range.prefix, "is_bgp": false, "linodes": linodes});
    Ok(Answer::ok(range))
}

/// POST: for the Linode of an id, or of an IPv6 address.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let prefix = fields.number("prefix_length")?.filter(|prefix| [56, 64].contains(prefix));
    let prefix = prefix.and_then(|prefix| u64::try_from(prefix).ok()).ok_or_else(|| invalid("prefix_length", "Must be one of 56, 64"))?;
    let truth = &deed.truth;
    let server = match (fields.number("linode_id")?, fields.text("route_target")?) {
        (Some(id), None) => owner(truth, &id.to_string()),
        (None, Some(target)) => truth.servers.values().find(|server| slaac_of(server).to_string() == target),
        _ => return Err(refused("Must provide one of linode_id or route_target")),
    };
    let Server { id, zone, .. } = server.ok_or_else(|| invalid("linode_id", "Linode not found."))?.clone();
    let region = regions::find(&zone).map_or(0, regions::Region::number);
    let mut free = (1..=0xff_u32).map(|place| format!("2001:db8:{:x}:{:x}::", 0x100 + region, place << 8));
    let first = free.find(|first| !truth.linode.network.ranges.contains_key(first)).ok_or_else(|| refused("No range is left."))?;
    let range = Range { region: zone, prefix, linode: Some(id) };
    let target = shown(truth, &first, &range)["route_target"].clone();
    deed.truth.linode.network.ranges.insert(first.clone(), range);
    Ok(Answer::ok(json!({"range": format!("{first}/{prefix}"), "route_target": target})))
}

fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    deed.truth.linode.network.ranges.remove(args.id).ok_or_else(not_found)?;
    Ok(Answer::ok(json!({})))
}
