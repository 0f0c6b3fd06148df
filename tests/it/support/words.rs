//! Specs and worlds in plain words, as the golden plans write them.
//!
//! `spec:` lists wishes, `world:` lists objects, separated by `;`. Details follow an object after
//! commas. A server brings its volumes along. Address and firewall exist unless the world is `nothing`
//! or says `no address`, `no firewall`. Times are seconds; the look is at 1000. The spec of the case is the one that was
//! applied last, unless the world says `applied absent at 880` (somebody else's spec, with that state), `applied deletion
//! at 880`, `applied itself present at 880` (the same spec, when its schedule said that), or `applied nothing`; `asleep since 400` in a world: all that is kept says so; `watched` in the spec: it is kept, and not applied now.
//! `clock 2026-11-24T22:00:00Z` in the spec is what time it is for `schedule 0 23 * * * Europe/Paris absent` and the like.
//! A copy `kept by a deletion at 880` says that it was applied, and one `taken back at 880` that somebody archives again.

#![allow(dead_code)] // the benchmarks use a part of it

use cloudypad::model::{
    APPLIED, Address, Aim, Applied, Ask, Asleep, Boot, Capabilities, Cause, CopyStatus, Deletion, FailedCapture, Firewall, Id, Idle, Image,
    Instance, LastHeld, Lock, OffBy, Origin, Power, REST, Ran, Record, Rest, Root, Rule, Seed, Seen, Server, ServerState, Snapshot, Stamp,
    Stance, Tags, Told, Volume, VolumeStatus, World, tag_value,
};
use serde_json::json;

pub fn at(seconds: i64) -> Stamp {
    Stamp(seconds * 1_000_000)
}

/// A spec, a world and a cloud from the lines before `---`.
pub fn parse(text: &str) -> Result<(Ask, World, Capabilities), String> {
    let mut spec = String::new();
    let mut world = String::new();
    let mut current = None;
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        if let Some(rest) = line.strip_prefix("spec:") {
            current = Some(&mut spec);
            current.as_mut().unwrap().push_str(rest);
        } else if let Some(rest) = line.strip_prefix("world:") {
            current = Some(&mut world);
            current.as_mut().unwrap().push_str(rest);
        } else if let Some(current) = &mut current {
            current.push_str(line);
        }
    }
    let (ask, cloud) = ask(&spec)?;
    let world = world_of(&world, &ask)?;
    Ok((ask, world, cloud))
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|it| !it.is_empty())
}

fn number(text: &str) -> Result<u64, String> {
    text.split(' ').find_map(|word| word.parse().ok()).ok_or_else(|| format!("no number in {text:?}"))
}

