//! Which spec was applied last: the owner's words as a digest, and the tag that carries it from one applier to the next.

use super::{Ask, Role, ServerState, Spec, Stamp, Tags, World, digest};
use serde_json::Value;
use std::{fmt, ops::Deref};

/// The word of the tag that says which spec was applied last, on the server, and on the firewall while there is no
/// server. Its value: what for, the spec's digest, and when, in seconds: `present-4bf92f3577b34da6-1747766192`.
pub const APPLIED: &str = "spec";

/// A spec as it is declared, with the digest that tells it from others. The two cannot disagree.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    spec: Spec,
    digest: u64,
}

impl Declared {
    /// The digest of what the spec says of the instance: how it is written counts for nothing, nor what it leaves to
    /// its default, so that a key that a later version brings changes no digest.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Changes the spec, and the digest with it.
    pub fn amend(&mut self, change: impl FnOnce(&mut Spec)) {
        change(&mut self.spec);
        self.digest = digest_of(&self.spec);
    }
}

impl From<Spec> for Declared {
    fn from(spec: Spec) -> Self {
        let digest = digest_of(&spec);
        Self { spec, digest }
    }
}

impl Deref for Declared {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        &self.spec
    }
}

fn digest_of(spec: &Spec) -> u64 {
    let mut spec = spec.clone();
    // Whether hands are kept off, and how this machine gets in, says nothing of what the instance should be.
    spec.suspend = super::spec::Suspend::default();
    spec.ssh.private_key_path = None;
    if let Some(it) = &mut spec.provider.scaleway {
        it.credentials = None;
    }
    if let Some(it) = &mut spec.provider.linode {
        it.credentials = None;
    }
    let default = Spec::undeclared(spec.server_state, spec.provider.clone());
    let [said, default] = [&spec, &default].map(|it| serde_json::to_value(it).unwrap_or_default());
    // The state and the provider are always said.
    let always = ["serverState", "provider"].map(|key| said[key].to_string()).join(" ");
    digest(&format!("{always} {}", beyond(said, &default)))
}

/// What a value says beyond its default; keys come in alphabetical order.
fn beyond(said: Value, default: &Value) -> Value {
    let Value::Object(said) = said else { return said };
    let differing = said.into_iter().filter(|(key, value)| default.get(key) != Some(value));
    Value::Object(differing.map(|(key, value)| (key.clone(), beyond(value, default.get(&key).unwrap_or(&Value::Null)))).collect())
}

/// What an instance is applied for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aim {
    /// To reach its `serverState`.
    Reach(ServerState),
    /// To be deleted.
    Delete {
        /// Snapshots and images stay.
        keep_snapshots: bool,
    },
}

impl Aim {
    const ALL: [Aim; 5] = [
        Aim::Reach(ServerState::Present),
        Aim::Reach(ServerState::Stopped),
        Aim::Reach(ServerState::Absent),
        Aim::Delete { keep_snapshots: false },
        Aim::Delete { keep_snapshots: true },
    ];

    fn word(self) -> &'static str {
        match self {
            Aim::Reach(ServerState::Present) => "present",
            Aim::Reach(ServerState::Stopped) => "stopped",
            Aim::Reach(ServerState::Absent) => "absent",
            Aim::Delete { keep_snapshots: false } => "deleted",
            Aim::Delete { keep_snapshots: true } => "deleted-keeping",
        }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aim::Reach(_) => write!(f, "another spec (serverState: {})", self.word()),
            Aim::Delete { .. } => write!(f, "cloudypad delete"),
        }
    }
}

/// That a spec was applied, as a tag says it. Of two, the greater one is the later: whoever overrides another writes a
/// later second than he found, so that no clock decides; within one second the digests do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Applied {
    /// When, in seconds of the vendor's clock.
    pub at: i64,
    /// Of which spec.
    pub digest: u64,
    /// What for.
    pub aim: Aim,
}

impl Applied {
    /// That `ask` is applied now, later than whatever was before.
    pub fn now(ask: &Ask, now: Stamp, before: Option<Applied>) -> Self {
        let seconds = now.0.div_euclid(1_000_000);
        let at = before.map_or(seconds, |it| seconds.max(it.at.saturating_add(1)));
        Self { at, digest: ask.spec.digest(), aim: ask.aim() }
    }

    /// Whether it was this wish that was applied.
    pub fn is_of(&self, ask: &Ask) -> bool {
        self.digest == ask.spec.digest() && self.aim == ask.aim()
    }

