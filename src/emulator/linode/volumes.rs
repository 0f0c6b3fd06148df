//! Volumes: making, changing, growing, copying and deleting them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attach;
use super::details::VolumeDetails;
use super::events::{self, Entity, Stage, notify};
use super::input::Fields;
use super::jobs::Change;
use super::problem::{invalid, not_found, over_quota, refused, required};
use super::{label, linodes, listing, listing::list, moments::stamp, regions};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::{ServerState, Volume, VolumeState};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

pub use attach::{check_can_join, join, leave};

/// The endpoints of volumes.
pub static ROUTES: &[Route] = &[
    look("/volumes", index),
    change("POST", "/volumes", create),
    look("/volumes/{id}", get),
    change("PUT", "/volumes/{id}", update),
    change("DELETE", "/volumes/{id}", delete),
    change("POST", "/volumes/{id}/resize", resize),
    change("POST", "/volumes/{id}/clone", copy),
    look("/linode/instances/{id}/volumes", of_linode),
];

/// The sizes there are, in GB.
const SIZES: std::ops::RangeInclusive<i64> = 10..=16_384;

/// A volume.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, id: &str) -> Result<(&'t Volume, &'t VolumeDetails), Answer> {
    truth.volumes.get(id).zip(truth.linode.volumes.get(id)).ok_or_else(not_found)
}

/// How events name a volume.
pub fn entity(volume: &Volume) -> Entity {
    Entity::new("volume", &volume.id, &volume.name, &format!("/volumes/{}", volume.id))
}

/// A volume as the API shows it.
pub fn shown(truth: &Truth, volume: &Volume, details: &VolumeDetails) -> Value {
    let server = volume.server.as_ref().and_then(|id| truth.servers.get(id));
    json!({
        "id": volume.id.parse::<u64>().ok(),
        "status": details.status,
        "label": volume.name,
        "created": stamp(volume.created),
        "updated": stamp(details.updated),
        "filesystem_path": format!("/dev/disk/by-id/scsi-0Linode_Volume_{}", volume.name),
        "size": details.size_gb,
        "linode_id": server.and_then(|server| server.id.parse::<u64>().ok()),
        "linode_label": server.map(|server| &server.name),
        "io_ready": details.io_ready,
        "region": volume.zone,
        "tags": volume.tags,
        "hardware_type": "nvme",
        "encryption": if details.encrypted { "enabled" } else { "disabled" },
        "locks": details.locks.values().collect::<Vec<_>>(),
    })
}

/// The answer that shows a volume.
pub fn answer(truth: &Truth, id: &str) -> Result<Answer, Answer> {
    let (volume, details) = find(truth, id)?;
    Ok(Answer::ok(shown(truth, volume, details)))
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    answer(truth, args.id)
}

fn index(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let volumes = truth.volumes.values().filter(|volume| linodes::is_listed(truth, now, volume.created));
    let pairs = volumes.filter_map(|volume| Some((volume, truth.linode.volumes.get(&volume.id)?)));
    list(args.request, &listing::VOLUMES, pairs.map(|(volume, details)| shown(truth, volume, details)).collect())
}

fn of_linode(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    linodes::find(truth, args.id)?;
    let volumes = truth.volumes.values().filter(|volume| volume.server.as_deref() == Some(args.id));
    let pairs = volumes.filter_map(|volume| Some((volume, truth.linode.volumes.get(&volume.id)?)));
    list(args.request, &listing::VOLUMES, pairs.map(|(volume, details)| shown(truth, volume, details)).collect())
}

fn check_unique(deed: &Deed, name: &str) -> Result<(), Answer> {
    if deed.truth.volumes.values().any(|volume| volume.name == name) {
        return Err(invalid("label", "Label must be unique among your volumes"));
    }
    Ok(())
}

/// A size asked for, in GB.
fn size_of(fields: &Fields) -> Result<Option<u64>, Answer> {
    let size = fields.number("size")?;
    let wrong = || invalid("size", &format!("Must be {}-{}", SIZES.start(), SIZES.end()));
    size.map(|size| u64::try_from(size).ok().filter(|_| SIZES.contains(&size)).ok_or_else(wrong)).transpose()
}

