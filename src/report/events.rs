//! A run as it goes: a live view on a terminal, one line per event elsewhere.

use super::{Screen, gate, plain, span};
use crate::model::{Ending, Event, InstanceKey};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{collections::BTreeMap, io::Write, sync::Mutex, time::Duration};

/// One line per event.
#[derive(Debug)]
pub struct Lines {
    named: bool,
}

impl Lines {
    /// `named`: begin each line with the instance's name.
    pub fn new(named: bool) -> Self {
        Self { named }
    }

    /// The event's line; `None` for those that a line of another says.
    pub fn line(&self, key: &InstanceKey, event: &Event) -> Option<String> {
        let name = if self.named { format!("{key}: ") } else { String::new() };
        Some(format!("{name}{}", event_line(event)?))
    }
}

fn event_line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { .. } => return None,
        Event::Finished { line, .. } => format!("{:<9} {}", line.verb, plain(&line.object)),
        Event::Failed { line, answer, then, .. } => format!("{:<9} {}: {} ({then})", line.verb, plain(&line.object), plain(answer)),
        Event::Waiting { until, expected } if *expected < Duration::from_millis(500) => format!("wait      until {}", plain(until)),
        Event::Waiting { until, expected } => format!("wait      until {} (~{})", plain(until), span(*expected)),
        Event::Arrived { .. } => return None,
        Event::Said { text, .. } => format!("        | {}", plain(text)),
        Event::Unseen { why } => format!("look      {} (tried again after a pause)", plain(why)),
        Event::Billed(objects) if objects.is_empty() => "nothing of it is billed now".to_owned(),
        Event::Billed(objects) => format!("billed now: {}", plain(&objects.join(", "))),
        Event::Noted(note) => plain(&note.to_string()),
        Event::LeftBehind(objects) => format!(
            "probably left behind, untagged and billed: {}\n  you can: delete it in the vendor's console, if it is nobody else's",
            plain(&objects.join(", "))
        ),
        Event::Ended(Ending::Done { calls: 0 }) => "done: nothing to do".to_owned(),
        Event::Ended(Ending::Done { calls: 1 }) => "done: 1 change".to_owned(),
        Event::Ended(Ending::Done { calls }) => format!("done: {calls} changes"),
        Event::Ended(Ending::Held(hold)) => format!("held: {}\n  you can: {}", plain(&hold.to_string()), plain(&hold.remedy())),
        Event::Ready(it) if it.is_ready() => format!("ready: {}", plain(&it.to_string())),
        Event::Ready(it) => format!("not ready: {}\n  you can: {}", plain(&it.to_string()), plain(&it.remedy)),
        Event::Ended(Ending::Interrupted) => "stopped between two steps; nothing is lost, the same command goes on from here".to_owned(),
    })
}

/// What runs now, side by side, elapsed and expected; what is done stays above.
pub struct Live {
    lines: Lines,
    board: MultiProgress,
    rows: Mutex<BTreeMap<String, ProgressBar>>,
    screen: Screen,
}

impl Live {
    /// A view on standard error, which is a terminal.
    pub fn new(named: bool, screen: Screen) -> Self {
        Self { lines: Lines::new(named), board: MultiProgress::new(), rows: Mutex::default(), screen }
    }

    /// Shows an event.
    pub fn show(&self, key: &InstanceKey, event: &Event) {
        let mut rows = self.rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = if self.lines.named { format!("{key}: ") } else { String::new() };
        match event {
            Event::Started { key: step, line, reason } => {
                let row = self.row(format!("{name}{:<9} {}", line.verb, plain(&line.object)), &self.screen.dim(&plain(reason)));
                rows.insert(format!("{key} {step}"), row);
            }
            Event::Finished { key: step, .. } | Event::Failed { key: step, .. } => {
                if let Some(row) = rows.remove(&format!("{key} {step}")) {
                    row.finish_and_clear();
                }
            }
            Event::Waiting { until, expected } => {
                let row = self.row(format!("{name}wait      until {}", plain(until)), &format!("/ ~{}", span(*expected)));
                rows.insert(format!("{key} until {until}"), row);
                return;
            }
            Event::Arrived { until, took } => {
                if let Some(row) = rows.remove(&format!("{key} until {until}")) {
                    row.finish_and_clear();
                }
                self.say(&format!("✓ {name}{:<9} {}  {}", "", plain(until), self.screen.dim(&span(*took))));
                return;
            }
            Event::Said { .. } | Event::Unseen { .. } | Event::Billed(_) | Event::Noted(_) | Event::LeftBehind(_) => {}
            Event::Ended(_) | Event::Ready(_) => {
                let own = format!("{key} ");
                rows.retain(|row, bar| {
                    let ended = row.starts_with(&own);
                    if ended {
                        bar.finish_and_clear();
                    }
                    !ended
                });
            }
        }
        let mark = match event {
            Event::Finished { .. } => "✓ ",
            Event::Failed { .. } => "! ",
            _ => "",
        };
        if let Some(line) = self.lines.line(key, event) {
            self.say(&format!("{mark}{line}"));
        }
    }

    fn row(&self, what: String, beside: &str) -> ProgressBar {
        let row = self.board.add(ProgressBar::new_spinner());
        let template = "{spinner} {wide_msg} {elapsed:>4} {prefix}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            row.set_style(style);
        }
        row.set_prefix(gate(beside).into_owned());
        row.set_message(gate(&what).into_owned());
        row.enable_steady_tick(Duration::from_millis(120));
        row
    }

    fn say(&self, line: &str) {
        // Printing above the rows fails only with the terminal gone; the run goes on.
        let line = gate(line);
        if self.board.println(&line).is_err() {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}
