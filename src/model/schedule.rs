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
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
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
        Some(until) if ended(state) != state => (ended(state), Because::Until, Some(until.zoned().clone())),
        _ => (state, because, since),
    }
}

/// What is wished in place of a state once the session is over.
fn ended(state: ServerState) -> ServerState {
    if state == ServerState::Present { ServerState::Absent } else { state }
}

/// So many moments are looked at for one at which the wish changes: ticks that others cover in the same moment are none.
const MOST_TICKS: usize = 200;

fn next_change(spec: &Spec, now: Timestamp, state: ServerState) -> Option<Change> {
    let until = spec.session.as_ref().and_then(|it| it.until.as_ref());
    let mut from = now;
    for _ in 0..MOST_TICKS {
        let is_over = until.is_some_and(|it| it.at() <= from);
        let ticks = spec.schedule.iter().filter_map(|it| {
            let says = if is_over { ended(it.server_state) } else { it.server_state };
            // An entry that wishes what is wished already changes nothing.
            it.cron.next(it.timezone.rules(), from).filter(|_| says != state)
        });
        let next = ticks.chain(until.map(Moment::at).filter(|it| *it > from)).min()?;
        let (to, because, since) = state_at(spec, next);
        if to != state {
            let zone = since.map_or(TimeZone::UTC, |it| it.time_zone().clone());
            return Some(Change { at: next.to_zoned(zone), to, because });
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

/// The same by the clock that was set for the wish, where the vendor's runs `speed` times as fast as ours, and only while it
/// is to come.
pub fn session_ends_at(ask: &Ask, world: &World, speed: f64) -> Option<Timestamp> {
    let wish = ask.by_clock.as_ref().filter(|it| it.state == ServerState::Present)?;
    let end = session_end(ask, world).filter(|end| *end > world.now)?;
    let left = (end.seconds_since(world.now) as f64 / speed).ceil() as i64;
    wish.now.checked_add(SignedDuration::from_secs(left)).ok()
}

/// When an instance is to be looked at again for the clock's sake, at the latest: its wish is to be asked anew then.
pub fn look_again(ask: &Ask, world: &World, speed: f64) -> Option<Timestamp> {
    let ticks = ask.by_clock.as_ref().and_then(|it| it.look_again);
    ticks.into_iter().chain(session_ends_at(ask, world, speed)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn spec(more: Value) -> Spec {
        let mut spec = json!({"serverState": "present", "provider": {"local": {}}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(spec).unwrap()
    }

    fn entry(cron: &str, zone: &str, state: &str) -> Value {
        json!({"cron": cron, "timezone": zone, "serverState": state})
    }

    fn evenings() -> Spec {
        spec(json!({"schedule": [entry("0 18 * * *", "Europe/Paris", "present"), entry("0 23 * * *", "Europe/Paris", "absent")]}))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(spec: &Spec, now: &str) -> (ServerState, String) {
        let wish = wish_at(spec, at(now));
        (wish.state, wish.next.map_or("never".to_owned(), |it| format!("{:?} at {} by {}", it.to, it.at, it.because)))
    }

    /// An evening in Paris, to the second. Who looks late sees what who looked in time sees.
    #[test]
    fn the_latest_tick_decides() {
        let (on, off) = (ServerState::Present, ServerState::Absent);
        let evening = |day: &str, state: &str, number| {
            let hour = if number == 1 { 18 } else { 23 };
            format!("{state} at 2026-11-{day}T{hour}:00:00+01:00[Europe/Paris] by schedule {number}")
        };
        assert_eq!(told(&evenings(), "2026-11-24T16:59:59Z"), (off, evening("24", "Present", 1)));
        assert_eq!(told(&evenings(), "2026-11-24T17:00:00Z"), (on, evening("24", "Absent", 2)));
        assert_eq!(told(&evenings(), "2026-11-24T21:59:59Z"), (on, evening("24", "Absent", 2)));
        assert_eq!(told(&evenings(), "2026-11-24T22:00:00Z"), (off, evening("25", "Present", 1)));
        let wish = wish_at(&evenings(), at("2026-11-25T03:00:00Z"));
        assert_eq!((wish.because, wish.since.unwrap().timestamp()), (Because::Schedule(2), at("2026-11-24T22:00:00Z")));
        assert_eq!(wish.look_again, Some(at("2026-11-25T17:00:00Z")));
    }

    /// `serverState` counts where nothing ticked in the last year alone; of two ticks in one moment the later entry counts.
    #[test]
    fn what_counts_where_ticks_are_missing_or_meet() {
        let leap = spec(json!({"schedule": [entry("0 0 29 2 *", "UTC", "absent")]}));
        assert_eq!(told(&leap, "2028-02-28T23:59:59Z").0, ServerState::Present);
        assert_eq!(told(&leap, "2028-02-29T00:00:00Z").0, ServerState::Absent);
        assert_eq!(told(&leap, "2029-02-01T00:00:00Z").0, ServerState::Absent);
        assert_eq!(told(&leap, "2029-06-01T00:00:00Z"), (ServerState::Present, "never".to_owned()));
        assert_eq!(wish_at(&leap, at("2029-06-01T00:00:00Z")).because, Because::Declared);
        let meeting = |first, second| {
            let schedule = json!([entry("0 8 * * *", "UTC", first), entry("0 9 * * *", "Europe/Paris", second)]);
            told(&spec(json!({"schedule": schedule})), "2026-11-24T08:00:00Z").0
        };
        assert_eq!((meeting("present", "stopped"), meeting("stopped", "present")), (ServerState::Stopped, ServerState::Present));
        // At midnight it is said to be stopped, and in the same moment, by a later entry, to be as it was.
        let covered = [entry("0 0 * * *", "UTC", "stopped"), entry("0 0 * * 1-6", "UTC", "present"), entry("0 0 * * 0", "UTC", "absent")];
        let next = told(&spec(json!({"schedule": covered})), "2026-11-24T12:00:00Z");
        assert_eq!(next, (ServerState::Present, "Absent at 2026-11-29T00:00:00+00:00[UTC] by schedule 3".to_owned()));
    }

    /// An end is there at its second, ends what would be present and nothing else, and lasts through the schedule.
    #[test]
    fn a_session_has_an_end() {
        let until = json!({"until": "2026-11-24T20:00+01:00"});
        let plain = spec(json!({"session": until}));
        let end = "Absent at 2026-11-24T20:00:00+01:00[+01:00] by session.until";
        assert_eq!(told(&plain, "2026-11-24T18:59:59Z"), (ServerState::Present, end.to_owned()));
        assert_eq!(told(&plain, "2026-11-24T19:00:00Z"), (ServerState::Absent, "never".to_owned()));
        assert_eq!(wish_at(&plain, at("2026-11-24T18:59:59Z")).look_again, Some(at("2026-11-24T19:00:00Z")));
        assert_eq!(wish_at(&plain, at("2026-11-24T19:00:00Z")).look_again, None);
        let evenings = Spec { session: plain.session, ..evenings() };
        assert_eq!(told(&evenings, "2026-11-24T18:00:00Z"), (ServerState::Present, end.to_owned()));
        assert_eq!(told(&evenings, "2026-11-30T18:00:00Z"), (ServerState::Absent, "never".to_owned()));
        // Off at night, and on again, but that the session is over: then it is archived, when it would have been on.
        let mut nights = evenings.clone();
        nights.schedule[1].server_state = ServerState::Stopped;
        let archived = "Absent at 2026-11-25T18:00:00+01:00[+01:00] by session.until".to_owned();
        assert_eq!(told(&nights, "2026-11-24T23:00:00Z"), (ServerState::Stopped, archived));
        let stopped = Spec { server_state: ServerState::Stopped, schedule: Vec::new(), ..evenings };
        assert_eq!(told(&stopped, "2026-11-24T19:00:00Z"), (ServerState::Stopped, "never".to_owned()));
    }

    #[test]
    fn hands_are_kept_off_until_then() {
        let spec = spec(json!({"suspend": {"until": "2026-11-24T20:00Z"}}));
        let end = at("2026-11-24T20:00:00Z");
        assert!(spec.suspend.is_on(None) && spec.suspend.is_on(Some(at("2026-11-24T19:59:59Z"))));
        assert!(!spec.suspend.is_on(Some(end)));
        assert_eq!(wish_at(&spec, at("2026-11-24T19:59:59Z")).look_again, Some(end));
        assert!(Suspend::Whether(true).is_on(Some(end)) && !Suspend::Whether(false).is_on(None));
    }

    /// One entry of a week, as a minute of it is compared with it: the clock's minute, hour and weekday, or `*`.
    struct Weekly {
        minute: Option<i8>,
        hour: Option<i8>,
        weekday: Option<i8>,
        zone: &'static str,
        state: &'static str,
    }

    impl Weekly {
        fn entry(&self) -> Value {
            let word = |it: Option<i8>| it.map_or("*".to_owned(), |it| it.to_string());
            entry(&format!("{} {} * * {}", word(self.minute), word(self.hour), word(self.weekday)), self.zone, self.state)
        }

        fn means(&self, time: jiff::civil::DateTime) -> bool {
            let is = |wanted: Option<i8>, value: i8| wanted.is_none_or(|it| it == value);
            is(self.minute, time.minute()) && is(self.hour, time.hour()) && is(self.weekday, time.date().weekday().to_sunday_zero_offset())
        }
    }

    /// A clock on the wall, looked at every minute by somebody who keeps what it showed: he sees what is skipped, and what
    /// comes again.
    struct Wall {
        zone: TimeZone,
        /// The latest time that it ever showed.
        latest: jiff::civil::DateTime,
    }

    impl Wall {
        /// The times that it shows for the first time now, with those that it jumped over.
        fn news(&mut self, now: Timestamp) -> Vec<jiff::civil::DateTime> {
            let shown = self.zone.to_datetime(now);
            let mut news = Vec::new();
            while self.latest < shown {
                self.latest = self.latest.checked_add(SignedDuration::from_mins(1)).unwrap();
                news.push(self.latest);
            }
            news
        }
    }

    /// Two weeks, minute by minute, with clocks on the wall, say what is wished at every moment: no matter when it is asked,
    /// with both changes of Paris and of Lord Howe in between.
    #[test]
    fn who_waits_sees_what_who_asks_sees() {
        let paris = "Europe/Paris";
        let weekly = |minute, hour, weekday, zone, state| Weekly { minute, hour, weekday, zone, state };
        let stories = [
            (
                "2027-03-20T00:00:00Z",
                vec![weekly(Some(30), Some(2), None, paris, "present"), weekly(Some(0), Some(3), None, paris, "absent")],
            ),
            (
                "2027-03-20T00:00:00Z",
                vec![weekly(Some(0), Some(3), None, paris, "present"), weekly(Some(30), Some(2), None, paris, "absent")],
            ),
            (
                "2027-10-23T00:00:00Z",
                vec![weekly(Some(15), Some(2), None, paris, "present"), weekly(Some(45), Some(2), None, paris, "absent")],
            ),
            (
                "2027-10-23T00:00:00Z",
                vec![weekly(Some(30), None, None, paris, "stopped"), weekly(Some(0), None, Some(0), paris, "present")],
            ),
            (
                "2027-03-27T00:00:00Z",
                vec![
                    weekly(Some(45), Some(1), None, "Australia/Lord_Howe", "present"),
                    weekly(Some(10), Some(2), None, "Australia/Lord_Howe", "absent"),
                    weekly(Some(0), Some(1), Some(0), "Asia/Tokyo", "stopped"),
                ],
            ),
            (
                "2026-09-26T00:00:00Z",
                vec![
                    weekly(Some(10), Some(2), None, "Australia/Lord_Howe", "present"),
                    weekly(Some(35), Some(2), None, "Australia/Lord_Howe", "absent"),
                    weekly(Some(0), Some(16), Some(6), "UTC", "stopped"),
                ],
            ),
        ];
        for (from, entries) in &stories {
            let spec = spec(json!({"schedule": entries.iter().map(Weekly::entry).collect::<Vec<_>>()}));
            let mut walls: Vec<Wall> = (entries.iter())
                .map(|it| {
                    let zone = TimeZone::clone(it.zone.parse::<Zone>().unwrap().rules());
                    Wall { latest: zone.to_datetime(at(from)), zone }
                })
                .collect();
            let (mut state, mut foretold): (Option<&str>, Option<Change>) = (None, None);
            for minute in 1..14 * 1_440 {
                let now = at(from) + SignedDuration::from_mins(minute);
                let before = state;
                for (wall, entry) in walls.iter_mut().zip(entries) {
                    if wall.news(now).into_iter().any(|it| entry.means(it)) {
                        state = Some(entry.state);
                    }
                }
                // After a week everything has ticked.
                if minute < 7 * 1_440 {
                    continue;
                }
                let is_due = foretold.as_ref().is_some_and(|it| it.at.timestamp() == now);
                assert_eq!(is_due, foretold.is_some() && state != before, "{now}: {before:?} to {state:?}, foretold {foretold:?}");
                if minute % 7 == 0 || state != before {
                    for moment in [now, now + SignedDuration::from_secs(59)] {
                        let wish = wish_at(&spec, moment);
                        assert_eq!(
                            json!(wish.state),
                            json!(state),
                            "{moment}: {entries:?}",
                            entries = entries.iter().map(Weekly::entry).collect::<Vec<_>>()
                        );
                        foretold = wish.next;
                    }
                }
            }
        }
    }
}
