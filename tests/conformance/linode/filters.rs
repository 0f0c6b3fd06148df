//! Lists are narrowed by a header, which the recorder lost. What it must have said is told by what came.

use crate::recording::Recording;
use serde_json::{Map, Value, json};

/// A recording with the filters of its lists.
pub fn filtered(mut recording: Recording) -> Recording {
    for index in 0..recording.interactions.len() {
        let interaction = &recording.interactions[index];
        if interaction.method == "GET" && interaction.filter.is_none() {
            recording.interactions[index].filter = filter(&recording, index);
        }
    }
    recording
}

fn filter(recording: &Recording, index: usize) -> Option<Value> {
    let interaction = &recording.interactions[index];
    let answer = interaction.answer.as_ref()?;
    if let Some(refused) = answer["errors"][0]["reason"].as_str().and_then(|it| it.strip_prefix("Cannot filter on ")) {
        return Some(json!({refused: "anything"}));
    }
    let rows = answer["data"].as_array()?;
    let (_, kind) = interaction.path.split_once("/v4")?;
    let kind = kind.trim_start_matches("beta");
    let whole = answer["pages"].as_u64().is_none_or(|pages| pages <= 1);
    match (kind, rows.as_slice()) {
        ("/account/events", []) => {
            // One that was waited for: the next list, or the one before, shows it.
            let same = |it: &&crate::recording::Interaction| it.path == interaction.path;
            let later = recording.interactions[index + 1..].iter().find(same);
            let other = later.or_else(|| recording.interactions[..index].iter().rev().find(same));
            other.and_then(|it| events(it.answer.as_ref()?["data"].as_array()?)).or_else(|| Some(json!({"id": {"+lt": 1}})))
        }
        ("/account/events", rows) => events(rows),
        // All accounts see what is for sale.
        ("/images" | "/linode/kernels" | "/linode/types", []) => Some(json!({"label": "not-found"})),
        ("/images" | "/linode/kernels" | "/linode/types", [row]) if whole => Some(json!({"label": row["label"]})),
        ("/networking/ips", [first, rest @ ..]) => {
            let all_reserved = first["reserved"] == true && rest.iter().all(|it| it["reserved"] == true);
            all_reserved.then(|| json!({"reserved": true, "region": first["region"]}))
        }
        _ => None,
    }
}

/// As all clients ask for the events of one thing: what they share, newest first.
fn events(rows: &[Value]) -> Option<Value> {
    let first = rows.first()?;
    let shared = |of: fn(&Value) -> Value| rows.iter().all(|row| of(row) == of(first)).then(|| of(first)).filter(|it| !it.is_null());
    let mut filter = Map::from_iter([("+order".to_owned(), json!("desc")), ("+order_by".to_owned(), json!("created"))]);
    filter.extend(shared(|it| it["action"].clone()).map(|it| ("action".to_owned(), it)));
    filter.extend(shared(|it| it["entity"]["id"].clone()).map(|it| ("entity.id".to_owned(), it)));
    filter.extend(shared(|it| it["entity"]["type"].clone()).map(|it| ("entity.type".to_owned(), it)));
    Some(Value::Object(filter))
}
