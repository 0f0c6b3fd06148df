//! From what Scaleway shows to a world: every state it documents, and whatever else as unknown.

use super::{
    super::client::{Kind, Refused},
    Scaleway,
    client::{Listed, Unread},
    shot::{List, Shot},
    wire,
};
use crate::{
    model::{
        Address, Cause, CopyStatus, DELETED, Firewall, Id, LastHeld, Lock, Origin, Power, Ran, Record, Role, Root, Seed, Seen, Server,
        Snapshot, Stamp, Tags, Told, Volume, VolumeStatus, World,
    },
    provider::http::Request,
};
use futures_util::future::{join, join_all};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes in a GB.
pub(crate) const GB: u64 = 1_000_000_000;

impl Scaleway {
    pub(super) async fn look(&self) -> World {
        let (shot, records) = join(self.zone.shot(), self.records_of_name()).await;
        let mut servers: List<wire::Server> = only(&shot.servers, |it| self.is_ours(&it.project, &it.tags));
        let mut volumes: List<wire::Volume> = only(&shot.volumes, |it| self.is_ours(&it.project_id, &it.tags));
        let snapshots = only(&shot.snapshots, |it| self.is_ours(&it.project_id, &it.tags));
        let mut ips = only(&shot.ips, |it| self.is_our_address(it));
        let mut groups = only(&shot.groups, |it| self.is_ours(&it.project, &it.tags));
        self.search_again(&mut servers, &mut ips, &mut groups).await;
        self.complete(&mut servers, &mut volumes, &mut ips).await;
        servers.iter().flatten().for_each(|it| self.note_running(it));
        let firewalls = self.firewalls(&groups).await;
        let seeds = self.seeds(&servers).await;
        let strange = strange(ips.iter().flatten(), groups.iter().flatten());
        let here = |tags: &[String]| !tags.iter().any(|it| it == DELETED);
        let copies = snapshots.as_ref().is_ok_and(|it| !it.iter().any(|it| here(&it.tags)));
        let nothing = nothing(&servers) && nothing(&volumes) && copies && nothing(&ips);
        let elsewhere = self.elsewhere(shot.now, nothing, self.foreign(&shot)).await;
        let our_ips: BTreeSet<&str> = ips.iter().flatten().map(|it| it.id.as_str()).collect();
        World {
            now: shot.now,
            servers: match seeds {
                Ok(seeds) => seen(servers, |it| server(it, seeds.get(&it.id).copied().unwrap_or(Seed::Untold), &our_ips)),
                Err(cause) => Seen::Unknown(cause),
            },
            volumes: seen(volumes, volume),
            snapshots: seen(snapshots, snapshot),
            images: Seen::Absent,
            addresses: seen(ips.clone(), address),
            firewalls,
            elsewhere,
            record: self.record(records, &ips),
            strange,
        }
    }

    /// Whether something is this instance's: in its project, and tagged so.
    fn is_ours(&self, project: &str, tags: &[String]) -> bool {
        project == self.project && tags.contains(&self.mark)
    }

    /// The instance has an IPv4 address of its own; one of the other kind is nobody's but the owner's.
    fn is_our_address(&self, it: &wire::Ip) -> bool {
        self.is_ours(&it.project, &it.tags) && it.kind != "routed_ipv6"
    }

    /// The other projects that hold something of this instance: told, and touched by nobody who means this one. A copy
    /// that was kept on deletion binds a new instance to nothing.
    fn foreign(&self, shot: &Shot) -> BTreeSet<String> {
        let mut projects = BTreeSet::new();
        let mut note = |project: &str, tags: &[String]| {
            if project != self.project && tags.contains(&self.mark) && !tags.iter().any(|it| it == DELETED) {
                projects.insert(format!("project {project}"));
            }
        };
        shot.servers.iter().flatten().for_each(|it| note(&it.project, &it.tags));
        shot.volumes.iter().flatten().for_each(|it| note(&it.project_id, &it.tags));
        shot.snapshots.iter().flatten().for_each(|it| note(&it.project_id, &it.tags));
        shot.ips.iter().flatten().for_each(|it| note(&it.project, &it.tags));
        shot.groups.iter().flatten().for_each(|it| note(&it.project, &it.tags));
        projects
    }

