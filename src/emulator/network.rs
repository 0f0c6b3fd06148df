//! What a customer can do with addresses and firewalls, and with tags and names.

use std::collections::BTreeSet;

use super::Cloud;
use super::objects::{Address, CopyState, Firewall, Rule, Server, ServerState, VolumeState};
use super::physics::Deed;
use super::refusal::Refusal;
use super::servers::{check_same_zone, check_unlocked};

impl Cloud {
    /// Reserves an address.
    pub fn reserve_address(&self, zone: &str, tags: Vec<String>) -> Result<Address, Refusal> {
        self.mutate("reserve_address", |deed| deed.reserve_address(zone, tags))
    }

    /// Gives an address back; a server that has it loses it.
    pub fn release_address(&self, address: &str) -> Result<(), Refusal> {
        self.mutate("release_address", |deed| deed.release_address(address))
    }

    /// Gives an address to a server that has none.
    pub fn assign_address(&self, server: &str, address: &str) -> Result<(), Refusal> {
        self.mutate("assign_address", |deed| deed.assign_address(server, address))
    }

    /// Creates a firewall.
    pub fn create_firewall(&self, zone: &str, name: &str, rules: Vec<Rule>, tags: Vec<String>) -> Result<Firewall, Refusal> {
        self.mutate("create_firewall", |deed| deed.create_firewall(zone, name, rules, tags))
    }

    /// Replaces the rules of a firewall.
    pub fn set_rules(&self, firewall: &str, rules: Vec<Rule>) -> Result<(), Refusal> {
        self.mutate("set_rules", |deed| deed.set_rules(firewall, rules))
    }

    /// Deletes a firewall that no server uses.
    pub fn delete_firewall(&self, firewall: &str) -> Result<(), Refusal> {
        self.mutate("delete_firewall", |deed| deed.delete_firewall(firewall))
    }

    /// Puts a server behind a firewall.
    pub fn assign_firewall(&self, server: &str, firewall: &str) -> Result<(), Refusal> {
        self.mutate("assign_firewall", |deed| deed.assign_firewall(server, firewall))
    }

    /// Replaces the tags of any object and, where one is given, its name; an address has none.
    pub fn relabel(&self, id: &str, name: Option<&str>, tags: Vec<String>) -> Result<(), Refusal> {
        self.mutate("relabel", |deed| deed.relabel(id, name, tags))
    }

    /// Breaks an object: a server becomes locked, a volume, snapshot or image an error. For tests.
    pub fn condemn(&self, id: &str) -> Result<(), Refusal> {
        self.adjust(|deed| {
            let truth = &mut deed.truth;
            if let Some(server) = truth.servers.get_mut(id) {
                server.state = ServerState::Locked;
            }
            if let Some(volume) = truth.volumes.get_mut(id) {
                volume.state = VolumeState::Error;
            }
            if let Some(snapshot) = truth.snapshots.get_mut(id) {
                snapshot.state = CopyState::Error;
            }
            if let Some(image) = truth.images.get_mut(id) {
                image.state = CopyState::Error;
            }
        })
    }
}

impl Deed {
    /// Reserves an address.
    pub(super) fn reserve_address(&mut self, zone: &str, tags: Vec<String>) -> Result<Address, Refusal> {
        self.truth.market.check_zone(zone)?;
        self.check_quota("address")?;
        let number = self.next_address()?;
        let address = Address {
            id: self.mint("ip"),
            zone: zone.to_owned(),
            address: self.truth.market.dotted(number),
            server: None,
            created: self.tick(),
            tags,
        };
        let price = self.truth.market.address();
        self.open_bill(&address.id, "address", &address.address, price);
        self.truth.addresses.insert(address.id.clone(), address.clone());
        Ok(address)
    }

    /// Gives an address back; a server that has it loses it.
    pub(super) fn release_address(&mut self, address: &str) -> Result<(), Refusal> {
        let found = self.truth.address(address)?.clone();
        if let Some(server) = &found.server
            && let Some(server) = self.truth.servers.get_mut(server)
        {
            check_unlocked(server)?;
            server.address = None;
        }
        self.close_bills(address);
        self.truth.addresses.remove(address);
        Ok(())
    }

