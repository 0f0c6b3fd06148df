//! The local disks of a Linode, which die with it.

use serde_json::{Value, json};

use super::deploy;
use super::details::{Disk, Status, whole_gb};
use super::events::Entity;
use super::input::Fields;
use super::jobs::{Change, Work, check_idle, order};
use super::problem::{invalid, not_found, refused, required};
use super::{create, label, linodes, listing, listing::list, moments::stamp, plans};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::Root;
use crate::emulator::physics::{Deed, Pace};
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

/// The endpoints of disks.
pub static ROUTES: &[Route] = &[
    look("/linode/instances/{id}/disks", index),
    change("POST", "/linode/instances/{id}/disks", create),
    look("/linode/instances/{id}/disks/{key}", get),
    change("PUT", "/linode/instances/{id}/disks/{key}", update),
    change("DELETE", "/linode/instances/{id}/disks/{key}", delete),
    change("POST", "/linode/instances/{id}/disks/{key}/resize", resize),
    change("POST", "/linode/instances/{id}/disks/{key}/clone", copy),
    change("POST", "/linode/instances/{id}/disks/{key}/password", password),
    change("POST", "/linode/instances/{id}/password", password_of_linode),
];

/// How long a new disk is still shown before the lists lose it until it is ready.
const SHOWN_SECONDS: u64 = 2;
/// How long it takes to make a disk of an image, in cloud seconds, as measured; so are those below.
const FROM_IMAGE_SECONDS: u64 = 70;
/// Making an empty disk.
const EMPTY_SECONDS: u64 = 15;
/// Deleting a disk.
const DELETE_SECONDS: u64 = 9;

/// A disk of a Linode.
///
/// Errors: 404.
pub fn find<'t>(truth: &'t Truth, linode: &str, id: &str) -> Result<&'t Disk, Answer> {
    linodes::find(truth, linode)?;
    truth.linode.disks.get(id).filter(|disk| disk.linode == linode).ok_or_else(not_found)
}

fn shown(truth: &Truth, id: &str, disk: &Disk) -> Value {
    let encrypted = truth.linode.linodes.get(&disk.linode).is_some_and(|details| details.encrypted);
    json!({
        "id": id.parse::<u64>().ok(),
        "status": disk.word(),
        "label": disk.label,
        "created": stamp(disk.created),
        "updated": stamp(disk.updated),
        "filesystem": disk.filesystem,
        "size": disk.first_mb.unwrap_or(disk.size_mb),
        "disk_encryption": if encrypted { "enabled" } else { "disabled" },
    })
}

fn answer(truth: &Truth, id: &str) -> Result<Answer, Answer> {
    let disk = truth.linode.disks.get(id).ok_or_else(not_found)?;
    Ok(Answer::ok(shown(truth, id, disk)))
}

fn entity(deed: &Deed, linode: &str, id: &str) -> Option<Entity> {
    let disk = deed.truth.linode.disks.get(id)?;
    Some(Entity::new("disk", id, &disk.label, &format!("/linode/instances/{linode}/disks/{id}")))
}

fn index(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = linodes::find(truth, args.id)?;
    let disks = details.disks.iter().filter_map(|id| Some((id, truth.linode.disks.get(id)?)));
    let rows = disks.filter(|(_, disk)| disk.is_shown(now)).map(|(id, disk)| shown(truth, id, disk)).collect();
    list(args.request, &listing::DISKS, rows)
}

fn get(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let disk = find(truth, args.id, args.key)?;
    if disk.is_shown(now) { Ok(Answer::ok(shown(truth, args.key, disk))) } else { Err(not_found()) }
}

/// How many MB the disks of a Linode take.
pub fn allocated_mb(deed: &Deed, linode: &str) -> u64 {
    deed.truth.linode.disks.values().filter(|disk| disk.linode == linode).map(|disk| disk.size_mb).sum()
}

