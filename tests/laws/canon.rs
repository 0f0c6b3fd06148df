//! One name for all situations that mean the same: ids by order of appearance, versions of bytes likewise, moments by
//! their order and, while it matters, their age.

use super::cloud::{Bytes, Cloud};
use cloudypad::model::{Facts, LastHeld, Origin, Record, Root, Seen, Server, Snapshot, Stamp, Tags, Volume, World};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    mem::discriminant,
};

/// Ages beyond this are all the same: every lag is over, and every lost call has surely ended. In seconds.
const OLD: i64 = 75;

/// Writes a situation down. The first pass gathers its moments, the second one writes.
pub struct Writer {
    now: i64,
    moments: Vec<i64>,
    gathering: bool,
    ids: Vec<String>,
    versions: Vec<u32>,
    out: Vec<u8>,
}

/// The name of a situation, as `walk` describes it.
pub fn name(now: i64, walk: impl Fn(&mut Writer)) -> u128 {
    let mut writer =
        Writer { now, moments: vec![now], gathering: true, ids: Vec::new(), versions: Vec::new(), out: Vec::with_capacity(2048) };
    walk(&mut writer);
    writer.moments.sort_unstable();
    writer.moments.dedup();
    writer.gathering = false;
    writer.out.clear();
    writer.ids.clear();
    writer.versions.clear();
    walk(&mut writer);
    let digest = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(&writer.out);
        hasher.finish()
    };
    (u128::from(digest(1)) << 64) | u128::from(digest(2))
}

impl Writer {
    pub fn number(&mut self, number: usize) {
        if self.gathering {
            return;
        }
        self.out.extend_from_slice(&(number as u32).to_le_bytes());
    }

    pub fn flag(&mut self, flag: bool) {
        if self.gathering {
            return;
        }
        self.out.push(u8::from(flag));
    }

    pub fn moment(&mut self, stamp: Stamp) {
        if self.gathering {
            self.moments.push(stamp.0);
            return;
        }
        let rank = self.moments.binary_search(&stamp.0).unwrap_or(usize::MAX);
        let age = (self.now - stamp.0).div_euclid(1_000_000).clamp(-OLD, OLD);
        self.number(rank);
        self.out.push(age as u8);
    }

    pub fn perhaps(&mut self, stamp: Option<Stamp>) {
        self.flag(stamp.is_some());
        if let Some(stamp) = stamp {
            self.moment(stamp);
        }
    }

    /// Something without ids and moments.
    pub fn hashed(&mut self, what: &impl Hash) {
        if self.gathering {
            return;
        }
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.out.extend_from_slice(&hasher.finish().to_le_bytes());
    }

    /// Which variant of an enum.
    pub fn kind<T>(&mut self, what: &T) {
        self.hashed(&discriminant(what));
    }

    /// A text, with the ids in it by order of appearance.
    pub fn text(&mut self, text: &str) {
        for word in text.split(' ') {
            self.word(word);
            self.out.push(b' ');
        }
        self.out.push(0);
    }

    fn word(&mut self, word: &str) {
        if self.gathering && !word.starts_with("uncaptured:") && !word.starts_with("spec:") && !word.starts_with("born:") {
            return;
        }
        let (head, id) = word.split_once(':').map_or(("", word), |(head, tail)| (head, tail));
        let is_id = id.rsplit_once('-').is_some_and(|(kind, number)| {
            matches!(kind, "srv" | "vol" | "snap" | "img" | "ip" | "fw") && number.bytes().all(|it| it.is_ascii_digit())
        });
        if is_id {
            let index = self.ids.iter().position(|it| it == id).unwrap_or_else(|| {
                self.ids.push(id.to_owned());
                self.ids.len() - 1
            });
            self.out.extend_from_slice(head.as_bytes());
            self.out.push(1);
            self.out.extend_from_slice(id.split('-').next().unwrap_or_default().as_bytes());
            self.number(index);
        } else if let Some(seconds) =
            word.rsplit_once('-').filter(|_| ["uncaptured", "spec", "born"].contains(&head)).and_then(|it| it.1.parse::<i64>().ok())
        {
            self.out.extend_from_slice(word.rsplit_once('-').map_or(word, |it| it.0).as_bytes());
            self.moment(Stamp(seconds * 1_000_000));
        } else {
            self.out.extend_from_slice(word.as_bytes());
        }
    }

    pub fn tags(&mut self, tags: &Tags) {
        self.number(tags.0.len());
        tags.0.iter().for_each(|it| self.text(it));
    }

    pub fn bytes(&mut self, bytes: &Bytes) {
        self.number(bytes.0.len());
        self.flag(bytes.is_virgin());
        for version in &bytes.0 {
            let index = self.versions.iter().position(|it| it == version).unwrap_or_else(|| {
                self.versions.push(*version);
                self.versions.len() - 1
            });
            self.number(index);
        }
    }

