//! The wish by the clock: what a schedule, a session and a suspension make of a spec at a moment.
//!
//! A function of the spec and the moment alone. So nothing is remembered: whoever was down when a tick came wishes the
//! same afterwards as who was not, and two who apply one file agree. What `session.max` ends is a fact on the cloud
//! instead, since it depends on when the server was started: see [`session_end`].

use super::{
    Aim, Applied, Ask, ServerState, Spec, Stamp, World,
    cron::Cron,
    moment::{Moment, Span, Zone},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One change of the wish that comes again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleEntry {
    /// When: minute, hour, day of the month, month and day of the week. A time that daylight saving skips comes when the
    /// clock jumps, one that it repeats comes once.
    #[schemars(with = "String", length(min = 1, max = 100), example = &"0 23 * * *")]
    pub cron: Cron,
    /// Whose clock is meant.
    #[schemars(with = "String", length(min = 1, max = 64), example = &"Europe/Paris")]
    pub timezone: Zone,
    /// What is wished from then on, until another entry comes.
    pub server_state: ServerState,
}

/// When an instance that is present is archived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// From this moment on, whatever would be present is absent, until this says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100), example = &"2026-11-24T23:00+01:00")]
    pub until: Option<Moment>,
    /// So long after the server was made, or this spec was first applied to it, it is archived; `cloudypad wake` begins
    /// another session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100), example = &"4h")]
    pub max: Option<Span>,
}

/// Whether hands are kept off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Suspend {
    /// Until this says otherwise, or not at all.
    Whether(bool),
    /// For a time.
    Until(SuspendUntil),
}

/// The end of a suspension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuspendUntil {
    /// From this moment on, hands are not kept off any more.
    #[schemars(with = "String", length(min = 1, max = 100), example = &"2026-11-24T23:00+01:00")]
    pub until: Moment,
}

impl Default for Suspend {
    fn default() -> Self {
        Suspend::Whether(false)
    }
}

impl Suspend {
    /// Whether hands are kept off; who does not know what time it is keeps them off as long as may be.
    pub fn is_on(&self, now: Option<Timestamp>) -> bool {
        match self {
            Suspend::Whether(whether) => *whether,
            Suspend::Until(it) => now.is_none_or(|now| now < it.until.at()),
        }
    }
}

/// What makes the wish of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Because {
    /// The spec's `serverState`.
    Declared,
    /// An entry of the schedule, by its number from 1.
    Schedule(usize),
    /// The session is over: `session.until`.
    Until,
    /// The session is over: `session.max`.
    Max,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Declared => f.write_str("serverState"),
            Because::Schedule(number) => write!(f, "schedule {number}"),
            Because::Until => f.write_str("session.until"),
            Because::Max => f.write_str("session.max"),
        }
    }
}

/// What is wished at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The moment.
    pub now: Timestamp,
    /// What is wished then.
    pub state: ServerState,
    /// Why.
    pub because: Because,
    /// Since when, where a clock said so.
    pub since: Option<Zoned>,
    /// What is wished next, and when, where a clock says so.
    pub next: Option<Change>,
    /// When this is to be asked again at the latest: something ticks, or hands are not kept off any more.
    pub look_again: Option<Timestamp>,
}

/// A wish to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When, in the zone in which it is written.
    pub at: Zoned,
    /// What is wished then.
    pub to: ServerState,
    /// Why.
    pub because: Because,
}

/// What is wished at `now`. The latest tick at or before it wins, of ticks in one moment the later entry in the list; where
/// none was in about a year, the spec's `serverState`. A session that is over archives what would be present.
pub fn wish_at(spec: &Spec, now: Timestamp) -> Wish {
    let until = spec.session.as_ref().and_then(|it| it.until.as_ref());
    let (state, because, since) = state_at(spec, now);
    let next_ticks = spec.schedule.iter().filter_map(|it| it.cron.next(it.timezone.rules(), now));
    let ends = [until, suspended_until(spec)].into_iter().flatten().map(Moment::at).filter(|it| *it > now);
    Wish { now, state, because, since, next: next_change(spec, now, state), look_again: next_ticks.chain(ends).min() }
}

/// When hands are not kept off any more, where that was said.
fn suspended_until(spec: &Spec) -> Option<&Moment> {
    match &spec.suspend {
        Suspend::Until(it) => Some(&it.until),
        Suspend::Whether(_) => None,
    }
}

fn state_at(spec: &Spec, now: Timestamp) -> (ServerState, Because, Option<Zoned>) {
    let ticks = spec.schedule.iter().enumerate().filter_map(|(index, it)| Some((it.cron.last(it.timezone.rules(), now)?, index)));
    let (state, because, since) = match ticks.max() {
        Some((tick, index)) => {
            let entry = &spec.schedule[index];
            (entry.server_state, Because::Schedule(index + 1), Some(tick.to_zoned(entry.timezone.rules().clone())))
        }
        None => (spec.server_state, Because::Declared, None),
    };
    match spec.session.as_ref().and_then(|it| it.until.as_ref()).filter(|it| it.at() <= now) {
        Some(until) if state == ServerState::Present => (ServerState::Absent, Because::Until, Some(until.zoned().clone())),
        _ => (state, because, since),
    }
}

/// So many moments are looked at for one at which the wish changes: ticks that others cover in the same moment are none.
const MOST_TICKS: usize = 200;

fn next_change(spec: &Spec, now: Timestamp, state: ServerState) -> Option<Change> {
    let until = spec.session.as_ref().and_then(|it| it.until.as_ref());
    let mut from = now;
    for _ in 0..MOST_TICKS {
        let ticks = spec.schedule.iter().filter_map(|it| {
            // An entry that wishes what is wished already changes nothing, but that what would be present may be over.
            let tells = it.server_state != state && !(it.server_state == ServerState::Present && until.is_some_and(|it| it.at() <= from));
            it.cron.next(it.timezone.rules(), from).filter(|_| tells)
        });
        let next = ticks.chain(until.map(Moment::at).filter(|it| *it > from)).min()?;
        let (to, because, since) = state_at(spec, next);
        if to != state {
            // What changes it began then: it says in which zone.
            return Some(Change { at: since.unwrap_or_else(|| next.to_zoned(TimeZone::UTC)), to, because });
        }
        from = next;
    }
    None
}

/// When the session of a server that is there ends by `session.max`, by the vendor's clock: so long after the server was
/// made or, if that was later, this wish was first applied to it. Both are stamps on the cloud.
pub fn session_end(ask: &Ask, world: &World) -> Option<Stamp> {
    let max = ask.spec.session.as_ref()?.max.as_ref()?.seconds();
    let server = world.servers.items().first()?;
    let applied = Applied::latest(world).filter(|it| it.is_of(ask) && it.aim == Aim::Reach(ServerState::Present))?;
    let begun = server.created.max(Stamp(applied.at.saturating_mul(1_000_000)));
    Some(begun.plus_seconds(max))
}