/// Has the core know which files a Linode has: the root disk, and others.
pub fn arrange(deed: &mut Deed, linode: &str) {
    let Some(details) = deed.truth.linode.linodes.get(linode) else { return };
    let files = details.disks.iter().filter(|id| deed.truth.linode.disks.get(*id).is_some_and(Disk::has_file));
    let mut files: Vec<String> = files.cloned().collect();
    let booted = details.configs.iter().find(|config| Some(config.id) == details.booted).or(details.configs.first());
    let root = booted.and_then(|config| config.root_disk()).map(|id| id.to_string());
    if let Some(place) = files.iter().position(|file| Some(file) == root.as_ref()) {
        let root = files.remove(place);
        files.insert(0, root);
    }
    let root = files.first().cloned().map(|id| {
        let size_gb = deed.truth.linode.disks.get(&id).map_or(1, |disk| whole_gb(disk.size_mb));
        Root::Disk { id, size_gb }
    });
    if let Some(server) = deed.truth.servers.get_mut(linode) {
        server.root = root;
        server.disks = files.into_iter().skip(1).collect();
    }
}

/// Adds a disk to a Linode.
pub fn add(deed: &mut Deed, linode: &str, id: &str, disk: Disk) {
    deed.truth.linode.disks.insert(id.to_owned(), disk);
    if let Some(details) = deed.truth.linode.linodes.get_mut(linode) {
        details.disks.push(id.to_owned());
    }
}

/// Makes an empty disk; gives its number.
pub fn make_empty(deed: &mut Deed, linode: &str, name: &str, filesystem: &str, size_mb: u64) -> Result<u64, Answer> {
    let id = deed.mint("disk");
    let disk = Disk {
        linode: linode.to_owned(),
        label: name.to_owned(),
        filesystem: filesystem.to_owned(),
        size_mb,
        first_mb: None,
        ready: false,
        deleting: false,
        used_mb: 64,
        hidden_from: None,
        created: deed.now,
        updated: deed.now,
    };
    if disk.has_file() {
        deed.make_disk(&id, whole_gb(size_mb), b"")?;
    }
    add(deed, linode, &id, disk);
    Ok(id.parse().unwrap_or_default())
}

/// Destroys all disks of a Linode at once, bytes and all.
pub fn destroy_all(deed: &mut Deed, linode: &str) -> Result<(), Answer> {
    let all = deed.truth.linode.linodes.get_mut(linode).map(|details| std::mem::take(&mut details.disks)).unwrap_or_default();
    for id in all {
        destroy(deed, linode, &id)?;
    }
    arrange(deed, linode);
    Ok(())
}

fn destroy(deed: &mut Deed, linode: &str, id: &str) -> Result<(), Answer> {
    let Some(disk) = deed.truth.linode.disks.get(id) else { return Ok(()) };
    if disk.has_file() {
        let owner = deed.truth.servers.get(linode).map(|server| (server.name.clone(), server.tags.clone())).unwrap_or_default();
        deed.destroy(id, &owner.0, &owner.1)?;
    }
    deed.truth.linode.disks.remove(id);
    Ok(())
}

fn check_room(deed: &Deed, linode: &str, more_mb: u64) -> Result<(), Answer> {
    let (server, details) = linodes::find(&deed.truth, linode)?;
    let room = plans::find(&server.kind).map_or(0, |plan| plan.disk);
    let fits = allocated_mb(deed, linode).checked_add(more_mb).is_some_and(|total| total <= room);
    if !fits {
        return Err(invalid("size", "Insufficient space on this Linode for a disk of that size."));
    }
    if details.disks.len() >= 50 {
        return Err(refused("A Linode can have no more than 50 disks."));
    }
    Ok(())
}

