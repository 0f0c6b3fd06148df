//! The newer instance API (v2alpha1), as far as the official clients use it beside the older one: placement groups and
//! private NICs, from the same store. But for an empty list, nothing of it is recorded; the keys are those of the
//! official clients' types.

use serde_json::{Value, json};

use super::input::{Fields, required};
use super::moments::zulu;
use super::pages::body_page;
use super::placement_groups::{self, PlacementGroup};
use super::private_nics::{self, PrivateNic};
use super::{servers, show};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

fn group(id: &str, group: &PlacementGroup) -> Value {
    json!({
        "id": id,
        "project_id": group.project,
        "name": group.name,
        "policy_type": group.policy,
        "tags": group.tags,
        "zone": group.zone,
        "created_at": zulu(group.created),
        "updated_at": zulu(group.created),
    })
}

/// GET `placement-groups`.
pub fn groups(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let all = truth.scaleway.placement_groups.iter().filter(|(_, group)| group.zone == args.zone);
    let mut found: Vec<(&String, &PlacementGroup)> = all.collect();
    found.retain(|(_, group)| {
        request.filter("project_id").is_none_or(|project| group.project == project)
            && request.filter("name").is_none_or(|name| group.name == name)
            && show::has_all(&group.tags, &request.commas("tags"))
    });
    found.sort_by_key(|(_, group)| group.created);
    Ok(body_page(request, "placement_groups", found.into_iter().map(|(id, it)| group(id, it)).collect()))
}

/// GET `placement-groups/{id}`.
pub fn get_group(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(group(args.id, placement_groups::find(truth, args.zone, args.id)?)))
}

/// POST `placement-groups`.
pub fn create_group(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let id = placement_groups::add(deed, args.zone, &fields, fields.word("project_id")?)?;
    get_group(&deed.truth, deed.now, &Args { id: &id, ..*args })
}

/// PATCH `placement-groups/{id}`.
pub fn update_group(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    placement_groups::update(deed, args)?;
    get_group(&deed.truth, deed.now, args)
}

fn nic(truth: &Truth, id: &str, nic: &PrivateNic) -> Value {
    json!({
        "id": id,
        "private_network_id": nic.network,
        "project_id": truth.scaleway.servers.get(&nic.server).map(|server| &server.project),
        "server_id": nic.server,
        "mac_address": nic.mac_address(),
        "status": nic.state_word(),
        "ip_ids": nic.addresses,
        "tags": nic.tags,
        "created_at": zulu(nic.created),
        "updated_at": zulu(nic.created),
    })
}

/// The NIC of this id in a zone.
fn find<'t>(truth: &'t Truth, args: &Args) -> Result<&'t PrivateNic, Answer> {
    let nic = truth.scaleway.private_nics.get(args.id);
    let nic = nic.filter(|nic| servers::find(truth, args.zone, &nic.server).is_ok());
    nic.ok_or_else(|| Answer::not_found("private_network_interface", args.id))
}

/// GET `private-network-interfaces`, the newest first.
pub fn nics(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let is = |key: &str, value: &str| {
        let wanted = request.commas(key);
        wanted.is_empty() || wanted.contains(&value)
    };
    let mut found: Vec<(&String, &PrivateNic)> = truth.scaleway.private_nics.iter().collect();
    found.retain(|(_, nic)| {
        servers::find(truth, args.zone, &nic.server).is_ok_and(|(_, server)| is("project_id", &server.project))
            && is("server_ids", &nic.server)
            && is("private_network_ids", &nic.network)
    });
    found.sort_by_key(|(_, nic)| -nic.created.0);
    Ok(body_page(request, "private_network_interfaces", found.into_iter().map(|(id, it)| nic(truth, id, it)).collect()))
}

/// GET `private-network-interfaces/{id}`.
pub fn get_nic(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(Answer::ok(nic(truth, args.id, find(truth, args)?)))
}

/// POST `private-network-interfaces`.
pub fn create_nic(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let server = fields.word("server_id")?.ok_or_else(|| Answer::invalid_arguments(vec![required("server_id")]))?;
    let id = private_nics::add(deed, &Args { id: server, ..*args }, &fields)?;
    get_nic(&deed.truth, deed.now, &Args { id: &id, ..*args })
}

/// PATCH `private-network-interfaces/{id}`.
pub fn update_nic(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let server = find(&deed.truth, args)?.server.clone();
    private_nics::update(deed, &Args { id: &server, key: args.id, ..*args })?;
    get_nic(&deed.truth, deed.now, args)
}

/// DELETE `private-network-interfaces/{id}`.
pub fn delete_nic(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let server = find(&deed.truth, args)?.server.clone();
    private_nics::delete(deed, &Args { id: &server, key: args.id, ..*args })
}
