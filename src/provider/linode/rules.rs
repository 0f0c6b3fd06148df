//! A firewall's rules, grouped as Linode counts them, and read back one by one.
//!
//! A firewall has at most 25 rules; a rule has one protocol, at most 15 pieces of ports (a range counts as two) and at
//! most 255 networks (source: the vendor's OpenAPI).

use super::wire;
use crate::model::Rule;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const MOST_RULES: usize = 25;
const MOST_PIECES: usize = 15;
const MOST_NETWORKS: usize = 255;

/// The rules as few as Linode takes, in one order for the same rules.
///
/// # Errors
/// A sentence for people, where they are more than a firewall has.
pub(crate) fn grouped(rules: &[Rule]) -> Result<Vec<Value>, String> {
    let mut sources: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for rule in rules {
        sources.entry((&rule.protocol, &rule.ports)).or_default().insert(&rule.from);
    }
    let mut ports: BTreeMap<(&str, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
    for ((protocol, port), from) in sources {
        ports.entry((protocol, from)).or_default().push(port);
    }
    let mut grouped = Vec::new();
    for ((protocol, from), ports) in ports {
        let from: Vec<&str> = from.into_iter().collect();
        for ports in chunks(&ports) {
            for from in from.chunks(MOST_NETWORKS) {
                let of = |six: bool| from.iter().filter(|it| it.contains(':') == six).collect::<Vec<_>>();
                let mut addresses = json!({});
                for (family, networks) in [("ipv4", of(false)), ("ipv6", of(true))] {
                    if !networks.is_empty() {
                        addresses[family] = json!(networks);
                    }
                }
                let label = format!("cloudypad-{}-{}", protocol.to_lowercase(), grouped.len() + 1);
                grouped.push(json!({
                    "label": label, "action": "ACCEPT", "protocol": protocol.to_uppercase(), "ports": ports.join(", "), "addresses": addresses,
                }));
            }
        }
    }
    match grouped.len() {
        0..=MOST_RULES => Ok(grouped),
        many => Err(format!("network takes {many} rules, and a firewall of Linode has at most {MOST_RULES}")),
    }
}

/// Ports in runs of at most 15 pieces.
fn chunks<'p>(ports: &[&'p str]) -> Vec<Vec<&'p str>> {
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    let mut pieces = 0;
    for port in ports {
        let weight = if port.contains('-') { 2 } else { 1 };
        if pieces + weight > MOST_PIECES {
            all.push(Vec::new());
            pieces = 0;
        }
        pieces += weight;
        all.last_mut().expect("never empty").push(port);
    }
    all
}

/// Everything that a firewall lets in, a port and a network at a time. What is no such thing shows as a rule that no
/// spec has.
pub(crate) fn read(rules: &wire::Rules) -> Vec<Rule> {
    let mut all = Vec::new();
    for rule in &rules.inbound {
        let protocol = match rule.action.as_str() {
            "ACCEPT" => rule.protocol.to_lowercase(),
            other => format!("{} {}", other.to_lowercase(), rule.protocol.to_lowercase()),
        };
        let every = "1-65535".to_owned();
        for ports in rule.ports.as_ref().filter(|it| !it.trim().is_empty()).unwrap_or(&every).split(',') {
            for from in rule.addresses.ipv4.iter().chain(&rule.addresses.ipv6) {
                all.push(Rule::new(&protocol, ports.trim(), from));
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network() -> impl Strategy<Value = String> {
        prop_oneof![Just("0.0.0.0/0".to_owned()), Just("::/0".to_owned()), (0..40u8).prop_map(|it| format!("10.0.{it}.0/24"))]
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let ports = prop_oneof![(1..60_000u16).prop_map(|it| it.to_string()), (1..60_000u16).prop_map(|it| format!("{it}-{}", it + 5))];
        (prop_oneof![Just("tcp"), Just("udp")], ports, network()).prop_map(|(protocol, ports, from)| Rule::new(protocol, &ports, &from))
    }

    proptest! {
        /// What is written is what is read back, and no rule is more than Linode takes.
        #[test]
        fn grouping_loses_nothing(mut rules in proptest::collection::vec(rule(), 0..40)) {
            rules.sort();
            rules.dedup();
            let Ok(grouped) = grouped(&rules) else { return Ok(()) };
            prop_assert!(grouped.len() <= MOST_RULES);
            for it in &grouped {
                let pieces: usize = it["ports"].as_str().unwrap().split(", ").map(|it| it.split('-').count()).sum();
                prop_assert!(pieces <= MOST_PIECES);
                prop_assert!((3..=32).contains(&it["label"].as_str().unwrap().len()));
            }
            let read: wire::Rules =
                serde_json::from_value(json!({"inbound": grouped, "inbound_policy": "DROP", "outbound_policy": "ACCEPT"})).unwrap();
            prop_assert_eq!(super::read(&read), rules);
        }
    }

    /// Fifty ports that are let in from the same place are four rules, not fifty.
    #[test]
    fn many_ports_are_few_rules() {
        let rules: Vec<Rule> = (1..=50).map(|port| Rule::new("tcp", &(port * 10).to_string(), "0.0.0.0/0")).collect();
        assert_eq!(grouped(&rules).unwrap().len(), 4);
        let everywhere: Vec<Rule> = (1..=26).map(|port| Rule::new("tcp", &port.to_string(), &format!("10.0.{port}.0/24"))).collect();
        assert!(grouped(&everywhere).unwrap_err().contains("at most 25"));
    }
}
