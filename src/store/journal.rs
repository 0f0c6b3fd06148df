//! What we were about to do, and what came of it: one JSON line each, on disk before the call.
//!
//! A torn or unreadable line is passed over: the next look at the cloud tells what it would have told.

use super::{
    Home, StoreError,
    home::make_private,
    recall::{Closing, Entry, Opening, Recall},
};
use crate::model::{Facts, InstanceKey, Stamp};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// A journal longer than this is set aside at the start of a run, one generation kept.
const LONGEST: u64 = 1 << 16;

/// One instance's journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    dir: PathBuf,
    file: Option<File>,
    recall: Recall,
    length: u64,
    ends_mid_line: bool,
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
        let mut recall = Recall::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(entry) = serde_json::from_slice(line) {
                recall.read(&entry);
            }
        }
        let ends_mid_line = bytes.last().is_some_and(|byte| *byte != b'\n');
        Ok(Self { path, dir, file: None, recall, length: bytes.len() as u64, ends_mid_line })
    }

    /// Begins a run, whose lock is held: a long journal with nothing open is set aside.
    pub fn begin(&mut self) {
        if self.length > LONGEST && self.recall.is_settled() {
            // Only history goes, and a failure here only means a longer file.
            let _ = fs::rename(&self.path, self.path.with_extension("jsonl.old"));
            (self.length, self.ends_mid_line) = (0, false);
        }
    }

    /// What the journal adds to a look: calls whose outcome is unknown.
    pub fn facts(&self) -> Facts {
        self.recall.facts()
    }

    /// Puts intents on disk, before their calls. `cloud` is the vendor's clock.
    ///
    /// # Errors
    /// Where they could not be made durable: then the calls must not be made.
    pub fn intend(&mut self, intents: &[Opening], cloud: Stamp) -> Result<(), StoreError> {
        let entries: Vec<_> = intents.iter().map(|it| Entry::intent(it, cloud)).collect();
        self.append(entries, true)?;
        self.recall.intend(intents, cloud);
        Ok(())
    }

    /// Puts receipts on disk, after their calls.
    ///
    /// # Errors
    /// Where they could not be written. The cloud still tells what happened.
    pub fn settle(&mut self, receipts: &[Closing]) -> Result<(), StoreError> {
        self.recall.settle(receipts);
        self.append(receipts.iter().map(Entry::receipt).collect(), true)
    }

    /// Notes how a run ended, where it did anything.
    ///
    /// # Errors
    /// Where it could not be written.
    pub fn end(&mut self, how: &str) -> Result<(), StoreError> {
        self.append(vec![Entry::end(how)], false)
    }

    fn append(&mut self, entries: Vec<Entry>, durable: bool) -> Result<(), StoreError> {
        let mut text = String::new();
        if std::mem::take(&mut self.ends_mid_line) {
            text.push('\n');
        }
        let at = jiff::Timestamp::now().to_string();
        for mut entry in entries {
            entry.at.clone_from(&at);
            let line = serde_json::to_string(&entry).map_err(|error| self.failure("write", error.into()))?;
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
