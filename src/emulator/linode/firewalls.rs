//! `/networking/firewalls`.

use serde_json::{Value, json};

use super::addresses::{number, owner};
use super::devices::{self, add_device, interface_entity, linode_entity};
use super::events::{Entity, notify};
use super::firewall_rules::within;
use super::input::Fields;
use super::listing::{self, list};
use super::moments::stamp;
use super::network::{FirewallDetails, RuleSet};
use super::problem::{invalid, not_found, over_quota, required};
use super::{label, linodes, network::Device};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::Firewall;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 9] = [
    look("/networking/firewalls", list_all),
    change("POST", "/networking/firewalls", create),
    look("/networking/firewalls/{id}", get),
    change("PUT", "/networking/firewalls/{id}", update),
    change("DELETE", "/networking/firewalls/{id}", delete),
    look("/networking/firewalls/{id}/rules", rules),
    change("PUT", "/networking/firewalls/{id}/rules", replace_rules),
    look("/networking/firewalls/{id}/history", history),
    look("/networking/firewalls/{id}/history/rules/{key}", former_rules),
];

/// The firewall of an id.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, id: &str) -> Result<(&'t Firewall, &'t FirewallDetails), Answer> {
    let pair = truth.firewalls.get(id).and_then(|firewall| Some((firewall, truth.linode.network.firewalls.get(id)?)));
    pair.ok_or_else(not_found)
}

/// As the API shows it.
pub fn shown(truth: &Truth, firewall: &Firewall, details: &FirewallDetails) -> Value {
    let entity = |device: &Device| match device.interface {
        Some(interface) => interface_entity(truth, &device.linode, interface),
        None => linode_entity(truth, &device.linode),
    };
    json!({
        "id": number(&firewall.id),
        "label": firewall.name,
        "created": stamp(firewall.created),
        "updated": stamp(details.updated),
        "status": if details.enabled { "enabled" } else { "disabled" },
        "rules": details.rules.shown(details.version),
        "tags": firewall.tags,
        "entities": details.devices.iter().map(entity).collect::<Vec<_>>(),
    })
}

/// The firewalls of a Linode, as the API shows them.
pub fn of(truth: &Truth, linode: &str) -> Vec<Value> {
    let all = truth.linode.network.firewalls.iter();
    let protecting = all.filter(|(_, details)| details.devices.iter().any(|device| device.linode == linode));
    protecting.filter_map(|(id, details)| Some(shown(truth, truth.firewalls.get(id)?, details))).collect()
}

/// A firewall as what an event is about.
pub fn entity(truth: &Truth, id: &str) -> Option<Entity> {
    truth.firewalls.get(id).map(|firewall| Entity::new("firewall", id, &firewall.name, &format!("/networking/firewalls/{id}")))
}

fn list_all(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let listed = |firewall: &&Firewall| linodes::is_listed(truth, now, firewall.created);
    let rows = truth
        .firewalls
        .values()
        .filter(listed)
        .filter_map(|firewall| Some(shown(truth, firewall, truth.linode.network.firewalls.get(&firewall.id)?)));
    list(args.request, &listing::FIREWALLS, rows.collect())
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (firewall, details) = find(truth, args.id)?;
    Ok(Answer::ok(shown(truth, firewall, details)))
}

/// Refuses a label that another firewall has, or that none may have.
fn check_label(truth: &Truth, label: &str, own: &str) -> Result<(), Answer> {
    label::check_length(label, 3, 32)?;
    label::check_linode(label)?;
    if truth.firewalls.values().any(|firewall| firewall.id != own && firewall.name.eq_ignore_ascii_case(label)) {
        return Err(invalid("label", "Label must be unique among your Cloud Firewalls"));
    }
    Ok(())
}

