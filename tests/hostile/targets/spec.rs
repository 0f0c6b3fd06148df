//! A spec file of any bytes. What reads well says the same once it is written anew and read again; what does not is told
//! harmlessly; a value that is set in it is in it then, and nothing else changed.

use super::assert_shown_clean;
use cloudypad::{
    model::Instance,
    read::{Reading, read_text, set},
};
use std::path::Path;

/// A line of its own that begins so says what to set: `key=value`.
pub const SET: &str = "#set ";

fn read(text: &str) -> Reading {
    let reading = read_text(Path::new("dir/pad.yaml"), text);
    for problem in &reading.problems {
        assert_shown_clean(&problem.to_string(), "a problem");
    }
    reading
}

fn instances(reading: Reading) -> Vec<Instance> {
    reading.specs.into_iter().map(|it| it.instance).collect()
}

pub fn spec(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let reading = read(text);
    for instance in instances(reading.clone()) {
        for anew in [serde_yaml::to_string(&instance).unwrap(), serde_json::to_string(&instance).unwrap()] {
            let again = read(&anew);
            assert!(again.problems.is_empty(), "{anew}\nwas written by us, and is refused: {}", again.problems[0]);
            assert_eq!(instances(again), std::slice::from_ref(&instance), "{anew}\nsays something else");
        }
    }
    let Some((key, value)) = text.lines().rev().find_map(|it| it.strip_prefix(SET)).and_then(|it| it.split_once('=')) else { return };
    let assignment = [(key.to_owned(), value.to_owned())];
    match set(Path::new("dir/pad.yaml"), text, None, &assignment) {
        Err(refusal) => assert_shown_clean(&refusal.to_string(), "a refusal"),
        Ok(changed) => {
            let again = read(&changed);
            // What was wrong elsewhere may be wrong still; nothing becomes wrong.
            assert!(again.problems.len() <= reading.problems.len(), "{changed}\nhas a new problem");
            assert_eq!(again.specs.len(), reading.specs.len().max(again.specs.len()), "{changed}\nlost an instance");
            let twice = set(Path::new("dir/pad.yaml"), &changed, None, &assignment);
            assert_eq!(twice.as_ref(), Ok(&changed), "set twice is set once");
        }
    }
}
