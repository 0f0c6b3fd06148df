//! Orders drawn by lot: what somebody might order now, sensible or not.

use crate::{
    cloud::{Cloud, Kept, Machine},
    order::Order,
    view,
};
use cloudypad::model::{Boot, CopyStatus, FORMAT, Id, NewServer, NewVolume, Object, Power, Role, Rule, Server, Tags, Volume};
use fastrand::Rng;

/// What somebody in the console or inside the machine does.
pub enum Strange {
    Order(Order),
    /// The guest shuts itself down.
    Guest(usize),
    /// A server is protected.
    Lock(usize),
    /// A copy in the making fails.
    FailCopy(usize),
}

/// What chance may order at a kind of cloud.
#[derive(Clone, Copy)]
pub struct Shop {
    pub types: [&'static str; 2],
    pub image: &'static str,
    pub root_gb: u64,
}

pub const LOCAL: Shop = Shop { types: ["local-small", "local-medium"], image: "local-os", root_gb: 20 };
pub const SCALEWAY: Shop = Shop { types: ["L4-1-24G", "L4-2-24G"], image: "ubuntu_jammy_gpu_os_12", root_gb: 30 };
pub const LINODE: Shop = Shop { types: ["g6-standard-2", "g6-standard-4"], image: "linode/ubuntu24.04", root_gb: 30 };

fn tags(role: Option<Role>) -> Tags {
    let tags = Tags(vec![FORMAT.to_owned(), view::MARK.to_owned()]);
    match role {
        Some(role) => tags.with_value("role", role.word()),
        None => tags,
    }
}

fn one<'i, T>(rng: &mut Rng, items: &'i [T]) -> Option<&'i T> {
    if items.is_empty() { None } else { Some(&items[rng.usize(..items.len())]) }
}

/// One of the ids, or now and then one of something that is not there.
fn id<K>(rng: &mut Rng, ids: impl Iterator<Item = Id<K>>) -> Id<K> {
    let ids: Vec<Id<K>> = ids.collect();
    match one(rng, &ids) {
        Some(id) if rng.u8(..30) > 0 => id.clone(),
        _ => Id::new("nothing"),
    }
}

fn server(rng: &mut Rng, cloud: &Cloud) -> Id<Server> {
    id(rng, cloud.servers.iter().map(|it| it.it.id.clone()))
}

/// A server for another machine. At Linode one that runs would be stopped and started for it, which nobody does here.
fn to_move(rng: &mut Rng, cloud: &Cloud) -> Id<Server> {
    id(rng, cloud.servers.iter().filter(|it| !cloud.is_linode() || it.it.power == Power::Off).map(|it| it.it.id.clone()))
}

fn volume(rng: &mut Rng, cloud: &Cloud) -> Id<Volume> {
    id(rng, cloud.volumes.iter().map(|it| it.it.id.clone()))
}

fn copy(rng: &mut Rng, cloud: &Cloud, of_local: bool) -> Option<Kept> {
    let of_kind: Vec<&Kept> = cloud.copies.iter().filter(|it| it.of_local == of_local).collect();
    one(rng, &of_kind).map(|it| (*it).clone())
}

fn role_of(cloud: &Cloud, volume: &Id<Volume>) -> Role {
    let found = cloud.volume(volume.as_str()).map(|it| &cloud.volumes[it].it.tags);
    found.and_then(Tags::role).unwrap_or(Role::Root)
}

/// An order that makes sense, or nearly.
pub fn order(rng: &mut Rng, cloud: &Cloud, shop: &Shop, number: usize) -> Order {
    let volumes = cloud.can.root_outlives_server;
    match rng.u8(..36) {
        0..=2 => create_server(rng, cloud, shop, number),
        3..=5 => create_volume(rng, cloud, number),
        6..=9 => Order::Start(server(rng, cloud)),
        10..=12 => Order::Stop(server(rng, cloud)),
        13..=15 => attach(rng, cloud),
        16..=17 => detach(rng, cloud),
        18..=21 if volumes => {
            let volume = volume(rng, cloud);
            let role = role_of(cloud, &volume);
            Order::Snapshot(volume, tags(Some(role)))
        }
        18..=21 => Order::Capture(server(rng, cloud), tags(Some(Role::Root))),
        22..=23 => delete_server(rng, cloud),
        24..=25 => Order::DeleteVolume(volume(rng, cloud)),
        26..=27 => delete_copy(rng, cloud, !volumes),
        28 => Order::ReserveAddress(tags(None)),
        29 => Order::AssignAddress(server(rng, cloud), id(rng, cloud.addresses.iter().map(|it| it.id.clone()))),
        30 => Order::ReleaseAddress(id(rng, cloud.addresses.iter().map(|it| it.id.clone()))),
        31 => firewall(rng, cloud, number),
        32 => Order::AssignFirewall(server(rng, cloud), id(rng, cloud.firewalls.iter().map(|it| it.id.clone()))),
        33 => grow(rng, cloud),
        34 => Order::ChangeType(to_move(rng, cloud), shop.types[rng.usize(..2)].to_owned()),
        _ => retag(rng, cloud, number),
    }
}

