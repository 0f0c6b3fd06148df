//! One instance, turn by turn, to its end.

use super::{
    inside::play,
    memory::{Lesson, Memory, in_both, is_to_be_confirmed, opening, receipt},
    pace::{LONGEST_ASKED, MOST_TRIES, TRIES_OF_A_LOOK_ALONE, after_failures, between_looks, until_seen},
};
use crate::{
    machine::{Inside, Part},
    model::{
        Ask, Capabilities, Cause, Ending, Event, Facts, Hold, Note, Plan, Planned, Power, Role, Seen, Step, Verdict, Wait, World, standing,
        wished,
    },
    plan::{audit, plan},
    provider::{Problem, Provider},
    store::{DONE, Journal, StoreError},
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::watch, time::Instant};

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
    /// What runs inside the server, and how to get in, where something does.
    pub inside: Option<&'a Inside>,
    /// For how long to keep trying while no machine of the type is free.
    pub patience: Option<Duration>,
    /// Until then, which may move on meanwhile, it is looked and planned only: the wish may be half written.
    pub not_before: Option<watch::Receiver<Instant>>,
    /// Told of everything that happens.
    pub tell: &'a dyn Fn(Event),
    /// Shown every look that is planned from, and what is remembered beside it.
    pub show: &'a dyn Fn(&World, &Facts),
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

/// One look, tried again with pauses while a part of it fails, which is told.
pub async fn look(provider: &dyn Provider, ask: &Ask, tell: &dyn Fn(Event)) -> World {
    look_until(provider, ask, &watch::channel(false).1, tell, TRIES_OF_A_LOOK_ALONE).await
}

/// [`look`], unless told to stop.
async fn look_until(provider: &dyn Provider, ask: &Ask, stop: &watch::Receiver<bool>, tell: &dyn Fn(Event), tries: usize) -> World {
    let mut pauses = after_failures(&provider.capabilities().pace).take(tries - 1);
    loop {
        let world = provider.observe(&ask.key).await;
        let Some(why) = blind_for_now(&world).filter(|_| !*stop.borrow()) else { return world };
        match pauses.next() {
            Some(pause) => {
                tell(Event::Unseen { why });
                rest(pause, stop).await;
            }
            None => return world,
        }
    }
}

