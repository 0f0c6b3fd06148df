//! What a firewall lets pass: rules as the API takes and shows them.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::input::Fields;
use super::network::RuleSet;
use super::problem::{invalid, required};
use crate::emulator::face::Answer;
use crate::emulator::objects::Rule;

/// How many rules there may be in both directions together.
const RULES: usize = 25;
/// How many addresses one rule may have.
const ADDRESSES: usize = 255;
/// How many pieces the ports of one rule may have; a range counts as two.
const PIECES: usize = 15;

impl RuleSet {
    /// Reads rules from their fields.
    ///
    /// Errors: 400 for what the API would not take.
    pub fn read(fields: &Fields) -> Result<RuleSet, Answer> {
        let inbound_policy = policy(fields, "inbound_policy")?;
        let outbound_policy = policy(fields, "outbound_policy")?;
        let (inbound, outbound) = (rules(fields, "inbound")?, rules(fields, "outbound")?);
        let count = |rules: &Option<Vec<Value>>| rules.as_ref().map_or(0, Vec::len);
        if count(&inbound) + count(&outbound) > RULES {
            let reason = "A Firewall may have up to 25 rules across its inbound and outbound rulesets.";
            return Err(invalid(&fields.path("inbound"), reason));
        }
        Ok(RuleSet { inbound, inbound_policy, outbound, outbound_policy })
    }

    /// Eight hexadecimal digits that are the same for the same rules.
    pub fn fingerprint(&self) -> String {
        let text = json!([self.inbound, self.inbound_policy, self.outbound, self.outbound_policy]).to_string();
        // FNV-1a.
        let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("{hash:08x}")
    }

    /// As the API shows it.
    pub fn shown(&self, version: u64) -> Value {
        json!({
            "inbound": self.inbound,
            "inbound_policy": self.inbound_policy,
            "outbound": self.outbound,
            "outbound_policy": self.outbound_policy,
            "version": version,
            "fingerprint": self.fingerprint(),
        })
    }

    /// What it lets in, as the core knows it.
    pub fn lets_in(&self) -> Vec<Rule> {
        let everything = || {
            let rule = |from: &str| Rule { protocol: "all".to_owned(), ports: "all".to_owned(), from: from.to_owned() };
            vec![rule("0.0.0.0/0"), rule("::/0")]
        };
        let mut let_in = if self.inbound_policy == "ACCEPT" { everything() } else { Vec::new() };
        for rule in self.inbound.iter().flatten().filter(|rule| rule["action"] == "ACCEPT") {
            let protocol = rule["protocol"].as_str().unwrap_or_default().to_lowercase();
            let ports = rule["ports"].as_str().unwrap_or("all");
            let networks = ["ipv4", "ipv6"].into_iter().filter_map(|family| rule["addresses"][family].as_array()).flatten();
            for from in networks.filter_map(Value::as_str) {
                let pieces = ports.split(',').map(|piece| piece.trim().to_owned());
                let_in.extend(pieces.map(|ports| Rule { protocol: protocol.clone(), ports, from: from.to_owned() }));
            }
        }
        let_in
    }
}

fn policy(fields: &Fields, key: &str) -> Result<String, Answer> {
    one_of(fields, key, &["ACCEPT", "DROP"])
}

/// A text that must be one of these.
fn one_of(fields: &Fields, key: &str, wanted: &[&str]) -> Result<String, Answer> {
    let given = fields.needed(key)?;
    if wanted.contains(&given) {
        return Ok(given.to_owned());
    }
    Err(invalid(&fields.path(key), &format!("Must be one of {}", wanted.join(", "))))
}

/// The rules of a direction; what is null stays so.
fn rules(fields: &Fields, key: &str) -> Result<Option<Vec<Value>>, Answer> {
    if fields.is_null(key) {
        return Ok(None);
    }
    let given = fields.list(key)?.map(Vec::as_slice).unwrap_or_default();
    let rule = |(place, rule): (usize, &Value)| read_rule(&Fields::within(rule, &format!("{}[{place}]", fields.path(key)))?);
    given.iter().enumerate().map(rule).collect::<Result<_, _>>().map(Some)
}

