//! How an instance is, as conditions that tools wait for: Ready, Progressing, Held, Drifted.

use super::{PlanView, standing};
use crate::model::{Applied, Condition, ConditionKind, Hold, Readiness, Truth, Verdict};

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

fn condition(kind: ConditionKind, status: Truth, reason: &str, message: impl Into<String>) -> Condition {
    Condition { kind, status, reason: reason.to_owned(), message: message.into() }
}

/// The hold that says that nothing could be seen.
fn blindness<'a>(view: &'a PlanView<'_>) -> Option<&'a Hold> {
    match &view.forecast.end {
        Verdict::Held(hold @ (Hold::Blind { .. } | Hold::Denied { .. })) => Some(hold),
        _ => None,
    }
}

fn unknown(kind: ConditionKind, hold: &Hold) -> Condition {
    condition(kind, Truth::Unknown, hold.code(), hold.to_string())
}

/// Whether somebody can play.
fn is_ready(view: &PlanView<'_>, ready: Option<&Readiness>) -> Condition {
    if let Some(hold) = blindness(view) {
        return unknown(ConditionKind::Ready, hold);
    }
    let stands = standing(view.world);
    match ready {
        _ if stands == "unknown" => condition(ConditionKind::Ready, Truth::Unknown, "Unseen", "a part of it could not be seen"),
        Some(it) if it.is_ready() => condition(ConditionKind::Ready, Truth::True, it.answer.code(), it.to_string()),
        Some(it) => condition(ConditionKind::Ready, Truth::False, it.answer.code(), it.to_string()),
        None if stands == "running" && view.ask.spec.ready_port().is_none() && !view.has_work() => {
            condition(ConditionKind::Ready, Truth::True, "Running", "its server runs, and it has no port that would show more")
        }
        None if stands == "running" => {
            condition(ConditionKind::Ready, Truth::False, "NotSetUp", "its server runs, and something of it is still missing")
        }
        None => condition(ConditionKind::Ready, Truth::False, "NotRunning", format!("it is {stands}")),
    }
}

/// Whether something is to be done, or under way, that needs nobody.
fn is_progressing(view: &PlanView<'_>, last: LastRun) -> Condition {
    let kind = ConditionKind::Progressing;
    if last == LastRun::UnderWay {
        return condition(kind, Truth::True, "RunUnderWay", "a run is changing it");
    }
    if let Some(hold) = blindness(view) {
        return unknown(kind, hold);
    }
    match view.forecast.acts.first() {
        Some(act) => {
            condition(kind, Truth::True, "ChangesPending", format!("next: {} {}, because {}", act.line.verb, act.line.object, act.reason))
        }
        None if view.has_work() => condition(kind, Truth::True, "Waiting", "the cloud is at something that is awaited"),
        None if view.is_held() => condition(kind, Truth::False, "Held", "nothing is done until its owner does something"),
        None => condition(kind, Truth::False, "InSync", "it is as its spec says"),
    }
}

/// Whether its owner is needed.
fn is_held(view: &PlanView<'_>) -> Condition {
    match &view.forecast.end {
        Verdict::Held(hold) => condition(ConditionKind::Held, Truth::True, hold.code(), format!("{hold}; you can: {}", hold.remedy())),
        _ => condition(ConditionKind::Held, Truth::False, "NotHeld", "nothing stands in its way"),
    }
}

/// Whether the cloud is otherwise than the spec that was applied last, and no run of ours is why.
fn is_drifted(view: &PlanView<'_>, last: LastRun) -> Condition {
    let kind = ConditionKind::Drifted;
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
        ) => condition(kind, Truth::True, hold.code(), hold.to_string()),
        _ if view.is_in_sync() => condition(kind, Truth::False, "InSync", "it is as its spec says"),
        _ if last == LastRun::UnderWay => condition(kind, Truth::False, "RunUnderWay", "a run is changing it"),
        _ if last == LastRun::Unfinished => condition(kind, Truth::False, "RunUnfinished", "its last run did not come to its end"),
        (_, Some(act)) if is_applied => condition(
            kind,
            Truth::True,
            "ChangedOutside",
            format!("to put it back: {} {}, because {}", act.line.verb, act.line.object, act.reason),
        ),
        _ if is_applied => condition(kind, Truth::False, "AsApplied", "nothing of it is otherwise than the spec that was applied last"),
        _ => condition(kind, Truth::False, "NotApplied", "its spec was not applied as it is now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_shaped_as_kubernetes_shapes_them() {
        let told = condition(ConditionKind::Held, Truth::True, "Suspended", "the spec says to keep hands off");
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"type": "Held", "status": "True", "reason": "Suspended", "message": "the spec says to keep hands off"})
        );
    }
}
