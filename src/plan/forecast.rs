//! The whole plan, to its end: the real planner, turn by turn, in an imagined world.

use super::{
    imagine::{self, Effect},
    plan,
};
use crate::model::{Ask, Capabilities, Facts, Line, Note, Reason, Step, Verdict, World, start_up_key};

/// What an apply is expected to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Every step, in order of its start.
    pub acts: Vec<Act>,
    /// Where it ends: done, or held.
    pub end: Verdict,
    /// Cloud seconds until then, waits included.
    pub seconds: u64,
    /// What the owner should know: of now, and of the end.
    pub notes: Vec<Note>,
    /// The world at the end, as imagined.
    pub world: World,
}

/// One expected step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub line: Line,
    /// Why.
    pub reason: Reason,
    /// Acts of one turn do not need each other and run side by side.
    pub turn: usize,
    /// Cloud seconds from now until it begins.
    pub begins: u64,
    /// Cloud seconds from now until its effect is seen.
    pub ends: u64,
}

/// More turns than any lifecycle takes; a planner that never settles is cut off here and shows as underway.
const MOST_TURNS: usize = 500;

/// Walks the plan from `world` to its end.
pub fn forecast(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> Forecast {
    let mut world = world.clone();
    let mut facts = facts.clone();
    let started = world.now;
    let mut acts: Vec<Act> = Vec::new();
    let mut notes: Vec<Note> = Vec::new();
    // What is under way: when it ends, what it brings, and the step that began it.
    let mut pending: Vec<(u64, Effect, String)> = Vec::new();
    let mut clock = 0;
    let mut end = Verdict::Underway;
    for number in 0..MOST_TURNS {
        let turn = plan(ask, &world, &facts, cloud);
        for note in &turn.notes {
            let passing = matches!(note, Note::Kept(_) | Note::NotInSpec(_) | Note::Later(_) | Note::CapturePending(_));
            if (!passing || turn.verdict == Verdict::Done) && !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        let fresh: Vec<_> = turn.next.iter().filter(|it| !pending.iter().any(|(.., key)| *key == it.step.key())).collect();
        let stalled = fresh.is_empty() && pending.is_empty();
        for planned in fresh {
            let ends = clock + planned.line.seconds;
            acts.push(Act { line: planned.line.clone(), reason: planned.reason.clone(), turn: number, begins: clock, ends });
            let effect = imagine::begin(&mut world, ask, cloud, planned, acts.len());
            pending.push((ends, effect, planned.step.key()));
            facts.open.clear();
            if let Step::StartServer(server) = &planned.step {
                facts.played.remove(&start_up_key(server.as_str()));
            }
            if let Step::StopServer(server) = &planned.step {
                facts.ordered_off.insert(server.to_string());
            }
        }
        facts.begun = !acts.is_empty();
        if stalled {
            if turn.waits.is_empty() {
                end = turn.verdict;
                break;
            }
            let expected = turn.waits.iter().map(|wait| (clock + wait.seconds, imagine::expect(&world, &wait.awaited), String::new()));
            pending.extend(expected);
        }
        let Some(next) = pending.iter().map(|(at, ..)| *at).min() else { continue };
        clock = next;
        imagine::pass(&mut world, started.plus_seconds(clock));
        let (due, rest): (Vec<_>, Vec<_>) = pending.into_iter().partition(|(at, ..)| *at <= clock);
        pending = rest;
        for (_, effect, _) in due {
            imagine::arrive(&mut world, &effect);
            if let Effect::Played(key) = effect {
                facts.played.insert(key);
            }
        }
    }
    Forecast { acts, end, seconds: clock, notes, world }
}
