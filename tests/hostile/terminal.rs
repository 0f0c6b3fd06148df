//! Names, tags, states and messages from a cloud are data: nothing of them reaches a terminal raw.

use crate::{
    between::{Answered, Between},
    stage::{Kind, Stage},
    support::shop::Ran,
};
use cloudypad::model::is_unseen;
use serde_json::{Value, json};
use std::process::Command;

/// What clears a screen, sets a title, starts a colour in one byte, forges lines, turns a text around and hides in it.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\nFORGED: done: 1 change\nFORGED\u{202e}live\u{200b}\u{feff}\u{7f}\u{e0041}\t";

/// Everything in an answer that people may come to read, with more behind it: names, tags, words for states.
fn foul(value: &mut Value, keys: &[&str], more: &str) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => text.push_str(more),
                    Value::Array(tags) if key == "tags" && keys.contains(&"tags") => tags.push(json!(more)),
                    value => foul(value, keys, more),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| foul(it, keys, more)),
        _ => {}
    }
}

/// What was said holds nothing that a terminal obeys, no line that a cloud wrote, and no flood.
fn assert_clean(ran: &Ran, what: &str) {
    for (place, text) in [("output", &ran.out), ("errors", &ran.err)] {
        let odd: Vec<_> = text.lines().filter(|it| it.contains(is_unseen)).take(3).collect();
        assert!(odd.is_empty(), "{what}: raw in {place}: {odd:?}");
        let forged: Vec<_> = text.lines().filter(|it| it.trim_start().starts_with("FORGED")).collect();
        assert!(forged.is_empty(), "{what}: forged in {place}: {text}");
        assert!(text.len() < 300_000, "{what}: {} bytes of {place}", text.len());
    }
}

const READERS: &[&[&str]] = &[
    &["plan", "pad.yaml"],
    &["plan", "pad.yaml", "-o", "json"],
    &["-vv", "plan", "pad.yaml"],
    &["get", "pad.yaml"],
    &["get", "pad.yaml", "-o", "json"],
    &["get", "pad.yaml", "-o", "yaml"],
    &["describe", "pad.yaml"],
    &["describe", "pad.yaml", "-o", "json"],
    &["describe", "pad.yaml", "-o", "yaml"],
    &["-vv", "apply", "pad.yaml", "--yes"],
];

const NAMES: &[&str] = &["name", "label", "description", "comment", "tags", "organization", "hostname", "username"];
const STATES: &[&str] = &["state", "status", "commercial_type", "type", "availability"];
const ADDRESSES: &[&str] = &["address", "ip", "ipv4", "data", "target"];

/// Every name, tag and description, then every state that the cloud shows, is fouled; everything that shows one is run.
#[test]
fn what_a_cloud_calls_things_reaches_no_terminal_raw() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.reach("present", "at first");
        let between = Between::before(&stage);
        for keys in [NAMES, STATES, ADDRESSES] {
            // There is work to show.
            stage.write("absent");
            between.bend(move |_, answer| answer.bent(|it| foul(it, keys, EVIL)));
            for args in READERS {
                let what = format!("{kind:?}: {keys:?}: {}", args.join(" "));
                let ran = between.run(&stage, args);
                assert_clean(&ran, &what);
                if args.contains(&"json") {
                    assert!(ran.out.lines().all(|it| serde_json::from_str::<Value>(it).is_ok()), "{what}: {}", ran.out);
                }
            }
        }
        // All that was a lie: what is there is as it was, or on the way to what was wished.
        assert_eq!(stage.harm(), [""; 0]);
        stage.reach("absent", "the truth again");
    }
}

/// What is seen of a fouled name is the name: a cleaned output that showed nothing would be clean as well.
#[test]
fn a_fouled_name_is_still_shown_and_json_has_every_byte_of_it() {
    let stage = Stage::new(Kind::Scaleway);
    stage.reach("present", "at first");
    let between = Between::before(&stage);
    between.bend(|_, answer| answer.bent(|it| foul(it, &["name", "state"], EVIL)));
    let told = between.run(&stage, &["get", "pad.yaml"]);
    assert!(told.out.contains("running\u{fffd}[2J"), "{}", told.out);
    let described = between.run(&stage, &["describe", "pad.yaml", "-o", "json"]);
    let described: Value = serde_json::from_str(&described.out).unwrap();
    assert_eq!(described["servers"][0]["name"], format!("mypad{EVIL}"));
}

