//! What a customer can do with servers.

use super::objects::{Root, Server, ServerState, VolumeState};
use super::physics::Deed;
use super::refusal::Refusal;
use super::truth::Effect;
use super::{Cloud, Imitate};

impl Cloud {
    /// Starts a server that is stopped, in place or not.
    pub fn power_on(&self, server: &str) -> Result<(), Refusal> {
        self.mutate("power_on", |deed| deed.power_on(server))
    }

    /// Stops a server that runs or is stopped in place, and lets go of its machine.
    pub fn power_off(&self, server: &str) -> Result<(), Refusal> {
        self.mutate("power_off", |deed| deed.power_off(server))
    }

    /// What somebody inside does who shuts the guest down.
    pub fn guest_shutdown(&self, server: &str) -> Result<(), Refusal> {
        self.mutate("guest_shutdown", |deed| deed.guest_shutdown(server))
    }

    /// Attaches a volume to a server, as its root if it is what the server boots from.
    pub fn attach(&self, server: &str, volume: &str) -> Result<(), Refusal> {
        self.mutate("attach", |deed| deed.attach(server, volume))
    }

    /// Detaches a volume, a root volume as well; it is available after a while.
    pub fn detach(&self, server: &str, volume: &str) -> Result<(), Refusal> {
        self.mutate("detach", |deed| deed.detach(server, volume))
    }

    /// Detaches all volumes; a local disk stays.
    pub fn detach_all(&self, server: &str) -> Result<(), Refusal> {
        self.mutate("detach_all", |deed| deed.detach_all(server))
    }

    /// Deletes a server in whatever settled condition. Its volumes and its address stay, its
    /// local disk does not. Protection covers one that is not stopped.
    pub fn delete_server(&self, server: &str) -> Result<(), Refusal> {
        self.mutate("delete_server", |deed| deed.delete_server(server))
    }

    /// Gives a stopped server another server type.
    pub fn change_type(&self, server: &str, kind: &str) -> Result<(), Refusal> {
        self.mutate("change_type", |deed| deed.change_type(server, kind))
    }

    /// Sets whether a server refuses to be powered off or terminated.
    pub fn protect(&self, server: &str, protected: bool) -> Result<(), Refusal> {
        self.mutate("protect", |deed| deed.protect(server, protected))
    }
}

impl Deed {
    /// Starts a server that is stopped, in place or not.
    pub(super) fn power_on(&mut self, server: &str) -> Result<(), Refusal> {
        let found = self.truth.server(server)?.clone();
        if !matches!(found.state, ServerState::Stopped | ServerState::StoppedInPlace) {
            return Err(should_be(&found, "stopped"));
        }
        if let Some(Root::Volume(root)) = &found.root
            && !found.volumes.contains(root)
        {
            return Err(Refusal::conflict(format!("server {server} cannot start: its root volume {root} is not attached")));
        }
        for file in found.files() {
            self.notice_writes(&file)?;
            self.note_writing(&file);
        }
        if self.truth.imitate == Imitate::Volumes && found.state == ServerState::Stopped {
            let price = self.truth.market.compute(&found.zone, &found.kind)?;
            self.open_bill(server, "compute", &found.name, price);
        }
        let takes = self.truth.market.takes();
        let from_local = self.boots_from_local_volume(&found);
        let seconds = if from_local && !found.ever_started { takes.power_on_local } else { takes.power_on };
        let found = self.truth.server_mut(server)?;
        found.state = ServerState::Starting;
        found.ever_started = true;
        found.off_since = None;
        self.schedule(seconds, Effect::Started(server.to_owned()));
        Ok(())
    }

    /// Stops a server that runs or is stopped in place, and lets go of its machine.
    pub(super) fn power_off(&mut self, server: &str) -> Result<(), Refusal> {
        let takes = self.truth.market.takes();
        let found = self.truth.server_mut(server)?;
        let seconds = match found.state {
            ServerState::Running => takes.power_off,
            ServerState::StoppedInPlace => takes.power_off_in_place,
            _ => return Err(should_be(found, "running")),
        };
        check_unprotected(found)?;
        found.state = ServerState::Stopping;
        self.schedule(seconds, Effect::Stopped(server.to_owned()));
        Ok(())
    }

    /// Stops a running server and holds its machine for it.
    pub(super) fn stop_in_place(&mut self, server: &str) -> Result<(), Refusal> {
        let seconds = self.truth.market.takes().stop_in_place;
        let found = self.truth.server_mut(server)?;
        if found.state != ServerState::Running {
            return Err(should_be(found, "running"));
        }
        check_unprotected(found)?;
        found.state = ServerState::Stopping;
        self.schedule(seconds, Effect::StoppedInPlace(server.to_owned()));
        Ok(())
    }

