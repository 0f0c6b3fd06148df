//! Floor 2, mirrors: plans, tables and events as text, and as versioned JSON.

mod events;
mod json;
mod plans;
mod screen;
mod story;
mod table;

pub use events::{Lines, Live};
pub use json::{JSON_VERSION, event_json, plan_json};
pub use plans::{PlanView, plan_text, summary};
pub use screen::{Screen, plain, span};
pub use story::story;
pub use table::table;

use crate::model::{Power, ServerState, World};

/// Where an instance stands, in one word or two.
pub fn standing(world: &World) -> String {
    match world.servers.items().first() {
        Some(server) => match server.power {
            Power::Off => "stopped".to_owned(),
            _ => server.power.to_string(),
        },
        None if world.volumes.items().is_empty() && world.snapshots.items().is_empty() && world.images.items().is_empty() => {
            "nothing".to_owned()
        }
        None => "archived".to_owned(),
    }
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
