//! The laws must be able to fail: seeded mutants, each killed by a law.
//!
//! A mutant wraps the functions that ship and errs in one place: nothing is hooked into the planner, and nothing is built
//! anew. It is first walked without a second opinion, so that the truth alone judges; then with one.

mod eyes;
mod mistake;
mod planted;
mod stage;

use crate::{
    engine::{Engine, Shipped},
    search,
};
use mistake::Mutated;
use planted::Mutant;
use stage::Stage;
use std::time::Instant;

#[test]
fn try_mutants() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let most = 20_000;
    for it in planted::all().iter().filter(|it| it.name.contains(&only)) {
        let began = Instant::now();
        let story = it.stage.story(9);
        let say = |engine: &dyn Engine, faults: u8| {
            let began = Instant::now();
            let story = it.stage.story(faults);
            let walk = search::walk(&story, engine, true, most);
            let cut = if walk.cut { " CUT" } else { "" };
            match walk.found {
                Some((breach, way)) => {
                    if std::env::var("TELL").is_ok() {
                        println!("{}", search::told(&story, engine, &way));
                        println!("{breach:?}");
                    }
                    format!("{} {} moves{cut} {:?}", breach.law, way.len(), began.elapsed())
                }
                None => format!("- {}{cut} {:?}", walk.situations, began.elapsed()),
            }
        };
        let truth = say(&Mutated { mistake: it.mistake, audited: false }, 9);
        let audited = say(&Mutated { mistake: it.mistake, audited: true }, 9);
        let mut fewer = String::new();
        for faults in 0..story.weather.faults {
            fewer += &format!(" [{faults}: {}]", say(&Mutated { mistake: it.mistake, audited: true }, faults));
        }
        let shipped = say(&Shipped, 9);
        let flag = if truth.starts_with(it.law) { "ok " } else { "!! " };
        println!("{flag}{:60} | {} | {truth} | {audited} |{fewer} | SHIPPED {shipped} | {:?}", it.name, it.law, began.elapsed());
    }
}
