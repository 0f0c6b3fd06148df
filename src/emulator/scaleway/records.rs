//! DNS: zones and their records, changed by batches that happen as a whole or not at all.
//!
//! As long as no domain was made known, every domain is ours, so that a client can be pointed here as it is: the zone of
//! a whole domain (`example.com`) is there from the start; a zone below it comes with its first record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ids::uuid_of;
use super::pages::body_page;
use super::record_data::{NAME_SERVERS, Wording, rewritten, wording, zone_object};
use super::words::detail;
use crate::emulator::Moment;
use crate::emulator::face::{Answer, Request};

/// When the zones began that are there from the start: 2025-01-01T00:00:00Z.
const FROM_THE_START: Moment = Moment(1_735_689_600_000_000);
/// For how many seconds after a change a zone says `pending`.
const PENDING_SECONDS: u64 = 3;
/// The life of the records that come with a zone, in seconds.
const OWN_TTL: u64 = 1800;

/// All zones; part of the truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// The domains that are ours; all of them if none is named.
    domains: Vec<String>,
    /// The zones that were made or touched, by their full names.
    zones: BTreeMap<String, Zone>,
    /// How many records were ever made.
    made: u64,
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Zone {
    /// None is the account's first project.
    project: Option<String>,
    /// In the order of their creation.
    records: Vec<Record>,
    updated_at: Moment,
    serial: u64,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    id: String,
    name: String,
    kind: String,
    data: String,
    ttl: u64,
    priority: u64,
    comment: Option<String>,
    updated_at: Moment,
    config: Map<String, Value>,
}

impl Zone {
    /// A zone with nothing but the servers that answer for it.
    fn new(name: &str, project: Option<String>, seed: u64, now: Moment) -> Zone {
        let record = |server: &&str| {
            let (id, data) = (uuid_of(seed, &["name server", name, server]), format!("{server}."));
            let kind = "NS".to_owned();
            let (name, config) = (String::new(), Map::new());
            Record { id, name, kind, data, ttl: OWN_TTL, priority: 0, comment: None, updated_at: now, config }
        };
        Zone { project, records: NAME_SERVERS.iter().map(record).collect(), updated_at: now, serial: 0 }
    }
}

impl Record {
    fn new(id: String, wording: Wording, now: Moment) -> Record {
        let Wording { name, kind, data, ttl, priority, comment, config } = wording;
        Record { id, name, kind, data, ttl, priority, comment, updated_at: now, config }
    }

    fn object(&self) -> Value {
        let mut object = self.config.clone();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("id", json!(self.id));
        put("name", json!(self.name));
        put("type", json!(self.kind));
        put("data", json!(self.data));
        put("ttl", json!(self.ttl));
        put("priority", json!(self.priority));
        put("comment", json!(self.comment));
        put("updated_at", json!(seconds(self.updated_at)));
        Value::Object(object)
    }
}

/// A moment in whole seconds, as this API writes them.
fn seconds(moment: Moment) -> String {
    let text = moment.to_string();
    format!("{}Z", text.split('.').next().unwrap_or(&text))
}

impl Records {
    /// Makes a domain ours; from the first one on, others are not.
    pub fn know(&mut self, domain: &str) {
        if !self.domains.iter().any(|known| known == domain) {
            self.domains.push(domain.to_owned());
        }
    }

    /// A GET below `/domain/v2beta1`; `route` is the rest of the path. `project` is that of zones without one.
    pub fn read(&self, request: &Request, route: &[&str], project: &str, seed: u64, now: Moment) -> Answer {
        match route {
            ["dns-zones"] => self.list_zones(request, project, seed, now),
            ["dns-zones", name, "records"] => match self.zone(name, seed) {
                Some(zone) => list_records(request, &zone),
                None => Answer::not_found("dns_zone", name),
            },
            ["dns-zones", name, "nameservers"] => match self.zone(name, seed) {
                Some(_) => Answer::ok(json!({"ns": NAME_SERVERS.map(|server| json!({"name": server, "ip": []}))})),
                None => Answer::not_found("dns_zone", name),
            },
            _ => Answer::unknown_resource(),
        }
    }

