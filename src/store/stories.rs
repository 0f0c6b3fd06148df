//! What runs told, kept: one JSON object a line, one file an instance, for people who look back. Nothing is decided by it.
//!
//! A line is whatever an event is to tools, with `at` and `run` beside; lines of two runs may stand in any order. A line
//! that is torn, or no JSON, is passed over.

use super::{
    Home, StoreError,
    home::{close_to_others, make_private},
    journal::read_end,
};
use crate::model::{InstanceKey, digest};
use serde_json::Value;
use std::{
    fmt, fs,
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

/// So many runs of an instance are kept.
const MOST_RUNS: usize = 50;
/// So much of an instance's runs is kept, in bytes, when another begins; with what that one may tell it stays below 1 MiB.
const MOST_BYTES: usize = 768 << 10;
/// So much one run may tell, in bytes, before what it tells is only counted.
const MOST_OF_A_RUN: usize = 192 << 10;
/// The longest line that is kept, in bytes.
const LONGEST_LINE: usize = 32 << 10;

/// Which run: 13 letters and digits that sort by time and are no other run's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// A new one.
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let now = jiff::Timestamp::now();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Two processes that begin within a millisecond differ by their number, and by the nanosecond.
        let chance = digest(&format!("{} {} {number}", now.as_nanosecond(), std::process::id()));
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self(format!("{}{}", digits(milliseconds, 9), digits(chance ^ (chance >> 32), 4)))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The last `count` digits of a number, five bits each, without letters that look like others.
fn digits(number: u64, count: u32) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..count).rev().map(|it| char::from(DIGITS[((number >> (5 * it)) & 31) as usize])).collect()
}

/// What is kept of one run: its lines, in the order of their writing.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which run.
    pub run: String,
    /// What it told.
    pub lines: Vec<Value>,
}

/// The runs of one instance.
#[derive(Debug, Clone)]
pub struct Stories {
    dir: PathBuf,
    path: PathBuf,
}

impl Stories {
    /// Those of an instance; makes no file.
    pub fn of(home: &Home, key: &InstanceKey) -> Self {
        let dir = home.stories();
        Self { path: dir.join(format!("{}.jsonl", key.dotted())), dir }
    }

    /// Every instance that anything is kept of, in order.
    ///
    /// # Errors
    /// Where their directory is there and cannot be read.
    pub fn all(home: &Home) -> Result<Vec<InstanceKey>, StoreError> {
        let dir = home.stories();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError { verb: "read", path: dir, source }),
        };
        let names = entries.flatten().filter_map(|it| it.file_name().into_string().ok());
        let key = |name: String| {
            let (namespace, name) = name.strip_suffix(".jsonl")?.split_once('.')?;
            Some(InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() })
        };
        let mut keys: Vec<_> = names.filter_map(key).collect();
        keys.sort();
        Ok(keys)
    }

    /// The runs that are kept, oldest first.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn read(&self) -> Result<Vec<Told>, StoreError> {
        let mut runs: Vec<Told> = Vec::new();
        for (run, value, _) in self.lines()? {
            match runs.iter_mut().rev().find(|it| it.run == run) {
                Some(told) => told.lines.push(value),
                None => runs.push(Told { run, lines: vec![value] }),
            }
        }
        runs.sort_by(|one, other| one.run.cmp(&other.run));
        Ok(runs)
    }

    /// Each line that can be read, with its run and its length.
    fn lines(&self) -> Result<Vec<(String, Value, String)>, StoreError> {
        let bytes = match read_end(&self.path) {
            Ok((bytes, _)) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failure("read", source)),
        };
        let line = |line: &[u8]| {
            let text = std::str::from_utf8(line).ok()?;
            let value: Value = serde_json::from_str(text).ok()?;
            Some((value.get("run")?.as_str()?.to_owned(), value, text.to_owned()))
        };
        Ok(bytes.split(|it| *it == b'\n').filter_map(line).collect())
    }

    /// Makes room for one more run: the oldest ones go.
    fn make_room(&self) -> Result<(), StoreError> {
        let lines = self.lines()?;
        let mut runs: Vec<&str> = lines.iter().map(|it| it.0.as_str()).collect();
        runs.sort_unstable();
        runs.dedup();
        let (mut kept, mut bytes) = (Vec::new(), 0);
        for run in runs.iter().rev().take(MOST_RUNS - 1) {
            bytes += lines.iter().filter(|it| it.0 == *run).map(|it| it.2.len() + 1).sum::<usize>();
            if bytes > MOST_BYTES {
                break;
            }
            kept.push(*run);
        }
        // Whatever is no line of a run counts as well.
        let length = fs::metadata(&self.path).map_or(0, |it| it.len());
        if kept.len() == runs.len() && length <= MOST_BYTES as u64 {
            return Ok(());
        }
        let rest = lines.iter().filter(|it| kept.contains(&it.0.as_str())).map(|it| format!("{}\n", it.2)).collect::<String>();
        let aside = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let _ = fs::remove_file(&aside);
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
        let written = made.and_then(|mut file| file.write_all(rest.as_bytes())).and_then(|()| fs::rename(&aside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&aside);
        }
        written.map_err(|source| self.failure("write", source))
    }

    fn append(&self, text: &str) -> Result<(), StoreError> {
        let opened = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        let mut file = opened.map_err(|source| self.failure("create", source))?;
        file.write_all(text.as_bytes()).map_err(|source| self.failure("write", source))
    }

    fn failure(&self, verb: &'static str, source: io::Error) -> StoreError {
        StoreError { verb, path: self.path.clone(), source }
    }
}

