//! The problems of one file while it is being read: each once, and not without end.

use super::problem::Problem;
use super::source::{Source, Span};

/// How many problems of one file are told.
const LIMIT: usize = 100;

/// The problems of one file so far.
#[derive(Default)]
pub struct Findings {
    found: Vec<Finding>,
    more: usize,
}

/// A problem that is not drawn yet.
pub struct Finding {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Findings {
    /// Whether another problem would only be counted. Ask before working hard on its words.
    pub fn is_full(&self) -> bool {
        self.found.len() >= LIMIT
    }

    /// Counts a problem that will not be told.
    pub fn skip(&mut self) {
        self.more += 1;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// Adds a problem.
    pub fn add(&mut self, span: Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    /// Adds a problem that one can say something helpful about.
    pub fn add_with_hint(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()));
    }

    /// What an alias repeats is told once. What is only counted is not compared: there may be very much of it.
    fn push(&mut self, span: Span, message: String, hint: Option<String>) {
        if self.is_full() {
            self.skip();
        } else if !self.found.iter().any(|other| other.span.start == span.start && other.message == message) {
            self.found.push(Finding { span, message, hint });
        }
    }

    /// The first problem that others do not tell.
    pub fn beyond(&self, others: &Findings) -> Option<&Finding> {
        self.found.iter().find(|each| others.found.iter().all(|other| other.message != each.message))
    }

    /// All of them, in the order of the text.
    pub fn into_problems(mut self, source: &Source<'_>) -> Vec<Problem> {
        self.found.sort_by_key(|each| each.span.start);
        let mut problems: Vec<Problem> =
            self.found.into_iter().map(|each| Problem::at(source, each.span, each.message, each.hint)).collect();
        if self.more > 0
            && let Some(last) = problems.last()
        {
            let what = if self.more == 1 { "problem" } else { "problems" };
            let more = Problem::after(last, format!("and {} more {what} in this file", self.more));
            problems.push(more);
        }
        problems
    }
}
