//! Which endpoints there are, and what answers each. Paths are without their version.

use super::problem::{not_found, problem};
use super::templates;
use super::{
    account, attach, backups, catalogue, clone, config_interfaces, configs, create, devices, disks, domains, events, firewalls,
    image_copies, images, linode_firewalls, linode_ips, linodes, locks, networking_ips, power, ranges, rebuild, records, reserved_ips,
    resize, tags, usage, volumes, vpcs,
};
use crate::emulator::face::{Answer, Args, Request, Route};

/// All endpoints.
static TABLES: &[&[Route]] = &[
    &catalogue::ROUTES,
    linodes::ROUTES,
    create::ROUTES,
    power::ROUTES,
    rebuild::ROUTES,
    resize::ROUTES,
    clone::ROUTES,
    disks::ROUTES,
    configs::ROUTES,
    config_interfaces::ROUTES,
    usage::ROUTES,
    backups::ROUTES,
    volumes::ROUTES,
    attach::ROUTES,
    images::ROUTES,
    image_copies::ROUTES,
    events::ROUTES,
    locks::ROUTES,
    &linode_firewalls::ROUTES,
    &linode_ips::ROUTES,
    &networking_ips::ROUTES,
    &reserved_ips::ROUTES,
    &ranges::ROUTES,
    &templates::ROUTES,
    &devices::ROUTES,
    &firewalls::ROUTES,
    &domains::ROUTES,
    &records::ROUTES,
    &account::ROUTES,
    &tags::ROUTES,
    &vpcs::ROUTES,
];

/// Every endpoint, one after the other.
#[cfg(test)]
pub fn every() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

/// The endpoint a request is for, and the names in its path.
///
/// Errors: 404, where there is none, and 405, where it has other methods.
pub fn find(request: &Request) -> Result<(&'static Route, Args<'_>), Answer> {
    let mut routes = TABLES.iter().copied().flatten();
    if let Some(found) = routes.find_map(|route| route.matches(request).map(|args| (route, args))) {
        return Ok(found);
    }
    let is_elsewhere = ["GET", "POST", "PUT", "DELETE"].into_iter().any(|method| {
        let other = Request { method: method.to_owned(), path: request.path.clone(), ..Request::default() };
        TABLES.iter().copied().flatten().any(|route| route.matches(&other).is_some())
    });
    Err(if is_elsewhere { problem(405, "Method Not Allowed", None) } else { not_found() })
}
