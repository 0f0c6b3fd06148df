//! Ids at Linode are numbers, and stand in bodies, paths and texts like any other number. Here they are marked, so that the rest
//! of the harness knows them for names, and unmarked again before they go over the wire.

use crate::names::MARK;
use regex_lite::Regex;
use serde_json::{Number, Value};
use std::sync::LazyLock;

/// The name the cloud gives an address in the reverse DNS, from the address on: as the API writes it, and so that the address
/// before it is told from it.
const HOST: &str = ".ip.linodeusercontent.com";
const TOLD_HOST: &str = " ip.linodeusercontent.com";

static PRIVATE: LazyLock<Regex> = LazyLock::new(|| written(r"private(/|%2F)(\d+)"));
static SAID: LazyLock<Regex> = LazyLock::new(|| written(r"\b(ID:? )(\d+)"));
static DEFAULT_LABEL: LazyLock<Regex> = LazyLock::new(|| written(r"^linode(\d+)$"));

fn written(pattern: &str) -> Regex {
    Regex::new(pattern).expect("patterns written here compile")
}

/// A tree with its ids marked.
pub fn dressed(tree: &Value) -> Value {
    dress("", "", tree)
}

fn dress(parent: &str, key: &str, tree: &Value) -> Value {
    match tree {
        Value::Object(map) => {
            // An operator of a filter stands between a key and its value.
            let inner = |own: &str| if own.starts_with('+') { key.to_owned() } else { own.to_owned() };
            map.iter().map(|(own, value)| (own.clone(), dress(key, &inner(own), value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| dress(parent, key, item)).collect(),
        Value::Number(number) if holds_ids(parent, key) => match number.as_u64() {
            Some(id) if id > 0 => Value::String(format!("{MARK}{id}")),
            _ => tree.clone(),
        },
        Value::String(text) => Value::String(dressed_text(key, text)),
        other => other.clone(),
    }
}

fn holds_ids(parent: &str, key: &str) -> bool {
    let lists = ["linode", "linodes", "nodebalancers", "volumes", "domains", "linode_interfaces", "firewall_ids"];
    key == "id" || key.ends_with("_id") || key.ends_with(".id") || lists.contains(&key) || parent == "default_firewall_ids"
}

fn dressed_text(key: &str, text: &str) -> String {
    match key {
        "upload_to" => text.to_owned(),
        "label" | "linode_label" => DEFAULT_LABEL.replace(text, format!("linode{MARK}$1")).into_owned(),
        // The first four parts are an address.
        "rdns" => match text.strip_suffix(HOST) {
            Some(name) => name.replace('-', ".") + TOLD_HOST,
            None => text.to_owned(),
        },
        "reason" => SAID.replace_all(text, format!("${{1}}{MARK}$2")).into_owned(),
        _ if text.starts_with("/v4") => dressed_path(text),
        _ => PRIVATE.replace_all(text, format!("private${{1}}{MARK}$2")).into_owned(),
    }
}

/// A path with its ids marked, the slash in an image's id escaped.
pub fn dressed_path(path: &str) -> String {
    let escaped = PRIVATE.replace_all(path, format!("private%2F{MARK}$2"));
    let mark = |part: &str| {
        let number = !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        if number { format!("{MARK}{part}") } else { part.to_owned() }
    };
    escaped.split('/').map(mark).collect::<Vec<_>>().join("/")
}

/// A tree as it goes over the wire.
pub fn undressed(tree: &Value) -> Value {
    match tree {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), undressed(value))).collect(),
        Value::Array(items) => items.iter().map(undressed).collect(),
        Value::String(text) => match text.strip_prefix(MARK).and_then(|number| number.parse::<u64>().ok()) {
            Some(id) => Value::Number(Number::from(id)),
            None => Value::String(undressed_text(text)),
        },
        other => other.clone(),
    }
}

/// A text as it goes over the wire.
pub fn undressed_text(text: &str) -> String {
    let text = text.replace(MARK, "");
    match text.strip_suffix(TOLD_HOST) {
        Some(address) => address.replace('.', "-") + HOST,
        None => text,
    }
}
