//! Steps, as calls: one call that changes something each, and what must be read before it.

use super::{
    super::client::{Kind, Refused},
    Scaleway,
    client::Changed,
    look::{self, GB},
    rules, wire,
};
use crate::{
    model::{Awaited, CopyStatus, Id, Object, Power, Server, Step, Tags, VolumeStatus},
    provider::{
        Problem,
        http::{Body, Request},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

impl Scaleway {
    pub(super) async fn act(&self, step: &Step) -> Result<String, Problem> {
        let zone = &self.zone;
        let client = &zone.client;
        let done = |id: &str| Ok(id.to_owned());
        match step {
            Step::ReserveAddress { tags } => {
                let body = json!({"project": self.project, "type": "routed_ipv4", "tags": tags.clone().born(client.now()).0});
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
                client.change(&Request::new(Method::PATCH, path, Body::Plain(seed.document))).await?;
                done(id.as_str())
            }
            Step::StartServer(id) => self.start(id).await,
            Step::StopServer(id) => self.stop(id).await,
            Step::Detach { server, volumes } => self.detach(server, volumes).await,
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
            Step::DeleteRecord { addresses } => self.delete_record(addresses).await,
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
            Step::Configure { .. } | Step::StartUp(_) => Err(unable("run a configuration")),
            Step::SetWatchdog { .. } => Err(unable("set a watchdog")),
            Step::CaptureImage { .. } | Step::DeleteImage(_) => Err(unable("work with images of local disks")),
        }
    }

    pub(super) async fn patch(&self, path: String, body: Value, id: &str) -> Result<String, Problem> {
        self.zone.client.change(&Request::patch(path, body)).await?;
        Ok(id.to_owned())
    }

    async fn delete(&self, path: String, id: &str) -> Result<String, Problem> {
        self.zone.client.delete(path).await?;
        Ok(id.to_owned())
    }

    /// A server as it is now.
    pub(super) async fn server(&self, id: &Id<Server>) -> Result<wire::Server, Problem> {
        let gone = || Problem::NotDone { answer: format!("server {id} is gone"), pause: None };
        self.find_server(id).await?.ok_or_else(gone)
    }

    /// A server as it is now; `None` where there is none.
    pub(super) async fn find_server(&self, id: &Id<Server>) -> Result<Option<wire::Server>, Problem> {
        let found: Option<wire::InServer> = self.find(self.zone.instance(&format!("servers/{id}"))).await?;
        let server = found.map(|it| it.server);
        server.iter().for_each(|it| self.note_running(it));
        Ok(server)
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

    /// Whether what is awaited has arrived, looked at by id.
    pub(super) async fn has_arrived(&self, awaited: &Awaited) -> Result<bool, Problem> {
        let zone = &self.zone;
        Ok(match awaited {
            Awaited::ServerSettled(id) => {
                use Power::{Deleting, Starting, Stopping};
                self.find_server(id).await?.is_none_or(|it| !matches!(look::power(&it.state), Starting | Stopping | Deleting))
            }
            Awaited::ServerGone(id) => self.find_server(id).await?.is_none(),
            Awaited::VolumeSettled(id) => {
                use VolumeStatus::{Busy, Creating, Deleting, Detaching};
                let found: Option<wire::Volume> = self.find(zone.block(&format!("volumes/{id}"))).await?;
                found.is_none_or(|it| !matches!(look::volume(&it).status, Busy | Creating | Deleting | Detaching))
            }
            Awaited::SnapshotSettled(id) => {
                use CopyStatus::{Creating, Deleting};
                let found: Option<wire::Snapshot> = self.find(zone.block(&format!("snapshots/{id}"))).await?;
                found.is_none_or(|it| !matches!(look::snapshot(&it).status, Creating | Deleting))
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

pub(super) fn unable(what: &str) -> Problem {
    Problem::Refused { answer: format!("Scaleway's hands cannot {what}"), remedy: None }
}
