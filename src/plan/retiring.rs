//! Shared moves on the way down: stop, detach, copy, delete the server, delete what is spared.

use super::{
    draft::Draft,
    line,
    marks::{NO_RECIPE, claim_root, copy_tags, refuse_protected},
};
use crate::model::{
    Awaited, CAPTURE_DUE, Capture, Copy, CopyStatus, Deletion, Hold, LocalDisk, Note, OnStop, Power, Quiet, Reason, Role, Root, Server,
    ServerState, Spared, Step, Volume, Why, Word, copy_key, cover_of, detach_key, image_cover_of,
};

/// What becomes of a disk when its server goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The disk itself stays.
    Keep,
    /// It is copied, then deleted.
    Copy(Reason),
    /// The owner lets it go.
    LetGo(Word),
}

/// What becomes of each disk. Decided before the first step, so that a hold comes before a stop.
#[derive(Debug)]
pub(crate) struct Fates {
    root: Fate,
    data: Fate,
}

impl Fates {
    /// On the way to `absent`.
    pub fn of_archive(draft: &mut Draft<'_>) -> Result<Self, Hold> {
        let root = root_fate(draft, "archiving")?;
        let scene = &draft.scene;
        let spec = &scene.ask.spec;
        let data = if let Some(word) = Word::delete_data(spec) {
            if scene.data.is_some() || !scene.data_copies.is_empty() {
                refuse_protected(draft, "the data disk")?;
            }
            Fate::LetGo(word)
        } else if spec.data_gb().is_some() && spec.data_disk_snapshot.enable && scene.cloud.data_snapshots {
            Fate::Copy(Reason::OnlyCopy(Role::Data))
        } else {
            Fate::Keep
        };
        Ok(Self { root, data })
    }

    /// On the way to nothing.
    pub fn of_deletion(draft: &Draft<'_>, deletion: Deletion) -> Result<Self, Hold> {
        match Word::delete_command(&deletion) {
            Some(word) => Ok(Self { root: Fate::LetGo(word.clone()), data: Fate::LetGo(word) }),
            None => {
                let data = if draft.scene.cloud.data_snapshots { Fate::Copy(Reason::OnlyCopy(Role::Data)) } else { Fate::Keep };
                let root = given_up_fate(draft)?.unwrap_or(Fate::Copy(Reason::OnlyCopy(Role::Root)));
                Ok(Self { root, data })
            }
        }
    }

    fn any_copy(&self) -> bool {
        matches!(self.root, Fate::Copy(_)) || matches!(self.data, Fate::Copy(_))
    }

    fn of(&self, role: Role) -> &Fate {
        match role {
            Role::Root => &self.root,
            Role::Data => &self.data,
        }
    }
}

/// What becomes of the root disk when its server goes by `by`.
fn root_fate(draft: &mut Draft<'_>, by: &'static str) -> Result<Fate, Hold> {
    let scene = &draft.scene;
    let spec = &scene.ask.spec;
    let exists =
        scene.root.is_some() || !scene.outdated_roots.is_empty() || scene.server.is_some_and(|it| matches!(it.root, Root::Local { .. }));
    if !spec.root_disk_snapshot.enable {
        return match Word::disposable(spec) {
            Some(word) => {
                if exists {
                    refuse_protected(draft, "the root disk")?;
                }
                Ok(Fate::LetGo(word))
            }
            None if scene.cloud.root_outlives_server || !exists => Ok(Fate::Keep),
            None => Err(Hold::RootWouldDie { by }),
        };
    }
    match Word::reuse(spec, scene.cloud) {
        Some(word) if scene.root_capture().is_some() => {
            if exists && !root_is_covered(draft) {
                refuse_protected(draft, "what the root disk has that its capture has not")?;
            }
            Ok(Fate::LetGo(word))
        }
        _ => {
            let reason = match spec.on_stop(scene.cloud) {
                OnStop::Refresh => Reason::Refresh,
                OnStop::Reuse if scene.is_capture_outdated() => Reason::CaptureOutdated,
                OnStop::Reuse => Reason::OnlyCopy(Role::Root),
            };
            Ok(given_up_fate(draft)?.unwrap_or(Fate::Copy(reason)))
        }
    }
}

