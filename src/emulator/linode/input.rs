//! What a request's body says, field by field.

use serde_json::{Map, Value};

use super::problem::{invalid, refused, required};
use crate::emulator::face::{Answer, Request};

/// The fields of a JSON object. A field that is null counts as absent, except where [`Fields::is_null`] asks.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// What the object is called in errors: nothing for the body itself, else its path and a dot.
    prefix: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of a request's body; an empty body has none.
    ///
    /// Errors: 400, if it is no JSON object.
    pub fn of(request: &Request) -> Result<Fields, Answer> {
        match request.tree() {
            Ok(Value::Object(map)) => Ok(Fields { prefix: String::new(), map }),
            // An official library sends `null` for an empty body.
            Ok(Value::Null) => Ok(Fields::default()),
            Ok(_) | Err(_) => Err(refused("Invalid JSON")),
        }
    }

    /// The fields of a value inside the body, which errors call by this path.
    ///
    /// Errors: 400, if it is no object.
    pub fn within(value: &Value, path: &str) -> Result<Fields, Answer> {
        match value {
            Value::Object(map) => Ok(Fields { prefix: format!("{path}."), map: map.clone() }),
            _ => Err(wrong_type("Object", path)),
        }
    }

    /// What errors call a field.
    pub fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The names of all fields.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// The value of a field, if it is there and not null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether a field is there and null.
    pub fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    /// Whether a field is there, be it null.
    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Answer> {
        self.typed(key, "String", Value::as_str)
    }

    /// A text that must be there.
    pub fn needed(&self, key: &str) -> Result<&str, Answer> {
        self.text(key)?.ok_or_else(|| required(&self.path(key)))
    }

    /// A yes or no.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Answer> {
        self.typed(key, "Boolean", Value::as_bool)
    }

    /// A whole number.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Answer> {
        self.typed(key, "Integer", Value::as_i64)
    }

    /// A list.
    pub fn list(&self, key: &str) -> Result<Option<&Vec<Value>>, Answer> {
        self.typed(key, "Array", Value::as_array)
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Answer> {
        let Some(items) = self.list(key)? else { return Ok(None) };
        let text = |(place, item): (usize, &Value)| {
            item.as_str().map(str::to_owned).ok_or_else(|| wrong_type("String", &format!("{}[{place}]", self.path(key))))
        };
        items.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// An object.
    pub fn object(&self, key: &str) -> Result<Option<Fields>, Answer> {
        self.get(key).map(|value| Fields::within(value, &self.path(key))).transpose()
    }

    /// Tags, each of 3 to 50 characters; sorted, and each but once.
    pub fn tags(&self) -> Result<Option<Vec<String>>, Answer> {
        let Some(mut tags) = self.texts("tags")? else { return Ok(None) };
        if tags.iter().any(|tag| !(3..=50).contains(&tag.chars().count())) {
            return Err(invalid(&self.path("tags"), "Length must be 3-50 characters"));
        }
        tags.sort_by_key(|tag| tag.to_lowercase());
        tags.dedup_by_key(|tag| tag.to_lowercase());
        Ok(Some(tags))
    }

    fn typed<'f, T>(&'f self, key: &str, wanted: &str, read: impl FnOnce(&'f Value) -> Option<T>) -> Result<Option<T>, Answer> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| wrong_type(wanted, &self.path(key))),
        }
    }
}

fn wrong_type(wanted: &str, path: &str) -> Answer {
    invalid(path, &format!("Must be of type {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::emulator::face::Body;

    fn body(text: &str) -> Request {
        Request { body: text.as_bytes().to_vec(), ..Request::default() }
    }

    fn error(answer: Answer) -> Value {
        match answer.body {
            Body::Json(value) => value["errors"][0].clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_is_an_object_or_nothing() {
        for text in ["", "  ", "{}", "null"] {
            assert_eq!(Fields::of(&body(text)).unwrap().keys().count(), 0, "{text}");
        }
        for text in ["{", "[]", "3", "\"x\"", "\u{0}"] {
            assert_eq!(error(Fields::of(&body(text)).unwrap_err()), json!({"reason": "Invalid JSON"}), "{text}");
        }
    }

    #[test]
    fn errors_name_the_path() {
        let fields = Fields::of(&body(r#"{"rules": {"inbound": 3, "tags": ["ab"]}, "list": ["x", 1], "none": null}"#)).unwrap();
        let rules = fields.object("rules").unwrap().unwrap();
        assert_eq!(error(rules.list("inbound").unwrap_err()), json!({"reason": "Must be of type Array", "field": "rules.inbound"}));
        assert_eq!(error(rules.tags().unwrap_err())["reason"], "Length must be 3-50 characters");
        assert_eq!(error(fields.texts("list").unwrap_err())["field"], "list[1]");
        assert_eq!(error(fields.needed("none").unwrap_err()), json!({"reason": "none is required", "field": "none"}));
        assert!(fields.is_null("none") && fields.has("none") && !fields.has("other"));
    }

    #[test]
    fn tags_are_sorted_and_unique() {
        let fields = Fields::of(&body(r#"{"tags": ["foo", "Bar", "FOO"]}"#)).unwrap();
        assert_eq!(fields.tags().unwrap().unwrap(), ["Bar", "foo"]);
        assert_eq!(Fields::of(&body(r#"{"tags": null}"#)).unwrap().tags().unwrap(), None);
    }
}
