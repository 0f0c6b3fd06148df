//! The targets with a bounded number of inputs, bent out of valid ones. `CLOUDYPAD_FUZZ=N` has N of them for each target,
//! `CLOUDYPAD_SEED` others; a failure prints its input. `tests/fuzz/run` has the coverage-guided engine do the same, and
//! begins with the seeds of this file.

use crate::{
    figures,
    targets::{
        self, answers, journal,
        lives::{Vendor, life},
        requests, spec,
    },
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|it| it.parse().ok())
}

/// Feeds a target with what is valid, and then with that bent.
fn fuzz(name: &str, usual: u64) {
    let (_, target) = targets::ALL.into_iter().find(|(it, _)| *it == name).unwrap();
    let seed = number("CLOUDYPAD_SEED").unwrap_or(7);
    let mut rng = Rng::with_seed(seed);
    let seeds = seeds(name);
    let feed = |input: &[u8]| {
        let fed = catch_unwind(AssertUnwindSafe(|| target(input)));
        fed.unwrap_or_else(|panic| {
            let shown: String = input.escape_ascii().to_string().chars().take(4000).collect();
            println!("CLOUDYPAD_SEED={seed} {name}: {} bytes: {shown}", input.len());
            resume_unwind(panic);
        });
    };
    seeds.iter().for_each(|it| feed(it));
    let executions = number("CLOUDYPAD_FUZZ").unwrap_or(usual);
    for _ in 0..executions {
        feed(&bent(&mut rng, &seeds));
    }
    figures::tell(&format!("fuzz executions, {name}"), executions + seeds.len() as u64);
}

#[test]
fn specs_of_any_bytes() {
    fuzz("spec", 2_000);
}

#[test]
fn journals_of_any_bytes() {
    fuzz("journal", 1_000);
    journal::tidy();
}

#[test]
fn answers_of_any_bytes_from_scaleway() {
    fuzz("scaleway-answers", 400);
}

#[test]
fn answers_of_any_bytes_from_linode() {
    fuzz("linode-answers", 1_000);
}

#[test]
fn requests_of_any_bytes_to_the_emulator_of_scaleway() {
    fuzz("scaleway-requests", 1_500);
}

#[test]
fn requests_of_any_bytes_to_the_emulator_of_linode() {
    fuzz("linode-requests", 1_500);
}

/// Where `CLOUDYPAD_CORPUS` names a directory, each target's seeds are written there, for the coverage-guided engine.
#[test]
fn seeds_for_the_coverage_guided_engine() {
    let Some(dir) = std::env::var_os("CLOUDYPAD_CORPUS") else { return };
    for (name, _) in targets::ALL {
        let dir = Path::new(&dir).join(name);
        fs::create_dir_all(&dir).unwrap();
        for (number, seed) in seeds(name).iter().enumerate() {
            fs::write(dir.join(format!("seed-{number:04}")), seed).unwrap();
        }
    }
}

/// What is valid, for a target.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let seeds = match name {
        "spec" => specs(),
        "journal" => journals(),
        "scaleway-answers" => of_answers(Vendor::Scaleway),
        "linode-answers" => of_answers(Vendor::Linode),
        "scaleway-requests" => of_requests(Vendor::Scaleway),
        "linode-requests" => of_requests(Vendor::Linode),
        _ => unreachable!(),
    };
    assert!(seeds.len() > 5, "{name} has {} seeds", seeds.len());
    seeds
}

fn specs() -> Vec<Vec<u8>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = fs::read_dir(examples).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "yaml"));
    files.sort();
    let mut specs: Vec<Vec<u8>> = Vec::new();
    for text in files.iter().map(|it| fs::read_to_string(it).unwrap()) {
        for set in ["serverState=absent", "rootDisk.sizeGb=77", "spec.wake=\u{1b}[2J: #", "network.allowFrom=1.2.3.4/5"] {
            specs.push(format!("{text}\n{}{set}\n", spec::SET).into_bytes());
        }
        specs.push(text.into_bytes());
    }
    let odd =
        "apiVersion: &a cloudypad.gg/v1alpha1\nkind: !!str Instance\n<<: *a\nmetadata: {name: 'a', labels: {x: \"\\u202e\"}}\n---\n...\n";
    specs.push(odd.as_bytes().to_vec());
    specs
}

