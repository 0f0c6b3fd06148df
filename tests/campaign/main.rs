#[allow(dead_code, reason = "shared with other tests")]
mod pads;
#[path = "../it/vendors/sky.rs"]
mod sky;
mod console;
mod place;
mod tale;
mod twists;
mod vendors;
mod wire;

use cloudypad::{model::*, run::{Run, converge}, store::{Home, Journal}};
use std::sync::Arc;

fn main() {
    for vendor in vendors::VENDORS {
        let began = std::time::Instant::now();
        let n = 10;
        let mut text = String::new();
        for seed in 0..n {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        text = runtime.block_on(async {
            let place = Arc::new(place::Place::new(vendor, vendor.face(1), seed, tale::Tale::new(std::env::var("TALE").is_ok())));
            let home = std::path::PathBuf::from(format!("/dev/shm/campaign-{}-{seed}", vendor.name));
            let _ = std::fs::remove_dir_all(&home);
            for state in [ServerState::Present, ServerState::Stopped, ServerState::Absent, ServerState::Present] {
            let mut spec = vendor.spec();
            spec.server_state = state;
            let ask = Ask { key: InstanceKey{namespace: "default".into(), name: "mypad".into()}, spec, deletion: None, owner: None, adopt: false, recipe: "none".to_owned() };
            let (stop, stopped) = tokio::sync::watch::channel(false);
            let wire = Arc::new(wire::Line { place: place.clone(), who: 'A', doom: Arc::default(), stop });
            let hands = (vendor.hands)(wire, &ask);
            let mut journal = Journal::open(&Home::at(&home), &ask.key).unwrap();
            place.chapter(|| format!("{state:?}"));
            let run = Run { ask: &ask, provider: hands.as_ref(), journal: &mut journal, stop: stopped, patience: None, tell: &|event: Event| place.say(|| format!("{event:?}")) };
            let ending = converge(run).await.unwrap();
            if seed == 0 { println!("{ending:?}"); }
            }
            let _ = std::fs::remove_dir_all(&home);
            place.face.cloud().truth().unwrap().ledger.losses.iter().for_each(|it| println!("{it:?}"));
            place.end().1
        });
        }
        println!("{text}");
        println!("{} {:?} each", vendor.name, began.elapsed() / n as u32);
    }
}
