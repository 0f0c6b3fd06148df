//! `watch`: keeps instances as their files say, until it is told to end.
//!
//! A file is read the moment it changes, and the cloud looked at; nothing is changed before the file was left alone for
//! [`QUIET`]. In reading order: this file reads and hands on; `life` keeps one instance; `ears` hear its guest; `mirror`
//! shows it all to browsers.

mod branch;
mod ears;
mod life;
mod mirror;

use super::{
    Exit, Failure, Outcome,
    account::Views,
    apply::{Teller, listen},
    args::{Output, Watch},
    complain, hands, target,
    validate::show_problems,
};
use crate::{
    herald::Herald,
    model::{Instance, InstanceKey, Occasion, Stance},
    read::{Problem, ReadSpec, Reader, Reading},
    report::plain,
    source::{Checkout, Source, Trouble},
    store::Home,
    watch::{Hub, Order},
};
use branch::{Branch, Origin, SHORTEST_POLL};
use futures_util::{StreamExt, stream::FuturesUnordered};
use life::{Life, Wish};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// What a file says is wished once it was left alone for so long: the beginning of a YAML file is often one itself.
const QUIET: Duration = Duration::from_millis(500);
/// How much later something is done for it: so that what changed at the last moment is heard of first.
const MARGIN: Duration = Duration::from_millis(100);
/// Where something changes all the time, what is wrong is told all the same after so long.
const LONGEST: Duration = Duration::from_secs(5);
/// How long to try to tell others the last that happened, once everything is settled.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// The shortest time between two looks at the cloud that nothing asks for.
const SHORTEST: Duration = Duration::from_secs(10);

/// Keeps what the paths name.
pub(crate) async fn watch(args: Watch) -> Outcome {
    if args.every < SHORTEST {
        return Err(Failure::new(format!("--every: write {} s or more; files and guests are heard at once anyway", SHORTEST.as_secs())));
    }
    if args.poll < SHORTEST_POLL {
        return Err(Failure::new(format!(
            "--poll: write {} s or more; a Git host may say at once that it has news",
            SHORTEST_POLL.as_secs()
        )));
    }
    let home = hands::home()?;
    let (stopper, stop) = watch::channel(false);
    listen(stopper);
    let source = Source::read(&args.paths, args.branch.as_deref(), args.path.as_deref())?;
    let (changed, mut changes) = mpsc::unbounded_channel();
    let (mut branch, mut origin) = (None, Origin::default());
    let _eyes = match source {
        Source::Paths(paths) => {
            let eyes = open_eyes(&paths, changed)?;
            origin.paths = paths;
            Some(eyes)
        }
        Source::Git(place) => {
            let followed = branch.insert(Branch::open(&home, place, &args, stop.clone())?);
            origin = followed.last().await.map(Origin::of).unwrap_or_default();
            None
        }
    };
    let name = branch.as_ref().map(Branch::name);
    let hook = branch.as_ref().and_then(Branch::hook);
    let teller = Teller::in_lines(args.output);
    let (hub, mut orders) = mirror::open(&args, hook, stop.clone()).await?;
    let mut keeper = Keeper {
        owner: args.owner.owner.clone().or_else(|| branch.as_ref().map(Branch::owner)),
        origin: RefCell::new(origin),
        home: &home,
        teller: &teller,
        hub,
        herald: super::notify::herald(&args.notify)?,
        stop: stop.clone(),
        rounds: watch::Sender::new(()),
        views: RefCell::default(),
        generation: Cell::default(),
    };
    let mut sheet = Sheet::default();
    let (found, mut finds) = mpsc::unbounded_channel();
    let mut lives: Lives<'_> = match branch {
        None => keeper.read(&mut sheet, true).into_iter().collect(),
        Some(branch) => {
            // What was carried out last is kept on, whatever became of the repository; the first find tells the rest.
            let lives = if keeper.origin.borrow().checkout.is_some() { keeper.read(&mut sheet, true) } else { Vec::new() };
            let following: Pin<Box<dyn Future<Output = ()>>> = Box::pin(branch.follow(found));
            lives.into_iter().chain([following]).collect()
        }
    };
    if let Some(name) = name.filter(|_| args.output == Output::Text) {
        complain(&format!("watching {}; Ctrl-C ends it", plain(&name)));
    } else if args.output == Output::Text {
        let count = if sheet.kept.len() == 1 { "1 instance".to_owned() } else { format!("{} instances", sheet.kept.len()) };
        complain(&format!("watching {count}; Ctrl-C ends it"));
    }
    let mut ended = stop;
    // Whether something changed that was not read yet, and until when it waits because the last reading took its time.
    let (mut has_changed, mut rests_until) = (false, Instant::now());
    // Since when files change, and when they last did.
    let mut change: Option<(Instant, Instant)> = None;
    // Not every file system tells of every change.
    let mut round = Instant::now() + around(args.every);
    loop {
        let settled = change.map(|(first, last)| (last + QUIET).min(first + LONGEST));
        tokio::select! {
            // What is written is heard of before anything is done.
            biased;
            _ = ended.wait_for(|it| *it) => break,
            Some(()) = changes.recv(), if !has_changed => has_changed = true,
            () = sleep_until(rests_until), if has_changed => {
                while changes.try_recv().is_ok() {}
                has_changed = false;
                let now = Instant::now();
                change = Some((change.map_or(now, |it| it.0), now));
                lives.extend(keeper.read(&mut sheet, false));
                // However many files there are, and however often they change: half of the time is for the instances.
                rests_until = Instant::now() + now.elapsed().min(QUIET / 2);
            }
            () = sleep_until(settled.unwrap_or(round)), if settled.is_some() => {
                change = None;
                lives.extend(keeper.read(&mut sheet, true));
            }
            () = sleep_until(round) => {
                round = Instant::now() + around(args.every);
                // A commit does not change; what could not be done of it may be possible by now.
                if keeper.origin.borrow().checkout.is_none() || !sheet.failed.is_empty() {
                    lives.extend(keeper.read(&mut sheet, change.is_none()));
                    // What nobody told of may be half written.
                    let now = Instant::now();
                    if sheet.kept.values().any(|it| it.is_pending(now)) {
                        change = change.or(Some((now, now)));
                    }
                }
                keeper.begin_round();
            }
            Some(found) = finds.recv() => match found {
                Ok(checkout) => lives.extend(keeper.move_to(&mut sheet, checkout)),
                Err(trouble) => keeper.tell_trouble(&mut sheet, &trouble),
            },
            Some(order) = orders.recv() => keeper.obey(&mut sheet, order),
            Some(()) = lives.next() => {}
        }
    }
    // What is in flight is settled first.
    while lives.next().await.is_some() {}
    drop(lives);
    if let Some(herald) = keeper.herald.take() {
        herald.close(LAST_WORDS).await;
    }
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

