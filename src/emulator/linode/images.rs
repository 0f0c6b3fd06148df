//! Images: the account's own, beside the vendor's.

use serde_json::{Value, json};

use super::create::image_entity;
use super::details::{ImageDetails, MB, whole_gb};
use super::events::{Entity, notify};
use super::input::Fields;
use super::jobs::{Change, Work, check_settling, order};
use super::problem::{invalid, not_found, over_quota, required};
use super::vendor::bearer;
use super::{disks, linodes, listing, listing::list, moments::stamp, regions, stock};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::{CopyState, Image};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{Moment, Truth};

/// The endpoints of images.
pub static ROUTES: &[Route] = &[
    look("/images", index),
    change("POST", "/images", capture),
    look("/images/{id}", get),
    change("PUT", "/images/{id}", update),
    change("DELETE", "/images/{id}", delete),
];

/// The largest image an account may have if nobody raised that, in MB.
const LIMIT_MB: u64 = 6144;
/// How many images an account may have.
const MOST: usize = 25;

/// The number in the id of an image of the account.
///
/// Errors: 404.
pub fn number<'t>(truth: &'t Truth, id: &'t str) -> Result<(&'t str, &'t ImageDetails), Answer> {
    let number = id.strip_prefix("private/").ok_or_else(not_found)?;
    Ok((number, truth.linode.images.get(number).ok_or_else(not_found)?))
}

/// An image of the account as the API shows it.
pub fn shown(number: &str, image: &ImageDetails) -> Value {
    let id = format!("private/{number}");
    let mut capabilities = Vec::new();
    if image.cloud_init {
        capabilities.push("cloud-init");
    }
    let place = |region: &String| {
        let status = if image.underway.contains(region) { "pending replication" } else { "available" };
        json!({"region": region, "status": status})
    };
    let regions: Vec<Value> = if image.status == "available" { image.regions.iter().map(place).collect() } else { Vec::new() };
    let copies = regions.len().max(1) as u64;
    json!({
        "id": id,
        "label": image.label,
        "description": image.description,
        "created": stamp(image.created),
        "updated": stamp(image.updated),
        "size": image.size_mb,
        "created_by": "user",
        "type": if image.automatic { "automatic" } else { "manual" },
        "tags": image.tags,
        "is_public": false,
        "is_shared": false,
        "deprecated": false,
        "vendor": null,
        "expiry": image.expiry.map(stamp),
        "eol": null,
        "status": image.status,
        "capabilities": capabilities,
        "regions": regions,
        "total_size": image.size_mb * copies,
        "image_sharing": {
            "shared_with": {"sharegroup_count": 0, "sharegroup_list_url": format!("/images/{id}/sharegroups")},
            "shared_by": null,
        },
    })
}

/// How events name an image of the account.
pub fn entity(number: &str, image: &ImageDetails) -> Entity {
    image_entity(&format!("private/{number}"), &image.label)
}

/// GET `images`: the account's own first. Who says no name sees the vendor's only.
fn index(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let is_known = bearer(args.request).is_some();
    let own = truth.linode.images.iter().filter(|(_, image)| is_known && linodes::is_listed(truth, now, image.created));
    let rows = own.map(|(number, image)| shown(number, image)).chain(stock::all().map(|image| image.shown())).collect();
    list(args.request, &listing::IMAGES, rows)
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    if let Some(image) = stock::find(args.id) {
        return Ok(Answer::ok(image.shown()));
    }
    if bearer(args.request).is_none() {
        return Err(not_found());
    }
    let (number, image) = number(truth, args.id)?;
    Ok(Answer::ok(shown(number, image)))
}

/// The answer that shows an image of the account.
pub fn answer(truth: &Truth, number: &str) -> Result<Answer, Answer> {
    let image = truth.linode.images.get(number).ok_or_else(not_found)?;
    Ok(Answer::ok(shown(number, image)))
}

fn check_label(label: &str) -> Result<(), Answer> {
    super::label::check_length(label, 1, 50)?;
    let is_plain = |it: char| it.is_alphanumeric() || " ,.?'-_".contains(it);
    if label.chars().all(is_plain) { Ok(()) } else { Err(invalid("label", "Label contains invalid characters")) }
}

/// Refuses one more image than an account may have.
pub fn check_room(deed: &Deed) -> Result<(), Answer> {
    let count = deed.truth.linode.images.values().filter(|image| !image.automatic).count();
    if count >= MOST || deed.check_quota("image").is_err() { Err(over_quota()) } else { Ok(()) }
}

/// Where an image of a Linode of this region is kept: there, or where the nearest object storage is.
pub fn home_of(region: &str) -> String {
    let has = |id: &str| regions::find(id).is_some_and(|region| region.has("Object Storage"));
    if has(region) {
        return region.to_owned();
    }
    let country = |id: &str| regions::find(id).map(|region| region.country);
    let near = regions::REGIONS.iter().find(|other| Some(other.country) == country(region) && other.has("Object Storage"));
    near.or(regions::REGIONS.iter().find(|other| other.has("Object Storage"))).map_or(region, |other| other.id).to_owned()
}

/// An image that is being made, as a body wants it.
pub fn new(deed: &Deed, fields: &Fields, label: String, region: &str, size_mb: u64, status: &str) -> Result<ImageDetails, Answer> {
    check_label(&label)?;
    Ok(ImageDetails {
        label,
        description: fields.text("description")?.unwrap_or_default().to_owned(),
        tags: fields.tags()?.unwrap_or_default(),
        status: status.to_owned(),
        automatic: false,
        size_mb,
        min_mb: size_mb,
        cloud_init: fields.flag("cloud_init")?.unwrap_or(false),
        regions: vec![home_of(region)],
        underway: Vec::new(),
        expiry: None,
        created: deed.now,
        updated: deed.now,
    })
}

