//! What was asked and answered, line by line, for whoever judges a client.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Request};
use super::vendor::Vendor;
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

/// What is known of a request beside itself and its answer.
pub struct Trace<'r> {
    /// The name by which faults know it, where it found an endpoint.
    pub operation: Option<&'r str>,
    /// What befell it.
    pub fault: Option<FaultKind>,
    /// Its number.
    pub number: u64,
    /// The cloud time of its answer.
    pub at: Moment,
}

/// A line of the log: `status` is 0 where the connection was closed without an answer, `time` is in cloud seconds since
/// 1970, `seen` is the condition of every object the answer showed.
pub fn entry(vendor: &dyn Vendor, request: &Request, answer: Option<&Answer>, trace: &Trace) -> Value {
    let mut query: Map<String, Value> = Map::new();
    for (key, value) in &request.query {
        if let Some(values) = query.entry(key.clone()).or_insert_with(|| json!([])).as_array_mut() {
            values.push(json!(value));
        }
    }
    json!({
        "seq": trace.number,
        "method": request.method,
        "path": format!("/{}", request.path.join("/")),
        "query": query,
        "filter": request.header("x-filter"),
        "status": answer.map_or(0, |answer| answer.status),
        "time": trace.at.seconds_since(Moment(0)),
        "body": vendor.told(request),
        "seen": answer.map(|answer| vendor.seen(request, answer)).unwrap_or_default(),
        "operation": trace.operation,
        "fault": trace.fault,
    })
}
