//! A step without its proofs, so that it can be kept, and carried out later than it was asked.

use cloudypad::model::{Address, Boot, Firewall, Id, NewServer, NewVolume, Object, Role, Rule, Server, Step, Tags, Volume};

#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    ReserveAddress(Tags),
    CreateFirewall(String, Tags),
    SetRules(Id<Firewall>, Vec<Rule>),
    ShutFirewall(Id<Firewall>),
    CreateVolume(NewVolume),
    CreateServer(NewServer),
    /// Its name as well, where one is given.
    Retag(Object, Tags, Option<String>),
    Seed(Id<Server>),
    Watchdog(Id<Server>, bool),
    Start(Id<Server>),
    Stop(Id<Server>),
    Detach(Id<Server>, Vec<Id<Volume>>),
    Attach(Id<Server>, Id<Volume>, Role),
    AssignAddress(Id<Server>, Id<Address>),
    AssignFirewall(Id<Server>, Id<Firewall>),
    Grow(Id<Volume>, u64),
    Tune(Id<Volume>, u32),
    SetRecord(String),
    DeleteRecord,
    ChangeType(Id<Server>, String),
    Configure(Id<Server>, String),
    Snapshot(Id<Volume>, Tags),
    Capture(Id<Server>, Tags),
    DeleteServer(Id<Server>, bool),
    DeleteVolume(Id<Volume>),
    DeleteCopy(String),
    ReleaseAddress(Id<Address>),
    DeleteFirewall(Id<Firewall>),
}

impl Order {
    pub fn of(step: &Step) -> Self {
        match step {
            Step::ReserveAddress { tags } => Order::ReserveAddress(tags.clone()),
            Step::CreateFirewall { name, tags } => Order::CreateFirewall(name.clone(), tags.clone()),
            Step::SetRules { firewall, rules } => Order::SetRules(firewall.clone(), rules.clone()),
            Step::ShutFirewall(id) => Order::ShutFirewall(id.clone()),
            Step::CreateVolume(new) => Order::CreateVolume(new.clone()),
            Step::CreateServer(new) => Order::CreateServer(new.clone()),
            Step::Retag { object, tags, name } => Order::Retag(object.clone(), tags.clone(), name.clone()),
            Step::SeedServer(id) => Order::Seed(id.clone()),
            Step::SetWatchdog { server, on } => Order::Watchdog(server.clone(), *on),
            Step::StartServer(id) => Order::Start(id.clone()),
            Step::StopServer(id) => Order::Stop(id.clone()),
            Step::Detach { server, volumes } => Order::Detach(server.clone(), volumes.clone()),
            Step::Attach { server, volume, role } => Order::Attach(server.clone(), volume.clone(), *role),
            Step::AssignAddress { server, address } => Order::AssignAddress(server.clone(), address.clone()),
            Step::AssignFirewall { server, firewall } => Order::AssignFirewall(server.clone(), firewall.clone()),
            Step::Grow { volume, size_gb } => Order::Grow(volume.clone(), *size_gb),
            Step::Tune { volume, iops } => Order::Tune(volume.clone(), *iops),
            Step::SetRecord { address } => Order::SetRecord(address.clone()),
            Step::DeleteRecord { .. } => Order::DeleteRecord,
            Step::ChangeType { server, machine_type } => Order::ChangeType(server.clone(), machine_type.clone()),
            Step::Configure { server, recipe } => Order::Configure(server.clone(), recipe.clone()),
            Step::TakeSnapshot { disk, tags, .. } => Order::Snapshot(disk.disk().clone(), tags.clone()),
            Step::CaptureImage { disk, tags, .. } => Order::Capture(Id::new(disk.disk().as_str()), tags.clone()),
            Step::DeleteServer { server, off, .. } => Order::DeleteServer(server.clone(), *off),
            Step::DeleteVolume(spared) => Order::DeleteVolume(spared.disk().clone()),
            Step::DeleteSnapshot(copy) => Order::DeleteCopy(copy.copy().to_string()),
            Step::DeleteImage(copy) => Order::DeleteCopy(copy.copy().to_string()),
            Step::ReleaseAddress(id) => Order::ReleaseAddress(id.clone()),
            Step::DeleteFirewall(id) => Order::DeleteFirewall(id.clone()),
        }
    }

