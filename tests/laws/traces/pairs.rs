//! Which object of the emulator is which of the abstract truth, and whether both are in the same condition.

use crate::{
    cloud::{Bytes, Cloud, DEFAULT, STOCK},
    order::renamed_tag,
    view::MARK,
};
use cloudypad::{
    emulator::{self, Ledger, Market, Moment, Truth, VolumeState},
    model::{Id, LastHeld, Origin, Power, Ran, Root, Seed, Seen, Stamp, Tags, VolumeStatus, World},
};
use std::collections::BTreeMap;

/// By how much later than it was Linode's events may say that a server's disk is quiet, in microseconds.
const ROUNDED: i64 = 3_000_000;

/// Before the number of an image of one's own, in its id at Linode.
pub const PRIVATE: &str = "private/";

/// Before the id of what has no twin.
const UNKNOWN: &str = "unknown";

/// Ids of the emulator's objects, each with that of its twin in the abstract truth.
pub struct Pairs {
    twins: BTreeMap<String, String>,
    /// Whether the emulator stands in for a vendor.
    vendor: bool,
    linode: bool,
}

impl Pairs {
    /// None yet.
    pub fn new(kind: &str) -> Self {
        Pairs { twins: BTreeMap::new(), vendor: !kind.starts_with("local"), linode: kind == "linode" }
    }

    /// The id in the abstract truth of an object of the emulator.
    pub fn abstract_id(&self, id: &str) -> String {
        self.twins.get(id).cloned().unwrap_or_else(|| format!("{UNKNOWN} {id}"))
    }

    /// The id in the emulator of an object of the abstract truth. What neither ever knew is called the same.
    pub fn real_id(&self, id: &str) -> String {
        self.twins.iter().find(|(_, twin)| *twin == id).map_or(id, |(real, _)| real).to_owned()
    }

    /// Pairs what is new on both sides, in the order of its birth.
    pub fn meet(&mut self, truth: &Truth, cloud: &Cloud) -> Result<(), String> {
        for (real, twins) in by_kind(truth, cloud) {
            let new: Vec<String> = real.into_iter().filter(|id| !self.twins.contains_key(id)).collect();
            let known: Vec<&String> = self.twins.values().collect();
            let new_twins: Vec<String> = twins.into_iter().filter(|id| !known.contains(&id)).collect();
            if new.len() != new_twins.len() {
                return Err(format!("new in the emulator: {new:?}; in the abstract truth: {new_twins:?}"));
            }
            self.twins.extend(new.into_iter().zip(new_twins));
        }
        Ok(())
    }

    /// Whether both sides hold the same objects, seen or not.
    pub fn compare_objects(&self, truth: &Truth, cloud: &Cloud) -> Result<(), String> {
        for (real, mut twins) in by_kind(truth, cloud) {
            let mut real: Vec<String> = real.iter().map(|it| self.abstract_id(it)).collect();
            real.sort();
            twins.sort();
            if real != twins {
                return Err(format!("left in the emulator: {real:?}; in the abstract truth: {twins:?}"));
            }
        }
        Ok(())
    }

