//! One trace: a life drawn from a seed, carried out on both sides.

use super::{
    chance::{self, Shop, Strange},
    ground::{Answer, Ground},
    pairs::Pairs,
    settled::has_settled,
};
use crate::{
    cloud::{Bytes, Cloud, Pending},
    engine::{Engine, Shipped},
    order::Order,
    view, words,
};
use cloudypad::{
    emulator::{Moment, ServerState, Truth},
    model::{Ask, Awaited, Capabilities, CopyStatus, Id, Planned, Power, Server, Stamp, Step, VolumeStatus},
    provider::Problem,
    run::{Memory, opening},
    store::Recall,
};
use fastrand::Rng;

/// How many acts there are in a trace; fewer where every look is a handful of requests to a face.
const ACTS: usize = 40;
const ACTS_AT_A_FACE: usize = 20;

/// In what an abstract truth may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    DetachesAtOnce,
    ForgetsWrites,
    LosesNothing,
    NeverRefuses,
    DatesNothing,
}

impl Flaw {
    /// Whether a comparison at a kind of cloud could tell. Scaleway does not say since when a server is off.
    pub fn shows_at(self, kind: &str) -> bool {
        self != Flaw::DatesNothing || kind != "scaleway"
    }

    /// What is said of it.
    pub fn shows(self) -> &'static str {
        match self {
            Flaw::DetachesAtOnce => "Detaching",
            Flaw::ForgetsWrites => "written to by nobody",
            Flaw::LosesNothing => "just lost",
            Flaw::NeverRefuses => "answers",
            Flaw::DatesNothing => "off_since",
        }
    }
}

/// Plays one trace: how many acts it had, or how it went until both sides differed, and in what.
pub fn play(kind: &'static str, seed: u64, flaw: Option<Flaw>) -> Result<usize, String> {
    let mut trace = Trace::new(kind, seed, flaw);
    let played = if seed.is_multiple_of(2) { trace.live() } else { trace.order_about() };
    match played.and_then(|()| trace.rest()) {
        Ok(()) => Ok(trace.tale.len()),
        Err(why) => Err(format!("{}\n{why}", trace.tale.join("\n"))),
    }
}

/// Both sides, and what happened so far.
struct Trace {
    kind: &'static str,
    shop: Shop,
    rng: Rng,
    ground: Ground,
    twin: Cloud,
    pairs: Pairs,
    can: Capabilities,
    ask: Ask,
    /// How much the abstract truth found lost.
    lost: usize,
    /// How much had been lost on each side when both last agreed, and whether a server went since.
    judged: (usize, usize),
    ended: bool,
    /// What the present process saw go off.
    seen_off: view::SeenOff,
    flaw: Option<Flaw>,
    tale: Vec<String>,
}

impl Trace {
    fn new(kind: &'static str, seed: u64, flaw: Option<Flaw>) -> Self {
        let (ask, can) = wish(kind, "present");
        let mut twin = Cloud::new(Box::leak(Box::new(can.clone())));
        let ground = Ground::new(&ask, &can);
        twin.now = ground.now().0;
        let (rng, pairs, tale) = (Rng::with_seed(seed), Pairs::new(kind), Vec::new());
        let shop = match kind {
            "scaleway" => chance::SCALEWAY,
            "linode" => chance::LINODE,
            _ => chance::LOCAL,
        };
        Trace { kind, shop, rng, ground, twin, pairs, can, ask, lost: 0, judged: (0, 0), ended: false, seen_off: None, flaw, tale }
    }

    fn acts(&self) -> usize {
        if self.kind.starts_with("local") { ACTS } else { ACTS_AT_A_FACE }
    }

    /// Somebody orders about, mostly what can be done.
    fn order_about(&mut self) -> Result<(), String> {
        for number in 0..self.acts() {
            match self.rng.u8(..20) {
                0..=10 => {
                    let order = chance::order(&mut self.rng, &self.twin, &self.shop, number);
                    // A vendor's clients order nothing that nobody ever saw.
                    if self.kind.starts_with("local") || !format!("{order:?}").contains("nothing") {
                        self.order(&order)?;
                    }
                }
                11 => self.strange()?,
                _ => drop(self.wait()?),
            }
        }
        Ok(())
    }

