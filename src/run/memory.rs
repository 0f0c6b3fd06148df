//! What a run remembers from turn to turn, and what follows from it. Pure: no cloud, no clock, no file.

use super::pace::{MOST_TRIES, TRIES_OF_OPTIONAL};
use crate::{
    model::{Applied, Ask, Facts, Hold, Plan, Planned, Reason, Rest, Seen, Stamp, Step, World, is_create_key},
    provider::Problem,
    store::{Closing, MADE, Opening, UNKNOWN},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a run remembers from turn to turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// Mutating calls that were made, or may have been.
    pub calls: usize,
    /// Whether the first steps were about to be taken.
    pub began: bool,
    /// How often each step was tried.
    pub tries: BTreeMap<String, usize>,
    /// Optional steps that the cloud refused.
    pub refused: BTreeSet<String>,
    /// Creates that were answered well, with the vendor's clock at the first look after the answer.
    pub made: BTreeMap<String, Option<Stamp>>,
    /// Steps that the cloud refused in the last turn, by key.
    pub refusals: BTreeMap<String, Refusal>,
    /// The last bad answer to each step.
    pub answers: BTreeMap<String, String>,
    /// The latest application of this run's wish that it wrote, or saw in force.
    pub applied: Option<Applied>,
    /// Whether something else than its wish was in force at its first look that saw servers and firewalls.
    pub anew: Option<bool>,
    /// Whether it saw the server on its way to rest.
    pub rested: bool,
    /// What the tags say that it wrote in this turn.
    pub wrote: Option<Applied>,
}

/// A step that the cloud refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What was refused, in full: another step may have the same key.
    pub what: String,
    /// The step, for people.
    pub step: String,
    /// The cloud's answer.
    pub answer: String,
    /// What to do about it, where the answer tells.
    pub remedy: Option<String>,
}

/// What an answer means to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// It was done.
    Done,
    /// The answer was lost: the cloud is looked at before anything else.
    Unsure,
    /// Something else is under way: asked again until that is over.
    Busy,
    /// Nothing was done: tried again after a pause.
    Again,
    /// Nothing was done, and it was tried often enough.
    TooOften,
    /// It was not done, and the run goes on without it.
    Without,
    /// It was refused: the owner is needed, if it is still to be done when the cloud is seen again.
    Refused,
    /// No machine is free.
    Scarce,
}

impl Memory {
    /// What the planner is told beside a look: what the journal says (`written`), and what this run remembers.
    pub fn facts(&mut self, written: Facts, ask: &Ask, world: &World) -> Facts {
        let wrote = self.wrote.take().filter(|it| it.is_of(ask));
        self.applied = self.applied.max(wrote).max(Applied::latest(world).filter(|it| it.is_of(ask)));
        self.rested |= world.servers.items().iter().filter_map(|it| Rest::said_by(&it.tags)).any(|it| it.is_of(ask));
        if !matches!((&world.servers, &world.firewalls), (Seen::Unknown(_), _) | (_, Seen::Unknown(_))) {
            self.anew.get_or_insert_with(|| !Applied::latest(world).is_some_and(|it| it.is_of(ask)));
        }
        let anew = self.anew.unwrap_or_default();
        let mut facts =
            Facts { anew, begun: self.began, rested: self.rested, refused: self.refused.clone(), applied: self.applied, ..written };
        // Whoever applied meanwhile may have run something else inside the server.
        if Applied::latest(world) > facts.applied_here {
            facts.played.clear();
        }
        for (key, since) in &mut self.made {
            facts.made.insert(key.clone(), *since.get_or_insert(world.now));
        }
        facts
    }

    /// Counts the tries of steps that are about to be taken.
    ///
    /// # Errors
    /// A hold, where one of them was tried too often: then none is taken.
    pub fn count(&mut self, steps: &[Planned]) -> Result<(), Hold> {
        for planned in steps {
            let tries = self.tries.entry(planned.step.key()).or_default();
            *tries += 1;
            if *tries > MOST_TRIES {
                let unseen = format!("made the call {MOST_TRIES} times, and its effect was not seen");
                let answer = self.answers.remove(&planned.step.key()).unwrap_or(unseen);
                return Err(Hold::KeepsFailing { step: planned.line.to_string(), answer });
            }
        }
        Ok(())
    }

