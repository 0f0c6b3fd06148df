//! Names that differ from run to run: which id, or address, of the recording is which one of the emulator's.

use regex_lite::Regex;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

static UUID: LazyLock<Regex> = LazyLock::new(|| pattern("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{1,3}(\.\d{1,3}){3}|2[0-9a-f]{3}:[0-9a-f:]+(/\d+)?"));

/// A pattern that was written here.
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("patterns written here compile")
}

/// The ids in a text, in order.
pub fn ids(text: &str) -> Vec<&str> {
    if text.len() < 36 {
        return Vec::new();
    }
    UUID.find_iter(text).map(|found| found.as_str()).collect()
}

/// A text with its ids blanked.
pub fn without_ids(text: &str) -> String {
    if text.len() < 36 {
        return text.to_owned();
    }
    UUID.replace_all(text, "*").into_owned()
}

/// Is the whole text an id?
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && UUID.find(text).is_some_and(|found| found.len() == text.len())
}

/// Is it an id that is the same for everybody: a dummy task, the fixed rules of a security group?
pub fn is_fixed(id: &str) -> bool {
    id.starts_with("00000000-0000-0000-0000-") || id.starts_with("11111111-2222-4333-8444-")
}

/// Can there be a name in it at all? Most texts are too short or too plain; patterns are slow.
fn may_name(text: &str) -> bool {
    text.len() >= 7 && text.bytes().any(|it| it.is_ascii_digit()) && text.bytes().any(|it| b"-.:".contains(&it))
}

/// What is known so far.
#[derive(Clone, Default)]
pub struct Names {
    ours: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

/// What two names that stand in the same place turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Meeting {
    /// They were known to be the same, or are from now on.
    Same,
    /// The recorded one is known to be another one of the emulator's.
    Else(String),
    /// The emulator's one already stands for another recorded one.
    Taken,
}

impl Names {
    /// The emulator's name for a recorded one.
    pub fn of(&self, recorded: &str) -> Option<&str> {
        self.ours.get(recorded).map(String::as_str)
    }

    /// Does one of the emulator's stand for a recorded one?
    pub fn is_taken(&self, got: &str) -> bool {
        self.taken.contains(got)
    }

    /// Two names in the same place.
    pub fn meet(&mut self, recorded: &str, got: &str) -> Meeting {
        if is_fixed(recorded) {
            return if recorded == got { Meeting::Same } else { Meeting::Else(recorded.to_owned()) };
        }
        match self.ours.get(recorded) {
            Some(known) if known == got => Meeting::Same,
            Some(known) => Meeting::Else(known.clone()),
            None if self.taken.contains(got) => Meeting::Taken,
            None => {
                self.ours.insert(recorded.to_owned(), got.to_owned());
                self.taken.insert(got.to_owned());
                Meeting::Same
            }
        }
    }

    /// A recorded text with the emulator's names in it. Unknown names stay.
    pub fn translate(&self, text: &str) -> String {
        if !may_name(text) {
            return text.to_owned();
        }
        NAME.replace_all(text, |found: &regex_lite::Captures| {
            let name = &found[0];
            self.ours.get(name).cloned().unwrap_or_else(|| name.to_owned())
        })
        .into_owned()
    }

    /// A recorded tree with the emulator's names in it, in keys as well.
    pub fn translate_tree(&self, tree: &Value) -> Value {
        map_texts(tree, &|text| self.translate(text))
    }
}

/// A tree with every text replaced, keys included.
pub fn map_texts(tree: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match tree {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| map_texts(item, change)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (change(key), map_texts(value, change))).collect(),
        other => other.clone(),
    }
}

/// A text with every name, of either kind, replaced.
pub fn map_names(text: &str, change: &dyn Fn(&str) -> String) -> String {
    if !may_name(text) {
        return text.to_owned();
    }
    NAME.replace_all(text, |found: &regex_lite::Captures| change(&found[0])).into_owned()
}
