//! What a document may look like: our own JSON Schema, compiled once into a small structure.
//!
//! There is one source of truth: the schema that schemars makes from `Instance` is published, and
//! is what documents are checked against. A keyword this file does not know fails a unit test.

use regex_lite::Regex;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json};
use std::sync::LazyLock;

use crate::model::Instance;

/// What a value may look like.
pub struct Shape {
    /// Which values.
    pub form: Form,
    /// A value that fits, as one would write it.
    pub example: Option<String>,
}

/// Which values fit.
pub enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer {
        /// The smallest.
        least: i128,
        /// The largest.
        most: i128,
    },
    /// Text.
    Text {
        /// The fewest characters.
        least: usize,
        /// The most characters.
        most: usize,
        /// What it must match.
        pattern: Option<Regex>,
    },
    /// One of some words.
    Choice(Vec<String>),
    /// A list.
    List {
        /// Each item.
        item: Box<Shape>,
        /// The fewest items.
        least: usize,
        /// The most items.
        most: usize,
    },
    /// A map.
    Object {
        /// The keys that are known.
        fields: Vec<Field>,
        /// What all other keys hold; without it there may be none.
        others: Option<Box<Shape>>,
    },
    /// The first of some shapes that a value is of the right type for.
    Either(Vec<Shape>),
}

/// A known key of a map.
pub struct Field {
    /// The key.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its value.
    pub shape: Shape,
}

impl Shape {
    /// The shape of the value at a dotted path.
    pub fn below(&self, path: &str) -> Option<&Shape> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let found = match &self.form {
            Form::Object { fields, others } => {
                fields.iter().find(|field| field.name == first).map(|field| &field.shape).or(others.as_deref())
            }
            Form::Either(shapes) => return shapes.iter().find_map(|shape| shape.below(path)),
            _ => None,
        }?;
        match rest {
            Some(rest) => found.below(rest),
            None => Some(found),
        }
    }

    /// Whether some text fits.
    pub fn takes_text(&self) -> bool {
        match &self.form {
            Form::Text { .. } | Form::Choice(_) => true,
            Form::Either(shapes) => shapes.iter().any(Shape::takes_text),
            _ => false,
        }
    }
}

/// The shape of an instance.
pub fn instance() -> &'static Shape {
    static SHAPE: LazyLock<Shape> =
        LazyLock::new(|| compile(&schema()).expect("our own schema uses known keywords only; a unit test holds it"));
    &SHAPE
}

/// The published JSON Schema of an instance (draft 2020-12).
pub fn schema() -> Json {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Instance>();
    schema.insert("$id".to_owned(), Json::from("https://cloudypad.gg/schemas/instance.schema.json"));
    schema.insert("title".to_owned(), Json::from("cloudypad instance"));
    schema.to_value()
}

/// Keywords that say nothing about which values fit, or are looked up where they are needed.
const KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "$ref",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
];
/// Keywords that may stand beside a `$ref`.
const REMARKS: &[&str] = &["title", "description", "default", "examples", "format", "$ref"];

/// What people call the patterns of the schema; a unit test holds that none is missing.
const PATTERNS: &[(&str, &str)] = &[
    ("^[a-z]([a-z0-9]|-[a-z0-9])*$", "lower-case letters, digits and single dashes, beginning with a letter"),
    ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "a UUID in lower case"),
    ("^[a-z]{2}-[a-z]{3}-[1-9]$", "country, city and number, in lower case and with dashes"),
    ("^[a-z]{2}-[a-z0-9-]+$", "country and place, in lower case and with dashes"),
    ("^[A-Za-z0-9-]+$", "letters, digits and dashes"),
    ("^[a-z0-9-]+$", "lower-case letters, digits and dashes"),
    ("^[A-Za-z_][A-Za-z0-9_]{0,199}$", "letters, digits and underscores, beginning with a letter or an underscore"),
    ("^[a-z_][a-z0-9_-]*$", "lower-case letters, digits, dashes and underscores, beginning with a letter or an underscore"),
];

/// What people call a pattern.
pub fn in_words(pattern: &str) -> Option<&'static str> {
    PATTERNS.iter().find(|(known, _)| *known == pattern).map(|(_, words)| *words)
}

/// Compiles a schema, or names what it uses that this file does not know.
pub fn compile(schema: &Json) -> Result<Shape, String> {
    Compiler { root: schema }.shape(schema, 0)
}

struct Compiler<'a> {
    root: &'a Json,
}

