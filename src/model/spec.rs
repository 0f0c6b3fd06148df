//! The owner's words: one `Instance` document. Its JSON Schema is `specs/instance.schema.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use super::configuration::{
    Ansible, Configuration, NoConfiguration, NoReadyPort, OnStart, ReadyPort, Recipe, SecretSource, Variable, When,
};
pub use super::placement::{Credentials, Imitate, Linode, Local, Machine, Placement, ProviderSpec, Scaleway};
pub use super::schedule::{ScheduleEntry, Session, Suspend, SuspendUntil};
use super::{Capabilities, InstanceKey, Rule};

/// The envelope of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    /// The version of this format.
    pub api_version: ApiVersion,
    /// What the document describes.
    pub kind: Kind,
    /// Who the instance is.
    pub metadata: Metadata,
    /// What it should be.
    pub spec: Spec,
}

impl Instance {
    /// The instance's key.
    pub fn key(&self) -> InstanceKey {
        InstanceKey { namespace: self.metadata.namespace.clone(), name: self.metadata.name.clone() }
    }
}

/// The known versions of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first one, still open to change.
    #[serde(rename = "cloudypad.gg/v1alpha1")]
    V1Alpha1,
}

/// The known kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// One cloud gaming machine.
    Instance,
}

/// Who the instance is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The instance's name: lower-case letters, digits and single dashes, beginning with a letter.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([a-z0-9]|-[a-z0-9])*$"), example = &"mypad")]
    pub name: String,
    /// Keeps instances of several owners in one account apart.
    #[serde(default = "default_namespace")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([a-z0-9]|-[a-z0-9])*$"))]
    pub namespace: String,
    /// Free labels for people and tools; cloudypad itself does not read them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What an instance should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// present: the server exists and runs. stopped: it exists, powered off. absent: archived, only
    /// what is needed to come back is kept.
    pub server_state: ServerState,
    /// Where it lives: exactly one of `scaleway`, `linode`, `local`.
    pub provider: ProviderSpec,
    /// The disk the machine boots from.
    #[serde(default)]
    pub root_disk: RootDisk,
    /// The disk for games and saves. Leaving it out destroys nothing: an existing one is kept, detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DataDisk")]
    pub data_disk: Option<DataDisk>,
    /// Whether the root disk is captured, so that the machine can be archived and rebuilt.
    #[serde(default)]
    pub root_disk_snapshot: RootDiskSnapshot,
    /// Whether the data disk is snapshotted and deleted while archived. Off: the disk itself stays.
    #[serde(default)]
    pub data_disk_snapshot: DataDiskSnapshot,
    /// How to get in.
    #[serde(default)]
    pub ssh: Ssh,
    /// Who may reach it, on which ports, under which name.
    #[serde(default)]
    pub network: Network,
    /// What makes a bare server a gaming machine: `none`, or `{ansible: …}`, or `{script: …}`.
    #[serde(default)]
    pub configuration: Configuration,
    /// Stops the machine when nobody plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Autostop")]
    pub autostop: Option<Autostop>,
    /// Changes of the wish by the clock. The latest tick of all entries decides, whatever `serverState` says; `serverState`
    /// counts where none ticked within a year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 50))]
    pub schedule: Vec<ScheduleEntry>,
    /// When an instance that is present is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Session")]
    pub session: Option<Session>,
    /// Keep hands off: nothing is changed while this is true, or until the moment in `{until: …}`.
    #[serde(default)]
    pub suspend: Suspend,
    /// Refuse deletion and the end of a last copy. Archiving with copies goes on.
    #[serde(default)]
    pub protect: bool,
    /// Opaque; changing it wakes an instance that went to sleep by itself.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub wake: String,
}

/// The wish for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    /// Exists and runs.
    Present,
    /// Exists, powered off.
    Stopped,
    /// Archived: no server.
    Absent,
}

/// The root disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootDisk {
    /// Size in GB (10^9 bytes). Grows, never shrinks.
    #[serde(default = "default_root_gb")]
    #[schemars(range(min = 8, max = 16_384))]
    pub size_gb: u64,
    /// The root disk may be destroyed without a copy.
    #[serde(default)]
    pub disposable: bool,
}

impl Default for RootDisk {
    fn default() -> Self {
        Self { size_gb: default_root_gb(), disposable: false }
    }
}

/// The data disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataDisk {
    /// Size in GB (10^9 bytes). Grows, never shrinks. Required unless `delete` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64", range(min = 1, max = 16_384))]
    pub size_gb: Option<u64>,
    /// Destroy the data disk and its snapshots, with everything on them.
    #[serde(default)]
    pub delete: bool,
}

