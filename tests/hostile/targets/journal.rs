//! A journal of any bytes. It tells nothing but what its whole lines tell, and what is written after it is read again.

use cloudypad::{
    model::{InstanceKey, Stamp},
    store::{Closing, Home, Journal, Opening},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// A directory in memory, where there is one: journals are put on disk with every line.
static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Some(PathBuf::from("/dev/shm")).filter(|it| it.is_dir());
    let dir = memory.unwrap_or_else(std::env::temp_dir).join(format!("cloudypad-fuzz-{}", std::process::id()));
    fs::create_dir_all(dir.join("journal")).unwrap();
    dir
});

/// Removes what the target wrote.
pub fn tidy() {
    let _ = fs::remove_dir_all(HOME.as_path());
}

/// The intents of a journal's lines, as whoever reads JSON reads them.
fn intents(bytes: &[u8]) -> Vec<(String, i64)> {
    let lines = bytes.split(|it| *it == b'\n').filter_map(|it| serde_json::from_slice::<Value>(it).ok());
    lines.filter_map(|it| Some((it.get("intent")?.as_str()?.to_owned(), it.get("cloud")?.as_i64()?))).collect()
}

pub fn journal(bytes: &[u8]) {
    let key = InstanceKey { namespace: "default".to_owned(), name: "mypad".to_owned() };
    let home = Home::at(&HOME);
    let file: &Path = &HOME.join("journal/default.mypad.jsonl");
    fs::write(file, bytes).unwrap();
    let mut journal = Journal::open(&home, &key).unwrap();
    let (facts, told) = (journal.facts(), intents(bytes));
    for (open, stamp) in &facts.open {
        assert!(told.contains(&(open.clone(), stamp.0)), "{open} at {stamp:?} is in no whole line");
    }
    for (server, stamp) in &facts.stopped {
        let is_told = |(key, at): &(String, i64)| key.ends_with(server.as_str()) && *at == stamp.0;
        assert!(told.iter().any(is_told), "the stop of {server:?} at {stamp:?} is in no whole line");
    }
    let names_a_spec = |line: &[u8]| serde_json::from_slice::<Value>(line).is_ok_and(|it| it["spec"].is_string());
    assert!(facts.applied_here.is_none() || bytes.split(|it| *it == b'\n').any(names_a_spec), "a spec that is in no whole line");
    // A run may begin: a long journal is set aside then, and only one with nothing open.
    journal.begin();
    let line = Opening {
        key: "create-server".to_owned(),
        line: String::from_utf8_lossy(&bytes[..bytes.len().min(99)]).into_owned(),
        applied: None,
        found_off: false,
    };
    journal.intend(std::slice::from_ref(&line), Stamp(7)).unwrap();
    let again = Journal::open(&home, &key).unwrap().facts().open;
    let mut expected: BTreeMap<_, _> = facts.open.clone();
    expected.insert("create-server".to_owned(), Stamp(7));
    assert_eq!(again, expected, "what was written after it is read again");
    journal.settle(&[Closing { key: line.key, outcome: "refused", detail: line.line }]).unwrap();
    expected.remove("create-server");
    assert_eq!(Journal::open(&home, &key).unwrap().facts().open, expected);
}
