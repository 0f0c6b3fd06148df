//! The wish `stopped`: the server exists, powered off.

use super::{building, draft::Draft, retiring, running};
use crate::model::{Hold, Note, Power, Reason, ServerState, Step};

/// Plans towards a server that is off.
pub(crate) fn plan(draft: &mut Draft<'_>) -> Result<(), Hold> {
    if draft.await_leaving() {
        return Ok(());
    }
    let Some(server) = draft.scene.server else { return building::assemble(draft) };
    if draft.scene.is_outdated(&server.tags) {
        return retiring::replace(draft, server);
    }
    if retiring::is_husk(&draft.scene, server) {
        return retiring::take_husk(draft, server);
    }
    if !draft.elected(server.created, "the server") {
        return Ok(());
    }
    match server.power {
        Power::Starting | Power::Stopping | Power::Busy => draft.wait_server(server),
        Power::Running | Power::StoppedInPlace => {
            draft.refuse_locked(server)?;
            let still_billed = server.power == Power::StoppedInPlace;
            let reason = if still_billed { Reason::StillBilled } else { Reason::ServerState(ServerState::Stopped) };
            draft.step(Step::StopServer(server.id.clone()), reason);
        }
        _ => {
            running::settle_off(draft, server, &mut Reason::ServerState(ServerState::Stopped))?;
        }
    }
    if draft.scene.cloud.billed_when_off {
        let note = format!("billed in full on {}, use absent", draft.scene.cloud.name);
        draft.notes.push(Note::BilledWhenOff(note));
    }
    Ok(())
}
