//! How a server is born: `POST servers` in all its forms.

use std::collections::BTreeMap;

use serde_json::Value;

use super::addresses::give;
use super::catalogue::{self, Availability};
use super::changes::{Change, notice};
use super::details::{GB, Kind, ServerDetails, Slot, Stage};
use super::disks::{SLOTS, check_free};
use super::ids::fold;
use super::images::Origin;
use super::input::{Fields, invalid, required};
use super::making::{NewDisk, Source, bind, make_volume};
use super::servers::{boot_type_of, shown};
use super::types::ServerType;
use super::words::detail;
use super::{groups, images, placement_groups};
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::{Root, Server, ServerState};
use crate::emulator::physics::Deed;

/// What is known of a server before its volumes are.
struct Birth<'b> {
    zone: &'b str,
    project: String,
    row: &'static ServerType,
    origin: Option<Origin>,
}

/// POST `servers`: born stopped, with all its volumes.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    check_needed(&fields)?;
    let zone = args.zone;
    let kind = fields.needed("commercial_type")?;
    let row = catalogue::server_type(zone, kind);
    let row = row.ok_or_else(|| invalid("commercial_type", "constraint", "not a valid value"))?;
    let name = fields.word("name")?.map_or_else(|| format!("scw-{}", row.name.to_lowercase()), str::to_owned);
    if deed.check_quota("server").is_err() {
        return Err(Answer::quota_exceeded("servers"));
    }
    if deed.truth.scaleway.stock_at_create && deed.truth.scaleway.stock_of(zone, row.name) == Availability::Shortage {
        return Err(Answer::out_of_stock("commercial_type"));
    }
    let given = fields.word("project")?.or(fields.word("organization")?);
    let project = deed.truth.scaleway.project(deed.truth.seed, given);
    let origin = match fields.word("image")? {
        Some(image) => Some(images::origin(&deed.truth, zone, image)?),
        None => None,
    };
    if origin.as_ref().is_some_and(|origin| origin.is_stock && origin.arch != row.arch) {
        return Err(invalid("image", "constraint", "the architecture of the image is not that of the server"));
    }
    let group = match fields.word("security_group")? {
        Some(group) => groups::find(&deed.truth, zone, group)?.0.id.clone(),
        None => groups::default_of(deed, zone, &project)?,
    };
    let ips = addresses_of(deed, zone, &fields)?;
    let placement_group = fields.word("placement_group")?.map(str::to_owned);
    if let Some(group) = &placement_group {
        placement_groups::recognise(deed, zone, group, &project)?;
    }

    let (id, created) = (deed.mint("server"), deed.tick());
    let birth = Birth { zone, project: project.clone(), row, origin };
    let slots = give_volumes(deed, &birth, fields.get("volumes").unwrap_or(&Value::Null))?;
    let server = Server {
        id: id.clone(),
        zone: zone.to_owned(),
        name: name.clone(),
        kind: row.name.to_owned(),
        state: ServerState::Stopped,
        created,
        tags: fields.texts("tags")?.unwrap_or_default(),
        image: birth.origin.as_ref().map(|origin| origin.id.clone()),
        root: boot_slot(&slots).and_then(|slot| slots.get(&slot)).map(|slot| Root::Volume(slot.volume.clone())),
        volumes: Vec::new(),
        address: None,
        firewall: Some(group),
        ever_started: false,
        off_since: None,
        protected: fields.flag("protected")?.unwrap_or(false),
        takes_local_disks: false,
        disks: Vec::new(),
    };
    let details = ServerDetails {
        project,
        hostname: name,
        boot_type: boot_type_of(fields.word("boot_type")?.unwrap_or("local"))?,
        dynamic_ip_required: fields.flag("dynamic_ip_required")?.unwrap_or(true),
        image: birth.origin.map(|origin| origin.object),
        detail: String::new(),
        slots,
        public_ips: Vec::new(),
        dynamic: None,
        user_data: BTreeMap::new(),
        mac: (fold(deed.truth.seed, &["mac", &id]) & 0x00ff_ffff) as u32,
        placed: false,
        placement_group,
        admin_key: fields.word("admin_password_encryption_ssh_key_id")?.map(str::to_owned),
        modified: created,
    };
    settle_in(deed, server, details)?;
    for ip in ips {
        give(deed, &id, &ip)?;
    }
    let answer = shown(&deed.truth, zone, &id, 201)?;
    Ok(answer.with("location", format!("/instance/v1/zones/{zone}/servers/{id}")))
}

