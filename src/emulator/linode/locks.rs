//! Locks, which keep Linodes and volumes from being deleted.

use serde_json::{Value, json};

use super::events::Entity;
use super::input::Fields;
use super::problem::{invalid, not_found, required};
use super::{linodes, listing, listing::list, volumes};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints of locks.
pub static ROUTES: &[Route] =
    &[look("/locks", index), change("POST", "/locks", create), look("/locks/{id}", get), change("DELETE", "/locks/{id}", delete)];

/// What locks there are.
const KINDS: [&str; 2] = ["cannot_delete", "cannot_delete_with_subresources"];

fn shown(id: u64, kind: &str, entity: &Entity) -> Value {
    json!({"id": id, "lock_type": kind, "entity": entity})
}

fn all(truth: &Truth) -> Vec<(u64, Value)> {
    let mut rows = Vec::new();
    for (id, details) in &truth.linode.linodes {
        let Some(server) = truth.servers.get(id) else { continue };
        rows.extend(details.locks.iter().map(|(lock, kind)| (*lock, shown(*lock, kind, &linodes::entity(server)))));
    }
    for (id, details) in &truth.linode.volumes {
        let Some(volume) = truth.volumes.get(id) else { continue };
        rows.extend(details.locks.iter().map(|(lock, kind)| (*lock, shown(*lock, kind, &volumes::entity(volume)))));
    }
    rows.sort_by_key(|(id, _)| *id);
    rows
}

fn index(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::PRICES, all(truth).into_iter().map(|(_, row)| row).collect())
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let row = all(truth).into_iter().find(|(id, _)| id.to_string() == args.id);
    row.map(|(_, row)| Answer::ok(row)).ok_or_else(not_found)
}

fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let kind = fields.needed("lock_type")?;
    if !KINDS.contains(&kind) {
        return Err(invalid("lock_type", "lock_type is not valid"));
    }
    let id = fields.number("entity_id")?.ok_or_else(|| required("entity_id"))?.to_string();
    let wrong = |_| invalid("entity_id", "entity_id is not valid");
    let (entity, locks) = match fields.needed("entity_type")? {
        "linode" => {
            let entity = linodes::find(&deed.truth, &id).map(|(server, _)| linodes::entity(server)).map_err(wrong)?;
            (entity, deed.truth.linode.linodes.get(&id).map(|details| &details.locks))
        }
        "volume" => {
            let entity = volumes::find(&deed.truth, &id).map(|(volume, _)| volumes::entity(volume)).map_err(wrong)?;
            (entity, deed.truth.linode.volumes.get(&id).map(|details| &details.locks))
        }
        _ => return Err(invalid("entity_type", "entity_type is not valid")),
    };
    if let Some((lock, other)) = locks.and_then(|locks| locks.iter().next()) {
        let reason = format!(
            "The {other} lock (Lock ID: {lock}) needs to be removed to add {kind} lock. Can only have one of: {} locks",
            KINDS.join(", ")
        );
        return Err(invalid("lock_type", &reason));
    }
    let lock: u64 = deed.mint("lock").parse().unwrap_or_default();
    let locks = match entity.kind.as_str() {
        "linode" => deed.truth.linode.linodes.get_mut(&id).map(|details| &mut details.locks),
        _ => deed.truth.linode.volumes.get_mut(&id).map(|details| &mut details.locks),
    };
    if let Some(locks) = locks {
        locks.insert(lock, kind.to_owned());
    }
    Ok(Answer::ok(shown(lock, kind, &entity)))
}

fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let lock: u64 = args.id.parse().map_err(|_| not_found())?;
    let details = &mut deed.truth.linode;
    let of_linodes = details.linodes.values_mut().map(|details| &mut details.locks);
    let of_volumes = details.volumes.values_mut().map(|details| &mut details.locks);
    let gone = of_linodes.chain(of_volumes).filter_map(|locks| locks.remove(&lock)).count();
    if gone == 0 { Err(not_found()) } else { Ok(Answer::ok(json!({}))) }
}
