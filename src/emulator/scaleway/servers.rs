//! Servers: reading, changing and deleting them.

use serde_json::{Value, json};

use super::addresses::{give, take_all_back, take_back};
use super::changes::give_dynamic;
use super::details::ServerDetails;
use super::input::{Fields, invalid, not_usable, patched_tags};
use super::pages::header_page;
use super::{catalogue, disks, groups, placement_groups, private_nics, show};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{Server, ServerState};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The server of this id in a zone.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Server, &'t ServerDetails), Answer> {
    let server = truth.servers.get(id).filter(|server| server.zone == zone);
    server.zip(truth.scaleway.servers.get(id)).ok_or_else(|| Answer::not_found("instance_server", id))
}

/// The answer that shows a server.
pub fn shown(truth: &Truth, zone: &str, id: &str, status: u16) -> Result<Answer, Answer> {
    let (server, details) = find(truth, zone, id)?;
    Ok(Answer::json(status, json!({"server": show::server(truth, server, details)})))
}

/// GET `servers/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    shown(truth, args.zone, args.id, 200)
}

/// GET `servers`: whatever their condition, the newest first. There is one organisation, so that its filter is idle.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let ids = request.commas("servers");
    let is = |key: &str, value: &str| request.filter(key).is_none_or(|wanted| wanted == value);
    let address_of = |details: &ServerDetails, wanted: &str| {
        let reserved = details.public_ips.iter().filter_map(|id| truth.addresses.get(id)).any(|it| it.address == wanted);
        reserved || details.dynamic.as_ref().is_some_and(|it| it.address == wanted)
    };
    let wanted = |server: &Server, details: &ServerDetails| {
        server.zone == args.zone
            && show::is_listed(truth, now, server.created)
            && request.filter("name").is_none_or(|name| server.name.contains(name))
            && is("project", &details.project)
            && is("state", show::state_word(server.state))
            && is("commercial_type", &server.kind)
            && show::has_all(&server.tags, &tags)
            && (ids.is_empty() || ids.contains(&server.id.as_str()))
            && request.filter("with_ip").is_none_or(|ip| address_of(details, ip))
            && (request.filter("without_ip") != Some("true") || (details.public_ips.is_empty() && details.dynamic.is_none()))
            && ["private_network", "private_networks"]
                .into_iter()
                .all(|key| request.commas(key).iter().all(|network| private_nics::is_on(truth, &server.id, network)))
            && request.filter("private_nic_mac_address").is_none_or(|mac| private_nics::has_mac(truth, &server.id, mac))
            // Addresses in private networks are another product's.
            && request.filter("private_ip").is_none()
    };
    let pairs = truth.servers.values().filter_map(|server| Some((server, truth.scaleway.servers.get(&server.id)?)));
    let mut found: Vec<(&Server, &ServerDetails)> = pairs.filter(|(server, details)| wanted(server, details)).collect();
    found.sort_by_key(|(server, details)| match request.filter("order") {
        Some("creation_date_asc") => server.created.0,
        Some("modification_date_desc") => -details.modified.0,
        Some("modification_date_asc") => details.modified.0,
        _ => -server.created.0,
    });
    let items = found.into_iter().map(|(server, details)| show::server(truth, server, details)).collect();
    Ok(header_page(request, "servers", "/servers", items))
}

/// PATCH `servers/{id}`: what is absent stays as it is.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = find(&deed.truth, args.zone, args.id)?;
    let (mut server, mut details) = (server.clone(), details.clone());
    if matches!(server.state, ServerState::Deleting | ServerState::Locked) {
        return Err(not_usable("server should be running or stopped"));
    }
    if let Some(name) = fields.text("name")? {
        server.name = name.to_owned();
    }
    if let Some(tags) = patched_tags(&fields)? {
        server.tags = tags;
    }
    if let Some(protected) = fields.flag("protected")? {
        server.protected = protected;
    }
    if let Some(boot_type) = fields.word("boot_type")? {
        details.boot_type = boot_type_of(boot_type)?;
    }
    if let Some(key) = fields.text("admin_password_encryption_ssh_key_id")? {
        details.admin_key = Some(key.to_owned()).filter(|key| !key.is_empty());
    }
    if let Some(required) = fields.flag("dynamic_ip_required")? {
        details.dynamic_ip_required = required;
    }
    let group = match fields.get("placement_group") {
        Some(Value::String(group)) => Some(group.clone()).filter(|group| !group.is_empty()),
        Some(group) => Some(group["id"].as_str().unwrap_or_default().to_owned()),
        None if fields.is_null("placement_group") => None,
        None => details.placement_group.clone(),
    };
    if group != details.placement_group {
        if let Some(group) = &group {
            placement_groups::recognise(deed, args.zone, group, &details.project)?;
        }
        details.placement_group = group; // It takes effect with the next start.
    }
    if let Some(group) = fields.get("security_group") {
        let id = group["id"].as_str().or(group.as_str()).unwrap_or_default();
        groups::find(&deed.truth, args.zone, id)?;
        server.firewall = Some(id.to_owned());
    }
    if let Some(kind) = fields.word("commercial_type")?
        && kind != server.kind
    {
        check_new_type(deed, &server, &details, kind)?;
        server.kind = kind.to_owned();
    }
    let (old_server, old_details) = find(&deed.truth, args.zone, args.id)?;
    if (&server, &details) != (old_server, old_details) || fields.has(&["name", "tags"]) {
        details.modified = deed.tick();
    }
    deed.truth.servers.insert(server.id.clone(), server);
    deed.truth.scaleway.servers.insert(args.id.to_owned(), details);
    if let Some(volumes) = fields.get("volumes") {
        disks::replace(deed, args.id, &Fields::within(volumes), volumes)?;
    }
    if fields.get("public_ips").is_some() {
        replace_addresses(deed, args, &fields.texts("public_ips")?.unwrap_or_default())?;
    }
    if let Some(required) = fields.flag("dynamic_ip_required")? {
        require_dynamic(deed, args.id, required);
    }
    shown(&deed.truth, args.zone, args.id, 200)
}

