//! When an entry of a schedule fires: five fields of cron, read in a time zone.
//!
//! Daylight saving: a time that a clock skips fires at the moment of its jump; one that it shows twice fires the first time.
//! So ticks come in the order in which they are written, none is lost and none comes twice.

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// For how many days a tick is looked for, into the past and into the future.
pub const YEAR: usize = 366;

/// Minute, hour, day of the month, month and day of the week, as cron has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    weekdays: Vec<i8>,
    /// Where both kinds of day are restricted, either is enough, as in every cron.
    either_day: bool,
}

/// What may stand in one field.
struct Field {
    name: &'static str,
    least: i8,
    most: i8,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day of the month", least: 1, most: 31, words: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // Sunday is 0, and 7.
    Field { name: "day of the week", least: 0, most: 7, words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!("it has {} of five fields: minute, hour, day of the month, month, day of the week", fields.len()));
        };
        let read = |index: usize, text: &str| FIELDS[index].read(text);
        let is_open = |field: &str| field.starts_with('*');
        let mut weekday_numbers: Vec<i8> = read(4, weekdays)?.into_iter().map(|it| it % 7).collect();
        weekday_numbers.sort_unstable();
        weekday_numbers.dedup();
        let cron = Self {
            text: fields.join(" "),
            minutes: read(0, minutes)?,
            hours: read(1, hours)?,
            days: read(2, days)?,
            months: read(3, months)?,
            weekdays: weekday_numbers,
            either_day: !is_open(days) && !is_open(weekdays),
        };
        let longest = |month: i8| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let has_day = cron.months.iter().any(|month| cron.days.iter().any(|day| *day <= longest(*month)));
        if has_day || cron.either_day { Ok(cron) } else { Err("no year has such a day".to_owned()) }
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<Vec<i8>, String> {
        let mut values = Vec::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (part, None),
            };
            let (first, last) = match (range, range.split_once('-')) {
                ("*", _) => (self.least, self.most),
                (_, Some((first, last))) => (self.value(first)?, self.value(last)?),
                (one, None) if step.is_some() => (self.value(one)?, self.most),
                (one, None) => (self.value(one)?, self.value(one)?),
            };
            if first > last {
                return Err(format!("the {} {range} ends before it begins", self.name));
            }
            let step = match step {
                None => 1,
                Some(step) => step
                    .parse::<usize>()
                    .ok()
                    .filter(|it| (1..=60).contains(it))
                    .ok_or_else(|| format!("/{step} is no step of the {}", self.name))?,
            };
            values.extend((first..=last).step_by(step));
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn value(&self, text: &str) -> Result<i8, String> {
        let named = self.words.iter().zip(self.least..).find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| value);
        // A sign is no part of a number here.
        let number = text.parse::<i8>().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()));
        let value = named.or(number).filter(|it| (self.least..=self.most).contains(it));
        value.ok_or_else(|| format!("{text:?} is no {}: write {} to {}", self.name, self.least, self.most))
    }
}

