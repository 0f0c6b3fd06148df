//! The product, told by its tests. In reading order:
//!
//! - `plans`: golden plans, one `.case` file per story, in `tests/plans/`;
//! - `turns`: single turns: what is written and waited for, and what a run's memory adds, in `tests/turns/`;
//! - `imagined`: the world that a forecast walks through;
//! - `lifecycle`: the reference lifecycle as a transcript, with the real binary on the local cloud;
//! - `bytes`, `crashes`, `strangers`: no byte is lost, whatever is killed and whoever interferes;
//! - `matrix`: killed at every point of every call;
//! - `reading`: what a bad spec is told;
//! - `holds`: every hold, its remedy, and that the remedy works;
//! - `properties`: the planner over random worlds; `audit`: the second opinion can object;
//! - `command_line`: exit codes, names, pipes, `set`, `get`;
//! - `scaleway`: Scaleway end to end, against an emulator of its API;
//! - `linode`: Linode end to end, against an emulator of its API;
//! - `two`: two people at once, with equal specs and with conflicting ones;
//! - `vendors`: what any vendor's hands must stand: weather, crowds, haste;
//! - `git`: a branch of a Git repository as the source of specs;
//! - `openapi`: requests against what Linode says of its own API;
//! - `inside`: what is run in a machine: recipes, what runs at every start, `cloudypad ssh`;
//! - `ready`: a machine is ready when somebody can play, not when it runs;
//! - `pair`: Moonlight's PIN goes to Sunshine, through SSH;
//! - `secrets`: no secret is where it does not belong, end to end;
//! - `witnesses`: proofs, given where their ground is seen;
//! - `house`: floors, schema, examples, laws table.

mod audit;
mod bytes;
mod command_line;
mod crashes;
#[path = "../figures.rs"]
mod figures;
mod git;
mod holds;
mod house;
mod idle;
mod imagined;
mod inside;
mod lifecycle;
mod linode;
mod matrix;
mod openapi;
mod pair;
mod plans;
mod properties;
mod reading;
mod ready;
mod scaleway;
mod secrets;
mod strangers;
mod support;
mod turns;
mod two;
mod vendors;
mod watch;
mod witnesses;
