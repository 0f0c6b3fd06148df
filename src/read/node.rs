//! A YAML document as a tree that forgets nothing: places, duplicate keys, quotes, aliases.

use serde_json::{Map, Number, Value as Json};

use super::source::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; for an alias, where the alias stands. A collection in block style, and a
    /// value that is not there, is a place without a length.
    pub span: Span,
    /// How it is written.
    pub style: Style,
    /// For an alias: where the value is written.
    pub defined: Option<Span>,
    /// Whether aliases may refer to it.
    pub anchored: bool,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; the nearest one where it does not fit.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, with its duplicate keys.
    Map(Vec<(Key, Node)>),
}

/// How a node is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// `|`, `>`, or a collection of indented lines.
    Block,
    /// `[…]` or `{…}`.
    Flow,
}

/// The key of a map's entry.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
}

impl Node {
    /// A node that is written where it is used.
    pub fn new(value: Value, span: Span, style: Style) -> Self {
        Self { value, span, style, defined: None, anchored: false }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entry at a dotted path below a map. Of duplicate keys, the first.
    pub fn entry(&self, path: &str) -> Option<(&Key, &Node)> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let (key, node) = self.entries().iter().find(|(key, _)| key.text == first)?;
        match rest {
            Some(rest) => node.entry(rest),
            None => Some((key, node)),
        }
    }

    /// The value at a dotted path below a map.
    pub fn at(&self, path: &str) -> Option<&Node> {
        self.entry(path).map(|(_, node)| node)
    }

    /// The value at a dotted path below a map, to change it.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Node> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let Value::Map(entries) = &mut self.value else { return None };
        let (_, node) = entries.iter_mut().find(|(key, _)| key.text == first)?;
        match rest {
            Some(rest) => node.at_mut(rest),
            None => Some(node),
        }
    }

    /// Its text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its number, if it is a whole number.
    pub fn whole_number(&self) -> Option<i128> {
        match self.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self.value, Value::Bool(true))
    }

    /// Where to point to when something is wrong with it: the value where it can be seen, else its key.
    pub fn place(&self, key: Option<&Key>) -> Span {
        match key {
            Some(key) if self.span.length == 0 => key.span,
            _ => self.span,
        }
    }

    /// Whether two trees say the same, however they are written.
    pub fn says_the_same_as(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_the_same_as(b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((a_key, a), (b_key, b))| a_key.text == b_key.text && a.says_the_same_as(b))
            }
            _ => false,
        }
    }

    /// The same tree without places.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => Json::from(value),
                (_, Ok(value)) => Json::from(value),
                _ => Json::Null,
            },
            Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|(key, node)| (key.text.clone(), node.to_json())).collect::<Map<_, _>>())
            }
        }
    }
}
