//! A situation: the truth, one or two appliers with their journals, and how much more may go wrong. And every move that can
//! follow from it.

use super::{
    canon::{self, Writer},
    cloud::{Cloud, Late, Loss, Pending},
    engine::Engine,
    order::Order,
    settle,
    view::{self, Glance, LISTS, SeenOff},
};
use cloudypad::{
    model::{Ask, Awaited, CopyStatus, Facts, Hold, OnStop, Plan, Planned, Power, Role, Root, Stamp, Verdict, World},
    provider::Problem,
    run::{Lesson, Memory, opening},
    store::{Closing, Entry, Opening, Recall},
};
use std::sync::Arc;

impl Story {
    /// Whether two appliers wish for different things.
    pub fn is_contested(&self) -> bool {
        self.rival
            .is_some_and(|rival| self.wishes[0].spec != self.wishes[rival].spec || self.wishes[0].deletion != self.wishes[rival].deletion)
    }
}

/// What may happen in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// How many things may go wrong.
    pub faults: u8,
    /// Kills, lost answers, late effects.
    pub calls: bool,
    /// Lists that lag or are old.
    pub looks: bool,
    /// The owner changes the spec on the way.
    pub edits: bool,
    /// Somebody in the console, and the guest itself.
    pub strangers: bool,
    /// Refusals, copies that fail.
    pub platform: bool,
    /// How often the turn passes from one applier that could go on to the other.
    pub switches: u8,
}

/// A story: who wishes what of which cloud, and what may happen.
pub struct Story {
    pub name: String,
    /// The wishes that the owner may write; the first applier begins with the first of them.
    pub wishes: Vec<Ask>,
    /// The wish of a second applier.
    pub rival: Option<usize>,
    pub start: Cloud,
    pub weather: Weather,
    /// It begins with what cloudypad never brings about: any hold may end it.
    pub odd: bool,
}

#[derive(Clone)]
pub struct Seen {
    pub world: Arc<World>,
    pub facts: Facts,
    pub epoch: u32,
}

#[derive(Clone)]
pub enum Phase {
    /// About to look.
    Ready,
    /// Has seen, and needs a second look before it acts.
    Looked(Seen),
    /// About to act.
    Armed(Seen, Option<Seen>),
    /// The run ended; in the given epoch.
    Ended(Verdict, u32),
}

#[derive(Clone)]
pub struct Process {
    pub memory: Memory,
    pub recall: Recall,
    pub phase: Phase,
    pub seen_off: SeenOff,
    /// Until when it waits for the clock alone.
    pub clock: Option<Stamp>,
    /// In which epoch it saw that there was nothing to do but to wait.
    pub waits: Option<u32>,
}

#[derive(Clone)]
pub struct Applier {
    pub wish: usize,
    /// What its journal comes to on disk.
    pub journal: Recall,
    pub process: Option<Process>,
}

#[derive(Clone)]
pub struct Situation {
    pub cloud: Arc<Cloud>,
    /// Before its last change.
    pub before: Option<Arc<Cloud>>,
    pub appliers: Vec<Applier>,
    pub faults: u8,
    /// Whose turn it is, and how often it may pass to the other while the first could go on.
    pub turn: usize,
    pub switches: u8,
    /// Counts changes of the truth.
    pub epoch: u32,
    /// What strangers and the platform did, in words; what they did explains holds.
    pub scars: u16,
    /// In which epoch somebody last destroyed a copy.
    pub robbed: u32,
}

/// What somebody else did.
pub mod scar {
    pub const STARTED: u16 = 1;
    pub const STOPPED: u16 = 2;
    pub const SERVER_DELETED: u16 = 4;
    pub const VOLUME_DELETED: u16 = 8;
    pub const COPY_DELETED: u16 = 16;
    pub const DETACHED: u16 = 32;
    pub const COPY_FAILED: u16 = 64;
    pub const REFUSED: u16 = 128;
    pub const GUEST: u16 = 256;
    pub const LOCKED: u16 = 512;
    /// A call's effect was lost sight of: one more copy is allowed.
    pub const CALL: u16 = 1024;
    pub const EDITED: u16 = 2048;
}

