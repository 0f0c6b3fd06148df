//! Things on their way: whether an answer shows less than the recording had already seen, or more.

use crate::{
    cloud::Reply,
    compare::{Aspect, Difference},
    recording::Interaction,
};
use serde_json::Value;

/// States out of which things come by themselves.
const PASSING: &[&str] = &[
    "starting",
    "stopping",
    "creating",
    "updating",
    "resizing",
    "deleting",
    "attaching",
    "detaching",
    "snapshotting",
    "exporting",
    "importing",
    "pending",
    "syncing",
];

/// Values that change while something is on its way.
const CHANGING: &[&str] = &[
    "state",
    "status",
    "state_detail",
    "location",
    "public_ip",
    "public_ips",
    "references",
    "last_detached_at",
    "allowed_actions",
    "size",
    "type",
    "specs",
    "server",
    "error_details",
    "parent_volume",
];

/// Is anything in this tree on its way?
pub fn is_moving(tree: &Value) -> bool {
    match tree {
        Value::Object(map) => map.iter().any(|(key, value)| match value {
            Value::String(text) => (key == "state" || key == "status") && PASSING.contains(&text.as_str()),
            other => is_moving(other),
        }),
        Value::Array(items) => items.iter().any(is_moving),
        _ => false,
    }
}

/// The state of the one object that an answer is about, and while it starts how far it is.
fn state(tree: &Value) -> Option<(&str, &str)> {
    let object = tree.as_object()?;
    let inner = if object.len() == 1 { object.values().next()? } else { tree };
    let state = inner["state"].as_str().or(inner["status"].as_str())?;
    // A node has been found, or not yet.
    let found = if state == "starting" && inner["state_detail"] != "allocating node" { "on a node" } else { "" };
    Some((state, found))
}

/// How far the bond between a volume and what uses it has come: from coming about (0) to gone (3).
fn bond(tree: &Value) -> Option<usize> {
    let stages = ["attaching", "attached", "detaching"];
    match tree["references"].as_array()?.first() {
        Some(reference) => stages.iter().position(|stage| reference["status"] == *stage),
        None => (tree["status"] == "available").then_some(stages.len()),
    }
}

/// Do two recorded answers show the same moment of an object?
pub fn is_same_moment(one: &Value, other: &Value) -> bool {
    let references = |tree: &Value| tree["references"].as_array().map(|all| all.iter().map(|it| it["status"].clone()).collect::<Vec<_>>());
    state(one) == state(other) && references(one) == references(other)
}

/// Can the difference come from the moment alone?
fn is_of_moment(difference: &Difference) -> bool {
    difference.pointer == "status" || difference.pointer.split('/').any(|part| CHANGING.contains(&part))
}

/// Does the answer show an earlier moment than the recording, so that time should pass?
pub fn is_behind(interaction: &Interaction, reply: &Reply, differences: &[Difference]) -> bool {
    let (Some(got), false) = (&reply.body, differences.is_empty()) else { return false };
    let recorded = interaction.answer.as_ref().unwrap_or(&Value::Null);
    if interaction.status < 300 && reply.status >= 400 && interaction.method != "GET" {
        // What the client waited for before this call need not be in the recording.
        return ["precondition_failed", "transient_state"].map(Value::from).contains(&got["type"]);
    }
    // A change that is asked for twice is the same change; anything else must not be asked for again.
    if !["GET", "PATCH"].contains(&interaction.method.as_str()) || !differences.iter().any(is_of_moment) {
        return false;
    }
    // The same passing state: to wait would be to wait too long.
    let same = state(recorded).is_some() && state(recorded) == state(got) && is_moving(recorded);
    let earlier = interaction.method == "GET" && bond(got).zip(bond(recorded)).is_some_and(|(got, recorded)| got < recorded);
    (is_moving(got) && !same) || earlier
}

/// Is this difference there because time had to pass for something else, which this call does not wait for?
pub fn is_gone_by(interaction: &Interaction, reply: &Reply, difference: &Difference) -> bool {
    let recorded = interaction.answer.as_ref().unwrap_or(&Value::Null);
    let over = reply.status == 404 || reply.body.as_ref().is_some_and(|got| state(got) != state(recorded) || !is_moving(got));
    interaction.method == "GET" && is_moving(recorded) && over && is_of_moment(difference) && difference.aspect != Aspect::Extra
}

/// Is this difference there because the recorded answer lagged: shows it what was before the change?
pub fn is_of_lag(difference: &Difference) -> bool {
    is_of_moment(difference) && difference.pointer != "status"
}

/// Is it a matter of seconds while a server stops? Its dynamic address goes at some instant.
pub fn is_of_instant(interaction: &Interaction, reply: &Reply, difference: &Difference) -> bool {
    let stopping = |tree: &Option<Value>| tree.as_ref().is_some_and(|it| it["server"]["state"] == "stopping");
    stopping(&interaction.answer) && stopping(&reply.body) && difference.pointer.contains("/public_ip")
}
