//! The disk under the journal. Whatever becomes of it, there is a clear error or a slower run, never a wrong action: judged
//! by what is true in the cloud, once the disk is good again.
//!
//! - `full`: no room, from the first byte on or after any number of them; a directory that cannot be written;
//! - `torn`: a journal cut at every byte, and damaged in every way we could think of, between any two wishes;
//! - `instead`: a directory, a pipe, a link or a device in the place of a file of ours.

mod full;
mod instead;
mod torn;
