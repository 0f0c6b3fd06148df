//! What decides: the real planner, the real audit and the real rules of a run, behind one trait, so that a mutant can stand
//! in their place without a hook in any of them.

use cloudypad::{
    model::{Ask, Capabilities, Facts, Hold, Plan, Planned, Stamp, World},
    plan::{Objection, audit, plan},
    provider::Problem,
    run::{Lesson, Memory, in_both, is_to_be_confirmed, receipt},
    store::{Closing, Opening, Recall},
};

/// What decides in a run. By default it is what ships.
pub trait Engine: Sync {
    /// What may be done next.
    fn plan(&self, ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> Plan {
        plan(ask, world, facts, cloud)
    }

    /// The second opinion.
    fn audit(&self, plan: &Plan, ask: &Ask, world: &World, cloud: &Capabilities) -> Vec<Objection> {
        audit(plan, ask, world, cloud)
    }

    /// What the planner is told beside a look.
    fn facts(&self, memory: &mut Memory, recall: &Recall, ask: &Ask, world: &World) -> Facts {
        memory.facts(recall.facts(), ask, world)
    }

    /// Whether a plan is planned once more, from a fresh look.
    fn is_to_be_confirmed(&self, plan: &Plan) -> bool {
        is_to_be_confirmed(plan)
    }

    /// What of two plans is done.
    fn in_both(&self, first: &Plan, fresh: Plan) -> Vec<Planned> {
        in_both(first, fresh)
    }

    /// Notes what is about to be called.
    fn intend(&self, recall: &mut Recall, intents: &[Opening], now: Stamp) {
        recall.intend(intents, now);
    }

    /// What the journal notes of an answer.
    fn receipt(&self, planned: &Planned, answer: &Result<String, Problem>) -> Closing {
        receipt(&planned.step, answer)
    }

    /// What an answer means to the run.
    fn learn(&self, memory: &mut Memory, planned: &Planned, answer: &Result<String, Problem>) -> Lesson {
        memory.learn(planned, answer)
    }

    /// The hold for a step that was refused, and that is still to be done.
    fn refused_still(&self, memory: &mut Memory, plan: &Plan) -> Option<Hold> {
        memory.refused_still(plan)
    }

    /// What a new process remembers of an earlier one's journal.
    fn remember(&self, journal: &Recall) -> Recall {
        journal.clone()
    }
}

/// What ships.
pub struct Shipped;

impl Engine for Shipped {}
