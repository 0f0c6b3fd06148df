//! What a call does to the truth, and what the vendors answer where it may not be done.

use super::{Cloud, Deed, Disk, is_awake};
use crate::order::Order;
use cloudypad::{
    model::{
        Address, CopyStatus, Firewall, Id, MOUNTED, Object, Origin, Power, Ran, Record, Role, Root, Seed, Seen, Server, Tags, Volume,
        VolumeStatus,
    },
    provider::Problem,
};

pub(super) fn not_done(answer: &str) -> Problem {
    Problem::NotDone { answer: answer.to_owned(), pause: None }
}

pub(super) fn refused(answer: &str) -> Problem {
    Problem::Refused { answer: answer.to_owned(), remedy: None }
}

impl Cloud {
    /// What is answered where an order is about something that is gone: the vendors' hands look first, and say that the next
    /// look will tell.
    pub(super) fn gone(&self, answer: &str) -> Problem {
        if self.is_local() { refused(answer) } else { not_done(answer) }
    }

    /// A server that can still be dealt with; of one on its way out the vendors take no orders.
    pub(super) fn staying(&self, id: &str, answer: &str) -> Result<usize, Problem> {
        let index = self.server(id).ok_or_else(|| self.gone(answer))?;
        match self.servers[index].it.power {
            Power::Deleting if !self.is_local() => Err(not_done("the server is about to go")),
            _ => Ok(index),
        }
    }

    /// What is answered where somebody protected a server.
    pub(super) fn protected(&self) -> Problem {
        if self.is_local() { not_done("the server is protected") } else { refused("the server is protected") }
    }

    /// Refuses a name that another server has, where names are unique; so they are at the local cloud that is like Linode.
    pub(super) fn check_server_name(&self, name: &str, own_id: &str) -> Result<(), Problem> {
        let is_taken = self.servers.iter().any(|it| it.it.name == name && it.it.id.as_str() != own_id);
        match is_taken {
            true if self.is_local() && !self.can.root_outlives_server => Err(refused("the name is taken")),
            true if self.can.unique_names => Err(not_done("the label is taken")),
            _ => Ok(()),
        }
    }

    pub(super) fn check_volume_name(&self, name: &str, own_id: &str) -> Result<(), Problem> {
        let is_taken = self.volumes.iter().any(|it| it.it.name == name && it.it.id.as_str() != own_id);
        if is_taken && self.can.unique_names { Err(not_done("the label is taken")) } else { Ok(()) }
    }

    /// Carries an order out, or says why not.
    pub fn carry_out(&mut self, order: &Order) -> Deed {
        let mut deed = Deed { answer: Ok(String::new()), losses: Vec::new(), of_restless: false, redone: false };
        deed.answer = self.obey(order, &mut deed);
        self.forget();
        deed
    }

    /// Whether an order would make something.
    pub fn would_make(&self, order: &Order) -> bool {
        let mut cloud = self.clone();
        cloud.carry_out(order).answer.is_ok() && cloud.made > self.made
    }

