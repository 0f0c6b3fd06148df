//! Names that differ from run to run: which id, or address, of the recording is which one of the emulator's.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Where the ids, and where else the addresses, of a text are, in order.
fn find(text: &str, addresses: bool) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let length = match id_length(&bytes[at..]) {
            0 if addresses && begins => v4_length(&bytes[at..]).max(v6_length(&bytes[at..])),
            length => length,
        };
        if length > 0 {
            found.push(at..at + length);
        }
        at += length.max(1);
    }
    found
}

/// Marks a number that is an id, so that it is told from one that is not.
pub const MARK: &str = "№";

/// The length of the id that begins here: a UUID, or a marked number.
fn id_length(bytes: &[u8]) -> usize {
    if let Some(number) = bytes.strip_prefix(MARK.as_bytes()) {
        let digits = number.iter().take_while(|it| it.is_ascii_digit()).count();
        return if digits > 0 { MARK.len() + digits } else { 0 };
    }
    let fits = |(index, byte): (usize, &u8)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    };
    if bytes.len() >= 36 && bytes[..36].iter().enumerate().all(fits) { 36 } else { 0 }
}

/// The length of an IPv4 address that begins here.
fn v4_length(bytes: &[u8]) -> usize {
    let length = bytes.iter().take_while(|it| it.is_ascii_digit() || **it == b'.').count();
    let parts: Vec<&[u8]> = bytes[..length].split(|it| *it == b'.').collect();
    if parts.len() == 4 && parts.iter().all(|part| (1..=3).contains(&part.len())) { length } else { 0 }
}

/// The length of an IPv6 network that begins here.
fn v6_length(bytes: &[u8]) -> usize {
    let length = bytes.iter().take_while(|it| it.is_ascii_hexdigit() || b":/".contains(it)).count();
    if bytes.first() == Some(&b'2') && bytes[..length].iter().filter(|it| **it == b':').count() >= 2 { length } else { 0 }
}

/// The ids in a text, in order.
pub fn ids(text: &str) -> Vec<&str> {
    find(text, false).into_iter().map(|range| &text[range]).collect()
}

/// A text with its ids blanked.
pub fn without_ids(text: &str) -> String {
    replace(text, false, &|_| "*".to_owned())
}

/// Is the whole text an id?
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && id_length(text.as_bytes()) == text.len()
}

fn replace(text: &str, addresses: bool, change: &dyn Fn(&str) -> String) -> String {
    let (mut whole, mut done) = (String::with_capacity(text.len()), 0);
    for range in find(text, addresses) {
        whole += &text[done..range.start];
        whole += &change(&text[range.clone()]);
        done = range.end;
    }
    whole + &text[done..]
}

/// Is it an id that is the same for everybody: a dummy task, the fixed rules of a security group?
pub fn is_fixed(id: &str) -> bool {
    id.starts_with("00000000-0000-0000-0000-") || id.starts_with("11111111-2222-4333-8444-")
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

    /// A recorded text that is, or holds, a name: with the emulator's names in it. None, if one is not known.
    pub fn known(&self, recorded: &str) -> Option<String> {
        let all = find(recorded, true);
        let known = !all.is_empty() && all.into_iter().all(|range| self.ours.contains_key(&recorded[range]));
        known.then(|| self.translate(recorded))
    }

    /// Does one of the emulator's names in this text stand for a recorded one?
    pub fn is_known_as(&self, got: &str) -> bool {
        find(got, true).into_iter().any(|range| self.taken.contains(&got[range]))
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
        replace(text, true, &|name| self.of(name).unwrap_or(name).to_owned())
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
    replace(text, true, change)
}
