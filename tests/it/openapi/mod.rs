//! The vendor's own description of its API as the judge of what was sent to it: operation, query, filter and body of every
//! request. The description is read from beside the repository; what is newer than it is in `newer`.

mod newer;
mod schema;

use self::schema::{Schema, said};
use serde_json::{Map, Value};
use std::{fs, path::Path};

/// Linode's API as it describes itself.
pub struct OpenApi {
    tree: Value,
}

/// One request of an emulator's log.
struct Request<'a> {
    method: String,
    /// Without the version.
    path: Vec<&'a str>,
    entry: &'a Value,
}

impl OpenApi {
    /// The description beside the repository; none, with a notice, where it is not there.
    pub fn beside() -> Option<OpenApi> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/linode-openapi.json");
        let Ok(text) = fs::read_to_string(&path) else {
            println!("skipped: no description of the API at {}", path.display());
            return None;
        };
        Some(OpenApi { tree: serde_json::from_str(&text).expect("the description is JSON") })
    }

    /// What is wrong with the requests of a log, as the emulator gives it at `/_emulator/log`: `method`, `path`, `query` (lists of
    /// texts by name), `filter` (the text of the header, or null) and `body`. A line each, with the request it is about.
    pub fn violations(&self, log: &[Value]) -> Vec<String> {
        let mut all = Vec::new();
        for entry in log {
            let method = entry["method"].as_str().unwrap_or_default().to_lowercase();
            let path = entry["path"].as_str().unwrap_or_default();
            let mut found = Vec::new();
            match path.strip_prefix("/v4beta/").or_else(|| path.strip_prefix("/v4/")) {
                Some(rest) => self.judge(&Request { method: method.clone(), path: rest.split('/').collect(), entry }, &mut found),
                None => found.push("not a path of the API".to_owned()),
            }
            all.extend(found.into_iter().map(|what| format!("{} {path}: {what}", method.to_uppercase())));
        }
        all
    }

    fn judge(&self, request: &Request, found: &mut Vec<String>) {
        if let Some(operation) = newer::operation(&request.method, &request.path) {
            return self.judge_newer(request, operation, found);
        }
        let Some((template, shared, operation)) = self.operation(request) else {
            found.push("no such operation".to_owned());
            return;
        };
        let newer = newer::fields(&request.method, &template);
        self.query(request, [shared, operation], found);
        self.filter(request, operation, newer.filters, found);
        let content = self.at(&operation["requestBody"])["content"].clone();
        let schema = &content["application/json"]["schema"];
        let body = &request.entry["body"];
        match (body, schema) {
            (Value::Null, _) if operation["requestBody"]["required"] == true => found.push("no body".to_owned()),
            (Value::Null, _) => {}
            (Value::Object(map), Value::Null) if map.is_empty() => {}
            (_, Value::Null) => found.push(format!("a body where there is none: {}", said(body))),
            _ => {
                Schema::new(&self.tree, schema).check("", &newer.without(body, found), newer.not_required, found);
            }
        }
    }

    /// A request of an operation that the description does not have yet.
    fn judge_newer(&self, request: &Request, operation: &newer::Operation, found: &mut Vec<String>) {
        let query = request.entry["query"].as_object().into_iter().flatten();
        found.extend(
            query.filter(|(key, _)| !["page", "page_size"].contains(&key.as_str())).map(|(key, _)| format!("query {key} is unknown")),
        );
        newer::check(operation, &request.entry["body"], found);
    }

    /// The operation of a request, with its path and what all operations of that path share.
    fn operation(&self, request: &Request) -> Option<(String, &Value, &Value)> {
        let fits = |template: &&String| {
            let parts: Vec<&str> = template.trim_start_matches("/{apiVersion}/").split('/').collect();
            is_at(&parts, &request.path)
        };
        let paths = self.tree["paths"].as_object()?;
        // A literal part is more than a variable one.
        let template =
            paths.keys().filter(fits).filter(|it| paths[*it].get(&request.method).is_some()).min_by_key(|it| it.matches('{').count())?;
        Some((template.trim_start_matches("/{apiVersion}/").to_owned(), &paths[template], &paths[template][&request.method]))
    }

    fn query(&self, request: &Request, from: [&Value; 2], found: &mut Vec<String>) {
        let known: Vec<&Value> =
            from.iter().flat_map(|it| it["parameters"].as_array().into_iter().flatten()).map(|it| self.at(it)).collect();
        for (key, values) in request.entry["query"].as_object().into_iter().flatten() {
            if newer::is_paged(&request.path) && ["page", "page_size"].contains(&key.as_str()) {
                continue;
            }
            let Some(parameter) = known.iter().find(|it| it["in"] == "query" && it["name"] == **key) else {
                found.push(format!("query {key} is unknown"));
                continue;
            };
            for value in values.as_array().into_iter().flatten().filter_map(Value::as_str) {
                // A text in the query stands for whatever it is to be.
                let value = match parameter["schema"]["type"].as_str() {
                    Some("integer") => value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from),
                    _ => Value::from(value),
                };
                Schema::new(&self.tree, &parameter["schema"]).check(&format!("query {key}"), &value, &[], found);
            }
        }
    }

    /// Only what is marked for it can be filtered by.
    fn filter(&self, request: &Request, operation: &Value, newer: &[&str], found: &mut Vec<String>) {
        let Some(text) = request.entry["filter"].as_str() else { return };
        let Ok(filter) = serde_json::from_str::<Value>(text) else {
            found.push(format!("filter {text} is not JSON"));
            return;
        };
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let rows = Schema::new(&self.tree, answer).property("data").and_then(|it| it.element());
        let Some(rows) = rows.filter(|_| request.method == "get") else {
            found.push("a filter, and no list".to_owned());
            return;
        };
        let mut keys = Vec::new();
        filtered_by(&filter, &mut keys);
        for key in keys.into_iter().filter(|key| !newer.contains(&key.as_str())) {
            let property = key.split('.').try_fold(rows.clone(), |schema, part| schema.property(part));
            if !property.is_some_and(|it| it.is_filterable()) {
                found.push(format!("filter on {key}, which cannot be filtered by"));
            }
        }
    }

    fn at<'a>(&'a self, tree: &'a Value) -> &'a Value {
        schema::at(&self.tree, tree)
    }
}

/// Does a path fit a template? Ids of images and kernels have a slash of their own.
fn is_at(template: &[&str], path: &[&str]) -> bool {
    match (template, path) {
        ([], []) => true,
        ([part, rest @ ..], [first, second, more @ ..])
            if ["{imageId}", "{kernelId}"].contains(part) && ["linode", "private", "shared"].contains(first) =>
        {
            !second.is_empty() && is_at(rest, more)
        }
        ([part, rest @ ..], [first, more @ ..]) => (part == first || (part.starts_with('{') && !first.is_empty())) && is_at(rest, more),
        _ => false,
    }
}

/// The fields that a filter names.
fn filtered_by(filter: &Value, keys: &mut Vec<String>) {
    let Some(map) = filter.as_object() else { return };
    let combined = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for inner in combined(map, "+and").iter().chain(&combined(map, "+or")) {
        filtered_by(inner, keys);
    }
    keys.extend(map.keys().filter(|key| !key.starts_with('+')).cloned());
    keys.extend(map.get("+order_by").and_then(Value::as_str).map(str::to_owned));
}

#[cfg(test)]
mod tests;
