//! Snapshots of the block storage. Both versions of its API show one store, the newer one a little more of it.

use serde_json::{Value, json};

use super::block_volumes::{has_any, is_v1, sort, status, type_of};
use super::changes::{Change, later};
use super::details::{GB, Kind, SnapshotDetails};
use super::ids::uuid_of;
use super::input::Fields;
use super::making::{import_snapshot, take_snapshot};
use super::moments::zulu;
use super::pages::body_page;
use super::{show, stock_images};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{CopyState, Snapshot, VolumeState};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How long it takes to copy a snapshot to the object storage.
pub const EXPORT_SECONDS: u64 = 4;
/// The size of what is imported without one being named.
pub const IMPORT_BYTES: u64 = 10 * GB;

/// The block snapshot of this id in a zone.
///
/// Errors: 404; 403 for the vendor's own, which images are made of.
pub fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Snapshot, &'t SnapshotDetails), Answer> {
    if stock_images::image_of_root(id).is_some() {
        return Err(Answer::denied("snapshot", "read"));
    }
    let snapshot = truth.snapshots.get(id).filter(|snapshot| snapshot.zone == zone);
    let pair = snapshot.zip(truth.scaleway.snapshots.get(id).filter(|details| details.kind == Kind::Sbs));
    pair.ok_or_else(|| Answer::not_found("snapshot", id))
}

/// The snapshot object, bare; `young` as the call that ordered it shows it.
fn shown(truth: &Truth, snapshot: &Snapshot, details: &SnapshotDetails, is_v1: bool, young: bool) -> Value {
    let images: Vec<Value> =
        truth.scaleway.images_with(&snapshot.id).map(|(image, it)| bond(snapshot, "instance_image", image, it.created)).collect();
    let released = details.released_by.as_ref().map(|(image, since)| bond(snapshot, "instance_image", image, *since));
    let images: Vec<Value> = images.into_iter().chain(released).collect();
    let status_word = match snapshot.state {
        CopyState::Creating => "creating",
        CopyState::Error => "error",
        CopyState::Available if details.exporting => "exporting",
        CopyState::Available if !images.is_empty() => "in_use",
        CopyState::Available => "available",
    };
    let mut references = images;
    if details.held && !young && snapshot.state == CopyState::Creating {
        references.push(bond(snapshot, "internal", "00000000-0000-0000-0000-000000000000", snapshot.created));
    }
    let volume = truth.volumes.get(&snapshot.volume).zip(truth.scaleway.volumes.get(&snapshot.volume));
    let parent = volume.map(|(volume, it)| json!({"id": volume.id, "name": volume.name, "type": type_of(it), "status": status(volume)}));
    let mut object = json!({
        "id": snapshot.id,
        "name": snapshot.name,
        "parent_volume": parent,
        "size": details.bytes,
        "project_id": details.project,
        "created_at": zulu(snapshot.created),
        "updated_at": zulu(details.modified),
        "references": references,
        "status": status_word,
        "tags": snapshot.tags,
        "class": "sbs",
        "zone": snapshot.zone,
    });
    if is_v1 && let Some(object) = object.as_object_mut() {
        object.insert("public".to_owned(), json!(details.public));
    }
    object
}

/// What holds a snapshot.
fn bond(snapshot: &Snapshot, product: &str, holder: &str, since: Moment) -> Value {
    json!({
        "id": uuid_of(0, &["reference", &snapshot.id, holder]),
        "product_resource_type": product,
        "product_resource_id": holder,
        "created_at": zulu(since),
        "type": if product == "internal" { "unknown_type" } else { "link" },
        "status": "attached",
    })
}

fn answer(truth: &Truth, args: &Args, id: &str, young: bool) -> Result<Answer, Answer> {
    let (snapshot, details) = find(truth, args.zone, id)?;
    Ok(Answer::ok(shown(truth, snapshot, details, is_v1(args), young)))
}

/// GET `snapshots/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args, args.id, false)
}

