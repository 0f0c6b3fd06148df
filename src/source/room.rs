//! The files of one source in our own directory: its mirror, what was carried out last, and checkouts.

use super::{Place, Trouble, checkout::Pin};
use crate::store::{Home, StoreError, make_private};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Between two tries for the lock, which nothing tells of.
const KNOCK: Duration = Duration::from_millis(20);

/// Makes each checkout's directory another.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What was carried out last. With it lost, a rewritten branch is not noticed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    /// The commit's full name.
    pub commit: String,
    /// What it approves.
    #[serde(default)]
    pub approvals: BTreeSet<String>,
    /// For whoever looks into the file.
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub branch: String,
    #[serde(default)]
    pub path: String,
}

/// The directory of one source.
#[derive(Debug)]
pub(super) struct Room(PathBuf);

impl Room {
    pub fn of(home: &Home, place: &Place) -> Self {
        Self(home.sources().join(place.owner()))
    }

    pub fn mirror(&self) -> PathBuf {
        self.0.join("mirror.git")
    }

    /// Where another mirror is made before it takes the place of a broken one.
    pub fn aside(&self) -> PathBuf {
        self.0.join("mirror.new.git")
    }

    /// The right to write here, which one process has at a time. It is waited for.
    pub async fn lock(&self, until: Instant, patience: Duration, stops: &(dyn Fn() -> bool + Sync)) -> Result<File, Trouble> {
        make_private(&self.0)?;
        let path = self.0.join("lock");
        let file = open(&path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if stops() => return Err(Trouble::Stopped),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(Trouble::TimedOut { what: "another process with the same repository", after: patience });
                }
                Err(TryLockError::WouldBlock) => sleep(KNOCK).await,
                Err(TryLockError::Error(source)) => return Err(StoreError { verb: "lock", path, source }.into()),
            }
        }
    }

    pub fn known(&self) -> Option<Known> {
        serde_json::from_slice(&fs::read(self.0.join("known.json")).ok()?).ok().filter(|it: &Known| is_commit(&it.commit))
    }

    pub fn keep(&self, known: &Known) -> Result<(), Trouble> {
        let text = serde_json::to_vec_pretty(known).unwrap_or_default();
        Ok(write_whole(&self.0.join("known.json"), &text)?)
    }

    /// The beginning of the name of a rewritten commit that the owner approved.
    pub fn accepted(&self) -> Option<String> {
        fs::read_to_string(self.0.join("accepted")).ok().map(|it| it.trim().to_owned()).filter(|it| is_beginning(it))
    }

    pub fn accept(&self, commit: &str) -> Result<(), Trouble> {
        make_private(&self.0)?;
        Ok(write_whole(&self.0.join("accepted"), commit.as_bytes())?)
    }

    pub fn forget_accepted(&self) {
        // Left behind it approves what was approved.
        let _ = fs::remove_file(self.0.join("accepted"));
    }

    /// An empty directory for a checkout. To be asked for with the lock held.
    pub fn pin(&self, commit: &str) -> Result<Pin, Trouble> {
        let above = self.0.join("checkouts");
        make_private(&above)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}", &commit[..commit.len().min(12)], std::process::id());
        let (root, lock) = (above.join(&name), above.join(format!("{name}.lock")));
        let file = open(&lock)?;
        file.try_lock().map_err(|error| StoreError { verb: "lock", path: lock.clone(), source: error.into() })?;
        make_private(&root)?;
        Ok(Pin { root, lock, _file: file })
    }

    /// Removes checkouts of processes that are gone. To be asked for with the lock held.
    pub fn sweep(&self) {
        for entry in fs::read_dir(self.0.join("checkouts")).into_iter().flatten().flatten() {
            let path = entry.path();
            let lock = if path.extension().is_some_and(|it| it == "lock") { path.clone() } else { path.with_extension("lock") };
            if open(&lock).is_ok_and(|it| it.try_lock().is_ok()) {
                // Left over, it is tried again.
                let _ = fs::remove_dir_all(path.with_extension(""));
                let _ = fs::remove_file(&lock);
            }
        }
    }
}

/// Whether a text is a commit's full name.
pub(super) fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && is_beginning(text)
}

/// Whether a text is long enough to name a commit.
pub(super) fn is_beginning(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

fn open(path: &Path) -> Result<File, StoreError> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(nofollow).open(path);
    opened.map_err(|source| StoreError { verb: "create", path: path.to_owned(), source })
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let aside = path.with_extension(format!("{}.tmp", std::process::id()));
    let _ = fs::remove_file(&aside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.map_err(|source| StoreError { verb: "write", path: path.to_owned(), source })
}
