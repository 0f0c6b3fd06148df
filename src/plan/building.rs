//! Shared moves of `present` and `stopped`: address, firewall, disks, and the server made of them.

use super::{
    draft::Draft,
    marks::{NO_RECIPE, claim_root, common_tags, disk_tags},
    naming, others, running,
};
use crate::model::{
    Address, BLANK, Boot, CAPTURE_DUE, Copy, CopyStatus, FRESH, Firewall, HAD_DATA, Hold, Id, NewServer, NewVolume, Note,
    RESERVE_ADDRESS_KEY, Reason, Role, Root, START_DUE, Server, ServerState, Step, Tags, Volume, VolumeStatus, Word, tag_value,
};

/// Where a disk that is not there comes from.
enum Source<'w> {
    Copy(Copy<'w>),
    Nothing,
}

/// Steps towards a server where there is none. Parts that do not need each other are made side by side.
pub(crate) fn assemble(draft: &mut Draft<'_>) -> Result<(), Hold> {
    let root = root_part(draft)?;
    let data = data_part(draft)?;
    let address = address_part(draft)?;
    let firewall = firewall_part(draft);
    // A data volume that is attached afterwards need not be there yet.
    let data = if draft.scene.cloud.data_at_birth { data } else { Some(None) };
    let (Some((boot, inherited)), Some(data), Some(address), Some(firewall)) = (root, data, address, firewall) else { return Ok(()) };

    let scene = &draft.scene;
    let spec = &scene.ask.spec;
    let first = matches!(boot, Boot::Stock(_));
    let reason = match &boot {
        Boot::Stock(label) => Reason::FirstDeploy(label.clone()),
        Boot::Volume(id) if scene.world.volume(id).is_some_and(Volume::was_used) => Reason::FromDisk,
        Boot::Volume(_) | Boot::Image(_) => Reason::FromCapture,
    };
    let mut tags = others::telling_tags(scene)
        .with_if(HAD_DATA, data.is_some() || (spec.data_gb().is_some() && scene.data.is_some()))
        .with_if(CAPTURE_DUE, first && spec.root_disk_snapshot.enable)
        .with_value("img", inherited.get("img").unwrap_or(&tag_value("img", spec.image(scene.cloud))));
    if let Some(recipe) = inherited.get("recipe") {
        tags = tags.with_value("recipe", recipe);
    }
    tags = tags.with_if(START_DUE, running::is_due_at_start(draft, &inherited) && scene.ask.wished() == ServerState::Present);
    if let (Boot::Image(_), Some(line)) = (&boot, inherited.line()) {
        tags = tags.with_value("line", line);
    }
    let server = NewServer {
        name: scene.ask.key.object_name(),
        machine_type: spec.placement().machine_type.to_owned(),
        boot,
        root_gb: spec.root_disk.size_gb,
        data,
        address,
        firewall,
        tags,
    };
    draft.create(Step::CreateServer(server), reason);
    if !draft.scene.cloud.seeds {
        mind_missing_key(draft);
    }
    Ok(())
}

/// Says who can log in where the spec names no key.
pub(crate) fn mind_missing_key(draft: &mut Draft<'_>) {
    if let Some(who) = draft.scene.cloud.without_key.filter(|_| draft.scene.ask.spec.ssh.public_key_path.is_none()) {
        draft.notes.push(Note::Mind(format!("ssh.publicKeyPath is not set: {who}")));
    }
}

/// What the server boots from, and the tags it inherits, once it is there.
fn root_part(draft: &mut Draft<'_>) -> Result<Option<(Boot, Tags)>, Hold> {
    if let Some(outdated) = draft.scene.outdated_roots.first() {
        // The old image's root is spared first, so that the new one never stands beside it.
        super::retiring::dispose_outdated(draft, outdated)?;
        return Ok(None);
    }
    let wants = draft.scene.ask.spec.root_disk.size_gb;
    if let Some(root) = draft.scene.root {
        return Ok(free_volume(draft, root, Role::Root, wants)?.map(|id| (Boot::Volume(id), root.tags.clone())));
    }
    match source(draft, Role::Root, wants)? {
        None => Ok(None),
        Some(Source::Nothing) => {
            let spec = &draft.scene.ask.spec;
            Ok(Some((Boot::Stock(spec.image(draft.scene.cloud).to_owned()), Tags::default())))
        }
        Some(Source::Copy(copy @ Copy::Image(image))) => {
            let line = copy.line().to_owned();
            Ok(Some((Boot::Image(image.id.clone()), image.tags.clone().with_value("line", &line))))
        }
        Some(Source::Copy(copy @ Copy::Snapshot(_))) => {
            restore(draft, Role::Root, wants, copy);
            Ok(None)
        }
    }
}

