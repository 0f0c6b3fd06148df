//! Where a mutant is watched: the smallest story that shows what it does.

use crate::{
    cast,
    cloud::Cloud,
    engine::Shipped,
    settle,
    system::{Situation, Story, Weather},
};
use cloudypad::model::{LastHeld, NewVolume, Origin, Role, Stamp, Tags};

/// What may go wrong.
#[derive(Clone, Copy)]
pub enum Sky {
    /// Nothing.
    Clear,
    /// Kills, lost answers, late effects.
    Calls(u8),
    /// Lists that lag or are old.
    Looks(u8),
    /// Both.
    CallsAndLooks(u8),
    /// Somebody in the console.
    Strangers(u8),
    /// Somebody in the console, and lists that are old.
    StrangersAndLooks(u8),
    /// Refusals, copies that fail.
    Platform(u8),
}

impl Sky {
    fn weather(self) -> Weather {
        let (faults, calls, looks, strangers, platform) = match self {
            Sky::Clear => (0, false, false, false, false),
            Sky::Calls(faults) => (faults, true, false, false, false),
            Sky::Looks(faults) => (faults, false, true, false, false),
            Sky::CallsAndLooks(faults) => (faults, true, true, false, false),
            Sky::Strangers(faults) => (faults, false, false, true, false),
            Sky::StrangersAndLooks(faults) => (faults, false, true, true, false),
            Sky::Platform(faults) => (faults, false, false, false, true),
        };
        Weather { faults, calls, looks, strangers, platform, edits: false, switches: 0 }
    }
}

/// A story: what was applied before it begins, until nothing was left to do; what is applied now; and what may go wrong.
#[derive(Clone, Copy)]
pub struct Stage {
    pub kind: &'static str,
    /// What the owner wishes of the disks, always.
    pub policy: &'static str,
    /// What they wished of them before, where that was something else.
    pub prior: Option<&'static str>,
    pub before: &'static [&'static str],
    pub wish: &'static str,
    pub sky: Sky,
    /// What is odd about the cloud at the beginning.
    pub odd: Option<fn(&mut Cloud)>,
}

impl Stage {
    pub const fn new(kind: &'static str, policy: &'static str, before: &'static [&'static str], wish: &'static str, sky: Sky) -> Self {
        Stage { kind, policy, prior: None, before, wish, sky, odd: None }
    }

    pub const fn after(self, prior: &'static str) -> Self {
        Stage { prior: Some(prior), ..self }
    }

    pub const fn odd(self, odd: fn(&mut Cloud)) -> Self {
        Stage { odd: Some(odd), ..self }
    }

    /// In words.
    pub fn told(&self) -> String {
        let before = if self.before.is_empty() { "nothing".to_owned() } else { self.before.join(", ") };
        let odd = if self.odd.is_some() { ", a data disk twice" } else { "" };
        let prior = self.prior.map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}; {}: {before}{prior}{odd} → {}", self.kind, self.policy, self.wish)
    }

    /// As the walk takes it, with at most so many faults.
    pub fn story(&self, faults: u8) -> Story {
        let wish = |state: &str| format!("{state}; {}", self.policy);
        let mut weather = self.sky.weather();
        weather.faults = weather.faults.min(faults);
        let mut story = cast::story(self.kind, &[&wish(self.wish)], None, weather);
        for state in self.before {
            let earlier = format!("{state}; {}", self.prior.unwrap_or(self.policy));
            let mut earlier = cast::story(self.kind, &[&earlier], None, cast::CALM);
            earlier.start = story.start;
            story.start = settle::rest(&Situation::first(&earlier), &earlier, &Shipped);
        }
        if let Some(odd) = self.odd {
            odd(&mut story.start);
        }
        story
    }
}

/// The data disk is there a second time: a younger one that nobody used.
pub fn a_younger_unused_disk(cloud: &mut Cloud) {
    unused_disk(cloud);
}

/// The data disk is there a second time: an older one that nobody used.
pub fn an_older_unused_disk(cloud: &mut Cloud) {
    unused_disk(cloud);
    if let Some(disk) = cloud.volumes.last_mut() {
        disk.it.created = Stamp(1);
    }
}

fn unused_disk(cloud: &mut Cloud) {
    let Some(used) = cloud.volumes.iter().find(|it| it.it.tags.role() == Some(Role::Data)).cloned() else { return };
    let tags: Tags = used.it.tags.clone();
    let new = NewVolume { name: used.it.name.clone(), role: Role::Data, size_gb: used.it.size_gb, from: None, iops: None, tags };
    let _ = cloud.carry_out(&crate::order::Order::CreateVolume(new));
    while let Some(pending) = cloud.pending().first() {
        cloud.settle(*pending);
    }
    // Long ago.
    cloud.now += 600_000_000;
    if let Some(disk) = cloud.volumes.last_mut() {
        (disk.it.last_held, disk.it.origin) = (LastHeld::Never, Origin::Empty);
    }
}