/// What becomes of a root disk whose capture the cloud gave up: the owner lets it go, or nothing is begun.
fn given_up_fate(draft: &Draft<'_>) -> Result<Option<Fate>, Hold> {
    let exists = draft.scene.server.is_some_and(|it| matches!(it.root, Root::Local { .. }));
    let Some(hold) = draft.scene.capture_failed().filter(|_| exists && !root_is_covered(draft)) else { return Ok(None) };
    match Word::disposable(&draft.scene.ask.spec) {
        Some(word) => {
            refuse_protected(draft, "the root disk")?;
            Ok(Some(Fate::LetGo(word)))
        }
        None => Err(hold),
    }
}

fn root_is_covered(draft: &Draft<'_>) -> bool {
    let scene = &draft.scene;
    scene.root.is_some_and(|it| cover_of(scene.world, it).is_some())
        || scene.server.is_some_and(|it| image_cover_of(scene.world, it).is_some())
}

/// Takes the server away, then each disk by its fate.
pub(crate) fn retire(draft: &mut Draft<'_>, fates: &Fates, reason: &Reason) -> Result<(), Hold> {
    if draft.await_leaving() {
        return Ok(());
    }
    if let Some(server) = draft.scene.server {
        adopt_outdated_root(draft);
        return take_server(draft, server, fates, reason);
    }
    for (role, volume) in [(Role::Root, draft.scene.root), (Role::Data, draft.scene.data)] {
        if let Some(volume) = volume {
            dispose(draft, volume, fates.of(role))?;
        }
    }
    let outdated = draft.scene.outdated_roots.clone();
    for volume in outdated {
        dispose(draft, volume, fates.of(Role::Root))?;
    }
    Ok(())
}

fn take_server(draft: &mut Draft<'_>, server: &Server, fates: &Fates, reason: &Reason) -> Result<(), Hold> {
    if !draft.elected(server.created, "the server") {
        return Ok(());
    }
    draft.refuse_locked(server)?;
    match server.power {
        // Nothing is copied, so nothing needs to be quiet: one call ends the run and the server.
        Power::Running | Power::StoppedInPlace | Power::Busy if !fates.any_copy() && *reason == Reason::Deletion => {}
        Power::Starting | Power::Stopping | Power::Busy => {
            draft.wait_server(server);
            return Ok(());
        }
        Power::Running | Power::StoppedInPlace => {
            let still_billed = server.power == Power::StoppedInPlace && *reason != Reason::Deletion;
            let reason = if still_billed { Reason::StillBilled } else { reason.clone() };
            draft.step(Step::StopServer(server.id.clone()), reason);
            return Ok(());
        }
        _ => {}
    }
    // A root volume that the cloud made without our tags would be lost sight of with its server.
    if let Some(root) = draft.scene.root.filter(|it| it.tags.role().is_none()) {
        claim_root(draft, root);
        return Ok(());
    }
    if matches!(server.root, Root::Local { .. }) && await_copies_of(draft, server.id.as_str()) {
        return Ok(());
    }
    let spared = match server.root {
        Root::Local { .. } => spare_local(draft, server, fates.of(Role::Root))?,
        Root::Volume(_) | Root::Detached => spare_volumes(draft, server, fates)?.then(Vec::new),
    };
    if let Some(dying) = spared {
        let why = match dying.first().map(Spared::why) {
            _ if *reason == Reason::Deletion => Reason::Deletion,
            Some(Why::LetGo(word)) => Reason::LetRootGo(word.clone()),
            _ => Reason::DisksSpared,
        };
        draft.step(Step::DeleteServer { server: server.id.clone(), dying, off: server.power == Power::Off }, why);
    }
    Ok(())
}

