//! The interfaces of a profile, one by one: at most three, whose order is that of the guest's devices.

use serde_json::{Value, json};

use super::configs::{self, Config};
use super::input::Fields;
use super::problem::{invalid, not_found, refused, required};
use super::{interfaces, linodes};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints of interfaces of profiles.
pub static ROUTES: &[Route] = &[
    look("/linode/instances/{id}/configs/{key}/interfaces", index),
    change("POST", "/linode/instances/{id}/configs/{key}/interfaces", create),
    change("POST", "/linode/instances/{id}/configs/{key}/interfaces/order", order),
    look("/linode/instances/{id}/configs/{key}/interfaces/{zone}", get),
    change("PUT", "/linode/instances/{id}/configs/{key}/interfaces/{zone}", update),
    change("DELETE", "/linode/instances/{id}/configs/{key}/interfaces/{zone}", delete),
];

/// The interfaces of a profile, as they are shown.
fn all(truth: &Truth, args: &Args) -> Result<Vec<Value>, Answer> {
    let (_, details) = linodes::find(truth, args.id)?;
    Ok(configs::interfaces_of(truth, args.id, configs::find(details, args.key)?))
}

fn number_of(interface: &Value) -> String {
    interface["id"].to_string()
}

/// GET: as a bare list.
fn index(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(Value::Array(all(truth, args)?)))
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let found = all(truth, args)?.into_iter().find(|interface| number_of(interface) == args.zone);
    found.map(Answer::ok).ok_or_else(not_found)
}

/// The profile whose interfaces are to change.
fn profile<'d>(deed: &'d mut Deed, args: &Args) -> Result<&'d mut Config, Answer> {
    linodes::find_staying(&deed.truth, args.id)?;
    let details = deed.truth.linode.linodes.get_mut(args.id).ok_or_else(not_found)?;
    details.configs.iter_mut().find(|config| config.id.to_string() == args.key).ok_or_else(not_found)
}

/// POST.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    if profile(deed, args)?.interfaces.len() >= 3 {
        return Err(refused("A configuration profile can have no more than 3 interfaces."));
    }
    let made = interfaces::made(deed, args.id, &fields)?;
    let now = deed.now;
    let config = profile(deed, args)?;
    if made["primary"] == true {
        config.interfaces.iter_mut().for_each(|other| other["primary"] = json!(false));
    }
    config.interfaces.push(made.clone());
    config.updated = now;
    Ok(Answer::ok(made))
}

/// PUT: what is absent stays as it is.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let mut interface = profile(deed, args)?.interfaces.iter().find(|it| number_of(it) == args.zone).cloned().ok_or_else(not_found)?;
    let is_vpc = interface["purpose"] == "vpc";
    for key in ["ipv4", "ip_ranges"] {
        if fields.get(key).is_some() && !is_vpc {
            return Err(invalid(key, "Only VPC interfaces have addresses of their own."));
        }
    }
    if is_vpc {
        interfaces::move_within_subnet(deed, args.id, &fields, &mut interface)?;
    }
    let primary = fields.flag("primary")?;
    if let Some(primary) = primary {
        interface["primary"] = json!(primary);
    }
    let now = deed.now;
    let config = profile(deed, args)?;
    for other in &mut config.interfaces {
        if number_of(other) == args.zone {
            *other = interface.clone();
        } else if primary == Some(true) {
            other["primary"] = json!(false);
        }
    }
    config.updated = now;
    Ok(Answer::ok(interface))
}

/// DELETE: not while a guest that runs has it.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let shown = all(&deed.truth, args)?.into_iter().find(|interface| number_of(interface) == args.zone).ok_or_else(not_found)?;
    if shown["active"] == true {
        return Err(refused("The interface is in use: shut the Linode down first."));
    }
    let now = deed.now;
    let config = profile(deed, args)?;
    config.interfaces.retain(|interface| number_of(interface) != args.zone);
    config.updated = now;
    Ok(Answer::ok(json!({})))
}

/// POST `order`: names all interfaces in their new order.
fn order(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let ids: Vec<String> = fields.list("ids")?.ok_or_else(|| required("ids"))?.iter().map(Value::to_string).collect();
    let config = profile(deed, args)?;
    let mut known: Vec<String> = config.interfaces.iter().map(number_of).collect();
    let mut named = ids.clone();
    known.sort();
    named.sort();
    if known != named {
        return Err(invalid("ids", "Must name every interface of the configuration profile once."));
    }
    config.interfaces.sort_by_key(|interface| ids.iter().position(|id| *id == number_of(interface)));
    Ok(Answer::ok(json!({})))
}
