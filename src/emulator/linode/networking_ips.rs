//! `/networking/ips`: the addresses of the account, whoever has them.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::addresses::{self, find, own_v6, owner, set_reserved, shown_with_tags};
use super::domains::is_domain;
use super::events::{Entity, notify};
use super::input::Fields;
use super::listing::{self, list};
use super::problem::{invalid, not_found, refused, required};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 9] = [
    look("/networking/ips", list_all),
    change("POST", "/networking/ips", allocate),
    change("POST", "/networking/ips/assign", assign),
    change("POST", "/networking/ips/share", share),
    change("POST", "/networking/ipv4/assign", assign),
    change("POST", "/networking/ipv4/share", share),
    look("/networking/ips/{id}", get),
    change("PUT", "/networking/ips/{id}", update),
    look("/networking/ipv6/pools", pools),
];

/// GET: public addresses in order, then the IPv6 ones of Linodes.
fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let addresses = truth.linode.network.addresses.iter().filter(|(_, details)| details.public);
    let mut rows: Vec<Value> = addresses.map(|(address, details)| shown_with_tags(truth, *address, details)).collect();
    if args.request.first("skip_ipv6_rdns").is_none_or(|given| given != "true") {
        rows.extend(truth.servers.values().map(|server| {
            let [mut own, _] = own_v6(server);
            own["reserved"] = json!(false);
            own
        }));
    }
    list(args.request, &listing::IPS, rows)
}

/// GET of one: an IPv4 address, or the IPv6 address of a Linode.
fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    if let Ok((address, details)) = find(truth, args.id) {
        return Ok(Answer::ok(shown_with_tags(truth, address, details)));
    }
    let wanted: std::net::Ipv6Addr = args.id.parse().map_err(|_| not_found())?;
    let server = truth.servers.values().find(|server| addresses::slaac_of(server) == wanted).ok_or_else(not_found)?;
    let [own, _] = own_v6(server);
    Ok(Answer::ok(own))
}

/// PUT: its name, and whether it is reserved.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (address, _) = find(&deed.truth, args.id)?;
    change_address(deed, address, &fields)
}

/// Changes the name of an address, and whether it is reserved; the answer shows it as it is then, be it gone.
pub fn change_address(deed: &mut Deed, address: Ipv4Addr, fields: &Fields) -> Result<Answer, Answer> {
    let rdns = fields.text("rdns")?;
    let reserved = fields.flag("reserved")?;
    if rdns.is_some_and(|name| !is_reverse(name)) {
        return Err(invalid("rdns", "Domain is not valid."));
    }
    if let Some(details) = deed.truth.linode.network.addresses.get_mut(&address)
        && fields.has("rdns")
    {
        if rdns.is_some() && (details.linode.is_none() || !details.public) {
            return Err(invalid("rdns", "This address cannot have a reverse name."));
        }
        details.rdns = rdns.map(str::to_owned);
    }
    let before = find(&deed.truth, &address.to_string()).map(|(_, details)| shown_with_tags(&deed.truth, address, details))?;
    if let Some(reserved) = reserved {
        set_reserved(deed, address, reserved)?;
    }
    let written = address.to_string();
    notify(deed, "ipaddress_update", Some(Entity::new("ipaddress", &written, &written, &format!("/networking/ips/{written}"))), None);
    match find(&deed.truth, &written) {
        Ok((address, details)) => Ok(Answer::ok(shown_with_tags(&deed.truth, address, details))),
        Err(_) => {
            let mut gone = before;
            gone["reserved"] = json!(false);
            Ok(Answer::ok(gone))
        }
    }
}

/// Whether a name may lead back from an address.
fn is_reverse(name: &str) -> bool {
    !name.starts_with('*') && is_domain(name.strip_suffix('.').unwrap_or(name))
}

/// POST: one more address for a Linode, or a reserved one for a Linode or a region.
fn allocate(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    check_sort(&fields)?;
    let public = fields.flag("public")?.ok_or_else(|| required("public"))?;
    let (region, linode) = (fields.text("region")?, fields.number("linode_id")?);
    let reserved = fields.flag("reserved")?.unwrap_or(false);
    let Some(linode) = linode else {
        if !reserved {
            return Err(invalid("linode_id", "Linode is a required argument when not reserving an IP address."));
        }
        let region = region.ok_or_else(|| invalid("region", "Region is a required argument when reserving an IP address."))?;
        let address = addresses::reserve(deed, region, Vec::new())?;
        return tell(deed, address);
    };
    let server = owner(&deed.truth, &linode.to_string());
    let (id, place) = server.map(|server| (server.id.clone(), server.zone.clone())).ok_or_else(|| unknown_linode(linode))?;
    if region.is_some_and(|region| region != place) {
        return Err(invalid("region", "Region must be the region of the Linode."));
    }
    let address = new_address(deed, &place, &id, public)?;
    if reserved {
        set_reserved(deed, address, true)?;
    }
    note(deed, "linode_addip", &id);
    tell(deed, address)
}

