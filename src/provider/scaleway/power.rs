//! What is done to a server: power, disks, type, its end. Each reads it first: only what it allows now is asked of it.

use super::{
    super::client::{Kind, Refused},
    Scaleway,
    client::Changed,
    look, wire,
};
use crate::{
    model::{Id, Power, Role, Server, Volume},
    provider::{Problem, http::Request},
};
use serde_json::{Value, json};
use std::sync::PoisonError;

impl Scaleway {
    /// Powers a server on. One that this process powered on twice, and that was off again each time without being seen
    /// running, fell back: no machine of its type was free. Once alone, somebody else may have stopped it.
    pub(super) async fn start(&self, id: &Id<Server>) -> Result<String, Problem> {
        const OFTEN: u32 = 2;
        let server = self.server(id).await?;
        let times = self.started().get(id.as_str()).copied().unwrap_or_default();
        if look::power(&server.state) == Power::Off && times >= OFTEN {
            self.started().remove(id.as_str());
            let answer = format!("{} was powered on and fell back to stopped", server.commercial_type);
            return Err(Problem::OutOfStock { answer });
        }
        let answer = self.power(&server, "poweron").await;
        match answer {
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::OutOfStock => Err(Problem::OutOfStock { answer: refusal.said() }),
            answer => {
                answer?;
                *self.started().entry(id.to_string()).or_default() += 1;
                Ok(id.to_string())
            }
        }
    }

    pub(super) async fn stop(&self, id: &Id<Server>) -> Result<String, Problem> {
        let server = self.server(id).await?;
        // Whatever the answer, it did run.
        self.started().remove(id.as_str());
        self.power(&server, "poweroff").await?;
        Ok(id.to_string())
    }

    /// A server that was seen running had a machine: that it is off again is no want of one.
    pub(super) fn note_running(&self, server: &wire::Server) {
        if look::power(&server.state) == Power::Running {
            self.started().remove(&server.id);
        }
    }

    pub(super) fn started(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<String, u32>> {
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
    pub(super) async fn delete_server(&self, id: &Id<Server>, off: bool) -> Result<String, Problem> {
        let Some(server) = self.find_server(id).await? else { return Ok(id.to_string()) };
        if server.protected {
            let answer = format!("server {id} is protected");
            return Err(Problem::Refused { answer, remedy: Some(UNPROTECT.to_owned()) });
        }
        match look::power(&server.state) {
            Power::Off => self.zone.client.delete(self.zone.instance(&format!("servers/{id}"))).await?,
            // Somebody started it since it was seen off: the next look tells what that means.
            _ if off => return Err(Problem::NotDone { answer: format!("server {id} is {} again", server.state), pause: None }),
            _ => self.power(&server, "terminate").await?,
        }
        Ok(id.to_string())
    }

    /// Takes volumes off a server, in one call.
    pub(super) async fn detach(&self, server: &Id<Server>, volumes: &[Id<Volume>]) -> Result<String, Problem> {
        let held = self.server(server).await?.volumes;
        let stay = held.iter().filter(|(_, it)| volumes.iter().all(|id| id.as_str() != it.id));
        let body = json!({"volumes": attachments(stay.map(|(slot, it)| (slot.clone(), it.id.as_str(), it.volume_type.as_str())))});
        self.patch(self.zone.instance(&format!("servers/{server}")), body, server.as_str()).await
    }

    pub(super) async fn attach(&self, server: &Id<Server>, volume: &Id<Volume>, role: Role) -> Result<String, Problem> {
        let held = self.server(server).await?.volumes;
        // The look that showed it free may have been old.
        if held.values().any(|it| it.id == volume.as_str()) {
            return Ok(volume.to_string());
        }
        if role == Role::Root && held.contains_key("0") {
            let answer = format!("server {server} has a root disk already");
            return Err(Problem::NotDone { answer, pause: None });
        }
        let free = (1..16).map(|slot: u8| slot.to_string()).find(|slot| !held.contains_key(slot));
        let slot = match role {
            Role::Root => "0".to_owned(),
            Role::Data => free.unwrap_or_else(|| "1".to_owned()),
        };
        let all = held.iter().map(|(slot, it)| (slot.clone(), it.id.as_str(), it.volume_type.as_str())).chain([(
            slot,
            volume.as_str(),
            "sbs_volume",
        )]);
        self.patch(self.zone.instance(&format!("servers/{server}")), json!({"volumes": attachments(all)}), volume.as_str()).await
    }

    pub(super) async fn change_type(&self, server: &Id<Server>, machine_type: &str) -> Result<String, Problem> {
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
}

const UNPROTECT: &str = "take the protection off in Scaleway's console, then apply again";

/// The whole map of a server's volumes. A name is wanted by old validators, and ignored.
fn attachments<'v>(held: impl Iterator<Item = (String, &'v str, &'v str)>) -> Value {
    let entry = |(slot, id, kind): (String, &str, &str)| (slot, json!({"id": id, "name": id, "volume_type": kind, "boot": false}));
    Value::Object(held.map(entry).collect())
}