    /// A POST, PATCH or DELETE there. Ids are made from the seed of the cloud.
    pub fn write(&mut self, request: &Request, route: &[&str], project: &str, seed: u64, now: Moment) -> Answer {
        let done = match (request.method.as_str(), route) {
            ("POST", ["dns-zones"]) => self.create_zone(request, project, seed, now),
            ("PATCH", ["dns-zones", name]) => self.update_zone(request, name, project, seed, now),
            ("POST", ["dns-zones", name, "clone"]) => self.clone_zone(request, name, project, seed, now),
            ("POST", ["dns-zones", name, "refresh"]) => match self.zone(name, seed).zip(self.domain_of(name)) {
                Some((zone, domain)) => Ok(Answer::ok(json!({"dns_zones": [object_of(name, domain, &zone, project, now)]}))),
                None => Err(Answer::not_found("dns_zone", name)),
            },
            ("DELETE", ["dns-zones", name]) => self.delete_zone(name),
            ("PATCH", ["dns-zones", name, "records"]) => self.change(request, name, seed, now),
            _ => Err(Answer::unknown_resource()),
        };
        done.unwrap_or_else(|refusal| refusal)
    }

    /// The domain of ours that a zone is in.
    fn domain_of<'a>(&'a self, zone: &'a str) -> Option<&'a str> {
        if self.domains.is_empty() {
            let labels: Vec<&str> = zone.split('.').collect();
            let well_formed = labels.len() > 1 && labels.iter().all(|label| !label.is_empty());
            let before: usize = labels.iter().rev().skip(2).map(|label| label.len() + 1).sum();
            return well_formed.then(|| &zone[before..]);
        }
        let within = |domain: &&String| zone == *domain || zone.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        self.domains.iter().filter(within).max_by_key(|domain| domain.len()).map(String::as_str)
    }

    /// A zone that is there, touched or not.
    fn zone(&self, name: &str, seed: u64) -> Option<Zone> {
        let touched = self.zones.get(name).cloned();
        touched.or_else(|| (self.domain_of(name)? == name).then(|| Zone::new(name, None, seed, FROM_THE_START)))
    }

    fn list_zones(&self, request: &Request, project: &str, seed: u64, now: Moment) -> Answer {
        let asked: Vec<&str> = request.all("dns_zones").into_iter().chain(request.all("dns_zone")).filter(|it| !it.is_empty()).collect();
        let names: Vec<&str> = if asked.is_empty() { self.zones.keys().map(String::as_str).collect() } else { asked };
        let mut found = Vec::new();
        for name in names {
            let (Some(zone), Some(domain)) = (self.zone(name, seed), self.domain_of(name)) else { continue };
            let object = object_of(name, domain, &zone, project, now);
            let fits = |key: &str, member: &str| request.filter(key).is_none_or(|wanted| object[member] == wanted);
            if fits("domain", "domain") && fits("project_id", "project_id") {
                found.push(object);
            }
        }
        let key = |zone: &Value, member: &str| zone[member].as_str().unwrap_or_default().to_owned();
        let order = |zone: &Value| (key(zone, "domain"), key(zone, "subdomain"));
        match request.filter("order_by") {
            Some("domain_desc") => found.sort_by_key(|zone| std::cmp::Reverse(order(zone))),
            Some("subdomain_asc") => found.sort_by_key(|zone| key(zone, "subdomain")),
            Some("subdomain_desc") => found.sort_by_key(|zone| std::cmp::Reverse(key(zone, "subdomain"))),
            _ => found.sort_by_key(order),
        }
        body_page(request, "dns_zones", found)
    }

    fn create_zone(&mut self, request: &Request, project: &str, seed: u64, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
        let required = || Answer::invalid_arguments(vec![detail("domain", "required", "required key not provided")]);
        let domain = text("domain").ok_or_else(required)?;
        if self.domain_of(domain).is_none() {
            return Err(Answer::not_found("domain", domain));
        }
        let name = text("subdomain").map_or(domain.to_owned(), |subdomain| format!("{subdomain}.{domain}"));
        if self.zone(&name, seed).is_some() {
            return Err(already_there(&name));
        }
        let zone = Zone::new(&name, text("project_id").map(str::to_owned), seed, now);
        let object = object_of(&name, self.domain_of(&name).unwrap_or(domain), &zone, project, now);
        self.zones.insert(name, zone);
        Ok(Answer::ok(object))
    }

