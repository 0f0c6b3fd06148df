//! One instance with its hands, and looks with them.

use super::{
    Exit, Failure, Outcome,
    account::{Views, Wish, give_hands},
    args::Targets,
    chronicle::Chronicle,
    complain,
    inside::inside,
    target,
    validate::show_problems,
};
use crate::{
    machine::Inside,
    model::{Ask, Deletion, Event, Facts, Occasion, ServerState, World, spec::Suspend},
    plan::{Forecast, forecast},
    provider::Provider,
    read::{ReadSpec, Reading},
    report::{PlanView, plain},
    run::look,
    store::{Home, Journal},
};
use jiff::Timestamp;
use std::{path::Path, time::Duration};
use tokio::{sync::watch, time::Instant};

/// One instance, ready to be looked at and changed.
pub(crate) struct Case {
    pub ask: Ask,
    pub provider: Box<dyn Provider>,
    /// How its server is got into, and what runs there.
    pub inside: Inside,
    /// For how long to keep trying while no machine of the type is free.
    pub patience: Option<Duration>,
    /// How far ahead of now it is planned.
    pub ahead: Duration,
    /// Until then, which may move on meanwhile, nothing is changed: the file may be half written.
    pub not_before: Option<watch::Receiver<Instant>>,
    /// Where the wish is written.
    pub place: String,
    /// The commit that the wish is of, where its source has commits.
    pub commit: Option<String>,
    /// Why a run of it would begin, as far as its wish does not say.
    pub occasion: Occasion,
    /// What its runs tell.
    pub chronicle: Chronicle,
}

/// What every command that asks a cloud begins with.
pub(crate) struct Cases {
    pub home: Home,
    pub cases: Vec<Case>,
}

/// Reads the specs and builds their hands. `Err` carries the exit where specs have problems.
pub(crate) fn cases(
    targets: &Targets,
    unnamed: target::Unnamed,
    owner: Option<&str>,
    deletion: Option<Deletion>,
) -> Result<Result<Cases, Exit>, Failure> {
    prepare(target::find(targets, unnamed)?, owner, deletion, None)
}

/// [`cases`], as if it were that time.
pub(crate) fn cases_at(
    targets: &Targets,
    unnamed: target::Unnamed,
    owner: Option<&str>,
    at: Option<Timestamp>,
) -> Result<Result<Cases, Exit>, Failure> {
    prepare(target::find(targets, unnamed)?, owner, None, at)
}

/// [`cases`], for one instance of one file, wherever else something is called like it.
pub(crate) fn case_in_file(file: &Path, name: Option<&str>) -> Result<Result<Cases, Exit>, Failure> {
    prepare(target::in_file(file, name)?, None, None, None)
}

/// [`cases`], for one spec, which shares its looks with the others that were given such.
pub(crate) fn case_of(home: &Home, spec: ReadSpec, owner: Option<&str>, views: &mut Views) -> Result<Case, Failure> {
    let case = with_hands(home, vec![spec], owner, None, None, views)?.pop();
    let case = case.map(|case| Case { occasion: Occasion::Edit, ..case });
    case.ok_or_else(|| Failure::new("nothing is described there"))
}

/// [`cases`], from what was found.
pub(crate) fn prepare(
    found: Reading,
    owner: Option<&str>,
    deletion: Option<Deletion>,
    at: Option<Timestamp>,
) -> Result<Result<Cases, Exit>, Failure> {
    if !found.problems.is_empty() {
        show_problems(&found.problems, "; nothing was changed");
        return Ok(Err(Exit::Failed));
    }
    if found.specs.is_empty() {
        return Err(Failure::new("no specs found: a spec is a *.yaml file that begins with apiVersion: cloudypad.gg/v1alpha1"));
    }
    let home = home()?;
    let cases = with_hands(&home, found.specs, owner, deletion, at, &mut Views::default())?;
    Ok(Ok(Cases { home, cases }))
}