    /// Gives an address to a server that has none.
    pub(super) fn assign_address(&mut self, server: &str, address: &str) -> Result<(), Refusal> {
        let mut found = self.truth.server(server)?.clone();
        check_unlocked(&found)?;
        match &found.address {
            Some(own) if own == address => return Ok(()),
            Some(own) => {
                return Err(Refusal::conflict(format!("server {server} has address {own} already")));
            }
            None => {}
        }
        self.take_address(&found, address)?;
        found.address = Some(address.to_owned());
        self.truth.servers.insert(server.to_owned(), found);
        Ok(())
    }

    /// Creates a firewall.
    pub(super) fn create_firewall(&mut self, zone: &str, name: &str, rules: Vec<Rule>, tags: Vec<String>) -> Result<Firewall, Refusal> {
        self.truth.market.check_zone(zone)?;
        self.check_quota("firewall")?;
        let firewall = Firewall { id: self.mint("fw"), zone: zone.to_owned(), name: name.to_owned(), rules, created: self.tick(), tags };
        self.truth.firewalls.insert(firewall.id.clone(), firewall.clone());
        Ok(firewall)
    }

    /// Replaces the rules of a firewall.
    pub(super) fn set_rules(&mut self, firewall: &str, rules: Vec<Rule>) -> Result<(), Refusal> {
        self.truth.firewall(firewall)?;
        if let Some(found) = self.truth.firewalls.get_mut(firewall) {
            found.rules = rules;
        }
        Ok(())
    }

    /// Deletes a firewall that no server uses.
    pub(super) fn delete_firewall(&mut self, firewall: &str) -> Result<(), Refusal> {
        self.truth.firewall(firewall)?;
        let uses = |server: &&Server| server.firewall.as_deref() == Some(firewall);
        if let Some(server) = self.truth.servers.values().find(uses) {
            let message = format!("firewall {firewall} is in use by server {}", server.id);
            return Err(Refusal::conflict(message));
        }
        self.truth.firewalls.remove(firewall);
        Ok(())
    }

    /// Puts a server behind a firewall.
    pub(super) fn assign_firewall(&mut self, server: &str, firewall: &str) -> Result<(), Refusal> {
        self.truth.firewall(firewall)?;
        let found = self.truth.server_mut(server)?;
        check_unlocked(found)?;
        found.firewall = Some(firewall.to_owned());
        Ok(())
    }

    /// Replaces the tags of any object and, where one is given, its name; an address has none.
    pub(super) fn relabel(&mut self, id: &str, name: Option<&str>, tags: Vec<String>) -> Result<(), Refusal> {
        if let Some(server) = self.truth.servers.get(id) {
            check_unlocked(server)?;
        }
        if let Some(name) = name {
            if self.truth.servers.contains_key(id) {
                self.check_server_name(name, id)?;
            }
            *self.truth.name_mut(id)? = name.to_owned();
        }
        *self.truth.tags_mut(id)? = tags;
        Ok(())
    }
}

impl Deed {
    /// Has an address belong to a server.
    pub(super) fn take_address(&mut self, server: &Server, id: &str) -> Result<(), Refusal> {
        let address = self.truth.address(id)?;
        check_same_zone(server, id, &address.zone)?;
        if let Some(owner) = &address.server {
            return Err(Refusal::conflict(format!("address {id} is in use by server {owner}")));
        }
        if let Some(address) = self.truth.addresses.get_mut(id) {
            address.server = Some(server.id.clone());
        }
        Ok(())
    }

    /// The number of the next address that is free.
    pub(super) fn next_address(&mut self) -> Result<u32, Refusal> {
        let market = self.truth.market;
        let addresses = self.truth.addresses.values();
        let taken: BTreeSet<String> = addresses.map(|it| it.address.clone()).chain(self.truth.scaleway.dynamic_addresses()).collect();
        let last = self.truth.last_address;
        let after = last.saturating_add(1)..=market.addresses();
        let next = after.chain(1..=last).find(|number| !taken.contains(&market.dotted(*number)));
        self.truth.last_address = next.ok_or_else(|| market.addresses_used_up())?;
        Ok(self.truth.last_address)
    }
}