/// What befalls the calls of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mishap {
    None,
    /// Killed; of the calls, those in the mask were carried out.
    Killed(u8),
    /// Killed with this call on its way: it is carried out later, or never.
    KilledOnTheWay(u8),
    /// This call's answer is lost; it was carried out, or not.
    Lost(u8, bool),
    /// This call's answer is lost; it is carried out later, or never.
    Late(u8),
    /// The cloud refuses this call.
    Refused(u8),
    /// What is made is not listed yet.
    Unlisted,
    /// Both: made, not listed, and the answer is lost.
    LostUnlisted(u8),
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    Look(usize, Glance),
    Act(usize, Mishap),
    Kill(usize),
    Edit(usize),
    Settle(Pending),
    /// A late call is carried out, or never will be.
    Late(usize, bool),
    /// Lists catch up.
    Listed,
    /// The clock moves to what an applier waits for.
    Tick(usize),
    /// Long after.
    Lapse,
    Start(usize),
    Stop(usize),
    Guest(usize),
    DeleteServer(usize),
    DeleteVolume(usize),
    DetachVolume(usize),
    DeleteCopy(usize),
    FailCopy(usize),
    Lock(usize),
}

/// A law that is broken: its name, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub law: &'static str,
    pub how: String,
}

/// As often as a step may be tried without a difference.
const FEW: usize = 3;

fn breach(law: &'static str, how: String) -> Breach {
    Breach { law, how }
}

/// What one move came to.
pub struct Next {
    pub situation: Situation,
    pub breaches: Vec<Breach>,
}

/// Told of everything that is planned.
pub trait Witness {
    fn planned(&mut self, plan: &Plan);
    fn held(&mut self, hold: &Hold);
}

impl Situation {
    pub fn first(story: &Story) -> Self {
        let applier = |wish| Applier { wish, journal: Recall::default(), process: None };
        let appliers = std::iter::once(0).chain(story.rival).map(applier).collect();
        let cloud = Arc::new(story.start.clone());
        let before = story.weather.looks.then(|| cloud.clone());
        Situation {
            cloud,
            before,
            appliers,
            faults: story.weather.faults,
            turn: 0,
            switches: story.weather.switches,
            epoch: 0,
            scars: 0,
            robbed: 0,
        }
    }

    /// The name of this situation: the same for all that mean the same.
    pub fn name(&self) -> u128 {
        canon::name(self.cloud.now, |to| self.write(to))
    }

    fn write(&self, to: &mut Writer) {
        to.cloud(&self.cloud);
        to.flag(self.before.is_some());
        if let Some(before) = &self.before {
            to.cloud(before);
        }
        to.hashed(&(self.faults, self.scars, self.turn, self.switches));
        self.cloud.late.iter().for_each(|it| to.flag(self.is_robbed_since(it.epoch)));
        for applier in &self.appliers {
            to.number(applier.wish);
            self.write_open(to, &applier.journal);
            let Some(process) = &applier.process else {
                to.flag(false);
                continue;
            };
            to.flag(true);
            let Memory { calls, began, tries, refused, made, refusals, applied, wrote, answers: _ } = &process.memory;
            to.hashed(&(*calls > 0, began));
            // How often a step was tried decides nothing before it was tried often.
            for (key, count) in tries.iter().filter(|(_, count)| **count > FEW) {
                to.text(key);
                to.number(*count);
            }
            for it in [applied, wrote, &process.recall.applied] {
                to.perhaps(it.map(|it| Stamp(it.at * 1_000_000)));
                to.hashed(&it.map(|it| (it.digest, it.aim)));
            }
            to.number(refusals.len());
            refusals.keys().for_each(|it| to.text(it));
            to.number(refused.len());
            refused.iter().for_each(|it| to.text(it));
            for (key, stamp) in made.iter().filter(|(_, at)| at.is_none_or(|at| self.is_recent(at, self.cloud.can.listing_lag))) {
                to.text(key);
                to.perhaps(*stamp);
            }
            self.write_open(to, &process.recall);
            to.perhaps(process.clock);
            to.perhaps(process.seen_off.as_ref().map(|it| it.1));
            to.kind(&process.phase);
            let mut seen = |it: &Seen| {
                to.world(&it.world);
                to.facts(&it.facts);
                to.flag(it.epoch == self.epoch);
                to.flag(self.is_robbed_since(it.epoch));
            };
            match &process.phase {
                Phase::Ready => {}
                Phase::Looked(first) => seen(first),
                Phase::Armed(first, fresh) => {
                    seen(first);
                    fresh.iter().for_each(seen);
                }
                Phase::Ended(verdict, epoch) => {
                    to.hashed(&code(verdict));
                    to.flag(*epoch == self.epoch);
                }
            }
        }
    }