fn create_server(rng: &mut Rng, cloud: &Cloud, shop: &Shop, number: usize) -> Order {
    let boot = match rng.u8(..3) {
        0 => Boot::Stock(shop.image.to_owned()),
        _ if cloud.can.root_outlives_server => {
            let roots = cloud.volumes.iter().filter(|it| it.it.tags.role() == Some(Role::Root)).map(|it| it.it.id.clone());
            Boot::Volume(id(rng, roots))
        }
        _ => copy(rng, cloud, true).map_or(Boot::Stock(shop.image.to_owned()), |it| Boot::Image(Id::new(it.it.id.as_str()))),
    };
    let datas: Vec<Id<Volume>> =
        cloud.volumes.iter().filter(|it| it.it.tags.role() == Some(Role::Data)).map(|it| it.it.id.clone()).collect();
    let addresses: Vec<_> = cloud.addresses.iter().map(|it| it.id.clone()).collect();
    let firewalls: Vec<_> = cloud.firewalls.iter().map(|it| it.id.clone()).collect();
    let root_gb = match &boot {
        Boot::Volume(id) => cloud.volume(id.as_str()).map_or(shop.root_gb, |it| cloud.volumes[it].it.size_gb),
        _ => shop.root_gb,
    };
    Order::CreateServer(NewServer {
        name: if rng.u8(..4) == 0 { "mypad".to_owned() } else { format!("mypad-{number}") },
        machine_type: shop.types[0].to_owned(),
        boot,
        root_gb,
        data: one(rng, &datas).filter(|_| cloud.can.data_at_birth).cloned(),
        address: one(rng, &addresses).cloned(),
        firewall: one(rng, &firewalls).cloned(),
        tags: tags(None),
    })
}

fn create_volume(rng: &mut Rng, cloud: &Cloud, number: usize) -> Order {
    let from = if rng.bool() { copy(rng, cloud, false) } else { None };
    let role = from.as_ref().and_then(|it| it.it.tags.role()).unwrap_or(Role::Data);
    Order::CreateVolume(NewVolume {
        name: if rng.u8(..4) == 0 { "mypad-data".to_owned() } else { format!("mypad-{number}") },
        role,
        size_gb: from.as_ref().map_or(10, |it| it.it.size_gb) + rng.u64(..2) * 5,
        from: from.map(|it| it.it.id),
        iops: None,
        tags: tags(Some(role)),
    })
}

fn detach(rng: &mut Rng, cloud: &Cloud) -> Order {
    let holders: Vec<&Machine> = cloud.servers.iter().filter(|it| !it.it.volumes.is_empty()).collect();
    match one(rng, &holders) {
        Some(holder) if cloud.can.detach_together && rng.bool() => Order::Detach(holder.it.id.clone(), holder.it.volumes.clone()),
        Some(holder) => Order::Detach(holder.it.id.clone(), one(rng, &holder.it.volumes).into_iter().cloned().collect()),
        None => Order::Detach(server(rng, cloud), vec![volume(rng, cloud)]),
    }
}

/// The end of a server. The abstract truth judges it when it is ordered, and the emulator when it comes: none is ordered while
/// a copy that may be complete by then is in the making.
fn delete_server(rng: &mut Rng, cloud: &Cloud) -> Order {
    let server = server(rng, cloud);
    let making = cloud.copies.iter().any(|it| it.of_local && it.it.status == CopyStatus::Creating && it.it.of.as_str() == server.as_str());
    if making { Order::Stop(server) } else { Order::DeleteServer(server, rng.bool()) }
}

