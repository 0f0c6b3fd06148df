//! What is counted and measured.

use std::{collections::BTreeMap, time::Duration};

/// The upper bounds of a histogram's buckets, in seconds.
pub(super) const BOUNDS: [f64; 13] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];

/// How long things took.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// How many took no longer than each bound, and longer than the one before.
    pub buckets: [u64; BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// Seconds of all of them.
    pub sum: f64,
}

impl Histogram {
    pub fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = BOUNDS.iter().position(|it| seconds <= *it) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }
}

/// Calls of a vendor's API.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    /// How many were made.
    pub made: u64,
    /// How many of them the vendor turned away for being too many.
    pub throttled: u64,
}

/// Everything that grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Ended runs by how they ended.
    pub reconciles: BTreeMap<&'static str, u64>,
    /// How long runs took that changed something.
    pub reconcile: Histogram,
    /// How long calls took by verb, and waits.
    pub phases: BTreeMap<&'static str, Histogram>,
    /// From the begin of a run until somebody could play.
    pub playable: Histogram,
    /// How often an instance was found drifted.
    pub drift: u64,
    /// Failed calls, after which a run went on.
    pub failures: u64,
    /// By vendor.
    pub calls: BTreeMap<String, Calls>,
    /// Readings of the source, and how many others failed, as a whole or in part.
    pub readings: u64,
    pub unread: u64,
}
