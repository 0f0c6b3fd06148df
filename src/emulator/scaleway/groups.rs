//! Security groups. Each project has a default group in each zone, which appears when it is needed.

use serde_json::{Value, json};

use super::changes::{Change, later};
use super::details::{GroupDetails, organization};
use super::input::{Fields, invalid, patched_tags};
use super::moments::offset;
use super::pages::header_page;
use super::show;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::Firewall;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How long a change takes to arrive everywhere.
const SYNC_SECONDS: u64 = 1;

/// The group of this id in a zone.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Firewall, &'t GroupDetails), Answer> {
    let group = truth.firewalls.get(id).filter(|group| group.zone == zone);
    group.zip(truth.scaleway.groups.get(id)).ok_or_else(|| Answer::not_found("instance_security_group", id))
}

/// The group object, bare.
fn shown(truth: &Truth, group: &Firewall, details: &GroupDetails) -> Value {
    let servers = truth.servers.values().filter(|server| server.firewall.as_deref() == Some(&group.id));
    let servers: Vec<Value> = servers.map(|server| json!({"id": server.id, "name": server.name})).collect();
    json!({
        "id": group.id,
        "creation_date": offset(group.created),
        "modification_date": offset(details.modified),
        "name": group.name,
        "description": details.description,
        "organization": organization(truth),
        "project": details.project,
        "servers": servers,
        "stateful": details.stateful,
        "inbound_default_policy": details.inbound,
        "outbound_default_policy": details.outbound,
        "organization_default": details.project_default,
        "project_default": details.project_default,
        "enable_default_security": details.default_security,
        "state": if details.syncing { "syncing" } else { "available" },
        "tags": group.tags,
        "zone": group.zone,
    })
}

fn answer(truth: &Truth, zone: &str, id: &str, status: u16) -> Result<Answer, Answer> {
    let (group, details) = find(truth, zone, id)?;
    Ok(Answer::json(status, json!({"security_group": shown(truth, group, details)})))
}

/// GET `security_groups/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args.zone, args.id, 200)
}

/// GET `security_groups`, the newest first.
pub fn list(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let project = request.filter("project").map(str::to_owned).or_else(|| deed.truth.scaleway.organization.clone());
    if let Some(project) = project {
        let project = deed.truth.scaleway.project(deed.truth.seed, Some(&project));
        default_of(deed, args.zone, &project)?;
    }
    let (truth, now) = (&deed.truth, deed.now);
    let tags = request.commas("tags");
    let mut found: Vec<&Firewall> = truth.firewalls.values().filter(|group| group.zone == args.zone).collect();
    found.retain(|group| show::is_listed(truth, now, group.created) && show::has_all(&group.tags, &tags));
    found.retain(|group| request.filter("name").is_none_or(|name| group.name.contains(name)));
    found.sort_by_key(|group| -group.created.0);
    let objects = found.into_iter().filter_map(|it| Some(shown(truth, it, truth.scaleway.groups.get(&it.id)?)));
    let is = |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key] == wanted);
    let is_default =
        |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key].as_bool() == Some(wanted.eq_ignore_ascii_case("true")));
    let wanted = |item: &Value| is(item, "project") && is_default(item, "project_default") && is_default(item, "organization_default");
    Ok(header_page(request, "security_groups", "/security_groups", objects.filter(wanted).collect()))
}

/// The id of the default group of a project in a zone, which is made if need be.
pub fn default_of(deed: &mut Deed, zone: &str, project: &str) -> Result<String, Answer> {
    let groups = deed.truth.scaleway.groups.iter();
    let mut own = groups.filter(|(_, details)| details.project_default && details.project == project).map(|(id, _)| id);
    let here = own.find(|id| deed.truth.firewalls.get(*id).is_some_and(|group| group.zone == zone));
    if let Some(id) = here {
        return Ok(id.clone());
    }
    let details = GroupDetails {
        project: project.to_owned(),
        description: Some("Auto generated security group.".to_owned()),
        stateful: true,
        inbound: "accept".to_owned(),
        outbound: "accept".to_owned(),
        default_security: true,
        project_default: true,
        rules: Vec::new(),
        syncing: false,
        modified: deed.now,
    };
    add(deed, zone, "Default security group", Vec::new(), details)
}

fn add(deed: &mut Deed, zone: &str, name: &str, tags: Vec<String>, mut details: GroupDetails) -> Result<String, Answer> {
    let group = deed.create_firewall(zone, name, Vec::new(), tags).map_err(|_| Answer::quota_exceeded("security_groups"))?;
    details.modified = group.created;
    deed.truth.scaleway.groups.insert(group.id.clone(), details);
    Ok(group.id)
}

