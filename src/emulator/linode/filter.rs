//! Filters: what the header `X-Filter` asks for.
//!
//! A JSON object. A plain key wants its field to be equal (a list: to contain it); an object as the value holds
//! comparisons (`+gt`, `+gte`, `+lt`, `+lte`, `+neq`, `+contains`); `+and` and `+or` hold lists of further filters;
//! `+order_by` and `+order` sort. Everything in one object must hold at once.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::problem::invalid;
use crate::emulator::face::Answer;

/// What a row must be like to be shown, and in which order rows come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    condition: Option<Condition>,
    order: Option<(String, bool)>,
}

/// What must hold of a row.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    /// A field, by its dotted name, in comparison with a value.
    Field(String, Test, Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    Equal,
    Differs,
    Above,
    AtLeast,
    Below,
    AtMost,
    Contains,
}

/// How deep filters may be nested.
const DEPTH: usize = 16;

impl Filter {
    /// Reads a header's value; `fields` are the names one may filter by.
    ///
    /// Errors: 400 with the field `X-Filter`, if it is no such object or asks for another field.
    pub fn read(header: &str, fields: &[&str]) -> Result<Filter, Answer> {
        if header.trim().is_empty() {
            return Ok(Filter::default());
        }
        let Ok(Value::Object(map)) = serde_json::from_str(header) else { return Err(malformed()) };
        let mut order = None;
        if let Some(by) = map.get("+order_by") {
            let by = by.as_str().ok_or_else(malformed)?;
            known(by, fields)?;
            order = Some(by.to_owned());
        }
        let falling = match map.get("+order").map(Value::as_str) {
            None | Some(Some("asc")) => false,
            Some(Some("desc")) => true,
            Some(_) => return Err(malformed()),
        };
        Ok(Filter { condition: Some(all(&map, fields, DEPTH)?), order: order.map(|by| (by, falling)) })
    }

    /// The rows that are asked for, in the order that is asked for.
    pub fn apply(&self, mut rows: Vec<Value>) -> Vec<Value> {
        if let Some(condition) = &self.condition {
            rows.retain(|row| condition.holds(row));
        }
        if let Some((by, falling)) = &self.order {
            rows.sort_by(|one, other| {
                let order = compare(field(one, by), field(other, by));
                if *falling { order.reverse() } else { order }
            });
        }
        rows
    }
}

fn all(map: &Map<String, Value>, fields: &[&str], depth: usize) -> Result<Condition, Answer> {
    let depth = depth.checked_sub(1).ok_or_else(malformed)?;
    let mut conditions = Vec::new();
    for (key, value) in map {
        match (key.as_str(), value) {
            ("+order" | "+order_by", _) => {}
            ("+and", Value::Array(parts)) => conditions.push(Condition::All(several(parts, fields, depth)?)),
            ("+or", Value::Array(parts)) => conditions.push(Condition::Any(several(parts, fields, depth)?)),
            ("+and" | "+or", _) => return Err(malformed()),
            (name, value) => conditions.push(of_field(name, value, fields, depth)?),
        }
    }
    Ok(Condition::All(conditions))
}

fn several(parts: &[Value], fields: &[&str], depth: usize) -> Result<Vec<Condition>, Answer> {
    parts.iter().map(|part| all(part.as_object().ok_or_else(malformed)?, fields, depth)).collect()
}

fn of_field(name: &str, value: &Value, fields: &[&str], depth: usize) -> Result<Condition, Answer> {
    let Value::Object(map) = value else {
        known(name, fields)?;
        return Ok(Condition::Field(name.to_owned(), Test::Equal, value.clone()));
    };
    let depth = depth.checked_sub(1).ok_or_else(malformed)?;
    let mut conditions = Vec::new();
    for (key, value) in map {
        let test = match key.as_str() {
            "+eq" => Test::Equal,
            "+neq" => Test::Differs,
            "+gt" => Test::Above,
            "+gte" => Test::AtLeast,
            "+lt" => Test::Below,
            "+lte" => Test::AtMost,
            "+contains" => Test::Contains,
            other if other.starts_with('+') => return Err(malformed()),
            // An object in an object is the dotted name, written out.
            inner => {
                conditions.push(of_field(&format!("{name}.{inner}"), value, fields, depth)?);
                continue;
            }
        };
        known(name, fields)?;
        conditions.push(Condition::Field(name.to_owned(), test, value.clone()));
    }
    Ok(Condition::All(conditions))
}

fn known(name: &str, fields: &[&str]) -> Result<(), Answer> {
    if fields.contains(&name) {
        return Ok(());
    }
    Err(invalid("X-Filter", &format!("Cannot filter on {name}")))
}

fn malformed() -> Answer {
    invalid("X-Filter", "Invalid JSON")
}

impl Condition {
    fn holds(&self, row: &Value) -> bool {
        match self {
            Condition::All(conditions) => conditions.iter().all(|condition| condition.holds(row)),
            Condition::Any(conditions) => conditions.iter().any(|condition| condition.holds(row)),
            Condition::Field(name, test, wanted) => test.holds(field(row, name), wanted),
        }
    }
}