    /// A zone gets another name, or another project.
    fn update_zone(&mut self, request: &Request, name: &str, project: &str, seed: u64, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let mut zone = self.zone(name, seed).ok_or_else(|| Answer::not_found("dns_zone", name))?;
        let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
        let new = text("new_dns_zone").unwrap_or(name);
        let domain = self.domain_of(new).ok_or_else(|| Answer::not_found("domain", new))?;
        if new != name && self.zone(new, seed).is_some() {
            return Err(already_there(new));
        }
        zone.project = text("project_id").map(str::to_owned).or(zone.project);
        zone.updated_at = now;
        let object = object_of(new, domain, &zone, project, now);
        self.zones.remove(name);
        self.zones.insert(new.to_owned(), zone);
        Ok(Answer::ok(object))
    }

    /// A zone's records become those of another zone.
    fn clone_zone(&mut self, request: &Request, name: &str, project: &str, seed: u64, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let mut zone = self.zone(name, seed).ok_or_else(|| Answer::not_found("dns_zone", name))?;
        let required = || Answer::invalid_arguments(vec![detail("dest_dns_zone", "required", "required key not provided")]);
        let new = body["dest_dns_zone"].as_str().filter(|text| !text.is_empty()).ok_or_else(required)?;
        let domain = self.domain_of(new).ok_or_else(|| Answer::not_found("domain", new))?;
        if self.zone(new, seed).is_some() && body["overwrite"] != true {
            return Err(already_there(new));
        }
        zone.updated_at = now;
        let object = object_of(new, domain, &zone, project, now);
        let mut made = self.made;
        for record in &mut zone.records {
            made += 1;
            record.id = uuid_of(seed, &["record", &made.to_string()]);
        }
        self.zones.insert(new.to_owned(), zone);
        self.made = made;
        Ok(Answer::ok(object))
    }

    fn delete_zone(&mut self, name: &str) -> Result<Answer, Answer> {
        self.zones.remove(name).map(|_| Answer::ok(json!({}))).ok_or_else(|| Answer::not_found("dns_zone", name))
    }

    /// All changes of a request, in order, on a copy of the zone that replaces it in the end.
    fn change(&mut self, request: &Request, name: &str, seed: u64, now: Moment) -> Result<Answer, Answer> {
        let body = request.json()?;
        let required = || Answer::invalid_arguments(vec![detail("changes", "required", "required key not provided")]);
        let changes = body["changes"].as_array().ok_or_else(required)?;
        let may_create = !body["disallow_new_zone_creation"].as_bool().unwrap_or(false) && self.domain_of(name).is_some();
        let zone = self.zone(name, seed).or_else(|| may_create.then(|| Zone::new(name, None, seed, now)));
        let mut batch =
            Batch { zone: zone.ok_or_else(|| Answer::not_found("dns_zone", name))?, name, made: self.made, seed, now, changed: Vec::new() };
        for change in changes {
            batch.apply(change)?;
        }
        let Batch { mut zone, made, changed, .. } = batch;
        zone.updated_at = now;
        zone.serial = body["serial"].as_u64().filter(|serial| *serial > 0).unwrap_or(zone.serial.wrapping_add(1));
        let all = body["return_all_records"].as_bool().unwrap_or(false);
        let shown = zone.records.iter().filter(|record| all || changed.contains(&record.id));
        let answer = Answer::ok(json!({"records": shown.map(Record::object).collect::<Vec<_>>()}));
        self.made = made;
        self.zones.insert(name.to_owned(), zone);
        Ok(answer)
    }
}

/// 409: there is a zone of this name.
fn already_there(name: &str) -> Answer {
    let message = "resource already exists";
    Answer::json(409, json!({"type": "already_exists", "message": message, "resource": "dns_zone", "resource_id": name}))
}

/// A batch of changes under way.
struct Batch<'a> {
    zone: Zone,
    name: &'a str,
    made: u64,
    seed: u64,
    now: Moment,
    /// The ids of what was written and is still there.
    changed: Vec<String>,
}

