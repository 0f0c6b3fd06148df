//! The laws must be able to fail: seeded mutants, each killed by a law.
//!
//! A mutant wraps the functions that ship and errs in one place: nothing is hooked into the planner, and nothing is built
//! anew. Its story is walked without a second opinion, so that the truth alone judges; then with one, to see whether it
//! would have spoken up. What ships walks the same story, under the same sky, to its end: it is the mistake that a law
//! finds, not the story. What only several faults together bring to light is shown to survive fewer of them.
//!
//! The table in specs/laws.md says what was found; `BLESS=1` writes it anew.

mod eyes;
mod mistake;
mod planted;
mod stage;

use crate::{
    engine::{Engine, Shipped},
    figures,
    search::{self, Walk},
    system::{Mishap, Move},
    view::Glance,
};
use mistake::Mutated;
use planted::Mutant;
use std::{
    env, fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// More situations than any of the stories has.
const MOST: usize = 6_000;

/// What became of a mutant.
#[derive(Default)]
struct Fate {
    /// Its row in the table.
    row: String,
    /// What is wrong with it, or with its story.
    wrong: Vec<String>,
    /// How many faults its death takes.
    faults: u8,
}

/// Every mutant dies by the law that is named for it, in a story that what ships walks unharmed.
#[test]
fn every_mutant_is_killed_by_its_law() {
    let only = env::var("CLOUDYPAD_MUTANT").unwrap_or_default();
    let mutants: Vec<Mutant> = planted::all().into_iter().filter(|it| it.name.contains(&only)).collect();
    let next = AtomicUsize::new(0);
    let fates = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(number) else { return };
                    let fate = fate_of(mutant);
                    fates.lock().unwrap_or_else(|it| it.into_inner()).push((number, fate));
                }
            });
        }
    });
    let mut fates = fates.into_inner().unwrap_or_else(|it| it.into_inner());
    fates.sort_by_key(|it| it.0);
    assert_eq!(fates.len(), mutants.len(), "a mutant's walk panicked");
    let wrong: Vec<String> = fates.iter().flat_map(|(_, it)| it.wrong.clone()).collect();
    assert!(wrong.is_empty(), "{}\n\n(one alone: CLOUDYPAD_MUTANT='its name')", wrong.join("\n"));
    if !only.is_empty() {
        return;
    }
    let several = fates.iter().filter(|(_, it)| it.faults > 1).count();
    assert!(mutants.len() >= 25 && several >= 5, "{} mutants, {several} of several faults", mutants.len());
    compare_with_the_table(&fates.iter().map(|(_, it)| it.row.as_str()).collect::<String>());
    figures::tell("mutants killed", format!("{} of {}", fates.len(), mutants.len()));
    figures::tell("mutants killed only by two faults together", several);
}

fn fate_of(mutant: &Mutant) -> Fate {
    let walk = |engine: &dyn Engine, faults: u8| search::walk(&mutant.stage.story(faults), engine, true, MOST);
    let alone = Mutated { mistake: mutant.mistake, audited: false };
    let audited = Mutated { mistake: mutant.mistake, audited: true };
    let name = mutant.name;
    let mut fate = Fate::default();
    let shipped = walk(&Shipped, u8::MAX);
    if let Some((breach, way)) = &shipped.found {
        let told = search::told(&mutant.stage.story(u8::MAX), &Shipped, way);
        fate.wrong.push(format!("{name}: what ships breaks a law in its story: {}: {}\n{told}", breach.law, breach.how));
    }
    if shipped.cut {
        fate.wrong.push(format!("{name}: its story has more than {MOST} situations"));
    }
    let Some((breach, way)) = walk(&alone, u8::MAX).found else {
        fate.wrong.push(format!("{name}: survives"));
        return fate;
    };
    if breach.law != mutant.law {
        let told = search::told(&mutant.stage.story(u8::MAX), &alone, &way);
        fate.wrong.push(format!("{name}: killed by {} ({}), and not by {}\n{told}", breach.law, breach.how, mutant.law));
    }
    fate.faults = faults(&way);
    for fewer in (0..fate.faults).rev() {
        let Walk { found, cut, .. } = walk(&audited, fewer);
        if cut || found.is_some() {
            fate.wrong.push(format!("{name}: dies by {fewer} faults as well: {found:?}"));
        }
    }
    let spoken = match walk(&audited, u8::MAX).found {
        Some((breach, _)) if breach.law == "second opinion" => "speaks up",
        _ => "is silent",
    };
    let (seat, law, story) = (mutant.mistake.seat(), mutant.law, mutant.stage.told());
    fate.row = format!("| {name} | {seat} | {law} | {} | {} | {story} | {spoken} |\n", way.len(), fate.faults);
    fate
}

/// How many things went wrong on a way.
fn faults(way: &[Move]) -> u8 {
    let of = |it: &Move| match it {
        Move::Look(_, Glance::Clear) | Move::Act(_, Mishap::None) | Move::Settle(_) => 0,
        Move::Late(..) | Move::Listed | Move::Tick(_) | Move::Lapse => 0,
        Move::Act(_, Mishap::LostUnlisted(_)) => 2,
        _ => 1,
    };
    way.iter().map(of).sum()
}

const BEGIN: &str = "<!-- mutants: written by the test -->\n";
const END: &str = "<!-- end of mutants -->\n";

/// The table in specs/laws.md is what was found.
fn compare_with_the_table(rows: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/laws.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("no table of mutants in {}", path.display()));
    let (said, after) = rest.split_once(END).unwrap_or_else(|| panic!("the table of mutants does not end in {}", path.display()));
    let head = "| Mutant | Sits in | Killed by | Moves | Faults | In the story | The second opinion |\n|---|---|---|---|---|---|---|\n";
    let found = format!("{head}{rows}");
    if env::var_os("BLESS").is_some() {
        let text = format!("{before}{BEGIN}{found}{END}{after}");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    } else {
        assert!(said == found, "the table of mutants in specs/laws.md is not what was found (BLESS=1 writes it):\n{found}");
    }
}