/// POST `disks`.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    linodes::find_staying(&deed.truth, args.id)?;
    let size = fields.number("size")?.ok_or_else(|| required("size"))?;
    let size_mb = u64::try_from(size).ok().filter(|size| *size >= 1).ok_or_else(|| invalid("size", "Must be 1 or greater"))?;
    let image = fields.text("image")?.map(str::to_owned);
    let name = match (fields.text("label")?, &image) {
        (Some(name), _) => {
            label::check_length(name, 1, 48)?;
            name.to_owned()
        }
        (None, Some(image)) => format!("{} Disk", deploy::source(&deed.truth, image)?.label()).chars().take(48).collect(),
        (None, None) => return Err(required("label")),
    };
    let filesystem = fields.text("filesystem")?.unwrap_or("ext4").to_owned();
    if !["raw", "swap", "ext3", "ext4", "initrd"].contains(&filesystem.as_str()) {
        return Err(invalid("filesystem", "Must be one of raw, swap, ext3, ext4, initrd"));
    }
    check_idle(deed, args.id)?;
    check_room(deed, args.id, size_mb)?;
    let id = match &image {
        None => make_empty(deed, args.id, &name, &filesystem, size_mb)?,
        Some(image) => {
            let source = deploy::source(&deed.truth, image)?;
            create::check_credentials(&fields)?;
            if size_mb < source.min_mb() {
                return Err(invalid("size", &format!("Requested disk size is too small for this image: it needs {} MB", source.min_mb())));
            }
            let id = deploy::make_from(deed, args.id, &source, &name, size_mb)?;
            // At first a disk is as small as its image; it grows while it is made.
            if let Some(disk) = deed.truth.linode.disks.get_mut(&id.to_string()) {
                disk.first_mb = Some(source.min_mb().min(size_mb));
            }
            id
        }
    };
    let id = id.to_string();
    arrange(deed, args.id);
    hide_later(deed, &id);
    let secondary = entity(deed, args.id, &id);
    order(deed, args.id, "disk_create", secondary, Work::MakeDisk(id.clone()))?;
    answer(&deed.truth, &id)
}

/// Has lists lose sight of a new disk until it is ready.
fn hide_later(deed: &mut Deed, id: &str) {
    let from = deed.now.plus_seconds(SHOWN_SECONDS);
    if let Some(disk) = deed.truth.linode.disks.get_mut(id) {
        disk.hidden_from = Some(from);
    }
    let pace = std::mem::replace(&mut deed.pace, Pace::Times(1));
    deed.schedule(SHOWN_SECONDS, Effect::Linode(Change::Unlisted));
    deed.pace = pace;
}

/// How long it takes to make a disk, in cloud seconds.
pub fn making_takes(deed: &Deed, id: &str) -> u64 {
    let has_image = deed.truth.linode.disks.get(id).is_some_and(|disk| disk.first_mb.is_some());
    if has_image { FROM_IMAGE_SECONDS } else { EMPTY_SECONDS }
}

/// What follows when a disk is made: it can be used.
pub fn made(deed: &mut Deed, id: &str) {
    let now = deed.now;
    if let Some(disk) = deed.truth.linode.disks.get_mut(id) {
        disk.ready = true;
        disk.first_mb = None;
        disk.hidden_from = None;
        disk.updated = now;
    }
}

/// PUT `disks/{key}`.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    find(&deed.truth, args.id, args.key)?;
    let name = fields.text("label")?.map(str::to_owned);
    if let Some(name) = &name {
        label::check_length(name, 1, 48)?;
    }
    let now = deed.now;
    if let (Some(disk), Some(name)) = (deed.truth.linode.disks.get_mut(args.key), name) {
        disk.label = name;
        disk.updated = now;
    }
    answer(&deed.truth, args.key)
}

/// DELETE `disks/{key}`.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.id, args.key)?;
    check_idle(deed, args.id)?;
    let secondary = entity(deed, args.id, args.key);
    order(deed, args.id, "disk_delete", secondary, Work::DeleteDisk(args.key.to_owned()))?;
    Ok(Answer::ok(json!({})))
}

/// Whether the guest of a Linode is on.
fn is_on(deed: &Deed, linode: &str) -> bool {
    deed.truth.linode.linodes.get(linode).is_some_and(|details| details.status != Status::Offline)
}

/// Begins to delete a disk; gives how long that takes.
pub fn start_deleting(deed: &mut Deed, id: &str) -> u64 {
    if let Some(disk) = deed.truth.linode.disks.get_mut(id) {
        disk.deleting = true;
    }
    DELETE_SECONDS
}

/// What follows when a disk is deleted: its bytes are gone, and profiles have it no more.
pub fn deleted(deed: &mut Deed, id: &str) {
    let Some(linode) = deed.truth.linode.disks.get(id).map(|disk| disk.linode.clone()) else { return };
    // A file that cannot be looked at is put by at the next open.
    let _ = destroy(deed, &linode, id);
    deed.truth.linode.disks.remove(id);
    if let Some(details) = deed.truth.linode.linodes.get_mut(&linode) {
        details.disks.retain(|it| it != id);
        details.configs.iter_mut().for_each(|config| config.lose_disk(id));
    }
    arrange(deed, &linode);
}

