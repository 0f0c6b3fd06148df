//! The spec's DNS name: it follows the machine, and points nowhere while the instance is archived.

use super::{
    draft::Draft,
    scene::{Scene, blind},
};
use crate::model::{Hold, Note, Power, Reason, Record, Seen, ServerState, Step, tag_value};

/// The word of the tag by which the firewall, which outlives server and address, remembers the name.
const NAME: &str = "name";

/// Whether the instance has a DNS name that follows it.
fn has_name(draft: &Draft<'_>) -> bool {
    draft.scene.cloud.dns && draft.scene.ask.spec.network.dns.is_some()
}

/// Whether the name is seen to be free, or ours: only then is it remembered as ours.
pub(crate) fn is_ours_to_remember(scene: &Scene<'_>) -> bool {
    match &scene.world.record {
        Seen::Present(record) => record.ours,
        Seen::Absent => true,
        Seen::Unknown(_) => false,
    }
}

/// The id of a record that is the instance's ([`is_ours_to_remember`]), where only that tells whose it is.
pub(crate) fn record_id<'w>(scene: &Scene<'w>) -> Option<&'w str> {
    match &scene.world.record {
        Seen::Present(record) => record.id.as_deref(),
        Seen::Absent | Seen::Unknown(_) => None,
    }
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

/// The record, where there is one. Only what needs the name is held where it cannot be seen.
fn record<'w>(draft: &Draft<'w>) -> Result<Option<&'w Record>, Hold> {
    match &draft.scene.world.record {
        Seen::Present(record) => Ok(Some(record)),
        Seen::Absent => Ok(None),
        Seen::Unknown(cause) => Err(blind("DNS record", cause)),
    }
}

/// A name that somebody else uses is not taken over; said before anything is made.
pub(crate) fn refuse_taken(draft: &Draft<'_>) -> Result<(), Hold> {
    if !has_name(draft) || draft.scene.wish() != ServerState::Present {
        return Ok(());
    }
    match (record(draft)?, &draft.scene.ask.spec.network.dns) {
        (Some(record), Some(dns)) if !record.ours => {
            Err(Hold::RecordTaken { name: format!("{}.{}", dns.record, dns.zone), addresses: record.addresses.clone() })
        }
        _ => Ok(()),
    }
}

/// Points the name where the machine is; on the way to the archive parks it and gives the address up.
pub(crate) fn follow(draft: &mut Draft<'_>) -> Result<(), Hold> {
    mind_forgotten(draft);
    if !has_name(draft) {
        return Ok(());
    }
    let state = draft.scene.wish();
    let is_archived = draft.scene.server.is_none() && draft.scene.leaving.is_none();
    let needs_it = state == ServerState::Present || (state == ServerState::Absent && is_archived);
    let record = match record(draft) {
        Ok(record) => record,
        Err(hold) if needs_it => return Err(hold),
        Err(_) => return Ok(()),
    };
    if record.is_some_and(|it| !it.ours) {
        return Ok(());
    }
    let ttl = draft.scene.cloud.dns_ttl;
    let points_to = |address: &str| record.is_some_and(|it| it.addresses == [address] && it.ttl == ttl);
    if state != ServerState::Absent {
        if let Some(address) = target(&draft.scene).filter(|it| !points_to(it)) {
            draft.step(Step::SetRecord { address }, Reason::NameFollows);
        }
    } else if is_archived && record.is_some() && !points_to(Record::PARKED) {
        draft.step(Step::SetRecord { address: Record::PARKED.to_owned() }, Reason::Parked);
    } else if is_archived && let Some(address) = draft.scene.address.filter(|it| it.server.is_none()) {
        draft.step(Step::ReleaseAddress(address.id.clone()), Reason::NameIsEnough);
    }
    Ok(())
}

/// Where the machine answers.
fn target(scene: &Scene<'_>) -> Option<String> {
    let reserved = scene.address.filter(|it| scene.is_settled(it.created) && !it.address.is_empty());
    if !scene.cloud.own_address {
        return reserved.map(|it| it.address.clone());
    }
    // Its own address is told once it answers there: a name that cannot be set keeps no machine from running.
    let server = scene.server.filter(|it| it.power == Power::Running)?;
    let its = reserved.filter(|it| server.address.as_ref() == Some(&it.id));
    its.map(|it| it.address.clone()).or_else(|| server.told.own_address.clone())
}

/// Deletes the name, where it is ours. `true` where that is to be done first.
pub(crate) fn forget(draft: &mut Draft<'_>) -> Result<bool, Hold> {
    mind_forgotten(draft);
    if !has_name(draft) {
        return Ok(false);
    }
    let Some(record) = record(draft)?.filter(|it| it.ours) else { return Ok(false) };
    draft.step(Step::DeleteRecord { addresses: record.addresses.clone() }, Reason::Deletion);
    Ok(true)
}
