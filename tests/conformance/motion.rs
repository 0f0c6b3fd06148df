//! Things on their way: whether an answer shows less than the recording had already seen, or more.

use crate::{
    cloud::Reply,
    compare::{Aspect, Difference},
    recording::Interaction,
    vendor::Vendor,
};
use serde_json::Value;

/// Is anything in this tree on its way?
pub fn is_moving(vendor: &dyn Vendor, tree: &Value) -> bool {
    match tree {
        Value::Object(map) => map.iter().any(|(key, value)| match value {
            Value::String(text) => (key == "state" || key == "status") && vendor.passing().contains(&text.as_str()),
            other => is_moving(vendor, other),
        }),
        Value::Array(items) => items.iter().any(|item| is_moving(vendor, item)),
        _ => false,
    }
}

/// Do two recorded answers show the same moment of an object?
pub fn is_same_moment(vendor: &dyn Vendor, one: &Value, other: &Value) -> bool {
    let references = |tree: &Value| tree["references"].as_array().map(|all| all.iter().map(|it| it["status"].clone()).collect::<Vec<_>>());
    vendor.stage(one) == vendor.stage(other) && references(one) == references(other)
}

/// Can the difference come from the moment alone?
fn is_of_moment(vendor: &dyn Vendor, difference: &Difference) -> bool {
    difference.pointer == "status" || difference.pointer.split('/').any(|part| vendor.changing().contains(&part))
}

/// Does the answer show an earlier moment than the recording, so that time should pass?
pub fn is_behind(vendor: &dyn Vendor, interaction: &Interaction, reply: &Reply, differences: &[Difference]) -> bool {
    let (Some(got), false) = (&reply.body, differences.is_empty()) else { return false };
    let recorded = interaction.answer.as_ref().unwrap_or(&Value::Null);
    if interaction.status < 300 && reply.status >= 400 && interaction.method != "GET" {
        // What the client waited for before this call need not be in the recording.
        return vendor.is_refused_for_now(reply.status, got);
    }
    // A change that is asked for twice is the same change; anything else must not be asked for again.
    if !["GET", "PATCH"].contains(&interaction.method.as_str()) || !differences.iter().any(|it| is_of_moment(vendor, it)) {
        return false;
    }
    // The same passing state: to wait would be to wait too long.
    let stage = vendor.stage(recorded);
    let same = stage.is_some() && stage == vendor.stage(got) && is_moving(vendor, recorded);
    let earlier = interaction.method == "GET" && vendor.is_earlier(got, recorded);
    (is_moving(vendor, got) && !same && !vendor.is_later(got, recorded)) || earlier
}

/// Is this difference there because time had to pass for something else, which this call does not wait for?
pub fn is_gone_by(vendor: &dyn Vendor, interaction: &Interaction, reply: &Reply, difference: &Difference) -> bool {
    let recorded = interaction.answer.as_ref().unwrap_or(&Value::Null);
    let moved_on = |got: &Value| vendor.stage(got) != vendor.stage(recorded) || !is_moving(vendor, got);
    let over = reply.status == 404 || reply.body.as_ref().is_some_and(moved_on);
    let of_moment = is_of_moment(vendor, difference) && difference.aspect != Aspect::Extra;
    interaction.method == "GET" && is_moving(vendor, recorded) && over && of_moment
}

/// Is this difference there because the recorded answer lagged: shows it what was before the change?
pub fn is_of_lag(vendor: &dyn Vendor, difference: &Difference) -> bool {
    is_of_moment(vendor, difference) && difference.pointer != "status"
}
