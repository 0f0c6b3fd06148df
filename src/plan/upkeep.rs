//! What is looked after whatever the wish: duplicates, tags, retention, transitions under way.

use super::{
    draft::Draft,
    line,
    marks::{NO_RECIPE, common_tags, disk_tags, refuse_protected},
    naming, others, rest,
    scene::Scene,
};
use crate::model::{
    APPLIED, Awaited, BLANK, CAPTURE_DUE, CREATE_SERVER_KEY, Copy, CopyStatus, DELETED, Expendable, FRESH, HAD_DATA, Hold, Image, KEEP,
    LOSER, Note, Object, PROTECTED, Power, RECORD, REST, Reason, Role, Root, Server, ServerState, Snapshot, Spared, Step, Tags, UNCAPTURED,
    Volume, VolumeStatus, Word, World, capture_failed, capture_remedy, copy_key, delete_copy_key,
};

/// Duplicates, tags, retention, and the owner's `dataDisk.delete`.
pub(crate) fn plan(draft: &mut Draft<'_>) -> Result<(), Hold> {
    drop_spare_network(draft);
    naming::follow(draft)?;
    delete_data(draft)?;
    repair_tags(draft);
    retain_copies(draft);
    note_what_is_kept(draft);
    Ok(())
}

/// Servers and volumes made twice and never used go; the older ones stay. The root volume of such a server
/// is marked, taken off, and deleted while the server is there to prove that it never ran.
pub(crate) fn drop_spare_machines(draft: &mut Draft<'_>) -> Result<(), Hold> {
    for server in draft.scene.spare_servers.clone() {
        if !draft.settled(server.created, "the server") {
            continue;
        }
        draft.refuse_locked(server)?;
        let of = |it: &Volume| server.root == Root::Volume(it.id.clone()) || it.tags.get(LOSER) == Some(server.id.as_str());
        match draft.scene.spare_volumes.iter().copied().find(|it| of(it)) {
            Some(root) if root.tags.get(LOSER).is_none() => {
                let tags = disk_tags(&draft.scene, Role::Root).with_value(LOSER, server.id.as_str());
                draft.step(Step::Retag { object: Object::Volume(root.id.clone()), tags, name: None }, Reason::Duplicate);
            }
            Some(root) if server.volumes.contains(&root.id) => {
                draft.step(Step::Detach { server: server.id.clone(), volumes: vec![root.id.clone()] }, Reason::Duplicate);
            }
            Some(root) if !root.is_free() => draft.wait_volume(root),
            Some(_) => {}
            None => draft.step(Step::DeleteServer { server: server.id.clone(), dying: Vec::new(), off: true }, Reason::Duplicate),
        }
    }
    for volume in draft.scene.spare_volumes.clone() {
        if let Some(spared) = Spared::<Volume>::never_used(draft.scene.world, &volume.id) {
            draft.step(Step::DeleteVolume(spared), Reason::Duplicate);
        } else if volume.is_free() {
            draft.notes.push(Note::Kept(line::volume(volume, &draft.scene)));
        }
    }
    Ok(())
}

/// Copies that failed go while their disk is there, or once a newer one is ready.
pub(crate) fn drop_failed_copies(draft: &mut Draft<'_>) {
    let copies: Vec<Copy<'_>> = draft.scene.root_copies.iter().chain(&draft.scene.data_copies).copied().collect();
    for copy in copies.into_iter().filter(|it| *it.status() == CopyStatus::Failed) {
        if let Some(step) = expend(draft.scene.world, copy, u32::MAX)
            && !draft.scene.facts.was_refused(&delete_copy_key(copy.id()))
        {
            draft.optional_step(step, Reason::FailedCopy);
        }
    }
}

/// The deletion of a copy that failed, or that `retain` newer ones supersede.
fn expend(world: &World, copy: Copy<'_>, retain: u32) -> Option<Step> {
    match copy {
        Copy::Snapshot(it) => Expendable::<Snapshot>::of(world, it, retain).map(Step::DeleteSnapshot),
        Copy::Image(it) => Expendable::<Image>::of(world, it, retain).map(Step::DeleteImage),
    }
}

