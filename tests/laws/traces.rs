//! The abstract truth and the emulator, checked against each other: else the laws would be proven of a cloud of their own.
//!
//! A trace is a life drawn from a seed: orders that make sense or nearly, or the real planner's plans towards changing wishes
//! with strangers' acts in between. All of it is carried out on both sides, and after every step both must have answered the
//! same, show the same to a look, hold the same bytes where, and have lost the same.
//!
//! What the abstract truth leaves out: prices, quotas, stock, addresses as numbers, names of copies, how long anything
//! takes, and what an object is called by its vendor.
//!
//! ```text
//! CLOUDYPAD_SEED=17 cargo test --test laws traces::         one trace at each kind of cloud
//! CLOUDYPAD_TRACES=5000 cargo test --test laws traces::     so many at each
//! CLOUDYPAD_KIND=scaleway cargo test --test laws traces::   through a vendor's real client, at its emulator's face
//! ```
//!
//! At a vendor's face all goes through the real client, whose looks and refusals are compared. There nobody acts without
//! the proofs that a client wants, and what only a clock decides is left out; where that is so, it is said.

mod chance;
mod ground;
mod pairs;
mod settled;
mod trace;

use crate::figures;
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};
use trace::{Flaw, play};

/// How many traces there are at each kind of cloud.
const TRACES: u64 = 250;

/// Both sides agree, whatever is done to them.
#[test]
fn the_abstract_truth_and_the_emulator_agree_on_random_traces() {
    let only: Option<u64> = std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok());
    let count = std::env::var("CLOUDYPAD_TRACES").ok().and_then(|it| it.parse().ok()).unwrap_or(TRACES);
    let seeds: Vec<u64> = only.map_or_else(|| (1..=count).collect(), |seed| vec![seed]);
    let traces: Vec<(&str, u64)> = seeds.iter().flat_map(|seed| kinds().into_iter().map(|kind| (kind, *seed))).collect();
    let next = AtomicU64::new(0);
    let differences = Mutex::new(Vec::new());
    let acts = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((kind, seed)) = traces.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    match play(kind, *seed, None) {
                        Ok(times) => drop(acts.fetch_add(times as u64, Ordering::Relaxed)),
                        Err(why) => differences.lock().unwrap().push(format!("{kind}, CLOUDYPAD_SEED={seed}\n{why}")),
                    }
                    if differences.lock().unwrap().len() > 9999 {
                        return;
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "the abstract truth is another cloud than the emulator:\n\n{}", differences.join("\n\n"));
    figures::tell("traces on which model and emulator agree", traces.len());
    figures::tell("traces on which model and emulator agree, steps in them", acts.into_inner());
}

/// A comparison that cannot fail proves nothing: an abstract truth that is wrong in one thing is found out.
#[test]
fn a_wrong_abstract_truth_is_found_out() {
    for flaw in [Flaw::DetachesAtOnce, Flaw::ForgetsWrites, Flaw::LosesNothing, Flaw::NeverRefuses, Flaw::DatesNothing] {
        for kind in kinds().into_iter().filter(|kind| flaw.shows_at(kind)) {
            let found = (1..=100).find_map(|seed| play(kind, seed, Some(flaw)).err());
            let found = found.unwrap_or_else(|| panic!("{kind}: no trace tells that the abstract truth {flaw:?}"));
            assert!(found.contains(flaw.shows()), "{kind}: {flaw:?} shows otherwise:\n{found}");
        }
    }
}

/// The kinds of cloud.
const KINDS: [&str; 4] = ["local", "local like linode", "scaleway", "linode"];

/// The kinds of cloud that are compared now.
fn kinds() -> Vec<&'static str> {
    match std::env::var("CLOUDYPAD_KIND") {
        Ok(kind) => vec![KINDS.into_iter().find(|it| *it == kind).unwrap()],
        Err(_) => KINDS.to_vec(),
    }
}
