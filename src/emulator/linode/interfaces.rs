//! Network interfaces: those of a Linode itself, and those of its profiles.

use serde_json::{Value, json};

use super::input::Fields;
use super::problem::{invalid, not_found, required};
use super::{account, addresses, vpcs};
use crate::emulator::face::Answer;
use crate::emulator::physics::Deed;

/// Which sort of interfaces a new Linode has, and those of its own.
///
/// Errors: 400, where the account allows only the other sort.
pub fn of_new(deed: &Deed, fields: &Fields) -> Result<(String, Vec<Value>), Answer> {
    let allowed = account::settings(&deed.truth).interfaces_for_new_linodes.as_str();
    let usual = if allowed.starts_with("linode") { "linode" } else { "legacy_config" };
    let wanted = fields.text("interface_generation")?.unwrap_or(usual);
    if !["legacy_config", "linode"].contains(&wanted) {
        return Err(invalid("interface_generation", "Must be one of legacy_config, linode"));
    }
    if (allowed == "legacy_config_only" && wanted == "linode") || (allowed == "linode_only" && wanted == "legacy_config") {
        let reason = format!("Your account settings do not allow the interface generation {wanted}.");
        return Err(invalid("interface_generation", &reason));
    }
    let list = fields.list("interfaces")?.cloned().unwrap_or_default();
    if wanted == "legacy_config" {
        return Ok((wanted.to_owned(), Vec::new()));
    }
    for (place, interface) in list.iter().enumerate() {
        let interface = Fields::within(interface, &format!("interfaces[{place}]"))?;
        let kinds = ["public", "vpc", "vlan"].into_iter().filter(|kind| interface.get(kind).is_some()).count();
        if kinds != 1 {
            return Err(invalid(&format!("interfaces[{place}]"), "Must have exactly one of public, vpc, vlan"));
        }
    }
    Ok((wanted.to_owned(), list))
}

/// Gives a new Linode the public addresses that its own interfaces ask for: new ones for `auto`, else those named, which
/// must be reserved.
pub fn give_public(deed: &mut Deed, fields: &Fields, region: &str, linode: &str) -> Result<(), Answer> {
    let Some(list) = fields.list("interfaces")? else { return addresses::allocate(deed, region, linode).map(drop) };
    for (place, interface) in list.iter().enumerate() {
        let path = format!("interfaces[{place}]");
        let public = &interface["public"];
        let listed = public["ipv4"]["addresses"].as_array();
        if public.is_object() && listed.is_none() {
            addresses::allocate(deed, region, linode)?;
        }
        let named = |(place, address): (usize, &Value), key: &str, path: &str| {
            let field = format!("{path}[{place}].{key}");
            Some((address[key].as_str()?.to_owned(), field))
        };
        let own = listed.into_iter().flatten().enumerate();
        let own = own.filter_map(|it| named(it, "address", &format!("{path}.public.ipv4.addresses")));
        let through = interface["vpc"]["ipv4"]["addresses"].as_array().into_iter().flatten().enumerate();
        let through = through.filter_map(|it| named(it, "nat_1_1_address", &format!("{path}.vpc.ipv4.addresses")));
        for (address, field) in own.chain(through) {
            match address.as_str() {
                "auto" => drop(addresses::allocate(deed, region, linode)?),
                _ => addresses::take_one(deed, &address, region, linode, &field)?,
            }
        }
    }
    Ok(())
}

/// Gives the first profile of a new Linode the interfaces that were asked for.
pub fn into_profile(deed: &mut Deed, linode: &str, fields: &Fields) -> Result<(), Answer> {
    let Some(list) = fields.list("interfaces")?.cloned() else { return Ok(()) };
    let details = deed.truth.linode.linodes.get(linode).ok_or_else(not_found)?;
    if details.generation != "legacy_config" {
        return Ok(());
    }
    let shown = of_profile(deed, linode, &list)?;
    if let Some(config) = deed.truth.linode.linodes.get_mut(linode).and_then(|details| details.configs.first_mut()) {
        config.interfaces = shown;
    }
    Ok(())
}

