//! Scaleway, as the harness has to know it.

mod deviations;
mod drift;
mod lost;
mod moments;
mod routes;
mod strangers;

use crate::{
    cloud::{Cloud, Reply},
    compare::{Aspect, Difference},
    deviate::Deviation,
    names::is_id,
    recording::{Interaction, Recording},
    route::Route,
    vendor::Vendor,
};
use serde_json::Value;
use std::{collections::BTreeSet, io};

/// Scaleway.
pub struct Scaleway;

/// Values that say nothing about the requests: where a server happens to run, whose the image is.
const FREE: &[&str] = &[
    "availability",
    "gateway",
    "mac_address",
    "zone_id",
    "platform_id",
    "cluster_id",
    "hypervisor_id",
    "node_id",
    "ipam_id",
    "organization",
    "organization_id",
    "compatible_commercial_types",
];

impl Vendor for Scaleway {
    fn name(&self) -> &'static str {
        "scaleway"
    }

    fn speaks(&self, path: &str) -> bool {
        !path.starts_with("/v4")
    }

    fn token(&self) -> &'static str {
        "X-Auth-Token: 5c4a1e0b-0000-4000-8000-00000000cafe"
    }

    fn templates(&self) -> &'static [&'static str] {
        routes::TEMPLATES
    }

    fn versions(&self) -> &'static [(&'static str, &'static str)] {
        &[("/block/v1alpha1/", "/block/v1/")]
    }

    fn lists_shared_objects(&self, route: &Route) -> bool {
        let kinds = ["/servers", "/volumes", "/snapshots", "/ips", "/images", "/security_groups", "/ssh-keys"];
        route.method == "GET" && kinds.iter().any(|kind| route.ends(kind)) && !self.is_catalogue(route)
    }

    fn is_catalogue(&self, route: &Route) -> bool {
        route.template.contains("/products/servers")
    }

    fn catalogue_key(&self) -> &'static str {
        "servers"
    }

    fn operation(&self, route: &Route, body: Option<&Value>) -> String {
        let action = body.and_then(|body| body["action"].as_str());
        let tail = action.map(|it| format!(" {it}")).unwrap_or_default();
        format!("{} {}{tail}", route.method, route.template)
    }

    fn request_of(&self, recording: &Recording, index: usize, seen: &BTreeSet<String>) -> Option<Value> {
        lost::request_of(recording, index, seen)
    }

    fn settle(&self, cloud: &mut dyn Cloud, route: &Route, path: &str) -> io::Result<bool> {
        strangers::settle(cloud, route, path)
    }

    fn is_everybodys(&self, item: &Value) -> bool {
        item["project_default"] == Value::Bool(true)
    }

    fn telling(&self) -> &'static [&'static str] {
        &["label", "type", "arch", "name", "zone", "domain", "subdomain", "volume_type"]
    }

    fn is_unordered(&self, _route: &Route, key: &str) -> bool {
        key == "local_images"
    }

    // While a snapshot is made, something of the cloud's own may be seen to use it for an instant.
    fn is_of_the_cloud(&self, item: &Value) -> bool {
        item["product_resource_type"] == "internal"
    }

    /// Slots, and names of types.
    fn is_table(&self, pointer: &str, key: &str, tree: &Value) -> bool {
        let slots = tree.as_object().is_some_and(|map| !map.is_empty() && map.keys().all(|key| key.bytes().all(|it| it.is_ascii_digit())));
        slots || key == "extra_volumes" || key == "volumes" || pointer == "/servers"
    }

    fn is_free(&self, _pointer: &str, key: &str, recorded: &Value, got: &Value) -> bool {
        let same_kind = match (recorded.as_str(), got.as_str()) {
            (Some(recorded), Some(got)) => is_id(recorded) == is_id(got),
            _ => true,
        };
        FREE.contains(&key) && same_kind
    }

    fn owns_address(&self, _pointer: &str, key: &str) -> bool {
        ["address", "prefix"].contains(&key)
    }

    fn counts(&self) -> &'static [&'static str] {
        &["total_count"]
    }

    fn headers(&self) -> &'static [(&'static str, bool)] {
        &[("content-type", true), ("x-total-count", true), ("link", true), ("location", true), ("x-envoy-ratelimited", true)]
    }

    fn is_allowed(&self, interaction: &Interaction, route: &Route, difference: &Difference) -> bool {
        // What a type offers and costs changes with time; the emulator's table is of the newest recordings.
        let old_catalogue = self.is_catalogue(route) && difference.aspect == Aspect::Value && interaction.date.as_str() < "2026-07-01";
        old_catalogue || drift::is_allowed(&interaction.date, route, difference)
    }

    fn passing(&self) -> &'static [&'static str] {
        moments::PASSING
    }

    fn changing(&self) -> &'static [&'static str] {
        moments::CHANGING
    }

    fn stage(&self, tree: &Value) -> Option<(String, String)> {
        moments::stage(tree)
    }

    fn is_earlier(&self, got: &Value, recorded: &Value) -> bool {
        moments::bond(got).zip(moments::bond(recorded)).is_some_and(|(got, recorded)| got < recorded)
    }

    fn is_refused_for_now(&self, _status: u16, body: &Value) -> bool {
        ["precondition_failed", "transient_state"].map(Value::from).contains(&body["type"])
    }

    fn is_of_instant(&self, interaction: &Interaction, reply: &Reply, difference: &Difference) -> bool {
        moments::is_of_instant(interaction, reply, difference)
    }

    fn deviations(&self) -> &'static [Deviation] {
        deviations::DEVIATIONS
    }
}
