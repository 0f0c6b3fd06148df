//! A world from a look at the account, for one instance.

use super::{Linode, events::History, rules, shot::List, wire};
use crate::{
    model::{
        Address, Cause, CopyStatus, Firewall, Id, Image, InstanceKey, LastHeld, Lock, OffBy, Origin, Power, Ran, Role, Root, Seed, Seen,
        Server, Stamp, Tags, Told, Volume, VolumeStatus, World, instance_tag,
    },
    provider::http::Request,
};
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// MiB in a GB of Linode's, which are GiB.
pub(crate) const MIB: u64 = 1024;
/// The tag of a Linode that says how large its root disk is, in GB: only a list of its disks shows it.
pub(crate) const ROOT_GB: &str = "gb";
/// The tag of an image that names the Linode whose disk it is of: the API does not.
pub(crate) const OF: &str = "of";

/// A Linode of ours with what its own lists say, where they were asked for.
struct Found {
    linode: wire::Linode,
    power: Power,
    root: Root,
    history: Option<History>,
}

impl Linode {
    pub(super) async fn look(&self, key: &InstanceKey) -> World {
        let tag = instance_tag(key);
        let shot = self.estate.shot().await;
        let ours = |tags: &[String]| tags.contains(&tag);
        let mut linodes = only(&shot.linodes, |it| ours(&it.tags));
        let mut volumes = only(&shot.volumes, |it| ours(&it.tags));
        let images = only(&shot.images, |it| ours(&it.tags) && it.kind == "manual");
        let ips = only(&shot.ips, |it| it.tags.as_deref().is_some_and(ours));
        if shot.ips.iter().flatten().any(|it| it.tags.is_none()) {
            self.memory().tagless = true;
        }
        let firewalls = only(&shot.firewalls, |it| ours(&it.tags) && it.status != "deleted");

        let mut elsewhere = BTreeSet::new();
        self.sort_out(&mut linodes, &mut elsewhere, |it| &it.region);
        self.sort_out(&mut volumes, &mut elsewhere, |it| &it.region);
        let mut ips = ips;
        self.sort_out(&mut ips, &mut elsewhere, |it| &it.region);

        let gone = self.find_holders(&mut linodes, &volumes, &ips, &tag).await;
        for ip in ips.iter_mut().flatten() {
            ip.linode_id.take_if(|it| gone.contains(&it.0));
        }
        let records = self.records_of_name().await;
        let captured = images.iter().flatten().filter(|it| it.status.as_deref() == Some("available"));
        let captured: Vec<Tags> = captured.map(|it| Tags(it.tags.clone())).collect();
        let found = self.complete(linodes, shot.now, &captured).await;
        let world_volumes = match &volumes {
            Ok(items) => Seen::listed(items.iter().map(|it| self.volume(it, found.as_ref().ok(), &gone)).collect()),
            Err(cause) => Seen::Unknown(cause.clone()),
        };
        let imaging: BTreeSet<&str> =
            found.iter().flatten().filter_map(|it| it.history.as_ref()).flat_map(|it| &it.imaging).map(String::as_str).collect();
        let images = seen(&images, |it| image(it, imaging.contains(it.id.0.as_str())));
        let strange = firewalls.iter().flatten().filter(|it| !matches!(it.status.as_str(), "enabled" | "disabled"));
        let strange = strange.map(|it| ("firewall".to_owned(), it.status.clone())).collect();
        let servers = match &found {
            Ok(items) => Seen::listed(items.iter().map(|it| server(it, &world_volumes, &ips, &firewalls)).collect()),
            Err(cause) => Seen::Unknown(cause.clone()),
        };
        World {
            now: shot.now,
            record: self.record(records, &firewalls, &servers, &ips),
            servers,
            volumes: world_volumes,
            snapshots: Seen::Absent,
            images,
            addresses: seen(&ips, address),
            firewalls: seen(&firewalls, firewall),
            elsewhere: Seen::listed(elsewhere.into_iter().collect()),
            strange,
        }
    }

    /// Takes what is in another region out of a list: the lists are of the whole account.
    fn sort_out<T>(&self, list: &mut List<T>, elsewhere: &mut BTreeSet<String>, region: fn(&T) -> &String) {
        let Ok(items) = list else { return };
        items.retain(|it| {
            let here = *region(it) == self.region;
            if !here {
                elsewhere.insert(region(it).clone());
            }
            here
        });
    }

