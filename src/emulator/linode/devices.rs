//! `/networking/firewalls/{id}/devices`: what stands behind a firewall, and behind which firewall new objects come.

use serde_json::{Value, json};

use super::addresses::{number, owner};
use super::events::{Entity, notify};
use super::firewalls::{self, find};
use super::input::Fields;
use super::listing::{self, list};
use super::moments::stamp;
use super::network::{DefaultFirewalls, Device};
use super::problem::{invalid, not_found, required};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 6] = [
    look("/networking/firewalls/settings", settings),
    change("PUT", "/networking/firewalls/settings", set_settings),
    look("/networking/firewalls/{id}/devices", list_all),
    change("POST", "/networking/firewalls/{id}/devices", create),
    look("/networking/firewalls/{id}/devices/{key}", get),
    change("DELETE", "/networking/firewalls/{id}/devices/{key}", delete),
];

/// A Linode as what a firewall is about.
pub fn linode_entity(truth: &Truth, linode: &str) -> Value {
    let id = number(linode);
    let label = owner(truth, linode).map(|server| server.name.clone());
    json!({"id": id, "type": "linode", "label": label, "url": format!("/v4/linode/instances/{id}"), "parent_entity": null})
}

/// An interface of a Linode as what a firewall is about.
pub fn interface_entity(truth: &Truth, linode: &str, interface: u64) -> Value {
    let url = format!("/v4/linode/instances/{linode}/interfaces/{interface}");
    json!({"id": interface, "type": "linode_interface", "label": null, "url": url, "parent_entity": linode_entity(truth, linode)})
}

fn shown(truth: &Truth, device: &Device) -> Value {
    let entity = match device.interface {
        Some(interface) => interface_entity(truth, &device.linode, interface),
        None => linode_entity(truth, &device.linode),
    };
    json!({"id": device.id, "created": stamp(device.created), "updated": stamp(device.created), "entity": entity})
}

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.id)?;
    list(args.request, &listing::DEVICES, details.devices.iter().map(|device| shown(truth, device)).collect())
}

fn one<'t>(truth: &'t Truth, args: &Args) -> Result<&'t Device, Answer> {
    let (_, details) = find(truth, args.id)?;
    details.devices.iter().find(|device| device.id.to_string() == args.key).ok_or_else(not_found)
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(shown(truth, one(truth, args)?)))
}

fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.id)?;
    let id = fields.number("id")?.ok_or_else(|| required("id"))?;
    let kind = fields.needed("type")?;
    let device = add_device(deed, args.id, kind, u64::try_from(id).unwrap_or_default())?;
    Ok(Answer::ok(shown(&deed.truth, &device)))
}

/// Puts something behind a firewall.
///
/// Errors: 400, if there is no such thing, or it stands behind another firewall already.
pub fn add_device(deed: &mut Deed, firewall: &str, kind: &str, id: u64) -> Result<Device, Answer> {
    let nothing = || invalid("id", &format!("{kind} {id} not found."));
    let (linode, interface) = match kind {
        "linode" => {
            let linode = owner(&deed.truth, &id.to_string()).ok_or_else(nothing)?.id.clone();
            if deed.truth.linode.linodes.get(&linode).is_some_and(|details| details.generation == "linode") {
                return Err(invalid("id", &format!("Linode {id} has interfaces of its own: attach the firewall to those.")));
            }
            (linode, None)
        }
        "linode_interface" | "interface" => (interface_owner(&deed.truth, id).ok_or_else(nothing)?, Some(id)),
        "nodebalancer" => return Err(nothing()),
        _ => return Err(invalid("type", "type is not valid")),
    };
    let number = deed.mint("device").parse().unwrap_or_default();
    let device = Device { id: number, linode, interface, created: deed.tick() };
    check_free(&deed.truth, firewall, &device)?;
    let details = deed.truth.linode.network.firewalls.get_mut(firewall).ok_or_else(not_found)?;
    details.devices.push(device.clone());
    tell_core(deed, firewall);
    let about = firewalls::entity(&deed.truth, firewall);
    let secondary = owner(&deed.truth, &device.linode)
        .map(|server| Entity::new("linode", &server.id, &server.name, &format!("/linode/instances/{}", server.id)));
    notify(deed, "firewall_device_add", about, secondary);
    Ok(device)
}