/// Says everything that is missing at once.
fn check_needed(fields: &Fields) -> Result<(), Answer> {
    let mut missing = Vec::new();
    if fields.word("commercial_type")?.is_none() {
        missing.push(required("commercial_type"));
    }
    let has_volumes = fields.get("volumes").and_then(Value::as_object).is_some_and(|volumes| !volumes.is_empty());
    if fields.word("image")?.is_none() && !has_volumes {
        missing.push(required("image"));
        missing.push(required("volumes"));
    }
    if missing.is_empty() { Ok(()) } else { Err(Answer::invalid_arguments(missing)) }
}

/// The reserved addresses a server is to have, by id.
fn addresses_of(deed: &Deed, zone: &str, fields: &Fields) -> Result<Vec<String>, Answer> {
    let mut wanted = fields.texts("public_ips")?.unwrap_or_default();
    wanted.extend(fields.word("public_ip")?.map(str::to_owned));
    wanted.iter().map(|ip| super::addresses::find(&deed.truth, zone, ip).map(|(address, _)| address.id.clone())).collect()
}

/// Puts a new server into the truth, and its volumes into its hands.
fn settle_in(deed: &mut Deed, mut server: Server, details: ServerDetails) -> Result<(), Answer> {
    let root = match &server.root {
        Some(Root::Volume(root)) => Some(root.clone()),
        _ => None,
    };
    let others = details.slots.values().map(|slot| &slot.volume).filter(|volume| Some(*volume) != root.as_ref());
    let volumes: Vec<String> = root.iter().chain(others).cloned().collect();
    for volume in &volumes {
        deed.take_volume(&server, volume)?;
        bind(deed, volume, Stage::Joining);
        notice(deed, Change::Attached(volume.clone()));
    }
    server.volumes = volumes;
    deed.truth.scaleway.servers.insert(server.id.clone(), details);
    deed.truth.servers.insert(server.id.clone(), server);
    Ok(())
}

/// The slot a server boots from: the one that says so, else the first.
fn boot_slot(slots: &BTreeMap<u8, Slot>) -> Option<u8> {
    let told = slots.iter().find(|(_, slot)| slot.boot).map(|(slot, _)| *slot);
    told.or_else(|| slots.keys().next().copied())
}

/// Makes or finds every volume of a new server.
fn give_volumes(deed: &mut Deed, birth: &Birth, templates: &Value) -> Result<BTreeMap<u8, Slot>, Answer> {
    let mut wanted: BTreeMap<u8, Fields> = BTreeMap::new();
    for (key, template) in templates.as_object().into_iter().flatten() {
        let slot = key.parse().ok().filter(|slot| *slot < SLOTS);
        let slot = slot.ok_or_else(|| invalid("volumes", "format", "extra keys not allowed"))?;
        wanted.insert(slot, Fields::within(template));
    }
    let mut root = 0;
    for (slot, template) in &wanted {
        if template.flag("boot")?.unwrap_or(false) {
            root = *slot;
        }
    }
    if birth.origin.is_some() {
        wanted.entry(root).or_insert_with(|| Fields::within(&Value::Null));
    } else if !wanted.contains_key(&root) {
        return Err(Answer::invalid_arguments(vec![required("image")]));
    }
    let rest = room_left(deed, birth, &wanted)?;
    let mut slots = BTreeMap::new();
    for (slot, template) in &wanted {
        let volume = give_volume(deed, birth, template, *slot, (*slot == root).then_some(rest))?;
        slots.insert(*slot, Slot { volume, boot: template.flag("boot")?.unwrap_or(false) });
    }
    let extra = birth.origin.iter().flat_map(|origin| origin.extra.iter());
    for (slot, snapshot) in extra.filter(|(slot, _)| !wanted.contains_key(slot)).map(|(slot, it)| (*slot, it.clone())).collect::<Vec<_>>() {
        let volume = restore(deed, birth, &snapshot, None, None)?;
        slots.insert(slot, Slot { volume, boot: false });
    }
    add_scratch(deed, birth, &mut slots)?;
    check_room(deed, birth, &slots)?;
    Ok(slots)
}

