//! The wish `absent`: archived. No server; of the disks, only what is needed to come back.

use super::{
    draft::Draft,
    rest,
    retiring::{self, Fates},
};
use crate::model::{Hold, Reason, ServerState};

/// Plans towards the archive.
pub(crate) fn plan(draft: &mut Draft<'_>) -> Result<(), Hold> {
    let fates = Fates::of_archive(draft)?;
    let reason = draft.scene.rest.map_or(Reason::ServerState(ServerState::Absent), |it| rest::asleep(it.why));
    retiring::retire(draft, &fates, &reason)
}
