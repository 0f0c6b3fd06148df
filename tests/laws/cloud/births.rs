//! What calls make: volumes, servers, copies.

use super::{
    Bytes, Cloud, DEFAULT, Deed, Disk, Kept, Machine, STOCK,
    deeds::{not_done, refused},
    is_awake,
};
use cloudypad::{
    model::{
        Boot, CopyStatus, HOST, Id, LastHeld, NewServer, NewVolume, Origin, Power, Ran, Root, Seed, Server, Snapshot, Stamp, Tags, Told,
        Volume, VolumeStatus,
    },
    provider::Problem,
};

impl Cloud {
    pub(super) fn create_volume(&mut self, new: &NewVolume) -> Result<String, Problem> {
        self.check_volume_name(&new.name, "")?;
        let bytes = match &new.from {
            None => self.fresh_bytes(),
            Some(from) => {
                let index = self.copy(from.as_str()).ok_or_else(|| refused("no such snapshot"))?;
                if self.copies[index].it.status != CopyStatus::Ready {
                    let problem = if self.is_scaleway() { refused } else { not_done };
                    return Err(problem("the snapshot is not available"));
                }
                self.copies[index].bytes.clone()
            }
        };
        let (id, created): (Id<Volume>, _) = (self.id("vol"), self.stamp());
        let text = id.to_string();
        let it = Volume {
            id,
            name: new.name.clone(),
            size_gb: new.size_gb,
            status: VolumeStatus::Creating,
            attached_to: None,
            created,
            last_held: LastHeld::Never,
            origin: new.from.clone().map_or(Origin::Empty, Origin::Snapshot),
            iops: new.iops,
            tags: new.tags.clone(),
        };
        self.volumes.push(Disk { it, bytes, hidden: false, growing: None, plugs: false });
        Ok(text)
    }

    pub(super) fn create_server(&mut self, new: &NewServer) -> Result<String, Problem> {
        self.check_server_name(&new.name, "")?;
        let boot_volume = if let Boot::Volume(id) = &new.boot { Some(id.clone()) } else { None };
        if boot_volume.is_some() && !self.can.root_outlives_server {
            return Err(refused("servers boot from disks of their own"));
        }
        for id in boot_volume.iter().chain(&new.data) {
            let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
            // The local cloud boots from none that is still being made.
            let may_come = self.may_be_taken(index) && !(self.is_local() && boot_volume.as_ref() == Some(id));
            if !self.is_free(index) && !may_come {
                return Err(not_done("the volume is in use"));
            }
        }
        if let Some(address) = &new.address {
            let found = self.addresses.iter().find(|it| it.id == *address).ok_or_else(|| refused("no such address"))?;
            if self.is_held(found) {
                return Err(if self.is_linode() { refused("the address is in use") } else { not_done("the address is in use") });
            }
        }
        if new.firewall.as_ref().is_some_and(|id| self.firewalls.iter().all(|it| it.id != *id)) {
            return Err(refused("no such firewall"));
        }
        let local = match &new.boot {
            Boot::Volume(_) => None,
            Boot::Stock(_) if self.can.root_outlives_server => None,
            Boot::Stock(_) => Some(self.fresh_bytes()),
            Boot::Image(id) => {
                let index = self.copy(id.as_str()).ok_or_else(|| refused("no such image"))?;
                if self.copies[index].it.status != CopyStatus::Ready {
                    let problem = if self.is_linode() { refused } else { not_done };
                    return Err(problem("the image is not available"));
                }
                Some(self.copies[index].bytes.clone())
            }
        };
        let (id, created): (Id<Server>, _) = (self.id("srv"), self.stamp());
        let mut volumes = Vec::new();
        let root = match (&boot_volume, &local) {
            (Some(volume), _) => Root::Volume(volume.clone()),
            (None, Some(_)) => Root::Local { size_gb: new.root_gb },
            (None, None) => {
                let (bytes, volume): (_, Id<Volume>) = (self.fresh_bytes(), self.id("vol"));
                let created = self.stamp();
                let it = Volume {
                    id: volume.clone(),
                    name: "untagged".to_owned(),
                    size_gb: new.root_gb,
                    status: VolumeStatus::Available,
                    attached_to: None,
                    created,
                    last_held: LastHeld::Never,
                    // Scaleway makes it of a snapshot that is the vendor's.
                    origin: if self.is_scaleway() { Origin::Snapshot(Id::new(STOCK)) } else { Origin::Stock },
                    iops: None,
                    tags: Tags::default(),
                };
                self.volumes.push(Disk { it, bytes, hidden: false, growing: None, plugs: false });
                Root::Volume(volume)
            }
        };
        if let Root::Volume(volume) = &root {
            volumes.push(volume.clone());
        }
        volumes.extend(new.data.clone());
        for volume in &volumes {
            if let Some(index) = self.volume(volume.as_str()) {
                self.volumes[index].it.attached_to = Some(id.clone());
                self.volumes[index].it.status = VolumeStatus::InUse;
            }
        }
        for address in self.addresses.iter_mut().filter(|it| Some(&it.id) == new.address.as_ref()) {
            address.server = Some(id.clone());
        }
        let text = id.to_string();
        let takes = self.can.durations.create_server > self.can.durations.call;
        let own_address = (self.can.own_address && new.address.is_none()).then(|| "203.0.113.9".to_owned());
        let mut it = Server {
            id,
            name: new.name.clone(),
            machine_type: new.machine_type.clone(),
            power: if takes { Power::Busy } else { Power::Off },
            created,
            root,
            volumes,
            address: new.address.clone(),
            firewall: new.firewall.clone().or_else(|| self.is_scaleway().then(|| Id::new(DEFAULT))),
            off_since: Some(created),
            ran: Ran::Never,
            seed: if self.is_scaleway() { Seed::Missing } else { Seed::Untold },
            locked: false,
            told: Told { own_address, watchdog: self.can.watchdog.then_some(true), ..Told::default() },
            tags: new.tags.clone(),
        };
        // What Linode does not tell, its hands write down.
        // The vendors' hands say whom the guest will show itself to be.
        if !self.is_local() {
            it.tags = it.tags.with_value(HOST, &"0".repeat(40));
        }
        if self.is_linode() {
            it.tags = it.tags.with_value("gb", &new.root_gb.to_string());
        }
        let boots_from = it.volumes.first().filter(|_| local.is_none()).cloned();
        self.servers.push(Machine { it, local, boots_from, hidden: false, starts: false, lingers: false, ends: false, becomes: None });
        Ok(text)
    }

