//! What Scaleway has free, and what it may have left behind.

use super::{Scaleway, ZONES, client::Unread, look::GB, wire};
use crate::provider::{Problem, http::Request, some};
use futures_util::future::join_all;
use std::collections::BTreeMap;

impl Scaleway {
    /// What is free instead of a type, as something the owner can do. Looks that fail only shorten it.
    pub(super) async fn instead_of(&self, machine_type: &str) -> String {
        let here = self.zone.name.as_str();
        let offers: Vec<(&str, BTreeMap<String, String>)> =
            join_all(ZONES.into_iter().map(|zone| async move { (zone, self.offers(zone).await.unwrap_or_default()) })).await;
        let is_free =
            |offers: &BTreeMap<String, String>, kind: &str| offers.get(kind).is_some_and(|it| it == "available" || it == "scarce");
        let zones: Vec<&str> = offers.iter().filter(|(zone, them)| *zone != here && is_free(them, machine_type)).map(|it| it.0).collect();
        let types = self.types().await.unwrap_or_default();
        let own = offers.iter().find(|it| it.0 == here).map(|it| &it.1);
        let mut types = cheapest_gpus(&types);
        types.retain(|it| *it != machine_type && own.is_some_and(|own| is_free(own, it)));
        let mut ways = Vec::new();
        if !types.is_empty() {
            ways.push(format!("write another instanceType (free in {here}: {})", some(&types)));
        }
        if !zones.is_empty() {
            ways.push(format!("make a new instance in another zone ({machine_type} is free in {})", zones.join(", ")));
        }
        if ways.is_empty() { format!("no GPU type is free in {here} now: wait") } else { ways.join(", or ") }
    }

    /// Every type of a zone with its availability.
    async fn offers(&self, zone: &str) -> Result<BTreeMap<String, String>, Unread> {
        let request = Request::get(format!("/instance/v1/zones/{zone}/products/servers/availability"));
        let listed = self.zone.client.instance_list(&request, |it: wire::Availabilities| it.servers.into_iter().collect()).await?;
        Ok(listed.items.into_iter().map(|(kind, it)| (kind, it.availability)).collect())
    }

    /// Every type of the zone.
    pub(super) async fn types(&self) -> Result<Vec<(String, wire::ServerType)>, Unread> {
        let request = Request::get(self.zone.instance("products/servers"));
        let listed = self.zone.client.instance_list(&request, |it: wire::ServerTypes| it.servers.into_iter().collect()).await?;
        Ok(listed.items)
    }

    /// Root volumes that Scaleway made with a server from an image, and that a server which vanished before we could
    /// tag them left behind: free, without tags, and named as Scaleway names them. They may be somebody else's.
    pub(super) async fn left_behind(&self) -> Result<Vec<String>, Problem> {
        let client = &self.zone.client;
        let volumes = Request::get(self.zone.block("volumes")).with("project_id", self.project.clone());
        let listed = client.list(&volumes, |it: wire::Volumes| (it.volumes, it.total_count)).await.map_err(|it| it.problem())?;
        let orphan = |it: &&wire::Volume| {
            let unnamed = it.name.ends_with("_sbs_volume_0") && it.tags.is_empty();
            unnamed && it.status == "available" && it.references.is_empty() && it.parent_snapshot_id.is_some()
        };
        let orphans: Vec<&wire::Volume> = listed.items.iter().filter(orphan).collect();
        if orphans.is_empty() {
            return Ok(Vec::new());
        }
        let prices = self.prices().await.unwrap_or_default();
        let told = orphans.into_iter().map(|it| {
            let gb = it.size.div_ceil(GB);
            let iops = it.specs.as_ref().and_then(|it| it.perf_iops).unwrap_or(5000);
            let price = prices
                .get(&format!("sbs_{}k", iops / 1000))
                .map_or_else(String::new, |hourly| format!(", about {:.2} EUR a month", hourly * gb as f64 * 730.0));
            format!("volume {} {} ({gb} GB{price})", it.id, it.name)
        });
        Ok(told.collect())
    }

    /// Euros an hour for a GB, by volume type.
    async fn prices(&self) -> Result<BTreeMap<String, f64>, Unread> {
        let request = Request::get(self.zone.block("volume-types"));
        let found: Option<wire::VolumeTypes> = self.zone.client.find(&request).await?;
        let types = found.map(|it| it.volume_types).unwrap_or_default();
        Ok(types.into_iter().filter_map(|it| Some((it.kind, it.pricing?.euros()))).collect())
    }
}

/// The types with a GPU, the cheapest first.
pub(super) fn cheapest_gpus(types: &[(String, wire::ServerType)]) -> Vec<&str> {
    let mut gpus: Vec<_> = types.iter().filter(|(_, it)| it.gpu.is_some_and(|gpus| gpus > 0)).collect();
    gpus.sort_by(|(_, a), (_, b)| a.hourly_price.total_cmp(&b.hourly_price));
    gpus.into_iter().map(|(name, _)| name.as_str()).collect()
}
