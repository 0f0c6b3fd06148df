//! The course of a run: what was planned, beside what came.

use crate::{
    model::{Ending, Event, Line},
    plan::Forecast,
};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// More bars than any lifecycle has; what comes after is not drawn.
const MOST_BARS: usize = 120;

/// One expected step, in real time since the run begins.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedAct {
    /// What.
    pub line: Line,
    /// When it begins.
    pub begins: Duration,
    /// When its effect is seen.
    pub ends: Duration,
}

impl PlannedAct {
    /// What a forecast expects, on a cloud that runs `speed` times as fast as life.
    pub fn all(forecast: &Forecast, speed: f64) -> Vec<Self> {
        let real = |seconds: u64| Duration::from_secs_f64(seconds as f64 / speed);
        let acts = forecast.acts.iter();
        acts.map(|it| Self { line: it.line.clone(), begins: real(it.begins), ends: real(it.ends) }).collect()
    }
}

/// One line of the chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    pub what: String,
    /// Waited for, not called.
    pub is_wait: bool,
    pub planned: Option<(Duration, Duration)>,
    pub began: Option<Duration>,
    pub ended: Option<Duration>,
    /// How often it failed.
    pub failures: u32,
    /// The verb, for matching what comes with what was planned.
    verb: &'static str,
    /// The step's key, once it began.
    step: String,
    /// It was answered well: the same step again is another one.
    is_done: bool,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub run: String,
    pub why: String,
    pub at: Timestamp,
    pub began: Instant,
    pub bars: Vec<Bar>,
    /// How long it took, and how it ended.
    pub outcome: Option<(Duration, Outcome)>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Done { calls: usize },
    Held { code: &'static str, message: String },
    Interrupted,
    Failed(String),
}

impl Outcome {
    /// One of few words, for tools.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Done { .. } => "done",
            Outcome::Held { .. } => "held",
            Outcome::Interrupted => "interrupted",
            Outcome::Failed(_) => "failed",
        }
    }
}

impl From<&Ending> for Outcome {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Done { calls } => Outcome::Done { calls: *calls },
            Ending::Held(hold) => Outcome::Held { code: hold.code(), message: hold.to_string() },
            Ending::Interrupted => Outcome::Interrupted,
        }
    }
}

impl Course {
    pub fn new(run: &str, why: &str, planned: Vec<PlannedAct>) -> Self {
        let bars = planned.into_iter().take(MOST_BARS).map(|it| Bar {
            what: it.line.to_string(),
            is_wait: false,
            planned: Some((it.begins, it.ends)),
            began: None,
            ended: None,
            failures: 0,
            verb: it.line.verb,
            step: String::new(),
            is_done: false,
        });
        let (run, why) = (run.to_owned(), why.to_owned());
        Self { run, why, at: Timestamp::now(), began: Instant::now(), bars: bars.collect(), outcome: None }
    }

    /// Whether anything came of it.
    pub fn has_begun(&self) -> bool {
        self.bars.iter().any(|it| it.began.is_some())
    }

    /// Notes what happened.
    pub fn note(&mut self, event: &Event) {
        let now = self.began.elapsed();
        match event {
            Event::Started { key, line, .. } => {
                let bar = self.bar(key, line);
                if let Some(bar) = bar {
                    bar.began = Some(bar.began.unwrap_or(now));
                    bar.ended = None;
                }
            }
            Event::Finished { key, .. } => {
                if let Some(bar) = self.of(key) {
                    (bar.ended, bar.is_done) = (Some(now), true);
                }
            }
            Event::Failed { key, .. } => {
                if let Some(bar) = self.of(key) {
                    bar.failures += 1;
                    bar.ended = Some(now);
                }
            }
            Event::Waiting { until, expected } if self.bars.len() < MOST_BARS => {
                self.bars.push(Bar {
                    what: format!("until {until}"),
                    is_wait: true,
                    planned: Some((now, now + *expected)),
                    began: Some(now),
                    ended: None,
                    failures: 0,
                    verb: "",
                    step: until.clone(),
                    is_done: false,
                });
            }
            Event::Arrived { until, .. } => {
                if let Some(bar) = self.bars.iter_mut().rev().find(|it| it.is_wait && it.step == *until) {
                    bar.ended = Some(now);
                }
            }
            Event::Ended(ending) => self.end(ending.into()),
            _ => {}
        }
    }