/// An ask from words like `scaleway; absent; root snapshot, onStop reuse; data 100 GB, snapshot`.
pub fn ask(text: &str) -> Result<(Ask, Capabilities), String> {
    let mut spec = json!({"serverState": "present", "provider": {}, "ssh": {"publicKeyPath": "id.pub"}});
    let mut deletion = None;
    let (mut owner, mut adopt, mut recipe, mut on_start, mut stance) = (None, false, "none".to_owned(), false, Stance::Apply);
    let (mut idle, mut wake, mut clock) = (None, false, None);
    let mut provider = "local";
    for item in items(text) {
        let mut parts = item.split(',').map(str::trim);
        let head = parts.next().unwrap_or_default();
        match head.split(' ').next().unwrap_or_default() {
            name @ ("scaleway" | "linode" | "local") => {
                provider = name;
                spec["provider"][name] = match name {
                    "scaleway" => {
                        json!({"projectId": "11111111-1111-4111-8111-111111111111", "zone": "fr-par-2", "instanceType": "L4-1-24G"})
                    }
                    "linode" => json!({"region": "fr-par", "instanceType": "g2-gpu-rtx4000a1-m"}),
                    _ if head == "local like linode" => json!({"imitate": "linode"}),
                    _ => json!({}),
                };
            }
            "image" if head.starts_with("image limit") => spec["provider"]["linode"]["imageLimitGb"] = json!(number(head)?),
            "image" => spec["provider"][provider]["image"] = json!(head.trim_start_matches("image ")),
            "type" => spec["provider"][provider]["instanceType"] = json!(head.trim_start_matches("type ")),
            state @ ("present" | "stopped" | "absent") => spec["serverState"] = json!(state),
            "deleted" => deletion = Some(Deletion { keep_snapshots: head.contains("keeping") }),
            "protect" => spec["protect"] = json!(true),
            "suspend" => spec["suspend"] = json!(true),
            "suspended" => spec["suspend"] = json!({"until": head.trim_start_matches("suspended until ")}),
            "session" => {
                let (word, value) = head.trim_start_matches("session ").split_once(' ').ok_or("session WORD VALUE")?;
                spec["session"][word] = json!(value);
            }
            "schedule" => {
                let words: Vec<&str> = head.split(' ').skip(1).collect();
                let [cron @ .., zone, state] = words.as_slice() else { return Err("schedule CRON ZONE STATE".to_owned()) };
                let entry = json!({"cron": cron.join(" "), "timezone": zone, "serverState": state});
                match &mut spec["schedule"] {
                    serde_json::Value::Array(entries) => entries.push(entry),
                    schedule => *schedule = json!([entry]),
                }
            }
            "clock" => clock = Some(head.trim_start_matches("clock ").parse().map_err(|_| format!("no time in {head:?}"))?),
            "without" if head == "without key" => spec["ssh"] = json!({}),
            "iops" => spec["provider"][provider]["iops"] = json!(number(head)?),
            "dns" => {
                let (record, zone) = head.trim_start_matches("dns ").split_once('.').ok_or("dns RECORD.ZONE")?;
                spec["network"]["dns"] = json!({"zone": zone, "record": record});
            }
            "idle" => idle = Some(Idle { seconds: number(head)? }),
            "woken" if head == "woken" => wake = true,
            "wake" => spec["wake"] = json!(head.trim_start_matches("wake ")),
            "autostop" => spec["autostop"] = json!({"timeoutSeconds": number(head).unwrap_or(900)}),
            "owner" => owner = Some(head.trim_start_matches("owner ").to_owned()),
            "adopt" => adopt = true,
            "watched" => stance = Stance::Keep,
            "recipe" => {
                recipe = head.trim_start_matches("recipe ").to_owned();
                if parts.next() == Some("now") {
                    spec["configuration"] = json!({"script": "setup.sh", "when": "now"});
                }
            }
            "on" if head == "on start" => on_start = true,
            "root" if head == "root snapshot" => {
                spec["rootDiskSnapshot"]["enable"] = json!(true);
                for part in parts {
                    match part {
                        "onStop reuse" => spec["rootDiskSnapshot"]["onStop"] = json!("reuse"),
                        "onStop refresh" => spec["rootDiskSnapshot"]["onStop"] = json!("refresh"),
                        "keep" => spec["rootDiskSnapshot"]["keepOnDeletion"] = json!(true),
                        retain => spec["rootDiskSnapshot"]["retain"] = json!(number(retain)?),
                    }
                }
            }
            "root" if head == "root disposable" => spec["rootDisk"]["disposable"] = json!(true),
            "root" => spec["rootDisk"]["sizeGb"] = json!(number(head)?),
            "data" if head == "data delete" => spec["dataDisk"]["delete"] = json!(true),
            "data" => {
                spec["dataDisk"]["sizeGb"] = json!(number(head)?);
                for part in parts {
                    match part {
                        "snapshot" => spec["dataDiskSnapshot"]["enable"] = json!(true),
                        retain => spec["dataDiskSnapshot"]["retain"] = json!(number(retain)?),
                    }
                }
            }
            _ => return Err(format!("spec: what is {item:?}?")),
        }
    }
    let document = json!({"apiVersion": "cloudypad.gg/v1alpha1", "kind": "Instance", "metadata": {"name": "mypad"}, "spec": spec});
    let instance: Instance = serde_json::from_value(document).map_err(|error| error.to_string())?;
    let cloud = match &instance.spec.provider.local {
        Some(local) => Capabilities::local(local),
        None if provider == "linode" => Capabilities::linode(),
        None => Capabilities::scaleway(),
    };
    let mut ask = Ask { deletion, owner, adopt, recipe, on_start, stance, idle, wake, ..Ask::of(instance) };
    if let Some(clock) = clock {
        ask.set_clock(clock);
    }
    Ok((ask, cloud))
}