impl Compiler<'_> {
    fn shape(&self, schema: &Json, depth: usize) -> Result<Shape, String> {
        let object = schema.as_object().ok_or("a schema that is no object")?;
        if depth > 32 {
            return Err("a schema that refers to itself".to_owned());
        }
        let known = if object.contains_key("$ref") { REMARKS } else { KEYWORDS };
        if let Some(keyword) = object.keys().find(|keyword| !known.contains(&keyword.as_str())) {
            return Err(format!("the keyword {keyword}"));
        }
        let example = example(object);
        if let Some(reference) = object.get("$ref") {
            let target = reference
                .as_str()
                .and_then(|reference| reference.strip_prefix('#'))
                .and_then(|pointer| self.root.pointer(pointer))
                .ok_or_else(|| format!("the reference {reference}"))?;
            let shape = self.shape(target, depth + 1)?;
            return Ok(Shape { example: example.or(shape.example), form: shape.form });
        }
        Ok(Shape { form: self.form(object, depth)?, example })
    }

    fn form(&self, object: &Map<String, Json>, depth: usize) -> Result<Form, String> {
        if let Some(branches) = object.get("oneOf").or_else(|| object.get("anyOf")) {
            return self.either(branches, depth);
        }
        if let Some(word) = object.get("const") {
            return words(std::slice::from_ref(word));
        }
        if let Some(list) = object.get("enum") {
            return words(list.as_array().ok_or("an enum that is no list")?);
        }
        match object.get("type").and_then(Json::as_str) {
            Some("boolean") => Ok(Form::Boolean),
            Some("integer") => Ok(Form::Integer {
                least: bound(object, "minimum")?.unwrap_or(i128::MIN),
                most: bound(object, "maximum")?.unwrap_or(i128::MAX),
            }),
            Some("string") => Ok(Form::Text {
                least: count(object, "minLength", 0)?,
                most: count(object, "maxLength", usize::MAX)?,
                pattern: match object.get("pattern").and_then(Json::as_str) {
                    Some(pattern) => Some(Regex::new(pattern).map_err(|error| format!("the pattern {pattern}: {error}"))?),
                    None => None,
                },
            }),
            Some("array") => Ok(Form::List {
                item: Box::new(self.shape(object.get("items").ok_or("a list without items")?, depth + 1)?),
                least: count(object, "minItems", 0)?,
                most: count(object, "maxItems", usize::MAX)?,
            }),
            Some("object") => self.object(object, depth),
            _ => Err(format!("the type {:?}", object.get("type"))),
        }
    }

    fn object(&self, object: &Map<String, Json>, depth: usize) -> Result<Form, String> {
        let none = Map::new();
        let properties = object.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let required: Vec<&str> = object.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let mut fields = Vec::new();
        for (name, schema) in properties {
            let shape = self.shape(schema, depth + 1)?;
            fields.push(Field { name: name.clone(), required: required.contains(&name.as_str()), shape });
        }
        let others = match object.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(schema @ Json::Object(_)) => Some(Box::new(self.shape(schema, depth + 1)?)),
            other => return Err(format!("additionalProperties {other:?}")),
        };
        Ok(Form::Object { fields, others })
    }

    /// Several words become one choice; anything else is told apart by its type.
    fn either(&self, branches: &Json, depth: usize) -> Result<Form, String> {
        let branches = branches.as_array().ok_or("branches that are no list")?;
        let mut shapes = Vec::new();
        for branch in branches {
            shapes.push(self.shape(branch, depth + 1)?);
        }
        if !shapes.iter().all(|shape| matches!(shape.form, Form::Choice(_))) {
            return Ok(Form::Either(shapes));
        }
        let words = shapes.into_iter().flat_map(|shape| match shape.form {
            Form::Choice(words) => words,
            _ => Vec::new(),
        });
        Ok(Form::Choice(words.collect()))
    }
}

fn words(list: &[Json]) -> Result<Form, String> {
    let words = list.iter().map(|word| word.as_str().map(str::to_owned).ok_or(format!("the value {word}")));
    Ok(Form::Choice(words.collect::<Result<_, _>>()?))
}

fn bound(object: &Map<String, Json>, keyword: &str) -> Result<Option<i128>, String> {
    let Some(value) = object.get(keyword) else { return Ok(None) };
    let whole = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    whole.map(Some).ok_or_else(|| format!("{keyword} {value}"))
}

fn count(object: &Map<String, Json>, keyword: &str, otherwise: usize) -> Result<usize, String> {
    match bound(object, keyword)? {
        Some(number) => usize::try_from(number).map_err(|_| format!("{keyword} {number}")),
        None => Ok(otherwise),
    }
}

/// The first example, else a default that fits on a line.
fn example(object: &Map<String, Json>) -> Option<String> {
    let first = object.get("examples").and_then(Json::as_array).and_then(|examples| examples.first());
    match first.or_else(|| object.get("default"))? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        value @ (Json::Number(_) | Json::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}
