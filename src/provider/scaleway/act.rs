//! Steps, as calls: one call that changes something each, and what must be read before it.

use super::{
    Scaleway,
    client::Changed,
    look::GB,
    refusal::Kind,
    rules,
    stock::{born, cheapest_gpus, some},
    wire,
};
use crate::{
    model::{Awaited, Boot, Id, NewServer, NewVolume, Object, Record, Role, Server, Step, Tags, Volume, VolumeStatus, World},
    provider::{
        Problem,
        http::{Body, Request},
    },
};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::sync::PoisonError;

/// Seconds for which others may remember where the DNS name points: the least that Scaleway takes.
const TTL: u64 = 60;

impl Scaleway {
    pub(super) async fn act(&self, step: &Step) -> Result<String, Problem> {
        let zone = &self.zone;
        let client = &zone.client;
        let done = |id: &str| Ok(id.to_owned());
        match step {
            Step::ReserveAddress { tags } => {
                let body = json!({"project": self.project, "type": "routed_ipv4", "tags": born(tags, client.now())});
                Ok(client.make(&Request::post(zone.instance("ips"), body), |it: wire::InIp| it.ip.id).await?)
            }
            Step::CreateFirewall { name, tags } => {
                let body = json!({
                    "name": name, "project": self.project, "tags": tags.0, "description": "made by cloudypad", "stateful": true,
                    "inbound_default_policy": "drop", "outbound_default_policy": "accept", "enable_default_security": true,
                });
                let request = Request::post(zone.instance("security_groups"), body);
                Ok(client.make(&request, |it: wire::InGroup| it.security_group.id).await?)
            }
            Step::ShutFirewall(id) => {
                let body = json!({"stateful": true, "inbound_default_policy": "drop", "outbound_default_policy": "accept"});
                self.patch(zone.instance(&format!("security_groups/{id}")), body, id.as_str()).await
            }
            Step::SetRules { firewall, rules } => {
                zone.rules.forget(firewall.as_str());
                let body = rules::put(rules, &zone.name);
                client.change(&Request::put(zone.instance(&format!("security_groups/{firewall}/rules")), body)).await?;
                done(firewall.as_str())
            }
            Step::CreateVolume(new) => self.create_volume(new).await,
            Step::CreateServer(new) => self.create_server(new).await,
            Step::Retag { object, tags, name } => self.retag(object, tags, name.as_deref()).await,
            Step::SeedServer(id) => {
                let seed = (self.seed)().map_err(|answer| Problem::Refused { answer, remedy: None })?;
                let path = zone.instance(&format!("servers/{id}/user_data/cloud-init"));
                client.change(&Request::new(Method::PATCH, path, Body::Plain(seed))).await?;
                done(id.as_str())
            }
            Step::StartServer(id) => self.start(id).await,
            Step::StopServer(id) => self.stop(id).await,
            Step::Detach { server, volumes } => {
                let held = self.server(server).await?.volumes;
                let stay = held.iter().filter(|(_, it)| volumes.iter().all(|id| id.as_str() != it.id));
                let body = json!({"volumes": attachments(stay.map(|(slot, it)| (slot.clone(), it.id.as_str())))});
                self.patch(zone.instance(&format!("servers/{server}")), body, server.as_str()).await
            }
            Step::Attach { server, volume, role } => self.attach(server, volume, *role).await,
            Step::AssignAddress { server, address } => {
                self.patch(zone.instance(&format!("ips/{address}")), json!({"server": server.as_str()}), address.as_str()).await
            }
            Step::AssignFirewall { server, firewall } => {
                let body = json!({"security_group": {"id": firewall.as_str()}});
                self.patch(zone.instance(&format!("servers/{server}")), body, firewall.as_str()).await
            }
            Step::Grow { volume, size_gb } => {
                self.patch(zone.block(&format!("volumes/{volume}")), json!({"size": size_gb * GB}), volume.as_str()).await
            }
            Step::Tune { volume, iops } => {
                self.patch(zone.block(&format!("volumes/{volume}")), json!({"perf_iops": iops}), volume.as_str()).await
            }
            Step::ChangeType { server, machine_type } => self.change_type(server, machine_type).await,
            Step::SetRecord { address } => self.set_record(address).await,
            Step::DeleteRecord => self.delete_record().await,
            Step::TakeSnapshot { disk, name, tags } => {
                let body =
                    json!({"volume_id": disk.disk().as_str(), "name": name, "project_id": self.project, "tags": tags.0, "public": false});
                Ok(client.make(&Request::post(zone.block("snapshots"), body), |it: wire::Snapshot| it.id).await?)
            }
            Step::DeleteServer { server, off, .. } => self.delete_server(server, *off).await,
            Step::DeleteVolume(spared) => self.delete(zone.block(&format!("volumes/{}", spared.disk())), spared.disk().as_str()).await,
            Step::DeleteSnapshot(copy) => {
                match client.delete(zone.block(&format!("snapshots/{}", copy.copy()))).await {
                    // It is in use by something that we did not make: that may stay so.
                    Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Precondition => {
                        Err(Problem::Refused { answer: refusal.said(), remedy: None })
                    }
                    answer => Ok(answer.map(|()| copy.copy().to_string())?),
                }
            }
            Step::ReleaseAddress(id) => self.delete(zone.instance(&format!("ips/{id}")), id.as_str()).await,
            Step::DeleteFirewall(id) => match client.delete(zone.instance(&format!("security_groups/{id}"))).await {
                // A server that went away a moment ago may still count as a user of it.
                Err(Changed::Refused(refusal)) if refusal.said().to_lowercase().contains("in use") => {
                    Err(Problem::NotDone { answer: refusal.said(), pause: None })
                }
                answer => Ok(answer.map(|()| id.to_string())?),
            },
            Step::Configure { .. } => Err(unable("run a configuration")),
            Step::CaptureImage { .. } | Step::DeleteImage(_) => Err(unable("work with images of local disks")),
        }
    }

