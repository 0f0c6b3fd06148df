//! `/tags`: what objects of all kinds are marked with.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::addresses::shown_with_tags;
use super::input::Fields;
use super::listing::{self, list, page};
use super::problem::{invalid, not_found};
use super::{linodes, volumes};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 4] =
    [look("/tags", list_all), change("POST", "/tags", create), look("/tags/{id}", objects), change("DELETE", "/tags/{id}", delete)];

/// The tags of every object that may have some.
fn all(truth: &Truth) -> impl Iterator<Item = &Vec<String>> {
    let servers = truth.servers.values().map(|it| &it.tags);
    let storage = truth.volumes.values().map(|it| &it.tags).chain(truth.images.values().map(|it| &it.tags));
    let network = truth.firewalls.values().map(|it| &it.tags).chain(truth.addresses.values().map(|it| &it.tags));
    let domains = truth.linode.zones.domains.values().map(|it| &it.tags);
    servers.chain(storage).chain(network).chain(domains).chain([&truth.linode.account.tags])
}

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let tags: BTreeSet<&String> = all(truth).flatten().collect();
    list(args.request, &listing::TAGS, tags.into_iter().map(|tag| json!({"label": tag})).collect())
}

/// Marks objects with a tag, which may be new.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let label = fields.needed("label")?.to_owned();
    if !(3..=50).contains(&label.chars().count()) {
        return Err(invalid("label", "Length must be 3-50 characters"));
    }
    for key in ["linodes", "volumes", "domains", "reserved_ipv4_addresses", "nodebalancers"] {
        for object in fields.list(key)?.into_iter().flatten() {
            let id = object.as_str().map_or_else(|| object.to_string(), str::to_owned);
            let tags = tags_of(&mut deed.truth, key, &id).ok_or_else(|| invalid(key, &format!("{id} is not valid")))?;
            if !tags.contains(&label) {
                tags.push(label.clone());
                tags.sort_by_key(|tag| tag.to_lowercase());
            }
        }
    }
    if !deed.truth.linode.account.tags.contains(&label) {
        deed.truth.linode.account.tags.push(label.clone());
    }
    Ok(Answer::ok(json!({"label": label})))
}

fn tags_of<'t>(truth: &'t mut Truth, key: &str, id: &str) -> Option<&'t mut Vec<String>> {
    match key {
        "linodes" => truth.servers.get_mut(id).map(|it| &mut it.tags),
        "volumes" => truth.volumes.get_mut(id).map(|it| &mut it.tags),
        "domains" => truth.linode.zones.domains.get_mut(&id.parse().ok()?).map(|it| &mut it.tags),
        "reserved_ipv4_addresses" => truth.addresses.values_mut().find(|it| it.address == id).map(|it| &mut it.tags),
        _ => None,
    }
}

/// GET of one: the Linodes, volumes, domains and addresses that have it, each whole.
fn objects(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let is = |tag: &String| tag.eq_ignore_ascii_case(args.id);
    if !all(truth).flatten().any(is) {
        return Err(not_found());
    }
    let row = |kind: &str, data: Value| json!({"type": kind, "data": data});
    let mut rows = Vec::new();
    for server in truth.servers.values().filter(|it| it.tags.iter().any(is)) {
        rows.extend(truth.linode.linodes.get(&server.id).map(|details| row("linode", linodes::shown(truth, server, details))));
    }
    for volume in truth.volumes.values().filter(|it| it.tags.iter().any(is)) {
        rows.extend(truth.linode.volumes.get(&volume.id).map(|details| row("volume", volumes::shown(truth, volume, details))));
    }
    for (id, domain) in truth.linode.zones.domains.iter().filter(|(_, it)| it.tags.iter().any(is)) {
        rows.push(row("domain", domain.shown(*id)));
    }
    for (address, details) in &truth.linode.network.addresses {
        let reserved = details.reserved.as_ref().and_then(|id| truth.addresses.get(id));
        if reserved.is_some_and(|it| it.tags.iter().any(is)) {
            rows.push(row("reserved_ipv4_address", shown_with_tags(truth, *address, details)));
        }
    }
    page(args.request, rows, 1)
}

/// Takes a tag off everything.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let is = |tag: &String| tag.eq_ignore_ascii_case(args.id);
    let truth = &mut deed.truth;
    if !all(truth).flatten().any(is) {
        return Err(not_found());
    }
    truth.servers.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.volumes.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.images.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.firewalls.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.addresses.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.linode.zones.domains.values_mut().for_each(|it| it.tags.retain(|tag| !is(tag)));
    truth.linode.account.tags.retain(|tag| !is(tag));
    Ok(Answer::ok(json!({})))
}
