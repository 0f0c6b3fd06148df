//! What happens by itself that only this API shows, and what follows from the core's own transitions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::details::{Dynamic, Stage};
use crate::emulator::objects::{ServerState, VolumeState};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;

/// How long a running guest takes to take up a new address.
const ADDRESS_SECONDS: u64 = 8;
/// How long after the start of a guest its API still says that the kernel boots.
const BOOTING_SECONDS: u64 = 60;

/// What may happen by itself; each names its object by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// What a server is doing has another name from now on, if it is still in this condition.
    Detail {
        /// The server.
        server: String,
        /// The condition it must be in.
        state: ServerState,
        /// The new words.
        detail: String,
    },
    /// A guest has an address now.
    AddressReady(String),
    /// A guest has its dynamic address now.
    DynamicReady(String),
    /// A server's dynamic address is given back.
    DynamicGone(String),
    /// The bond between a volume and its server is complete.
    Attached(String),
    /// The end of the bond between a volume and its server has begun.
    Detaching(String),
    /// The storage knows that a snapshot's image is gone.
    Released(String),
    /// An address knows that it has left its server.
    Left(String),
    /// The records of a zone are published.
    Published(String),
    /// A volume does as many operations as ordered.
    Tuned {
        /// The volume.
        volume: String,
        /// Operations per second.
        iops: u64,
    },
    /// A private NIC is connected.
    Connected(String),
    /// A snapshot is copied to the object storage.
    Exported(String),
    /// The rules of a security group have arrived everywhere.
    Synced(String),
}

/// Has something happen by itself, so many cloud seconds from now.
pub fn later(deed: &mut Deed, seconds: u64, change: Change) {
    deed.schedule(seconds, Effect::Scaleway(change));
}

/// Has the bond of a volume be complete, one volume after the other.
pub fn attach_later(deed: &mut Deed, place: u32, volume: &str) {
    deed.schedule_in(Duration::from_millis(500) * place, Effect::Scaleway(Change::Attached(volume.to_owned())));
}

/// How long it takes until something has been noticed everywhere.
const NOTICE: Duration = Duration::from_millis(400);

/// Has the end of a bond be noticed after a moment.
pub fn leave_later(deed: &mut Deed, volume: &str) {
    notice(deed, Change::Detaching(volume.to_owned()));
}

/// Has something be noticed after a moment.
pub fn notice(deed: &mut Deed, change: Change) {
    deed.schedule_in(NOTICE, Effect::Scaleway(change));
}

/// What this API shows of something that just happened in the core.
pub fn follow(deed: &mut Deed, effect: &Effect) {
    match effect {
        Effect::Started(id) => started(deed, id),
        Effect::Stopped(id) | Effect::TurnedAway(id) => settled(deed, id, ServerState::Stopped, ""),
        Effect::StoppedInPlace(id) => settled(deed, id, ServerState::StoppedInPlace, "stopped in place"),
        Effect::ServerGone(id) if !deed.truth.servers.contains_key(id) => forget(deed, id),
        Effect::VolumeDetached(id) if !deed.truth.volumes.contains_key(id) => {
            deed.truth.scaleway.volumes.remove(id);
        }
        Effect::VolumeDetached(id) => {
            if let Some(volume) = deed.truth.scaleway.volumes.get_mut(id)
                && deed.truth.volumes.get(id).is_some_and(|volume| volume.server.is_none())
            {
                volume.reference = None;
                volume.modified = deed.now;
            }
        }
        Effect::VolumeReady(id) => touch_volume(deed, id),
        Effect::VolumeResized { volume, .. } => {
            if let Some(details) = deed.truth.scaleway.volumes.get_mut(volume)
                && let Some(bytes) = details.growing_to.take()
            {
                details.bytes = bytes;
            }
            touch_volume(deed, volume);
        }
        Effect::SnapshotReady(id) => {
            if let Some(snapshot) = deed.truth.scaleway.snapshots.get_mut(id) {
                snapshot.held = false;
                snapshot.modified = deed.now;
            }
        }
        Effect::Scaleway(change) => happen(deed, change),
        _ => {}
    }
}

