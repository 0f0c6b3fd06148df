//! What passes by itself at Linode.

use serde_json::Value;

/// States out of which things come by themselves.
pub const PASSING: &[&str] = &[
    "provisioning",
    "booting",
    "rebooting",
    "shutting_down",
    "deleting",
    "rebuilding",
    "cloning",
    "restoring",
    "resizing",
    "migrating",
    "busy",
    "not ready",
    "creating",
    "pending_upload",
    "pending",
    "replicating",
    "scheduled",
    "started",
];

/// Values that change while something is on its way.
pub const CHANGING: &[&str] = &[
    "status",
    "percent_complete",
    "time_remaining",
    "rate",
    "duration",
    "message",
    "results",
    "io_ready",
    "linode_id",
    "linode_label",
    "size",
    "total_size",
    "regions",
    "type",
    "specs",
    "image",
    "available",
    "last_successful",
    "finished",
];

/// States in the order in which things go through them.
const LADDERS: &[&[&str]] = &[
    &["provisioning", "booting", "running"],
    &["provisioning", "offline", "booting", "running"],
    &["rebuilding", "offline", "booting", "running"],
    &["shutting_down", "offline"],
    &["rebooting", "running"],
    &["not ready", "ready"],
    &["pending_upload", "creating", "available"],
    &["creating", "active"],
    &["resizing", "active"],
    &["scheduled", "started", "finished"],
    &["scheduled", "started", "failed"],
];

/// States that an order leads out of, and what it leads to; before the job begins the old one is still shown.
const ORDERED: &[&[&str]] = &[
    &["offline", "booting", "running"],
    &["running", "shutting_down", "offline"],
    &["running", "rebooting"],
    &["running", "rebuilding"],
    &["offline", "rebuilding"],
];

/// The states of the objects that an answer is about, and whether what is attached is ready for use.
pub fn stage(tree: &Value) -> Option<(String, String)> {
    let each = |item: &Value| Some((item["status"].as_str()?.to_owned(), item["io_ready"].to_string()));
    match tree["data"].as_array() {
        None => each(tree),
        Some(rows) => {
            let (states, ready): (Vec<String>, Vec<String>) = rows.iter().filter_map(each).unzip();
            Some((states.join(" "), ready.join(" ")))
        }
    }
}

/// Does this answer show an earlier moment: fewer rows, a bond that has not come about, or one that has not gone?
pub fn is_earlier(got: &Value, recorded: &Value) -> bool {
    let count = |tree: &Value| tree["data"].as_array().map(Vec::len);
    let bound = |tree: &Value| tree.get("linode_id").map(|id| !id.is_null());
    let ready = |tree: &Value| tree["io_ready"].as_bool();
    match (count(got), count(recorded)) {
        (Some(got), Some(recorded)) => got < recorded,
        _ if is_further(ORDERED, recorded, got) => true,
        _ => {
            let detaching = bound(recorded) == Some(false) && bound(got) == Some(true);
            detaching || (ready(got) == Some(false) && ready(recorded) == Some(true))
        }
    }
}

/// Does this answer show a later moment: states further up one of the ladders?
pub fn is_later(got: &Value, recorded: &Value) -> bool {
    is_further(LADDERS, got, recorded)
}

/// Is one further up than another on one of the ladders?
fn is_further(ladders: &[&[&str]], one: &Value, other: &Value) -> bool {
    let states = |tree: &Value| stage(tree).map(|(states, _)| states).unwrap_or_default();
    let (one, other) = (states(one), states(other));
    ladders.iter().any(|ladder| {
        let place = |state: &str| ladder.iter().position(|it| *it == state);
        place(&one).zip(place(&other)).is_some_and(|(one, other)| one > other)
    })
}

/// Does this refusal say: not now?
pub fn is_refused_for_now(status: u16, body: &Value) -> bool {
    let said = body["errors"][0]["reason"].as_str().unwrap_or_default().to_lowercase();
    let words = ["busy", "in progress", "not ready", "not yet", "must be active", "must be offline", "powered off", "unique", "creating"];
    status == 429 || (status == 400 && words.iter().any(|word| said.contains(word)))
}
