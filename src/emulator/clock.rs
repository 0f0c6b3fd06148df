//! Cloud time: it may run faster than life, or stand still until a test moves it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in cloud time, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// The moment that never comes.
    pub const NEVER: Moment = Moment(i64::MAX);

    /// The moment so many seconds later.
    pub fn plus_seconds(self, seconds: u64) -> Moment {
        self.plus(Duration::from_secs(seconds))
    }

    /// The moment this much later.
    pub fn plus(self, by: Duration) -> Moment {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Moment(self.0.saturating_add(micros))
    }

    /// Seconds from an earlier moment to this one; negative if that one is later.
    pub fn seconds_since(self, earlier: Moment) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Moment::NEVER {
            return f.write_str("never");
        }
        let micros = self.0.rem_euclid(1_000_000);
        let seconds = self.0.div_euclid(1_000_000);
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Year, month and day of a day counted from 1970-01-01.
fn date_of(mut days: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += days_in(year);
    }
    while days >= days_in(year) {
        days -= days_in(year);
        year += 1;
    }
    let february = days_in(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

fn days_in(year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if leap { 366 } else { 365 }
}

/// How the time of a cloud should pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clock {
    /// So many cloud seconds in a second of life.
    Speed(f64),
    /// Only when told to, by `Cloud::advance`.
    Manual,
    /// As it does already; in a new cloud, as in life.
    AsIs,
}

/// A running clock, as it is persisted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timepiece {
    /// Driven by the wall clock.
    Wall {
        /// Wall time when this speed was set.
        base_wall: Moment,
        /// Cloud time when this speed was set.
        base_cloud: Moment,
        /// Cloud seconds per wall second.
        speed: f64,
    },
    /// Driven by hand.
    Manual {
        /// The cloud time.
        now: Moment,
    },
}

impl Timepiece {
    /// Where a clock that is moved by hand begins: 2026-01-01T00:00:00Z.
    const DAWN: Moment = Moment(1_767_225_600_000_000);

    /// The clock of a new cloud.
    pub(super) fn new(clock: Clock) -> Timepiece {
        match clock {
            Clock::Speed(_) | Clock::AsIs => Timepiece::starting_at(clock, wall()),
            Clock::Manual => Timepiece::starting_at(clock, Timepiece::DAWN),
        }
    }

    /// A clock that goes on from a known cloud time.
    pub(super) fn starting_at(clock: Clock, now: Moment) -> Timepiece {
        match clock {
            Clock::Speed(speed) => Timepiece::Wall { base_wall: wall(), base_cloud: now, speed },
            Clock::Manual => Timepiece::Manual { now },
            Clock::AsIs => Timepiece::starting_at(Clock::Speed(1.0), now),
        }
    }

    /// The choice this clock follows.
    pub fn clock(&self) -> Clock {
        match self {
            Timepiece::Wall { speed, .. } => Clock::Speed(*speed),
            Timepiece::Manual { .. } => Clock::Manual,
        }
    }

    /// Whether this clock goes as chosen already.
    pub(super) fn follows(&self, clock: Clock) -> bool {
        clock == Clock::AsIs || clock == self.clock()
    }

    /// The cloud time; a wall clock that was set back does not take it below its base.
    pub(super) fn now(&self) -> Moment {
        match self {
            Timepiece::Wall { base_wall, base_cloud, speed } => {
                let passed = wall().0.saturating_sub(base_wall.0).max(0);
                Moment(base_cloud.0.saturating_add((passed as f64 * speed) as i64))
            }
            Timepiece::Manual { now } => *now,
        }
    }

    /// The clock to go on with instead of this one, if the wall clock was set back since the latest known cloud time.
    pub(super) fn caught_up(&self, latest: Moment) -> Option<Timepiece> {
        self.rebased(wall(), latest)
    }

    /// The same by the wall time given: this clock would stand still until the wall clock is where it was, which is of no
    /// account if that takes a second or less.
    fn rebased(&self, wall: Moment, latest: Moment) -> Option<Timepiece> {
        let Timepiece::Wall { base_wall, base_cloud, speed } = *self else {
            return None;
        };
        let latest = latest.max(base_cloud);
        let shown = wall.seconds_since(base_wall) * speed;
        let behind = latest.seconds_since(base_cloud) - shown;
        (behind > speed).then_some(Timepiece::Wall { base_wall: wall, base_cloud: latest, speed })
    }

    /// Moves the clock ahead at once.
    pub(super) fn advance(&mut self, by: Duration) {
        match self {
            Timepiece::Wall { base_cloud, .. } => *base_cloud = base_cloud.plus(by),
            Timepiece::Manual { now } => *now = now.plus(by),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "cloud time is made from wall time, here and nowhere else")]
fn wall() -> Moment {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(0).plus(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_a_date() {
        assert_eq!(Moment(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Moment(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Moment(951_782_400_000_000).to_string(), "2000-02-29T00:00:00.000000Z");
        assert_eq!(Timepiece::DAWN.to_string(), "2026-01-01T00:00:00.000000Z");
        let last = Timepiece::DAWN.plus_seconds(364 * 86_400 + 86_399);
        assert_eq!(last.to_string(), "2026-12-31T23:59:59.000000Z");
    }

    #[test]
    fn a_hand_clock_moves_only_by_hand() {
        let mut clock = Timepiece::new(Clock::Manual);
        assert_eq!(clock.now(), Timepiece::DAWN);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now(), Timepiece::DAWN.plus_seconds(90));
        assert_eq!(clock.rebased(Moment(0), Moment::NEVER), None);
    }

    #[test]
    fn a_wall_clock_set_back_stops_no_time() {
        let (wall, cloud) = (Moment(1_000_000_000), Moment(5_000_000_000));
        let clock = Timepiece::Wall { base_wall: wall, base_cloud: cloud, speed: 10.0 };
        let latest = cloud.plus_seconds(1000);
        assert_eq!(clock.rebased(wall.plus_seconds(100), latest), None);
        assert_eq!(clock.rebased(wall.plus_seconds(200), latest), None);
        assert_eq!(clock.rebased(wall.plus_seconds(99), latest), None);
        let back = wall.plus_seconds(98);
        let rebased = Timepiece::Wall { base_wall: back, base_cloud: latest, speed: 10.0 };
        assert_eq!(clock.rebased(back, latest), Some(rebased));
        assert_eq!(rebased.rebased(back, latest), None);

        let before = Moment(0);
        let rebased = Timepiece::Wall { base_wall: before, base_cloud: cloud, speed: 10.0 };
        assert_eq!(clock.rebased(before, cloud), Some(rebased));
    }

    #[test]
    fn a_clock_as_it_is_goes_on_or_goes_like_life() {
        assert!(Timepiece::new(Clock::AsIs).follows(Clock::Speed(1.0)));
        assert!(!Timepiece::new(Clock::AsIs).follows(Clock::Manual));
        assert!(Timepiece::new(Clock::Speed(60.0)).follows(Clock::AsIs));
        assert!(Timepiece::new(Clock::Manual).follows(Clock::AsIs));
    }
}
