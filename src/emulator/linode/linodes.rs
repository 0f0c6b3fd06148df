//! Linodes: finding, reading, changing and deleting them.

use serde_json::{Value, json};

use super::details::{LinodeDetails, Status};
use super::events::{self, Entity, Stage, notify};
use super::input::Fields;
use super::problem::{invalid, not_found, problem};
use super::{addresses, firewalls, image_copies, jobs, label, listing, listing::list, moments::stamp, plans, regions};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::Server;
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

/// The endpoints of Linodes as such.
pub static ROUTES: &[Route] = &[
    look("/linode/instances", index),
    look("/linode/instances/{id}", get),
    change("PUT", "/linode/instances/{id}", update),
    change("DELETE", "/linode/instances/{id}", delete),
];

/// A Linode.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, id: &str) -> Result<(&'t Server, &'t LinodeDetails), Answer> {
    truth.servers.get(id).zip(truth.linode.linodes.get(id)).ok_or_else(not_found)
}

/// A Linode that can still be dealt with: not one on its way out.
///
/// Errors: 404, and 400 `Linode busy.`.
pub fn find_staying<'t>(truth: &'t Truth, id: &str) -> Result<(&'t Server, &'t LinodeDetails), Answer> {
    let found = find(truth, id)?;
    if found.1.status == Status::Deleting { Err(super::problem::busy()) } else { Ok(found) }
}

/// The same for a Linode that a field of a body names.
///
/// Errors: 400.
pub fn find_named<'t>(truth: &'t Truth, id: &str, field: &str) -> Result<(&'t Server, &'t LinodeDetails), Answer> {
    find_staying(truth, id).map_err(|answer| if answer.status == 404 { invalid(field, &format!("{field} is not valid")) } else { answer })
}

/// How events and addresses name a Linode.
pub fn entity(server: &Server) -> Entity {
    Entity::new("linode", &server.id, &server.name, &format!("/linode/instances/{}", server.id))
}

/// Notes that a Linode has changed.
pub fn touch(deed: &mut Deed, id: &str) {
    let now = deed.now;
    if let Some(details) = deed.truth.linode.linodes.get_mut(id) {
        details.updated = now;
    }
}

/// Whether lists show an object of this age.
pub fn is_listed(truth: &Truth, now: Moment, created: Moment) -> bool {
    let lag = truth.faults.listing_lag;
    lag == 0 || created.plus_seconds(lag) <= now
}

/// A Linode as the API shows it.
pub fn shown(truth: &Truth, server: &Server, details: &LinodeDetails) -> Value {
    let plan = plans::find(&server.kind);
    let region = regions::find(&server.zone);
    let has = |capability: &str| region.is_some_and(|region| region.has(capability));
    let number = |read: fn(&plans::Plan) -> u64| plan.as_ref().map(read);
    let mut capabilities = Vec::new();
    if has("Block Storage Encryption") {
        capabilities.push("Block Storage Encryption");
    }
    if has("Maintenance Policy") {
        capabilities.push("Maintenance Policy");
    }
    let backups = &details.backups;
    let mut shown = json!({
        "id": server.id.parse::<u64>().ok(),
        "label": server.name,
        "group": details.group,
        "status": details.status.word(),
        "created": stamp(server.created),
        "updated": stamp(details.updated),
        "type": server.kind,
        "ipv4": addresses::of(truth, &server.id),
        "ipv6": addresses::slaac(truth, &server.id),
        "image": server.image,
        "region": server.zone,
        "site_type": region.map_or("core", |region| region.site_type()),
        "specs": {
            "disk": number(|plan| plan.disk),
            "memory": number(|plan| plan.memory),
            "vcpus": number(|plan| plan.vcpus),
            "gpus": number(|plan| plan.gpus),
            "transfer": number(|plan| plan.transfer),
            "accelerated_devices": number(|plan| plan.accelerated_devices),
        },
        "alerts": details.alerts,
        "backups": {
            "enabled": backups.enabled,
            "available": backups.last_successful.is_some(),
            "schedule": {"day": backups.day, "window": backups.window},
            "last_successful": backups.last_successful.map(stamp),
        },
        "hypervisor": "kvm",
        "watchdog_enabled": details.watchdog,
        "tags": server.tags,
        "host_uuid": details.host,
        "has_user_data": details.user_data.is_some(),
        "placement_group": details.placement_group,
        "disk_encryption": if details.encrypted { "enabled" } else { "disabled" },
        "lke_cluster_id": null,
        "capabilities": capabilities,
        "interface_generation": details.generation,
        "locks": details.locks.values().collect::<Vec<_>>(),
    });
    if has("Maintenance Policy") {
        shown["maintenance_policy"] = json!(details.maintenance_policy);
    }
    shown
}