    /// Has a server that runs or is stopped in place go down and come up again.
    pub(super) fn reboot(&mut self, server: &str) -> Result<(), Refusal> {
        let takes = self.truth.market.takes();
        let found = self.truth.server(server)?.clone();
        let seconds = match found.state {
            ServerState::Running => takes.go_down,
            ServerState::StoppedInPlace => 0,
            _ => return Err(should_be(&found, "running")),
        };
        check_unprotected(&found)?;
        for file in found.files() {
            self.notice_writes(&file)?;
            self.note_writing(&file);
        }
        let found = self.truth.server_mut(server)?;
        found.state = ServerState::Stopping;
        found.off_since = None;
        self.schedule(seconds, Effect::Rebooting(server.to_owned()));
        Ok(())
    }

    /// Accepts the order to start a server for which there will be no machine: it is stopped again after a while.
    pub(super) fn power_on_in_vain(&mut self, server: &str) -> Result<(), Refusal> {
        let seconds = self.truth.market.takes().power_on;
        let found = self.truth.server_mut(server)?;
        if found.state != ServerState::Stopped {
            return Err(should_be(found, "stopped"));
        }
        found.state = ServerState::Starting;
        self.schedule(seconds, Effect::TurnedAway(server.to_owned()));
        Ok(())
    }

    /// What somebody inside does who shuts the guest down.
    pub(super) fn guest_shutdown(&mut self, server: &str) -> Result<(), Refusal> {
        let found = self.truth.server_mut(server)?;
        if found.state != ServerState::Running {
            return Err(should_be(found, "running"));
        }
        found.state = ServerState::Stopping;
        let effect = match self.truth.imitate {
            Imitate::Volumes => Effect::StoppedInPlace(server.to_owned()),
            Imitate::LocalDisks => Effect::Stopped(server.to_owned()),
        };
        self.schedule(self.truth.market.takes().guest_shutdown, effect);
        Ok(())
    }

    /// Attaches a volume to a server, as its root if it is what the server boots from.
    pub(super) fn attach(&mut self, server: &str, volume: &str) -> Result<(), Refusal> {
        let mut found = self.truth.server(server)?.clone();
        check_settled(&found)?;
        self.take_volume(&found, volume)?;
        if found.may_write() {
            self.notice_writes(volume)?;
            self.note_writing(volume);
        }
        let lost_root = match &found.root {
            Some(Root::Volume(root)) => !self.truth.volumes.contains_key(root),
            Some(Root::Disk { .. }) | None => false,
        };
        if lost_root && found.volumes.is_empty() {
            found.root = Some(Root::Volume(volume.to_owned()));
        }
        if found.root == Some(Root::Volume(volume.to_owned())) {
            found.volumes.insert(0, volume.to_owned());
        } else {
            found.volumes.push(volume.to_owned());
        }
        self.truth.servers.insert(server.to_owned(), found);
        Ok(())
    }

    /// Detaches a volume, a root volume as well; it is available after a while.
    pub(super) fn detach(&mut self, server: &str, volume: &str) -> Result<(), Refusal> {
        let found = self.truth.server(server)?;
        check_settled(found)?;
        if !found.volumes.iter().any(|id| id == volume) {
            let message = format!("volume {volume} is not attached to server {server}");
            return Err(Refusal::conflict(message));
        }
        self.leave(server, &[volume.to_owned()])
    }

    /// Detaches all volumes; a local disk stays.
    pub(super) fn detach_all(&mut self, server: &str) -> Result<(), Refusal> {
        let found = self.truth.server(server)?;
        check_settled(found)?;
        let volumes = found.volumes.clone();
        self.leave(server, &volumes)
    }

    /// Deletes a server in whatever settled condition. Its volumes and its address stay, its
    /// local disk does not. Protection covers one that is not stopped.
    pub(super) fn delete_server(&mut self, server: &str) -> Result<(), Refusal> {
        let takes = self.truth.market.takes();
        let found = self.truth.server_mut(server)?;
        check_settled(found)?;
        let seconds = if found.state == ServerState::Stopped {
            takes.delete_stopped_server
        } else {
            check_unprotected(found)?;
            takes.delete_server
        };
        self.end_server(server, seconds)
    }

