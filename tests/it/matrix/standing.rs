//! What stands in a cloud, in lines that are the same whatever the ids and the times.

use crate::support::shop::read_at;
use serde_json::Value;
use std::path::Path;

/// Where in a disk games are saved.
pub const OFFSET: u64 = 1 << 20;
/// What is saved on the root disk.
pub const ROOT: &[u8; 16] = b"the root's bytes";
/// What is saved on the data disk.
pub const DATA: &[u8; 16] = b"the saved games.";

/// Tags whose values are ids or times.
const OF_THE_DAY: &[&str] = &["line:", "born:", "of:", "loser:", "host:"];
/// The tag with the wish that was applied, and when.
const APPLIED: &str = "spec:";

/// Every object, a line each, with the bytes that are on it.
pub fn lines(truth: &Value, disks: &Path) -> Vec<String> {
    let all = |kind: &str| truth[kind].as_object().into_iter().flatten().map(|(_, it)| it.clone()).collect::<Vec<_>>();
    let mut lines = Vec::new();
    for it in all("servers") {
        let root = &it["root"]["disk"];
        let root = root["id"].as_str().map_or(String::new(), |id| format!(", root of its own {} GB{}", root["size_gb"], bytes(disks, id)));
        let held = |what: &str| if it[what].is_null() { format!("no {what}") } else { format!("its {what}") };
        let volumes = it["volumes"].as_array().map_or(0, Vec::len);
        let (address, firewall) = (held("address"), held("firewall"));
        lines.push(format!("server {} {}{root}, {volumes} volumes, {address}, {firewall}, {}", it["kind"], it["state"], tags(&it)));
    }
    for kind in ["volumes", "snapshots", "images"] {
        for it in all(kind) {
            let (id, held) = (it["id"].as_str().unwrap_or_default(), if it["server"].is_null() { "loose" } else { "of a server" });
            // An image may be as large as what is in it.
            let size = if kind == "images" { String::new() } else { format!(" {} GB", it["size_gb"]) };
            lines.push(format!("{kind} {}{size} {} {held}{}, {}", it["name"], it["state"], bytes(disks, id), tags(&it)));
        }
    }
    for it in all("addresses") {
        lines.push(format!("address, {}, {}", if it["server"].is_null() { "unused" } else { "used" }, tags(&it)));
    }
    for it in all("firewalls") {
        lines.push(format!("firewall {}, {} rules, {}", it["name"], it["rules"].as_array().map_or(0, Vec::len), tags(&it)));
    }
    let zones = truth["scaleway"]["records"]["zones"].as_object().into_iter().flatten();
    for record in zones.flat_map(|(_, zone)| zone["records"].as_array().into_iter().flatten()) {
        let ours = all("addresses").iter().any(|it| it["address"] == record["data"]);
        let shown = if ours { "its address".to_owned() } else { record["data"].to_string() };
        lines.push(format!("record {} {} {shown}", record["name"], record["kind"]));
    }
    let objects = ["servers", "volumes", "snapshots", "images", "firewalls"].into_iter().flat_map(all).collect::<Vec<_>>();
    lines.extend(applied_last(objects.iter()).map(|it| format!("applied last: {it}")));
    lines.sort();
    lines
}

/// The disks of the one server: root and data.
pub fn used(truth: &Value) -> (String, String) {
    let server = truth["servers"].as_object().unwrap().values().next().unwrap();
    let root = server["root"]["volume"].as_str().or(server["root"]["disk"]["id"].as_str()).unwrap();
    let mut volumes = server["volumes"].as_array().unwrap().iter().filter_map(Value::as_str);
    (root.to_owned(), volumes.find(|it| *it != root).unwrap().to_owned())
}

fn tags(object: &Value) -> String {
    let tags = object["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut tags: Vec<&str> = tags.filter(|it| !it.starts_with(APPLIED)).map(timeless).collect();
    tags.sort_unstable();
    tags.join(" ")
}

/// A tag without what differs from one run to another.
fn timeless(tag: &str) -> &str {
    OF_THE_DAY.iter().find(|prefix| tag.starts_with(**prefix)).copied().unwrap_or(tag)
}

/// The wish that was applied last: several objects may say, each with its time, and the latest counts.
fn applied_last<'o>(objects: impl Iterator<Item = &'o Value>) -> Option<&'o str> {
    let tags = objects.flat_map(|it| it["tags"].as_array().into_iter().flatten()).filter_map(Value::as_str);
    let marks = tags.filter_map(|it| it.strip_prefix(APPLIED)?.rsplit_once('-'));
    marks.max_by_key(|(_, at)| at.parse::<u64>().ok()).map(|(wish, _)| wish)
}

/// The games that are saved on a disk.
fn bytes(disks: &Path, id: &str) -> String {
    let file = disks.join(format!("{id}.img"));
    let found = if file.exists() { read_at(&file, OFFSET, ROOT.len()) } else { Vec::new() };
    if found == ROOT || found == DATA { format!(" with {}", String::from_utf8_lossy(&found)) } else { String::new() }
}