    /// Whether somebody destroyed a copy after this epoch.
    pub fn is_robbed_since(&self, epoch: u32) -> bool {
        self.robbed > epoch
    }

    /// Calls that may still take effect. Those that surely ended decide nothing.
    fn write_open(&self, to: &mut Writer, recall: &Recall) {
        let seconds = self.cloud.can.late_effect + self.cloud.can.listing_lag;
        for (key, stamp) in recall.open.iter().filter(|(_, at)| self.is_recent(**at, seconds)) {
            to.text(key);
            to.moment(*stamp);
        }
    }

    fn is_recent(&self, stamp: Stamp, seconds: u64) -> bool {
        stamp.plus_seconds(seconds + 1).0 > self.cloud.now && seconds > 0
    }

    /// Everything that can happen next.
    pub fn moves(&self, story: &Story, steps: &[Vec<Planned>], thorough: bool) -> Vec<Move> {
        // Once nothing more may go wrong, what is under way comes to pass in its order, unless every order is wanted.
        let orders = if self.faults > 0 || thorough { usize::MAX } else { 1 };
        // A call follows its look within a second or two, and a machine takes longer than that to boot.
        let is_brief = self.appliers.iter().any(|it| matches!(&it.process, Some(Process { phase: Phase::Armed(..), .. })));
        let boots = |it: &Pending| matches!(it, Pending::Server(at) if self.cloud.servers[*at].it.power == Power::Starting);
        let pending = self.cloud.pending().into_iter().filter(|it| !(is_brief && boots(it)));
        let mut moves: Vec<Move> = pending.take(orders).map(Move::Settle).collect();
        for index in 0..self.cloud.late.len() {
            moves.extend([Move::Late(index, true), Move::Late(index, false)]);
        }
        if self.has_hidden() {
            moves.push(Move::Listed);
        }
        for index in (0..self.appliers.len()).filter(|index| self.may_go(*index)) {
            moves.extend(self.own_moves(index, story, steps[index].len() as u8));
        }
        if self.faults > 0 {
            moves.extend(self.strange_moves(story));
        }
        moves
    }

    /// Whether it is this applier's turn, or may become it.
    fn may_go(&self, index: usize) -> bool {
        index == self.turn || self.switches > 0 || self.rests(self.turn)
    }

    /// Whether an applier has nothing to do as things are.
    fn rests(&self, index: usize) -> bool {
        self.appliers[index].process.as_ref().is_some_and(|it| match &it.phase {
            Phase::Ended(_, epoch) => *epoch == self.epoch,
            Phase::Ready => it.waits == Some(self.epoch),
            Phase::Looked(_) | Phase::Armed(..) => false,
        })
    }

    /// Passes the turn.
    fn pass_to(&mut self, index: usize) {
        if index != self.turn {
            self.switches -= u8::from(self.switches > 0 && !self.rests(self.turn));
            self.turn = index;
        }
    }

    pub fn has_hidden(&self) -> bool {
        let cloud = &self.cloud;
        cloud.servers.iter().any(|it| it.hidden) || cloud.volumes.iter().any(|it| it.hidden) || cloud.copies.iter().any(|it| it.hidden)
    }

