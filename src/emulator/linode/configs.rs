//! Configuration profiles: which disks and volumes a Linode is booted with, and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::details::LinodeDetails;
use super::events::{Entity, notify};
use super::input::Fields;
use super::problem::{invalid, not_found, required};
use super::{account, interfaces, kernels, label, linodes, listing, listing::list, moments::stamp, plans, volumes};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::ServerState;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints of profiles.
pub static ROUTES: &[Route] = &[
    look("/linode/instances/{id}/configs", index),
    change("POST", "/linode/instances/{id}/configs", create),
    look("/linode/instances/{id}/configs/{key}", get),
    change("PUT", "/linode/instances/{id}/configs/{key}", update),
    change("DELETE", "/linode/instances/{id}/configs/{key}", delete),
];

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A local disk, by number.
    Disk(u64),
    /// A volume, by number.
    Volume(u64),
}

/// What the platform does to a guest's files before it boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helpers {
    /// It keeps `updatedb` from running.
    pub updatedb_disabled: bool,
    /// It adapts the distribution.
    pub distro: bool,
    /// It makes the dependencies of modules known.
    pub modules_dep: bool,
    /// It writes down addresses.
    pub network: bool,
    /// It mounts the devices.
    pub devtmpfs_automount: bool,
}

/// A profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Its number.
    pub id: u64,
    /// Its label.
    pub label: String,
    /// Its kernel, by id.
    pub kernel: String,
    /// What its owner says of it.
    pub comments: String,
    /// How much memory the guest gets, in MB; all, if 0.
    pub memory_limit: u64,
    /// The device it boots from: `/dev/sda`.
    pub root_device: String,
    /// Its devices by slot: `sda`, ….
    pub devices: BTreeMap<String, Device>,
    /// What is done before it boots.
    pub helpers: Helpers,
    /// `default`, `single` or `binbash`.
    pub run_level: String,
    /// `paravirt` or `fullvirt`.
    pub virt_mode: String,
    /// Its interfaces, as they are shown.
    pub interfaces: Vec<Value>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

impl Config {
    /// The number of the local disk it boots from.
    pub fn root_disk(&self) -> Option<u64> {
        let slot = self.root_device.strip_prefix("/dev/").filter(|slot| self.devices.contains_key(*slot)).unwrap_or("sda");
        match self.devices.get(slot) {
            Some(Device::Disk(id)) => Some(*id),
            _ => None,
        }
    }

    /// Empties the slots of a disk.
    pub fn lose_disk(&mut self, id: &str) {
        self.devices.retain(|_, device| !matches!(device, Device::Disk(disk) if disk.to_string() == id));
    }

    /// Empties the slots of a volume.
    pub fn lose_volume(&mut self, id: &str) {
        self.devices.retain(|_, device| !matches!(device, Device::Volume(volume) if volume.to_string() == id));
    }
}

/// The slots of a Linode with this much memory in MB: eight, or as many as it has GB, up to 64.
fn slots(memory: u64) -> Vec<String> {
    let count = (memory / 1024).clamp(8, 64);
    let letter = |number: u64| char::from(b'a' + u8::try_from(number % 26).unwrap_or(0));
    (0..count)
        .map(|number| match number / 26 {
            0 => format!("sd{}", letter(number)),
            more => format!("sd{}{}", letter(more - 1), letter(number)),
        })
        .collect()
}

/// The slots of a Linode.
pub fn slots_of(truth: &Truth, linode: &str) -> Vec<String> {
    let plan = truth.servers.get(linode).and_then(|server| plans::find(&server.kind));
    slots(plan.map_or(0, |plan| plan.memory))
}

fn shown(truth: &Truth, linode: &str, config: &Config) -> Value {
    let mut devices = Map::new();
    // A list of eight is shown in any case, and more where there is more.
    for slot in slots(0).into_iter().chain(config.devices.keys().cloned()) {
        let device = match config.devices.get(&slot) {
            None => Value::Null,
            Some(Device::Disk(id)) => json!({"disk_id": id, "volume_id": null}),
            Some(Device::Volume(id)) => json!({"disk_id": null, "volume_id": id}),
        };
        devices.insert(slot, device);
    }
    json!({
        "id": config.id,
        "label": config.label,
        "helpers": config.helpers,
        "kernel": config.kernel,
        "comments": config.comments,
        "memory_limit": config.memory_limit,
        "created": stamp(config.created),
        "updated": stamp(config.updated),
        "root_device": config.root_device,
        "devices": devices,
        "initrd": null,
        "run_level": config.run_level,
        "virt_mode": config.virt_mode,
        "interfaces": interfaces_of(truth, linode, config),
    })
}