/// One more address for a Linode.
pub fn new_address(deed: &mut Deed, region: &str, linode: &str, public: bool) -> Result<Ipv4Addr, Answer> {
    let allocate = if public { addresses::allocate } else { addresses::allocate_private };
    allocate(deed, region, linode)
}

/// The answer that shows an address.
pub fn tell(deed: &Deed, address: Ipv4Addr) -> Result<Answer, Answer> {
    let (address, details) = find(&deed.truth, &address.to_string())?;
    Ok(Answer::ok(shown_with_tags(&deed.truth, address, details)))
}

/// Tells the account of a change to the addresses of a Linode.
pub fn note(deed: &mut Deed, action: &str, linode: &str) {
    let entity =
        owner(&deed.truth, linode).map(|server| Entity::new("linode", linode, &server.name, &format!("/linode/instances/{linode}")));
    notify(deed, action, entity, None);
}

/// Only IPv4 addresses are given out.
pub fn check_sort(fields: &Fields) -> Result<(), Answer> {
    match fields.needed("type")? {
        "ipv4" => Ok(()),
        _ => Err(invalid("type", "type is not valid")),
    }
}

fn unknown_linode(id: i64) -> Answer {
    refused(&format!("Invalid Linode ID {id}"))
}

/// POST `assign`: hands addresses from Linode to Linode, all of them or none.
fn assign(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let region = fields.needed("region")?.to_owned();
    if super::regions::find(&region).is_none() {
        return Err(invalid("region", "region is not valid"));
    }
    let assignments = fields.list("assignments")?.ok_or_else(|| required("assignments"))?;
    let mut givers = Vec::new();
    for (place, assignment) in assignments.iter().enumerate() {
        let one = Fields::within(assignment, &format!("assignments[{place}]"))?;
        let linode = one.number("linode_id")?.ok_or_else(|| required(&one.path("linode_id")))?;
        let (address, details) = find(&deed.truth, one.needed("address")?).map_err(|_| refused("IP Address not found."))?;
        let details = details.clone();
        let server = owner(&deed.truth, &linode.to_string()).ok_or_else(|| unknown_linode(linode))?;
        if details.region != region || server.zone != region {
            return Err(refused("All addresses and Linodes must be in the region of the request."));
        }
        let taker = server.id.clone();
        givers.extend(details.linode.filter(|giver| *giver != taker));
        addresses::assign(deed, address, &taker);
        note(deed, "linode_addip", &taker);
    }
    let is_public = |deed: &Deed, address: &Ipv4Addr| deed.truth.linode.network.addresses.get(address).is_some_and(|it| it.public);
    for giver in givers {
        if !addresses::of(&deed.truth, &giver).iter().any(|address| is_public(deed, address)) {
            return Err(refused(&format!("Linode {giver} must keep at least one public IPv4 address.")));
        }
        note(deed, "linode_deleteip", &giver);
    }
    Ok(Answer::ok(json!({})))
}

/// POST `share`: the addresses that a Linode may take over from others; those not named are shared no more.
fn share(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let linode = fields.number("linode_id")?.ok_or_else(|| required("linode_id"))?;
    let server = owner(&deed.truth, &linode.to_string()).ok_or_else(|| unknown_linode(linode))?;
    let (id, region) = (server.id.clone(), server.zone.clone());
    let mut wanted = Vec::new();
    for written in fields.texts("ips")?.ok_or_else(|| required("ips"))? {
        let (address, details) = find(&deed.truth, &written).map_err(|_| refused("IP Address not found."))?;
        if details.region != region || !details.public || details.linode.as_deref() == Some(&id) {
            return Err(invalid("ips", "Only public addresses of other Linodes in the same region can be shared."));
        }
        wanted.push(address);
    }
    for (address, details) in &mut deed.truth.linode.network.addresses {
        details.shared_with.retain(|other| *other != id);
        if wanted.contains(address) {
            details.shared_with.push(id.clone());
        }
    }
    Ok(Answer::ok(json!({})))
}

/// GET `ipv6/pools`: the account has none.
fn pools(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::RANGES, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reverse_name_is_a_domain() {
        for good in ["192.0.2.0.nip.io", "a.example.com", "a-b.example.com."] {
            assert!(is_reverse(good), "{good}");
        }
        for wrong in ["sample rdns", "example", "", ".", "*.example.com", "-a.example.com", "a..b", &format!("{}.com", "a".repeat(64))] {
            assert!(!is_reverse(wrong), "{wrong}");
        }
    }
}
