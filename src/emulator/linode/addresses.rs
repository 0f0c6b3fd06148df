//! Addresses: every Linode has some; reserved ones are paid for, and outlive the Linode that has them.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::network::AddressDetails;
use super::problem::{invalid, not_found, refused};
use super::{regions, vpcs};
use crate::emulator::face::Answer;
use crate::emulator::objects::Server;
use crate::emulator::physics::Deed;
use crate::emulator::{RefusalKind, Truth};

/// The Linode of an id.
pub fn owner<'t>(truth: &'t Truth, id: &str) -> Option<&'t Server> {
    truth.servers.get(id)
}

/// The address that is written like this, if it is the account's.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, written: &str) -> Result<(Ipv4Addr, &'t AddressDetails), Answer> {
    let address = written.parse::<Ipv4Addr>().ok();
    let found = address.and_then(|address| Some((address, truth.linode.network.addresses.get(&address)?)));
    found.ok_or_else(not_found)
}

/// The addresses of a Linode: the public ones first, each sort in order.
pub fn of(truth: &Truth, linode: &str) -> Vec<Ipv4Addr> {
    let all = truth.linode.network.addresses.iter().filter(|(_, details)| details.linode.as_deref() == Some(linode));
    let mut found: Vec<(bool, Ipv4Addr)> = all.map(|(address, details)| (!details.public, *address)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, address)| address).collect()
}

/// Gives a Linode a new public address that goes with it.
///
/// Errors: there is none left.
pub fn allocate(deed: &mut Deed, region: &str, linode: &str) -> Result<Ipv4Addr, Answer> {
    let number = deed.next_address()?;
    let address = dotted(&deed.truth.dotted(number))?;
    Ok(enter(deed, address, region, linode, true))
}

/// The same for an address of the private network.
///
/// Errors: there is none left.
pub fn allocate_private(deed: &mut Deed, region: &str, linode: &str) -> Result<Ipv4Addr, Answer> {
    let address = next_private(&deed.truth)?;
    Ok(enter(deed, address, region, linode, false))
}

fn enter(deed: &mut Deed, address: Ipv4Addr, region: &str, linode: &str, public: bool) -> Ipv4Addr {
    let (region, linode) = (region.to_owned(), Some(linode.to_owned()));
    let details = AddressDetails { region, linode, public, reserved: None, rdns: None, shared_with: Vec::new() };
    deed.truth.linode.network.addresses.insert(address, details);
    address
}

/// Reserves a new address.
///
/// Errors: 400, if the region does not exist or the account may have no more.
pub fn reserve(deed: &mut Deed, region: &str, tags: Vec<String>) -> Result<Ipv4Addr, Answer> {
    if regions::find(region).is_none() {
        return Err(invalid("region", "region is not valid"));
    }
    let reserved = deed.reserve_address(region, tags).map_err(|refusal| match refusal.kind {
        RefusalKind::Quota => too_many_reserved(),
        _ => refusal.into(),
    })?;
    let address = dotted(&reserved.address)?;
    let (region, id) = (region.to_owned(), Some(reserved.id));
    let details = AddressDetails { region, linode: None, public: true, reserved: id, rdns: None, shared_with: Vec::new() };
    deed.truth.linode.network.addresses.insert(address, details);
    Ok(address)
}

/// 400: the account may reserve no more.
fn too_many_reserved() -> Answer {
    // The vendor writes two blanks.
    refused("Additional Reserved IPv4 addresses require technical justification.  Please contact support describing your requirement.")
}