/// The interfaces of a profile, as they are shown: active while a guest runs that was booted with it.
pub fn interfaces_of(truth: &Truth, linode: &str, config: &Config) -> Vec<Value> {
    let is_on = truth.servers.get(linode).is_some_and(|server| server.state == ServerState::Running);
    let is_booted = truth.linode.linodes.get(linode).is_some_and(|details| details.booted == Some(config.id));
    let mut interfaces = config.interfaces.clone();
    interfaces.iter_mut().for_each(|interface| interface["active"] = json!(is_on && is_booted));
    interfaces
}

/// How events name a profile.
fn entity(linode: &str, config: &Config) -> Entity {
    let path = format!("/linode/instances/{linode}/configs/{}", config.id);
    Entity::new("linode_config", &config.id.to_string(), &config.label, &path)
}

fn tell(deed: &mut Deed, action: &str, linode: &str, config: &Config) {
    let about = deed.truth.servers.get(linode).map(linodes::entity);
    notify(deed, action, about, Some(entity(linode, config)));
}

/// A profile of a Linode.
///
/// Errors: 404.
pub fn find<'d>(details: &'d LinodeDetails, id: &str) -> Result<&'d Config, Answer> {
    details.configs.iter().find(|config| config.id.to_string() == id).ok_or_else(not_found)
}

fn index(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = linodes::find(truth, args.id)?;
    list(args.request, &listing::CONFIGS, details.configs.iter().map(|config| shown(truth, args.id, config)).collect())
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = linodes::find(truth, args.id)?;
    Ok(Answer::ok(shown(truth, args.id, find(details, args.key)?)))
}

/// A profile as it is if nothing is said.
fn usual(deed: &mut Deed, label: &str, kernel: &str) -> Config {
    let network = account::settings(&deed.truth).network_helper;
    Config {
        id: deed.mint("config").parse().unwrap_or_default(),
        label: label.to_owned(),
        kernel: kernel.to_owned(),
        comments: String::new(),
        memory_limit: 0,
        root_device: "/dev/sda".to_owned(),
        devices: BTreeMap::new(),
        helpers: Helpers { updatedb_disabled: true, distro: true, modules_dep: true, network, devtmpfs_automount: true },
        run_level: "default".to_owned(),
        virt_mode: "paravirt".to_owned(),
        interfaces: Vec::new(),
        created: deed.now,
        updated: deed.now,
    }
}

/// Adds the profile that comes with an image.
pub fn add_usual(deed: &mut Deed, linode: &str, label: &str, kernel: &str, devices: Vec<(&str, Device)>) -> Result<(), Answer> {
    let mut config = usual(deed, label, kernel);
    config.devices = devices.into_iter().map(|(slot, device)| (slot.to_owned(), device)).collect();
    let details = deed.truth.linode.linodes.get_mut(linode).ok_or_else(not_found)?;
    details.configs.push(config);
    Ok(())
}

/// POST.
fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    linodes::find_staying(&deed.truth, args.id)?;
    let name = fields.needed("label")?.to_owned();
    if fields.get("devices").is_none() {
        return Err(required("devices"));
    }
    let mut config = usual(deed, &name, "linode/latest-64bit");
    read(deed, args.id, &mut config, &fields)?;
    put(deed, args.id, config, "linode_config_create")
}

/// PUT: what is absent stays as it is; devices are replaced as a whole.
fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (_, details) = linodes::find_staying(&deed.truth, args.id)?;
    let mut config = find(details, args.key)?.clone();
    read(deed, args.id, &mut config, &fields)?;
    config.updated = deed.now;
    put(deed, args.id, config, "linode_config_update")
}

