//! What can be said of an instance at a glance: conditions, each with a reason code and a message.

use serde::{Deserialize, Serialize};

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConditionKind {
    /// Somebody can play.
    Ready,
    /// Something is done, or waited for.
    Progressing,
    /// The owner is needed.
    Held,
    /// The cloud is not as it was left, and nobody asked for that here.
    Drifted,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// One condition of an instance, shaped as Kubernetes shapes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: ConditionKind,
    /// Whether it holds.
    pub status: Truth,
    /// A stable word for tools, like a hold's code.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl ConditionKind {
    /// Its name, for people and tools.
    pub fn word(self) -> &'static str {
        match self {
            ConditionKind::Ready => "Ready",
            ConditionKind::Progressing => "Progressing",
            ConditionKind::Held => "Held",
            ConditionKind::Drifted => "Drifted",
        }
    }
}

impl Truth {
    /// Its name, for people.
    pub fn word(self) -> &'static str {
        match self {
            Truth::True => "yes",
            Truth::False => "no",
            Truth::Unknown => "unknown",
        }
    }
}