/// How many bytes of the machine's own disks the volumes leave that name their sizes or have one.
fn room_left(deed: &Deed, birth: &Birth, wanted: &BTreeMap<u8, Fields>) -> Result<u64, Answer> {
    let mut taken = 0_u64;
    for template in wanted.values() {
        let known = template.word("id")?.and_then(|id| deed.truth.scaleway.volumes.get(id)).filter(|it| it.kind == Kind::LSsd);
        let is_local = template.word("volume_type")?.is_none_or(|word| Kind::of(word) == Some(Kind::LSsd));
        let named = template.number("size")?.filter(|_| is_local);
        taken = taken.saturating_add(known.map(|it| it.bytes).or(named).unwrap_or(0));
    }
    let extra = birth.origin.iter().flat_map(|origin| origin.extra.iter()).filter(|(slot, _)| !wanted.contains_key(slot));
    let extra = extra.filter_map(|(_, snapshot)| deed.truth.scaleway.snapshots.get(snapshot)).filter(|it| it.kind == Kind::LSsd);
    let extra: u64 = extra.map(|it| it.bytes).sum();
    Ok(birth.row.local_max().saturating_sub(taken).saturating_sub(extra))
}

/// Makes or finds one volume of a new server; `root` is, for its root, how many bytes of local disk there are for it.
fn give_volume(deed: &mut Deed, birth: &Birth, template: &Fields, slot: u8, root: Option<u64>) -> Result<String, Answer> {
    let argument = format!("volumes.{slot}");
    if let Some(id) = template.word("id")? {
        let kind = check_free(deed, birth.zone, id)?;
        if template.word("volume_type")?.is_some_and(|word| Kind::of(word) != Some(kind)) {
            return Err(invalid(&format!("{argument}.volume_type"), "constraint", "not the type of this volume"));
        }
        return Ok(id.to_owned());
    }
    let kind = match template.word("volume_type")? {
        None => None,
        Some(word) => Some(Kind::of(word).ok_or_else(|| invalid(&format!("{argument}.volume_type"), "constraint", "not a valid value"))?),
    };
    let size = template.number("size")?.filter(|size| *size > 0);
    if size.is_some_and(|size| size % 512 != 0) {
        return Err(invalid(&format!("{argument}.size"), "constraint", "must be a multiple of 512"));
    }
    if let Some(snapshot) = template.word("base_snapshot")? {
        // Without a name the API does not see that a snapshot is meant.
        let Some(name) = template.word("name")? else {
            let keys = ["image", "base_snapshot", "id", "volume_type"];
            return Err(Answer::invalid_arguments(
                keys.map(|key| detail(&format!("{argument}.{key}"), "unknown", "extra keys not allowed")).to_vec(),
            ));
        };
        return restore(deed, birth, snapshot, Some(name), size);
    }
    if let (Some(rest), Some(origin)) = (root, &birth.origin) {
        let default = if origin.kind == Kind::Sbs { origin.root_bytes } else { rest.max(origin.root_bytes) };
        return root_from(deed, birth, origin, kind, size.unwrap_or(default), &argument);
    }
    let kind = kind.unwrap_or(Kind::LSsd);
    if kind == Kind::Sbs {
        // Block volumes without content are made by the block API.
        return Err(invalid(&format!("{argument}.id"), "required", "required key not provided"));
    }
    let name = template.word("name")?.ok_or_else(|| invalid(&format!("{argument}.name"), "required", "required key not provided"))?;
    let bytes = size.ok_or_else(|| invalid(&format!("{argument}.size"), "required", "required key not provided"))?;
    make(deed, birth, name.to_owned(), kind, bytes, Source::Empty)
}

