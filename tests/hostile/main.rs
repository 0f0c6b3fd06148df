//! What the world may hold against us, and that nothing comes of it. In reading order:
//!
//! - `stage`: a workshop with a cloud of any kind, and the judge of what is true in it;
//! - `disk`: the disk under the journal is full, read-only, torn, corrupted or somebody's joke;
//! - `between`: a man in the middle, who bends what a cloud answers; `terminal`: nothing of it reaches a terminal raw;
//! - `secrets`: redirects, broken TLS and servers that repeat what they are told do not get the key shown or sent on;
//! - `private`: files of ours are nobody else's;
//! - `targets`: functions of any bytes whatever, which keep what they promise; `fuzz` feeds them a bounded number of
//!   bytes, and the coverage-guided engine in `tests/fuzz` as many as there is time for.

mod between;
mod disk;
#[path = "../figures.rs"]
mod figures;
mod fuzz;
mod private;
mod secrets;
mod stage;
#[path = "../it/support/mod.rs"]
#[allow(dead_code)] // shared with other tests
mod support;
mod targets;
mod terminal;
