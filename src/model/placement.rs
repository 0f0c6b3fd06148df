//! The owner's words on where an instance lives: one block per provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Exactly one provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderSpec {
    /// Scaleway Instances with SBS volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Scaleway")]
    pub scaleway: Option<Scaleway>,
    /// Linode (Akamai).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Linode")]
    pub linode: Option<Linode>,
    /// The cloud in a box on this machine: no account, real disks, and with `machine: qemu` real guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Local")]
    pub local: Option<Local>,
}

/// A Scaleway instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaleway {
    /// The project that pays, a UUID. Default: that of Scaleway's own command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "String",
        regex(pattern = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
        example = &"11111111-1111-4111-8111-111111111111"
    )]
    pub project_id: Option<String>,
    /// The zone. Default: that of Scaleway's own command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = r"^[a-z]{2}-[a-z]{3}-[1-9]$"), example = &"fr-par-2")]
    pub zone: Option<String>,
    /// The commercial type.
    #[schemars(regex(pattern = r"^[A-Za-z0-9-]+$"), example = &"L4-1-24G")]
    pub instance_type: String,
    /// The marketplace label of the first root disk. Default: `ubuntu_jammy_gpu_os_12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub image: Option<String>,
    /// Input and output operations a second of both disks: 5000 or 15000. Default: what Scaleway gives (5000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 5000, max = 15_000), example = &15_000)]
    pub iops: Option<u32>,
    /// Whose account it is. Default: the environment and configuration of Scaleway's own command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Credentials")]
    pub credentials: Option<Credentials>,
}

/// Where the secret key of an account is found: exactly one of `profile` and `env`. Never the key itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// A profile of the configuration file of the vendor's own command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200), example = &"gaming")]
    pub profile: Option<String>,
    /// The name of an environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,199}$"), example = &"GAMING_SECRET_KEY")]
    pub env: Option<String>,
}

/// A Linode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Linode {
    /// The region.
    #[schemars(regex(pattern = r"^[a-z]{2}-[a-z0-9-]+$"), example = &"fr-par")]
    pub region: String,
    /// The type.
    #[schemars(regex(pattern = r"^[a-z0-9-]+$"), example = &"g2-gpu-rtx4000a1-m")]
    pub instance_type: String,
    /// The public image of the first root disk. Default: `linode/ubuntu22.04`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 100))]
    pub image: Option<String>,
    /// The largest image that the account may store, in GB: 6, unless Linode's support raised it. A capture that
    /// failed is tried again once this says more than it said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64", range(min = 6, max = 10_000), example = &20)]
    pub image_limit_gb: Option<u64>,
    /// Whose account it is. Default: the environment and configuration of Linode's own command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Credentials")]
    pub credentials: Option<Credentials>,
}

/// An instance of the local cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Local {
    /// Which kind of cloud to be: `scaleway` (disks outlive servers) or `linode` (the root disk dies
    /// with its server).
    #[serde(default)]
    pub imitate: Imitate,
    /// The zone.
    #[serde(default = "default_local_zone")]
    #[schemars(extend("enum" = ["local-1", "local-2"]), example = &"local-1")]
    pub zone: String,
    /// The server type.
    #[serde(default = "default_local_type")]
    #[schemars(extend("enum" = ["local-small", "local-medium", "local-large"]), example = &"local-small")]
    pub instance_type: String,
    /// What runs a server: `none` (it runs by the book alone) or `qemu` (a machine boots from its root disk).
    #[serde(default)]
    pub machine: Machine,
    /// The image of the first root disk. Default: `local-os`. With `machine: qemu`, the file of a disk that boots by
    /// itself, raw or qcow2, which must be named. `~` is your home; a relative path starts at the spec's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096))]
    pub image: Option<String>,
    /// Cloud seconds that pass in one second of yours.
    #[serde(default = "default_speed")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub speed: u32,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            imitate: Imitate::default(),
            zone: default_local_zone(),
            instance_type: default_local_type(),
            machine: Machine::default(),
            image: None,
            speed: default_speed(),
        }
    }
}

/// Which kind of cloud the local one imitates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Imitate {
    /// Volumes outlive servers; captures are block snapshots.
    #[default]
    Scaleway,
    /// The root disk dies with its server; captures are images; volumes have no snapshots.
    Linode,
}

/// What runs a server of the local cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// Nothing: a server runs by the book, and has no guest.
    #[default]
    None,
    /// QEMU: a machine boots from the server's root disk.
    Qemu,
}

/// Where an instance is wished to live, in one vocabulary for all providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement<'a> {
    /// `scaleway`, `linode` or `local`.
    pub provider: &'static str,
    /// Zone or region.
    pub zone: &'a str,
    /// Server type.
    pub machine_type: &'a str,
    /// The image's label, where the owner named one.
    pub image: Option<&'a str>,
}

fn default_local_zone() -> String {
    "local-1".to_owned()
}
fn default_local_type() -> String {
    "local-small".to_owned()
}
fn default_speed() -> u32 {
    60
}
