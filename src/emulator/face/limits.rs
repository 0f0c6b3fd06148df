//! How often a caller may call, on the cloud's clock.

use std::collections::BTreeMap;

use crate::emulator::Moment;

/// So many calls in so many cloud seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited: calls that share it are counted together.
    pub what: &'static str,
    /// How many calls.
    pub calls: u32,
    /// In how many cloud seconds.
    pub seconds: u32,
}

/// Where a caller stands with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many calls there are in a window.
    pub calls: u32,
    /// How many of them are left.
    pub left: u32,
    /// When the next window begins, in cloud seconds since 1970.
    pub reset: i64,
    /// For how many seconds nothing more is answered, at least one.
    pub wait: i64,
    /// Whether this call is one too many.
    pub refused: bool,
}

/// A window of time, and how many calls it has seen.
struct Window {
    since: Moment,
    calls: u32,
}

/// The calls of all callers.
#[derive(Default)]
pub struct Limits {
    /// Whether they are enforced; by themselves if missing.
    pub enforced: Option<bool>,
    windows: BTreeMap<(String, &'static str), Window>,
}

impl Limits {
    /// Counts a call of somebody; `enforced` holds where nobody ordered otherwise.
    pub fn count(&mut self, limit: Limit, caller: &str, now: Moment, enforced: bool) -> Option<Standing> {
        let length = i64::from(limit.seconds) * 1_000_000;
        let window = self.windows.entry((caller.to_owned(), limit.what)).or_insert(Window { since: now, calls: 0 });
        if now.0.saturating_sub(window.since.0) >= length {
            *window = Window { since: now, calls: 0 };
        }
        let enforced = self.enforced.unwrap_or(enforced);
        let refused = enforced && window.calls >= limit.calls;
        if enforced && !refused {
            window.calls += 1;
        }
        let end = window.since.0.saturating_add(length);
        let wait = end.saturating_sub(now.0).max(1);
        Some(Standing {
            calls: limit.calls,
            left: limit.calls.saturating_sub(window.calls),
            reset: end.div_euclid(1_000_000) + 1,
            wait: wait.div_euclid(1_000_000) + 1,
            refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_so_many_pass_and_then_none() {
        let limit = Limit { what: "GET /images", calls: 2, seconds: 60 };
        let (mut limits, start) = (Limits::default(), Moment(5_500_000));
        let mut ask = |caller: &str, now: Moment, enforced| limits.count(limit, caller, now, enforced).unwrap();
        assert_eq!(ask("a", start, true), Standing { calls: 2, left: 1, reset: 66, wait: 61, refused: false });
        assert!(!ask("a", start, true).refused);
        let refused = ask("a", start.plus_seconds(50), true);
        assert!(refused.refused && refused.left == 0 && refused.wait == 11, "{refused:?}");
        assert!(!ask("b", start.plus_seconds(50), true).refused, "callers are counted apart");
        assert!(!ask("a", start.plus_seconds(60), true).refused, "the next window is a new one");
        assert!((0..5).all(|_| !ask("a", start.plus_seconds(60), false).refused));
    }
}
