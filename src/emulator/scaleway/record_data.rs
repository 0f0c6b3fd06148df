//! What a DNS record says: its kinds, and how the API rewrites the data it is given.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::words::detail;

/// The kinds of records.
const KINDS: [&str; 21] = [
    "A", "AAAA", "CNAME", "TXT", "SRV", "TLSA", "MX", "NS", "PTR", "CAA", "ALIAS", "LOC", "SSHFP", "HINFO", "RP", "URI", "DS", "NAPTR",
    "DNAME", "SVCB", "HTTPS",
];

/// The settings of answers that differ by asker or health; a record has at most one, and lacks the keys of the others.
pub(super) const CONFIGS: [&str; 4] = ["geo_ip_config", "http_service_config", "weighted_config", "view_config"];

/// The lives a record may have, in seconds.
const TTL: std::ops::RangeInclusive<u64> = 60..=2_592_000;
/// The life of a record that does not say.
const TTL_DEFAULT: u64 = 3600;

/// A record as a request words it, checked and rewritten.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wording {
    pub name: String,
    pub kind: String,
    pub data: String,
    pub ttl: u64,
    pub priority: u64,
    pub comment: Option<String>,
    pub config: Map<String, Value>,
}

/// Reads a record of a request.
///
/// Errors: the detail of `invalid_arguments`.
pub(super) fn wording(record: &Value, zone: &str) -> Result<Wording, Value> {
    let text = |key: &str| record[key].as_str().unwrap_or_default().trim().to_owned();
    let (kind, given) = (text("type"), text("data"));
    if !KINDS.contains(&kind.as_str()) {
        return Err(detail("type", "constraint", "unknown record type"));
    }
    if given.is_empty() {
        return Err(detail("data", "required", "required key not provided"));
    }
    let is_address = match kind.as_str() {
        "A" => given.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => given.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    };
    if !is_address {
        return Err(detail("data", "format", "not an IP address"));
    }
    let ttl = record["ttl"].as_u64().unwrap_or(TTL_DEFAULT);
    if !TTL.contains(&ttl) {
        return Err(detail("ttl", "constraint", "ttl must be between 60 and 2592000"));
    }
    let priority = record["priority"].as_u64().unwrap_or(0);
    let config = CONFIGS.iter().filter(|key| !record[**key].is_null()).map(|key| ((*key).to_owned(), record[*key].clone())).collect();
    let data = rewritten(&kind, &given, priority, zone);
    let comment = record["comment"].as_str().map(str::to_owned);
    Ok(Wording { name: text("name"), kind, data, ttl, priority, comment, config })
}

/// The data as the API gives it back.
pub(super) fn rewritten(kind: &str, data: &str, priority: u64, zone: &str) -> String {
    match kind {
        "TXT" if !(data.len() > 1 && data.starts_with('"') && data.ends_with('"')) => format!("\"{data}\""),
        "MX" => match data.split_once(' ') {
            Some((number, host)) if number.parse::<u16>().is_ok() => format!("{number} {}", absolute(host.trim(), zone)),
            _ => format!("{priority} {}", absolute(data, zone)),
        },
        "SRV" => match data.split_ascii_whitespace().collect::<Vec<_>>().as_slice() {
            [priority, weight, port, host] => format!("{priority} {weight} {port} {}", absolute(host, zone)),
            [weight, port, host] => format!("{priority} {weight} {port} {}", absolute(host, zone)),
            _ => data.to_owned(),
        },
        // The usual form of such records has the value in quotes; that the API writes it so is not recorded.
        "CAA" => match data.splitn(3, ' ').collect::<Vec<_>>().as_slice() {
            [flags, tag, value] if !value.starts_with('"') => format!("{flags} {tag} \"{}\"", value.trim()),
            _ => data.to_owned(),
        },
        "CNAME" | "NS" | "PTR" | "ALIAS" | "DNAME" => absolute(data, zone),
        _ => data.to_owned(),
    }
}

/// A host with its final dot. What rule the API follows for names without one is not recorded: a single word is taken
/// as a name in the zone, anything longer as complete.
fn absolute(host: &str, zone: &str) -> String {
    match host {
        "@" => format!("{zone}."),
        _ if host.ends_with('.') => host.to_owned(),
        _ if host.contains('.') => format!("{host}."),
        _ => format!("{host}.{zone}."),
    }
}

/// The data of the servers that answer for a zone.
pub(super) const NAME_SERVERS: [&str; 2] = ["ns0.dom.scw.cloud", "ns1.dom.scw.cloud"];

/// The object of a zone, but for what changes.
pub(super) fn zone_object(domain: &str, subdomain: &str, project: &str, status: &str, updated_at: String) -> Value {
    json!({
        "domain": domain,
        "subdomain": subdomain,
        "ns": NAME_SERVERS,
        "ns_default": NAME_SERVERS,
        "ns_master": [],
        "status": status,
        "message": null,
        "updated_at": updated_at,
        "project_id": project,
        "linked_products": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_rewritten_by_kind_and_stays_as_it_is_the_second_time() {
        let cases = [
            ("TXT", "v=1", "\"v=1\""),
            ("TXT", "\"v=1\"", "\"v=1\""),
            ("TXT", "\"", "\"\"\""),
            ("MX", "mail.example.org.", "10 mail.example.org."),
            ("MX", "20 mail.example.org", "20 mail.example.org."),
            ("CNAME", "www.example.org", "www.example.org."),
            ("CNAME", "www", "www.example.com."),
            ("SRV", "5 5060 sip", "10 5 5060 sip.example.com."),
            ("CAA", "0 issue ca.example.org", "0 issue \"ca.example.org\""),
            ("A", "192.0.2.1", "192.0.2.1"),
        ];
        for (kind, given, kept) in cases {
            assert_eq!(rewritten(kind, given, 10, "example.com"), kept, "{kind} {given}");
            assert_eq!(rewritten(kind, kept, 10, "example.com"), kept, "{kind} {kept} again");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_name_of_its_argument() {
        let refused = |record: Value| wording(&record, "example.com").unwrap_err()["argument_name"].as_str().unwrap().to_owned();
        assert_eq!(refused(json!({"type": "A", "data": "::1"})), "data");
        assert_eq!(refused(json!({"type": "AAAA", "data": "192.0.2.1"})), "data");
        assert_eq!(refused(json!({"type": "A"})), "data");
        assert_eq!(refused(json!({"type": "B", "data": "x"})), "type");
        assert_eq!(refused(json!({"type": "A", "data": "192.0.2.1", "ttl": 5})), "ttl");
        assert_eq!(wording(&json!({"type": "A", "data": "192.0.2.1"}), "example.com").unwrap().ttl, 3600);
    }
}
