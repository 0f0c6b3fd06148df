//! Floor 3, the heartbeat: observe, plan, audit, intend, perform, settle; again, until nothing is left.

mod pace;
mod turn;

pub use turn::{Run, Trouble, converge, look};
