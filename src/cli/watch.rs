//! `watch`: keeps instances as their files say, until it is told to end.

use super::{
    Exit, Failure, Outcome,
    apply::{Teller, listen, run_one},
    args::{Output, Watch},
    complain,
    hands::{self, Case},
    ready, target,
    validate::show_problems,
};
use crate::{
    machine::{Barred, IdleWord},
    model::{Ending, Event, Hold, Idle, InstanceKey, Power, ServerState, Stance},
    read::{self, Problem, ReadSpec},
    report::plain,
    run::reach,
    store::{Home, Lock},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    pin::Pin,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval_at, sleep, sleep_until},
};

/// A file that changed is read once it was left alone for so long: the beginning of a YAML file is often one itself.
const QUIET: Duration = Duration::from_millis(500);
/// Where something changes all the time, files are read all the same after so long.
const LONGEST: Duration = Duration::from_secs(5);
/// Between two tries to listen to a guest, or to get at an instance that another process is working on.
const AGAIN: Duration = Duration::from_secs(15);
/// The shortest time between two looks at the cloud that nothing asks for.
const SHORTEST: Duration = Duration::from_secs(10);

/// Keeps what the paths name.
pub(crate) async fn watch(args: Watch) -> Outcome {
    if args.every < SHORTEST {
        return Err(Failure::new(format!("--every: write {} s or more; files and guests are heard at once anyway", SHORTEST.as_secs())));
    }
    let home = hands::home()?;
    let (stopper, stop) = watch::channel(false);
    listen(stopper);
    let (changed, mut changes) = mpsc::unbounded_channel();
    let _eyes = open_eyes(&args.paths, changed)?;
    let teller = Teller::in_lines(args.output);
    let keeper = Keeper { args: &args, home: &home, teller: &teller, stop: stop.clone() };
    let (mut kept, mut told) = (BTreeMap::new(), Told::default());
    let mut lives: Lives<'_> = keeper.read(&mut kept, &mut told).into_iter().collect();
    if args.output == Output::Text {
        let count = if kept.len() == 1 { "1 instance".to_owned() } else { format!("{} instances", kept.len()) };
        complain(&format!("watching {count}; Ctrl-C ends it"));
    }
    let mut ended = stop;
    // Since when files change, and when they last did.
    let mut change: Option<(Instant, Instant)> = None;
    // Not every file system tells of every change.
    let mut round = interval_at(Instant::now() + args.every, args.every);
    loop {
        let due = change.map(|(first, last)| (last + QUIET).min(first + LONGEST));
        tokio::select! {
            _ = ended.wait_for(|it| *it) => break,
            Some(()) = changes.recv() => {
                let now = Instant::now();
                change = Some((change.map_or(now, |it| it.0), now));
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                change = None;
                lives.extend(keeper.read(&mut kept, &mut told));
            }
            _ = round.tick() => lives.extend(keeper.read(&mut kept, &mut told)),
            Some(()) = lives.next() => {}
        }
    }
    // What is in flight is settled first.
    while lives.next().await.is_some() {}
    Ok(Exit::Interrupted)
}

/// Says whenever something changes that the paths may name.
fn open_eyes(paths: &[PathBuf], changed: mpsc::UnboundedSender<()>) -> Result<RecommendedWatcher, Failure> {
    let mut eyes = notify::recommended_watcher(move |seen: notify::Result<notify::Event>| {
        // To read a file is no change. What could not be followed may be one.
        if !seen.is_ok_and(|it| it.kind.is_access()) {
            let _ = changed.send(());
        }
    })?;
    for path in paths {
        // An editor puts another file in a file's place: its directory is what stays.
        let above = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (at, mode) = if path.is_dir() { (path.as_path(), RecursiveMode::Recursive) } else { (above, RecursiveMode::NonRecursive) };
        eyes.watch(at, mode).map_err(|error| Failure::new(format!("cannot watch {}: {error}", at.display())))?;
    }
    Ok(eyes)
}

type Lives<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + 'a>>>;

/// What was told of the files when they were last read: it is not told again.
#[derive(Default)]
struct Told {
    problems: Vec<Problem>,
    complaints: BTreeSet<String>,
}

/// What was last read of an instance.
struct Kept {
    spec: ReadSpec,
    /// Where its next wish goes, while it is kept.
    wishes: Option<mpsc::UnboundedSender<Case>>,
}

/// What makes a life go on otherwise.
enum News {
    /// Its file says something else.
    Wish(Box<Case>),
    /// It is not to be kept any more.
    Leave,
}