/// The end of a copy; for the same reason none is ordered while a server is on its way out. What becomes of the making of one
/// that is deleted meanwhile, at Linode events alone tell.
fn delete_copy(rng: &mut Rng, cloud: &Cloud, of_local: bool) -> Order {
    let ending = cloud.servers.iter().any(|it| it.it.power == Power::Deleting);
    let in_vain = |it: &Kept| cloud.is_linode() && it.it.status == CopyStatus::Creating;
    match copy(rng, cloud, of_local).filter(|it| !((of_local && ending) || in_vain(it))) {
        Some(copy) => Order::DeleteCopy(copy.it.id.to_string()),
        None => Order::DeleteVolume(volume(rng, cloud)),
    }
}

fn firewall(rng: &mut Rng, cloud: &Cloud, number: usize) -> Order {
    let id = id(rng, cloud.firewalls.iter().map(|it| it.id.clone()));
    match rng.u8(..4) {
        0 | 1 => Order::CreateFirewall(format!("mypad-{number}"), tags(None)),
        2 => Order::SetRules(id, vec![Rule::new("tcp", "22", "0.0.0.0/0")]),
        _ => Order::DeleteFirewall(id),
    }
}

fn grow(rng: &mut Rng, cloud: &Cloud) -> Order {
    let volume = volume(rng, cloud);
    let now = cloud.volume(volume.as_str()).map_or(10, |it| cloud.volumes[it].it.size_gb);
    Order::Grow(volume, now + 5 - rng.u64(..3) * 5 / 2)
}

fn retag(rng: &mut Rng, cloud: &Cloud, number: usize) -> Order {
    let name = Some(if rng.u8(..3) == 0 { "mypad".to_owned() } else { format!("mypad-{number}") });
    let mark = |tags: &Tags| tags.clone().with_value("number", &number.to_string());
    if rng.bool()
        && let Some(it) = one(rng, &cloud.servers)
    {
        return Order::Retag(Object::Server(it.it.id.clone()), mark(&it.it.tags), name);
    }
    match one(rng, &cloud.volumes) {
        Some(it) if it.it.tags.role().is_some() => Order::Retag(Object::Volume(it.it.id.clone()), mark(&it.it.tags), name),
        // An untagged disk is a root disk that came with its server: somebody has to say so.
        Some(it) => Order::Retag(Object::Volume(it.it.id.clone()), tags(Some(Role::Root)), name),
        None => Order::Retag(Object::Server(Id::new("nothing")), tags(None), None),
    }
}

/// A volume joins a server, as what its tags say.
fn attach(rng: &mut Rng, cloud: &Cloud) -> Order {
    let (server, volume) = (server(rng, cloud), volume(rng, cloud));
    let role = role_of(cloud, &volume);
    Order::Attach(server, volume, role)
}

/// What a stranger can do now, if anything.
pub fn strange(rng: &mut Rng, cloud: &Cloud) -> Option<Strange> {
    let of_power = |power: Power| -> Vec<usize> {
        cloud.servers.iter().enumerate().filter(|(_, it)| it.it.power == power).map(|(index, _)| index).collect()
    };
    let (off, running) = (of_power(Power::Off), of_power(Power::Running));
    let name = |index: &usize| cloud.servers[*index].it.id.clone();
    Some(match rng.u8(..9) {
        0 => Strange::Order(Order::Start(name(one(rng, &off)?))),
        1 => Strange::Order(Order::Stop(name(one(rng, &running)?))),
        // One that Linode watches is started again, which the abstract truth leaves out.
        2 | 3 => {
            let ends = |it: &&usize| !cloud.is_linode() || cloud.servers[**it].it.told.watchdog == Some(false);
            Strange::Guest(*one(rng, &running.iter().filter(ends).copied().collect::<Vec<_>>())?)
        }
        4 => match delete_server(rng, cloud) {
            Order::DeleteServer(id, _) => Strange::Order(Order::DeleteServer(id, false)),
            _ => return None,
        },
        5 => Strange::Order(Order::DeleteVolume(volume(rng, cloud))),
        6 => Strange::Order(detach(rng, cloud)),
        // Linode has no protection that its hands know of.
        7 if !cloud.is_linode() => Strange::Lock(*one(rng, &off)?),
        7 => return None,
        // At Linode one that fails vanishes, and an event says so.
        _ if cloud.is_linode() => return None,
        _ => {
            let making = cloud.copies.iter().enumerate().filter(|(_, it)| it.it.status == CopyStatus::Creating);
            Strange::FailCopy(*one(rng, &making.map(|(index, _)| index).collect::<Vec<_>>())?)
        }
    })
}
