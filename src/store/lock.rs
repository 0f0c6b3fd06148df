//! One run per instance on this machine. The system releases the lock when its holder dies.

use super::{
    Home, StoreError,
    home::{close_to_others, make_private},
};
use crate::model::InstanceKey;
use rustix::fs::OFlags;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
};

/// No process id is longer, in bytes.
const LONGEST_HOLDER: u64 = 32;

/// The right to change one instance, until dropped or dead.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another cloudypad{} is working on {instance}; wait until it has ended, then go on with the same command", holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// The instance.
        instance: String,
        /// The holder's process id, where it is known.
        holder: Option<u32>,
    },
    /// The lock file could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lock {
    /// Takes the instance's lock, at once or not at all.
    ///
    /// # Errors
    /// [`LockError::Held`] where another process has it.
    pub fn take(home: &Home, key: &InstanceKey) -> Result<Self, LockError> {
        let dir = home.locks();
        make_private(&dir)?;
        let path = dir.join(format!("{}.lock", key.dotted()));
        let fail = |verb| {
            let path = path.clone();
            move |source| StoreError { verb, path, source }
        };
        // Its holder writes into it: what a link leads to is not ours to write to.
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path);
        let mut file = opened.map_err(fail("create"))?;
        close_to_others(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = file.take(LONGEST_HOLDER).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held { instance: key.to_string(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(fail("lock")(source).into()),
        }
        let note = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        note.map_err(fail("write"))?;
        Ok(Self { _file: file })
    }

    /// The process that took the instance's lock last, where it is still there. A look that disturbs nobody, and a hint:
    /// it may have let go of the lock since.
    pub fn holder(home: &Home, key: &InstanceKey) -> Option<u32> {
        let path = home.locks().join(format!("{}.lock", key.dotted()));
        // Whatever lies in its place is not waited for.
        let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path).ok()?;
        let mut text = String::new();
        file.take(LONGEST_HOLDER).read_to_string(&mut text).ok()?;
        let holder: u32 = text.trim().parse().ok()?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(holder).ok()?)?;
        // Somebody else's process is one as well.
        let there = !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH));
        there.then_some(holder)
    }
}
