//! What is known of one instance.

use crate::model::{Condition, ConditionKind, Truth};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a look at an instance showed, as the page tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where the wish is written, like `specs/mypad.yaml:5`.
    pub place: String,
    /// The commit that the wish is from.
    pub commit: Option<String>,
    /// The wish, as [`crate::report::wished`] says it.
    pub wished: String,
    /// Where the instance stands, as [`crate::report::standing`] says it.
    pub standing: String,
    /// Ready, Progressing, Held, Drifted, as far as they are known.
    pub conditions: Vec<Condition>,
    /// When the wish changes by itself, and to what. Kept apart from the rest, with what a table shows.
    #[serde(skip)]
    pub switch: Option<Switch>,
    /// The plan, as [`crate::report::plan_json`] makes it.
    pub plan: Value,
    /// The spec, with its defaults.
    pub desired: Value,
    /// What the cloud holds of it.
    pub observed: Vec<Object>,
    /// What exists and is billed, for people.
    pub billed: Vec<String>,
}

/// A change of the wish by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// When.
    pub at: Timestamp,
    /// What is wished from then on, in the words of [`Row::wished`].
    pub to: String,
}

/// One object in the cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `server`, `root disk`, `data snapshot`, …
    pub kind: String,
    /// The vendor's id.
    pub id: String,
    /// Its size or type, where it has one.
    pub size: String,
    /// What the vendor says of it.
    pub standing: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// How an instance does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// The owner is needed.
    Held,
    /// The cloud is not as it was left.
    Drifted,
    /// Something is done, or to be done.
    Progressing,
    /// Nothing is to do.
    InSync,
    /// It was not looked at yet, or nothing is known.
    Unknown,
}

impl Verdict {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Drifted => "drifted",
            Verdict::Progressing => "in progress",
            Verdict::InSync => "in sync",
            Verdict::Unknown => "not known",
        }
    }
}

/// The few words of a row that a table of many shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glance {
    pub standing: Box<str>,
    pub wished: Box<str>,
    pub verdict: Verdict,
    /// Whether somebody can play.
    pub is_ready: bool,
    /// Reason code and message of the verdict; empty where nothing is to say.
    pub reason: Box<str>,
    pub message: Box<str>,
    pub switch: Option<Switch>,
    pub commit: Option<Box<str>>,
}

impl Row {
    /// The condition that holds, of a kind.
    fn holds(&self, kind: ConditionKind) -> Option<&Condition> {
        self.conditions.iter().find(|it| it.kind == kind && it.status == Truth::True)
    }

    pub(super) fn glance(&self) -> Glance {
        let ranked = [
            (ConditionKind::Held, Verdict::Held),
            (ConditionKind::Progressing, Verdict::Progressing),
            (ConditionKind::Drifted, Verdict::Drifted),
        ];
        let told = ranked.into_iter().find_map(|(kind, verdict)| Some((verdict, self.holds(kind)?)));
        let (verdict, reason, message) = match (told, self.plan["verdict"].as_str()) {
            (Some((verdict, condition)), _) => (verdict, condition.reason.as_str(), condition.message.as_str()),
            (None, Some("held")) => {
                let said = |field: &str| self.plan["hold"][field].as_str().unwrap_or_default();
                (Verdict::Held, said("code"), said("message"))
            }
            (None, Some("changes")) => (Verdict::Progressing, "", ""),
            (None, Some(_)) => (Verdict::InSync, "", ""),
            (None, None) => (Verdict::Unknown, "", ""),
        };
        Glance {
            standing: self.standing.as_str().into(),
            wished: self.wished.as_str().into(),
            verdict,
            is_ready: self.holds(ConditionKind::Ready).is_some(),
            reason: reason.into(),
            message: message.into(),
            switch: self.switch.clone(),
            commit: self.commit.as_deref().map(Into::into),
        }
    }
}
