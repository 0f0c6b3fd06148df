//! What a journal comes to: its lines, folded. Pure, so that whoever asks what a run may remember asks the same code.

use crate::model::{
    Applied, CREATE_SERVER_KEY, Facts, MOUNTED, Stamp, is_create_key, is_play_key, start_up_key, started_server, stopped_server,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The format's version, in every line.
const VERSION: u32 = 1;

/// The outcome of a call whose answer was lost.
pub const UNKNOWN: &str = "unknown";
/// The outcome of a call that was answered well.
pub const MADE: &str = "done";
/// How the end of a run that reached its spec begins.
pub const DONE: &str = "Done";

/// An intent: a call about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The step's key.
    pub key: String,
    /// The step, for people.
    pub line: String,
    /// The spec whose application it writes down, where it does.
    pub applied: Option<Applied>,
    /// Whether it starts a server that was found off.
    pub found_off: bool,
}

/// A receipt: what came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The step's key.
    pub key: String,
    /// `done`, `not done`, `refused`, or `unknown`.
    pub outcome: &'static str,
    /// The object's id, or the cloud's answer.
    pub detail: String,
}

/// One line of a journal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Entry {
    v: u32,
    /// Local wall clock, for people; nothing is decided by it.
    pub(super) at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// The vendor's clock at the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cloud: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Whether an intent starts a server that was found off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    found_off: bool,
    /// The spec that an intent applies, as its tag says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spec: Option<String>,
}

impl Entry {
    /// The line of an intent; `cloud` is the vendor's clock.
    pub fn intent(it: &Opening, cloud: Stamp) -> Self {
        let (intent, detail, spec) = (Some(it.key.clone()), Some(it.line.clone()), it.applied.map(|it| it.value()));
        Self { v: VERSION, intent, cloud: Some(cloud), detail, spec, found_off: it.found_off, ..Self::default() }
    }

    /// The line of a receipt.
    pub fn receipt(it: &Closing) -> Self {
        let (outcome, detail) = (Some(it.outcome.to_owned()), Some(it.detail.clone()));
        Self { v: VERSION, receipt: Some(it.key.clone()), outcome, detail, ..Self::default() }
    }

    /// The line of a run's end.
    pub fn end(how: &str) -> Self {
        Self { v: VERSION, ended: Some(how.to_owned()), ..Self::default() }
    }
}

/// What is remembered of calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Recall {
    /// Creates whose outcome is unknown, by step key, with the vendor's clock when they were called.
    pub open: BTreeMap<String, Stamp>,
    /// When servers were ordered off, by id, on the vendor's clock.
    pub stopped: BTreeMap<String, Stamp>,
    /// Servers, by id, whose last order was to be off, or to be made.
    pub ordered_off: BTreeSet<String>,
    /// When servers were started for having been found off, by id, on the vendor's clock.
    pub restarting: BTreeMap<String, Stamp>,
    /// Of those, the ones that were seen to run.
    pub restarted: BTreeMap<String, Stamp>,
    /// What was applied last from here.
    pub applied: Option<Applied>,
    /// What ran inside a server to its end, by step key.
    pub played: BTreeSet<String>,
    /// Whether that told that the data disk is mounted.
    pub mounted: bool,
}

impl Recall {
    /// Takes in a line of an earlier run. What a later version wrote may mean something else.
    pub fn read(&mut self, entry: &Entry) {
        if entry.v != VERSION {
            return;
        }
        self.applied = entry.spec.as_deref().and_then(Applied::read).or(self.applied);
        if entry.receipt.as_deref() == Some(CREATE_SERVER_KEY) {
            self.create(entry.outcome.as_deref(), entry.detail.as_deref());
        }
        if let Some(server) = entry.receipt.as_deref().and_then(started_server) {
            self.start(server, entry.outcome.as_deref());
        }
        match (&entry.intent, &entry.receipt, entry.cloud) {
            (Some(key), _, Some(cloud)) => self.open(key, cloud, entry.found_off),
            (_, Some(key), _) if is_play_key(key) => self.play(key, entry.outcome.as_deref(), entry.detail.as_deref()),
            // What another run made a moment ago may be missing from a list: it stays open as well.
            (_, Some(key), _) if !matches!(entry.outcome.as_deref(), Some(UNKNOWN | MADE)) => {
                self.open.remove(key);
            }
            // A run that ended well waited for whatever was open.
            _ if entry.ended.as_ref().is_some_and(|how| how.starts_with(DONE)) => {
                self.open.clear();
                // And wrote down on the cloud what ran.
                self.played.clear();
                self.mounted = false;
                // And saw running what it started.
                self.restarted.append(&mut self.restarting);
            }
            _ => {}
        }
    }

    /// Takes in what this run is about to call. `cloud` is the vendor's clock.
    pub fn intend(&mut self, intents: &[Opening], cloud: Stamp) {
        for it in intents {
            self.open(&it.key, cloud, it.found_off);
            self.applied = it.applied.or(self.applied);
        }
    }

