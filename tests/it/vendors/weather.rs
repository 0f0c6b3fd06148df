//! Lifecycles in bad weather: whatever goes wrong on the way, every run is resumed by a plain apply, and ends well.
//!
//! `CLOUDYPAD_SEED` repeats one seed, `CLOUDYPAD_SEEDS` sets how many there are.

use super::{Trial, sky::Sky};
use crate::support::{
    face::Face,
    shop::{Ran, Shop},
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// A hold that a kind of weather brings about.
pub struct Remedy {
    pub weather: &'static str,
    /// Its code.
    pub hold: &'static str,
    /// What the owner makes of the spec; none, where it passes by itself.
    pub word: Option<fn(spec: &str) -> String>,
}

/// What others do to a server that runs: its guest, the vendor, somebody in the console.
pub struct Incident {
    pub what: &'static str,
    pub happens: fn(&Face, server: &str),
}

/// A vendor's weather.
pub struct Season {
    pub trial: &'static Trial,
    pub sky: &'static Sky,
    pub incidents: &'static [Incident],
    /// Lasting habits of the cloud, drawn anew with every storm.
    pub habits: fn(&mut Rng) -> Value,
    /// The holds that its own weather brings about, beside the common ones.
    pub remedies: &'static [Remedy],
    /// What is there before the first run: the DNS zone example.com.
    pub prepare: fn(&Face),
    /// How many records a DNS name has.
    pub records: fn(&Face, name: &str) -> u64,
}

/// How often each kind strikes in a half, at least.
const STRIKES: usize = 3;

/// How often each kind of weather struck, and each incident happened.
type Struck = BTreeMap<String, usize>;

/// The lines of a spec with a DNS name.
const NAMED: &str = "  network:\n    dns: {zone: example.com, record: mypad}\n";

impl Season {
    /// Every lifecycle of a half, the odd seeds or the even ones; in enough of them, every kind of weather was met, and often.
    pub fn pass(&self, part: u64) {
        let mut seeds: Vec<u64> = seeds(part).collect();
        let count = seeds.len();
        // Side by side: most of their time they wait for what is stuck.
        let rest = seeds.split_off(count / 2);
        let mut struck = BTreeMap::new();
        let merge = |more: Struck| more.into_iter().for_each(|(kind, times)| *struck.entry(kind).or_insert(0) += times);
        std::thread::scope(|scope| {
            let halves = [seeds, rest].map(|seeds| scope.spawn(move || self.lifecycles(&seeds)));
            halves.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).for_each(merge);
        });
        eprintln!("what struck in {count} lifecycles: {struck:?}");
        let kinds = self.sky.kinds().map(|it| it.0);
        let rare: Vec<&str> = kinds
            .chain(self.incidents.iter().map(|it| it.what))
            .filter(|it| struck.get(*it).is_none_or(|times| *times < STRIKES))
            .collect();
        assert!(count < 40 || rare.is_empty(), "struck seldom: {rare:?} of {struck:?}");
    }

    fn lifecycles(&self, seeds: &[u64]) -> Struck {
        let mut struck = Struck::new();
        seeds.iter().for_each(|seed| self.lifecycle(*seed, &mut struck));
        struck
    }

    fn lifecycle(&self, seed: u64, struck: &mut Struck) {
        let shop = Shop::new();
        let face = Face::start(self.trial.vendor, &shop);
        (self.prepare)(&face);
        let what = format!("seed {seed}");
        let mut life = Life { season: self, what, shop, face, rng: Rng::with_seed(seed), scars: Vec::new(), struck };
        let named = if seed.is_multiple_of(3) { NAMED } else { "" };
        let mut state = "absent";
        for _ in 0..life.rng.usize(3..6) {
            let others = ["present", "present", "stopped", "absent", "absent"].into_iter().filter(|it| *it != state);
            state = life.rng.choice(others.collect::<Vec<_>>()).unwrap();
            life.wish(state, named);
        }
        life.end();
    }
}