    /// Adds Linodes of ours that hold our volumes or addresses and are not listed. The ids of those that are gone.
    async fn find_holders(
        &self,
        linodes: &mut List<wire::Linode>,
        volumes: &List<wire::Volume>,
        ips: &List<wire::Ip>,
        tag: &str,
    ) -> BTreeSet<String> {
        let mut gone = BTreeSet::new();
        let Ok(known) = &*linodes else { return gone };
        let of_volumes = volumes.iter().flatten().filter_map(|it| it.linode_id.as_ref());
        let holders = of_volumes.chain(ips.iter().flatten().filter_map(|it| it.linode_id.as_ref()));
        let holders: BTreeSet<String> = holders.filter(|id| known.iter().all(|it| it.id != **id)).map(|it| it.0.clone()).collect();
        let found =
            join_all(holders.iter().map(|id| async move { (id, self.find::<wire::Linode>(&format!("/linode/instances/{id}")).await) }));
        for (id, found) in found.await {
            match (found, &mut *linodes) {
                (Ok(Some(found)), Ok(linodes)) if found.tags.iter().any(|it| it == tag) => linodes.push(found),
                (Ok(Some(_)), _) => {}
                (Ok(None), _) => {
                    gone.insert(id.clone());
                }
                (Err(unread), _) => *linodes = Err(self.estate.client.cause(&unread)),
            }
        }
        gone
    }

    /// Adds to each Linode what only its own lists say.
    async fn complete(&self, linodes: List<wire::Linode>, now: Stamp, captured: &[Tags]) -> List<Found> {
        let found = linodes?.into_iter().map(|linode| self.complete_one(linode, now, captured));
        join_all(found).await.into_iter().collect()
    }

    async fn complete_one(&self, linode: wire::Linode, now: Stamp, captured: &[Tags]) -> Result<Found, Cause> {
        let tags = Tags(linode.tags.clone());
        let root = match tags.get(ROOT_GB).and_then(|it| it.parse().ok()) {
            Some(size_gb) => Root::Local { size_gb },
            None => self.root_of(&linode.id.0).await?,
        };
        let power = self.power(&linode, now);
        let is_off = power == Power::Off;
        // Who keeps a server off, and needs no capture of it, asks for nothing that only events tell.
        let wanted = is_off && !(self.keeps_off && (!self.captures || self.has_capture(&linode.id.0, &tags, captured)));
        let history = match wanted {
            true => Some(self.history(&linode, now).await?),
            false => None,
        };
        let mut history = history;
        let refused = self.memory().failed.get(&linode.id.0).cloned();
        if let Some(history) = &mut history
            && refused.as_ref().is_some_and(|it| history.failed_capture.as_ref().is_none_or(|other| other.at < it.at))
        {
            history.failed_capture = refused;
        }
        if !is_off {
            self.memory().off.remove(&linode.id.0);
        }
        Ok(Found { linode, power, root, history })
    }

    /// Whether a volume was told a moment ago to leave its Linode.
    pub(super) fn is_leaving(&self, volume: &str, linode: &str, now: Stamp) -> bool {
        self.memory().is_leaving(volume, linode, now)
    }

    /// Whether a Linode runs. Right after an order to it, its status is still the old one.
    pub(super) fn power(&self, it: &wire::Linode, now: Stamp) -> Power {
        /// Seconds until an order shows.
        const SHOWS: u64 = 15;
        let ordered = self.memory().ordered.get(&it.id.0).copied().filter(|(_, at)| now < at.plus_seconds(SHOWS));
        match (power(&it.status), ordered) {
            (Power::Running, Some((true, _))) => Power::Stopping,
            (Power::Off, Some((false, _))) => Power::Starting,
            (power, _) => power,
        }
    }

    /// Whether a Linode's root disk has a capture, and is of the image that the wish names.
    fn has_capture(&self, linode: &str, tags: &Tags, captured: &[Tags]) -> bool {
        let line = tags.line().unwrap_or(linode);
        let is_its = |it: &Tags| it.line() == Some(line) && it.get("img") == tags.get("img");
        let outdated = self.named_image.as_ref().is_some_and(|named| tags.get("img").is_some_and(|born| born != named));
        captured.iter().any(is_its) && !outdated
    }

    async fn root_of(&self, linode: &str) -> Result<Root, Cause> {
        let list = Request::get(format!("/linode/instances/{linode}/disks"));
        let disks = self.estate.client.list::<wire::Disk>(&list).await.map_err(|unread| self.estate.client.cause(&unread))?;
        let largest = disks.items.iter().filter(|it| it.filesystem != "swap").map(|it| it.size).max();
        Ok(largest.map_or(Root::Detached, |mib| Root::Local { size_gb: mib.div_ceil(MIB) }))
    }