fn with_hands(
    home: &Home,
    specs: Vec<ReadSpec>,
    owner: Option<&str>,
    deletion: Option<Deletion>,
    at: Option<Timestamp>,
    views: &mut Views,
) -> Result<Vec<Case>, Failure> {
    // Read once: what a command does, it does by one time.
    let now = Timestamp::now();
    let ahead = at.and_then(|at| Duration::try_from(at.duration_since(now)).ok()).unwrap_or_default();
    let mut wishes = Vec::new();
    for spec in specs {
        let place = target::place(&spec);
        let directory = spec.file.parent().unwrap_or(Path::new("")).to_owned();
        let mut ask = Ask { deletion, owner: owner.map(str::to_owned), ..Ask::of(spec.instance) };
        ask.set_clock(at.unwrap_or(now));
        wishes.push(Wish { ask, place, directory });
    }
    let mut insides = Vec::new();
    for wish in &mut wishes {
        let inside = inside(home, wish)?;
        wish.ask.recipe = inside.recipe.digest.clone().unwrap_or_else(|| wish.ask.recipe.clone());
        wish.ask.on_start = inside.recipe.on_start.is_some();
        insides.push(inside);
    }
    let hands = give_hands(home, &mut wishes, views)?;
    let cases = wishes.into_iter().zip(hands).zip(insides).map(|((wish, provider), inside)| {
        let Wish { ask, place, .. } = wish;
        let chronicle = Chronicle::of(home, &ask.key);
        Case { ask, provider, inside, patience: None, ahead, not_before: None, place, commit: None, occasion: Occasion::ByHand, chronicle }
    });
    Ok(cases.collect())
}

/// Where our own files are: an absolute path, so that what is named below it is found from anywhere.
pub(super) fn home() -> Result<Home, Failure> {
    match std::env::var_os("CLOUDYPAD_HOME").filter(|it| !it.is_empty()) {
        Some(all) => Ok(Home::at(&std::path::absolute(all)?)),
        None => Home::find().map_err(Failure::new),
    }
}

/// A look and the plan from it.
pub(crate) struct Seen {
    pub world: World,
    pub forecast: Forecast,
}

impl Case {
    /// Whether the clock may make something else of its spec.
    pub fn is_by_clock(&self) -> bool {
        let spec = &self.ask.spec;
        !spec.schedule.is_empty() || spec.session.is_some() || matches!(spec.suspend, Suspend::Until(_))
    }

    /// One look; what is tried again is told.
    pub async fn look(&self) -> World {
        let key = &self.ask.key;
        let tell = |event: Event| {
            if let Event::Unseen { why } = event {
                complain(&format!("{key}: {}; looking again", plain(&why)));
            }
        };
        look(self.provider.as_ref(), &self.ask, &tell).await
    }

    /// Says what time it is. What is wished now, where it was something else: then its hands are to be made anew, since they
    /// know what for.
    pub fn mind_clock(&mut self, now: Timestamp) -> Option<ServerState> {
        let before = self.ask.wished();
        self.ask.set_clock(now);
        Some(self.ask.wished()).filter(|it| *it != before)
    }

    /// Looks, and plans to the end.
    pub async fn foresee(&self, home: &Home) -> Result<Seen, Failure> {
        let mut world = self.look().await;
        // The vendor's clock goes on meanwhile.
        world.now = world.now.plus_seconds((self.ahead.as_secs_f64() * self.provider.capabilities().speed) as u64);
        let facts: Facts = Journal::open(home, &self.ask.key)?.facts();
        let forecast = forecast(&self.ask, &world, &facts, self.provider.capabilities());
        Ok(Seen { world, forecast })
    }

    /// The plan for people.
    pub fn view<'a>(&'a self, seen: &'a Seen) -> PlanView<'a> {
        PlanView { ask: &self.ask, world: &seen.world, forecast: &seen.forecast, cloud: self.provider.capabilities(), place: &self.place }
    }
}

/// Looks at every case and plans it.
pub(crate) async fn foresee_all(cases: &Cases) -> Result<Vec<Seen>, Failure> {
    let all = cases.cases.iter().map(|case| case.foresee(&cases.home));
    futures_util::future::join_all(all).await.into_iter().collect()
}

/// The exit of a set of plans that are only shown.
pub(crate) fn plan_exit(views: &[PlanView<'_>], detailed: bool) -> Outcome {
    if views.iter().any(PlanView::is_held) {
        return Ok(Exit::Held);
    }
    let pending = views.iter().any(|it| !it.is_in_sync());
    Ok(if pending && detailed { Exit::Pending } else { Exit::Done })
}