    /// Whether every disk and copy holds the same bytes on both sides: nobody's, or somebody's, and made of which others.
    pub fn compare_bytes(&self, truth: &Truth, cloud: &Cloud) -> Result<(), String> {
        let mut twins: BTreeMap<String, &Bytes> = BTreeMap::new();
        twins.extend(cloud.volumes.iter().map(|it| (it.it.id.to_string(), &it.bytes)));
        twins.extend(cloud.copies.iter().map(|it| (it.it.id.to_string(), &it.bytes)));
        // The abstract truth counts the disk of a server that is on its way out as gone.
        let alive = cloud.servers.iter().filter(|it| it.it.power != Power::Deleting);
        twins.extend(alive.filter_map(|it| Some((format!("disk of {}", it.it.id), it.local.as_ref()?))));
        let ledger = &truth.ledger;
        let owner = |file: &String| {
            let holds = |it: &&emulator::Server| matches!(&it.root, Some(emulator::Root::Disk { id, .. }) if id == file);
            match truth.servers.values().find(holds) {
                Some(server) => format!("disk of {}", self.abstract_id(&server.id)),
                None if truth.images.contains_key(file) && self.linode => self.abstract_id(&format!("{PRIVATE}{file}")),
                None => self.abstract_id(file),
            }
        };
        let real: BTreeMap<String, _> = ledger.contents.iter().map(|(file, it)| (owner(file), it)).collect();
        let real: BTreeMap<_, _> = real.into_iter().filter(|(name, _)| twins.contains_key(name)).collect();
        for (name, bytes) in &twins {
            let Some(content) = real.get(name) else { return Err(format!("the emulator has no bytes of {name}")) };
            if content.virgin != bytes.is_virgin() {
                return Err(format!("{name}: written to by nobody: {} in the emulator, {}", content.virgin, bytes.is_virgin()));
            }
            for (other, older) in &twins {
                let Some(older_content) = real.get(other) else { continue };
                let (really, abstractly) =
                    (descends(ledger, content.id, older_content.id), older.head().is_some_and(|it| bytes.0.contains(&it)));
                if really != abstractly {
                    return Err(format!("{name} made of {other}: {really} in the emulator, {abstractly} in the abstract truth"));
                }
            }
        }
        Ok(())
    }

    /// Whether a look shows the same on both sides.
    pub fn compare_looks(&self, truth: &Truth, mut real: World, twin: World) -> Result<(), String> {
        if self.linode {
            only_known_to_who_ordered_it(truth, &mut real);
        }
        let (mut real, mut twin) = (plain(real, |id| self.abstract_id(id)), plain(twin, str::to_owned));
        for (real, twin) in list(&mut real.servers).iter_mut().zip(list(&mut twin.servers)) {
            // Who did it, the abstract truth leaves out.
            real.told.off_by = None;
            // Linode's events are told in seconds, and rounded up: never earlier than it was.
            if let (Root::Local { .. }, true, Some(told), Some(was)) = (&twin.root, self.vendor, real.off_since, twin.off_since)
                && (0..=ROUNDED).contains(&(told.0 - was.0))
            {
                real.off_since = Some(was);
            }
            // Who keeps a server off, and needs no image of it, does not ask for its events.
            if matches!(twin.root, Root::Local { .. }) && self.vendor && real.off_since.is_none() {
                twin.off_since = None;
            }
            // What a guest is given is looked for only where it is about to start.
            if real.seed == Seed::Untold {
                twin.seed = Seed::Untold;
            }
            // Scaleway tells whether a server ever ran only of one that is off, and says since when by the last change of any
            // kind to it: of disks that outlive servers, that proves nothing.
            if matches!(twin.root, Root::Volume(_) | Root::Detached) && self.vendor {
                real.off_since = real.off_since.and(Some(real.created));
                twin.off_since = twin.off_since.and(Some(twin.created));
                if twin.power != Power::Off {
                    twin.ran = Ran::Maybe;
                }
            }
        }
        // Where the API shows no stamp, a tag does, in seconds.
        if self.vendor {
            for it in list(&mut real.addresses) {
                it.tags.0.retain(|tag| !tag.starts_with("born:"));
                it.created = Stamp(0);
            }
            list(&mut twin.addresses).iter_mut().for_each(|it| it.created = Stamp(0));
        }
        // What a vendor gives unless asked otherwise.
        for (real, twin) in list(&mut real.volumes).iter_mut().zip(list(&mut twin.volumes)).filter(|(_, twin)| twin.iops.is_none()) {
            real.iops = twin.iops;
        }
        // An image at Linode is as large as what is on it, which the abstract truth leaves out.
        for (real, twin) in list(&mut real.images).iter_mut().zip(list(&mut twin.images)).filter(|_| self.linode) {
            real.size_gb = if real.size_gb <= twin.size_gb { twin.size_gb } else { real.size_gb };
        }
        number_moments(&mut real);
        number_moments(&mut twin);
        if real == twin {
            return Ok(());
        }
        let (real, twin) = (format!("{real:#?}"), format!("{twin:#?}"));
        let diff = similar::TextDiff::from_lines(&twin, &real);
        Err(format!("a look shows (- abstract truth, + emulator)\n{}", diff.unified_diff().context_radius(6)))
    }
}

