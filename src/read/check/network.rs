//! Addresses, ports and names.

use std::net::IpAddr;

use super::super::findings::Findings;
use super::super::node::Node;
use super::super::problem::quoted;

/// Checks `spec.network`.
pub fn check(spec: &Node, findings: &mut Findings) {
    for node in spec.at("network.allowFrom").map(Node::items).unwrap_or_default() {
        told(node, network_problem, findings);
    }
    for node in spec.at("network.ports").map(Node::items).unwrap_or_default() {
        told(node, port_problem, findings);
    }
    dns(spec, findings);
}

/// What is wrong, and what to do about it.
type Complaint = (String, String);

fn told(node: &Node, complain: fn(&str) -> Option<Complaint>, findings: &mut Findings) {
    if let Some((message, hint)) = node.text().and_then(complain) {
        findings.add_with_hint(node.span, message, hint);
    }
}

fn network_problem(text: &str) -> Option<Complaint> {
    let complaint = |hint: String| Some((format!("{} is not a network in CIDR form", quoted(text)), hint));
    if text.len() > 64 {
        return complaint("write one like `203.0.113.0/24`".to_owned());
    }
    let Some((address, bits)) = text.split_once('/') else {
        return complaint(match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => format!("for this one address write `{address}/32`"),
            Ok(IpAddr::V6(address)) => format!("for this one address write `{address}/128`"),
            Err(_) => "write one like `203.0.113.0/24`".to_owned(),
        });
    };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return complaint(format!("{} is not an address", quoted(address))),
    };
    match decimal(bits) {
        Some(bits) if bits <= most => None,
        _ => complaint(format!("the number after the slash is 0 to {most}")),
    }
}

fn port_problem(text: &str) -> Option<Complaint> {
    let complaint = |hint: &str| Some((format!("{} is not a port with a protocol", quoted(text)), hint.to_owned()));
    let Some((ports, protocol)) = text.split_once('/') else {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        if decimal(first).is_some() && decimal(last).is_some() {
            return complaint(&format!("write `{text}/tcp` or `{text}/udp`"));
        }
        return complaint("write one like `22/tcp` or `47998-48010/udp`");
    };
    if !matches!(protocol, "tcp" | "udp") {
        return complaint("the protocol is `tcp` or `udp`");
    }
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    match (decimal(first), decimal(last)) {
        (Some(first), Some(last)) if first > last => complaint("the first port of a range is not above its last"),
        (Some(1..=65_535), Some(1..=65_535)) => None,
        (Some(_), Some(_)) => complaint("ports are 1 to 65535"),
        _ => complaint("write one like `22/tcp` or `47998-48010/udp`"),
    }
}

/// A number as people write it: digits only, no leading zero.
fn decimal(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 6 && text.chars().all(|each| each.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

fn dns(spec: &Node, findings: &mut Findings) {
    let zone = spec.entry("network.dns.zone").and_then(|(key, node)| Some((key, node, node.text()?)));
    let record = spec.entry("network.dns.record").and_then(|(key, node)| Some((key, node, node.text()?)));
    if let Some((key, node, zone)) = zone.filter(|(_, _, zone)| (3..=253).contains(&zone.len()))
        && !(is_dns_name(zone) && zone.contains('.'))
    {
        let message = format!("{} is not a DNS zone", quoted(zone));
        findings.add_with_hint(node.place(Some(key)), message, "write it like `example.com`, without a dot at the end");
    }
    let Some((key, node, record)) = record.filter(|(_, _, record)| (1..=63).contains(&record.len())) else { return };
    let place = node.place(Some(key));
    let repeated = zone.and_then(|(_, _, zone)| {
        let front = record.trim_end_matches('.').strip_suffix(zone.trim_end_matches('.'))?;
        if front.is_empty() { Some("@") } else { front.strip_suffix('.') }
    });
    match repeated {
        Some("@") => findings.add_with_hint(place, "the record is the zone itself", "write a name inside it, like `mypad`"),
        Some(front) => {
            findings.add_with_hint(place, "the record repeats the zone", format!("write only {}", quoted(front)));
        }
        None if !is_dns_name(record) => {
            let message = format!("{} is not a DNS name", quoted(record));
            findings.add_with_hint(place, message, "letters, digits and dashes, like `mypad`");
        }
        None => {}
    }
}

fn is_dns_name(name: &str) -> bool {
    name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.chars().all(|each| each.is_ascii_alphanumeric() || each == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}
