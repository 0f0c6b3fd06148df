//! One lifecycle: an owner with a file and changing wishes, a cloud, and what a seed has in store for them.

use crate::{
    fate::{self, Fate, Second},
    judge,
    nursery::{nursery, simulated},
    place::{Place, Tally},
    tale::Tale,
    twists::{Death, Twist, What},
    vendors::Vendor,
    wire::Line,
    words::{told, wanted, word},
};
use cloudypad::{
    emulator::{Cloud, face::Face},
    model::{Ask, Deletion, Ending, Event, Hold, Instance, OnStop, Role, ServerState, Stance, spec::Dns},
    report::Lines,
    run::{Run, Trouble, converge},
    store::{Home, Journal},
};
use fastrand::Rng;
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// Where lifecycles begin: with nothing, or with the instance as somebody left it some time ago.
const STARTS: [Option<ServerState>; 7] = {
    use ServerState::{Absent, Present, Stopped};
    [None, None, Some(Present), Some(Present), Some(Stopped), Some(Absent), Some(Absent)]
};

/// What came of a lifecycle.
pub struct Outcome {
    pub tally: Tally,
    /// What was told, where somebody listened.
    pub tale: String,
    /// What went wrong that must not.
    pub failure: Option<String>,
}

/// Lives the lifecycle of a seed.
pub fn lifecycle(vendor: &'static Vendor, seed: u64, listens: bool) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let start = *rng.choice(&STARTS).unwrap();
    let truth = nursery(vendor, start).clone();
    // What stretches the pauses after failures.
    fastrand::seed(seed);
    simulated().block_on(async {
        let face = Face::new(Cloud::of(truth), None).unwrap();
        let place = Arc::new(Place::new(vendor, face, rng.u64(..), Tale::new(listens)));
        let mut life = Life::begin(place.clone(), rng, seed);
        place.say(|| format!("seed {seed} at {}: {}", vendor.name, life.told(start)));
        let failure = life.live(start).await.err();
        match &failure {
            None => place.say(|| "-  it ends well".to_owned()),
            Some(why) => place.say(|| format!("-  FAILED: {why}")),
        }
        let (tally, tale) = place.end();
        Outcome { tally, tale, failure }
    })
}

/// Where the files are that owners' machines keep. Where there is memory to write to, nothing waits for a disk.
pub fn homes() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let below = if memory.is_dir() { memory } else { std::env::temp_dir() };
    below.join(format!("cloudypad-campaign-{}", std::process::id()))
}

/// How a run ended.
enum End {
    Ended(Ending),
    Died(Death),
}

/// An owner, and what became of the instance so far.
pub struct Life {
    place: Arc<Place>,
    rng: Rng,
    /// The owner's file.
    pub file: Instance,
    /// Whether the owner has it deleted.
    deletes: bool,
    /// What befell the instance before this run.
    befell: BTreeSet<&'static str>,
    /// Where our own files are: on the owner's machine, and on the other one.
    homes: [PathBuf; 2],
    /// How many losses are judged.
    judged: usize,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.homes.iter().for_each(|it| drop(std::fs::remove_dir_all(it)));
    }
}

impl Life {
    /// An owner with the reference spec.
    pub fn begin(place: Arc<Place>, rng: Rng, seed: u64) -> Self {
        let homes = ["owner", "other"].map(|who| homes().join(format!("{}-{seed}-{who}", place.vendor.name)));
        let file = place.vendor.file();
        let judged = place.face.cloud().ledger().unwrap().losses.len();
        Self { place, rng, file, deletes: false, befell: BTreeSet::new(), homes, judged }
    }

    /// What the owner asks for.
    fn ask(&self) -> Ask {
        let deletion = self.deletes.then_some(Deletion { keep_snapshots: false });
        Ask { deletion, ..Ask::of(self.file.clone()) }
    }

    fn told(&self, start: Option<ServerState>) -> String {
        match start {
            None => "there is nothing yet".to_owned(),
            Some(state) => format!("the instance stands there, {}", word(state)),
        }
    }

