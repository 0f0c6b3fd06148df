//! Killed at any instant: over HTTP, with the real binary.

use super::Trial;
use crate::support::{face::Face, shop::Shop};
use fastrand::Rng;
use std::time::Duration;

impl Trial {
    fn settle(&self, shop: &Shop, face: &Face, what: &str, state: &str) {
        face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
        assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()), "{what}");
        // What the cloud would not delete yet goes with the next one.
        face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
        self.settled(shop, face, state, what);
    }

    /// Commands killed somewhere on the way to each wish; a plain apply goes on.
    pub fn killed_at_any_instant(&self) {
        let seed = std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(7);
        let mut rng = Rng::with_seed(seed);
        let shop = Shop::new();
        let face = Face::start(self.vendor, &shop);
        for round in 0..12 {
            let state = ["present", "absent", "present", "stopped", "absent"][round % 5];
            self.write(&shop, state, "");
            for _ in 0..4 {
                let mut child = face.command(&shop, &["apply", "pad.yaml", "--yes"]).spawn().unwrap();
                // Somewhere on the way: a whole run takes about half a second.
                std::thread::sleep(Duration::from_millis(rng.u64(5..500)));
                let _ = child.kill();
                child.wait().unwrap();
            }
            self.settle(&shop, &face, &format!("seed {seed}, round {round}"), state);
        }
    }
}
