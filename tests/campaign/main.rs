//! The fault campaign: whole lifecycles of an instance, with the real clients, the real engine and the emulators of the
//! vendors' APIs, in one process and in simulated time. Every seed is a lifecycle; everything that goes wrong in it comes
//! from the seed, and the same seed goes the same way again, to the byte.
//!
//! ```text
//! cargo test --test campaign                                  as many lifecycles as a test run has time for
//! cargo test --test campaign -- seed 12345 --vendor linode    one of them, told in plain words
//! CLOUDYPAD_SEEDS=100000 cargo test --test campaign           so many at each vendor
//! CLOUDYPAD_SEED=7000000 cargo test --test campaign           as many as usual, from this seed on
//! ```

mod console;
mod fate;
#[path = "../figures.rs"]
mod figures;
mod judge;
mod life;
#[allow(dead_code, reason = "other tests use all of them")]
mod pads;
mod place;
#[path = "../it/vendors/sky.rs"]
mod sky;
mod tale;
mod twists;
mod vendors;
mod wire;

use crate::{
    life::{Outcome, lifecycle},
    place::Tally,
    vendors::{VENDORS, Vendor},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// How many lifecycles there are at each vendor, unless somebody says otherwise.
const LIFECYCLES: u64 = 200;
/// How many lifecycles may fail before nobody needs to see more.
const ENOUGH: usize = 5;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--quiet").collect();
    let after = |word: &str| args.iter().position(|it| it == word).and_then(|at| args.get(at + 1));
    let vendors: Vec<&'static Vendor> = VENDORS.into_iter().filter(|it| after("--vendor").is_none_or(|name| name == it.name)).collect();
    let good = match after("seed").map(|it| it.parse::<u64>()) {
        Some(Ok(seed)) => vendors.iter().all(|vendor| tell(vendor, seed)),
        Some(Err(_)) => panic!("a seed is a number"),
        None => vendors.iter().all(|vendor| campaign(vendor)),
    };
    let _ = std::fs::remove_dir(format!("/dev/shm/cloudypad-campaign-{}", std::process::id()));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells one lifecycle.
fn tell(vendor: &'static Vendor, seed: u64) -> bool {
    let outcome = live(vendor, seed, true);
    println!("{}", outcome.tale);
    outcome.failure.is_none()
}

/// A lifecycle; a panic in it is a failure of it.
fn live(vendor: &'static Vendor, seed: u64, listens: bool) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| lifecycle(vendor, seed, listens))).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
        Outcome { tally: Tally::new(), tale: String::new(), failure: Some(format!("a panic: {}", why.unwrap_or_default())) }
    })
}

/// All the lifecycles at a vendor.
fn campaign(vendor: &'static Vendor) -> bool {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let (first, count) = (number("CLOUDYPAD_SEED").unwrap_or(1), number("CLOUDYPAD_SEEDS").unwrap_or(LIFECYCLES));
    let (next, began) = (AtomicU64::new(first), Instant::now());
    let tally = Mutex::new(Tally::new());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || failures.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let outcome = live(vendor, seed, false);
                    outcome.tally.into_iter().for_each(|(what, times)| *tally.lock().unwrap().entry(what).or_default() += times);
                    if let Some(why) = outcome.failure {
                        failures.lock().unwrap().push((seed, why));
                    }
                }
            });
        }
    });
    let (tally, failures) = (tally.into_inner().unwrap(), failures.into_inner().unwrap());
    for (seed, why) in &failures {
        println!("{} seed {seed}: {why}\n  again: cargo test --test campaign -- seed {seed} --vendor {}", vendor.name, vendor.name);
    }
    println!("what befell {count} lifecycles at {} in {:?}: {tally:?}", vendor.name, began.elapsed());
    failures.is_empty()
}
