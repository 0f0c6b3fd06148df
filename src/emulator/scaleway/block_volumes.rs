//! Volumes of the block storage. Both versions of its API show one store, the newer one a little more of it.

use serde_json::{Value, json};

use super::catalogue::{self, BLOCK_MAX, BLOCK_MIN};
use super::changes::{Change, later};
use super::details::{Kind, VolumeDetails};
use super::input::{Fields, invalid, required};
use super::making::{NewDisk, Source, make_volume, whole_gb};
use super::moments::zulu;
use super::pages::body_page;
use super::show;
use super::words::detail;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{CopyState, Volume, VolumeState};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

/// Whether a call is for the newer version of the API.
pub fn is_v1(args: &Args) -> bool {
    args.request.path.get(1).is_some_and(|version| version == "v1")
}

/// GET `volume-types`.
pub fn types(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let mut types = catalogue::volume_types(args.zone);
    if !is_v1(args) {
        types.iter_mut().filter_map(Value::as_object_mut).for_each(|row| {
            row.remove("zone");
        });
    }
    Ok(body_page(args.request, "volume_types", types))
}

fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Volume, &'t VolumeDetails), Answer> {
    let volume = truth.volumes.get(id).filter(|volume| volume.zone == zone && !volume.local);
    volume.zip(truth.scaleway.volumes.get(id)).ok_or_else(|| Answer::not_found("volume", id))
}

/// The word for a volume's condition: on its way from a server it is still in use.
pub fn status(volume: &Volume) -> &'static str {
    match volume.state {
        VolumeState::Creating => "creating",
        VolumeState::Available => "available",
        VolumeState::InUse | VolumeState::Detaching => "in_use",
        VolumeState::Resizing => "updating",
        VolumeState::Error => "error",
    }
}

/// The kind of a volume by its operations per second.
pub fn type_of(details: &VolumeDetails) -> &'static str {
    catalogue::volume_type(details.iops).map_or("sbs_5k", |row| row.name)
}

/// The volume object, bare.
fn shown(volume: &Volume, details: &VolumeDetails, is_v1: bool) -> Value {
    let bond = details.reference.as_ref().zip(volume.server.as_ref()).map(|(reference, server)| {
        json!({
            "id": reference.id,
            "product_resource_type": "instance_server",
            "product_resource_id": server,
            "created_at": zulu(reference.created),
            "type": "exclusive",
            "status": reference.stage.word(),
        })
    });
    let mut object = json!({
        "id": volume.id,
        "name": volume.name,
        "type": type_of(details),
        "size": details.bytes,
        "project_id": details.project,
        "created_at": zulu(volume.created),
        "updated_at": zulu(details.modified),
        "references": bond.into_iter().collect::<Vec<Value>>(),
        "parent_snapshot_id": details.parent,
        "status": status(volume),
        "tags": volume.tags,
        "zone": volume.zone,
        "specs": {"perf_iops": details.iops, "class": "sbs"},
        "last_detached_at": volume.last_detached.map(zulu),
    });
    if is_v1 && let Some(object) = object.as_object_mut() {
        object.insert("kms_key_id".to_owned(), json!(details.kms_key));
    }
    object
}

fn answer(truth: &Truth, args: &Args, id: &str) -> Result<Answer, Answer> {
    let (volume, details) = find(truth, args.zone, id)?;
    Ok(Answer::ok(shown(volume, details, is_v1(args))))
}

/// GET `volumes/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args, args.id)
}

/// GET `volumes`, the oldest first; of several tags one suffices.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let (tags, ids) = (request.all("tags"), request.all("volume_ids"));
    let is = |key: &str, value: &str| request.filter(key).is_none_or(|wanted| wanted == value);
    let wanted = |volume: &Volume, details: &VolumeDetails| {
        show::is_listed(truth, now, volume.created)
            && is("name", &volume.name)
            && is("project_id", &details.project)
            && is("volume_type", type_of(details))
            && is("product_resource_id", volume.server.as_deref().unwrap_or_default())
            && has_any(&volume.tags, &tags)
            && (ids.is_empty() || ids.contains(&volume.id.as_str()))
    };
    let mut found: Vec<(&Volume, &VolumeDetails)> = truth.volumes.keys().filter_map(|id| find(truth, args.zone, id).ok()).collect();
    found.retain(|(volume, details)| wanted(volume, details));
    sort(&mut found, request.filter("order_by"), |(volume, _)| (volume.created, volume.name.clone()));
    let items = found.into_iter().map(|(volume, details)| shown(volume, details, is_v1(args))).collect();
    Ok(body_page(request, "volumes", items))
}

/// Whether tags hold one of those asked for.
pub fn has_any(tags: &[String], wanted: &[&str]) -> bool {
    wanted.is_empty() || wanted.iter().any(|tag| tags.iter().any(|it| it == tag))
}

/// Puts a list into the order asked for; by age if none was.
pub fn sort<T>(found: &mut [T], order: Option<&str>, key: impl Fn(&T) -> (Moment, String)) {
    match order {
        Some("name_asc" | "name_desc") => found.sort_by_key(|item| key(item).1),
        _ => found.sort_by_key(|item| key(item).0),
    }
    if order.is_some_and(|order| order.ends_with("_desc")) {
        found.reverse();
    }
}

