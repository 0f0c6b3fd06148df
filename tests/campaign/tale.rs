//! A lifecycle told in plain words, line by line, with the time as it passed there.

use std::time::Duration;

/// What is told of a lifecycle; nothing, where nobody listens.
#[derive(Default)]
pub struct Tale {
    listens: bool,
    lines: Vec<String>,
    /// Reads that went well and are not told yet: by whom, since when, and what was read.
    reads: Option<(char, Duration, Vec<String>)>,
}

impl Tale {
    /// A tale for somebody who listens, or for nobody.
    pub fn new(listens: bool) -> Self {
        Self { listens, ..Self::default() }
    }

    /// Tells what happened at a moment.
    pub fn say(&mut self, at: Duration, line: impl FnOnce() -> String) {
        if self.listens {
            self.end_of_reads();
            self.put(at, &line());
        }
    }

    /// Begins a new chapter.
    pub fn chapter(&mut self, title: impl FnOnce() -> String) {
        if self.listens {
            self.end_of_reads();
            self.lines.extend([String::new(), title()]);
        }
    }

    /// A read that went well. Many of them in a row are one line.
    pub fn read(&mut self, at: Duration, who: char, what: impl FnOnce() -> String) {
        if !self.listens {
            return;
        }
        if self.reads.as_ref().is_some_and(|(reader, ..)| *reader != who) {
            self.end_of_reads();
        }
        self.reads.get_or_insert((who, at, Vec::new())).2.push(what());
    }

    fn end_of_reads(&mut self) {
        let Some((who, at, reads)) = self.reads.take() else { return };
        let mut counted: Vec<(String, usize)> = Vec::new();
        for read in reads {
            match counted.iter_mut().find(|(known, _)| *known == read) {
                Some((_, times)) => *times += 1,
                None => counted.push((read, 1)),
            }
        }
        let told: Vec<String> =
            counted.into_iter().map(|(what, times)| if times == 1 { what } else { format!("{what} ({times} times)") }).collect();
        self.put(at, &format!("{who}  looks at {}", told.join(", ")));
    }

    fn put(&mut self, at: Duration, line: &str) {
        let (minutes, seconds, millis) = (at.as_secs() / 60, at.as_secs() % 60, at.subsec_millis());
        self.lines.push(format!("{minutes:>5}:{seconds:02}.{millis:03}  {line}"));
    }

    /// Everything that was told.
    pub fn text(&mut self) -> String {
        self.end_of_reads();
        self.lines.join("\n")
    }
}
