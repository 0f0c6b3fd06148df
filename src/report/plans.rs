//! Plans for people.

use super::{Screen, clock::clock_lines, plain, span, standing, wished};
use crate::{
    model::{Ask, Capabilities, Note, Verdict, World},
    plan::{Act, Forecast},
};
use std::{fmt::Write, time::Duration};

/// A forecast with what its reader needs around it.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// The wish.
    pub ask: &'a Ask,
    /// The look it was made from.
    pub world: &'a World,
    /// What is expected.
    pub forecast: &'a Forecast,
    /// The cloud.
    pub cloud: &'a Capabilities,
    /// Where the wish is written, like `specs/mypad.yaml:5`.
    pub place: &'a str,
}

impl PlanView<'_> {
    /// Whether anything is to be done or waited for.
    pub fn has_work(&self) -> bool {
        !self.forecast.acts.is_empty() || self.forecast.seconds > 0
    }

    /// Whether nothing is to do.
    pub fn is_in_sync(&self) -> bool {
        !self.has_work() && self.forecast.end == Verdict::Done
    }

    /// Whether it ends with the owner being needed.
    pub fn is_held(&self) -> bool {
        matches!(self.forecast.end, Verdict::Held(_))
    }

    /// What stays and is billed, for people.
    pub fn kept(&self) -> Vec<String> {
        let notes = self.forecast.notes.iter();
        notes.filter_map(|note| if let Note::Kept(what) = note { Some(renamed(what)) } else { None }).collect()
    }

    /// How long it takes, in real time.
    pub fn takes(&self) -> Duration {
        self.real(self.forecast.seconds)
    }

    fn real(&self, seconds: u64) -> Duration {
        Duration::from_secs_f64(seconds as f64 / self.cloud.speed)
    }
}

/// One instance's plan.
pub fn plan_text(view: &PlanView<'_>, screen: &Screen) -> String {
    let mut text = String::new();
    let ask = view.ask;
    let placement = ask.spec.placement();
    let from = standing(view.world);
    let to = wished(ask.wished(), ask.deletion.is_some());
    let course = match () {
        () if view.is_in_sync() && ask.deletion.is_some() && from == "nothing" => "does not exist".to_owned(),
        () if view.is_in_sync() => format!("{from}, in sync"),
        () if from == to => format!("{from}, to be changed"),
        () => format!("{from} → {to}"),
    };
    let head = plain(&format!("{}  {} {}   {course}", ask.key, placement.provider, placement.zone));
    let head = match screen.width {
        usize::MAX => format!("{}   {}", screen.bold(&head), view.place),
        width => {
            let used = head.chars().count();
            match width.checked_sub(used + view.place.chars().count() + 1).filter(|gap| *gap >= 3) {
                Some(gap) => format!("{}{}{}", screen.bold(&head), " ".repeat(gap), screen.dim(view.place)),
                None => format!("{}\n  {}", screen.bold(&head), screen.dim(view.place)),
            }
        }
    };
    let _ = writeln!(text, "{head}");
    write_acts(&mut text, view, screen);
    if let Verdict::Held(hold) = &view.forecast.end {
        let _ = writeln!(text, "  {} {}: {}", screen.warn("held"), hold.code(), plain(&hold.to_string()));
        let _ = writeln!(text, "  you can: {}", plain(&hold.remedy()));
    }
    if view.forecast.end == Verdict::Underway {
        let _ = writeln!(text, "  … and so on: this plan does not settle, please report it");
    }
    write_notes(&mut text, view, screen);
    for line in clock_lines(view) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn write_acts(text: &mut String, view: &PlanView<'_>, screen: &Screen) {
    let acts = &view.forecast.acts;
    let longest = |of: &dyn Fn(&Act) -> usize| acts.iter().map(of).max().unwrap_or(0);
    let objects = longest(&|act| plain(&act.line.object).chars().count());
    let reasons = longest(&|act| plain(&act.reason.to_string()).chars().count());
    let times: Vec<String> = acts.iter().map(|act| time(view.real(act.ends - act.begins))).collect();
    let spans = longest(&|act| time(view.real(act.ends - act.begins)).chars().count());
    let beside =
        if (1..acts.len()).any(|index| acts[index].turn == acts[index - 1].turn) { "  ┐ side by side".chars().count() } else { 0 };
    let fits = 19 + objects + reasons + spans + beside <= screen.width;
    for (index, (act, takes)) in acts.iter().zip(times).enumerate() {
        let what = format!("{:>3}  {:<9} {:<objects$}", index + 1, act.line.verb, plain(&act.line.object));
        let reason = plain(&act.reason.to_string());
        let mark = bracket(acts, index);
        if fits {
            let _ = writeln!(text, "{}", format!("{what}  {reason:<reasons$}  {takes:>spans$}  {mark}").trim_end());
        } else {
            // Too narrow for one line: the reason goes below.
            let mark = mark.split(' ').next().unwrap_or_default();
            let _ = writeln!(text, "{}", screen.cut(format!("{what}  {takes:>spans$} {mark}").trim_end()));
            for line in screen.wrap(&reason, 15) {
                let _ = writeln!(text, "{line}");
            }
        }
    }
}

fn time(takes: Duration) -> String {
    if takes < Duration::from_millis(950) { String::new() } else { format!("~{}", span(takes)) }
}

/// Marks acts that run side by side.
fn bracket(acts: &[Act], index: usize) -> &'static str {
    let same = |other: Option<&Act>| other.is_some_and(|it| it.turn == acts[index].turn);
    let before = index > 0 && same(acts.get(index - 1));
    let after = same(acts.get(index + 1));
    match (before, after) {
        (false, true) => "┐ side by side",
        (true, true) => "│",
        (true, false) => "┘",
        (false, false) => "",
    }
}