    /// The real planner leads the instance from wish to wish, and strangers act in between.
    fn live(&mut self) -> Result<(), String> {
        let policy = one_of(&mut self.rng, &POLICIES);
        let (mut memory, mut recall, mut done) = (Memory::default(), Recall::default(), true);
        for _ in 0..self.acts() {
            if done || self.rng.u8(..15) == 0 {
                let state = one_of(&mut self.rng, &WISHES);
                self.ask = wish(self.kind, &format!("{state}; {policy}")).0;
                self.ground.serve(&self.ask);
                self.seen_off = None;
                self.begin();
                self.compare(None)?;
                self.tale.push(format!("- wish: {state}; {policy}"));
                (memory, recall, done) = (Memory::default(), Recall::default(), false);
            }
            if self.rng.u8(..8) == 0 {
                self.strange()?;
            }
            let world = self.ground.look(&self.ask);
            let facts = Shipped.facts(&mut memory, &recall, &self.ask, &world);
            let plan = Shipped.plan(&self.ask, &world, &facts, &self.can);
            memory.began |= !plan.next.is_empty();
            for planned in &plan.next {
                self.take(planned, &mut memory, &mut recall)?;
            }
            if plan.next.is_empty() {
                let clock = plan.waits.iter().find_map(|it| if let Awaited::Clock(at) = it.awaited { Some(at) } else { None });
                match clock {
                    Some(at) => self.wait_until(Moment(at.0 + 1_000_000))?,
                    None => done = !self.wait()?,
                }
            }
        }
        Ok(())
    }

    /// Takes a planned step, as a run does.
    fn take(&mut self, planned: &Planned, memory: &mut Memory, recall: &mut Recall) -> Result<(), String> {
        if matches!(planned.step, Step::Configure { .. }) {
            return Ok(());
        }
        let order = Order::of(&planned.step).renamed(&|id| self.pairs.abstract_id(id));
        self.tale.push(format!("- planned: {order:?}"));
        Shipped.intend(recall, &[opening(planned, &self.ask)], Stamp(self.ground.now().0));
        self.begin();
        let real = self.ground.perform(&planned.step);
        let answer = self.obey(&order);
        recall.settle(&[Shipped.receipt(planned, &answer)]);
        Shipped.learn(memory, planned, &answer);
        let answers = (!self.repeats(&order)).then(|| (real, Answer::of(&answer)));
        self.compare(answers)
    }

    /// Somebody orders something.
    fn order(&mut self, order: &Order) -> Result<(), String> {
        self.tale.push(format!("- {order:?}"));
        self.begin();
        let world = self.ground.look(&self.ask);
        let Some(real) = self.ground.carry_out(&order.renamed(&|id| self.pairs.real_id(id)), &world) else { return Ok(()) };
        let twin = Answer::of(&self.obey(order));
        let answers = (!self.repeats(order)).then_some((real, twin));
        self.compare(answers)
    }

    /// Whether an order comes while Linode has not begun with the one before: who gave that one takes it for done, and
    /// anybody else is told that the server is busy.
    fn repeats(&self, order: &Order) -> bool {
        let (Order::Start(id) | Order::Stop(id)) = order else { return false };
        let truth = self.ground.truth();
        let details = truth.linode.linodes.get(&self.pairs.real_id(id.as_str()));
        details.and_then(|it| it.jobs.first()).is_some_and(|it| !it.runs)
    }

    /// A stranger acts.
    fn strange(&mut self) -> Result<(), String> {
        match chance::strange(&mut self.rng, &self.twin) {
            Some(Strange::Order(order)) => self.order(&order),
            Some(Strange::Guest(index)) => self.shut_down(index),
            Some(Strange::Lock(index)) => {
                self.begin();
                let machine = &mut self.twin.servers[index].it;
                machine.locked = true;
                self.tale.push(format!("- somebody protects {}", machine.id));
                self.ground.protect(&self.pairs.real_id(machine.id.as_str()));
                self.compare(None)
            }
            Some(Strange::FailCopy(index)) => {
                self.begin();
                let copy = &mut self.twin.copies[index].it;
                copy.status = CopyStatus::Failed;
                self.tale.push(format!("- {} fails", copy.id));
                self.ground.fail(&self.pairs.real_id(copy.id.as_str()));
                self.compare(None)
            }
            None => Ok(()),
        }
    }

