//! How a mutant errs: in one place only, round the real functions, which do all the rest.

use crate::engine::Engine;
use cloudypad::{
    model::{Ask, Capabilities, Facts, Plan, Planned, Stamp, World},
    plan::{Objection, audit, plan},
    provider::Problem,
    run::{Memory, is_to_be_confirmed, receipt},
    store::{Closing, Opening, Recall},
};

/// One mistake.
#[derive(Clone, Copy)]
pub enum Mistake {
    /// The planner, and with it every proof that it mints, sees another cloud than the look showed. The second opinion sees
    /// what the look showed.
    Sees(fn(&mut World)),
    /// A vendor's word is misread, for the planner and the second opinion alike.
    Reads(fn(&mut World)),
    /// The planner believes the journal where the look says otherwise.
    Believes(fn(&mut World, &Facts)),
    /// The planner remembers something else than what was.
    Remembers(fn(&mut Facts, &World, &Memory)),
    /// The planner takes the cloud for another kind.
    Supposes(fn(&mut Capabilities)),
    /// The planner hears another wish.
    Hears(fn(&mut Ask)),
    /// The planner writes down something else than it found.
    Writes(fn(&mut Plan, &World)),
    /// The run confirms other plans.
    Confirms(fn(&Plan) -> bool),
    /// The run notes something else before a call.
    Intends(fn(&mut Recall, &[Opening], Stamp)),
    /// The run notes something else of an answer.
    Notes(fn(&Planned, &Result<String, Problem>) -> Closing),
    /// A later run reads something else in the journal.
    Recalls(fn(&Recall) -> Recall),
}

impl Mistake {
    /// Where the mistake sits.
    pub fn seat(self) -> &'static str {
        match self {
            Mistake::Sees(_) => "planner: look",
            Mistake::Reads(_) => "mapping",
            Mistake::Believes(_) | Mistake::Remembers(_) => "planner: facts",
            Mistake::Supposes(_) => "planner: cloud",
            Mistake::Hears(_) => "planner: wish",
            Mistake::Writes(_) => "planner: plan",
            Mistake::Confirms(_) => "run",
            Mistake::Intends(_) | Mistake::Notes(_) | Mistake::Recalls(_) => "journal",
        }
    }
}

/// What decides, with a mistake in it.
pub struct Mutated {
    pub mistake: Mistake,
    /// Whether a second opinion is asked. Without it, only the truth can tell.
    pub audited: bool,
}

impl Engine for Mutated {
    fn plan(&self, ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> Plan {
        match self.mistake {
            Mistake::Sees(forge) | Mistake::Reads(forge) => plan(ask, &forged(world, forge), facts, cloud),
            Mistake::Believes(forge) => plan(ask, &forged(world, |it| forge(it, facts)), facts, cloud),
            Mistake::Supposes(forge) => plan(ask, world, facts, &forged(cloud, forge)),
            Mistake::Hears(forge) => plan(&forged(ask, forge), world, facts, cloud),
            Mistake::Writes(edit) => {
                let mut plan = plan(ask, world, facts, cloud);
                edit(&mut plan, world);
                plan
            }
            _ => plan(ask, world, facts, cloud),
        }
    }

    fn audit(&self, plan: &Plan, ask: &Ask, world: &World, cloud: &Capabilities) -> Vec<Objection> {
        match self.mistake {
            _ if !self.audited => Vec::new(),
            Mistake::Reads(forge) => audit(plan, ask, &forged(world, forge), cloud),
            _ => audit(plan, ask, world, cloud),
        }
    }

    fn facts(&self, memory: &mut Memory, recall: &Recall, ask: &Ask, world: &World) -> Facts {
        let mut facts = memory.facts(recall.facts(), ask, world);
        if let Mistake::Remembers(forge) = self.mistake {
            forge(&mut facts, world, memory);
        }
        facts
    }

    fn is_to_be_confirmed(&self, plan: &Plan) -> bool {
        if let Mistake::Confirms(confirms) = self.mistake { confirms(plan) } else { is_to_be_confirmed(plan) }
    }

    fn intend(&self, recall: &mut Recall, intents: &[Opening], now: Stamp) {
        if let Mistake::Intends(intend) = self.mistake { intend(recall, intents, now) } else { recall.intend(intents, now) }
    }

    fn receipt(&self, planned: &Planned, answer: &Result<String, Problem>) -> Closing {
        if let Mistake::Notes(notes) = self.mistake { notes(planned, answer) } else { receipt(&planned.step, answer) }
    }

    fn remember(&self, journal: &Recall) -> Recall {
        if let Mistake::Recalls(recalls) = self.mistake { recalls(journal) } else { journal.clone() }
    }
}

fn forged<T: Clone>(it: &T, forge: impl FnOnce(&mut T)) -> T {
    let mut forged = it.clone();
    forge(&mut forged);
    forged
}