/// Reserves an address that somebody has already, or gives up its reservation; unassigned, it is gone then.
///
/// Errors: as [`reserve`].
pub fn set_reserved(deed: &mut Deed, address: Ipv4Addr, wanted: bool) -> Result<(), Answer> {
    let Some(details) = deed.truth.linode.network.addresses.get(&address).cloned() else { return Err(not_found()) };
    match (&details.reserved, wanted) {
        (None, true) if !details.public => return Err(invalid("reserved", "Only public addresses can be reserved.")),
        (None, true) => {
            if deed.check_quota("address").is_err() {
                return Err(too_many_reserved());
            }
            let id = deed.enter_address(&details.region, address.to_string(), Vec::new()).id;
            hand_over(&mut deed.truth, &id, details.linode.as_deref());
            change(deed, address, |details| details.reserved = Some(id));
        }
        (Some(id), false) => {
            let id = id.clone();
            deed.release_address(&id)?;
            match details.linode {
                Some(_) => change(deed, address, |details| details.reserved = None),
                None => {
                    deed.truth.linode.network.addresses.remove(&address);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Gives a Linode an address: one that it does not have yet.
pub fn assign(deed: &mut Deed, address: Ipv4Addr, linode: &str) {
    change(deed, address, |details| {
        details.linode = Some(linode.to_owned());
        details.rdns = None;
    });
    if let Some(id) = deed.truth.linode.network.addresses.get(&address).and_then(|details| details.reserved.clone()) {
        hand_over(&mut deed.truth, &id, Some(linode));
    }
}

/// Gives a new Linode the one address that its owner reserved for it.
///
/// Errors: 400, if it is not one reserved, free address of the region.
pub fn take_reserved(deed: &mut Deed, written: &[String], region: &str, linode: &str) -> Result<(), Answer> {
    let single = || invalid("ipv4", "Must provide a single valid reserved ipv4 address");
    let [written] = written else { return Err(single()) };
    take_one(deed, written, region, linode, "ipv4")
}

/// Gives a new Linode an address that its owner reserved, and that a field of the body names.
///
/// Errors: 400, if it is not a reserved, free address of the region.
pub fn take_one(deed: &mut Deed, written: &str, region: &str, linode: &str, field: &str) -> Result<(), Answer> {
    let single = || invalid(field, "Must provide a single valid reserved ipv4 address");
    let (address, details) = find(&deed.truth, written).map_err(|_| single())?;
    if details.reserved.is_none() || details.region != region {
        return Err(single());
    }
    if details.linode.is_some() {
        return Err(invalid(field, "Address must be currently unassigned."));
    }
    assign(deed, address, linode);
    Ok(())
}

/// Takes an address from its Linode: a reserved one stays with the account.
pub fn unassign(deed: &mut Deed, address: Ipv4Addr) {
    let Some(details) = deed.truth.linode.network.addresses.get(&address).cloned() else { return };
    match details.reserved {
        Some(id) => {
            hand_over(&mut deed.truth, &id, None);
            change(deed, address, |details| {
                details.linode = None;
                details.rdns = None;
                details.shared_with.clear();
            });
        }
        None => {
            deed.truth.linode.network.addresses.remove(&address);
        }
    }
}

/// Lets go all that a Linode has, which is being deleted.
pub fn let_go(deed: &mut Deed, linode: &str) {
    for address in of(&deed.truth, linode) {
        unassign(deed, address);
    }
    let network = &mut deed.truth.linode.network;
    network.addresses.values_mut().for_each(|details| details.shared_with.retain(|other| other != linode));
    network.ranges.retain(|_, range| range.linode.as_deref() != Some(linode));
}

/// Tells the core who has a reserved address. The core knows one for each server.
fn hand_over(truth: &mut Truth, id: &str, linode: Option<&str>) {
    for server in truth.servers.values_mut().filter(|server| server.address.as_deref() == Some(id)) {
        server.address = None;
    }
    if let Some(server) = linode.and_then(|linode| truth.servers.get_mut(linode))
        && server.address.is_none()
    {
        server.address = Some(id.to_owned());
    }
    if let Some(address) = truth.addresses.get_mut(id) {
        address.server = linode.map(str::to_owned);
    }
}

fn change(deed: &mut Deed, address: Ipv4Addr, change: impl FnOnce(&mut AddressDetails)) {
    if let Some(details) = deed.truth.linode.network.addresses.get_mut(&address) {
        change(details);
    }
}

fn dotted(written: &str) -> Result<Ipv4Addr, Answer> {
    written.parse().map_err(|_| refused("No address is left."))
}

/// The next free address of the private network.
fn next_private(truth: &Truth) -> Result<Ipv4Addr, Answer> {
    let first = u32::from(Ipv4Addr::new(192, 168, 128, 2));
    let mut all = (first..u32::from(Ipv4Addr::new(192, 168, 255, 254))).map(Ipv4Addr::from);
    all.find(|address| !truth.linode.network.addresses.contains_key(address)).ok_or_else(|| refused("No address is left."))
}

/// The address as the API shows it.
pub fn shown(truth: &Truth, address: Ipv4Addr, details: &AddressDetails) -> Value {
    let [a, b, c, d] = address.octets();
    let linode = details.linode.as_ref().and_then(|id| truth.servers.get(id));
    let usual = || linode.filter(|_| details.public).map(|_| format!("{a}-{b}-{c}-{d}.ip.linodeusercontent.com"));
    json!({
        "address": address.to_string(),
        "gateway": details.public.then(|| format!("{a}.{b}.{c}.1")),
        "subnet_mask": if details.public { "255.255.255.0" } else { "255.255.128.0" },
        "prefix": if details.public { 24 } else { 17 },
        "type": "ipv4",
        "public": details.public,
        "rdns": details.rdns.clone().or_else(usual),
        "linode_id": linode.map(|server| number(&server.id)),
        "interface_id": null,
        "region": details.region,
        "vpc_nat_1_1": linode.map_or(Value::Null, |server| vpcs::behind(truth, &server.id, address)),
        "reserved": details.reserved.is_some(),
        "assigned_entity": linode.map(entity),
    })
}

/// The same with the tags of a reserved address.
pub fn shown_with_tags(truth: &Truth, address: Ipv4Addr, details: &AddressDetails) -> Value {
    let mut shown = shown(truth, address, details);
    let reserved = details.reserved.as_ref().and_then(|id| truth.addresses.get(id));
    shown["tags"] = json!(reserved.map(|address| address.tags.clone()).unwrap_or_default());
    shown
}

/// A Linode as what an address belongs to.
fn entity(server: &Server) -> Value {
    let id = number(&server.id);
    json!({"id": id, "type": "linode", "label": server.name, "url": format!("/v4/linode/instances/{id}")})
}

/// An id of the core as the API's number.
pub fn number(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}

/// The IPv6 address of a Linode, with the length of its prefix; empty if there is no such Linode.
pub fn slaac(truth: &Truth, linode: &str) -> String {
    owner(truth, linode).map(|server| format!("{}/128", slaac_of(server))).unwrap_or_default()
}

/// The IPv6 address that a Linode makes for itself, in the network of its region.
pub fn slaac_of(server: &Server) -> Ipv6Addr {
    let region = regions::find(&server.zone).map_or(0, |region| u16::try_from(region.number()).unwrap_or_default());
    let [one, two] = interface(server);
    Ipv6Addr::new(0x2001, 0xdb8, region, 0, 0xf03c, 0x95ff, one, two)
}

/// The two last parts of a Linode's own IPv6 addresses.
fn interface(server: &Server) -> [u16; 2] {
    let id = u32::try_from(number(&server.id)).unwrap_or(u32::MAX);
    let [a, b, c, d] = id.to_be_bytes();
    [u16::from_be_bytes([a, b]) | 0xfe00, u16::from_be_bytes([c, d])]
}

/// The IPv6 addresses of a Linode: the one it makes for itself, and the one on its link.
pub fn own_v6(server: &Server) -> [Value; 2] {
    let shown = |address: Ipv6Addr, public: bool| {
        json!({
            "address": address.to_string(),
            "gateway": "fe80::1",
            "subnet_mask": "ffff:ffff:ffff:ffff::",
            "prefix": 64,
            "type": "ipv6",
            "rdns": null,
            "linode_id": number(&server.id),
            "region": server.zone,
            "public": public,
        })
    };
    let [one, two] = interface(server);
    [shown(slaac_of(server), true), shown(Ipv6Addr::new(0xfe80, 0, 0, 0, 0xf03c, 0x95ff, one, two), false)]
}
