//! Odd beginnings: every world that a golden plan begins with is the beginning of a story too. What is in them no life of
//! cloudypad's own may come to: two servers, foreign disks, damaged tags, states that are in no table.

use super::{
    cast,
    cloud::{Bytes, Cloud, Disk, Kept, Machine},
    system::{Story, Weather},
    words,
};
use cloudypad::model::{
    Capabilities, Copy, CopyStatus, Image, LastHeld, Origin, Ran, Role, Root, Seen, Snapshot, Tags, Volume, VolumeStatus, World, cover_of,
    image_cover_of,
};
use std::{fs, path::Path, sync::Arc};

/// One story per golden plan.
pub fn beginnings(weather: impl Fn(&Capabilities) -> Weather) -> Vec<Story> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let cases = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> =
        cases.filter_map(|it| Some(it.ok()?.path())).filter(|it| it.extension().is_some_and(|it| it == "case")).collect();
    files.sort();
    let stories = files.iter().map(|path| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let head = text.split("\n---").next().unwrap_or_default();
        let (ask, world, can) = words::parse(head).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = format!("plans/{}", path.file_stem().unwrap_or_default().to_string_lossy());
        let weather = weather(&can);
        let start = truth_of(&world, Box::leak(Box::new(can)));
        Story { name, wishes: vec![ask], rival: None, start, weather, odd: true }
    });
    stories.chain(damages(&weather)).collect()
}

/// What the vendor or somebody else may do to the disk of a machine that runs.
fn damages(weather: &impl Fn(&Capabilities) -> Weather) -> Vec<Story> {
    let policy = "root snapshot; data 100 GB";
    let mut stories = Vec::new();
    for kind in cast::KINDS {
        for wish in ["present", "absent", "deleted"] {
            let mut broken = cast::story(kind, &[&format!("{wish}; {policy}")], None, cast::CALM);
            broken.weather = weather(broken.start.can);
            broken.odd = true;
            broken.start = cast::rested(kind, policy, "present");
            let mut foreign = Story { name: format!("{kind}: present → {wish}, its disk another's"), ..broken };
            let mut broken = Story {
                name: format!("{kind}: present → {wish}, its disk broken"),
                wishes: foreign.wishes.clone(),
                start: foreign.start.clone(),
                ..foreign
            };
            for disk in broken.start.volumes.iter_mut().filter(|it| it.it.tags.role() == Some(Role::Data)) {
                disk.it.status = VolumeStatus::Error;
            }
            for disk in foreign.start.volumes.iter_mut().filter(|it| it.it.tags.role() == Some(Role::Data)) {
                disk.it.tags = Tags::default().with("in:default.other").with("role:data");
            }
            let mut bare = Story {
                name: format!("{kind}: present → {wish}, its network taken off"),
                wishes: foreign.wishes.clone(),
                start: cast::rested(kind, policy, "present"),
                ..foreign
            };
            bare.start.addresses.iter_mut().for_each(|it| it.server = None);
            for machine in &mut bare.start.servers {
                machine.it.address = None;
                machine.it.firewall = None;
            }
            stories.extend([broken, foreign, bare]);
        }
    }
    stories
}

/// A truth that a world can be the look of.
fn truth_of(world: &World, can: &'static Capabilities) -> Cloud {
    let mut cloud = Cloud::new(can);
    cloud.now = world.now.0;
    cloud.made = 100;
    for image in world.images.items() {
        let it = of_image(image);
        cloud.copies.push(Kept { it, of_local: true, bytes: Bytes::default(), hidden: false });
    }
    for it in world.snapshots.items() {
        cloud.copies.push(Kept { it: it.clone(), of_local: false, bytes: Bytes::default(), hidden: false });
    }
    cloud.copies.sort_by_key(|it| it.it.created);
    let mut lines: Vec<(String, Bytes)> = Vec::new();
    for index in 0..cloud.copies.len() {
        let it = cloud.copies[index].it.clone();
        let line = Copy::Snapshot(&it).line().to_owned();
        let at = lines.iter().position(|(name, _)| *name == line).unwrap_or_else(|| {
            lines.push((line, Bytes::default()));
            lines.len() - 1
        });
        if it.status != CopyStatus::Failed {
            cloud.written += 1;
            lines[at].1.0.push(cloud.written);
        }
        cloud.copies[index].bytes = lines[at].1.clone();
    }
    let newer = |cloud: &mut Cloud, line: &str| {
        cloud.written += 1;
        let mut bytes = lines.iter().find(|(name, _)| name == line).map(|it| it.1.clone()).unwrap_or_default();
        bytes.0.push(cloud.written);
        bytes
    };
    for it in world.servers.items() {
        let local = matches!(it.root, Root::Local { .. }).then(|| match image_cover_of(world, it) {
            Some(image) => bytes_of(&cloud, image.id.as_str()),
            None if it.ran == Ran::Never => newer(&mut cloud, it.tags.line().unwrap_or(it.id.as_str())).unwritten(),
            None => newer(&mut cloud, it.tags.line().unwrap_or(it.id.as_str())),
        });
        let boots_from = if let Root::Volume(id) = &it.root { Some(id.clone()) } else { None };
        cloud.servers.push(Machine {
            it: it.clone(),
            local,
            boots_from,
            hidden: false,
            starts: false,
            lingers: false,
            ends: false,
            becomes: None,
        });
    }
    for it in world.volumes.items() {
        let held_by_new = it.attached_to.as_ref().and_then(|id| world.server(id)).is_some_and(|it| it.ran == Ran::Never);
        let unused = it.last_held == LastHeld::Never && (it.attached_to.is_none() || held_by_new);
        let bytes = match (&it.origin, cover_of(world, it)) {
            (Origin::Snapshot(from), _) if unused && cloud.copy(from.as_str()).is_some() => bytes_of(&cloud, from.as_str()),
            (_, Some(copy)) => bytes_of(&cloud, copy.id.as_str()),
            _ if unused && !matches!(it.origin, Origin::Snapshot(_)) => newer(&mut cloud, it.line()).unwritten(),
            _ => newer(&mut cloud, it.line()),
        };
        cloud.volumes.push(Disk { it: Volume { ..it.clone() }, bytes, hidden: false, growing: None, plugs: false });
    }
    cloud.addresses = world.addresses.items().to_vec();
    cloud.firewalls = world.firewalls.items().to_vec();
    cloud.record = world.record.clone();
    // What a look of this world says beside the objects: lists that do not come, states in no table, other zones.
    let unseen = [
        matches!(world.servers, Seen::Unknown(_)),
        matches!(world.volumes, Seen::Unknown(_)),
        matches!(world.snapshots, Seen::Unknown(_)),
        matches!(world.images, Seen::Unknown(_)),
        matches!(world.addresses, Seen::Unknown(_)),
        matches!(world.firewalls, Seen::Unknown(_)),
        matches!(world.elsewhere, Seen::Unknown(_) | Seen::Present(_)),
        !world.strange.is_empty(),
    ];
    cloud.beside = unseen.contains(&true).then(|| Arc::new(world.clone()));
    cloud
}

fn bytes_of(cloud: &Cloud, copy: &str) -> Bytes {
    cloud.copy(copy).map(|at| cloud.copies[at].bytes.clone()).unwrap_or_default()
}

fn of_image(image: &Image) -> Snapshot {
    Snapshot {
        id: cloudypad::model::Id::new(image.id.as_str()),
        name: image.name.clone(),
        of: cloudypad::model::Id::new(image.of.as_str()),
        size_gb: image.size_gb,
        status: image.status.clone(),
        created: image.created,
        tags: image.tags.clone(),
    }
}
