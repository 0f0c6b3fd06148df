//! Images: the account's own, beside the vendor's.

use serde_json::{Value, json};

use super::create::image_entity;
use super::details::{ImageDetails, MB, whole_gb};
use super::events::{Entity, Stage, notify, tell};
use super::input::Fields;
use super::jobs::{Change, Work, check_settling, order};
use super::problem::{invalid, not_found, over_quota, refused, required};
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
    change("POST", "/images/upload", upload),
    look("/images/{id}", get),
    change("PUT", "/images/{id}", update),
    change("DELETE", "/images/{id}", delete),
    change("POST", "/images/{id}/regions", replicate),
];

/// The largest image an account may have if nobody raised that, in MB.
const LIMIT_MB: u64 = 6144;
/// How many images an account may have.
const MOST: usize = 25;
/// How long an upload takes to arrive, in cloud seconds.
const UPLOAD_SECONDS: u64 = 40;
/// How long a recovery image is kept, in cloud seconds.
const RECOVERY_SECONDS: u64 = 7 * 86_400;

/// The number in the id of an image of the account.
///
/// Errors: 404.
fn number<'t>(truth: &'t Truth, id: &'t str) -> Result<(&'t str, &'t ImageDetails), Answer> {
    let number = id.strip_prefix("private/").ok_or_else(not_found)?;
    Ok((number, truth.linode.images.get(number).ok_or_else(not_found)?))
}

