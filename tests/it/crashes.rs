//! `kill -9` at random instants. The seed is printed on failure; `CLOUDYPAD_SEED` repeats it.

use crate::support::shop::{Shop, read_at, write_at};
use std::{fs, time::Duration};

fn seed() -> u64 {
    std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..))
}

/// 200 times: a run is killed somewhere, a plain `apply` follows. In the end the wish is reached, no
/// byte is lost, nothing is left over and nothing is there twice.
#[test]
fn killed_anywhere_the_next_apply_goes_on() {
    let seed = seed();
    println!("CLOUDYPAD_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let shop = Shop::new();
    let mut saved: Option<Vec<u8>> = None;
    let (mut cut, mut state) = (0, "absent");
    for round in 0..200 {
        let others: Vec<_> = ["present", "stopped", "absent"].into_iter().filter(|it| *it != state).collect();
        state = *random.choice(&others).unwrap();
        shop.write_pad(state);
        let mut child = shop.spawn(&["apply", "pad.yaml", "--yes"]);
        // An instant, not a wait: whatever runs then is what gets killed.
        std::thread::sleep(Duration::from_micros(random.u64(500..25_000)));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        cut += u32::from(!ended);

        let ran = shop.run(&["apply", "pad.yaml", "--yes"]);
        assert_eq!(ran.code, 0, "seed {seed}, round {round}, {state}\n{}{}", ran.out, ran.err);
        let again = shop.run(&["plan", "pad.yaml", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "seed {seed}, round {round}: not in sync after apply\n{}", again.out);

        if state != "absent" {
            let (root, data) = shop.disk_files();
            if let Some(saved) = &saved {
                assert_eq!(read_at(&root, 8192, saved.len()), *saved, "seed {seed}, round {round}: root");
                assert_eq!(read_at(&data, 8192, saved.len()), *saved, "seed {seed}, round {round}: data");
            }
            let mark = format!("saved in round {round}, {:016x}", random.u64(..)).into_bytes();
            write_at(&root, 8192, &mark);
            write_at(&data, 8192, &mark);
            saved = Some(mark);
        }
        assert_eq!(leftovers(&shop, state), Vec::<String>::new(), "seed {seed}, round {round}, {state}");
    }
    assert_eq!(shop.cloud().ledger().unwrap().losses, [], "seed {seed}");
    assert!(cut > 100, "only {cut} of 200 runs were still going when they were killed");
}

/// What is there beyond what the state needs.
fn leftovers(shop: &Shop, state: &str) -> Vec<String> {
    let truth = shop.cloud().truth().unwrap();
    let disks = if state == "absent" { 0 } else { 2 };
    let servers = usize::from(state != "absent");
    let mut wrong = Vec::new();
    let mut check = |what: &str, is: usize, should: std::ops::RangeInclusive<usize>| {
        if !should.contains(&is) {
            wrong.push(format!("{is} {what}, not {should:?}"));
        }
    };
    check("servers", truth.servers.len(), servers..=servers);
    check("volumes", truth.volumes.len(), disks..=disks);
    check("addresses", truth.addresses.len(), 0..=1);
    check("firewalls", truth.firewalls.len(), 0..=1);
    check("snapshots", truth.snapshots.len(), 0..=2);
    wrong
}

/// Deleting every file of cloudypad's own between any two commands changes nothing but elapsed time.
#[test]
fn without_journal_and_locks_everything_goes_on() {
    let shop = Shop::new();
    for state in ["present", "stopped", "present", "absent", "present", "absent"] {
        shop.write_pad(state);
        let mut child = shop.spawn(&["apply", "pad.yaml", "--yes"]);
        std::thread::sleep(Duration::from_millis(20));
        child.kill().unwrap();
        child.wait().unwrap();
        for own in ["home/journal", "home/locks"] {
            let _ = fs::remove_dir_all(shop.path(own));
        }
        shop.expect(0, &["apply", "pad.yaml", "--yes"]);
        for own in ["home/journal", "home/locks"] {
            let _ = fs::remove_dir_all(shop.path(own));
        }
        let calls = shop.calls();
        let again = shop.expect(0, &["apply", "pad.yaml", "--yes"]);
        assert!(again.out.contains("Nothing to do"), "{}", again.out);
        assert_eq!(shop.calls(), calls);
        assert_eq!(leftovers(&shop, state), Vec::<String>::new());
    }
    assert_eq!(shop.cloud().ledger().unwrap().losses, []);
}

/// A journal that is torn, full of noise, or from another world is passed over.
#[test]
fn a_damaged_journal_is_passed_over() {
    let shop = Shop::new();
    shop.apply("present");
    let journal = shop.path("home/journal/default.mypad.jsonl");
    let mut text = fs::read(&journal).unwrap();
    text.truncate(text.len() - 7);
    text.extend_from_slice(b"\n\xff\xfe not json \n{\"v\":1}\n{\"half\": ");
    fs::write(&journal, text).unwrap();
    shop.apply("absent");
    let last = fs::read_to_string(&journal).map(|it| it.lines().last().unwrap().to_owned());
    assert!(last.is_err() || last.unwrap().contains("ended"), "the next lines stand on their own");
    shop.apply("present");
    assert_eq!(shop.cloud().ledger().unwrap().losses, []);
}
