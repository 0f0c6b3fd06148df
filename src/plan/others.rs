//! Two who apply one instance: which spec it carries, who yields to whom, and what is overridden.
//!
//! The tag is on the server; while there is none, or while it is about to go, on the firewall, which an archive keeps.
//! An archived instance so says as well what it was archived for, and a deletion under way that it is one; when that has
//! ended the firewall too, the copies that it kept say so, until something else can.

use super::{draft::Draft, marks::common_tags, rest, scene::Scene};
use crate::model::{APPLIED, Aim, Applied, Copy, DELETED, Hold, Note, Object, Reason, ServerState, Stance, Step, Tags};

/// Yields to whoever applied something else after this wish was applied: to fight would serve nobody.
pub(crate) fn refuse_overridden(scene: &Scene<'_>) -> Result<(), Hold> {
    // Hands that are kept off anyway need not yield.
    if scene.ask.is_suspended() {
        return Ok(());
    }
    let own = scene.facts.applied;
    let yields = |it: &Applied| own.map_or(scene.ask.stance == Stance::Keep, |own| *it > own);
    match other(scene).filter(yields) {
        Some(it) => Err(Hold::OtherApplier { aim: it.aim, seconds: it.ago(scene.world.now) }),
        None if own.is_some() && scene.ask.deletion.is_none() && scene.is_empty() && !may_be_unlisted(scene) => {
            // What this run had a part in is gone to the last object: nothing but a deletion does that.
            Err(Hold::OtherApplier { aim: Aim::Delete { keep_snapshots: false }, seconds: 0 })
        }
        None => Ok(()),
    }
}

/// Whether what this run made may be missing from the lists yet.
fn may_be_unlisted(scene: &Scene<'_>) -> bool {
    scene.facts.made.values().any(|asked| scene.world.now < asked.plus_seconds(scene.cloud.listing_lag))
}

/// Says what is overridden, unless it was applied from this machine: an owner's own edit is no news.
pub(crate) fn note_overridden(draft: &mut Draft<'_>) {
    let scene = &draft.scene;
    let here = scene.facts.applied_here;
    // Who deletes what he declared overrides nobody.
    let is_news = |it: &Applied| match it.aim {
        Aim::Reach(_) => it.digest != scene.ask.spec.digest(),
        Aim::Delete { .. } => true,
    };
    let theirs = other(scene).filter(|it| is_news(it) && carried(scene).is_some() && !here.is_some_and(|here| here.is_like(it)));
    if let Some(it) = theirs {
        let seconds = it.ago(scene.world.now);
        draft.notes.push(Note::Overrides { aim: it.aim, seconds });
    }
}

/// What was applied last, where it is another word than this wish.
fn other(scene: &Scene<'_>) -> Option<Applied> {
    scene.applied.filter(|it| !it.agrees_with(scene.ask))
}

/// Whether its owner wakes what ran as long as its session may: from now on it is another one.
fn begins_anew(scene: &Scene<'_>) -> bool {
    scene.ask.wake && rest::is_over(scene)
}

/// The tag's value for what is made now.
pub(crate) fn value(scene: &Scene<'_>) -> String {
    // What was applied before says already what is applied still.
    let known = scene.applied.filter(|it| it.is_of(scene.ask) && !begins_anew(scene));
    known.unwrap_or_else(|| Applied::now(scene.ask, scene.world.now, scene.applied)).value()
}

/// The object that is to say what is applied, with the tag's value, where it does not say so yet.
pub(crate) fn carried(scene: &Scene<'_>) -> Option<(Object, String)> {
    if scene.ask.is_suspended() {
        return None;
    }
    let goes = scene.ask.deletion.is_some() || scene.wish() == ServerState::Absent;
    // Somebody takes the server away: what comes after it is seen first, and may be nothing that could be wished for.
    if scene.leaving.is_some() && !goes {
        return None;
    }
    let server = scene.server.filter(|_| !goes).map(|it| (Object::Server(it.id.clone()), &it.tags));
    let firewall = || scene.firewall.map(|it| (Object::Firewall(it.id.clone()), &it.tags));
    let (object, tags) = server.or_else(firewall)?;
    let says = Applied::said_by(tags).is_some_and(|it| it.is_of(scene.ask)) && !begins_anew(scene);
    (!says || other(scene).is_some()).then(|| (object, value(scene)))
}

/// Whether this copy says what is applied: one that a deletion kept, and that is taken back before anything else could
/// say so.
pub(crate) fn is_carried_by(scene: &Scene<'_>, copy: Copy<'_>) -> bool {
    let is_last = scene.wish() == ServerState::Absent && scene.server.is_none() && scene.firewall.is_none();
    is_last && (copy.tags().has(DELETED) || Applied::said_by(copy.tags()).is_some())
}

/// The tags of what is made, and can say what it is made for.
pub(crate) fn telling_tags(scene: &Scene<'_>) -> Tags {
    common_tags(scene).with_value(APPLIED, &value(scene))
}

/// Has a deletion say that it is under way, unless what would say so goes now.
pub(crate) fn tell_deletion(draft: &mut Draft<'_>) {
    let Some((object, value)) = carried(&draft.scene) else { return };
    let Some(firewall) = draft.scene.firewall.filter(|it| object == Object::Firewall(it.id.clone())) else { return };
    let goes = draft.next.iter().any(|it| matches!(&it.step, Step::DeleteFirewall(id) if *id == firewall.id));
    if !goes {
        let tags = firewall.tags.clone().with_value(APPLIED, &value);
        draft.step(Step::Retag { object, tags, name: None }, Reason::Deletion);
    }
}
