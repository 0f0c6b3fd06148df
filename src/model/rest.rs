//! An instance that went to sleep by itself: the tag that says so, and for which wish.

use super::{Ask, Tags, digest};

/// The word of the tag of everything that is kept of an instance that fell idle. Its value: a digest of `serverState` and
/// `wake`, and since when nobody uses it, in seconds of the vendor's clock: `4bf92f3577b34da6-1747766192`; with `-session`
/// behind it where its session is over. Where the spec has a schedule or a session, the digest is over these as well, and the
/// tick that is in force: the next one wakes it.
pub const REST: &str = "rest";

/// That nobody uses the server, as its guest said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Idle {
    /// For how many seconds already.
    pub seconds: u64,
}

/// Why an instance rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asleep {
    /// Nobody used it.
    Idle,
    /// It ran as long as `session.max` says.
    Session,
}

/// That an instance rests although its spec says `present`: until its owner wakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rest {
    /// Since when nobody uses it, or its session is over, in seconds of the vendor's clock.
    pub since: i64,
    /// Why.
    pub why: Asleep,
    /// For which wish.
    digest: u64,
}

impl Rest {
    /// The rest of an instance that is wished like this.
    pub fn of(ask: &Ask, since: i64, why: Asleep) -> Self {
        Self { since, why, digest: wish(ask) }
    }

    /// Whether this wish is still the one that came to rest: `serverState`, `wake`, and what changes by the clock, are what
    /// they were, and no entry of a schedule ticked since.
    pub fn is_of(&self, ask: &Ask) -> bool {
        self.digest == wish(ask)
    }

    /// What an object's tags say, where they do.
    pub fn said_by(tags: &Tags) -> Option<Self> {
        let value = tags.get(REST)?;
        let (value, why) = value.strip_suffix(SESSION).map_or((value, Asleep::Idle), |it| (it, Asleep::Session));
        let (digest, since) = value.rsplit_once('-')?;
        Some(Self { since: since.parse().ok()?, why, digest: u64::from_str_radix(digest, 16).ok()? })
    }

    /// The tag's value.
    pub fn value(&self) -> String {
        let why = if self.why == Asleep::Session { SESSION } else { "" };
        format!("{:016x}-{}{why}", self.digest, self.since)
    }
}

/// What follows the value of a rest that ended a session.
const SESSION: &str = "-session";

fn wish(ask: &Ask) -> u64 {
    let spec = &ask.spec;
    let mut words = format!("{:?} {}", spec.server_state, spec.wake);
    if !spec.schedule.is_empty() || spec.session.is_some() {
        let said = serde_json::json!([spec.schedule, spec.session]);
        let tick = ask.by_clock.as_ref().and_then(|it| it.since.as_ref()).map(|it| it.timestamp());
        words.push_str(&format!(" {said} {tick:?}"));
    }
    digest(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ServerState, Spec};
    use serde_json::json;

    /// An instance that is wished present, with this changed of its spec.
    fn ask(change: impl FnOnce(&mut Spec)) -> Ask {
        let document = json!({
            "apiVersion": "cloudypad.gg/v1alpha1", "kind": "Instance", "metadata": {"name": "mypad"},
            "spec": {"serverState": "present", "provider": {"local": {}}},
        });
        let mut ask = Ask::of(serde_json::from_value(document).unwrap());
        ask.spec.amend(change);
        ask
    }

    fn rest() -> Rest {
        Rest::of(&ask(|_| {}), 1_747_766_192, Asleep::Idle)
    }

    #[test]
    fn unrelated_edits_wake_nobody() {
        assert!(rest().is_of(&ask(|spec| spec.protect = true)));
        assert!(!rest().is_of(&ask(|spec| spec.wake = "tonight".to_owned())));
        assert!(!rest().is_of(&ask(|spec| spec.server_state = ServerState::Stopped)));
        let longer = json!({"max": "5h"});
        assert!(!rest().is_of(&ask(|spec| spec.session = serde_json::from_value(longer).unwrap())));
    }

    /// Who sleeps through the night is woken by the next entry of the schedule, and not before, by whomever it is asked.
    #[test]
    fn the_next_tick_of_a_schedule_wakes() {
        let every_evening = json!([{"cron": "0 18 * * *", "timezone": "Europe/Paris", "serverState": "present"}]);
        let at = |moment: &str| {
            let mut ask = ask(|spec| spec.schedule = serde_json::from_value(every_evening.clone()).unwrap());
            ask.set_clock(moment.parse().unwrap());
            ask
        };
        let asleep = Rest::of(&at("2026-11-24T20:00:00Z"), 1, Asleep::Idle);
        assert!(asleep.is_of(&at("2026-11-24T17:00:00Z")) && asleep.is_of(&at("2026-11-25T16:59:59Z")));
        assert!(!asleep.is_of(&at("2026-11-25T17:00:00Z")));
    }

    #[test]
    fn what_is_written_is_read() {
        for why in [Asleep::Idle, Asleep::Session] {
            let rest = Rest::of(&ask(|_| {}), 99_999_999_999, why);
            let tags = Tags::default().with_value(REST, &rest.value());
            assert_eq!(Rest::said_by(&tags), Some(rest), "not shortened: {tags:?}");
        }
        for odd in ["rest", "rest:", "rest:1", "rest:x-1", "rest:1-", "rest:1-x"] {
            assert_eq!(Rest::said_by(&Tags(vec![odd.to_owned()])), None, "{odd}");
        }
    }
}