/// What Linode has not begun with does not show, and neither does a volume on its way from a server: a process that did
/// not order it itself, like the next of its kind, takes it for what it was. The abstract truth shows it to all.
fn only_known_to_who_ordered_it(truth: &Truth, real: &mut World) {
    for it in list(&mut real.servers) {
        let details = truth.linode.linodes.get(it.id.as_str());
        match details.and_then(|it| it.jobs.first()).filter(|job| !job.runs).map(|job| format!("{:?}", job.work)) {
            Some(work) if work.starts_with("Boot") => it.power = Power::Starting,
            Some(work) if work.starts_with("Shutdown") => it.power = Power::Stopping,
            Some(work) if work.starts_with("Resize") => it.power = Power::Busy,
            _ => continue,
        }
        it.off_since = None;
    }
    let leaving = |it: &str| truth.volumes.get(it).is_some_and(|it| it.state == VolumeState::Detaching);
    for it in list(&mut real.volumes).iter_mut().filter(|it| leaving(it.id.as_str())) {
        it.status = VolumeStatus::Detaching;
    }
    list(&mut real.servers).iter_mut().for_each(|it| it.volumes.retain(|id| !leaving(id.as_str())));
}

/// The ids of each kind of object on both sides, by birth.
fn by_kind(truth: &Truth, cloud: &Cloud) -> [(Vec<String>, Vec<String>); 6] {
    fn ids<'i>(born: impl Iterator<Item = (Moment, &'i String)>) -> Vec<String> {
        let mut born: Vec<(Moment, &String)> = born.collect();
        born.sort();
        born.into_iter().map(|(_, id)| id.clone()).collect()
    }
    let copies = |of_local: bool| cloud.copies.iter().filter(|it| it.of_local == of_local).map(|it| it.it.id.to_string()).collect();
    let image = |id: String| if truth.market == Market::Linode { format!("{PRIVATE}{id}") } else { id };
    // An account has firewalls that are nobody's.
    let firewalls = truth.firewalls.values().filter(|it| it.tags.iter().any(|it| it == MARK));
    [
        (ids(truth.servers.values().map(|it| (it.created, &it.id))), cloud.servers.iter().map(|it| it.it.id.to_string()).collect()),
        (ids(truth.volumes.values().map(|it| (it.created, &it.id))), cloud.volumes.iter().map(|it| it.it.id.to_string()).collect()),
        (ids(truth.snapshots.values().map(|it| (it.created, &it.id))), copies(false)),
        (ids(truth.images.values().map(|it| (it.created, &it.id))).into_iter().map(image).collect(), copies(true)),
        (
            ids(truth.addresses.values().map(|it| (it.created, address_id(truth, it)))),
            cloud.addresses.iter().map(|it| it.id.to_string()).collect(),
        ),
        (ids(firewalls.map(|it| (it.created, &it.id))), cloud.firewalls.iter().map(|it| it.id.to_string()).collect()),
    ]
}

/// What a vendor's client calls an address: at Linode, as it is written.
fn address_id<'i>(truth: &Truth, it: &'i emulator::Address) -> &'i String {
    if truth.market == Market::Linode { &it.address } else { &it.id }
}

/// Whether some bytes were made of others, or are the same.
fn descends(ledger: &Ledger, bytes: u64, of: u64) -> bool {
    std::iter::successors(Some(bytes), |it| ledger.parents.get(it).copied()).any(|it| it == of)
}

/// An id that has a twin, or what the vendor's own is called.
fn known(id: String, vendors: &str) -> String {
    if id.starts_with(UNKNOWN) { vendors.to_owned() } else { id }
}