impl TryFrom<String> for Cron {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// The latest tick at or before `now`, of about the last year.
    pub fn last(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        // Where a clock was put back, a later time of day may have been before: one day more is looked at.
        let mut date = zone.to_datetime(now).date().tomorrow().ok()?;
        for _ in 0..=YEAR {
            let passed = self.passed(date, zone, now);
            if passed > 0 {
                return self.tick(date, passed - 1, zone);
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    /// The first tick after `now`, of about the next year.
    pub fn next(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let mut date = zone.to_datetime(now).date().yesterday().ok()?;
        for _ in 0..=YEAR {
            let passed = self.passed(date, zone, now);
            if passed < self.count(date) {
                return self.tick(date, passed, zone);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// How often it fires on this day.
    fn count(&self, date: Date) -> usize {
        if self.is_on(date) { self.hours.len() * self.minutes.len() } else { 0 }
    }

    fn is_on(&self, date: Date) -> bool {
        let weekday = match date.weekday() {
            Weekday::Sunday => 0,
            other => other.to_monday_one_offset(),
        };
        let (day, weekday) = (self.days.contains(&date.day()), self.weekdays.contains(&weekday));
        self.months.contains(&date.month()) && if self.either_day { day || weekday } else { day && weekday }
    }

    /// How many of a day's ticks are at or before `now`.
    fn passed(&self, date: Date, zone: &TimeZone, now: Timestamp) -> usize {
        let (mut passed, mut coming) = (0, self.count(date));
        // Ticks of a day come in its order, so that the first one that is still to come can be searched for.
        while passed < coming {
            let middle = passed + (coming - passed) / 2;
            if self.tick(date, middle, zone).is_some_and(|it| it <= now) { passed = middle + 1 } else { coming = middle }
        }
        passed
    }

    /// When a day's tick with this number is, from 0.
    fn tick(&self, date: Date, number: usize, zone: &TimeZone) -> Option<Timestamp> {
        let (hour, minute) = (self.hours.get(number / self.minutes.len())?, self.minutes[number % self.minutes.len()]);
        moment_of(date.at(*hour, minute, 0, 0), zone)
    }
}

/// The moment at which clocks of a zone first show a time, or jump over it.
pub(crate) fn moment_of(time: jiff::civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            let jumped = before.to_timestamp(time).ok()?.as_second().checked_add(1)?;
            zone.preceding(Timestamp::from_second(jumped).ok()?).next().map(|it| it.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn zone(name: &str) -> TimeZone {
        jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The ticks after `from` and at or before `to`, as clocks of the zone show them.
    fn ticks(text: &str, name: &str, from: &str, to: &str) -> Vec<String> {
        let (cron, zone, mut now, mut told) = (cron(text), zone(name), at(from), Vec::new());
        while let Some(tick) = cron.next(&zone, now).filter(|it| *it <= at(to)) {
            told.push(tick.to_zoned(zone.clone()).strftime("%d %H:%M%:z").to_string());
            now = tick;
        }
        told
    }

    /// In Paris it is 03:00 right after 01:59 on 2027-03-28: what is due in between comes at the jump, once.
    #[test]
    fn what_a_clock_skips_fires_at_its_jump() {
        let night = |cron| ticks(cron, "Europe/Paris", "2027-03-28T00:29:59Z", "2027-03-28T01:59:59Z");
        assert_eq!(night("30 2 * * *"), ["28 03:00+02:00"]);
        assert_eq!(night("*/20 2 * * *"), ["28 03:00+02:00"]);
        assert_eq!(night("*/30 * * * *"), ["28 01:30+01:00", "28 03:00+02:00", "28 03:30+02:00"]);
    }

    /// In Paris the hour from 02:00 comes twice on 2027-10-31: what is due then comes in the first of the two.
    #[test]
    fn what_a_clock_shows_twice_fires_the_first_time() {
        let night = |cron| ticks(cron, "Europe/Paris", "2027-10-30T23:59:59Z", "2027-10-31T02:00:00Z");
        assert_eq!(night("30 2 * * *"), ["31 02:30+02:00"]);
        assert_eq!(night("*/30 * * * *"), ["31 02:00+02:00", "31 02:30+02:00", "31 03:00+01:00"]);
        let second_time = at("2027-10-31T01:15:00Z");
        assert_eq!(cron("30 2 * * *").last(&zone("Europe/Paris"), second_time), Some(at("2027-10-31T00:30:00Z")));
        assert_eq!(cron("30 2 * * *").next(&zone("Europe/Paris"), second_time), Some(at("2027-11-01T01:30:00Z")));
    }

    /// Lord Howe moves its clocks by half an hour; Tokyo never does; Samoa once left out a whole Friday.
    #[test]
    fn clocks_differ() {
        let night = |cron| ticks(cron, "Australia/Lord_Howe", "2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z");
        assert_eq!(night("*/15 2 * * *"), ["04 02:30+11:00", "04 02:45+11:00"], "from 02:00 to 02:30 in no time");
        let night = |cron| ticks(cron, "Australia/Lord_Howe", "2027-04-03T14:29:59Z", "2027-04-03T16:00:00Z");
        assert_eq!(night("*/15 1 * * *"), ["04 01:30+11:00", "04 01:45+11:00"], "02:00 was 01:30 again");
        assert_eq!(ticks("30 2 * * *", "Asia/Tokyo", "2027-03-27T00:00:00Z", "2027-03-29T00:00:00Z"), ["28 02:30+09:00", "29 02:30+09:00"]);
        let friday = |cron| ticks(cron, "Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-31T09:00:00Z");
        assert_eq!(friday("0 12 * * fri"), ["31 00:00+14:00"]);
    }

    /// A tick is there from its very second on.
    #[test]
    fn a_tick_is_reached_at_its_second() {
        let (cron, utc) = (cron("0 23 * * *"), TimeZone::UTC);
        let (today, tomorrow) = (at("2026-11-24T23:00:00Z"), at("2026-11-25T23:00:00Z"));
        assert_eq!(cron.last(&utc, at("2026-11-24T22:59:59.999Z")), Some(at("2026-11-23T23:00:00Z")));
        assert_eq!(cron.last(&utc, today), Some(today));
        assert_eq!(cron.next(&utc, at("2026-11-24T22:59:59.999Z")), Some(today));
        assert_eq!(cron.next(&utc, today), Some(tomorrow));
    }

    #[test]
    fn fields_are_those_of_cron() {
        let week = |cron| ticks(cron, "UTC", "2026-11-22T12:00:00Z", "2026-11-29T12:00:00Z");
        assert_eq!(week("0 18 * * mon-wed"), ["23 18:00+00:00", "24 18:00+00:00", "25 18:00+00:00"]);
        assert_eq!(week("0 6 * * 0"), ["29 06:00+00:00"]);
        assert_eq!(week("0 6 * * 7"), week("0 6 * * Sun"));
        assert_eq!(week("5,10 6 26 NOV *"), ["26 06:05+00:00", "26 06:10+00:00"]);
        assert_eq!(week("0 20/2 24 * *"), ["24 20:00+00:00", "24 22:00+00:00"]);
        assert_eq!(week("0 6 26 * tue"), ["24 06:00+00:00", "26 06:00+00:00"], "either day is enough where both are named");
        assert_eq!(week("0 6 */2 * tue"), [] as [&str; 0], "24 is no odd day");
        assert_eq!(week("0 0 1-5/2 12 *"), [] as [&str; 0]);
        assert_eq!(cron("0 0 29 2 *").next(&TimeZone::UTC, at("2027-03-01T00:00:00Z")), Some(at("2028-02-29T00:00:00Z")));
        assert_eq!(cron("0 0 29 2 *").next(&TimeZone::UTC, at("2028-02-29T00:00:00Z")), None, "a year is looked at");
    }

    #[test]
    fn what_never_fires_is_no_cron() {
        let refused = |text: &str| text.parse::<Cron>().unwrap_err();
        assert_eq!(refused("0 23 * *"), "it has 4 of five fields: minute, hour, day of the month, month, day of the week");
        assert_eq!(refused("60 23 * * *"), "\"60\" is no minute: write 0 to 59");
        assert_eq!(refused("0 24 * * *"), "\"24\" is no hour: write 0 to 23");
        assert_eq!(refused("0 +1 * * *"), "\"+1\" is no hour: write 0 to 23");
        assert_eq!(refused("0 23 * * fri-mon"), "the day of the week fri-mon ends before it begins");
        assert_eq!(refused("*/0 23 * * *"), "/0 is no step of the minute");
        assert_eq!(refused("0 0 30 feb *"), "no year has such a day");
        assert_eq!(refused("0 0 31 2,4,6,9,11 *"), "no year has such a day");
        for odd in ["", "* * * * * *", "a b c d e", "0 23 * * *,", "1-2-3 * * * *", "-1 * * * *", "0 0 0 * *"] {
            assert!(odd.parse::<Cron>().is_err(), "{odd}");
        }
    }
}