    /// Lists of a fleet ask for the tag that all carry. Before something is made in place of what lost that tag, or all
    /// of an instance is deleted, the instance's own is asked for.
    async fn search_again(&self, servers: &mut List<wire::Server>, ips: &mut List<wire::Ip>, groups: &mut List<wire::Group>) {
        if !self.zone.is_wide() || !(self.keeps_server || self.deleting) {
            return;
        }
        let list = |what: &str| Request::get(self.zone.instance(what)).with("tags", self.mark.as_str());
        let client = &self.zone.client;
        if self.deleting || nothing(servers) {
            let found = client.instance_list(&list("servers"), |it: wire::Servers| it.servers).await;
            *servers = self.listed(found, |it| self.is_ours(&it.project, &it.tags));
        }
        if self.deleting || nothing(ips) {
            let found = client.instance_list(&list("ips"), |it: wire::Ips| it.ips).await;
            *ips = self.listed(found, |it| self.is_our_address(it));
        }
        if self.deleting || nothing(groups) {
            let found = client.instance_list(&list("security_groups"), |it: wire::Groups| it.security_groups).await;
            *groups = self.listed(found, |it| self.is_ours(&it.project, &it.tags));
        }
    }

    fn listed<T>(&self, found: Result<Listed<T>, Unread>, wanted: impl Fn(&T) -> bool) -> List<T> {
        found.map(|it| it.items.into_iter().filter(|it| wanted(it)).collect()).map_err(|unread| self.cause(&unread))
    }

    /// Adds what lists do not show: the volumes of our servers that carry no tag, and, where a list lags, the
    /// servers of ours that hold our volumes or addresses. These may say for a moment that a server has them which is gone.
    async fn complete(&self, servers: &mut List<wire::Server>, volumes: &mut List<wire::Volume>, ips: &mut List<wire::Ip>) {
        let (Ok(known), Ok(listed), Ok(reserved)) = (&*servers, &*volumes, &*ips) else { return };
        let holders = listed.iter().flat_map(holder).chain(reserved.iter().filter_map(|it| Some(it.server.as_ref()?.id.as_str())));
        let holders = holders.filter(|id| known.iter().all(|it| it.id != **id));
        let holders: BTreeSet<String> = holders.map(str::to_owned).collect();
        let found = join_all(holders.iter().map(|id| {
            let request = Request::get(self.zone.instance(&format!("servers/{id}")));
            async move { (id, self.zone.client.find::<wire::InServer>(&request).await) }
        }));
        for (id, found) in found.await {
            match found {
                Ok(Some(found)) => {
                    if let Ok(servers) = servers
                        && self.is_ours(&found.server.project, &found.server.tags)
                    {
                        servers.push(found.server);
                    }
                }
                Ok(None) => {
                    volumes.iter_mut().flatten().for_each(|it| it.references.retain(|it| it.product_resource_id != *id));
                    ips.iter_mut().flatten().for_each(|it| it.server = it.server.take().filter(|it| it.id != *id));
                }
                Err(unread) => *servers = Err(self.cause(&unread)),
            }
        }
        let (Ok(known), Ok(listed)) = (&*servers, &*volumes) else { return };
        let held = known.iter().flat_map(|it| it.volumes.values()).map(|it| it.id.clone());
        let untagged: BTreeSet<String> = held.filter(|id| listed.iter().all(|it| it.id != *id)).collect();
        let found = join_all(untagged.iter().map(|id| {
            let request = Request::get(self.zone.block(&format!("volumes/{id}")));
            async move { self.zone.client.find::<wire::Volume>(&request).await }
        }));
        for found in found.await {
            match (found, &mut *volumes) {
                (Ok(Some(found)), Ok(volumes)) => volumes.push(found),
                (Ok(_), _) => {}
                (Err(unread), _) => *volumes = Err(self.cause(&unread)),
            }
        }
    }

    async fn firewalls(&self, groups: &List<wire::Group>) -> Seen<Vec<Firewall>> {
        let groups = match groups {
            Ok(groups) => groups,
            Err(cause) => return Seen::Unknown(cause.clone()),
        };
        let rules = match self.zone.rules.rules(&self.zone.client, &self.zone.name, groups.iter()).await {
            Ok(rules) => rules,
            // One went away after it was listed: the next look tells.
            Err(Unread::Refused(refusal)) if refusal.kind() == Kind::Gone => return Seen::Unknown(Cause::Passing(refusal.said())),
            Err(unread) => return Seen::Unknown(self.cause(&unread)),
        };
        let firewalls = groups.iter().map(|it| Firewall {
            id: Id::new(it.id.as_str()),
            name: it.name.clone(),
            shut: it.inbound_default_policy == "drop" && it.outbound_default_policy == "accept" && it.stateful,
            rules: rules.get(&it.id).cloned().unwrap_or_default(),
            created: it.creation_date.0,
            tags: Tags(it.tags.clone()),
        });
        Seen::listed(firewalls.collect())
    }

