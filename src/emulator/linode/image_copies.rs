//! Images that come and go otherwise than by capture: uploads, copies in other regions, and what is left of deleted Linodes.

use serde_json::{Value, json};

use super::details::ImageDetails;
use super::events::{self, Stage, tell};
use super::images::{answer, available, check_room, entity, home_of, new, number, shown};
use super::input::Fields;
use super::jobs::Change;
use super::problem::{invalid, refused, required};
use super::{disks, linodes, regions};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::{CopyState, Image, Root};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;

/// The endpoints of uploads and copies.
pub static ROUTES: &[Route] = &[change("POST", "/images/upload", upload), change("POST", "/images/{id}/regions", replicate)];

/// How long an upload takes to arrive, in cloud seconds.
const UPLOAD_SECONDS: u64 = 40;
/// How long it takes to copy an image to other regions, in cloud seconds.
const REPLICATION_SECONDS: u64 = 60;
/// How long a recovery image is kept, in cloud seconds.
const RECOVERY_SECONDS: u64 = 7 * 86_400;

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
        events::end(deed, event, None);
    }
}

/// Leaves a recovery image of a Linode that is deleted. Nobody counts on its bytes: it goes by itself.
pub fn recover(deed: &mut Deed, linode: &str) {
    let Ok((server, _)) = linodes::find(&deed.truth, linode) else { return };
    let (name, zone) = (server.name.clone(), server.zone.clone());
    let disk = match &server.root {
        Some(Root::Disk { id, .. }) => id.clone(),
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
        underway: Vec::new(),
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
        image.underway = wanted.iter().filter(|region| !image.regions.contains(region)).cloned().collect();
        image.regions = wanted;
        image.updated = now;
    }
    deed.schedule(REPLICATION_SECONDS, Effect::Linode(Change::Replicated(number.clone())));
    answer(&deed.truth, &number)
}

/// What follows when an image is where it was to be copied to.
pub fn replicated(deed: &mut Deed, number: &str) {
    if let Some(image) = deed.truth.linode.images.get_mut(number) {
        image.underway.clear();
    }
}