/// The proof that the local disk may die with its server, once there is one.
fn spare_local(draft: &mut Draft<'_>, server: &Server, fate: &Fate) -> Result<Option<Vec<Spared<LocalDisk>>>, Hold> {
    let spared = match fate {
        Fate::LetGo(word) => {
            note_loss(draft, word);
            Spared::<LocalDisk>::let_go(draft.scene.world, &server.id, word.clone())
        }
        Fate::Keep => None,
        Fate::Copy(reason) => {
            let covered = Spared::<LocalDisk>::covered(draft.scene.world, &server.id);
            if covered.is_none() {
                capture_local(draft, server, reason.clone(), false)?;
            }
            covered
        }
    };
    Ok(spared.map(|it| vec![it]))
}

/// Detaches and copies the volumes that are to be copied. `true` once every one is.
fn spare_volumes(draft: &mut Draft<'_>, server: &Server, fates: &Fates) -> Result<bool, Hold> {
    if !fates.any_copy() {
        return Ok(true);
    }
    let volumes: Vec<(Role, &Volume)> =
        [(Role::Root, draft.scene.root), (Role::Data, draft.scene.data)].into_iter().filter_map(|(role, it)| Some((role, it?))).collect();
    let detach_refused = draft.scene.facts.was_refused(&detach_key(&server.id));
    if !detach_refused {
        if !server.volumes.is_empty() {
            let together = if draft.scene.cloud.detach_together { server.volumes.len() } else { 1 };
            let detach = Step::Detach { server: server.id.clone(), volumes: server.volumes[..together].to_vec() };
            draft.optional_step(detach, Reason::QuietForCopy);
            return Ok(false);
        }
        let busy: Vec<_> = volumes.iter().filter(|(_, it)| !it.is_free()).collect();
        if !busy.is_empty() {
            busy.iter().for_each(|(_, it)| draft.wait_volume(it));
            return Ok(false);
        }
    }
    let mut all = true;
    for (role, volume) in volumes {
        let Fate::Copy(reason) = fates.of(role) else { continue };
        // A disk that could not be detached is copied as it lies, and once more when the server is gone.
        let taken = if detach_refused {
            let since = server.off_since.unwrap_or(server.created);
            copies_of(draft, volume, role).any(|it| it.is_ready() && it.created() > since)
        } else {
            cover_of(draft.scene.world, volume).is_some()
        };
        if !taken {
            copy_volume(draft, volume, role, reason.clone())?;
            all = false;
        }
    }
    Ok(all)
}

fn copies_of<'d>(draft: &'d Draft<'_>, volume: &'d Volume, role: Role) -> impl Iterator<Item = Copy<'d>> {
    let copies = match role {
        Role::Root => &draft.scene.root_copies,
        Role::Data => &draft.scene.data_copies,
    };
    copies.iter().copied().filter(|it| it.of() == volume.id.as_str())
}

/// Waits for every copy of a disk that is being made: it may be the one that covers it, and one that
/// failed can be told and cleaned away only while its disk is there.
fn await_copies_of(draft: &mut Draft<'_>, disk: &str) -> bool {
    let copies = draft.scene.root_copies.iter().chain(&draft.scene.data_copies).copied();
    let making: Vec<Copy<'_>> = copies.filter(|it| it.of() == disk && *it.status() == CopyStatus::Creating).collect();
    making.iter().for_each(|it| draft.await_copy(*it));
    !making.is_empty()
}

