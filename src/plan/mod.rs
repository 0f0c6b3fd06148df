//! Floor 1, the brain: what may be done next, and why. Pure and total: no cloud, no clock, no file.
//!
//! In reading order: [`scene`] sorts a look into server, disks and copies, or holds; one file per wish
//! (`running`, `stopped`, `absent`, `deleted`) over shared moves (`retiring`, `building`, `upkeep`) and the
//! `marks` they leave, all written into a `draft`; `others` knows who else applies; `forecast` walks the plan to its end in an imagined
//! world; `rest` knows instances that sleep; `audit` is a second opinion.

mod absent;
mod audit;
mod building;
mod deleted;
mod draft;
mod forecast;
mod imagine;
mod line;
mod marks;
mod naming;
mod others;
mod rest;
mod retiring;
mod running;
mod scene;
mod stopped;
mod upkeep;

pub use audit::{Objection, audit};
pub use forecast::{Act, Forecast, forecast};

use crate::model::{Ask, Capabilities, Facts, Hold, Plan, ServerState, Verdict, World};
use draft::Draft;
use scene::Scene;

/// What may be done now for one instance, and why; or that nothing is left; or why the owner is needed.
///
/// The same arguments give the same answer, always. A hold carries no steps.
pub fn plan(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> Plan {
    match draft(ask, world, facts, cloud) {
        Err(hold) => Plan { next: Vec::new(), waits: Vec::new(), verdict: Verdict::Held(hold), notes: Vec::new() },
        Ok(draft) if ask.is_suspended() && !draft.next.is_empty() => {
            Plan { next: Vec::new(), waits: Vec::new(), verdict: Verdict::Held(Hold::Suspended), notes: draft.notes }
        }
        Ok(draft) => {
            let quiet = draft.next.is_empty() && draft.waits.is_empty();
            let verdict = if quiet { Verdict::Done } else { Verdict::Underway };
            Plan { next: draft.next, waits: draft.waits, verdict, notes: draft.notes }
        }
    }
}

fn draft<'w>(ask: &'w Ask, world: &'w World, facts: &'w Facts, cloud: &'w Capabilities) -> Result<Draft<'w>, Hold> {
    let scene = Scene::read(ask, world, facts, cloud)?;
    others::refuse_overridden(&scene)?;
    let mut draft = Draft::new(scene);
    others::note_overridden(&mut draft);
    // Copies that failed go before anything else, while their disks are there; then what was made twice.
    upkeep::drop_failed_copies(&mut draft);
    if draft.is_quiet() {
        upkeep::drop_spare_machines(&mut draft)?;
    }
    if !draft.is_quiet() {
        return Ok(draft);
    }
    if upkeep::note_given_up(&mut draft) {
        return Ok(draft);
    }
    if rest::end(&mut draft) || rest::begin(&mut draft) {
        return Ok(draft);
    }
    if ask.deletion.is_none() {
        naming::refuse_taken(&draft)?;
    }
    match (ask.deletion, draft.scene.wish()) {
        (Some(deletion), _) => deleted::plan(&mut draft, deletion)?,
        (None, ServerState::Present) => running::plan(&mut draft)?,
        (None, ServerState::Stopped) => stopped::plan(&mut draft)?,
        (None, ServerState::Absent) => absent::plan(&mut draft)?,
    }
    if ask.deletion.is_none() {
        upkeep::plan(&mut draft)?;
    }
    rest::note_unwatched(&mut draft);
    rest::remember_first(&mut draft);
    upkeep::await_transitions(&mut draft);
    rest::stay(&draft)?;
    Ok(draft)
}
