//! How an instance is, as conditions that tools wait for: Ready, Progressing, Held, Drifted.

use super::{PlanView, standing};
use crate::model::{Applied, Hold, Readiness, Verdict};
use serde::Serialize;

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Holds {
    /// It does.
    True,
    /// It does not.
    False,
    /// That cannot be seen.
    Unknown,
}

/// One condition, shaped as Kubernetes shapes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// `Ready`, `Progressing`, `Held`, `Drifted`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it holds.
    pub status: Holds,
    /// Why, in one word for tools.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

/// What is known of the instance's last run on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastRun {
    /// It ended, or there was none that we know of.
    Over,
    /// It was cut off, or stopped between two steps: what is missing is what it did not come to.
    Unfinished,
    /// It goes on.
    UnderWay,
}

/// The conditions of an instance, from a look, the plan from it, and, where a port was asked, whether somebody can play.
pub fn conditions(view: &PlanView<'_>, ready: Option<&Readiness>, last: LastRun) -> [Condition; 4] {
    [is_ready(view, ready), is_progressing(view, last), is_held(view), is_drifted(view, last)]
}

fn condition(kind: &'static str, status: Holds, reason: &str, message: impl Into<String>) -> Condition {
    Condition { kind, status, reason: reason.to_owned(), message: message.into() }
}

/// The hold that says that nothing could be seen.
fn blindness<'a>(view: &'a PlanView<'_>) -> Option<&'a Hold> {
    match &view.forecast.end {
        Verdict::Held(hold @ (Hold::Blind { .. } | Hold::Denied { .. })) => Some(hold),
        _ => None,
    }
}

fn unknown(kind: &'static str, hold: &Hold) -> Condition {
    condition(kind, Holds::Unknown, hold.code(), hold.to_string())
}

/// Whether somebody can play.
fn is_ready(view: &PlanView<'_>, ready: Option<&Readiness>) -> Condition {
    if let Some(hold) = blindness(view) {
        return unknown("Ready", hold);
    }
    let stands = standing(view.world);
    match ready {
        _ if stands == "unknown" => condition("Ready", Holds::Unknown, "Unseen", "a part of it could not be seen"),
        Some(it) if it.is_ready() => condition("Ready", Holds::True, it.answer.code(), it.to_string()),
        Some(it) => condition("Ready", Holds::False, it.answer.code(), it.to_string()),
        None if stands == "running" && view.ask.spec.ready_port().is_none() && !view.has_work() => {
            condition("Ready", Holds::True, "Running", "its server runs, and it has no port that would show more")
        }
        None if stands == "running" => {
            condition("Ready", Holds::False, "NotSetUp", "its server runs, and something of it is still missing")
        }
        None => condition("Ready", Holds::False, "NotRunning", format!("it is {stands}")),
    }
}

/// Whether something is to be done, or under way, that needs nobody.
fn is_progressing(view: &PlanView<'_>, last: LastRun) -> Condition {
    let kind = "Progressing";
    if last == LastRun::UnderWay {
        return condition(kind, Holds::True, "RunUnderWay", "a run is changing it");
    }
    if let Some(hold) = blindness(view) {
        return unknown(kind, hold);
    }
    match view.forecast.acts.first() {
        Some(act) => {
            condition(kind, Holds::True, "ChangesPending", format!("next: {} {}, because {}", act.line.verb, act.line.object, act.reason))
        }
        None if view.has_work() => condition(kind, Holds::True, "Waiting", "the cloud is at something that is awaited"),
        None if view.is_held() => condition(kind, Holds::False, "Held", "nothing is done until its owner does something"),
        None => condition(kind, Holds::False, "InSync", "it is as its spec says"),
    }
}

/// Whether its owner is needed.
fn is_held(view: &PlanView<'_>) -> Condition {
    match &view.forecast.end {
        Verdict::Held(hold) => condition("Held", Holds::True, hold.code(), format!("{hold}; you can: {}", hold.remedy())),
        _ => condition("Held", Holds::False, "NotHeld", "nothing stands in its way"),
    }
}

/// Whether the cloud is otherwise than the spec that was applied last, and no run of ours is why.
fn is_drifted(view: &PlanView<'_>, last: LastRun) -> Condition {
    let kind = "Drifted";
    if let Some(hold) = blindness(view) {
        return unknown(kind, hold);
    }
    let is_applied = Applied::latest(view.world).is_some_and(|it| it.is_of(view.ask));
    match (&view.forecast.end, view.forecast.acts.first()) {
        (
            Verdict::Held(
                hold @ (Hold::DiskGone { .. } | Hold::AttachedElsewhere { .. } | Hold::ForeignDisk { .. } | Hold::TagsDamaged { .. }),
            ),
            _,
        ) => condition(kind, Holds::True, hold.code(), hold.to_string()),
        _ if view.is_in_sync() => condition(kind, Holds::False, "InSync", "it is as its spec says"),
        _ if last == LastRun::UnderWay => condition(kind, Holds::False, "RunUnderWay", "a run is changing it"),
        _ if last == LastRun::Unfinished => condition(kind, Holds::False, "RunUnfinished", "its last run did not come to its end"),
        (_, Some(act)) if is_applied => condition(
            kind,
            Holds::True,
            "ChangedOutside",
            format!("to put it back: {} {}, because {}", act.line.verb, act.line.object, act.reason),
        ),
        _ if is_applied => condition(kind, Holds::False, "AsApplied", "nothing of it is otherwise than the spec that was applied last"),
        _ => condition(kind, Holds::False, "NotApplied", "its spec was not applied as it is now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_shaped_as_kubernetes_shapes_them() {
        let told = condition("Held", Holds::True, "Suspended", "the spec says to keep hands off");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"type": "Held", "status": "True", "reason": "Suspended", "message": "the spec says to keep hands off"})
        );
    }
}
