//! Private NICs: how servers hang on private networks. The networks themselves are another product's: any id is taken
//! for one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::{Change, later};
use super::ids::{fold, is_uuid, uuid_of};
use super::input::{Fields, invalid, not_usable, patched_tags};
use super::moments::offset;
use super::pages::header_page;
use super::servers;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::objects::ServerState;
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How many a server may have.
const MOST: usize = 8;
/// How long a running server takes to be connected; not recorded.
const SYNC_SECONDS: u64 = 2;

/// A private NIC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateNic {
    /// Its server.
    pub server: String,
    /// Its private network.
    pub network: String,
    /// The last four bytes of its MAC address.
    pub mac: u32,
    /// The customer's tags.
    pub tags: Vec<String>,
    /// Its addresses, by their ids in the address management.
    pub addresses: Vec<String>,
    /// Whether it is still being connected.
    pub syncing: bool,
    /// When it was made.
    pub created: Moment,
}

impl PrivateNic {
    /// Its MAC address.
    pub fn mac_address(&self) -> String {
        let [a, b, c, d] = self.mac.to_be_bytes();
        format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
    }

    /// The word for how far it has come.
    pub fn state_word(&self) -> &'static str {
        if self.syncing { "syncing" } else { "available" }
    }
}

/// The NICs of a server, the oldest first.
fn of(truth: &Truth, server: &str) -> Vec<(String, PrivateNic)> {
    let nics = truth.scaleway.private_nics.iter().filter(|(_, nic)| nic.server == server);
    let mut nics: Vec<(String, PrivateNic)> = nics.map(|(id, nic)| (id.clone(), nic.clone())).collect();
    nics.sort_by_key(|(_, nic)| nic.created);
    nics
}

/// Whether a server hangs on a network.
pub fn is_on(truth: &Truth, server: &str, network: &str) -> bool {
    truth.scaleway.private_nics.values().any(|nic| nic.server == server && nic.network == network)
}

/// Whether a server has a NIC of this MAC address.
pub fn has_mac(truth: &Truth, server: &str, mac: &str) -> bool {
    truth.scaleway.private_nics.values().any(|nic| nic.server == server && nic.mac_address().eq_ignore_ascii_case(mac))
}

/// The NICs of a server as it shows them.
pub fn shown_of(truth: &Truth, server: &str, zone: &str) -> Vec<Value> {
    of(truth, server).iter().map(|(id, nic)| shown(id, nic, zone)).collect()
}

fn shown(id: &str, nic: &PrivateNic, zone: &str) -> Value {
    json!({
        "id": id,
        "private_network_id": nic.network,
        "server_id": nic.server,
        "mac_address": nic.mac_address(),
        "state": nic.state_word(),
        "creation_date": offset(nic.created),
        "zone": zone,
        "tags": nic.tags,
        "ipam_ip_ids": nic.addresses,
    })
}

/// The NIC of a server by its id, or by its MAC address.
fn find(truth: &Truth, args: &Args) -> Result<(String, PrivateNic), Answer> {
    servers::find(truth, args.zone, args.id)?;
    let found = of(truth, args.id).into_iter().find(|(id, nic)| id == args.key || nic.mac_address() == args.key);
    found.ok_or_else(|| Answer::not_found("instance_private_nic", args.key))
}

/// GET `servers/{id}/private_nics`.
pub fn list(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    servers::find(truth, args.zone, args.id)?;
    let tags = args.request.commas("tags");
    let nics = of(truth, args.id).into_iter().filter(|(_, nic)| super::show::has_all(&nic.tags, &tags));
    let items = nics.map(|(id, nic)| shown(&id, &nic, args.zone)).collect();
    Ok(header_page(args.request, "private_nics", &format!("/servers/{}/private_nics", args.id), items))
}

/// GET `servers/{id}/private_nics/{id}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (id, nic) = find(truth, args)?;
    Ok(Answer::ok(json!({"private_nic": shown(&id, &nic, args.zone)})))
}

/// POST `servers/{id}/private_nics`.
pub fn create(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let id = add(deed, args, &Fields::of(args.request)?)?;
    let object = deed.truth.scaleway.private_nics.get(&id).map(|nic| shown(&id, nic, args.zone));
    let location = format!("/instance/v1/zones/{}/servers/{}/private_nics/{id}", args.zone, args.id);
    Ok(Answer::json(201, json!({"private_nic": object})).with("location", location))
}

/// Gives a server a NIC; gives its id.
pub fn add(deed: &mut Deed, args: &Args, fields: &Fields) -> Result<String, Answer> {
    let (server, _) = servers::find(&deed.truth, args.zone, args.id)?;
    let running = server.state == ServerState::Running;
    let network = fields.needed("private_network_id")?.to_owned();
    if !is_uuid(&network) {
        return Err(invalid("private_network_id", "format", "not a valid UUID"));
    }
    if is_on(&deed.truth, args.id, &network) {
        return Err(not_usable("server is already attached to this private network"));
    }
    if of(&deed.truth, args.id).len() >= MOST {
        return Err(Answer::quota_exceeded("private_nics"));
    }
    let id = deed.mint("private nic");
    let mut addresses = fields.texts("ipam_ip_ids")?.unwrap_or_default();
    addresses.extend(fields.texts("ip_ids")?.unwrap_or_default());
    if addresses.is_empty() {
        addresses.push(uuid_of(deed.truth.seed, &["private address", &id]));
    }
    let nic = PrivateNic {
        server: args.id.to_owned(),
        network,
        mac: (fold(deed.truth.seed, &["private nic", &id]) & 0x00ff_ffff) as u32,
        tags: fields.texts("tags")?.unwrap_or_default(),
        addresses,
        syncing: running,
        created: deed.tick(),
    };
    if running {
        later(deed, SYNC_SECONDS, Change::Connected(id.clone()));
    }
    deed.truth.scaleway.private_nics.insert(id.clone(), nic);
    Ok(id)
}

/// PATCH `servers/{id}/private_nics/{id}`: its tags.
pub fn update(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let fields = Fields::of(args.request)?;
    let (id, mut nic) = find(&deed.truth, args)?;
    if let Some(tags) = patched_tags(&fields)? {
        nic.tags = tags;
    }
    let object = shown(&id, &nic, args.zone);
    deed.truth.scaleway.private_nics.insert(id, nic);
    Ok(Answer::ok(json!({"private_nic": object})))
}

/// DELETE `servers/{id}/private_nics/{id}`.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let (id, _) = find(&deed.truth, args)?;
    deed.truth.scaleway.private_nics.remove(&id);
    Ok(Answer::empty(204))
}
