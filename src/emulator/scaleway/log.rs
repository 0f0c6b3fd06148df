//! What was asked and answered, line by line, for whoever judges a client.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Body, Request};
use crate::emulator::{FaultKind, Moment};

/// How many lines are kept.
const KEPT: usize = 20_000;

/// The latest requests.
#[derive(Default)]
pub struct Log {
    /// The number of the next request.
    pub next: u64,
    /// The lines, the latest last.
    pub lines: VecDeque<Value>,
}

impl Log {
    /// Adds the line of the next request; gives its number.
    pub fn add(&mut self, line: impl FnOnce(u64) -> Value) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line(number));
        number
    }
}

/// A line of the log: `status` is 0 where the connection was closed without an answer, `time` is in cloud seconds since
/// 1970, `seen` is the condition of every object the answer showed. What is told to a guest may be secret, and is left out.
pub fn entry(request: &Request, answer: Option<&Answer>, fault: Option<FaultKind>, number: u64, at: Moment) -> Value {
    let is_secret = request.path.iter().any(|part| part == "user_data");
    let body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(body) if !is_secret => body,
        _ => Value::Null,
    };
    let mut query: Map<String, Value> = Map::new();
    for (key, value) in &request.query {
        if let Some(values) = query.entry(key.clone()).or_insert_with(|| json!([])).as_array_mut() {
            values.push(json!(value));
        }
    }
    json!({
        "seq": number,
        "method": request.method,
        "path": format!("/{}", request.path.join("/")),
        "query": query,
        "status": answer.map_or(0, |answer| answer.status),
        "time": at.seconds_since(Moment(0)),
        "body": body,
        "seen": answer.map(|answer| seen(request, answer)).unwrap_or_default(),
        "fault": fault,
    })
}

/// The condition of every object that an answer shows, by id; `gone` for one that was asked for and is not there.
fn seen(request: &Request, answer: &Answer) -> Map<String, Value> {
    let mut seen = Map::new();
    if request.method == "GET" && answer.status == 404 {
        if let Some(id) = request.path.last() {
            seen.insert(id.clone(), json!("gone"));
        }
        return seen;
    }
    let Body::Json(body) = &answer.body else { return seen };
    let bare = body["id"].is_string().then_some(body);
    let envelope = body.as_object().filter(|_| bare.is_none());
    let inside = envelope.into_iter().flatten().filter(|(key, _)| *key != "task").map(|(_, value)| value);
    let listed = inside.clone().filter_map(Value::as_array).flatten();
    for object in bare.into_iter().chain(inside).chain(listed) {
        let condition = object["status"].as_str().or(object["state"].as_str());
        if let (Some(id), Some(condition)) = (object["id"].as_str(), condition) {
            seen.insert(id.to_owned(), json!(condition));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_in(path: &str, status: u16, body: Value) -> Value {
        let path = path.split('/').map(str::to_owned).collect();
        let request = Request { method: "GET".to_owned(), path, ..Request::default() };
        entry(&request, Some(&Answer::json(status, body)), None, 0, Moment(1_500_000))["seen"].clone()
    }

    #[test]
    fn a_line_tells_what_was_seen() {
        assert_eq!(seen_in("servers/a", 200, json!({"server": {"id": "a", "state": "stopped"}})), json!({"a": "stopped"}));
        assert_eq!(seen_in("volumes", 200, json!({"volumes": [{"id": "v", "status": "in_use"}]})), json!({"v": "in_use"}));
        assert_eq!(seen_in("volumes/v", 200, json!({"id": "v", "status": "creating"})), json!({"v": "creating"}));
        let snapshot = json!({"id": "s", "status": "creating", "parent_volume": {"id": "v", "status": "available"}});
        assert_eq!(seen_in("snapshots", 200, snapshot), json!({"s": "creating"}));
        assert_eq!(seen_in("servers/a", 404, json!({"type": "not_found"})), json!({"a": "gone"}));
    }

    #[test]
    fn secrets_and_lost_answers_leave_gaps() {
        let path = ["servers", "a", "user_data", "cloud-init"].map(str::to_owned).to_vec();
        let request = Request { method: "PATCH".to_owned(), path, body: b"{\"a\":1}".to_vec(), ..Request::default() };
        let line = entry(&request, None, Some(FaultKind::LostReply), 3, Moment(1_500_000));
        assert_eq!((&line["body"], &line["status"], &line["time"]), (&Value::Null, &json!(0), &json!(1.5)));
        assert_eq!(line["fault"], "lost-reply");
    }
}