/// GET `snapshots`, the oldest first; of several tags one suffices.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let (tags, ids) = (request.all("tags"), request.all("snapshot_ids"));
    let is = |key: &str, value: &str| request.filter(key).is_none_or(|wanted| wanted == value);
    let wanted = |snapshot: &Snapshot, details: &SnapshotDetails| {
        show::is_listed(truth, now, snapshot.created)
            && is("name", &snapshot.name)
            && is("project_id", &details.project)
            && is("volume_id", &snapshot.volume)
            && has_any(&snapshot.tags, &tags)
            && (ids.is_empty() || ids.contains(&snapshot.id.as_str()))
    };
    let mut found: Vec<(&Snapshot, &SnapshotDetails)> = truth.snapshots.keys().filter_map(|id| find(truth, args.zone, id).ok()).collect();
    found.retain(|(snapshot, details)| wanted(snapshot, details));
    sort(&mut found, request.filter("order_by"), |(snapshot, _)| (snapshot.created, snapshot.name.clone()));
    let items = found.into_iter().map(|(snapshot, details)| shown(truth, snapshot, details, is_v1(args), false)).collect();
    Ok(body_page(request, "snapshots", items))
}

/// POST `snapshots`: also of a volume in use, and then of one that is being written to.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let volume = fields.needed("volume_id")?;
    let name = fields.needed("name")?.to_owned();
    let found = deed.truth.volumes.get(volume).filter(|it| it.zone == args.zone && !it.local);
    let found = found.ok_or_else(|| Answer::not_found("volume", volume))?;
    if matches!(found.state, VolumeState::Resizing | VolumeState::Error) {
        return Err(Answer::precondition(412, "resource_not_usable", "the volume must be available or in use"));
    }
    let project = deed.truth.scaleway.project(deed.truth.seed, fields.word("project_id")?);
    let id = take_snapshot(deed, volume, &name, project, fields.texts("tags")?.unwrap_or_default())?;
    let public = fields.flag("public")?.unwrap_or(false);
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(&id) {
        details.public = public;
    }
    answer(&deed.truth, args, &id, true)
}

/// PATCH `snapshots/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.zone, args.id)?;
    if let Some(snapshot) = deed.truth.snapshots.get_mut(args.id) {
        if let Some(name) = fields.word("name")? {
            snapshot.name = name.to_owned();
        }
        if let Some(tags) = fields.texts("tags")? {
            snapshot.tags = tags;
        }
    }
    let now = deed.tick();
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(args.id) {
        details.public = fields.flag("public")?.unwrap_or(details.public);
        details.modified = now;
    }
    answer(&deed.truth, args, args.id, false)
}

/// DELETE `snapshots/{id}`, unless an image holds it or it is being made or copied.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (snapshot, details) = find(&deed.truth, args.zone, args.id)?;
    let held = deed.truth.scaleway.images_with(args.id).next().is_some();
    let restoring = deed.truth.volumes.values().any(|it| it.state == VolumeState::Creating && it.from_snapshot.as_deref() == Some(args.id));
    if held || restoring {
        return Err(Answer::precondition(412, "protected_resource", "Snapshot is currently in use, deletion is not permitted."));
    }
    if snapshot.state == CopyState::Creating || details.exporting {
        return Err(Answer::precondition(412, "resource_not_usable", "the snapshot must be available"));
    }
    deed.delete_snapshot(args.id)?;
    deed.truth.scaleway.snapshots.remove(args.id);
    Ok(Answer::empty(204))
}

/// POST `snapshots/{id}/export-to-object-storage`: there is no object storage here, so that the copy is lost.
pub fn export(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (snapshot, details) = find(&deed.truth, args.zone, args.id)?;
    fields.needed("bucket")?;
    fields.needed("key")?;
    if snapshot.state != CopyState::Available || details.exporting {
        return Err(Answer::precondition(412, "resource_not_usable", "the snapshot must be available"));
    }
    if let Some(details) = deed.truth.scaleway.snapshots.get_mut(args.id) {
        details.exporting = true;
    }
    later(deed, EXPORT_SECONDS, Change::Exported(args.id.to_owned()));
    answer(&deed.truth, args, args.id, false)
}

/// POST `snapshots/import-from-object-storage`.
pub fn import(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    fields.needed("bucket")?;
    fields.needed("key")?;
    let name = fields.needed("name")?.to_owned();
    let bytes = fields.number("size")?.filter(|size| *size > 0).unwrap_or(IMPORT_BYTES);
    let project = deed.truth.scaleway.project(deed.truth.seed, fields.word("project_id")?);
    let id = import_snapshot(deed, args.zone, &name, Kind::Sbs, bytes, project, fields.texts("tags")?.unwrap_or_default())?;
    answer(&deed.truth, args, &id, true)
}