/// The Linode that has an interface of its own of this number.
fn interface_owner(truth: &Truth, interface: u64) -> Option<String> {
    let mut linodes = truth.linode.linodes.iter();
    linodes.find(|(_, details)| details.interfaces.iter().any(|it| it["id"] == interface)).map(|(id, _)| id.clone())
}

/// Refuses something that stands behind a firewall that does something.
pub fn check_free(truth: &Truth, firewall: &str, device: &Device) -> Result<(), Answer> {
    let same = |other: &&Device| other.linode == device.linode && other.interface == device.interface && other.id != device.id;
    for (id, details) in &truth.linode.network.firewalls {
        let taken = details.devices.iter().any(|other| same(&other));
        if taken && (details.enabled || id == firewall) {
            let what = device.interface.map_or_else(|| format!("Linode {}", device.linode), |id| format!("Interface {id}"));
            return Err(invalid("id", &format!("{what} is already assigned to an active Firewall.")));
        }
    }
    Ok(())
}

fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let device = one(&deed.truth, args)?.clone();
    remove_from(deed, args.id, |other| other.id == device.id);
    Ok(Answer::ok(json!({})))
}

/// Has some devices of a firewall no longer stand behind it.
pub fn remove_from(deed: &mut Deed, firewall: &str, is_meant: impl Fn(&Device) -> bool) {
    if let Some(details) = deed.truth.linode.network.firewalls.get_mut(firewall) {
        details.devices.retain(|device| !is_meant(device));
    }
    tell_core(deed, firewall);
    let about = firewalls::entity(&deed.truth, firewall);
    notify(deed, "firewall_device_remove", about, None);
}

impl Device {
    /// Whether it is a Linode as a whole, by its id.
    pub fn is(&self, linode: &str) -> bool {
        self.linode == linode && self.interface.is_none()
    }
}

/// Tells the core which servers a firewall protects.
pub fn tell_core(deed: &mut Deed, firewall: &str) {
    let details = deed.truth.linode.network.firewalls.get(firewall).filter(|details| details.enabled);
    let behind: Vec<String> = details.into_iter().flat_map(|details| &details.devices).map(|device| device.linode.clone()).collect();
    for server in deed.truth.servers.values_mut() {
        let is_behind = behind.contains(&server.id);
        if is_behind {
            server.firewall = Some(firewall.to_owned());
        } else if server.firewall.as_deref() == Some(firewall) {
            server.firewall = None;
        }
    }
}

impl DefaultFirewalls {
    /// All four.
    pub fn all(&self) -> [Option<u64>; 4] {
        [self.linode, self.nodebalancer, self.public_interface, self.vpc_interface]
    }

    fn shown(&self) -> Value {
        json!({"default_firewall_ids": {
            "linode": self.linode,
            "nodebalancer": self.nodebalancer,
            "public_interface": self.public_interface,
            "vpc_interface": self.vpc_interface,
        }})
    }
}

fn settings(truth: &Truth, _: Moment, _: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(truth.linode.network.default_firewalls.shown()))
}

/// PUT: what is null is none; what is left out stays.
fn set_settings(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let wanted = fields.object("default_firewall_ids")?.ok_or_else(|| required("default_firewall_ids"))?;
    let mut defaults = deed.truth.linode.network.default_firewalls;
    let slots = [
        ("linode", &mut defaults.linode),
        ("nodebalancer", &mut defaults.nodebalancer),
        ("public_interface", &mut defaults.public_interface),
        ("vpc_interface", &mut defaults.vpc_interface),
    ];
    for (key, slot) in slots {
        if !wanted.has(key) {
            continue;
        }
        let id = wanted.number(key)?.and_then(|id| u64::try_from(id).ok());
        if let Some(id) = id
            && find(&deed.truth, &id.to_string()).is_err()
        {
            return Err(invalid(&wanted.path(key), "Firewall not found."));
        }
        *slot = id;
    }
    deed.truth.linode.network.default_firewalls = defaults;
    Ok(Answer::ok(defaults.shown()))
}
