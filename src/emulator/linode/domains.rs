//! `/domains`.

use serde_json::json;

use super::events::{Entity, notify};
use super::input::Fields;
use super::listing::{self, list};
use super::problem::{invalid, not_found, refused, required};
use super::ttl::rounded;
use super::zones::Domain;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 8] = [
    look("/domains", list_all),
    change("POST", "/domains", create),
    change("POST", "/domains/import", import),
    look("/domains/{id}", get),
    change("PUT", "/domains/{id}", update),
    change("DELETE", "/domains/{id}", delete),
    change("POST", "/domains/{id}/clone", clone),
    look("/domains/{id}/zone-file", zone_file),
];

/// The domain of a number.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, id: &str) -> Result<(u64, &'t Domain), Answer> {
    let number = id.parse::<u64>().ok();
    let found = number.and_then(|number| Some((number, truth.linode.zones.domains.get(&number)?)));
    found.ok_or_else(not_found)
}

/// A domain as what an event is about.
pub fn entity(id: u64, domain: &Domain) -> Entity {
    Entity::new("domain", &id.to_string(), &domain.domain, &format!("/domains/{id}"))
}

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let domains = truth.linode.zones.domains.iter();
    list(args.request, &listing::DOMAINS, domains.map(|(id, domain)| domain.shown(*id)).collect())
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (id, domain) = find(truth, args.id)?;
    Ok(Answer::ok(domain.shown(id)))
}

/// Whether a name may be a domain's: two labels at least.
pub fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let inner = name.strip_prefix("*.").unwrap_or(name);
    let top = inner.rsplit('.').next().unwrap_or_default();
    let is_top = top.len() >= 2 && (top.starts_with("xn--") || top.bytes().all(|byte| byte.is_ascii_alphabetic()));
    name.len() <= 253 && inner.contains('.') && inner.split('.').all(is_label) && is_top
}

/// A name that no other domain has; domains are unique over all accounts.
fn new_name(deed: &Deed, fields: &Fields, own: Option<u64>) -> Result<Option<String>, Answer> {
    let Some(name) = fields.text("domain")? else { return Ok(None) };
    if !is_domain(name) {
        return Err(invalid("domain", "Domain is not valid."));
    }
    let mut others = deed.truth.linode.zones.domains.iter().filter(|(id, _)| Some(**id) != own);
    if others.any(|(_, domain)| domain.domain.eq_ignore_ascii_case(name)) {
        return Err(invalid("domain", "DNS zone already exists."));
    }
    Ok(Some(name.to_lowercase()))
}

/// Takes over what a request says of a domain.
fn read(deed: &Deed, fields: &Fields, mut domain: Domain, own: Option<u64>) -> Result<Domain, Answer> {
    if let Some(name) = new_name(deed, fields, own)? {
        domain.domain = name;
    }
    match fields.text("type")? {
        None => {}
        Some("master") => domain.is_master = true,
        Some("slave") => domain.is_master = false,
        Some(_) => return Err(invalid("type", "Must be one of master, slave")),
    }
    for (key, kept) in [("group", &mut domain.group), ("description", &mut domain.description), ("soa_email", &mut domain.soa_email)] {
        if let Some(text) = fields.text(key)? {
            text.clone_into(kept);
        }
    }
    if let Some(status) = fields.text("status")? {
        if !["active", "disabled"].contains(&status) {
            return Err(invalid("status", "Must be one of active, disabled"));
        }
        status.clone_into(&mut domain.status);
    }
    let seconds = [
        ("retry_sec", &mut domain.retry_sec),
        ("expire_sec", &mut domain.expire_sec),
        ("refresh_sec", &mut domain.refresh_sec),
        ("ttl_sec", &mut domain.ttl_sec),
    ];
    for (key, kept) in seconds {
        *kept = fields.number(key)?.map_or(*kept, rounded);
    }
    for (key, kept) in [("master_ips", &mut domain.master_ips), ("axfr_ips", &mut domain.axfr_ips)] {
        let Some(addresses) = fields.texts(key)? else { continue };
        if addresses.iter().any(|address| address.parse::<std::net::IpAddr>().is_err()) {
            return Err(invalid(key, "Must be a list of IP addresses"));
        }
        *kept = addresses;
    }
    if let Some(tags) = fields.tags()? {
        domain.tags = tags;
    }
    if domain.is_master && domain.soa_email.is_empty() {
        return Err(invalid("soa_email", "soa_email required when type=master"));
    }
    if domain.is_master && !domain.soa_email.contains('@') {
        return Err(invalid("soa_email", "Must be a valid email address"));
    }
    if !domain.is_master && domain.master_ips.is_empty() {
        return Err(invalid("master_ips", "master_ips required when type=slave"));
    }
    Ok(domain)
}

fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    fields.needed("domain")?;
    fields.needed("type")?;
    let domain = read(deed, &fields, Domain { status: "active".to_owned(), ..Domain::default() }, None)?;
    keep(deed, domain, "dns_zone_create")
}

/// Keeps a new domain.
fn keep(deed: &mut Deed, mut domain: Domain, action: &str) -> Result<Answer, Answer> {
    deed.check_quota("domain")?;
    let id: u64 = deed.mint("domain").parse().unwrap_or_default();
    domain.created = deed.tick();
    domain.updated = domain.created;
    notify(deed, action, Some(entity(id, &domain)), None);
    let shown = domain.shown(id);
    deed.truth.linode.zones.domains.insert(id, domain);
    Ok(Answer::ok(shown))
}

fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (id, domain) = find(&deed.truth, args.id)?;
    let mut domain = read(deed, &fields, domain.clone(), Some(id))?;
    domain.updated = deed.tick();
    notify(deed, "dns_zone_update", Some(entity(id, &domain)), None);
    let shown = domain.shown(id);
    deed.truth.linode.zones.domains.insert(id, domain);
    Ok(Answer::ok(shown))
}

/// With all its records.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (id, domain) = find(&deed.truth, args.id)?;
    let about = entity(id, domain);
    deed.truth.linode.zones.domains.remove(&id);
    notify(deed, "dns_zone_delete", Some(about), None);
    Ok(Answer::ok(json!({})))
}

/// A new domain with the same records.
fn clone(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, source) = find(&deed.truth, args.id)?;
    let mut copy = source.clone();
    copy.domain = new_name(deed, &fields, None)?.ok_or_else(|| required("domain"))?;
    let records = std::mem::take(&mut copy.records);
    for record in records.into_values() {
        copy.records.insert(deed.mint("record").parse().unwrap_or_default(), record);
    }
    keep(deed, copy, "dns_zone_create")
}

/// From a name server elsewhere, which cannot be reached from here.
fn import(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = new_name(deed, &fields, None)?.ok_or_else(|| required("domain"))?;
    let server = fields.needed("remote_nameserver")?;
    Err(refused(&format!("Unable to transfer zone {name} from {server}.")))
}

fn zone_file(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, domain) = find(truth, args.id)?;
    Ok(Answer::ok(json!({"zone_file": domain.file()})))
}