impl Batch<'_> {
    fn apply(&mut self, change: &Value) -> Result<(), Answer> {
        let kinds = ["add", "set", "delete", "clear"];
        let named: Vec<&str> = kinds.into_iter().filter(|kind| !change[*kind].is_null()).collect();
        let [kind] = named.as_slice() else {
            let help = "exactly one of add, set, delete and clear is needed";
            return Err(Answer::invalid_arguments(vec![detail("changes", "constraint", help)]));
        };
        let change = &change[*kind];
        match *kind {
            "add" => self.write(self.wordings(change)?, Vec::new()),
            "set" => {
                let wordings = self.wordings(change)?;
                let replaced = self.take(change)?;
                self.write(wordings, replaced);
            }
            "delete" => {
                self.take(change)?;
            }
            // The servers that answer for the zone are the vendor's own and stay.
            _ => {
                let stays = |record: &Record| record.kind == "NS" && record.name.is_empty();
                self.zone.records.retain(stays);
            }
        }
        Ok(())
    }

    fn wordings(&self, change: &Value) -> Result<Vec<Wording>, Answer> {
        let records = change["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        let wordings: Result<Vec<_>, Value> = records.iter().map(|record| wording(record, self.name)).collect();
        wordings.map_err(|fault| Answer::invalid_arguments(vec![fault]))
    }

    /// Takes out what a change names by id, or by name and kind; where each stood, and its id.
    fn take(&mut self, change: &Value) -> Result<Vec<(usize, String)>, Answer> {
        let fields = &change["id_fields"];
        let id = change["id"].as_str().filter(|id| !id.is_empty());
        if id.is_none() && fields.is_null() {
            let help = "one of id and id_fields is needed";
            return Err(Answer::invalid_arguments(vec![detail("id", "required", help)]));
        }
        let named = |record: &Record| match id {
            Some(id) => record.id == id,
            None => {
                let data = fields["data"].as_str().map(|data| rewritten(&record.kind, data, record.priority, self.name));
                record.name == fields["name"].as_str().unwrap_or_default()
                    && fields["type"] == record.kind.as_str()
                    && data.is_none_or(|data| record.data == data)
                    && fields["ttl"].as_u64().is_none_or(|ttl| record.ttl == ttl)
            }
        };
        let (mut taken, mut kept) = (Vec::new(), Vec::new());
        for (at, record) in self.zone.records.iter().enumerate() {
            if named(record) {
                taken.push((at, record.id.clone()));
            } else {
                kept.push(record.clone());
            }
        }
        if let Some(id) = id.filter(|_| taken.is_empty()) {
            return Err(Answer::not_found("record", id));
        }
        self.zone.records = kept;
        self.changed.retain(|id| taken.iter().all(|(_, gone)| gone != id));
        Ok(taken)
    }

    /// Writes records: those that replace others take their ids and places, the rest go to the end.
    fn write(&mut self, wordings: Vec<Wording>, replaced: Vec<(usize, String)>) {
        let mut replaced = replaced.into_iter();
        for wording in wordings {
            let end = self.zone.records.len();
            let (at, id) = replaced.next().unwrap_or_else(|| {
                self.made += 1;
                (end, uuid_of(self.seed, &["record", &self.made.to_string()]))
            });
            self.changed.push(id.clone());
            self.zone.records.insert(at.min(end), Record::new(id, wording, self.now));
        }
    }
}

fn object_of(name: &str, domain: &str, zone: &Zone, project: &str, now: Moment) -> Value {
    let subdomain = name.strip_suffix(domain).unwrap_or_default().trim_end_matches('.');
    let status = if now < zone.updated_at.plus_seconds(PENDING_SECONDS) { "pending" } else { "active" };
    zone_object(domain, subdomain, zone.project.as_deref().unwrap_or(project), status, seconds(zone.updated_at))
}

/// GET `records`. An empty name means any, as does the kind `unknown`; a name must match in full.
fn list_records(request: &Request, zone: &Zone) -> Answer {
    let wanted = |record: &&Record| {
        request.filter("name").is_none_or(|name| record.name == name)
            && request.filter("type").is_none_or(|kind| kind == "unknown" || record.kind == kind)
            && request.filter("id").is_none_or(|id| record.id == id)
    };
    let mut found: Vec<&Record> = zone.records.iter().filter(wanted).collect();
    match request.filter("order_by") {
        Some("name_desc") => found.sort_by(|a, b| b.name.cmp(&a.name)),
        _ => found.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    body_page(request, "records", found.into_iter().map(Record::object).collect())
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
