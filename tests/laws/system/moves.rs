//! Everything that can happen next.

use super::{Mishap, Move, Phase, Process, Situation, Story};
use crate::{
    cloud::Pending,
    engine::Engine,
    view::{Glance, LISTS},
};
use cloudypad::model::{CopyStatus, Planned, Power, Root, Stamp};

impl Situation {
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
    pub(super) fn pass_to(&mut self, index: usize) {
        if index != self.turn {
            self.switches -= u8::from(self.switches > 0 && !self.rests(self.turn));
            self.turn = index;
        }
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
}
