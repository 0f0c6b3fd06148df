//! What a customer sees, and what a judge reads off.

use std::collections::BTreeSet;

use super::Cloud;
use super::clock::Moment;
use super::objects::{Address, Firewall, Image, Object, Server, Snapshot, Volume};
use super::refusal::Refusal;

/// One look at the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The cloud time of the look.
    pub now: Moment,
    /// Servers, by id.
    pub servers: Vec<Server>,
    /// Volumes, by id.
    pub volumes: Vec<Volume>,
    /// Snapshots, by id.
    pub snapshots: Vec<Snapshot>,
    /// Private images, by id.
    pub images: Vec<Image>,
    /// Reserved addresses, by id.
    pub addresses: Vec<Address>,
    /// Firewalls, by id.
    pub firewalls: Vec<Firewall>,
}

impl Cloud {
    /// Lists what is in a zone (in all zones if missing) and carries a tag (whatever it carries if
    /// missing). Volumes of a server with the tag are listed as well. What is younger than the
    /// listing lag is not.
    pub fn look(&self, zone: Option<&str>, tag: Option<&str>) -> Result<Look, Refusal> {
        self.read("look", |truth, now| {
            if let Some(zone) = zone {
                truth.market.check_zone(zone)?;
            }
            let lag = truth.faults.listing_lag;
            let shown = |its_zone: &str, created: Moment| {
                zone.is_none_or(|zone| zone == its_zone) && (lag == 0 || created.plus_seconds(lag) <= now)
            };
            let tagged = |tags: &[String]| tag.is_none_or(|tag| tags.iter().any(|it| it == tag));
            let owners: BTreeSet<&str> = truth.servers.values().filter(|it| tagged(&it.tags)).map(|it| it.id.as_str()).collect();
            let owned = |volume: &Volume| volume.server.as_deref().is_some_and(|server| owners.contains(server));

            let servers = truth.servers.values();
            let volumes = truth.volumes.values();
            let snapshots = truth.snapshots.values();
            let images = truth.images.values();
            let addresses = truth.addresses.values();
            let firewalls = truth.firewalls.values();
            Ok(Look {
                now,
                servers: servers.filter(|it| shown(&it.zone, it.created) && tagged(&it.tags)).cloned().collect(),
                volumes: volumes.filter(|it| shown(&it.zone, it.created) && (tagged(&it.tags) || owned(it))).cloned().collect(),
                snapshots: snapshots.filter(|it| shown(&it.zone, it.created) && tagged(&it.tags)).cloned().collect(),
                images: images.filter(|it| shown(&it.zone, it.created) && tagged(&it.tags)).cloned().collect(),
                addresses: addresses.filter(|it| shown(&it.zone, it.created) && tagged(&it.tags)).cloned().collect(),
                firewalls: firewalls.filter(|it| shown(&it.zone, it.created) && tagged(&it.tags)).cloned().collect(),
            })
        })
    }

    /// Finds an object by id, however young it is.
    pub fn find(&self, id: &str) -> Result<Option<Object>, Refusal> {
        self.read("find", |truth, _| Ok(truth.object(id)))
    }

    /// Every living object as `kind id name state`, sorted by kind and id.
    pub fn inventory(&self) -> Result<Vec<String>, Refusal> {
        self.peek(|truth, _| {
            let mut lines = Vec::new();
            for it in truth.servers.values() {
                lines.push(format!("server {} {} {}", it.id, it.name, it.state));
            }
            for it in truth.volumes.values() {
                lines.push(format!("volume {} {} {}", it.id, it.name, it.state));
            }
            for it in truth.snapshots.values() {
                lines.push(format!("snapshot {} {} {}", it.id, it.name, it.state));
            }
            for it in truth.images.values() {
                lines.push(format!("image {} {} {}", it.id, it.name, it.state));
            }
            for (id, it) in &truth.scaleway.images {
                lines.push(format!("image {id} {} available", it.name));
            }
            for it in truth.addresses.values() {
                let state = if it.server.is_some() { "assigned" } else { "free" };
                lines.push(format!("address {} {} {state}", it.id, it.address));
            }
            for it in truth.firewalls.values() {
                lines.push(format!("firewall {} {} active", it.id, it.name));
            }
            lines
        })
    }

    /// What costs money and belongs to none of the living: it carries none of their tags, and no server that carries one
    /// uses it; nor does an image that carries one. As `kind id name`.
    pub fn leaks(&self, living: &[&str]) -> Result<Vec<String>, Refusal> {
        self.peek(|truth, _| {
            let lives = |tags: &[String]| tags.iter().any(|tag| living.contains(&tag.as_str()));
            let serves = |id: &Option<String>| id.as_ref().and_then(|id| truth.servers.get(id)).is_some_and(|it| lives(&it.tags));
            let mut lines = Vec::new();
            for it in truth.servers.values().filter(|it| !lives(&it.tags)) {
                lines.push(format!("server {} {}", it.id, it.name));
            }
            for it in truth.volumes.values().filter(|it| !it.ephemeral && !lives(&it.tags) && !serves(&it.server)) {
                lines.push(format!("volume {} {}", it.id, it.name));
            }
            let imaged = |id: &str| truth.scaleway.images_with(id).any(|(_, image)| lives(&image.tags));
            for it in truth.snapshots.values().filter(|it| !lives(&it.tags) && !imaged(&it.id)) {
                lines.push(format!("snapshot {} {}", it.id, it.name));
            }
            for it in truth.images.values().filter(|it| !lives(&it.tags)) {
                lines.push(format!("image {} {}", it.id, it.name));
            }
            for it in truth.addresses.values().filter(|it| !lives(&it.tags) && !serves(&it.server)) {
                lines.push(format!("address {} {}", it.id, it.address));
            }
            lines
        })
    }
}