/// A running server gets an address of its own, or loses it, as soon as that is ordered; inferred, not recorded.
fn require_dynamic(deed: &mut Deed, id: &str, required: bool) {
    if required && deed.truth.servers.get(id).is_some_and(|server| server.state == ServerState::Running) {
        give_dynamic(deed, id);
    } else if !required && let Some(details) = deed.truth.scaleway.servers.get_mut(id) {
        details.dynamic = None;
    }
}

/// The boot type that a word means.
pub fn boot_type_of(word: &str) -> Result<String, Answer> {
    if ["local", "rescue", "bootscript"].contains(&word) {
        return Ok(word.to_owned());
    }
    Err(invalid("boot_type", "constraint", "not a valid value"))
}

fn check_new_type(deed: &Deed, server: &Server, details: &ServerDetails, kind: &str) -> Result<(), Answer> {
    let row = catalogue::server_type(&server.zone, kind);
    let row = row.ok_or_else(|| invalid("commercial_type", "constraint", "not a valid value"))?;
    if server.state != ServerState::Stopped {
        return Err(not_usable("server should be stopped"));
    }
    if catalogue::server_type(&server.zone, &server.kind).is_some_and(|old| old.arch != row.arch) {
        return Err(invalid("commercial_type", "constraint", "the architecture of the server cannot change"));
    }
    let local = details.slots.values().filter(|slot| deed.truth.volumes.get(&slot.volume).is_some_and(|volume| volume.local));
    let bytes: u64 = local.filter_map(|slot| deed.truth.scaleway.volumes.get(&slot.volume)).map(|it| it.bytes).sum();
    if bytes > row.local_max().max(row.scratch_max()) {
        return Err(invalid("commercial_type", "constraint", "the local volumes of the server do not fit this type"));
    }
    Ok(())
}

/// Gives a server exactly these addresses.
fn replace_addresses(deed: &mut Deed, args: &Args, wanted: &[String]) -> Result<(), Answer> {
    let (_, details) = find(&deed.truth, args.zone, args.id)?;
    let gone: Vec<String> = details.public_ips.iter().filter(|ip| !wanted.contains(ip)).cloned().collect();
    for ip in gone {
        take_back(deed, &ip);
    }
    for ip in wanted {
        let (address, _) = super::addresses::find(&deed.truth, args.zone, ip)?;
        let id = address.id.clone();
        if address.server.as_deref() != Some(args.id) {
            give(deed, args.id, &id)?;
        }
    }
    Ok(())
}

/// DELETE `servers/{id}`: volumes and addresses stay. Protection is no protection from this.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (server, _) = find(&deed.truth, args.zone, args.id)?;
    if server.state != ServerState::Stopped {
        return Err(not_usable("server should be stopped"));
    }
    take_all_back(deed, args.id);
    if let Some(server) = deed.truth.servers.get_mut(args.id) {
        server.takes_local_disks = false;
    }
    deed.delete_server(args.id)?;
    Ok(Answer::empty(204))
}

/// GET `servers/{id}/compatible-types`: those of the zone that the server could become.
pub fn compatible_types(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = find(truth, args.zone, args.id)?;
    let own = catalogue::server_type(args.zone, &server.kind);
    let local = details.slots.values().filter(|slot| truth.volumes.get(&slot.volume).is_some_and(|volume| volume.local));
    let bytes: u64 = local.filter_map(|slot| truth.scaleway.volumes.get(&slot.volume)).map(|it| it.bytes).sum();
    let fits = |row: &&super::types::ServerType| {
        own.is_none_or(|own| own.arch == row.arch && own.windows == row.windows) && bytes <= row.local_max().max(row.scratch_max())
    };
    let names: Vec<&str> = catalogue::server_types(args.zone).filter(fits).map(|row| row.name).collect();
    Ok(Answer::ok(json!({"compatible_types": names})))
}
