//! Rest: an instance that nobody uses is archived although its spec says `present`, until its owner wakes it.
//!
//! That is a fact on the cloud. While there is a server, it says whether it is on its way to rest; once it is gone, so does
//! everything that is kept, which said it before.

use super::{draft::Draft, retiring::Fates, scene::Scene, upkeep};
use crate::model::{Asleep, Hold, Note, Object, Power, REST, Ran, Reason, Rest, Server, ServerState, Stance, Step, Tags, session_end};

/// A server that went off again so many seconds after it was found off and started is not started once more.
const AT_ONCE: i64 = 15 * 60;
/// For so many seconds a server that still runs is on its way to rest. After that somebody may use it again.
const UNDER_WAY: i64 = 6 * 3600;

/// The rest that the cloud knows of, where it is the spec's: another `serverState` or another `wake` ends it.
pub(crate) fn standing(scene: &Scene<'_>) -> Option<Rest> {
    if scene.ask.deletion.is_some() || scene.ask.wished() != ServerState::Present {
        return None;
    }
    let said: Vec<&Tags> = match scene.server {
        Some(server) => vec![&server.tags],
        None => scene.leaving.iter().map(|it| &it.tags).chain(kept(scene)).collect(),
    };
    let now = scene.world.now.0.div_euclid(1_000_000);
    let runs = scene.server.is_some_and(|it| it.power == Power::Running);
    let is_over = |it: &Rest| runs && now > it.since.saturating_add(UNDER_WAY + timeout(scene));
    said.into_iter().filter_map(Rest::said_by).filter(|it| it.is_of(scene.ask) && !is_over(it)).max()
}

/// For how many seconds nobody uses a guest until it says so; 0 where it never does.
fn timeout(scene: &Scene<'_>) -> i64 {
    scene.ask.spec.autostop.as_ref().filter(|it| it.enable).map_or(0, |it| i64::from(it.timeout_seconds))
}

/// The tags of everything that may outlive the server.
fn kept<'w>(scene: &Scene<'w>) -> impl Iterator<Item = &'w Tags> {
    let world = scene.world;
    (world.volumes.items().iter().map(|it| &it.tags))
        .chain(scene.root_copies.iter().chain(&scene.data_copies).map(|it| it.tags()))
        .chain(world.addresses.items().iter().map(|it| &it.tags))
        .chain(world.firewalls.items().iter().map(|it| &it.tags))
}

/// Has the server say that it is on its way to rest, where its guest said that nobody uses it, or its session is over. `true`
/// where that is to be done first.
pub(crate) fn begin(draft: &mut Draft<'_>) -> bool {
    let scene = &draft.scene;
    let now = scene.world.now.0.div_euclid(1_000_000);
    let (since, why) = match scene.ask.idle {
        Some(idle) => (now.saturating_sub(idle.seconds.try_into().unwrap_or(i64::MAX)), Asleep::Idle),
        None if is_over(scene) => (now, Asleep::Session),
        None => return false,
    };
    let Some(server) = scene.server else { return false };
    let is_wished = scene.ask.deletion.is_none() && scene.ask.wished() == ServerState::Present;
    // What was on its way to rest in this run, and is not any more, was woken by somebody else.
    let is_stopped_short = scene.rest.is_some() || scene.ask.wake || scene.facts.rested;
    if !is_wished || is_stopped_short || server.ran == Ran::Never {
        return false;
    }
    // What could not be archived goes on running, and its owner is told.
    let notes = draft.notes.len();
    let fates = Fates::of_archive(draft);
    draft.notes.truncate(notes);
    if let Err(hold) = fates {
        let reason = asleep(why);
        draft.notes.push(Note::Mind(format!("{reason}, and it cannot be archived: {hold}; {}", hold.remedy())));
        return false;
    }
    let tags = server.tags.clone().with_value(REST, &Rest::of(draft.scene.ask, since, why).value());
    draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, asleep(why));
    true
}

/// Whether its session has lasted as long as `session.max` says.
pub(crate) fn is_over(scene: &Scene<'_>) -> bool {
    session_end(scene.ask, scene.world).is_some_and(|end| end <= scene.world.now)
}

/// Why what rests is archived, for people.
pub(crate) fn asleep(why: Asleep) -> Reason {
    match why {
        Asleep::Idle => Reason::Idle,
        Asleep::Session => Reason::SessionOver,
    }
}

/// Has everything that would keep the instance at rest forget it, where its owner wakes it. `true` where that is to be
/// done first: what is cut off after it is carried on by whoever applies next.
pub(crate) fn end(draft: &mut Draft<'_>) -> bool {
    if !draft.scene.ask.wake || standing(&draft.scene).is_none() {
        return false;
    }
    upkeep::repair_tags(draft);
    !draft.next.is_empty()
}

/// The server goes once everything that is kept says that the instance rests.
pub(crate) fn remember_first(draft: &mut Draft<'_>) {
    if draft.scene.rest.is_some() && draft.next.iter().any(|it| matches!(it.step, Step::Retag { .. })) {
        draft.next.retain(|it| !matches!(it.step, Step::DeleteServer { .. }));
    }
}

/// Says that a guest which goes to sleep ends no bill by that, where nobody watches.
pub(crate) fn note_unwatched(draft: &mut Draft<'_>) {
    let (ask, cloud) = (draft.scene.ask, draft.scene.cloud);
    let sleeps = ask.spec.autostop.as_ref().is_some_and(|it| it.enable) && draft.scene.wish() == ServerState::Present;
    if sleeps && ask.deletion.is_none() && ask.stance == Stance::Apply && cloud.billed_when_guest_is_off {
        let name = cloud.name;
        draft
            .notes
            .push(Note::Mind(format!("autostop: at {name} a guest that powers itself off is billed on; cloudypad watch archives it")));
    }
}

/// An instance that has come to rest stays there.
pub(crate) fn stay(draft: &Draft<'_>) -> Result<(), Hold> {
    match draft.scene.rest {
        Some(rest) if draft.is_quiet() => Err(Hold::Archived { since: rest.since, why: rest.why }),
        _ => Ok(()),
    }
}

/// Whether a server that should run is off although this very wish was applied before, and nobody here told it to be.
///
/// # Errors
/// Where it was started for that already, and did not stay.
pub(crate) fn is_found_off(scene: &Scene<'_>, server: &Server) -> Result<bool, Hold> {
    let (id, facts) = (server.id.as_str(), scene.facts);
    let was_reached = scene.applied.is_some_and(|it| it.is_of(scene.ask)) && server.ran != Ran::Never;
    if !was_reached || facts.anew || facts.ordered_off.contains(id) || scene.ask.wake {
        return Ok(false);
    }
    // A guest that falls asleep by itself is no failing one.
    let at_once = if timeout(scene) > 0 { AT_ONCE.min(timeout(scene)) } else { AT_ONCE };
    match server.off_since.zip(facts.restarted.get(id)) {
        Some((off, started)) if off > *started && off.seconds_since(*started) < at_once => {
            let seconds = off.seconds_since(*started).unsigned_abs();
            Err(Hold::KeepsGoingOff { server: server.name.clone(), seconds })
        }
        _ => Ok(true),
    }
}
