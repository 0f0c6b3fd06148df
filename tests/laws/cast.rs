//! The stories: every wish under every policy, at every kind of cloud, and what may happen on the way.

use super::{
    cloud::Cloud,
    system::{Story, Weather},
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
    Story { name, wishes: asks, rival, start: Cloud::new(Box::leak(Box::new(can))), weather }
}

pub const CALM: Weather = Weather { faults: 0, calls: false, looks: false, edits: false, strangers: false, platform: false };
