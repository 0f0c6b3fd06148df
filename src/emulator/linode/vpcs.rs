//! `/vpcs`: networks of one's own, which profiles and interfaces of Linodes join.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::addresses::number;
use super::input::Fields;
use super::listing::{self, list};
use super::moments::stamp;
use super::problem::{invalid, not_found, required};
use super::regions;
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 10] = [
    look("/vpcs", list_all),
    change("POST", "/vpcs", create),
    look("/vpcs/{id}", get),
    change("PUT", "/vpcs/{id}", update),
    change("DELETE", "/vpcs/{id}", delete),
    look("/vpcs/{id}/subnets", list_subnets),
    change("POST", "/vpcs/{id}/subnets", create_subnet),
    look("/vpcs/{id}/subnets/{key}", get_subnet),
    change("PUT", "/vpcs/{id}/subnets/{key}", update_subnet),
    change("DELETE", "/vpcs/{id}/subnets/{key}", delete_subnet),
];

/// A network of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its label.
    pub label: String,
    /// What its owner says of it.
    pub description: String,
    /// Where it is.
    pub region: String,
    /// Its parts, by number.
    pub subnets: BTreeMap<u64, Subnet>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

/// A part of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its label.
    pub label: String,
    /// Its first address.
    pub first: Ipv4Addr,
    /// The length of its prefix.
    pub prefix: u8,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

/// What joins a subnet: an interface of a profile.
struct Member<'t> {
    linode: &'t str,
    config: u64,
    interface: &'t Value,
}

/// All that joins any subnet.
fn members(truth: &Truth) -> impl Iterator<Item = Member<'_>> {
    truth.linode.linodes.iter().flat_map(|(linode, details)| {
        details.configs.iter().flat_map(move |config| {
            let interfaces = config.interfaces.iter().filter(|interface| interface["purpose"] == "vpc");
            interfaces.map(move |interface| Member { linode, config: config.id, interface })
        })
    })
}

impl Vpc {
    fn shown(&self, truth: &Truth, id: u64) -> Value {
        json!({
            "id": id,
            "label": self.label,
            "description": self.description,
            "region": self.region,
            "ipv4": [{"range": "10.0.0.0/8"}, {"range": "172.16.0.0/12"}, {"range": "192.168.0.0/16"}],
            "ipv6": null,
            "subnets": self.subnets.iter().map(|(id, subnet)| subnet.shown(truth, *id)).collect::<Vec<_>>(),
            "created": stamp(self.created),
            "updated": stamp(self.updated),
        })
    }
}

impl Subnet {
    fn shown(&self, truth: &Truth, id: u64) -> Value {
        let mut linodes: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
        for member in members(truth).filter(|member| member.interface["subnet_id"] == id) {
            let interface = json!({"id": member.interface["id"], "active": member.interface["active"], "config_id": member.config});
            linodes.entry(number(member.linode)).or_default().push(interface);
        }
        let linodes: Vec<Value> = linodes.into_iter().map(|(id, interfaces)| json!({"id": id, "interfaces": interfaces})).collect();
        json!({
            "id": id,
            "label": self.label,
            "ipv4": format!("{}/{}", self.first, self.prefix),
            "ipv6": null,
            "linodes": linodes,
            "databases": [],
            "nodebalancers": [],
            "created": stamp(self.created),
            "updated": stamp(self.updated),
        })
    }

    /// The bits of an address that name the subnet.
    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(u32::from(32 - self.prefix)).unwrap_or(0)
    }

    fn has(&self, address: Ipv4Addr) -> bool {
        (u32::from(address) ^ u32::from(self.first)) & self.mask() == 0
    }
}

/// The VPC of a number.
fn find<'t>(truth: &'t Truth, id: &str) -> Result<(u64, &'t Vpc), Answer> {
    let wanted = id.parse::<u64>().map_err(|_| not_found())?;
    truth.linode.network.vpcs.get(&wanted).map(|vpc| (wanted, vpc)).ok_or_else(not_found)
}

fn find_subnet<'t>(truth: &'t Truth, args: &Args) -> Result<(u64, &'t Subnet), Answer> {
    let (_, vpc) = find(truth, args.id)?;
    let wanted = args.key.parse::<u64>().map_err(|_| not_found())?;
    vpc.subnets.get(&wanted).map(|subnet| (wanted, subnet)).ok_or_else(not_found)
}

fn list_all(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::VPCS, truth.linode.network.vpcs.iter().map(|(id, vpc)| vpc.shown(truth, *id)).collect())
}

fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (id, vpc) = find(truth, args.id)?;
    Ok(Answer::ok(vpc.shown(truth, id)))
}

