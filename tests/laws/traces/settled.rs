//! When a change that the abstract truth waits for has come to pass in the emulator.

use super::pairs::PRIVATE;
use crate::cloud::{Cloud, Pending};
use cloudypad::{
    emulator::{CopyState, ServerState, Truth, VolumeState},
    model::{Id, Power, VolumeStatus, World},
};

/// Whether a change that the abstract truth waits for has come to pass in the emulator, and, as far as a look shows it,
/// been noticed: a vendor knows of more that takes time.
pub fn has_settled(twin: &Cloud, pending: Pending, real: &str, truth: &Truth, world: &World) -> bool {
    match pending {
        Pending::Volume(at) if twin.volumes[at].growing.is_some() && twin.volumes[at].it.status == VolumeStatus::Detaching => {
            truth.volumes.get(real).is_none_or(|it| Some(it.size_gb) >= twin.volumes[at].growing)
        }
        Pending::Volume(at) if twin.volumes[at].plugs => world.volume(&Id::new(real)).is_none_or(|it| it.status != VolumeStatus::Busy),
        // That it is on its way is all there is to notice.
        Pending::Volume(at) if twin.volumes[at].it.status == VolumeStatus::InUse => {
            world.volume(&Id::new(real)).is_none_or(|it| it.status != VolumeStatus::InUse)
        }
        // When Linode is done with what it does shows in its queue of jobs alone.
        Pending::Server(at) if twin.is_linode() => {
            let (Some(server), Some(details)) = (truth.servers.get(real), truth.linode.linodes.get(real)) else { return true };
            let machine = &twin.servers[at];
            let job = details.jobs.first().map(|it| format!("{:?}", it.work)).unwrap_or_default();
            match machine.it.power {
                Power::Busy => job.is_empty() || job.starts_with("Boot"),
                Power::Off => server.state != ServerState::Stopped,
                Power::Starting => server.state == ServerState::Running,
                Power::Running => job.is_empty(),
                Power::Stopping => server.state == ServerState::Stopped,
                _ => false,
            }
        }
        _ => is_settled(pending, real, truth) && is_seen_settled(pending, real, world),
    }
}

/// Whether it has come to pass.
fn is_settled(pending: Pending, real: &str, truth: &Truth) -> bool {
    match pending {
        Pending::Server(_) => truth
            .servers
            .get(real)
            .is_none_or(|it| !matches!(it.state, ServerState::Starting | ServerState::Stopping | ServerState::Deleting)),
        Pending::Volume(_) => truth
            .volumes
            .get(real)
            .is_none_or(|it| !matches!(it.state, VolumeState::Creating | VolumeState::Detaching | VolumeState::Resizing)),
        Pending::Copy(_) => {
            let snapshot = truth.snapshots.get(real).map(|it| it.state);
            let image = truth.images.get(real.trim_start_matches(PRIVATE)).map(|it| it.state);
            snapshot.or(image).is_none_or(|it| it != CopyState::Creating)
        }
        Pending::Address(_) => true,
    }
}

/// Whether a look says so as well, as far as it shows it.
fn is_seen_settled(pending: Pending, real: &str, world: &World) -> bool {
    match pending {
        Pending::Server(_) => {
            let moving = |it: &Power| matches!(it, Power::Starting | Power::Stopping | Power::Deleting | Power::Busy);
            world.server(&Id::new(real)).is_none_or(|it| !moving(&it.power))
        }
        Pending::Volume(_) => {
            let moving = |it: &VolumeStatus| matches!(it, VolumeStatus::Creating | VolumeStatus::Detaching | VolumeStatus::Busy);
            world.volume(&Id::new(real)).is_none_or(|it| !moving(&it.status))
        }
        Pending::Copy(_) => true,
        Pending::Address(_) => world.addresses.items().iter().find(|it| it.id.as_str() == real).is_none_or(|it| it.server.is_none()),
    }
}
