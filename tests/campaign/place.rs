//! Where a lifecycle takes place: a vendor's cloud, the simulated time, the wires that lead there, and what befalls them.
//!
//! Everything that looks like chance comes from one generator, and everything happens on one thread: the same seed has
//! the same requests arrive in the same order.

use crate::{
    console::Console,
    tale::Tale,
    twists::{Death, Twist, What},
    vendors::Vendor,
};
use cloudypad::emulator::{
    FaultKind, Moment,
    face::{Face, Request, exchange},
};
use fastrand::Rng;
use hyper::{Response, body::Bytes};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How often each thing happened.
pub type Tally = BTreeMap<&'static str, usize>;

/// The place.
pub struct Place {
    pub vendor: &'static Vendor,
    pub face: Face,
    began: Instant,
    now: Mutex<Now>,
}

/// What changes there.
struct Now {
    rng: Rng,
    tale: Tale,
    tally: Tally,
    /// How much time the cloud knows to have passed.
    passed: Duration,
    twists: Vec<Twist>,
    /// Requests of the run that the twists are about: all, and those that change something.
    requests: usize,
    changes: usize,
    /// For how many more requests there is no connection.
    unreachable: usize,
    /// The journal of that run, and how long it was when something last was changed.
    journal: PathBuf,
    written: u64,
    /// What strangers did, and when.
    strangers: Vec<(Moment, &'static str)>,
    /// What strangers' deeds may end.
    condemned: BTreeSet<String>,
    /// Whether two apply who want different things: then whoever starts a server is a stranger to the other.
    quarrel: bool,
}

/// What becomes of a request that is about to be sent.
pub struct Outlook {
    /// How long it travels, and its answer.
    pub there: Duration,
    pub back: Duration,
    pub death: Option<Death>,
    pub is_unreachable: bool,
    pub is_silent: bool,
    /// Whether it arrives where its sender dies while it is under way.
    pub outlives: bool,
    /// Whether the owner stops the run now.
    pub stops: bool,
}

/// A request as the tale tells it.
#[derive(Clone)]
pub struct Told {
    pub who: char,
    pub method: String,
    pub path: String,
    pub changes: bool,
}

impl Place {
    pub fn new(vendor: &'static Vendor, face: Face, seed: u64, tale: Tale) -> Self {
        let now = Now {
            rng: Rng::with_seed(seed),
            tale,
            tally: Tally::new(),
            passed: Duration::ZERO,
            twists: Vec::new(),
            requests: 0,
            changes: 0,
            unreachable: 0,
            journal: PathBuf::new(),
            written: 0,
            strangers: Vec::new(),
            condemned: BTreeSet::new(),
            quarrel: false,
        };
        Self { vendor, face, began: Instant::now(), now: Mutex::new(now) }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Lets the cloud's clock catch up with the simulation's.
    pub fn catch_up(&self) -> Moment {
        let (elapsed, mut now) = (self.elapsed(), self.now());
        let behind = elapsed.saturating_sub(now.passed);
        now.passed = elapsed;
        self.face.cloud().advance(behind).unwrap()
    }

    /// Tells something.
    pub fn say(&self, line: impl FnOnce() -> String) {
        let at = self.elapsed();
        self.now().tale.say(at, line);
    }

    pub fn chapter(&self, title: impl FnOnce() -> String) {
        self.now().tale.chapter(title);
    }

    /// Counts something that happened.
    pub fn count(&self, what: &'static str) {
        *self.now().tally.entry(what).or_default() += 1;
    }

    /// What was counted, and what was told.
    pub fn end(&self) -> (Tally, String) {
        let mut now = self.now();
        (std::mem::take(&mut now.tally), now.tale.text())
    }

    /// The admin door.
    pub fn order(&self, method: &str, what: &str, body: &Value) {
        self.call(method, &["_emulator", what], body);
    }

    /// A call that must go well.
    pub fn call(&self, method: &str, path: &[&str], body: &Value) {
        let headers = [("authorization", "Bearer the-owner"), ("x-auth-token", "the-owner")];
        let request = Request {
            method: method.to_owned(),
            path: path.iter().map(|it| (*it).to_owned()).collect(),
            query: Vec::new(),
            headers: headers.map(|(name, key)| (name.to_owned(), key.to_owned())).to_vec(),
            body: body.to_string().into_bytes(),
        };
        let answer = self.face.answer(&request).answer;
        assert!(answer.as_ref().is_some_and(|it| it.status < 300), "{method} {path:?} {body}: {answer:?}");
    }

    /// Begins a run that these twists are about, with this journal.
    pub fn expect(&self, twists: Vec<Twist>, journal: PathBuf, quarrel: bool) {
        let mut now = self.now();
        now.quarrel = quarrel;
        (now.requests, now.changes, now.unreachable) = (0, 0, 0);
        now.written = length(&journal);
        (now.twists, now.journal) = (twists, journal);
    }

    /// What becomes of a request of the run that the twists are about, or of another.
    pub fn outlook(&self, told: &Told, is_theirs: bool) -> Outlook {
        let mut now = self.now();
        let (there, back) = (now.travel(), now.travel());
        let outlives = now.rng.bool();
        let mut outlook = Outlook { there, back, death: None, is_unreachable: false, is_silent: false, outlives, stops: false };
        if !is_theirs {
            return outlook;
        }
        now.requests += 1;
        now.changes += usize::from(told.changes);
        let (request, change) = (now.requests, told.changes.then_some(now.changes));
        let mut strangers = Vec::new();
        for twist in now.due(|it| it.at.is_now(request, change, &told.path)) {
            match twist.what {
                What::Death(death) => outlook.death = Some(death),
                What::Stop => outlook.stops = true,
                What::Stranger(stranger) => strangers.push(stranger),
                What::Unreachable(times) => now.unreachable = times,
                What::Silence => outlook.is_silent = true,
            }
        }
        if now.unreachable > 0 {
            now.unreachable -= 1;
            outlook.is_unreachable = true;
        }
        if told.changes && outlook.death != Some(Death::Unsent) {
            now.written = length(&now.journal);
        }
        drop(now);
        strangers.into_iter().for_each(|it| self.let_in(it));
        outlook
    }

    /// A request arrives, and is answered or not. Gives what befell it, and what happens to its sender because of that.
    pub fn arrive(&self, told: &Told, request: &reqwest::Request, is_theirs: bool) -> (Option<Response<Bytes>>, Option<What>) {
        let at = self.catch_up();
        let (head, body) = (head_of(request), request.body().and_then(|it| it.as_bytes()).unwrap_or_default());
        if told.path.ends_with("/boot") || body.windows(7).any(|it| it == b"poweron") {
            let mut now = self.now();
            if now.quarrel {
                now.strangers.push((at, "started by the other"));
            }
        }
        let (response, fault) = exchange(&self.face, &head, body);
        let kind = fault.map(word);
        let mut then = None;
        if let Some(kind) = kind {
            self.count(kind);
            let due = if is_theirs { self.now().due(|it| it.at.is_fault(kind)) } else { Vec::new() };
            for twist in due {
                match twist.what {
                    What::Stranger(stranger) => self.let_in(stranger),
                    other => then = Some(other),
                }
            }
        }
        let (at, status) = (self.elapsed(), response.as_ref().map(|it| it.status().as_u16()));
        let mut now = self.now();
        let name = || format!("{} {}", told.method, (self.vendor.plain)(&told.path));
        match (status, kind) {
            (Some(200..300), None) if !told.changes => now.tale.read(at, told.who, || (self.vendor.plain)(&told.path)),
            (Some(status), None) => now.tale.say(at, || format!("{}  {} → {status}", told.who, name())),
            (Some(status), Some(kind)) => now.tale.say(at, || format!("{}  {} → {status}   ✗ {kind}", told.who, name())),
            (None, kind) => now.tale.say(at, || format!("{}  {} → silence   ✗ {}", told.who, name(), kind.unwrap_or("?"))),
        }
        (response, then)
    }

    /// Lets somebody act in the console: the first, in an order that a number says, who finds something to do. Seldom
    /// somebody comes who destroys something.
    pub fn let_in(&self, order: u64) {
        let at = self.catch_up();
        let mut rng = Rng::with_seed(order);
        let destroys = rng.u32(0..4) == 0;
        let mut strangers: Vec<_> = self.vendor.strangers.iter().filter(|it| it.destroys == destroys).collect();
        rng.shuffle(&mut strangers);
        let before = self.disks();
        let console = Console { face: &self.face, truth: self.face.cloud().truth().unwrap() };
        let Some(stranger) = strangers.into_iter().find(|it| (it.acts)(&console)) else {
            return self.say(|| "-  somebody looks into the console, and leaves it at that".to_owned());
        };
        self.say(|| format!("-  somebody else: {}", stranger.what));
        self.count(stranger.what);
        let mut now = self.now();
        now.strangers.push((at, stranger.what));
        if stranger.destroys {
            now.condemned.extend(before);
        }
    }

    /// Every disk there is.
    fn disks(&self) -> Vec<String> {
        self.face.cloud().ledger().unwrap().contents.into_keys().collect()
    }

    /// Whether a stranger may have ended this, or came so shortly before that no look could have told.
    pub fn is_a_strangers(&self, object: &str, at: Moment) -> bool {
        /// The longest that a call takes to arrive after the look it rests on, in seconds.
        const BLINK: f64 = 30.0;
        let now = self.now();
        now.condemned.contains(object) || now.strangers.iter().any(|(then, _)| (0.0..BLINK).contains(&at.seconds_since(*then)))
    }

    /// Whether a stranger ever ended something.
    pub fn has_condemned(&self) -> bool {
        !self.now().condemned.is_empty()
    }

    /// What strangers did so far.
    pub fn strangers(&self) -> Vec<&'static str> {
        self.now().strangers.iter().map(|(_, what)| *what).collect()
    }

