//! Snapshots of local volumes: `snapshots` of the instance API, which knows nothing of block storage.

use serde_json::{Value, json};

use super::actions::pretended;
use super::block_snapshots::{EXPORT_SECONDS, IMPORT_BYTES};
use super::changes::{Change, later};
use super::details::{Kind, SnapshotDetails, organization};
use super::input::{Fields, invalid, not_usable, patched_tags};
use super::making::{import_snapshot, take_snapshot};
use super::moments::offset;
use super::pages::header_page;
use super::show;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{CopyState, Snapshot};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Snapshot, &'t SnapshotDetails), Answer> {
    let snapshot = truth.snapshots.get(id).filter(|snapshot| snapshot.zone == zone);
    let pair = snapshot.zip(truth.scaleway.snapshots.get(id).filter(|details| details.kind != Kind::Sbs));
    pair.ok_or_else(|| Answer::not_found("instance_snapshot", id))
}

/// Whether a snapshot of a volume is being taken.
pub fn is_being_copied(truth: &Truth, volume: &str) -> bool {
    truth.snapshots.values().any(|snapshot| snapshot.volume == volume && snapshot.state == CopyState::Creating)
}

/// The snapshot object, bare.
fn shown(truth: &Truth, snapshot: &Snapshot, details: &SnapshotDetails) -> Value {
    let state = match snapshot.state {
        CopyState::Creating if details.imported => "importing",
        CopyState::Available if details.exporting => "exporting",
        CopyState::Creating => "snapshotting",
        CopyState::Available => "available",
        CopyState::Error => "error",
    };
    let volume = truth.volumes.get(&snapshot.volume);
    let volume = volume.map_or(&details.volume_name, |volume| &volume.name);
    json!({
        "id": snapshot.id,
        "name": snapshot.name,
        "volume_type": details.word(),
        "creation_date": offset(snapshot.created),
        "modification_date": offset(details.modified),
        "organization": organization(truth),
        "project": details.project,
        "size": details.bytes,
        "state": state,
        "base_volume": (!details.imported).then(|| json!({"id": snapshot.volume, "name": volume})),
        "tags": snapshot.tags,
        "zone": snapshot.zone,
        "error_details": null,
    })
}

/// GET `snapshots/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (snapshot, details) = find(truth, args.zone, args.id)?;
    Ok(Answer::ok(json!({"snapshot": shown(truth, snapshot, details)})))
}

/// GET `snapshots`, the newest first.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let mut found: Vec<(&Snapshot, &SnapshotDetails)> = truth.snapshots.keys().filter_map(|id| find(truth, args.zone, id).ok()).collect();
    found.retain(|(snapshot, _)| show::is_listed(truth, now, snapshot.created) && show::has_all(&snapshot.tags, &tags));
    found.retain(|(snapshot, _)| request.filter("name").is_none_or(|name| snapshot.name.contains(name)));
    found.retain(|(snapshot, _)| request.filter("base_volume_id").is_none_or(|volume| snapshot.volume == volume));
    found.sort_by_key(|(snapshot, _)| -snapshot.created.0);
    let objects = found.into_iter().map(|(snapshot, details)| shown(truth, snapshot, details));
    let is = |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key] == wanted);
    let wanted = |item: &Value| is(item, "project");
    Ok(header_page(request, "snapshots", "/snapshots", objects.filter(wanted).collect()))
}

