//! Floor 2: the few files of our own. Losing them costs time, never data: what exists is read from the cloud.

mod home;
mod journal;
mod lock;
mod recall;
mod stories;

pub use home::Home;
pub(crate) use home::make_private;
pub use journal::Journal;
pub use lock::{Lock, LockError};
pub use recall::{Closing, DONE, Entry, MADE, Opening, Recall, UNKNOWN};
pub use stories::{RunId, Stories, Telling, Told};

use std::path::PathBuf;

/// A file of our own could not be read or written. The message names it, and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}: {source}; {}", path.display(), remedy(source))]
pub struct StoreError {
    /// `read`, `write`, `create`.
    pub verb: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// What helps against an error of the system's.
fn remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "make room there, and use the same command again",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "let this user write there, or set CLOUDYPAD_HOME to a directory of its own"
        }
        _ => "move it out of the way, nothing is lost with it; then use the same command again",
    }
}