/// POST `images`: copies a disk as it is now, whether its guest runs or not. The job waits for those that make the Linode.
fn capture(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let disk_id = fields.number("disk_id")?.ok_or_else(|| required("disk_id"))?.to_string();
    let disk = deed.truth.linode.disks.get(&disk_id).filter(|disk| !disk.deleting);
    let disk = disk.ok_or_else(|| invalid("disk_id", "disk_id is not valid"))?.clone();
    let (server, _) = linodes::find_staying(&deed.truth, &disk.linode)?;
    let (zone, may_write) = (server.zone.clone(), server.may_write());
    check_settling(deed, &disk.linode)?;
    if !["ext3", "ext4"].contains(&disk.filesystem.as_str()) {
        return Err(invalid("disk_id", "Only ext3 and ext4 disks can be captured."));
    }
    let label = fields.text("label")?.unwrap_or(&disk.label).to_owned();
    let image = new(deed, &fields, label, &zone, disk.size_mb, "creating")?;
    check_room(deed)?;
    let number = deed.mint("image");
    let size_gb = whole_gb(disk.size_mb);
    deed.notice_writes(&disk_id)?;
    deed.copy_disk(&disk_id, &number, size_gb)?;
    if may_write {
        deed.note_writing(&disk_id);
    }
    let core = Image {
        id: number.clone(),
        zone,
        name: image.label.clone(),
        size_gb,
        server: disk.linode.clone(),
        disk: disk_id,
        state: CopyState::Creating,
        created: deed.tick(),
        tags: image.tags.clone(),
    };
    let price = deed.truth.market.image(size_gb);
    deed.open_bill(&number, "image", &image.label, price);
    let secondary = entity(&number, &image);
    deed.truth.images.insert(number.clone(), core);
    deed.truth.linode.images.insert(number.clone(), image);
    order(deed, &disk.linode, "disk_imagize", Some(secondary), Work::Imagize(number.clone()))?;
    answer(&deed.truth, &number)
}

/// Why a capture cannot succeed, if it cannot: there is more on the disk than an image may have.
pub fn problem_of(deed: &Deed, number: &str) -> Option<String> {
    let limit = deed.truth.linode.image_limit_mb.unwrap_or(LIMIT_MB);
    let used = needs_mb(deed, number);
    (used > limit).then(|| format!("The image needs {used} MB, and an image of this account can have {limit} MB."))
}

/// What it takes to deploy an image that is being captured, in MB.
fn needs_mb(deed: &Deed, number: &str) -> u64 {
    let disk = deed.truth.images.get(number).map(|image| image.disk.clone()).unwrap_or_default();
    let end = deed.disks.data_end(number).unwrap_or(0).div_ceil(MB);
    disks::used_mb(deed, &disk).max(end)
}

/// What follows when an image is captured: it is available, and as large as what is on it.
///
/// Errors: why it was not.
pub fn complete(deed: &mut Deed, number: &str) -> Result<(), String> {
    if let Some(problem) = problem_of(deed, number) {
        fail(deed, number);
        return Err(problem);
    }
    let needs = needs_mb(deed, number);
    let Some(image) = deed.truth.linode.images.get_mut(number) else { return Err("The image was deleted.".to_owned()) };
    image.min_mb = needs;
    let name = image.label.clone();
    match deed.truth.linode.image_lag {
        0 => available(deed, number),
        seconds => deed.schedule(seconds, Effect::Linode(Change::Available(number.to_owned()))),
    }
    deed.close_bills(number);
    let price = deed.truth.market.image(whole_gb(needs));
    deed.open_bill(number, "image", &name, price);
    Ok(())
}

/// Has a captured image be available, and as large as what is on it.
pub fn available(deed: &mut Deed, number: &str) {
    let now = deed.now;
    let Some(image) = deed.truth.linode.images.get_mut(number) else { return };
    image.status = "available".to_owned();
    image.size_mb = image.min_mb;
    image.updated = now;
    if let Some(core) = deed.truth.images.get_mut(number) {
        core.state = CopyState::Available;
    }
}

/// Has an image that was being captured vanish.
pub fn fail(deed: &mut Deed, number: &str) {
    if let Some(core) = deed.truth.images.get(number).cloned() {
        deed.bury(number, &core.name, &core.tags);
        deed.close_bills(number);
        deed.truth.images.remove(number);
    }
    deed.truth.linode.images.remove(number);
}

/// PUT `images/{id}`.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (number, image) = number(&deed.truth, args.id)?;
    let (number, mut image) = (number.to_owned(), image.clone());
    if let Some(label) = fields.text("label")? {
        check_label(label)?;
        image.label = label.to_owned();
    }
    if let Some(description) = fields.text("description")? {
        image.description = description.to_owned();
    }
    if let Some(tags) = fields.tags()? {
        image.tags = tags;
    }
    image.updated = deed.now;
    if let Some(core) = deed.truth.images.get_mut(&number) {
        core.name.clone_from(&image.label);
        core.tags.clone_from(&image.tags);
    }
    let about = entity(&number, &image);
    deed.truth.linode.images.insert(number.clone(), image);
    notify(deed, "image_update", Some(about), None);
    answer(&deed.truth, &number)
}

/// DELETE: also while it is being captured.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (number, image) = number(&deed.truth, args.id)?;
    let (number, about) = (number.to_owned(), entity(number, image));
    if let Some(core) = deed.truth.images.get(&number).cloned() {
        deed.destroy(&number, &core.name, &core.tags)?;
        deed.close_bills(&number);
        deed.truth.images.remove(&number);
    }
    deed.truth.linode.images.remove(&number);
    notify(deed, "image_delete", Some(about), None);
    Ok(Answer::ok(json!({})))
}
