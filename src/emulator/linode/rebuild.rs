//! Replacing what is on a Linode, and what follows when its disks are deployed.

use super::deploy;
use super::details::Status;
use super::input::Fields;
use super::jobs::{Work, check_idle, order};
use super::problem::{invalid, refused};
use super::{create, disks, linodes, plans, regions};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::objects::ServerState;
use crate::emulator::physics::Deed;

/// The endpoint that rebuilds Linodes.
pub static ROUTES: &[Route] = &[change("POST", "/linode/instances/{id}/rebuild", rebuild)];

/// What follows when the disks of a Linode are deployed: they can be used, and it is off until it is booted.
pub fn deployed(deed: &mut Deed, linode: &str) {
    let now = deed.now;
    let Some(details) = deed.truth.linode.linodes.get_mut(linode) else { return };
    if matches!(details.status, Status::Provisioning | Status::Rebuilding) {
        details.status = Status::Offline;
    }
    details.updated = now;
    for id in details.disks.clone() {
        disks::made(deed, &id);
    }
}

/// POST: everything on its disks is gone. It keeps its id, label, addresses, firewall and volumes.
fn rebuild(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = linodes::find_staying(&deed.truth, args.id)?;
    let plan = fields.text("type")?.unwrap_or(&server.kind).to_owned();
    let (was, zone, status) = (server.kind.clone(), server.zone.clone(), details.status);
    check_idle(deed, args.id)?;
    if matches!(status, Status::Stopped | Status::BillingSuspension) {
        return Err(refused("This Linode cannot be rebuilt now."));
    }
    let image = fields.needed("image")?;
    let source = deploy::source(&deed.truth, image)?;
    let keys = create::check_credentials(&fields)?;
    let plan = plans::find(&plan).ok_or_else(|| invalid("type", "A valid plan type by that ID was not found"))?;
    let (root_mb, swap_mb) = deploy::sizes(&fields, &plan, &source)?;
    let kernel = deploy::kernel(&fields, "linode/grub2")?;
    let region = regions::find(&zone).ok_or_else(|| invalid("region", "region is not valid"))?;
    create::check_metadata(&fields, &source, region)?;
    let user_data = create::user_data(&fields)?;
    let booted = fields.flag("booted")?.unwrap_or(true);
    let encrypted = match fields.text("disk_encryption")? {
        None => None,
        Some("enabled") => Some(true),
        Some("disabled") => Some(false),
        Some(_) => return Err(invalid("disk_encryption", "Must be one of enabled, disabled")),
    };
    turn_off(deed, args.id);
    disks::destroy_all(deed, args.id)?;
    if let Some(server) = deed.truth.servers.get_mut(args.id) {
        server.image = Some(source.id());
    }
    if let Some(details) = deed.truth.linode.linodes.get_mut(args.id) {
        details.configs.clear();
        details.booted = None;
        details.keys = keys;
        details.user_data = user_data.or(details.user_data.take());
        details.encrypted = encrypted.unwrap_or(details.encrypted);
        details.status = Status::Rebuilding;
        details.updated = deed.now;
    }
    deploy::deploy(deed, args.id, &source, root_mb, swap_mb, &kernel)?;
    order(deed, args.id, "linode_rebuild", Some(source.entity()), Work::Rebuild)?;
    if plan.id != was {
        let grow = false;
        order(deed, args.id, "linode_resize", None, Work::Resize { plan: plan.id.to_owned(), grow })?;
    }
    if booted {
        let config = deed.truth.linode.linodes.get(args.id).and_then(|details| details.configs.first()).map(|config| config.id);
        order(deed, args.id, "linode_boot", None, Work::Boot(config))?;
    }
    linodes::answer(&deed.truth, args.id)
}

/// Takes a guest down at once.
pub fn turn_off(deed: &mut Deed, linode: &str) {
    let stamp = deed.tick();
    if let Some(server) = deed.truth.servers.get_mut(linode) {
        if server.ever_started {
            server.off_since = server.off_since.or(Some(stamp));
        }
        server.state = ServerState::Stopped;
    }
}
