//! What we were about to do, and what came of it: one JSON line each, on disk before the call.
//!
//! A torn or unreadable line is passed over: the next look at the cloud tells what it would have told.

use super::{
    Home, StoreError,
    home::{close_to_others, make_private},
    recall::{Closing, Entry, Opening, Recall},
};
use crate::model::{Facts, InstanceKey, Stamp};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A journal longer than this is set aside at the start of a run, one generation kept.
const LONGEST: u64 = 1 << 16;
/// No more than this is read, from the end: whatever somebody put there, it neither fills the memory nor takes long.
const MOST_READ: u64 = 8 << 20;
/// No more than this of an answer is written, in characters.
const LONGEST_DETAIL: usize = 1000;

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
        let (bytes, length) = match read_end(&path) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::NotFound => (Vec::new(), 0),
            Err(source) => return Err(StoreError { verb: "read", path, source }),
        };
        let mut recall = Recall::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            // A line that is no text was damaged, even where its reader would skip the place.
            if let Some(entry) = std::str::from_utf8(line).ok().and_then(|it| serde_json::from_str(it).ok()) {
                recall.read(&entry);
            }
        }
        // What was too long to be read may end anywhere.
        let ends_mid_line = bytes.last().map_or(length > 0, |byte| *byte != b'\n');
        Ok(Self { path, dir, file: None, recall, length, ends_mid_line })
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
        let shortened = |it: &Closing| Closing { detail: it.detail.chars().take(LONGEST_DETAIL).collect(), ..it.clone() };
        self.append(receipts.iter().map(|it| Entry::receipt(&shortened(it))).collect(), true)
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
        if self.ends_mid_line {
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
            close_to_others(&self.path);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let before = file.seek(SeekFrom::End(0));
        let written = file.write_all(text.as_bytes()).and_then(|()| if durable { file.sync_data() } else { Ok(()) });
        if let Err(source) = written {
            // A full disk leaves half a line; take it back so that the next one stands alone.
            let taken_back = before.and_then(|length| file.set_len(length));
            self.ends_mid_line |= taken_back.is_err();
            return Err(self.failure("write", source));
        }
        self.ends_mid_line = false;
        Ok(())
    }

    fn failure(&self, verb: &'static str, source: std::io::Error) -> StoreError {
        StoreError { verb, path: self.path.clone(), source }
    }
}

/// The end of a file, from the start of a line on, and how long the whole of it is.
pub(super) fn read_end(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    // A pipe in its place would be waited for, and a device would never end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(MOST_READ);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(MOST_READ).read_to_end(&mut bytes)?;
    if skipped > 0 {
        let torn = bytes.iter().position(|it| *it == b'\n').unwrap_or(bytes.len());
        bytes.drain(..torn);
    }
    Ok((bytes, length))
}