impl Test {
    fn holds(self, found: &Value, wanted: &Value) -> bool {
        if let Value::Array(items) = found
            && !wanted.is_array()
        {
            return match self {
                Test::Differs => items.iter().all(|item| self.holds(item, wanted)),
                _ => items.iter().any(|item| self.holds(item, wanted)),
            };
        }
        let ordered = |fits: fn(Ordering) -> bool| !found.is_null() && !wanted.is_null() && fits(compare(found, wanted));
        match self {
            Test::Equal => equal(found, wanted),
            Test::Differs => !equal(found, wanted),
            Test::Above => ordered(Ordering::is_gt),
            Test::AtLeast => ordered(Ordering::is_ge),
            Test::Below => ordered(Ordering::is_lt),
            Test::AtMost => ordered(Ordering::is_le),
            Test::Contains => match (found, wanted) {
                (Value::Null | Value::Object(_) | Value::Array(_), _) => false,
                (found, wanted) => plain(found).to_lowercase().contains(&plain(wanted).to_lowercase()),
            },
        }
    }
}

/// The field of a row by its dotted name; null if it has none.
fn field<'r>(row: &'r Value, name: &str) -> &'r Value {
    match row.get(name) {
        Some(found) => found,
        None => name.split('.').fold(row, |value, part| value.get(part).unwrap_or(&Value::Null)),
    }
}

/// Whether two values are the same; a number is the same as the text that writes it.
fn equal(found: &Value, wanted: &Value) -> bool {
    let scalar = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    found == wanted || (scalar(found) && scalar(wanted) && plain(found) == plain(wanted))
}

/// The order of two values: numbers by size, all else by its text; null comes first.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Null, Value::Null) => return Ordering::Equal,
        (Value::Null, _) => return Ordering::Less,
        (_, Value::Null) => return Ordering::Greater,
        _ => {}
    }
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => plain(one).cmp(&plain(other)),
    }
}

/// A value as text, without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::emulator::face::Body;

    const FIELDS: [&str; 6] = ["id", "label", "tags", "created", "entity.id", "size"];

    fn rows() -> Vec<Value> {
        vec![
            json!({"id": 1, "label": "one", "tags": ["a", "b"], "created": "2026-05-20T18:36:32", "entity": {"id": 7}, "size": 20}),
            json!({"id": 2, "label": "Two", "tags": [], "created": "2026-05-20T18:36:33", "entity": null, "size": 3}),
            json!({"id": 10, "label": "three", "tags": ["b"], "created": "2026-05-19T00:00:00", "entity": {"id": "linode/x"}, "size": null}),
        ]
    }

    fn ids(filter: Value) -> Vec<i64> {
        let rows = Filter::read(&filter.to_string(), &FIELDS).unwrap().apply(rows());
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }

    #[test]
    fn filters_choose_rows() {
        let cases = [
            (json!({}), vec![1, 2, 10]),
            (json!({"label": "one"}), vec![1]),
            (json!({"label": "not-found"}), vec![]),
            (json!({"id": "10"}), vec![10]),
            (json!({"tags": "b"}), vec![1, 10]),
            (json!({"+and": [{"tags": "a"}, {"tags": "b"}]}), vec![1]),
            (json!({"+or": [{"id": 1}, {"id": 2}], "label": {"+neq": "one"}}), vec![2]),
            (json!({"tags": {"+neq": "a"}}), vec![2, 10]),
            (json!({"entity.id": 7}), vec![1]),
            (json!({"entity": {"id": 7}}), vec![1]),
            (json!({"entity.id": null}), vec![2]),
            (json!({"id": {"+gt": 1, "+lt": 10}}), vec![2]),
            (json!({"id": {"+gte": 2}}), vec![2, 10]),
            (json!({"size": {"+lte": 20}}), vec![1, 2]),
            (json!({"created": {"+gte": "2026-05-20T18:36:33"}}), vec![2]),
            (json!({"label": {"+contains": "t"}}), vec![2, 10]),
            (json!({"tags": {"+contains": "A"}}), vec![1]),
            (json!({"+order_by": "size"}), vec![10, 2, 1]),
            (json!({"+order_by": "id", "+order": "desc"}), vec![10, 2, 1]),
            (json!({"+order_by": "created", "+order": "desc", "tags": "b"}), vec![1, 10]),
        ];
        for (filter, wanted) in cases {
            assert_eq!(ids(filter.clone()), wanted, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_filtered_is_refused() {
        let refused = |header: &str| match Filter::read(header, &FIELDS).unwrap_err().body {
            Body::Json(value) => value["errors"][0].clone(),
            other => panic!("{other:?}"),
        };
        for header in [r#"{"foo": "bar"}"#, r#"{"+or": [{"foo": 1}]}"#, r#"{"+order_by": "foo"}"#, r#"{"foo": {"+gt": 1}}"#] {
            assert_eq!(refused(header), json!({"reason": "Cannot filter on foo", "field": "X-Filter"}), "{header}");
        }
        let deep = format!("{}1{}", r#"{"+and":["#.repeat(40), "]}".repeat(40));
        for header in ["{", "[]", "3", r#"{"+and": {}}"#, r#"{"+order": "up"}"#, r#"{"id": {"+like": 1}}"#, deep.as_str()] {
            assert_eq!(refused(header), json!({"reason": "Invalid JSON", "field": "X-Filter"}), "{header}");
        }
    }

    #[test]
    fn no_filter_shows_all() {
        for header in ["", " ", "{}"] {
            assert_eq!(Filter::read(header, &[]).unwrap().apply(rows()), rows());
        }
    }
}
