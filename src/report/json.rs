//! JSON, one object a line. `specs/output.md` documents it; `v` grows when a field changes its meaning.

use super::{PlanView, clock_json, standing, wished};
use crate::model::{Ending, Event, Hold, InstanceKey, Readiness, Verdict};
use serde_json::{Value, json};

/// The version of every JSON object printed.
pub const JSON_VERSION: u32 = 1;

fn hold_json(hold: &Hold) -> Value {
    json!({"code": hold.code(), "message": hold.to_string(), "remedy": hold.remedy()})
}

/// One instance's plan.
pub fn plan_json(view: &PlanView<'_>) -> Value {
    let ask = view.ask;
    let actions: Vec<Value> = view
        .forecast
        .acts
        .iter()
        .map(|act| {
            json!({
                "verb": act.line.verb, "object": act.line.object, "reason": act.reason.to_string(),
                "turn": act.turn, "beginsSeconds": act.begins, "endsSeconds": act.ends,
            })
        })
        .collect();
    let (verdict, hold) = match &view.forecast.end {
        Verdict::Held(hold) => ("held", hold_json(hold)),
        _ if view.is_in_sync() => ("inSync", Value::Null),
        _ => ("changes", Value::Null),
    };
    json!({
        "v": JSON_VERSION, "type": "plan",
        "namespace": ask.key.namespace, "name": ask.key.name, "place": view.place,
        "from": standing(view.world), "to": wished(ask.wished(), ask.deletion.is_some()),
        "verdict": verdict, "hold": hold, "actions": actions, "seconds": view.forecast.seconds,
        "notes": view.forecast.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "clock": clock_json(view),
    })
}

/// Whether a server is ready.
pub fn ready_json(it: &Readiness) -> Value {
    let remedy = (!it.is_ready()).then_some(&it.remedy);
    json!({
        "ready": it.is_ready(), "address": it.address, "port": it.port, "reason": it.answer.code(), "message": it.to_string(),
        "remedy": remedy,
    })
}

/// One event of a run.
pub fn event_json(key: &InstanceKey, event: &Event) -> Value {
    let mut value = match event {
        Event::Began { from, to } => json!({"type": "began", "from": from, "to": to}),
        Event::Started { key, line, reason } => {
            json!({"type": "started", "step": key, "verb": line.verb, "object": line.object, "reason": reason})
        }
        Event::Finished { key, line, took } => {
            json!({"type": "finished", "step": key, "verb": line.verb, "object": line.object, "seconds": took.as_secs_f64()})
        }
        Event::Failed { key, line, answer, then } => {
            json!({"type": "failed", "step": key, "verb": line.verb, "object": line.object, "answer": answer, "then": then})
        }
        Event::Waiting { until, expected } => json!({"type": "waiting", "until": until, "expectedSeconds": expected.as_secs_f64()}),
        Event::Arrived { until, took } => json!({"type": "arrived", "until": until, "seconds": took.as_secs_f64()}),
        Event::Said { key, text } => json!({"type": "said", "step": key, "text": text}),
        Event::Unseen { why } => json!({"type": "unseen", "why": why}),
        Event::Billed(objects) => json!({"type": "billed", "objects": objects}),
        Event::Noted(note) => json!({"type": "noted", "note": note.to_string()}),
        Event::LeftBehind(objects) => json!({"type": "leftBehind", "objects": objects}),
        Event::Ready(it) => {
            let mut value = ready_json(it);
            value["type"] = json!("ready");
            value
        }
        Event::Ended(Ending::Done { calls }) => json!({"type": "ended", "verdict": "done", "calls": calls}),
        Event::Ended(Ending::Held(hold)) => json!({"type": "ended", "verdict": "held", "hold": hold_json(hold)}),
        Event::Ended(Ending::Interrupted) => json!({"type": "ended", "verdict": "interrupted"}),
    };
    value["v"] = json!(JSON_VERSION);
    value["namespace"] = json!(key.namespace);
    value["name"] = json!(key.name);
    value
}