/// The data volume once it is free; `Some(None)` where none is wanted.
fn data_part(draft: &mut Draft<'_>) -> Result<Option<Option<Id<Volume>>>, Hold> {
    let Some(wants) = draft.scene.ask.spec.data_gb() else { return Ok(Some(None)) };
    Ok(data_volume(draft, wants)?.map(Some))
}

/// The data volume once it is free to attach; makes it where there is none.
pub(crate) fn data_volume(draft: &mut Draft<'_>, wants: u64) -> Result<Option<Id<Volume>>, Hold> {
    if let Some(data) = draft.scene.data {
        return free_volume(draft, data, Role::Data, wants);
    }
    match source(draft, Role::Data, wants)? {
        None => {}
        Some(Source::Copy(copy)) => restore(draft, Role::Data, wants, copy),
        Some(Source::Nothing) => {
            let tags = disk_tags(&draft.scene, Role::Data).with(BLANK).with_if(FRESH, !draft.scene.cloud.tells_last_held);
            let name = format!("{}-data", draft.scene.ask.key.object_name());
            let volume = NewVolume { name, role: Role::Data, size_gb: wants, from: None, iops: draft.scene.ask.spec.iops(), tags };
            draft.create(Step::CreateVolume(volume), Reason::WantsData);
        }
    }
    Ok(None)
}

/// A volume, once it is free, settled and large enough.
fn free_volume(draft: &mut Draft<'_>, volume: &Volume, role: Role, wants: u64) -> Result<Option<Id<Volume>>, Hold> {
    if volume.size_gb > wants {
        return Err(Hold::WouldShrink { role, has: volume.size_gb, wants });
    }
    if !volume.is_free() {
        draft.wait_volume(volume);
        return Ok(None);
    }
    if !draft.elected(volume.created, "the disk") {
        return Ok(None);
    }
    if volume.size_gb < wants {
        draft.step(Step::Grow { volume: volume.id.clone(), size_gb: wants }, Reason::Grew(role));
        return Ok(None);
    }
    Ok(Some(volume.id.clone()))
}

/// Where a disk of this role comes from; `None` while a copy is being made.
fn source<'w>(draft: &mut Draft<'w>, role: Role, wants: u64) -> Result<Option<Source<'w>>, Hold> {
    let scene = &draft.scene;
    let copies: Vec<Copy<'w>> = match role {
        Role::Root => scene.usable_root_copies().collect(),
        Role::Data => scene.data_copies.clone(),
    };
    let words = [Word::reuse(&scene.ask.spec, scene.cloud), Word::disposable(&scene.ask.spec)];
    let let_go = role == Role::Root && words.iter().any(Option::is_some);
    let usable = |it: &&Copy<'w>| *it.status() != CopyStatus::Deleting && !(let_go && *it.status() == CopyStatus::Failed);
    let newest = copies.iter().find(usable).copied();
    match newest {
        // What the newest copy held may be nowhere else: an older one is not put in its place unasked.
        Some(copy) if *copy.status() == CopyStatus::Failed && !let_go => {
            Err(Hold::DiskBroken { object: format!("snapshot {}", copy.id()) })
        }
        Some(copy) if *copy.status() == CopyStatus::Creating => {
            draft.await_copy(copy);
            Ok(None)
        }
        Some(copy) if copy.size_gb() > wants => Err(Hold::WouldShrink { role, has: copy.size_gb(), wants }),
        Some(copy) => Ok(Some(Source::Copy(copy))),
        None => {
            let spec = &scene.ask.spec;
            let lost = match role {
                Role::Data => scene.had_data(),
                Role::Root => {
                    let data_was_used = scene.data.is_some_and(Volume::was_used) || !scene.data_copies.is_empty();
                    data_was_used && scene.root_copies.is_empty() && Word::disposable(spec).is_none()
                }
            };
            if lost { Err(Hold::DiskGone { role, copy: false }) } else { Ok(Some(Source::Nothing)) }
        }
    }
}