    async fn live(&mut self, start: Option<ServerState>) -> Result<(), String> {
        self.write_first(start);
        for number in 0..*self.rng.choice(&[1, 1, 2]).unwrap() {
            if number > 0 || start.is_some() {
                self.change_mind();
            }
            self.place.chapter(|| format!("── the owner wants: {}", wanted(&self.file.spec)));
            let foul = self.rng.usize(1..3);
            self.insist(foul).await?;
            let flaws = judge::flaws(&self.place, &self.file.spec);
            if !flaws.is_empty() {
                return Err(format!("{} is fulfilled, and {}", word(self.file.spec.server_state), flaws.join("; ")));
            }
        }
        if self.rng.bool() {
            return Ok(());
        }
        self.place.chapter(|| "── the owner deletes it".to_owned());
        self.deletes = true;
        let foul = self.rng.usize(0..2);
        self.insist(foul).await?;
        let remains = judge::remains(&self.place);
        if remains.is_empty() { Ok(()) } else { Err(format!("deleted, and {}", remains.join("; "))) }
    }

    /// What is special about this owner's file.
    fn write_first(&mut self, start: Option<ServerState>) {
        let cloud = (self.place.vendor.capabilities)();
        let Self { rng, file: Instance { spec, .. }, .. } = self;
        if rng.u32(0..3) == 0 {
            spec.network.dns = Some(Dns { zone: "example.com".to_owned(), record: "mypad".to_owned() });
        }
        match rng.u32(0..12) {
            0 => spec.root_disk_snapshot.on_stop = Some(OnStop::Reuse),
            1 => spec.root_disk_snapshot.retain = 2,
            2 if start.is_none() => spec.data_disk = None,
            3 if cloud.data_snapshots => spec.data_disk_snapshot.enable = false,
            4 if start.is_none() && cloud.root_outlives_server => spec.root_disk_snapshot.enable = false,
            5 => spec.root_disk.disposable = true,
            _ => {}
        }
        if let Some(state) = start {
            spec.server_state = state;
        } else {
            spec.server_state =
                *rng.choice(&[ServerState::Present, ServerState::Present, ServerState::Present, ServerState::Stopped]).unwrap();
        }
    }

    /// The owner edits the file.
    fn change_mind(&mut self) {
        let types = self.place.vendor.types;
        let Self { rng, file: Instance { spec, .. }, .. } = self;
        match rng.u32(0..10) {
            0 => spec.data_disk.iter_mut().for_each(|it| it.size_gb = it.size_gb.map(|gb| gb + 10)),
            1 => {
                let name = types.into_iter().find(|it| *it != spec.placement().machine_type).unwrap_or(types[0]).to_owned();
                if let Some(scaleway) = &mut spec.provider.scaleway {
                    scaleway.instance_type = name;
                } else if let Some(linode) = &mut spec.provider.linode {
                    linode.instance_type = name;
                }
                return;
            }
            2 => spec.network.allow_from = vec![format!("10.{}.0.0/16", rng.u8(..))],
            _ => {}
        }
        let states = [ServerState::Present, ServerState::Present, ServerState::Stopped, ServerState::Absent, ServerState::Absent];
        let others: Vec<_> = states.into_iter().filter(|it| *it != spec.server_state).collect();
        spec.server_state = *rng.choice(&others).unwrap();
    }

    /// Applies until there is nothing left to do: at first so many times in foul weather, then in good.
    pub async fn insist(&mut self, foul: usize) -> Result<(), String> {
        let mut last = String::new();
        for attempt in 0..foul + 9 {
            let is_foul = attempt < foul;
            self.calm();
            let fate = if is_foul { self.storm() } else { Fate::default() };
            let end = self.run(fate).await?;
            self.judge_losses()?;
            match end {
                End::Ended(Ending::Done { calls: 0 }) if !is_foul => return Ok(()),
                End::Ended(Ending::Done { .. }) => last = "ends well, and then there is more to do".to_owned(),
                End::Ended(Ending::Interrupted) => self.think_again(),
                End::Died(death) => {
                    self.clean_up(death);
                    self.think_again();
                }
                End::Ended(Ending::Held(hold)) => {
                    self.remedy(&hold).await?;
                    last = format!("{}: {hold}", hold.code());
                }
            }
            // Nobody sees what happens between two runs.
            if is_foul && self.rng.u32(0..4) == 0 {
                self.place.let_in(self.rng.u64(..));
            }
            // What is late, or lags, or was set off by somebody, happens meanwhile.
            let pause = if attempt + 1 < foul { self.rng.u64(0..90) } else { 200 };
            sleep(Duration::from_secs(pause)).await;
        }
        Err(format!("it does not converge; the last run {last}"))
    }

