//! The walk over every situation that a story can come to, breadth first, so that what breaks a law does so in the fewest moves.

use super::{
    engine::Engine,
    settle,
    system::{Breach, Move, Situation, Story, Witness},
};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// What a walk came to.
#[derive(Default)]
pub struct Walk {
    pub situations: usize,
    pub moves: usize,
    /// What is broken, with the way there.
    pub found: Option<(Breach, Vec<Move>)>,
    /// Whether there was more than it was to walk.
    pub cut: bool,
    pub seen: Covered,
}

/// What the planner said on the way.
#[derive(Default)]
pub struct Covered {
    pub steps: BTreeMap<String, usize>,
    pub reasons: BTreeMap<String, usize>,
    pub waits: BTreeMap<String, usize>,
    pub holds: BTreeMap<String, usize>,
    pub notes: BTreeMap<String, usize>,
}

impl Covered {
    pub fn merge(&mut self, other: Covered) {
        let add = |to: &mut BTreeMap<String, usize>, from: BTreeMap<String, usize>| {
            from.into_iter().for_each(|(key, count)| *to.entry(key).or_default() += count);
        };
        add(&mut self.steps, other.steps);
        add(&mut self.reasons, other.reasons);
        add(&mut self.waits, other.waits);
        add(&mut self.holds, other.holds);
        add(&mut self.notes, other.notes);
    }
}

/// The name of an enum's variant.
fn variant(what: &impl std::fmt::Debug) -> String {
    let text = format!("{what:?}");
    text.split(|it: char| !it.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

impl Witness for Covered {
    fn planned(&mut self, plan: &cloudypad::model::Plan) {
        for planned in &plan.next {
            *self.steps.entry(variant(&planned.step)).or_default() += 1;
            *self.reasons.entry(variant(&planned.reason)).or_default() += 1;
        }
        for wait in &plan.waits {
            *self.waits.entry(variant(&wait.awaited)).or_default() += 1;
        }
        for note in &plan.notes {
            *self.notes.entry(variant(note)).or_default() += 1;
        }
    }

    fn held(&mut self, hold: &cloudypad::model::Hold) {
        *self.holds.entry(hold.code().to_owned()).or_default() += 1;
    }
}

/// Walks a story to its end, or to the first breach of a law, or to `most` situations.
///
/// Once nothing more may go wrong, one applier alone has one way on but for the order in which changes come to pass. That
/// way is walked for every situation; the other orders only where the walk is to be `thorough`.
pub fn walk(story: &Story, engine: &dyn Engine, thorough: bool, most: usize) -> Walk {
    let mut walk = Walk::default();
    let first = Situation::first(story);
    let mut known: HashSet<u128> = HashSet::from([first.name()]);
    // Situations that are known to end well in fair weather.
    let mut good: HashSet<u128> = HashSet::new();
    // How each was come to: from which, by which move.
    let mut came: Vec<(u32, Move)> = vec![(0, Move::Listed)];
    let mut queue: VecDeque<(u32, Situation)> = VecDeque::from([(0, first)]);
    while let Some((number, now)) = queue.pop_front() {
        // What is passed is good once its end is: who goes round in circles passes itself.
        let mut passed = Vec::new();
        let is_good = &mut |name| {
            passed.push(name);
            good.contains(&name)
        };
        if let Err(breach) = settle::walk(&now, story, engine, &mut walk.seen, is_good) {
            walk.found = Some((breach, way(&came, number)));
            walk.situations = known.len() + good.len();
            return walk;
        }
        good.extend(passed);
        if now.faults == 0 && story.rival.is_none() && !thorough {
            continue;
        }
        let steps = now.all_steps(story, engine);
        for what in now.moves(story, &steps, thorough) {
            walk.moves += 1;
            let next = now.after(what, story, engine, &steps, &mut walk.seen);
            if let Some(breach) = next.breaches.into_iter().next() {
                let mut way = way(&came, number);
                way.push(what);
                walk.found = Some((breach, way));
                walk.situations = known.len() + good.len();
                return walk;
            }
            walk.cut |= known.len() >= most;
            if known.len() < most && known.insert(next.situation.name()) {
                came.push((number, what));
                queue.push_back((came.len() as u32 - 1, next.situation));
            }
        }
    }
    walk.situations = known.union(&good).count();
    walk
}

fn way(came: &[(u32, Move)], mut number: u32) -> Vec<Move> {
    let mut way = Vec::new();
    while number != 0 {
        let (from, what) = came[number as usize];
        way.push(what);
        number = from;
    }
    way.reverse();
    way
}

/// A way in words.
pub fn told(story: &Story, engine: &dyn Engine, way: &[Move]) -> String {
    let mut now = Situation::first(story);
    let mut lines = vec![format!("{}:", story.name)];
    for what in way {
        let mut covered = Covered::default();
        let steps = now.all_steps(story, engine);
        let next = now.after(*what, story, engine, &steps, &mut covered);
        let said: BTreeSet<&String> = covered.steps.keys().chain(covered.holds.keys()).collect();
        lines.push(format!("  {what:?}  {}", said.into_iter().cloned().collect::<Vec<_>>().join(", ")));
        now = next.situation;
    }
    for machine in &now.cloud.servers {
        lines.push(format!(
            "  {} {:?} root {:?} volumes {:?} {:?}",
            machine.it.id, machine.it.power, machine.it.root, machine.it.volumes, machine.it.tags.0
        ));
    }
    for disk in &now.cloud.volumes {
        lines.push(format!(
            "  {} {:?} at {:?} {:?} {:?} {:?}",
            disk.it.id, disk.it.status, disk.it.attached_to, disk.it.last_held, disk.bytes, disk.it.tags.0
        ));
    }
    for kept in &now.cloud.copies {
        lines.push(format!("  {} of {} {:?} {:?} {:?}", kept.it.id, kept.it.of, kept.it.status, kept.bytes, kept.it.tags.0));
    }
    lines.join("\n")
}
