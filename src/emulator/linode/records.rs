//! `/domains/{id}/records`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::json;

use super::domains::{entity, find, is_domain};
use super::events::notify;
use super::input::Fields;
use super::listing::{self, list};
use super::problem::{invalid, not_found, required};
use super::ttl::rounded;
use super::zones::Record;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 5] = [
    look("/domains/{id}/records", list_all),
    change("POST", "/domains/{id}/records", create),
    look("/domains/{id}/records/{key}", get),
    change("PUT", "/domains/{id}/records/{key}", update),
    change("DELETE", "/domains/{id}/records/{key}", delete),
];

/// What records there are.
const KINDS: [&str; 9] = ["A", "AAAA", "NS", "MX", "CNAME", "TXT", "SRV", "PTR", "CAA"];

/// How many records a domain may have.
const MOST: usize = 12_000;

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, domain) = find(truth, args.id)?;
    list(args.request, &listing::RECORDS, domain.records.iter().map(|(id, record)| record.shown(*id)).collect())
}

fn one<'t>(truth: &'t Truth, args: &Args) -> Result<(u64, &'t Record), Answer> {
    let (_, domain) = find(truth, args.id)?;
    let id = args.key.parse::<u64>().map_err(|_| not_found())?;
    domain.records.get(&id).map(|record| (id, record)).ok_or_else(not_found)
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (id, record) = one(truth, args)?;
    Ok(Answer::ok(record.shown(id)))
}

fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, domain) = find(&deed.truth, args.id)?;
    let kind = fields.needed("type")?.to_owned();
    if !KINDS.contains(&kind.as_str()) {
        return Err(invalid("type", "type is not valid"));
    }
    if domain.records.len() >= MOST {
        return Err(invalid("type", "Too many records."));
    }
    let mut record = read(&fields, Record { kind, ..Record::default() }, &domain.domain)?;
    let id: u64 = deed.mint("record").parse().unwrap_or_default();
    record.created = deed.tick();
    keep(deed, args, id, record, "dns_record_create")
}

/// PUT: all but its type.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (id, record) = one(&deed.truth, args)?;
    let record = record.clone();
    let (_, domain) = find(&deed.truth, args.id)?;
    let record = read(&fields, record, &domain.domain)?;
    keep(deed, args, id, record, "dns_record_update")
}

fn keep(deed: &mut Deed, args: &Args, id: u64, mut record: Record, action: &str) -> Result<Answer, Answer> {
    record.updated = deed.tick().max(record.created);
    if action == "dns_record_create" {
        record.updated = record.created;
    }
    let shown = record.shown(id);
    let (zone, _) = find(&deed.truth, args.id)?;
    if let Some(domain) = deed.truth.linode.zones.domains.get_mut(&zone) {
        domain.records.insert(id, record);
        let about = entity(zone, domain);
        notify(deed, action, Some(about), None);
    }
    Ok(Answer::ok(shown))
}

fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (id, _) = one(&deed.truth, args)?;
    let (zone, _) = find(&deed.truth, args.id)?;
    if let Some(domain) = deed.truth.linode.zones.domains.get_mut(&zone) {
        domain.records.remove(&id);
        let about = entity(zone, domain);
        notify(deed, "dns_record_delete", Some(about), None);
    }
    Ok(Answer::ok(json!({})))
}

/// Takes over what a request says of a record.
fn read(fields: &Fields, mut record: Record, domain: &str) -> Result<Record, Answer> {
    let is = |kinds: &[&str]| kinds.contains(&record.kind.as_str());
    let (serves, sends, warns) = (is(&["SRV"]), is(&["MX"]), is(&["CAA"]));
    if let Some(name) = fields.text("name")? {
        record.name = relative(name, domain)?;
    }
    if let Some(target) = fields.text("target")? {
        record.target = checked_target(&record.kind, target)?;
    } else if record.target.is_empty() {
        return Err(required("target"));
    }
    let numbers = [("priority", 255, &mut record.priority), ("weight", 65_535, &mut record.weight), ("port", 65_535, &mut record.port)];
    for (key, most, kept) in numbers {
        match fields.number(key)? {
            Some(number) if (0..=most).contains(&number) => *kept = number,
            Some(_) => return Err(invalid(key, &format!("Must be 0-{most}"))),
            // Mail goes to the tenth place where none is named.
            None if sends && key == "priority" && record.updated == Moment::default() => *kept = 10,
            None => {}
        }
    }
    record.ttl_sec = fields.number("ttl_sec")?.map_or(record.ttl_sec, rounded);
    if serves {
        for (key, kept) in [("service", &mut record.service), ("protocol", &mut record.protocol)] {
            if let Some(text) = fields.text(key)?.filter(|text| !text.is_empty()) {
                *kept = Some(format!("_{}", text.trim_start_matches('_')));
            }
            if kept.is_none() {
                return Err(required(key));
            }
        }
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        record.name = format!("{}.{}", part(&record.service), part(&record.protocol));
    }
    if warns {
        match fields.text("tag")? {
            Some(tag) if ["issue", "issuewild", "iodef"].contains(&tag) => record.tag = Some(tag.to_owned()),
            Some(_) => return Err(invalid("tag", "Must be one of issue, issuewild, iodef")),
            None if record.tag.is_none() => return Err(required("tag")),
            None => {}
        }
    }
    if record.kind == "CNAME" && record.name.is_empty() {
        return Err(required("name"));
    }
    Ok(record)
}

/// A name in front of the domain's, be it given with the domain's or without.
fn relative(name: &str, domain: &str) -> Result<String, Answer> {
    let name = name.trim_end_matches('.').to_lowercase();
    if name.chars().count() > 100 {
        return Err(invalid("name", "Length must be 1-100 characters"));
    }
    let relative = if name == domain || name == "@" { "" } else { name.strip_suffix(&format!(".{domain}")).unwrap_or(&name) };
    let is_label = |label: &str| {
        let plain = label == "*" || label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        plain && (1..=63).contains(&label.len())
    };
    if !relative.is_empty() && !relative.split('.').all(is_label) {
        return Err(invalid("name", "Hostname is not valid."));
    }
    Ok(relative.to_owned())
}

/// Where a record leads, if a record of its kind may.
fn checked_target(kind: &str, target: &str) -> Result<String, Answer> {
    let fine = match kind {
        // The caller's own address; callers of ours come from here.
        "A" | "AAAA" if target == "[remote_addr]" => return Ok(if kind == "A" { "127.0.0.1" } else { "::1" }.to_owned()),
        "A" => target.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => target.parse::<Ipv6Addr>().is_ok(),
        "TXT" | "CAA" => !target.is_empty() && target.len() <= 65_535,
        _ => is_domain(target.trim_end_matches('.')) || (kind != "NS" && !target.is_empty() && !target.contains(char::is_whitespace)),
    };
    let reason = match kind {
        "A" => "Must be a valid IPv4 address.",
        "AAAA" => "Must be a valid IPv6 address.",
        _ => "Target is not valid.",
    };
    if fine { Ok(target.to_owned()) } else { Err(invalid("target", reason)) }
}
