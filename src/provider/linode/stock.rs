//! What Linode has free.

use super::{Linode, wire};
use crate::provider::{http::Request, some};
use serde_json::json;

impl Linode {
    /// What is free instead of a type, as something the owner can do. Looks that fail only shorten it.
    pub(super) async fn instead_of(&self, machine_type: &str) -> String {
        let here = &self.region;
        let elsewhere = Request::get("/regions/availability").filtered(json!({"plan": machine_type, "available": true}));
        let elsewhere = self.estate.client.list::<wire::Availability>(&elsewhere).await.map(|it| it.items).unwrap_or_default();
        let mut regions: Vec<&str> = elsewhere
            .iter()
            .filter(|it| it.available && it.plan == machine_type && it.region != *here)
            .map(|it| it.region.as_str())
            .collect();
        regions.dedup();
        let own: Vec<wire::Availability> = self.find(&format!("/regions/{here}/availability")).await.ok().flatten().unwrap_or_default();
        let types = self.types().await.unwrap_or_default();
        let mut gpus = cheapest_gpus(&types);
        gpus.retain(|it| *it != machine_type && own.iter().any(|own| own.plan == *it && own.available));
        let mut ways = Vec::new();
        if !gpus.is_empty() {
            ways.push(format!("write another instanceType (free in {here}: {})", some(&gpus)));
        }
        if !regions.is_empty() {
            ways.push(format!("make a new instance in another region ({machine_type} is free in {})", some(&regions)));
        }
        if ways.is_empty() { format!("no GPU type is free in {here} now: wait") } else { ways.join(", or ") }
    }
}

/// The types with a GPU, the cheapest first.
pub(super) fn cheapest_gpus(types: &[wire::Type]) -> Vec<&str> {
    let mut gpus: Vec<&wire::Type> = types.iter().filter(|it| it.gpus > 0).collect();
    let price = |it: &wire::Type| it.price.hourly.unwrap_or(f64::MAX);
    gpus.sort_by(|a, b| price(a).total_cmp(&price(b)));
    gpus.into_iter().map(|it| it.id.0.as_str()).collect()
}
