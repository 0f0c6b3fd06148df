//! Times as owners write them: a zone, a moment, a span. What is read is sure to mean something.
//!
//! Zones come from the tables inside this program, not from the machine's: a container without any knows Paris, and two
//! machines agree.

use super::cron::moment_of;
use jiff::{
    Timestamp, Zoned,
    fmt::temporal::{Pieces, PiecesOffset},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};
use std::{str::FromStr, sync::LazyLock};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The longest session, in seconds.
const LONGEST: i64 = 30 * 86_400;
/// The shortest session, in seconds.
const SHORTEST: i64 = 60;

/// A time zone, by its name in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// When its clocks are put forward and back.
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// The names of all zones.
    pub fn names() -> Vec<String> {
        ZONES.available().map(|it| it.as_str().to_owned()).collect()
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rules = ZONES.get(text).map_err(|_| "no zone has this name".to_owned())?;
        Ok(Self { name: rules.iana_name().unwrap_or(text).to_owned(), rules })
    }
}

/// A moment: a date and a time, with an offset from UTC, or with a zone in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    text: String,
    zoned: Zoned,
}

impl Moment {
    /// When that is.
    pub fn at(&self) -> Timestamp {
        self.zoned.timestamp()
    }

    /// When that is, in the zone in which it is written.
    pub fn zoned(&self) -> &Zoned {
        &self.zoned
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unread = || "it is no date with a time".to_owned();
        let pieces = Pieces::parse(text).map_err(|_| unread())?;
        let time = pieces.date().to_datetime(pieces.time().ok_or_else(unread)?);
        let zone = match pieces.time_zone_annotation() {
            Some(_) => Some(pieces.to_time_zone_with(&ZONES).ok().flatten().ok_or("no zone has the name in its brackets")?),
            None => None,
        };
        let offset = pieces.offset().map(|it| match it {
            PiecesOffset::Numeric(it) => it.offset(),
            _ => jiff::tz::Offset::UTC,
        });
        let at = match (offset, &zone) {
            (Some(offset), _) => offset.to_timestamp(time).map_err(|_| unread())?,
            (None, Some(zone)) => moment_of(time, zone).ok_or_else(unread)?,
            (None, None) => return Err("it does not say in which zone".to_owned()),
        };
        let zone = zone.or(offset.map(TimeZone::fixed)).unwrap_or(TimeZone::UTC);
        let zoned = at.to_zoned(zone);
        // `+01:00[Europe/Paris]` in summer is two moments.
        if pieces.offset().is_some_and(|it| matches!(it, PiecesOffset::Numeric(_))) && offset != Some(zoned.offset()) {
            return Err("its offset is not that of its zone".to_owned());
        }
        Ok(Self { text: text.to_owned(), zoned })
    }
}

/// A length of time, like `4h` or `1h 30m`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    text: String,
    seconds: u64,
}

impl Span {
    /// In seconds.
    pub fn seconds(&self) -> u64 {
        self.seconds
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.parse::<jiff::SignedDuration>().map_err(|_| "it is no length of time".to_owned())?;
        match parsed.as_secs() {
            seconds @ SHORTEST..=LONGEST => Ok(Self { text: text.to_owned(), seconds: seconds.unsigned_abs() }),
            ..SHORTEST => Err("it is shorter than a minute".to_owned()),
            _ => Err("it is longer than 30 days".to_owned()),
        }
    }
}

/// What is written as text, and read where it means something.
macro_rules! as_text {
    ($($name:ident by $field:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(it: $name) -> Self {
                it.$field
            }
        }
    )*};
}
as_text!(Zone by name, Moment by text, Span by text);

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> String {
        text.parse::<Moment>().unwrap_or_else(|error| panic!("{text}: {error}")).at().to_string()
    }

    #[test]
    fn a_moment_says_where() {
        assert_eq!(utc("2026-11-24T23:00+01:00"), "2026-11-24T22:00:00Z");
        assert_eq!(utc("2026-11-24T23:00:30Z"), "2026-11-24T23:00:30Z");
        assert_eq!(utc("2026-11-24T23:00[Europe/Paris]"), "2026-11-24T22:00:00Z");
        assert_eq!(utc("2026-11-24T23:00+01:00[Europe/Paris]"), "2026-11-24T22:00:00Z");
        assert_eq!(utc("2027-03-28T02:30[Europe/Paris]"), "2027-03-28T01:00:00Z", "skipped: at the jump");
        assert_eq!(utc("2027-10-31T02:30[Europe/Paris]"), "2027-10-31T00:30:00Z", "shown twice: the first");
        let refused = |text: &str| text.parse::<Moment>().unwrap_err();
        assert_eq!(refused("2026-11-24T23:00"), "it does not say in which zone");
        assert_eq!(refused("2026-07-24T23:00+01:00[Europe/Paris]"), "its offset is not that of its zone");
        assert_eq!(refused("2026-11-24T23:00[Europe/Lyon]"), "no zone has the name in its brackets");
        for odd in ["", "tonight", "23:00", "2026-11-24", "2026-13-24T23:00Z", "2026-11-24T24:00Z", "99999-11-24T23:00Z"] {
            assert!(odd.parse::<Moment>().is_err(), "{odd}");
        }
    }

    /// Whatever the machine knows of zones, this program knows them, under one name each.
    #[test]
    fn zones_are_known_by_name() {
        let zone: Zone = "europe/paris".parse().unwrap();
        assert_eq!(String::from(zone), "Europe/Paris");
        assert_eq!("Europe/Lyon".parse::<Zone>().unwrap_err(), "no zone has this name");
        assert!(Zone::names().len() > 400 && Zone::names().iter().any(|it| it == "Australia/Lord_Howe"));
    }

    #[test]
    fn a_session_lasts_a_minute_to_thirty_days() {
        let seconds = |text: &str| text.parse::<Span>().map(|it| it.seconds());
        assert_eq!(seconds("4h"), Ok(14_400));
        assert_eq!(seconds("1h 30m"), Ok(5_400));
        assert_eq!((seconds("60s"), seconds("720h")), (Ok(60), Ok(30 * 86_400)));
        assert_eq!(seconds("59s").unwrap_err(), "it is shorter than a minute");
        assert_eq!(seconds("-4h").unwrap_err(), "it is shorter than a minute");
        assert_eq!(seconds("720h 1s").unwrap_err(), "it is longer than 30 days");
        assert_eq!(seconds("4").unwrap_err(), "it is no length of time");
    }
}
