//! What somebody else wrote, made fit to be shown: names, tags and messages from a cloud, words of a spec, paths.
//!
//! [`plain`] makes it a part of one line of ours, [`json_line`] an object on one line. [`gate`] is the last word about all
//! that is printed, whoever wrote it: lines and our own colours pass, and nothing else that a terminal would obey.

use crate::model::is_unseen;
use serde::Serialize;
use serde_json::Value;
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// How many characters of one text are shown: whoever fills a screen hides what stands above.
const MOST: usize = 2000;
/// How many characters of one line of the log are shown.
const MOST_LOGGED: usize = 8000;
/// What stands for a character that is not shown.
const INSTEAD: char = '\u{fffd}';

/// A text on one line, of bearable length, without anything that a terminal would obey.
pub fn plain(text: &str) -> String {
    shortened(text, MOST, is_unseen)
}

/// [`plain`], however long: for what must be taken whole, like a command.
pub fn visible(text: &str) -> String {
    shortened(text, usize::MAX, is_unseen)
}

fn shortened(text: &str, most: usize, hidden: impl Fn(char) -> bool) -> String {
    let shown = |c: char| if hidden(c) { INSTEAD } else { c };
    match text.char_indices().nth(most) {
        None => text.chars().map(shown).collect(),
        Some((end, _)) => {
            let (head, rest) = text.split_at(end);
            let mut cut: String = head.chars().map(shown).collect();
            let _ = write!(cut, "… ({} characters more)", rest.chars().count());
            cut
        }
    }
}

/// What is printed, as it may reach a terminal.
pub fn gate(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || !is_unseen(c)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let passes = match c {
            '\n' => 1,
            c if !is_unseen(c) => c.len_utf8(),
            _ => colour(rest),
        };
        if passes > 0 {
            clean.push_str(&rest[..passes]);
            rest = &rest[passes..];
        } else {
            clean.push(INSTEAD);
            rest = &rest[c.len_utf8()..];
        }
    }
    Cow::Owned(clean)
}

/// How many bytes at the start of a text set weight or colour: `ESC [`, one or two digits, `m`.
fn colour(text: &str) -> usize {
    let Some(after) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=2).contains(&digits) && after[digits..].starts_with('m') { "\u{1b}[".len() + digits + 1 } else { 0 }
}

/// An object on one line. What a terminal would obey is escaped, which to a program is the same.
///
/// # Errors
/// Where it cannot be JSON.
pub fn json_line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(value)?;
    if !text.contains(is_unseen) {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Outside of strings JSON has none of these.
        if is_unseen(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// A document of YAML, whose writer escapes controls and leaves what turns a text around: that is not shown.
///
/// # Errors
/// Where it cannot be YAML.
pub fn yaml_document(value: &impl Serialize) -> Result<String, serde_yaml::Error> {
    fn clean(value: &mut serde_yaml::Value) {
        match value {
            serde_yaml::Value::String(text) => *text = shortened(text, usize::MAX, |c| is_unseen(c) && !c.is_ascii()),
            serde_yaml::Value::Sequence(items) => items.iter_mut().for_each(clean),
            serde_yaml::Value::Mapping(fields) => fields.values_mut().for_each(clean),
            _ => {}
        }
    }
    let mut value = serde_yaml::to_value(value)?;
    clean(&mut value);
    Ok(format!("---\n{}", serde_yaml::to_string(&value)?))
}

/// Standard error as a log writes to it, an event at a time: an event stays on its line.
#[derive(Debug, Default)]
pub struct LogLine;

impl Write for LogLine {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = shortened(text.trim_end_matches('\n'), MOST_LOGGED, |c| c == '\n');
        io::stderr().write_all(format!("{}\n", gate(&line)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Standard error as a log of objects writes to it, an event at a time. What is said of the run that an event is of stands
/// beside what it says itself.
#[derive(Debug, Default)]
pub struct LogObject;

impl Write for LogObject {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if let Ok(mut object) = serde_json::from_slice::<Value>(event) {
            if let Some(fields) = object.as_object_mut()
                && let Some(Value::Object(span)) = fields.remove("span")
            {
                for (key, value) in span.into_iter().filter(|it| it.0 != "name") {
                    fields.entry(key).or_insert(value);
                }
            }
            shorten(&mut object);
            io::stderr().write_all(format!("{}\n", json_line(&object)?).as_bytes())?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Cuts what would fill a screen; what a terminal would obey is left to who writes it as JSON.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => *text = shortened(text, MOST, |_| false),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_our_colours_pass_and_nothing_else() {
        assert_eq!(gate("\u{1b}[1mmypad\u{1b}[0m\n"), "\u{1b}[1mmypad\u{1b}[0m\n");
        assert_eq!(
            gate("a\u{1b}[2Jb\u{1b}]0;t\u{7}\u{9b}1m\r\t\u{202e}"),
            "a\u{fffd}[2Jb\u{fffd}]0;t\u{fffd}\u{fffd}1m\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(gate("\u{1b}[111m\u{1b}["), "\u{fffd}[111m\u{fffd}[");
    }

    #[test]
    fn what_is_escaped_reads_back_the_same() {
        let odd = serde_json::json!({"a": "\u{1b}[2J\u{9b}\u{202e}\u{e0041}\n\u{7f}ö"});
        let line = json_line(&odd).unwrap();
        assert!(!line.contains(is_unseen), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), odd);
    }

    #[test]
    fn a_text_that_would_fill_the_screen_is_cut() {
        let long = "x".repeat(1_000_000);
        assert_eq!(plain(&long), format!("{}… (998000 characters more)", "x".repeat(2000)));
        assert_eq!(plain("a\nb"), "a\u{fffd}b");
    }
}
