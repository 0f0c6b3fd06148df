//! What is known of the fleet now, and what happens to it.

use super::{
    counts::{Calls, Counts},
    course::{Course, Outcome, PlannedAct},
    news::{News, Tuned},
    row::{Glance, Row, Verdict},
};
use crate::{
    model::{Event, InstanceKey, Line},
    report::{Lines, event_json, json_line, plain, span},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is known of the fleet. Told by who watches, read by who asks; each telling is short, and waits for nobody.
///
/// An instance is kept as a few words and one string; what happens is kept for a while, within bounds.
#[derive(Debug)]
pub struct Hub {
    pub(super) news: News,
    pub(super) since: Timestamp,
    fleet: Mutex<Fleet>,
}

/// Something that is not done before somebody approves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is approved, as an order names it.
    pub what: String,
    /// What it would do, for people.
    pub message: String,
}

#[derive(Debug, Default)]
struct Fleet {
    members: BTreeMap<InstanceKey, Member>,
    was_read: bool,
    questions: Vec<Question>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Member {
    glance: Option<Glance>,
    /// The [`Row`], as JSON.
    row: Box<str>,
    /// The run under way.
    now: Option<Course>,
    /// The last run that something came of.
    last: Option<Course>,
}

impl Member {
    /// The last look's words, and whether a run is at work since.
    fn at_a_glance(&self) -> Option<Glance> {
        let mut glance = self.glance.clone()?;
        if self.now.as_ref().is_some_and(Course::has_begun) {
            glance.verdict = Verdict::Progressing;
            (glance.reason, glance.message) = (Box::default(), Box::default());
        }
        Some(glance)
    }
}

/// One instance, as it was at one moment.
pub(super) struct Portrait {
    pub row: Option<(Glance, Row)>,
    pub course: Option<Course>,
}

/// The fleet, as it was at one moment.
pub(super) struct Roll {
    pub glances: Vec<(InstanceKey, Option<Glance>)>,
    pub questions: Vec<Question>,
    pub was_read: bool,
    /// The last item of news before that moment.
    pub last: String,
}

/// Numbers, as they were at one moment.
pub(super) struct Tally {
    pub counts: Counts,
    pub standing: BTreeMap<String, u64>,
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Held instances, with the code.
    pub held: Vec<(InstanceKey, String)>,
    pub underway: u64,
    /// Bytes of what is kept.
    pub weight: usize,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        let since = Timestamp::now();
        Self { news: News::new(format!("{:x}", since.as_microsecond())), since, fleet: Mutex::default() }
    }

    fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The source was read, and describes these instances; others have left.
    pub fn declared(&self, keys: impl IntoIterator<Item = InstanceKey>) {
        let keys: BTreeSet<InstanceKey> = keys.into_iter().collect();
        let mut fleet = self.fleet();
        fleet.was_read = true;
        fleet.counts.readings += 1;
        let gone: Vec<_> = fleet.members.keys().filter(|it| !keys.contains(*it)).cloned().collect();
        for key in keys {
            fleet.members.entry(key).or_default();
        }
        drop(fleet);
        gone.iter().for_each(|it| self.left(it));
    }

    /// The source could not be read. What is known of the fleet stays.
    pub fn unread(&self) {
        let mut fleet = self.fleet();
        fleet.counts.unread += 1;
    }

    /// An instance was looked at.
    pub fn saw(&self, key: &InstanceKey, row: &Row) {
        let Ok(text) = json_line(row) else { return };
        let glance = row.glance();
        let mut fleet = self.fleet();
        let before = fleet.members.get(key).and_then(|it| it.glance.as_ref()).map(|it| it.verdict);
        if glance.verdict == Verdict::Drifted && before != Some(Verdict::Drifted) {
            fleet.counts.drift += 1;
        }
        let member = fleet.members.entry(key.clone()).or_default();
        if *member.row == text && member.glance.as_ref() == Some(&glance) {
            return;
        }
        let told = json!({
            "type": "row", "standing": row.standing, "wished": row.wished, "verdict": glance.verdict.word(), "reason": glance.reason,
        });
        member.row = text.into();
        member.glance = Some(glance);
        self.tell(key, told);
    }

    /// A run of an instance begins. `run` is its id, `why` a few words, `planned` what is expected.
    pub fn began(&self, key: &InstanceKey, run: &str, why: &str, planned: Vec<PlannedAct>) {
        let mut fleet = self.fleet();
        fleet.members.entry(key.clone()).or_default().now = Some(Course::new(run, why, planned));
    }

    /// Something happened in a run, or, like [`Event::Ready`], after it.
    pub fn event(&self, key: &InstanceKey, run: &str, event: &Event) {
        let mut fleet = self.fleet();
        let Fleet { members, counts, .. } = &mut *fleet;
        // Whoever has left comes not back by what his last run tells.
        if let Some(member) = members.get_mut(key) {
            if let Some(course) = member.now.as_mut().filter(|it| it.run == run) {
                course.note(event);
            }
            match event {
                Event::Ended(_) => end(member, counts, run, None),
                Event::Ready(it) if it.is_ready() => {
                    let changed = |it: &&Course| it.run == run && matches!(it.outcome, Some((_, Outcome::Done { calls: 1.. })));
                    if let Some(course) = member.last.as_ref().filter(changed) {
                        counts.playable.note(course.began.elapsed());
                    }
                }
                _ => {}
            }
        }
        match event {
            Event::Finished { line, took, .. } => counts.phases.entry(line.verb).or_default().note(*took),
            Event::Arrived { took, .. } => counts.phases.entry("wait").or_default().note(*took),
            Event::Failed { .. } => counts.failures += 1,
            _ => {}
        }
        let mut told = event_json(key, event);
        told["run"] = json!(run);
        told["text"] = json!(sentence(key, event));
        self.tell(key, told);
    }

