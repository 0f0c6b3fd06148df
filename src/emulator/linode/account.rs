//! The account: what it has settled for all that is new.

use crate::emulator::Truth;

/// What holds for whatever is new, unless it is said otherwise.
pub struct Settings {
    /// Whether the network helper is on.
    pub network_helper: bool,
    /// Whether backups are on.
    pub backups_enabled: bool,
    /// What happens to Linodes whose host is maintained.
    pub maintenance_policy: String,
    /// Which sort of interfaces new Linodes have.
    pub interfaces_for_new_linodes: String,
}

static USUAL: std::sync::LazyLock<Settings> = std::sync::LazyLock::new(|| Settings {
    network_helper: true,
    backups_enabled: false,
    maintenance_policy: "linode/migrate".to_owned(),
    interfaces_for_new_linodes: "legacy_config_default_but_linode_allowed".to_owned(),
});

/// The settings of the account.
pub fn settings(_: &Truth) -> &Settings {
    &USUAL
}
