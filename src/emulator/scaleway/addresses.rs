//! Reserved addresses: they are found by id and by address, and have no name.

use std::net::Ipv6Addr;

use serde_json::{Value, json};

use super::changes::{Change, notice, take_up_address};
use super::details::{AddressDetails, organization};
use super::ids::{fold, is_uuid};
use super::input::{Fields, invalid, patched_tags};
use super::pages::header_page;
use super::{servers, show};
use crate::emulator::face::Args;
use crate::emulator::face::{Answer, Body, Request};
use crate::emulator::objects::{Address, ServerState};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The address of this id, or this address, in a zone.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Address, &'t AddressDetails), Answer> {
    let by_id = truth.addresses.get(id);
    let found = by_id.or_else(|| truth.addresses.values().find(|address| address.address == id));
    let found = found.filter(|address| address.zone == zone);
    let pair = found.and_then(|address| Some((address, truth.scaleway.addresses.get(&address.id)?)));
    pair.ok_or_else(|| {
        let named = if is_uuid(id) || id.contains('/') { id.to_owned() } else { format!("{id}/32") };
        Answer::not_found("instance_ip", &named)
    })
}

/// The address object, bare.
fn shown(truth: &Truth, address: &Address, details: &AddressDetails) -> Value {
    let server = address.server.as_ref().and_then(|id| truth.servers.get(id));
    let server = server.map(|server| (server.id.clone(), server.name.clone())).or_else(|| details.leaving.clone());
    let state = if server.is_some() { "attached" } else { "detached" };
    let is_v6 = details.prefix.is_some();
    json!({
        "id": address.id,
        "address": (!is_v6).then_some(&address.address),
        "prefix": details.prefix,
        "reverse": details.reverse,
        "server": server.map(|(id, name)| json!({"id": id, "name": name})),
        "organization": organization(truth),
        "project": details.project,
        "zone": address.zone,
        "type": if is_v6 { "routed_ipv6" } else { "routed_ipv4" },
        "state": state,
        "tags": address.tags,
        "ipam_id": address.id,
    })
}

fn answer(truth: &Truth, zone: &str, id: &str, status: u16) -> Result<Answer, Answer> {
    let (address, details) = find(truth, zone, id)?;
    Ok(Answer::json(status, json!({"ip": shown(truth, address, details)})))
}

/// GET `ips/{id or address}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args.zone, args.id, 200)
}

/// GET `ips`, the newest first.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let mut found: Vec<&Address> = truth.addresses.values().filter(|address| address.zone == args.zone).collect();
    found.retain(|address| show::is_listed(truth, now, address.created) && show::has_all(&address.tags, &tags));
    found.sort_by_key(|address| -address.created.0);
    let objects = found.into_iter().filter_map(|it| Some(shown(truth, it, truth.scaleway.addresses.get(&it.id)?)));
    let is = |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key] == wanted);
    let like = |item: &Value, name: &str| {
        item["address"].as_str().is_some_and(|it| it.contains(name)) || item["prefix"].as_str().is_some_and(|it| it.contains(name))
    };
    let wanted =
        |item: &Value| ["project", "type"].iter().all(|key| is(item, key)) && request.filter("name").is_none_or(|name| like(item, name));
    Ok(header_page(request, "ips", "/ips", objects.filter(wanted).collect()))
}

/// POST `ips`: billed from now on.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let kind = fields.word("type")?.unwrap_or("routed_ipv4");
    if !["routed_ipv4", "routed_ipv6"].contains(&kind) {
        return Err(invalid("type", "constraint", "not a valid value"));
    }
    if deed.check_quota("address").is_err() {
        return Err(Answer::quota_exceeded("ips"));
    }
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let mut address = deed.reserve_address(args.zone, fields.texts("tags")?.unwrap_or_default())?;
    let prefix = (kind == "routed_ipv6").then(|| {
        let number = fold(deed.truth.seed, &["prefix", &address.id]);
        format!("2001:db8:{:x}:{:x}::/64", number >> 48, (number >> 32) & 0xffff)
    });
    if let Some(prefix) = &prefix {
        address.address.clone_from(prefix);
        deed.close_bills(&address.id); // Addresses of this kind cost nothing.
        deed.truth.addresses.insert(address.id.clone(), address.clone());
    }
    let details = AddressDetails { project, prefix, reverse: None, pending: false, leaving: None };
    deed.truth.scaleway.addresses.insert(address.id.clone(), details);
    if let Some(server) = fields.word("server")? {
        servers::find(&deed.truth, args.zone, server)?;
        give(deed, server, &address.id)?;
    }
    let location = format!("/instance/v1/zones/{}/ips/{}", args.zone, address.id);
    Ok(answer(&deed.truth, args.zone, &address.id, 201)?.with("location", location))
}