/// Snapshots a quiet volume, or waits for the snapshot under way.
fn copy_volume(draft: &mut Draft<'_>, volume: &Volume, role: Role, reason: Reason) -> Result<(), Hold> {
    if volume.is_free() && volume.last_write().is_none() {
        let state = "free, and the vendor does not tell since when".to_owned();
        return Err(Hold::UnknownState { object: format!("volume {}", volume.id), state });
    }
    let since = volume.last_write().unwrap_or(volume.created);
    let under_way = copies_of(draft, volume, role).find(|it| *it.status() == CopyStatus::Creating && it.created() > since);
    if let Some(copy) = under_way.map(|it| it.id().to_owned()) {
        draft.await_copy_id(&copy);
    } else if let Some(disk) = Quiet::volume(draft.scene.world, &volume.id) {
        let tags = copy_tags(&draft.scene, role, &volume.tags, volume.line());
        let name = format!("{}-{role}", draft.scene.ask.key.object_name());
        draft.create(Step::TakeSnapshot { disk, name, tags }, reason);
    } else {
        draft.wait_volume(volume);
    }
    Ok(())
}

/// Captures the quiet local disk of a server, or waits for the capture under way.
fn capture_local(draft: &mut Draft<'_>, server: &Server, reason: Reason, optional: bool) -> Result<(), Hold> {
    if let Some(hold) = draft.scene.capture_failed() {
        return Err(hold);
    }
    let Some(off_since) = server.off_since else {
        let state = "off, and the vendor does not tell since when".to_owned();
        return Err(Hold::UnknownState { object: format!("server {}", server.id), state });
    };
    // An image of the very moment at which it went off could not be told from one made while it ran.
    let seconds_only = off_since.0 % 1_000_000 == 0;
    if seconds_only && draft.scene.world.now <= off_since {
        draft.wait(Awaited::Clock(off_since.plus_seconds(1)), "the clock is past the moment at which the server went off".to_owned(), 2);
        return Ok(());
    }
    let of_server = |it: &&Copy<'_>| it.of() == server.id.as_str() && *it.status() == CopyStatus::Creating;
    let under_way = draft.scene.root_copies.iter().find(of_server).map(|it| it.id().to_owned());
    if let Some(copy) = under_way {
        draft.await_copy_id(&copy);
    } else if let Some(disk) = Quiet::local(draft.scene.world, &server.id) {
        let line = server.tags.line().unwrap_or(server.id.as_str());
        let tags = copy_tags(&draft.scene, Role::Root, &server.tags, line);
        let name = format!("{}-root", draft.scene.ask.key.object_name());
        let step = Step::CaptureImage { disk, name, tags };
        if optional { draft.create_optional(step, reason) } else { draft.create(step, reason) }
    }
    Ok(())
}

/// Captures the root disk of a server that is off, where that is due. `true` once it is not.
pub(crate) fn capture_while_off(draft: &mut Draft<'_>, server: &Server) -> Result<bool, Hold> {
    let scene = &draft.scene;
    let configured = server.tags.get("recipe").is_some() || (scene.ask.recipe == NO_RECIPE && !server.tags.has(CAPTURE_DUE));
    if !scene.ask.spec.root_disk_snapshot.enable || !configured || scene.root_capture().is_some() || scene.given_up().is_some() {
        return Ok(true);
    }
    let reason = if scene.is_capture_outdated() { Reason::CaptureOutdated } else { Reason::FirstCapture };
    match scene.root {
        // A cloud that has no room for it keeps nobody from playing: it is captured at the next stop.
        _ if scene.facts.was_refused(&copy_key(server.id.as_str())) => return Ok(true),
        _ if scene.cloud.capture == Capture::Image => {
            let to_play = scene.ask.wished() == ServerState::Present;
            capture_local(draft, server, reason, to_play)?;
        }
        Some(root) => copy_volume(draft, root, Role::Root, reason)?,
        None => return Ok(true),
    }
    Ok(false)
}