/// About so long, another span each time: of several who watch one account, not all look at it in one moment.
fn around(span: Duration) -> Duration {
    let seed = crate::model::digest(&format!("{} {:?}", std::process::id(), std::time::Instant::now()));
    span.mul_f64(0.9 + 0.2 * ((seed >> 11) as f64 / (1_u64 << 53) as f64))
}

type Lives<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + 'a>>>;

/// The files as they were last read.
#[derive(Default)]
struct Sheet {
    reader: Reader,
    kept: BTreeMap<InstanceKey, Kept>,
    /// What could not be begun, and what would have been wished: it is tried again.
    failed: BTreeMap<InstanceKey, (Instance, Stance)>,
    /// What was told of them is not told again.
    problems: Vec<Problem>,
    complaints: BTreeSet<String>,
    /// The commit that was read, where the source has commits.
    commit: Option<String>,
    /// Why there is no newer one, as it was told.
    trouble: Option<String>,
    /// Whether nothing was read before: then what lies there was wished before.
    has_been_read: bool,
}

/// What was last read of an instance.
struct Kept {
    /// What it says, unless that was taken back before anything was done for it.
    spec: Option<ReadSpec>,
    /// Where that is.
    origin: Origin,
    /// The digest of everything that configures it.
    recipe: String,
    /// Whether something is wished of it; else it is left as it is.
    is_wished: bool,
    /// Whether it was told that it is left as it is.
    is_left: bool,
    /// When something may be done for it.
    not_before: watch::Sender<Instant>,
    /// Where its next wish goes.
    wishes: mpsc::UnboundedSender<Option<Box<Wish>>>,
}

impl Kept {
    /// Whether nothing was done yet for what was read last.
    fn is_pending(&self, now: Instant) -> bool {
        now < *self.not_before.borrow()
    }
}

