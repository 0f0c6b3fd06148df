//! What a seed has in store for a run: weather, twists, and somebody who applies at the same time. Half of it is drawn
//! piece by piece; half comes in pairs that are uglier than their parts.

use crate::{
    place::armed,
    twists::{At, Death, Twist, What},
    vendors::Vendor,
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::time::Duration;

/// What is in store.
#[derive(Default)]
pub struct Fate {
    /// Armed faults, as the admin door takes them.
    pub faults: Vec<Value>,
    /// Their kinds.
    pub kinds: Vec<&'static str>,
    pub twists: Vec<Twist>,
    pub second: Option<Second>,
    /// The cloud's habits from now on.
    pub habits: Value,
}

/// Somebody who applies at the same time, from another machine.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    /// How long after the first.
    pub after: Duration,
    /// Whether the spec there wants something else.
    pub conflicts: bool,
}

/// Faults that come together, and what they bring about when the first of them strikes.
struct Pair {
    /// Their kinds, and the sort of call that each befalls.
    faults: &'static [(&'static str, &'static str)],
    then: Then,
}

enum Then {
    Nothing,
    Dies,
    Stranger,
    Second,
}

const PAIRS: &[Pair] = &[
    Pair { faults: &[("lost-reply", "birth")], then: Then::Dies },
    Pair { faults: &[("late", "birth")], then: Then::Dies },
    Pair { faults: &[("late", "change")], then: Then::Dies },
    Pair { faults: &[("late", "birth"), ("stale", "look")], then: Then::Nothing },
    Pair { faults: &[("broken-after", "birth"), ("lost-reply", "look")], then: Then::Nothing },
    Pair { faults: &[("broken-after", "change")], then: Then::Dies },
    Pair { faults: &[("dropped", "change"), ("html", "any")], then: Then::Dies },
    Pair { faults: &[("slow", "motion")], then: Then::Stranger },
    Pair { faults: &[("stale", "look")], then: Then::Stranger },
    Pair { faults: &[("late", "motion")], then: Then::Stranger },
    Pair { faults: &[("lost-reply", "motion")], then: Then::Stranger },
    Pair { faults: &[("transient", "change")], then: Then::Stranger },
    Pair { faults: &[("lost-reply", "birth")], then: Then::Second },
    Pair { faults: &[("late", "birth")], then: Then::Second },
    Pair { faults: &[("stuck", "motion")], then: Then::Dies },
    Pair { faults: &[("quota", "birth"), ("lost-reply", "birth")], then: Then::Nothing },
    Pair { faults: &[("out-of-stock", "machine"), ("late", "machine")], then: Then::Nothing },
];

/// A permission that is missing for a moment. (The tables have what passes by itself or by a word of the owner's.)
const DENIED: (&str, &str) = ("denied", "any");

/// What is in store for a run on the way to a wish.
pub fn draw(rng: &mut Rng, vendor: &Vendor, wish: &str) -> Fate {
    let mut fate = Fate { habits: habits(rng, vendor), ..Fate::default() };
    if rng.bool() {
        fate.pair(rng, vendor, wish);
    } else {
        for _ in 0..rng.usize(0..4) {
            let kinds: Vec<_> = vendor.sky.kinds().chain([&DENIED]).collect();
            let (what, sort) = **rng.choice(&kinds).unwrap();
            fate.arm(rng, vendor, wish, what, sort);
        }
    }
    if fate.twists.is_empty() && rng.u32(0..3) > 0 {
        let twist = Twist { at: moment(rng), what: what(rng) };
        fate.twists.push(twist);
    }
    // Somebody in the console while a copy is made.
    if rng.u32(0..12) == 0 {
        let at = At::Path(if vendor.name == "linode" { "/images" } else { "/snapshots" });
        fate.twists.push(Twist { at, what: What::Stranger(rng.u64(..)) });
    }
    if wish != "delete" && fate.second.is_none() && rng.u32(0..10) == 0 {
        fate.second = Some(Second { after: Duration::from_millis(rng.u64(0..20_000)), conflicts: rng.u32(0..3) == 0 });
    }
    fate
}

impl Fate {
    fn pair(&mut self, rng: &mut Rng, vendor: &Vendor, wish: &str) {
        let Some(pair) = rng.choice(PAIRS) else { return };
        for (what, sort) in pair.faults {
            self.arm(rng, vendor, wish, what, sort);
        }
        let at = At::Fault(pair.faults[0].0);
        match pair.then {
            Then::Nothing => {}
            Then::Dies => self.twists.push(Twist { at, what: What::Death(Death::Answered) }),
            Then::Stranger => self.twists.push(Twist { at, what: What::Stranger(rng.u64(..)) }),
            Then::Second => self.second = Some(Second { after: Duration::from_millis(rng.u64(0..9_000)), conflicts: false }),
        }
    }

    fn arm(&mut self, rng: &mut Rng, vendor: &Vendor, wish: &str, what: &'static str, sort: &str) {
        let Some(call) = rng.choice(vendor.sky.befallen(wish, sort)) else { return };
        let times = if what == "rate-limited" { rng.u32(1..12) } else { rng.u32(1..3) };
        // Of one call alone there are few.
        let skip = if call.operation.ends_with('*') { rng.u32(0..6) } else { rng.u32(0..2) };
        let size = if what == "late" { rng.u64(1..55) } else { rng.u64(2..20) };
        self.faults.push(armed(call.operation, what, times, skip, size));
        self.kinds.push(what);
    }
}

/// How lists and events lag.
fn habits(rng: &mut Rng, vendor: &Vendor) -> Value {
    let mut habits = json!({"listing_lag": rng.u32(0..5)});
    if vendor.name == "linode" {
        habits["event_lag"] = json!(rng.u32(0..10));
    }
    habits
}

fn moment(rng: &mut Rng) -> At {
    if rng.bool() { At::Change(rng.usize(1..9)) } else { At::Request(rng.usize(1..90)) }
}

fn what(rng: &mut Rng) -> What {
    match rng.u32(0..10) {
        0..3 => What::Death(*rng.choice(&[Death::Unsent, Death::Underway, Death::Answered]).unwrap()),
        3..5 => What::Stop,
        5..8 => What::Stranger(rng.u64(..)),
        8 => What::Unreachable(rng.usize(1..12)),
        _ => What::Silence,
    }
}
