//! The file behind the cloud: one lock, one JSON file that is replaced whole, and disk files. A cloud may do without, and
//! then lives as long as its process.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::Settings;
use super::clock::{Moment, Timepiece};
use super::disk::Disks;
use super::fault::FaultKind;
use super::market::Market;
use super::physics::Deed;
use super::refusal::{Refusal, RefusalKind};
use super::truth::{Truth, VERSION};

/// How many of the first bytes of the file tell one write of it from another.
const HEAD: u64 = 64;

/// How many truths are kept after they were replaced.
const KEPT_PAST: usize = 12;

/// One process's hold on a cloud directory, or a cloud in memory.
pub(super) struct Store {
    dir: Option<PathBuf>,
    pub(super) disks: Disks,
    cached: Cached,
    /// The latest time this process has seen.
    latest: Moment,
    /// What this process replaced, the latest last.
    past: VecDeque<Truth>,
}

/// The truth as this process last saw it, and the file it saw it in.
struct Cached {
    head: Head,
    truth: Truth,
}

/// What tells one write of the file from another: its first bytes hold the generation.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    inode: u64,
    length: u64,
    start: Vec<u8>,
}

/// The part of the file that is the same in every layout.
#[derive(Deserialize)]
struct Edition {
    version: u32,
}

impl Store {
    /// Opens a cloud directory, which is made if need be, and tidies it up.
    pub(super) fn open(dir: &Path, settings: &Settings, market: Market, seed: u64) -> Result<Store, Refusal> {
        let inner = dir.join("disks");
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&inner).map_err(|error| Refusal::storage("create", &inner, error))?;
        // The bytes of disks are nobody else's. Where a file system knows no owners, nothing can be done.
        if fs::metadata(&inner).is_ok_and(|it| it.mode() & 0o077 != 0) {
            let _ = fs::set_permissions(&inner, Permissions::from_mode(0o700));
        }
        let _lock = lock(dir)?;

        let disks = Disks::new(inner);
        let found = load(dir)?;
        let is_new = found.is_none();
        let cached = match found {
            Some(cached) => cached,
            None if disks.is_empty()? => {
                let truth = Truth::new(settings.imitate, market, seed, Timepiece::new(settings.clock));
                Cached { head: Head::default(), truth }
            }
            None => return Err(without_truth(dir)),
        };
        if cached.truth.imitate != settings.imitate {
            return Err(Refusal::invalid(format!(
                "the cloud in `{}` is of the kind {:?}, not {:?}: use another directory",
                dir.display(),
                cached.truth.imitate,
                settings.imitate,
            )));
        }

        if cached.truth.market != market {
            let (is, wanted) = (cached.truth.market, market);
            return Err(Refusal::invalid(format!(
                "the cloud in `{}` stands in for {is:?}, not {wanted:?}: use another directory",
                dir.display()
            )));
        }

        let latest = cached.truth.latest;
        let mut store = Store { dir: Some(dir.to_path_buf()), disks, cached, latest, past: VecDeque::new() };
        store.sweep()?;
        if is_new || !store.cached.truth.clock.follows(settings.clock) {
            let mut deed = store.begin();
            if !is_new {
                deed.truth.clock = Timepiece::starting_at(settings.clock, deed.now);
            }
            store.commit(deed)?;
        }
        Ok(store)
    }

    /// A cloud in memory that goes on from a truth.
    pub(super) fn in_memory(truth: Truth) -> Store {
        let (latest, cached) = (truth.latest, Cached { head: Head::default(), truth });
        Store { dir: None, disks: Disks::blank(), cached, latest, past: VecDeque::new() }
    }

    /// Clears away the disk files that the truth does not mention.
    fn sweep(&self) -> Result<(), Refusal> {
        let contents = &self.cached.truth.ledger.contents;
        let living: BTreeSet<&str> = contents.keys().map(String::as_str).collect();
        self.disks.sweep(&living)
    }

    /// Takes the lock, which the returned file holds until it is dropped, and reads what is new. In memory there is none:
    /// whoever is here is alone.
    pub(super) fn enter(&mut self) -> Result<Option<File>, Refusal> {
        let Some(dir) = &self.dir else { return Ok(None) };
        let lock = lock(dir)?;
        let path = truth_path(dir);
        let head = match read_head(&path) {
            Ok(head) => head,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(without_truth(dir));
            }
            Err(error) => return Err(Refusal::storage("read", &path, error)),
        };
        if head != self.cached.head {
            self.cached = load(dir)?.ok_or_else(|| without_truth(dir))?;
        }
        Ok(Some(lock))
    }

    /// Lets time pass where nothing but the clock would be written.
    pub(super) fn pass(&mut self, time: Duration) -> bool {
        if self.dir.is_none() {
            self.cached.truth.clock.advance(time);
        }
        self.dir.is_none()
    }

    /// What the cloud holds, as of the last `enter`.
    pub(super) fn truth(&self) -> &Truth {
        &self.cached.truth
    }

    /// What the cloud held before, as far as this process replaced it, the latest first.
    pub(super) fn past(&self) -> impl Iterator<Item = &Truth> {
        self.past.iter().rev()
    }

    /// The cloud time, which never goes back.
    pub(super) fn now(&mut self) -> Moment {
        let known = self.latest.max(self.cached.truth.latest);
        self.latest = self.cached.truth.clock.now().max(known);
        self.latest
    }

    /// Begins a change, with a clock that goes on if the wall clock was set back.
    pub(super) fn begin(&mut self) -> Deed {
        let now = self.now();
        let mut truth = self.cached.truth.clone();
        truth.clock = truth.clock.caught_up(now).unwrap_or(truth.clock);
        Deed::new(truth, self.disks.clone(), now)
    }

    /// Lets everything happen that is due.
    pub(super) fn settle(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        let truth = &self.cached.truth;
        let is_late = truth.clock.caught_up(now).is_some();
        if is_late || truth.transitions.iter().any(|transition| transition.due <= now) {
            let mut deed = self.begin();
            deed.settle();
            self.commit(deed)?;
        }
        Ok(())
    }

    /// Lets a call pass the gate of faults.
    pub(super) fn strike(&mut self, operation: &str, reading: bool) -> Result<Option<FaultKind>, Refusal> {
        if !self.cached.truth.faults.concern(operation, reading) {
            return Ok(None);
        }
        let mut deed = self.begin();
        let fault = deed.truth.faults.strike(operation, reading);
        self.commit(deed)?;
        Ok(fault)
    }

    /// Makes a change true: from the rename on it has happened. One that dooms disk files is on the medium before they go.
    pub(super) fn commit(&mut self, deed: Deed) -> Result<(), Refusal> {
        let mut truth = deed.truth;
        truth.generation += 1;
        truth.latest = truth.latest.max(deed.now);
        let head = match &self.dir {
            Some(dir) => write(dir, &truth, !deed.doomed.is_empty())?,
            None => Head::default(),
        };
        let replaced = std::mem::replace(&mut self.cached, Cached { head, truth });
        if self.past.len() == KEPT_PAST {
            self.past.pop_front();
        }
        self.past.push_back(replaced.truth);

        // If these fail, or we are killed here, nothing is wrong: a broken seal counts as one more
        // write, and a leftover file is put by at the next open.
        for file in &deed.unsealed {
            let _ = self.disks.seal(file);
        }
        for file in &deed.doomed {
            let _ = self.disks.remove(file);
        }
        Ok(())
    }

    /// Drops a change that was refused.
    pub(super) fn abandon(&self, deed: &Deed) {
        for file in &deed.made {
            let _ = self.disks.remove(file);
        }
    }
}