/// POST `resize`: where the Linode is on, the job fails.
fn resize(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let found = find(&deed.truth, args.id, args.key)?.size_mb;
    let size = fields.number("size")?.ok_or_else(|| required("size"))?;
    let size_mb = u64::try_from(size).ok().filter(|size| *size >= 1).ok_or_else(|| invalid("size", "Must be 1 or greater"))?;
    check_idle(deed, args.id)?;
    if size_mb > found {
        check_room(deed, args.id, size_mb - found)?;
    }
    let secondary = entity(deed, args.id, args.key);
    order(deed, args.id, "disk_resize", secondary, Work::ResizeDisk { disk: args.key.to_owned(), size_mb })?;
    Ok(Answer::ok(json!({})))
}

/// What follows when a disk was to be resized.
///
/// Errors: why it was not.
pub fn resized(deed: &mut Deed, id: &str, size_mb: u64) -> Result<(), String> {
    let Some(disk) = deed.truth.linode.disks.get(id) else { return Err("The disk is gone.".to_owned()) };
    let linode = disk.linode.clone();
    if is_on(deed, &linode) {
        return Err("The disk is in use.".to_owned());
    }
    if size_mb < used_mb(deed, id) {
        return Err("The disk has more data than that.".to_owned());
    }
    let Some(disk) = deed.truth.linode.disks.get_mut(id) else { return Err("The disk is gone.".to_owned()) };
    disk.size_mb = size_mb;
    disk.updated = deed.now;
    if disk.has_file() {
        deed.disks.grow(id, whole_gb(size_mb)).map_err(|refusal| refusal.message)?;
    }
    arrange(deed, &linode);
    Ok(())
}

/// How much of a disk is in use, in MB: what came with its image, and what was written since.
pub fn used_mb(deed: &Deed, id: &str) -> u64 {
    let known = deed.truth.linode.disks.get(id).map_or(0, |disk| disk.used_mb);
    let written = deed.disks.bytes_in_use(id).unwrap_or(0) / super::details::MB;
    known + written
}

/// POST `clone`.
fn copy(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let disk = find(&deed.truth, args.id, args.key)?.clone();
    check_idle(deed, args.id)?;
    check_room(deed, args.id, disk.size_mb)?;
    let id = deed.mint("disk");
    if disk.has_file() {
        deed.notice_writes(args.key)?;
        deed.copy_disk(args.key, &id, whole_gb(disk.size_mb))?;
    }
    let label: String = format!("Copy of {}", disk.label).chars().take(48).collect();
    add(deed, args.id, &id, Disk { label, created: deed.now, updated: deed.now, ..disk });
    arrange(deed, args.id);
    let secondary = entity(deed, args.id, args.key);
    order(deed, args.id, "disk_duplicate", secondary, Work::CopyDisk(id.clone()))?;
    answer(&deed.truth, &id)
}

fn check_password(deed: &Deed, args: &Args, field: &str) -> Result<(), Answer> {
    let fields = Fields::of(args.request)?;
    linodes::find_staying(&deed.truth, args.id)?;
    fields.needed(field)?;
    let password = Fields::of(args.request)?.needed(field)?.to_owned();
    if !(7..=128).contains(&password.chars().count()) {
        return Err(invalid(field, "Length must be 7-128 characters"));
    }
    check_idle(deed, args.id)?;
    if is_on(deed, args.id) { Err(refused("Linode must be powered off to reset its root password.")) } else { Ok(()) }
}

/// POST `disks/{key}/password`.
fn password(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.id, args.key)?;
    check_password(deed, args, "password")?;
    Ok(Answer::ok(json!({})))
}

/// POST `password`.
fn password_of_linode(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    check_password(deed, args, "root_pass")?;
    Ok(Answer::ok(json!({})))
}

/// Has the guest of nobody in particular write so many MB more to a disk, without their bytes.
pub fn fill(deed: &mut Deed, body: &Value) -> Result<Answer, Answer> {
    let id = body["disk"].as_str().map_or_else(|| body["disk"].to_string(), str::to_owned);
    let disk = deed.truth.linode.disks.get_mut(&id).ok_or_else(not_found)?;
    disk.used_mb = disk.used_mb.saturating_add(body["mb"].as_u64().unwrap_or(0)).min(disk.size_mb);
    Ok(Answer::ok(json!({"disk": id, "used_mb": disk.used_mb})))
}