    /// A guest shuts itself down. The abstract truth leaves out that this takes a while.
    fn shut_down(&mut self, index: usize) -> Result<(), String> {
        let id = self.twin.servers[index].it.id.to_string();
        self.tale.push(format!("- the guest of {id} shuts down"));
        self.begin();
        let real = self.pairs.real_id(&id);
        self.ground.guest_shuts_down(&real);
        while let Some(due) = self.ground.next_due() {
            let before = self.ground.truth();
            self.ground.wait_until(due);
            self.begin();
            self.settle(&before);
            if self.ground.truth().servers.get(&real).is_none_or(|it| it.state != ServerState::Stopping) {
                break;
            }
        }
        if let Some(index) = self.twin.server(&id) {
            self.twin.guest_shuts_down(index);
        }
        self.compare(None)
    }

    /// Waits until the next thing happens; says whether anything does.
    fn wait(&mut self) -> Result<bool, String> {
        match self.ground.next_due() {
            Some(due) => self.wait_until(due).map(|()| true),
            None => Ok(false),
        }
    }

    fn wait_until(&mut self, moment: Moment) -> Result<(), String> {
        while let Some(due) = self.ground.next_due().filter(|it| *it <= moment) {
            self.pass(due)?;
        }
        self.pass(moment)
    }

    fn pass(&mut self, moment: Moment) -> Result<(), String> {
        self.tale.push(format!("- it is {moment}"));
        let before = self.ground.truth();
        self.ground.wait_until(moment);
        self.begin();
        self.settle(&before);
        self.compare(None)
    }

    /// Waits until nothing happens any more.
    fn rest(&mut self) -> Result<(), String> {
        while self.wait()? {}
        let pending = self.twin.pending();
        if pending.is_empty() { Ok(()) } else { Err(format!("still waited for in the abstract truth: {pending:?}")) }
    }

    /// The clocks go together.
    fn begin(&mut self) {
        self.twin.now = self.twin.now.max(self.ground.now().0);
    }

    /// Carries an order out in the abstract truth.
    fn obey(&mut self, order: &Order) -> Result<String, Problem> {
        let before = self.written();
        let deed = self.twin.carry_out(order);
        self.lost += deed.losses.len();
        match self.flaw {
            Some(Flaw::DetachesAtOnce) => {
                let leaving = |cloud: &Cloud| (0..cloud.volumes.len()).find(|it| cloud.volumes[*it].it.status == VolumeStatus::Detaching);
                while let Some(index) = leaving(&self.twin) {
                    self.twin.settle(Pending::Volume(index));
                }
            }
            Some(Flaw::ForgetsWrites) if matches!(order, Order::Start(_)) => self.unwrite(before),
            Some(Flaw::LosesNothing) => self.lost = 0,
            Some(Flaw::NeverRefuses) => return Ok(String::new()),
            _ => {}
        }
        deed.answer
    }

    /// What is on every disk.
    fn written(&self) -> (Vec<Bytes>, Vec<Option<Bytes>>) {
        (self.twin.volumes.iter().map(|it| it.bytes.clone()).collect(), self.twin.servers.iter().map(|it| it.local.clone()).collect())
    }

    fn unwrite(&mut self, (volumes, locals): (Vec<Bytes>, Vec<Option<Bytes>>)) {
        self.twin.volumes.iter_mut().zip(volumes).for_each(|(it, before)| it.bytes = before);
        self.twin.servers.iter_mut().zip(locals).for_each(|(it, before)| it.local = before);
    }

