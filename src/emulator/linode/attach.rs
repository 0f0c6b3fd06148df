//! Volumes joining and leaving Linodes.

use serde_json::json;

use super::configs::{Device, slots_of};
use super::events::{self, Stage};
use super::input::Fields;
use super::linodes;
use super::problem::{invalid, refused, required};
use super::volumes::{answer, entity, find, plug_later};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::{ServerState, VolumeState};
use crate::emulator::physics::Deed;

/// The endpoints that join and part.
pub static ROUTES: &[Route] = &[change("POST", "/volumes/{id}/attach", attach_to), change("POST", "/volumes/{id}/detach", detach)];

/// How long it takes until a running guest can use a volume.
pub const SECONDS: u64 = 5;

/// Refuses a volume that a Linode cannot have.
pub fn check_can_join(deed: &Deed, volume: &str, linode: &str, field: &str) -> Result<(), Answer> {
    let (found, _) = find(&deed.truth, volume).map_err(|_| invalid(field, "volume_id is not valid"))?;
    let (server, _) = linodes::find(&deed.truth, linode)?;
    match found.server.as_deref() {
        Some(own) if own == linode && found.state != VolumeState::Detaching => return Ok(()),
        Some(_) => return Err(invalid(field, "Volume is already attached to a Linode.")),
        None => {}
    }
    if found.state == VolumeState::Resizing {
        return Err(refused("Volume must be active to be attached."));
    }
    if found.zone != server.zone {
        return Err(invalid(field, "Volume must be in the same region as the Linode."));
    }
    if server.volumes.len() >= slots_of(&deed.truth, linode).len() {
        return Err(refused("This Linode has as many volumes as it can have."));
    }
    Ok(())
}

/// Has a volume belong to a Linode; does nothing if it does already.
pub fn join(deed: &mut Deed, volume: &str, linode: &str) -> Result<(), Answer> {
    let (server, _) = linodes::find(&deed.truth, linode)?;
    if server.volumes.iter().any(|id| id == volume) {
        return Ok(());
    }
    let server = server.clone();
    deed.take_volume(&server, volume)?;
    if server.may_write() {
        deed.notice_writes(volume)?;
        deed.note_writing(volume);
    }
    if let Some(server) = deed.truth.servers.get_mut(linode) {
        server.volumes.push(volume.to_owned());
    }
    let about = deed.truth.volumes.get(volume).map(entity);
    let event = events::tell(deed, "volume_attach", Stage::Scheduled, about, Some(linodes::entity(&server)));
    events::begin(deed, event, SECONDS);
    let now = deed.now;
    if let Some(details) = deed.truth.linode.volumes.get_mut(volume) {
        details.events.insert("volume_attach".to_owned(), event);
        details.updated = now;
    }
    plug_later(deed, volume);
    Ok(())
}

/// Has a volume leave its Linode: no profile has it any more; the Linode keeps it for a moment.
pub fn leave(deed: &mut Deed, volume: &str) -> Result<(), Answer> {
    let (found, _) = find(&deed.truth, volume)?;
    let Some(linode) = found.server.clone() else { return Ok(()) };
    let about = entity(found);
    let secondary = deed.truth.servers.get(&linode).map(linodes::entity);
    deed.leave(&linode, &[volume.to_owned()])?;
    if let Some(details) = deed.truth.linode.linodes.get_mut(&linode) {
        details.configs.iter_mut().for_each(|config| config.lose_volume(volume));
    }
    let event = events::tell(deed, "volume_detach", Stage::Scheduled, Some(about), secondary);
    events::begin(deed, event, deed.truth.market.takes().detach);
    if let Some(details) = deed.truth.linode.volumes.get_mut(volume) {
        details.io_ready = false;
        details.events.insert("volume_detach".to_owned(), event);
    }
    Ok(())
}

/// Puts a volume into the next free slot of a profile: the one asked for, the only one, or the one last booted.
pub fn attach(deed: &mut Deed, volume: &str, linode: &str, config: Option<i64>) -> Result<(), Answer> {
    check_can_join(deed, volume, linode, "linode_id")?;
    let slots = slots_of(&deed.truth, linode);
    let number: u64 = volume.parse().unwrap_or_default();
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return Err(required("linode_id")) };
    let last = details.booted;
    let many = details.configs.len() > 1;
    let wanted = |id: u64| match config {
        Some(config) => i64::try_from(id) == Ok(config),
        None => !many || last == Some(id),
    };
    let profile = details.configs.iter_mut().find(|it| wanted(it.id));
    let Some(profile) = profile else {
        return Err(match config {
            Some(_) => invalid("config_id", "config_id is not valid"),
            None if many => invalid("config_id", "A config_id is required: this Linode has several configuration profiles."),
            None => refused("This Linode has no configuration profile to attach the volume to."),
        });
    };
    let is_there = profile.devices.values().any(|device| *device == Device::Volume(number));
    if !is_there {
        let free = slots.into_iter().find(|slot| !profile.devices.contains_key(slot));
        let free = free.ok_or_else(|| refused("This configuration profile has no free slot."))?;
        profile.devices.insert(free, Device::Volume(number));
    }
    join(deed, volume, linode)
}

/// POST `attach`.
fn attach_to(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (volume, _) = find(&deed.truth, args.id)?;
    if volume.server.is_some() {
        return Err(invalid("linode_id", "Volume is already attached to a Linode."));
    }
    let linode = fields.number("linode_id")?.ok_or_else(|| required("linode_id"))?.to_string();
    fields.flag("persist_across_boots")?;
    linodes::find_named(&deed.truth, &linode, "linode_id")?;
    attach(deed, args.id, &linode, fields.number("config_id")?)?;
    answer(&deed.truth, args.id)
}

/// POST `detach`.
fn detach(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (volume, details) = find(&deed.truth, args.id)?;
    if volume.server.is_none() || volume.state == VolumeState::Detaching {
        return Err(refused("Volume is not attached to a Linode."));
    }
    if details.status == "resizing" {
        return Err(refused("Volume is being resized."));
    }
    let server = volume.server.as_ref().and_then(|id| deed.truth.servers.get(id));
    if server.is_some_and(|server| server.state == ServerState::Deleting) {
        return Err(refused("The Linode is being deleted."));
    }
    leave(deed, args.id)?;
    Ok(Answer::ok(json!({})))
}