    /// Ends it; what is under way is not followed any further.
    pub fn end(&mut self, outcome: Outcome) {
        let now = self.began.elapsed();
        for bar in self.bars.iter_mut().filter(|it| it.began.is_some() && it.ended.is_none()) {
            bar.ended = Some(now);
        }
        self.outcome = Some((now, outcome));
    }

    fn of(&mut self, step: &str) -> Option<&mut Bar> {
        self.bars.iter_mut().rev().find(|it| !it.is_wait && it.step == step)
    }

    /// The bar of a step: the one it has because it failed before, the planned one that says the same, the first planned one that does the same to
    /// an object that had no name yet, or a new one.
    fn bar(&mut self, step: &str, line: &Line) -> Option<&mut Bar> {
        let own = |it: &Bar| !it.is_wait && !it.is_done && it.step == step;
        let same = |it: &Bar| !it.is_wait && it.step.is_empty() && it.what == line.to_string();
        let alike = |it: &Bar| !it.is_wait && it.step.is_empty() && it.verb == line.verb;
        let found = self.bars.iter().rposition(own).or(self.bars.iter().position(same)).or(self.bars.iter().position(alike));
        let index = match found {
            Some(index) => index,
            None if self.bars.len() < MOST_BARS => {
                let bar = Bar {
                    what: String::new(),
                    is_wait: false,
                    planned: None,
                    began: None,
                    ended: None,
                    failures: 0,
                    verb: line.verb,
                    step: String::new(),
                    is_done: false,
                };
                self.bars.push(bar);
                self.bars.len() - 1
            }
            None => return None,
        };
        let bar = &mut self.bars[index];
        bar.what = line.to_string();
        bar.step = step.to_owned();
        Some(bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(verb: &'static str, object: &str) -> Line {
        Line { verb, object: object.to_owned(), seconds: 1 }
    }

    fn planned(verb: &'static str, object: &str) -> PlannedAct {
        PlannedAct { line: line(verb, object), begins: Duration::ZERO, ends: Duration::from_secs(1) }
    }

    fn started(line: &Line) -> Event {
        Event::Started { key: line.verb.to_owned(), line: line.clone(), reason: String::new() }
    }

    /// What is done twice has two bars, what is tried twice has one, what nobody planned has one of its own.
    #[test]
    fn what_came_stands_beside_what_was_planned() {
        let (start, make) = (line("start", "server a"), line("create", "server a"));
        let mut course =
            Course::new("r", "by hand", vec![planned("create", "server new"), planned("start", "server a"), planned("start", "server a")]);
        let finished = |line: &Line| Event::Finished { key: line.verb.to_owned(), line: line.clone(), took: Duration::ZERO };
        let failed = Event::Failed { key: "create".to_owned(), line: make.clone(), answer: String::new(), then: "" };
        for event in [started(&make), failed, started(&make), finished(&make), started(&start), finished(&start), started(&start)] {
            course.note(&event);
        }
        course.note(&started(&line("tag", "server a")));
        let told: Vec<_> = course.bars.iter().map(|it| (it.what.as_str(), it.planned.is_some(), it.failures, it.ended.is_some())).collect();
        let start = |ended| ("start server a", true, 0, ended);
        assert_eq!(told, [("create server a", true, 1, true), start(true), start(false), ("tag server a", false, 0, false)]);
        course.note(&Event::Ended(Ending::Interrupted));
        assert!(course.bars.iter().all(|it| it.ended.is_some()), "what was under way is not any more");
    }
}
