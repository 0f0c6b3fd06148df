//! The laws, proven on the real planner and the real rules of a run, in every situation that a bounded story can come to.

#[path = "../figures.rs"]
mod figures;
#[path = "../it/support/words.rs"]
mod words;

mod canon;
mod cast;
mod cloud;
mod engine;
mod mutants;
mod order;
mod search;
mod settle;
mod system;
mod view;

use engine::Shipped;
use system::Weather;

#[test]
fn try_it() {
    let kind = std::env::var("KIND").unwrap_or("local".into());
    let wishes = std::env::var("WISHES")
        .unwrap_or("present; root snapshot; data 100 GB, snapshot|absent; root snapshot; data 100 GB, snapshot".into());
    let wishes: Vec<&str> = wishes.split('|').collect();
    let faults = std::env::var("FAULTS").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let w = std::env::var("WEATHER").unwrap_or("calls,edits".into());
    let weather = Weather {
        faults,
        calls: w.contains("calls"),
        looks: w.contains("looks"),
        edits: w.contains("edits"),
        strangers: w.contains("strangers"),
        platform: w.contains("platform"),
    };
    let rival = std::env::var("RIVAL").ok();
    let story = cast::story(&kind, &wishes, rival.as_deref(), weather);
    let began = std::time::Instant::now();
    let walk = search::walk(&story, &Shipped, w.contains("thorough"), 3_000_000);
    println!("{} situations, {} moves, cut {} in {:?}", walk.situations, walk.moves, walk.cut, began.elapsed());
    println!("{:?}\n{:?}\n{:?}", walk.seen.steps, walk.seen.holds, walk.seen.waits);
    if let Some((breach, way)) = walk.found {
        panic!("{breach:?}\n{}", search::told(&story, &Shipped, &way));
    }
}

#[test]
fn all_ways() {
    let faults = std::env::var("FAULTS").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let only = std::env::var("ONLY").unwrap_or_default();
    let w = std::env::var("WEATHER").unwrap_or("calls,edits,looks,platform,strangers".into());
    let stories = cast::ways(|can| Weather {
        faults,
        calls: w.contains("calls"),
        looks: w.contains("looks") && can.listing_lag > 0,
        edits: w.contains("edits"),
        strangers: w.contains("strangers"),
        platform: w.contains("platform"),
    });
    let stories: Vec<_> = stories.into_iter().filter(|it| it.name.contains(&only)).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let all = std::sync::Mutex::new((0usize, 0usize, search::Covered::default(), Vec::<String>::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(story) = stories.get(at) else { break };
                    let walk = search::walk(story, &Shipped, false, 300_000);
                    let mut all = all.lock().unwrap();
                    all.0 += walk.situations;
                    all.1 += walk.moves;
                    all.2.merge(walk.seen);
                    if let Some((breach, way)) = walk.found {
                        all.3.push(format!("{breach:?}\n{}", search::told(story, &Shipped, &way)));
                    }
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    for it in all.3.iter() {
        println!("{it}\n");
    }
    println!("{} stories, {} situations, {} moves, {} found", stories.len(), all.0, all.1, all.3.len());
    println!("{:?}\n{:?}\n{:?}\n{:?}\n{:?}", all.2.steps, all.2.holds, all.2.waits, all.2.reasons, all.2.notes);
}