/// A look whose ids are those of the abstract truth, whose lists and tags are sorted, and
/// without what the abstract truth leaves out: addresses, names of copies and of what has no tag, ways of writing rules.
fn plain(mut world: World, id: impl Fn(&str) -> String) -> World {
    let server = |it: &Id<_>| Id::new(id(it.as_str()));
    let volume = |it: &Id<_>| Id::new(id(it.as_str()));
    let tags = |tags: &mut Tags| {
        tags.0.iter_mut().for_each(|tag| *tag = renamed_tag(tag, &id));
        tags.0.sort();
    };
    for it in list(&mut world.servers) {
        it.id = server(&it.id);
        it.volumes.iter_mut().for_each(|it| *it = volume(it));
        if let Root::Volume(root) = &mut it.root {
            *root = volume(root);
        }
        it.address = it.address.as_ref().map(|it| Id::new(id(it.as_str())));
        it.firewall = it.firewall.as_ref().map(|it| Id::new(known(id(it.as_str()), DEFAULT)));
        it.told.own_address = it.told.own_address.as_ref().map(|_| "its own".to_owned());
        tags(&mut it.tags);
    }
    for it in list(&mut world.volumes) {
        it.id = volume(&it.id);
        it.attached_to = it.attached_to.as_ref().map(server);
        if let Origin::Snapshot(from) = &mut it.origin {
            *from = Id::new(known(id(from.as_str()), STOCK));
        }
        if it.tags.0.is_empty() {
            it.name.clear();
        }
        tags(&mut it.tags);
    }
    for it in list(&mut world.snapshots) {
        (it.id, it.of) = (Id::new(id(it.id.as_str())), Id::new(known(id(it.of.as_str()), "")));
        it.name.clear();
        tags(&mut it.tags);
    }
    for it in list(&mut world.images) {
        (it.id, it.of) = (Id::new(id(it.id.as_str())), Id::new(id(it.of.as_str())));
        it.name.clear();
        tags(&mut it.tags);
    }
    for it in list(&mut world.addresses) {
        it.id = Id::new(id(it.id.as_str()));
        it.server = it.server.as_ref().map(server);
        it.address.clear();
        tags(&mut it.tags);
    }
    for it in list(&mut world.firewalls) {
        it.id = Id::new(id(it.id.as_str()));
        it.rules.sort();
        tags(&mut it.tags);
    }
    list(&mut world.servers).sort_by(|a, b| a.id.cmp(&b.id));
    list(&mut world.volumes).sort_by(|a, b| a.id.cmp(&b.id));
    list(&mut world.snapshots).sort_by(|a, b| a.id.cmp(&b.id));
    list(&mut world.images).sort_by(|a, b| a.id.cmp(&b.id));
    list(&mut world.addresses).sort_by(|a, b| a.id.cmp(&b.id));
    list(&mut world.firewalls).sort_by(|a, b| a.id.cmp(&b.id));
    world
}

/// Has moments be numbers in their order. What has happened since the last stamp shows in the stamps to come.
fn number_moments(world: &mut World) {
    world.now = Stamp(0);
    let mut moments = Vec::new();
    each_moment(world, &mut |it| moments.push(it.0));
    moments.sort_unstable();
    moments.dedup();
    each_moment(world, &mut |it| *it = Stamp(moments.binary_search(&it.0).map_or(-1, |rank| rank as i64)));
}

fn list<T>(seen: &mut Seen<Vec<T>>) -> &mut [T] {
    match seen {
        Seen::Present(items) => items,
        Seen::Absent | Seen::Unknown(_) => &mut [],
    }
}

fn each_moment(world: &mut World, each: &mut impl FnMut(&mut Stamp)) {
    for it in list(&mut world.servers) {
        each(&mut it.created);
        it.off_since.as_mut().into_iter().for_each(&mut *each);
    }
    for it in list(&mut world.volumes) {
        each(&mut it.created);
        if let LastHeld::Until(stamp) = &mut it.last_held {
            each(stamp);
        }
    }
    list(&mut world.snapshots).iter_mut().for_each(|it| each(&mut it.created));
    list(&mut world.images).iter_mut().for_each(|it| each(&mut it.created));
    list(&mut world.addresses).iter_mut().for_each(|it| each(&mut it.created));
    list(&mut world.firewalls).iter_mut().for_each(|it| each(&mut it.created));
}
