//! `cloudypad delete`: nothing of the instance is left, but for what the owner keeps.

use super::{
    draft::Draft,
    retiring::{self, Fates},
    scene::{KEEP, PROTECTED},
    upkeep,
};
use crate::model::{Copy, CopyStatus, Deletion, Expendable, Hold, Note, Reason, Role, Step, Tags, Word};

/// Plans towards nothing.
pub(crate) fn plan(draft: &mut Draft<'_>, deletion: Deletion) -> Result<(), Hold> {
    refuse_protected(draft)?;
    upkeep::drop_spare_machines(draft);
    let fates = Fates::of_deletion(draft, deletion);
    retiring::retire(draft, &fates, &Reason::Deletion)?;
    delete_copies(draft, deletion);

    let scene = &draft.scene;
    if scene.server.is_some() || scene.leaving.is_some() || !scene.spare_servers.is_empty() {
        return Ok(());
    }
    let addresses: Vec<_> = scene.address.into_iter().chain(scene.spare_addresses.iter().copied()).map(|it| it.id.clone()).collect();
    let firewalls: Vec<_> = scene.firewall.into_iter().chain(scene.spare_firewalls.iter().copied()).map(|it| it.id.clone()).collect();
    for address in addresses {
        draft.step(Step::ReleaseAddress(address), Reason::Deletion);
    }
    for firewall in firewalls {
        draft.step(Step::DeleteFirewall(firewall), Reason::Deletion);
    }
    Ok(())
}

fn refuse_protected(draft: &Draft<'_>) -> Result<(), Hold> {
    let scene = &draft.scene;
    let protects = |tags: &Tags| tags.has(PROTECTED);
    let tagged = scene.server.is_some_and(|it| protects(&it.tags))
        || scene.root.into_iter().chain(scene.data).any(|it| protects(&it.tags))
        || scene.root_copies.iter().chain(&scene.data_copies).any(|it| protects(it.tags()));
    if scene.ask.spec.protect {
        return Err(Hold::Protected { what: "the spec says protect: true".to_owned() });
    }
    if tagged {
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
            draft.notes.push(Note::Kept(upkeep::copy_line(copy)));
            continue;
        };
        match copy.status() {
            CopyStatus::Creating => upkeep::await_copy(draft, copy),
            CopyStatus::Deleting => {}
            _ => upkeep::delete_copy(draft, copy, Reason::Deletion, |copy| match copy {
                Copy::Snapshot(it) => Some(Step::DeleteSnapshot(Expendable::let_go(it.id.clone(), word.clone()))),
                Copy::Image(it) => Some(Step::DeleteImage(Expendable::let_go(it.id.clone(), word.clone()))),
            }),
        }
    }
}