    /// Whether what was applied is no other word than this wish: the same spec, although the clock may make something else
    /// of it by now.
    pub fn agrees_with(&self, ask: &Ask) -> bool {
        let both_reach = matches!((self.aim, ask.aim()), (Aim::Reach(_), Aim::Reach(_)));
        self.digest == ask.spec.digest() && (both_reach || self.aim == ask.aim())
    }

    /// Whether the same was applied, at whatever time.
    pub fn is_like(&self, other: &Applied) -> bool {
        self.digest == other.digest && self.aim == other.aim
    }

    /// What an object's tags say, where they do.
    pub fn said_by(tags: &Tags) -> Option<Self> {
        Self::read(tags.get(APPLIED)?)
    }

    /// From a tag's value.
    pub fn read(value: &str) -> Option<Self> {
        let (rest, at) = value.rsplit_once('-')?;
        let (word, digest) = rest.rsplit_once('-')?;
        let aim = Aim::ALL.into_iter().find(|it| it.word() == word)?;
        Some(Self { at: at.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()?, aim })
    }

    /// The tag's value.
    pub fn value(&self) -> String {
        format!("{}-{:016x}-{}", self.aim.word(), self.digest, self.at)
    }

    /// How many seconds ago.
    pub fn ago(&self, now: Stamp) -> u64 {
        now.0.div_euclid(1_000_000).saturating_sub(self.at).try_into().unwrap_or(0)
    }

    /// The one in force: the latest that the instance's servers, firewalls and copies know of.
    pub fn latest(world: &World) -> Option<Self> {
        let servers = world.servers.items().iter().map(|it| &it.tags);
        let firewalls = world.firewalls.items().iter().map(|it| &it.tags);
        let copies = [Role::Root, Role::Data].into_iter().flat_map(|role| world.copies(role));
        let said = servers.chain(firewalls).filter_map(Applied::said_by);
        said.chain(copies.filter_map(|it| Applied::said_by(it.tags()))).max()
    }
}

/// A span of the vendor's clock, for people.
pub(crate) fn ago(seconds: u64) -> String {
    match seconds {
        0 => "just now".to_owned(),
        1..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn declared(spec: &Value) -> Declared {
        serde_json::from_value::<Spec>(spec.clone()).unwrap().into()
    }

    /// A document that says its defaults, and one that leaves them out, are one wish; every other word is another.
    #[test]
    fn a_digest_knows_wishes_and_not_how_they_are_written() {
        let plain = declared(&json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}}));
        let same = [
            json!({"provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "serverState": "present", "rootDisk": {"sizeGb": 30}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "suspend": true}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "ssh": {"privateKeyPath": "key"}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G", "credentials": {"env": "KEY"}}}}),
        ];
        for spec in &same {
            assert_eq!(declared(spec).digest(), plain.digest(), "{spec}");
        }
        let other = [
            json!({"serverState": "stopped", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L40S-1-48G"}}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "rootDisk": {"sizeGb": 31}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "dataDisk": {"sizeGb": 1}}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "protect": true}),
            json!({"serverState": "present", "provider": {"scaleway": {"instanceType": "L4-1-24G"}}, "wake": "1"}),
        ];
        let mut digests: Vec<u64> = other.iter().map(|spec| declared(spec).digest()).chain([plain.digest()]).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), other.len() + 1);
        let mut amended = plain.clone();
        amended.amend(|spec| spec.protect = true);
        assert_eq!(amended.digest(), declared(&other[4]).digest());
    }

    /// What is written can be read, fits every cloud's tags, and nothing else is taken for it.
    #[test]
    fn a_tag_says_what_was_applied() {
        for aim in Aim::ALL {
            let applied = Applied { at: 99_999_999_999, digest: u64::MAX, aim };
            assert_eq!(Applied::read(&applied.value()), Some(applied));
            let tags = Tags::default().with_value(APPLIED, &applied.value());
            assert_eq!(Applied::said_by(&tags), Some(applied), "not shortened: {tags:?}");
        }
        for odd in ["", "present", "present-1", "gone-4bf92f3577b34da6-17", "present-x-17", "present-4bf92f3577b34da6-", "--", "é-1-1"] {
            assert_eq!(Applied::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_span_is_told_in_the_unit_that_people_use() {
        let told = [0, 1, 119, 120, 7_199, 7_200, 172_799, 172_800].map(ago);
        assert_eq!(told, ["just now", "1 s ago", "119 s ago", "2 min ago", "119 min ago", "2 h ago", "47 h ago", "2 days ago"]);
    }
}
