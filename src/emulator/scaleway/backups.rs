//! The action `backup`: a snapshot of every volume, and an image of them.

use std::collections::BTreeMap;

use super::details::{ImageDetails, Kind};
use super::images;
use super::input::{Fields, not_usable};
use super::making::take_snapshot;
use super::servers::find;
use crate::emulator::face::Answer;
use crate::emulator::face::Args;
use crate::emulator::physics::Deed;

/// Backs a server up; gives the image's id. Where volumes are named, only those are taken.
pub fn back_up(deed: &mut Deed, args: &Args, fields: &Fields) -> Result<String, Answer> {
    let (server, details) = find(&deed.truth, args.zone, args.id)?;
    let (server, details) = (server.clone(), details.clone());
    let wanted = fields.get("volumes").and_then(|volumes| volumes.as_object());
    let takes = |volume: &str| wanted.is_none_or(|wanted| wanted.contains_key(volume));
    let stamp: String = deed
        .now
        .to_string()
        .chars()
        .take(16)
        .map(|c| match c {
            'T' => '_',
            ':' => '-',
            c => c,
        })
        .collect();
    let name = fields.word("name")?.map_or_else(|| format!("image_{}_{stamp}", server.name), str::to_owned);
    let mut parts = BTreeMap::new();
    for (slot, it) in &details.slots {
        let is_scratch = deed.truth.scaleway.volumes.get(&it.volume).is_some_and(|it| it.kind == Kind::Scratch);
        if takes(&it.volume) && !is_scratch {
            let copy = take_snapshot(deed, &it.volume, &format!("{name}_snap_{slot}"), details.project.clone(), Vec::new())?;
            parts.insert(*slot, copy);
        }
    }
    let (_, root) = parts.pop_first().ok_or_else(|| not_usable("server has no volume to back up"))?;
    let created = deed.tick();
    let arch = super::catalogue::server_type(args.zone, &server.kind).map_or("x86_64", |row| row.arch);
    let image = ImageDetails {
        zone: server.zone,
        name,
        project: details.project,
        arch: arch.to_owned(),
        root,
        extra: parts,
        public: false,
        from_server: server.id,
        tags: Vec::new(),
        created,
        modified: created,
    };
    images::add(deed, image)
}