    /// What an applier can do, and what can befall it while it does.
    fn own_moves(&self, index: usize, story: &Story, count: u8) -> Vec<Move> {
        let weather = &story.weather;
        let may_fail = self.faults > 0;
        let Some(process) = &self.appliers[index].process else {
            let mut moves = vec![Move::Look(index, Glance::Clear)];
            if index == 0 && !self.appliers[0].journal.open.is_empty() && self.cloud.late.is_empty() && !self.has_hidden() {
                moves.push(Move::Lapse);
            }
            return moves;
        };
        let mut moves = Vec::new();
        match &process.phase {
            Phase::Ended(_, epoch) => {
                // Where two apply, each applies once, unless somebody does so again.
                if *epoch != self.epoch && (story.rival.is_none() || may_fail) {
                    moves.push(Move::Look(index, Glance::Clear));
                }
            }
            Phase::Ready | Phase::Looked(_) => {
                moves.push(Move::Look(index, Glance::Clear));
                if process.clock.is_some_and(|it| it.0 > self.cloud.now && self.may_pass(it)) {
                    moves.push(Move::Tick(index));
                }
                if may_fail && weather.looks && self.before.is_some() {
                    moves.extend(LISTS[..3].iter().map(|it| Move::Look(index, Glance::Stale(*it))));
                    moves.push(Move::Look(index, Glance::AllStale));
                }
                if may_fail && weather.calls {
                    moves.push(Move::Kill(index));
                }
            }
            Phase::Armed(..) => {
                moves.push(Move::Act(index, Mishap::None));
                if may_fail && weather.calls {
                    let masks =
                        if count <= 3 { (0..1 << count).collect() } else { (0..=count).map(|it| (1 << it) - 1).collect::<Vec<u8>>() };
                    moves.extend(masks.into_iter().map(|it| Move::Act(index, Mishap::Killed(it))));
                    for step in 0..count {
                        moves.extend([
                            Move::Act(index, Mishap::KilledOnTheWay(step)),
                            Move::Act(index, Mishap::Lost(step, true)),
                            Move::Act(index, Mishap::Lost(step, false)),
                            Move::Act(index, Mishap::Late(step)),
                        ]);
                    }
                }
                if may_fail && weather.looks {
                    moves.push(Move::Act(index, Mishap::Unlisted));
                    if weather.calls && self.faults > 1 {
                        moves.extend((0..count).map(|step| Move::Act(index, Mishap::LostUnlisted(step))));
                    }
                }
                if may_fail && weather.platform {
                    moves.extend((0..count).map(|step| Move::Act(index, Mishap::Refused(step))));
                }
            }
        }
        if may_fail && weather.edits && index == 0 && !matches!(process.phase, Phase::Armed(..)) {
            let others = (0..story.wishes.len()).filter(|it| *it != self.appliers[0].wish && Some(*it) != story.rival);
            moves.extend(others.map(Move::Edit));
        }
        moves
    }

    /// Whether nothing must have happened before the clock stands there.
    fn may_pass(&self, stamp: Stamp) -> bool {
        self.cloud.late.iter().all(|it| it.until > stamp)
    }

    fn strange_moves(&self, story: &Story) -> Vec<Move> {
        let mut moves = Vec::new();
        let cloud = &self.cloud;
        if story.weather.strangers {
            for (index, machine) in cloud.servers.iter().enumerate() {
                match machine.it.power {
                    Power::Off if machine.it.root != Root::Detached => {
                        moves.extend([Move::Start(index), Move::DeleteServer(index), Move::Lock(index)])
                    }
                    Power::Off => moves.push(Move::DeleteServer(index)),
                    Power::Running => moves.extend([Move::Stop(index), Move::Guest(index), Move::DeleteServer(index)]),
                    _ => {}
                }
                if machine.it.power == Power::Off {
                    let held = machine.it.volumes.iter().filter_map(|id| cloud.volume(id.as_str()));
                    moves.extend(held.map(Move::DetachVolume));
                }
            }
            let free = cloud.volumes.iter().enumerate().filter(|(_, it)| it.it.is_free());
            moves.extend(free.map(|(index, _)| Move::DeleteVolume(index)));
            let ready = cloud.copies.iter().enumerate().filter(|(_, it)| it.it.status == CopyStatus::Ready);
            moves.extend(ready.map(|(index, _)| Move::DeleteCopy(index)));
        }
        if story.weather.platform {
            let making = cloud.copies.iter().enumerate().filter(|(_, it)| it.it.status == CopyStatus::Creating);
            moves.extend(making.map(|(index, _)| Move::FailCopy(index)));
        }
        moves
    }

