//! Images: the vendor's stock images, and the customer's, which are lists of snapshots.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::changes::{Change, notice};
use super::details::{ImageDetails, Kind, organization};
use super::input::{Fields, invalid, not_usable, patched_tags};
use super::moments::offset;
use super::pages::header_page;
use super::{show, stock_images};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// What a server needs to know of the image it is born from.
pub struct Origin {
    /// The image's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its processor.
    pub arch: String,
    /// Whether it is the vendor's.
    pub is_stock: bool,
    /// Where its root is to lie.
    pub kind: Kind,
    /// The snapshot of its root.
    pub root: String,
    /// The size of its root, in bytes.
    pub root_bytes: u64,
    /// The snapshots of further volumes, by slot.
    pub extra: BTreeMap<u8, String>,
    /// The image object, as servers show it.
    pub object: Value,
}

/// The image of this id in a zone, as a server begins with it.
///
/// Errors: 404.
pub fn origin(truth: &Truth, zone: &str, id: &str) -> Result<Origin, Answer> {
    if let Some(stock) = stock_images::image(id).filter(|stock| stock.zone == zone) {
        let kind = if stock.kind == stock_images::Kind::Sbs { Kind::Sbs } else { Kind::LSsd };
        return Ok(Origin {
            id: stock.id.clone(),
            name: stock.name.to_owned(),
            arch: stock.arch.to_owned(),
            is_stock: true,
            kind,
            root: stock.root_id.clone(),
            root_bytes: stock.root_size,
            extra: BTreeMap::new(),
            object: stock.instance_image(),
        });
    }
    let image = find(truth, zone, id)?;
    let root = truth.scaleway.snapshots.get(&image.root).ok_or_else(|| not_usable("the root snapshot of the image is gone"))?;
    Ok(Origin {
        id: id.to_owned(),
        name: image.name.clone(),
        arch: image.arch.clone(),
        is_stock: false,
        kind: root.kind,
        root: image.root.clone(),
        root_bytes: root.bytes,
        extra: image.extra.clone(),
        object: shown(truth, id, image),
    })
}

fn find<'t>(truth: &'t Truth, zone: &str, id: &str) -> Result<&'t ImageDetails, Answer> {
    let image = truth.scaleway.images.get(id).filter(|image| image.zone == zone);
    image.ok_or_else(|| Answer::not_found("instance_image", id))
}

/// The image object, bare.
fn shown(truth: &Truth, id: &str, image: &ImageDetails) -> Value {
    let extra: Map<String, Value> = image.extra.iter().map(|(slot, snapshot)| (slot.to_string(), part(truth, snapshot))).collect();
    json!({
        "id": id,
        "name": image.name,
        "organization": organization(truth),
        "project": image.project,
        "root_volume": part(truth, &image.root),
        "extra_volumes": extra,
        "public": image.public,
        "arch": image.arch,
        "creation_date": offset(image.created),
        "modification_date": offset(image.modified),
        "default_bootscript": null,
        "from_server": image.from_server,
        "state": "available",
        "tags": image.tags,
        "zone": image.zone,
    })
}

/// A snapshot in an image: of one in the block storage, the instance API knows neither name nor size.
fn part(truth: &Truth, snapshot: &str) -> Value {
    let local = truth.scaleway.snapshots.get(snapshot).filter(|it| it.kind != Kind::Sbs).zip(truth.snapshots.get(snapshot));
    match local {
        Some((details, core)) => json!({"id": snapshot, "name": core.name, "volume_type": details.word(), "size": details.bytes}),
        None => json!({"volume_type": "sbs_snapshot", "id": snapshot, "size": 0, "name": ""}),
    }
}

/// GET `images/{id}`, the vendor's own among them.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let object = match stock_images::image(args.id).filter(|stock| stock.zone == args.zone) {
        Some(stock) => stock.instance_image(),
        None => shown(truth, args.id, find(truth, args.zone, args.id)?),
    };
    Ok(Answer::ok(json!({"image": object})))
}

/// GET `images`, the newest first; the vendor's are listed unless `public=false`.
pub fn list(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let request = args.request;
    let tags = request.commas("tags");
    let mut own: Vec<(&String, &ImageDetails)> = truth.scaleway.images.iter().filter(|(_, it)| it.zone == args.zone).collect();
    own.retain(|(_, image)| show::is_listed(truth, now, image.created) && show::has_all(&image.tags, &tags));
    own.sort_by_key(|(_, image)| -image.created.0);
    let mut items: Vec<Value> = own.into_iter().map(|(id, image)| shown(truth, id, image)).collect();
    // There is one organisation besides the vendor's.
    if tags.is_empty() && request.filter("organization").is_none_or(|organization| organization == stock_images::OWNER) {
        items.extend(stock_images::images(args.zone).map(stock_images::StockImage::instance_image));
    }
    let is = |item: &Value, key: &str| request.filter(key).is_none_or(|wanted| item[key] == wanted);
    items.retain(|item| {
        is(item, "project")
            && is(item, "arch")
            && request.filter("name").is_none_or(|name| item["name"].as_str().is_some_and(|it| it.contains(name)))
            && request.filter("public").is_none_or(|public| item["public"].as_bool() == Some(public.eq_ignore_ascii_case("true")))
    });
    Ok(header_page(request, "images", "/images", items))
}

