//! What is wished by the clock, for people and for tools: what comes next, and when.

use super::{PlanView, wished};
use crate::model::{Because, ServerState, session_ends_at, spec::Suspend};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::{Value, json};
use std::fmt;

/// The next change of a wish, as one may expect it.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// When, in the zone in which it is written.
    pub at: Zoned,
    /// What is wished then.
    pub to: ServerState,
    /// Why.
    pub because: Because,
    /// When it is said.
    pub now: Timestamp,
}

impl fmt::Display for Upcoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({})", wished(self.to, false), time_text(&self.at, self.now), self.because)
    }
}

/// A time for people, like `Tue 24 Nov 23:00 Europe/Paris`; seconds and the year only where they say something.
pub fn time_text(at: &Zoned, now: Timestamp) -> String {
    let year = if at.year() == now.to_zoned(at.time_zone().clone()).year() { "" } else { " %Y" };
    let seconds = if at.second() == 0 { "" } else { ":%S" };
    let zone = match at.time_zone().iana_name() {
        Some(name) => name.to_owned(),
        None => at.strftime("%:z").to_string(),
    };
    format!("{} {zone}", at.strftime(&format!("%a %-d %b{year} %H:%M{seconds}")))
}

impl PlanView<'_> {
    /// What is wished next, where a schedule or a session says so and nobody deletes it.
    pub fn upcoming(&self) -> Option<Upcoming> {
        let (wish, ask) = (self.ask.by_clock.as_ref()?, self.ask);
        let by_clock = wish.next.clone().map(|it| Upcoming { at: it.at, to: it.to, because: it.because, now: wish.now });
        let max = session_ends_at(ask, self.world, self.cloud.speed).map(|at| {
            let zone = by_clock.as_ref().map_or(TimeZone::UTC, |it| it.at.time_zone().clone());
            Upcoming { at: at.to_zoned(zone), to: ServerState::Absent, because: Because::Max, now: wish.now }
        });
        by_clock.into_iter().chain(max).filter(|_| ask.deletion.is_none()).min_by_key(|it| it.at.timestamp())
    }

    /// Until when hands are kept off, where they are and that has an end.
    fn suspended_until(&self) -> Option<&Zoned> {
        match &self.ask.spec.suspend {
            Suspend::Until(it) if self.ask.is_suspended() => Some(it.until.zoned()),
            _ => None,
        }
    }
}

/// What a plan says of the clock.
pub(super) fn clock_lines(view: &PlanView<'_>) -> Vec<String> {
    let Some(wish) = &view.ask.by_clock else { return Vec::new() };
    let mut lines = Vec::new();
    if let (Some(since), None) = (wish.since.as_ref().filter(|_| wish.because == Because::Until), view.ask.deletion) {
        let since = time_text(since, wish.now);
        lines.push(format!("its session is over since {since}: it is archived until session.until is another one, or gone"));
    }
    if let Some(until) = view.suspended_until() {
        lines.push(format!("suspended until {}", time_text(until, wish.now)));
    }
    lines.extend(view.upcoming().map(|it| format!("next: {it}")));
    lines
}

/// What is wished by the clock, and what comes next; null where nothing is.
pub fn clock_json(view: &PlanView<'_>) -> Value {
    let Some(wish) = &view.ask.by_clock else { return Value::Null };
    let spec = &view.ask.spec;
    let suspended = view.suspended_until().map(|it| it.timestamp().to_string());
    if spec.schedule.is_empty() && spec.session.is_none() && suspended.is_none() {
        return Value::Null;
    }
    let next = view.upcoming().map(|it| {
        let zone = it.at.time_zone().iana_name().map(str::to_owned);
        json!({"at": it.at.timestamp().to_string(), "zone": zone, "to": wished(it.to, false), "because": it.because.to_string()})
    });
    json!({
        "because": wish.because.to_string(), "since": wish.since.as_ref().map(|it| it.timestamp().to_string()),
        "suspendedUntil": suspended, "next": next,
    })
}