    async fn patch(&self, path: String, body: Value, id: &str) -> Result<String, Problem> {
        self.zone.client.change(&Request::patch(path, body)).await?;
        Ok(id.to_owned())
    }

    async fn delete(&self, path: String, id: &str) -> Result<String, Problem> {
        self.zone.client.delete(path).await?;
        Ok(id.to_owned())
    }

    /// A server as it is now.
    async fn server(&self, id: &Id<Server>) -> Result<wire::Server, Problem> {
        let request = Request::get(self.zone.instance(&format!("servers/{id}")));
        let found: Option<wire::InServer> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        found.map(|it| it.server).ok_or_else(|| Problem::NotDone { answer: format!("server {id} is gone"), pause: None })
    }

    async fn create_volume(&self, new: &NewVolume) -> Result<String, Problem> {
        let size = new.size_gb * GB;
        let mut body = json!({"name": new.name, "project_id": self.project, "perf_iops": new.iops.unwrap_or(5000), "tags": new.tags.0});
        match &new.from {
            Some(snapshot) => body["from_snapshot"] = json!({"snapshot_id": snapshot.as_str(), "size": size}),
            None => body["from_empty"] = json!({"size": size}),
        }
        let made = self.zone.client.make(&Request::post(self.zone.block("volumes"), body), |it: wire::Volume| it.id).await;
        made.map_err(|changed| match changed {
            Changed::Refused(refusal) if refusal.kind() == Kind::Precondition => Problem::Refused { answer: refusal.said(), remedy: None },
            changed => changed.into(),
        })
    }

    async fn create_server(&self, new: &NewServer) -> Result<String, Problem> {
        let mut volumes = Map::new();
        let mut body = json!({
            "name": new.name, "commercial_type": new.machine_type, "project": self.project, "dynamic_ip_required": false,
            "boot_type": "local", "tags": new.tags.0,
        });
        match &new.boot {
            Boot::Stock(label) => {
                body["image"] = json!(self.image(label, &new.machine_type).await?);
                volumes.insert("0".to_owned(), json!({"volume_type": "sbs_volume", "size": new.root_gb * GB, "boot": false}));
            }
            // Without an image, or the image would be what it boots.
            Boot::Volume(id) => {
                volumes.insert("0".to_owned(), json!({"id": id.as_str(), "volume_type": "sbs_volume", "boot": false}));
            }
            Boot::Image(_) => return Err(unable("boot from images of local disks")),
        }
        if let Some(data) = &new.data {
            volumes.insert("1".to_owned(), json!({"id": data.as_str(), "volume_type": "sbs_volume"}));
        }
        body["volumes"] = Value::Object(volumes);
        if let Some(address) = &new.address {
            body["public_ips"] = json!([address.as_str()]);
        }
        if let Some(firewall) = &new.firewall {
            body["security_group"] = json!(firewall.as_str());
        }
        let made = self.zone.client.make(&Request::post(self.zone.instance("servers"), body), |it: wire::InServer| it.server.id).await;
        match made {
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::OutOfStock => Err(Problem::OutOfStock { answer: refusal.said() }),
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Invalid => {
                Err(Problem::Refused { answer: refusal.said(), remedy: self.type_remedy(&new.machine_type).await })
            }
            // A volume that is not free yet, an address that is not there: the next look tells.
            made => Ok(made?),
        }
    }