/// One lifecycle.
struct Life<'s> {
    season: &'s Season,
    what: String,
    shop: Shop,
    face: Face,
    rng: Rng,
    /// The weather so far that the owner's word alone makes good.
    scars: Vec<&'static str>,
    struck: &'s mut Struck,
}

impl Life<'_> {
    fn wish(&mut self, state: &str, more: &str) {
        self.season.trial.write(&self.shop, state, more);
        self.insist(state, &["apply", "pad.yaml", "--yes", "-o", "json"]);
        let Self { season, what, shop, face, struck, .. } = self;
        face.disarm();
        assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()), "{what}, {state}");
        // What the cloud refused to delete is cleared away at the next archive.
        face.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
        face.faults().into_iter().for_each(|it| *struck.entry(it).or_default() += 1);
        season.trial.settled(shop, face, state, what);
    }

    fn end(&mut self) {
        let delete = ["delete", "pad.yaml", "--yes", "--destroy-data", "mypad", "-o", "json"];
        let ran = self.insist("delete", &delete);
        let Self { season, what, shop, face, struck, .. } = self;
        face.faults().into_iter().for_each(|it| *struck.entry(it).or_default() += 1);
        if ran.out.contains("the run goes on without it") {
            // A copy that the cloud would not delete is told, and goes with the next delete.
            face.disarm();
            face.expect(shop, 0, &delete);
        }
        assert_eq!(face.judge(&[]).0, Vec::<String>::new(), "{what}: something is left after delete");
        assert_eq!((season.records)(face, "mypad"), 0, "{what}: the name is left after delete");
    }

    /// Runs a command until it ends well, at first in bad weather, then in good: how it ended.
    fn insist(&mut self, wish: &str, args: &[&str]) -> Ran {
        let what = format!("{}, {args:?}", self.what);
        let mut lasting: Vec<&str> = Vec::new();
        let mut said = String::new();
        for attempt in 0..7 {
            match attempt {
                0..3 => lasting.extend(self.storm(wish)),
                _ => self.face.disarm(),
            }
            let ran = if attempt < 3 && self.rng.u32(0..3) == 0 { self.interfered(args) } else { self.face.run(&self.shop, args) };
            assert!([0, 3].contains(&ran.code), "{what}, attempt {attempt}: {}\n{}\n{}", ran.code, ran.out, ran.err);
            if ran.code == 0 {
                return ran;
            }
            let hold = hold(&ran);
            // In good weather nothing holds but what was stuck before.
            if attempt > 2 {
                lasting.retain(|it| ["stuck", "slow"].contains(it));
            }
            let explained = self.season.explains(&lasting, &self.scars, &hold);
            assert!(explained, "{what}, attempt {attempt}: {hold} in {lasting:?}, {:?}\n{}", self.scars, ran.out);
            if hold == "Stuck" {
                // Such a wait takes seconds of ours: one of them is enough.
                self.face.unstick();
            }
            if hold == "KeepsGoingOff" {
                // Having looked why, its owner has it started once more.
                let spec = self.shop.read("pad.yaml");
                let spec: String = spec.lines().filter(|it| !it.starts_with("  wake: ")).map(|it| format!("{it}\n")).collect();
                self.shop.write("pad.yaml", &format!("{spec}  wake: again-{attempt}\n"));
            }
            if let Some(word) = self.season.remedies.iter().find(|it| it.hold == hold).and_then(|it| it.word) {
                self.shop.write("pad.yaml", &word(&self.shop.read("pad.yaml")));
            }
            said = format!("{}\n{}", ran.out, ran.err);
        }
        panic!("{what}: does not converge: {said}");
    }

    /// Runs a command; before it, or while it runs, something happens to a server that runs.
    fn interfered(&mut self, args: &[&str]) -> Ran {
        let before = self.rng.bool() && self.incident();
        let pause = Duration::from_millis(self.rng.u64(0..60));
        let mut child = self.face.command(&self.shop, args).spawn().unwrap();
        if !before {
            std::thread::sleep(pause);
            // Somewhere on the way a server may begin to run.
            while child.try_wait().unwrap().is_none() && !self.incident() {}
        }
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Lets something happen to a server that runs; whether there was one.
    fn incident(&mut self) -> bool {
        let inventory = self.face.inventory();
        let server = inventory.iter().find_map(|it| it.strip_prefix("server ")?.strip_suffix(" running")?.split(' ').next());
        let Some(server) = server else { return false };
        let Some(Incident { what, happens }) = self.rng.choice(self.season.incidents) else { return true };
        happens(&self.face, server);
        *self.struck.entry((*what).to_owned()).or_default() += 1;
        true
    }

    /// Arms a few faults for the way to a wish; what they are.
    fn storm(&mut self, wish: &str) -> Vec<&'static str> {
        let Self { season, rng, face, .. } = self;
        let mut armed = Vec::new();
        for _ in 0..rng.usize(1..4) {
            let Some(&(what, sort)) = rng.choice(season.sky.kinds().collect::<Vec<_>>()) else { continue };
            let Some(call) = rng.choice(season.sky.befallen(wish, sort)) else { continue };
            let times = if what == "rate-limited" { rng.u32(1..12) } else { rng.u32(1..3) };
            // Of one call alone there are few.
            let skip = if call.operation.ends_with('*') { rng.u32(0..6) } else { rng.u32(0..2) };
            face.arm(call.operation, what, times, skip);
            armed.push(what);
        }
        face.post("/_emulator/settings", (season.habits)(rng));
        let remains = |it: &&&str| season.remedies.iter().any(|remedy| remedy.weather == **it && remedy.word.is_some());
        self.scars.extend(armed.iter().filter(remains));
        armed
    }
}