/// What keeping needs.
struct Keeper<'a> {
    args: &'a Watch,
    home: &'a Home,
    teller: &'a Teller,
    stop: watch::Receiver<bool>,
}

impl<'a> Keeper<'a> {
    /// Reads the files, hands on what changed, and gives the lives of those that are new. What is broken or gone is left
    /// where it is, and hurts no other.
    fn read(&'a self, kept: &mut BTreeMap<InstanceKey, Kept>, told: &mut Told) -> Vec<Pin<Box<dyn Future<Output = ()> + 'a>>> {
        let read::Reading { specs, problems } = read::read(&self.args.paths);
        if !problems.is_empty() && problems != told.problems {
            show_problems(&problems, "; what is described there is left as it is");
        }
        told.problems = problems;
        let mut complaints = BTreeSet::new();
        let mut here: BTreeMap<InstanceKey, Vec<ReadSpec>> = BTreeMap::new();
        specs.into_iter().for_each(|it| here.entry(it.instance.key()).or_default().push(it));
        for (key, kept) in kept.iter_mut().filter(|(key, _)| !here.contains_key(key)) {
            if kept.wishes.take().is_some() {
                complain(&format!("{key}: nothing that can be read describes it any more; it is left as it is"));
            }
        }
        let mut born = Vec::new();
        for (key, mut specs) in here {
            let Some(spec) = specs.pop().filter(|_| specs.is_empty()) else {
                complaints.insert(format!("{key}: described twice, so nothing new is done for it"));
                continue;
            };
            let before = kept.get_mut(&key);
            let is_edited = before.as_ref().is_some_and(|it| it.spec.instance != spec.instance);
            if !is_edited && before.as_ref().is_some_and(|it| it.wishes.is_some()) {
                continue;
            }
            let mut case = match hands::case_of(spec.clone(), self.args.owner.owner.as_deref()) {
                Ok(case) => case,
                Err(failure) => {
                    complaints.insert(format!("{}: {failure}; nothing new is done for {key}", target::place(&spec)));
                    continue;
                }
            };
            // Whoever edits a file wants it so now; what lay there was wished before.
            case.ask.stance = if is_edited { Stance::Apply } else { Stance::Keep };
            match before.and_then(|it| {
                it.spec = spec.clone();
                it.wishes.as_ref()
            }) {
                Some(wishes) => drop(wishes.send(case)),
                None => {
                    let (wishes, coming) = mpsc::unbounded_channel();
                    kept.insert(key, Kept { spec, wishes: Some(wishes) });
                    born.push(Box::pin(self.keep(case, coming)) as Pin<Box<dyn Future<Output = ()>>>);
                }
            }
        }
        complaints.iter().filter(|it| !told.complaints.contains(*it)).for_each(|it| complain(it));
        told.complaints = complaints;
        born
    }

    /// Keeps one instance until nothing describes it any more.
    async fn keep(&self, mut case: Case, mut coming: mpsc::UnboundedReceiver<Case>) {
        let (mut last, mut ears) = (None, Ears::default());
        loop {
            let mut news = self.settle_unless_told(&case, &mut coming, &mut last).await;
            case.ask.idle = None;
            // Until it was reached, or another came after it, the latest edit is still to be applied.
            if matches!(&last, Some(Ending::Done { .. } | Ending::Held(Hold::OtherApplier { .. } | Hold::Archived { .. }))) {
                case.ask.stance = Stance::Keep;
            }
            if news.is_none() {
                // Nothing came of a run without an ending: somebody else is working on it, or a file of ours is in the way.
                let pause = if last.is_some() { self.args.every.mul_f64(0.9 + 0.2 * jitter(&case.ask.key)) } else { AGAIN };
                tokio::select! {
                    told = self.news(&mut coming) => news = Some(told),
                    () = sleep(pause) => {}
                    word = ears.await_idleness(&case), if last.is_some() => {
                        complain(&format!("{}: nobody uses it: {}", case.ask.key, plain(&word.reason)));
                        let seconds = case.ask.spec.autostop.as_ref().map_or(0, |it| u64::from(it.timeout_seconds));
                        case.ask.idle = Some(Idle { seconds });
                        ears.spent = Some(word.word);
                    }
                }
            }
            match news {
                None => {}
                Some(News::Wish(wish)) => case = *wish,
                Some(News::Leave) => return,
            }
        }
    }

    /// The latest wish, or that the instance is not to be kept any more.
    async fn news(&self, coming: &mut mpsc::UnboundedReceiver<Case>) -> News {
        let mut stop = self.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|it| *it) => News::Leave,
            wish = coming.recv() => match wish {
                Some(mut wish) => {
                    while let Ok(later) = coming.try_recv() {
                        wish = later;
                    }
                    News::Wish(Box::new(wish))
                }
                None => News::Leave,
            }
        }
    }

    /// One run, ended between two of its steps where there are news meanwhile, which are given back.
    async fn settle_unless_told(&self, case: &Case, coming: &mut mpsc::UnboundedReceiver<Case>, last: &mut Option<Ending>) -> Option<News> {
        let (halt, halted) = watch::channel(false);
        let run = self.settle(case, halted, last);
        tokio::pin!(run);
        tokio::select! {
            () = &mut run => None,
            news = self.news(coming) => {
                let _ = halt.send(true);
                run.await;
                Some(news)
            }
        }
    }

    /// One run, told where something happens, or it ends otherwise than the last.
    async fn settle(&self, case: &Case, stop: watch::Receiver<bool>, last: &mut Option<Ending>) {
        let key = &case.ask.key;
        let before = last.take();
        let lock = match Lock::take(self.home, key) {
            Ok(lock) => lock,
            Err(error) => return complain(&format!("{key}: {error}")),
        };
        let is_idle = case.ask.idle.is_some();
        let tell = |case: &Case, event: &Event| {
            let is_news = match event {
                Event::Ended(ending) => !before.as_ref().is_some_and(|it| is_like(it, ending)),
                _ => true,
            };
            if is_news {
                self.teller.tell(case, event);
            }
        };
        match run_one(self.home, case, stop.clone(), &tell).await {
            Ok(ending) => *last = Some(ending),
            Err(failure) => complain(&format!("error: {failure}")),
        }
        drop(lock);
        match last {
            Some(Ending::Done { calls: 1.. }) => {
                ready::attend(case, stop, &|event| self.teller.tell(case, &event)).await;
            }
            Some(Ending::Done { calls: 0 }) if is_idle => {
                complain(&format!(
                    "{key}: nobody uses it, and it cannot be archived as its spec stands; cloudypad plan says what serverState: absent would do"
                ));
            }
            _ => {}
        }
    }
}

