//! A plan told as a story: one turn after the other, with reasons. Golden plans are written so.

use crate::{
    model::{Ask, Capabilities, Facts, Note, Verdict, World},
    plan::forecast,
};
use std::fmt::Write;

/// The plan from `world` to its end, a line a step.
pub fn story(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> String {
    let told = forecast(ask, world, facts, cloud);
    let mut text = String::new();
    let mut turn = None;
    let mut clock = 0;
    for act in &told.acts {
        let lead = match turn {
            None => "next",
            Some(last) if last == act.turn => "and",
            Some(_) if act.begins > clock => "later",
            Some(_) => "then",
        };
        turn = Some(act.turn);
        clock = act.begins;
        let what = format!("{} {}", act.line.verb, act.line.object);
        let _ = writeln!(text, "{lead:<6} {what:<44} because {}", act.reason);
    }
    for note in told.notes.iter().filter(|it| !matches!(it, Note::Kept(_))) {
        let _ = writeln!(text, "note   {note}");
    }
    match &told.end {
        Verdict::Done => {
            let kept: Vec<_> =
                told.notes.iter().filter_map(|it| if let Note::Kept(what) = it { Some(what.as_str()) } else { None }).collect();
            let kept = if kept.is_empty() { String::new() } else { format!("   still paid for: {}", kept.join("; ")) };
            let _ = writeln!(text, "{}", format!("done{kept}").trim_end());
        }
        Verdict::Held(hold) => {
            let _ = writeln!(text, "held   {}: {hold}", hold.code());
            let _ = writeln!(text, "you    {}", hold.remedy());
        }
        Verdict::Underway => text.push_str("never settles\n"),
    }
    text
}