/// Addresses and firewalls made twice go, where nothing uses them.
fn drop_spare_network(draft: &mut Draft<'_>) {
    for address in draft.scene.spare_addresses.clone() {
        if address.server.is_none() {
            draft.step(Step::ReleaseAddress(address.id.clone()), Reason::Duplicate);
        }
    }
    for firewall in draft.scene.spare_firewalls.clone() {
        let in_use = draft.scene.world.servers.items().iter().any(|it| it.firewall.as_ref() == Some(&firewall.id));
        if !in_use {
            draft.step(Step::DeleteFirewall(firewall.id.clone()), Reason::Duplicate);
        }
    }
}

/// `dataDisk: {delete: true}`: the disk, once it is free, and its copies.
fn delete_data(draft: &mut Draft<'_>) -> Result<(), Hold> {
    let Some(word) = Word::delete_data(&draft.scene.ask.spec) else { return Ok(()) };
    if draft.scene.data.is_some() || !draft.scene.data_copies.is_empty() {
        refuse_protected(draft, "the data disk")?;
    }
    // The way to absent ends the disk itself.
    if let Some(data) = draft.scene.data.filter(|it| it.is_free())
        && draft.scene.wish() != ServerState::Absent
        && let Some(spared) = Spared::<Volume>::let_go(draft.scene.world, &data.id, word.clone())
    {
        draft.step(Step::DeleteVolume(spared), Reason::LetGo(word.clone()));
    }
    // Disks first: one that was never used may go because the copy it was made from is there.
    if draft.next.iter().any(|it| matches!(it.step, Step::DeleteVolume(_))) {
        return Ok(());
    }
    for copy in draft.scene.data_copies.clone() {
        match copy.status() {
            CopyStatus::Creating | CopyStatus::Deleting => {}
            _ => delete_copy(draft, copy, Reason::LetGo(word.clone()), |copy| match copy {
                Copy::Snapshot(it) => Expendable::<Snapshot>::let_go(it, word.clone()).map(Step::DeleteSnapshot),
                Copy::Image(it) => Expendable::<Image>::let_go(it, word.clone()).map(Step::DeleteImage),
            }),
        }
    }
    Ok(())
}

