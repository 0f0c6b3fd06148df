//! The mutants: what each does wrong, the story that shows it, and the law that it breaks there.

use super::{
    eyes,
    mistake::Mistake::{self, Believes, Confirms, Hears, Intends, Notes, Reads, Recalls, Remembers, Sees, Supposes, Writes},
    stage::{self, Sky, Stage},
};
use cloudypad::{
    model::{Awaited, OnStop, Power, Seen, ServerState, Step, Verdict},
    provider::Problem,
    run::receipt,
    store::{Closing, MADE, Recall, UNKNOWN},
};

/// A mutant, and where it is watched.
pub struct Mutant {
    /// What it does wrong.
    pub name: &'static str,
    pub mistake: Mistake,
    /// The law that kills it.
    pub law: &'static str,
    pub stage: Stage,
}

const SAFETY: &str = "safety";
const BLIND: &str = "unknown is not absent";
const ORDER: &str = "order";
const CONVERGENCE: &str = "convergence";
const ONCE: &str = "once";

const BOTH: &str = "root snapshot; data 100 GB, snapshot";
const ROOT: &str = "root snapshot";
const DATA: &str = "root disposable; data 100 GB, snapshot";
const LASTING: &str = "root disposable; data 100 GB";
const BARE: &str = "root disposable";

const fn archive(kind: &'static str, policy: &'static str, sky: Sky) -> Stage {
    Stage::new(kind, policy, &["present"], "absent", sky)
}

/// Every mutant that is planted.
pub fn all() -> Vec<Mutant> {
    let mut all = of_sight();
    all.extend(of_memory());
    all.extend(of_conduct());
    all
}

fn mutant(name: &'static str, mistake: Mistake, law: &'static str, stage: Stage) -> Mutant {
    Mutant { name, mistake, law, stage }
}

/// What is seen is not what is there.
fn of_sight() -> Vec<Mutant> {
    let clear = Sky::Clear;
    vec![
        mutant("a list that did not come is an empty one", Sees(eyes::unknown_is_absent), BLIND, archive("local", DATA, clear)),
        mutant("a snapshot being made is ready", Sees(eyes::making_is_ready), SAFETY, archive("local", DATA, clear)),
        mutant(
            "an image being made is ready",
            Sees(eyes::making_is_ready),
            SAFETY,
            archive("local like linode", "root snapshot, onStop refresh", clear),
        ),
        mutant(
            "a vendor's word for a copy being made is read as ready",
            Reads(eyes::making_is_ready),
            SAFETY,
            archive("local", DATA, clear),
        ),
        mutant("a copy that failed is ready", Sees(eyes::failed_is_ready), SAFETY, archive("local", DATA, Sky::Platform(1))),
        mutant("a copy that is ready has failed", Sees(eyes::ready_is_failed), CONVERGENCE, archive("local", DATA, clear)),
        mutant(
            "a snapshot from before the last write covers the disk",
            Sees(eyes::every_copy_is_new),
            SAFETY,
            archive("local", ROOT, clear),
        ),
        mutant("when a disk was last held counts for nothing", Sees(eyes::last_held_is_forgotten), SAFETY, archive("local", ROOT, clear)),
        mutant(
            "an image from before the last start covers the disk",
            Sees(eyes::off_since_is_forgotten),
            SAFETY,
            archive("local like linode", "root snapshot, onStop refresh", clear),
        ),
        mutant(
            "there is a copy of every disk: delete, then snapshot",
            Sees(eyes::a_copy_is_supposed),
            SAFETY,
            archive("local", DATA, clear),
        ),
        mutant("every copy is superseded: retain none", Sees(eyes::every_copy_is_superseded), SAFETY, archive("local", DATA, clear)),
        mutant(
            "of several copies the oldest is the newest, and the newest goes",
            Sees(eyes::archived_copies_are_upside_down),
            SAFETY,
            Stage::new("local", ROOT, &["present", "absent"], "absent", clear).after("root snapshot, 2"),
        ),
        mutant(
            "a copy of another disk supersedes",
            Sees(eyes::every_line_is_one),
            SAFETY,
            Stage::new("local", ROOT, &["present", "present; image other"], "absent", clear),
        ),
        mutant(
            "that an instance rests is overlooked",
            Sees(eyes::rest_is_overlooked),
            CONVERGENCE,
            Stage::new("local", ROOT, &["present"], "present; idle 900 s", clear),
        ),
        mutant(
            "what is archived is not come back from",
            Sees(eyes::copies_are_overlooked),
            CONVERGENCE,
            Stage::new("local", ROOT, &["present", "absent"], "stopped", clear),
        ),
        mutant(
            "a server on its way down is off, for its snapshot",
            Sees(eyes::stopping_is_off),
            ORDER,
            Stage::new("local", ROOT, &[], "present", clear),
        ),
        mutant(
            "a vendor's word for stopping is read as off",
            Reads(eyes::stopping_is_off),
            ORDER,
            Stage::new("local", ROOT, &[], "present", clear),
        ),
        mutant(
            "stopped in place is off",
            Sees(eyes::stopped_in_place_is_off),
            CONVERGENCE,
            Stage::new("scaleway", BARE, &["present"], "stopped", Sky::Strangers(1)),
        ),
        mutant(
            "a server that runs is off, for its image",
            Sees(eyes::running_is_off),
            ORDER,
            archive("local like linode", "root snapshot, onStop refresh", clear),
        ),
        mutant(
            "a server on its way up runs",
            Sees(eyes::starting_is_running),
            CONVERGENCE,
            Stage::new("local", BARE, &["stopped"], "present", clear),
        ),
        mutant(
            "a server on its way out is gone",
            Sees(eyes::deleting_is_gone),
            CONVERGENCE,
            Stage::new("local", BARE, &["present"], "absent", clear),
        ),
        mutant(
            "of two disks the used one is taken for the unused",
            Sees(eyes::the_younger_is_the_used_one),
            CONVERGENCE,
            Stage::new("local", LASTING, &["stopped"], "stopped", clear).odd(stage::a_younger_unused_disk),
        ),
        mutant(
            "the loser deletes the winner",
            Sees(eyes::nothing_was_used),
            SAFETY,
            Stage::new("local", LASTING, &["present", "absent"], "absent", clear).odd(stage::an_older_unused_disk),
        ),
        mutant(
            "a root disk without tags is taken for tagged",
            Sees(eyes::untagged_is_tagged),
            CONVERGENCE,
            Stage::new("scaleway", BARE, &[], "stopped", clear),
        ),
    ]
}

