//! What happens during a run, as it happens.

use super::{Hold, Line, Note, Readiness};
use std::time::Duration;

/// One thing that happened to one instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run has looked at the cloud for the first time.
    Began {
        /// Where the instance stands, as [`super::standing`] words it.
        from: String,
        /// Where it is wanted, in the same words.
        to: &'static str,
    },
    /// A call is made.
    Started {
        /// The step's key.
        key: String,
        /// The step.
        line: Line,
        /// Why.
        reason: String,
    },
    /// The call was answered.
    Finished {
        /// The step's key.
        key: String,
        /// The step.
        line: Line,
        /// How long the call took.
        took: Duration,
    },
    /// The call failed, or its outcome is unknown; the run goes on.
    Failed {
        /// The step's key.
        key: String,
        /// The step.
        line: Line,
        /// What the cloud, or the connection, said.
        answer: String,
        /// What happens next by itself.
        then: &'static str,
    },
    /// What runs inside the server said something.
    Said {
        /// The step's key.
        key: String,
        /// A line, without the secrets that it was told.
        text: String,
    },
    /// A look failed; it is tried again after a pause.
    Unseen {
        /// What the cloud, or the connection, said.
        why: String,
    },
    /// Something under way is awaited.
    Waiting {
        /// What for, as a sentence after "until".
        until: String,
        /// How long it usually takes, in real time.
        expected: Duration,
    },
    /// It arrived.
    Arrived {
        /// What for.
        until: String,
        /// How long it took.
        took: Duration,
    },
    /// What exists now and is billed, where a run that changed something stops short.
    Billed(Vec<String>),
    /// What the owner should know of how it ended.
    Noted(Note),
    /// What a birth that was cut off may have left behind, untagged and billed.
    LeftBehind(Vec<String>),
    /// The run ended.
    Ended(Ending),
    /// Whether the server that runs now is ready; told after the end.
    Ready(Readiness),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The spec is reached.
    Done {
        /// How many mutating calls it took.
        calls: usize,
    },
    /// The owner is needed.
    Held(Hold),
    /// Ctrl-C: everything in flight was settled.
    Interrupted,
}