/// How the root disk is captured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootDiskSnapshot {
    /// Capture the root disk after the first deploy, and start later servers from the capture.
    #[serde(default)]
    pub enable: bool,
    /// On the way to absent: `refresh` captures again so that nothing is lost; `reuse` keeps the
    /// earlier capture and lets later changes of the root disk go. Default: `refresh` where a capture
    /// is a block snapshot (Scaleway, local), `reuse` where it is an image (Linode).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OnStop")]
    pub on_stop: Option<OnStop>,
    /// How many ready captures to keep.
    #[serde(default = "default_retain")]
    #[schemars(range(min = 1, max = 100))]
    pub retain: u32,
    /// `cloudypad delete` leaves the captures alone.
    #[serde(default)]
    pub keep_on_deletion: bool,
}

impl Default for RootDiskSnapshot {
    fn default() -> Self {
        Self { enable: false, on_stop: None, retain: default_retain(), keep_on_deletion: false }
    }
}

/// What becomes of the root disk on the way to absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnStop {
    /// Capture it again.
    Refresh,
    /// Keep the earlier capture, let later changes go.
    Reuse,
}

/// How the data disk is snapshotted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataDiskSnapshot {
    /// While absent, keep a snapshot instead of the disk.
    #[serde(default)]
    pub enable: bool,
    /// How many ready snapshots to keep.
    #[serde(default = "default_retain")]
    #[schemars(range(min = 1, max = 100))]
    pub retain: u32,
}

impl Default for DataDiskSnapshot {
    fn default() -> Self {
        Self { enable: false, retain: default_retain() }
    }
}

/// How to get in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ssh {
    /// The public key that may log in. `~` is your home; a relative path starts at the spec's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096), example = &"~/.ssh/id_ed25519.pub")]
    pub public_key_path: Option<String>,
    /// The private key, needed only where a configuration is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096))]
    pub private_key_path: Option<String>,
    /// The login name. Default: by provider and image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 32), regex(pattern = r"^[a-z_][a-z0-9_-]*$"))]
    pub user: Option<String>,
}

/// Who may reach the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// Networks that may connect, in CIDR form.
    #[serde(default = "default_allow_from")]
    #[schemars(length(min = 1, max = 100))]
    pub allow_from: Vec<String>,
    /// `sunshine` (SSH and the streaming ports), or a list like `22/tcp`, `47998-48010/udp`.
    #[serde(default)]
    pub ports: Ports,
    /// A DNS name that follows the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Dns")]
    pub dns: Option<Dns>,
}

impl Default for Network {
    fn default() -> Self {
        Self { allow_from: default_allow_from(), ports: Ports::default(), dns: None }
    }
}

/// Which ports are open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Ports {
    /// A well-known set.
    Preset(PortPreset),
    /// Port or range with protocol, like `22/tcp`.
    List(Vec<String>),
}

impl Default for Ports {
    fn default() -> Self {
        Ports::Preset(PortPreset::Sunshine)
    }
}

/// Well-known sets of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PortPreset {
    /// 22, 47984, 47989 and 48010 over TCP, 47998-48010 over UDP: SSH, and what Moonlight needs of Sunshine.
    Sunshine,
}

impl Network {
    /// What is let in, in canonical order.
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        for (protocol, ports) in self.ports.pairs() {
            rules.extend(self.allow_from.iter().map(|from| Rule::new(&protocol, &ports, from)));
        }
        rules.sort();
        rules.dedup();
        rules
    }
}

impl Ports {
    /// Whether a port is open.
    pub fn let_in(&self, protocol: &str, port: u16) -> bool {
        self.pairs().iter().any(|(open, ports)| {
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let within = |first: &str, last: &str| Some((first.parse::<u16>().ok()?..=last.parse().ok()?).contains(&port));
            open == protocol && within(first, last) == Some(true)
        })
    }

    /// Each port or range with its protocol, as (protocol, ports).
    pub fn pairs(&self) -> Vec<(String, String)> {
        match self {
            Ports::Preset(PortPreset::Sunshine) => {
                [("tcp", "22"), ("tcp", "47984"), ("tcp", "47989"), ("tcp", "48010"), ("udp", "47998-48010")]
                    .map(|(protocol, ports)| (protocol.to_owned(), ports.to_owned()))
                    .to_vec()
            }
            Ports::List(list) => list
                .iter()
                .filter_map(|entry| entry.split_once('/'))
                .map(|(ports, protocol)| (protocol.to_owned(), ports.to_owned()))
                .collect(),
        }
    }
}

