//! What the runs of an instance tell, with the run's id beside it, to be printed and to be kept.

use super::{complain, hands::Case};
use crate::{
    model::{Ending, Event, Hold, InstanceKey, Occasion, Stance},
    report::{LastRun, PastRun, event_json, plain},
    store::{Home, Lock, StoreError, Stories, Telling, Told},
};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, Ordering},
};

/// What one instance's runs tell, as long as this process is at it.
pub(crate) struct Chronicle {
    stories: Stories,
    now: RefCell<Option<Chapter>>,
    /// How the last run ended, once that was looked up or seen: [`word_of`] an ending.
    last: RefCell<Option<String>>,
}

/// The run that goes on, or has just ended.
struct Chapter {
    telling: Telling,
    /// What is written only if the run comes to something.
    held_back: Vec<Value>,
    /// Whether anything of it was written.
    written: bool,
}

impl Chronicle {
    pub fn of(home: &Home, key: &InstanceKey) -> Self {
        Self { stories: Stories::of(home, key), now: RefCell::default(), last: RefCell::default() }
    }

    /// A new run begins; its id.
    pub fn begin(&self) -> String {
        let telling = Telling::begin(self.stories.clone());
        let run = telling.run().to_string();
        *self.now.borrow_mut() = Some(Chapter { telling, held_back: Vec::new(), written: false });
        run
    }

    /// The id of the run that goes on, or has just ended; nothing before the first.
    pub fn run(&self) -> String {
        self.now.borrow().as_ref().map(|it| it.telling.run().to_string()).unwrap_or_default()
    }

    /// Keeps an event of the run. A run that comes to nothing, and ends as the last one did, is not worth a line.
    pub fn keep(&self, case: &Case, event: &Event) {
        let mut line = event_object(case, event);
        match event {
            Event::Began { .. } => line["pid"] = json!(std::process::id()),
            // It was called off before it came to anything.
            Event::Ended(Ending::Interrupted) if !self.has_written() => return,
            Event::Ended(ending) => {
                let word = word_of(ending);
                let same = self.last.borrow_mut().get_or_insert_with(|| self.last_word()).as_str() == word;
                *self.last.borrow_mut() = Some(word);
                if same && !self.has_written() {
                    return;
                }
            }
            _ => {}
        }
        let waits = matches!(event, Event::Began { .. } | Event::Unseen { .. } | Event::Noted(_) | Event::Billed(_) | Event::LeftBehind(_));
        self.add(line, waits, matches!(event, Event::Ended(_) | Event::Ready(_)));
    }

    /// Whether anything of the run was worth a line yet.
    fn has_written(&self) -> bool {
        self.now.borrow().as_ref().is_some_and(|it| it.written)
    }

    /// Keeps that the run ended without an ending of its own.
    pub fn keep_failure(&self, case: &Case, why: &str) {
        let mut line = json!({"type": "ended", "verdict": "failed", "message": why});
        sign(&mut line, case);
        *self.last.borrow_mut() = Some("failed".to_owned());
        self.add(line, false, true);
    }

    fn add(&self, mut line: Value, waits: bool, last: bool) {
        let mut now = self.now.borrow_mut();
        let Some(chapter) = now.as_mut() else { return };
        line["at"] = json!(jiff::Timestamp::now().to_string());
        if waits && !chapter.written {
            chapter.held_back.push(line);
            return;
        }
        let mut lines = std::mem::take(&mut chapter.held_back);
        lines.push(line);
        chapter.written = true;
        if let Err(error) = chapter.telling.write(&lines, last) {
            tell_once(&error);
        }
    }

    /// How the last run that is kept ended.
    fn last_word(&self) -> String {
        let runs = self.stories.read().unwrap_or_default();
        let ended = runs.last().and_then(|it| it.lines.iter().rev().find(|it| it["type"] == "ended"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ended.map_or(String::new(), |it| match text(&it["verdict"]).as_str() {
            "held" => held_word(&text(&it["hold"]["code"]), &text(&it["hold"]["message"])),
            verdict => verdict.to_owned(),
        })
    }
}

/// How a run ended, as far as two may end alike: what was counted meanwhile makes no difference.
fn word_of(ending: &Ending) -> String {
    match ending {
        Ending::Done { .. } => "done".to_owned(),
        Ending::Held(hold) => held_word(Hold::code(hold), &hold.to_string()),
        Ending::Interrupted => "interrupted".to_owned(),
    }
}

fn held_word(code: &str, message: &str) -> String {
    format!("held {code} {}", message.replace(|it: char| it.is_ascii_digit(), ""))
}

/// A run goes on without its story, and so do all others: that is said once.
fn tell_once(error: &StoreError) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        let path = plain(&error.path.display().to_string());
        complain(&format!("what this run does is not kept for cloudypad history: cannot {} {path}: {}", error.verb, error.source));
    }
}

/// An event of a case, as tools are told of it.
pub(crate) fn event_object(case: &Case, event: &Event) -> Value {
    let mut value = event_json(&case.ask.key, event);
    if let Event::Began { .. } = event {
        value["why"] = json!(case.why().code());
    }
    sign(&mut value, case);
    value
}

/// Says of which run, and which commit, something is.
fn sign(value: &mut Value, case: &Case) {
    value["v"] = json!(crate::report::JSON_VERSION);
    value["namespace"] = json!(case.ask.key.namespace);
    value["name"] = json!(case.ask.key.name);
    if let Some(chapter) = case.chronicle.now.borrow().as_ref() {
        value["run"] = json!(chapter.telling.run().as_str());
    }
    if let Some(commit) = &case.commit {
        value["commit"] = json!(commit);
    }
}

impl Case {
    /// Why a run of it begins now.
    pub fn why(&self) -> Occasion {
        match self.occasion {
            _ if self.ask.idle.is_some() => Occasion::Idle,
            Occasion::Edit if self.ask.stance == Stance::Keep => Occasion::Resync,
            occasion => occasion,
        }
    }
}

/// The runs of an instance that are kept, oldest first.
///
/// # Errors
/// Where they are there and cannot be read.
pub(crate) fn past_runs(home: &Home, key: &InstanceKey) -> Result<Vec<PastRun>, StoreError> {
    let runs = Stories::of(home, key).read()?;
    let newest = runs.last().map(|it| it.run.clone());
    let past = |Told { run, lines }| {
        let is_newest = newest.as_ref() == Some(&run);
        PastRun::of(run, lines, |pid| is_newest && Lock::holder(home, key).is_some_and(|it| u64::from(it) == pid))
    };
    Ok(runs.into_iter().map(past).collect())
}

/// What is known of the last run, for conditions.
pub(crate) fn last_run(runs: &[PastRun]) -> LastRun {
    match runs.last().map(|it| it.verdict.as_str()) {
        Some("underWay") => LastRun::UnderWay,
        Some("cutOff" | "interrupted" | "failed") => LastRun::Unfinished,
        _ => LastRun::Over,
    }
}