fn truth_path(dir: &Path) -> PathBuf {
    dir.join("cloud.json")
}

/// Waits for the lock of a directory; dropping the file gives it back.
fn lock(dir: &Path) -> Result<File, Refusal> {
    let path = dir.join("lock");
    let take = || -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        loop {
            match file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome.map(|()| file),
            }
        }
    };
    take().map_err(|error| Refusal::storage("lock", &path, error))
}

fn read_head(path: &Path) -> io::Result<Head> {
    let file = File::open(path)?;
    let data = file.metadata()?;
    let mut start = Vec::with_capacity(HEAD as usize);
    file.take(HEAD).read_to_end(&mut start)?;
    Ok(Head { inode: data.ino(), length: data.len(), start })
}

/// Reads the truth, if there is one.
fn load(dir: &Path) -> Result<Option<Cached>, Refusal> {
    let path = truth_path(dir);
    let head = match read_head(&path) {
        Ok(head) => head,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refusal::storage("read", &path, error)),
    };
    let text = fs::read(&path).map_err(|error| Refusal::storage("read", &path, error))?;
    let edition: Edition = serde_json::from_slice(&text).map_err(|error| corrupt(&path, &error))?;
    if edition.version != VERSION {
        return Err(Refusal::new(
            RefusalKind::Storage,
            format!(
                "`{}` has version {}, and this program knows version {VERSION}: \
                 use the program that wrote it, or another directory",
                path.display(),
                edition.version,
            ),
        ));
    }
    let truth = serde_json::from_slice(&text).map_err(|error| corrupt(&path, &error))?;
    Ok(Some(Cached { head, truth }))
}

/// Makes a truth the one in the file.
fn write(dir: &Path, truth: &Truth, durable: bool) -> Result<Head, Refusal> {
    let path = truth_path(dir);
    let aside = dir.join("cloud.json.tmp");
    let text = serde_json::to_vec(truth).map_err(|error| Refusal::storage("write", &path, error))?;
    let inode = replace(&aside, &path, &text, durable).map_err(|error| Refusal::storage("write", &path, error))?;
    let start = text.iter().copied().take(HEAD as usize).collect();
    Ok(Head { inode, length: text.len() as u64, start })
}

/// Writes a file aside and moves it into its place, if wanted not before it is on the medium; gives its inode.
fn replace(aside: &Path, path: &Path, text: &[u8], durable: bool) -> io::Result<u64> {
    // What a guest was given for its first boot is in it. One that somebody left there may be open to others.
    let _ = fs::remove_file(aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(aside)?;
    file.write_all(text)?;
    if durable {
        file.sync_data()?;
    }
    let inode = file.metadata()?.ino();
    fs::rename(aside, path)?;
    Ok(inode)
}

fn corrupt(path: &Path, error: &serde_json::Error) -> Refusal {
    Refusal::new(
        RefusalKind::Storage,
        format!(
            "`{}` is damaged ({error}): restore it from a backup, \
             or remove its directory to begin with an empty cloud",
            path.display(),
        ),
    )
}

fn without_truth(dir: &Path) -> Refusal {
    Refusal::new(
        RefusalKind::Storage,
        format!(
            "`{}` is missing although its cloud is not new: restore it from a backup, \
             or remove the directory to begin with an empty cloud",
            truth_path(dir).display(),
        ),
    )
}