    /// What the events say of a Linode that is off; without leave to read them, what this process saw itself.
    async fn history(&self, linode: &wire::Linode, now: Stamp) -> Result<History, Cause> {
        let events = self.estate.events_of(&linode.id.0).await.map_err(|unread| self.estate.client.cause(&unread))?;
        Ok(match events {
            Some(events) => self.as_seen(&linode.id.0, History::of(events, linode.created.0, now), now),
            None => {
                let quiet_since = self.seen_off(&linode.id.0, now);
                History { quiet_since, busy: false, imaging: Vec::new(), failed_capture: None, off_by: None }
            }
        })
    }

    /// What events say of a Linode that is off. When a guest shuts itself down, no event says so: then it is off since
    /// this process saw it, unless an event says that it ran again.
    pub(super) fn as_seen(&self, linode: &str, mut history: History, now: Stamp) -> History {
        if history.off_by == Some(OffBy::Guest) && !history.busy {
            let mut memory = self.memory();
            let since = memory.off.get(linode).map(|(since, _)| *since).filter(|since| history.quiet_since <= *since);
            let since = since.unwrap_or(now);
            memory.off.insert(linode.to_owned(), (since, now));
            history.quiet_since = history.quiet_since.max(since);
        }
        history
    }

    /// Since when this process sees a Linode off without a gap in which somebody could have run it.
    pub(super) fn seen_off(&self, linode: &str, now: Stamp) -> Stamp {
        // 30 seconds: booting and shutting down takes longer than that (recorded: 24 and 28 seconds).
        let longest_gap = self.capabilities.pace.longest.mul_f64(2.0 * self.capabilities.speed).as_secs();
        let mut memory = self.memory();
        let (since, last) = memory.off.get(linode).copied().unwrap_or((now, now));
        let since = if now > last.plus_seconds(longest_gap) { now } else { since };
        memory.off.insert(linode.to_owned(), (since, last.max(now)));
        since
    }

    fn volume(&self, it: &wire::Volume, linodes: Option<&Vec<Found>>, gone: &BTreeSet<String>) -> Volume {
        let tags = Tags(it.tags.clone());
        let holder = it.linode_id.as_ref().map(|it| it.0.clone());
        let now = self.estate.client.now();
        let mut memory = self.memory();
        let detaching = match &holder {
            None => {
                memory.detaching.remove(&it.id.0);
                false
            }
            Some(holder) => gone.contains(holder) || memory.is_leaving(&it.id.0, holder, now),
        };
        let runs = linodes.into_iter().flatten().any(|found| Some(&found.linode.id.0) == holder.as_ref() && found.power == Power::Running);
        let status = match volume_status(&it.status, holder.is_some()) {
            VolumeStatus::InUse if detaching => VolumeStatus::Detaching,
            // Attached, and the guest cannot use it yet.
            VolumeStatus::InUse if runs && it.io_ready == Some(false) => VolumeStatus::Busy,
            status => status,
        };
        let is_data = tags.role() == Some(Role::Data);
        Volume {
            id: Id::new(it.id.0.as_str()),
            name: it.label.clone(),
            size_gb: it.size,
            status,
            attached_to: holder.map(Id::new),
            created: it.created.0,
            last_held: LastHeld::Untold,
            origin: if is_data { Origin::Empty } else { Origin::Untold },
            iops: None,
            tags,
        }
    }
}

fn only<T: Clone>(list: &List<T>, mut wanted: impl FnMut(&T) -> bool) -> List<T> {
    let list = list.as_ref().map_err(Clone::clone)?;
    Ok(list.iter().filter(|it| wanted(it)).cloned().collect())
}

fn seen<W, T>(list: &List<W>, read: impl Fn(&W) -> T) -> Seen<Vec<T>> {
    match list {
        Ok(items) => Seen::listed(items.iter().map(read).collect()),
        Err(cause) => Seen::Unknown(cause.clone()),
    }
}