    /// The steps that each applier is about to take.
    pub fn all_steps(&self, story: &Story, engine: &dyn Engine) -> Vec<Vec<Planned>> {
        (0..self.appliers.len()).map(|index| self.steps(index, story, engine)).collect()
    }

    /// The steps that an armed applier is about to take.
    pub fn steps(&self, index: usize, story: &Story, engine: &dyn Engine) -> Vec<Planned> {
        let applier = &self.appliers[index];
        let Some(Process { phase: Phase::Armed(first, fresh), .. }) = &applier.process else { return Vec::new() };
        let ask = &story.wishes[applier.wish];
        let can = self.cloud.can;
        let plan = engine.plan(ask, &first.world, &first.facts, can);
        match fresh {
            None => plan.next,
            Some(fresh) => engine.in_both(&plan, engine.plan(ask, &fresh.world, &fresh.facts, can)),
        }
    }

    /// What follows.
    pub fn after(&self, what: Move, story: &Story, engine: &dyn Engine, steps: &[Vec<Planned>], witness: &mut dyn Witness) -> Next {
        let mut next = self.clone();
        let mut breaches = Vec::new();
        match what {
            Move::Look(index, glance) => {
                next.pass_to(index);
                let ended = matches!(&next.appliers[index].process, Some(Process { phase: Phase::Ended(..), .. }));
                if ended && story.rival.is_some() && next.faults > 0 {
                    next.faults -= 1;
                }
                if glance != Glance::Clear {
                    next.faults -= 1;
                    next.scars |= scar::CALL;
                }
                next.look(index, glance, story, engine, witness, &mut breaches);
            }
            Move::Act(index, mishap) => {
                next.pass_to(index);
                next.act(index, mishap, story, engine, &steps[index], &mut breaches);
            }
            Move::Kill(index) => {
                next.faults -= 1;
                next.appliers[index].process = None;
            }
            Move::Edit(wish) => {
                next.faults -= 1;
                next.scars |= scar::EDITED;
                next.appliers[0].wish = wish;
                next.appliers[0].process = None;
            }
            Move::Settle(pending) => next.change(|cloud| cloud.settle(pending)),
            Move::Late(at, happens) => {
                let Late { order, by, epoch, .. } = next.cloud.late[at].clone();
                let ask = &story.wishes[next.appliers[by].wish];
                let mut losses = Vec::new();
                next.change(|cloud| {
                    cloud.late.remove(at);
                    if happens {
                        losses = cloud.carry_out(&order).losses;
                    }
                });
                let robbed = next.is_robbed_since(epoch);
                let unasked = losses.iter().filter(|it| !robbed && !is_let_go(it, ask, &next.cloud));
                breaches.extend(unasked.map(|it| lost(it, "a late call")));
            }
            Move::Listed => next.list(),
            Move::Tick(index) => {
                let until = next.appliers[index].process.as_ref().and_then(|it| it.clock).unwrap_or(Stamp(next.cloud.now));
                next.pass(until);
            }
            Move::Lapse => {
                let seconds = next.cloud.can.listing_lag + next.cloud.can.late_effect + 1;
                next.pass(Stamp(next.cloud.now).plus_seconds(seconds));
            }
            Move::Start(index) => next.strange(scar::STARTED, |cloud| {
                let id = cloud.servers[index].it.id.clone();
                let _ = cloud.start(id.as_str());
            }),
            Move::Stop(index) => next.strange(scar::STOPPED, |cloud| cloud.servers[index].it.power = Power::Stopping),
            Move::Guest(index) => next.strange(scar::GUEST, |cloud| cloud.guest_shuts_down(index)),
            Move::DeleteServer(index) => next.strange(scar::SERVER_DELETED, |cloud| {
                cloud.servers[index].local = None;
                cloud.servers[index].it.power = Power::Deleting;
            }),
            Move::DeleteVolume(index) => next.strange(scar::VOLUME_DELETED, |cloud| {
                cloud.volumes.remove(index);
            }),
            Move::DetachVolume(index) => next.strange(scar::DETACHED, |cloud| {
                let volume = cloud.volumes[index].it.id.clone();
                let holder = cloud.servers.iter().find(|it| it.it.volumes.contains(&volume)).map(|it| it.it.id.clone());
                let _ = holder.map(|it| cloud.detach(it.as_str(), volume.as_str()));
            }),
            Move::DeleteCopy(index) => next.strange(scar::COPY_DELETED, |cloud| {
                cloud.copies.remove(index);
            }),
            Move::FailCopy(index) => next.strange(scar::COPY_FAILED, |cloud| cloud.copies[index].it.status = CopyStatus::Failed),
            Move::Lock(index) => next.strange(scar::LOCKED, |cloud| cloud.servers[index].it.locked = true),
        }
        Next { situation: next, breaches }
    }

