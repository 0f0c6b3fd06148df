//! Runs that are over, from what they told: a table of them, and the story of one.

use super::{
    JSON_VERSION, Screen,
    events::{span_of, told_line},
    plain, table,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One run, in a few words. Times are those of this machine's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRun {
    v: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whose.
    pub namespace: String,
    /// Whose.
    pub name: String,
    /// Which.
    pub run: String,
    /// When it began, RFC 3339 in UTC.
    pub at: String,
    /// Why it began: [`crate::model::Occasion`]'s code.
    pub why: Option<String>,
    /// The commit that it was to reach.
    pub commit: Option<String>,
    /// Where the instance stood when it began.
    pub from: Option<String>,
    /// Where it was wanted.
    pub to: Option<String>,
    /// `done`, `held`, `interrupted`, `failed`; `underWay` while it goes on, `cutOff` where nobody wrote how it ended.
    pub verdict: String,
    /// Why it was held: `code`, `message`, `remedy`.
    pub hold: Option<Value>,
    /// How many calls it made that change something.
    pub calls: u64,
    /// How long it took, from its first word to its end, or to the last that it said.
    pub seconds: f64,
    #[serde(skip)]
    lines: Vec<Value>,
}

impl PastRun {
    /// A run from its lines; `goes_on` says whether the process with an id still works on it.
    pub fn of(run: String, lines: Vec<Value>, goes_on: impl Fn(u64) -> bool) -> Self {
        let text = |of: &Value, key: &str| of[key].as_str().map(str::to_owned);
        let of_kind = |kind: &str| lines.iter().find(|it| it["type"] == kind);
        let (first, began, ended) = (lines.first().unwrap_or(&Value::Null), of_kind("began"), of_kind("ended"));
        let said = |key: &str| began.and_then(|it| text(it, key)).or_else(|| lines.iter().find_map(|it| text(it, key)));
        let last = ended.or(lines.last()).unwrap_or(&Value::Null);
        let verdict = match ended.and_then(|it| text(it, "verdict")) {
            Some(verdict) => verdict,
            None if lines.iter().find_map(|it| it["pid"].as_u64()).is_some_and(goes_on) => "underWay".to_owned(),
            None => "cutOff".to_owned(),
        };
        // What was held or cut off says nothing of its calls, but each of them was told.
        let started = || lines.iter().filter(|it| it["type"] == "started").count() as u64;
        Self {
            v: JSON_VERSION,
            kind: "run",
            namespace: said("namespace").unwrap_or_default(),
            name: said("name").unwrap_or_default(),
            run,
            at: text(first, "at").unwrap_or_default(),
            why: said("why"),
            commit: said("commit"),
            from: began.and_then(|it| text(it, "from")),
            to: began.and_then(|it| text(it, "to")),
            verdict,
            hold: ended.map(|it| it["hold"].clone()).filter(|it| !it.is_null()),
            calls: ended.and_then(|it| it["calls"].as_u64()).unwrap_or_else(started),
            seconds: since(first, last),
            lines,
        }
    }

    /// Whether its end was never told, and it does not go on.
    pub fn is_cut_off(&self) -> bool {
        self.verdict == "cutOff"
    }

    /// Its lines, as they were kept.
    pub fn lines(&self) -> &[Value] {
        &self.lines
    }

    /// How it ended, in a word or two.
    pub fn ended(&self) -> String {
        match (self.verdict.as_str(), &self.hold) {
            ("held", Some(hold)) => format!("held: {}", plain(hold["code"].as_str().unwrap_or_default())),
            ("underWay", _) => "under way".to_owned(),
            ("cutOff", _) => "cut off".to_owned(),
            (verdict, _) => plain(verdict),
        }
    }

    /// Its story, line by line, each with the seconds since it began.
    pub fn story(&self) -> String {
        let first = self.lines.first().unwrap_or(&Value::Null);
        let mut text = format!("{} {}: {}\n", plain(&self.full_name()), plain(&self.run), self.headline());
        for line in &self.lines {
            let Some(said) = story_line(line) else { continue };
            for (number, part) in said.lines().enumerate() {
                let time = if number == 0 { format!("+{:.1}s", since(first, line)) } else { String::new() };
                text.push_str(format!("{time:>8}  {part}\n").as_str());
            }
        }
        if self.is_cut_off() {
            text.push_str("          nothing more is known of it: it was cut off; the same command goes on from there\n");
        }
        text
    }

