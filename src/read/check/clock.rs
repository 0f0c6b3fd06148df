//! What is wished by the clock: a cron that fires, a zone there is, a moment that says where, and a schedule that changes something.

use std::fmt::Display;
use std::str::FromStr;

use super::super::findings::Findings;
use super::super::nearest::nearest;
use super::super::node::{Key, Node, Value};
use super::super::problem::quoted;
use crate::model::{Cron, Moment, Span, Zone};

const MOMENT: &str = "write one like `2026-11-24T23:00+01:00`, or `\"2026-11-24T23:00[Europe/Paris]\"`";

/// Checks schedule, session and suspension.
pub fn check(spec: &Node, findings: &mut Findings) {
    if let Some((key, schedule)) = spec.entry("schedule") {
        for entry in schedule.items() {
            readable::<Cron>(entry.entry("cron"), "when it should fire", |_| "write one like `0 23 * * *`: at 23:00".to_owned(), findings);
            readable::<Zone>(entry.entry("timezone"), "a time zone", near_zone, findings);
        }
        changes_something(spec, key, schedule, findings);
    }
    if let Some((key, session)) = spec.entry("session")
        && matches!(&session.value, Value::Map(entries) if entries.is_empty())
    {
        let hint = "add `until: 2026-11-24T23:00+01:00` or `max: 4h`, or remove `session`";
        findings.add_with_hint(key.span, "spec.session has neither `until` nor `max`", hint);
    }
    for until in ["session.until", "suspend.until"] {
        readable::<Moment>(spec.entry(until), "a moment", |_| MOMENT.to_owned(), findings);
    }
    let hint = |_: &str| "write a time like `4h` or `1h 30m`, from a minute to 30 days (`720h`)".to_owned();
    readable::<Span>(spec.entry("session.max"), "how long a session may last", hint, findings);
}

/// Tells a text that means nothing. Another kind of value, and none, is told by the schema.
fn readable<T>(entry: Option<(&Key, &Node)>, what: &str, hint: impl Fn(&str) -> String, findings: &mut Findings)
where
    T: FromStr<Err: Display>,
{
    let Some((key, node)) = entry else { return };
    let Some(text) = node.text().filter(|it| !it.is_empty()) else { return };
    if let Err(why) = text.parse::<T>() {
        // To find a near name takes time.
        if findings.is_full() {
            return findings.skip();
        }
        findings.add_with_hint(node.place(Some(key)), format!("{} does not say {what}: {why}", quoted(text)), hint(text));
    }
}

fn near_zone(text: &str) -> String {
    let names = Zone::names();
    // A city that is written without its continent is meant as well.
    let whole = names.iter().map(String::as_str);
    let city = || names.iter().find(|it| it.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text)));
    match nearest(text, whole).or_else(|| city().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write a name of the IANA database, like `Europe/Paris`, or `UTC`".to_owned(),
    }
}

/// One state in all entries is wished always: the schedule decides, not `serverState`. To be present again and again has a
/// sense where the machine goes to sleep by itself.
fn changes_something(spec: &Node, key: &Key, schedule: &Node, findings: &mut Findings) {
    let states: Vec<Option<&str>> = schedule.items().iter().map(|it| it.at("serverState").and_then(Node::text)).collect();
    let Some(Some(state)) = states.first().copied() else { return };
    if !["present", "stopped", "absent"].contains(&state) || states.iter().any(|it| *it != Some(state)) {
        return;
    }
    let sleeps = spec.at("session.max").is_some() || spec.at("autostop").is_some_and(|it| it.at("enable").is_none_or(Node::is_true));
    if state == "present" && sleeps {
        return;
    }
    let message = format!("every entry of spec.schedule says {}, so that it would be {state} always", quoted(state));
    let hint = "a schedule decides in place of serverState: add an entry with another one, or remove `schedule`";
    findings.add_with_hint(key.span, message, hint);
}