/// The interfaces of a profile, as they are shown.
pub fn of_profile(deed: &mut Deed, linode: &str, list: &[Value]) -> Result<Vec<Value>, Answer> {
    let details = deed.truth.linode.linodes.get(linode).ok_or_else(not_found)?;
    if details.generation != "legacy_config" && !list.is_empty() {
        return Err(invalid("interfaces", "This Linode has interfaces of its own."));
    }
    if list.len() > 3 {
        return Err(invalid("interfaces", "A configuration profile can have no more than 3 interfaces."));
    }
    let mut shown = Vec::new();
    for (place, interface) in list.iter().enumerate() {
        let fields = Fields::within(interface, &format!("interfaces[{place}]"))?;
        shown.push(made(deed, linode, &fields)?);
    }
    Ok(shown)
}

/// A new interface of a profile, as it is shown.
pub fn made(deed: &mut Deed, linode: &str, fields: &Fields) -> Result<Value, Answer> {
    let purpose = fields.needed("purpose")?;
    let id: u64 = deed.mint("interface").parse().unwrap_or_default();
    let primary = fields.flag("primary")?.unwrap_or(false);
    let mut interface = json!({
        "id": id, "purpose": purpose, "primary": primary, "active": false, "label": null, "ipam_address": null,
        "vpc_id": null, "subnet_id": null, "ipv4": null, "ip_ranges": null, "ipv6": null,
    });
    match purpose {
        "public" => {}
        "vlan" => {
            interface["label"] = json!(fields.needed("label")?);
            interface["ipam_address"] = json!(fields.text("ipam_address")?.unwrap_or_default());
        }
        "vpc" => into_subnet(deed, linode, fields, &mut interface)?,
        _ => return Err(invalid(&fields.path("purpose"), "Must be one of public, vlan, vpc")),
    }
    Ok(interface)
}

/// Has an interface of a profile join a subnet, and be reached from outside if that is wished.
fn into_subnet(deed: &mut Deed, linode: &str, fields: &Fields, interface: &mut Value) -> Result<(), Answer> {
    let path = fields.path("subnet_id");
    let subnet = fields.number("subnet_id")?.ok_or_else(|| required(&path))?;
    let region = deed.truth.servers.get(linode).map(|server| server.zone.clone()).unwrap_or_default();
    let ipv4 = fields.object("ipv4")?.unwrap_or_default();
    let (vpc, address) = vpcs::join(&deed.truth, subnet, &region, ipv4.text("vpc")?, &path)?;
    let nat = nat(deed, linode, &ipv4)?;
    interface["vpc_id"] = json!(vpc);
    interface["subnet_id"] = json!(subnet);
    interface["ipv4"] = json!({"vpc": address.to_string(), "nat_1_1": nat});
    interface["ip_ranges"] = json!(fields.texts("ip_ranges")?.unwrap_or_default());
    Ok(())
}

/// Gives an interface in a subnet what a change says of its addresses.
pub fn move_within_subnet(deed: &mut Deed, linode: &str, fields: &Fields, interface: &mut Value) -> Result<(), Answer> {
    if let Some(ipv4) = fields.object("ipv4")? {
        if let Some(wanted) = ipv4.text("vpc")?.filter(|wanted| interface["ipv4"]["vpc"] != *wanted) {
            let region = deed.truth.servers.get(linode).map(|server| server.zone.clone()).unwrap_or_default();
            let subnet = interface["subnet_id"].as_i64().unwrap_or_default();
            let (_, address) = vpcs::join(&deed.truth, subnet, &region, Some(wanted), &ipv4.path("vpc"))?;
            interface["ipv4"]["vpc"] = json!(address.to_string());
        }
        if ipv4.has("nat_1_1") {
            interface["ipv4"]["nat_1_1"] = json!(nat(deed, linode, &ipv4)?);
        }
    }
    if let Some(ranges) = fields.texts("ip_ranges")? {
        interface["ip_ranges"] = json!(ranges);
    }
    Ok(())
}

/// The public address that leads to one in a subnet: the Linode's own for `any`.
fn nat(deed: &Deed, linode: &str, ipv4: &Fields) -> Result<Option<String>, Answer> {
    Ok(match ipv4.text("nat_1_1")? {
        Some("any") => addresses::of(&deed.truth, linode).first().map(ToString::to_string),
        other => other.map(str::to_owned),
    })
}
