//! The rules of security groups: six fixed ones against mail, then the customer's in order.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::details::{GroupDetails, RuleDetails};
use super::groups::{find, synchronise};
use super::input::{Fields, invalid, required};
use super::pages::bare_page;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::Rule;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The ports of mail.
const MAIL_PORTS: [u16; 3] = [25, 465, 587];

/// GET `rules`: in pages, without a total.
pub fn list(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, group) = find(truth, args.zone, args.id)?;
    Ok(bare_page(args.request, "rules", shown(group, args.zone)))
}

/// GET `security_groups/default/rules`: those of every group that keeps mail in.
pub fn of_default(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(json!({"rules": against_mail(args.zone)})))
}

/// All rules of a group as shown.
fn shown(group: &GroupDetails, zone: &str) -> Vec<Value> {
    let mut rules = if group.default_security { against_mail(zone) } else { Vec::new() };
    rules.extend(group.rules.iter().zip(1..).map(|(rule, position)| object(rule, position, true, zone)));
    rules
}

/// The fixed rules.
fn against_mail(zone: &str) -> Vec<Value> {
    let ranges = ["0.0.0.0/0", "::/0"];
    let mail = ranges.into_iter().flat_map(|range| MAIL_PORTS.into_iter().map(move |port| (range, port))).zip(1..);
    mail.map(|((range, port), number)| {
        let rule = RuleDetails {
            id: format!("11111111-2222-4333-8444-{number:012}"),
            protocol: "TCP".to_owned(),
            direction: "outbound".to_owned(),
            action: "drop".to_owned(),
            ip_range: range.to_owned(),
            port_from: Some(port),
            port_to: None,
        };
        object(&rule, number, false, zone)
    })
    .collect()
}

fn object(rule: &RuleDetails, position: usize, editable: bool, zone: &str) -> Value {
    json!({
        "id": rule.id,
        "protocol": rule.protocol,
        "direction": rule.direction,
        "ip_range": rule.ip_range,
        "dest_ip_range": null,
        "dest_port_from": rule.port_from,
        "dest_port_to": rule.port_to,
        "position": position,
        "editable": editable,
        "action": rule.action,
        "zone": zone,
    })
}

/// PUT `rules`: all of them at once, in the order given.
pub fn replace(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.zone, args.id)?;
    let wanted = fields.get("rules").and_then(Value::as_array).ok_or_else(|| Answer::invalid_arguments(vec![required("rules")]))?;
    let mut rules = Vec::new();
    for entry in wanted {
        let entry = Fields::within(entry);
        if entry.flag("editable")? != Some(false) {
            rules.push(read(deed, &entry, None)?);
        }
    }
    set(deed, args, rules);
    let (_, group) = find(&deed.truth, args.zone, args.id)?;
    Ok(Answer::ok(json!({"rules": shown(group, args.zone)})))
}

/// POST `rules`: at a position, else at the end.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let mut rules = find(&deed.truth, args.zone, args.id)?.1.rules.clone();
    let rule = read(deed, &fields, None)?;
    let place = fields.number("position")?.and_then(|position| usize::try_from(position).ok()).filter(|position| *position > 0);
    let place = place.map_or(rules.len(), |position| (position - 1).min(rules.len()));
    rules.insert(place, rule.clone());
    set(deed, args, rules);
    let location = format!("/instance/v1/zones/{}/security_groups/{}/rules/{}", args.zone, args.id, rule.id);
    Ok(Answer::json(201, json!({"rule": object(&rule, place + 1, true, args.zone)})).with("location", location))
}

/// The place of a customer's rule in its group.
fn place_of(truth: &Truth, args: &Args) -> Result<usize, Answer> {
    let (_, group) = find(truth, args.zone, args.id)?;
    let place = group.rules.iter().position(|rule| rule.id == args.key);
    place.ok_or_else(|| Answer::not_found("instance_security_group_rule", args.key))
}

/// GET `rules/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, group) = find(truth, args.zone, args.id)?;
    let rule = shown(group, args.zone).into_iter().find(|rule| rule["id"] == args.key);
    rule.map(|rule| Answer::ok(json!({"rule": rule}))).ok_or_else(|| Answer::not_found("instance_security_group_rule", args.key))
}

/// PATCH `rules/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let place = place_of(&deed.truth, args)?;
    let mut rules = find(&deed.truth, args.zone, args.id)?.1.rules.clone();
    let rule = read(deed, &fields, Some(&rules.remove(place)))?;
    let wanted = fields.number("position")?.and_then(|position| usize::try_from(position).ok()).filter(|position| *position > 0);
    let place = wanted.map_or(place, |position| position - 1).min(rules.len());
    rules.insert(place, rule.clone());
    set(deed, args, rules);
    Ok(Answer::ok(json!({"rule": object(&rule, place + 1, true, args.zone)})))
}