/// The digest of a spec that is not the case's.
pub const ANOTHER_SPEC: u64 = 0x000b_5e55_ed5a_11ed;

/// That somebody applied another spec than the case's, for this.
fn another(aim: &str, seconds: &str) -> Result<Applied, String> {
    let aim = match aim {
        "present" => Aim::Reach(ServerState::Present),
        "stopped" => Aim::Reach(ServerState::Stopped),
        "absent" => Aim::Reach(ServerState::Absent),
        "deletion" => Aim::Delete { keep_snapshots: false },
        "deletion keeping" => Aim::Delete { keep_snapshots: true },
        _ => return Err(format!("applied: what is {aim:?}?")),
    };
    let at = seconds.parse().map_err(|_| format!("applied at {seconds:?}"))?;
    Ok(Applied { at, digest: ANOTHER_SPEC, aim })
}

/// The rest of the case's instance, as it was before anybody woke it.
fn rest(ask: &Ask, since: &str) -> Result<Rest, String> {
    let mut ask = ask.clone();
    ask.spec.amend(|spec| spec.wake.clear());
    Ok(Rest::of(&ask, since.parse().map_err(|_| format!("since {since:?}"))?, Asleep::Idle))
}

/// An empty world at 1000 s.
pub fn nothing() -> World {
    World {
        now: at(1000),
        servers: Seen::Absent,
        volumes: Seen::Absent,
        snapshots: Seen::Absent,
        images: Seen::Absent,
        addresses: Seen::Absent,
        firewalls: Seen::Absent,
        elsewhere: Seen::Absent,
        record: Seen::Absent,
        strange: Vec::new(),
    }
}

fn record(ask: &Ask, address: &str, ours: bool) -> Seen<Record> {
    let ttl = if ask.spec.placement().provider == "linode" { 30 } else { 60 };
    Seen::Present(Record { addresses: vec![address.to_owned()], ttl, ours, id: None })
}

/// A record that has a number at its vendor's: `record 203.0.113.7, number 31`.
fn numbered(mut record: Seen<Record>, details: &[&str]) -> Seen<Record> {
    if let Seen::Present(record) = &mut record {
        record.id = details.iter().find_map(|it| it.strip_prefix("number ")).map(str::to_owned);
    }
    record
}

/// When something beside the first of its kind was made: `born 5`.
fn born(details: &[&str]) -> Result<Stamp, String> {
    let seconds = details.iter().find_map(|it| it.strip_prefix("born "));
    seconds.unwrap_or("10").parse().map(at).map_err(|_| format!("born {seconds:?}"))
}

/// An address beside the first: `another address ip-2, born 5, at srv-1`.
fn another_address(id: &str, details: &[&str]) -> Result<Address, String> {
    let server = details.iter().find_map(|it| it.strip_prefix("at ")).map(Id::new);
    Ok(Address { id: Id::new(id), address: "203.0.113.8".into(), server, created: born(details)?, tags: Tags::default() })
}

struct Builder<'a> {
    ask: &'a Ask,
    servers: Vec<Server>,
    volumes: Vec<Volume>,
    snapshots: Vec<Snapshot>,
    images: Vec<Image>,
}

