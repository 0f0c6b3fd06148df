//! The reference lifecycle, as its owner sees it: `tests/transcripts/lifecycle.txt`.
//!
//! `BLESS=1` rewrites the transcript; read the difference before you commit it.

use crate::support::shop::{Shop, pad};
use std::{fmt::Write, fs, path::Path};

/// Create (captured at the end of the first deploy), stop, start, archive, revive, delete; each wish
/// twice, and the second time nothing is to do and nothing is called.
#[test]
fn the_reference_lifecycle_is_its_transcript() {
    let shop = Shop::new();
    let mut transcript = String::new();
    let mut say = |command: &[&str]| {
        let ran = shop.run(command);
        // What is awaited depends on how fast this machine is, so a transcript leaves it out.
        // So does the order in which a deletion's independent steps come about: there they are sorted.
        let out: String = ran.out.lines().filter(|it| !it.starts_with("wait ")).map(|it| format!("{it}\n")).collect();
        let out = match out.split_once("Plan: ") {
            Some((plan, run)) if command[0] == "delete" => {
                let (summary, steps) = run.split_once('\n').unwrap_or((run, ""));
                let mut steps: Vec<&str> = steps.lines().collect();
                steps.sort_unstable_by_key(|it| (it.starts_with("done"), *it));
                let steps: String = steps.iter().map(|it| format!("{it}\n")).collect();
                format!("{plan}Plan: {summary}\n{steps}")
            }
            _ => out,
        };
        let _ = write!(transcript, "$ cloudypad {}\n{out}{}", command.join(" "), ran.err);
        if ran.code != 0 {
            let _ = writeln!(transcript, "[exit {}]", ran.code);
        }
        transcript.push('\n');
        ran
    };
    // Slow enough for the plan to show how long things take.
    let slow = |state: &str| pad(state, "").replace("speed: 5000", "speed: 600");
    shop.write("pad.yaml", &slow("present"));
    say(&["validate", "pad.yaml"]);
    say(&["plan", "pad.yaml", "--detailed-exitcode"]);
    let mut calls = Vec::new();
    for state in ["present", "stopped", "present", "absent", "present"] {
        shop.write("pad.yaml", &slow(state));
        let before = mutating_calls(&shop);
        assert_eq!(say(&["apply", "pad.yaml", "--yes"]).code, 0, "{state}");
        let after = mutating_calls(&shop);
        let again = say(&["apply", "pad.yaml", "--yes"]);
        assert!(again.out.contains("Nothing to do"), "{}", again.out);
        assert_eq!(mutating_calls(&shop), after, "the second apply of {state} called the cloud");
        calls.push(after - before);
        say(&["get", "pad.yaml"]);
    }
    say(&["delete", "pad.yaml", "--yes"]);
    say(&["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    say(&["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);

    // create: address, firewall, its rules, data disk, server, claim, start, mark; capture: stop, snapshot,
    // start, mark. archive: stop, detach, 2 snapshots, server, 2 volumes, 1 old snapshot. return: 2 volumes,
    // server, start.
    // Whatever changes the wish says so with one tag more.
    assert_eq!(calls, [12, 2, 2, 9, 5]);
    let truth = shop.cloud_at(600.0).truth().unwrap();
    assert_eq!(shop.cloud_at(600.0).inventory().unwrap(), Vec::<String>::new(), "nothing is left after delete");
    assert!(truth.ledger.bill.iter().all(|it| it.to.is_some()), "nothing is billed after delete");

    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/lifecycle.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &transcript).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    let difference = similar::TextDiff::from_lines(&expected, &transcript).unified_diff().to_string();
    assert!(expected == transcript, "{difference}");
}

fn mutating_calls(shop: &Shop) -> u64 {
    if !shop.path("home/local/scaleway/cloud.json").exists() {
        return 0;
    }
    shop.cloud_at(600.0).ledger().unwrap().calls.values().sum()
}

/// At most two durable writes a step (the intent and its receipt), none where nothing is to do.
#[test]
fn a_step_is_an_intent_and_a_receipt_in_the_journal() {
    let shop = Shop::new();
    shop.apply("present");
    let journal = shop.path("home/journal/default.mypad.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let count = |word: &str| text.lines().filter(|it| it.contains(&format!("\"{word}\":"))).count() as u64;
    assert_eq!(count("intent"), shop.calls());
    assert_eq!(count("receipt"), shop.calls());
    assert_eq!(count("ended"), 1);
    shop.apply("present");
    assert_eq!(fs::read_to_string(&journal).unwrap(), text, "nothing to do, nothing written");
}