/// Whether two runs ended alike: what was counted meanwhile makes no difference.
fn is_like(one: &Ending, other: &Ending) -> bool {
    let words = |hold: &Hold| hold.to_string().replace(|it: char| it.is_ascii_digit(), "");
    match (one, other) {
        (Ending::Done { .. }, Ending::Done { calls }) => *calls == 0,
        (Ending::Held(one), Ending::Held(other)) => one.code() == other.code() && words(one) == words(other),
        _ => false,
    }
}

/// Between 0 and 1, another for each instance and each time: they are not all looked at in one moment.
fn jitter(key: &InstanceKey) -> f64 {
    let seed = crate::model::digest(&format!("{key} {:?}", std::time::Instant::now()));
    (seed >> 11) as f64 / (1_u64 << 53) as f64
}

/// What was heard of one instance's guest.
#[derive(Default)]
struct Ears {
    /// The word that was acted on: said again, it is none.
    spent: Option<String>,
    /// Why the guest could not be heard, as it was told.
    deaf: Option<String>,
}

impl Ears {
    /// Waits until the guest of a server that runs says that nobody uses it, where its spec asks for that.
    async fn await_idleness(&mut self, case: &Case) -> IdleWord {
        let spec = &case.ask.spec;
        if spec.server_state == ServerState::Present && spec.autostop.as_ref().is_some_and(|it| it.enable) {
            let world = case.look().await;
            let server = world.servers.items().iter().find(|it| it.power == Power::Running);
            while let Some(reach) = server.and_then(|it| reach(&world, it)) {
                let (why, passes) = match case.inside.await_idleness(&reach, self.spent.as_deref()).await {
                    Ok(word) => return word,
                    Err(Barred::NotYet(why)) => (why, true),
                    Err(Barred::Shut { why, remedy }) => (format!("{why}; {remedy}"), false),
                };
                if self.deaf.as_ref() != Some(&why) {
                    complain(&format!("{}: cannot hear whether anybody uses it: {}", case.ask.key, plain(&why)));
                    self.deaf = Some(why);
                }
                if !passes {
                    break;
                }
                sleep(AGAIN).await;
            }
        }
        std::future::pending().await
    }
}
