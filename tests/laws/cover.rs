//! What a walk met, against everything there is: every kind of step, hold, wait, reason and note that the sources name.

use super::search::Covered;
use std::{collections::BTreeMap, fs, path::Path};

/// What no walk can meet, each with the proof that it cannot.
const UNMET: &[(&str, &str, &str)] = &[
    ("Hold", "Stuck", "a run's own clock decides it, and the model has none: tests/it/holds.rs"),
    ("Hold", "OutOfStock", "the hands say it, not the planner: tests/it/scaleway/errors.rs, tests/it/linode/limits.rs"),
    ("Hold", "KeepsFailing", "six refusals of one call in one run need more faults than a walk has: tests/it/holds.rs"),
];

/// The variants of an enum, as its source names them.
fn variants(file: &str, name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let head = format!("pub enum {name} {{\n");
    let body = text.split(&head).nth(1).and_then(|it| it.split("\n}").next()).unwrap_or_else(|| panic!("no enum {name} in {file}"));
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let named = lines.filter(|it| it.starts_with(|first: char| first.is_ascii_uppercase()));
    named.map(|it| it.chars().take_while(|it| it.is_alphanumeric()).collect()).collect()
}

/// Says what was met how often; what was not, and is not excused, comes back.
pub fn report(covered: &Covered) -> Vec<String> {
    let kinds: [(&str, &str, &BTreeMap<String, usize>); 5] = [
        ("step.rs", "Step", &covered.steps),
        ("hold.rs", "Hold", &covered.holds),
        ("step.rs", "Awaited", &covered.waits),
        ("outcome.rs", "Reason", &covered.reasons),
        ("outcome.rs", "Note", &covered.notes),
    ];
    let mut unmet = Vec::new();
    for (file, name, met) in kinds {
        let all = variants(file, name);
        let of_all = all.iter().filter(|it| met.contains_key(*it)).count();
        let times: Vec<String> = met.iter().map(|(what, times)| format!("{what} {times}")).collect();
        println!("{name}: {of_all} of {} met: {}", all.len(), times.join(", "));
        for missing in all.into_iter().filter(|it| !met.contains_key(it)) {
            match UNMET.iter().find(|(kind, what, _)| *kind == name && *what == missing) {
                Some((_, _, proof)) => println!("{name} {missing}: not met: {proof}"),
                None => unmet.push(format!("{name}::{missing}")),
            }
        }
        // An excuse that is no longer needed is none.
        for (kind, what, _) in UNMET.iter().filter(|(kind, what, _)| *kind == name && met.contains_key(*what)) {
            unmet.push(format!("{kind}::{what} is met, and listed as one that cannot be"));
        }
    }
    unmet
}
