//! Compares a document with a shape and tells everything that does not fit.

use std::collections::HashMap;
use std::fmt;

use super::findings::Findings;
use super::nearest::nearest;
use super::node::{Key, Node, Style, Value};
use super::problem::{quoted, quoted_all};
use super::scalar::truth_word;
use super::shape::{Field, Form, Shape, in_words};
use super::source::Span;

/// Longer texts match no pattern of ours, and are not tried.
const LONGEST_MATCH: usize = 1024;

/// Maps that must hold something, though none of their keys is required: `check` says what.
const NEVER_EMPTY: [&str; 2] = ["spec.provider", "spec.dataDisk"];

/// Where in a document the walk is.
#[derive(Clone, Copy)]
pub enum Path<'a> {
    /// The document.
    Root,
    /// Below a key.
    Key(&'a Path<'a>, &'a str),
    /// An item of a list, from 0.
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("the document"),
            Path::Key(Path::Root, name) => write!(f, "{}", quoted(name).trim_matches('`')),
            Path::Key(parent, name) => write!(f, "{parent}.{}", quoted(name).trim_matches('`')),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Compares a value with its shape. `key` is the value's own key, if it has one.
pub fn walk(node: &Node, shape: &Shape, path: &Path<'_>, key: Option<&Key>, findings: &mut Findings) {
    let place = node.place(key);
    match (&shape.form, &node.value) {
        (_, Value::Null) => match key {
            Some(_) => findings.add_with_hint(place, format!("{path} is empty"), "give it a value, or remove the key"),
            None => findings.add(place, format!("{path} is empty")),
        },
        (Form::Boolean, Value::Bool(_)) => {}
        (Form::Integer { least, most }, Value::Int(number)) => {
            if number < least || number > most {
                findings.add(place, format!("{path} is {number}, but must be {}", range(*least, *most)));
            }
        }
        (Form::Text { .. }, Value::Text(text)) => walk_text(text, shape, path, place, findings),
        (Form::Choice(words), Value::Text(text)) => {
            if !words.contains(text) {
                let message = format!("{} is not a value of {path}", quoted(text));
                findings.add_with_hint(place, message, instead(text, words.iter().map(String::as_str), "its values are"));
            }
        }
        (Form::List { item, least, most }, Value::List(items)) => {
            if items.len() < *least || items.len() > *most {
                let message = format!("{path} has {}, but must have {}", items_of(items.len()), range_of(*least, *most));
                findings.add(place, message);
            }
            for (index, node) in items.iter().enumerate() {
                walk(node, item, &Path::Item(path, index), None, findings);
            }
        }
        (Form::Object { fields, others }, Value::Map(entries)) => {
            let owner = key.map_or(place, |key| key.span);
            walk_map(entries, fields, others.as_deref(), path, owner, findings);
        }
        (Form::Either(shapes), value) => match shapes.iter().find(|shape| is_for(&shape.form, value)) {
            Some(shape) => walk(node, shape, path, key, findings),
            None => wrong_type(shape, node, path, place, findings),
        },
        _ => wrong_type(shape, node, path, place, findings),
    }
}

fn walk_map(entries: &[(Key, Node)], fields: &[Field], others: Option<&Shape>, path: &Path<'_>, owner: Span, findings: &mut Findings) {
    let mut first: HashMap<&str, &Key> = HashMap::new();
    for (key, node) in entries {
        match first.get(key.text.as_str()) {
            None => {
                first.insert(&key.text, key);
            }
            Some(_) if findings.is_full() => findings.skip(),
            Some(earlier) => {
                let message = format!("{} is given twice in {path}", quoted(&key.text));
                findings.add_with_hint(key.span, message, format!("the first is on line {}", earlier.line));
            }
        }
        let below = Path::Key(path, &key.text);
        let known = fields.iter().find(|field| field.name == key.text);
        if let (Some(field), Value::Null) = (known, &node.value) {
            findings.add_with_hint(node.place(Some(key)), format!("{below} is empty"), how_to_fill(field, &below));
            continue;
        }
        match known.map(|field| &field.shape).or(others) {
            Some(shape) => walk(node, shape, &below, Some(key), findings),
            None if findings.is_full() => findings.skip(),
            None => {
                let names = fields.iter().map(|field| field.name.as_str());
                let message = format!("{} is not a key of {path}", quoted(&key.text));
                findings.add_with_hint(key.span, message, instead(&key.text, names, "its keys are"));
            }
        }
    }
    for field in fields.iter().filter(|field| field.required && !first.contains_key(field.name.as_str())) {
        let message = format!("{path} lacks `{}`", field.name);
        findings.add_with_hint(owner, message, how_to_add(field));
    }
}

fn walk_text(text: &str, shape: &Shape, path: &Path<'_>, place: Span, findings: &mut Findings) {
    let Form::Text { least, most, pattern } = &shape.form else { return };
    // Counting stops where it is clear that there are too many.
    let length = text.chars().take(most.saturating_add(1)).count();
    if length < *least {
        let message = if length == 0 {
            format!("{path} is an empty text")
        } else {
            format!("{path} is {length} characters long, but must have at least {least}")
        };
        findings.add(place, message);
    } else if length > *most {
        findings.add(place, format!("{path} is longer than {most} characters"));
    } else if let Some(pattern) = pattern
        && (text.len() > LONGEST_MATCH || !pattern.is_match(text))
    {
        let message = format!("{} does not fit {path}", quoted(text));
        match (in_words(pattern.as_str()), &shape.example) {
            (Some(words), Some(example)) => findings.add_with_hint(place, message, format!("{words}, like `{example}`")),
            (Some(words), None) => findings.add_with_hint(place, message, words),
            (None, Some(example)) => findings.add_with_hint(place, message, format!("write one like `{example}`")),
            (None, None) => findings.add(place, message),
        }
    }
}

fn wrong_type(shape: &Shape, node: &Node, path: &Path<'_>, place: Span, findings: &mut Findings) {
    if findings.is_full() {
        findings.skip();
        return;
    }
    let is = match (&shape.form, &node.value) {
        (Form::Integer { .. }, Value::Float(number)) => format!("{number:?}"),
        (_, value) => what_is(value),
    };
    let message = format!("{path} is {is}, but must be {}", what_fits(&shape.form));
    match correction(&shape.form, node, path) {
        Some(hint) => findings.add_with_hint(place, message, hint),
        None => findings.add(place, message),
    }
}

/// Whether a value is of the type that a form is about.
fn is_for(form: &Form, value: &Value) -> bool {
    match form {
        Form::Boolean => matches!(value, Value::Bool(_)),
        Form::Integer { .. } => matches!(value, Value::Int(_)),
        Form::Text { .. } | Form::Choice(_) => matches!(value, Value::Text(_)),
        Form::List { .. } => matches!(value, Value::List(_)),
        Form::Object { .. } => matches!(value, Value::Map(_)),
        Form::Either(shapes) => shapes.iter().any(|shape| is_for(&shape.form, value)),
    }
}

fn what_is(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(value) => format!("the truth value {value}"),
        Value::Int(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number:?}"),
        Value::Text(text) => format!("the text {}", quoted(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

fn what_fits(form: &Form) -> String {
    match form {
        Form::Boolean => "true or false".to_owned(),
        Form::Integer { .. } => "a whole number".to_owned(),
        Form::Text { .. } => "text".to_owned(),
        Form::Choice(words) if words.len() == 1 => quoted_all(words.iter().map(String::as_str)),
        Form::Choice(words) => format!("one of {}", quoted_all(words.iter().map(String::as_str))),
        Form::List { .. } => "a list".to_owned(),
        Form::Object { .. } => "a map".to_owned(),
        Form::Either(shapes) => shapes.iter().map(|shape| what_fits(&shape.form)).collect::<Vec<_>>().join(" or "),
    }
}

/// The same value as it was probably meant.
fn correction(form: &Form, node: &Node, path: &Path<'_>) -> Option<String> {
    match (form, &node.value) {
        (Form::Boolean, Value::Text(text)) => truth_word(text).map(|truth| match node.style {
            Style::Plain => format!("YAML here knows only true and false: write {truth}"),
            _ => format!("write {truth}, without quotes"),
        }),
        (Form::Integer { .. }, Value::Text(text)) if text.len() < 20 => {
            text.parse::<i64>().ok().map(|number| format!("write {number}, without quotes"))
        }
        (Form::Integer { .. }, Value::Float(number)) if number.fract() == 0.0 && number.abs() < 1e15 => Some(format!("write {number:.0}")),
        (Form::Text { .. }, Value::Int(port @ 1..=65_535)) if matches!(path, Path::Item(Path::Key(_, "ports"), _)) => {
            Some(format!("write `{port}/tcp` or `{port}/udp`"))
        }
        (Form::Text { .. }, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => Some("put it in quotes to make it text".to_owned()),
        (Form::Either(shapes), _) => shapes.iter().find_map(|shape| correction(&shape.form, node, path)),
        (Form::List { .. }, Value::Text(_)) => Some("a list with one item is written `[item]`".to_owned()),
        _ => None,
    }
}

fn instead<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone, list: &str) -> String {
    match nearest(word, candidates.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("{list} {}", quoted_all(candidates)),
    }
}

fn how_to_add(field: &Field) -> String {
    let name = &field.name;
    match (&field.shape.form, &field.shape.example) {
        (_, Some(example)) => format!("add it, for example `{name}: {example}`"),
        (Form::Choice(words), None) if words.len() > 1 => {
            format!("add `{name}:` with one of {}", quoted_all(words.iter().map(String::as_str)))
        }
        (Form::Choice(words), None) => format!("add `{name}: {}`", words.join("")),
        _ => format!("add `{name}:`"),
    }
}

/// What to write behind a known key that has no value.
fn how_to_fill(field: &Field, path: &Path<'_>) -> String {
    let words = |words: &[String]| quoted_all(words.iter().map(String::as_str));
    match (&field.shape.form, &field.shape.example) {
        (Form::Object { fields, .. }, _) => {
            let question = "is what follows indented far enough?";
            let may_be_empty = fields.iter().all(|field| !field.required) && !NEVER_EMPTY.contains(&path.to_string().as_str());
            if may_be_empty { format!("{question} or write `{}: {{}}` for the defaults", field.name) } else { question.to_owned() }
        }
        _ if !field.required => "give it a value, or remove the key".to_owned(),
        (Form::Choice(list), _) if list.len() > 1 => format!("write one of {}", words(list)),
        (Form::Choice(list), _) => format!("write {}", words(list)),
        (_, Some(example)) => format!("write one like `{example}`"),
        _ => "give it a value".to_owned(),
    }
}

fn range(least: i128, most: i128) -> String {
    match (least, most) {
        (i128::MIN, most) => format!("at most {most}"),
        (least, i128::MAX) => format!("at least {least}"),
        (least, most) => format!("between {least} and {most}"),
    }
}

fn range_of(least: usize, most: usize) -> String {
    if most == usize::MAX { format!("at least {least}") } else { format!("{least} to {most}") }
}

fn items_of(count: usize) -> String {
    match count {
        0 => "no items".to_owned(),
        1 => "1 item".to_owned(),
        count => format!("{count} items"),
    }
}