fn server(found: &Found, volumes: &Seen<Vec<Volume>>, ips: &List<wire::Ip>, firewalls: &List<wire::Firewall>) -> Server {
    let it = &found.linode;
    let mine = |id: &Option<wire::Key>| id.as_ref() == Some(&it.id);
    let reserved = ips.iter().flatten().find(|ip| mine(&ip.linode_id));
    let own = it.ipv4.iter().find(|address| is_public(address) && reserved.is_none_or(|ip| ip.address != **address));
    // Where interfaces have firewalls of their own, an entity is the interface, and names its Linode.
    let is_it = |entity: &wire::Entity| {
        let parent = entity.parent_entity.as_deref();
        [Some(entity), parent].into_iter().flatten().any(|it| it.kind == "linode" && mine(&it.id))
    };
    let behind = |wall: &&wire::Firewall| wall.entities.iter().any(is_it);
    let firewall = firewalls.iter().flatten().find(behind);
    let held = volumes
        .items()
        .iter()
        .filter(|volume| volume.status != VolumeStatus::Detaching && volume.attached_to.as_ref().is_some_and(|id| id.as_str() == it.id.0));
    let history = found.history.as_ref();
    let power = match found.power.clone() {
        Power::Off if history.is_some_and(|it| it.busy) => Power::Busy,
        power => power,
    };
    Server {
        id: Id::new(it.id.0.as_str()),
        name: it.label.clone(),
        machine_type: it.kind.clone().unwrap_or_default(),
        created: it.created.0,
        root: found.root.clone(),
        volumes: held.map(|it| it.id.clone()).collect(),
        address: reserved.map(|it| Id::new(it.address.as_str())),
        firewall: firewall.map(|it| Id::new(it.id.0.as_str())),
        off_since: history.filter(|_| power == Power::Off).map(|it| it.quiet_since),
        ran: Ran::Maybe,
        seed: Seed::Untold,
        locked: false,
        told: Told {
            own_address: own.filter(|_| reserved.is_none()).cloned(),
            ssh_port: None,
            watchdog: Some(it.watchdog_enabled),
            failed_capture: history.and_then(|it| it.failed_capture.clone()),
            off_by: history.filter(|_| power == Power::Off).and_then(|it| it.off_by.clone()),
        },
        power,
        tags: Tags(it.tags.clone()),
    }
}

/// Private addresses of Linode are in 192.168.0.0/16.
fn is_public(address: &str) -> bool {
    address.parse::<std::net::Ipv4Addr>().is_ok_and(|it| !it.is_private())
}

/// The states that the API documents, and those that its official clients know beside them.
pub(super) fn power(status: &str) -> Power {
    match status {
        "running" => Power::Running,
        "offline" => Power::Off,
        "booting" | "rebooting" => Power::Starting,
        "shutting_down" => Power::Stopping,
        "deleting" => Power::Deleting,
        "provisioning" | "busy" | "migrating" | "rebuilding" | "cloning" | "restoring" | "resizing" => Power::Busy,
        // The platform's own halt, not the usual off.
        "stopped" => Power::Locked(Lock::Maintenance),
        "billing_suspension" => Power::Locked(Lock::Bill),
        other => Power::Unknown(other.to_owned()),
    }
}

pub(super) fn volume_status(status: &str, held: bool) -> VolumeStatus {
    match status {
        "creating" => VolumeStatus::Creating,
        "active" if held => VolumeStatus::InUse,
        "active" => VolumeStatus::Available,
        "resizing" | "key_rotating" | "migrating" => VolumeStatus::Busy,
        "deleting" => VolumeStatus::Deleting,
        other => VolumeStatus::Unknown(other.to_owned()),
    }
}

/// An image is complete when it says so and the job that writes it is over; one that fails vanishes.
pub(super) fn image_status(status: Option<&str>, imaging: bool) -> CopyStatus {
    match status {
        Some("available") if imaging => CopyStatus::Creating,
        Some("available") => CopyStatus::Ready,
        Some("creating" | "pending_upload") => CopyStatus::Creating,
        Some("deleting" | "pending_deletion") => CopyStatus::Deleting,
        other => CopyStatus::Unknown(other.unwrap_or("without a status").to_owned()),
    }
}

pub(super) fn image(it: &wire::Image, imaging: bool) -> Image {
    let tags = Tags(it.tags.clone());
    Image {
        id: Id::new(it.id.0.as_str()),
        name: it.label.clone(),
        of: Id::new(tags.get(OF).unwrap_or_default()),
        size_gb: it.size.div_ceil(MIB),
        status: image_status(it.status.as_deref(), imaging),
        created: it.created.0,
        tags,
    }
}

fn address(it: &wire::Ip) -> Address {
    let tags = Tags(it.tags.clone().unwrap_or_default());
    Address {
        id: Id::new(it.address.as_str()),
        address: it.address.clone(),
        server: it.linode_id.as_ref().map(|it| Id::new(it.0.as_str())),
        created: tags.birth(),
        tags,
    }
}

fn firewall(it: &wire::Firewall) -> Firewall {
    Firewall {
        id: Id::new(it.id.0.as_str()),
        name: it.label.clone(),
        shut: it.status == "enabled" && it.rules.inbound_policy == "DROP" && it.rules.outbound_policy == "ACCEPT",
        rules: rules::read(&it.rules),
        created: it.created.0,
        tags: Tags(it.tags.clone()),
    }
}