    /// Good weather, but for what is on its way.
    fn calm(&mut self) {
        self.place.order("DELETE", "faults", &json!(null));
        self.place.order("POST", "clock", &json!({"unstick": true}));
    }

    fn storm(&mut self) -> Fate {
        let wish = if self.deletes { "delete" } else { word(self.file.spec.server_state) };
        let fate = fate::draw(&mut self.rng, self.place.vendor, wish);
        self.place.order("POST", "settings", &fate.habits);
        for fault in &fate.faults {
            self.place.order("POST", "faults", fault);
            self.place.say(|| {
                let skip = fault["skip"].as_u64().filter(|it| *it > 0).map_or(String::new(), |it| format!(", after {it} that go well"));
                format!(
                    "-  in store: {} for {}, {} times{skip}",
                    fault["what"].as_str().unwrap(),
                    fault["operation"].as_str().unwrap(),
                    fault["times"]
                )
            });
        }
        self.place.say(|| format!("-  habits of the cloud: {}", fate.habits));
        fate
    }

    /// One run, with what is in store for it; its twists, and one who applies at the same time.
    async fn run(&mut self, fate: Fate) -> Result<End, String> {
        let mut now: BTreeSet<&'static str> = fate.kinds.iter().copied().collect();
        let strangers = self.place.strangers().len();
        self.befell.extend(self.place.strangers());
        let dead = fate.twists.iter().find_map(|it| if let What::Death(death) = it.what { Some(death) } else { None });
        for Twist { what, .. } in &fate.twists {
            match what {
                What::Unreachable(_) => now.extend(["unreachable"]),
                What::Silence => now.extend(["silence"]),
                _ => {}
            }
        }
        let ask = self.ask();
        let journal = Home::at(&self.homes[0]).journals().join(format!("{}.jsonl", ask.key.dotted()));
        self.place.expect(fate.twists, journal, fate.second.is_some_and(|it| it.conflicts));
        let other = fate.second.map(|second| (second, self.asks_of_the_other(second)));
        let first = apply(&self.place, 'A', &self.homes[0], &ask);
        let second = async {
            let (second, ask) = other.as_ref()?;
            sleep(second.after).await;
            self.place.count(if second.conflicts { "second-conflicting" } else { "second-equal" });
            self.place.say(|| format!("B  begins as well, on another machine, and wants: {}", wanted(&ask.spec)));
            Some(apply(&self.place, 'B', &self.homes[1], ask).await)
        };
        let (first, second) = tokio::join!(first, second);
        now.extend(self.place.strangers().into_iter().skip(strangers));
        if fate.second.is_some_and(|it| it.conflicts) {
            now.insert("conflict");
        }
        let before = self.befell.clone();
        self.befell.extend(now.iter().copied());
        let mut end = End::Died(dead.unwrap_or(Death::Answered));
        for (who, outcome) in [("A", first), ("B", second.flatten())] {
            let Some(outcome) = outcome else { continue };
            let ending = outcome.map_err(|trouble| format!("{who} is in trouble: {trouble}"))?;
            if let Ending::Held(hold) = &ending
                && !judge::explains(hold, &now, &before)
            {
                return Err(format!(
                    "{who} is held, and nothing that happened explains it: {}: {hold}; {now:?} after {before:?}",
                    hold.code()
                ));
            }
            if who == "A" {
                end = End::Ended(ending);
            }
        }
        Ok(end)
    }

    /// What the other one's file says: the same, or something else.
    fn asks_of_the_other(&mut self, second: Second) -> Ask {
        let mut ask = self.ask();
        if second.conflicts {
            let states = [ServerState::Present, ServerState::Stopped, ServerState::Absent];
            let others: Vec<_> = states.into_iter().filter(|it| *it != ask.spec.server_state).collect();
            let state = *self.rng.choice(&others).unwrap();
            ask.spec.amend(|it| it.server_state = state);
            ask.stance = if self.rng.bool() { Stance::Keep } else { Stance::Apply };
        }
        ask
    }