    /// Takes in what came of this run's calls.
    pub fn settle(&mut self, receipts: &[Closing]) {
        for receipt in receipts {
            if let Some(server) = started_server(&receipt.key) {
                self.start(server, Some(receipt.outcome));
            }
        }
        for receipt in receipts.iter().filter(|it| it.outcome != UNKNOWN) {
            self.open.remove(&receipt.key);
            if receipt.key == CREATE_SERVER_KEY {
                self.create(Some(receipt.outcome), Some(&receipt.detail));
            }
            if is_play_key(&receipt.key) {
                self.play(&receipt.key, Some(receipt.outcome), Some(&receipt.detail));
            }
        }
    }

    /// Whether no call is open.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// What it adds to a look.
    pub fn facts(&self) -> Facts {
        let it = self.clone();
        Facts {
            open: it.open,
            stopped: it.stopped,
            ordered_off: it.ordered_off,
            restarted: it.restarted,
            applied_here: it.applied,
            played: it.played,
            mounted: it.mounted,
            ..Facts::default()
        }
    }

    fn open(&mut self, key: &str, cloud: Stamp, found_off: bool) {
        if is_create_key(key) {
            self.open.insert(key.to_owned(), cloud);
        } else if let Some(server) = stopped_server(key) {
            self.stopped.insert(server.to_owned(), cloud);
            self.ordered_off.insert(server.to_owned());
            // Whatever it did before, it is off by order now.
            self.restarting.remove(server);
            self.restarted.remove(server);
        } else if let Some(server) = started_server(key) {
            self.ordered_off.remove(server);
            if found_off {
                self.restarting.insert(server.to_owned(), cloud);
            }
            // What ran at an earlier start has to run again.
            self.played.remove(&start_up_key(server));
        }
    }

    /// Takes in what came of starting a server: one that was not surely started is off as it was.
    fn start(&mut self, server: &str, outcome: Option<&str>) {
        if outcome != Some(MADE) {
            self.restarting.remove(server);
            self.ordered_off.insert(server.to_owned());
        }
    }

    /// Takes in what came of making a server.
    fn create(&mut self, outcome: Option<&str>, id: Option<&str>) {
        if let (Some(MADE), Some(id)) = (outcome, id) {
            self.ordered_off.insert(id.to_owned());
        }
    }

    /// Takes in what came of something that ran inside a server.
    fn play(&mut self, key: &str, outcome: Option<&str>, detail: Option<&str>) {
        self.mounted |= outcome == Some(MADE) && detail == Some(MOUNTED);
        match outcome {
            Some(MADE) => self.played.insert(key.to_owned()),
            _ => self.played.remove(key),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Id, Step};

    fn opening(step: &Step, found_off: bool) -> Opening {
        Opening { key: step.key(), line: String::new(), applied: None, found_off }
    }

    fn called(recall: &mut Recall, step: &Step, at: i64, outcome: &'static str) {
        let found_off = !recall.ordered_off.contains("srv");
        recall.intend(&[opening(step, found_off)], Stamp(at));
        recall.settle(&[Closing { key: step.key(), outcome, detail: String::new() }]);
    }

    /// Only a start of what was not ordered off is one for having been found off; and only if it came to pass.
    #[test]
    fn who_was_found_off_is_told_from_who_was_ordered_off() {
        let (start, stop) = (Step::StartServer(Id::new("srv")), Step::StopServer(Id::new("srv")));
        let mut recall = Recall::default();
        called(&mut recall, &stop, 1, MADE);
        assert!(recall.ordered_off.contains("srv"));
        for outcome in ["refused", "not done", UNKNOWN] {
            called(&mut recall, &start, 2, outcome);
            assert!(recall.ordered_off.contains("srv") && recall.restarting.is_empty(), "{outcome}: it is off as it was");
        }
        called(&mut recall, &start, 3, MADE);
        assert!(recall.ordered_off.is_empty() && recall.restarting.is_empty(), "an order, and its end");
        called(&mut recall, &start, 4, MADE);
        assert!(recall.restarted.is_empty(), "nobody saw it run yet");
        recall.read(&Entry::end(DONE));
        assert_eq!(recall.restarted.get("srv"), Some(&Stamp(4)), "nobody had ordered it off");
        called(&mut recall, &stop, 5, MADE);
        assert!(recall.restarted.is_empty(), "whatever was before, it is off by order now");
    }

    /// What is read from a file later comes to the same.
    #[test]
    fn a_journal_read_later_tells_the_same() {
        let create = Closing { key: CREATE_SERVER_KEY.to_owned(), outcome: MADE, detail: "srv".to_owned() };
        let start = Step::StartServer(Id::new("srv"));
        let mut recall = Recall::default();
        recall.read(&Entry::receipt(&create));
        assert!(recall.ordered_off.contains("srv"), "what was just made is off, and did not go off");
        recall.read(&Entry::intent(&opening(&start, false), Stamp(2)));
        recall.read(&Entry::receipt(&Closing { key: start.key(), outcome: "refused", detail: String::new() }));
        assert!(recall.ordered_off.contains("srv"));
        recall.read(&Entry::intent(&opening(&start, false), Stamp(3)));
        recall.read(&Entry::end(DONE));
        assert!(recall.ordered_off.is_empty() && recall.restarted.is_empty());
    }
}