/// What is remembered is not what was, or what was wished.
fn of_memory() -> Vec<Mutant> {
    let clear = Sky::Clear;
    let late = Stage::new("scaleway", LASTING, &["stopped"], "stopped", Sky::Calls(1)).after(BARE);
    let copied = Stage::new("scaleway", ROOT, &["stopped"], "stopped", Sky::Calls(1)).after(BARE);
    vec![
        mutant("a create whose answer was lost is forgotten, and made again", Remembers(|facts, _, _| facts.open.clear()), ONCE, late),
        mutant("a snapshot whose answer was lost is forgotten, and taken again", Remembers(|facts, _, _| facts.open.clear()), ONCE, copied),
        mutant(
            "what was made and is not listed yet is forgotten",
            Remembers(|facts, _, _| facts.made.clear()),
            ONCE,
            Stage { sky: Sky::Looks(1), ..copied },
        ),
        mutant("calls whose answer was lost have no late effect", Supposes(|cloud| cloud.late_effect = 0), ONCE, late),
        mutant("the journal is empty at the beginning of every run", Recalls(|_| Recall::default()), ONCE, late),
        mutant("the journal forgets intents once they are written", Intends(|_, _, _| {}), ONCE, late),
        mutant("a lost answer is taken for a yes", Notes(|planned, answer| noted(planned, answer, MADE)), ONCE, late),
        mutant("a lost answer is taken for a no", Notes(|planned, answer| noted(planned, answer, "not done")), ONCE, late),
        mutant(
            "the journal is trusted over the cloud: what was told to stop is off",
            Believes(|world, facts| {
                if let Seen::Present(servers) = &mut world.servers {
                    for it in servers.iter_mut().filter(|it| facts.stopped.contains_key(it.id.as_str())) {
                        (it.power, it.off_since) = (Power::Off, Some(world.now));
                    }
                }
            }),
            CONVERGENCE,
            Stage::new("local", ROOT, &[], "present", clear),
        ),
        mutant(
            "protection is not heard",
            Hears(|ask| ask.spec.amend(|it| it.protect = false)),
            SAFETY,
            Stage::new("local", "protect; root snapshot, onStop reuse", &["present"], "absent", clear),
        ),
        mutant(
            "refresh is heard as reuse",
            Hears(|ask| ask.spec.amend(|it| it.root_disk_snapshot.on_stop = Some(OnStop::Reuse))),
            SAFETY,
            archive("local", ROOT, clear),
        ),
        mutant(
            "a root disk is disposable unasked",
            Hears(|ask| ask.spec.amend(|it| it.root_disk.disposable = true)),
            SAFETY,
            archive("local like linode", "data 100 GB", clear),
        ),
        mutant(
            "delete keeps nothing, asked to keep snapshots",
            Hears(|ask| {
                if let Some(it) = &mut ask.deletion {
                    it.keep_snapshots = false;
                }
            }),
            SAFETY,
            Stage::new("local", BOTH, &["present"], "deleted keeping snapshots", clear),
        ),
        mutant(
            "a guest that nobody uses is not heard",
            Hears(|ask| ask.idle = None),
            CONVERGENCE,
            Stage::new("local", ROOT, &["present"], "present; idle 900 s", clear),
        ),
        mutant(
            "absent is heard as delete",
            Hears(|ask| {
                if ask.spec.server_state == ServerState::Absent {
                    ask.deletion = Some(cloudypad::model::Deletion { keep_snapshots: false });
                }
            }),
            SAFETY,
            archive("local", DATA, clear),
        ),
        mutant(
            "the journal forgets what was answered well",
            Notes(|planned, answer| {
                let it = receipt(&planned.step, answer);
                if it.outcome == MADE { Closing { outcome: "not done", ..it } } else { it }
            }),
            ONCE,
            Stage { sky: Sky::CallsAndLooks(2), ..copied },
        ),
    ]
}

