//! Which element of one list stands where which of another one does.

use crate::names::{Names, is_id};
use serde_json::Value;

/// Keys that two elements must share to be the same thing.
const TELLING: &[&str] = &["label", "type", "arch", "name", "zone", "domain", "subdomain", "volume_type"];

/// Is it an object that every project has without having made it?
pub fn is_everybodys(item: &Value) -> bool {
    item["project_default"] == Value::Bool(true)
}

/// For every recorded element the index of the one that it is in the answer: by id where the id is known, else
/// the free one that shares what tells things apart and most of the rest.
pub fn align(recorded: &[&Value], got: &[Value], names: &Names) -> Vec<Option<usize>> {
    let mut used = vec![false; got.len()];
    let mut partners = vec![None; recorded.len()];
    for (index, item) in recorded.iter().enumerate() {
        if let Some(known) = item["id"].as_str().and_then(|id| names.of(id)) {
            partners[index] = got.iter().position(|other| other["id"] == *known);
            partners[index].into_iter().for_each(|at| used[at] = true);
        }
    }
    for (index, item) in recorded.iter().enumerate() {
        let known = item["id"].as_str().is_some_and(|id| names.of(id).is_some());
        if known {
            continue;
        }
        let free = |at: &usize| !used[*at] && !got[*at]["id"].as_str().is_some_and(|id| names.is_taken(id));
        let fits = |at: &usize| TELLING.iter().all(|key| item[*key].as_str().is_none() || item[*key] == got[*at][*key]);
        // The first of the best.
        let best = (0..got.len()).filter(free).filter(fits).rev().max_by_key(|at| likeness(item, &got[*at], names));
        partners[index] = best;
        best.into_iter().for_each(|at| used[at] = true);
    }
    partners
}

/// How many values two elements share, ids aside.
fn likeness(recorded: &Value, got: &Value, names: &Names) -> usize {
    let same = |(key, value): (&String, &Value)| !value.as_str().is_some_and(is_id) && names.translate_tree(value) == got[key];
    recorded.as_object().into_iter().flatten().filter(|pair| same(*pair)).count()
}
