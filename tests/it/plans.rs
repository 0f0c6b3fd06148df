//! Golden plans: a spec and a world in words, and the plan the real planner makes of them.
//!
//! Each file in `tests/plans/` is one story. `BLESS=1 cargo test plans` writes what the planner says;
//! read the difference before you commit it.

use crate::support::words;
use cloudypad::{model::Facts, report::story};
use std::{fs, path::Path};

#[test]
fn golden_plans_are_what_the_planner_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 30, "only {} golden plans in {}", files.len(), folder.display());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (given, expected) = text.split_once("---\n").unwrap_or_else(|| panic!("{}: no --- line", file.display()));
        let (ask, world, cloud) = words::parse(given).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let told = story(&ask, &world, &Facts::default(), &cloud);
        assert!(text.lines().count() < 40 || bless, "{}: a golden plan fits one screen", file.display());
        if bless {
            fs::write(&file, format!("{given}---\n{told}")).unwrap();
        } else if told != expected {
            let difference = similar::TextDiff::from_lines(expected, &told).unified_diff().to_string();
            wrong.push(format!("{}\n{difference}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} golden plans differ; BLESS=1 rewrites them", wrong.join("\n"), wrong.len());
}
