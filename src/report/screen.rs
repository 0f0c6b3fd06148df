//! What the output can show: width and colour.

use std::{io::IsTerminal, time::Duration};

/// The output's width and whether it takes colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns; lines are not cut where there is no terminal.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
}

impl Screen {
    /// Standard output as it is now. `NO_COLOR` and pipes get no colour.
    pub fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        let width = console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns));
        Self { width: if terminal { width.max(20) } else { usize::MAX }, colour: terminal && !no_colour && !dumb }
    }

    /// Wide, without colour: for files and tests.
    pub fn plain() -> Self {
        Self { width: usize::MAX, colour: false }
    }

    /// Text in bold.
    pub fn bold(&self, text: &str) -> String {
        self.painted(text, "1")
    }

    /// Text of less weight.
    pub fn dim(&self, text: &str) -> String {
        self.painted(text, "2")
    }

    /// Text that warns.
    pub fn warn(&self, text: &str) -> String {
        self.painted(text, "33")
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Cuts a line to the width.
    pub fn cut(&self, line: &str) -> String {
        if line.chars().count() <= self.width {
            return line.to_owned();
        }
        let mut cut: String = line.chars().take(self.width.saturating_sub(1)).collect();
        cut.push('…');
        cut
    }

    /// Breaks a text between words into lines that begin `indent` columns from the left and fit the width.
    pub fn wrap(&self, text: &str, indent: usize) -> Vec<String> {
        let room = self.width.saturating_sub(indent);
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.iter().map(|line| self.cut(&format!("{:indent$}{line}", ""))).collect()
    }
}

/// A length of time for people: `40s`, `3m`, `2h`.
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    match seconds {
        s if s < 1.0 => format!("{s:.1}s"),
        s if s < 100.0 => format!("{s:.0}s"),
        s if s < 5400.0 => format!("{:.0}m", s / 60.0),
        s => format!("{:.1}h", s / 3600.0),
    }
}
