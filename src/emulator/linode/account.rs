//! `/account` and `/profile`: who pays, and what new objects are like where nobody says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::input::Fields;
use super::linodes::check_policy;
use super::problem::invalid;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 6] = [
    look("/account", get),
    change("PUT", "/account", update),
    look("/account/settings", get_settings),
    change("PUT", "/account/settings", update_settings),
    change("POST", "/account/settings/managed-enable", enable_managed),
    look("/profile", profile),
];

/// The account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// What new objects are like.
    pub settings: Settings,
    /// What its owner changed of the address that bills go to.
    contact: BTreeMap<String, String>,
    /// Tags that were made without an object.
    pub tags: Vec<String>,
}

/// What new objects are like where nobody says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the vendor's people look after everything.
    pub managed: bool,
    /// Whether addresses are written into a guest's files.
    pub network_helper: bool,
    /// How much monitoring is paid for.
    pub longview_subscription: Option<String>,
    /// Whether new Linodes have backups.
    pub backups_enabled: bool,
    /// Whether there is object storage: `active`, `disabled` or `suspended`.
    pub object_storage: String,
    /// Which sort of interfaces new Linodes have.
    pub interfaces_for_new_linodes: String,
    /// What happens to Linodes when their host needs care.
    pub maintenance_policy: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            managed: false,
            network_helper: true,
            longview_subscription: None,
            backups_enabled: false,
            object_storage: "active".to_owned(),
            interfaces_for_new_linodes: "legacy_config_default_but_linode_allowed".to_owned(),
            maintenance_policy: "linode/migrate".to_owned(),
        }
    }
}

/// What new objects are like where nobody says.
pub fn settings(truth: &Truth) -> &Settings {
    &truth.linode.account.settings
}

/// The name of the caller.
const USER: &str = "user";

/// What may be changed of the address that bills go to, and what it is at first.
const CONTACT: [(&str, &str); 12] = [
    ("company", "Example"),
    ("email", "owner@example.com"),
    ("first_name", "Ada"),
    ("last_name", "Owner"),
    ("address_1", "1 Example Street"),
    ("address_2", ""),
    ("city", "Cambridge"),
    ("state", "MA"),
    ("zip", "02142"),
    ("country", "US"),
    ("phone", ""),
    ("tax_id", ""),
];

/// What the account may use.
const CAPABILITIES: [&str; 18] = [
    "Linodes",
    "NodeBalancers",
    "Block Storage",
    "Object Storage",
    "Kubernetes",
    "Cloud Firewall",
    "Vlans",
    "LKE HA Control Planes",
    "Block Storage Encryption",
    "Machine Images",
    "Managed Databases",
    "Managed Databases Beta",
    "VPCs",
    "LKE Network Access Control List (IP ACL)",
    "Placement Group",
    "Object Storage Access Key Regions",
    "Disk Encryption",
    "SMTP Enabled",
];

fn get(truth: &Truth, _: Moment, _: &Args) -> Result<Answer, Answer> {
    let mut shown = json!({
        "balance": 0.0,
        "billing_source": "linode",
        "credit_card": {"last_four": null, "expiry": null},
        "balance_uninvoiced": 0.0,
        "active_since": "2018-01-01T00:01:01",
        "capabilities": CAPABILITIES,
        "active_promotions": [],
        "euuid": "00000000-0000-4000-8000000000000000",
    });
    for (key, first) in CONTACT {
        shown[key] = json!(truth.linode.account.contact.get(key).map_or(first, String::as_str));
    }
    Ok(Answer::ok(shown))
}

fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    for (key, _) in CONTACT {
        if let Some(text) = fields.text(key)? {
            deed.truth.linode.account.contact.insert(key.to_owned(), text.to_owned());
        }
    }
    get(&deed.truth, deed.now, args)
}

fn get_settings(truth: &Truth, _: Moment, _: &Args) -> Result<Answer, Answer> {
    let settings = settings(truth);
    Ok(Answer::ok(json!({
        "managed": settings.managed,
        "network_helper": settings.network_helper,
        "longview_subscription": settings.longview_subscription,
        "backups_enabled": settings.backups_enabled,
        "object_storage": settings.object_storage,
        "interfaces_for_new_linodes": settings.interfaces_for_new_linodes,
        "maintenance_policy": settings.maintenance_policy,
    })))
}

/// Which sorts of interfaces new Linodes may have.
const INTERFACES: [&str; 4] =
    ["legacy_config_only", "legacy_config_default_but_linode_allowed", "linode_default_but_legacy_config_allowed", "linode_only"];

/// PUT: what is left out stays; what only the vendor changes is passed over.
fn update_settings(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let settings = &mut deed.truth.linode.account.settings;
    settings.network_helper = fields.flag("network_helper")?.unwrap_or(settings.network_helper);
    settings.backups_enabled = fields.flag("backups_enabled")?.unwrap_or(settings.backups_enabled);
    if fields.has("longview_subscription") {
        settings.longview_subscription = fields.text("longview_subscription")?.map(str::to_owned);
    }
    if let Some(wanted) = fields.text("interfaces_for_new_linodes")? {
        if !INTERFACES.contains(&wanted) {
            return Err(invalid("interfaces_for_new_linodes", &format!("Must be one of {}", INTERFACES.join(", "))));
        }
        wanted.clone_into(&mut settings.interfaces_for_new_linodes);
    }
    if let Some(policy) = fields.text("maintenance_policy")? {
        check_policy(policy)?;
        policy.clone_into(&mut settings.maintenance_policy);
    }
    get_settings(&deed.truth, deed.now, args)
}

fn enable_managed(deed: &mut Deed, _: &Args) -> Result<Answer, Answer> {
    deed.truth.linode.account.settings.managed = true;
    Ok(Answer::ok(json!({})))
}

/// GET `/profile`: a caller who may do everything.
fn profile(truth: &Truth, _: Moment, _: &Args) -> Result<Answer, Answer> {
    let email = truth.linode.account.contact.get("email").map_or("owner@example.com", String::as_str);
    Ok(Answer::ok(json!({
        "uid": 1,
        "username": USER,
        "email": email,
        "timezone": "GMT",
        "email_notifications": true,
        "ip_whitelist_enabled": false,
        "two_factor_auth": false,
        "lish_auth_method": "password_keys",
        "authorized_keys": [],
        "restricted": false,
        "referrals": {"code": "", "url": "", "total": 0, "completed": 0, "pending": 0, "credit": 0.0},
        "authentication_type": "password",
        "verified_phone_number": null,
    })))
}
