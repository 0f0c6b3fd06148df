//! How servers and their volumes look in the instance API.

use serde_json::{Map, Value, json};

use super::details::{Kind, ServerDetails, Stage, VolumeDetails, organization};
use super::ids::fold;
use super::moments::offset;
use super::{placement_groups, private_nics};
use crate::emulator::objects::{Server, ServerState, Volume};
use crate::emulator::{Moment, Truth};

/// The word for a server's condition, which may have spaces.
pub fn state_word(state: ServerState) -> &'static str {
    match state {
        ServerState::Stopped => "stopped",
        ServerState::Starting => "starting",
        ServerState::Running => "running",
        ServerState::Stopping | ServerState::Deleting => "stopping",
        ServerState::StoppedInPlace => "stopped in place",
        ServerState::Locked => "locked",
    }
}

/// What may be done with a server now.
pub fn allowed_actions(truth: &Truth, server: &Server, details: &ServerDetails) -> Vec<&'static str> {
    let attaching = details.slots.values().any(|slot| is_attaching(truth, &slot.volume));
    let losing_disks = server.state == ServerState::Deleting && details.slots.values().any(|slot| is_local(truth, &slot.volume));
    if attaching || losing_disks {
        return Vec::new();
    }
    let mut actions = match server.state {
        ServerState::Stopped => vec!["poweron", "backup"],
        ServerState::Running => vec!["poweroff", "terminate", "reboot", "stop_in_place", "backup"],
        ServerState::StoppedInPlace => vec!["poweron", "poweroff", "terminate", "reboot", "backup"],
        ServerState::Starting | ServerState::Stopping | ServerState::Deleting => vec!["stop_in_place", "backup"],
        ServerState::Locked => vec![],
    };
    if server.protected {
        actions.retain(|action| matches!(*action, "poweron" | "backup"));
    }
    actions
}

fn is_attaching(truth: &Truth, volume: &str) -> bool {
    let details = truth.scaleway.volumes.get(volume);
    details.and_then(|details| details.reference.as_ref()).is_some_and(|reference| reference.stage == Stage::Attaching)
}

fn is_local(truth: &Truth, volume: &str) -> bool {
    truth.volumes.get(volume).is_some_and(|volume| volume.local)
}

/// The server object, bare.
pub fn server(truth: &Truth, server: &Server, details: &ServerDetails) -> Value {
    let public_ips = public_ips(truth, server, details);
    let public_ip = public_ips.iter().find(|ip| ip["family"] == "inet").cloned();
    let group = server.firewall.as_ref().and_then(|id| truth.firewalls.get(id));
    let slots = details.slots.iter();
    let volumes: Map<String, Value> =
        slots.filter_map(|(slot, it)| Some((slot.to_string(), volume_of_server(truth, server, &it.volume, it.boot)?))).collect();
    let mut object = json!({
        "id": server.id,
        "name": server.name,
        "arch": arch(server, details),
        "commercial_type": server.kind,
        "boot_type": details.boot_type,
        "organization": organization(truth),
        "project": details.project,
        "hostname": details.hostname,
        "image": details.image,
        "volumes": volumes,
        "tags": server.tags,
        "state": state_word(server.state),
        "protected": server.protected,
        "state_detail": details.detail,
        "public_ip": public_ip,
        "public_ips": public_ips,
        "mac_address": mac_address(details.mac),
        "routed_ip_enabled": true,
        "ipv6": null,
        "extra_networks": [],
        "dynamic_ip_required": details.dynamic_ip_required,
        "enable_ipv6": false,
        "private_ip": null,
        "creation_date": offset(server.created),
        "modification_date": offset(details.modified),
        "bootscript": null,
        "security_group": group.map(|group| json!({"id": group.id, "name": group.name})),
        "location": details.placed.then(|| location(server)),
        "maintenances": [],
        "allowed_actions": allowed_actions(truth, server, details),
        "placement_group": details.placement_group.as_ref().and_then(|id| placement_groups::of_server(truth, id)),
        "private_nics": private_nics::shown_of(truth, &server.id, &server.zone),
        "zone": server.zone,
        "filesystems": [],
        "end_of_service": false,
        "dns": format!("{}.pub.instances.scw.cloud", server.id),
    });
    if let Some(key) = &details.admin_key
        && let Some(object) = object.as_object_mut()
    {
        object.insert("admin_password_encryption_ssh_key_id".to_owned(), json!(key));
        object.insert("admin_password_encrypted_value".to_owned(), Value::Null);
    }
    object
}

fn arch(server: &Server, details: &ServerDetails) -> String {
    let row = super::catalogue::server_type(&server.zone, &server.kind);
    let of_image = || details.image.as_ref().and_then(|image| image["arch"].as_str());
    row.map(|row| row.arch).or_else(of_image).unwrap_or("x86_64").to_owned()
}

