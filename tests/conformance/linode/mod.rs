//! Linode, as the harness has to know it.

mod addresses;
mod deviations;
mod dress;
mod drift;
mod filters;
mod joined;
mod moments;
mod regions;
mod routes;
mod stand_ins;

use crate::{
    cloud::{Call, Cloud, Reply},
    compare::Difference,
    deviate::Deviation,
    names::Names,
    recording::{Interaction, Recording},
    route::Route,
    vendor::Vendor,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, io};

/// Linode.
pub struct Linode;

/// Values that say nothing about the requests: where a Linode happens to run, who asked.
const FREE: &[&str] =
    &["host_uuid", "gateway", "created_by", "username", "upload_to", "hypervisor", "duration", "rate", "time_remaining", "message"];

impl Vendor for Linode {
    fn name(&self) -> &'static str {
        "linode"
    }

    fn speaks(&self, path: &str) -> bool {
        path.starts_with("/v4")
    }

    fn token(&self) -> &'static str {
        "Authorization: Bearer 5c4a1e0b0000cafe"
    }

    fn templates(&self) -> &'static [&'static str] {
        routes::TEMPLATES
    }

    fn versions(&self) -> &'static [(&'static str, &'static str)] {
        &[("/v4beta/", "/v4/")]
    }

    fn lists_shared_objects(&self, route: &Route) -> bool {
        let kinds = ["/linode/instances", "/volumes", "/images", "/networking/firewalls", "/networking/ips", "/reserved/ips", "/domains"];
        let of_one = route.template.contains("}/");
        route.method == "GET" && !of_one && (kinds.iter().any(|kind| route.ends(kind)) || route.ends("/account/events"))
    }

    fn is_catalogue(&self, route: &Route) -> bool {
        let kinds = ["/regions", "/availability", "/linode/types", "/linode/kernels", "/images", "/volumes/types", "/ips/types"];
        route.method == "GET" && kinds.iter().any(|kind| route.ends(kind))
    }

    fn catalogue_key(&self) -> &'static str {
        "data"
    }

    fn operation(&self, route: &Route, _body: Option<&Value>) -> String {
        format!(
            "{} {}",
            route.method,
            route.template.trim_start_matches("/v4beta").trim_start_matches("/v4").replace("{address}", "{id}").replace("{number}", "{id}")
        )
    }

    fn prepared(&self, recordings: Vec<Recording>) -> Vec<Recording> {
        let dressed = recordings.into_iter().map(|mut recording| {
            for interaction in &mut recording.interactions {
                interaction.path = dress::dressed_path(&interaction.path);
                for tree in [&mut interaction.request, &mut interaction.answer, &mut interaction.filter].into_iter().flatten() {
                    *tree = dress::dressed(tree);
                }
                for (path, body) in &mut interaction.before {
                    (*path, *body) = (dress::dressed_path(path), dress::dressed(body));
                }
                // Only bodies that are empty anyway were lost.
                interaction.notes.retain(|note| note != "request-body-is-response");
                if interaction.status == 401 {
                    interaction.notes.push("no-token".into());
                }
            }
            recording
        });
        let whole = joined::joined(dressed.collect());
        whole.into_iter().map(|it| drift::aged(filters::filtered(addresses::unmasked(regions::replaced(it))))).collect()
    }

    fn asked(&self, call: &Call) -> Call {
        Call {
            path: dress::undressed_text(&call.path),
            body: call.body.as_ref().map(dress::undressed),
            filter: call.filter.as_ref().map(dress::undressed),
            ..call.clone()
        }
    }

    fn told(&self, reply: Reply) -> Reply {
        Reply { body: reply.body.as_ref().map(dress::dressed), ..reply }
    }

    fn premise(&self, recording: &Recording, cloud: &mut dyn Cloud) -> io::Result<()> {
        stand_ins::premise(recording, cloud)
    }

    fn stand_in(&self, recording: &Recording, index: usize, cloud: &mut dyn Cloud, names: &mut Names) -> io::Result<()> {
        stand_ins::stand_in(recording, index, cloud, names)
    }

    fn arm(&self, interaction: &Interaction, operation: &str, cloud: &mut dyn Cloud) -> io::Result<()> {
        let said = interaction.answer.as_ref().map(|it| it["errors"][0]["reason"].to_string()).unwrap_or_default();
        let fault = |what: &str| json!({"operation": operation, "what": what, "times": 1, "skip": 0});
        match interaction.status {
            // A case may really have asked too often.
            429 if interaction.notes("met") => Ok(()),
            429 => cloud.limit(operation),
            // What stood before the API, or stood still.
            500 => cloud.tell("faults", fault("broken-before")),
            502 => cloud.tell("faults", fault("html")),
            503 => cloud.tell("faults", fault("unavailable")),
            // How much an account may have is not told by its requests.
            400 if said.contains("require technical justification") || said.contains("Account Limit") => {
                cloud.tell("faults", fault("quota"))
            }
            _ => Ok(()),
        }
    }

    fn performs_outside(&self) -> bool {
        true
    }

    fn request_of(&self, _recording: &Recording, _index: usize, _seen: &BTreeSet<String>) -> Option<Value> {
        None
    }

    fn settle(&self, cloud: &mut dyn Cloud, _route: &Route, path: &str) -> io::Result<bool> {
        stand_ins::settle(cloud, path)
    }

    fn is_everybodys(&self, item: &Value) -> bool {
        item["is_public"] == true
    }

    // An event is of those whose thing it tells about.
    fn owner<'a>(&self, item: &'a Value) -> Option<&'a str> {
        item["entity"]["id"].as_str().or_else(|| item["id"].as_str())
    }

    fn telling(&self) -> &'static [&'static str] {
        &["label", "type", "action", "name", "target", "region", "plan", "filesystem"]
    }

    // Addresses are listed in their own order, which is another one where they are others.
    fn is_unordered(&self, route: &Route, key: &str) -> bool {
        (key == "data" && route.ends("/ips")) || ["public", "private", "reserved"].contains(&key)
    }

    /// What a rule of a firewall leaves open.
    fn is_optional(&self, pointer: &str) -> bool {
        pointer.contains("/rules/") && ["/description", "/ports", "/label", "/ipv4", "/ipv6"].iter().any(|key| pointer.ends_with(key))
    }

    fn is_free(&self, pointer: &str, key: &str, recorded: &Value, got: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match key {
            // Of a job that is not done.
            "percent_complete" => recorded.as_u64().zip(got.as_u64()).is_some_and(|(one, other)| one < 100 && other < 100),
            // Eight hexadecimal digits of the vendor's making; what must be equal is compared by the cases.
            "fingerprint" => [recorded, got].iter().all(|it| text(it).len() == 8 && text(it).bytes().all(|it| it.is_ascii_hexdigit())),
            _ if FREE.contains(&key) => true,
            // The recorder wrote one network in the place of every one.
            // What names in the reverse DNS looked like before.
            "rdns" if text(recorded).ends_with(".members.linode.com") => got.is_string(),
            // Whose it was could not be found again.
            _ if recorded == addresses::MASK => text(got).split('.').count() == 4,
            _ if text(recorded).contains("1234::5678") => !pointer.contains("/addresses/") && text(got).contains(':'),
            _ => false,
        }
    }

    fn owns_address(&self, pointer: &str, key: &str) -> bool {
        key == "address" || (key == "ipv4" && !pointer.contains("/addresses/"))
    }

    fn counts(&self) -> &'static [&'static str] {
        &["results", "pages"]
    }

    fn headers(&self) -> &'static [(&'static str, bool)] {
        &[("content-type", true), ("x-oauth-scopes", false), ("x-ratelimit-limit", false)]
    }

    fn is_allowed(&self, interaction: &Interaction, route: &Route, difference: &Difference) -> bool {
        drift::is_allowed(interaction, route, difference)
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
        moments::is_earlier(got, recorded)
    }

    fn is_later(&self, got: &Value, recorded: &Value) -> bool {
        moments::is_later(got, recorded)
    }

    fn is_refused_for_now(&self, status: u16, body: &Value) -> bool {
        moments::is_refused_for_now(status, body)
    }

    fn deviations(&self) -> &'static [Deviation] {
        deviations::DEVIATIONS
    }
}
