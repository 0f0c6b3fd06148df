//! The spec's DNS name: it follows the machine, and points nowhere while the instance is archived.

use super::draft::Draft;
use crate::model::{Hold, Reason, Record, Seen, ServerState, Step};

/// Where the name points while nothing answers: an address that documentation owns (RFC 5737).
pub(crate) const PARKED: &str = "192.0.2.1";
/// Seconds for which others may remember the name's address: the least that Scaleway takes.
const TTL: u64 = 60;

/// Whether the instance has a DNS name that follows it.
fn has_name(draft: &Draft<'_>) -> bool {
    let cloud = draft.scene.cloud;
    cloud.dns && cloud.static_address && draft.scene.ask.spec.network.dns.is_some()
}

fn record<'w>(draft: &Draft<'w>) -> Option<&'w Record> {
    match &draft.scene.world.record {
        Seen::Present(record) => Some(record),
        Seen::Absent | Seen::Unknown(_) => None,
    }
}

/// A name that somebody else uses is not taken over; said before anything is made.
pub(crate) fn refuse_taken(draft: &Draft<'_>) -> Result<(), Hold> {
    let up = draft.scene.ask.spec.server_state != ServerState::Absent;
    match (record(draft), &draft.scene.ask.spec.network.dns) {
        (Some(record), Some(dns)) if up && has_name(draft) && !record.ours => {
            Err(Hold::RecordTaken { name: format!("{}.{}", dns.record, dns.zone), addresses: record.addresses.clone() })
        }
        _ => Ok(()),
    }
}

/// Points the name where the machine is; on the way to the archive parks it and gives the address up.
pub(crate) fn follow(draft: &mut Draft<'_>) {
    if !has_name(draft) {
        return;
    }
    let record = record(draft);
    let points_to = |address: &str| record.is_some_and(|it| it.addresses == [address] && it.ttl == TTL);
    if draft.scene.ask.spec.server_state != ServerState::Absent {
        let address = draft.scene.address.filter(|it| draft.scene.is_settled(it.created));
        if let Some(address) = address.filter(|it| !points_to(&it.address)) {
            draft.step(Step::SetRecord { address: address.address.clone() }, Reason::NameFollows);
        }
        return;
    }
    let is_archived = draft.scene.server.is_none() && draft.scene.leaving.is_none();
    if !is_archived || record.is_some_and(|it| !it.ours) {
        return;
    }
    if record.is_some() && !points_to(PARKED) {
        draft.step(Step::SetRecord { address: PARKED.to_owned() }, Reason::Parked);
    } else if let Some(address) = draft.scene.address.filter(|it| it.server.is_none()) {
        draft.step(Step::ReleaseAddress(address.id.clone()), Reason::NameIsEnough);
    }
}

/// Deletes the name, where it is ours.
pub(crate) fn forget(draft: &mut Draft<'_>) {
    if has_name(draft) && record(draft).is_some_and(|it| it.ours) {
        draft.step(Step::DeleteRecord, Reason::Deletion);
    }
}