    fn obey(&mut self, order: &Order, deed: &mut Deed) -> Result<String, Problem> {
        let done = |id: &str| Ok(id.to_owned());
        match order {
            Order::ReserveAddress(tags) => {
                let (id, created) = (self.id("ip"), self.stamp());
                self.addresses.push(Address { id, address: "203.0.113.7".to_owned(), server: None, created, tags: tags.clone() });
                done("ip")
            }
            Order::CreateFirewall(name, tags) => {
                if self.can.unique_names && self.firewalls.iter().any(|it| it.name == *name) {
                    return Err(not_done("the label is taken"));
                }
                let (id, created) = (self.id("fw"), self.stamp());
                self.firewalls.push(Firewall { id, name: name.clone(), shut: true, rules: Vec::new(), created, tags: tags.clone() });
                done("fw")
            }
            Order::SetRules(id, rules) => {
                let wall = self.firewalls.iter_mut().find(|it| it.id == *id).ok_or_else(|| refused("no such firewall"))?;
                wall.rules.clone_from(rules);
                done(id.as_str())
            }
            Order::ShutFirewall(id) => {
                let wall = self.firewalls.iter_mut().find(|it| it.id == *id).ok_or_else(|| refused("no such firewall"))?;
                wall.shut = true;
                done(id.as_str())
            }
            Order::CreateVolume(new) => self.create_volume(new),
            Order::CreateServer(new) => self.create_server(new),
            Order::Retag(object, tags, name) => self.retag(object, tags, name.as_deref()),
            Order::Seed(_) if !self.can.seeds => Err(refused("there is no such call")),
            Order::Seed(id) => {
                let index = self.staying(id.as_str(), "no such server")?;
                self.servers[index].it.seed = Seed::Set;
                done(id.as_str())
            }
            Order::Watchdog(..) if !self.can.watchdog => Err(refused("there is no such call")),
            Order::Watchdog(id, on) => {
                let index = self.staying(id.as_str(), "no such server")?;
                self.servers[index].it.told.watchdog = Some(*on);
                done(id.as_str())
            }
            Order::Start(id) => self.start(id.as_str()),
            Order::Stop(id) => {
                let index = self.server(id.as_str()).ok_or_else(|| self.gone("the server is gone"))?;
                let (protected, is_linode) = (self.protected(), self.is_linode());
                let is_off = self.servers[index].it.power == Power::Off && !self.servers[index].starts;
                if self.is_busy(index) && !is_off {
                    return Err(not_done("the server is busy"));
                }
                let machine = &mut self.servers[index].it;
                if machine.locked {
                    return Err(protected);
                }
                match machine.power {
                    Power::Running | Power::StoppedInPlace => {}
                    Power::Off | Power::Stopping if is_linode => return done(id.as_str()),
                    _ => return Err(not_done("the server does not run")),
                }
                machine.power = Power::Stopping;
                done(id.as_str())
            }
            Order::Detach(server, volumes) => {
                let index = self.server(server.as_str());
                if index.is_none() && !self.is_linode() {
                    return Err(self.gone("the server is gone"));
                }
                // The vendors' hands look first, and take off what is still there.
                let leaves = |it: &Disk| it.it.status == VolumeStatus::Detaching && it.it.attached_to.as_ref() == Some(server);
                if self.is_linode() && volumes.iter().filter_map(|it| self.volume(it.as_str())).any(|at| leaves(&self.volumes[at])) {
                    return Err(not_done("the volume is not attached"));
                }
                let held = |it: &&Id<Volume>| index.is_some_and(|at| self.servers[at].it.volumes.contains(it));
                let leaving: Vec<Id<Volume>> = volumes.iter().filter(|it| self.is_local() || held(it)).cloned().collect();
                for volume in &leaving {
                    self.check_leave(server.as_str(), volume.as_str())?;
                }
                for volume in &leaving {
                    self.detach(server.as_str(), volume.as_str())?;
                }
                done(server.as_str())
            }
            Order::Attach(server, volume, role) => self.attach(server, volume, *role),
            Order::AssignAddress(..) if self.is_linode() => Err(refused("there is no such call")),
            Order::AssignAddress(server, address) => {
                let index = self.server(server.as_str()).ok_or_else(|| refused("no such server"))?;
                match &self.servers[index].it.address {
                    Some(own) if own == address => return done(address.as_str()),
                    Some(_) => return Err(not_done("the server has an address already")),
                    None => {}
                }
                let found = self.addresses.iter().position(|it| it.id == *address).ok_or_else(|| refused("no such address"))?;
                if self.is_held(&self.addresses[found]) {
                    return Err(not_done("the address is in use"));
                }
                self.addresses[found].server = Some(server.clone());
                self.servers[index].it.address = Some(address.clone());
                done(address.as_str())
            }
            Order::AssignFirewall(server, firewall) => {
                if self.firewalls.iter().all(|it| it.id != *firewall) {
                    return Err(refused("no such firewall"));
                }
                let index = self.staying(server.as_str(), "no such server")?;
                if self.is_linode() && self.servers[index].it.firewall.is_some() {
                    return Err(not_done("the server is behind a firewall already"));
                }
                self.servers[index].it.firewall = Some(firewall.clone());
                self.touch(server.as_str());
                done(firewall.as_str())
            }
            Order::Grow(id, size_gb) => {
                let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
                let (is_linode, is_scaleway) = (self.is_linode(), self.is_scaleway());
                let disk = &mut self.volumes[index];
                // Scaleway has nothing to do then, and does not look whether it could.
                if is_scaleway && *size_gb == disk.it.size_gb {
                    return done(id.as_str());
                }
                if !matches!(disk.it.status, VolumeStatus::Available | VolumeStatus::InUse) {
                    return Err(not_done("the volume is busy"));
                }
                match size_gb.cmp(&disk.it.size_gb) {
                    std::cmp::Ordering::Less => return Err(refused("a volume does not shrink")),
                    std::cmp::Ordering::Equal if is_linode => return Err(refused("volumes can only be resized up")),
                    std::cmp::Ordering::Equal => return done(id.as_str()),
                    std::cmp::Ordering::Greater => {}
                }
                disk.growing = Some(*size_gb);
                disk.it.status = VolumeStatus::Busy;
                if is_linode {
                    disk.it.size_gb = *size_gb;
                }
                done(id.as_str())
            }
            Order::Tune(id, iops) => {
                let index = self.volume(id.as_str()).ok_or_else(|| refused("no such volume"))?;
                self.volumes[index].it.iops = Some(*iops);
                done(id.as_str())
            }
            Order::SetRecord(address) => {
                self.record = Seen::Present(Record { addresses: vec![address.clone()], ttl: self.can.dns_ttl, ours: true, id: None });
                done("record")
            }
            Order::DeleteRecord => {
                self.record = Seen::Absent;
                done("record")
            }
            Order::ChangeType(id, name) => {
                let index = self.staying(id.as_str(), "no such server")?;
                if self.servers[index].it.power != Power::Off || self.is_busy(index) {
                    return Err(not_done("the server is not off"));
                }
                if self.is_linode() {
                    let machine = &mut self.servers[index];
                    if machine.it.machine_type == *name {
                        return Err(refused("it is of that type already"));
                    }
                    machine.becomes = Some(name.clone());
                    machine.it.power = Power::Busy;
                    return done(id.as_str());
                }
                self.servers[index].it.machine_type.clone_from(name);
                self.touch(id.as_str());
                done(id.as_str())
            }
            // Whatever runs inside writes to the disks.
            Order::Configure(id, _) | Order::StartUp(id) => {
                let index = self.server(id.as_str()).ok_or_else(|| refused("no such server"))?;
                if self.servers[index].it.power != Power::Running {
                    return Err(not_done("nobody answers"));
                }
                self.write_all(index);
                let has_data = self.servers[index].it.volumes.len() > usize::from(self.can.root_outlives_server);
                done(if has_data { MOUNTED } else { id.as_str() })
            }
            Order::Snapshot(volume, tags) => self.snapshot(volume.as_str(), tags, deed),
            Order::Capture(server, tags) => self.capture(server.as_str(), tags, deed),
            Order::DeleteServer(id, off) => self.delete_server(id.as_str(), *off, deed),
            Order::DeleteVolume(id) => {
                let Some(index) = self.volume(id.as_str()) else { return done(id.as_str()) };
                if !self.is_free(index) {
                    return Err(not_done("the volume is in use"));
                }
                let gone = self.volumes.remove(index);
                let role = gone.it.tags.role().unwrap_or(Role::Root);
                deed.losses.extend(self.judge(&gone.bytes, role, id.as_str()));
                done(id.as_str())
            }
            Order::DeleteCopy(id) => {
                let Some(index) = self.copy(id) else { return done(id) };
                let is_used = |it: &Disk| {
                    it.it.status == VolumeStatus::Creating && matches!(&it.it.origin, Origin::Snapshot(from) if from.as_str() == id)
                };
                let is_made = self.copies[index].it.status == CopyStatus::Creating && !self.is_linode();
                if is_made || self.volumes.iter().any(is_used) {
                    let problem = if self.is_scaleway() { refused } else { not_done };
                    return Err(problem("the copy is in use"));
                }
                let gone = self.copies.remove(index);
                let role = gone.it.tags.role().unwrap_or(Role::Root);
                if gone.it.status == CopyStatus::Ready {
                    deed.losses.extend(self.judge(&gone.bytes, role, id));
                }
                done(id)
            }
            Order::ReleaseAddress(id) => {
                let goes_on = self.is_linode().then(|| "203.0.113.7".to_owned());
                for machine in self.servers.iter_mut().filter(|it| it.it.address.as_ref() == Some(id)) {
                    machine.it.address = None;
                    // At Linode it stays with its server, as one that goes with it.
                    machine.it.told.own_address = goes_on.clone().or_else(|| machine.it.told.own_address.take());
                }
                self.addresses.retain(|it| it.id != *id);
                done(id.as_str())
            }
            Order::DeleteFirewall(id) => {
                let is_linode = self.is_linode();
                for machine in self.servers.iter_mut().filter(|it| it.it.firewall.as_ref() == Some(id)) {
                    if !is_linode {
                        return Err(not_done("the firewall is in use"));
                    }
                    machine.it.firewall = None;
                }
                self.firewalls.retain(|it| it.id != *id);
                done(id.as_str())
            }
        }
    }