/// The answer that shows a Linode.
pub fn answer(truth: &Truth, id: &str) -> Result<Answer, Answer> {
    let (server, details) = find(truth, id)?;
    Ok(Answer::ok(shown(truth, server, details)))
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args.id)
}

fn index(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let servers = truth.servers.values().filter(|server| is_listed(truth, now, server.created));
    let pairs = servers.filter_map(|server| Some((server, truth.linode.linodes.get(&server.id)?)));
    list(args.request, &listing::INSTANCES, pairs.map(|(server, details)| shown(truth, server, details)).collect())
}

/// The alerts of a new Linode with this many virtual CPUs.
pub fn usual_alerts(vcpus: u64) -> Value {
    let cpu = 90 * vcpus.max(1);
    json!({
        "cpu": cpu,
        "network_in": 10,
        "network_out": 10,
        "transfer_quota": 80,
        "io": 10000,
        "system_alerts": [],
        "user_alerts": [],
    })
}

/// Takes over what is said of alerts.
pub fn change_alerts(alerts: &mut Value, fields: &Fields) -> Result<(), Answer> {
    for (key, most) in [("cpu", 4800), ("network_in", 10_000), ("network_out", 10_000), ("transfer_quota", 100), ("io", 100_000)] {
        if let Some(number) = fields.number(key)? {
            if !(0..=most).contains(&number) {
                return Err(invalid(&fields.path(key), &format!("Must be 0-{most}")));
            }
            alerts[key] = json!(number);
        }
    }
    for key in ["system_alerts", "user_alerts"] {
        if let Some(ids) = fields.list(key)? {
            alerts[key] = json!(ids);
        }
    }
    Ok(())
}

/// Refuses what is no maintenance policy.
pub fn check_policy(policy: &str) -> Result<(), Answer> {
    if policy.split_once('/').is_none() {
        return Err(invalid("maintenance_policy", "Unsupported maintenance policy slug format."));
    }
    if ["linode/migrate", "linode/power_off_on"].contains(&policy) {
        return Ok(());
    }
    Err(invalid("maintenance_policy", "Maintenance policy slug not found."))
}

const DAYS: [&str; 8] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Scheduling"];

