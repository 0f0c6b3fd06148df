//! What runs inside a server, as a spec says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a bare server a gaming machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Configuration {
    /// Nothing is configured.
    None(NoConfiguration),
    /// A recipe.
    Recipe(Box<Recipe>),
}

impl Configuration {
    /// Whether a changed recipe is applied at once, whoever plays.
    pub fn is_due_now(&self) -> bool {
        matches!(self, Configuration::Recipe(it) if it.when == When::Now)
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Configuration::None(NoConfiguration::None)
    }
}

/// The word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoConfiguration {
    /// Nothing is configured.
    None,
}

/// A recipe: exactly one of `ansible` and `script`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// An Ansible playbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ansible")]
    pub ansible: Option<Ansible>,
    /// A script run on the server over SSH; running it twice must do no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096))]
    pub script: Option<String>,
    /// What runs at every start as well: short, and never captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OnStart")]
    pub on_start: Option<OnStart>,
    /// When a changed recipe is applied: `nextStart` never interrupts a player; `now` does.
    #[serde(default)]
    pub when: When,
    /// The TCP port that answers once the machine is ready, or `none`. Default: 47989, where `network.ports` is `sunshine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReadyPort")]
    pub ready_port: Option<ReadyPort>,
}

/// What shows that a machine is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReadyPort {
    /// This TCP port answers, at the server's public address.
    Port(#[schemars(range(min = 1, max = 65_535))] u16),
    /// Nothing shows it.
    None(NoReadyPort),
}

/// The word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoReadyPort {
    /// Nothing shows that it is ready.
    None,
}

/// What runs at every start: exactly one of `ansible` and `script`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnStart {
    /// An Ansible playbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ansible")]
    pub ansible: Option<Ansible>,
    /// A script run on the server over SSH; running it twice must do no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096))]
    pub script: Option<String>,
}

/// An Ansible playbook, run by the `ansible-playbook` of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ansible {
    /// The playbook's file; a relative path starts at the spec's directory.
    #[schemars(length(min = 1, max = 4096))]
    pub playbook: String,
    /// Variables of the play.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Variable>,
    /// Variables whose values are not written here, but found when the playbook runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Only tasks with one of these tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub tags: Vec<String>,
    /// Further arguments of `ansible-playbook`, as they are. Everybody on this machine can see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub extra_arguments: Vec<String>,
}

/// A variable of a play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Variable {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

/// Where a secret is found: exactly one of `env` and `file`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretSource {
    /// The environment variable that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 255))]
    pub env: Option<String>,
    /// The file whose first line it is. `~` is your home; a relative path starts at the spec's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 4096))]
    pub file: Option<String>,
}

/// When a changed recipe is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// At the next start.
    #[default]
    NextStart,
    /// At once.
    Now,
}
