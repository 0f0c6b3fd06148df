//! A run as it goes: a live view on a terminal, one line per event elsewhere.

use super::{Screen, event_json, gate, plain, span};
use crate::model::{Event, InstanceKey};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;
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
        Some(format!("{name}{}", told_line(&event_json(key, event))?))
    }
}

/// The line of an event as it is to tools; `None` where the line of another says it.
pub(super) fn told_line(event: &Value) -> Option<String> {
    let text = |key: &str| plain(event[key].as_str().unwrap_or_default());
    let inside = |of: &Value, key: &str| plain(of[key].as_str().unwrap_or_default());
    let objects = || {
        let all: Vec<&str> = event["objects"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        plain(&all.join(", "))
    };
    let step = || format!("{:<9} {}", text("verb"), text("object"));
    Some(match event["type"].as_str()? {
        "finished" => step(),
        "failed" => format!("{}: {} ({})", step(), text("answer"), text("then")),
        "waiting" => match event["expectedSeconds"].as_f64().unwrap_or_default() {
            soon if soon < 0.5 => format!("wait      until {}", text("until")),
            seconds => format!("wait      until {} (~{})", text("until"), span_of(seconds)),
        },
        "said" => format!("        | {}", text("text")),
        "unseen" => format!("look      {} (tried again after a pause)", text("why")),
        "billed" if objects().is_empty() => "nothing of it is billed now".to_owned(),
        "billed" => format!("billed now: {}", objects()),
        "noted" => text("note"),
        "leftBehind" => format!(
            "probably left behind, untagged and billed: {}\n  you can: delete it in the vendor's console, if it is nobody else's",
            objects()
        ),
        "ended" => match event["verdict"].as_str()? {
            "done" => match event["calls"].as_u64().unwrap_or_default() {
                0 => "done: nothing to do".to_owned(),
                1 => "done: 1 change".to_owned(),
                calls => format!("done: {calls} changes"),
            },
            "held" => format!("held: {}\n  you can: {}", inside(&event["hold"], "message"), inside(&event["hold"], "remedy")),
            "failed" => format!("failed: {}", text("message")),
            _ => "stopped between two steps; nothing is lost, the same command goes on from here".to_owned(),
        },
        "ready" if event["ready"] == true => format!("ready: {}", text("message")),
        "ready" => format!("not ready: {}\n  you can: {}", text("message"), text("remedy")),
        _ => return None,
    })
}

/// A length of time for people, from seconds of whatever origin.
pub(super) fn span_of(seconds: f64) -> String {
    span(Duration::try_from_secs_f64(seconds).unwrap_or_default())
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
            Event::Began { .. } => return,
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
