//! A journal cut at every byte, and damaged in every way we could think of, between any two wishes.

use crate::{
    figures,
    stage::{Kind, Stage},
    support::shop::{Ran, Shop},
};
use cloudypad::{
    model::{InstanceKey, Stamp},
    store::{Closing, Home, Journal, Opening},
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

fn key() -> InstanceKey {
    InstanceKey { namespace: "default".to_owned(), name: "mypad".to_owned() }
}

fn opening(key: &str) -> Opening {
    Opening { key: key.to_owned(), line: "as people read it".to_owned(), applied: None, found_off: false }
}

/// Wherever a journal ends, it tells what its whole lines tell, and what is added after that is read again.
#[test]
fn a_journal_cut_at_every_byte_tells_what_its_whole_lines_tell() {
    let shop = Shop::new();
    let home = Home::at(&shop.path("home"));
    let file = shop.path("home/journal/default.mypad.jsonl");
    let mut journal = Journal::open(&home, &key()).unwrap();
    let mut told = vec![(0, BTreeMap::new())];
    let mut note = |journal: &Journal| told.push((fs::metadata(&file).unwrap().len(), journal.facts().open));
    journal.intend(&[opening("create-address")], Stamp(1)).unwrap();
    note(&journal);
    journal.intend(&[opening("create-server")], Stamp(2)).unwrap();
    note(&journal);
    journal.settle(&[Closing { key: "create-address".to_owned(), outcome: "refused", detail: "\u{1b}[2Jno\n".to_owned() }]).unwrap();
    note(&journal);
    journal.intend(&[opening("create-volume data")], Stamp(3)).unwrap();
    note(&journal);
    drop(journal);
    let whole = fs::read(&file).unwrap();
    for cut in 0..=whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        let mut journal = Journal::open(&home, &key()).unwrap();
        // A line needs no end of line to be whole.
        let (_, expected) = told.iter().rev().find(|(end, _)| end.saturating_sub(1) <= cut as u64).unwrap();
        assert_eq!(journal.facts().open, *expected, "cut at byte {cut}");
        journal.intend(&[opening("create-firewall")], Stamp(4)).unwrap();
        let mut with_it = expected.clone();
        with_it.insert("create-firewall".to_owned(), Stamp(4));
        assert_eq!(Journal::open(&home, &key()).unwrap().facts().open, with_it, "cut at byte {cut}, then written to");
    }
    figures::tell("journal cuts read", whole.len() + 1);
}

/// A way to damage a journal.
type Damage = (&'static str, fn(&Path));

fn append(file: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).create(true).open(file).unwrap().write_all(bytes).unwrap();
}

fn lines(file: &Path) -> Vec<String> {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).lines().map(str::to_owned).collect()
}

fn open_create(key: &str, cloud: i64) -> String {
    format!("{{\"v\":1,\"at\":\"2026-01-01T00:00:00Z\",\"intent\":\"{key}\",\"cloud\":{cloud},\"detail\":\"x\"}}\n")
}

