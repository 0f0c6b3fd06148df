//! Floor 2: the few files of our own. Losing them costs time, never data: what exists is read from the cloud.

mod home;
mod journal;
mod lock;

pub use home::Home;
pub use journal::{Closing, DONE, Journal, MADE, Opening, UNKNOWN};
pub use lock::{Lock, LockError};

use std::path::PathBuf;

/// A file of our own could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}: {source}", path.display())]
pub struct StoreError {
    /// `read`, `write`, `create`.
    pub verb: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}