/// A world from words like `server srv-1 running, root vol-r, data vol-d; root snapshot snap-r ready`.
pub fn world_of(text: &str, ask: &Ask) -> Result<World, String> {
    let mut world = nothing();
    let mut builder = Builder { ask, servers: Vec::new(), volumes: Vec::new(), snapshots: Vec::new(), images: Vec::new() };
    let (mut address, mut firewall) = (true, true);
    let mut blind = None;
    let mut applied = Some(Applied::now(ask, at(90), None));
    let mut asleep = None;
    let mut free = false;
    let (mut open, mut denied, mut lent, mut named, mut address_owner) = (false, false, None, None, None);
    let (mut more_addresses, mut more_firewalls) = (Vec::new(), Vec::new());
    for item in items(text) {
        let parts: Vec<&str> = item.split(',').map(str::trim).collect();
        let words: Vec<&str> = parts[0].split(' ').collect();
        match words.as_slice() {
            ["nothing"] => (address, firewall) = (false, false),
            ["applied", "nothing"] => applied = None,
            // By somebody with the same spec, when the clock made something else of it.
            ["applied", "itself", aim @ .., "at", seconds] => {
                applied = Some(Applied { digest: ask.spec.digest(), ..another(&aim.join(" "), seconds)? });
            }
            ["asleep", "since", seconds, "before", "the", "tick"] => {
                let mut earlier = ask.clone();
                earlier.set_clock(ask.by_clock.as_ref().ok_or("no clock")?.now - jiff::SignedDuration::from_secs(1));
                asleep = Some(rest(&earlier, seconds)?);
            }
            ["asleep", "since", seconds] => asleep = Some(rest(ask, seconds)?),
            ["applied", aim @ .., "at", seconds] => applied = Some(another(&aim.join(" "), seconds)?),
            ["no", "address"] => address = false,
            ["address", "free"] => free = true,
            ["no", "firewall"] => firewall = false,
            ["no", ..] => {}
            ["record", "taken", address] => world.record = numbered(record(ask, address, false), &parts[1..]),
            ["record", address] => world.record = numbered(record(ask, address, true), &parts[1..]),
            ["strange", what, state] => world.strange.push(((*what).to_owned(), (*state).to_owned())),
            ["denied", "servers"] => denied = true,
            ["another", "address", id] => more_addresses.push(another_address(id, &parts[1..])?),
            ["another", "firewall", id] => more_firewalls.push(((*id).to_owned(), born(&parts[1..])?)),
            ["firewall", "open"] => open = true,
            ["firewall", "named", name] => named = Some((*name).to_owned()),
            ["address", "lent", "to", server] => lent = Some(Id::new(*server)),
            ["blind", "to", what] => blind = Some((*what).to_owned()),
            ["elsewhere", place @ ..] => world.elsewhere = Seen::Present(vec![place.join(" ")]),
            ["address", "by", owner] => address_owner = Some(*owner),
            ["server", id, power @ ..] => builder.server(id, &power.join(" "), &parts[1..])?,
            [role @ ("root" | "data"), "disk", id] => builder.disk(id, role, &parts[1..])?,
            [role @ ("root" | "data"), kind @ ("snapshot" | "image"), id, status] => builder.copy(role, kind, id, status, &parts[1..])?,
            _ => return Err(format!("world: what is {item:?}?")),
        }
    }
    let tags = builder.tags(&[]);
    if address {
        let server = lent.or(builder.servers.first().filter(|_| !free).map(|it| it.id.clone()));
        let tags = address_owner.map_or(tags.clone(), |owner| tags.clone().with_value("by", owner));
        let address = Address { id: Id::new("ip-1"), address: "203.0.113.7".into(), server, created: at(10), tags };
        more_addresses.insert(0, address);
    }
    for address in more_addresses.iter_mut().filter(|it| it.tags == Tags::default()) {
        address.tags = tags.clone();
    }
    world.addresses = Seen::listed(more_addresses);
    let mut firewalls = Vec::new();
    if firewall {
        let name = named.or(ask.spec.network.dns.as_ref().map(|it| format!("{}.{}", it.record, it.zone)));
        let tags = name.map_or(tags.clone(), |name| tags.with_value("name", &name));
        let network = &ask.spec.network;
        let rule = |(protocol, ports): (String, String)| Rule { protocol, ports, from: network.allow_from[0].clone() };
        let mut rules: Vec<Rule> = network.ports.pairs().into_iter().map(rule).collect();
        rules.sort();
        let first = Firewall { id: Id::new("fw-1"), name: "mypad".into(), shut: !open, rules, created: at(10), tags };
        let more = more_firewalls.into_iter().map(|(id, created)| Firewall { id: Id::new(id), created, ..first.clone() });
        firewalls = more.collect();
        firewalls.insert(0, first);
    }
    if let Some(applied) = applied {
        for tags in builder.servers.iter_mut().map(|it| &mut it.tags).chain(firewalls.iter_mut().map(|it| &mut it.tags)) {
            *tags = tags.clone().with_value(APPLIED, &applied.value());
        }
    }
    if let Some(rest) = asleep {
        let volumes = builder.volumes.iter_mut().map(|it| &mut it.tags);
        let copies = builder.snapshots.iter_mut().map(|it| &mut it.tags).chain(builder.images.iter_mut().map(|it| &mut it.tags));
        for tags in volumes.chain(copies).chain(firewalls.iter_mut().map(|it| &mut it.tags)) {
            *tags = tags.clone().with_value(REST, &rest.value());
        }
        if let Seen::Present(addresses) = &mut world.addresses {
            addresses.iter_mut().for_each(|it| it.tags = it.tags.clone().with_value(REST, &rest.value()));
        }
    }
    world.firewalls = Seen::listed(firewalls);
    for server in &mut builder.servers {
        server.address = (address && !free).then(|| Id::new("ip-1"));
        server.firewall = server.firewall.take().or(firewall.then(|| Id::new("fw-1")));
    }
    world.servers = Seen::listed(builder.servers);
    world.volumes = Seen::listed(builder.volumes);
    world.snapshots = Seen::listed(builder.snapshots);
    world.images = Seen::listed(builder.images);
    if denied {
        let (answer, remedy) = ("insufficient permissions".to_owned(), "give the key the permission to read servers".to_owned());
        world.servers = Seen::Unknown(Cause::Lasting { answer, remedy });
    }
    let cause = || Cause::Passing("timeout".to_owned());
    match blind.as_deref() {
        None => {}
        Some("servers") => world.servers = Seen::Unknown(cause()),
        Some("volumes") => world.volumes = Seen::Unknown(cause()),
        Some("snapshots") => world.snapshots = Seen::Unknown(cause()),
        Some("images") => world.images = Seen::Unknown(cause()),
        Some("addresses") => world.addresses = Seen::Unknown(cause()),
        Some("firewalls") => world.firewalls = Seen::Unknown(cause()),
        Some("record") => world.record = Seen::Unknown(cause()),
        Some("elsewhere") => world.elsewhere = Seen::Unknown(cause()),
        Some(other) => return Err(format!("blind to {other:?}?")),
    }
    Ok(world)
}

