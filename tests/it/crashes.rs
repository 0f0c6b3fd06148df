//! `kill -9` at random instants. The seed is printed on failure; `CLOUDYPAD_SEED` repeats it.

use crate::support::shop::{Shop, pad_like_linode, read_at, write_at};
use cloudypad::emulator::Cloud;
use std::{fs, path::PathBuf, time::Duration};

fn seed() -> u64 {
    std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..))
}

/// 200 times: a run is killed somewhere, a plain `apply` follows. In the end the wish is reached, no
/// byte is lost, nothing is left over and nothing is there twice.
#[test]
fn killed_anywhere_the_next_apply_goes_on() {
    kill_anywhere(200, Kind::Scaleway);
}

/// The same on the Linode kind of cloud, where the root disk dies with its server.
#[test]
fn killed_anywhere_on_the_linode_kind_too() {
    kill_anywhere(60, Kind::Linode);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scaleway,
    Linode,
}

impl Kind {
    fn write(self, shop: &Shop, state: &str) {
        match self {
            Kind::Scaleway => shop.write_pad(state),
            Kind::Linode => shop.write("pad.yaml", &pad_like_linode(state)),
        }
    }

    fn cloud(self, shop: &Shop) -> Cloud {
        match self {
            Kind::Scaleway => shop.cloud(),
            Kind::Linode => shop.linode_cloud(),
        }
    }

    /// The files behind the root and the data disk.
    fn files(self, shop: &Shop) -> (PathBuf, PathBuf) {
        if self == Kind::Scaleway {
            return shop.disk_files();
        }
        let described = shop.describe();
        let file = |value: &serde_json::Value| PathBuf::from(value["file"].as_str().unwrap());
        (file(&described["servers"][0]["root"]), file(&described["volumes"][0]))
    }
}

fn kill_anywhere(rounds: usize, kind: Kind) {
    let seed = seed();
    println!("CLOUDYPAD_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let shop = Shop::new();
    let mut saved: Option<Vec<u8>> = None;
    let (mut cut, mut state) = (0, "absent");
    for round in 0..rounds {
        let others: Vec<_> = ["present", "stopped", "absent"].into_iter().filter(|it| *it != state).collect();
        state = *random.choice(&others).unwrap();
        kind.write(&shop, state);
        let mut child = shop.spawn(&["apply", "pad.yaml", "--yes"]);
        // An instant, not a wait: whatever runs then is what gets killed.
        std::thread::sleep(Duration::from_micros(random.u64(500..25_000)));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        cut += usize::from(!ended);

        let ran = shop.run(&["apply", "pad.yaml", "--yes"]);
        assert_eq!(ran.code, 0, "seed {seed}, round {round}, {state}\n{}{}", ran.out, ran.err);
        let again = shop.run(&["plan", "pad.yaml", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "seed {seed}, round {round}: not in sync after apply\n{}", again.out);

        if state != "absent" {
            let (root, data) = kind.files(&shop);
            if let Some(saved) = &saved {
                assert_eq!(read_at(&root, 8192, saved.len()), *saved, "seed {seed}, round {round}: root");
                assert_eq!(read_at(&data, 8192, saved.len()), *saved, "seed {seed}, round {round}: data");
            }
            // Only a running guest writes.
            if state == "present" {
                let mark = format!("saved in round {round}, {:016x}", random.u64(..)).into_bytes();
                write_at(&root, 8192, &mark);
                write_at(&data, 8192, &mark);
                saved = Some(mark);
            }
        }
        assert_eq!(leftovers(&kind.cloud(&shop), state, kind), Vec::<String>::new(), "seed {seed}, round {round}, {state}");
    }
    let cloud = kind.cloud(&shop);
    assert_eq!(cloud.ledger().unwrap().losses, [], "seed {seed}");
    assert!(cut > rounds / 2, "only {cut} of {rounds} runs were still going when they were killed");
    shop.expect(0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(cloud.inventory().unwrap(), Vec::<String>::new(), "seed {seed}: nothing is left after delete");
}

/// What is there beyond what the state needs.
fn leftovers(cloud: &Cloud, state: &str, kind: Kind) -> Vec<String> {
    let truth = cloud.truth().unwrap();
    let servers = usize::from(state != "absent");
    let volumes = match kind {
        Kind::Scaleway => 2 * servers..=2 * servers,
        Kind::Linode => usize::from(servers == 1)..=1,
    };
    let mut wrong = cloud.leaks(&["in:default.mypad"]).unwrap();
    let mut check = |what: &str, is: usize, should: std::ops::RangeInclusive<usize>| {
        if !should.contains(&is) {
            wrong.push(format!("{is} {what}, not {should:?}"));
        }
    };
    check("servers", truth.servers.len(), servers..=servers);
    check("volumes", truth.volumes.len(), volumes);
    check("addresses", truth.addresses.len(), servers..=1);
    check("firewalls", truth.firewalls.len(), servers..=1);
    check("snapshots and images", truth.snapshots.len() + truth.images.len(), 0..=2);
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
        assert_eq!(leftovers(&shop.cloud(), state, Kind::Scaleway), Vec::<String>::new());
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
