//! What follows from a move.

use super::{Applier, Breach, Mishap, Move, Next, Phase, Process, Seen, Situation, Story, Witness, breach, scar};
use crate::{
    cloud::{Cloud, Late, Loss},
    engine::Engine,
    order::Order,
    settle,
    view::{self, Glance, LISTS},
};
use cloudypad::{
    model::{Ask, Awaited, CopyStatus, Hold, OnStop, Planned, Power, Role, Stamp, Verdict},
    provider::Problem,
    run::{Lesson, Memory, opening},
    store::{Closing, Entry, Opening},
};
use std::sync::Arc;

impl Situation {
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
                let _ = cloud.send_off(index);
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
        let seen = Seen { world: Arc::new(world), facts: Box::new(facts), epoch };
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