    /// After a crash: what was just being written may be torn; or the owner goes on from another machine.
    fn clean_up(&mut self, death: Death) {
        if death == Death::Unsent && self.rng.bool() && self.place.tear(self.rng.f64()) {
            self.place.count("torn-journal");
            self.place.say(|| "-  the last line of the journal is torn".to_owned());
        }
        if self.rng.u32(0..8) == 0 {
            let _ = std::fs::remove_dir_all(&self.homes[0]);
            self.place.count("journal-gone");
            self.place.say(|| "-  the owner goes on from a new machine, without journal".to_owned());
        }
    }

    /// A run that was cut short: at times the owner wants something else by now.
    fn think_again(&mut self) {
        if !self.deletes && self.rng.u32(0..4) == 0 {
            self.change_mind();
            self.place.count("spec-edited");
            self.place.say(|| format!("-  the owner edits the spec: {}", wanted(&self.file.spec)));
        }
    }

    /// What the owner does about a hold, as its remedy says.
    async fn remedy(&mut self, hold: &Hold) -> Result<(), String> {
        match hold {
            // Having looked why, its owner has it started once more.
            Hold::KeepsGoingOff { .. } => self.file.spec.wake.push('x'),
            Hold::CaptureFailed { limit_gb, .. } => {
                if let Some(linode) = &mut self.file.spec.provider.linode {
                    linode.image_limit_gb = Some(limit_gb + 10);
                    self.place.say(|| format!("-  the owner writes imageLimitGb: {}", limit_gb + 10));
                }
            }
            Hold::DiskGone { role: Role::Root, copy: false } => {
                self.file.spec.root_disk.disposable = true;
                self.place.say(|| "-  the owner writes rootDisk: {disposable: true}".to_owned());
            }
            Hold::DiskGone { role: Role::Data, copy: false } => {
                self.place.say(|| "-  the owner writes dataDisk: {delete: true}, and later its size again".to_owned());
                let size = self.file.spec.data_disk.clone();
                self.file.spec.data_disk.iter_mut().for_each(|it| it.delete = true);
                self.calm();
                self.run(Fate::default()).await?;
                self.file.spec.data_disk = size;
            }
            Hold::DiskGone { copy: true, .. } => {
                self.place.say(|| "-  the owner writes serverState: absent, and later the wish again".to_owned());
                let state = self.file.spec.server_state;
                self.file.spec.server_state = ServerState::Absent;
                self.calm();
                self.run(Fate::default()).await?;
                self.file.spec.server_state = state;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether anything was lost that the owner did not let go and no stranger ended.
    fn judge_losses(&mut self) -> Result<(), String> {
        let losses = self.place.face.cloud().ledger().unwrap().losses;
        let cloud = (self.place.vendor.capabilities)();
        let new = losses[self.judged..].iter().find(|loss| {
            let is_wanted = self.deletes || judge::is_let_go(&self.file.spec, &cloud, loss);
            !is_wanted && !self.place.is_a_strangers(&loss.object, loss.at)
        });
        self.judged = losses.len();
        match new {
            Some(loss) => {
                Err(format!("bytes are lost that lived nowhere else: {} {} {:?} at {}", loss.object, loss.name, loss.tags, loss.at))
            }
            None => Ok(()),
        }
    }
}

/// One run of the real engine with the real hands; nothing, where its process died.
async fn apply(place: &Arc<Place>, who: char, home: &std::path::Path, ask: &Ask) -> Option<Result<Ending, Trouble>> {
    let (stop, stopped) = watch::channel(false);
    let doom = Arc::new(Notify::new());
    let hands = (place.vendor.hands)(Arc::new(Line { place: place.clone(), who, doom: doom.clone(), stop }), ask);
    let lines = Lines::new(false);
    let tell = |event: Event| place.say(|| told(&lines, ask, who, &event));
    let mut journal = match Journal::open(&Home::at(home), &ask.key) {
        Ok(journal) => journal,
        Err(error) => return Some(Err(error.into())),
    };
    let run = Run {
        ask,
        provider: hands.as_ref(),
        journal: &mut journal,
        stop: stopped,
        inside: None,
        patience: None,
        not_before: None,
        tell: &tell,
        show: &|_, _| {},
    };
    tokio::select! {
        biased;
        ending = converge(run) => Some(ending),
        () = doom.notified() => None,
    }
}