/// POST `volumes`: empty, or from a snapshot.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = fields.needed("name")?.to_owned();
    let iops = iops_of(&fields)?.unwrap_or(5000);
    let empty = fields.get("from_empty").map(Fields::within);
    let snapshot = fields.get("from_snapshot").map(Fields::within);
    let (bytes, source) = match (&empty, &snapshot) {
        (Some(empty), None) => {
            let size = empty.number("size")?;
            (size.ok_or_else(|| Answer::invalid_arguments(vec![required("from_empty.size")]))?, Source::Empty)
        }
        (None, Some(from)) => {
            let id = from.needed("snapshot_id")?;
            (size_from(&deed.truth, args.zone, id, from.number("size")?)?, Source::Snapshot(id))
        }
        _ => {
            let help = "exactly one of from_empty and from_snapshot is needed";
            return Err(Answer::invalid_arguments(vec![detail("from", "required", help)]));
        }
    };
    check_size("size", bytes)?;
    let project = deed.truth.scaleway.project(deed.truth.seed, fields.word("project_id")?);
    let tags = fields.texts("tags")?.unwrap_or_default();
    let id = make_volume(deed, NewDisk { zone: args.zone, name, project, kind: Kind::Sbs, bytes, iops, source, tags })?;
    let kms_key = fields.word("kms_key_id")?.map(str::to_owned);
    if let Some(details) = deed.truth.scaleway.volumes.get_mut(&id) {
        details.kms_key = kms_key;
    }
    answer(&deed.truth, args, &id)
}

fn check_size(argument: &str, bytes: u64) -> Result<(), Answer> {
    if (BLOCK_MIN..=BLOCK_MAX).contains(&bytes) {
        return Ok(());
    }
    Err(invalid(argument, "constraint", &format!("must be between {BLOCK_MIN} and {BLOCK_MAX}")))
}

fn iops_of(fields: &Fields) -> Result<Option<u64>, Answer> {
    match fields.number("perf_iops")?.filter(|iops| *iops > 0) {
        Some(iops) if catalogue::volume_type(iops).is_none() => Err(invalid("perf_iops", "constraint", "no such kind of volume")),
        iops => Ok(iops),
    }
}

/// The size of a volume that is made from a snapshot.
fn size_from(truth: &Truth, zone: &str, snapshot: &str, wanted: Option<u64>) -> Result<u64, Answer> {
    let (core, details) = super::block_snapshots::find(truth, zone, snapshot)?;
    if core.state != CopyState::Available || details.exporting {
        return Err(Answer::precondition(412, "resource_not_usable", "the snapshot must be available"));
    }
    let bytes = wanted.filter(|size| *size > 0).unwrap_or(details.bytes);
    if bytes < details.bytes {
        let help = "size, when provided, must be equal to or larger than the size of the source snapshot.";
        return Err(Answer::precondition(412, "resource_not_usable", help));
    }
    Ok(bytes)
}

/// PATCH `volumes/{id}`: the answer shows an order to grow or to do more operations as not yet carried out.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (volume, details) = find(&deed.truth, args.zone, args.id)?;
    let (state, bytes, iops) = (volume.state, details.bytes, details.iops);
    let size = fields.number("size")?.filter(|size| *size != bytes);
    let new_iops = iops_of(&fields)?.filter(|wanted| *wanted != iops);
    if (size.is_some() || new_iops.is_some()) && !matches!(state, VolumeState::Available | VolumeState::InUse) {
        return Err(Answer::precondition(412, "resource_not_usable", "the volume must be available or in use"));
    }
    if let Some(volume) = deed.truth.volumes.get_mut(args.id) {
        if let Some(name) = fields.word("name")? {
            volume.name = name.to_owned();
        }
        if let Some(tags) = fields.texts("tags")? {
            volume.tags = tags;
        }
    }
    if let Some(size) = size {
        check_size("size", size)?;
        if size < bytes {
            return Err(Answer::precondition(412, "resource_not_usable", "a volume can only grow"));
        }
        order_growth(deed, args.id, size);
    }
    if let Some(iops) = new_iops {
        if let Some(volume) = deed.truth.volumes.get_mut(args.id) {
            volume.state = VolumeState::Resizing;
        }
        later(deed, deed.truth.market.takes().resize, Change::Tuned { volume: args.id.to_owned(), iops });
    }
    if size.is_none() && new_iops.is_none() {
        let now = deed.tick();
        if let Some(details) = deed.truth.scaleway.volumes.get_mut(args.id) {
            details.modified = now;
        }
    }
    answer(&deed.truth, args, args.id)
}

fn order_growth(deed: &mut Deed, id: &str, size: u64) {
    if let Some(details) = deed.truth.scaleway.volumes.get_mut(id) {
        details.growing_to = Some(size);
    }
    if let Some(volume) = deed.truth.volumes.get_mut(id) {
        volume.state = VolumeState::Resizing;
    }
    let seconds = deed.truth.market.takes().resize;
    deed.schedule(seconds, Effect::VolumeResized { volume: id.to_owned(), size_gb: whole_gb(size) });
}

/// DELETE `volumes/{id}`: only one that is available; its snapshots stay.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (volume, _) = find(&deed.truth, args.zone, args.id)?;
    if volume.server.is_some() {
        return Err(Answer::precondition(412, "protected_resource", "Volume is currently in use, deletion is not permitted."));
    }
    if !matches!(volume.state, VolumeState::Available | VolumeState::Error) {
        return Err(Answer::precondition(412, "resource_not_usable", "the volume must be available"));
    }
    deed.delete_volume(args.id)?;
    deed.truth.scaleway.volumes.remove(args.id);
    Ok(Answer::empty(204))
}
