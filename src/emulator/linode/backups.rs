//! Backups: a service that is on or off, and one snapshot that may be asked for. They keep no bytes that anybody counts on.

use serde_json::{Value, json};

use super::details::Snapshot;
use super::input::Fields;
use super::jobs::{Work, check_idle, order};
use super::problem::{not_found, refused};
use super::{linodes, moments::stamp};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints of backups.
pub static ROUTES: &[Route] = &[
    look("/linode/instances/{id}/backups", index),
    change("POST", "/linode/instances/{id}/backups", ask),
    change("POST", "/linode/instances/{id}/backups/enable", enable),
    change("POST", "/linode/instances/{id}/backups/cancel", cancel),
    look("/linode/instances/{id}/backups/{key}", get),
    change("POST", "/linode/instances/{id}/backups/{key}/restore", restore),
];

fn shown(region: &str, snapshot: &Snapshot) -> Value {
    let disk = |(label, size, filesystem): &(String, u64, String)| json!({"label": label, "size": size, "filesystem": filesystem});
    json!({
        "id": snapshot.id,
        "region": region,
        "type": "snapshot",
        "status": if snapshot.finished.is_some() { "successful" } else { "pending" },
        "available": true,
        "created": stamp(snapshot.created),
        "updated": stamp(snapshot.finished.unwrap_or(snapshot.created)),
        "finished": snapshot.finished.map(stamp),
        "label": snapshot.label,
        "configs": snapshot.configs,
        "disks": snapshot.disks.iter().map(disk).collect::<Vec<_>>(),
    })
}

fn index(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = linodes::find(truth, args.id)?;
    let snapshot = details.backups.snapshot.as_ref();
    let of = |is_done: bool| snapshot.filter(|it| it.finished.is_some() == is_done).map(|it| shown(&server.zone, it));
    Ok(Answer::ok(json!({"automatic": [], "snapshot": {"current": of(true), "in_progress": of(false)}})))
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, details) = linodes::find(truth, args.id)?;
    let snapshot = details.backups.snapshot.as_ref().filter(|snapshot| snapshot.id.to_string() == args.key);
    Ok(Answer::ok(shown(&server.zone, snapshot.ok_or_else(not_found)?)))
}

/// POST `backups`.
fn ask(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = linodes::find_staying(&deed.truth, args.id)?;
    let (zone, is_on) = (server.zone.clone(), details.backups.enabled);
    let label = fields.needed("label")?.to_owned();
    if !is_on {
        return Err(refused("Backups are not enabled for this Linode."));
    }
    check_idle(deed, args.id)?;
    let id = deed.mint("backup").parse().unwrap_or_default();
    let snapshot = Snapshot { id, label, created: deed.now, finished: None, configs: Vec::new(), disks: Vec::new() };
    let answer = Answer::ok(shown(&zone, &snapshot));
    if let Some(details) = deed.truth.linode.linodes.get_mut(args.id) {
        details.backups.snapshot = Some(snapshot);
    }
    order(deed, args.id, "linode_snapshot", None, Work::Snapshot)?;
    Ok(answer)
}

/// What follows when a backup is made.
pub fn made(deed: &mut Deed, linode: &str) {
    let now = deed.now;
    let all = &deed.truth.linode;
    let Some(details) = all.linodes.get(linode) else { return };
    let disks = details.disks.iter().filter_map(|id| all.disks.get(id));
    let disks = disks.map(|disk| (disk.label.clone(), disk.size_mb, disk.filesystem.clone())).collect();
    let configs = details.configs.iter().map(|config| config.label.clone()).collect();
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    details.backups.last_successful = Some(now);
    if let Some(snapshot) = &mut details.backups.snapshot {
        snapshot.finished = Some(now);
        snapshot.configs = configs;
        snapshot.disks = disks;
    }
}

fn switch(deed: &mut Deed, args: &Args, on: bool) -> Result<Answer, Answer> {
    linodes::find_staying(&deed.truth, args.id)?;
    if let Some(details) = deed.truth.linode.linodes.get_mut(args.id) {
        let schedule = on.then(|| "Scheduling".to_owned());
        details.backups.enabled = on;
        details.backups.day.clone_from(&schedule);
        details.backups.window = schedule;
    }
    let about = deed.truth.servers.get(args.id).map(linodes::entity);
    super::events::notify(deed, if on { "backups_enable" } else { "backups_cancel" }, about, None);
    Ok(Answer::ok(json!({})))
}

fn enable(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    switch(deed, args, true)
}

fn cancel(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    switch(deed, args, false)
}

/// POST `restore`.
fn restore(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, details) = linodes::find_staying(&deed.truth, args.id)?;
    let snapshot = details.backups.snapshot.as_ref().filter(|snapshot| snapshot.id.to_string() == args.key);
    snapshot.filter(|snapshot| snapshot.finished.is_some()).ok_or_else(not_found)?;
    let target = fields.number("linode_id")?.map_or_else(|| args.id.to_owned(), |id| id.to_string());
    linodes::find_staying(&deed.truth, &target)?;
    check_idle(deed, &target)?;
    order(deed, &target, "backups_restore", None, Work::Restore)?;
    Ok(Answer::ok(json!({})))
}
