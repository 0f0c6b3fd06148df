//! Which endpoints there are, and what answers each.

use super::{
    actions, addresses, block_snapshots, block_volumes, create, disks, groups, images, local_snapshots, local_volumes, mounted, newer,
    placement_groups, private_nics, rules, servers, user_data,
};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Args, Request, Route};

macro_rules! i {
    ($rest:literal) => {
        concat!("/instance/v1/zones/{zone}/", $rest)
    };
}

/// Both versions of the block API, from one store.
macro_rules! block {
    ($prefix:literal) => {
        [
            look(concat!($prefix, "/volume-types"), block_volumes::types),
            look(concat!($prefix, "/volumes"), block_volumes::list),
            change("POST", concat!($prefix, "/volumes"), block_volumes::create),
            look(concat!($prefix, "/volumes/{id}"), block_volumes::get),
            change("PATCH", concat!($prefix, "/volumes/{id}"), block_volumes::update),
            change("DELETE", concat!($prefix, "/volumes/{id}"), block_volumes::delete),
            look(concat!($prefix, "/snapshots"), block_snapshots::list),
            change("POST", concat!($prefix, "/snapshots"), block_snapshots::create),
            change("POST", concat!($prefix, "/snapshots/import-from-object-storage"), block_snapshots::import),
            change("POST", concat!($prefix, "/snapshots/import-from-s3"), block_snapshots::import),
            look(concat!($prefix, "/snapshots/{id}"), block_snapshots::get),
            change("PATCH", concat!($prefix, "/snapshots/{id}"), block_snapshots::update),
            change("DELETE", concat!($prefix, "/snapshots/{id}"), block_snapshots::delete),
            change("POST", concat!($prefix, "/snapshots/{id}/export-to-object-storage"), block_snapshots::export),
            change("POST", concat!($prefix, "/snapshots/{id}/export-to-s3"), block_snapshots::export),
        ]
    };
}

const INSTANCE: [Route; 76] = [
    look(i!("servers"), servers::list),
    change("POST", i!("servers"), create::create),
    look(i!("servers/{id}"), servers::get),
    change("PATCH", i!("servers/{id}"), servers::update),
    change("DELETE", i!("servers/{id}"), servers::delete),
    look(i!("servers/{id}/action"), actions::list),
    change("POST", i!("servers/{id}/action"), actions::act),
    change("POST", i!("servers/{id}/attach-volume"), disks::attach),
    change("POST", i!("servers/{id}/detach-volume"), disks::detach),
    look(i!("servers/{id}/compatible-types"), servers::compatible_types),
    look(i!("servers/{id}/private_nics"), private_nics::list),
    change("POST", i!("servers/{id}/private_nics"), private_nics::create),
    look(i!("servers/{id}/private_nics/{key}"), private_nics::get),
    change("PATCH", i!("servers/{id}/private_nics/{key}"), private_nics::update),
    change("DELETE", i!("servers/{id}/private_nics/{key}"), private_nics::delete),
    look(i!("servers/{id}/user_data"), user_data::list),
    look(i!("servers/{id}/user_data/{key}"), user_data::get),
    change("PATCH", i!("servers/{id}/user_data/{key}"), user_data::set),
    change("DELETE", i!("servers/{id}/user_data/{key}"), user_data::delete),
    look(i!("ips"), addresses::list),
    change("POST", i!("ips"), addresses::create),
    look(i!("ips/{id}"), addresses::get),
    change("PATCH", i!("ips/{id}"), addresses::update),
    change("DELETE", i!("ips/{id}"), addresses::delete),
    // A listing brings the default group of a project to light.
    change("GET", i!("security_groups"), groups::list),
    change("POST", i!("security_groups"), groups::create),
    look(i!("security_groups/{id}"), groups::get),
    change("PATCH", i!("security_groups/{id}"), groups::update),
    change("DELETE", i!("security_groups/{id}"), groups::delete),
    look(i!("security_groups/default/rules"), rules::of_default),
    look(i!("security_groups/{id}/rules"), rules::list),
    change("POST", i!("security_groups/{id}/rules"), rules::create),
    change("PUT", i!("security_groups/{id}/rules"), rules::replace),
    look(i!("security_groups/{id}/rules/{key}"), rules::get),
    change("PATCH", i!("security_groups/{id}/rules/{key}"), rules::update),
    change("DELETE", i!("security_groups/{id}/rules/{key}"), rules::delete),
    change("PUT", i!("security_groups/{id}"), groups::update),
    change("PUT", i!("security_groups/{id}/rules/{key}"), rules::update),
    look(i!("placement_groups"), placement_groups::list),
    change("POST", i!("placement_groups"), placement_groups::create),
    look(i!("placement_groups/{id}"), placement_groups::get),
    change("PATCH", i!("placement_groups/{id}"), placement_groups::update),
    change("PUT", i!("placement_groups/{id}"), placement_groups::update),
    change("DELETE", i!("placement_groups/{id}"), placement_groups::delete),
    look(i!("placement_groups/{id}/servers"), placement_groups::members),
    change("PUT", i!("placement_groups/{id}/servers"), placement_groups::set_members),
    change("PATCH", i!("placement_groups/{id}/servers"), placement_groups::set_members),
    look(i!("images"), images::list),
    change("POST", i!("images"), images::create),
    look(i!("images/{id}"), images::get),
    change("PATCH", i!("images/{id}"), images::update),
    change("PUT", i!("images/{id}"), images::update),
    change("DELETE", i!("images/{id}"), images::delete),
    look(i!("volumes"), local_volumes::list),
    change("POST", i!("volumes"), local_volumes::create),
    look(i!("volumes/{id}"), local_volumes::get),
    change("PATCH", i!("volumes/{id}"), local_volumes::update),
    change("DELETE", i!("volumes/{id}"), local_volumes::delete),
    look(i!("snapshots"), local_snapshots::list),
    change("POST", i!("snapshots"), local_snapshots::create),
    look(i!("snapshots/{id}"), local_snapshots::get),
    change("PATCH", i!("snapshots/{id}"), local_snapshots::update),
    change("PUT", i!("snapshots/{id}"), local_snapshots::update),
    change("DELETE", i!("snapshots/{id}"), local_snapshots::delete),
    change("POST", i!("snapshots/{id}/export"), local_snapshots::export),
    look(i!("products/servers"), mounted::types),
    look(i!("products/servers/availability"), mounted::availability),
    look(i!("products/volumes"), mounted::volume_types),
    look("/marketplace/v2/local-images", mounted::marketplace),
    look("/marketplace/v2/local-images/{id}", mounted::marketplace),
    look("/marketplace/v2/images", mounted::marketplace),
    look("/marketplace/v2/images/{id}", mounted::marketplace),
    look("/marketplace/v2/versions", mounted::marketplace),
    look("/marketplace/v2/versions/{id}", mounted::marketplace),
    look("/marketplace/v2/categories", mounted::marketplace),
    look("/marketplace/v2/categories/{id}", mounted::marketplace),
];

