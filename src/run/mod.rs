//! Floor 3, the heartbeat: observe, plan, audit, intend, perform, settle; again, until nothing is left.

mod inside;
mod memory;
mod pace;
mod ready;
mod turn;

pub use inside::reach;
pub use memory::{Lesson, Memory, Refusal, in_both, is_to_be_confirmed, opening, receipt};
pub use ready::{Door, door};
pub use turn::{Run, Trouble, billed, converge, look};
