//! Which element of one list stands where which of another one does.

use crate::{
    names::{Names, ids, is_id},
    vendor::Vendor,
};
use serde_json::Value;

/// What an element is called, if it has a name of its own: its id, or its address.
pub fn name_of(item: &Value) -> Option<&str> {
    item["id"].as_str().or_else(|| item["address"].as_str())
}

/// For every recorded element the index of the one that it is in the answer: by id where the id is known, else
/// the free one that shares what tells things apart and most of the rest.
pub fn align(vendor: &dyn Vendor, recorded: &[&Value], got: &[Value], names: &Names) -> Vec<Option<usize>> {
    let mut used = vec![false; got.len()];
    let mut partners = vec![None; recorded.len()];
    for (index, item) in recorded.iter().enumerate() {
        if let Some(known) = name_of(item).and_then(|id| names.known(id)) {
            partners[index] = got.iter().position(|other| name_of(other) == Some(&known));
            partners[index].into_iter().for_each(|at| used[at] = true);
        }
    }
    for (index, item) in recorded.iter().enumerate() {
        if name_of(item).is_some_and(|id| names.known(id).is_some()) {
            continue;
        }
        let free = |at: &usize| !used[*at] && !name_of(&got[*at]).is_some_and(|id| names.is_known_as(id));
        let shares = |at: &usize, key: &str| item[key].as_str().is_none_or(|it| !ids(it).is_empty()) || item[key] == got[*at][key];
        let fits = |at: &usize| match item["id"].as_str().filter(|id| ids(id).is_empty()) {
            // A name that everybody knows it by.
            Some(id) => got[*at]["id"] == *id,
            None => vendor.telling().iter().all(|key| shares(at, key)),
        };
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
