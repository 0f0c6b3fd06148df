//! Volumes on the machines' own disks: `volumes` of the instance API, which knows nothing of block storage.

use serde_json::{Value, json};

use super::details::{Kind, VolumeDetails};
use super::input::{Fields, invalid, patched_tags};
use super::making::{NewDisk, Source, check_bytes, make_volume, whole_gb};
use super::pages::header_page;
use super::show;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::Volume;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<(&'t Volume, &'t VolumeDetails), Answer> {
    let volume = truth.volumes.get(id).filter(|volume| volume.zone == zone && volume.local);
    volume.zip(truth.scaleway.volumes.get(id)).ok_or_else(|| Answer::not_found("instance_volume", id))
}

fn answer(truth: &Truth, zone: &str, id: &str, status: u16) -> Result<Answer, Answer> {
    let (volume, details) = find(truth, zone, id)?;
    Ok(Answer::json(status, json!({"volume": show::local_volume(truth, volume, details)})))
}

/// GET `volumes/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args.zone, args.id, 200)
}

/// GET `volumes`, the newest first.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let mut found: Vec<&Volume> = truth.volumes.values().filter(|volume| volume.zone == args.zone && volume.local).collect();
    found.retain(|volume| show::is_listed(truth, now, volume.created) && show::has_all(&volume.tags, &tags));
    found.retain(|volume| request.filter("name").is_none_or(|name| volume.name.contains(name)));
    found.sort_by_key(|volume| -volume.created.0);
    let objects = found.into_iter().filter_map(|it| Some(show::local_volume(truth, it, truth.scaleway.volumes.get(&it.id)?)));
    let is = |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key] == wanted);
    let wanted = |item: &Value| ["project", "volume_type"].iter().all(|key| is(item, key));
    Ok(header_page(request, "volumes", "/volumes", objects.filter(wanted).collect()))
}

/// POST `volumes`: local ones only, empty or from a snapshot.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = fields.needed("name")?.to_owned();
    let kind = match fields.word("volume_type")?.unwrap_or("l_ssd") {
        "l_ssd" => Kind::LSsd,
        "scratch" => Kind::Scratch,
        _ => return Err(invalid("volume_type", "constraint", "not a valid value")),
    };
    let snapshot = fields.word("base_snapshot")?;
    let least = match snapshot {
        None => 0,
        Some(id) => {
            let found = deed.truth.scaleway.snapshots.get(id).filter(|it| it.kind != Kind::Sbs);
            let here = deed.truth.snapshots.get(id).is_some_and(|it| it.zone == args.zone);
            found.filter(|_| here).ok_or_else(|| Answer::not_found("instance_snapshot", id))?.bytes
        }
    };
    let bytes = fields.number("size")?.or(snapshot.map(|_| least));
    let bytes = bytes.ok_or_else(|| Answer::invalid_arguments(vec![super::input::required("size")]))?;
    if bytes == 0 || bytes < least || bytes % 512 != 0 {
        return Err(invalid("size", "constraint", "must be a multiple of 512, and not smaller than the snapshot"));
    }
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let source = snapshot.map_or(Source::Empty, Source::Snapshot);
    let tags = fields.texts("tags")?.unwrap_or_default();
    let id = make_volume(deed, NewDisk { zone: args.zone, name, project, kind, bytes, iops: 5000, source, tags })?;
    let location = format!("/instance/v1/zones/{}/volumes/{id}", args.zone);
    Ok(answer(&deed.truth, args.zone, &id, 201)?.with("location", location))
}

/// PATCH `volumes/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let bytes = find(&deed.truth, args.zone, args.id)?.1.bytes;
    let now = deed.tick();
    if let Some(volume) = deed.truth.volumes.get_mut(args.id) {
        if let Some(name) = fields.word("name")? {
            volume.name = name.to_owned();
        }
        if let Some(tags) = patched_tags(&fields)? {
            volume.tags = tags;
        }
    }
    let size = fields.number("size")?;
    check_bytes(Kind::LSsd, size.unwrap_or(0))?;
    if size.is_some_and(|size| size < bytes) {
        return Err(invalid("size", "constraint", "a volume does not shrink"));
    }
    if let Some(size) = size.filter(|size| *size > bytes) {
        let size_gb = whole_gb(size);
        deed.disks.grow(args.id, size_gb)?;
        if let Some(volume) = deed.truth.volumes.get_mut(args.id) {
            volume.size_gb = size_gb;
        }
    }
    if let Some(details) = deed.truth.scaleway.volumes.get_mut(args.id) {
        details.bytes = size.unwrap_or(bytes);
        details.modified = now;
    }
    answer(&deed.truth, args.zone, args.id, 200)
}

/// DELETE `volumes/{id}`, unless a server has it.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (volume, _) = find(&deed.truth, args.zone, args.id)?;
    if volume.server.is_some() {
        return Err(Answer::precondition(400, "resource_still_in_use", "volume is attached to a server"));
    }
    deed.delete_volume(args.id)?;
    deed.truth.scaleway.volumes.remove(args.id);
    Ok(Answer::empty(204))
}
