//! A step without its proofs, so that it can be kept, and carried out later than it was asked.

use cloudypad::model::{Address, Firewall, Id, NewServer, NewVolume, Object, Role, Rule, Server, Step, Tags, Volume};

#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    ReserveAddress(Tags),
    CreateFirewall(String, Tags),
    SetRules(Id<Firewall>, Vec<Rule>),
    ShutFirewall(Id<Firewall>),
    CreateVolume(NewVolume),
    CreateServer(NewServer),
    Retag(Object, Tags),
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
            Step::Retag { object, tags, .. } => Order::Retag(object.clone(), tags.clone()),
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
}