fn shown(number: &str, image: &ImageDetails) -> Value {
    let id = format!("private/{number}");
    let mut capabilities = Vec::new();
    if image.cloud_init {
        capabilities.push("cloud-init");
    }
    let regions: Vec<Value> = match image.status.as_str() {
        "available" => image.regions.iter().map(|region| json!({"region": region, "status": "available"})).collect(),
        _ => Vec::new(),
    };
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

fn entity(number: &str, image: &ImageDetails) -> Entity {
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

fn answer(truth: &Truth, number: &str) -> Result<Answer, Answer> {
    let image = truth.linode.images.get(number).ok_or_else(not_found)?;
    Ok(Answer::ok(shown(number, image)))
}

fn check_label(label: &str) -> Result<(), Answer> {
    super::label::check_length(label, 1, 50)?;
    let is_plain = |it: char| it.is_alphanumeric() || " ,.?'-_".contains(it);
    if label.chars().all(is_plain) { Ok(()) } else { Err(invalid("label", "Label contains invalid characters")) }
}

fn check_room(deed: &Deed) -> Result<(), Answer> {
    let count = deed.truth.linode.images.values().filter(|image| !image.automatic).count();
    if count >= MOST || deed.check_quota("image").is_err() { Err(over_quota()) } else { Ok(()) }
}

/// Where an image of a Linode of this region is kept: there, or where the nearest object storage is.
fn home_of(region: &str) -> String {
    let has = |id: &str| regions::find(id).is_some_and(|region| region.has("Object Storage"));
    if has(region) {
        return region.to_owned();
    }
    let country = |id: &str| regions::find(id).map(|region| region.country);
    let near = regions::REGIONS.iter().find(|other| Some(other.country) == country(region) && other.has("Object Storage"));
    near.or(regions::REGIONS.iter().find(|other| other.has("Object Storage"))).map_or(region, |other| other.id).to_owned()
}

fn new(deed: &Deed, fields: &Fields, label: String, region: &str, size_mb: u64, status: &str) -> Result<ImageDetails, Answer> {
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

/// POST `images/upload`. Where to upload to is no place of ours: what is awaited arrives by itself.
fn upload(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let region = fields.needed("region")?.to_owned();
    let label = fields.needed("label")?.to_owned();
    if regions::find(&region).is_none() {
        return Err(invalid("region", "region is not valid"));
    }
    let image = new(deed, &fields, label, &region, 0, "pending_upload")?;
    check_room(deed)?;
    let number = deed.mint("image");
    let core = Image {
        id: number.clone(),
        zone: region.clone(),
        name: image.label.clone(),
        size_gb: 1,
        server: String::new(),
        disk: String::new(),
        state: CopyState::Creating,
        created: deed.tick(),
        tags: image.tags.clone(),
    };
    deed.make_disk(&number, 1, b"an uploaded image\n")?;
    let about = entity(&number, &image);
    let shown = shown(&number, &image);
    deed.truth.images.insert(number.clone(), core);
    deed.truth.linode.images.insert(number.clone(), image);
    deed.schedule(UPLOAD_SECONDS, Effect::Linode(Change::Uploaded(number.clone())));
    tell(deed, "image_upload", Stage::Scheduled, Some(about), None);
    let place = format!("https://{region}-1.linodeobjects.com:443/linode-production-machine-images-uploads/{number}?Signature=none");
    Ok(Answer::ok(json!({"upload_to": place, "image": shown})))
}

/// What follows when an upload has arrived.
pub fn uploaded(deed: &mut Deed, number: &str) {
    let Some(image) = deed.truth.linode.images.get_mut(number) else { return };
    image.min_mb = 1;
    let name = image.label.clone();
    available(deed, number);
    let price = deed.truth.market.image(1);
    deed.open_bill(number, "image", &name, price);
    let id = number.parse::<u64>().map_or(Value::Null, |number| json!(number));
    let events = deed.truth.linode.events.list.iter().rev();
    let of_it = events.filter(|event| event.action == "image_upload" && event.ended.is_none());
    let of_it = of_it.filter(|event| event.entity.as_ref().is_some_and(|it| it.id == id)).map(|event| event.id).next();
    if let Some(event) = of_it {
        super::events::end(deed, event, None);
    }
}

/// Leaves a recovery image of a Linode that is deleted. Nobody counts on its bytes: it goes by itself.
pub fn recover(deed: &mut Deed, linode: &str) {
    let Ok((server, _)) = linodes::find(&deed.truth, linode) else { return };
    let (name, zone) = (server.name.clone(), server.zone.clone());
    let disk = match &server.root {
        Some(crate::emulator::Root::Disk { id, .. }) => id.clone(),
        _ => return,
    };
    let needs = disks::used_mb(deed, &disk);
    let number = deed.mint("image");
    let label: String = format!("Recovery - {name}").chars().take(50).collect();
    let image = ImageDetails {
        label,
        description: String::new(),
        tags: Vec::new(),
        status: "available".to_owned(),
        automatic: true,
        size_mb: needs,
        min_mb: needs,
        cloud_init: false,
        regions: vec![home_of(&zone)],
        expiry: Some(deed.now.plus_seconds(RECOVERY_SECONDS)),
        created: deed.now,
        updated: deed.now,
    };
    deed.truth.linode.images.insert(number.clone(), image);
    deed.schedule(RECOVERY_SECONDS, Effect::Linode(Change::Expired(number)));
}

/// Ends a recovery image.
pub fn expire(deed: &mut Deed, number: &str) {
    if deed.truth.linode.images.get(number).is_some_and(|image| image.automatic) {
        deed.truth.linode.images.remove(number);
    }
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

/// POST `regions`: where it is kept from now on.
fn replicate(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (number, image) = number(&deed.truth, args.id)?;
    if image.status != "available" {
        return Err(refused("Image must be available to be replicated."));
    }
    let number = number.to_owned();
    let wanted = fields.texts("regions")?.filter(|wanted| !wanted.is_empty()).ok_or_else(|| required("regions"))?;
    if let Some(place) = wanted.iter().position(|id| !regions::find(id).is_some_and(|region| region.has("Object Storage"))) {
        return Err(invalid(&format!("regions[{place}]"), "region is not valid"));
    }
    let now = deed.now;
    if let Some(image) = deed.truth.linode.images.get_mut(&number) {
        image.regions = wanted;
        image.updated = now;
    }
    answer(&deed.truth, &number)
}