fn happen(deed: &mut Deed, change: &Change) {
    match change {
        Change::Detail { server, state, detail } => {
            if deed.truth.servers.get(server).is_some_and(|it| it.state == *state)
                && let Some(details) = deed.truth.scaleway.servers.get_mut(server)
            {
                details.detail.clone_from(detail);
                details.placed |= *state == ServerState::Starting;
            }
        }
        Change::AddressReady(id) => {
            if let Some(address) = deed.truth.scaleway.addresses.get_mut(id) {
                address.pending = false;
            }
        }
        Change::DynamicReady(server) => {
            let dynamic = deed.truth.scaleway.servers.get_mut(server).and_then(|it| it.dynamic.as_mut());
            if let Some(dynamic) = dynamic {
                dynamic.pending = false;
            }
        }
        Change::DynamicGone(server) => {
            if deed.truth.servers.get(server).is_some_and(|it| it.state != ServerState::Running)
                && let Some(details) = deed.truth.scaleway.servers.get_mut(server)
            {
                details.dynamic = None;
            }
        }
        Change::Attached(volume) => {
            let reference = deed.truth.scaleway.volumes.get_mut(volume).and_then(|it| it.reference.as_mut());
            if let Some(reference) = reference.filter(|it| it.stage != Stage::Detaching) {
                reference.stage = Stage::Attached;
            }
        }
        Change::Detaching(volume) => {
            let leaves = deed.truth.volumes.get(volume).is_some_and(|volume| volume.state == VolumeState::Detaching);
            let reference = deed.truth.scaleway.volumes.get_mut(volume).and_then(|it| it.reference.as_mut());
            if let Some(reference) = reference.filter(|_| leaves) {
                reference.stage = Stage::Detaching;
            }
        }
        Change::Released(snapshot) => {
            if let Some(snapshot) = deed.truth.scaleway.snapshots.get_mut(snapshot) {
                snapshot.released_by = None;
                snapshot.modified = deed.now;
            }
        }
        Change::Left(address) => {
            if let Some(address) = deed.truth.scaleway.addresses.get_mut(address) {
                address.leaving = None;
            }
        }
        Change::Published(_) => {} // The zone shows it by the time.
        Change::Tuned { volume, iops } => {
            if let Some(details) = deed.truth.scaleway.volumes.get_mut(volume) {
                details.iops = *iops;
            }
            if let Some(core) = deed.truth.volumes.get_mut(volume)
                && core.state == VolumeState::Resizing
            {
                core.state = if core.server.is_some() { VolumeState::InUse } else { VolumeState::Available };
            }
            touch_volume(deed, volume);
        }
        Change::Connected(id) => {
            if let Some(nic) = deed.truth.scaleway.private_nics.get_mut(id) {
                nic.syncing = false;
            }
        }
        Change::Exported(id) => {
            if let Some(snapshot) = deed.truth.scaleway.snapshots.get_mut(id) {
                snapshot.exporting = false;
                snapshot.modified = deed.now;
            }
        }
        Change::Synced(group) => {
            if let Some(group) = deed.truth.scaleway.groups.get_mut(group) {
                group.syncing = false;
                group.modified = deed.now;
            }
        }
    }
}

fn touch_volume(deed: &mut Deed, id: &str) {
    let now = deed.now;
    if let Some(volume) = deed.truth.scaleway.volumes.get_mut(id) {
        volume.modified = now;
    }
}

fn started(deed: &mut Deed, id: &str) {
    if deed.truth.servers.get(id).is_none_or(|server| server.state != ServerState::Running) {
        return;
    }
    let now = deed.now;
    if let Some(details) = deed.truth.scaleway.servers.get_mut(id) {
        details.detail = "booting kernel".to_owned();
        details.placed = true;
        details.modified = now;
    }
    give_dynamic(deed, id);
    let booted = Change::Detail { server: id.to_owned(), state: ServerState::Running, detail: "booted".to_owned() };
    later(deed, BOOTING_SECONDS, booted);
}

/// Gives a running server an address of its own, if it is to have one and has none.
pub fn give_dynamic(deed: &mut Deed, id: &str) {
    let Some(details) = deed.truth.scaleway.servers.get(id) else { return };
    if !details.dynamic_ip_required || details.dynamic.is_some() || details.public_ips.iter().any(|ip| is_v4(deed, ip)) {
        return;
    }
    // Without a free address it runs without one.
    let Ok(number) = deed.next_address() else { return };
    let dynamic = Dynamic { id: deed.mint("dynamic"), address: deed.truth.dotted(number), pending: true };
    if let Some(details) = deed.truth.scaleway.servers.get_mut(id) {
        details.dynamic = Some(dynamic);
    }
    later(deed, ADDRESS_SECONDS, Change::DynamicReady(id.to_owned()));
}

/// Whether an address is an IPv4 address.
fn is_v4(deed: &Deed, id: &str) -> bool {
    deed.truth.scaleway.addresses.get(id).is_some_and(|address| address.prefix.is_none())
}

fn settled(deed: &mut Deed, id: &str, state: ServerState, detail: &str) {
    let now = deed.now;
    if deed.truth.servers.get(id).is_some_and(|server| server.state == state)
        && let Some(details) = deed.truth.scaleway.servers.get_mut(id)
    {
        details.detail = detail.to_owned();
        details.modified = now;
        if state == ServerState::Stopped {
            details.placed = false;
            details.dynamic = None;
        }
    }
}

/// Forgets a server that is gone, and the volumes that went with it.
fn forget(deed: &mut Deed, id: &str) {
    let Some(details) = deed.truth.scaleway.servers.remove(id) else { return };
    deed.truth.scaleway.private_nics.retain(|_, nic| nic.server != id);
    for slot in details.slots.values() {
        if deed.truth.volumes.contains_key(&slot.volume) {
            leave_later(deed, &slot.volume);
        } else {
            deed.truth.scaleway.volumes.remove(&slot.volume);
        }
    }
    let addresses = deed.truth.addresses.iter().filter(|(_, address)| address.server.is_none());
    let free: Vec<String> = addresses.map(|(id, _)| id.clone()).collect();
    for address in free {
        if let Some(details) = deed.truth.scaleway.addresses.get_mut(&address) {
            details.pending = false;
        }
    }
}

/// Has a running guest take up an address.
pub fn take_up_address(deed: &mut Deed, id: &str) {
    if let Some(address) = deed.truth.scaleway.addresses.get_mut(id) {
        address.pending = true;
    }
    later(deed, ADDRESS_SECONDS, Change::AddressReady(id.to_owned()));
}
