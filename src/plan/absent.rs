//! The wish `absent`: archived. No server; of the disks, only what is needed to come back.

use super::{
    draft::Draft,
    retiring::{self, Fates},
};
use crate::model::{Hold, Reason, ServerState};

/// Plans towards the archive.
pub(crate) fn plan(draft: &mut Draft<'_>) -> Result<(), Hold> {
    let fates = Fates::of_archive(draft)?;
    let reason = if draft.scene.rest.is_some() { Reason::Idle } else { Reason::ServerState(ServerState::Absent) };
    retiring::retire(draft, &fates, &reason)
}