/// Refuses a label that is not like a label, or taken.
fn check_label<'l>(label: &str, mut others: impl Iterator<Item = &'l String>, among: &str) -> Result<(), Answer> {
    let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !(1..=64).contains(&label.len()) || !plain || label.contains("--") {
        return Err(invalid("label", "Label must include only ASCII letters, numbers, and dashes"));
    }
    if others.any(|other| other == label) {
        return Err(invalid("label", &format!("Label must be unique among your {among}")));
    }
    Ok(())
}

fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let label = fields.needed("label")?.to_owned();
    check_label(&label, deed.truth.linode.network.vpcs.values().map(|vpc| &vpc.label), "VPCs")?;
    let region = fields.needed("region")?.to_owned();
    if !regions::find(&region).ok_or_else(|| invalid("region", "region is not valid"))?.has("VPCs") {
        return Err(invalid("region", "Region does not support VPCs"));
    }
    let id: u64 = deed.mint("vpc").parse().unwrap_or_default();
    let created = deed.tick();
    let description = fields.text("description")?.unwrap_or_default().to_owned();
    let mut vpc = Vpc { label, description, region, subnets: BTreeMap::new(), created, updated: created };
    for (place, subnet) in fields.list("subnets")?.into_iter().flatten().enumerate() {
        let subnet = read_subnet(deed, &vpc, &Fields::within(subnet, &format!("subnets[{place}]"))?)?;
        vpc.subnets.insert(deed.mint("subnet").parse().unwrap_or_default(), subnet);
    }
    deed.truth.linode.network.vpcs.insert(id, vpc);
    get(&deed.truth, deed.now, &Args { id: &id.to_string(), ..*args })
}

fn read_subnet(deed: &mut Deed, vpc: &Vpc, fields: &Fields) -> Result<Subnet, Answer> {
    let label = fields.needed("label")?.to_owned();
    check_label(&label, vpc.subnets.values().map(|subnet| &subnet.label), "VPC's subnets")?;
    let wrong = || invalid(&fields.path("ipv4"), "Must be an IPv4 network");
    let (first, prefix) = fields.needed("ipv4")?.split_once('/').ok_or_else(wrong)?;
    let (first, prefix) = (first.parse::<Ipv4Addr>().map_err(|_| wrong())?, prefix.parse::<u8>().map_err(|_| wrong())?);
    let created = deed.tick();
    let subnet = Subnet { label, first, prefix: prefix.min(32), created, updated: created };
    if !(1..=29).contains(&prefix) || !first.is_private() || u32::from(first) & !subnet.mask() != 0 {
        return Err(wrong());
    }
    if vpc.subnets.values().any(|other| other.has(first) || subnet.has(other.first)) {
        return Err(invalid(&fields.path("ipv4"), "Must not overlap with other subnets"));
    }
    Ok(subnet)
}

fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (id, vpc) = find(&deed.truth, args.id)?;
    let mut vpc = vpc.clone();
    if let Some(label) = fields.text("label")? {
        let others = deed.truth.linode.network.vpcs.iter().filter(|(other, _)| **other != id);
        check_label(label, others.map(|(_, vpc)| &vpc.label), "VPCs")?;
        label.clone_into(&mut vpc.label);
    }
    if let Some(description) = fields.text("description")? {
        description.clone_into(&mut vpc.description);
    }
    vpc.updated = deed.tick();
    deed.truth.linode.network.vpcs.insert(id, vpc);
    get(&deed.truth, deed.now, args)
}

fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (id, _) = find(&deed.truth, args.id)?;
    deed.truth.linode.network.vpcs.remove(&id);
    Ok(Answer::ok(json!({})))
}

fn list_subnets(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, vpc) = find(truth, args.id)?;
    list(args.request, &listing::VPCS, vpc.subnets.iter().map(|(id, subnet)| subnet.shown(truth, *id)).collect())
}

fn get_subnet(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (id, subnet) = find_subnet(truth, args)?;
    Ok(Answer::ok(subnet.shown(truth, id)))
}

fn create_subnet(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (vpc_id, vpc) = find(&deed.truth, args.id)?;
    let vpc = vpc.clone();
    let subnet = read_subnet(deed, &vpc, &fields)?;
    let id: u64 = deed.mint("subnet").parse().unwrap_or_default();
    let shown = subnet.shown(&deed.truth, id);
    if let Some(vpc) = deed.truth.linode.network.vpcs.get_mut(&vpc_id) {
        vpc.subnets.insert(id, subnet);
    }
    Ok(Answer::ok(shown))
}