fn journals() -> Vec<Vec<u8>> {
    let line = |it: Value| it.to_string();
    let lines = [
        line(
            json!({"v": 1, "at": "2026-11-23T12:00:00Z", "intent": "create-address", "cloud": 1_700_000_000_000_000_i64, "detail": "reserve address"}),
        ),
        line(
            json!({"v": 1, "at": "2026-11-23T12:00:00Z", "intent": "create-server", "cloud": 1_700_000_000_000_001_i64, "detail": "create server mypad"}),
        ),
        line(json!({"v": 1, "at": "", "intent": "tag-server 1", "cloud": 5, "spec": "0123456789abcdef.present", "detail": ""})),
        line(json!({"v": 1, "at": "", "intent": "stop-server 0f0e0d0c-0000-4000-8000-000000000001", "cloud": 5, "detail": ""})),
        line(json!({"v": 1, "at": "", "receipt": "create-address", "outcome": "done", "detail": "51.15.0.9"})),
        line(json!({"v": 1, "at": "", "receipt": "create-server", "outcome": "unknown", "detail": "the answer did not come"})),
        line(json!({"v": 1, "at": "", "receipt": "create-server", "outcome": "refused", "detail": "\u{1b}[2J"})),
        line(json!({"v": 1, "at": "", "ended": "Done"})),
        line(json!({"v": 1, "at": "", "ended": "Held Stuck"})),
        line(json!({"v": 2, "at": "", "intent": "create-server", "cloud": 9})),
    ];
    let mut journals: Vec<Vec<u8>> = (1..=lines.len()).map(|count| (lines[..count].join("\n") + "\n").into_bytes()).collect();
    journals.push((lines.join("\n") + "\n").repeat(70).into_bytes());
    journals.push(Vec::new());
    // Found by the coverage-guided engine: damage in a place that nobody reads made a line no less believed.
    journals.push(b"{\"v\":1,\"at\":\"\",\"odd\":\"ad\xebdress\",\"intent\":\"create-address\",\"cloud\":1}\n".to_vec());
    journals
}

fn of_answers(vendor: Vendor) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (moment, book) in answers::books(vendor).iter().enumerate() {
        for (number, call) in book.calls.iter().enumerate().take(256).skip(moment % 3).step_by(3) {
            seeds.push(answers::bytes_for(moment, number, call.status, &call.answer));
        }
    }
    let own = seeds.len();
    // Found by the coverage-guided engine: what is no text, in a place that nobody reads, was taken for an answer.
    let damaged: Vec<_> = seeds
        .iter()
        .filter(|it| it[answers::HEAD..].starts_with(b"{"))
        .take(9)
        .map(|it| [&it[..answers::HEAD], b"{\"odd\":\"\xff\",", &it[answers::HEAD + 1..]].concat())
        .collect();
    seeds.extend(damaged);
    for (number, body) in recorded(vendor).into_iter().enumerate() {
        // Its own head says which call is answered so: any will do.
        seeds.push([&seeds[number % own][..answers::HEAD], &body].concat());
    }
    seeds
}

/// Answers of the real API, where recordings are at hand; the shortest ones, since all is bent anyway.
fn recorded(vendor: Vendor) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings").join(format!("{vendor:?}").to_lowercase());
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: recorded answers as seeds: none at {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|it| it.unwrap().path()).collect();
    files.sort();
    let mut bodies = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let calls = text.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok()).map(|it| it["response_body"].to_string());
        bodies.extend(calls.filter(|it| (20..3000).contains(&it.len())).map(String::into_bytes).step_by(60));
    }
    bodies
}

fn of_requests(vendor: Vendor) -> Vec<Vec<u8>> {
    let life = life(vendor);
    let mut seeds = Vec::new();
    for (moment, it) in life.moments.iter().enumerate() {
        let ids = requests::ids(&it.truth);
        let texts: Vec<String> = life
            .calls
            .iter()
            .chain(&it.look)
            .map(|call| {
                let body = String::from_utf8_lossy(&call.body);
                requests::without_ids(&format!("{} {}\n{body}", call.method, call.path), &ids)
            })
            .collect();
        for some in texts.chunks(5).step_by(3) {
            seeds.push([&[moment as u8], some.join(requests::BETWEEN).as_bytes()].concat());
        }
    }
    seeds
}

