//! What a request body says, field by field.

use serde_json::{Map, Value, json};

use super::words::detail;
use crate::emulator::face::{Answer, Request};

/// The fields of a JSON object. A field that is null counts as absent, except where [`Fields::is_null`] asks.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a request's body.
    ///
    /// Errors: 400, if it is no JSON object.
    pub fn of(request: &Request) -> Result<Fields, Answer> {
        match request.json()? {
            Value::Object(map) => Ok(Fields(map)),
            _ => Err(Answer::legacy(400, "Invalid JSON", json!({}))),
        }
    }

    /// The fields of a value; none if it is no object.
    pub fn within(value: &Value) -> Fields {
        Fields(value.as_object().cloned().unwrap_or_default())
    }

    /// The value of a field, if it is there and not null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Whether a field is there and null.
    pub fn is_null(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(Value::is_null)
    }

    /// Whether one of these fields is there, and not null.
    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.get(key).is_some())
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Answer> {
        self.typed(key, "expected str", Value::as_str)
    }

    /// A text that is not empty.
    pub fn word(&self, key: &str) -> Result<Option<&str>, Answer> {
        Ok(self.text(key)?.filter(|text| !text.is_empty()))
    }

    /// A yes or no.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Answer> {
        self.typed(key, "expected bool", Value::as_bool)
    }

    /// A number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Answer> {
        self.typed(key, "expected int", Value::as_u64)
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Answer> {
        let wrong = || invalid(key, "format", "expected a list");
        let Some(value) = self.get(key) else { return Ok(None) };
        let items = value.as_array().ok_or_else(wrong)?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
    }

    /// A text that must be there.
    pub fn needed(&self, key: &str) -> Result<&str, Answer> {
        self.word(key)?.ok_or_else(|| Answer::invalid_arguments(vec![required(key)]))
    }

    fn typed<'f, T>(&'f self, key: &str, help: &str, read: impl FnOnce(&'f Value) -> Option<T>) -> Result<Option<T>, Answer> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| invalid(key, "format", help)),
        }
    }
}

/// The detail of a missing key.
pub fn required(argument: &str) -> Value {
    detail(argument, "required", "required key not provided")
}

/// 400 with one detail.
pub fn invalid(argument: &str, reason: &str, help: &str) -> Answer {
    Answer::invalid_arguments(vec![detail(argument, reason, help)])
}

/// 400 `resource_not_usable`, as instances say it.
pub fn not_usable(help: &str) -> Answer {
    Answer::precondition(400, "resource_not_usable", help)
}

/// The tags of a change to an instance object, which may be absent but not null.
pub fn patched_tags(fields: &Fields) -> Result<Option<Vec<String>>, Answer> {
    if fields.is_null("tags") {
        return Err(Answer::legacy(400, "Validation Error", json!({"fields": {"tags": ["expected a list"]}})));
    }
    fields.texts("tags")
}
