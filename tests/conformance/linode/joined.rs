//! One test may have been recorded in several files, one to the client: what one of them made, another one uses. Such files are
//! replayed as one, the user's calls just before what they use is deleted.

use crate::{
    names::ids,
    recording::{Interaction, Recording},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Recordings, with every one that uses what another one made put into that one.
pub fn joined(mut recordings: Vec<Recording>) -> Vec<Recording> {
    while let Some((user, maker, at)) = next(&recordings) {
        let guest = recordings.remove(user);
        let maker = if user < maker { maker - 1 } else { maker };
        let host = &mut recordings[maker];
        host.name = format!("{} and {}", host.name, guest.name);
        host.interactions.splice(at..at, guest.interactions);
    }
    recordings
}

/// A recording that uses what another one made, that one, and where in it its calls belong.
fn next(recordings: &[Recording]) -> Option<(usize, usize, usize)> {
    let made: Vec<BTreeSet<String>> = recordings.iter().map(made).collect();
    for (user, recording) in recordings.iter().enumerate() {
        let wanted = wanted(recording, &made[user]);
        let holds = |maker: &usize| *maker != user && made[*maker].intersection(&wanted).next().is_some();
        let Some(maker) = (0..recordings.len()).find(holds) else { continue };
        let ends = |it: &Interaction| it.method == "DELETE" && ids(&it.path).last().is_some_and(|id| wanted.contains(*id));
        let host = &recordings[maker].interactions;
        return Some((user, maker, host.iter().position(ends).unwrap_or(host.len())));
    }
    None
}

/// The ids of what the calls of a recording made.
fn made(recording: &Recording) -> BTreeSet<String> {
    let makes = recording.interactions.iter().filter(|it| it.method == "POST" && it.status < 300);
    makes.filter_map(|it| Some(ids(it.answer.as_ref()?["id"].as_str()?).last()?.to_string())).collect()
}

/// The ids in the calls of a recording that none of its own calls made. A firewall may be anybody's: all tests share some.
fn wanted(recording: &Recording, made: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for interaction in &recording.interactions {
        found.extend(ids(&interaction.path).into_iter().map(str::to_owned));
        interaction.request.iter().for_each(|request| named(request, &mut found));
    }
    found.difference(made).cloned().collect()
}

fn named(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => map.iter().filter(|(key, _)| !key.starts_with("firewall_id")).for_each(|(_, value)| named(value, found)),
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::String(text) => found.extend(ids(text).into_iter().map(str::to_owned)),
        _ => {}
    }
}
