//! Becoming another plan.

use serde_json::json;

use super::details::{Status, whole_gb};
use super::input::Fields;
use super::jobs::{Work, check_idle, order};
use super::problem::{invalid, refused};
use super::{create, disks, linodes, plans, power, regions};
use crate::emulator::face::route::change;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;

/// The endpoint that resizes Linodes.
pub static ROUTES: &[Route] = &[change("POST", "/linode/instances/{id}/resize", resize)];

/// How long it takes, in cloud seconds.
const RESIZE_SECONDS: u64 = 120;

/// POST.
fn resize(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (server, details) = linodes::find_staying(&deed.truth, args.id)?;
    let (kind, zone, status) = (server.kind.clone(), server.zone.clone(), details.status);
    let wanted = fields.needed("type")?;
    let plan = plans::find(wanted).ok_or_else(|| invalid("type", "A valid plan type by that ID was not found"))?;
    if let Some(how) = fields.text("migration_type")?
        && !["warm", "cold"].contains(&how)
    {
        return Err(invalid("migration_type", "Must be one of warm, cold"));
    }
    check_idle(deed, args.id)?;
    if matches!(status, Status::Stopped | Status::BillingSuspension) {
        return Err(refused("This Linode cannot be resized now."));
    }
    if plan.id == kind {
        return Err(invalid("type", "Linode is already running this service plan."));
    }
    let region = regions::find(&zone).ok_or_else(|| invalid("region", "region is not valid"))?;
    create::check_capacity(deed, region, &plan)?;
    if disks::allocated_mb(deed, args.id) > plan.disk {
        return Err(refused("Current disk size exceeds new plan. Please resize your disks to be smaller, then try again."));
    }
    let grow = fields.flag("allow_auto_disk_resize")?.unwrap_or(true);
    order(deed, args.id, "linode_resize", None, Work::Resize { plan: plan.id.to_owned(), grow })?;
    Ok(Answer::ok(json!({})))
}

/// Begins; gives how long it takes.
pub fn start(deed: &mut Deed, linode: &str) -> u64 {
    power::say(deed, linode, Status::Resizing, RESIZE_SECONDS)
}

/// Ends it: the Linode has its new plan, and its only data disk what room there is.
///
/// Errors: why it came to nothing.
pub fn complete(deed: &mut Deed, linode: &str, plan: &str, grow: bool) -> Result<(), String> {
    power::restore_status(deed, linode);
    let plan = plans::find(plan).ok_or("There is no such plan.")?;
    let Some(server) = deed.truth.servers.get_mut(linode) else { return Err("The Linode is gone.".to_owned()) };
    let (name, zone) = (server.name.clone(), server.zone.clone());
    server.kind = plan.id.to_owned();
    let price = deed.truth.market.compute(&zone, plan.id).map_err(|refusal| refusal.message)?;
    deed.close_bills(linode);
    deed.open_bill(linode, "compute", &name, price);
    if !grow {
        return Ok(());
    }
    let free = plan.disk.saturating_sub(disks::allocated_mb(deed, linode));
    let all: Vec<String> = deed.truth.linode.linodes.get(linode).map(|details| details.disks.clone()).unwrap_or_default();
    let data: Vec<&String> = all.iter().filter(|id| deed.truth.linode.disks.get(*id).is_some_and(|disk| disk.has_file())).collect();
    if let ([only], true) = (data.as_slice(), all.len() <= 2)
        && let Some(disk) = deed.truth.linode.disks.get_mut(*only)
    {
        disk.size_mb += free;
        let size_gb = whole_gb(disk.size_mb);
        deed.disks.grow(only, size_gb).map_err(|refusal| refusal.message)?;
    }
    disks::arrange(deed, linode);
    Ok(())
}