/// Words that mean something to one reader or another.
const WORDS: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "18446744073709551616",
    "-9223372036854775808",
    "1e309",
    "NaN",
    "\"\"",
    "[]",
    "{}",
    "{\"",
    "\\u0000",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{feff}",
    "\0",
    "\r\n",
    "\n---\n",
    "...\n",
    "&a ",
    "*a",
    "!!binary ",
    "<<: ",
    "? ",
    "|\n",
    ">-\n",
    "\t",
    ": ",
    "- ",
    "$0",
    "$1",
    "$2",
    "9999-12-31T23:59:59.999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "../",
    "%00",
    "?page=0",
    "&per_page=4294967296",
    "+and",
    "+or",
    "done",
    "stopped in place",
    "in:default.mypad",
    "role:root",
    "cloudypad:v1",
    "\u{10ffff}",
];

/// An input bent out of valid ones, by a few small strokes or a large one.
fn bent(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..12) {
            0 if !bytes.is_empty() => {
                let at = rng.usize(..bytes.len());
                bytes[at] ^= 1 << rng.u8(..8);
            }
            1 => bytes.truncate(at),
            2 | 3 => {
                let word = rng.choice(WORDS).unwrap();
                bytes.splice(at..at, word.bytes());
            }
            4 => {
                let end = (at + rng.usize(..40)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let other = &seeds[rng.usize(..seeds.len())];
                let from = rng.usize(..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            6 => {
                let end = (at + rng.usize(..200)).min(bytes.len());
                let again = bytes[at..end].repeat(rng.usize(1..20));
                bytes.splice(at..at, again);
            }
            7 if !bytes.is_empty() => {
                let at = rng.usize(..bytes.len().min(answers::HEAD));
                bytes[at] = rng.u8(..);
            }
            _ => bend_json(rng, &mut bytes),
        }
        bytes.truncate(200_000);
    }
    bytes
}

/// Bends the tree that the bytes end in, where they do.
fn bend_json(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let Some(begin) = bytes.iter().position(|it| matches!(it, b'{' | b'[')) else { return };
    let end = bytes[begin..].iter().position(|it| *it == b'\n').map_or(bytes.len(), |it| begin + it);
    let Ok(mut tree) = serde_json::from_slice::<Value>(&bytes[begin..end]) else { return };
    bend_tree(rng, &mut tree);
    bytes.splice(begin..end, tree.to_string().into_bytes());
}

fn bend_tree(rng: &mut Rng, tree: &mut Value) {
    let goes_on = rng.u8(..8) > 0;
    match tree {
        Value::Object(fields) if goes_on && !fields.is_empty() => {
            let key = fields.keys().nth(rng.usize(..fields.len())).cloned().unwrap();
            match rng.u8(..10) {
                0 => drop(fields.remove(&key)),
                1 => {
                    let value = fields.remove(&key).unwrap();
                    fields.insert(format!("{key}\u{200b}"), value);
                }
                _ => bend_tree(rng, &mut fields[&key]),
            }
        }
        Value::Array(items) if goes_on && !items.is_empty() => {
            let at = rng.usize(..items.len());
            match rng.u8(..6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => *items = vec![items[at].clone(); 150],
                _ => bend_tree(rng, &mut items[at]),
            }
        }
        other => *other = odd_value(rng, other),
    }
}

fn odd_value(rng: &mut Rng, was: &Value) -> Value {
    match rng.u8(..14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(1e300),
        6 => json!(""),
        7 => json!("\u{1b}]0;x\u{7}\n\u{202e}".repeat(rng.usize(1..50))),
        8 => json!("x".repeat(20_000)),
        9 => json!([]),
        10 => json!({"id": was, "x": [was, was]}),
        11 => json!(was.to_string()),
        12 => json!(*rng.choice(WORDS).unwrap()),
        _ => (0..100).fold(was.clone(), |inner, _| json!([inner])),
    }
}
