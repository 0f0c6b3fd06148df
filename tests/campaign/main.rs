//! The fault campaign: whole lifecycles of an instance, with the real clients, the real engine and the emulators of the
//! vendors' APIs, in one process and in simulated time. Every seed is a lifecycle; everything that goes wrong in it comes
//! from the seed, and the same seed goes the same way again, to the byte.
//!
//! ```text
//! cargo test --test campaign                                  as many lifecycles as a test run has time for
//! cargo test --test campaign -- seed 12345 --vendor linode    one of them, told in plain words
//! CLOUDYPAD_SEEDS=100000 cargo test --test campaign           so many at each vendor
//! CLOUDYPAD_SEED=12345 cargo test --test campaign             one at each vendor
//! ```
//!
//! Reading order: [`life`] is a lifecycle, [`fate`] what is in store for it, [`twists`] and [`console`] what that may be
//! beside bad answers, [`judge`] what must be true; [`place`] and [`wire`] are where it happens, [`tale`] how it is told.

mod console;
mod fate;
#[path = "../figures.rs"]
mod figures;
mod judge;
mod kept;
mod life;
mod nursery;
#[allow(dead_code, reason = "other tests use all of them")]
mod pads;
mod place;
#[path = "../it/vendors/sky.rs"]
mod sky;
mod tale;
mod twists;
mod vendors;
mod wire;
mod words;

use crate::{
    life::{Outcome, lifecycle},
    place::Tally,
    vendors::{VENDORS, Vendor},
};
use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// How many lifecycles there are at each vendor, unless somebody says otherwise.
const LIFECYCLES: u64 = 1_000;
/// How many lifecycles may fail before nobody needs to see more.
const ENOUGH: usize = 5;
/// How many lifecycles are lived twice, to see that they go the same way.
const TWICE: u64 = 12;
/// With so many lifecycles, everything that may befall one has befallen some.
const MANY: u64 = 1_000;
/// So often, at least.
const SOME: usize = 3;
/// What befalls a run beside weather and strangers.
const TWISTS: &[&str] = &[
    "crash-before",
    "crash-underway",
    "crash-after",
    "crash-on-fault",
    "ctrl-c",
    "unreachable",
    "silence",
    "torn-journal",
    "journal-gone",
    "spec-edited",
    "second-equal",
    "second-conflicting",
    "denied",
];

fn main() -> ExitCode {
    // As cargo passes it on.
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--quiet").collect();
    let after = |word: &str| args.iter().position(|it| it == word).and_then(|at| args.get(at + 1));
    let vendors: Vec<&'static Vendor> = VENDORS.into_iter().filter(|it| after("--vendor").is_none_or(|name| name == it.name)).collect();
    let goes_well: &dyn Fn(&'static Vendor) -> bool = match after("seed").map(|it| it.parse::<u64>()) {
        Some(Ok(seed)) => &move |vendor| tell(vendor, seed),
        Some(Err(_)) => panic!("seed NUMBER"),
        None => &|vendor| repeats(vendor) && campaign(vendor),
    };
    let failed = vendors.into_iter().filter(|vendor| !goes_well(vendor)).count();
    let _ = std::fs::remove_dir_all(life::homes());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells one lifecycle.
fn tell(vendor: &'static Vendor, seed: u64) -> bool {
    let outcome = live(vendor, seed, true);
    // Whoever reads it may have read enough.
    let _ = writeln!(io::stdout(), "{}", outcome.tale);
    outcome.failure.is_none()
}

/// A lifecycle; a panic in it is a failure of it.
fn live(vendor: &'static Vendor, seed: u64, listens: bool) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| lifecycle(vendor, seed, listens))).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        Outcome { tally: Tally::new(), tale: String::new(), failure: Some(format!("a panic: {}", why.unwrap_or_default())) }
    })
}

/// Whether the same seeds go the same way again, to the byte of what is told of them.
fn repeats(vendor: &'static Vendor) -> bool {
    let differs = |seed: &u64| {
        let (once, again) = (live(vendor, *seed, true).tale, live(vendor, *seed, true).tale);
        once.lines().count() < 20 || once != again
    };
    let differing: Vec<u64> = (1..=TWICE).filter(differs).collect();
    if !differing.is_empty() {
        println!("{}: these seeds do not go the same way twice: {differing:?}", vendor.name);
    }
    differing.is_empty()
}

/// All the lifecycles at a vendor.
fn campaign(vendor: &'static Vendor) -> bool {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let (first, count) = match number("CLOUDYPAD_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("CLOUDYPAD_SEEDS").unwrap_or(LIFECYCLES)),
    };
    let kept = kept::KEPT.iter().filter(|(name, ..)| *name == vendor.name).map(|(_, seed, _)| *seed);
    let seeds: Vec<u64> = kept.chain(first..first + count).collect();
    let began = Instant::now();
    let (tally, failures) = live_all(vendor, &seeds);
    for (seed, why, tale) in &failures {
        let end: Vec<&str> = tale.lines().rev().take(40).collect();
        println!("{}", end.into_iter().rev().collect::<Vec<_>>().join("\n"));
        println!("{} seed {seed}: {why}", vendor.name);
        println!("all of it: cargo test --test campaign -- seed {seed} --vendor {}\n", vendor.name);
    }
    let told: Vec<String> = tally.iter().map(|(what, times)| format!("{what} {times}")).collect();
    println!("{}: what befell {} lifecycles in {} s: {}", vendor.name, seeds.len(), began.elapsed().as_secs(), told.join(", "));
    figures::tell(&format!("faulty lifecycles at {}", vendor.name), seeds.len());
    figures::tell(&format!("faulty lifecycles at {}, faults met", vendor.name), tally.values().sum::<usize>());
    failures.is_empty() && (count < MANY || everything_happened(vendor, &tally))
}

/// Lives the lifecycles of these seeds side by side: what befell them, and which failed, why, with their tale.
fn live_all(vendor: &'static Vendor, seeds: &[u64]) -> (Tally, Vec<(u64, String, String)>) {
    let next = AtomicU64::new(0);
    let (tally, failures) = (Mutex::new(Tally::new()), Mutex::new(Vec::new()));
    let lives = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            if failures.lock().unwrap().len() >= ENOUGH {
                return;
            }
            let outcome = live(vendor, *seed, false);
            outcome.tally.into_iter().for_each(|(what, times)| *tally.lock().unwrap().entry(what).or_default() += times);
            if let Some(why) = outcome.failure {
                let tale = live(vendor, *seed, true).tale;
                failures.lock().unwrap().push((*seed, why, tale));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(lives);
        }
    });
    (tally.into_inner().unwrap(), failures.into_inner().unwrap())
}

/// Whether everything that may befall a lifecycle here has befallen some.
fn everything_happened(vendor: &Vendor, tally: &Tally) -> bool {
    let kinds = vendor.sky.kinds().map(|it| it.0).chain(vendor.strangers.iter().map(|it| it.what)).chain(TWISTS.iter().copied());
    let rare: Vec<&str> = kinds.filter(|it| tally.get(it).is_none_or(|times| *times < SOME)).collect();
    if !rare.is_empty() {
        println!("{}: these befell hardly any: {rare:?}", vendor.name);
    }
    rare.is_empty()
}