fn update_subnet(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (vpc_id, vpc) = find(&deed.truth, args.id)?;
    let (id, subnet) = find_subnet(&deed.truth, args)?;
    let mut subnet = subnet.clone();
    let label = fields.text("label")?.ok_or_else(|| required("label"))?;
    let others = vpc.subnets.iter().filter(|(other, _)| **other != id);
    check_label(label, others.map(|(_, subnet)| &subnet.label), "VPC's subnets")?;
    label.clone_into(&mut subnet.label);
    subnet.updated = deed.tick();
    if let Some(vpc) = deed.truth.linode.network.vpcs.get_mut(&vpc_id) {
        vpc.subnets.insert(id, subnet);
    }
    get_subnet(&deed.truth, deed.now, args)
}

fn delete_subnet(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (vpc_id, _) = find(&deed.truth, args.id)?;
    let (id, _) = find_subnet(&deed.truth, args)?;
    if let Some(vpc) = deed.truth.linode.network.vpcs.get_mut(&vpc_id) {
        vpc.subnets.remove(&id);
    }
    Ok(Answer::ok(json!({})))
}

/// The VPC of a subnet that an interface in a region may join, and an address there: this one, or the next free one.
///
/// Errors: 400.
pub fn join(truth: &Truth, subnet: i64, region: &str, wanted: Option<&str>, field: &str) -> Result<(u64, Ipv4Addr), Answer> {
    let missing = || invalid(field, "Subnet not found.");
    let id = u64::try_from(subnet).map_err(|_| missing())?;
    let mut vpcs = truth.linode.network.vpcs.iter();
    let found = vpcs.find_map(|(vpc, details)| Some((*vpc, details, details.subnets.get(&id)?)));
    let (vpc, details, subnet) = found.ok_or_else(missing)?;
    if details.region != region {
        return Err(invalid(field, "The VPC must be in the region of the Linode."));
    }
    let taken: Vec<String> = members(truth)
        .filter(|member| member.interface["subnet_id"] == id)
        .filter_map(|member| member.interface["ipv4"]["vpc"].as_str().map(str::to_owned))
        .collect();
    let is_free = |address: &Ipv4Addr| !taken.contains(&address.to_string());
    if let Some(wanted) = wanted {
        let wanted = wanted.parse::<Ipv4Addr>().ok().filter(|wanted| subnet.has(*wanted));
        return wanted.filter(is_free).map(|address| (vpc, address)).ok_or_else(|| invalid(field, "Address is not free in the subnet."));
    }
    // The first is the network's, the second its gateway's, the last is for all.
    let (first, last) = (u32::from(subnet.first), u32::from(subnet.first) | !subnet.mask());
    let free = (first + 2..last).map(Ipv4Addr::from).find(is_free);
    free.map(|address| (vpc, address)).ok_or_else(|| invalid(field, "The subnet is full."))
}

/// The addresses that a Linode has in VPCs, as the API shows them.
pub fn entries(truth: &Truth, linode: &str) -> Vec<Value> {
    members(truth).filter(|member| member.linode == linode).filter_map(|member| entry(truth, &member)).collect()
}

fn entry(truth: &Truth, member: &Member) -> Option<Value> {
    let interface = member.interface;
    let vpc = truth.linode.network.vpcs.get(&interface["vpc_id"].as_u64()?)?;
    let subnet = vpc.subnets.get(&interface["subnet_id"].as_u64()?)?;
    Some(json!({
        "address": interface["ipv4"]["vpc"],
        "address_range": null,
        "vpc_id": interface["vpc_id"],
        "subnet_id": interface["subnet_id"],
        "region": vpc.region,
        "linode_id": number(member.linode),
        "config_id": member.config,
        "interface_id": interface["id"],
        "nodebalancer_id": null,
        "database_id": null,
        "active": interface["active"],
        "nat_1_1": interface["ipv4"]["nat_1_1"],
        "gateway": Ipv4Addr::from(u32::from(subnet.first) + 1).to_string(),
        "prefix": subnet.prefix,
        "subnet_mask": Ipv4Addr::from(subnet.mask()).to_string(),
    }))
}

/// The address in a VPC that a public address of a Linode leads to, as the API shows it.
pub fn behind(truth: &Truth, linode: &str, address: Ipv4Addr) -> Value {
    let written = address.to_string();
    let mut own = members(truth).filter(|member| member.linode == linode);
    let found = own.find(|member| member.interface["ipv4"]["nat_1_1"] == written);
    found.map_or(Value::Null, |member| {
        let interface = member.interface;
        json!({"vpc_id": interface["vpc_id"], "subnet_id": interface["subnet_id"], "address": interface["ipv4"]["vpc"]})
    })
}