    fn retag(&mut self, object: &Object, tags: &Tags, name: Option<&str>) -> Result<String, Problem> {
        let id = object.id();
        if let Object::Server(id) = object {
            self.staying(id.as_str(), "the server is gone")?;
        }
        if let (Some(name), Object::Server(_)) = (name, object) {
            self.check_server_name(name, id)?;
        }
        // At Linode a volume's name is its path in the guest, and stays.
        let name = name.filter(|_| !(self.is_linode() && matches!(object, Object::Volume(_))));
        if let (Some(name), Object::Volume(_)) = (name, object) {
            self.check_volume_name(name, id)?;
        }
        let gone = self.gone("the object is gone");
        let mut nothing = String::new();
        let slot = match object {
            Object::Server(id) => self.servers.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Volume(id) => self.volumes.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Snapshot(id) => self.copies.iter_mut().find(|it| it.it.id == *id).map(|it| (&mut it.it.tags, &mut it.it.name)),
            Object::Image(id) => {
                let found = self.copies.iter_mut().find(|it| it.it.id.as_str() == id.as_str());
                found.map(|it| (&mut it.it.tags, &mut it.it.name))
            }
            Object::Address(id) => self.addresses.iter_mut().find(|it| it.id == *id).map(|it| (&mut it.tags, &mut nothing)),
            Object::Firewall(id) => self.firewalls.iter_mut().find(|it| it.id == *id).map(|it| (&mut it.tags, &mut it.name)),
        };
        let (its_tags, its_name) = slot.ok_or(gone)?;
        its_tags.clone_from(tags);
        if let Some(name) = name {
            name.clone_into(its_name);
        }
        if let Object::Server(id) = object {
            self.touch(id.as_str());
        }
        Ok(id.to_owned())
    }