macro_rules! newer {
    ($rest:literal) => {
        concat!("/instance/v2alpha1/zones/{zone}/", $rest)
    };
}

static NEWER: [Route; 10] = [
    look(newer!("placement-groups"), newer::groups),
    change("POST", newer!("placement-groups"), newer::create_group),
    look(newer!("placement-groups/{id}"), newer::get_group),
    change("PATCH", newer!("placement-groups/{id}"), newer::update_group),
    change("DELETE", newer!("placement-groups/{id}"), placement_groups::delete),
    look(newer!("private-network-interfaces"), newer::nics),
    change("POST", newer!("private-network-interfaces"), newer::create_nic),
    look(newer!("private-network-interfaces/{id}"), newer::get_nic),
    change("PATCH", newer!("private-network-interfaces/{id}"), newer::update_nic),
    change("DELETE", newer!("private-network-interfaces/{id}"), newer::delete_nic),
];

static BLOCK_V1: [Route; 15] = block!("/block/v1/zones/{zone}");
static BLOCK_V1ALPHA1: [Route; 15] = block!("/block/v1alpha1/zones/{zone}");
static INSTANCES: [Route; 76] = INSTANCE;

/// The endpoint a request is for, and the names in its path.
pub fn find(request: &Request) -> Option<(&'static Route, Args<'_>)> {
    let tables: [&'static [Route]; 5] = [&INSTANCES, &BLOCK_V1, &BLOCK_V1ALPHA1, &NEWER, mounted::ROUTES];
    tables.into_iter().flatten().find_map(|route| route.matches(request).map(|args| (route, args)))
}

/// The name by which faults know a call: method and path, and for actions the action.
pub fn operation(route: &Route, request: &Request) -> String {
    let name = route.name();
    if !route.path.ends_with("/action") || route.method != "POST" {
        return name;
    }
    let body = request.json().unwrap_or_default();
    format!("{name} {}", body["action"].as_str().unwrap_or_default())
}