    fn change(&mut self, how: impl FnOnce(&mut Cloud)) {
        self.remember();
        how(Arc::make_mut(&mut self.cloud));
        self.epoch += 1;
    }

    /// What a list that is old would show, where that matters any more.
    fn remember(&mut self) {
        self.before = self.before.take().filter(|_| self.faults > 0).map(|_| self.cloud.clone());
    }

    fn strange(&mut self, scar: u16, how: impl FnOnce(&mut Cloud)) {
        self.faults -= 1;
        self.scars |= scar;
        self.change(how);
        if scar & (scar::COPY_DELETED | scar::COPY_FAILED) != 0 {
            self.robbed = self.epoch;
        }
    }

    /// Lists catch up.
    fn list(&mut self) {
        let cloud = Arc::make_mut(&mut self.cloud);
        cloud.servers.iter_mut().for_each(|it| it.hidden = false);
        cloud.volumes.iter_mut().for_each(|it| it.hidden = false);
        cloud.copies.iter_mut().for_each(|it| it.hidden = false);
        self.epoch += 1;
    }

    /// Time passes, and lists catch up.
    fn pass(&mut self, until: Stamp) {
        if self.has_hidden() {
            self.list();
        }
        let cloud = Arc::make_mut(&mut self.cloud);
        // An API that counts in seconds shows the moment once it is over.
        cloud.now = cloud.now.max(until.0 + 1_000_000);
        self.epoch += 1;
        self.remember();
    }

    fn look(
        &mut self,
        index: usize,
        glance: Glance,
        story: &Story,
        engine: &dyn Engine,
        witness: &mut dyn Witness,
        breaches: &mut Vec<Breach>,
    ) {
        let can = self.cloud.can;
        let epoch = self.epoch;
        let applier = &mut self.appliers[index];
        let ask = &story.wishes[applier.wish];
        let journal = engine.remember(&applier.journal);
        let new = || Process { memory: Memory::default(), recall: journal, phase: Phase::Ready, seen_off: None, clock: None, waits: None };
        let ended = matches!(&applier.process, Some(Process { phase: Phase::Ended(..), .. }));
        if ended || applier.process.is_none() {
            applier.process = Some(new());
        }
        let Some(process) = &mut applier.process else { return };
        let world = view::look(&self.cloud, self.before.as_deref(), glance, &mut process.seen_off);
        let facts = engine.facts(&mut process.memory, &process.recall, ask, &world);
        let plan = engine.plan(ask, &world, &facts, can);
        witness.planned(&plan);
        for objection in engine.audit(&plan, ask, &world, can) {
            breaches.push(breach("second opinion", format!("{}: {}", objection.step, objection.why)));
        }
        // The same look, had one list not come: another one each time.
        let list = LISTS[epoch as usize % LISTS.len()];
        let mut blinded = world.clone();
        view::blind(&mut blinded, list);
        let blind = engine.plan(ask, &blinded, &facts, can);
        if !blind.next.is_empty() {
            breaches.push(breach("unknown is not absent", format!("without the {list:?}: {}", keys(&blind.next))));
        }
        let refused = engine.refused_still(&mut process.memory, &plan);
        refused.iter().for_each(|it| witness.held(it));
        process.clock = None;
        process.waits = None;
        let seen = Seen { world: Arc::new(world), facts, epoch };
        process.phase = match (&plan.verdict, &process.phase) {
            _ if refused.is_some() => Phase::Ended(refused.map_or(Verdict::Done, Verdict::Held), epoch),
            (Verdict::Held(hold), _) => {
                witness.held(hold);
                // What an old list made of it passes with the next look.
                Phase::Ended(plan.verdict.clone(), if glance == Glance::Clear { epoch } else { u32::MAX })
            }
            (Verdict::Done, _) => {
                if process.memory.calls > 0 {
                    applier.journal.read(&Entry::end("Done"));
                }
                Phase::Ended(Verdict::Done, epoch)
            }
            (_, Phase::Looked(first)) => Phase::Armed(first.clone(), Some(seen)),
            _ if plan.next.is_empty() => {
                process.waits = Some(epoch);
                process.clock = plan.waits.iter().filter_map(|it| if let Awaited::Clock(at) = it.awaited { Some(at) } else { None }).min();
                Phase::Ready
            }
            _ if engine.is_to_be_confirmed(&plan) => Phase::Looked(seen),
            _ => Phase::Armed(seen, None),
        };
        if let Phase::Armed(..) = &process.phase {
            process.memory.began = true;
        }
        if let Phase::Ended(said, _) = &process.phase
            && glance == Glance::Clear
        {
            let said = said.clone();
            breaches.extend(settle::is_true(&said, self, index, story).err());
        }
    }