/// A rule as it is shown: what was left out stays out.
fn read_rule(rule: &Fields) -> Result<Value, Answer> {
    let protocol = rule.needed("protocol")?;
    let is_number = protocol.parse::<u8>().is_ok() && (protocol == "0" || !protocol.starts_with('0'));
    if !is_number && !["TCP", "UDP", "ICMP", "IPENCAP", "ALL"].contains(&protocol) {
        return Err(invalid(&rule.path("protocol"), "Must be one of TCP, UDP, ICMP, IPENCAP"));
    }
    let mut shown = Map::new();
    shown.insert("protocol".to_owned(), json!(protocol));
    if let Some(addresses) = rule.object("addresses")? {
        shown.insert("addresses".to_owned(), read_addresses(&addresses)?);
    }
    shown.insert("action".to_owned(), json!(one_of(rule, "action", &["ACCEPT", "DROP"])?));
    for (key, least, most) in [("label", 3, 32), ("description", 1, 100)] {
        let Some(text) = rule.text(key)? else { continue };
        // An empty text counts as none.
        if !text.is_empty() {
            if !(least..=most).contains(&text.chars().count()) {
                return Err(invalid(&rule.path(key), &format!("Length must be {least}-{most} characters")));
            }
            shown.insert(key.to_owned(), json!(text));
        }
    }
    if let Some(ports) = rule.text("ports")?.filter(|ports| !ports.is_empty()) {
        // 6 and 17 are the numbers of TCP and UDP.
        if !["TCP", "UDP", "6", "17"].contains(&protocol) {
            return Err(invalid(&rule.path("ports"), "Ports are not allowed for this protocol."));
        }
        check_ports(ports).map_err(|reason| invalid(&rule.path("ports"), reason))?;
        shown.insert("ports".to_owned(), json!(ports));
    }
    Ok(Value::Object(shown))
}

fn read_addresses(addresses: &Fields) -> Result<Value, Answer> {
    let (mut shown, mut count) = (Map::new(), 0);
    for (key, is_v6) in [("ipv6", true), ("ipv4", false)] {
        let Some(networks) = addresses.texts(key)? else { continue };
        if networks.is_empty() {
            return Err(invalid(&addresses.path(key), "Must not be an empty list."));
        }
        if let Some(place) = networks.iter().position(|network| !is_network(network, is_v6)) {
            return Err(invalid(&format!("{}[{place}]", addresses.path(key)), "Must be a valid IPv4 or IPv6 network in IP/mask format."));
        }
        count += networks.len();
        shown.insert(key.to_owned(), json!(networks));
    }
    if count > ADDRESSES {
        return Err(invalid(addresses.path("").trim_end_matches('.'), "A rule may have up to 255 addresses."));
    }
    Ok(Value::Object(shown))
}

/// Whether a text is an address and the length of a prefix.
fn is_network(text: &str, is_v6: bool) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(prefix)) = (address.parse::<IpAddr>(), prefix.parse::<u8>()) else { return false };
    address.is_ipv6() == is_v6 && prefix <= if is_v6 { 128 } else { 32 }
}

/// Checks ports such as `22, 80, 47984-48010`.
///
/// Errors: what is wrong with them.
fn check_ports(ports: &str) -> Result<(), &'static str> {
    let port = |text: &str| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse::<u16>().ok().filter(|port| is_plain && *port > 0).ok_or("Ports must be between 1 and 65535.")
    };
    let mut pieces = 0;
    for piece in ports.split(',').map(str::trim) {
        pieces += 1;
        match piece.split_once('-') {
            None => drop(port(piece)?),
            Some((first, last)) => {
                pieces += 1;
                if port(first)? >= port(last)? {
                    return Err("Range must start with a smaller number and end with a larger number.");
                }
            }
        }
    }
    if pieces > PIECES { Err("Number of ports or port range endpoints exceeded. Max allowed is 15.") } else { Ok(()) }
}