    /// A run could not go on, for a reason of this machine's.
    pub fn failed(&self, key: &InstanceKey, run: &str, why: &str) {
        let mut fleet = self.fleet();
        let Fleet { members, counts, .. } = &mut *fleet;
        if let Some(member) = members.get_mut(key) {
            end(member, counts, run, Some(Outcome::Failed(why.to_owned())));
        }
        self.tell(key, json!({"type": "ended", "verdict": "failed", "run": run, "text": format!("failed: {}", plain(why))}));
    }

    /// Nothing describes an instance any more.
    pub fn left(&self, key: &InstanceKey) {
        let mut fleet = self.fleet();
        if fleet.members.remove(key).is_some() {
            self.tell(key, json!({"type": "left", "text": "nothing describes it any more"}));
        }
    }

    /// What waits for somebody's approval, all of it.
    pub fn asks(&self, questions: Vec<Question>) {
        self.fleet().questions = questions;
    }

    /// Calls of a vendor's API so far, and how many of them were turned away for being too many.
    pub fn called(&self, vendor: &str, made: u64, throttled: u64) {
        self.fleet().counts.calls.insert(vendor.to_owned(), Calls { made, throttled });
    }

    fn tell(&self, key: &InstanceKey, mut what: Value) {
        what["namespace"] = json!(key.namespace);
        what["name"] = json!(key.name);
        what["at"] = json!(Timestamp::now().to_string());
        self.news.tell(key, &what);
    }

    pub(super) fn tune(&self, after: Option<&str>) -> Tuned {
        self.news.tune(after)
    }

    pub(super) fn roll(&self) -> Roll {
        let last = self.news.last();
        let fleet = self.fleet();
        let glances = fleet.members.iter().map(|(key, it)| (key.clone(), it.at_a_glance())).collect();
        Roll { glances, questions: fleet.questions.clone(), was_read: fleet.was_read, last }
    }

    /// Whether the source was read, and how many instances were not looked at yet.
    pub(super) fn unseen(&self) -> (bool, usize) {
        let fleet = self.fleet();
        (fleet.was_read, fleet.members.values().filter(|it| it.glance.is_none()).count())
    }

    pub(super) fn portrait(&self, key: &InstanceKey) -> Option<Portrait> {
        let fleet = self.fleet();
        let member = fleet.members.get(key)?;
        let under_way = member.now.as_ref().filter(|it| it.has_begun() || member.last.is_none());
        let course = under_way.or(member.last.as_ref()).cloned();
        let (glance, text) = (member.at_a_glance(), member.row.clone());
        drop(fleet);
        let row = glance.and_then(|glance| Some((glance, serde_json::from_str(&text).ok()?)));
        Some(Portrait { row, course })
    }

    pub(super) fn tally(&self) -> Tally {
        let kept = self.news.weight();
        let fleet = self.fleet();
        let mut tally = Tally {
            counts: fleet.counts.clone(),
            standing: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            held: Vec::new(),
            underway: 0,
            weight: kept + fleet.members.values().map(|it| it.row.len()).sum::<usize>(),
        };
        for (key, member) in &fleet.members {
            let glance = member.at_a_glance();
            let standing = glance.as_ref().map_or("unknown", |it| &*it.standing).to_owned();
            *tally.standing.entry(standing).or_default() += 1;
            let verdict = glance.as_ref().map_or(Verdict::Unknown, |it| it.verdict);
            *tally.verdicts.entry(verdict.word()).or_default() += 1;
            if let Some(glance) = glance.filter(|it| it.verdict == Verdict::Held) {
                tally.held.push((key.clone(), glance.reason.to_string()));
            }
            tally.underway += u64::from(member.now.is_some());
        }
        tally
    }
}

/// The run under way is over. A run that nothing came of is not kept in place of one that something came of.
fn end(member: &mut Member, counts: &mut Counts, run: &str, outcome: Option<Outcome>) {
    let Some(mut course) = member.now.take_if(|it| it.run == run) else { return };
    if let Some(outcome) = outcome {
        course.end(outcome);
    }
    if let Some((took, outcome)) = &course.outcome {
        *counts.reconciles.entry(outcome.word()).or_default() += 1;
        if course.has_begun() {
            counts.reconcile.note(*took);
        }
    }
    if course.has_begun() || member.last.is_none() || matches!(course.outcome, Some((_, Outcome::Failed(_)))) {
        member.last = Some(course);
    }
}

/// An event in words.
fn sentence(key: &InstanceKey, event: &Event) -> String {
    let line = |line: &Line| format!("{} {}", line.verb, plain(&line.object));
    match event {
        Event::Started { line: it, reason, .. } => format!("{} … because {}", line(it), plain(reason)),
        Event::Finished { line: it, took, .. } if *took >= Duration::from_secs(1) => format!("{}, done in {}", line(it), span(*took)),
        Event::Finished { line: it, .. } => format!("{}, done", line(it)),
        Event::Arrived { until, took } => format!("{}, after {}", plain(until), span(*took)),
        Event::Said { text, .. } => plain(text),
        Event::Waiting { until, expected } => format!("wait until {} (~{})", plain(until), span(*expected)),
        _ => Lines::new(false).line(key, event).unwrap_or_default().replace("\n  you can: ", ". You can: "),
    }
}