fn mac_address(number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    format!("de:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// Where the machine stands; the same server comes back to another one.
fn location(server: &Server) -> Value {
    let number = fold(0, &[&server.id, server.off_since.unwrap_or(server.created).to_string().as_str()]);
    json!({
        "zone_id": server.zone,
        "platform_id": "14",
        "cluster_id": (number % 97 + 1).to_string(),
        "hypervisor_id": (number / 97 % 2000 + 101).to_string(),
        "node_id": (number / 194_000 % 64 + 1).to_string(),
    })
}

/// The addresses of a server: the reserved ones, then its own.
fn public_ips(truth: &Truth, server: &Server, details: &ServerDetails) -> Vec<Value> {
    let mut shown = Vec::new();
    let mut has_v4 = false;
    for id in &details.public_ips {
        let (Some(address), Some(it)) = (truth.addresses.get(id), truth.scaleway.addresses.get(id)) else { continue };
        let state = if it.pending { "pending" } else { "attached" };
        shown.push(match &it.prefix {
            None => {
                let mode = if has_v4 { "manual" } else { "dhcp" };
                has_v4 = true;
                v4(id, &address.address, false, mode, &address.tags, state)
            }
            Some(prefix) => v6(id, prefix, details.mac, &address.tags, state),
        });
    }
    if let Some(own) = &details.dynamic
        && server.state != ServerState::Stopped
    {
        let state = if own.pending { "pending" } else { "attached" };
        shown.push(v4(&own.id, &own.address, true, if has_v4 { "manual" } else { "dhcp" }, &[], state));
    }
    shown
}

fn v4(id: &str, address: &str, dynamic: bool, mode: &str, tags: &[String], state: &str) -> Value {
    json!({
        "id": id, "address": address, "dynamic": dynamic, "gateway": "198.18.0.1", "netmask": "32", "family": "inet",
        "provisioning_mode": mode, "tags": tags, "state": state, "ipam_id": id,
    })
}

/// An IPv6 address is its network's, and the machine's by its MAC address.
fn v6(id: &str, prefix: &str, mac: u32, tags: &[String], state: &str) -> Value {
    let network = prefix.trim_end_matches("::/64");
    let host = |mac: u32| {
        let [a, b, c, d] = mac.to_be_bytes();
        format!("dc00:{a:x}ff:fe{b:02x}:{c:02x}{d:02x}")
    };
    json!({
        "id": id, "address": format!("{network}:{}", host(mac)), "dynamic": false,
        "gateway": format!("fe80::{}", host(mac.wrapping_add(1))), "netmask": "64", "family": "inet6",
        "provisioning_mode": "slaac", "tags": tags, "state": state, "ipam_id": id,
    })
}

/// A volume as its server shows it: little of one in the block storage, all of a local one.
fn volume_of_server(truth: &Truth, server: &Server, id: &str, boot: bool) -> Option<Value> {
    let (volume, details) = (truth.volumes.get(id)?, truth.scaleway.volumes.get(id)?);
    if details.kind == Kind::Sbs {
        let state = if is_attaching(truth, id) { "attaching" } else { "available" };
        let word = Kind::Sbs.word();
        return Some(json!({"boot": boot, "volume_type": word, "id": id, "state": state, "zone": volume.zone}));
    }
    let mut object = local_volume(truth, volume, details);
    let object_fields = object.as_object_mut()?;
    object_fields.insert("boot".to_owned(), json!(boot));
    object_fields.insert("server".to_owned(), json!({"id": server.id, "name": server.name}));
    Some(object)
}

/// A local volume, bare.
pub fn local_volume(truth: &Truth, volume: &Volume, details: &VolumeDetails) -> Value {
    let server = volume.server.as_ref().and_then(|id| truth.servers.get(id));
    let going = server.is_some_and(|server| server.state == ServerState::Deleting && server.takes_local_disks);
    let snapshotting = super::local_snapshots::is_being_copied(truth, &volume.id) && server.is_none();
    let state = match (going, snapshotting) {
        (true, _) => "deleting",
        (_, true) => "snapshotting",
        _ => "available",
    };
    json!({
        "id": volume.id,
        "name": volume.name,
        "volume_type": details.kind.word(),
        "export_uri": null,
        "organization": organization(truth),
        "project": details.project,
        "server": server.map(|server| json!({"id": server.id, "name": server.name})),
        "size": details.bytes,
        "state": state,
        "creation_date": offset(volume.created),
        "modification_date": offset(details.modified),
        "tags": volume.tags,
        "zone": volume.zone,
    })
}

/// Whether something is old enough to be in listings.
pub fn is_listed(truth: &Truth, now: Moment, created: Moment) -> bool {
    let lag = truth.faults.listing_lag;
    lag == 0 || created.plus_seconds(lag) <= now
}

/// Whether tags hold every one of those asked for.
pub fn has_all(tags: &[String], wanted: &[&str]) -> bool {
    wanted.iter().all(|tag| tags.iter().any(|it| it == tag))
}
