//! Steps for people: verb, object, usual duration.

use super::scene::Scene;
use crate::model::{Line, Object, Record, Role, Root, Step, Volume};

/// A step's line.
pub(crate) fn describe(step: &Step, scene: &Scene<'_>) -> Line {
    let usual = scene.cloud.durations;
    let name = || scene.ask.key.object_name();
    let server = |id: &crate::model::Id<crate::model::Server>| match scene.world.server(id) {
        Some(server) if scene.spare_servers.iter().any(|it| it.id == *id) => {
            format!("spare server {} ({})", server.name, short(id.as_str()))
        }
        Some(server) => format!("server {}", server.name),
        None => format!("server {id}"),
    };
    let disk = |id: &crate::model::Id<Volume>| match scene.world.volume(id) {
        Some(found) => volume(found, scene),
        None => format!("volume {id}"),
    };
    let copy_seconds = |gb: u64| usual.copy + usual.copy_per_100_gb * gb / 100;
    let (verb, object, seconds) = match step {
        Step::ReserveAddress { .. } => ("reserve", "address".to_owned(), usual.call),
        Step::CreateFirewall { name, .. } => ("create", format!("firewall {name}"), usual.call),
        Step::SetRules { rules, .. } => ("open", format!("firewall, {} rules", rules.len()), usual.call),
        Step::ShutFirewall(_) => ("close", "firewall to what no rule allows".to_owned(), usual.call),
        Step::SeedServer(id) => ("prepare", format!("{} for its first boot", server(id)), usual.call),
        Step::SetWatchdog { server: id, on } => {
            ("set", format!("watchdog of {} {}", server(id), if *on { "on" } else { "off" }), usual.call)
        }
        Step::Tune { volume, iops } => ("tune", format!("{} to {iops} IOPS", disk(volume)), usual.call),
        Step::SetRecord { address } if address == Record::PARKED => ("park", record_name(scene), usual.call),
        Step::SetRecord { address } => ("point", format!("{} to {address}", record_name(scene)), usual.call),
        Step::DeleteRecord { .. } => ("delete", format!("DNS record {}", record_name(scene)), usual.call),
        Step::CreateVolume(new) => ("create", format!("{} disk {} GB", new.role, new.size_gb), usual.volume),
        Step::CreateServer(new) => ("create", format!("server {} {}", new.name, new.machine_type), usual.create_server),
        Step::Retag { object, .. } => ("tag", tagged(object, scene), usual.call),
        Step::StartServer(id) => ("start", server(id), usual.start),
        Step::StopServer(id) => ("stop", server(id), usual.stop),
        Step::Detach { volumes, .. } => match volumes.as_slice() {
            [one] => ("detach", disk(one), usual.detach),
            [_, _] => ("detach", "both disks".to_owned(), usual.detach),
            many => ("detach", format!("{} disks", many.len()), usual.detach),
        },
        Step::Attach { volume, .. } => ("attach", disk(volume), usual.call),
        Step::AssignAddress { .. } => ("assign", format!("address to server {}", name()), usual.call),
        Step::AssignFirewall { .. } => ("put", format!("server {} behind its firewall", name()), usual.call),
        Step::Grow { volume, size_gb } => ("grow", format!("{} to {size_gb} GB", disk(volume)), usual.call),
        Step::ChangeType { server: id, machine_type } => ("change", format!("{} to {machine_type}", server(id)), usual.change_type),
        Step::Configure { server: id, .. } => ("configure", server(id), 600),
        Step::StartUp(id) => ("set up", server(id), 20),
        Step::TakeSnapshot { disk: quiet, .. } => {
            let gb = scene.world.volume(quiet.disk()).map_or(0, |it| it.size_gb);
            ("snapshot", disk(quiet.disk()), copy_seconds(gb))
        }
        Step::CaptureImage { .. } => {
            let gb = match scene.server.map(|it| &it.root) {
                Some(Root::Local { size_gb }) => *size_gb,
                _ => 0,
            };
            ("capture", format!("root disk of server {}", name()), copy_seconds(gb))
        }
        Step::DeleteServer { server: id, .. } => ("delete", server(id), usual.delete_server),
        Step::DeleteVolume(spared) => ("delete", disk(spared.disk()), usual.call),
        Step::DeleteSnapshot(copy) => ("delete", old_copy(copy.copy().as_str(), scene), usual.call),
        Step::DeleteImage(copy) => ("delete", old_copy(copy.copy().as_str(), scene), usual.call),
        Step::ReleaseAddress(id) => {
            let address = scene.world.addresses.items().iter().find(|it| it.id == *id).map_or(id.as_str(), |it| &it.address);
            ("release", format!("address {address}"), usual.call)
        }
        Step::DeleteFirewall(_) => ("delete", "firewall".to_owned(), usual.call),
    };
    Line { verb, object, seconds }
}

/// An id for people: of a UUID, the first group.
pub(crate) fn short(id: &str) -> &str {
    let is_uuid = id.len() == 36 && id.is_ascii() && id.bytes().filter(|it| *it == b'-').count() == 4;
    if is_uuid { &id[..8] } else { id }
}

/// A volume for people, without its size.
pub(crate) fn disk(volume: &Volume, scene: &Scene<'_>) -> &'static str {
    let is = |it: Option<&Volume>| it.is_some_and(|it| it.id == volume.id);
    match () {
        () if is(scene.root) => "root disk",
        () if is(scene.data) => "data disk",
        () => "spare disk",
    }
}

/// A volume for people.
pub(crate) fn volume(volume: &Volume, scene: &Scene<'_>) -> String {
    let is = |it: Option<&Volume>| it.is_some_and(|it| it.id == volume.id);
    if scene.outdated_roots.iter().any(|it| it.id == volume.id) {
        return format!("old root disk {} GB", volume.size_gb);
    }
    let role = if is(scene.root) {
        Role::Root
    } else if is(scene.data) {
        Role::Data
    } else {
        return match volume.tags.role() {
            Some(role) => format!("spare {role} disk {} GB ({})", volume.size_gb, short(volume.id.as_str())),
            None => format!("volume {} ({} GB)", short(volume.id.as_str()), volume.size_gb),
        };
    };
    format!("{role} disk {} GB", volume.size_gb)
}

fn record_name(scene: &Scene<'_>) -> String {
    scene.ask.spec.network.dns.as_ref().map_or_else(String::new, |dns| format!("{}.{}", dns.record, dns.zone))
}

fn old_copy(id: &str, scene: &Scene<'_>) -> String {
    let copies = scene.root_copies.iter().chain(&scene.data_copies);
    let role = copies.into_iter().find(|it| it.id() == id).and_then(|it| it.tags().role());
    match role {
        Some(role) => format!("{role} snapshot {}", short(id)),
        None => format!("snapshot {}", short(id)),
    }
}

fn tagged(object: &Object, scene: &Scene<'_>) -> String {
    match object {
        Object::Server(id) => match scene.world.server(id) {
            Some(server) => format!("server {}", server.name),
            None => format!("server {id}"),
        },
        Object::Volume(id) => match scene.world.volume(id) {
            Some(found) => volume(found, scene),
            None => format!("volume {id}"),
        },
        Object::Snapshot(id) => old_copy(id.as_str(), scene),
        Object::Image(id) => old_copy(id.as_str(), scene),
        Object::Address(id) => format!("address {id}"),
        Object::Firewall(_) => "firewall".to_owned(),
    }
}