    /// Whether what the wish would make or change next can be had: its type, and the image of a first deploy.
    pub(super) async fn can_be_had(&self, world: &World) -> Result<(), Problem> {
        let servers = world.servers.items();
        let changes = servers.iter().any(|it| it.machine_type != self.machine_type);
        if !self.keeps_server || !(servers.is_empty() || changes) {
            return Ok(());
        }
        if let Some(remedy) = self.type_remedy(&self.machine_type).await {
            let answer = format!("there is no type {} in {}", self.machine_type, self.zone.name);
            return Err(Problem::Refused { answer, remedy: Some(remedy) });
        }
        let first = servers.is_empty() && world.snapshots.items().is_empty() && world.volumes.items().is_empty();
        if first {
            self.image(&self.image, &self.machine_type).await?;
        }
        Ok(())
    }

    /// The id of a marketplace image that this zone has for a type.
    async fn image(&self, label: &str, machine_type: &str) -> Result<String, Problem> {
        let request = Request::get("/marketplace/v2/local-images");
        let request = request.with("image_label", label).with("zone", self.zone.name.clone()).with("type", "instance_sbs");
        let request = request.with("order_by", "type_asc").with("page_size", "100");
        let found: Option<wire::LocalImages> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        let refused = |answer: String, remedy: &str| Err(Problem::Refused { answer, remedy: Some(remedy.to_owned()) });
        let images = found.map(|it| it.local_images).unwrap_or_default();
        if images.is_empty() {
            let answer = format!("the marketplace has no image {label} for block volumes in {}", self.zone.name);
            return refused(answer, "write a label that `scw marketplace image list` shows, like ubuntu_jammy_gpu_os_12");
        }
        let fits = |it: &&wire::LocalImage| it.compatible_commercial_types.iter().any(|kind| kind.eq_ignore_ascii_case(machine_type));
        match images.iter().find(fits) {
            Some(image) => Ok(image.id.clone()),
            None => {
                if let Some(remedy) = self.type_remedy(machine_type).await {
                    return refused(format!("there is no type {machine_type} in {}", self.zone.name), &remedy);
                }
                let kinds: Vec<&str> = images.iter().map(|it| it.arch.as_str()).collect();
                let answer = format!("the image {label} ({}) does not run on {machine_type} in {}", kinds.join(", "), self.zone.name);
                refused(answer, "write another image, or check instanceType and zone")
            }
        }
    }

    /// What to do where the request made no sense, if the type is not one of the zone's.
    async fn type_remedy(&self, machine_type: &str) -> Option<String> {
        let types = self.types().await.ok()?;
        if types.iter().any(|(name, _)| name.eq_ignore_ascii_case(machine_type)) {
            return None;
        }
        Some(match cheapest_gpus(&types).as_slice() {
            [] => format!("write another zone: {} has no type with a GPU", self.zone.name),
            gpus => format!("write another instanceType, like {}", some(gpus)),
        })
    }

    async fn retag(&self, object: &Object, tags: &Tags, name: Option<&str>) -> Result<String, Problem> {
        let mut body = json!({"tags": tags.0});
        let path = match object {
            Object::Server(id) => self.zone.instance(&format!("servers/{id}")),
            Object::Volume(id) => self.zone.block(&format!("volumes/{id}")),
            Object::Snapshot(id) => self.zone.block(&format!("snapshots/{id}")),
            Object::Address(id) => self.zone.instance(&format!("ips/{id}")),
            Object::Firewall(id) => self.zone.instance(&format!("security_groups/{id}")),
            Object::Image(_) => return Err(unable("work with images of local disks")),
        };
        // Addresses have no name.
        if let Some(name) = name.filter(|_| !matches!(object, Object::Address(_))) {
            body["name"] = json!(name);
        }
        self.patch(path, body, object.id()).await
    }