    /// Somebody changed a server: at Scaleway nothing tells any more that it never ran.
    fn touch(&mut self, id: &str) {
        if let Some(index) = self.server(id).filter(|_| self.is_scaleway()) {
            self.servers[index].it.ran = Ran::Maybe;
        }
    }

    pub fn start(&mut self, id: &str) -> Result<String, Problem> {
        let index = self.server(id).ok_or_else(|| self.gone("the server is gone"))?;
        let (is_linode, is_scaleway) = (self.is_linode(), self.is_scaleway());
        let machine = &mut self.servers[index];
        // Protection is against the end of a machine, not its beginning.
        match machine.it.power {
            Power::Off | Power::StoppedInPlace => {}
            Power::Running | Power::Starting if is_linode => return Ok(id.to_owned()),
            // A new Linode is booted once it is made.
            Power::Busy if is_linode && machine.becomes.is_none() && !machine.starts => {
                machine.starts = true;
                return Ok(id.to_owned());
            }
            _ if machine.it.locked && is_scaleway => return Err(self.protected()),
            _ => return Err(not_done("the server is not off")),
        }
        let machine = &self.servers[index].it;
        if machine.root == Root::Detached {
            return Err(not_done("the server has no root disk"));
        }
        if is_linode {
            match self.servers[index].starts {
                true => return Ok(id.to_owned()),
                false if self.is_busy(index) => return Err(not_done("the server is busy")),
                false => self.servers[index].starts = true,
            }
        } else {
            self.begin_start(index);
        }
        Ok(id.to_owned())
    }

    pub fn detach(&mut self, server: &str, volume: &str) -> Result<(), Problem> {
        let (index, found) = self.check_leave(server, volume)?;
        if !self.is_scaleway() {
            self.volumes[found].it.status = VolumeStatus::Detaching;
        }
        self.volumes[found].plugs = false;
        let machine = &mut self.servers[index].it;
        machine.volumes.retain(|it| it.as_str() != volume);
        if matches!(&machine.root, Root::Volume(id) if id.as_str() == volume) {
            machine.root = Root::Detached;
        }
        Ok(())
    }