/// POST `images`: usable at once.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let root = fields.needed("root_volume")?.to_owned();
    check_snapshot(deed, args.zone, &root)?;
    let extra = extra_of(deed, args.zone, &fields)?.unwrap_or_default();
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let image = ImageDetails {
        zone: args.zone.to_owned(),
        name: fields.word("name")?.unwrap_or("image").to_owned(),
        project,
        arch: arch_of(&fields)?.unwrap_or_else(|| "x86_64".to_owned()),
        root,
        extra,
        public: fields.flag("public")?.unwrap_or(false),
        from_server: String::new(),
        tags: fields.texts("tags")?.unwrap_or_default(),
        created: deed.tick(),
        modified: deed.now,
    };
    let id = add(deed, image)?;
    let object = shown(&deed.truth, &id, find(&deed.truth, args.zone, &id)?);
    let location = format!("/instance/v1/zones/{}/images/{id}", args.zone);
    Ok(Answer::json(201, json!({"image": object})).with("location", location))
}

/// Puts an image into the truth, which holds its snapshots from now on.
pub fn add(deed: &mut Deed, mut image: ImageDetails) -> Result<String, Answer> {
    if deed.check_quota("image").is_err() {
        return Err(Answer::quota_exceeded("images"));
    }
    let id = deed.mint("image");
    image.modified = image.created;
    touch_snapshots(deed, &image);
    deed.truth.scaleway.images.insert(id.clone(), image);
    Ok(id)
}

/// The block storage notes when an image takes a snapshot.
fn touch_snapshots(deed: &mut Deed, image: &ImageDetails) {
    for snapshot in std::iter::once(&image.root).chain(image.extra.values()) {
        let now = deed.tick();
        if let Some(details) = deed.truth.scaleway.snapshots.get_mut(snapshot)
            && details.kind == Kind::Sbs
        {
            details.modified = now;
            details.released_by = None;
        }
    }
}

fn check_snapshot(deed: &Deed, zone: &str, id: &str) -> Result<(), Answer> {
    match deed.truth.snapshots.get(id) {
        Some(snapshot) if snapshot.zone == zone && deed.truth.is_whole(id) => Ok(()),
        Some(snapshot) if snapshot.zone == zone => Err(not_usable("snapshot should be available")),
        _ => Err(Answer::not_found("instance_snapshot", id)),
    }
}

fn arch_of(fields: &Fields) -> Result<Option<String>, Answer> {
    match fields.word("arch")? {
        Some(arch) if !["x86_64", "arm64", "arm"].contains(&arch) => Err(invalid("arch", "constraint", "not a valid value")),
        arch => Ok(arch.map(str::to_owned)),
    }
}

/// The further volumes of an image: slots from 1 on.
fn extra_of(deed: &Deed, zone: &str, fields: &Fields) -> Result<Option<BTreeMap<u8, String>>, Answer> {
    let Some(map) = fields.get("extra_volumes").and_then(Value::as_object) else { return Ok(None) };
    let mut extra = BTreeMap::new();
    for (key, entry) in map {
        let slot = key.parse().ok().filter(|slot| (1..16).contains(slot));
        let slot = slot.ok_or_else(|| invalid(&format!("extra_volumes.{key}"), "unknown", "extra keys not allowed"))?;
        let id = Fields::within(entry).needed("id")?.to_owned();
        check_snapshot(deed, zone, &id)?;
        extra.insert(slot, id);
    }
    Ok(Some(extra))
}

/// PATCH `images/{id}`.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let before = find(&deed.truth, args.zone, args.id)?.clone();
    let mut image = before.clone();
    if let Some(name) = fields.word("name")? {
        image.name = name.to_owned();
    }
    if let Some(tags) = patched_tags(&fields)? {
        image.tags = tags;
    }
    if let Some(arch) = arch_of(&fields)? {
        image.arch = arch;
    }
    if let Some(public) = fields.flag("public")? {
        image.public = public;
    }
    if let Some(extra) = extra_of(deed, args.zone, &fields)? {
        image.extra = extra;
    }
    if image != before {
        image.modified = deed.tick();
    }
    deed.truth.scaleway.images.insert(args.id.to_owned(), image);
    let object = shown(&deed.truth, args.id, find(&deed.truth, args.zone, args.id)?);
    Ok(Answer::ok(json!({"image": object})))
}

/// DELETE `images/{id}`: the snapshots stay, and are free; the block storage shows it a little later.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let image = find(&deed.truth, args.zone, args.id)?.clone();
    deed.truth.scaleway.images.remove(args.id);
    for snapshot in std::iter::once(&image.root).chain(image.extra.values()) {
        if let Some(details) = deed.truth.scaleway.snapshots.get_mut(snapshot)
            && details.kind == Kind::Sbs
        {
            details.released_by = Some((args.id.to_owned(), image.created));
            notice(deed, Change::Released(snapshot.clone()));
        }
    }
    Ok(Answer::empty(204))
}
