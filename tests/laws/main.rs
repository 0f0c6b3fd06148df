//! The laws, proven on the real planner and the real rules of a run, in every situation that a bounded story can come to.

#[path = "../figures.rs"]
mod figures;
#[path = "../it/support/words.rs"]
mod words;

mod canon;
mod cast;
mod cloud;
mod engine;
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
    let wishes = std::env::var("WISHES").unwrap_or("present; root snapshot; data 100 GB, snapshot|absent; root snapshot; data 100 GB, snapshot".into());
    let wishes: Vec<&str> = wishes.split('|').collect();
    let faults = std::env::var("FAULTS").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let w = std::env::var("WEATHER").unwrap_or("calls,edits".into());
    let weather = Weather { faults, calls: w.contains("calls"), looks: w.contains("looks"), edits: w.contains("edits"), strangers: w.contains("strangers"), platform: w.contains("platform") };
    let rival = std::env::var("RIVAL").ok();
    let story = cast::story(&kind, &wishes, rival.as_deref(), weather);
    let began = std::time::Instant::now();
    let walk = search::walk(&story, &Shipped, 3_000_000);
    println!("{} situations, {} moves, cut {} in {:?}", walk.situations, walk.moves, walk.cut, began.elapsed());
    println!("{:?}\n{:?}\n{:?}", walk.seen.steps, walk.seen.holds, walk.seen.waits);
    if let Some((breach, way)) = walk.found {
        panic!("{breach:?}\n{}", search::told(&story, &Shipped, &way));
    }
}