const DAMAGES: &[Damage] = &[
    ("deleted", |file| {
        let _ = fs::remove_file(file);
    }),
    ("its directory deleted", |file| {
        let _ = fs::remove_dir_all(file.parent().unwrap());
    }),
    ("empty", |file| fs::write(file, "").unwrap()),
    ("torn in its last line", |file| {
        let bytes = fs::read(file).unwrap_or_default();
        fs::write(file, &bytes[..bytes.len().saturating_sub(9)]).unwrap();
    }),
    ("torn in its middle", |file| {
        let bytes = fs::read(file).unwrap_or_default();
        fs::write(file, &bytes[bytes.len() / 3..bytes.len() / 2]).unwrap();
    }),
    ("bits turned", |file| {
        let mut bytes = fs::read(file).unwrap_or_default();
        bytes.iter_mut().step_by(37).for_each(|it| *it ^= 0x11);
        fs::write(file, bytes).unwrap();
    }),
    ("binary junk", |file| {
        fs::write(file, (0..20_000u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>()).unwrap()
    }),
    ("zeroes, as a power cut leaves them", |file| append(file, &[0; 4096])),
    ("its lines in reverse", |file| {
        let reversed: Vec<_> = lines(file).into_iter().rev().collect();
        fs::write(file, reversed.join("\n")).unwrap();
    }),
    ("its lines twice", |file| {
        let twice = [lines(file), lines(file)].concat();
        fs::write(file, twice.join("\n") + "\n").unwrap();
    }),
    ("a receipt lost, so that every create is open", |file| {
        let intents: Vec<_> = lines(file).into_iter().filter(|it| it.contains("\"intent\"")).collect();
        fs::write(file, intents.join("\n") + "\n").unwrap();
    }),
    ("creates of another cloud's future", |file| {
        append(file, open_create("create-server", i64::MAX).as_bytes());
        append(file, open_create("create-address", 253_402_300_799_000_000).as_bytes());
    }),
    ("creates of the beginning of time", |file| append(file, open_create("create-server", i64::MIN).as_bytes())),
    ("servers ordered off at odd times", |file| {
        append(file, open_create("stop-server 1", i64::MAX).as_bytes());
        append(file, open_create("stop-server 2", i64::MIN).as_bytes());
    }),
    ("another instance's", |file| {
        let other = file.with_file_name("default.other.jsonl");
        fs::write(&other, open_create("create-server", 1_700_000_000_000_000) + &open_create("delete-server 7", 5)).unwrap();
        fs::rename(other, file).unwrap();
    }),
    ("of a version to come", |file| {
        append(file, b"{\"v\":2,\"at\":\"\",\"intent\":\"create-server\",\"cloud\":1}\n{\"v\":99,\"ended\":\"Done\",\"at\":\"\"}\n");
    }),
    ("numbers beyond all numbers", |file| append(file, b"{\"v\":1,\"at\":\"\",\"intent\":\"create-server\",\"cloud\":1e999}\n")),
    ("nested without end", |file| append(file, "[".repeat(100_000).as_bytes())),
    ("a line of 12 MB", |file| append(file, &vec![b'a'; 12 << 20])),
    ("long lines of 12 MB together", |file| {
        let long = open_create("stop-server 3", 3).replace("\"x\"", &format!("\"{}\"", "x".repeat(300_000)));
        append(file, long.repeat(40).as_bytes());
    }),
    ("another way to end lines", |file| fs::write(file, lines(file).join("\r\n")).unwrap()),
];

/// A lifecycle with a damaged journal before every run: each ends in its wish, at no other price than time.
#[test]
fn a_damaged_journal_costs_time_and_nothing_else() {
    let mut damaged = 0;
    for (kind, rounds) in [(Kind::Local, DAMAGES.len()), (Kind::Scaleway, DAMAGES.len()), (Kind::Linode, DAMAGES.len())] {
        let stage = Stage::new(kind);
        stage.reach("present", "at first");
        for (round, (name, damage)) in DAMAGES.iter().cycle().take(rounds).enumerate() {
            let journal = stage.journal();
            fs::create_dir_all(journal.parent().unwrap()).unwrap();
            damage(&journal);
            // Every damage meets every wish, in the end: their numbers have no common divisor.
            let wish = ["absent", "present", "stopped", "present"][round % 4];
            let what = format!("{kind:?}: {name}");
            if wish == "stopped" || round % 3 == 0 {
                interrupted(&stage, wish, round);
                damage(&journal_again(&stage));
            }
            stage.reach(wish, &what);
            damaged += 1;
        }
    }
    figures::tell("runs with a damaged journal", damaged);
}

fn journal_again(stage: &Stage) -> std::path::PathBuf {
    let journal = stage.journal();
    fs::create_dir_all(journal.parent().unwrap()).unwrap();
    journal
}

/// A run that is killed on its way, at its so-many-th line of output: what it had begun is in the journal, and open.
fn interrupted(stage: &Stage, wish: &str, round: usize) {
    use std::io::{BufRead, BufReader};
    stage.write(wish);
    let mut child = stage.command(&["apply", "pad.yaml", "--yes", "-o", "json"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    // The first line is the plan; then each begins or ends a step.
    for _ in 0..=(round % 5 + 1) {
        if out.next().is_none() {
            break;
        }
    }
    child.kill().unwrap();
    let _ = Ran::from(child.wait_with_output().unwrap());
}