    fn act(&mut self, index: usize, mishap: Mishap, story: &Story, engine: &dyn Engine, steps: &[Planned], breaches: &mut Vec<Breach>) {
        let ask = &story.wishes[self.appliers[index].wish];
        if mishap != Mishap::None {
            self.faults -= if matches!(mishap, Mishap::LostUnlisted(_)) { 2 } else { 1 };
            self.scars |= if matches!(mishap, Mishap::Refused(_)) { scar::REFUSED } else { scar::CALL };
        }
        let Some(process) = &mut self.appliers[index].process else { return };
        let Phase::Armed(first, fresh) = &process.phase else { return };
        let seen = fresh.as_ref().unwrap_or(first);
        let (now, undisturbed) = (seen.world.now, first.epoch == self.epoch && seen.epoch == self.epoch);
        // No cloud lets a call hang on what a look showed: whoever destroys a copy between the two destroys it. So does who
        // destroys it between two looks, the second of which shows an old list.
        let robbed = self.robbed > first.epoch;
        process.phase = Phase::Ready;
        if steps.is_empty() {
            return;
        }
        if let Err(hold) = process.memory.count(steps) {
            process.phase = Phase::Ended(Verdict::Held(hold), self.epoch);
            return;
        }
        let intents: Vec<Opening> = steps.iter().map(|it| opening(it, ask)).collect();
        engine.intend(&mut process.recall, &intents, now);
        intents.iter().for_each(|it| self.appliers[index].journal.read(&Entry::intent(it, now)));
        if let Mishap::Killed(_) | Mishap::KilledOnTheWay(_) = mishap {
            self.appliers[index].process = None;
        }
        let detach_refused = seen_refused(&self.appliers[index]);
        self.remember();
        let epoch = self.epoch;
        let cloud = Arc::make_mut(&mut self.cloud);
        let made_before = cloud.made;
        let mut answers: Vec<Result<String, Problem>> = Vec::new();
        for (at, planned) in steps.iter().enumerate() {
            let at = at as u8;
            let order = Order::of(&planned.step);
            let lost_answer = || Problem::MaybeDone { answer: "the answer did not come".to_owned() };
            let (done, answer) = match mishap {
                Mishap::Killed(mask) => (mask & (1 << at) != 0, None),
                Mishap::KilledOnTheWay(step) | Mishap::Late(step) if step == at => {
                    let until = Stamp(cloud.now).plus_seconds(cloud.can.late_effect);
                    cloud.late.push(Late { order: order.clone(), until, by: index, epoch });
                    (false, Some(Err(lost_answer())))
                }
                Mishap::Lost(step, done) if step == at => (done, Some(Err(lost_answer()))),
                Mishap::LostUnlisted(step) if step == at => (true, Some(Err(lost_answer()))),
                Mishap::Refused(step) if step == at => (false, Some(Err(Problem::Refused { answer: "no".to_owned(), remedy: None }))),
                _ => (true, None),
            };
            if !done {
                answers.push(answer.unwrap_or_else(|| Err(lost_answer())));
                continue;
            }
            let deed = cloud.carry_out(&order);
            let unasked = deed.losses.iter().filter(|it| !robbed && !is_let_go(it, ask, cloud));
            breaches.extend(unasked.map(|it| lost(it, &planned.step.key())));
            if deed.of_restless && undisturbed {
                breaches.push(breach("order", format!("{} while somebody may be writing", planned.step.key())));
            }
            if deed.redone && undisturbed && !detach_refused && self.scars & !scar::EDITED == 0 {
                breaches.push(breach("resumption", format!("{}: there is a copy of these bytes", planned.step.key())));
            }
            answers.push(answer.unwrap_or(deed.answer));
        }
        if let Mishap::Unlisted | Mishap::LostUnlisted(_) = mishap {
            hide(cloud, made_before);
        }
        self.epoch += 1;
        let epoch = self.epoch;
        let applier = &mut self.appliers[index];
        let Some(process) = &mut applier.process else { return };
        let receipts: Vec<Closing> = steps.iter().zip(&answers).map(|(planned, answer)| engine.receipt(planned, answer)).collect();
        process.recall.settle(&receipts);
        receipts.iter().for_each(|it| applier.journal.read(&Entry::receipt(it)));
        for (planned, answer) in steps.iter().zip(&answers) {
            let lesson = engine.learn(&mut process.memory, planned, answer);
            let step = planned.line.to_string();
            let said = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let hold = match lesson {
                Lesson::TooOften => Hold::KeepsFailing { step, answer: said },
                Lesson::Scarce => Hold::OutOfStock { step, answer: said, instead: String::new() },
                _ => continue,
            };
            process.phase = Phase::Ended(Verdict::Held(hold), epoch);
        }
    }
}

