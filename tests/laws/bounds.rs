//! The walks: small enough for every test run, or as far as patience goes (`CLOUDYPAD_BOUND=full`).
//!
//! A walk is complete within its bound: of every story it visits every situation that so many faults, and so many passings
//! of the turn between two appliers, can lead to.

use super::{
    arms, cast, cover,
    engine::Shipped,
    figures, odd,
    search::{self, Covered},
    system::{Story, Weather},
    view::{self, Glance},
};
use cloudypad::{
    model::{Capabilities, Facts, Verdict},
    plan::forecast,
};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// Everything may go wrong, so many times. The local cloud's lists never lag.
fn storm(faults: u8) -> impl Fn(&Capabilities) -> Weather {
    move |can| Weather { faults, calls: true, looks: can.listing_lag > 0, edits: true, strangers: true, platform: true, switches: 0 }
}

/// Nobody but the appliers, so many kills and lost answers, and so many passings of the turn.
fn silence(faults: u8, switches: u8) -> impl Fn(&Capabilities) -> Weather {
    move |_| Weather { faults, calls: true, looks: false, edits: false, strangers: false, platform: false, switches }
}

/// Somebody in the console, and the guest itself, so many times; nothing else goes wrong.
fn strangers(faults: u8) -> impl Fn(&Capabilities) -> Weather {
    move |_| Weather { faults, calls: false, looks: false, edits: false, strangers: true, platform: false, switches: 0 }
}

struct Bound {
    stories: Vec<Story>,
    /// Whether every order of what comes to pass by itself is walked, also when nothing more may go wrong.
    thorough: bool,
}

/// What every test run walks.
fn small() -> Vec<Bound> {
    let is_short = |it: &Story| ["present → absent", "absent → present"].iter().any(|way| it.name.contains(way));
    let lives =
        cast::ways(silence(2, 0)).into_iter().filter(|it| is_short(it) && it.name.ends_with("root snapshot; data 100 GB")).collect();
    vec![
        Bound { stories: odd::beginnings(storm(1)), thorough: false },
        Bound { stories: cast::ways(storm(1)), thorough: false },
        Bound { stories: lives, thorough: false },
        Bound { stories: cast::restless(strangers(2)), thorough: false },
        Bound { stories: cast::rivals(silence(0, 1)), thorough: false },
    ]
}

/// What is walked on demand.
fn full() -> Vec<Bound> {
    vec![
        Bound { stories: odd::beginnings(storm(2)), thorough: false },
        Bound { stories: cast::ways(storm(1)), thorough: true },
        Bound { stories: cast::ways(storm(2)), thorough: false },
        Bound { stories: cast::rivals(silence(0, 2)), thorough: false },
        Bound { stories: cast::rivals(silence(1, 1)), thorough: false },
    ]
}

/// The laws hold in every situation of every story: no last copy is destroyed, a blind planner does nothing, a copy is
/// taken of a quiet disk, nothing is done twice that was done, and once nothing goes wrong any more every run ends in its
/// spec, or in a hold that what happened explains, and is quiet then.
///
/// Where gdb can look on, it is looked on which arms of the planner's matches are met on the way.
#[test]
fn every_situation_of_every_story_keeps_the_laws() {
    let is_full = std::env::var("CLOUDYPAD_BOUND").is_ok_and(|it| it == "full");
    let only = std::env::var("CLOUDYPAD_STORY").unwrap_or_default();
    if arms::is_watched() || is_full || !only.is_empty() || !cfg!(debug_assertions) {
        return walk_all(is_full, &only);
    }
    match arms::watch("bounds::every_situation_of_every_story_keeps_the_laws") {
        Ok(watched) => {
            println!("{}", watched.said);
            assert!(watched.passed, "the walk failed");
            let unmet = watched.report();
            assert!(unmet.is_empty(), "{} arms that no walk meets, or that are excused for no reason:\n{}", unmet.len(), unmet.join("\n"));
        }
        Err(why) => {
            figures::tell("arms of the planner's matches met", format!("not measured, {why}"));
            walk_all(is_full, &only);
        }
    }
}

fn walk_all(is_full: bool, only: &str) {
    let bounds = if is_full { full() } else { small() };
    let stories: Vec<(&Story, bool)> =
        bounds.iter().flat_map(|it| it.stories.iter().map(|story| (story, it.thorough))).filter(|it| it.0.name.contains(only)).collect();
    let next = AtomicUsize::new(0);
    let (situations, moves) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let met = Mutex::new((Covered::default(), Vec::new()));
    let work = || {
        while let Some((story, thorough)) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
            let walk = search::walk(story, &Shipped, *thorough, usize::MAX);
            situations.fetch_add(walk.situations, Ordering::Relaxed);
            moves.fetch_add(walk.moves, Ordering::Relaxed);
            if is_full || !only.is_empty() {
                println!("{}: {} situations, {} moves", story.name, walk.situations, walk.moves);
            }
            let endless = foretold_without_end(story);
            let Ok(mut met) = met.lock() else { return };
            met.1.extend(endless);
            met.0.merge(walk.seen);
            met.1
                .extend(walk.found.map(|(breach, way)| format!("{}: {}\n{}", breach.law, breach.how, search::told(story, &Shipped, &way))));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (covered, found) = met.into_inner().unwrap_or_else(|it| it.into_inner());
    assert!(found.is_empty(), "{} laws broken, {}\n\n(one story alone: CLOUDYPAD_STORY='its name')", found.len(), found.join("\n\n"));
    figures::tell("stories walked to their end", stories.len());
    figures::tell("situations explored", situations.into_inner());
    figures::tell("situations explored, moves tried in them", moves.into_inner());
    let unmet = cover::report(&covered);
    assert!(!only.is_empty() || unmet.is_empty(), "no walk meets {unmet:?}");
}

/// What a plan shows beforehand comes to an end, from wherever a story begins and whatever is wished there.
fn foretold_without_end(story: &Story) -> Option<String> {
    let world = view::look(&story.start, None, Glance::Clear, &mut None);
    let endless = story.wishes.iter().find(|it| forecast(it, &world, &Facts::default(), story.start.can).end == Verdict::Underway);
    endless.map(|it| format!("convergence: {}: what is foretold has no end for {:?}", story.name, it.spec.server_state))
}
