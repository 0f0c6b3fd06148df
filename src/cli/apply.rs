//! `apply`, `delete` and `adopt`: show the plan, ask, carry it out with live progress.

use super::{
    Exit, Failure, Outcome,
    args::{Adopt, Apply, Delete, Output},
    chronicle::event_object,
    complain,
    hands::{self, Case, Cases, Seen, foresee_all},
    plan::{show, views},
    print, print_json, prompt, ready,
    target::Unnamed,
};
use crate::{
    model::{CREATE_SERVER_KEY, Deletion, Ending, Event, Facts, Hold, InstanceKey, Role, Verdict, World},
    plan::Act,
    report::{Lines, Live, PlanView, Screen},
    run::{Run, converge},
    store::{Home, Journal, Lock},
};
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::IsTerminal,
    path::Path,
    sync::mpsc,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::{Instrument, level_filters::LevelFilter};

/// Brings instances to the state in their specs.
pub(crate) async fn apply(args: Apply) -> Outcome {
    let mut cases = match hands::cases(&args.targets, Unnamed::WhatIsGiven, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    for case in &mut cases.cases {
        case.patience = args.wait_for_stock;
    }
    carry_out(cases, args.output, &Consent::Yes { given: args.yes }).await
}

/// Brings one instance of one file to the state in its spec.
pub(crate) async fn apply_file(file: &Path, name: Option<&str>, yes: bool) -> Outcome {
    match hands::case_in_file(file, name)? {
        Ok(cases) => carry_out(cases, Output::Text, &Consent::Yes { given: yes }).await,
        Err(exit) => Ok(exit),
    }
}

/// Deletes instances.
pub(crate) async fn delete(args: Delete) -> Outcome {
    let deletion = Deletion { keep_snapshots: args.keep_snapshots };
    let cases = match hands::cases(&args.targets, Unnamed::Refused, args.owner.owner.as_deref(), Some(deletion))? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let consent = match args.keep_snapshots {
        true => Consent::Yes { given: args.yes },
        false => Consent::Names { given: args.yes.then_some(args.destroy_data) },
    };
    carry_out(cases, args.output, &consent).await
}

/// Takes over instances that another source manages.
pub(crate) async fn adopt(args: Adopt) -> Outcome {
    let mut cases = match hands::cases(&args.targets, Unnamed::Refused, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    for case in &mut cases.cases {
        case.ask.adopt = true;
    }
    carry_out(cases, args.output, &Consent::Yes { given: args.yes }).await
}

/// Wakes instances that went to sleep by themselves.
pub(crate) async fn wake(args: Adopt) -> Outcome {
    let mut cases = match hands::cases(&args.targets, Unnamed::Refused, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    for case in &mut cases.cases {
        case.ask.wake = true;
    }
    carry_out(cases, args.output, &Consent::Yes { given: args.yes }).await
}

/// What the owner must say before anything is changed.
enum Consent {
    /// `yes`, or the flag.
    Yes { given: bool },
    /// The name of each instance, or the flags.
    Names { given: Option<Vec<String>> },
}

async fn carry_out(cases: Cases, output: Output, consent: &Consent) -> Outcome {
    let mut seen = foresee_all(&cases).await?;
    loop {
        show(&cases, &seen, output, "");
        refuse_endless(&cases, &seen)?;
        if let Some(exit) = nothing_to_do(&views(&cases, &seen)) {
            let teller = Teller::new(output, cases.cases.len() > 1);
            for (case, seen) in cases.cases.iter().zip(&seen) {
                if matches!(&seen.forecast.end, Verdict::Held(hold) if misses_its_root(hold)) {
                    tell_strays(case, &|case, event| teller.tell(case, event)).await;
                }
            }
            let ready = glance_all(cases.cases.iter().zip(&seen), &teller).await;
            return Ok(worse(exit, ready));
        }
        if !is_given(consent, &cases, &seen)? {
            complain("nothing was changed");
            return Ok(Exit::Failed);
        }
        // Somebody may have changed the cloud while the plan was read: then the plan is shown anew.
        let locks = lock_all(&cases)?;
        let now = foresee_all(&cases).await?;
        refuse_endless(&cases, &now)?;
        // Flags go for the plan of now as well, as far as they do.
        if is_same(&seen, &now) || (consent.is_by_flag() && is_given(consent, &cases, &now)?) {
            let exit = run_all(&cases, &seen, &now, output).await;
            drop(locks);
            return exit;
        }
        drop(locks);
        complain("the cloud changed meanwhile; this is the plan now:");
        seen = now;
    }
}

/// The exit where nobody needs to be asked.
fn nothing_to_do(views: &[PlanView<'_>]) -> Option<Exit> {
    if views.iter().any(PlanView::has_work) {
        return None;
    }
    Some(if views.iter().any(PlanView::is_held) { Exit::Held } else { Exit::Done })
}

/// A plan without an end is not begun.
fn refuse_endless(cases: &Cases, seen: &[Seen]) -> Result<(), Failure> {
    match cases.cases.iter().zip(seen).find(|(_, seen)| seen.forecast.end == Verdict::Underway) {
        Some((case, _)) => Err(Failure::new(format!(
            "the plan of {} never settles, so nothing of it is carried out. This is a bug; please report it, with the plan",
            case.ask.key
        ))),
        None => Ok(()),
    }
}

impl Consent {
    fn is_by_flag(&self) -> bool {
        matches!(self, Consent::Yes { given: true } | Consent::Names { given: Some(_) })
    }
}

fn is_same(before: &[Seen], now: &[Seen]) -> bool {
    let same = |act: (&Act, &Act)| act.0.line == act.1.line && act.0.reason == act.1.reason;
    before.iter().zip(now).all(|(before, now)| {
        let (before, now) = (&before.forecast, &now.forecast);
        before.acts.len() == now.acts.len() && before.end == now.end && before.acts.iter().zip(&now.acts).all(same)
    })
}

fn is_given(consent: &Consent, cases: &Cases, seen: &[Seen]) -> Result<bool, Failure> {
    match consent {
        Consent::Yes { given: true } => Ok(true),
        Consent::Yes { given: false } => prompt::confirm("Carry this out?", "add --yes"),
        Consent::Names { given } => {
            for (case, seen) in cases.cases.iter().zip(seen) {
                if !case.view(seen).has_work() {
                    continue;
                }
                let name = case.ask.key.to_string();
                let consented = match given {
                    Some(names) if names.contains(&name) => true,
                    Some(_) => {
                        let sentence = format!("add --destroy-data {name} to confirm that all data of {name} goes; nothing was changed");
                        return Err(Failure::new(sentence));
                    }
                    None => {
                        let goes = what_goes(&name, &case.view(seen).kept());
                        let question = format!("{goes} Type its name to confirm: ");
                        prompt::confirm_word(&question, &name, &format!("add --yes --destroy-data {name}"))?
                    }
                };
                if !consented {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

/// What a deletion destroys, and what it does not.
fn what_goes(name: &str, kept: &[String]) -> String {
    match kept {
        [] => format!("All disks and snapshots of {name} will be destroyed."),
        [one] => format!("All disks of {name} will be destroyed; {one} stays."),
        many => format!("All disks of {name} will be destroyed; {} stay.", many.join(", ")),
    }
}

fn lock_all(cases: &Cases) -> Result<Vec<Lock>, Failure> {
    cases.cases.iter().map(|case| Ok(Lock::take(&cases.home, &case.ask.key)?)).collect()
}

async fn run_all(cases: &Cases, shown: &[Seen], now: &[Seen], output: Output) -> Outcome {
    let (stopper, stop) = watch::channel(false);
    listen(stopper);
    let teller = Teller::new(output, cases.cases.len() > 1);
    // Whoever has nothing to do is not run: nobody agreed to what it might begin by then.
    let looked = cases.cases.iter().zip(now);
    let (due, rest): (Vec<_>, Vec<_>) = looked.zip(shown).partition(|((case, now), _)| case.view(now).has_work());
    let mut worst = Exit::Done;
    for ((case, now), shown) in &rest {
        let ending = match &now.forecast.end {
            Verdict::Held(hold) => Ending::Held(hold.clone()),
            _ => Ending::Done { calls: 0 },
        };
        worst = worse(worst, if matches!(ending, Ending::Held(_)) { Exit::Held } else { Exit::Done });
        // What was shown said otherwise.
        if case.view(shown).has_work() {
            teller.tell(case, &Event::Ended(ending));
        }
    }
    let tell = |case: &Case, event: &Event| teller.tell(case, event);
    worst = worse(worst, glance_all(rest.into_iter().map(|(looked, _)| looked), &teller).await);
    let runs = due.into_iter().map(|((case, _), _)| run_and_attend(&cases.home, case, stop.clone(), &tell));
    for outcome in futures_util::future::join_all(runs).await {
        let exit = outcome.unwrap_or_else(|failure| {
            complain(&format!("error: {failure}"));
            Exit::Failed
        });
        worst = worse(worst, exit);
    }
    Ok(worst)
}

/// Asks those that have nothing to do whether they are ready.
async fn glance_all<'a>(settled: impl Iterator<Item = (&'a Case, &'a Seen)> + Clone, teller: &Teller) -> Exit {
    let mut worst = Exit::Done;
    for ((case, _), readiness) in settled.clone().zip(ready::glance_all(settled).await) {
        if let Some(readiness) = readiness {
            worst = worse(worst, ready::exit(&readiness));
            teller.tell(case, &Event::Ready(readiness));
        }
    }
    worst
}

/// Of several instances, the exit that asks for most attention.
fn worse(one: Exit, other: Exit) -> Exit {
    let weight = |exit: Exit| match exit {
        Exit::Interrupted => 4,
        Exit::Failed => 3,
        Exit::Held => 2,
        Exit::Pending => 1,
        Exit::Done => 0,
    };
    if weight(other) > weight(one) { other } else { one }
}

/// One run of one instance, whose lock is held, and what comes after it for whoever waits to play.
async fn run_and_attend(home: &Home, case: &Case, stop: watch::Receiver<bool>, teller: &dyn Fn(&Case, &Event)) -> Result<Exit, Failure> {
    Ok(match run_one(home, case, stop.clone(), teller, &|_, _| {}).await? {
        Ending::Done { .. } => ready::attend(case, stop, &|event| teller(case, &event)).await,
        Ending::Held(_) => Exit::Held,
        Ending::Interrupted => Exit::Interrupted,
    })
}

/// One run of one instance, whose lock is held.
pub(super) async fn run_one(
    home: &Home,
    case: &Case,
    stop: watch::Receiver<bool>,
    teller: &dyn Fn(&Case, &Event),
    show: &dyn Fn(&World, &Facts),
) -> Result<Ending, Failure> {
    let mut journal = Journal::open(home, &case.ask.key)?;
    let run = case.chronicle.begin();
    let teller = &|case: &Case, event: &Event| {
        case.chronicle.keep(case, event);
        teller(case, event);
    };
    // A server that may have been made and vanished, in this run or in one that was cut off, may have left a root disk behind.
    let doubtful = Cell::new(case.ask.deletion.is_some() || journal.facts().open.contains_key(CREATE_SERVER_KEY));
    let tell = |event: Event| {
        if matches!(&event, Event::Failed { key, .. } if key == CREATE_SERVER_KEY) {
            doubtful.set(true);
        }
        teller(case, &event);
    };
    let provider = case.provider.as_ref();
    let converged = converge(Run {
        ask: &case.ask,
        provider,
        journal: &mut journal,
        stop,
        inside: Some(&case.inside),
        patience: case.patience,
        not_before: case.not_before.clone(),
        tell: &tell,
        show,
    });
    // What is logged meanwhile is of this run.
    let ending = converged.instrument(tracing::error_span!("run", run, instance = %case.ask.key)).await.map_err(|trouble| {
        case.chronicle.keep_failure(case, &trouble.to_string());
        Failure::new(format!("{}: {trouble}", case.ask.key))
    })?;
    if doubtful.get() || matches!(&ending, Ending::Held(hold) if misses_its_root(hold)) {
        tell_strays(case, teller).await;
    }
    Ok(ending)
}

/// Whether a root disk is missed, which may be there without a tag.
fn misses_its_root(hold: &Hold) -> bool {
    matches!(hold, Hold::DiskGone { role: Role::Root, .. })
}

/// Tells what a server that vanished has probably left behind.
async fn tell_strays(case: &Case, teller: &dyn Fn(&Case, &Event)) {
    if let Ok(strays) = case.provider.strays().await
        && !strays.is_empty()
    {
        teller(case, &Event::LeftBehind(strays));
    }
}

/// Hears signals from now on, on a thread of its own: a call may keep this one busy.
pub(super) fn listen(stopper: watch::Sender<bool>) {
    let (ready, hears) = mpsc::channel();
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(hear(&stopper, &ready));
        }
    });
    // An error means that signals end the program as they usually do, which is safe as well.
    let _ = hears.recv();
}

/// First Ctrl-C: settle what is in flight. Second: end at once, which is safe as well.
async fn hear(stopper: &watch::Sender<bool>, ready: &mpsc::Sender<()>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else { return };
    let _ = ready.send(());
    for told in [false, true] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if told {
            std::process::exit(Exit::Interrupted as i32);
        }
        complain("finishing the call in flight; press Ctrl-C again to end at once");
        let _ = stopper.send(true);
    }
}

/// Tells events: as JSON, as a live view on a terminal, else a line each.
pub(super) enum Teller {
    /// Where something comes of a run, how it began is told first.
    Json(RefCell<BTreeMap<InstanceKey, Value>>),
    Live(Live),
    Lines(Lines),
}

impl Teller {
    fn new(output: Output, named: bool) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        // A log between the rows of a live view would tear them.
        let logs = LevelFilter::current() != LevelFilter::OFF;
        match output {
            Output::Json => Teller::Json(RefCell::default()),
            Output::Text if terminal && !logs => Teller::Live(Live::new(named, Screen::of_stdout())),
            Output::Text => Teller::Lines(Lines::new(named)),
        }
    }

    /// Tells everything line by line, each with its instance: for who does not end.
    pub fn in_lines(output: Output) -> Self {
        match output {
            Output::Json => Teller::Json(RefCell::default()),
            Output::Text => Teller::Lines(Lines::new(true)),
        }
    }

    pub fn tell(&self, case: &Case, event: &Event) {
        let key = &case.ask.key;
        match self {
            Teller::Json(began) if matches!(event, Event::Began { .. }) => {
                began.borrow_mut().insert(key.clone(), event_object(case, event));
            }
            Teller::Json(began) => {
                began.borrow_mut().remove(key).iter().for_each(print_json);
                print_json(&event_object(case, event));
            }
            Teller::Live(live) => live.show(key, event),
            Teller::Lines(lines) => {
                if let Some(line) = lines.line(key, event) {
                    print(&format!("{line}\n"));
                }
            }
        }
    }
}
