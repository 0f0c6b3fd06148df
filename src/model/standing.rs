//! Where an instance stands, and where it is wanted, in a word or two for people and tools.

use super::{Power, Seen, ServerState, World};

/// Where an instance stands.
pub fn standing(world: &World) -> String {
    if is_unclear(world) {
        return "unknown".to_owned();
    }
    match world.servers.items().first() {
        Some(server) => match server.power {
            Power::Off => "stopped".to_owned(),
            _ => server.power.to_string(),
        },
        None if has_bytes(world) => "archived".to_owned(),
        None if has_parts(world) => "incomplete".to_owned(),
        None => "nothing".to_owned(),
    }
}

/// Whether a part of the look failed.
fn is_unclear(world: &World) -> bool {
    fn unknown<T>(listing: &Seen<T>) -> bool {
        matches!(listing, Seen::Unknown(_))
    }
    unknown(&world.servers)
        || unknown(&world.volumes)
        || unknown(&world.snapshots)
        || unknown(&world.images)
        || unknown(&world.addresses)
        || unknown(&world.firewalls)
        || unknown(&world.elsewhere)
}

/// Whether there is something that the owner may have written to, or a copy of it.
fn has_bytes(world: &World) -> bool {
    let used = world.volumes.items().iter().any(|it| it.was_used());
    used || !world.snapshots.items().is_empty() || !world.images.items().is_empty()
}

/// Whether there is something that a deployment begins with.
fn has_parts(world: &World) -> bool {
    !world.volumes.items().is_empty() || !world.addresses.items().is_empty() || !world.firewalls.items().is_empty()
}

/// The wish, in the same words as [`standing`].
pub fn wished(state: ServerState, deletion: bool) -> &'static str {
    match (deletion, state) {
        (true, _) => "deleted",
        (false, ServerState::Present) => "running",
        (false, ServerState::Stopped) => "stopped",
        (false, ServerState::Absent) => "archived",
    }
}
