//! Copying Linodes.

use super::configs::Device;
use super::details::{Backups, Disk, LinodeDetails, Status, whole_gb};
use super::input::Fields;
use super::jobs::{Work, check_idle, order, order_silently};
use super::linodes::{self, check_unique, entity};
use super::problem::{invalid, over_quota, refused};
use super::{account, addresses, create, disks, firewalls, label};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;

/// The endpoint that copies Linodes.
pub static ROUTES: &[Route] = &[change("POST", "/linode/instances/{id}/clone", copy)];

/// POST: a new Linode with the disks and profiles of this one, which is off.
fn copy(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = linodes::find_staying(&deed.truth, args.id)?;
    let (server, details) = (server.clone(), details.clone());
    if fields.get("linode_id").is_some() {
        return Err(invalid("linode_id", "Cloning to an existing Linode is not possible here."));
    }
    let (region, plan) = create::place(deed, &fields)?;
    check_idle(deed, args.id)?;
    if let Some(name) = fields.text("label")? {
        label::check_linode(name)?;
        check_unique(deed, name)?;
    }
    if disks::allocated_mb(deed, args.id) > plan.disk {
        return Err(refused("The disks of this Linode do not fit this plan."));
    }
    let user_data = create::user_data(&fields)?;
    let backed_up = fields.flag("backups_enabled")?.unwrap_or(account::settings(&deed.truth).backups_enabled);
    if deed.check_quota("server").is_err() {
        return Err(over_quota());
    }
    let id = deed.mint("linode");
    let name = fields.text("label")?.map_or_else(|| format!("linode{id}"), str::to_owned);
    let new = LinodeDetails {
        status: Status::Offline,
        alerts: linodes::usual_alerts(plan.vcpus),
        backups: Backups { enabled: backed_up, ..Backups::default() },
        watchdog: true,
        rescues: Vec::new(),
        host: create::host(deed, &id),
        user_data,
        placement_group: None,
        disks: Vec::new(),
        configs: Vec::new(),
        booted: None,
        jobs: Vec::new(),
        locks: Default::default(),
        updated: deed.now,
        group: String::new(),
        ..details.clone()
    };
    create::birth(deed, region.id, &plan, &id, &name, Vec::new(), server.image.clone(), new)?;
    addresses::allocate(deed, region.id, &id)?;
    if fields.flag("private_ip")? == Some(true) {
        addresses::allocate_private(deed, region.id, &id)?;
    }
    if let Some(firewall) = firewalls::default_for(&deed.truth, "linode") {
        firewalls::protect(deed, firewall, &id)?;
    }
    copy_content(deed, &details, &id)?;
    let secondary = deed.truth.servers.get(&id).map(entity);
    order(deed, args.id, "linode_clone", secondary, Work::CloneTo(id.clone()))?;
    order_silently(deed, &id, Work::CloneFrom)?;
    linodes::answer(&deed.truth, &id)
}

/// Copies disks and profiles; volumes stay where they are.
fn copy_content(deed: &mut Deed, from: &LinodeDetails, to: &str) -> Result<(), Answer> {
    let mut copies = Vec::new();
    for old in &from.disks {
        let Some(disk) = deed.truth.linode.disks.get(old).cloned() else { continue };
        let id = deed.mint("disk");
        if disk.has_file() {
            deed.notice_writes(old)?;
            deed.copy_disk(old, &id, whole_gb(disk.size_mb))?;
        }
        copies.push((old.clone(), id.clone()));
        let (linode, now) = (to.to_owned(), deed.now);
        disks::add(deed, to, &id, Disk { linode, ready: false, created: now, updated: now, ..disk });
    }
    let copy_of = |device: &Device| match device {
        Device::Disk(old) => {
            let copy = copies.iter().find(|(from, _)| *from == old.to_string());
            copy.and_then(|(_, to)| to.parse().ok()).map(Device::Disk)
        }
        Device::Volume(_) => None,
    };
    for old in &from.configs {
        let mut config = old.clone();
        config.id = deed.mint("config").parse().unwrap_or_default();
        config.devices = old.devices.iter().filter_map(|(slot, device)| Some((slot.clone(), copy_of(device)?))).collect();
        config.created = deed.now;
        config.updated = deed.now;
        if let Some(details) = deed.truth.linode.linodes.get_mut(to) {
            details.configs.push(config);
        }
    }
    disks::arrange(deed, to);
    Ok(())
}