/// With its rules, and with Linodes behind it if they are named.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = fields.needed("label")?.to_owned();
    check_label(&deed.truth, &name, "")?;
    let rules = within(&fields, "rules")?;
    let tags = fields.tags()?.unwrap_or_default();
    deed.check_quota("firewall").map_err(|_| over_quota())?;
    let id = deed.mint("firewall");
    let created = deed.tick();
    let core = Firewall { id: id.clone(), zone: String::new(), name, rules: rules.lets_in(), created, tags };
    let details = FirewallDetails { enabled: true, updated: created, rules, version: 1, devices: Vec::new(), history: Vec::new() };
    deed.truth.firewalls.insert(id.clone(), core);
    deed.truth.linode.network.firewalls.insert(id.clone(), details);
    notify(deed, "firewall_create", entity(&deed.truth, &id), None);
    if let Some(wanted) = fields.object("devices")? {
        for (key, kind) in [("linodes", "linode"), ("nodebalancers", "nodebalancer"), ("linode_interfaces", "linode_interface")] {
            for device in wanted.list(key)?.map(Vec::as_slice).unwrap_or_default() {
                let device = device.as_u64().ok_or_else(|| invalid(&wanted.path(key), "Must be of type Integer"))?;
                add_device(deed, &id, kind, device)?;
            }
        }
    }
    get(&deed.truth, deed.now, &Args { id: &id, ..*args })
}

/// PUT: its label and tags, and whether it does anything.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (firewall, details) = find(&deed.truth, args.id)?;
    let (mut firewall, mut details) = (firewall.clone(), details.clone());
    if let Some(label) = fields.text("label")? {
        check_label(&deed.truth, label, args.id)?;
        label.clone_into(&mut firewall.name);
    }
    if let Some(tags) = fields.tags()? {
        firewall.tags = tags;
    }
    let before = details.enabled;
    match fields.text("status")? {
        None => {}
        Some("enabled") => {
            for device in &details.devices {
                devices::check_free(&deed.truth, args.id, device)?;
            }
            details.enabled = true;
        }
        Some("disabled") => details.enabled = false,
        Some(_) => return Err(invalid("status", "Must be one of enabled, disabled")),
    }
    details.updated = deed.tick();
    let action = match (before, details.enabled) {
        (false, true) => "firewall_enable",
        (true, false) => "firewall_disable",
        _ => "firewall_update",
    };
    deed.truth.firewalls.insert(firewall.id.clone(), firewall);
    deed.truth.linode.network.firewalls.insert(args.id.to_owned(), details);
    devices::tell_core(deed, args.id);
    notify(deed, action, entity(&deed.truth, args.id), None);
    get(&deed.truth, deed.now, args)
}

/// What stands behind it is open to all afterwards.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.id)?;
    let network = &mut deed.truth.linode.network;
    let id = number(args.id);
    if network.default_firewalls.all().contains(&Some(id)) {
        return Err(super::problem::refused("This Firewall is a default Firewall and cannot be deleted."));
    }
    let about = entity(&deed.truth, args.id);
    deed.truth.linode.network.firewalls.remove(args.id);
    devices::tell_core(deed, args.id);
    deed.truth.firewalls.remove(args.id);
    notify(deed, "firewall_delete", about, None);
    Ok(Answer::ok(json!({})))
}

fn rules(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.id)?;
    Ok(Answer::ok(details.rules.shown(details.version)))
}

/// PUT `rules`: all of them at once.
fn replace_rules(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.id)?;
    let rules = RuleSet::read(&fields)?;
    let now = deed.tick();
    if let Some(firewall) = deed.truth.firewalls.get_mut(args.id) {
        firewall.rules = rules.lets_in();
    }
    if let Some(details) = deed.truth.linode.network.firewalls.get_mut(args.id)
        && details.rules != rules
    {
        let former = std::mem::replace(&mut details.rules, rules);
        details.history.push((details.version, details.updated, former));
        details.version += 1;
        details.updated = now;
    }
    notify(deed, "firewall_rules_update", entity(&deed.truth, args.id), None);
    self::rules(&deed.truth, deed.now, args)
}