    /// Has a server be gone after so many cloud seconds, in whatever condition it is.
    pub(super) fn end_server(&mut self, server: &str, seconds: u64) -> Result<(), Refusal> {
        let found = self.truth.server_mut(server)?;
        found.state = ServerState::Deleting;
        for file in found.files() {
            self.notice_writes(&file)?;
        }
        self.schedule(seconds, Effect::ServerGone(server.to_owned()));
        Ok(())
    }

    /// Gives a stopped server another server type.
    pub(super) fn change_type(&mut self, server: &str, kind: &str) -> Result<(), Refusal> {
        let market = self.truth.market;
        let found = self.truth.server_mut(server)?;
        let price = market.compute(&found.zone, kind)?;
        if found.state != ServerState::Stopped {
            return Err(should_be(found, "stopped"));
        }
        found.kind = kind.to_owned();
        let name = found.name.clone();
        if self.truth.imitate == Imitate::LocalDisks {
            self.close_bills(server);
            self.open_bill(server, "compute", &name, price);
        }
        Ok(())
    }

    /// Sets whether a server refuses to be powered off or terminated.
    pub(super) fn protect(&mut self, server: &str, protected: bool) -> Result<(), Refusal> {
        let found = self.truth.server_mut(server)?;
        check_unlocked(found)?;
        found.protected = protected;
        Ok(())
    }
}

impl Deed {
    /// Refuses a server name that another server has, where names must be unique.
    pub(super) fn check_server_name(&self, name: &str, own_id: &str) -> Result<(), Refusal> {
        let mut servers = self.truth.servers.values();
        let is_taken = servers.any(|server| server.name == name && server.id != own_id);
        if is_taken && self.truth.imitate == Imitate::LocalDisks {
            return Err(Refusal::invalid(format!("label must be unique: `{name}` is taken")));
        }
        Ok(())
    }

    fn boots_from_local_volume(&self, server: &Server) -> bool {
        let Some(Root::Volume(root)) = &server.root else { return false };
        self.truth.volumes.get(root).is_some_and(|volume| volume.local)
    }

    /// Has a volume belong to a server.
    pub(super) fn take_volume(&mut self, server: &Server, id: &str) -> Result<(), Refusal> {
        let volume = self.truth.volume_mut(id)?;
        check_same_zone(server, id, &volume.zone)?;
        if let Some(owner) = &volume.server {
            return Err(Refusal::conflict(format!("volume {id} is in use by server {owner}")));
        }
        if !matches!(volume.state, VolumeState::Available | VolumeState::Creating) {
            let message = format!("volume {id} should be available, it is {}", volume.state);
            return Err(Refusal::conflict(message));
        }
        volume.state = VolumeState::InUse;
        volume.server = Some(server.id.clone());
        Ok(())
    }

    /// Has volumes leave their server, which loses them at once.
    pub(super) fn leave(&mut self, server: &str, volumes: &[String]) -> Result<(), Refusal> {
        for volume in volumes {
            let state = self.truth.volume(volume)?.state;
            if state == VolumeState::Resizing {
                return Err(Refusal::conflict(format!("volume {volume} is {state}")));
            }
        }
        let found = self.truth.server_mut(server)?;
        found.volumes.retain(|id| !volumes.contains(id));
        let seconds = if found.may_write() { self.truth.market.takes().detach_running } else { self.truth.market.takes().detach };
        for volume in volumes {
            self.begin_detach(volume, seconds)?;
        }
        Ok(())
    }
}

/// Refuses to join a server and something of another zone.
pub(super) fn check_same_zone(server: &Server, id: &str, zone: &str) -> Result<(), Refusal> {
    if zone == server.zone {
        return Ok(());
    }
    let message = format!("{id} is in zone {zone}, server {} in {}", server.id, server.zone);
    Err(Refusal::invalid(message))
}

/// Refuses a server that is on its way somewhere, or locked.
fn check_settled(server: &Server) -> Result<(), Refusal> {
    match server.state {
        ServerState::Running | ServerState::Stopped | ServerState::StoppedInPlace => Ok(()),
        _ => Err(should_be(server, "running or stopped")),
    }
}

/// Refuses a server that the cloud has taken out of the customer's hands.
pub(super) fn check_unlocked(server: &Server) -> Result<(), Refusal> {
    if server.state == ServerState::Locked {
        return Err(Refusal::conflict(format!("server {} is {}", server.id, server.state)));
    }
    Ok(())
}

fn check_unprotected(server: &Server) -> Result<(), Refusal> {
    if server.protected {
        return Err(Refusal::conflict(format!("server {} is protected", server.id)));
    }
    Ok(())
}

fn should_be(server: &Server, wanted: &str) -> Refusal {
    Refusal::conflict(format!("server should be {wanted}: {} is {}", server.id, server.state))
}
