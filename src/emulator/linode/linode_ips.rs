//! `/linode/instances/{id}/ips`: the addresses of one Linode.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::addresses::{self, assign, find, own_v6, owner, shown, shown_with_tags};
use super::input::Fields;
use super::networking_ips::{change_address, check_sort, new_address, note, tell};
use super::problem::{invalid, not_found, refused, required};
use super::vpcs;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 5] = [
    look("/linode/instances/{id}/ips", list_all),
    change("POST", "/linode/instances/{id}/ips", add),
    look("/linode/instances/{id}/ips/{key}", get),
    change("PUT", "/linode/instances/{id}/ips/{key}", update),
    change("DELETE", "/linode/instances/{id}/ips/{key}", remove),
];

/// GET: all of them, by what they are.
fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let server = owner(truth, args.id).ok_or_else(not_found)?;
    let network = &truth.linode.network;
    let sort = |public: bool| -> Vec<Value> {
        let own = network.addresses.iter().filter(|(_, details)| details.public == public && details.linode.as_ref() == Some(&server.id));
        own.map(|(address, details)| shown(truth, *address, details)).collect()
    };
    let shared = network.addresses.iter().filter(|(_, details)| details.shared_with.contains(&server.id));
    let shared: Vec<Value> = shared.map(|(address, details)| shown(truth, *address, details)).collect();
    let ranges = network.ranges.iter().filter(|(_, range)| range.linode.as_ref() == Some(&server.id));
    let ranges: Vec<Value> = ranges.map(|(first, range)| super::ranges::shown(truth, first, range)).collect();
    let [slaac, link_local] = own_v6(server);
    Ok(Answer::ok(json!({
        "ipv4": {"public": sort(true), "private": sort(false), "shared": shared, "reserved": [], "vpc": vpcs::entries(truth, &server.id)},
        "ipv6": {"slaac": slaac, "link_local": link_local, "global": ranges, "vpc": []},
    })))
}

/// POST: one more address, or a reserved one that nobody has.
fn add(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let server = owner(&deed.truth, args.id).ok_or_else(not_found)?;
    let (id, region) = (server.id.clone(), server.zone.clone());
    check_sort(&fields)?;
    let public = fields.flag("public")?.ok_or_else(|| required("public"))?;
    let address = match fields.text("address")? {
        Some(written) => {
            let (address, details) = find(&deed.truth, written).map_err(|_| invalid("address", "Must provide a valid reserved address"))?;
            if details.reserved.is_none() || details.linode.is_some() {
                return Err(invalid("address", "Address must be reserved and must be currently unassigned."));
            }
            if details.region != region {
                return Err(invalid("address", "Address must belong to same region as linode."));
            }
            assign(deed, address, &id);
            address
        }
        None => new_address(deed, &region, &id, public)?,
    };
    note(deed, "linode_addip", &id);
    tell(deed, address)
}

/// The address in the path, if the Linode in the path has it.
fn own(truth: &Truth, args: &Args) -> Result<Ipv4Addr, Answer> {
    owner(truth, args.id).ok_or_else(not_found)?;
    let (address, details) = find(truth, args.key)?;
    if details.linode.as_deref() == Some(args.id) { Ok(address) } else { Err(not_found()) }
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let address = own(truth, args)?;
    let (address, details) = find(truth, &address.to_string())?;
    Ok(Answer::ok(shown_with_tags(truth, address, details)))
}

fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let address = own(&deed.truth, args)?;
    change_address(deed, address, &fields)
}

/// DELETE: a reserved one stays with the account. One public address must be left.
fn remove(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let address = own(&deed.truth, args)?;
    let is_public = |address: &Ipv4Addr| deed.truth.linode.network.addresses.get(address).is_some_and(|details| details.public);
    let public = addresses::of(&deed.truth, args.id).into_iter().filter(is_public).count();
    if is_public(&address) && public == 1 {
        return Err(refused("Linodes must have at least one public IP address assigned"));
    }
    addresses::unassign(deed, address);
    note(deed, "linode_deleteip", args.id);
    Ok(Answer::ok(json!({})))
}
