//! Placement groups: which servers are to stand together, or apart. Here every server has a machine of its own, so that
//! their policy is always respected.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::details::organization;
use super::ids::is_random;
use super::input::{Fields, invalid, patched_tags, required};
use super::pages::header_page;
use super::{servers, show};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How strictly a policy is meant.
const MODES: [&str; 2] = ["optional", "enforced"];
/// What a policy is for.
const POLICIES: [&str; 2] = ["max_availability", "low_latency"];

/// A placement group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementGroup {
    /// Where it is.
    pub zone: String,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// `optional` or `enforced`.
    pub mode: String,
    /// `max_availability` or `low_latency`.
    pub policy: String,
    /// When it was made.
    pub created: Moment,
}

/// The group of this id in a zone.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<&'t PlacementGroup, Answer> {
    let group = truth.scaleway.placement_groups.get(id).filter(|group| group.zone == zone);
    group.ok_or_else(|| Answer::not_found("instance_placement_group", id))
}

fn shown(truth: &Truth, id: &str, group: &PlacementGroup, respected: bool) -> Value {
    json!({
        "id": id,
        "name": group.name,
        "organization": organization(truth),
        "project": group.project,
        "tags": group.tags,
        "policy_mode": group.mode,
        "policy_type": group.policy,
        "policy_respected": respected,
        "zone": group.zone,
    })
}

/// The group as its servers show it: the official clients say that its policy never counts as respected there.
pub fn of_server(truth: &Truth, id: &str) -> Option<Value> {
    truth.scaleway.placement_groups.get(id).map(|group| shown(truth, id, group, false))
}

fn answer(truth: &Truth, args: &Args, id: &str, status: u16) -> Result<Answer, Answer> {
    let group = find(truth, args.zone, id)?;
    Ok(Answer::json(status, json!({"placement_group": shown(truth, id, group, true)})))
}

/// GET `placement_groups/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args, args.id, 200)
}

/// GET `placement_groups`, the newest first.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let mut found: Vec<(&String, &PlacementGroup)> = truth.scaleway.placement_groups.iter().collect();
    found.retain(|(_, group)| {
        group.zone == args.zone
            && show::is_listed(truth, now, group.created)
            && show::has_all(&group.tags, &tags)
            && request.filter("name").is_none_or(|name| group.name.contains(name))
            && request.filter("project").is_none_or(|project| group.project == project)
    });
    found.sort_by_key(|(_, group)| -group.created.0);
    let items = found.into_iter().map(|(id, group)| shown(truth, id, group, true)).collect();
    Ok(header_page(request, "placement_groups", "/placement_groups", items))
}

/// POST `placement_groups`.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let id = add(deed, args.zone, &fields, fields.word("project")?.or(fields.word("organization")?))?;
    let location = format!("/instance/v1/zones/{}/placement_groups/{id}", args.zone);
    Ok(answer(&deed.truth, args, &id, 201)?.with("location", location))
}

/// Makes a group; gives its id.
pub fn add(deed: &mut Deed, zone: &str, fields: &Fields, project: Option<&str>) -> Result<String, Answer> {
    let name = fields.needed("name")?.to_owned();
    let group = PlacementGroup {
        zone: zone.to_owned(),
        name,
        project: deed.truth.scaleway.project(deed.truth.seed, project),
        tags: fields.texts("tags")?.unwrap_or_default(),
        mode: one_of(fields, "policy_mode", &MODES)?.unwrap_or_else(|| "optional".to_owned()),
        policy: one_of(fields, "policy_type", &POLICIES)?.unwrap_or_else(|| "max_availability".to_owned()),
        created: deed.tick(),
    };
    let id = deed.mint("placement group");
    deed.truth.scaleway.placement_groups.insert(id.clone(), group);
    Ok(id)
}

/// Makes sure that a server can be put into a group. Groups can be made elsewhere too: an id that is nobody's here, but
/// looks as the API makes them, is taken for such a group's, as the id of a private network is.
///
/// Errors: 404.
pub fn recognise(deed: &mut Deed, zone: &str, id: &str, project: &str) -> Result<(), Answer> {
    if find(&deed.truth, zone, id).is_ok() {
        return Ok(());
    }
    if !is_random(id) || deed.truth.scaleway.placement_groups.contains_key(id) {
        return Err(Answer::not_found("instance_placement_group", id));
    }
    let group = PlacementGroup {
        zone: zone.to_owned(),
        name: format!("pg-{}", id.get(..8).unwrap_or(id)),
        project: project.to_owned(),
        tags: Vec::new(),
        mode: "optional".to_owned(),
        policy: "max_availability".to_owned(),
        created: deed.tick(),
    };
    deed.truth.scaleway.placement_groups.insert(id.to_owned(), group);
    Ok(())
}

fn one_of(fields: &Fields, key: &str, allowed: &[&str]) -> Result<Option<String>, Answer> {
    match fields.word(key)? {
        // The newer API's word for a policy that nobody asked for.
        Some("unknown_policy_type") => Ok(None),
        Some(word) if !allowed.contains(&word) => Err(invalid(key, "constraint", "not a valid value")),
        word => Ok(word.map(str::to_owned)),
    }
}

/// PATCH and PUT `placement_groups/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let mut group = find(&deed.truth, args.zone, args.id)?.clone();
    if let Some(name) = fields.word("name")? {
        group.name = name.to_owned();
    }
    if let Some(tags) = patched_tags(&fields)? {
        group.tags = tags;
    }
    if let Some(mode) = one_of(&fields, "policy_mode", &MODES)? {
        group.mode = mode;
    }
    if let Some(policy) = one_of(&fields, "policy_type", &POLICIES)? {
        group.policy = policy;
    }
    deed.truth.scaleway.placement_groups.insert(args.id.to_owned(), group);
    answer(&deed.truth, args, args.id, 200)
}

/// DELETE `placement_groups/{id}`, once no server is in it: the official clients take a server out before they delete
/// it, "to free the group". The words of the refusal are not recorded.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.zone, args.id)?;
    if deed.truth.scaleway.servers.values().any(|details| details.placement_group.as_deref() == Some(args.id)) {
        return Err(Answer::precondition(400, "resource_still_in_use", "placement group is in use"));
    }
    deed.truth.scaleway.placement_groups.remove(args.id);
    Ok(Answer::empty(204))
}

/// GET `placement_groups/{id}/servers`.
pub fn members(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    find(truth, args.zone, args.id)?;
    let servers = truth.scaleway.servers.iter().filter(|(_, details)| details.placement_group.as_deref() == Some(args.id));
    let servers = servers.filter_map(|(id, _)| truth.servers.get(id));
    let servers: Vec<Value> = servers.map(|it| json!({"id": it.id, "name": it.name, "policy_respected": true})).collect();
    Ok(Answer::ok(json!({"servers": servers})))
}

/// PUT and PATCH `placement_groups/{id}/servers`: exactly these servers are in it.
pub fn set_members(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.zone, args.id)?;
    let wanted = fields.texts("servers")?.ok_or_else(|| Answer::invalid_arguments(vec![required("servers")]))?;
    for server in &wanted {
        servers::find(&deed.truth, args.zone, server)?;
    }
    for (id, details) in &mut deed.truth.scaleway.servers {
        if wanted.contains(id) {
            details.placement_group = Some(args.id.to_owned());
        } else {
            details.placement_group.take_if(|group| group == args.id);
        }
    }
    members(&deed.truth, deed.now, args)
}
