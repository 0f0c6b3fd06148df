//! The house itself: floors, generated files, examples, and what may not be where.

use cloudypad::{
    model::{Ask, Capabilities, Facts, Verdict},
    plan::forecast,
    read,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::words;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Which rooms a room may use. Anything else is an upward edge.
const MAY_USE: &[(&str, &[&str])] = &[
    ("emulator", &[]),
    ("model", &[]),
    ("plan", &["model"]),
    ("read", &["model"]),
    ("machine", &["model"]),
    ("provider", &["model", "emulator"]),
    ("store", &["model"]),
    ("source", &["model", "store"]),
    ("herald", &["model"]),
    ("report", &["model", "plan"]),
    ("run", &["model", "plan", "machine", "provider", "store"]),
    ("watch", &["model", "plan", "report"]),
    ("cli", &["model", "plan", "read", "provider", "source", "store", "report", "run", "machine", "herald", "emulator", "watch"]),
];

#[test]
fn imports_go_downwards_only() {
    let mut wrong = Vec::new();
    for (room, allowed) in MAY_USE {
        for (path, text) in sources(&root().join("src").join(room)) {
            // `use crate::{a, b::{c}}` and `crate::a::b`, wherever they stand.
            let flat: String = text.lines().filter(|it| !it.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
            for (start, _) in flat.match_indices("crate::") {
                for used in rooms_after(&flat[start + "crate::".len()..]) {
                    let own = used == *room || used == "self";
                    if !own && !allowed.contains(&used.as_str()) {
                        wrong.push(format!("{}: {room} uses {used}", path.display()));
                    }
                    let gates = ["provider/local.rs", "cli/emulator.rs"];
                    let gate = gates.iter().any(|it| path.ends_with(it)) || path.starts_with(root().join("src/emulator"));
                    if used == "emulator" && !gate {
                        wrong.push(format!("{}: only {} may use the emulator", path.display(), gates.join(" and ")));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rooms: Vec<&str> = MAY_USE.iter().map(|it| it.0).collect();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.ends_with(".rs") || rooms.contains(&name.as_str()), "src/{name} has no floor");
    }
}

/// The rooms named right after `crate::`: one, or several in braces.
fn rooms_after(text: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(inside) = text.strip_prefix('{') else { return vec![word(text)] };
    let mut rooms = Vec::new();
    let (mut depth, mut part) = (1, String::new());
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => rooms.push(std::mem::take(&mut part)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if c != ',' || depth > 1 {
            part.push(c);
        }
    }
    rooms.push(part);
    rooms.iter().map(|it| word(it)).filter(|it| !it.is_empty()).collect()
}

#[test]
fn only_the_door_and_the_mirror_print() {
    for (path, text) in sources(&root().join("src")) {
        let room = path.strip_prefix(root().join("src")).unwrap().iter().next().unwrap().to_str().unwrap().to_owned();
        // Tests say what they skip.
        if ["cli", "report"].contains(&room.as_str()) || path.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let prints = ["println!", "eprintln!", "print!(", "dbg!", "stdout()", "stderr()"].iter().any(|it| line.contains(it));
            let comment = line.trim_start().starts_with("//");
            assert!(!prints || comment, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

/// Floors 0 and 1 are pure: no async, no clock, no file, no randomness.
#[test]
fn the_brain_runs_no_errands() {
    for room in ["model", "plan"] {
        for (path, text) in sources(&root().join("src").join(room)) {
            for word in [
                "async fn",
                "async move",
                ".await;",
                ".await?",
                "SystemTime",
                "Timestamp::now",
                "Zoned::now",
                "Instant",
                "std::fs",
                "std::env",
                "tokio",
                "rand",
                "std::io",
                "std::net",
            ] {
                let used = text.lines().any(|it| it.contains(word) && !it.trim_start().starts_with("//"));
                assert!(!used, "{} uses {word}", path.display());
            }
        }
    }
}

/// Reasons are for people: nothing outside the place that words them looks inside one.
#[test]
fn nothing_branches_on_a_reason() {
    for (path, text) in sources(&root().join("src")) {
        if path.ends_with("model/outcome.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let branches = line.contains("match reason") || line.contains(".reason {") || line.contains("if let Reason::");
            assert!(!branches, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

/// Each file says at its head what it is for, and holds one idea.
#[test]
fn every_file_begins_with_what_it_is_for() {
    for (path, text) in sources(&root().join("src")) {
        assert!(text.starts_with("//! "), "{} does not begin with //!", path.display());
        let lines = text.lines().count();
        assert!(lines <= 640 || path.ends_with("tests.rs"), "{} has {lines} lines: two ideas?", path.display());
    }
}

/// `specs/instance.schema.json` is what the code says; BLESS=1 writes it.
#[test]
fn the_schema_is_up_to_date() {
    let path = root().join("specs/instance.schema.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&read::schema()).unwrap());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), fresh, "BLESS=1 cargo test the_schema rewrites it");
}

/// Every example is validated and planned to its end.
#[test]
fn every_example_is_valid_and_plans_to_its_end() {
    let reading = read::read(&[root().join("examples")]);
    assert!(reading.problems.is_empty(), "{}", reading.problems[0]);
    assert!(reading.specs.len() >= 6);
    for spec in reading.specs {
        let cloud = match &spec.instance.spec.provider.local {
            Some(local) => Capabilities::local(local),
            None => Capabilities::scaleway(),
        };
        let ask = Ask::of(spec.instance);
        let told = forecast(&ask, &words::nothing(), &Facts::default(), &cloud);
        assert_eq!(told.end, Verdict::Done, "{}", spec.file.display());
    }
}

/// The top level is the house's, and nothing else.
#[test]
fn the_top_level_is_the_house() {
    let allowed = ["Cargo.toml", "Cargo.lock", "src", "specs", "examples", "tests", "benches", "README.md", "LICENSE", "target"];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "{name} at the top level");
    }
}