    /// Has come to pass in the abstract truth what came to pass in the emulator, in the same order.
    fn settle(&mut self, before: &Truth) {
        let mut due: Vec<_> = before.transitions.iter().enumerate().collect();
        due.sort_by_key(|(index, it)| (it.due, *index));
        let due: Vec<String> = due.into_iter().map(|(_, it)| format!("{:?}", it.effect)).collect();
        let turn = |real: &str| due.iter().position(|it| it.contains(&format!("\"{real}\""))).unwrap_or(usize::MAX);
        let (after, world) = (self.ground.truth(), self.ground.look(&self.ask));
        loop {
            let settled = self.twin.pending().into_iter().filter_map(|pending| {
                let real = self.pairs.real_id(&self.id_of(pending));
                has_settled(&self.twin, pending, &real, &after, &world).then(|| (turn(&real), pending))
            });
            let Some((_, next)) = settled.min_by_key(|it| it.0) else { break };
            let before = self.written();
            let begins = matches!(next, Pending::Server(at) if self.twin.servers[at].starts);
            self.twin.settle(next);
            if begins && self.flaw == Some(Flaw::ForgetsWrites) {
                self.unwrite(before);
            }
            if self.flaw == Some(Flaw::DatesNothing) {
                self.twin.servers.iter_mut().for_each(|it| it.it.off_since = it.it.off_since.map(|_| it.it.created));
            }
        }
    }

    fn id_of(&self, pending: Pending) -> String {
        match pending {
            Pending::Server(at) => self.twin.servers[at].it.id.to_string(),
            Pending::Volume(at) => self.twin.volumes[at].it.id.to_string(),
            Pending::Copy(at) => self.twin.copies[at].it.id.to_string(),
            Pending::Address(at) => self.twin.addresses[at].id.to_string(),
        }
    }

    /// Whether both sides are in the same condition.
    fn compare(&mut self, answers: Option<(Answer, Answer)>) -> Result<(), String> {
        if let Some((real, twin)) = answers
            && real != twin
        {
            return Err(format!("the emulator answers {real:?}, the abstract truth {twin:?}"));
        }
        let truth = self.ground.truth();
        self.pairs.meet(&truth, &self.twin)?;
        // Some things take no time.
        self.settle(&truth);
        self.pairs.compare_objects(&truth, &self.twin)?;
        let twin = view::look(&self.twin, None, view::Glance::Clear, &mut self.seen_off);
        let is_off = |id: &Id<Server>| twin.server(id).is_some_and(|it| it.power == Power::Off);
        self.seen_off.take_if(|(id, _)| !is_off(id));
        self.pairs.compare_looks(&truth, self.ground.look(&self.ask), twin)?;
        self.pairs.compare_bytes(&truth, &self.twin)?;
        self.compare_losses(&truth)
    }

    /// Whether both judges found the same lost. The abstract truth judges the end of a server's own disk when it is ordered,
    /// the emulator when it comes: what goes meanwhile may be one loss to one and two to the other, but not none.
    fn compare_losses(&mut self, truth: &Truth) -> Result<(), String> {
        let ending = self.twin.servers.iter().any(|it| it.it.power == Power::Deleting);
        self.ended |= ending;
        let now = (truth.ledger.losses.len(), self.lost);
        let (real, twin) = (now.0 - self.judged.0, now.1.saturating_sub(self.judged.1));
        if ending || real == twin || (self.ended && real > 0 && twin > 0) {
            if !ending {
                (self.judged, self.ended) = (now, false);
            }
            return Ok(());
        }
        let what: Vec<String> = truth.ledger.losses.iter().skip(self.judged.0).map(|it| self.pairs.abstract_id(&it.object)).collect();
        Err(format!("just lost: {real} in the emulator ({}), {twin} in the abstract truth", what.join(", ")))
    }
}

fn wish(kind: &str, rest: &str) -> (Ask, Capabilities) {
    words::ask(&format!("{kind}; {rest}")).unwrap_or_else(|error| panic!("{kind}; {rest}: {error}"))
}

fn one_of(rng: &mut Rng, items: &[&'static str]) -> &'static str {
    items[rng.usize(..items.len())]
}

/// What the owner wishes, one after another.
const WISHES: [&str; 8] =
    ["present", "present", "stopped", "absent", "absent", "present; root 40 GB", "deleted", "deleted keeping snapshots"];

/// How the owner has the disks kept.
const POLICIES: [&str; 5] = [
    "root snapshot; data 100 GB, snapshot",
    "root snapshot; data 100 GB",
    "root disposable; data 100 GB",
    "root snapshot, onStop reuse",
    "data 100 GB",
];