/// Refusals with fouled words, and some of a megabyte, to a look and to every call that changes something.
#[test]
fn what_a_cloud_says_reaches_no_terminal_raw() {
    for kind in [Kind::Scaleway, Kind::Linode] {
        let stage = Stage::new(kind);
        stage.reach("present", "at first");
        let between = Between::before(&stage);
        stage.write("absent");
        for (status, words) in [(403, EVIL.to_owned()), (400, EVIL.repeat(20_000)), (500, EVIL.to_owned()), (302, "x".repeat(1 << 20))] {
            let body = json!({
                "message": words, "type": words, "resource": words, "help_message": words, "details": [{"argument_name": words, "help_message": words}],
                "errors": [{"reason": words, "field": words}],
            });
            for only_changes in [true, false] {
                let body = body.to_string();
                between.instead(move |asked| {
                    let is_hit = (asked.method != "GET") == only_changes;
                    is_hit.then(|| Answered::with(status, &[("date", "Mon, 23 Nov 2026 12:00:00 GMT")], body.clone()))
                });
                let apply = [&["apply", "pad.yaml", "--yes"][..], &["-vv", "apply", "pad.yaml", "--yes"]];
                let look = [&["get", "pad.yaml"][..], &["describe", "pad.yaml"]];
                for args in if only_changes { apply } else { look } {
                    let ran = between.run(&stage, args);
                    assert_clean(&ran, &format!("{kind:?}: {status}, {}: {}", words.len(), args.join(" ")));
                }
            }
        }
        let journal = std::fs::read(stage.journal()).unwrap();
        assert!(journal.len() < 200_000, "the journal is no dump of answers: {} bytes", journal.len());
        assert_eq!(stage.harm(), [""; 0]);
        stage.reach("absent", "it answers again");
    }
}

/// On a terminal, where there are colours and a live view, nothing of a cloud's own comes through either.
#[test]
fn on_a_terminal_nothing_comes_through_either() {
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: no script(1) to make a terminal with");
        return;
    }
    let stage = Stage::new(Kind::Scaleway);
    stage.reach("present", "at first");
    let between = Between::before(&stage);
    between.bend(|_, answer| answer.bent(|it| foul(it, &["name", "tags", "message"], EVIL)));
    stage.write("absent");
    for args in ["plan pad.yaml", "get pad.yaml", "describe pad.yaml", "apply pad.yaml --yes"] {
        let honest = between.command(&stage, &[]);
        let mut typed = Command::new("script");
        typed.args(["-qec", &format!("{} {args}", env!("CARGO_BIN_EXE_cloudypad")), "/dev/null"]).current_dir(stage.shop.path(""));
        typed.env_clear().envs(honest.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm-256color");
        let ran = Ran::from(typed.output().unwrap());
        for evil in ["\u{1b}[2J", "\u{1b}]0;", "\u{9b}", "\u{202e}", "\u{200b}", "\u{7f}", "\nFORGED"] {
            assert!(!ran.out.contains(evil), "{args}: {evil:?} in {:?}", ran.out);
        }
        assert!(ran.out.contains("mypad"), "{args}: {}", ran.out);
    }
}

/// A spec's own words are somebody's as well: a mistake is shown with its line, made harmless.
#[test]
fn what_a_spec_says_is_shown_harmless() {
    let stage = Stage::new(Kind::Local);
    for text in [
        format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {{name: \"{}\"}}\nspec: {{}}\n",
            EVIL.escape_unicode_in_yaml()
        ),
        format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: a\u{202e}b\u{200b}\nspec:\n  \u{e0041}zone\u{feff}: 1\n  {}: 2\n",
            "k".repeat(500_000)
        ),
        format!("kind: {EVIL}\n"),
        format!("\u{9b}31m: [{}\n", "\u{1b}[2J,".repeat(200)),
        EVIL.repeat(1000),
    ] {
        stage.shop.write("pad.yaml", &text);
        for args in [
            &["validate", "pad.yaml"][..],
            &["validate", "pad.yaml", "-o", "json"],
            &["plan", "pad.yaml"],
            &["set", "pad.yaml", "serverState=absent"],
        ] {
            let ran = stage.run(args);
            assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
            assert_clean(&ran, &args.join(" "));
        }
    }
}

/// Text as a double-quoted scalar of YAML may carry it.
trait InYaml {
    fn escape_unicode_in_yaml(&self) -> String;
}

impl InYaml for str {
    fn escape_unicode_in_yaml(&self) -> String {
        self.chars().map(|it| format!("\\U{:08x}", u32::from(it))).collect()
    }
}