/// POST `volumes`.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let name = fields.needed("label")?.to_owned();
    label::check_volume(&name)?;
    let size_gb = size_of(&fields)?.unwrap_or(20);
    let linode = fields.number("linode_id")?.map(|id| id.to_string());
    let zone = match (&linode, fields.text("region")?) {
        (Some(linode), region) => {
            let (server, _) = linodes::find_named(&deed.truth, linode, "linode_id")?;
            if region.is_some_and(|region| region != server.zone) {
                return Err(invalid("region", "region must be that of the Linode"));
            }
            server.zone.clone()
        }
        (None, Some(region)) => region.to_owned(),
        (None, None) => return Err(refused("Must provide a region or a Linode ID")),
    };
    let region =
        regions::find(&zone).filter(|region| region.has("Block Storage")).ok_or_else(|| invalid("region", "region is not valid"))?;
    if fields.get("config_id").is_some() && linode.is_none() {
        return Err(invalid("config_id", "config_id needs a linode_id"));
    }
    let encrypted = match fields.text("encryption")? {
        None => region.has("Block Storage Encryption"),
        Some("enabled") if region.has("Block Storage Encryption") => true,
        Some("enabled") => return Err(invalid("encryption", "Block storage encryption is not available in this region.")),
        Some("disabled") => false,
        Some(_) => return Err(invalid("encryption", "Must be one of enabled, disabled")),
    };
    let tags = fields.tags()?.unwrap_or_default();
    check_unique(deed, &name)?;
    let id = make(deed, &zone, &name, size_gb, tags, encrypted, None)?;
    if let Some(linode) = linode {
        attach::attach(deed, &id, &linode, fields.number("config_id")?)?;
    }
    answer(&deed.truth, &id)
}

/// Makes a volume, empty or with the bytes of another one; it takes a moment until it is active.
fn make(
    deed: &mut Deed,
    zone: &str,
    name: &str,
    size_gb: u64,
    tags: Vec<String>,
    encrypted: bool,
    of: Option<&str>,
) -> Result<String, Answer> {
    if deed.check_quota("volume").is_err() {
        return Err(over_quota());
    }
    let id = deed.mint("volume");
    match of {
        None => deed.make_disk(&id, size_gb, b"")?,
        Some(other) => {
            deed.notice_writes(other)?;
            deed.copy_disk(other, &id, size_gb)?;
        }
    }
    let volume = Volume {
        id: id.clone(),
        zone: zone.to_owned(),
        name: name.to_owned(),
        size_gb,
        state: VolumeState::Creating,
        server: None,
        created: deed.tick(),
        last_detached: None,
        from_snapshot: None,
        from_image: None,
        tags,
        local: false,
        ephemeral: false,
    };
    let price = deed.truth.market.volume(zone, size_gb);
    deed.open_bill(&id, "volume", name, price);
    let takes = deed.truth.market.takes();
    deed.schedule(if of.is_some() { takes.restore_volume } else { takes.create_volume }, Effect::VolumeReady(id.clone()));
    let entity = entity(&volume);
    deed.truth.volumes.insert(id.clone(), volume);
    let event = events::tell(deed, "volume_create", Stage::Scheduled, Some(entity), None);
    events::begin(deed, event, takes.create_volume);
    let details = VolumeDetails {
        status: "creating".to_owned(),
        size_gb,
        encrypted,
        io_ready: false,
        locks: BTreeMap::new(),
        events: BTreeMap::from([("volume_create".to_owned(), event)]),
        updated: deed.now,
    };
    deed.truth.linode.volumes.insert(id.clone(), details);
    Ok(id)
}

/// Ends the event of something that was under way.
pub fn conclude(deed: &mut Deed, id: &str, action: &str) {
    let event = deed.truth.linode.volumes.get_mut(id).and_then(|details| details.events.remove(action));
    if let Some(event) = event {
        events::end(deed, event, None);
    }
}

/// What follows when a volume is there, or has its new size: it is active, and a running guest can soon use it.
pub fn settled(deed: &mut Deed, id: &str) {
    conclude(deed, id, "volume_create");
    let now = deed.now;
    let Some(details) = deed.truth.linode.volumes.get_mut(id) else { return };
    details.status = "active".to_owned();
    details.updated = now;
    plugged(deed, id);
}

/// Whether a running guest can use a volume is decided anew.
pub fn plugged(deed: &mut Deed, id: &str) {
    let server = deed.truth.volumes.get(id).filter(|volume| volume.state != VolumeState::Detaching).and_then(|it| it.server.clone());
    let is_on = server.and_then(|id| deed.truth.servers.get(&id)).is_some_and(|server| server.state == ServerState::Running);
    if let Some(details) = deed.truth.linode.volumes.get_mut(id) {
        details.io_ready = is_on && details.status != "creating";
    }
    conclude(deed, id, "volume_attach");
}

