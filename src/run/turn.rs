//! One instance, turn by turn, to its end.

use super::pace::{MOST_TRIES, after_failures, between_looks};
use crate::{
    model::{Ask, Ending, Event, Hold, Plan, Planned, Seen, Step, Verdict, Wait, World},
    plan::{audit, plan},
    provider::{Problem, Provider},
    store::{Closing, Journal, Opening, StoreError},
};
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// What a run needs.
pub struct Run<'a> {
    /// The wish.
    pub ask: &'a Ask,
    /// The hands.
    pub provider: &'a dyn Provider,
    /// The instance's journal; its lock is held by the caller.
    pub journal: &'a mut Journal,
    /// Becomes true when the run is to stop as soon as everything in flight is settled.
    pub stop: watch::Receiver<bool>,
    /// Told of everything that happens.
    pub tell: &'a dyn Fn(Event),
}

/// Why a run could not go on. The cloud is as the last event said; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file of our own.
    #[error("{0}; without it a lost answer could not be told from a call never made, so nothing more is done")]
    Store(#[from] StoreError),
    /// The audit refused the plan. This is a fault of cloudypad.
    #[error("cloudypad refuses its own plan, and nothing more is done: {0}. This is a bug; please report it")]
    Audit(String),
}

/// One look, tried again with pauses while a part of it fails.
pub async fn look(provider: &dyn Provider, ask: &Ask) -> World {
    let mut pauses = after_failures(&provider.capabilities().pace);
    loop {
        let world = provider.observe(&ask.key).await;
        if !is_blind(&world) {
            return world;
        }
        match pauses.next() {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return world,
        }
    }
}

fn is_blind(world: &World) -> bool {
    matches!(world.servers, Seen::Unknown(_))
        || matches!(world.volumes, Seen::Unknown(_))
        || matches!(world.snapshots, Seen::Unknown(_))
        || matches!(world.images, Seen::Unknown(_))
        || matches!(world.addresses, Seen::Unknown(_))
        || matches!(world.firewalls, Seen::Unknown(_))
}

/// Turns until the spec is reached, the owner is needed, or the run is told to stop.
///
/// # Errors
/// [`Trouble`], where going on would not be safe.
pub async fn converge(mut run: Run<'_>) -> Result<Ending, Trouble> {
    let mut memory = Memory::default();
    let ending = memory.turns(&mut run).await?;
    if memory.calls > 0 {
        run.journal.end(&format!("{ending:?}"))?;
    }
    (run.tell)(Event::Ended(ending.clone()));
    Ok(ending)
}

/// What a run remembers from turn to turn.
#[derive(Default)]
struct Memory {
    /// Mutating calls made.
    calls: usize,
    /// How often each step was tried.
    tries: BTreeMap<String, usize>,
    /// Optional steps that the cloud refused.
    refused: BTreeSet<String>,
    /// Since when each thing is awaited.
    awaited: BTreeMap<String, Instant>,
}

impl Memory {
    async fn turns(&mut self, run: &mut Run<'_>) -> Result<Ending, Trouble> {
        loop {
            if *run.stop.borrow() {
                return Ok(Ending::Interrupted);
            }
            let (world, plan) = self.think(run).await?;
            self.tell_waits(run, &plan.waits);
            match plan.verdict {
                Verdict::Done => return Ok(Ending::Done { calls: self.calls }),
                Verdict::Held(hold) => return Ok(Ending::Held(hold)),
                Verdict::Underway => {}
            }
            if plan.next.is_empty() {
                if let Some(hold) = self.wait(run, &plan.waits).await {
                    return Ok(Ending::Held(hold));
                }
                continue;
            }
            let (world, steps) = self.confirm(run, world, plan).await?;
            if let Some(hold) = self.act(run, &world, steps).await? {
                return Ok(Ending::Held(hold));
            }
        }
    }

    /// Looks, plans, and has the plan audited.
    async fn think(&self, run: &Run<'_>) -> Result<(World, Plan), Trouble> {
        let world = look(run.provider, run.ask).await;
        let mut facts = run.journal.facts();
        facts.refused.clone_from(&self.refused);
        let cloud = run.provider.capabilities();
        let plan = plan(run.ask, &world, &facts, cloud);
        tracing::debug!(instance = %run.ask.key, verdict = ?plan.verdict, steps = plan.next.len(), waits = plan.waits.len(), "planned");
        match audit(&plan, run.ask, &world, cloud).first() {
            Some(objection) => Err(Trouble::Audit(format!("{}: {}", objection.step, objection.why))),
            None => Ok((world, plan)),
        }
    }

    /// Where a step ends something for good, plans once more from a second look; only what both plans
    /// contain is done.
    async fn confirm(&self, run: &Run<'_>, world: World, plan: Plan) -> Result<(World, Vec<Planned>), Trouble> {
        if !plan.next.iter().any(|it| it.step.is_destructive()) {
            return Ok((world, plan.next));
        }
        let (world, mut fresh) = self.think(run).await?;
        let steps = plan.next.iter().filter_map(|it| fresh.take(&it.step.key())).collect();
        Ok((world, steps))
    }