/// What keeping needs.
struct Keeper<'a> {
    /// What the instances' objects are tagged with.
    owner: Option<String>,
    origin: RefCell<Origin>,
    home: &'a Home,
    teller: &'a Teller,
    /// What is shown, where somebody may look.
    hub: Option<Arc<Hub>>,
    herald: Option<Herald>,
    stop: watch::Receiver<bool>,
    /// Tells all instances at once to look at the cloud again: so they share what they see.
    rounds: watch::Sender<()>,
    views: RefCell<Views>,
    /// How often the views were opened anew.
    generation: Cell<u64>,
}

impl<'a> Keeper<'a> {
    /// Reads the files, hands on what changed, and gives the lives of those that are new. What is broken or gone is left
    /// where it is, and hurts no other; `settled` says that the files were left alone, so that it is told.
    fn read(&'a self, sheet: &mut Sheet, settled: bool) -> Vec<Pin<Box<dyn Future<Output = ()> + 'a>>> {
        let origin = self.origin.borrow().clone();
        let Reading { specs, mut problems } = sheet.reader.read(&origin.paths);
        problems.iter_mut().for_each(|it| it.file = origin.name(&it.file));
        let commit = origin.checkout.as_ref().map(|it| it.commit.clone());
        let is_new_commit = commit != sheet.commit;
        sheet.commit = commit;
        if settled {
            if !problems.is_empty() && problems != sheet.problems {
                show_problems(&problems, "; what is described there is left as it is");
            }
            if let Some(hub) = self.hub.as_ref().filter(|_| !problems.is_empty()) {
                hub.unread();
            }
            sheet.problems = problems;
        }
        let now = Instant::now();
        let mut here: BTreeMap<InstanceKey, Vec<ReadSpec>> = BTreeMap::new();
        specs.into_iter().for_each(|it| here.entry(it.instance.key()).or_default().push(it));
        for (key, kept) in sheet.kept.iter_mut().filter(|(key, it)| !it.is_left && !here.contains_key(key)) {
            if kept.is_pending(now) {
                // Nothing was done for it yet.
                kept.spec = None;
            }
            if kept.is_wished && (kept.spec.is_none() || settled) {
                kept.is_wished = false;
                let _ = kept.wishes.send(None);
            }
            if settled {
                kept.is_left = true;
                self.views.borrow_mut().forget(key);
                complain(&format!("{key}: nothing that can be read describes it any more; it is left as it is"));
            }
        }
        let mut complaints = BTreeSet::new();
        let mut born = Vec::new();
        for (key, mut specs) in here {
            let Some(spec) = specs.pop().filter(|_| specs.is_empty()) else {
                complaints.insert(format!("{key}: described twice, so nothing new is done for it"));
                continue;
            };
            let before = sheet.kept.get(&key);
            let says_the_same = before.and_then(|it| it.spec.as_ref()).is_some_and(|it| it.instance == spec.instance);
            let failed = sheet.failed.remove(&key).filter(|it| it.0 == spec.instance);
            let is_in_place = before.and_then(|it| it.spec.as_ref()).is_some_and(|it| it.file == spec.file) || origin.checkout.is_some();
            // What lies beside a spec may be new in a commit.
            let may_be_new = is_new_commit || failed.is_some() || !is_in_place;
            if let Some(kept) = before.filter(|it| says_the_same && it.is_wished && !may_be_new) {
                if kept.is_pending(now) && sheet.reader.has_changed(&spec.file) {
                    kept.not_before.send_replace(now + QUIET + MARGIN);
                }
                continue;
            }
            let is_edited = sheet.has_been_read && (!says_the_same || before.is_some_and(|it| it.is_wished));
            // Whoever edits a file wants it so now; what lay there was wished before.
            let stance = failed.map_or(if is_edited { Stance::Apply } else { Stance::Keep }, |it| it.1);
            let mut wish = match self.wish_of(&spec, stance, &origin) {
                Ok(wish) => wish,
                Err(failure) => {
                    complaints.insert(format!("{}: {failure}; nothing new is done for {key}", target::place(&spec)));
                    sheet.failed.insert(key, (spec.instance, stance));
                    continue;
                }
            };
            let is_known = |it: &Kept| says_the_same && is_in_place && it.is_wished && it.recipe == wish.case.ask.recipe;
            if sheet.kept.get(&key).is_some_and(is_known) {
                continue;
            }
            // A commit is whole.
            let quiet = if origin.checkout.is_some() { Duration::ZERO } else { QUIET + MARGIN };
            let not_before = watch::Sender::new(now + quiet);
            wish.case.not_before = Some(not_before.subscribe());
            let recipe = wish.case.ask.recipe.clone();
            let wishes = sheet.kept.remove(&key).map(|it| it.wishes).unwrap_or_else(|| {
                let (wishes, coming) = mpsc::unbounded_channel();
                born.push(Box::pin(Life::new(self, coming).live()) as Pin<Box<dyn Future<Output = ()>>>);
                wishes
            });
            let _ = wishes.send(Some(Box::new(wish)));
            sheet.kept.insert(
                key,
                Kept { spec: Some(spec), origin: origin.clone(), recipe, is_wished: true, is_left: false, not_before, wishes },
            );
        }
        if settled {
            complaints.iter().filter(|it| !sheet.complaints.contains(*it)).for_each(|it| complain(it));
            sheet.complaints = complaints;
        }
        if let Some(hub) = self.hub.as_ref().filter(|_| settled) {
            hub.declared(sheet.kept.iter().filter(|(_, it)| it.is_wished).map(|(key, _)| key.clone()));
        }
        sheet.has_been_read = true;
        born
    }

    /// Goes on from another commit, where it is one.
    fn move_to(&'a self, sheet: &mut Sheet, checkout: Checkout) -> Vec<Pin<Box<dyn Future<Output = ()> + 'a>>> {
        if sheet.trouble.take().is_some() {
            complain("the repository can be read again");
        }
        if sheet.commit.as_ref() == Some(&checkout.commit) {
            return Vec::new();
        }
        complain(&format!("commit {}: {}", checkout.short(), plain(&checkout.subject)));
        *self.origin.borrow_mut() = Origin::of(checkout);
        self.read(sheet, true)
    }

    /// Says why there is no newer commit: what was read last is kept on.
    fn tell_trouble(&self, sheet: &mut Sheet, trouble: &Trouble) {
        let told = trouble.to_string();
        if let Some(hub) = &self.hub {
            hub.unread();
        }
        if sheet.trouble.as_ref() != Some(&told) {
            complain(&format!("error: {}", plain(&told)));
            sheet.trouble = Some(told);
        }
    }

    /// A wish, with hands that share their looks with everybody's.
    fn wish_of(&self, spec: &ReadSpec, stance: Stance, origin: &Origin) -> Result<Wish, Failure> {
        let mut case = hands::case_of(self.home, spec.clone(), self.owner.as_deref(), &mut self.views.borrow_mut())?;
        case.ask.stance = stance;
        if let Some(checkout) = &origin.checkout {
            case.commit = Some(checkout.commit.clone());
            case.place = target::place(&ReadSpec { file: origin.name(&spec.file), ..spec.clone() });
        }
        Ok(Wish { origin: origin.clone(), spec: spec.clone(), case, generation: self.generation.get() })
    }

    /// Does what somebody ordered through the page, who wants it so now.
    fn obey(&self, sheet: &mut Sheet, order: Order) {
        let (Order::Wake(key) | Order::Look(key)) = &order else { return };
        let Some(Kept { spec: Some(spec), origin, is_wished: true, not_before, wishes, .. }) = sheet.kept.get(key) else { return };
        match self.wish_of(spec, Stance::Apply, origin) {
            Ok(mut wish) => {
                wish.case.ask.wake = matches!(order, Order::Wake(_));
                wish.case.occasion = Occasion::ByHand;
                // Nor is what is half written done because somebody is in a hurry.
                wish.case.not_before = Some(not_before.subscribe());
                let _ = wishes.send(Some(Box::new(wish)));
            }
            Err(failure) => complain(&format!("{key}: {failure}")),
        }
    }

    /// Has a wish share the looks of all, and be what the clock makes of it now.
    ///
    /// # Errors
    /// Where that cannot be: then the wish is what it was.
    fn renew(&self, wish: &mut Wish, occasion: Occasion) -> Result<(), Failure> {
        if wish.generation != self.generation.get() || wish.case.is_by_clock() {
            *wish = self.wish_of(&wish.spec, wish.case.ask.stance, &wish.origin)?;
        }
        wish.case.occasion = occasion;
        Ok(())
    }

    /// Has everybody look at the cloud, at the same moment.
    fn begin_round(&self) {
        let mut views = self.views.borrow_mut();
        if views.are_split() {
            views.begin_anew();
            self.generation.set(self.generation.get() + 1);
        }
        drop(views);
        self.rounds.send_replace(());
    }
}