/// Plans a copy's deletion, unless the cloud refused it in this run.
pub(crate) fn delete_copy(draft: &mut Draft<'_>, copy: Copy<'_>, reason: Reason, proof: impl FnOnce(Copy<'_>) -> Option<Step>) {
    if draft.scene.facts.was_refused(&delete_copy_key(copy.id())) {
        draft.notes.push(Note::RefusedForNow(format!("deletion of {}", copy_line(copy))));
    } else if let Some(step) = proof(copy) {
        draft.optional_step(step, reason);
    }
}

/// Copies beyond the retention go last of all.
fn retain_copies(draft: &mut Draft<'_>) {
    if !draft.is_quiet() {
        return;
    }
    let spec = &draft.scene.ask.spec;
    let deleting_data = Word::delete_data(spec).is_some();
    // A block that is left out says nothing about how many to keep: then every ready one stays.
    let keep_all = u32::MAX;
    let root_retain = if spec.root_disk_snapshot.enable { spec.root_disk_snapshot.retain } else { keep_all };
    let data_is_copied = spec.data_disk_snapshot.enable && spec.data_gb().is_some();
    let data_retain = if data_is_copied { spec.data_disk_snapshot.retain } else { keep_all };
    let roots = (draft.scene.root_copies.clone(), root_retain);
    let datas = (draft.scene.data_copies.clone(), data_retain);
    let datas = (!deleting_data).then_some(datas);
    for (copies, retain) in [Some(roots), datas].into_iter().flatten() {
        for copy in copies {
            let Some(step) = expend(draft.scene.world, copy, retain) else { continue };
            let reason = if *copy.status() == CopyStatus::Failed { Reason::FailedCopy } else { Reason::Superseded(retain) };
            delete_copy(draft, copy, reason, |_| Some(step));
        }
    }
}

/// Brings the tags that the spec decides in line: source, protection, what is remembered.
pub(crate) fn repair_tags(draft: &mut Draft<'_>) {
    let planned: Vec<String> = draft.next.iter().map(|it| it.step.key()).collect();
    for (object, has, wants) in tags_out_of_line(&draft.scene) {
        let id = object.id().to_owned();
        let busy = planned.iter().any(|key| {
            let mut words = key.split(' ');
            let kind = words.next().unwrap_or_default();
            (kind == "retag" || kind.starts_with("delete")) && words.next() == Some(&id)
        });
        if busy {
            continue;
        }
        let telling = wants.get(APPLIED).map(|value| has.clone().with_value(APPLIED, value));
        let captured = has.has(CAPTURE_DUE) && !wants.has(CAPTURE_DUE);
        let reason = match () {
            () if has.owner().is_some() && has.owner() != wants.owner() => Reason::Adopted,
            () if captured && draft.scene.root_capture().is_none() => Reason::GivenUp,
            () if captured => Reason::Captured,
            () if has.get(REST) != wants.get(REST) => {
                let begins = draft.scene.rest.filter(|_| wants.get(REST).is_some());
                begins.map_or(Reason::Woken, |it| rest::asleep(it.why))
            }
            () if telling.as_ref() == Some(&wants) => Reason::SaysSpec,
            () => Reason::Tags,
        };
        draft.step(Step::Retag { object, tags: wants, name: None }, reason);
    }
}

/// What one object's tags should say. Tags that are not listed are left as they are.
#[derive(Clone)]
struct Wanted<'a> {
    common: &'a Tags,
    disown: bool,
    flags: Vec<(&'static str, bool)>,
    values: Vec<(&'static str, &'a str)>,
    /// A word that has lost its meaning here.
    forget: Option<&'static str>,
}

impl<'a> Wanted<'a> {
    fn flag(mut self, tag: &'static str, wanted: bool) -> Self {
        self.flags.push((tag, wanted));
        self
    }

    fn value(mut self, word: &'static str, value: &'a str) -> Self {
        self.values.push((word, value));
        self
    }

    /// The tags as they should be, where they are not.
    fn differing(&self, tags: &Tags) -> Option<Tags> {
        let satisfied = self.common.0.iter().all(|tag| tags.has(tag))
            && !(self.disown && tags.owner().is_some())
            && self.flags.iter().all(|(tag, wanted)| tags.has(tag) == *wanted)
            && self.values.iter().all(|(word, value)| tags.get(word) == Some(value))
            && self.forget.is_none_or(|word| tags.get(word).is_none())
            && tags.get(REST) == self.common.get(REST);
        if satisfied {
            return None;
        }
        let mut fresh = tags.clone();
        if self.disown || self.common.owner().is_some() {
            fresh.0.retain(|tag| !tag.starts_with("by:"));
        }
        if let Some(word) = self.forget {
            fresh.0.retain(|tag| tag.split(':').next() != Some(word));
        }
        fresh.0.retain(|tag| !tag.starts_with("rest:"));
        fresh = self.common.0.iter().fold(fresh, |all, tag| all.with(tag.as_str()));
        fresh = self.flags.iter().fold(fresh, |all, (tag, wanted)| all.with_if(tag, *wanted));
        Some(self.values.iter().fold(fresh, |all, (word, value)| all.with_value(word, value)))
    }
}

/// Every object whose tags differ from what the spec says, with its tags now and as they should be.
fn tags_out_of_line(scene: &Scene<'_>) -> Vec<(Object, Tags, Tags)> {
    let spec = &scene.ask.spec;
    let common = common_tags(scene);
    let plain = Wanted {
        common: &common,
        disown: scene.ask.adopt && scene.ask.owner.is_none(),
        flags: Vec::new(),
        values: Vec::new(),
        forget: None,
    };
    let guarded = plain.clone().flag(PROTECTED, spec.protect);
    let forget_data = Word::delete_data(spec).is_some();
    let remember_data = scene.data.is_some() && spec.data_gb().is_some();
    let remembering = |tags: &Tags| guarded.clone().flag(HAD_DATA, !forget_data && (tags.has(HAD_DATA) || remember_data));

    let (carried, last) = (others::carried(scene), others::value(scene));
    let mut differing = Vec::new();
    let mut check = |object: Object, tags: &Tags, wanted: &Wanted<'_>| {
        let wants = match &carried {
            Some((carrier, value)) if *carrier == object => wanted.clone().value(APPLIED, value).differing(tags),
            _ => wanted.differing(tags),
        };
        if let Some(wants) = wants {
            differing.push((object, tags.clone(), wants));
        }
    };
    if let Some(server) = scene.server {
        let refused = scene.facts.was_refused(&copy_key(server.id.as_str()));
        let due = server.tags.has(CAPTURE_DUE) && scene.root_capture().is_none() && !refused;
        check(Object::Server(server.id.clone()), &server.tags, &remembering(&server.tags).flag(CAPTURE_DUE, due));
    }
    // A root disk that does not say so yet is claimed by the way up, or on the way down.
    if let Some(root) = scene.root.filter(|it| it.tags.role().is_some()) {
        let mut wanted = remembering(&root.tags).value("role", Role::Root.word());
        wanted.forget = Some(LOSER);
        let recipe = scene.server.and_then(|it| it.tags.get("recipe"));
        if let Some(recipe) = recipe.filter(|it| *it != NO_RECIPE) {
            wanted = wanted.value("recipe", recipe);
        }
        check(Object::Volume(root.id.clone()), &root.tags, &wanted);
    }
    let is_root = |it: &Volume| scene.root.is_some_and(|root| root.id == it.id);
    for old in scene.outdated_roots.iter().filter(|it| it.tags.role().is_some() && !is_root(it)) {
        check(Object::Volume(old.id.clone()), &old.tags, &guarded);
    }
    if let Some(data) = scene.data {
        let fresh = data.tags.has(FRESH) && data.attached_to.is_none();
        let blank = data.tags.has(BLANK) && !scene.facts.mounted;
        check(
            Object::Volume(data.id.clone()),
            &data.tags,
            &guarded.clone().flag(FRESH, fresh).flag(BLANK, blank).value("role", Role::Data.word()),
        );
    }
    for copy in scene.root_copies.iter().chain(&scene.data_copies) {
        let mut wanted = guarded.clone().flag(DELETED, false);
        if others::is_carried_by(scene, *copy) {
            wanted = wanted.value(APPLIED, &last);
        } else {
            wanted.forget = Some(APPLIED);
        }
        if copy.tags().role() == Some(Role::Root) {
            wanted = wanted.flag(KEEP, spec.root_disk_snapshot.keep_on_deletion);
            if forget_data {
                wanted = wanted.flag(HAD_DATA, false);
            }
        }
        let object = match copy {
            Copy::Snapshot(it) => Object::Snapshot(it.id.clone()),
            Copy::Image(it) => Object::Image(it.id.clone()),
        };
        check(object, copy.tags(), &wanted);
    }
    if let Some(address) = scene.address {
        check(Object::Address(address.id.clone()), &address.tags, &plain);
    }
    if let Some(firewall) = scene.firewall {
        let name = naming::remembered(scene);
        let wanted = match &name {
            Some((word, value)) if naming::is_ours_to_remember(scene) => {
                let wanted = plain.clone().value(word, value);
                match naming::record_id(scene) {
                    Some(id) => wanted.value(RECORD, id),
                    None => wanted,
                }
            }
            Some(_) => plain.clone(),
            // Told once; then nobody remembers it any more.
            None => Wanted { forget: Some("name"), ..plain.clone() },
        };
        check(Object::Firewall(firewall.id.clone()), &firewall.tags, &wanted);
    }
    // What another source made twice, or of another image, is taken over with the rest.
    if scene.ask.adopt {
        for server in &scene.spare_servers {
            check(Object::Server(server.id.clone()), &server.tags, &plain);
        }
        for volume in scene.spare_volumes.iter().filter(|it| it.tags.role().is_some()) {
            check(Object::Volume(volume.id.clone()), &volume.tags, &plain);
        }
        for address in &scene.spare_addresses {
            check(Object::Address(address.id.clone()), &address.tags, &plain);
        }
        for firewall in &scene.spare_firewalls {
            check(Object::Firewall(firewall.id.clone()), &firewall.tags, &plain);
        }
    }
    differing
}

