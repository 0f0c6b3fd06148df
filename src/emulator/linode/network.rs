//! What the account has in the network: addresses and firewalls, as far as the core does not know it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::vpcs::Vpc;
use crate::emulator::Moment;

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// All IPv4 addresses, of Linodes or reserved.
    pub addresses: BTreeMap<Ipv4Addr, AddressDetails>,
    /// IPv6 ranges, by their first address.
    pub ranges: BTreeMap<String, Range>,
    /// Networks of one's own, by number.
    pub vpcs: BTreeMap<u64, Vpc>,
    /// Of firewalls, by their id.
    pub firewalls: BTreeMap<String, FirewallDetails>,
    /// Behind which firewall a new object comes that names none.
    pub default_firewalls: DefaultFirewalls,
}

/// Of an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressDetails {
    /// Where it is.
    pub region: String,
    /// The Linode that has it.
    pub linode: Option<String>,
    /// Whether it is reached from everywhere.
    pub public: bool,
    /// The core's id for it, if it is reserved.
    pub reserved: Option<String>,
    /// Its name, if it was given one.
    pub rdns: Option<String>,
    /// The Linodes it is shared with.
    pub shared_with: Vec<String>,
}

/// An IPv6 range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Where it is.
    pub region: String,
    /// The length of its prefix.
    pub prefix: u64,
    /// The Linode it leads to.
    pub linode: Option<String>,
}

/// Of a firewall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirewallDetails {
    /// Whether it does anything.
    pub enabled: bool,
    /// When it was last changed.
    pub updated: Moment,
    /// What it lets pass.
    pub rules: RuleSet,
    /// The number of its rules: 1 at first, one more with each change.
    pub version: u64,
    /// What stands behind it, in order.
    pub devices: Vec<Device>,
    /// Its former rules, the oldest first: number, until when, and the rules.
    pub history: Vec<(u64, Moment, RuleSet)>,
}

/// The rules of a firewall, as the API shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// What comes in; null is kept apart from none.
    pub inbound: Option<Vec<Value>>,
    /// `ACCEPT` or `DROP` for what no rule is about.
    pub inbound_policy: String,
    /// What goes out.
    pub outbound: Option<Vec<Value>>,
    /// `ACCEPT` or `DROP`.
    pub outbound_policy: String,
}

/// Something behind a firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its number.
    pub id: u64,
    /// The Linode.
    pub linode: String,
    /// Which interface of the Linode, if not the Linode as a whole.
    pub interface: Option<u64>,
    /// Since when.
    pub created: Moment,
}

/// Behind which firewall a new object comes that names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultFirewalls {
    /// A Linode of the older kind.
    pub linode: Option<u64>,
    /// A NodeBalancer.
    pub nodebalancer: Option<u64>,
    /// A public interface.
    pub public_interface: Option<u64>,
    /// An interface of a VPC.
    pub vpc_interface: Option<u64>,
}