impl Builder<'_> {
    fn tags(&self, extra: &[String]) -> Tags {
        let mut tags = Tags::of(&self.ask.key);
        tags.0.extend(extra.iter().cloned());
        if let Some(owner) = &self.ask.owner {
            tags = tags.with_value("by", owner);
        }
        tags
    }

    fn default_image(&self) -> &'static str {
        match self.ask.spec.placement().provider {
            "scaleway" => "ubuntu_jammy_gpu_os_12",
            "linode" => "linode/ubuntu22.04",
            _ => "local-os",
        }
    }

    fn server(&mut self, id: &str, power: &str, details: &[&str]) -> Result<(), String> {
        let power = match power {
            "off" => Power::Off,
            "starting" => Power::Starting,
            "running" => Power::Running,
            "stopping" => Power::Stopping,
            "stopped in place" => Power::StoppedInPlace,
            "deleting" => Power::Deleting,
            "locked" => Power::Locked(Lock::Vendor),
            "suspended" => Power::Locked(Lock::Bill),
            "busy" => Power::Busy,
            other => Power::Unknown(other.to_owned()),
        };
        let mut tags = self.tags(&[format!("img:{}", self.default_image())]);
        let mut server = Server {
            id: Id::new(id),
            name: "mypad".to_owned(),
            machine_type: self.ask.spec.placement().machine_type.to_owned(),
            off_since: (power == Power::Off).then(|| at(900)),
            power,
            created: at(100),
            root: Root::Detached,
            volumes: Vec::new(),
            address: None,
            firewall: None,
            ran: Ran::Maybe,
            seed: Seed::Set,
            locked: false,
            told: Told::default(),
            tags: Tags::default(),
        };
        for detail in details {
            match detail.split(' ').collect::<Vec<_>>().as_slice() {
                ["root", "local", gb, "GB"] => {
                    server.root = Root::Local { size_gb: gb.parse().map_err(|_| detail.to_string())? };
                }
                ["root", "local"] => server.root = Root::Local { size_gb: self.ask.spec.root_disk.size_gb },
                ["root", volume, rest @ ..] => {
                    self.attached(volume, "root", id, rest)?;
                    server.root = Root::Volume(Id::new(*volume));
                    server.volumes.push(Id::new(*volume));
                }
                ["data", volume, rest @ ..] => {
                    self.attached(volume, "data", id, rest)?;
                    server.volumes.push(Id::new(*volume));
                    tags = tags.with("had:data");
                }
                // A volume that no list shows.
                ["holds", volume] => server.volumes.push(Id::new(*volume)),
                ["had", "data"] => tags = tags.with("had:data"),
                ["start", "due"] => tags = tags.with("start:due"),
                ["falls", "asleep", "since", seconds] => tags = tags.with_value(REST, &rest(self.ask, seconds)?.value()),
                ["image", image] => tags = tags.with_value("img", image),
                ["type", name] => server.machine_type = (*name).to_owned(),
                ["recipe", recipe] => tags = tags.with_value("recipe", recipe),
                ["capture", "due"] => tags = tags.with("capture:due"),
                ["by", "nobody"] => tags.0.retain(|it| !it.starts_with("by:")),
                ["by", owner] => tags = tags.with_value("by", owner),
                ["protected"] => tags = tags.with("protect:yes"),
                ["locked"] => server.locked = true,
                ["own", "address", address] => server.told.own_address = Some((*address).to_owned()),
                ["watchdog", word @ ("on" | "off")] => server.told.watchdog = Some(*word == "on"),
                ["capture", "failed", "at", seconds, said @ ..] => {
                    let at = at(seconds.parse().map_err(|_| detail.to_string())?);
                    server.told.failed_capture = Some(FailedCapture { at, said: said.join(" ") });
                }
                ["uncaptured", value] => tags = tags.with_value("uncaptured", value),
                ["off", "by", "its", "guest"] => server.told.off_by = Some(OffBy::Guest),
                ["off", "by", "the", "vendor"] => server.told.off_by = Some(OffBy::Vendor("host_reboot".to_owned())),
                ["off", "by", user] => {
                    server.told.off_by = Some(OffBy::Order { user: (*user).to_owned(), at: at(900) });
                }
                ["without", "seed"] => server.seed = Seed::Missing,
                ["never", "ran"] => server.ran = Ran::Never,
                ["off", "untold"] => server.off_since = None,
                ["off", "since", seconds] => {
                    let seconds: f64 = seconds.parse().map_err(|_| detail.to_string())?;
                    server.off_since = Some(Stamp((seconds * 1e6) as i64));
                }
                ["in", key] => tags = tags.with_value("in", key),
                ["behind", firewall] => server.firewall = Some(Id::new(*firewall)),
                ["born", seconds] => server.created = at(seconds.parse().map_err(|_| format!("born {seconds}"))?),
                _ => return Err(format!("server: what is {detail:?}?")),
            }
        }
        // What the server remembers, its root disk carries as well.
        for volume in self.volumes.iter_mut().filter(|it| it.attached_to.as_ref() == Some(&server.id)) {
            if volume.tags.get("role") == Some("root") {
                let kept = ["had:data", "protect:yes"].into_iter().filter(|it| tags.has(it));
                volume.tags = kept.fold(volume.tags.clone(), |all, it| all.with(it));
                for word in ["img", "recipe", "by"] {
                    if let Some(value) = tags.get(word) {
                        volume.tags = volume.tags.clone().with_value(word, value);
                    }
                }
            } else if volume.tags.get("role") == Some("data") {
                if let Some(owner) = tags.get("by") {
                    volume.tags = volume.tags.clone().with_value("by", owner);
                }
                volume.tags = volume.tags.clone().with_if("protect:yes", tags.has("protect:yes"));
            }
        }
        server.tags = tags;
        self.servers.push(server);
        Ok(())
    }

    fn attached(&mut self, id: &str, role: &str, server: &str, rest: &[&str]) -> Result<(), String> {
        let mut details = vec![format!("attached {server}")];
        if !rest.is_empty() {
            details.push(rest.join(" "));
        }
        let details: Vec<&str> = details.iter().map(String::as_str).collect();
        self.disk(id, role, &details)
    }

    fn disk(&mut self, id: &str, role: &str, details: &[&str]) -> Result<(), String> {
        let spec = &self.ask.spec;
        let mut extra = vec![format!("role:{role}")];
        if role == "root" {
            extra.push(format!("img:{}", tag_value("img", self.default_image())));
        }
        let mut volume = Volume {
            id: Id::new(id),
            name: format!("mypad-{role}"),
            size_gb: if role == "root" { spec.root_disk.size_gb } else { spec.data_gb().unwrap_or(100) },
            status: VolumeStatus::Available,
            attached_to: None,
            created: at(50),
            last_held: LastHeld::Until(at(500)),
            origin: if role == "root" { Origin::Stock } else { Origin::Empty },
            iops: None,
            tags: self.tags(&extra),
        };
        for detail in details {
            match detail.split(' ').collect::<Vec<_>>().as_slice() {
                ["attached", server] => {
                    volume.attached_to = Some(Id::new(*server));
                    volume.status = VolumeStatus::InUse;
                    volume.last_held = LastHeld::Never;
                }
                ["detached", "at", seconds] => volume.last_held = LastHeld::Until(at(seconds.parse().map_err(|_| detail.to_string())?)),
                ["born", seconds] => volume.created = at(seconds.parse().map_err(|_| detail.to_string())?),
                ["never", "used"] => volume.last_held = LastHeld::Never,
                ["untold"] => volume.last_held = LastHeld::Untold,
                ["fresh"] => {
                    volume.last_held = LastHeld::Untold;
                    volume.tags = volume.tags.clone().with("fresh:yes");
                }
                ["loser", "of", server] => volume.tags = volume.tags.clone().with_value("loser", server),
                ["protected"] => volume.tags = volume.tags.clone().with("protect:yes"),
                ["creating"] => volume.status = VolumeStatus::Creating,
                ["detaching"] => volume.status = VolumeStatus::Detaching,
                ["busy"] => volume.status = VolumeStatus::Busy,
                ["blank"] => volume.tags = volume.tags.clone().with("blank:yes"),
                ["deleting"] => volume.status = VolumeStatus::Deleting,
                ["broken"] => volume.status = VolumeStatus::Error,
                ["in", "state", state] => volume.status = VolumeStatus::Unknown((*state).to_owned()),
                ["from", snapshot] => volume.origin = Origin::Snapshot(Id::new(*snapshot)),
                ["of", "line", line] => volume.tags = volume.tags.clone().with_value("line", line),
                ["image", image] => volume.tags = volume.tags.clone().with_value("img", image),
                ["had", "data"] => volume.tags = volume.tags.clone().with("had:data"),
                ["recipe", recipe] => volume.tags = volume.tags.clone().with_value("recipe", recipe),
                ["untagged"] => volume.tags = Tags::default(),
                ["in", key] => volume.tags = volume.tags.clone().with_value("in", key),
                ["without", "role"] => volume.tags = volume.tags.clone().without(&format!("role:{role}")),
                [iops, "IOPS"] => volume.iops = Some(iops.parse().map_err(|_| detail.to_string())?),
                [gb, "GB"] => volume.size_gb = gb.parse().map_err(|_| detail.to_string())?,
                _ => return Err(format!("disk: what is {detail:?}?")),
            }
        }
        self.volumes.push(volume);
        Ok(())
    }

    fn copy(&mut self, role: &str, kind: &str, id: &str, status: &str, details: &[&str]) -> Result<(), String> {
        let status = match status {
            "ready" => CopyStatus::Ready,
            "creating" => CopyStatus::Creating,
            "failed" => CopyStatus::Failed,
            "deleting" => CopyStatus::Deleting,
            other => CopyStatus::Unknown(other.to_owned()),
        };
        let mut extra = vec![format!("role:{role}")];
        if role == "root" {
            extra.push(format!("img:{}", tag_value("img", self.default_image())));
            extra.push("recipe:none".to_owned());
        }
        let mut tags = self.tags(&extra);
        let mut of = format!("vol-{}", &role[..1]);
        let (mut created, mut size_gb) =
            (at(300), if role == "root" { self.ask.spec.root_disk.size_gb } else { self.ask.spec.data_gb().unwrap_or(100) });
        for detail in details {
            match detail.split(' ').collect::<Vec<_>>().as_slice() {
                ["of", "line", line] => tags = tags.with_value("line", line),
                ["of", "gone"] => of = String::new(),
                ["of", disk] => of = (*disk).to_owned(),
                ["taken", "at", seconds] => created = at(seconds.parse().map_err(|_| detail.to_string())?),
                ["recipe", recipe] => tags = tags.with_value("recipe", recipe),
                ["image", image] => tags = tags.with_value("img", image),
                ["had", "data"] => tags = tags.with("had:data"),
                ["up"] => tags = tags.with("up:yes"),
                ["keep"] => tags = tags.with("keep:yes"),
                ["in", key] => tags = tags.with_value("in", key),
                ["protected"] => tags = tags.with("protect:yes"),
                ["kept", "by", "a", "deletion"] => tags = tags.with("deleted:yes"),
                ["kept", "by", "a", "deletion", "at", seconds] => {
                    tags = tags.with("deleted:yes").with_value(APPLIED, &another("deletion keeping", seconds)?.value());
                }
                ["taken", "back", "at", seconds] => tags = tags.with_value(APPLIED, &another("absent", seconds)?.value()),
                ["unconfigured"] => tags = tags.without("recipe:none"),
                ["without", "role"] => tags = tags.without(&format!("role:{role}")),
                [gb, "GB"] => size_gb = gb.parse().map_err(|_| detail.to_string())?,
                _ => return Err(format!("copy: what is {detail:?}?")),
            }
        }
        let name = format!("mypad-{role}");
        if kind == "image" {
            self.images.push(Image { id: Id::new(id), name, of: Id::new(of), size_gb, status, created, tags });
        } else {
            self.snapshots.push(Snapshot { id: Id::new(id), name, of: Id::new(of), size_gb, status, created, tags });
        }
        Ok(())
    }
}

/// What a boot source is called; keeps the typed ids in sight of a reader.
#[allow(dead_code)]
pub fn boot_word(boot: &Boot) -> &'static str {
    match boot {
        Boot::Stock(_) => "stock image",
        Boot::Volume(_) => "volume",
        Boot::Image(_) => "captured image",
    }
}