/// PUT: what is absent stays as it is.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = find_staying(&deed.truth, args.id)?;
    let (mut server, mut details) = (server.clone(), details.clone());
    if let Some(name) = fields.text("label")?
        && name != server.name
    {
        label::check_linode(name)?;
        check_unique(deed, name)?;
        server.name = name.to_owned();
    }
    if let Some(tags) = fields.tags()? {
        server.tags = tags;
    }
    if let Some(watchdog) = fields.flag("watchdog_enabled")? {
        details.watchdog = watchdog;
    }
    if let Some(group) = fields.text("group")? {
        details.group = group.to_owned();
    }
    if let Some(alerts) = fields.object("alerts")? {
        change_alerts(&mut details.alerts, &alerts)?;
    }
    if let Some(policy) = fields.text("maintenance_policy")? {
        check_policy(policy)?;
        details.maintenance_policy = policy.to_owned();
    }
    if let Some(schedule) = fields.object("backups")?.map(|backups| backups.object("schedule")).transpose()?.flatten() {
        if let Some(day) = schedule.text("day")? {
            if !DAYS.contains(&day) {
                return Err(invalid(&schedule.path("day"), "Invalid day"));
            }
            details.backups.day = Some(day.to_owned());
        }
        if let Some(window) = schedule.text("window")? {
            let is_window = window == "Scheduling"
                || window.strip_prefix('W').is_some_and(|hour| hour.parse::<u8>().is_ok_and(|hour| hour < 24 && hour % 2 == 0));
            if !is_window {
                return Err(invalid(&schedule.path("window"), "Invalid window"));
            }
            details.backups.window = Some(window.to_owned());
        }
    }
    let (old_server, old_details) = find(&deed.truth, args.id)?;
    if (old_server, old_details) != (&server, &details) {
        details.updated = deed.now;
        let entity = entity(&server);
        deed.truth.servers.insert(server.id.clone(), server);
        deed.truth.linode.linodes.insert(args.id.to_owned(), details);
        notify(deed, "linode_update", Some(entity), None);
    }
    answer(&deed.truth, args.id)
}

/// Refuses a label that another Linode has, also one on its way out.
pub fn check_unique(deed: &Deed, name: &str) -> Result<(), Answer> {
    if deed.truth.servers.values().any(|server| server.name == name) {
        return Err(invalid("label", "Label must be unique among your linodes"));
    }
    Ok(())
}

/// How long a Linode must have been there to leave a recovery image.
const RECOVERABLE_SECONDS: u64 = 12 * 3600;

/// DELETE: in whatever condition. Its reserved addresses are free at once; its volumes when it is gone.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = find_staying(&deed.truth, args.id)?;
    if !details.locks.is_empty() {
        return Err(problem(400, "This Linode is locked and cannot be deleted. Remove its locks first.", None));
    }
    let is_copied = |job: &jobs::Job| matches!(job.work, jobs::Work::CloneTo(_) | jobs::Work::CloneFrom | jobs::Work::Restore);
    if details.jobs.iter().any(is_copied) {
        return Err(super::problem::busy());
    }
    let entity = entity(server);
    let is_old = server.created.plus_seconds(RECOVERABLE_SECONDS) <= deed.now || deed.truth.linode.recover_all;
    if is_old && server.ever_started {
        image_copies::recover(deed, args.id);
    }
    jobs::drop_all(deed, args.id);
    let event = events::tell(deed, "linode_delete", Stage::Started, Some(entity), None);
    let seconds = deed.truth.market.takes().delete_server;
    events::begin(deed, event, seconds);
    if let Some(details) = deed.truth.linode.linodes.get_mut(args.id) {
        details.status = Status::Deleting;
        details.configs.clear();
    }
    addresses::let_go(deed, args.id);
    firewalls::forget(deed, args.id);
    deed.end_server(args.id, seconds)?;
    Ok(Answer::ok(json!({})))
}

/// Forgets a Linode that is gone. Its volumes are free at once.
pub fn forget(deed: &mut Deed, id: &str) {
    let its = deed.truth.volumes.values().filter(|volume| volume.server.as_deref() == Some(id));
    for volume in its.map(|volume| volume.id.clone()).collect::<Vec<_>>() {
        let freed = Effect::VolumeDetached(volume);
        deed.truth.transitions.retain(|transition| transition.effect != freed);
        deed.schedule(0, freed);
    }
    deed.truth.linode.linodes.remove(id);
    deed.truth.linode.disks.retain(|_, disk| disk.linode != id);
    let number = id.parse::<u64>().map_or(Value::Null, |number| json!(number));
    let events = deed.truth.linode.events.list.iter().rev();
    let event = events.filter(|event| event.action == "linode_delete" && event.ended.is_none());
    let event = event.filter(|event| event.entity.as_ref().is_some_and(|entity| entity.id == number)).map(|event| event.id).next();
    if let Some(event) = event {
        events::end(deed, event, None);
    }
}