/// The rules in a request's body, under a key.
///
/// Errors: 400, if they are missing or not as they must be.
pub fn within(fields: &Fields, key: &str) -> Result<RuleSet, Answer> {
    RuleSet::read(&fields.object(key)?.ok_or_else(|| required(key))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::face::{Body, Request};

    fn read(rules: Value) -> Result<RuleSet, Value> {
        let request = Request { body: rules.to_string().into_bytes(), ..Request::default() };
        RuleSet::read(&Fields::of(&request).unwrap()).map_err(|answer| match answer.body {
            Body::Json(value) => value["errors"][0].clone(),
            other => panic!("{other:?}"),
        })
    }

    fn with(rule: Value) -> Value {
        json!({"inbound": [rule], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"})
    }

    #[test]
    fn rules_are_kept_as_they_were_given() {
        let rule = json!({"protocol": "TCP", "action": "ACCEPT", "label": "ssh", "ports": "22, 47984-48010", "addresses": {"ipv4": ["0.0.0.0/0"]}});
        let set = read(with(rule.clone())).unwrap();
        assert_eq!(set.inbound, Some(vec![rule]));
        let none = read(json!({"inbound": null, "inbound_policy": "DROP", "outbound_policy": "ACCEPT"})).unwrap();
        assert_eq!((&none.inbound, &none.outbound), (&None, &Some(vec![])));
        assert_eq!(set.fingerprint(), set.clone().fingerprint());
        assert!(set.fingerprint() != none.fingerprint() && set.fingerprint().len() == 8);
        assert_eq!(set.lets_in().len(), 2);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let refused = |rule: Value| read(with(rule)).unwrap_err()["field"].as_str().unwrap().to_owned();
        let rule = |more: Value| {
            let mut rule = json!({"protocol": "TCP", "action": "ACCEPT"});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rule
        };
        let cases = [
            (json!({"protocol": "SCTP"}), "inbound[0].protocol"),
            (json!({"protocol": "256"}), "inbound[0].protocol"),
            (json!({"action": "REJECT"}), "inbound[0].action"),
            (json!({"action": null}), "inbound[0].action"),
            (json!({"label": "ab"}), "inbound[0].label"),
            (json!({"ports": 22}), "inbound[0].ports"),
            (json!({"ports": "022"}), "inbound[0].ports"),
            (json!({"ports": "0"}), "inbound[0].ports"),
            (json!({"ports": "90-80"}), "inbound[0].ports"),
            (json!({"ports": "1-2,3-4,5-6,7-8,9-10,11-12,13-14,15-16"}), "inbound[0].ports"),
            (json!({"protocol": "ICMP", "ports": "22"}), "inbound[0].ports"),
            (json!({"addresses": {"ipv4": []}}), "inbound[0].addresses.ipv4"),
            (json!({"addresses": {"ipv4": ["10.0.0.1"]}}), "inbound[0].addresses.ipv4[0]"),
            (json!({"addresses": {"ipv6": ["10.0.0.0/8"]}}), "inbound[0].addresses.ipv6[0]"),
            (json!({"addresses": {"ipv4": vec!["10.0.0.0/8"; 256]}}), "inbound[0].addresses"),
        ];
        for (more, field) in cases {
            assert_eq!(refused(rule(more.clone())), field, "{more}");
        }
        for more in [json!({"protocol": "50"}), json!({"protocol": "ALL"}), json!({"protocol": "6", "ports": "443"}), json!({"label": ""})]
        {
            assert!(read(with(rule(more.clone()))).is_ok(), "{more}");
        }
    }

    #[test]
    fn there_are_25_rules_at_most_and_two_policies() {
        let rule = json!({"protocol": "TCP", "action": "ACCEPT"});
        let set = |inbound: usize, outbound: usize| {
            read(
                json!({"inbound": vec![rule.clone(); inbound], "inbound_policy": "DROP", "outbound": vec![rule.clone(); outbound], "outbound_policy": "DROP"}),
            )
        };
        assert!(set(13, 12).is_ok() && set(13, 13).is_err());
        let error = read(json!({"inbound": [], "outbound_policy": "DROP"})).unwrap_err();
        assert_eq!(error, json!({"reason": "inbound_policy is required", "field": "inbound_policy"}));
    }
}
