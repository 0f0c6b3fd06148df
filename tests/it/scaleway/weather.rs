//! Lifecycles in bad weather: whatever goes wrong on the way, every run is resumed by a plain apply, and ends well.
//!
//! `CLOUDYPAD_SEED` repeats one seed, `CLOUDYPAD_SEEDS` sets how many there are.

use crate::support::{
    face::{Face, pad},
    shop::{Ran, Shop},
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPERATIONS: &[&str] = &[
    "*",
    "GET *",
    "POST *",
    "GET /instance/v1/zones/{zone}/servers",
    "GET /block*",
    "POST /instance/v1/zones/{zone}/ips",
    "POST /instance/v1/zones/{zone}/security_groups",
    "PUT *",
    "POST /instance/v1/zones/{zone}/servers",
    "POST /instance/v1/zones/{zone}/servers/{id}/action poweron",
    "POST /instance/v1/zones/{zone}/servers/{id}/action poweroff",
    "POST /block/v1/zones/{zone}/volumes",
    "POST /block/v1/zones/{zone}/snapshots",
    "PATCH *",
    "PATCH /instance/v1/zones/{zone}/servers/{id}",
    "DELETE *",
    "DELETE /instance*",
    "DELETE /block*",
];

const FAULTS: &[&str] = &[
    "rate-limited",
    "rate-limited",
    "broken-before",
    "broken-after",
    "broken-after",
    "unavailable",
    "html",
    "dropped",
    "lost-reply",
    "lost-reply",
    "lost-reply",
    "late",
    "transient",
    "refused",
    "slow",
    "stale",
    "quota",
    "out-of-stock",
    "stuck",
];

/// Arms a few faults; what they are.
fn storm(face: &Face, rng: &mut Rng) -> Vec<&'static str> {
    let mut armed = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let what = FAULTS[rng.usize(..FAULTS.len())];
        let times = if what == "rate-limited" { rng.u32(1..12) } else { rng.u32(1..3) };
        face.arm(OPERATIONS[rng.usize(..OPERATIONS.len())], what, times, rng.u32(0..6));
        armed.push(what);
    }
    face.post("/_emulator/settings", json!({"listing_lag": rng.u32(0..5)}));
    armed
}

/// The code of the hold that a run, or its plan, ended with.
fn hold(ran: &Ran) -> String {
    let lines = ran.out.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let mut codes = lines.filter_map(|it| it["hold"]["code"].as_str().map(str::to_owned));
    codes.next_back().unwrap_or_else(|| panic!("no hold: {}\n{}", ran.out, ran.err))
}

/// Whether this weather can bring about that hold. Anything else would be a false one. In good weather nothing holds but
/// what was stuck before.
fn explains(armed: &[&str], hold: &str) -> bool {
    let any = |kinds: &[&str]| armed.iter().any(|it| kinds.contains(it));
    match hold {
        "Refused" => any(&["quota", "refused"]),
        "OutOfStock" => any(&["out-of-stock"]),
        "Stuck" => any(&["stuck", "slow"]),
        // A look is tried so often that only lasting weather blinds it.
        "Blind" | "KeepsFailing" => any(&FAULTS[..FAULTS.len() - 1]),
        _ => false,
    }
}

/// Runs a command until it ends well: at first in bad weather, then in good.
fn insist(seed: u64, shop: &Shop, face: &Face, rng: &mut Rng, args: &[&str]) {
    let mut lasting: Vec<&str> = Vec::new();
    for attempt in 0.. {
        match attempt {
            0..3 => lasting.extend(storm(face, rng)),
            _ => face.disarm(),
        }
        let ran = face.run(shop, args);
        assert!([0, 3].contains(&ran.code), "seed {seed}, {args:?}, attempt {attempt}: {}\n{}\n{}", ran.code, ran.out, ran.err);
        if ran.code == 0 {
            return;
        }
        let hold = hold(&ran);
        if attempt > 2 {
            lasting.retain(|it| ["stuck", "slow"].contains(it));
        }
        assert!(explains(&lasting, &hold), "seed {seed}, {args:?}, attempt {attempt}: {hold} in {lasting:?}\n{}", ran.out);
        assert!(attempt < 6, "seed {seed}, {args:?}: does not converge: {}\n{}", ran.out, ran.err);
    }
}

fn lifecycle(seed: u64, struck: &mut BTreeSet<String>) {
    let shop = Shop::new();
    let face = Face::start(&shop);
    let mut rng = Rng::with_seed(seed);
    let named = if seed.is_multiple_of(3) { "  network:\n    dns: {zone: example.com, record: mypad}\n" } else { "" };
    for _ in 0..rng.usize(3..6) {
        let state = ["present", "absent", "present", "stopped", "absent"][rng.usize(..5)];
        shop.write("pad.yaml", &pad(state, named));
        insist(seed, &shop, &face, &mut rng, &["apply", "pad.yaml", "--yes", "-o", "json"]);
        face.disarm();
        let (leaks, losses) = face.judge(&["in:default.mypad"]);
        assert_eq!((leaks, losses), (Vec::new(), Vec::new()), "seed {seed}, {state}");
        // What the cloud refused to delete is cleared away at the next archive.
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
        struck.extend(face.faults());
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
        assert_eq!(face.changes(), [""; 0], "seed {seed}: {state} twice");
        let inventory = face.inventory();
        let count = |kind: &str| inventory.iter().filter(|it| it.starts_with(kind)).count();
        let (servers, volumes) = if state == "absent" { (0, 0) } else { (1, 2) };
        assert_eq!((count("server "), count("volume ")), (servers, volumes), "seed {seed}, {state}: {inventory:#?}");
        let firewalls = inventory.iter().filter(|it| it.starts_with("firewall ") && it.contains(" mypad ")).count();
        assert!(count("address ") <= 1 && firewalls <= 1, "seed {seed}, {state}: {inventory:#?}");
    }
    insist(seed, &shop, &face, &mut rng, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad", "-o", "json"]);
    assert_eq!(face.judge(&[]).0, Vec::<String>::new(), "seed {seed}: something is left after delete");
    let records = face.get("/domain/v2beta1/dns-zones/example.com/records?name=mypad&type=A");
    assert_eq!(records["total_count"], 0, "seed {seed}: the name is left after delete");
}

/// Every lifecycle of a half; what struck, and how many there were.
fn season(part: u64) -> (BTreeSet<String>, usize) {
    let mut struck = BTreeSet::new();
    let count = seeds(part).map(|seed| lifecycle(seed, &mut struck)).count();
    (struck, count)
}

fn seeds(part: u64) -> impl Iterator<Item = u64> {
    let var = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let (first, count) = match var("CLOUDYPAD_SEED") {
        Some(seed) => (seed, 1),
        None => (1, var("CLOUDYPAD_SEEDS").unwrap_or(100)),
    };
    (first..first + count).filter(move |seed| seed % 2 == part)
}

/// Two halves side by side; in enough of them, every kind of weather was met.
#[test]
fn lifecycles_in_bad_weather_end_well() {
    let other = std::thread::spawn(|| season(0));
    let (mut struck, count) = season(1);
    let (more, others) = other.join().unwrap();
    struck.extend(more);
    let met = FAULTS.iter().all(|it| struck.contains(*it));
    assert!(count + others < 80 || met, "not every kind of fault struck: {struck:?}");
}