    /// Tears the last line of the journal, where it may be that it was just being written. Says whether it was.
    pub fn tear(&self, share: f64) -> bool {
        let now = self.now();
        let Ok(bytes) = std::fs::read(&now.journal) else { return false };
        if bytes.len() as u64 <= now.written || bytes.is_empty() {
            return false;
        }
        let start = bytes[..bytes.len() - 1].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        let kept = start + ((bytes.len() - start) as f64 * share) as usize;
        std::fs::write(&now.journal, &bytes[..kept]).is_ok()
    }
}

impl Now {
    /// How long something is under way: mostly some milliseconds, at times seconds.
    fn travel(&mut self) -> Duration {
        let slow = self.rng.u32(0..200) == 0;
        Duration::from_millis(if slow { self.rng.u64(1_000..15_000) } else { self.rng.u64(3..90) })
    }

    /// Takes out the twists whose moment it is.
    fn due(&mut self, is_due: impl Fn(&Twist) -> bool) -> Vec<Twist> {
        let (due, rest) = std::mem::take(&mut self.twists).into_iter().partition(|it| is_due(it));
        self.twists = rest;
        due
    }
}

fn length(file: &PathBuf) -> u64 {
    std::fs::metadata(file).map_or(0, |it| it.len())
}

/// A request's head as a server reads it.
fn head_of(request: &reqwest::Request) -> hyper::http::request::Parts {
    let mut head = hyper::Request::builder().method(request.method()).uri(request.url().as_str());
    for (name, value) in request.headers() {
        head = head.header(name, value);
    }
    head.body(()).unwrap().into_parts().0
}

/// A fault in a word.
pub fn word(fault: FaultKind) -> &'static str {
    match fault {
        FaultKind::RateLimited => "rate-limited",
        FaultKind::BrokenBefore => "broken-before",
        FaultKind::LostReply => "lost-reply",
        FaultKind::Dropped => "dropped",
        FaultKind::OutOfStock => "out-of-stock",
        FaultKind::Quota => "quota",
        FaultKind::Stuck => "stuck",
        FaultKind::Slow { .. } => "slow",
        FaultKind::Denied => "denied",
        FaultKind::BrokenAfter => "broken-after",
        FaultKind::Unavailable => "unavailable",
        FaultKind::Maintenance => "maintenance",
        FaultKind::Html => "html",
        FaultKind::Refused => "refused",
        FaultKind::Transient => "transient",
        FaultKind::Stale => "stale",
        FaultKind::InVain => "in-vain",
        FaultKind::Late { .. } => "late",
        FaultKind::HoldBefore => "hold-before",
        FaultKind::HoldAfter => "hold-after",
    }
}

/// An armed fault, as the admin door takes it.
pub fn armed(operation: &str, what: &str, times: u32, skip: u32, size: u64) -> Value {
    let mut fault = json!({"operation": operation, "what": what, "times": times, "skip": skip});
    match what {
        "slow" => fault["factor"] = json!(size),
        "late" => fault["seconds"] = json!(size),
        _ => {}
    }
    fault
}
