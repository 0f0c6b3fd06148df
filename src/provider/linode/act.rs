//! Steps, as calls: one call that changes something each, and what must be read before it.

use super::{
    Linode,
    client::{Changed, Unread},
    events::History,
    labels::{IMAGE, LINODE, SHORT, label},
    look::{self, OF, power},
    rules, wire,
};
use crate::{
    model::{Awaited, CopyStatus, FailedCapture, Id, LocalDisk, Object, Power, Role, Server, Step, Tags, Volume},
    provider::{
        Problem,
        client::{Kind, Refused},
        http::Request,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

impl Linode {
    pub(super) async fn act(&self, step: &Step) -> Result<String, Problem> {
        let client = &self.estate.client;
        match step {
            Step::ReserveAddress { tags } => self.reserve(tags).await,
            Step::CreateFirewall { name, tags } => {
                let rules = json!({"inbound": [], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"});
                let label = label(name, SHORT);
                let body = json!({"label": label, "rules": rules, "tags": tags.0});
                self.make_named("/networking/firewalls", body, &label).await
            }
            Step::ShutFirewall(id) => self.shut(id.as_str()).await,
            Step::SetRules { firewall, rules } => self.set_rules(firewall.as_str(), rules::grouped(rules)).await,
            Step::CreateVolume(new) => {
                if new.from.is_some() {
                    return Err(unable("make a volume from a snapshot"));
                }
                let label = label(&new.name, SHORT);
                let body = json!({"label": label, "size": new.size_gb, "region": self.region, "tags": new.tags.0});
                self.make_named("/volumes", body, &label).await
            }
            Step::CreateServer(new) => self.create_server(new).await,
            Step::Retag { object, tags, name } => self.retag(object, tags, name.as_deref()).await,
            Step::SetWatchdog { server, on } => {
                self.put(format!("/linode/instances/{server}"), json!({"watchdog_enabled": on}), server.as_str()).await
            }
            Step::StartServer(id) => self.switch(id, &[Power::Running, Power::Starting], "boot", json!({})).await,
            Step::StopServer(id) => self.switch(id, &[Power::Off, Power::Stopping], "shutdown", json!({})).await,
            Step::Attach { server, volume, role: Role::Data } => {
                // The list that showed it free may have been old.
                let is_there = self.holder(volume).await?.is_some_and(|it| it == server.as_str());
                if is_there && !self.is_leaving(volume.as_str(), server.as_str(), client.now()) {
                    return Ok(volume.to_string());
                }
                let body = json!({"linode_id": number(server.as_str()), "persist_across_boots": true});
                client.change(&Request::post(format!("/volumes/{volume}/attach"), body)).await?;
                Ok(volume.to_string())
            }
            Step::Detach { server, volumes } => self.detach(server, volumes).await,
            Step::Grow { volume, size_gb } => {
                client.change(&Request::post(format!("/volumes/{volume}/resize"), json!({"size": size_gb}))).await?;
                Ok(volume.to_string())
            }
            Step::AssignFirewall { server, firewall } => {
                let body = json!({"id": number(server.as_str()), "type": "linode"});
                client.change(&Request::post(format!("/networking/firewalls/{firewall}/devices"), body)).await?;
                Ok(firewall.to_string())
            }
            Step::ChangeType { server, machine_type } => {
                let body = json!({"type": machine_type, "allow_auto_disk_resize": false, "migration_type": "cold"});
                client.change(&Request::post(format!("/linode/instances/{server}/resize"), body)).await?;
                Ok(server.to_string())
            }
            Step::SetRecord { address } => self.set_record(address).await,
            Step::DeleteRecord { addresses } => self.delete_record(addresses).await,
            Step::CaptureImage { disk, name, tags } => self.capture(disk.disk(), name, tags).await,
            Step::DeleteServer { server, off, .. } => self.delete_server(server, *off).await,
            Step::DeleteVolume(spared) => self.delete(format!("/volumes/{}", spared.disk()), spared.disk().as_str()).await,
            Step::DeleteImage(copy) => self.delete(image_path(copy.copy().as_str()), copy.copy().as_str()).await,
            Step::ReleaseAddress(id) => self.delete(format!("/networking/reserved/ips/{id}"), id.as_str()).await,
            Step::DeleteFirewall(id) => self.delete(format!("/networking/firewalls/{id}"), id.as_str()).await,
            Step::Configure { .. } => Err(unable("run a configuration")),
            Step::AssignAddress { .. } => Err(unable("give a Linode another address")),
            Step::Attach { role: Role::Root, .. } => Err(unable("boot from a volume")),
            Step::SeedServer(_) | Step::Tune { .. } | Step::TakeSnapshot { .. } | Step::DeleteSnapshot(_) => {
                Err(unable("work with snapshots, or what a volume does in a second"))
            }
        }
    }

    /// Reserves an address, where the account may and can tell afterwards whose it is. Whoever cannot goes on without.
    async fn reserve(&self, tags: &Tags) -> Result<String, Problem> {
        let client = &self.estate.client;
        let refused = |answer: String| Problem::Refused { answer, remedy: None };
        if self.only_new_interfaces().await? {
            return Err(refused("this account's Linodes take reserved addresses only by hand (interfaces of the new kind)".to_owned()));
        }
        // What was reserved and cannot be known again goes before anything is reserved.
        if self.memory().tagless {
            let ours = self.memory().reserved.clone();
            self.memory().untagged.extend(ours);
        }
        loop {
            let Some(address) = self.memory().untagged.last().cloned() else { break };
            client.delete(format!("/networking/reserved/ips/{address}")).await?;
            self.memory().untagged.pop();
            self.memory().tagless = true;
        }
        if self.memory().tagless {
            return Err(refused("reserved addresses carry no tags here: nobody would know it again".to_owned()));
        }
        let body = json!({"region": self.region, "tags": tags.clone().born(client.now()).0});
        let reply = match client.change(&Request::post("/networking/reserved/ips", body)).await {
            // Not every account may reserve addresses.
            Err(Changed::Refused(refusal)) if matches!(refusal.kind(), Kind::Gone | Kind::Invalid) => {
                return Err(refused(refusal.said()));
            }
            // That passes: it says nothing of the account.
            Err(Changed::Refused(refusal)) if refusal.is_maintenance() => {
                return Err(Problem::NotDone { answer: refusal.said(), pause: None });
            }
            reply => reply?,
        };
        let ip: wire::Ip = serde_json::from_slice(&reply.body)
            .map_err(|error| Problem::MaybeDone { answer: format!("an address was reserved, and the answer is unknown: {error}") })?;
        if !ip.tags.iter().flatten().any(|it| *it == self.mark) {
            self.memory().untagged.push(ip.address.clone());
            client.delete(format!("/networking/reserved/ips/{}", ip.address)).await?;
            self.memory().untagged.retain(|it| *it != ip.address);
            return Err(refused(format!("{} was reserved without its tags, and given back: nobody would know it again", ip.address)));
        }
        self.memory().reserved.push(ip.address.clone());
        Ok(ip.address)
    }

    pub(super) async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Unread> {
        self.estate.client.find(&Request::get(path)).await
    }

    /// A Linode as it is now.
    async fn linode(&self, id: &Id<Server>) -> Result<Option<wire::Linode>, Problem> {
        self.find(&format!("/linode/instances/{id}")).await.map_err(|it| it.problem())
    }

    /// Makes something whose label is unique. Where the label is taken, whose it is decides.
    pub(super) async fn make_named(&self, path: &str, body: Value, label: &str) -> Result<String, Problem> {
        let made = self.estate.client.make(&Request::post(path, body), |it: wire::Made| it.id.0).await;
        match made {
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::NameTaken => Err(self.taken(path, label, refusal.said()).await),
            made => Ok(made?),
        }
    }

    async fn taken(&self, path: &str, label: &str, answer: String) -> Problem {
        #[derive(serde::Deserialize)]
        struct Named {
            id: wire::Key,
            #[serde(default)]
            tags: Vec<String>,
        }
        let list = Request::get(path).filtered(json!({"label": label}));
        match self.estate.client.first::<Named>(&list).await {
            // One that is ours, or that is on its way out: the next look tells.
            Ok(found) => match found.iter().find(|it| !it.tags.contains(&self.mark)) {
                Some(other) => Problem::Refused {
                    answer: format!("the label {label} is taken by {} ({answer})", other.id),
                    remedy: Some(format!("rename {label} in Linode's Cloud Manager, or give this instance another name")),
                },
                None => Problem::NotDone { answer, pause: None },
            },
            Err(unread) => unread.problem(),
        }
    }

    async fn put(&self, path: String, body: Value, id: &str) -> Result<String, Problem> {
        self.estate.client.change(&Request::put(path, body)).await?;
        Ok(id.to_owned())
    }

    async fn delete(&self, path: String, id: &str) -> Result<String, Problem> {
        self.estate.client.delete(path).await?;
        Ok(id.to_owned())
    }

    /// Powers a Linode on or off, unless it is on its way there: what the API says then, no recording shows.
    async fn switch(&self, id: &Id<Server>, there: &[Power], order: &str, body: Value) -> Result<String, Problem> {
        match self.linode(id).await? {
            None => Err(Problem::NotDone { answer: format!("Linode {id} is gone"), pause: None }),
            Some(it) if there.contains(&self.power(&it, self.estate.client.now())) => Ok(id.to_string()),
            Some(_) => {
                let answer = self.estate.client.change(&Request::post(format!("/linode/instances/{id}/{order}"), body)).await;
                match answer {
                    // It went there by itself in between.
                    Err(Changed::Refused(refusal))
                        if refusal.kind() == Kind::Invalid
                            && self.linode(id).await?.is_some_and(|it| there.contains(&power(&it.status))) =>
                    {
                        return Ok(id.to_string());
                    }
                    answer => answer?,
                };
                let to_off = there.contains(&Power::Off);
                let now = self.estate.client.now();
                self.memory().ordered.insert(id.to_string(), (to_off, now));
                Ok(id.to_string())
            }
        }
    }

    /// The Linode that holds a volume now.
    async fn holder(&self, volume: &Id<Volume>) -> Result<Option<String>, Problem> {
        let found: Option<wire::Volume> = self.find(&format!("/volumes/{volume}")).await.map_err(|it| it.problem())?;
        Ok(found.and_then(|it| it.linode_id).map(|it| it.0))
    }

    async fn detach(&self, server: &Id<Server>, volumes: &[Id<Volume>]) -> Result<String, Problem> {
        for volume in volumes {
            if self.holder(volume).await?.is_none_or(|it| it != server.as_str()) {
                continue;
            }
            let answer = self.estate.client.change(&Request::post(format!("/volumes/{volume}/detach"), json!({}))).await;
            let answer = answer.map_err(Problem::from);
            // An answer that was lost may have been a good one.
            if matches!(answer, Ok(_) | Err(Problem::MaybeDone { .. })) {
                let leaving = (server.to_string(), self.estate.client.now());
                self.memory().detaching.insert(volume.to_string(), leaving);
            }
            answer?;
        }
        Ok(server.to_string())
    }

    /// Deletes a Linode with its disks. Its volumes and its reserved address stay.
    async fn delete_server(&self, id: &Id<Server>, off: bool) -> Result<String, Problem> {
        let Some(linode) = self.linode(id).await? else { return Ok(id.to_string()) };
        match self.power(&linode, self.estate.client.now()) {
            Power::Off | Power::Deleting => {}
            // Somebody started it since it was seen off: the next look tells what that means.
            _ if off => return Err(Problem::NotDone { answer: format!("Linode {id} is {} again", linode.status), pause: None }),
            _ => {}
        }
        if !self.destroys {
            self.refuse_other_disks(id.as_str()).await?;
        }
        self.delete(format!("/linode/instances/{id}"), id.as_str()).await
    }

    /// Disks that somebody made beside the root disk die with a Linode as well, and nothing has a copy of them.
    async fn refuse_other_disks(&self, linode: &str) -> Result<(), Problem> {
        let list = Request::get(format!("/linode/instances/{linode}/disks"));
        let disks = self.estate.client.list::<wire::Disk>(&list).await.map_err(|it| it.problem())?.items;
        let bootable = disks.iter().filter(|it| it.filesystem != "swap").count();
        if bootable <= 1 {
            return Ok(());
        }
        Err(Problem::Refused {
            answer: format!("Linode {linode} has {} disks beside its root disk, which would die with it uncopied", bootable - 1),
            remedy: Some("move what they hold to the data volume and delete them in Linode's Cloud Manager, then apply again".to_owned()),
        })
    }

    /// Captures the root disk as an image that takes first-boot data again.
    async fn capture(&self, of: &Id<LocalDisk>, name: &str, tags: &Tags) -> Result<String, Problem> {
        let client = &self.estate.client;
        let disk = self.root_disk(of.as_str()).await?;
        // A Linode that runs can be imaged as well: somebody may have started it since it was seen off.
        let linode = self.linode(&Id::new(of.as_str())).await?;
        if linode.is_none_or(|it| self.power(&it, client.now()) != Power::Off) {
            return Err(Problem::NotDone { answer: format!("Linode {of} is not off any more"), pause: None });
        }
        let tags = tags.clone().with_value(OF, of.as_str());
        let body = json!({
            "disk_id": number(&disk), "label": label(name, IMAGE), "description": "made by cloudypad", "tags": tags.0, "cloud_init": true,
        });
        let id = client.make(&Request::post("/images", body), |it: wire::Made| it.id.0).await?;
        self.memory().captures.insert(id.clone(), (of.to_string(), client.now()));
        Ok(id)
    }

    /// The disk that a Linode boots from: its configuration says so; else its only disk that is not swap.
    async fn root_disk(&self, linode: &str) -> Result<String, Problem> {
        let client = &self.estate.client;
        let below = |what: &str| Request::get(format!("/linode/instances/{linode}/{what}"));
        let configs = client.list::<wire::Config>(&below("configs")).await.map_err(|it| it.problem())?.items;
        let disks = client.list::<wire::Disk>(&below("disks")).await.map_err(|it| it.problem())?.items;
        let mut said: Vec<String> = configs.into_iter().filter_map(|it| Some(it.devices.sda?.disk_id?.0)).collect();
        said.dedup();
        let bootable: Vec<&wire::Disk> = disks.iter().filter(|it| it.filesystem != "swap").collect();
        match (said.as_slice(), bootable.as_slice()) {
            ([one], _) => Ok(one.clone()),
            (_, [one]) => Ok(one.id.0.clone()),
            _ => Err(Problem::Refused {
                answer: format!("Linode {linode} has {} disks, and its configurations do not say which one it boots from", bootable.len()),
                remedy: Some("have exactly one configuration, with the root disk as sda".to_owned()),
            }),
        }
    }

    async fn shut(&self, id: &str) -> Result<String, Problem> {
        let path = format!("/networking/firewalls/{id}");
        let found: Option<wire::Firewall> = self.find(&path).await.map_err(|it| it.problem())?;
        match found {
            None => Err(Problem::NotDone { answer: format!("firewall {id} is gone"), pause: None }),
            Some(it) if it.status != "enabled" => self.put(path, json!({"status": "enabled"}), id).await,
            // What no rule of ours can say goes; the rules that the spec wants come by a step of their own.
            Some(it) => {
                let mut rules = rules::read(&it.rules);
                rules.retain(|it| matches!(it.protocol.as_str(), "tcp" | "udp"));
                self.set_rules(id, rules::grouped(&rules)).await
            }
        }
    }

    /// Replaces all rules: what they do not speak of stays out, and everything may go out.
    async fn set_rules(&self, id: &str, rules: Result<Vec<Value>, String>) -> Result<String, Problem> {
        let inbound = rules.map_err(|answer| Problem::Refused { answer, remedy: Some(TOO_MANY_RULES.to_owned()) })?;
        let body = json!({"inbound": inbound, "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"});
        self.put(format!("/networking/firewalls/{id}/rules"), body, id).await
    }

    async fn retag(&self, object: &Object, tags: &Tags, name: Option<&str>) -> Result<String, Problem> {
        let mut body = json!({"tags": tags.0});
        let (path, longest) = match object {
            Object::Server(id) => (format!("/linode/instances/{id}"), Some(LINODE)),
            Object::Volume(id) => (format!("/volumes/{id}"), None),
            Object::Image(id) => (image_path(id.as_str()), Some(IMAGE)),
            Object::Address(id) => (format!("/networking/reserved/ips/{id}"), None),
            Object::Firewall(id) => (format!("/networking/firewalls/{id}"), Some(SHORT)),
            Object::Snapshot(_) => return Err(unable("work with snapshots")),
        };
        // A volume's label is its path in the guest: it stays.
        if let (Some(name), Some(longest)) = (name, longest) {
            body["label"] = json!(label(name, longest));
        }
        self.put(path, body, object.id()).await
    }

    /// Whether what is awaited has arrived, looked at by id.
    pub(super) async fn has_arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        let problem = |unread: Unread| unread.problem();
        Ok(match awaited {
            Awaited::ServerSettled(id) => match self.linode(id).await?.map(|it| self.power(&it, self.estate.client.now())) {
                Some(Power::Starting | Power::Stopping | Power::Busy | Power::Deleting) => false,
                // What is off may be about to boot, or still on its way down.
                Some(Power::Off) => !self.is_busy(id.as_str()).await?,
                _ => true,
            },
            Awaited::ServerGone(id) => self.linode(id).await?.is_none(),
            Awaited::VolumeSettled(id) => {
                let found: Option<wire::Volume> = self.find(&format!("/volumes/{id}")).await.map_err(problem)?;
                let Some(it) = found else { return Ok(true) };
                use crate::model::VolumeStatus::{Busy, Creating, Deleting};
                let passing = matches!(look::volume_status(&it.status, it.linode_id.is_some()), Busy | Creating | Deleting);
                match &it.linode_id {
                    _ if passing => false,
                    None => true,
                    Some(holder) if self.is_leaving(&it.id.0, &holder.0, self.estate.client.now()) => false,
                    Some(holder) => self
                        .linode(&Id::new(holder.0.as_str()))
                        .await?
                        .is_some_and(|linode| power(&linode.status) != Power::Running || it.io_ready != Some(false)),
                }
            }
            Awaited::SnapshotSettled(_) => true,
            Awaited::ImageSettled(id) => self.image_settled(id.as_str()).await?,
            // Any answer tells the time. Those of what is off also tell that it still is, where no event does.
            Awaited::Clock(stamp) if self.watches_off().await? => self.estate.client.now() >= *stamp,
            Awaited::Clock(stamp) => {
                // Any answer tells the time; this one is short, and the same for everybody.
                self.find::<wire::Type>(&format!("/linode/types/{}", self.machine_type)).await.map_err(problem)?;
                self.estate.client.now() >= *stamp
            }
        })
    }

    /// Whether something is under way on a Linode, as far as the token may know.
    async fn is_busy(&self, linode: &str) -> Result<bool, Problem> {
        let now = self.estate.client.now();
        let events = self.estate.events_of(linode).await.map_err(|it| it.problem())?;
        Ok(events.is_some_and(|events| History::of(events, now, now).busy))
    }

    /// Looks at every Linode that this process itself saw go off; whether there was one.
    async fn watches_off(&self) -> Result<bool, Problem> {
        let off: Vec<String> = self.memory().off.keys().cloned().collect();
        for linode in &off {
            self.watch_off(linode).await?;
        }
        Ok(!off.is_empty())
    }

    /// Looks whether a Linode that this process saw off still is.
    async fn watch_off(&self, linode: &str) -> Result<(), Problem> {
        match power_of(&self.linode(&Id::new(linode)).await?) {
            Some(Power::Off) => drop(self.seen_off(linode, self.estate.client.now())),
            _ => drop(self.memory().off.remove(linode)),
        }
        Ok(())
    }

    /// An image is complete once it says so and its job is over; one that vanished failed.
    async fn image_settled(&self, id: &str) -> Result<bool, Problem> {
        let found: Option<wire::Image> = self.find(&image_path(id)).await.map_err(|it| it.problem())?;
        let of = match &found {
            Some(it) => Tags(it.tags.clone()).get(OF).map(str::to_owned),
            None => self.memory().captures.get(id).map(|(of, _)| of.clone()),
        };
        let Some(linode) = of else { return Ok(true) };
        let events = self.estate.events_of(&linode).await.map_err(|it| it.problem())?;
        let now = self.estate.client.now();
        let Some(events) = events else {
            self.watch_off(&linode).await?;
            let mut memory = self.memory();
            if found.is_none()
                && let Some((_, at)) = memory.captures.remove(id)
            {
                memory.failed.insert(linode, FailedCapture { at, said: String::new() });
            }
            return Ok(found.is_none_or(|it| look::image(&it, false).status != CopyStatus::Creating));
        };
        let imaging = History::of(events, now, now).imaging.iter().any(|it| it == id);
        // Where it vanished, the event that says why may come a moment later.
        Ok(found.map_or(!imaging, |it| look::image(&it, imaging).status != CopyStatus::Creating))
    }
}

fn power_of(linode: &Option<wire::Linode>) -> Option<Power> {
    linode.as_ref().map(|it| power(&it.status))
}

/// The path of an image, whose id holds a slash.
pub(super) fn image_path(id: &str) -> String {
    format!("/images/{}", id.replace('/', "%2F"))
}

/// What to do about more rules than a firewall has.
pub(super) const TOO_MANY_RULES: &str = "write fewer, or wider, networks in network.allowFrom, or fewer ports";

/// An id as the API takes it in a body.
pub(super) fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), |it| json!(it))
}

pub(super) fn unable(what: &str) -> Problem {
    Problem::Refused { answer: format!("Linode's hands cannot {what}"), remedy: None }
}
