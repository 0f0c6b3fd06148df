//! What Scaleway answers, as far as we read it. Unknown keys are ignored; a missing list is empty.
//!
//! Sources: recorded traffic of the real API, and the official SDK where nothing was recorded.

use crate::model::Stamp;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// `GET /instance/v1/zones/{zone}/servers/{id}`, in its envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct InServer {
    pub server: Server,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Servers {
    #[serde(default)]
    pub servers: Vec<Server>,
}

/// A server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Server {
    pub id: String,
    pub name: String,
    pub commercial_type: String,
    pub project: String,
    pub state: String,
    #[serde(default)]
    pub protected: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub volumes: BTreeMap<String, Held>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_ips: Vec<PublicIp>,
    #[serde(default)]
    pub security_group: Option<Named>,
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_actions: Vec<String>,
    pub creation_date: Moment,
    pub modification_date: Moment,
}

/// A volume as its server shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Held {
    pub id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PublicIp {
    pub id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    pub id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Volumes {
    #[serde(default)]
    pub volumes: Vec<Volume>,
    #[serde(default)]
    pub total_count: usize,
}

/// A block volume.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Volume {
    pub id: String,
    pub name: String,
    /// Bytes.
    pub size: u64,
    pub project_id: String,
    pub created_at: Moment,
    #[serde(default, deserialize_with = "or_default")]
    pub references: Vec<Reference>,
    #[serde(default)]
    pub parent_snapshot_id: Option<String>,
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    #[serde(default)]
    pub specs: Option<VolumeSpecs>,
    #[serde(default)]
    pub last_detached_at: Option<Moment>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VolumeSpecs {
    #[serde(default)]
    pub perf_iops: Option<u32>,
}

/// Who holds a volume or a snapshot.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reference {
    pub product_resource_type: String,
    pub product_resource_id: String,
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Snapshots {
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    #[serde(default)]
    pub total_count: usize,
}

/// A block snapshot.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Snapshot {
    pub id: String,
    pub name: String,
    /// Null once the volume is deleted.
    #[serde(default)]
    pub parent_volume: Option<Named>,
    /// Bytes.
    pub size: u64,
    pub project_id: String,
    pub created_at: Moment,
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct InIp {
    pub ip: Ip,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ips {
    #[serde(default)]
    pub ips: Vec<Ip>,
}

/// A reserved address. It has no stamp of its own.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ip {
    pub id: String,
    #[serde(default)]
    pub address: Option<String>,
    pub project: String,
    #[serde(default)]
    pub server: Option<Named>,
    pub state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct InGroup {
    pub security_group: Group,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Groups {
    #[serde(default)]
    pub security_groups: Vec<Group>,
}

/// A security group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Group {
    pub id: String,
    pub name: String,
    pub project: String,
    pub stateful: bool,
    pub inbound_default_policy: String,
    pub outbound_default_policy: String,
    pub creation_date: Moment,
    pub modification_date: Moment,
    pub state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rules {
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// A rule of a security group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    pub protocol: String,
    pub direction: String,
    pub ip_range: String,
    #[serde(default)]
    pub dest_port_from: Option<u16>,
    #[serde(default)]
    pub dest_port_to: Option<u16>,
    /// Null in requests only.
    #[serde(default)]
    pub editable: Option<bool>,
    pub action: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LocalImages {
    #[serde(default)]
    pub local_images: Vec<LocalImage>,
}

/// An image of the marketplace in one zone.
#[derive(Debug, Deserialize)]
pub(crate) struct LocalImage {
    pub id: String,
    #[serde(default)]
    pub arch: String,
    #[serde(default)]
    pub compatible_commercial_types: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ServerTypes {
    #[serde(default)]
    pub servers: BTreeMap<String, ServerType>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ServerType {
    #[serde(default)]
    pub gpu: Option<u32>,
    /// Euros an hour.
    #[serde(default)]
    pub hourly_price: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Availabilities {
    #[serde(default)]
    pub servers: BTreeMap<String, Availability>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Availability {
    pub availability: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserData {
    #[serde(default)]
    pub user_data: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Records {
    #[serde(default)]
    pub records: Vec<Record>,
}

/// A DNS record.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub data: String,
    pub ttl: u64,
    #[serde(default)]
    pub comment: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct VolumeTypes {
    #[serde(default)]
    pub volume_types: Vec<VolumeType>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct VolumeType {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub pricing: Option<Money>,
}

/// Euros an hour for a GB, in units and billionths.
#[derive(Debug, Deserialize)]
pub(crate) struct Money {
    #[serde(default)]
    pub units: i64,
    #[serde(default)]
    pub nanos: i64,
}

impl Money {
    pub fn euros(&self) -> f64 {
        self.units as f64 + self.nanos as f64 / 1e9
    }
}

/// Any error body.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Complaint {
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub resource: String,
    #[serde(default)]
    pub resource_id: String,
    #[serde(default)]
    pub precondition: String,
    #[serde(default)]
    pub help_message: String,
    #[serde(default)]
    pub current_state: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default, deserialize_with = "or_default")]
    pub details: Vec<Detail>,
    #[serde(default, deserialize_with = "or_default")]
    pub fields: BTreeMap<String, Vec<String>>,
}

/// One complaint about an argument, a permission or a quota.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Detail {
    #[serde(default)]
    pub argument_name: String,
    #[serde(default)]
    pub help_message: String,
    #[serde(default)]
    pub resource: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub quota: Option<serde_json::Number>,
    #[serde(default)]
    pub current: Option<serde_json::Number>,
}

/// A time of day and date as any of the products writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub Stamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Moment(Stamp(moment.as_microsecond())))
    }
}

/// Null where a list or a map is meant.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
