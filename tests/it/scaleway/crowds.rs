//! Killed at any instant, and two people applying at once: over HTTP, with the real binary.

use crate::support::{
    face::{Face, pad},
    shop::Shop,
};
use fastrand::Rng;
use std::time::Duration;

fn settle(shop: &Shop, face: &Face, what: &str, state: &str) {
    face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
    assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()), "{what}");
    face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
    face.log();
    face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
    assert_eq!(face.changes(), [""; 0], "{what}: {state} twice");
    let inventory = face.inventory();
    let count = |kind: &str| inventory.iter().filter(|it| it.starts_with(kind)).count();
    let expected = if state == "absent" { (0, 0) } else { (1, 2) };
    assert_eq!((count("server "), count("volume ")), expected, "{what}: {inventory:#?}");
    assert!(count("address ") <= 1, "{what}: {inventory:#?}");
}

#[test]
fn killed_at_any_instant_a_plain_apply_goes_on() {
    let seed = std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(7);
    let mut rng = Rng::with_seed(seed);
    let shop = Shop::new();
    let face = Face::start(&shop);
    for round in 0..12 {
        let state = ["present", "absent", "present", "stopped", "absent"][round % 5];
        shop.write("pad.yaml", &pad(state, ""));
        for _ in 0..4 {
            let mut child = face.command(&shop, &["apply", "pad.yaml", "--yes"]).spawn().unwrap();
            // Somewhere on the way: a whole run takes about half a second.
            std::thread::sleep(Duration::from_millis(rng.u64(5..500)));
            let _ = child.kill();
            child.wait().unwrap();
        }
        settle(&shop, &face, &format!("seed {seed}, round {round}"), state);
    }
}

/// Each with files of their own: neither knows of the other but by what the cloud shows.
#[test]
fn two_who_apply_at_once_end_with_one_machine() {
    for round in 0..6 {
        let (one, other) = (Shop::new(), Shop::new());
        let face = Face::start(&one);
        face.post("/_emulator/settings", serde_json::json!({"listing_lag": round % 4}));
        for state in ["present", "absent", "present"] {
            one.write("pad.yaml", &pad(state, ""));
            other.write("pad.yaml", &pad(state, ""));
            let mut first = face.command(&one, &["apply", "pad.yaml", "--yes"]).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(round * 7));
            let mut second = face.command(&other, &["apply", "pad.yaml", "--yes"]).spawn().unwrap();
            first.wait().unwrap();
            second.wait().unwrap();
            settle(&one, &face, &format!("round {round}, {state}"), state);
        }
    }
}