    /// Powers a server on. One that this process powered on before, and that is off again, fell back: no machine of
    /// its type was free.
    async fn start(&self, id: &Id<Server>) -> Result<String, Problem> {
        let server = self.server(id).await?;
        let fell_back = server.state == "stopped" && self.started().remove(id.as_str());
        if fell_back {
            let answer = format!("{} was powered on and fell back to stopped", server.commercial_type);
            return Err(Problem::OutOfStock { answer });
        }
        let answer = self.power(&server, "poweron").await;
        match answer {
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::OutOfStock => Err(Problem::OutOfStock { answer: refusal.said() }),
            answer => {
                answer?;
                self.started().insert(id.to_string());
                Ok(id.to_string())
            }
        }
    }

    async fn stop(&self, id: &Id<Server>) -> Result<String, Problem> {
        let server = self.server(id).await?;
        // Whatever the answer, it did run.
        self.started().remove(id.as_str());
        self.power(&server, "poweroff").await?;
        Ok(id.to_string())
    }

    pub(super) fn started(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<String>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A power action that the server allows now.
    async fn power(&self, server: &wire::Server, action: &str) -> Result<(), Changed> {
        if !server.allowed_actions.iter().any(|it| it == action) {
            let answer = format!("server {} is {} and does not allow {action}", server.id, server.state);
            // Its owner must change that; anything else passes.
            let problem = match server.protected {
                true => Problem::Refused { answer: format!("{answer}: it is protected"), remedy: Some(UNPROTECT.to_owned()) },
                false => Problem::NotDone { answer, pause: None },
            };
            return Err(Changed::Unanswered(problem));
        }
        let path = self.zone.instance(&format!("servers/{}/action", server.id));
        self.zone.client.change(&Request::post(path, json!({"action": action}))).await.map(|_| ())
    }

    /// Terminates a server that runs, deletes one that is off. Its volumes and its address stay.
    async fn delete_server(&self, id: &Id<Server>, off: bool) -> Result<String, Problem> {
        let request = Request::get(self.zone.instance(&format!("servers/{id}")));
        let found: Option<wire::InServer> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        let Some(wire::InServer { server }) = found else { return Ok(id.to_string()) };
        if server.protected {
            let answer = format!("server {id} is protected");
            return Err(Problem::Refused { answer, remedy: Some(UNPROTECT.to_owned()) });
        }
        match server.state.as_str() {
            "stopped" => self.zone.client.delete(self.zone.instance(&format!("servers/{id}"))).await?,
            // Somebody started it since it was seen off: the next look tells what that means.
            state if off => return Err(Problem::NotDone { answer: format!("server {id} is {state} again"), pause: None }),
            _ => self.power(&server, "terminate").await?,
        }
        Ok(id.to_string())
    }

    async fn attach(&self, server: &Id<Server>, volume: &Id<Volume>, role: Role) -> Result<String, Problem> {
        let held = self.server(server).await?.volumes;
        let free = (1..16).map(|slot: u8| slot.to_string()).find(|slot| !held.contains_key(slot));
        let slot = match role {
            Role::Root => "0".to_owned(),
            Role::Data => free.unwrap_or_else(|| "1".to_owned()),
        };
        let all = held.iter().map(|(slot, it)| (slot.clone(), it.id.as_str())).chain([(slot, volume.as_str())]);
        self.patch(self.zone.instance(&format!("servers/{server}")), json!({"volumes": attachments(all)}), volume.as_str()).await
    }

    async fn change_type(&self, server: &Id<Server>, machine_type: &str) -> Result<String, Problem> {
        let body = json!({"commercial_type": machine_type});
        let request = Request::patch(self.zone.instance(&format!("servers/{server}")), body);
        match self.zone.client.change(&request).await {
            Ok(_) => Ok(server.to_string()),
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Invalid => {
                Err(Problem::Refused { answer: refusal.said(), remedy: self.type_remedy(machine_type).await })
            }
            Err(changed) => Err(changed.into()),
        }
    }

    fn records(&self) -> Result<(String, &str), Problem> {
        let dns = self.dns.as_ref().ok_or_else(|| unable("set a DNS record that the spec does not name"))?;
        Ok((format!("/domain/v2beta1/dns-zones/{}/records", dns.zone), &dns.record))
    }

    async fn set_record(&self, address: &str) -> Result<String, Problem> {
        let (path, name) = self.records()?;
        let record = json!({"name": name, "type": "A", "data": address, "ttl": TTL, "priority": 0, "comment": self.mark});
        let change = json!({"set": {"id_fields": {"name": name, "type": "A"}, "records": [record]}});
        let body = json!({"changes": [change], "return_all_records": false, "disallow_new_zone_creation": true});
        self.patch(path, body, name).await
    }

    /// Deletes our records of the name, one by one by their ids: another that came meanwhile is not ours.
    async fn delete_record(&self) -> Result<String, Problem> {
        let (path, name) = self.records()?;
        let request = Request::get(path.as_str()).with("name", name).with("type", "A");
        let found: Option<wire::Records> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        let ours = found.map(|it| it.records).unwrap_or_default().into_iter().filter(|it| self.is_our_record(it, &[]));
        let changes: Vec<Value> = ours.map(|it| json!({"delete": {"id": it.id}})).collect();
        if changes.is_empty() {
            return Ok(name.to_owned());
        }
        let body = json!({"changes": changes, "return_all_records": false, "disallow_new_zone_creation": true});
        self.patch(path, body, name).await
    }

    /// Whether a record is ours: its comment says so, or, where it says nothing of anybody, it points to us or nowhere.
    pub(super) fn is_our_record(&self, record: &wire::Record, addresses: &[&str]) -> bool {
        match record.comment.as_deref() {
            Some(comment) if comment == self.mark => true,
            Some(comment) if comment.starts_with("in:") => false,
            _ => record.data == Record::PARKED || addresses.contains(&record.data.as_str()),
        }
    }

    /// Whether what is awaited has arrived, looked at by id.
    pub(super) async fn has_arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        let zone = &self.zone;
        let settled = |status: &str, passing: &[&str]| !passing.contains(&status);
        Ok(match awaited {
            Awaited::ServerSettled(id) => {
                let found: Option<wire::InServer> = self.find(zone.instance(&format!("servers/{id}"))).await?;
                found.is_none_or(|it| settled(&it.server.state, &["starting", "stopping"]))
            }
            Awaited::ServerGone(id) => {
                let found: Option<wire::InServer> = self.find(zone.instance(&format!("servers/{id}"))).await?;
                found.is_none()
            }
            Awaited::VolumeSettled(id) => {
                let found: Option<wire::Volume> = self.find(zone.block(&format!("volumes/{id}"))).await?;
                use VolumeStatus::{Busy, Creating, Deleting, Detaching};
                found.is_none_or(|it| !matches!(super::look::volume(&it).status, Busy | Creating | Deleting | Detaching))
            }
            Awaited::SnapshotSettled(id) => {
                let found: Option<wire::Snapshot> = self.find(zone.block(&format!("snapshots/{id}"))).await?;
                found.is_none_or(|it| settled(&it.status, &["creating", "exporting", "deleting"]))
            }
            Awaited::ImageSettled(_) => true,
            Awaited::Clock(stamp) => {
                // Any answer tells the time; the shortest will do.
                let request = Request::get(zone.instance("servers")).with("per_page", "1").with("tags", self.mark.clone());
                zone.client.find::<wire::Servers>(&request).await.map_err(|it| it.problem())?;
                zone.client.now() >= *stamp
            }
        })
    }

    async fn find<T: serde::de::DeserializeOwned>(&self, path: String) -> Result<Option<T>, Problem> {
        self.zone.client.find(&Request::get(path)).await.map_err(|it| it.problem())
    }
}

const UNPROTECT: &str = "take the protection off in Scaleway's console, then apply again";

/// The whole map of a server's volumes. A name is wanted by old validators, and ignored.
fn attachments<'v>(held: impl Iterator<Item = (String, &'v str)>) -> Value {
    let entry = |(slot, id): (String, &str)| (slot, json!({"id": id, "name": id, "volume_type": "sbs_volume", "boot": false}));
    Value::Object(held.map(entry).collect())
}

fn unable(what: &str) -> Problem {
    Problem::Refused { answer: format!("Scaleway's hands cannot {what}"), remedy: None }
}