/// A capture that the cloud gave up is noted on the server, so that nobody tries again unasked; and told, while it is so.
/// `true` where the note is to be made first.
pub(crate) fn note_given_up(draft: &mut Draft<'_>) -> bool {
    let scene = &draft.scene;
    let (Some(server), Some(it)) = (scene.server, scene.given_up()) else { return false };
    if let Some(at) = it.news {
        let tags = server.tags.clone().without(CAPTURE_DUE).with_value(UNCAPTURED, &format!("{}-{at}", it.limit_gb));
        draft.step(Step::Retag { object: Object::Server(server.id.clone()), tags, name: None }, Reason::GivenUp);
        return true;
    }
    if let Some(Hold::CaptureFailed { disk_gb, limit_gb, said }) =
        scene.capture_failed().filter(|_| scene.ask.spec.root_disk_snapshot.enable && scene.ask.deletion.is_none())
    {
        let told = format!("{}; {}", capture_failed(disk_gb, limit_gb, &said), capture_remedy(limit_gb));
        draft.notes.push(Note::CaptureFailed(told));
    }
    false
}

/// Transitions that nobody asked for yet: a plan is not done while one is under way.
pub(crate) fn await_transitions(draft: &mut Draft<'_>) {
    if !draft.is_quiet() {
        return;
    }
    // Under a unique name there is one: what is seen is what was asked for.
    let scene = &draft.scene;
    let is_seen = |key: &str| match key {
        _ if !scene.cloud.unique_names => false,
        CREATE_SERVER_KEY => !scene.world.servers.items().is_empty(),
        "create-firewall" => scene.firewall.is_some(),
        key => key.starts_with("create-volume ") && !scene.world.volumes.items().is_empty(),
    };
    let open: Vec<_> = scene.facts.open.keys().filter(|it| !is_seen(it)).filter_map(|key| draft.still_open(key)).collect();
    for until in open {
        let seconds = draft.scene.cloud.late_effect;
        draft.wait(Awaited::Clock(until), "a call whose answer was lost has surely ended".to_owned(), seconds);
    }
    for copy in draft.scene.root_copies.iter().chain(&draft.scene.data_copies).copied().collect::<Vec<_>>() {
        if matches!(copy.status(), CopyStatus::Creating | CopyStatus::Deleting) {
            draft.await_copy(copy);
        }
    }
    let unsettled = |it: &&Volume| {
        matches!(it.status, VolumeStatus::Creating | VolumeStatus::Detaching | VolumeStatus::Busy | VolumeStatus::Deleting)
            || (it.status == VolumeStatus::InUse && !draft.scene.world.servers.items().iter().any(|server| holds(server, it)))
    };
    let unsettled: Vec<&Volume> = draft.scene.world.volumes.items().iter().filter(unsettled).collect();
    for volume in unsettled {
        draft.wait_volume(volume);
    }
    let leaving: Vec<&Server> = draft.scene.world.servers.items().iter().filter(|it| it.power == Power::Deleting).collect();
    for server in leaving {
        let seconds = draft.scene.cloud.durations.delete_server;
        draft.wait(Awaited::ServerGone(server.id.clone()), format!("server {} is gone", server.name), seconds);
    }
}