    /// How often a step was tried.
    pub fn tried(&self, key: &str) -> usize {
        self.tries.get(key).copied().unwrap_or_default()
    }

    /// Takes in the answer to a step.
    pub fn learn(&mut self, planned: &Planned, answer: &Result<String, Problem>) -> Lesson {
        let key = planned.step.key();
        match answer {
            Ok(_) => {
                self.calls += 1;
                self.answers.remove(&key);
                self.wrote = self.wrote.max(planned.step.applied());
                if is_create_key(&key) {
                    self.made.insert(key, None);
                }
                Lesson::Done
            }
            Err(Problem::MaybeDone { answer }) => {
                self.calls += 1;
                self.answers.insert(key, answer.clone());
                Lesson::Unsure
            }
            Err(Problem::Busy { .. }) => {
                self.tries.remove(&key);
                Lesson::Busy
            }
            // What is made for good is not done without because of a bad moment.
            Err(Problem::NotDone { .. }) if planned.optional && !is_create_key(&key) && self.tried(&key) >= TRIES_OF_OPTIONAL => {
                self.do_without(&key);
                Lesson::Without
            }
            Err(Problem::NotDone { answer, .. }) => {
                let often = self.tried(&key) >= MOST_TRIES;
                self.answers.insert(key, answer.clone());
                if often { Lesson::TooOften } else { Lesson::Again }
            }
            Err(Problem::Refused { .. }) if planned.optional => {
                self.do_without(&key);
                Lesson::Without
            }
            Err(Problem::Refused { answer, remedy }) => {
                let refusal = Refusal {
                    what: format!("{:?}", planned.step),
                    step: planned.line.to_string(),
                    answer: answer.clone(),
                    remedy: remedy.clone(),
                };
                self.refusals.insert(key, refusal);
                Lesson::Refused
            }
            Err(Problem::OutOfStock { .. }) => Lesson::Scarce,
        }
    }

    /// The hold for a refused step, where a plan from a fresh look contains it still. Otherwise somebody else changed
    /// what the step was for, and its refusal says nothing any more.
    pub fn refused_still(&mut self, plan: &Plan) -> Option<Hold> {
        let mut refusals = std::mem::take(&mut self.refusals);
        let same =
            plan.next.iter().find_map(|it| refusals.remove(&it.step.key()).filter(|refusal| refusal.what == format!("{:?}", it.step)));
        let Refusal { step, answer, remedy, .. } = same?;
        Some(Hold::Refused { step, answer, remedy })
    }

    /// The run goes on without an optional step.
    pub fn do_without(&mut self, key: &str) {
        self.refused.insert(key.to_owned());
    }
}

/// Whether a plan has a step that ends something for good: then it is planned once more, from a fresh look.
pub fn is_to_be_confirmed(plan: &Plan) -> bool {
    plan.next.iter().any(|it| it.step.is_destructive())
}

/// What both plans contain, as the fresher one has it.
pub fn in_both(first: &Plan, mut fresh: Plan) -> Vec<Planned> {
    first.next.iter().filter_map(|it| fresh.take(&it.step.key())).collect()
}

/// What the journal notes of an answer.
pub fn receipt(step: &Step, answer: &Result<String, Problem>) -> Closing {
    let (outcome, detail) = match answer {
        Ok(object) => (MADE, object.clone()),
        Err(Problem::NotDone { answer, .. } | Problem::Busy { answer } | Problem::OutOfStock { answer }) => ("not done", answer.clone()),
        Err(Problem::MaybeDone { answer }) => (UNKNOWN, answer.clone()),
        Err(Problem::Refused { answer, .. }) => ("refused", answer.clone()),
    };
    Closing { key: step.key(), outcome, detail }
}

/// What the journal notes of a step that is about to be taken.
pub fn opening(planned: &Planned, ask: &Ask) -> Opening {
    // Tags that are rewritten for another reason may carry another's spec along.
    let applied = planned.step.applied().filter(|it| it.is_of(ask));
    Opening { key: planned.step.key(), line: planned.line.to_string(), applied, found_off: planned.reason == Reason::FoundOff }
}
