//! `cloudypad delete`: nothing of the instance is left, but for what the owner keeps.

use super::{
    draft::Draft,
    naming, others,
    retiring::{self, Fates},
    upkeep,
};
use crate::model::{
    APPLIED, Copy, CopyStatus, DELETED, Deletion, Expendable, HAD_DATA, Hold, Image, KEEP, Note, Object, Reason, Role, Seen, Snapshot,
    Step, VolumeStatus, Word,
};

/// Plans towards nothing.
pub(crate) fn plan(draft: &mut Draft<'_>, deletion: Deletion) -> Result<(), Hold> {
    refuse_protected(draft)?;
    retire_all(draft, deletion)?;
    others::tell_deletion(draft);
    Ok(())
}

fn retire_all(draft: &mut Draft<'_>, deletion: Deletion) -> Result<(), Hold> {
    if let Seen::Present(places) = &draft.scene.world.elsewhere {
        draft.notes.push(Note::LeftAlone(format!("what it has in {}; delete it there too", places.join(", "))));
    }
    for volume in draft.scene.world.volumes.items().iter().filter(|it| it.status == VolumeStatus::Error && !deletion.keep_snapshots) {
        draft.notes.push(Note::LeftAlone(format!("volume {}, on which the vendor reports an error", volume.id)));
    }
    let fates = Fates::of_deletion(draft, deletion)?;
    retiring::retire(draft, &fates, &Reason::Deletion)?;
    delete_copies(draft, deletion);

    let scene = &draft.scene;
    if scene.server.is_some() || scene.leaving.is_some() || !scene.spare_servers.is_empty() {
        return Ok(());
    }
    let addresses: Vec<_> = scene.address.into_iter().chain(scene.spare_addresses.iter().copied()).map(|it| it.id.clone()).collect();
    let firewalls: Vec<_> = scene.firewall.into_iter().chain(scene.spare_firewalls.iter().copied()).map(|it| it.id.clone()).collect();
    // The name first: without its address nobody could tell any more that it was ours.
    if naming::forget(draft)? {
        return Ok(());
    }
    if let Some(hold) = &draft.scene.lent {
        return Err(hold.clone());
    }
    for address in addresses {
        draft.step(Step::ReleaseAddress(address), Reason::Deletion);
    }
    for firewall in firewalls {
        draft.step(Step::DeleteFirewall(firewall), Reason::Deletion);
    }
    Ok(())
}

fn refuse_protected(draft: &Draft<'_>) -> Result<(), Hold> {
    if draft.scene.ask.spec.protect {
        return Err(Hold::Protected { what: "the spec says protect: true".to_owned() });
    }
    if draft.scene.is_protected() {
        return Err(Hold::Protected { what: "objects of the instance carry the tag protect:yes".to_owned() });
    }
    Ok(())
}

fn delete_copies(draft: &mut Draft<'_>, deletion: Deletion) {
    let keep_root = draft.scene.ask.spec.root_disk_snapshot.keep_on_deletion;
    let copies: Vec<Copy<'_>> = draft.scene.root_copies.iter().chain(&draft.scene.data_copies).copied().collect();
    for copy in copies {
        let kept = copy.tags().has(KEEP) || (keep_root && copy.tags().role() == Some(Role::Root));
        let Some(word) = Word::delete_command(&deletion).filter(|_| !kept) else {
            keep(draft, copy);
            continue;
        };
        match copy.status() {
            CopyStatus::Creating => draft.await_copy(copy),
            CopyStatus::Deleting => {}
            _ => upkeep::delete_copy(draft, copy, Reason::Deletion, |copy| match copy {
                Copy::Snapshot(it) => Expendable::<Snapshot>::let_go(it, word).map(Step::DeleteSnapshot),
                Copy::Image(it) => Expendable::<Image>::let_go(it, word).map(Step::DeleteImage),
            }),
        }
    }
}

/// A copy that outlives its instance says so: it binds a new one neither to its zone nor to a data disk.
fn keep(draft: &mut Draft<'_>, copy: Copy<'_>) {
    draft.notes.push(Note::Kept(upkeep::copy_line(copy)));
    let tags = copy.tags().clone().with(DELETED).without(HAD_DATA);
    if !matches!(copy.status(), CopyStatus::Creating | CopyStatus::Deleting) && tags != *copy.tags() {
        let tags = tags.with_value(APPLIED, &others::value(&draft.scene));
        let object = match copy {
            Copy::Snapshot(it) => Object::Snapshot(it.id.clone()),
            Copy::Image(it) => Object::Image(it.id.clone()),
        };
        draft.step(Step::Retag { object, tags, name: None }, Reason::Deletion);
    }
}