/// GET `history`: every set of rules it had, the newest first.
fn history(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.id)?;
    let row = |version: u64, updated: Moment, status: &str, rules: &RuleSet| json!({"updated": stamp(updated), "status": status, "rules": {"version": version, "fingerprint": rules.fingerprint()}});
    let status = if details.enabled { "enabled" } else { "disabled" };
    let present = row(details.version, details.updated, status, &details.rules);
    let former = details.history.iter().rev().map(|(version, updated, rules)| row(*version, *updated, "enabled", rules));
    listing::page(args.request, [present].into_iter().chain(former).collect(), 1)
}

/// GET `history/rules/{version}`.
fn former_rules(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.id)?;
    let wanted: u64 = args.key.parse().map_err(|_| not_found())?;
    if wanted == details.version {
        return Ok(Answer::ok(details.rules.shown(wanted)));
    }
    let found = details.history.iter().find(|(version, ..)| *version == wanted).ok_or_else(not_found)?;
    Ok(Answer::ok(found.2.shown(wanted)))
}

/// The firewall behind which a new object of a sort comes that names none: `linode`, `public_interface`, `vpc_interface`.
pub fn default_for(truth: &Truth, sort: &str) -> Option<u64> {
    let defaults = truth.linode.network.default_firewalls;
    match sort {
        "linode" => defaults.linode,
        "public_interface" => defaults.public_interface,
        "vpc_interface" => defaults.vpc_interface,
        _ => defaults.nodebalancer,
    }
}

/// Has a new Linode come behind a firewall.
///
/// Errors: 400, if there is none of this id.
pub fn protect(deed: &mut Deed, firewall: u64, linode: &str) -> Result<(), Answer> {
    let id = firewall.to_string();
    find(&deed.truth, &id).map_err(|_| invalid("firewall_id", "firewall_id is not valid"))?;
    add_device(deed, &id, "linode", number(linode)).map(drop)
}

/// Has every interface of a new Linode come behind the firewall that it names, or else behind the usual one of its sort.
///
/// Errors: 400, if there is no such firewall, or none at all and that is not said to be wished (`-1`).
pub fn protect_interfaces(deed: &mut Deed, linode: &str) -> Result<(), Answer> {
    let interfaces = deed.truth.linode.linodes.get(linode).map(|details| details.interfaces.clone()).unwrap_or_default();
    for (place, interface) in interfaces.iter().enumerate() {
        let path = format!("interfaces[{place}]");
        let fields = Fields::within(interface, &path)?;
        let usual = match interface {
            interface if interface["public"].is_object() => default_for(&deed.truth, "public_interface"),
            interface if interface["vpc"].is_object() => default_for(&deed.truth, "vpc_interface"),
            // No firewall stands before a VLAN.
            _ => continue,
        };
        let field = format!("{path}.firewall_id");
        let firewall = match fields.number("firewall_id")? {
            Some(-1) => continue,
            Some(firewall) => u64::try_from(firewall).ok(),
            None => Some(usual.ok_or_else(|| required(&field))?),
        };
        let id = firewall.map(|firewall| firewall.to_string()).unwrap_or_default();
        find(&deed.truth, &id).map_err(|_| invalid(&field, "firewall_id is not valid"))?;
        let number = deed.mint("interface").parse().unwrap_or_default();
        if let Some(details) = deed.truth.linode.linodes.get_mut(linode) {
            details.interfaces[place]["id"] = json!(number);
        }
        add_device(deed, &id, "linode_interface", number)?;
    }
    Ok(())
}

/// Forgets a Linode that is gone, or whose interfaces are.
pub fn forget(deed: &mut Deed, linode: &str) {
    for details in deed.truth.linode.network.firewalls.values_mut() {
        details.devices.retain(|device| device.linode != linode);
    }
    if let Some(server) = owner(&deed.truth, linode).map(|server| server.id.clone())
        && let Some(server) = deed.truth.servers.get_mut(&server)
    {
        server.firewall = None;
    }
}