    /// What each server that is off, and is to start, has for its first boot; of others nothing is asked.
    async fn seeds(&self, servers: &List<wire::Server>) -> Result<BTreeMap<String, Seed>, Cause> {
        let mut seeds = BTreeMap::new();
        for server in servers.iter().flatten().filter(|it| self.starts && power(&it.state) == Power::Off) {
            let request = Request::get(self.zone.instance(&format!("servers/{}/user_data", server.id)));
            let keys: Option<wire::UserData> = self.zone.client.find(&request).await.map_err(|it| self.cause(&it))?;
            let set = keys.is_some_and(|it| it.user_data.iter().any(|key| key == "cloud-init"));
            seeds.insert(server.id.clone(), if set { Seed::Set } else { Seed::Missing });
        }
        Ok(seeds)
    }

    /// Where else the instance lives: in another project of the same zone, or in another zone. Other zones are asked
    /// only where this one holds nothing of it, and on deletion.
    async fn elsewhere(&self, now: Stamp, nothing: bool, foreign: BTreeSet<String>) -> Seen<Vec<String>> {
        let mut places = foreign;
        if nothing || self.deleting {
            match self.zone.elsewhere(&self.mark, now).await {
                Ok(zones) => places.extend(zones),
                Err(cause) => return Seen::Unknown(cause),
            }
        }
        Seen::listed(places.into_iter().collect())
    }

    /// The records of the spec's DNS name. Without one in the spec, nothing is asked.
    async fn records_of_name(&self) -> Result<Vec<wire::Record>, Cause> {
        let Some(dns) = &self.dns else { return Ok(Vec::new()) };
        let path = format!("/domain/v2beta1/dns-zones/{}/records", dns.zone);
        let request = Request::get(path).with("name", dns.record.clone()).with("type", "A");
        match self.zone.client.find::<wire::Records>(&request).await {
            Ok(Some(found)) => Ok(found.records),
            Ok(None) => Err(Cause::Lasting {
                answer: format!("there is no DNS zone {} in this account", dns.zone),
                remedy: format!("make the zone {} at https://console.scaleway.com/domains, or take network.dns out of the spec", dns.zone),
            }),
            Err(unread) => Err(self.cause(&unread)),
        }
    }

    fn record(&self, records: Result<Vec<wire::Record>, Cause>, ips: &List<wire::Ip>) -> Seen<Record> {
        let records = match records {
            Ok(records) if records.is_empty() => return Seen::Absent,
            Ok(records) => records,
            Err(cause) => return Seen::Unknown(cause),
        };
        let own: Vec<&str> = ips.iter().flatten().filter_map(|it| it.address.as_deref()).collect();
        Seen::Present(Record {
            ours: records.iter().all(|it| self.is_our_record(it, &own)),
            ttl: records.iter().map(|it| it.ttl).max().unwrap_or(0),
            addresses: records.into_iter().map(|it| it.data).collect(),
            id: None,
        })
    }

    pub(super) fn cause(&self, unread: &Unread) -> Cause {
        unread.cause(&self.zone.name, &self.zone.client)
    }
}

fn only<T: Clone>(list: &List<T>, mut wanted: impl FnMut(&T) -> bool) -> List<T> {
    let list = list.as_ref().map_err(Clone::clone)?;
    let mut items: Vec<T> = list.iter().filter(|it| wanted(it)).cloned().collect();
    items.shrink_to_fit();
    Ok(items)
}

fn nothing<T>(list: &List<T>) -> bool {
    list.as_ref().is_ok_and(Vec::is_empty)
}

fn seen<W, T>(list: List<W>, read: impl Fn(&W) -> T) -> Seen<Vec<T>> {
    match list {
        Ok(items) => Seen::listed(items.iter().map(read).collect()),
        Err(cause) => Seen::Unknown(cause),
    }
}

/// A server. One that never ran was not modified since its creation: recorded traffic shows that every power action
/// moves `modification_date`, while user data and attachments do not.
fn server(it: &wire::Server, seed: Seed, our_ips: &BTreeSet<&str>) -> Server {
    let power = power(&it.state);
    let untouched = it.creation_date.0 == it.modification_date.0;
    let root = it.volumes.get("0").map_or(Root::Detached, |held| Root::Volume(Id::new(held.id.as_str())));
    let ips = it.public_ips.iter().map(|it| it.id.as_str());
    let address = ips.clone().find(|id| our_ips.contains(id)).or(ips.clone().next());
    Server {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        machine_type: it.commercial_type.clone(),
        created: it.creation_date.0,
        root,
        volumes: it.volumes.values().map(|held| Id::new(held.id.as_str())).collect(),
        address: address.map(Id::new),
        firewall: it.security_group.as_ref().map(|it| Id::new(it.id.as_str())),
        // Whatever modified it since, it was off before that.
        off_since: (power == Power::Off).then_some(it.modification_date.0),
        ran: if power == Power::Off && untouched { Ran::Never } else { Ran::Maybe },
        power,
        seed,
        locked: it.protected,
        told: Told::default(),
        tags: Tags(it.tags.clone()),
    }
}

