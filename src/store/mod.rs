//! Floor 2: the few files of our own. Losing them costs time, never data: what exists is read from the cloud.

mod home;
mod journal;
mod lock;
mod recall;

pub use home::Home;
pub use journal::Journal;
pub use lock::{Lock, LockError};
pub use recall::{Closing, DONE, Entry, MADE, Opening, Recall, UNKNOWN};

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
