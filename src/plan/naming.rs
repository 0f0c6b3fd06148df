//! The spec's DNS name: it follows the machine, and points nowhere while the instance is archived.

use super::{draft::Draft, scene::Scene};
use crate::model::{Hold, Note, Reason, Record, Seen, ServerState, Step, tag_value};

/// The word of the tag by which the firewall, which outlives server and address, remembers the name.
const NAME: &str = "name";
/// Seconds for which others may remember the name's address: the least that Scaleway takes.
const TTL: u64 = 60;

/// Whether the instance has a DNS name that follows it.
fn has_name(draft: &Draft<'_>) -> bool {
    let cloud = draft.scene.cloud;
    cloud.dns && cloud.static_address && draft.scene.ask.spec.network.dns.is_some()
}

/// The spec's name as a tag remembers it.
pub(crate) fn remembered(draft: &Scene<'_>) -> Option<(&'static str, String)> {
    let dns = draft.ask.spec.network.dns.as_ref().filter(|_| draft.cloud.dns)?;
    Some((NAME, tag_value(NAME, &format!("{}.{}", dns.record, dns.zone))))
}

/// Says that a name which the spec no longer has may still point to the instance's address.
pub(crate) fn mind_forgotten(draft: &mut Draft<'_>) {
    let wanted = remembered(&draft.scene).map(|it| it.1);
    let had = draft.scene.firewall.and_then(|it| it.tags.get(NAME));
    if let Some(had) = had.filter(|it| Some(*it) != wanted.as_deref()) {
        let note = format!("the DNS name {had}, which the spec no longer has, may still point to this instance's address: delete it");
        draft.notes.push(Note::Mind(note));
    }
}

fn record<'w>(draft: &Draft<'w>) -> Option<&'w Record> {
    match &draft.scene.world.record {
        Seen::Present(record) => Some(record),
        Seen::Absent | Seen::Unknown(_) => None,
    }
}

/// A name that somebody else uses is not taken over; said before anything is made.
pub(crate) fn refuse_taken(draft: &Draft<'_>) -> Result<(), Hold> {
    let up = draft.scene.ask.spec.server_state == ServerState::Present;
    match (record(draft), &draft.scene.ask.spec.network.dns) {
        (Some(record), Some(dns)) if up && has_name(draft) && !record.ours => {
            Err(Hold::RecordTaken { name: format!("{}.{}", dns.record, dns.zone), addresses: record.addresses.clone() })
        }
        _ => Ok(()),
    }
}

/// Points the name where the machine is; on the way to the archive parks it and gives the address up.
pub(crate) fn follow(draft: &mut Draft<'_>) {
    mind_forgotten(draft);
    if !has_name(draft) {
        return;
    }
    let record = record(draft);
    if record.is_some_and(|it| !it.ours) {
        return;
    }
    let points_to = |address: &str| record.is_some_and(|it| it.addresses == [address] && it.ttl == TTL);
    if draft.scene.ask.spec.server_state != ServerState::Absent {
        let address = draft.scene.address.filter(|it| draft.scene.is_settled(it.created));
        if let Some(address) = address.filter(|it| !points_to(&it.address)) {
            draft.step(Step::SetRecord { address: address.address.clone() }, Reason::NameFollows);
        }
        return;
    }
    let is_archived = draft.scene.server.is_none() && draft.scene.leaving.is_none();
    if !is_archived {
        return;
    }
    if record.is_some() && !points_to(Record::PARKED) {
        draft.step(Step::SetRecord { address: Record::PARKED.to_owned() }, Reason::Parked);
    } else if let Some(address) = draft.scene.address.filter(|it| it.server.is_none()) {
        draft.step(Step::ReleaseAddress(address.id.clone()), Reason::NameIsEnough);
    }
}

/// Deletes the name, where it is ours.
pub(crate) fn forget(draft: &mut Draft<'_>) {
    mind_forgotten(draft);
    if has_name(draft) && record(draft).is_some_and(|it| it.ours) {
        draft.step(Step::DeleteRecord, Reason::Deletion);
    }
}