    /// The story in a few lines: how it began, each change, how it ended.
    pub fn brief(&self) -> String {
        let mut changes: Vec<String> = Vec::new();
        for line in self.lines.iter().filter(|it| it["type"] == "started") {
            let change = plain(&format!("{} {}", line["verb"].as_str().unwrap_or_default(), line["object"].as_str().unwrap_or_default()));
            // What was tried again is told once.
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
        let mut text = format!("run {}, {}: {}\n", plain(&self.run), moment(&self.at), self.headline());
        if !changes.is_empty() {
            text.push_str(&format!("  {}\n", changes.join(", ")));
        }
        let hold = self.hold.as_ref().and_then(|it| it["message"].as_str());
        let why = hold.map_or(String::new(), |it| format!(", {}", plain(it)));
        text.push_str(&format!("  {}{why} after {}\n", self.ended(), span_of(self.seconds)));
        text
    }

    fn headline(&self) -> String {
        let course = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            _ => "nothing was seen of it".to_owned(),
        };
        let why = self.why.as_deref().map_or(String::new(), |it| format!(", {}", why_word(it)));
        let commit = self.commit.as_deref().map_or(String::new(), |it| format!(", commit {}", short(it)));
        plain(&format!("{course}{why}{commit}"))
    }

    fn full_name(&self) -> String {
        if self.namespace == "default" { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

/// A table of runs, as they are given.
pub fn runs_table(runs: &[PastRun], named: bool, screen: &Screen) -> String {
    let rows = runs.iter().map(|it| {
        let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            it.full_name(),
            moment(&it.at),
            it.run.clone(),
            it.why.as_deref().map_or("-".to_owned(), why_word),
            it.commit.as_deref().map_or("-".to_owned(), short),
            dash(&it.from),
            dash(&it.to),
            it.ended(),
            it.calls.to_string(),
            span_of(it.seconds),
        ]
    });
    let header = ["NAME", "WHEN", "RUN", "WHY", "COMMIT", "FROM", "TO", "ENDED", "CALLS", "TOOK"];
    let rows: Vec<Vec<String>> = rows.map(|row| row[usize::from(!named)..].to_vec()).collect();
    table(&header[usize::from(!named)..], &rows, &[&["COMMIT"], &["TOOK", "CALLS"], &["WHY"]], screen)
}

/// A line of a story; a call is told as it begins and as it is answered.
fn story_line(line: &Value) -> Option<String> {
    let text = |key: &str| plain(line[key].as_str().unwrap_or_default());
    let took = || line["seconds"].as_f64().map_or(String::new(), |it| format!("  {}", span_of(it)));
    Some(match line["type"].as_str()? {
        "began" => format!("look      {}, and it is wanted {}", text("from"), text("to")),
        "started" => format!("{:<9} {}, because {}", text("verb"), text("object"), text("reason")),
        "finished" => format!("✓         {} {}{}", text("verb"), text("object"), took()),
        "failed" => format!("! {}", told_line(line)?),
        "arrived" => format!("✓         {}{}", text("until"), took()),
        "leftOut" => format!("… {} lines were too many to keep", line["lines"].as_u64().unwrap_or_default()),
        _ => told_line(line)?,
    })
}

fn why_word(code: &str) -> String {
    match code {
        "byHand" => "by hand".to_owned(),
        code => plain(code),
    }
}

/// As much of a commit as people say.
fn short(commit: &str) -> String {
    commit.chars().take(8).collect()
}

/// A moment for people, in whole seconds.
fn moment(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| plain(at), |it| it.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// Seconds from one line to another, as this machine's clock had them; it may have been set meanwhile.
fn since(first: &Value, line: &Value) -> f64 {
    let at = |line: &Value| line["at"].as_str()?.parse::<Timestamp>().ok();
    let (Some(first), Some(line)) = (at(first), at(line)) else { return 0.0 };
    (line.as_millisecond() - first.as_millisecond()).max(0) as f64 / 1000.0
}
