//! What we were about to do, and what came of it: one JSON line each, on disk before the call.
//!
//! A torn or unreadable line is passed over: the next look at the cloud tells what it would have told.

use super::{Home, StoreError, home::make_private};
use crate::model::{Facts, InstanceKey, Stamp, is_create_key, stopped_server};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// The format's version, in every line.
const VERSION: u32 = 1;
/// A journal longer than this is set aside at the start of a run, one generation kept.
const LONGEST: u64 = 1 << 16;

/// The outcome of a call whose answer was lost.
pub const UNKNOWN: &str = "unknown";
/// The outcome of a call that was answered well.
pub const MADE: &str = "done";
/// How the end of a run that reached its spec begins.
pub const DONE: &str = "Done";

/// One instance's journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    dir: PathBuf,
    file: Option<File>,
    open: BTreeMap<String, Stamp>,
    stopped: BTreeMap<String, Stamp>,
    length: u64,
    ends_mid_line: bool,
}

/// An intent: a call about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The step's key.
    pub key: String,
    /// The step, for people.
    pub line: String,
}

/// A receipt: what came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The step's key.
    pub key: String,
    /// `done`, `not done`, `refused`, or `unknown`.
    pub outcome: &'static str,
    /// The object's id, or the cloud's answer.
    pub detail: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    v: u32,
    /// Local wall clock, for people; nothing is decided by it.
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// The vendor's clock at the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cloud: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Journal {
    /// Reads what is there; makes no file.
    ///
    /// # Errors
    /// Where a journal is there and cannot be read. Damaged lines are no error.
    pub fn open(home: &Home, key: &InstanceKey) -> Result<Self, StoreError> {
        let dir = home.journals();
        let path = dir.join(format!("{}.jsonl", key.dotted()));
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError { verb: "read", path, source }),
        }
        let (mut open, mut stopped) = (BTreeMap::new(), BTreeMap::new());
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(entry) = serde_json::from_slice::<Entry>(line) else { continue };
            match (entry.intent, entry.receipt, entry.cloud) {
                (Some(key), _, Some(cloud)) if is_create_key(&key) => {
                    open.insert(key, cloud);
                }
                (Some(key), _, Some(cloud)) => {
                    if let Some(server) = stopped_server(&key) {
                        stopped.insert(server.to_owned(), cloud);
                    }
                }
                // What another run made a moment ago may be missing from a list: it stays open as well.
                (_, Some(key), _) if !matches!(entry.outcome.as_deref(), Some(UNKNOWN | MADE)) => {
                    open.remove(&key);
                }
                // A run that ended well waited for whatever was open.
                _ if entry.ended.is_some_and(|how| how.starts_with(DONE)) => open.clear(),
                _ => {}
            }
        }
        let ends_mid_line = bytes.last().is_some_and(|byte| *byte != b'\n');
        Ok(Self { path, dir, file: None, open, stopped, length: bytes.len() as u64, ends_mid_line })
    }

    /// Begins a run, whose lock is held: a long journal with nothing open is set aside.
    pub fn begin(&mut self) {
        if self.length > LONGEST && self.open.is_empty() {
            // Only history goes, and a failure here only means a longer file.
            let _ = fs::rename(&self.path, self.path.with_extension("jsonl.old"));
            (self.length, self.ends_mid_line) = (0, false);
        }
    }

    /// What the journal adds to a look: calls whose outcome is unknown.
    pub fn facts(&self) -> Facts {
        Facts { open: self.open.clone(), stopped: self.stopped.clone(), ..Facts::default() }
    }

    /// Puts intents on disk, before their calls. `cloud` is the vendor's clock.
    ///
    /// # Errors
    /// Where they could not be made durable: then the calls must not be made.
    pub fn intend(&mut self, intents: &[Opening], cloud: Stamp) -> Result<(), StoreError> {
        let entries =
            intents.iter().map(|it| Entry { intent: Some(it.key.clone()), cloud: Some(cloud), detail: Some(it.line.clone()), ..entry() });
        self.append(&entries.collect::<Vec<_>>(), true)?;
        self.open.extend(intents.iter().filter(|it| is_create_key(&it.key)).map(|it| (it.key.clone(), cloud)));
        self.stopped.extend(intents.iter().filter_map(|it| Some((stopped_server(&it.key)?.to_owned(), cloud))));
        Ok(())
    }

    /// Puts receipts on disk, after their calls.
    ///
    /// # Errors
    /// Where they could not be written. The cloud still tells what happened.
    pub fn settle(&mut self, receipts: &[Closing]) -> Result<(), StoreError> {
        for receipt in receipts.iter().filter(|it| it.outcome != UNKNOWN) {
            self.open.remove(&receipt.key);
        }
        let entries = receipts.iter().map(|it| Entry {
            receipt: Some(it.key.clone()),
            outcome: Some(it.outcome.to_owned()),
            detail: Some(it.detail.clone()),
            ..entry()
        });
        self.append(&entries.collect::<Vec<_>>(), true)
    }

    /// Notes how a run ended, where it did anything.
    ///
    /// # Errors
    /// Where it could not be written.
    pub fn end(&mut self, how: &str) -> Result<(), StoreError> {
        self.append(&[Entry { ended: Some(how.to_owned()), ..entry() }], false)
    }

    fn append(&mut self, entries: &[Entry], durable: bool) -> Result<(), StoreError> {
        let mut text = String::new();
        if std::mem::take(&mut self.ends_mid_line) {
            text.push('\n');
        }
        for entry in entries {
            let line = serde_json::to_string(entry).map_err(|error| self.failure("write", error.into()))?;
            text.push_str(&line);
            text.push('\n');
        }
        if self.file.is_none() {
            make_private(&self.dir)?;
            let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
            self.file = Some(opened.map_err(|source| self.failure("create", source))?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let before = file.seek(SeekFrom::End(0));
        let written = file.write_all(text.as_bytes()).and_then(|()| if durable { file.sync_data() } else { Ok(()) });
        if let Err(source) = written {
            // A full disk leaves half a line; take it back so that the next one stands alone.
            if let Ok(length) = before {
                self.ends_mid_line = file.set_len(length).is_err();
            }
            return Err(self.failure("write", source));
        }
        Ok(())
    }

    fn failure(&self, verb: &'static str, source: std::io::Error) -> StoreError {
        StoreError { verb, path: self.path.clone(), source }
    }
}

fn entry() -> Entry {
    let at = jiff::Timestamp::now().to_string();
    Entry { v: VERSION, at, intent: None, receipt: None, ended: None, cloud: None, outcome: None, detail: None }
}
