//! cloudypad keeps cloud gaming machines in the state their owner wrote down.
//!
//! A reconciler has three tenses: what should be ([`model::Spec`], read by [`read`]), what is
//! ([`model::World`], looked at by a [`provider`]), and what we did ([`model::Facts`], kept by
//! [`store`]). One pure function, [`plan::plan`], reads all three and names what may be done next, and
//! why; [`run`] does it, turn by turn, and [`report`] shows it, [`watch`] to a browser. [`cli`] is the door. [`emulator`] is a
//! cloud in a box, which imports nothing of the rest.
//!
//! Modules in reading order: `model`, `plan`, `read`, `provider`, `machine`, `store`, `source`, `herald`, `run`, `report`,
//! `watch`, `cli`.

#![forbid(unsafe_code)]

// Floors 0 and 1 are pure: `.ci/clippy.toml` lists what they may not touch.
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod model;
#[deny(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod plan;

pub mod read;

pub mod herald;
pub mod machine;
pub mod provider;
pub mod source;
pub mod store;

pub mod report;
pub mod run;

pub mod watch;

pub mod cli;

pub mod emulator;