/// Makes a volume from a snapshot.
fn restore(draft: &mut Draft<'_>, role: Role, size_gb: u64, copy: Copy<'_>) {
    let Copy::Snapshot(snapshot) = copy else { return };
    let mut tags = disk_tags(&draft.scene, role).with_value("line", copy.line());
    for inherited in ["img", "recipe"] {
        if let Some(value) = copy.tags().get(inherited) {
            tags = tags.with_value(inherited, value);
        }
    }
    let tags = tags.with_if(HAD_DATA, role == Role::Root && copy.tags().has(HAD_DATA));
    let name = format!("{}-{role}", draft.scene.ask.key.object_name());
    let volume = NewVolume { name, role, size_gb, from: Some(snapshot.id.clone()), iops: draft.scene.ask.spec.iops(), tags };
    draft.create(Step::CreateVolume(volume), Reason::FromCopy(role));
}

/// The address once it is there and settled; `Some(None)` where the cloud has none to reserve.
pub(crate) fn address_part(draft: &mut Draft<'_>) -> Result<Option<Option<Id<Address>>>, Hold> {
    if !draft.scene.cloud.static_address {
        return Ok(Some(None));
    }
    if let Some(hold) = &draft.scene.lent {
        return Err(hold.clone());
    }
    Ok(match draft.scene.address {
        Some(address) => draft.settled(address.created, "the address").then(|| Some(address.id.clone())),
        // A name follows the server's own address, and an account that may not reserve one has no other.
        None if draft.scene.cloud.own_address
            && (draft.scene.ask.spec.network.dns.is_some() || draft.scene.facts.was_refused(RESERVE_ADDRESS_KEY)) =>
        {
            Some(None)
        }
        None => {
            let tags = common_tags(&draft.scene);
            let step = Step::ReserveAddress { tags };
            match draft.scene.cloud.own_address {
                true => draft.create_optional(step, Reason::StableAddress),
                false => draft.create(step, Reason::StableAddress),
            }
            None
        }
    })
}

/// The firewall once it is there, settled, and lets in what the spec says.
pub(crate) fn firewall_part(draft: &mut Draft<'_>) -> Option<Option<Id<Firewall>>> {
    let Some(firewall) = draft.scene.firewall else {
        let mut tags = others::telling_tags(&draft.scene);
        if let Some((word, value)) = naming::remembered(&draft.scene).filter(|_| naming::is_ours_to_remember(&draft.scene)) {
            tags = tags.with_value(word, &value);
        }
        let name = draft.scene.ask.key.object_name();
        draft.create(Step::CreateFirewall { name, tags }, Reason::ClosedFirst);
        return None;
    };
    if !draft.elected(firewall.created, "the firewall") {
        return None;
    }
    let before = draft.next.len();
    if !firewall.shut {
        draft.step(Step::ShutFirewall(firewall.id.clone()), Reason::ClosedFirst);
    }
    let wanted = draft.scene.ask.spec.network.rules();
    if firewall.rules != wanted {
        draft.step(Step::SetRules { firewall: firewall.id.clone(), rules: wanted }, Reason::NetworkRules);
    }
    (draft.next.len() == before).then(|| Some(firewall.id.clone()))
}

/// What a server that exists lacks, whether it runs or not: a claimed root, network, data disk, size.
/// `true` once nothing of it is missing.
pub(crate) fn complete(draft: &mut Draft<'_>, server: &Server) -> Result<bool, Hold> {
    if let Some(root) = draft.scene.root.filter(|it| it.tags.role().is_none()) {
        claim_root(draft, root);
    }
    if draft.scene.cloud.address_at_birth {
        note_address(draft, server);
    } else if let Some(Some(address)) = address_part(draft)?
        && server.address.as_ref() != Some(&address)
    {
        draft.step(Step::AssignAddress { server: server.id.clone(), address }, Reason::StableAddress);
    }
    let restarts = draft.scene.ask.recipe != NO_RECIPE && server.tags.get("recipe").is_none();
    if server.told.watchdog.is_some_and(|on| on != restarts) {
        draft.step(Step::SetWatchdog { server: server.id.clone(), on: restarts }, Reason::Watchdog(restarts));
    }
    if let Some(Some(firewall)) = firewall_part(draft)
        && server.firewall.as_ref() != Some(&firewall)
    {
        draft.step(Step::AssignFirewall { server: server.id.clone(), firewall }, Reason::ClosedFirst);
    }
    complete_root(draft, server)?;
    complete_data(draft, server)?;
    // Whoever looks after a server begins with a quiet draft.
    Ok(draft.is_quiet())
}

