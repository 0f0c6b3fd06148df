//! What we did and do not know the end of: the journal, folded.

use super::{Applied, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// What the journal adds to a look. With the journal lost this is empty, and runs are slower, not wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Creates whose outcome is unknown, by step key, with the vendor's clock when they were called.
    pub open: BTreeMap<String, Stamp>,
    /// Creates that were answered well, by step key, with the vendor's clock at the first look after
    /// that: a list may not show them yet.
    pub made: BTreeMap<String, Stamp>,
    /// When this machine last ordered a server off, by its id, on the vendor's clock. For people; nothing is decided by it.
    pub stopped: BTreeMap<String, Stamp>,
    /// Servers, by id, whose last order from this machine was to be off; one that was just made is off as well.
    pub ordered_off: BTreeSet<String>,
    /// When this machine last started a server, by its id, that it had not ordered off, and saw it run, on the vendor's clock.
    pub restarted: BTreeMap<String, Stamp>,
    /// What ran inside a server to its end, by step key, and is not written on the server yet.
    pub played: BTreeSet<String>,
    /// Whether what ran inside the server told that the data disk is mounted.
    pub mounted: bool,
    /// Whether this run saw the server on its way to rest.
    pub rested: bool,
    /// Whether this run has begun to change things.
    pub begun: bool,
    /// Steps, by key, that the cloud refused in this run and that the run can do without.
    pub refused: BTreeSet<String>,
    /// The latest application of this very wish that this run wrote, or saw in force. With it this run knows whether another one
    /// came after it.
    pub applied: Option<Applied>,
    /// Whether something else was in force when this run began: then what it finds off was not reached before.
    pub anew: bool,
    /// What was applied last from this machine. For people; nothing is decided by it.
    pub applied_here: Option<Applied>,
}

impl Facts {
    /// Whether the cloud refused this step in this run.
    pub fn was_refused(&self, key: &str) -> bool {
        self.refused.contains(key)
    }
}