/// Ends what a gone server left of a disk.
fn dispose(draft: &mut Draft<'_>, volume: &Volume, fate: &Fate) -> Result<(), Hold> {
    if !volume.is_free() {
        draft.wait_volume(volume);
        return Ok(());
    }
    if *fate != Fate::Keep && await_copies_of(draft, volume.id.as_str()) {
        return Ok(());
    }
    let role = volume.tags.role().unwrap_or(Role::Root);
    let world = draft.scene.world;
    match fate {
        Fate::Keep => {
            let what = line::volume(volume, &draft.scene);
            let named = volume.tags.role() != Some(Role::Data) || draft.scene.ask.spec.data_gb().is_some();
            draft.notes.push(if named { Note::Kept(what) } else { Note::NotInSpec(what) });
        }
        Fate::LetGo(word) => {
            note_loss(draft, word);
            if let Some(spared) = Spared::<Volume>::let_go(world, &volume.id, word.clone()) {
                draft.step(Step::DeleteVolume(spared), Reason::LetGo(word.clone()));
            }
        }
        Fate::Copy(reason) => {
            let spared = Spared::<Volume>::never_used(world, &volume.id).or_else(|| Spared::<Volume>::covered(world, &volume.id));
            match spared {
                Some(spared) => {
                    let why = if *spared.why() == Why::NeverUsed { Reason::NeverUsed } else { Reason::Covered };
                    draft.step(Step::DeleteVolume(spared), why);
                }
                None => copy_volume(draft, volume, role, reason.clone())?,
            }
        }
    }
    Ok(())
}

/// Says what an archive loses by a word of the spec. Who deletes an instance is asked in so many words.
fn note_loss(draft: &mut Draft<'_>, word: &Word) {
    if draft.scene.ask.deletion.is_some() {
        return;
    }
    let what = match Word::reuse(&draft.scene.ask.spec, draft.scene.cloud) {
        Some(reuse) if reuse == *word => format!("what changed on the root disk since its capture ({word})"),
        _ => format!("everything on the disk ({word})"),
    };
    let note = Note::WillLose(what);
    if !draft.notes.contains(&note) {
        draft.notes.push(note);
    }
}

/// Takes a server of another image away; its data disk is carried over, its root disk spared.
pub(crate) fn replace(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let fates = Fates { root: image_change_fate(draft)?, data: Fate::Keep };
    adopt_outdated_root(draft);
    take_server(draft, server, &fates, &Reason::ImageChanged)
}

/// A root disk of another image is, for its server's last moves, that server's root.
fn adopt_outdated_root(draft: &mut Draft<'_>) {
    if draft.scene.root.is_none() {
        draft.scene.root = draft.scene.outdated_roots.first().copied();
    }
}

/// Whether a server's root disk is gone, and the owner called that disk disposable.
pub(crate) fn is_husk(scene: &super::scene::Scene<'_>, server: &Server) -> bool {
    let gone = scene.root.is_none() && server.root == Root::Detached;
    gone && Word::disposable(&scene.ask.spec).is_some()
}

/// Takes away a server whose root disk is gone, where the owner called that disk disposable.
pub(crate) fn take_husk(draft: &mut Draft<'_>, server: &Server) -> Result<(), Hold> {
    let fates = Fates { root: Fate::Keep, data: Fate::Keep };
    let reason = Reason::ServerState(draft.scene.ask.wished());
    take_server(draft, server, &fates, &reason)
}

/// Ends a root disk of another image that its server left behind.
pub(crate) fn dispose_outdated(draft: &mut Draft<'_>, volume: &Volume) -> Result<(), Hold> {
    let fate = image_change_fate(draft)?;
    dispose(draft, volume, &fate)
}

/// A root disk of another image is copied where roots are captured, or goes by the owner's word.
fn image_change_fate(draft: &Draft<'_>) -> Result<Fate, Hold> {
    let spec = &draft.scene.ask.spec;
    if spec.root_disk_snapshot.enable {
        return Ok(given_up_fate(draft)?.unwrap_or(Fate::Copy(Reason::ImageChanged)));
    }
    match Word::disposable(spec) {
        Some(word) => {
            refuse_protected(draft, "the root disk")?;
            Ok(Fate::LetGo(word))
        }
        None => Err(Hold::RootWouldDie { by: "the new image" }),
    }
}