fn seen_refused(applier: &Applier) -> bool {
    applier.process.as_ref().is_some_and(|it| it.memory.refused.iter().any(|key| key.starts_with("detach ")))
}

/// What was made since is not listed.
fn hide(cloud: &mut Cloud, made_before: u32) {
    let is_new = |id: &str| id.rsplit('-').next().and_then(|it| it.parse::<u32>().ok()).is_some_and(|it| it > made_before);
    cloud.servers.iter_mut().filter(|it| is_new(it.it.id.as_str())).for_each(|it| it.hidden = true);
    cloud.volumes.iter_mut().filter(|it| is_new(it.it.id.as_str())).for_each(|it| it.hidden = true);
    cloud.copies.iter_mut().filter(|it| is_new(it.it.id.as_str())).for_each(|it| it.hidden = true);
}

pub fn code(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Held(hold) => hold.code().to_owned(),
        other => format!("{other:?}"),
    }
}

pub fn keys(steps: &[Planned]) -> String {
    steps.iter().map(|it| it.step.key()).collect::<Vec<_>>().join(", ")
}

fn lost(loss: &Loss, by: &str) -> Breach {
    breach("safety", format!("{by} destroyed the last copy of the {} disk's bytes ({})", loss.role, loss.object))
}

/// Whether the owner said in words that these bytes may go.
fn is_let_go(loss: &Loss, ask: &Ask, cloud: &Cloud) -> bool {
    let spec = &ask.spec;
    if spec.protect {
        return false;
    }
    if ask.deletion.is_some_and(|it| !it.keep_snapshots) {
        return true;
    }
    match loss.role {
        Role::Data => spec.data_disk.as_ref().is_some_and(|it| it.delete),
        Role::Root => {
            let reuse = spec.root_disk_snapshot.enable && spec.on_stop(cloud.can) == OnStop::Reuse;
            spec.root_disk.disposable || (reuse && loss.older_left)
        }
    }
}