    /// Whether a volume may be taken off a server now: where both are, or why not.
    fn check_leave(&self, server: &str, volume: &str) -> Result<(usize, usize), Problem> {
        let index = self.server(server).ok_or_else(|| self.gone("the server is gone"))?;
        let power = &self.servers[index].it.power;
        // Also a root disk, from a machine that runs.
        let is_settled = matches!(power, Power::Off | Power::Running | Power::StoppedInPlace);
        let may_leave = if self.is_linode() { *power != Power::Deleting } else { is_settled };
        if !may_leave {
            return Err(not_done("the server is on its way"));
        }
        if !self.servers[index].it.volumes.iter().any(|it| it.as_str() == volume) {
            return Err(not_done("the volume is not attached"));
        }
        let found = self.volume(volume).ok_or_else(|| refused("no such volume"))?;
        if self.volumes[found].it.status == VolumeStatus::Busy {
            return Err(not_done("the volume is busy"));
        }
        Ok((index, found))
    }

    fn attach(&mut self, server: &Id<Server>, volume: &Id<Volume>, role: Role) -> Result<String, Problem> {
        let index = self.server(server.as_str()).ok_or_else(|| self.gone("the server is gone"))?;
        if !self.is_local() && self.servers[index].it.volumes.contains(volume) {
            return Ok(volume.to_string());
        }
        let is_settled = matches!(self.servers[index].it.power, Power::Off | Power::Running | Power::StoppedInPlace);
        let may_come = if self.is_linode() { self.servers[index].it.power != Power::Deleting } else { is_settled };
        if !may_come {
            return Err(not_done("the server is not settled"));
        }
        let found = self.volume(volume.as_str()).ok_or_else(|| refused("no such volume"))?;
        if !self.may_be_taken(found) {
            return Err(not_done("the volume is in use"));
        }
        let as_root = if self.is_local() { self.would_boot_from(index, volume) } else { role == Role::Root };
        if as_root && self.servers[index].it.root != Root::Detached {
            return Err(not_done("the server has a root disk"));
        }
        // Linode tells of one that is still being made, not of who has it.
        if !(self.is_linode() && self.volumes[found].it.status == VolumeStatus::Creating) {
            self.volumes[found].it.status = VolumeStatus::InUse;
            self.volumes[found].plugs = self.is_linode() && self.servers[index].it.power == Power::Running;
        }
        self.volumes[found].it.attached_to = Some(server.clone());
        if as_root {
            self.servers[index].boots_from = Some(volume.clone());
            self.servers[index].it.root = Root::Volume(volume.clone());
            self.servers[index].it.volumes.insert(0, volume.clone());
        } else {
            self.servers[index].it.volumes.push(volume.clone());
        }
        if is_awake(&self.servers[index].it) {
            self.write(found);
        }
        Ok(volume.to_string())
    }

    /// Whether the local cloud takes a volume for the one that a server boots from: that one, or, where it is gone, the
    /// first to come.
    fn would_boot_from(&self, server: usize, volume: &Id<Volume>) -> bool {
        let machine = &self.servers[server];
        match &machine.boots_from {
            Some(own) if own == volume => true,
            Some(own) => self.volume(own.as_str()).is_none() && machine.it.volumes.is_empty(),
            None => false,
        }
    }

    fn delete_server(&mut self, id: &str, off: bool, deed: &mut Deed) -> Result<String, Problem> {
        let Some(index) = self.server(id) else { return Ok(id.to_owned()) };
        let (protected, local, is_linode) = (self.protected(), self.is_local(), self.is_linode());
        let machine = &self.servers[index];
        let allowed = match machine.it.power {
            Power::Off => !(off && machine.starts),
            Power::Running | Power::StoppedInPlace | Power::Busy => !off,
            Power::Starting | Power::Stopping => is_linode && !off,
            _ => false,
        };
        if !allowed {
            return Err(not_done("the server is not off"));
        }
        if machine.it.locked && !(local && machine.it.power == Power::Off) {
            return Err(protected);
        }
        if let Some(bytes) = self.send_off(index) {
            deed.losses.extend(self.judge(&bytes, Role::Root, id));
        }
        Ok(id.to_owned())
    }
}