/// What follows when no Linode has a volume any more.
pub fn detached(deed: &mut Deed, id: &str) {
    conclude(deed, id, "volume_detach");
    let now = deed.now;
    if let Some(details) = deed.truth.linode.volumes.get_mut(id) {
        details.io_ready = false;
        details.updated = now;
    }
}

/// PUT `volumes/{id}`.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (volume, _) = find(&deed.truth, args.id)?;
    let mut volume = volume.clone();
    if let Some(name) = fields.text("label")?
        && name != volume.name
    {
        label::check_volume(name)?;
        check_unique(deed, name)?;
        volume.name = name.to_owned();
    }
    if let Some(tags) = fields.tags()? {
        volume.tags = tags;
    }
    let entity = entity(&volume);
    deed.truth.volumes.insert(args.id.to_owned(), volume);
    touch(deed, args.id);
    notify(deed, "volume_update", Some(entity), None);
    answer(&deed.truth, args.id)
}

fn touch(deed: &mut Deed, id: &str) {
    let now = deed.now;
    if let Some(details) = deed.truth.linode.volumes.get_mut(id) {
        details.updated = now;
    }
}

/// POST `resize`: up only.
fn resize(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (volume, details) = find(&deed.truth, args.id)?;
    let size_gb = size_of(&fields)?.ok_or_else(|| required("size"))?;
    if details.status != "active" || !matches!(volume.state, VolumeState::Available | VolumeState::InUse) {
        return Err(refused("Volume must be active to be resized."));
    }
    if size_gb <= details.size_gb {
        return Err(invalid("size", "Volumes can only be resized up."));
    }
    let entity = entity(volume);
    deed.grow_volume(args.id, size_gb)?;
    if let Some(details) = deed.truth.linode.volumes.get_mut(args.id) {
        details.status = "resizing".to_owned();
        details.size_gb = size_gb;
    }
    touch(deed, args.id);
    notify(deed, "volume_resize", Some(entity), None);
    answer(&deed.truth, args.id)
}

/// POST `clone`: a new volume beside this one, and on no Linode.
fn copy(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (volume, details) = find(&deed.truth, args.id)?;
    let name = fields.needed("label")?.to_owned();
    label::check_volume(&name)?;
    if details.status != "active" {
        return Err(refused("Volume must be active to be cloned."));
    }
    let (zone, size_gb, encrypted, entity) = (volume.zone.clone(), details.size_gb, details.encrypted, entity(volume));
    check_unique(deed, &name)?;
    let id = make(deed, &zone, &name, size_gb, Vec::new(), encrypted, Some(args.id))?;
    let secondary = deed.truth.volumes.get(&id).map(super::volumes::entity);
    notify(deed, "volume_clone", Some(entity), secondary);
    answer(&deed.truth, &id)
}

/// DELETE: also while it is on a Linode that is off.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (volume, details) = find(&deed.truth, args.id)?;
    let (volume, is_locked) = (volume.clone(), !details.locks.is_empty());
    if is_locked {
        return Err(refused("This volume is locked and cannot be deleted. Remove its locks first."));
    }
    let server = volume.server.as_ref().and_then(|id| deed.truth.servers.get(id));
    let is_loose = server.is_none_or(|server| server.state == ServerState::Stopped) && volume.state != VolumeState::Detaching;
    if !is_loose || volume.state == VolumeState::Resizing {
        return Err(refused("Volume must be detached before it can be deleted."));
    }
    if let Some(server) = volume.server.as_ref().and_then(|id| deed.truth.servers.get_mut(id)) {
        server.volumes.retain(|id| *id != volume.id);
    }
    if let Some(details) = volume.server.as_ref().and_then(|id| deed.truth.linode.linodes.get_mut(id)) {
        details.configs.iter_mut().for_each(|config| config.lose_volume(&volume.id));
    }
    conclude(deed, args.id, "volume_create");
    conclude(deed, args.id, "volume_attach");
    deed.destroy(args.id, &volume.name, &volume.tags)?;
    deed.close_bills(args.id);
    deed.truth.volumes.remove(args.id);
    deed.truth.linode.volumes.remove(args.id);
    notify(deed, "volume_delete", Some(entity(&volume)), None);
    Ok(Answer::ok(json!({})))
}

/// Has a running guest be able to use a volume soon.
pub fn plug_later(deed: &mut Deed, id: &str) {
    deed.schedule(attach::SECONDS, Effect::Linode(Change::Plugged(id.to_owned())));
}
