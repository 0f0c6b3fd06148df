//! What is wrong with a file, where, and what to do about it.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

use super::source::{Source, Span};
use crate::model::is_unseen;

/// How many characters of a long line are shown.
const WINDOW: usize = 100;
/// The version of the JSON form.
const JSON_VERSION: u64 = 1;
/// How many characters of a name or value are quoted in a message.
const QUOTE: usize = 60;

/// One thing that is wrong with a file.
///
/// Message, hint and line hold nothing that a terminal would obey, whatever the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 where the whole file is meant.
    pub column: usize,
    /// How many characters are underlined.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line, or the part of a long line around the place, made visible; empty where none is meant.
    pub line_text: String,
    /// How many characters of `line_text` stand before the underlined ones.
    indent: usize,
}

impl Problem {
    /// A problem of a whole file or directory.
    pub fn whole(file: &Path, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, length: 0, message: message.into(), hint, line_text: String::new(), indent: 0 }
    }

    /// A problem at one place of a text.
    pub fn at(source: &Source<'_>, span: Span, message: impl Into<String>, hint: Option<String>) -> Self {
        let (line, column) = source.locate(span.start);
        let excerpt = Excerpt::cut(source, span);
        Self {
            file: source.file.to_owned(),
            line,
            column,
            length: excerpt.length,
            message: message.into(),
            hint,
            line_text: excerpt.text,
            indent: excerpt.indent,
        }
    }

    /// The same place without its line, for a last word about a file.
    pub(super) fn after(last: &Problem, message: impl Into<String>) -> Self {
        Self { line: last.line, column: last.column, ..Self::whole(&last.file, message, None) }
    }

    /// `file`, or `file:line:column`.
    pub fn place(&self) -> String {
        let file = visible_text(&self.file.display().to_string());
        if self.line == 0 { file } else { format!("{file}:{}:{}", self.line, self.column) }
    }

    /// The problem as it is drawn, without the word `error` before it.
    pub(super) fn drawn(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.line == 0 { String::new() } else { self.line.to_string() };
        let gutter = " ".repeat(number.len().max(1) + 1);
        write!(f, "{}\n{gutter}--> {}", self.message, self.place())?;
        if self.length > 0 {
            let line = format!(" {number} | {}", self.line_text);
            let caret = format!("{gutter} | {}{}", " ".repeat(self.indent), "^".repeat(self.length));
            write!(f, "\n{gutter} |\n{}\n{caret}", line.trim_end())?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{gutter} = hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        self.drawn(f)
    }
}

impl Serialize for Problem {
    /// The file keeps its exact name here: programs open it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Problem", 7)?;
        form.serialize_field("v", &JSON_VERSION)?;
        form.serialize_field("type", "problem")?;
        form.serialize_field("file", &self.file.to_string_lossy())?;
        form.serialize_field("line", &self.line)?;
        form.serialize_field("column", &self.column)?;
        form.serialize_field("message", &self.message)?;
        form.serialize_field("hint", &self.hint)?;
        form.end()
    }
}

/// The part of a line that is shown.
struct Excerpt {
    text: String,
    indent: usize,
    length: usize,
}

impl Excerpt {
    /// Cuts at most about `WINDOW` characters around the place, looking at no more than those.
    fn cut(source: &Source<'_>, span: Span) -> Self {
        let (line, at) = source.line_around(span.start);
        let (left, right) = line.split_at(at);
        let mut before: Vec<char> = left.chars().rev().take(WINDOW + 1).collect();
        let whole_fits = before.len() + right.chars().take(WINDOW + 1).count() <= WINDOW;
        let cut_left = !whole_fits && before.len() > WINDOW * 2 / 5;
        if cut_left {
            before.truncate(WINDOW * 2 / 5);
        }
        let mut rest = right.chars();
        let after: Vec<char> = rest.by_ref().take(WINDOW - before.len()).collect();
        let cut_right = rest.next().is_some();

        let marked = right.char_indices().take(after.len()).take_while(|(offset, _)| *offset < span.length).count();
        let mut text = String::new();
        if cut_left {
            text.push('…');
        }
        text.extend(before.iter().rev().chain(&after).map(|each| visible(*each)));
        if cut_right {
            text.push('…');
        }
        Self { text, indent: before.len() + usize::from(cut_left), length: marked.max(1) }
    }
}

/// A name or value from a file, in backticks, shortened and made visible.
pub fn quoted(text: &str) -> String {
    let mut rest = text.chars();
    let shown: String = rest.by_ref().take(QUOTE).map(visible).collect();
    let more = if rest.next().is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

/// Several names in backticks, with commas.
pub fn quoted_all<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// A text without anything that a terminal would obey.
pub fn visible_text(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// One visible character for each character that would move a cursor, or turn the text around.
fn visible(each: char) -> char {
    match each {
        '\u{00}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(each)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        other if is_unseen(other) => '\u{fffd}',
        other => other,
    }
}