    /// The same with other ids, those in tags as well.
    pub fn renamed(&self, id: &dyn Fn(&str) -> String) -> Order {
        fn new<K>(it: &Id<K>, id: &dyn Fn(&str) -> String) -> Id<K> {
            Id::new(id(it.as_str()))
        }
        let tags = |it: &Tags| Tags(it.0.iter().map(|tag| renamed_tag(tag, id)).collect());
        match self {
            Order::ReserveAddress(it) => Order::ReserveAddress(tags(it)),
            Order::CreateFirewall(name, it) => Order::CreateFirewall(name.clone(), tags(it)),
            Order::SetRules(it, rules) => Order::SetRules(new(it, id), rules.clone()),
            Order::ShutFirewall(it) => Order::ShutFirewall(new(it, id)),
            Order::CreateVolume(it) => {
                Order::CreateVolume(NewVolume { from: it.from.as_ref().map(|it| new(it, id)), tags: tags(&it.tags), ..it.clone() })
            }
            Order::CreateServer(it) => Order::CreateServer(NewServer {
                boot: match &it.boot {
                    Boot::Stock(label) => Boot::Stock(label.clone()),
                    Boot::Volume(it) => Boot::Volume(new(it, id)),
                    Boot::Image(it) => Boot::Image(new(it, id)),
                },
                data: it.data.as_ref().map(|it| new(it, id)),
                address: it.address.as_ref().map(|it| new(it, id)),
                firewall: it.firewall.as_ref().map(|it| new(it, id)),
                tags: tags(&it.tags),
                ..it.clone()
            }),
            Order::Retag(object, it, name) => {
                let object = match object {
                    Object::Server(it) => Object::Server(new(it, id)),
                    Object::Volume(it) => Object::Volume(new(it, id)),
                    Object::Snapshot(it) => Object::Snapshot(new(it, id)),
                    Object::Image(it) => Object::Image(new(it, id)),
                    Object::Address(it) => Object::Address(new(it, id)),
                    Object::Firewall(it) => Object::Firewall(new(it, id)),
                };
                Order::Retag(object, tags(it), name.clone())
            }
            Order::Seed(it) => Order::Seed(new(it, id)),
            Order::Watchdog(it, on) => Order::Watchdog(new(it, id), *on),
            Order::Start(it) => Order::Start(new(it, id)),
            Order::Stop(it) => Order::Stop(new(it, id)),
            Order::Detach(it, volumes) => Order::Detach(new(it, id), volumes.iter().map(|it| new(it, id)).collect()),
            Order::Attach(it, volume, role) => Order::Attach(new(it, id), new(volume, id), *role),
            Order::AssignAddress(it, address) => Order::AssignAddress(new(it, id), new(address, id)),
            Order::AssignFirewall(it, firewall) => Order::AssignFirewall(new(it, id), new(firewall, id)),
            Order::Grow(it, size_gb) => Order::Grow(new(it, id), *size_gb),
            Order::Tune(it, iops) => Order::Tune(new(it, id), *iops),
            Order::SetRecord(address) => Order::SetRecord(address.clone()),
            Order::DeleteRecord => Order::DeleteRecord,
            Order::ChangeType(it, name) => Order::ChangeType(new(it, id), name.clone()),
            Order::Configure(it, recipe) => Order::Configure(new(it, id), recipe.clone()),
            Order::Snapshot(it, its) => Order::Snapshot(new(it, id), tags(its)),
            Order::Capture(it, its) => Order::Capture(new(it, id), tags(its)),
            Order::DeleteServer(it, off) => Order::DeleteServer(new(it, id), *off),
            Order::DeleteVolume(it) => Order::DeleteVolume(new(it, id)),
            Order::DeleteCopy(it) => Order::DeleteCopy(id(it)),
            Order::ReleaseAddress(it) => Order::ReleaseAddress(new(it, id)),
            Order::DeleteFirewall(it) => Order::DeleteFirewall(new(it, id)),
        }
    }
}

/// A tag with another id in it, where it holds one: `line:vol-1`.
pub fn renamed_tag(tag: &str, id: &dyn Fn(&str) -> String) -> String {
    match tag.split_once(':') {
        Some((word @ ("line" | "loser" | "record" | "of"), value)) => format!("{word}:{}", id(value)),
        _ => tag.to_owned(),
    }
}
