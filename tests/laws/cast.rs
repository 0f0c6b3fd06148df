//! The stories: every wish under every policy, at every kind of cloud, and what may happen on the way.

use super::{
    cloud::Cloud,
    engine::Shipped,
    settle,
    system::{Situation, Story, Weather},
    words,
};
use cloudypad::model::{Ask, Capabilities};

/// The kinds of cloud, as specs call them.
pub const KINDS: [&str; 4] = ["scaleway", "linode", "local", "local like linode"];

fn ask(kind: &str, rest: &str) -> (Ask, Capabilities) {
    words::ask(&format!("{kind}; {rest}")).unwrap_or_else(|error| panic!("{kind}; {rest}: {error}"))
}

/// A story from nothing, whose owner writes these wishes.
pub fn story(kind: &str, wishes: &[&str], rival: Option<&str>, weather: Weather) -> Story {
    let (_, can) = ask(kind, wishes[0]);
    let name = format!("{kind}: {}{}", wishes.join(" / "), rival.map(|it| format!(" against {it}")).unwrap_or_default());
    let mut asks: Vec<Ask> = wishes.iter().map(|it| ask(kind, it).0).collect();
    let rival = rival.map(|it| {
        asks.push(ask(kind, it).0);
        asks.len() - 1
    });
    Story { name, wishes: asks, rival, start: Cloud::new(Box::leak(Box::new(can))), weather, odd: false }
}

pub const CALM: Weather = Weather { faults: 0, calls: false, looks: false, edits: false, strangers: false, platform: false, switches: 0 };

/// Where the cloud comes to rest under a wish, in fair weather, after it was `present` once.
pub fn rested(kind: &str, policy: &str, state: &str) -> Cloud {
    let mut cloud = None;
    for state in ["present", state] {
        let mut story = story(kind, &[&format!("{state}; {policy}")], None, CALM);
        story.start = cloud.unwrap_or(story.start);
        cloud = Some(settle::rest(&Situation::first(&story), &story, &Shipped));
    }
    cloud.unwrap_or_else(|| Cloud::new(Box::leak(Box::new(ask(kind, policy).1))))
}

/// What the owner decides of the disks, in words, and whether a kind of cloud knows of it.
struct Policy {
    words: &'static str,
    at: fn(&Capabilities) -> bool,
}

const POLICIES: [Policy; 7] = [
    Policy { words: "root snapshot; data 100 GB, snapshot", at: |it| it.data_snapshots },
    Policy { words: "root snapshot, onStop reuse; data 100 GB, snapshot", at: |it| it.data_snapshots },
    Policy { words: "root snapshot; data 100 GB", at: |_| true },
    Policy { words: "root snapshot, onStop refresh; data 100 GB", at: |it| !it.data_snapshots },
    Policy { words: "root disposable; data 100 GB", at: |_| true },
    Policy { words: "data 100 GB", at: |_| true },
    Policy { words: "root snapshot", at: |_| true },
];

/// From which wish to which.
const WAYS: [(&str, &str); 16] = [
    ("", "present"),
    ("present", "stopped"),
    ("stopped", "present"),
    ("present", "absent"),
    ("absent", "present"),
    ("stopped", "absent"),
    ("absent", "stopped"),
    ("present", "deleted"),
    ("absent", "deleted"),
    ("present", "deleted keeping snapshots"),
    ("present", "present; type other"),
    ("present", "present; root 40 GB"),
    ("present", "present; image other"),
    ("present", "present; idle 900 s"),
    ("present; idle 900 s", "present"),
    ("present; idle 900 s", "present; woken"),
];

/// A machine that does not stay on.
pub fn restless(weather: impl Fn(&Capabilities) -> Weather) -> Vec<Story> {
    let restless = |kind: &&'static str| {
        let policy = "present; root snapshot";
        let mut story = story(kind, &[policy], None, weather(&ask(kind, policy).1));
        story.name = format!("{kind}: present, and it does not stay on");
        story.start = rested(kind, "root snapshot", "present");
        story
    };
    KINDS.iter().map(restless).collect()
}

/// Every way under every policy at every kind of cloud.
pub fn ways(weather: impl Fn(&Capabilities) -> Weather) -> Vec<Story> {
    let mut stories = Vec::new();
    for kind in KINDS {
        for policy in &POLICIES {
            let (_, can) = ask(kind, policy.words);
            if !(policy.at)(&can) {
                continue;
            }
            for (from, to) in WAYS {
                let wish = |state: &str| format!("{state}; {}", policy.words);
                // The owner may change their mind on the way.
                let back = if from.is_empty() { "absent" } else { from };
                let mut story = story(kind, &[&wish(to), &wish(back)], None, weather(&can));
                story.name = format!("{kind}: {} → {to}; {}", if from.is_empty() { "nothing" } else { from }, policy.words);
                if !from.is_empty() {
                    story.start = rested(kind, policy.words, from);
                }
                stories.push(story);
            }
        }
    }
    stories
}

/// Pairs of wishes of two appliers, and where they find the cloud.
const RIVALS: [(&str, &str, &str); 12] = [
    ("", "present", "present"),
    ("present", "absent", "absent"),
    ("absent", "present", "present"),
    ("present", "stopped", "stopped"),
    ("present", "deleted", "deleted"),
    ("", "present", "absent"),
    ("present", "present", "absent"),
    ("absent", "present", "absent"),
    ("stopped", "present", "stopped"),
    ("present", "absent", "deleted"),
    ("absent", "present", "deleted"),
    ("present", "stopped", "present; type other"),
];

/// Two appliers at once, of equal wishes and of others.
pub fn rivals(weather: impl Fn(&Capabilities) -> Weather) -> Vec<Story> {
    let mut stories = Vec::new();
    for kind in KINDS {
        let snapshots = ask(kind, "present").1.data_snapshots;
        let policies = if snapshots {
            ["root snapshot; data 100 GB, snapshot", "root disposable"]
        } else {
            ["root snapshot; data 100 GB", "root disposable"]
        };
        for policy in policies {
            for (from, one, other) in RIVALS {
                let wish = |state: &str| format!("{state}; {policy}");
                let (_, can) = ask(kind, "present");
                let mut story = story(kind, &[&wish(one)], Some(&wish(other)), weather(&can));
                story.name = format!("{kind}: {} → {one} against {other}; {policy}", if from.is_empty() { "nothing" } else { from });
                if !from.is_empty() {
                    story.start = rested(kind, policy, from);
                }
                stories.push(story);
            }
        }
    }
    stories
}