impl Season {
    /// Whether this weather can bring about that hold. Anything else would be a false one.
    fn explains(&self, armed: &[&str], scars: &[&str], hold: &str) -> bool {
        let any = |kinds: &[&str]| armed.iter().any(|it| kinds.contains(it));
        let common = match hold {
            "Refused" => any(&["quota", "refused"]),
            "OutOfStock" => any(&["out-of-stock"]),
            "Stuck" => any(&["stuck", "slow"]),
            "KeepsGoingOff" => !self.incidents.is_empty(),
            // A look is tried so often that only lasting weather blinds it.
            "Blind" | "KeepsFailing" => armed.iter().any(|it| *it != "stuck"),
            _ => false,
        };
        common || self.remedies.iter().any(|it| it.hold == hold && (any(&[it.weather]) || scars.contains(&it.weather)))
    }
}

/// The code of the hold that a run, or its plan, ended with.
fn hold(ran: &Ran) -> String {
    let lines = ran.out.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let mut codes = lines.filter_map(|it| it["hold"]["code"].as_str().map(str::to_owned));
    codes.next_back().unwrap_or_else(|| panic!("no hold: {}\n{}", ran.out, ran.err))
}

fn seeds(part: u64) -> impl Iterator<Item = u64> {
    let var = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let (first, count) = match var("CLOUDYPAD_SEED") {
        Some(seed) => (seed, 1),
        None => (1, var("CLOUDYPAD_SEEDS").unwrap_or(100)),
    };
    (first..first + count).filter(move |seed| seed % 2 == part)
}

/// The guest shuts itself down; it may be on its way down, or gone, by then.
pub const GUEST_SHUTDOWN: Incident = Incident {
    what: "guest-shutdown",
    happens: |face, server| {
        face.call("POST", "/_emulator/guest-shutdown", Some(&json!({"server": server})));
    },
};

/// How new objects show in lists with a lag, at most so many seconds.
pub fn listing_lag(rng: &mut Rng) -> Value {
    json!({"listing_lag": rng.u32(0..5)})
}
