//! What passes by itself at Scaleway.

use crate::{cloud::Reply, compare::Difference, recording::Interaction};
use serde_json::Value;

/// States out of which things come by themselves.
pub const PASSING: &[&str] = &[
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
pub const CHANGING: &[&str] = &[
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

/// The state of the one object that an answer is about, and while it starts how far it is.
pub fn stage(tree: &Value) -> Option<(String, String)> {
    let object = tree.as_object()?;
    let inner = if object.len() == 1 { object.values().next()? } else { tree };
    let state = inner["state"].as_str().or(inner["status"].as_str())?;
    // A node has been found, or not yet.
    let found = if state == "starting" && inner["state_detail"] != "allocating node" { "on a node" } else { "" };
    Some((state.to_owned(), found.to_owned()))
}

/// How far the bond between a volume and what uses it has come: from coming about (0) to gone (3).
pub fn bond(tree: &Value) -> Option<usize> {
    let stages = ["attaching", "attached", "detaching"];
    match tree["references"].as_array()?.first() {
        Some(reference) => stages.iter().position(|stage| reference["status"] == *stage),
        None => (tree["status"] == "available").then_some(stages.len()),
    }
}

/// Is it a matter of seconds while a server stops? Its dynamic address goes at some instant.
pub fn is_of_instant(interaction: &Interaction, reply: &Reply, difference: &Difference) -> bool {
    let stopping = |tree: &Option<Value>| tree.as_ref().is_some_and(|it| it["server"]["state"] == "stopping");
    stopping(&interaction.answer) && stopping(&reply.body) && difference.pointer.contains("/public_ip")
}
