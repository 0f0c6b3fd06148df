//! What Linode answers, as far as we read it. Unknown keys are ignored; a list that is missing is no empty list.
//!
//! Sources: recorded traffic of the real API, and the vendor's OpenAPI where nothing was recorded.

use crate::{model::Stamp, provider::client::Keyed};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub data: Vec<T>,
    /// How many items there are on all pages.
    pub results: usize,
}

/// `GET /linode/instances`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Linode {
    pub id: Key,
    pub label: String,
    pub status: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub region: String,
    /// Public and private ones together.
    pub ipv4: Vec<String>,
    pub tags: Vec<String>,
    pub created: Moment,
    pub watchdog_enabled: bool,
}

/// `GET /volumes`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Volume {
    pub id: Key,
    pub label: String,
    pub status: String,
    /// In GiB.
    pub size: u64,
    pub region: String,
    pub linode_id: Option<Key>,
    /// Whether a Linode that runs can use it; older versions of the API do not say.
    #[serde(default)]
    pub io_ready: Option<bool>,
    pub created: Moment,
    pub tags: Vec<String>,
}

/// `GET /images`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Image {
    pub id: Key,
    pub label: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    /// In MiB: while it is made that of the disk, afterwards of the smallest disk that it fits on.
    pub size: u64,
    pub created: Moment,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub deprecated: bool,
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// `GET /networking/firewalls`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Firewall {
    pub id: Key,
    pub label: String,
    pub status: String,
    pub rules: Rules,
    pub created: Moment,
    pub tags: Vec<String>,
    /// What stands behind it.
    #[serde(default)]
    pub entities: Vec<Entity>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rules {
    #[serde(default, deserialize_with = "or_default")]
    pub inbound: Vec<Rule>,
    pub inbound_policy: String,
    pub outbound_policy: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    pub action: String,
    pub protocol: String,
    #[serde(default)]
    pub ports: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub addresses: Networks,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Networks {
    #[serde(default, deserialize_with = "or_default")]
    pub ipv4: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub ipv6: Vec<String>,
}

/// `GET /networking/ips`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ip {
    pub address: String,
    pub region: String,
    pub linode_id: Option<Key>,
    /// Missing in answers of 2025 (recorded).
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

/// Anything with an id.
#[derive(Debug, Deserialize)]
pub(crate) struct Made {
    pub id: Key,
}

/// `GET /linode/instances/{id}/disks`
#[derive(Debug, Deserialize)]
pub(crate) struct Disk {
    pub id: Key,
    pub filesystem: String,
    /// In MiB.
    pub size: u64,
}

/// `GET /linode/instances/{id}/configs`
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    pub id: Key,
    pub devices: Devices,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Devices {
    pub sda: Option<Device>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Device {
    pub disk_id: Option<Key>,
}

/// `GET /account/events`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    pub id: Key,
    pub action: String,
    pub status: String,
    pub created: Moment,
    /// Seconds that it took.
    pub duration: Option<f64>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub secondary_entity: Option<Entity>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entity {
    pub id: Option<Key>,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub parent_entity: Option<Box<Entity>>,
}

/// `GET /regions/{id}`
#[derive(Debug, Deserialize)]
pub(crate) struct Region {
    pub id: Key,
    pub capabilities: Vec<String>,
}

/// `GET /regions/{id}/availability`, and `GET /regions/availability`
#[derive(Debug, Deserialize)]
pub(crate) struct Availability {
    pub region: String,
    pub plan: String,
    pub available: bool,
}

/// `GET /linode/types`
#[derive(Debug, Deserialize)]
pub(crate) struct Type {
    pub id: Key,
    /// In MiB.
    pub disk: u64,
    #[serde(default)]
    pub gpus: u32,
    pub price: Price,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Price {
    /// Dollars an hour.
    pub hourly: Option<f64>,
}

/// `GET /account/settings`
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    #[serde(default)]
    pub interfaces_for_new_linodes: Option<String>,
}

/// `GET /domains`
#[derive(Debug, Deserialize)]
pub(crate) struct Domain {
    pub id: Key,
    pub domain: String,
}

/// `GET /domains/{id}/records`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Record {
    pub id: Key,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub target: String,
    /// Seconds; 0 is the domain's own.
    pub ttl_sec: u64,
}

/// An id: a number or a text, kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub String);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        Ok(Key(match Either::deserialize(deserializer)? {
            Either::Number(number) => number.to_string(),
            Either::Text(text) => text,
        }))
    }
}

/// A moment as the API writes it: UTC without saying so, in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub Stamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let civil: jiff::civil::DateTime = text.parse().map_err(serde::de::Error::custom)?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(serde::de::Error::custom)?;
        Ok(Moment(Stamp(zoned.timestamp().as_microsecond())))
    }
}

macro_rules! keyed_by_id {
    ($($kind:ty),*) => {
        $(impl Keyed for $kind {
            fn key(&self) -> &str {
                &self.id.0
            }
        })*
    };
}

keyed_by_id!(Linode, Volume, Image, Firewall, Disk, Config, Event, Region, Type, Domain, Record);

impl Keyed for Ip {
    fn key(&self) -> &str {
        &self.address
    }
}

impl Keyed for Availability {
    // A region has many plans: nothing short tells one from another.
    fn key(&self) -> &str {
        ""
    }
}

/// Null where a list or a map is meant.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
