//! Attaching volumes to servers and detaching them.

use serde_json::Value;

use super::changes::{attach_later, leave_later};
use super::details::{Kind, Slot, Stage};
use super::input::{Fields, invalid, not_usable};
use super::making::bind;
use super::servers::{find, shown};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{Root, ServerState, VolumeState};
use crate::emulator::physics::Deed;

/// The most volumes a server has.
pub const SLOTS: u8 = 16;

/// POST `servers/{id}/attach-volume`: into the first free slot.
pub fn attach(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, details) = find(&deed.truth, args.zone, args.id)?;
    let volume = fields.needed("volume_id")?;
    let free = (0..SLOTS).find(|slot| !details.slots.contains_key(slot));
    let slot = free.ok_or_else(|| invalid("volume_id", "constraint", "too many volumes"))?;
    put(deed, args, slot, volume, fields.flag("boot")?.unwrap_or(false), 1)?;
    shown(&deed.truth, args.zone, args.id, 200)
}

/// POST `servers/{id}/detach-volume`; a root goes as well.
pub fn detach(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, details) = find(&deed.truth, args.zone, args.id)?;
    let volume = fields.needed("volume_id")?;
    if !details.slots.values().any(|slot| slot.volume == volume) {
        return Err(invalid("volume_id", "constraint", &format!("Volume {volume} is not attached to this server")));
    }
    remove(deed, args.id, volume)?;
    shown(&deed.truth, args.zone, args.id, 200)
}

/// Gives a server exactly these volumes, by slot.
pub fn replace(deed: &mut Deed, server: &str, wanted: &Fields, raw: &Value) -> Result<(), Answer> {
    let slots = deed.truth.scaleway.servers.get(server).map(|details| details.slots.clone()).unwrap_or_default();
    let mut new = Vec::new();
    for key in raw.as_object().into_iter().flat_map(|map| map.keys()) {
        let slot: u8 =
            key.parse().ok().filter(|slot| *slot < SLOTS).ok_or_else(|| invalid("volumes", "format", "extra keys not allowed"))?;
        let entry = Fields::within(wanted.get(key).unwrap_or(&Value::Null));
        new.push((slot, entry.needed("id")?.to_owned(), entry.flag("boot")?.unwrap_or(false)));
    }
    let stays = |volume: &str| new.iter().any(|(_, id, _)| id == volume);
    for slot in slots.values().filter(|slot| !stays(&slot.volume)) {
        remove(deed, server, &slot.volume)?;
    }
    let zone = deed.truth.servers.get(server).map(|server| server.zone.clone()).unwrap_or_default();
    let request = crate::emulator::face::Request::default();
    let args = Args { request: &request, zone: &zone, id: server, key: "" };
    if let Some(details) = deed.truth.scaleway.servers.get_mut(server) {
        details.slots.clear();
    }
    let mut place = 0;
    new.sort();
    for (slot, volume, boot) in new {
        if slots.values().any(|slot| slot.volume == volume) {
            set_slot(deed, server, slot, &volume, boot);
        } else {
            put(deed, &args, slot, &volume, boot, place)?;
            place += 1;
        }
    }
    Ok(())
}

/// Puts a volume into a slot of a server.
fn put(deed: &mut Deed, args: &Args, slot: u8, volume: &str, boot: bool, place: u32) -> Result<(), Answer> {
    check_free(deed, args.zone, volume)?;
    let (server, _) = find(&deed.truth, args.zone, args.id)?;
    if !matches!(server.state, ServerState::Running | ServerState::Stopped | ServerState::StoppedInPlace) {
        return Err(not_usable("server should be running or stopped"));
    }
    let local = deed.truth.volumes.get(volume).is_some_and(|volume| volume.local);
    if local && server.state != ServerState::Stopped {
        return Err(not_usable("server should be stopped"));
    }
    deed.attach(args.id, volume)?;
    bind(deed, volume, Stage::Attaching);
    set_slot(deed, args.id, slot, volume, boot);
    attach_later(deed, place, volume);
    Ok(())
}

/// Notes what a slot holds; the server boots from the one that says so, else from the first.
fn set_slot(deed: &mut Deed, server: &str, slot: u8, volume: &str, boot: bool) {
    let Some(details) = deed.truth.scaleway.servers.get_mut(server) else { return };
    details.slots.insert(slot, Slot { volume: volume.to_owned(), boot });
    let told = details.slots.values().find(|slot| slot.boot).or_else(|| details.slots.get(&0));
    if let (Some(slot), Some(server)) = (told, deed.truth.servers.get_mut(server)) {
        server.root = Some(Root::Volume(slot.volume.clone()));
    }
}

/// Refuses a volume that does not exist in a zone, or that a server has, or that is on its way somewhere.
pub fn check_free(deed: &Deed, zone: &str, volume: &str) -> Result<Kind, Answer> {
    let found = deed.truth.volumes.get(volume).filter(|it| it.zone == zone).zip(deed.truth.scaleway.volumes.get(volume));
    let Some((core, details)) = found else { return Err(Answer::not_found("instance_volume", volume)) };
    if core.server.is_some() || !matches!(core.state, VolumeState::Available | VolumeState::Creating) {
        let help = format!("volume {volume} is in use or not available");
        return Err(Answer::precondition(400, "resource_still_in_use", &help));
    }
    Ok(details.kind)
}

/// Takes a volume out of its server; it is free after a while.
fn remove(deed: &mut Deed, server: &str, volume: &str) -> Result<(), Answer> {
    let running = deed.truth.servers.get(server).is_some_and(|server| server.may_write());
    if running && deed.truth.volumes.get(volume).is_some_and(|volume| volume.local) {
        return Err(not_usable("server should be stopped"));
    }
    deed.detach(server, volume)?;
    leave_later(deed, volume);
    if let Some(details) = deed.truth.scaleway.servers.get_mut(server) {
        details.slots.retain(|_, slot| slot.volume != volume);
    }
    Ok(())
}