/// The root of an image; a local one takes all the room there is, if nothing else was said.
fn root_from(deed: &mut Deed, birth: &Birth, origin: &Origin, kind: Option<Kind>, bytes: u64, argument: &str) -> Result<String, Answer> {
    if kind.is_some_and(|kind| kind != origin.kind) {
        return Err(invalid(&format!("{argument}.volume_type"), "constraint", "not compatible with the image"));
    }
    if origin.kind != Kind::Sbs && !birth.row.takes_local() {
        return Err(invalid("image", "constraint", "this type has no local storage, the image needs it"));
    }
    if bytes < origin.root_bytes {
        return Err(invalid(&format!("{argument}.size"), "constraint", &format!("must be at least {}", origin.root_bytes)));
    }
    let name = if origin.kind == Kind::Sbs { format!("{}_sbs_volume_0", origin.name) } else { origin.name.clone() };
    if origin.is_stock {
        let source = Source::Image { image: &origin.id, name: &origin.name, snapshot: &origin.root };
        return make(deed, birth, name, origin.kind, bytes, source);
    }
    restore(deed, birth, &origin.root, Some(&name), Some(bytes))
}

/// A volume with the bytes of a snapshot.
fn restore(deed: &mut Deed, birth: &Birth, snapshot: &str, name: Option<&str>, size: Option<u64>) -> Result<String, Answer> {
    let found = deed.truth.snapshots.get(snapshot).filter(|it| it.zone == birth.zone).zip(deed.truth.scaleway.snapshots.get(snapshot));
    let Some((core, details)) = found else { return Err(Answer::not_found("instance_snapshot", snapshot)) };
    if !deed.truth.is_whole(snapshot) {
        return Err(super::input::not_usable("snapshot should be available"));
    }
    let bytes = size.unwrap_or(details.bytes);
    if bytes < details.bytes {
        return Err(invalid("volumes", "constraint", "the volume is smaller than its snapshot"));
    }
    let name = name.map_or_else(|| core.name.clone(), str::to_owned);
    make(deed, birth, name, details.kind, bytes, Source::Snapshot(snapshot))
}

fn make(deed: &mut Deed, birth: &Birth, name: String, kind: Kind, bytes: u64, source: Source) -> Result<String, Answer> {
    if kind == Kind::LSsd && !birth.row.takes_local() {
        return Err(invalid("volumes", "constraint", "this type has no local storage"));
    }
    let project = birth.project.clone();
    make_volume(deed, NewDisk { zone: birth.zone, name, project, kind, bytes, iops: 5000, source, tags: Vec::new() })
}

/// A type with scratch room comes with a scratch volume, unless one was ordered.
fn add_scratch(deed: &mut Deed, birth: &Birth, slots: &mut BTreeMap<u8, Slot>) -> Result<(), Answer> {
    let is_scratch = |slot: &Slot| deed.truth.scaleway.volumes.get(&slot.volume).is_some_and(|it| it.kind == Kind::Scratch);
    if birth.row.scratch_max() == 0 || slots.values().any(is_scratch) {
        return Ok(());
    }
    if let Some(free) = (1..SLOTS).find(|slot| !slots.contains_key(slot)) {
        let name = "autogenerated scratch volume".to_owned();
        let volume = make(deed, birth, name, Kind::Scratch, birth.row.scratch_max(), Source::Empty)?;
        slots.insert(free, Slot { volume, boot: false });
    }
    Ok(())
}

/// Refuses more on the machine's own disks than the type has room for.
fn check_room(deed: &Deed, birth: &Birth, slots: &BTreeMap<u8, Slot>) -> Result<(), Answer> {
    let sum = |kind: Kind| -> u64 {
        let details = slots.values().filter_map(|slot| deed.truth.scaleway.volumes.get(&slot.volume));
        details.filter(|it| it.kind == kind).map(|it| it.bytes).sum()
    };
    for (kind, room) in [(Kind::LSsd, birth.row.local_max()), (Kind::Scratch, birth.row.scratch_max())] {
        if sum(kind) > room {
            let help = format!("the {} volumes may have {} GB together", kind.word(), room / GB);
            return Err(invalid("volumes", "constraint", &help));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_boots_from_the_slot_that_says_so() {
        let slot = |boot| Slot { volume: "v".to_owned(), boot };
        assert_eq!(boot_slot(&BTreeMap::from([(0, slot(false)), (1, slot(true))])), Some(1));
        assert_eq!(boot_slot(&BTreeMap::from([(1, slot(false)), (2, slot(false))])), Some(1));
        assert_eq!(boot_slot(&BTreeMap::new()), None);
        assert!(check_needed(&Fields::within(&json!({"commercial_type": "x", "image": "y"}))).is_ok());
    }
}
