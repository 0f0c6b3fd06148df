//! Which events are news, each told once: a run that changed something, a hold, readiness, drift, a guard that holds.

use crate::model::digest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// So many ids are remembered.
const MOST_IDS: usize = 1_000;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    /// The same for all its tries, and no other's.
    pub id: String,
    /// `ended`, `held`, `ready`, `notReady`, `drift`, `guardHeld`.
    pub what: &'static str,
    /// The object that is sent.
    pub body: Vec<u8>,
}

/// Picks news from events, which come as they are to tools.
#[derive(Default)]
pub(super) struct Desk {
    /// By namespace and name.
    known: BTreeMap<(String, String), Known>,
    told: VecDeque<String>,
}

/// What was heard of one instance.
#[derive(Default)]
struct Known {
    /// Its spec was reached, and no other was read since.
    settled: bool,
    /// The run under way began because it was looked at again, and nothing was to be done yet.
    looked_again: bool,
    /// What it is held for, as it was told.
    held: Option<String>,
}

impl Desk {
    /// The news in an event.
    pub fn hear(&mut self, event: &Value) -> Option<News> {
        let what = self.what(event)?;
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        let at = jiff::Timestamp::now().to_string();
        let id = match text("run") {
            "" => format!("{:016x}-{what}", digest(&format!("{at} {event}"))),
            run => format!("{run}-{what}"),
        };
        if self.told.contains(&id) {
            return None;
        }
        self.told.push_back(id.clone());
        if self.told.len() > MOST_IDS {
            self.told.pop_front();
        }
        let body = json!({
            "v": 1, "type": "notice", "id": id, "notice": what, "at": at,
            "namespace": event["namespace"], "name": event["name"], "run": event["run"], "commit": event["commit"], "event": event,
        });
        Some(News { id, what, body: body.to_string().into_bytes() })
    }

    fn what(&mut self, event: &Value) -> Option<&'static str> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let known = self.known.entry((text(&event["namespace"]), text(&event["name"]))).or_default();
        match (event["type"].as_str()?, event["verdict"].as_str()) {
            ("began", _) => {
                let again = event["why"] == "resync";
                known.settled &= again;
                known.looked_again = again && known.settled;
                None
            }
            ("started", _) => std::mem::take(&mut known.looked_again).then_some("drift"),
            ("ended", Some("done")) => {
                (known.settled, known.held) = (true, None);
                (event["calls"].as_u64()? > 0).then_some("ended")
            }
            ("ended", Some("held")) => {
                let code = text(&event["hold"]["code"]);
                (known.held.replace(code.clone()) != Some(code)).then_some("held")
            }
            ("ended", _) => {
                known.settled = false;
                None
            }
            ("guardHeld", _) => {
                let why = text(&event["message"]);
                (known.held.replace(why.clone()) != Some(why)).then_some("guardHeld")
            }
            ("guardPassed", _) => {
                known.held = None;
                None
            }
            ("ready", _) => Some(if event["ready"] == true { "ready" } else { "notReady" }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(desk: &mut Desk, events: &[Value]) -> Vec<&'static str> {
        events.iter().filter_map(|it| desk.hear(it)).map(|it| it.what).collect()
    }

    fn held(run: &str, code: &str) -> Value {
        json!({"type": "ended", "verdict": "held", "name": "mypad", "namespace": "default", "run": run, "hold": {"code": code}})
    }

    fn done(run: &str, calls: u64) -> Value {
        json!({"type": "ended", "verdict": "done", "name": "mypad", "namespace": "default", "run": run, "calls": calls})
    }

    fn began(run: &str, why: &str) -> Value {
        json!({"type": "began", "name": "mypad", "namespace": "default", "run": run, "why": why})
    }

    fn started(run: &str) -> Value {
        json!({"type": "started", "name": "mypad", "namespace": "default", "run": run})
    }

    #[test]
    fn a_hold_is_news_until_it_is_over_or_another_one() {
        let mut desk = Desk::default();
        let events = [held("1", "Blind"), held("2", "Blind"), held("3", "Stuck"), done("4", 0), held("5", "Stuck")];
        assert_eq!(heard(&mut desk, &events), ["held", "held", "held"]);
        let other =
            json!({"type": "ended", "verdict": "held", "name": "other", "namespace": "default", "run": "6", "hold": {"code": "Stuck"}});
        assert_eq!(heard(&mut desk, &[other]), ["held"], "each instance is its own");
    }

    #[test]
    fn only_what_was_as_its_spec_says_can_have_drifted() {
        let mut desk = Desk::default();
        let first = [began("1", "resync"), started("1"), done("1", 9)];
        assert_eq!(heard(&mut desk, &first), ["ended"], "what is made for the first time has not drifted");
        let again = [began("2", "resync"), started("2"), started("2"), done("2", 2)];
        assert_eq!(heard(&mut desk, &again), ["drift", "ended"]);
        let edited = [began("3", "edit"), started("3"), done("3", 1), began("4", "resync"), done("4", 0)];
        assert_eq!(heard(&mut desk, &edited), ["ended"]);
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut desk = Desk::default();
        let one = desk.hear(&done("1", 2)).unwrap();
        assert_eq!(desk.hear(&done("1", 2)), None);
        assert_eq!(one.id, "1-ended");
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!((&body["event"]["calls"], &body["name"], &body["notice"]), (&json!(2), &json!("mypad"), &json!("ended")));
    }
}
