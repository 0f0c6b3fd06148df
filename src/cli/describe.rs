//! `describe`: everything about an instance, as the cloud shows it.

use super::{
    Exit, Outcome,
    args::{Describe, Output, Shape},
    chronicle::past_runs,
    get,
    hands::{self, Case, Seen, foresee_all},
    plan::show,
    print, print_json, ready,
    target::Unnamed,
};
use crate::{
    model::{Copy, CopyStatus, LastHeld, Readiness, Role, Root, Stamp, Tags, Volume, VolumeStatus, World},
    report::{JSON_VERSION, PastRun, Screen, clock_json, plain, plan_json, ready_json, standing, table, wished, yaml_document},
    store::Home,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many of the last runs are told.
const RUNS: usize = 3;

/// Shows instances in full.
pub(crate) async fn describe(args: Describe) -> Outcome {
    let cases = match hands::cases(&args.targets, Unnamed::Everything, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let seen = foresee_all(&cases).await?;
    let ready = ready::glance_all(cases.cases.iter().zip(&seen)).await;
    let mut strays = Vec::new();
    let mut asked = BTreeSet::new();
    for case in &cases.cases {
        // One account's project is looked through once, whatever the number of its instances.
        let first = asked.insert(serde_json::to_string(&territory(case))?);
        strays.push(if first { case.provider.strays().await.unwrap_or_default() } else { Vec::new() });
    }
    let all = cases.cases.iter().zip(&seen).zip(&strays).zip(&ready);
    match args.output {
        Shape::Json => {
            for (((case, seen), strays), ready) in all {
                print_json(&described(&cases.home, case, seen, strays, ready.as_ref()));
            }
        }
        Shape::Yaml => {
            for (((case, seen), strays), ready) in all {
                print(&yaml_document(&described(&cases.home, case, seen, strays, ready.as_ref()))?);
            }
        }
        Shape::Table => {
            for (((case, seen), strays), ready) in all {
                print(&objects_text(case, seen, ready.as_ref()));
                print(&conditions_text(&get::status(&cases.home, case, seen, ready.as_ref())));
                for it in latest(&cases.home, case) {
                    print(&it.brief());
                }
                for it in strays {
                    print(&format!("probably left behind, untagged and billed: {}\n", plain(it)));
                }
            }
            show(&cases, &seen, Output::Text, "");
        }
    }
    Ok(Exit::Done)
}

/// Where strays of an instance would be.
fn territory(case: &Case) -> Value {
    let placement = case.ask.spec.placement();
    let (scaleway, linode) = (case.ask.spec.provider.scaleway.as_ref(), case.ask.spec.provider.linode.as_ref());
    let credentials = scaleway.map(|it| &it.credentials).or(linode.map(|it| &it.credentials));
    json!([placement.provider, placement.zone, scaleway.map(|it| &it.project_id), credentials])
}

fn time(stamp: Stamp) -> String {
    jiff::Timestamp::from_microsecond(stamp.0).map_or_else(|_| stamp.0.to_string(), |it| it.to_string())
}

fn whole_seconds(stamp: Stamp) -> String {
    time(Stamp(stamp.0 - stamp.0.rem_euclid(1_000_000)))
}

fn last_detached(volume: &Volume) -> Option<String> {
    match volume.last_held {
        LastHeld::Until(stamp) => Some(time(stamp)),
        LastHeld::Never | LastHeld::Untold => None,
    }
}

fn file(case: &Case, id: &str) -> Value {
    json!(case.provider.file_of(id))
}

fn tags(tags: &Tags) -> Value {
    json!(tags.0)
}

fn described(home: &Home, case: &Case, seen: &Seen, strays: &[String], ready: Option<&Readiness>) -> Value {
    let world = &seen.world;
    let servers = world.servers.items().iter().map(|it| {
        let root = match &it.root {
            Root::Volume(id) => json!({"kind": "volume", "id": id.as_str(), "file": file(case, id.as_str())}),
            Root::Local { size_gb } => {
                let id = case.provider.local_disk_of(it.id.as_str());
                let file = id.as_deref().map_or(Value::Null, |id| file(case, id));
                json!({"kind": "local", "id": id, "sizeGb": size_gb, "file": file})
            }
            Root::Detached => json!({"kind": "detached"}),
        };
        json!({
            "id": it.id.as_str(), "name": it.name, "type": it.machine_type, "power": it.power.to_string(), "created": time(it.created),
            "root": root, "volumes": it.volumes.iter().map(|id| id.as_str()).collect::<Vec<_>>(), "tags": tags(&it.tags),
        })
    });
    let volumes = world.volumes.items().iter().map(|it| {
        json!({
            "id": it.id.as_str(), "name": it.name, "role": role(world, &it.tags, it.id.as_str()), "sizeGb": it.size_gb,
            "status": volume_status(&it.status), "attachedTo": it.attached_to.as_ref().map(|id| id.as_str()),
            "created": time(it.created), "lastDetached": last_detached(it),
            "file": file(case, it.id.as_str()), "tags": tags(&it.tags),
        })
    });
    let copies = all_copies(world).into_iter().map(|it| {
        json!({
            "id": it.id(), "role": it.tags().role().map(Role::word), "of": it.of(), "sizeGb": it.size_gb(),
            "status": copy_status(it.status()), "created": time(it.created()), "file": file(case, it.id()), "tags": tags(it.tags()),
        })
    });
    let addresses = world.addresses.items().iter().map(|it| json!({"id": it.id.as_str(), "address": it.address, "tags": tags(&it.tags)}));
    let firewalls = world.firewalls.items().iter().map(|it| {
        let rules = it.rules.iter().map(|rule| format!("{}/{} from {}", rule.ports, rule.protocol, rule.from));
        json!({"id": it.id.as_str(), "name": it.name, "rules": rules.collect::<Vec<_>>(), "tags": tags(&it.tags)})
    });
    json!({
        "v": JSON_VERSION, "type": "description",
        "namespace": case.ask.key.namespace, "name": case.ask.key.name, "place": case.place,
        "observed": standing(world), "wanted": wished(case.ask.wished(), false),
        "ready": ready.map(ready_json), "status": get::status(home, case, seen, ready), "clock": clock_json(&case.view(seen)),
        "runs": latest(home, case),
        "servers": servers.collect::<Vec<_>>(), "volumes": volumes.collect::<Vec<_>>(), "copies": copies.collect::<Vec<_>>(),
        "addresses": addresses.collect::<Vec<_>>(), "firewalls": firewalls.collect::<Vec<_>>(), "leftBehind": strays, "plan": plan_json(&case.view(seen)),
    })
}

/// The last runs, the latest first. Without them a look is as good.
fn latest(home: &Home, case: &Case) -> Vec<PastRun> {
    past_runs(home, &case.ask.key).unwrap_or_default().into_iter().rev().take(RUNS).collect()
}

fn conditions_text(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = status["conditions"].as_array().into_iter().flatten();
    let rows = all.map(|it| vec![text(&it["type"]), text(&it["status"]).to_lowercase(), text(&it["reason"]), text(&it["message"])]);
    table(&["CONDITION", "IS", "REASON", "MESSAGE"], &rows.collect::<Vec<_>>(), &[], &Screen::of_stdout())
}

pub(super) fn all_copies(world: &World) -> Vec<Copy<'_>> {
    let mut copies = world.copies(Role::Root);
    copies.extend(world.copies(Role::Data));
    copies
}

pub(super) fn role(world: &World, tags: &Tags, id: &str) -> Option<&'static str> {
    let is_root = world.servers.items().iter().any(|it| matches!(&it.root, Root::Volume(root) if root.as_str() == id));
    tags.role().map(Role::word).or(is_root.then_some("root"))
}