/// PATCH `ips/{id or address}`: `server: null` takes it back from its server.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (address, _) = find(&deed.truth, args.zone, args.id)?;
    let (id, owner) = (address.id.clone(), address.server.clone());
    if let Some(tags) = patched_tags(&fields)?
        && let Some(address) = deed.truth.addresses.get_mut(&id)
    {
        address.tags = tags;
    }
    if let Some(reverse) = fields.word("reverse")?
        && !resolves(&deed.truth, reverse, &id)
    {
        let help = "Your reverse must resolve. Ensure the command 'dig +short' matches your IP address.";
        return Err(invalid("reverse", "constraint", help));
    }
    if fields.is_null("reverse") || fields.get("reverse").is_some() {
        let reverse = fields.word("reverse")?.map(str::to_owned);
        if let Some(details) = deed.truth.scaleway.addresses.get_mut(&id) {
            details.reverse = reverse;
        }
    }
    if fields.is_null("server") {
        take_back(deed, &id);
    } else if let Some(server) = fields.word("server")?
        && owner.as_deref() != Some(server)
    {
        servers::find(&deed.truth, args.zone, server)?;
        give(deed, server, &id)?;
    }
    answer(&deed.truth, args.zone, &id, 200)
}

/// Whether a record of ours has a name lead to an address.
fn resolves(truth: &Truth, name: &str, id: &str) -> bool {
    let Some(address) = truth.addresses.get(id).map(|address| address.address.as_str()) else { return false };
    // Of a network, any address will do.
    let network = address.strip_suffix("::/64").map(|network| format!("{network}::")).and_then(|network| network.parse().ok());
    let kind = if network.is_some() { "AAAA" } else { "A" };
    let leads = |data: &Value| match (network, data.as_str().map(str::parse::<Ipv6Addr>)) {
        (Some(network), Some(Ok(found))) => network_of(found) == network_of(network),
        (Some(_), _) => false,
        (None, _) => data == address,
    };
    let name = name.trim_end_matches('.');
    let cuts = name.match_indices('.').map(|(at, _)| (&name[..at], &name[at + 1..])).chain([("", name)]);
    cuts.into_iter().any(|(host, zone)| {
        let query = [("name", host), ("type", kind)].map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let request = Request { query, ..Request::default() };
        let answer = truth.scaleway.records.read(&request, &["dns-zones", zone, "records"], "", truth.seed, truth.latest);
        let Body::Json(body) = answer.body else { return false };
        body["records"].as_array().into_iter().flatten().any(|record| leads(&record["data"]))
    })
}

/// The number of the network (/64) that an address is in.
fn network_of(address: Ipv6Addr) -> u128 {
    address.to_bits() >> 64
}

/// DELETE `ips/{id or address}`, be it attached or not.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (address, _) = find(&deed.truth, args.zone, args.id)?;
    let id = address.id.clone();
    take_back(deed, &id);
    deed.release_address(&id)?;
    deed.truth.scaleway.addresses.remove(&id);
    Ok(Answer::empty(204))
}

/// Gives an address to a server; a running guest needs a moment to take it up.
pub fn give(deed: &mut Deed, server: &str, ip: &str) -> Result<(), Answer> {
    let Some(core) = deed.truth.servers.get(server).cloned() else { return Err(Answer::not_found("instance_server", server)) };
    if deed.truth.addresses.get(ip).is_some_and(|address| address.server.is_some()) {
        let help = format!("ip {ip} is attached to another server");
        return Err(Answer::precondition(400, "resource_still_in_use", &help));
    }
    deed.take_address(&core, ip)?;
    if let Some(details) = deed.truth.scaleway.addresses.get_mut(ip) {
        details.leaving = None;
    }
    let is_first_v4 = deed.truth.scaleway.addresses.get(ip).is_some_and(|it| it.prefix.is_none());
    if let Some(details) = deed.truth.scaleway.servers.get_mut(server) {
        details.public_ips.push(ip.to_owned());
        if is_first_v4 {
            details.dynamic = None; // A reserved address takes the place of the server's own.
        }
    }
    note_first(deed, server);
    if core.state == ServerState::Running {
        take_up_address(deed, ip);
    }
    Ok(())
}

/// Takes an address back from whatever server has it.
pub fn take_back(deed: &mut Deed, ip: &str) {
    let Some(address) = deed.truth.addresses.get_mut(ip) else { return };
    let Some(server) = address.server.take() else { return };
    if let Some(details) = deed.truth.scaleway.addresses.get_mut(ip) {
        details.pending = false;
    }
    if let Some(details) = deed.truth.scaleway.servers.get_mut(&server) {
        details.public_ips.retain(|id| id != ip);
    }
    note_first(deed, &server);
}

/// Takes all addresses from a server that is about to go; they learn it a little later.
pub fn take_all_back(deed: &mut Deed, server: &str) {
    let Some(details) = deed.truth.scaleway.servers.get(server) else { return };
    let name = deed.truth.servers.get(server).map(|server| server.name.clone()).unwrap_or_default();
    for ip in details.public_ips.clone() {
        take_back(deed, &ip);
        if let Some(details) = deed.truth.scaleway.addresses.get_mut(&ip) {
            details.leaving = Some((server.to_owned(), name.clone()));
        }
        notice(deed, Change::Left(ip));
    }
}

/// The core knows one address of a server, the first.
fn note_first(deed: &mut Deed, server: &str) {
    let first = deed.truth.scaleway.servers.get(server).and_then(|details| details.public_ips.first().cloned());
    if let Some(server) = deed.truth.servers.get_mut(server) {
        server.address = first;
    }
}