    pub(super) fn snapshot(&mut self, volume: &str, tags: &Tags, deed: &mut Deed) -> Result<String, Problem> {
        let index = self.volume(volume).ok_or_else(|| refused("no such volume"))?;
        if !matches!(self.volumes[index].it.status, VolumeStatus::Available | VolumeStatus::InUse | VolumeStatus::Detaching) {
            return Err(not_done("the volume is busy"));
        }
        let bytes = self.volumes[index].bytes.clone();
        // A copy from before the detach proves nothing to somebody who sees stamps alone.
        let since = self.volumes[index].it.last_write();
        deed.redone = since.is_some_and(|since| self.is_copied(&bytes, since));
        deed.of_restless = self.may_be_written(volume);
        if deed.of_restless {
            self.write(index);
        }
        let (of, size_gb) = (self.volumes[index].it.id.clone(), self.volumes[index].it.size_gb);
        Ok(self.keep(of, size_gb, tags, bytes, false))
    }

    pub(super) fn capture(&mut self, server: &str, tags: &Tags, deed: &mut Deed) -> Result<String, Problem> {
        let index = self.server(server).ok_or_else(|| refused("no such server"))?;
        let machine = &self.servers[index];
        let may_be_imaged = machine.it.power == Power::Off || (machine.it.power == Power::Running && !self.is_linode());
        if !may_be_imaged || self.is_busy(index) {
            return Err(not_done("the server is busy"));
        }
        let Some(bytes) = machine.local.clone() else { return Err(refused("the server has no disk of its own")) };
        let Root::Local { size_gb } = machine.it.root else { return Err(refused("the server has no disk of its own")) };
        let since = machine.it.off_since;
        deed.redone = since.is_some_and(|since| self.is_copied(&bytes, since));
        deed.of_restless = is_awake(&machine.it);
        if deed.of_restless {
            self.write_all(index);
        }
        Ok(self.keep(Id::new(server), size_gb, tags, bytes, true))
    }

    fn is_copied(&self, bytes: &Bytes, since: Stamp) -> bool {
        let live = self.copies.iter().filter(|it| matches!(it.it.status, CopyStatus::Ready | CopyStatus::Creating));
        live.into_iter().any(|it| it.bytes.head() == bytes.head() && it.it.created > since)
    }

    fn keep(&mut self, of: Id<Volume>, size_gb: u64, tags: &Tags, bytes: Bytes, of_local: bool) -> String {
        let (id, created): (Id<Snapshot>, _) = (self.id(if of_local { "img" } else { "snap" }), self.stamp());
        let text = id.to_string();
        let mut tags = tags.clone();
        if self.is_linode() {
            tags = tags.with_value("of", of.as_str());
        }
        let it = Snapshot { id, name: "copy".to_owned(), of, size_gb, status: CopyStatus::Creating, created, tags };
        self.copies.push(Kept { it, of_local, bytes, hidden: false });
        text
    }
}