pub(super) fn volume_status(status: &VolumeStatus) -> &str {
    match status {
        VolumeStatus::Creating => "creating",
        VolumeStatus::Available => "available",
        VolumeStatus::InUse => "in use",
        VolumeStatus::Detaching => "being detached",
        VolumeStatus::Busy => "busy",
        VolumeStatus::Deleting => "being deleted",
        VolumeStatus::Error => "error",
        VolumeStatus::Unknown(state) => state,
    }
}

pub(super) fn copy_status(status: &CopyStatus) -> &str {
    match status {
        CopyStatus::Creating => "creating",
        CopyStatus::Ready => "ready",
        CopyStatus::Failed => "failed",
        CopyStatus::Deleting => "being deleted",
        CopyStatus::Unknown(state) => state,
    }
}

fn objects_text(case: &Case, seen: &Seen, ready: Option<&Readiness>) -> String {
    let world = &seen.world;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for it in world.servers.items() {
        let root = match &it.root {
            Root::Local { size_gb } => format!("{}, root disk {size_gb} GB", it.machine_type),
            _ => it.machine_type.clone(),
        };
        rows.push(vec!["server".to_owned(), it.id.to_string(), it.power.to_string(), root, whole_seconds(it.created)]);
    }
    for it in world.volumes.items() {
        let role = role(world, &it.tags, it.id.as_str()).unwrap_or("other");
        let status = volume_status(&it.status).to_owned();
        rows.push(vec![format!("{role} disk"), it.id.to_string(), status, format!("{} GB", it.size_gb), whole_seconds(it.created)]);
    }
    for it in all_copies(world) {
        let role = it.tags().role().map_or("other", Role::word);
        let status = copy_status(it.status()).to_owned();
        let of = if it.of().is_empty() { "a disk that is gone" } else { it.of() };
        let what = format!("{} GB, of {of}", it.size_gb());
        rows.push(vec![format!("{role} snapshot"), it.id().to_owned(), status, what, whole_seconds(it.created())]);
    }
    for it in world.addresses.items() {
        rows.push(vec!["address".to_owned(), it.id.to_string(), String::new(), it.address.clone(), whole_seconds(it.created)]);
    }
    for it in world.firewalls.items() {
        rows.push(vec![
            "firewall".to_owned(),
            it.id.to_string(),
            String::new(),
            format!("{} rules", it.rules.len()),
            whole_seconds(it.created),
        ]);
    }
    if let Some(it) = ready {
        let status = if it.is_ready() { "ready" } else { "not ready" };
        rows.push(vec!["port".to_owned(), it.port.to_string(), status.to_owned(), plain(&it.to_string()), String::new()]);
    }
    if rows.is_empty() {
        let what =
            if standing(world) == "unknown" { "the cloud does not show what exists of it" } else { "nothing of it exists in the cloud" };
        return format!("{}: {what}\n", case.ask.key);
    }
    table(&["WHAT", "ID", "STATUS", "DETAIL", "CREATED"], &rows, &[], &Screen::of_stdout())
}
