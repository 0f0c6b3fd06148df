//! A situation: the truth, one or two appliers with their journals, and how much more may go wrong. And every move that can
//! follow from it.

mod after;
mod moves;

pub use after::code;

use super::{
    canon::{self, Writer},
    cloud::{Cloud, Pending},
    view::{Glance, SeenOff},
};
use cloudypad::{
    model::{Ask, Facts, Hold, Plan, Stamp, Verdict, World},
    run::Memory,
    store::Recall,
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
    pub facts: Box<Facts>,
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
            let Memory { calls, began, tries, refused, made, refusals, applied, wrote, rested, anew, answers: _ } = &process.memory;
            to.hashed(&(*calls > 0, began, rested, anew));
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
        recall.played.iter().for_each(|it| to.text(it));
        // Of a server that is gone nothing is decided any more.
        let is_here = |id: &str| self.cloud.servers.iter().any(|it| it.it.id.as_str() == id);
        recall.ordered_off.iter().filter(|it| is_here(it)).for_each(|it| to.text(it));
        for started in [&recall.restarting, &recall.restarted] {
            to.flag(true);
            for (server, at) in started.iter().filter(|(it, _)| is_here(it)) {
                to.text(server);
                to.moment(*at);
            }
        }
        to.flag(recall.mounted);
    }

    fn is_recent(&self, stamp: Stamp, seconds: u64) -> bool {
        stamp.plus_seconds(seconds + 1).0 > self.cloud.now && seconds > 0
    }

    pub fn has_hidden(&self) -> bool {
        let cloud = &self.cloud;
        cloud.servers.iter().any(|it| it.hidden) || cloud.volumes.iter().any(|it| it.hidden) || cloud.copies.iter().any(|it| it.hidden)
    }
}
