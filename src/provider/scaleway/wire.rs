//! What Scaleway answers, as far as we read it. Unknown keys are ignored; a list that is missing is no empty list.
//!
//! Sources: recorded traffic of the real API, and the official SDK where nothing was recorded.

use crate::{model::Stamp, provider::client::Keyed};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// `GET /instance/v1/zones/{zone}/servers/{id}`, in its envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct InServer {
    pub server: Server,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Servers {
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
    pub volume_type: String,
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
    pub volumes: Vec<Volume>,
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
    pub snapshots: Vec<Snapshot>,
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
    pub ips: Vec<Ip>,
}

/// A reserved address. It has no stamp of its own.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ip {
    pub id: String,
    #[serde(default, rename = "type")]
    pub kind: String,
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
    pub rules: Vec<Rule>,
}

/// A rule of a security group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
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
    pub servers: BTreeMap<String, Availability>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Availability {
    pub availability: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserData {
    pub user_data: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Records {
    pub records: Vec<Record>,
}

/// A DNS record.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub id: String,
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

/// Any error body. Each part is read for itself: an odd one does not hide the others.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    pub kind: String,
    pub message: String,
    pub resource: String,
    pub resource_id: String,
    pub precondition: String,
    pub help_message: String,
    pub current_state: String,
    pub reason: String,
    /// Complaints about arguments, permissions or quotas, in words.
    pub details: Vec<String>,
    /// Whether the body is one of the API's at all.
    pub is_told: bool,
}

impl Complaint {
    /// Reads a body, which may be empty, or a gateway's page.
    pub fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let mut details: Vec<String> = body["details"].as_array().into_iter().flatten().filter_map(detail).collect();
        for (name, problems) in body["fields"].as_object().into_iter().flatten() {
            let problems: Vec<String> = problems.as_array().into_iter().flatten().map(plain).collect();
            details.push(format!("{name}: {}", problems.join(", ")));
        }
        Self {
            kind: text("type"),
            message: text("message"),
            resource: text("resource"),
            resource_id: text("resource_id"),
            precondition: text("precondition"),
            help_message: text("help_message"),
            current_state: text("current_state"),
            reason: text("reason"),
            details,
            is_told: body.is_object(),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One complaint about an argument, a quota or a permission.
fn detail(it: &Value) -> Option<String> {
    let text = |key: &str| it[key].as_str().unwrap_or_default();
    match () {
        () if it["argument_name"].is_string() => Some(format!("{}: {}", text("argument_name"), text("help_message"))),
        () if !it["quota"].is_null() => Some(format!("{} of {} {}", plain(&it["current"]), plain(&it["quota"]), text("resource"))),
        () if it["resource"].is_string() => Some(format!("{} {}", text("action"), text("resource"))),
        () => None,
    }
}

macro_rules! keyed_by_id {
    ($($kind:ty),*) => {
        $(impl Keyed for $kind {
            fn key(&self) -> &str {
                &self.id
            }
        })*
    };
}

keyed_by_id!(Server, Volume, Snapshot, Ip, Group, Rule);

impl<T> Keyed for (String, T) {
    fn key(&self) -> &str {
        &self.0
    }
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