fn write_notes(text: &mut String, view: &PlanView<'_>, screen: &Screen) {
    for note in &view.forecast.notes {
        match note {
            Note::Kept(_) => {}
            Note::WillLose(_) | Note::BilledWhenOff(_) | Note::CaptureFailed(_) => {
                let _ = writeln!(text, "  {}", screen.warn(&plain(&note.to_string())));
            }
            _ => {
                let _ = writeln!(text, "  {}", renamed(&note.to_string()));
            }
        }
    }
    let kept = view.kept();
    if !kept.is_empty() {
        let _ = writeln!(text, "  kept, still billed: {}", kept.join(", "));
    }
}

/// Ids of imagined objects say nothing to a reader.
fn renamed(what: &str) -> String {
    let words = plain(what);
    let words = words.split(' ').filter(|word| !word.starts_with("new-"));
    words.collect::<Vec<_>>().join(" ")
}

/// The last line of a plan: how much there is to do, and how to have it done.
pub fn summary(views: &[PlanView<'_>], command: &str) -> String {
    let held = views.iter().filter(|it| it.is_held()).count();
    let changing: Vec<_> = views.iter().filter(|it| !it.is_in_sync() && !it.is_held()).collect();
    let in_sync = views.len() - changing.len() - held;
    if changing.is_empty() && held == 0 {
        return format!("Nothing to do: {} in sync.", counted(in_sync, "instance"));
    }
    let actions: usize = changing.iter().map(|it| it.forecast.acts.len()).sum();
    let longest = changing.iter().map(|it| it.takes()).max().unwrap_or_default();
    let mut text = format!("Plan: {} to change", counted(changing.len(), "instance"));
    if !changing.is_empty() {
        let about = if longest < Duration::from_secs(1) { "less than a second".to_owned() } else { format!("about {}", span(longest)) };
        let _ = write!(text, ", {}, {about}", counted(actions, "action"));
    }
    if in_sync > 0 {
        let _ = write!(text, "; {in_sync} in sync");
    }
    if held > 0 {
        let _ = write!(text, "; {held} held: {} you", if held == 1 { "needs" } else { "need" });
    }
    text.push('.');
    if !command.is_empty() && !changing.is_empty() {
        let _ = write!(text, " Apply with: {command}");
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
