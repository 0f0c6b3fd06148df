//! Two people apply one instance, each with the real binary, files and a journal of his own: neither knows of the other
//! but by what the cloud shows.
//!
//! - `rule`: who yields, on the planner;
//! - `ground`: one cloud, two people, and how their commands are made to overlap;
//! - `equal`: both wish the same: one object of each kind in the end, and nothing lost;
//! - `conflicts`: they wish different things: one of them gets his wish, and the other is told;
//! - `kept`: a spec that was applied before and is only kept does not fight one that is applied now;
//! - `clocks`: their clocks are five minutes apart, and nothing comes of it.

mod clocks;
mod conflicts;
mod equal;
mod ground;
mod kept;
mod rule;

/// The seed of a test, printed by whoever fails.
fn seed() -> u64 {
    std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(11)
}

/// How many rounds on each ground: `CLOUDYPAD_ROUNDS`, else few.
fn rounds(few: u64) -> u64 {
    std::env::var("CLOUDYPAD_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(few)
}