/// What is done is not what was planned.
fn of_conduct() -> Vec<Mutant> {
    let clear = Sky::Clear;
    let copies = Stage::new("scaleway", ROOT, &["present", "absent"], "absent", Sky::StrangersAndLooks(2)).after("root snapshot, 2");
    vec![
        mutant(
            "a server is deleted whether it runs by then or not",
            Writes(|plan, _| {
                for it in &mut plan.next {
                    if let Step::DeleteServer { off, .. } = &mut it.step {
                        *off = false;
                    }
                }
            }),
            SAFETY,
            archive("local like linode", "root snapshot, onStop refresh", Sky::Strangers(1)),
        ),
        mutant(
            "a wait is an end",
            Writes(|plan, _| {
                if plan.next.is_empty() && plan.verdict == Verdict::Underway {
                    plan.waits.clear();
                    plan.verdict = Verdict::Done;
                }
            }),
            CONVERGENCE,
            Stage::new("local", BARE, &["stopped"], "present", clear),
        ),
        mutant(
            "a wait for the clock is an end",
            Writes(|plan, _| {
                if plan.next.is_empty() && plan.waits.iter().any(|it| matches!(it.awaited, Awaited::Clock(_))) {
                    plan.waits.clear();
                    plan.verdict = Verdict::Done;
                }
            }),
            CONVERGENCE,
            Stage::new("scaleway", BARE, &[], "stopped", clear),
        ),
        mutant(
            "a hold is an end",
            Writes(|plan, _| {
                if let Verdict::Held(_) = plan.verdict {
                    plan.verdict = Verdict::Done;
                }
            }),
            CONVERGENCE,
            archive("local like linode", "data 100 GB", clear),
        ),
        mutant(
            "tags are not repaired",
            Writes(|plan, _| plan.next.retain(|it| !matches!(it.step, Step::Retag { .. }))),
            CONVERGENCE,
            archive("scaleway", ROOT, clear),
        ),
        mutant(
            "disks are not attached",
            Writes(|plan, _| plan.next.retain(|it| !matches!(it.step, Step::Attach { .. }))),
            CONVERGENCE,
            Stage::new("local", LASTING, &["stopped"], "stopped", clear).after(BARE),
        ),
        mutant("a second look is not taken", Confirms(|_| false), SAFETY, copies),
        mutant(
            "a second look is not taken before a copy goes",
            Confirms(|plan| plan.next.iter().any(|it| it.step.is_destructive() && !matches!(it.step, Step::DeleteSnapshot(_)))),
            SAFETY,
            copies,
        ),
        mutant(
            "a second look is not taken before an image goes",
            Confirms(|plan| plan.next.iter().any(|it| it.step.is_destructive() && !matches!(it.step, Step::DeleteImage(_)))),
            SAFETY,
            Stage::new("linode", "root snapshot, onStop refresh", &["present", "absent"], "absent", Sky::StrangersAndLooks(2))
                .after("root snapshot, onStop refresh, 2"),
        ),
        mutant(
            "a second look is taken before disks go, and before nothing else",
            Confirms(|plan| plan.next.iter().any(|it| matches!(it.step, Step::DeleteVolume(_)))),
            SAFETY,
            copies,
        ),
    ]
}

/// The receipt, with an answer that was lost noted as another one.
fn noted(planned: &cloudypad::model::Planned, answer: &Result<String, Problem>, outcome: &'static str) -> Closing {
    let it = receipt(&planned.step, answer);
    if it.outcome == UNKNOWN { Closing { outcome, ..it } } else { it }
}