/// Takes over what a body says of a profile.
fn read(deed: &mut Deed, linode: &str, config: &mut Config, fields: &Fields) -> Result<(), Answer> {
    if let Some(name) = fields.text("label")? {
        label::check_length(name, 1, 48)?;
        config.label = name.to_owned();
    }
    if let Some(kernel) = fields.text("kernel")? {
        if !kernels::exists(kernel) {
            return Err(invalid("kernel", "kernel is not valid"));
        }
        config.kernel = kernel.to_owned();
    }
    if let Some(comments) = fields.text("comments")? {
        config.comments = comments.to_owned();
    }
    if let Some(limit) = fields.number("memory_limit")? {
        config.memory_limit = u64::try_from(limit).map_err(|_| invalid("memory_limit", "Must be 0 or greater"))?;
    }
    if let Some(root) = fields.text("root_device")? {
        config.root_device = root.to_owned();
    }
    for (key, words, place) in [
        ("run_level", ["default", "single", "binbash"].as_slice(), &mut config.run_level),
        ("virt_mode", ["paravirt", "fullvirt"].as_slice(), &mut config.virt_mode),
    ] {
        if let Some(word) = fields.text(key)? {
            if !words.contains(&word) {
                return Err(invalid(key, &format!("Must be one of {}", words.join(", "))));
            }
            *place = word.to_owned();
        }
    }
    if let Some(helpers) = fields.object("helpers")? {
        let known = &mut config.helpers;
        for (key, place) in [
            ("updatedb_disabled", &mut known.updatedb_disabled),
            ("distro", &mut known.distro),
            ("modules_dep", &mut known.modules_dep),
            ("network", &mut known.network),
            ("devtmpfs_automount", &mut known.devtmpfs_automount),
        ] {
            *place = helpers.flag(key)?.unwrap_or(*place);
        }
    }
    if let Some(devices) = fields.object("devices")? {
        config.devices = read_devices(deed, linode, &devices)?;
    }
    if let Some(list) = fields.list("interfaces")? {
        config.interfaces = interfaces::of_profile(deed, linode, list)?;
    }
    Ok(())
}

fn read_devices(deed: &Deed, linode: &str, devices: &Fields) -> Result<BTreeMap<String, Device>, Answer> {
    let slots = slots_of(&deed.truth, linode);
    let mut read = BTreeMap::new();
    for slot in devices.keys() {
        let path = devices.path(slot);
        if !slots.iter().any(|it| it == slot) {
            return Err(invalid(&path, "Invalid device slot for this Linode"));
        }
        let Some(device) = devices.object(slot)? else { continue };
        let number = |key: &str| -> Result<Option<u64>, Answer> { Ok(device.number(key)?.and_then(|id| u64::try_from(id).ok())) };
        let device = match (number("disk_id")?, number("volume_id")?) {
            (Some(_), Some(_)) => return Err(invalid(&path, "Must be either a disk or a volume")),
            (None, None) => continue,
            (Some(disk), None) => {
                let is_its = deed.truth.linode.disks.get(&disk.to_string()).is_some_and(|it| it.linode == linode);
                if !is_its {
                    return Err(invalid(&device.path("disk_id"), "disk_id is not valid"));
                }
                Device::Disk(disk)
            }
            (None, Some(volume)) => {
                volumes::check_can_join(deed, &volume.to_string(), linode, &device.path("volume_id"))?;
                Device::Volume(volume)
            }
        };
        if read.values().any(|other| *other == device) {
            return Err(invalid(&path, "A device may be in one slot only"));
        }
        read.insert(slot.to_owned(), device);
    }
    Ok(read)
}

/// Puts a profile in its place; volumes that are new in it join the Linode, and those it loses leave.
fn put(deed: &mut Deed, linode: &str, config: Config, action: &str) -> Result<Answer, Answer> {
    let volumes = |config: &Config| -> Vec<String> {
        let volume = |device: &Device| match device {
            Device::Volume(id) => Some(id.to_string()),
            Device::Disk(_) => None,
        };
        config.devices.values().filter_map(volume).collect()
    };
    let details = deed.truth.linode.linodes.get_mut(linode).ok_or_else(not_found)?;
    let known = details.configs.iter_mut().find(|it| it.id == config.id);
    let old = known.as_ref().map(|it| volumes(it)).unwrap_or_default();
    match known {
        Some(known) => *known = config.clone(),
        None => details.configs.push(config.clone()),
    }
    let new = volumes(&config);
    for volume in new.iter().filter(|it| !old.contains(it)) {
        volumes::join(deed, volume, linode)?;
    }
    for volume in old.iter().filter(|it| !new.contains(it)) {
        let is_elsewhere = deed.truth.linode.linodes.get(linode).is_some_and(|it| it.configs.iter().any(|it| volumes(it).contains(volume)));
        if !is_elsewhere {
            volumes::leave(deed, volume)?;
        }
    }
    super::disks::arrange(deed, linode);
    tell(deed, action, linode, &config);
    Ok(Answer::ok(shown(&deed.truth, linode, &config)))
}

/// DELETE.
fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = linodes::find_staying(&deed.truth, args.id)?;
    let config = find(details, args.key)?.clone();
    if let Some(details) = deed.truth.linode.linodes.get_mut(args.id) {
        details.configs.retain(|it| it.id != config.id);
    }
    tell(deed, "linode_config_delete", args.id, &config);
    Ok(Answer::ok(json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_as_many_as_there_is_memory() {
        assert_eq!(slots(1024).len(), 8);
        assert_eq!(slots(16 * 1024).last().map(String::as_str), Some("sdp"));
        assert_eq!(slots(256 * 1024).last().map(String::as_str), Some("sdbl"));
    }
}
