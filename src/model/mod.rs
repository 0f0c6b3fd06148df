//! Floor 0: nouns and proofs. No async, no I/O, no clock.

mod applied;
mod capability;
mod condition;
mod configuration;
mod event;
mod fact;
mod glyph;
mod hold;
mod id;
mod network;
mod outcome;
mod placement;
mod ready;
mod rest;
pub mod spec;
mod step;
mod tag;
mod witness;
mod world;

pub use applied::*;
pub use capability::{Capabilities, Capture, Durations, Pace};
pub use condition::{Condition, ConditionKind, Truth};
pub use event::*;
pub use fact::*;
pub use glyph::is_unseen;
pub use hold::*;
pub use id::{Id, InstanceKey, Stamp};
pub use network::*;
pub use outcome::*;
pub use ready::*;
pub use rest::{Idle, REST, Rest};
pub use spec::{Instance, OnStop, Placement, ServerState, Spec};
pub use step::*;
pub use tag::*;
pub use witness::*;
pub use world::*;