fn holds(server: &Server, volume: &Volume) -> bool {
    server.volumes.contains(&volume.id)
}

/// A copy for people.
pub(crate) fn copy_line(copy: Copy<'_>) -> String {
    let role = copy.tags().role().map_or("", Role::word);
    let failed = if *copy.status() == CopyStatus::Failed { ", failed" } else { "" };
    format!("{role} snapshot {} ({} GB{failed})", line::short(copy.id()), copy.size_gb())
}

/// What stays and is billed while there is no server, and what the spec no longer names.
fn note_what_is_kept(draft: &mut Draft<'_>) {
    let archived = draft.scene.wish() == ServerState::Absent;
    let mut notes = Vec::new();
    {
        let scene = &draft.scene;
        let spec = &scene.ask.spec;
        if archived {
            let kept = scene.root_copies.iter().chain(&scene.data_copies);
            notes.extend(kept.map(|it| Note::Kept(copy_line(*it))));
            notes.extend(scene.address.map(|it| Note::Kept(format!("address {}", it.address))));
        } else if spec.data_gb().is_none() && Word::delete_data(spec).is_none() {
            if let Some(data) = scene.data.filter(|it| !scene.is_attached(it)) {
                notes.push(Note::NotInSpec(line::volume(data, scene)));
            }
            notes.extend(scene.data_copies.iter().map(|it| Note::NotInSpec(copy_line(*it))));
        }
    }
    for note in notes {
        let doomed = matches!(&note, Note::Kept(what) | Note::NotInSpec(what)
            if draft.next.iter().any(|it| matches!(it.line.verb, "delete" | "release") && what.starts_with(&it.line.object)));
        if !doomed && !draft.notes.contains(&note) {
            draft.notes.push(note);
        }
    }
}