/// What becomes of the address of a server that cannot be given another one.
fn note_address(draft: &mut Draft<'_>, server: &Server) {
    let scene = &draft.scene;
    let note = match scene.address {
        Some(address) if server.address.as_ref() != Some(&address.id) => {
            Note::Later(format!("the server takes the reserved address {} when it is next made", address.address))
        }
        None if scene.ask.spec.network.dns.is_none() => {
            Note::Mind("no address is reserved: the server's address changes each time it is made; network.dns gives it a name".to_owned())
        }
        _ => return,
    };
    if !draft.notes.contains(&note) {
        draft.notes.push(note);
    }
}

fn complete_root(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let wants = draft.scene.ask.spec.root_disk.size_gb;
    match (&server.root, draft.scene.root) {
        (Root::Local { size_gb }, _) if *size_gb > wants => {
            return Err(Hold::WouldShrink { role: Role::Root, has: *size_gb, wants });
        }
        (Root::Local { size_gb }, _) if *size_gb < wants => {
            let later = format!("the root disk grows from {size_gb} to {wants} GB when the server is next rebuilt");
            draft.notes.push(Note::Later(later));
        }
        (Root::Local { .. }, _) => {}
        (Root::Volume(_), Some(root)) => grow(draft, root, Role::Root, wants)?,
        (Root::Detached, Some(root)) => {
            if free_volume(draft, root, Role::Root, wants)?.is_some() {
                let attach = Step::Attach { server: server.id.clone(), volume: root.id.clone(), role: Role::Root };
                draft.step(attach, Reason::Attach(Role::Root));
            }
        }
        (Root::Volume(_) | Root::Detached, None) => {
            return Err(Hold::DiskGone { role: Role::Root, copy: !draft.scene.root_copies.is_empty() });
        }
    }
    Ok(())
}

fn complete_data(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let attached = draft.scene.data.filter(|it| draft.scene.is_attached(it));
    let Some(wants) = draft.scene.ask.spec.data_gb() else { return Ok(()) };
    if let Some(data) = attached {
        return grow(draft, data, Role::Data, wants);
    }
    if draft.scene.data.is_none() && server.tags.has(HAD_DATA) {
        return Err(Hold::DiskGone { role: Role::Data, copy: !draft.scene.data_copies.is_empty() });
    }
    // A root disk comes first, so that it gets the first slot.
    let root_is_there = server.root != Root::Detached;
    if let Some(volume) = data_volume(draft, wants)?
        && root_is_there
    {
        draft.step(Step::Attach { server: server.id.clone(), volume, role: Role::Data }, Reason::Attach(Role::Data));
    }
    Ok(())
}

/// Grows an attached volume that is smaller than the spec says.
fn grow(draft: &mut Draft<'_>, volume: &Volume, role: Role, wants: u64) -> Result<(), Hold> {
    if volume.size_gb > wants {
        return Err(Hold::WouldShrink { role, has: volume.size_gb, wants });
    }
    match volume.status {
        VolumeStatus::Available | VolumeStatus::InUse if volume.size_gb < wants => {
            draft.step(Step::Grow { volume: volume.id.clone(), size_gb: wants }, Reason::Grew(role));
        }
        VolumeStatus::Available | VolumeStatus::InUse => tune(draft, volume),
        VolumeStatus::Busy | VolumeStatus::Creating | VolumeStatus::Detaching => draft.wait_volume(volume),
        _ => {}
    }
    Ok(())
}

/// Has an attached volume do as many operations a second as the spec says.
fn tune(draft: &mut Draft<'_>, volume: &Volume) {
    let wanted = draft.scene.ask.spec.iops();
    if let Some(iops) = wanted.filter(|_| volume.iops.is_some() && volume.iops != wanted) {
        draft.step(Step::Tune { volume: volume.id.clone(), iops }, Reason::Iops);
    }
}