/// A pause, cut short when told to stop.
async fn rest(pause: Duration, stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    let told = async {
        // With the teller gone nobody will tell: then the pause is the pause.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(pause, told).await;
}

/// How long it is until then, where that is not over.
fn until(moment: &watch::Receiver<Instant>) -> Option<Duration> {
    let pause = moment.borrow().saturating_duration_since(Instant::now());
    (!pause.is_zero()).then_some(pause)
}

/// Why a part of a look failed, where that may go well the next time, and no part in a way that will not.
fn blind_for_now(world: &World) -> Option<String> {
    fn cause<T>(seen: &Seen<T>) -> Option<&Cause> {
        if let Seen::Unknown(cause) = seen { Some(cause) } else { None }
    }
    let causes = [
        cause(&world.servers),
        cause(&world.volumes),
        cause(&world.snapshots),
        cause(&world.images),
        cause(&world.addresses),
        cause(&world.firewalls),
        cause(&world.elsewhere),
    ];
    let mut first = None;
    for cause in causes.into_iter().flatten() {
        match cause {
            Cause::Passing(why) => first = first.or(Some(why.clone())),
            Cause::Maintained(_) | Cause::Lasting { .. } => return None,
        }
    }
    // A name that cannot be seen holds only what needs it.
    match cause(&world.record) {
        Some(Cause::Passing(why)) => first.or(Some(why.clone())),
        _ => first,
    }
}

/// Turns until the spec is reached, the owner is needed, or the run is told to stop.
///
/// # Errors
/// [`Trouble`], where going on would not be safe.
pub async fn converge(mut run: Run<'_>) -> Result<Ending, Trouble> {
    let mut course = Course::default();
    run.journal.begin();
    let ending = course.turns(&mut run).await?;
    if let Ending::Held(_) = &ending
        && course.memory.began
    {
        let world = look_until(run.provider, run.ask, &run.stop, run.tell, MOST_TRIES).await;
        (run.tell)(Event::Billed(billed(&world, run.provider.capabilities())));
    }
    if course.memory.calls > 0 {
        let how = match &ending {
            Ending::Done { .. } => DONE.to_owned(),
            Ending::Held(hold) => format!("Held {}", hold.code()),
            Ending::Interrupted => "Interrupted".to_owned(),
        };
        if let Err(error) = run.journal.end(&how) {
            tracing::warn!(instance = %run.ask.key, %error, "could not note the end of the run");
        }
    }
    (run.tell)(Event::Ended(ending.clone()));
    Ok(ending)
}

/// The key under which looking a wish over counts its tries.
const VET: &str = "vet";

/// A run under way: what it remembers, and since when what takes its time.
#[derive(Default)]
struct Course {
    memory: Memory,
    /// Whether the hands were told that a run begins.
    has_begun: bool,
    /// Since when no machine of the type is free.
    scarce: Option<Instant>,
    /// Since when something else is in the way of each step.
    busy: BTreeMap<String, Instant>,
    /// Since when each thing is awaited.
    awaited: BTreeMap<String, Instant>,
    /// Whether it was told that another's spec is overridden.
    overrode: bool,
    /// Whether the other, whose spec is overridden, was told, and had the time to see it.
    outlasted: bool,
    /// Whether it was told where the instance stood at first.
    looked: bool,
}

impl Course {
    async fn turns(&mut self, run: &mut Run<'_>) -> Result<Ending, Trouble> {
        loop {
            if *run.stop.borrow() {
                return Ok(Ending::Interrupted);
            }
            if run.not_before.is_none()
                && let Err(hold) = self.begin(run).await
            {
                return Ok(Ending::Held(hold));
            }
            let (world, plan) = self.think(run).await?;
            // The look was taken meanwhile.
            if let Some(moment) = run.not_before.take() {
                let foreseen = *moment.borrow();
                while let Some(pause) = until(&moment).filter(|_| !*run.stop.borrow()) {
                    rest(pause, &run.stop).await;
                }
                if *run.stop.borrow() {
                    return Ok(Ending::Interrupted);
                }
                if let Err(hold) = self.begin(run).await {
                    return Ok(Ending::Held(hold));
                }
                // Who waited longer than he thought sees another cloud.
                if *moment.borrow() != foreseen {
                    continue;
                }
            }
            if let Some(hold) = self.memory.refused_still(&plan) {
                return Ok(Ending::Held(hold));
            }
            self.tell_overriding(run, &plan.notes);
            match plan.verdict {
                Verdict::Held(_) if *run.stop.borrow() => return Ok(Ending::Interrupted),
                Verdict::Held(hold) => return Ok(Ending::Held(hold)),
                Verdict::Done | Verdict::Underway => self.tell_waits(run, &plan.waits),
            }
            if plan.verdict == Verdict::Done {
                if self.memory.calls > 0 {
                    let told = plan.notes.into_iter().filter(|it| matches!(it, Note::CaptureFailed(_) | Note::Mind(_)));
                    told.for_each(|note| (run.tell)(Event::Noted(note)));
                }
                return Ok(Ending::Done { calls: self.memory.calls });
            }
            if plan.next.is_empty() {
                if let Some(hold) = self.wait(run, &plan.waits).await {
                    return Ok(Ending::Held(hold));
                }
                continue;
            }
            let says_so = |it: &Planned| matches!(it.step, Step::Retag { .. }) && it.step.applied().is_some_and(|it| it.is_of(run.ask));
            if self.overrode && !self.outlasted && plan.next.iter().any(says_so) {
                self.outlasted = true;
                let telling = plan.next.into_iter().filter(says_so).collect();
                if let Some(hold) = self.act(run, &world, telling).await? {
                    return Ok(Ending::Held(hold));
                }
                self.outlast(run).await;
                continue;
            }
            let (world, steps) = self.confirm(run, world, plan).await?;
            if let Some(hold) = self.act(run, &world, steps).await? {
                return Ok(Ending::Held(hold));
            }
        }
    }

    /// Tells the hands, once, that a run begins.
    async fn begin(&mut self, run: &Run<'_>) -> Result<(), Hold> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let refused = |problem: Problem| Hold::Refused { step: "begin".to_owned(), answer: problem.to_string(), remedy: None };
        run.provider.begin().await.map_err(refused)
    }

    /// Looks, plans, and has the plan audited.
    async fn think(&mut self, run: &Run<'_>) -> Result<(World, Plan), Trouble> {
        let world = look_until(run.provider, run.ask, &run.stop, run.tell, MOST_TRIES).await;
        if !std::mem::replace(&mut self.looked, true) {
            let to = wished(run.ask.wished(), run.ask.deletion.is_some());
            (run.tell)(Event::Began { from: standing(&world), to });
        }
        if self.memory.began && world.servers.items().iter().any(|it| it.power == Power::Running) {
            self.scarce = None;
        }
        let facts = self.memory.facts(run.journal.facts(), run.ask, &world);
        let cloud = run.provider.capabilities();
        (run.show)(&world, &facts);
        let plan = plan(run.ask, &world, &facts, cloud);
        tracing::debug!(instance = %run.ask.key, verdict = ?plan.verdict, steps = plan.next.len(), waits = plan.waits.len(), "planned");
        match audit(&plan, run.ask, &world, cloud).first() {
            Some(objection) => Err(Trouble::Audit(format!("{}: {}", objection.step, objection.why))),
            None => Ok((world, plan)),
        }
    }

    /// Where a step ends something for good, plans once more from a second look; only what both plans
    /// contain is done.
    async fn confirm(&mut self, run: &Run<'_>, world: World, plan: Plan) -> Result<(World, Vec<Planned>), Trouble> {
        if !is_to_be_confirmed(&plan) {
            return Ok((world, plan.next));
        }
        let (world, fresh) = self.think(run).await?;
        Ok((world, in_both(&plan, fresh)))
    }

    /// Makes the calls side by side, intents on disk before, receipts after.
    async fn act(&mut self, run: &mut Run<'_>, world: &World, steps: Vec<Planned>) -> Result<Option<Hold>, Trouble> {
        if steps.is_empty() {
            return Ok(None);
        }
        // Whatever else stands in the way, the calls themselves will tell.
        if !self.memory.began {
            match run.provider.vet(world).await {
                Err(Problem::Refused { answer, remedy }) => {
                    self.memory.began = true;
                    return Ok(Some(Hold::Refused { step: "make what the spec says".to_owned(), answer, remedy }));
                }
                Err(Problem::OutOfStock { answer }) => {
                    let since = *self.scarce.get_or_insert_with(Instant::now);
                    if run.patience.is_some_and(|it| since.elapsed() < it) {
                        (run.tell)(Event::Noted(Note::Mind(format!("{answer}; tried again after a while"))));
                        rest(run.provider.capabilities().pace.longest * 3, &run.stop).await;
                        return Ok(None);
                    }
                    let instead = run.provider.instead(&steps[0].step).await;
                    return Ok(Some(Hold::OutOfStock { step: "make the server".to_owned(), answer, instead }));
                }
                Err(problem) if self.memory.tried(VET) < MOST_TRIES => {
                    *self.memory.tries.entry(VET.to_owned()).or_default() += 1;
                    (run.tell)(Event::Unseen { why: problem.to_string() });
                    rest(self.own_pause(run, VET).unwrap_or_default(), &run.stop).await;
                    return Ok(None);
                }
                Err(_) | Ok(()) => self.memory.began = true,
            }
        }
        if let Err(hold) = self.memory.count(&steps) {
            return Ok(Some(hold));
        }
        let intents: Vec<_> = steps.iter().map(|it| opening(it, run.ask)).collect();
        run.journal.intend(&intents, world.now)?;
        let answers = join_all(steps.iter().map(|planned| self.call(run, world, planned))).await;
        let receipts: Vec<_> = steps.iter().zip(&answers).map(|(planned, answer)| receipt(&planned.step, answer)).collect();
        run.journal.settle(&receipts)?;

        let mut hold = None;
        let mut pause = Duration::ZERO;
        for (planned, answer) in steps.iter().zip(answers) {
            let key = planned.step.key();
            let failed = |answer: String, then| Event::Failed { key: key.clone(), line: planned.line.clone(), answer, then };
            if !matches!(answer, Err(Problem::Busy { .. })) {
                self.busy.remove(&key);
            }
            let lesson = self.memory.learn(planned, &answer);
            let Err(problem) = answer else { continue };
            let said = problem.to_string();
            let pace = run.provider.capabilities().pace;
            match lesson {
                Lesson::Done => {}
                Lesson::Unsure => {
                    (run.tell)(failed(said, "the cloud is looked at before anything else"));
                    pause = pause.max(self.own_pause(run, &key).unwrap_or_default());
                }
                Lesson::Busy => {
                    let first = !self.busy.contains_key(&key);
                    let since = *self.busy.entry(key.clone()).or_insert_with(Instant::now);
                    if since.elapsed() > pace.deadline && planned.optional {
                        (run.tell)(failed(said, "the run goes on without it"));
                        self.memory.do_without(&key);
                    } else if since.elapsed() > pace.deadline {
                        let awaited = format!("what else is under way allows to {}", planned.line);
                        hold = Some(Hold::Stuck { awaited, seconds: pace.deadline.as_secs() });
                    } else if first {
                        (run.tell)(failed(said, "tried again until that is over"));
                    }
                    pause = pause.max(pace.first);
                }
                Lesson::Without => (run.tell)(failed(said, "the run goes on without it")),
                Lesson::Again => {
                    (run.tell)(failed(said, "tried again after a pause"));
                    // A cloud asks for its own seconds.
                    let asked = if let Problem::NotDone { pause, .. } = problem { pause } else { None };
                    let asked = asked.map(|it| it.min(LONGEST_ASKED).div_f64(run.provider.capabilities().speed.max(1.0)));
                    pause = pause.max(asked.or(self.own_pause(run, &key)).unwrap_or_default());
                }
                Lesson::TooOften => {
                    (run.tell)(failed(said.clone(), "needs you"));
                    hold = Some(Hold::KeepsFailing { step: planned.line.to_string(), answer: said });
                }
                Lesson::Refused => (run.tell)(failed(said, "the cloud is looked at again, to see whether it is still to be done")),
                Lesson::Scarce => match self.scarce(run, planned, said).await {
                    None => pause = pause.max(pace.longest * 3),
                    scarce => hold = scarce,
                },
            }
        }
        if hold.is_none() && !pause.is_zero() {
            rest(pause, &run.stop).await;
        }
        Ok(hold)
    }

    /// No machine of the type is free: tried again while patience lasts, then held with what is free instead.
    async fn scarce(&mut self, run: &Run<'_>, planned: &Planned, answer: String) -> Option<Hold> {
        let since = *self.scarce.get_or_insert_with(Instant::now);
        let key = planned.step.key();
        let failed = |answer: String, then| Event::Failed { key: key.clone(), line: planned.line.clone(), answer, then };
        if run.patience.is_some_and(|it| since.elapsed() < it) {
            (run.tell)(failed(answer, "tried again after a while: --wait-for-stock"));
            self.memory.tries.remove(&key);
            return None;
        }
        (run.tell)(failed(answer.clone(), "needs you"));
        let instead = run.provider.instead(&planned.step).await;
        Some(Hold::OutOfStock { step: planned.line.to_string(), answer, instead })
    }

    /// The pause before a step is tried again; `None` once it was tried often enough.
    fn own_pause(&self, run: &Run<'_>, key: &str) -> Option<Duration> {
        let tries = self.memory.tried(key);
        after_failures(&run.provider.capabilities().pace).nth(tries.saturating_sub(1)).filter(|_| tries < MOST_TRIES)
    }

    async fn call(&self, run: &Run<'_>, world: &World, planned: &Planned) -> Result<String, Problem> {
        let key = planned.step.key();
        (run.tell)(Event::Started { key: key.clone(), line: planned.line.clone(), reason: planned.reason.to_string() });
        let began = Instant::now();
        let answer = match &planned.step {
            Step::Configure { server, .. } => play(run, world, &key, server, Part::Once).await,
            Step::StartUp(server) => play(run, world, &key, server, Part::OnStart).await,
            step => run.provider.perform(step).await,
        };
        tracing::info!(instance = %run.ask.key, step = %key, answer = ?answer, "called");
        if answer.is_ok() {
            (run.tell)(Event::Finished { key, line: planned.line.clone(), took: began.elapsed() });
        }
        answer
    }

    /// Tells, once, whose spec is overridden.
    fn tell_overriding(&mut self, run: &Run<'_>, notes: &[Note]) {
        for note in notes.iter().filter(|it| matches!(it, Note::Overrides { .. })) {
            if !std::mem::replace(&mut self.overrode, true) {
                (run.tell)(Event::Noted(note.clone()));
            }
        }
    }

    /// Lets another applier see that he is overridden, before anything else is done: what he decided on before may be the end
    /// of a server that this run would start meanwhile, or come after this run's last look.
    async fn outlast(&self, run: &Run<'_>) {
        let until = "whoever applied the other spec has seen this one".to_owned();
        let pause = until_seen(&run.provider.capabilities().pace);
        (run.tell)(Event::Waiting { until: until.clone(), expected: pause });
        rest(pause, &run.stop).await;
        (run.tell)(Event::Arrived { until, took: pause });
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
            let late = |wait: &&Wait| self.awaited.get(&wait.until).is_some_and(|since| since.elapsed() > pace.deadline);
            if let Some(wait) = waits.iter().find(late) {
                return Some(Hold::Stuck { awaited: wait.until.clone(), seconds: pace.deadline.as_secs() });
            }
            rest(pause, &run.stop).await;
            if *run.stop.borrow() {
                return None;
            }
            for wait in waits {
                match run.provider.arrived(&wait.awaited).await {
                    Ok(true) => return None,
                    Ok(false) => {}
                    Err(problem) => tracing::warn!(instance = %run.ask.key, until = %wait.until, %problem, "could not look"),
                }
            }
        }
        None
    }
}

/// What exists and is billed, for people.
pub fn billed(world: &World, cloud: &Capabilities) -> Vec<String> {
    let servers = world.servers.items().iter().filter(|it| it.power != Power::Off || cloud.billed_when_off);
    let servers = servers.map(|it| format!("server {} {} ({})", it.name, it.machine_type, it.power));
    let volumes = world.volumes.items().iter().map(|it| match it.tags.role() {
        Some(role) => format!("{role} disk {} GB", it.size_gb),
        None => format!("disk {} {} GB", it.name, it.size_gb),
    });
    let copies = [Role::Root, Role::Data].into_iter().flat_map(|role| world.copies(role));
    let copies = copies.map(|it| format!("{} snapshot {} GB", it.tags().role().map_or("", Role::word), it.size_gb()));
    let addresses = world.addresses.items().iter().map(|it| format!("address {}", it.address));
    let elsewhere = world.elsewhere.items().iter().map(|it| format!("what it has in {it}"));
    servers.chain(volumes).chain(copies).chain(addresses).chain(elsewhere).collect()
}