    /// Makes the calls side by side, intents on disk before, receipts after.
    async fn act(&mut self, run: &mut Run<'_>, world: &World, steps: Vec<Planned>) -> Result<Option<Hold>, Trouble> {
        if steps.is_empty() {
            return Ok(None);
        }
        for planned in &steps {
            let tries = self.tries.entry(planned.step.key()).or_default();
            *tries += 1;
            if *tries > MOST_TRIES {
                let answer = format!("made the call {MOST_TRIES} times, and its effect was not seen");
                return Ok(Some(Hold::KeepsFailing { step: planned.line.to_string(), answer }));
            }
        }
        let intents: Vec<_> = steps.iter().map(|it| Opening { key: it.step.key(), line: it.line.to_string() }).collect();
        run.journal.intend(&intents, world.now)?;
        let answers = join_all(steps.iter().map(|planned| self.call(run, planned))).await;
        let receipts: Vec<_> = steps.iter().zip(&answers).map(|(planned, answer)| receipt(&planned.step, answer)).collect();
        run.journal.settle(&receipts)?;

        let mut hold = None;
        let mut pause = Duration::ZERO;
        for (planned, answer) in steps.iter().zip(answers) {
            let key = planned.step.key();
            let failed = |answer: String, then| Event::Failed { key: key.clone(), line: planned.line.clone(), answer, then };
            match answer {
                Ok(_) => self.calls += 1,
                Err(Problem::MaybeDone { answer }) => {
                    self.calls += 1;
                    (run.tell)(failed(answer, "the cloud is looked at before anything else"));
                }
                Err(Problem::NotDone { answer, pause: asked }) => {
                    (run.tell)(failed(answer.clone(), "tried again after a pause"));
                    let tries = self.tries.get(&key).copied().unwrap_or_default();
                    match after_failures(&run.provider.capabilities().pace).nth(tries.saturating_sub(1)) {
                        Some(own) if tries < MOST_TRIES => pause = pause.max(asked.unwrap_or(own)),
                        _ => hold = Some(Hold::KeepsFailing { step: planned.line.to_string(), answer }),
                    }
                }
                Err(Problem::Refused { answer }) if planned.step.is_optional() => {
                    (run.tell)(failed(answer, "the run goes on without it"));
                    self.refused.insert(key);
                }
                Err(Problem::Refused { answer }) => {
                    (run.tell)(failed(answer.clone(), "needs you"));
                    hold = Some(Hold::Refused { step: planned.line.to_string(), answer });
                }
            }
        }
        if hold.is_none() && !pause.is_zero() {
            let mut stop = run.stop.clone();
            let _ = tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await;
        }
        Ok(hold)
    }

    async fn call(&self, run: &Run<'_>, planned: &Planned) -> Result<String, Problem> {
        let key = planned.step.key();
        (run.tell)(Event::Started { key: key.clone(), line: planned.line.clone(), reason: planned.reason.to_string() });
        let began = Instant::now();
        let answer = run.provider.perform(&planned.step).await;
        tracing::info!(instance = %run.ask.key, step = %key, answer = ?answer, "called");
        if answer.is_ok() {
            (run.tell)(Event::Finished { key, line: planned.line.clone(), took: began.elapsed() });
        }
        answer
    }

    /// Tells what is newly awaited, and what has arrived.
    fn tell_waits(&mut self, run: &Run<'_>, waits: &[Wait]) {
        let speed = run.provider.capabilities().speed;
        self.awaited.retain(|until, since| {
            let still = waits.iter().any(|it| it.until == *until);
            if !still {
                (run.tell)(Event::Arrived { until: until.clone(), took: since.elapsed() });
            }
            still
        });
        for wait in waits {
            if !self.awaited.contains_key(&wait.until) {
                self.awaited.insert(wait.until.clone(), Instant::now());
                let expected = Duration::from_secs_f64(wait.seconds as f64 / speed);
                (run.tell)(Event::Waiting { until: wait.until.clone(), expected });
            }
        }
    }

    /// Looks at what is awaited, by id, until something arrives, the run is told to stop, or it has
    /// taken too long.
    async fn wait(&self, run: &mut Run<'_>, waits: &[Wait]) -> Option<Hold> {
        let pace = run.provider.capabilities().pace;
        for pause in between_looks(&pace) {
            let stopped = tokio::time::timeout(pause, run.stop.wait_for(|stop| *stop)).await;
            if matches!(stopped, Ok(Ok(_))) {
                return None;
            }
            for wait in waits {
                match run.provider.arrived(&wait.awaited).await {
                    Ok(true) => return None,
                    Ok(false) => {}
                    Err(problem) => tracing::warn!(instance = %run.ask.key, until = %wait.until, %problem, "could not look"),
                }
            }
            let late = |wait: &&Wait| self.awaited.get(&wait.until).is_some_and(|since| since.elapsed() > pace.deadline);
            if let Some(wait) = waits.iter().find(late) {
                return Some(Hold::Stuck { awaited: wait.until.clone(), seconds: pace.deadline.as_secs() });
            }
        }
        None
    }
}

fn receipt(step: &Step, answer: &Result<String, Problem>) -> Closing {
    let (outcome, detail) = match answer {
        Ok(object) => ("done", object.clone()),
        Err(Problem::NotDone { answer, .. }) => ("not done", answer.clone()),
        Err(Problem::MaybeDone { answer }) => ("unknown", answer.clone()),
        Err(Problem::Refused { answer }) => ("refused", answer.clone()),
    };
    Closing { key: step.key(), outcome, detail }
}