    pub fn server(&mut self, it: &Server) {
        self.text(it.id.as_str());
        self.text(&it.machine_type);
        self.kind(&it.power);
        self.moment(it.created);
        match &it.root {
            Root::Volume(id) => self.text(id.as_str()),
            Root::Local { size_gb } => self.number(*size_gb as usize),
            Root::Detached => self.text("-"),
        }
        self.number(it.volumes.len());
        it.volumes.iter().for_each(|id| self.text(id.as_str()));
        self.text(it.address.as_ref().map_or("-", |it| it.as_str()));
        self.text(it.firewall.as_ref().map_or("-", |it| it.as_str()));
        self.perhaps(it.off_since);
        self.kind(&it.ran);
        self.kind(&it.seed);
        self.hashed(&(it.locked, it.told.own_address.is_some(), it.told.watchdog, it.told.off_by.is_some()));
        self.perhaps(it.told.failed_capture.as_ref().map(|it| it.at));
        self.tags(&it.tags);
    }

    pub fn volume(&mut self, it: &Volume) {
        self.text(it.id.as_str());
        self.number(it.size_gb as usize);
        self.kind(&it.status);
        self.hashed(&it.iops);
        self.text(it.attached_to.as_ref().map_or("-", |it| it.as_str()));
        self.moment(it.created);
        match it.last_held {
            LastHeld::Until(stamp) => self.moment(stamp),
            other => self.kind(&other),
        }
        match &it.origin {
            Origin::Snapshot(id) => self.text(id.as_str()),
            other => self.kind(other),
        }
        self.tags(&it.tags);
    }

    pub fn copy(&mut self, it: &Snapshot) {
        self.text(it.id.as_str());
        self.text(it.of.as_str());
        self.number(it.size_gb as usize);
        self.kind(&it.status);
        self.moment(it.created);
        self.tags(&it.tags);
    }

    pub fn cloud(&mut self, cloud: &Cloud) {
        self.number(cloud.servers.len());
        for machine in &cloud.servers {
            self.server(&machine.it);
            self.flag(machine.hidden);
            self.hashed(&(machine.starts, machine.lingers, machine.ends, &machine.becomes));
            self.text(machine.boots_from.as_ref().map_or("-", |it| it.as_str()));
            self.flag(machine.local.is_some());
            if let Some(bytes) = &machine.local {
                self.bytes(bytes);
            }
        }
        self.number(cloud.volumes.len());
        for disk in &cloud.volumes {
            self.volume(&disk.it);
            self.bytes(&disk.bytes);
            self.hashed(&(disk.hidden, disk.growing, disk.plugs));
        }
        self.number(cloud.copies.len());
        for kept in &cloud.copies {
            self.copy(&kept.it);
            self.bytes(&kept.bytes);
            self.flag(kept.hidden);
        }
        self.network(&cloud.addresses, &cloud.firewalls);
        self.record(&cloud.record);
        self.number(cloud.late.len());
        for late in &cloud.late {
            self.text(&format!("{:?}", late.order).replace(['"', '(', ')', ',', '{', '}', '[', ']'], " "));
            self.moment(late.until);
            self.number(late.by);
        }
    }

    fn record(&mut self, record: &Seen<Record>) {
        self.kind(record);
        if let Seen::Present(it) = record {
            self.hashed(&(&it.addresses, it.ttl, it.ours));
        }
    }

    fn network(&mut self, addresses: &[cloudypad::model::Address], firewalls: &[cloudypad::model::Firewall]) {
        self.number(addresses.len());
        for it in addresses {
            self.text(it.id.as_str());
            self.text(it.server.as_ref().map_or("-", |it| it.as_str()));
            self.moment(it.created);
            self.tags(&it.tags);
        }
        self.number(firewalls.len());
        for it in firewalls {
            self.text(it.id.as_str());
            self.flag(it.shut);
            self.number(it.rules.len());
            self.moment(it.created);
            self.tags(&it.tags);
        }
    }

    pub fn world(&mut self, world: &World) {
        fn list<T>(seen: &Seen<Vec<T>>) -> (&[T], u8) {
            (seen.items(), u8::from(matches!(seen, Seen::Unknown(_))))
        }
        self.moment(world.now);
        let (servers, unknown) = list(&world.servers);
        self.hashed(&(servers.len(), unknown));
        servers.iter().for_each(|it| self.server(it));
        let (volumes, unknown) = list(&world.volumes);
        self.hashed(&(volumes.len(), unknown));
        volumes.iter().for_each(|it| self.volume(it));
        let (copies, unknown) = list(&world.snapshots);
        self.hashed(&(copies.len(), unknown));
        copies.iter().for_each(|it| self.copy(it));
        let (images, unknown) = list(&world.images);
        self.hashed(&(images.len(), unknown));
        for it in images {
            self.text(it.id.as_str());
            self.text(it.of.as_str());
            self.kind(&it.status);
            self.moment(it.created);
            self.tags(&it.tags);
        }
        self.network(world.addresses.items(), world.firewalls.items());
        self.record(&world.record);
    }

    pub fn facts(&mut self, facts: &Facts) {
        self.dated(&facts.open);
        self.dated(&facts.made);
        self.dated(&facts.stopped);
        self.dated(&facts.restarted);
        self.number(facts.ordered_off.len());
        facts.ordered_off.iter().for_each(|it| self.text(it));
        self.flag(facts.begun);
        self.flag(facts.rested);
        self.number(facts.refused.len());
        facts.refused.iter().for_each(|it| self.text(it));
    }

    pub fn dated(&mut self, dated: &BTreeMap<String, Stamp>) {
        self.number(dated.len());
        for (key, stamp) in dated {
            self.text(key);
            self.moment(*stamp);
        }
    }
}
