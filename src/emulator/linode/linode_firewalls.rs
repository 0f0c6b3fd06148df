//! `/linode/instances/{id}/firewalls`: what stands before one Linode.

use serde_json::json;

use super::addresses::{number, owner};
use super::devices::{add_device, remove_from};
use super::firewalls::{find, of};
use super::input::Fields;
use super::listing::{self, list, page};
use super::problem::{invalid, not_found, required};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 3] = [
    look("/linode/instances/{id}/firewalls", list_all),
    change("PUT", "/linode/instances/{id}/firewalls", replace),
    change("POST", "/linode/instances/{id}/firewalls/apply", apply),
];

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    owner(truth, args.id).ok_or_else(not_found)?;
    list(args.request, &listing::FIREWALLS, of(truth, args.id))
}

/// PUT: these firewalls, and no others.
fn replace(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    owner(&deed.truth, args.id).ok_or_else(not_found)?;
    let given = fields.list("firewall_ids")?.ok_or_else(|| required("firewall_ids"))?;
    let mut wanted = Vec::new();
    for id in given {
        let id = id.to_string();
        find(&deed.truth, &id).map_err(|_| invalid("firewall_ids", &format!("Firewall {id} not found.")))?;
        wanted.push(id);
    }
    let is_before =
        |id: &String, deed: &Deed| find(&deed.truth, id).is_ok_and(|(_, details)| details.devices.iter().any(|it| it.is(args.id)));
    let all: Vec<String> = deed.truth.linode.network.firewalls.keys().cloned().collect();
    for id in all.iter().filter(|id| !wanted.contains(id)) {
        if is_before(id, deed) {
            remove_from(deed, id, |device| device.is(args.id));
        }
    }
    for id in &wanted {
        if !is_before(id, deed) {
            add_device(deed, id, "linode", number(args.id))?;
        }
    }
    page(args.request, of(&deed.truth, args.id), 1)
}

/// POST `apply`: what was ordered holds already.
fn apply(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    owner(&deed.truth, args.id).ok_or_else(not_found)?;
    super::networking_ips::note(deed, "firewall_apply", args.id);
    Ok(Answer::ok(json!({})))
}