/// A DNS name that follows the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dns {
    /// The zone, like `example.com`; it must exist in the provider's DNS.
    #[schemars(length(min = 3, max = 253))]
    pub zone: String,
    /// The record inside the zone, like `mypad`.
    #[schemars(length(min = 1, max = 63))]
    pub record: String,
}

/// Stops the machine when nobody plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autostop {
    /// Whether it does.
    #[serde(default = "default_true")]
    pub enable: bool,
    /// Seconds of idleness.
    #[serde(default = "default_autostop_seconds")]
    #[schemars(range(min = 60, max = 86_400))]
    pub timeout_seconds: u32,
}

fn default_namespace() -> String {
    "default".to_owned()
}
fn default_root_gb() -> u64 {
    30
}
fn default_retain() -> u32 {
    1
}
fn default_true() -> bool {
    true
}
fn default_autostop_seconds() -> u32 {
    900
}
fn default_allow_from() -> Vec<String> {
    vec!["0.0.0.0/0".to_owned()]
}

impl Spec {
    /// A spec that says nothing but what it must.
    pub fn undeclared(server_state: ServerState, provider: ProviderSpec) -> Self {
        Self {
            server_state,
            provider,
            root_disk: RootDisk::default(),
            data_disk: None,
            root_disk_snapshot: RootDiskSnapshot::default(),
            data_disk_snapshot: DataDiskSnapshot::default(),
            ssh: Ssh::default(),
            network: Network::default(),
            configuration: Configuration::default(),
            autostop: None,
            schedule: Vec::new(),
            session: None,
            suspend: Suspend::default(),
            protect: false,
            wake: String::new(),
        }
    }

    /// Where the instance is wished to live.
    ///
    /// # Panics
    /// Never for a spec that was read: reading refuses a spec without exactly one provider. A zone that the spec leaves
    /// to the account's settings is filled in before anything asks for it.
    pub fn placement(&self) -> Placement<'_> {
        let provider = &self.provider;
        if let Some(it) = &provider.scaleway {
            let zone = it.zone.as_deref().unwrap_or_default();
            Placement { provider: "scaleway", zone, machine_type: &it.instance_type, image: it.image.as_deref() }
        } else if let Some(it) = &provider.linode {
            Placement { provider: "linode", zone: &it.region, machine_type: &it.instance_type, image: it.image.as_deref() }
        } else {
            let it = provider.local.as_ref().expect("a spec that was read names one provider");
            Placement { provider: "local", zone: &it.zone, machine_type: &it.instance_type, image: it.image.as_deref() }
        }
    }

    /// The image label of a first deploy: the owner's, else the cloud's default.
    pub fn image<'a>(&'a self, cloud: &'a Capabilities) -> &'a str {
        self.placement().image.unwrap_or(&cloud.default_image)
    }

    /// What becomes of the root disk on the way to absent: the owner's word, else the cloud's default.
    pub fn on_stop(&self, cloud: &Capabilities) -> OnStop {
        self.root_disk_snapshot.on_stop.unwrap_or(cloud.default_on_stop)
    }

    /// The operations a second that both disks should have, where the spec says.
    pub fn iops(&self) -> Option<u32> {
        self.provider.scaleway.as_ref().and_then(|it| it.iops)
    }

    /// The largest capture that the account may store in GB, where there is such a limit: the owner's word, else
    /// the cloud's usual one.
    pub fn copy_limit_gb(&self, cloud: &Capabilities) -> Option<u64> {
        let said = self.provider.linode.as_ref().and_then(|it| it.image_limit_gb);
        cloud.copy_limit_gb.map(|usual| said.unwrap_or(usual))
    }

    /// The wished size of the data disk in GB, where one is wished.
    pub fn data_gb(&self) -> Option<u64> {
        self.data_disk.as_ref().filter(|disk| !disk.delete).and_then(|disk| disk.size_gb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is left out means this, today and in every later version.
    #[test]
    fn what_a_spec_leaves_out() {
        let spec: Spec = serde_json::from_value(json!({"serverState": "present", "provider": {"local": {}}, "autostop": {}})).unwrap();
        let local = spec.provider.local.as_ref().unwrap();
        assert_eq!((local.zone.as_str(), local.instance_type.as_str(), local.speed), ("local-1", "local-small", 60));
        assert_eq!(spec.autostop, Some(Autostop { enable: true, timeout_seconds: 900 }));
        assert_eq!((spec.root_disk.size_gb, spec.root_disk_snapshot.retain, spec.data_disk_snapshot.retain), (30, 1, 1));
        assert_eq!(spec.network.allow_from, ["0.0.0.0/0"]);
        assert_eq!(spec, Spec { autostop: spec.autostop.clone(), ..Spec::undeclared(ServerState::Present, spec.provider.clone()) });
    }
}