/// POST `security_groups`.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = fields.needed("name")?;
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let details = GroupDetails {
        project,
        description: fields.word("description")?.map(str::to_owned),
        stateful: fields.flag("stateful")?.unwrap_or(true),
        inbound: policy(&fields, "inbound_default_policy")?.unwrap_or_else(|| "accept".to_owned()),
        outbound: policy(&fields, "outbound_default_policy")?.unwrap_or_else(|| "accept".to_owned()),
        default_security: fields.flag("enable_default_security")?.unwrap_or(true),
        project_default: fields.flag("project_default")?.or(fields.flag("organization_default")?).unwrap_or(false),
        rules: Vec::new(),
        syncing: false,
        modified: deed.now,
    };
    let is_default = details.project_default;
    let id = add(deed, args.zone, name, fields.texts("tags")?.unwrap_or_default(), details)?;
    if is_default {
        make_default(deed, args.zone, &id);
    }
    let location = format!("/instance/v1/zones/{}/security_groups/{id}", args.zone);
    Ok(answer(&deed.truth, args.zone, &id, 201)?.with("location", location))
}

/// Makes a group the only default group of its project and zone.
fn make_default(deed: &mut Deed, zone: &str, id: &str) {
    let Some(project) = deed.truth.scaleway.groups.get(id).map(|group| group.project.clone()) else { return };
    for (other, details) in &mut deed.truth.scaleway.groups {
        if details.project == project && deed.truth.firewalls.get(other).is_some_and(|group| group.zone == zone) {
            details.project_default = other == id;
        }
    }
}

fn policy(fields: &Fields, key: &str) -> Result<Option<String>, Answer> {
    match fields.word(key)? {
        Some(word) if !["accept", "drop"].contains(&word) => Err(invalid(key, "constraint", "not a valid value")),
        word => Ok(word.map(str::to_owned)),
    }
}

/// PATCH `security_groups/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (group, details) = find(&deed.truth, args.zone, args.id)?;
    let (mut group, mut details) = (group.clone(), details.clone());
    let before = (group.clone(), details.clone());
    if let Some(name) = fields.word("name")? {
        group.name = name.to_owned();
    }
    if let Some(tags) = patched_tags(&fields)? {
        group.tags = tags;
    }
    if let Some(description) = fields.text("description")? {
        details.description = (!description.is_empty()).then(|| description.to_owned());
    }
    if let Some(stateful) = fields.flag("stateful")? {
        details.stateful = stateful;
    }
    if let Some(inbound) = policy(&fields, "inbound_default_policy")? {
        details.inbound = inbound;
    }
    if let Some(outbound) = policy(&fields, "outbound_default_policy")? {
        details.outbound = outbound;
    }
    if let Some(secure) = fields.flag("enable_default_security")? {
        details.default_security = secure;
    }
    let becomes_default = [fields.flag("project_default")?, fields.flag("organization_default")?].contains(&Some(true));
    let same_rules = details == before.1;
    if group != before.0 || !same_rules {
        details.modified = deed.tick();
    }
    deed.truth.firewalls.insert(args.id.to_owned(), group);
    deed.truth.scaleway.groups.insert(args.id.to_owned(), details);
    if becomes_default {
        make_default(deed, args.zone, args.id);
    }
    let in_use = deed.truth.servers.values().any(|server| server.firewall.as_deref() == Some(args.id));
    if in_use && !same_rules {
        synchronise(deed, args.id);
    }
    answer(&deed.truth, args.zone, args.id, 200)
}

/// A change takes a moment until it is everywhere.
pub fn synchronise(deed: &mut Deed, id: &str) {
    let now = deed.tick();
    if let Some(details) = deed.truth.scaleway.groups.get_mut(id) {
        details.syncing = true;
        details.modified = now;
        later(deed, SYNC_SECONDS, Change::Synced(id.to_owned()));
    }
}

/// DELETE `security_groups/{id}`, unless a server is behind it; a default group comes back when it is needed.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.zone, args.id)?;
    if deed.truth.servers.values().any(|server| server.firewall.as_deref() == Some(args.id)) {
        return Err(Answer::legacy(400, "Group is in use. You cannot delete it.", json!({})));
    }
    deed.delete_firewall(args.id)?;
    deed.truth.scaleway.groups.remove(args.id);
    Ok(Answer::empty(204))
}