/// One run's lines, on their way to the file.
#[derive(Debug)]
pub struct Telling {
    stories: Stories,
    run: RunId,
    begun: bool,
    bytes: usize,
    left_out: u64,
}

impl Telling {
    /// A new run of an instance; writes nothing yet.
    pub fn begin(stories: Stories) -> Self {
        Self { stories, run: RunId::new(), begun: false, bytes: 0, left_out: 0 }
    }

    /// Which run it is.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Writes lines. Where the run has told very much, only those of `last` are: they are how it ended.
    ///
    /// # Errors
    /// Where they could not be written.
    pub fn write(&mut self, lines: &[Value], last: bool) -> Result<(), StoreError> {
        if !self.begun {
            make_private(&self.stories.dir)?;
            self.stories.make_room()?;
        }
        // Whatever was torn before ends here.
        let mut text = if self.begun { String::new() } else { "\n".to_owned() };
        for line in lines {
            let line = line.to_string();
            if !last && (line.len() > LONGEST_LINE || self.bytes + line.len() > MOST_OF_A_RUN) {
                self.left_out += 1;
                continue;
            }
            if last && self.left_out > 0 {
                let note = serde_json::json!({"run": self.run.as_str(), "type": "leftOut", "lines": std::mem::take(&mut self.left_out)});
                text.push_str(&format!("{note}\n"));
            }
            self.bytes += line.len() + 1;
            text.push_str(&line);
            text.push('\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        // A full disk leaves half a line: then the next one begins as the first did.
        let first = !std::mem::replace(&mut self.begun, false);
        self.stories.append(&text)?;
        self.begun = true;
        if first {
            close_to_others(&self.stories.path);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Room(PathBuf);

    impl Drop for Room {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn room(name: &str) -> (Room, Stories) {
        let dir = std::env::temp_dir().join(format!("cloudypad-stories-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let key = InstanceKey { namespace: "default".to_owned(), name: "mypad".to_owned() };
        let stories = Stories::of(&Home::at(&dir), &key);
        (Room(dir), stories)
    }

    fn tell(stories: &Stories, lines: usize, words: usize) -> RunId {
        let mut telling = Telling::begin(stories.clone());
        let run = telling.run().clone();
        for number in 0..lines {
            let line = json!({"run": run.as_str(), "type": "said", "number": number, "text": "x".repeat(words)});
            telling.write(&[line], false).unwrap();
        }
        telling.write(&[json!({"run": run.as_str(), "type": "ended"})], true).unwrap();
        run
    }

    #[test]
    fn ids_are_short_sort_by_time_and_are_each_one_of_its_kind() {
        let ids: Vec<RunId> = (0..2_000).map(|_| RunId::new()).collect();
        assert!(ids.iter().all(|it| it.as_str().len() == 13));
        assert!(ids.windows(2).all(|it| it[0].as_str()[..9] <= it[1].as_str()[..9]), "the time comes first");
        let mut distinct = ids.clone();
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 1_990, "{} of {}", distinct.len(), ids.len());
        assert!(digits(31, 2) > digits(30, 2) && digits(32, 2) > digits(31, 2));
    }

    /// The last fifty runs, and less than a mebibyte, whatever is told.
    #[test]
    fn the_latest_runs_are_kept_and_the_file_stays_small() {
        let (_room, stories) = room("small");
        let runs: Vec<RunId> = (0..60).map(|_| tell(&stories, 2, 10)).collect();
        let mut kept: Vec<String> = stories.read().unwrap().into_iter().map(|it| it.run).collect();
        assert_eq!(kept.len(), MOST_RUNS);
        kept.sort();
        let mut last: Vec<String> = runs[10..].iter().map(ToString::to_string).collect();
        last.sort();
        // Those of one millisecond are in no order.
        assert!(kept.iter().filter(|it| last.contains(it)).count() >= MOST_RUNS - 5);
        let talkative = (0..8).map(|_| tell(&stories, 600, 1_000)).next_back().unwrap();
        let length = fs::metadata(&stories.path).unwrap().len();
        assert!(length < 1 << 20, "{length} bytes");
        let told = stories.read().unwrap().into_iter().find(|it| it.run == talkative.as_str()).unwrap();
        assert_eq!(told.lines.last().unwrap()["type"], "ended");
        let left_out = told.lines.iter().find(|it| it["type"] == "leftOut").unwrap()["lines"].as_u64().unwrap();
        assert_eq!(told.lines.len() as u64 + left_out, 602, "nothing is left out without a word");
    }

    #[test]
    fn what_is_torn_is_passed_over_and_the_next_line_stands_alone() {
        let (_room, stories) = room("torn");
        let whole = tell(&stories, 1, 1);
        stories.append("{\"run\":\"torn\",\"type\":\"star").unwrap();
        let next = tell(&stories, 1, 1);
        let runs: Vec<(String, usize)> = stories.read().unwrap().into_iter().map(|it| (it.run, it.lines.len())).collect();
        let mut expected = vec![(whole.to_string(), 2), (next.to_string(), 2)];
        expected.sort();
        assert_eq!(runs, expected);
    }
}
