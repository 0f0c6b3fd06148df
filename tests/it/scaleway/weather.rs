//! Lifecycles in bad weather: whatever goes wrong on the way, every run is resumed by a plain apply, and ends well.
//!
//! `CLOUDYPAD_SEED` repeats one seed, `CLOUDYPAD_SEEDS` sets how many there are.

use crate::support::{
    face::{Face, pad},
    shop::Shop,
};
use fastrand::Rng;
use serde_json::json;

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

fn storm(face: &Face, rng: &mut Rng) {
    for _ in 0..rng.usize(1..4) {
        let what = FAULTS[rng.usize(..FAULTS.len())];
        let times = if what == "rate-limited" { rng.u32(1..12) } else { rng.u32(1..3) };
        face.arm(OPERATIONS[rng.usize(..OPERATIONS.len())], what, times, rng.u32(0..6));
    }
    face.post("/_emulator/settings", json!({"listing_lag": rng.u32(0..5)}));
}

fn lifecycle(seed: u64) {
    let shop = Shop::new();
    let face = Face::start(&shop);
    let mut rng = Rng::with_seed(seed);
    for _ in 0..rng.usize(3..6) {
        let state = ["present", "absent", "present", "stopped", "absent"][rng.usize(..5)];
        shop.write("pad.yaml", &pad(state, ""));
        for attempt in 0.. {
            match attempt {
                0..3 => storm(&face, &mut rng),
                // The weather clears: now it must end well.
                _ => face.disarm(),
            }
            let ran = face.run(&shop, &["apply", "pad.yaml", "--yes"]);
            assert!([0, 3].contains(&ran.code), "seed {seed}, {state}, attempt {attempt}: {}\n{}\n{}", ran.code, ran.out, ran.err);
            if ran.code == 0 {
                break;
            }
            assert!(ran.out.contains("you can: "), "seed {seed}: {}", ran.out);
            assert!(attempt < 6, "seed {seed}, {state}: does not converge: {}\n{}", ran.out, ran.err);
        }
        face.disarm();
        let (leaks, losses) = face.judge(&["in:default.mypad"]);
        assert_eq!((leaks, losses), (Vec::new(), Vec::new()), "seed {seed}, {state}");
        // What the cloud refused to delete is cleared away at the next archive.
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
        face.log();
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
        assert_eq!(face.changes(), [""; 0], "seed {seed}: {state} twice");
        let inventory = face.inventory();
        let count = |kind: &str| inventory.iter().filter(|it| it.starts_with(kind)).count();
        let (servers, volumes) = if state == "absent" { (0, 0) } else { (1, 2) };
        assert_eq!((count("server "), count("volume ")), (servers, volumes), "seed {seed}, {state}: {inventory:#?}");
        let firewalls = inventory.iter().filter(|it| it.starts_with("firewall ") && it.contains(" mypad ")).count();
        assert!(count("address ") <= 1 && firewalls <= 1, "seed {seed}, {state}: {inventory:#?}");
    }
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(face.judge(&[]).0, Vec::<String>::new(), "seed {seed}: something is left after delete");
}

fn seeds(part: u64) -> impl Iterator<Item = u64> {
    let var = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let (first, count) = match var("CLOUDYPAD_SEED") {
        Some(seed) => (seed, 1),
        None => (1, var("CLOUDYPAD_SEEDS").unwrap_or(100)),
    };
    (first..first + count).filter(move |seed| seed % 2 == part)
}

// In two halves, which run side by side.
#[test]
fn odd_lifecycles_in_bad_weather_end_well() {
    seeds(1).for_each(lifecycle);
}

#[test]
fn even_lifecycles_in_bad_weather_end_well() {
    seeds(0).for_each(lifecycle);
}
