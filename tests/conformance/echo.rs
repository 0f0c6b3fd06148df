//! A cloud that answers what was recorded, every name replaced: whoever replays against it must find that all
//! is the same, else the fault is the replay's own.

use crate::{
    cloud::{Call, Cloud, Reply},
    names::{MARK, is_fixed, is_id, map_names, map_texts},
    recording::Interaction,
    vendor::Vendor,
};
use serde_json::Value;
use std::{collections::BTreeSet, io};

/// The recording as a cloud.
pub struct Echo {
    vendor: &'static dyn Vendor,
    lenient: bool,
    turn: Option<Interaction>,
    /// Names of projects and of their owners: clients bring them, so they are never replaced.
    kept: BTreeSet<String>,
    /// Names that were in an answer, which alone can be known to a client under another name.
    told: BTreeSet<String>,
}

impl Echo {
    /// One that answers no call but that which a client with the right names makes.
    pub fn strict(vendor: &'static dyn Vendor) -> Echo {
        Echo { vendor, lenient: false, turn: None, kept: BTreeSet::new(), told: BTreeSet::new() }
    }

    /// One that also answers calls which a client with the right names would not have made.
    pub fn lenient(vendor: &'static dyn Vendor) -> Echo {
        Echo { lenient: true, ..Echo::strict(vendor) }
    }

    fn other(&self, name: &str) -> String {
        if is_fixed(name) || self.kept.contains(name) {
            return name.to_owned();
        }
        if let Some(number) = name.strip_prefix(MARK) {
            let digits = number
                .char_indices()
                .map(|(at, it)| if at == 0 { (b'1' + (b'9' - it as u8) % 9) as char } else { (b'9' - (it as u8 - b'0')) as char });
            return MARK.to_owned() + &digits.collect::<String>();
        }
        if is_id(name) {
            return name.chars().map(|it| it.to_digit(16).and_then(|digit| char::from_digit(15 - digit, 16)).unwrap_or(it)).collect();
        }
        match name.split_once('.') {
            Some((first, rest)) => format!("{}.{rest}", (first.parse::<u16>().unwrap_or(0) + 100) % 256),
            None => name.replacen('2', "3", 1),
        }
    }

    /// A tree with other names in it; addresses only where an object owns them, or owned them before.
    fn renamed(&self, pointer: &str, key: &str, tree: &Value) -> Value {
        match tree {
            Value::Object(map) => {
                let inner = |(key, value): (&String, &Value)| {
                    (map_names(key, &|name| self.only_known(name)), self.renamed(&format!("{pointer}/{key}"), key, value))
                };
                map.iter().map(inner).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.renamed(&format!("{pointer}/*"), key, item)).collect(),
            Value::String(text) if self.vendor.owns_address(pointer, key) => Value::String(map_names(text, &|name| self.other(name))),
            Value::String(text) => Value::String(map_names(text, &|name| self.only_known(name))),
            other => other.clone(),
        }
    }

    fn only_known(&self, name: &str) -> String {
        if is_id(name) || self.told.contains(name) { self.other(name) } else { name.to_owned() }
    }

    /// What a client that knows the other names must have sent.
    fn expected(&self, text: &str) -> String {
        map_names(text, &|name| if self.told.contains(name) { self.other(name) } else { name.to_owned() })
    }

    fn keep(&mut self, key: &str, tree: &Value) {
        match tree {
            Value::Object(map) => map.iter().for_each(|(key, value)| self.keep(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.keep(key, item)),
            Value::String(text) if key.starts_with("project") || key.starts_with("organization") => drop(self.kept.insert(text.clone())),
            _ => {}
        }
    }

    fn remember(&mut self, pointer: &str, key: &str, tree: &Value) {
        match tree {
            Value::Object(map) => map.iter().for_each(|(key, value)| self.remember(&format!("{pointer}/{key}"), key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.remember(&format!("{pointer}/*"), key, item)),
            Value::String(text) => {
                let owned = self.vendor.owns_address(pointer, key);
                let mut found = Vec::new();
                map_names_seen(text, &mut found);
                self.told.extend(found.into_iter().filter(|name| owned || is_id(name)));
            }
            _ => {}
        }
    }
}

fn map_names_seen(text: &str, found: &mut Vec<String>) {
    let seen = std::cell::RefCell::new(found);
    map_names(text, &|name| {
        seen.borrow_mut().push(name.to_owned());
        name.to_owned()
    });
}

impl Cloud for Echo {
    fn turn(&mut self, interaction: &Interaction) {
        for tree in [&interaction.answer, &interaction.request].into_iter().flatten() {
            self.keep("", tree);
        }
        for (key, value) in &interaction.query {
            self.keep(key, &Value::String(value.clone()));
        }
        self.turn = Some(interaction.clone());
    }

    fn call(&mut self, call: &Call) -> io::Result<Reply> {
        let turn = self.turn.clone().ok_or_else(|| io::Error::other("a call before its turn"))?;
        let mut wrong = Vec::new();
        if call.path != self.expected(&turn.path) {
            wrong.push(format!("path {} instead of {}", call.path, self.expected(&turn.path)));
        }
        let query: Vec<(String, String)> = turn.query.iter().map(|(key, value)| (key.clone(), self.expected(value))).collect();
        if call.query != query {
            wrong.push(format!("query {:?} instead of {query:?}", call.query));
        }
        let body = turn.request.as_ref().map(|tree| map_texts(tree, &|text| self.expected(text)));
        let filter = turn.filter.as_ref().map(|tree| map_texts(tree, &|text| self.expected(text)));
        if call.filter != filter {
            wrong.push(format!("filter {:?} instead of {filter:?}", call.filter));
        }
        if !turn.lost_its_request() && call.body != body {
            wrong.push(format!("body {:?} instead of {body:?}", call.body));
        }
        if !wrong.is_empty() && !self.lenient {
            return Err(io::Error::other(format!("the replay sent {}", wrong.join("; "))));
        }
        if let Some(answer) = &turn.answer {
            self.remember("", "", answer);
        }
        let headers = turn.headers.iter().map(|(name, value)| (name.clone(), map_names(value, &|it| self.only_known(it))));
        Ok(Reply { status: turn.status, headers: headers.collect(), body: turn.answer.as_ref().map(|tree| self.renamed("", "", tree)) })
    }

    fn advance(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn limit(&mut self, _operation: &str) -> io::Result<()> {
        Ok(())
    }
}