/// The states that the API documents. `stopped in place` holds the machine and is billed: it is not off.
pub(super) fn power(state: &str) -> Power {
    match state {
        "stopped" => Power::Off,
        "starting" => Power::Starting,
        "running" => Power::Running,
        "stopping" => Power::Stopping,
        "stopped in place" => Power::StoppedInPlace,
        "locked" => Power::Locked(Lock::Vendor),
        other => Power::Unknown(other.to_owned()),
    }
}

/// What is in a state that the planner has no word for: its kind and id, and the state.
pub(super) fn strange<'w>(ips: impl Iterator<Item = &'w wire::Ip>, groups: impl Iterator<Item = &'w wire::Group>) -> Vec<(String, String)> {
    let known_ip = |state: &str| ["attached", "detached", "pending"].contains(&state);
    let known_group = |state: &str| ["available", "syncing"].contains(&state);
    let ips = ips.filter(|it| !known_ip(&it.state)).map(|it| (format!("address {}", it.id), it.state.clone()));
    let groups = groups.filter(|it| !known_group(&it.state)).map(|it| (format!("firewall {}", it.id), it.state.clone()));
    ips.chain(groups).collect()
}

/// The server that holds a volume, or is letting it go.
fn holder(it: &wire::Volume) -> Option<&str> {
    let by_server = it.references.iter().find(|it| it.product_resource_type == "instance_server" && it.status != "detached");
    by_server.map(|it| it.product_resource_id.as_str())
}

pub(super) fn volume(it: &wire::Volume) -> Volume {
    let tags = Tags(it.tags.clone());
    let leaving = it.references.iter().any(|it| it.status == "detaching");
    let status = match it.status.as_str() {
        "creating" => VolumeStatus::Creating,
        // A reference of another kind shows for an instant while the volume is handed over.
        "available" if it.references.iter().all(|it| it.status == "detached") => VolumeStatus::Available,
        "available" => VolumeStatus::Busy,
        "in_use" if leaving || it.references.is_empty() => VolumeStatus::Detaching,
        "in_use" => VolumeStatus::InUse,
        "resizing" | "updating" | "snapshotting" => VolumeStatus::Busy,
        "deleting" | "deleted" => VolumeStatus::Deleting,
        "error" => VolumeStatus::Error,
        other => VolumeStatus::Unknown(other.to_owned()),
    };
    // Scaleway may forget a parent that is deleted. A data disk born empty never had a line of descent before.
    let origin = match &it.parent_snapshot_id {
        Some(parent) => Origin::Snapshot(Id::new(parent.as_str())),
        None if tags.role() == Some(Role::Data) && tags.line().is_none() => Origin::Empty,
        None => Origin::Untold,
    };
    Volume {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        size_gb: it.size.div_ceil(GB),
        status,
        attached_to: holder(it).map(Id::new),
        created: it.created_at.0,
        last_held: it.last_detached_at.map_or(LastHeld::Never, |it| LastHeld::Until(it.0)),
        origin,
        iops: it.specs.as_ref().and_then(|it| it.perf_iops),
        tags,
    }
}

pub(super) fn snapshot(it: &wire::Snapshot) -> Snapshot {
    let status = match it.status.as_str() {
        // While it is exported it cannot be restored from, and will be again.
        "creating" | "exporting" => CopyStatus::Creating,
        "available" | "in_use" => CopyStatus::Ready,
        "deleting" | "deleted" => CopyStatus::Deleting,
        "error" => CopyStatus::Failed,
        other => CopyStatus::Unknown(other.to_owned()),
    };
    Snapshot {
        id: Id::new(it.id.as_str()),
        name: it.name.clone(),
        // Null once the volume is gone: then no volume is called so.
        of: Id::new(it.parent_volume.as_ref().map_or("", |it| it.id.as_str())),
        size_gb: it.size.div_ceil(GB),
        status,
        created: it.created_at.0,
        tags: Tags(it.tags.clone()),
    }
}

fn address(it: &wire::Ip) -> Address {
    let tags = Tags(it.tags.clone());
    Address {
        id: Id::new(it.id.as_str()),
        address: it.address.clone().unwrap_or_default(),
        server: it.server.as_ref().map(|it| Id::new(it.id.as_str())),
        created: tags.birth(),
        tags,
    }
}
