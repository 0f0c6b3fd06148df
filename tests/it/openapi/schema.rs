//! A value against a schema, as requests are meant: parts of an `allOf` are one object together, what is not named is refused, what
//! is only for reading is not sent.

use regex_lite::Regex;
use serde_json::Value;

/// A schema, and the description it is in.
#[derive(Clone)]
pub struct Schema<'a> {
    /// The whole description.
    api: &'a Value,
    /// What it consists of; all of it holds.
    parts: Vec<&'a Value>,
}

/// What a tree refers to.
pub fn at<'a>(api: &'a Value, tree: &'a Value) -> &'a Value {
    let there = tree["$ref"].as_str().and_then(|it| api.pointer(it.trim_start_matches('#')));
    there.map_or(tree, |it| at(api, it))
}

/// A value in a few words.
pub fn said(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { format!("{}…", text.chars().take(80).collect::<String>()) }
}

impl<'a> Schema<'a> {
    /// The schema that a tree of the description is: with all parts of an `allOf`.
    pub fn new(api: &'a Value, tree: &'a Value) -> Schema<'a> {
        fn add<'a>(api: &'a Value, tree: &'a Value, parts: &mut Vec<&'a Value>) {
            let tree = at(api, tree);
            parts.push(tree);
            tree["allOf"].as_array().into_iter().flatten().for_each(|it| add(api, it, parts));
        }
        let mut parts = Vec::new();
        add(api, tree, &mut parts);
        Schema { api, parts }
    }

    /// The schema that all of these are together; none, if there is none.
    fn together(&self, trees: impl Iterator<Item = &'a Value>) -> Option<Schema<'a>> {
        let parts: Vec<&Value> = trees.flat_map(|it| Schema::new(self.api, it).parts).collect();
        (!parts.is_empty()).then_some(Schema { api: self.api, parts })
    }

    /// The ways to fulfil it, of which one is enough.
    fn choices(&self) -> Vec<Schema<'a>> {
        let of = |key: &'static str| self.parts.iter().flat_map(move |it| it[key].as_array().into_iter().flatten());
        of("oneOf").chain(of("anyOf")).map(|it| Schema::new(self.api, it)).collect()
    }

    /// The schema of a property.
    pub fn property(&self, name: &str) -> Option<Schema<'a>> {
        let own = self.together(self.parts.iter().filter_map(|it| it["properties"].get(name)));
        own.or_else(|| self.choices().into_iter().find_map(|it| it.property(name)))
    }

    /// The schema of the elements of a list.
    pub fn element(&self) -> Option<Schema<'a>> {
        self.together(self.parts.iter().filter_map(|it| it.get("items")))
    }

    /// Can a list be filtered by it?
    pub fn is_filterable(&self) -> bool {
        self.parts.iter().any(|it| it["description"].as_str().is_some_and(|it| it.contains("__Filterable__")))
    }

    /// Says what is wrong with a value. `not_required` are properties that need not be there any more.
    pub fn check(&self, place: &str, value: &Value, not_required: &[&str], found: &mut Vec<String>) {
        let place = if place.is_empty() { "body" } else { place };
        let is = |key: &str| self.parts.iter().any(|part| part[key] == true);
        if value.is_null() {
            if !is("nullable") {
                found.push(format!("{place} is null"));
            }
            return;
        }
        if is("readOnly") {
            found.push(format!("{place} is only for reading"));
            return;
        }
        for part in &self.parts {
            plain(place, part, value, found);
        }
        if let (Value::Array(items), Some(element)) = (value, self.element()) {
            for (at, item) in items.iter().enumerate() {
                element.check(&format!("{place}/{at}"), item, &[], found);
                // What a list requires, it requires of its elements.
                self.requires(&format!("{place}/{at}"), item, &[], found);
            }
        }
        let choices = self.choices();
        if !choices.is_empty() {
            let tried = choices.iter().map(|choice| {
                let mut wrong = Vec::new();
                choice.check(place, value, not_required, &mut wrong);
                wrong
            });
            // The best of them says what is wrong.
            found.extend(tried.min_by_key(Vec::len).unwrap_or_default());
        } else if let Value::Object(map) = value {
            let free = self.parts.iter().all(|part| part.get("properties").is_none());
            for (key, value) in map {
                match self.property(key) {
                    Some(schema) => schema.check(&format!("{place}/{key}"), value, &[], found),
                    None if free => {}
                    None => found.push(format!("{place}/{key} is unknown")),
                }
            }
            self.requires(place, value, not_required, found);
        }
    }

    fn requires(&self, place: &str, value: &Value, not_required: &[&str], found: &mut Vec<String>) {
        let required = self.parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten()).filter_map(Value::as_str);
        let missing = required.filter(|key| value.get(key).is_none() && !not_required.contains(key));
        found.extend(missing.map(|key| format!("{place}/{key} is missing")));
    }
}

/// What one schema says about a value, apart from what is inside it.
fn plain(place: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        found.push(format!("{place} is no {}: {}", schema["type"].as_str().unwrap_or_default(), said(value)));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|it| !it.contains(value)) {
        found.push(format!("{place} is {}, not one of {}", said(value), said(&Value::Array(allowed.clone()))));
    }
    let bound = |key: &str| schema[key].as_f64();
    let (size, least, most) = match value {
        Value::String(text) => (Some(text.chars().count() as f64), bound("minLength"), bound("maxLength")),
        Value::Array(items) => (Some(items.len() as f64), bound("minItems"), bound("maxItems")),
        Value::Number(number) => (number.as_f64(), bound("minimum"), bound("maximum")),
        _ => (None, None, None),
    };
    if let Some(size) = size {
        if least.is_some_and(|least| size < least) {
            found.push(format!("{place} is below {}: {}", least.unwrap_or_default(), said(value)));
        }
        if most.is_some_and(|most| size > most) {
            found.push(format!("{place} is above {}: {}", most.unwrap_or_default(), said(value)));
        }
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema["pattern"].as_str())
        && !matches(pattern, text)
    {
        found.push(format!("{place} is not like {pattern}: {text}"));
    }
}

/// Does a text fit a pattern? Where it looks ahead for what must not come, that must not be in the text at all. What is prose and no
/// pattern fits anything.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut plain, mut forbidden) = (pattern.to_owned(), Vec::new());
    while let Some(from) = plain.find("(?!") {
        let Some(length) = plain[from..].find(')') else { return true };
        forbidden.extend(plain[from + 3..from + length].split('|').map(|it| it.replace('\\', "")));
        plain.replace_range(from..=from + length, "");
    }
    let prose = !pattern.contains(['[', '^', '(']);
    // A dash between a range and a letter stands for itself.
    let plain = plain.replace("9-_", r"9\-_");
    prose || (Regex::new(&plain).is_ok_and(|it| it.is_match(text)) && !forbidden.iter().any(|it| text.contains(it.as_str())))
}