/// POST `snapshots`: of local volumes only, or from the object storage.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    if fields.word("volume_id")?.is_none() && fields.has(&["bucket", "key"]) {
        return import(deed, args, &fields);
    }
    let volume = fields.needed("volume_id")?;
    if fields.word("volume_type")?.is_some_and(|word| Kind::of(word) != Some(Kind::LSsd)) {
        return Err(invalid("volume_type", "constraint", "not a valid value"));
    }
    let found = deed.truth.volumes.get(volume).filter(|it| it.zone == args.zone);
    let found = found.ok_or_else(|| Answer::not_found("instance_volume", volume))?;
    if !found.local || found.ephemeral {
        return Err(invalid("volume_type", "constraint", "not a valid value"));
    }
    // What no server ever had is empty, and the API copies nothing that is.
    let is_empty = found.from_image.is_none() && found.from_snapshot.is_none() && found.server.is_none() && found.last_detached.is_none();
    if is_empty {
        return Err(Answer::legacy(400, "cannot create a RO disk from an empty disk", json!({})));
    }
    let name = fields.word("name")?.map_or_else(|| format!("snp-{}", found.name), str::to_owned);
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let id = take_snapshot(deed, volume, &name, project, fields.texts("tags")?.unwrap_or_default())?;
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(&id) {
        details.unified = fields.word("volume_type")? == Some("unified");
    }
    let (snapshot, details) = find(&deed.truth, args.zone, &id)?;
    let task = pretended(deed.now, args.zone, "fake task", "/snapshots", &format!("snapshots/{id}"));
    Ok(Answer::json(201, json!({"snapshot": shown(&deed.truth, snapshot, details), "task": task})))
}

/// Brings a snapshot in from the object storage; by analogy with that of block storage, and with a snapshot of a volume.
fn import(deed: &mut Deed, args: &Args, fields: &Fields) -> Result<Answer, Answer> {
    fields.needed("bucket")?;
    let key = fields.needed("key")?;
    if fields.word("volume_type")?.is_some_and(|word| Kind::of(word) != Some(Kind::LSsd)) {
        return Err(invalid("volume_type", "constraint", "not a valid value"));
    }
    let name = fields.word("name")?.unwrap_or(key).to_owned();
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let bytes = fields.number("size")?.filter(|size| *size > 0).unwrap_or(IMPORT_BYTES);
    let tags = fields.texts("tags")?.unwrap_or_default();
    let id = import_snapshot(deed, args.zone, &name, Kind::LSsd, bytes, project, tags)?;
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(&id) {
        details.unified = fields.word("volume_type")? != Some("l_ssd");
    }
    let (snapshot, details) = find(&deed.truth, args.zone, &id)?;
    let task = pretended(deed.now, args.zone, "fake task", "/snapshots", &format!("snapshots/{id}"));
    Ok(Answer::json(201, json!({"snapshot": shown(&deed.truth, snapshot, details), "task": task})))
}

/// POST `snapshots/{id}/export`: there is no object storage here, so that the copy is lost. The status is that of the
/// other orders that answer with a task.
pub fn export(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (snapshot, details) = find(&deed.truth, args.zone, args.id)?;
    if snapshot.state != CopyState::Available || details.exporting {
        return Err(not_usable("snapshot should be available"));
    }
    fields.needed("bucket")?;
    fields.needed("key")?;
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(args.id) {
        details.exporting = true;
    }
    later(deed, EXPORT_SECONDS, Change::Exported(args.id.to_owned()));
    let (from, result) = (format!("/snapshots/{}/export", args.id), format!("/snapshots/{}", args.id));
    Ok(Answer::json(202, json!({"task": pretended(deed.now, args.zone, "fake task", &from, &result)})))
}

/// PATCH `snapshots/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.zone, args.id)?;
    let now = deed.tick();
    if let Some(snapshot) = deed.truth.snapshots.get_mut(args.id) {
        if let Some(name) = fields.word("name")? {
            snapshot.name = name.to_owned();
        }
        if let Some(tags) = patched_tags(&fields)? {
            snapshot.tags = tags;
        }
    }
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(args.id) {
        details.modified = now;
    }
    get(&deed.truth, now, args)
}

/// DELETE `snapshots/{id}`, unless an image holds it or it is being taken.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (snapshot, details) = find(&deed.truth, args.zone, args.id)?;
    if snapshot.state == CopyState::Creating || details.exporting {
        return Err(not_usable("snapshot should be available"));
    }
    if deed.truth.scaleway.images_with(args.id).next().is_some() {
        return Err(Answer::precondition(400, "resource_still_in_use", "snapshot is used by an image"));
    }
    deed.delete_snapshot(args.id)?;
    deed.truth.scaleway.snapshots.remove(args.id);
    Ok(Answer::empty(204))
}