/// DELETE `rules/{id}`; the fixed ones cannot be deleted.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let place = place_of(&deed.truth, args)?;
    let mut rules = find(&deed.truth, args.zone, args.id)?.1.rules.clone();
    rules.remove(place);
    set(deed, args, rules);
    Ok(Answer::empty(204))
}

fn set(deed: &mut Deed, args: &Args, rules: Vec<RuleDetails>) {
    if let Some(group) = deed.truth.firewalls.get_mut(args.id) {
        let let_in = rules.iter().filter(|rule| rule.direction == "inbound" && rule.action == "accept");
        group.rules = let_in.map(core_rule).collect();
    }
    let changed = match deed.truth.scaleway.groups.get_mut(args.id) {
        Some(group) if group.rules != rules => {
            group.rules = rules;
            true
        }
        _ => false,
    };
    if changed {
        synchronise(deed, args.id);
    }
}

/// What the core knows of a rule that lets something in.
fn core_rule(rule: &RuleDetails) -> Rule {
    let ports = match (rule.port_from, rule.port_to) {
        (Some(from), Some(to)) => format!("{from}-{to}"),
        (Some(from), None) => from.to_string(),
        _ => "all".to_owned(),
    };
    Rule { protocol: rule.protocol.to_lowercase(), ports, from: rule.ip_range.clone() }
}

/// A rule as the API keeps it, over an older one if there is one.
fn read(deed: &mut Deed, fields: &Fields, old: Option<&RuleDetails>) -> Result<RuleDetails, Answer> {
    let one_of = |key: &str, old: Option<&String>, allowed: &[&str]| -> Result<String, Answer> {
        let word = fields.word(key)?.map(str::to_owned).or_else(|| old.cloned());
        let word = word.ok_or_else(|| Answer::invalid_arguments(vec![required(key)]))?;
        if allowed.contains(&word.as_str()) { Ok(word) } else { Err(invalid(key, "constraint", "not a valid value")) }
    };
    let protocol = one_of("protocol", old.map(|old| &old.protocol), &["TCP", "UDP", "ICMP", "ANY"])?;
    let direction = one_of("direction", old.map(|old| &old.direction), &["inbound", "outbound"])?;
    let action = one_of("action", old.map(|old| &old.action), &["accept", "drop"])?;
    let range = fields.word("ip_range")?.or(old.map(|old| old.ip_range.as_str())).unwrap_or("0.0.0.0/0").to_owned();
    if !is_network(&range) {
        return Err(invalid("ip_range", "format", "not an IP network"));
    }
    let has_ports = ["TCP", "UDP"].contains(&protocol.as_str());
    let ported = |key: &str, old_port: Option<u16>| -> Result<Option<u16>, Answer> {
        match has_ports {
            false => Ok(None),
            // In a change, the official clients say null or 0 for a port that is to go.
            true if old.is_some() && (fields.is_null(key) || fields.number(key)? == Some(0)) => Ok(None),
            true => Ok(port(fields, key)?.or(old_port)),
        }
    };
    let from = ported("dest_port_from", old.and_then(|old| old.port_from))?;
    let to = ported("dest_port_to", old.and_then(|old| old.port_to))?.filter(|to| Some(*to) != from);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(invalid("dest_port_to", "constraint", "must not be less than dest_port_from"));
    }
    let id = match (old, fields.word("id")?) {
        (Some(old), _) => old.id.clone(),
        (None, Some(id)) => id.to_owned(),
        (None, None) => deed.mint("rule"),
    };
    Ok(RuleDetails { id, protocol, direction, action, ip_range: shortened(&range), port_from: from, port_to: to })
}

fn port(fields: &Fields, key: &str) -> Result<Option<u16>, Answer> {
    match fields.number(key)? {
        None => Ok(None),
        Some(0) => Err(invalid(key, "constraint", "value must be at least 1")),
        Some(port) => u16::try_from(port).map(Some).map_err(|_| invalid(key, "constraint", "value must be at most 65535")),
    }
}

/// Whether a text is an address or a network.
fn is_network(range: &str) -> bool {
    let (address, length) = range.split_once('/').map_or((range, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| length.parse::<u8>().is_ok_and(|length| length <= longest))
}

/// A network of one address is written as that address.
fn shortened(range: &str) -> String {
    let whole = if range.contains(':') { "/128" } else { "/32" };
    range.strip_suffix(whole).unwrap_or(range).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_is_told() {
        assert!(["10.0.0.0/8", "8.8.8.8", "::/0", "2001:db8::1"].iter().all(|range| is_network(range)));
        assert!(!["", "x", "10.0.0.0/33", "10.0.0.0/", "::/129"].iter().any(|range| is_network(range)));
    }

    #[test]
    fn a_network_of_one_is_an_address() {
        assert_eq!(shortened("8.8.8.8/32"), "8.8.8.8");
        assert_eq!(shortened("2001:db8::1/128"), "2001:db8::1");
        assert_eq!(shortened("2001:db8::/32"), "2001:db8::/32");
        assert_eq!(shortened("10.0.0.0/8"), "10.0.0.0/8");
    }
}
