//! Where two true answers differ: what the API gained over the years (the emulator answers as the newest recordings do), what it
//! sells today, and what depends on whose account it is.

use crate::{
    compare::{Aspect, Difference, starred},
    recording::{Interaction, Recording},
    route::Route,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Keys that came with later versions of the API.
const NEWER: &[&str] = &[
    "locks",
    "io_ready",
    "maintenance_policy",
    "interface_generation",
    "system_alerts",
    "user_alerts",
    "interface_id",
    "assigned_entity",
    "reserved",
    "tags",
    "image_sharing",
    "is_shared",
    "capabilities",
    "regions",
    "total_size",
    "monitors",
    "maximum_linodes_per_flexible_pg",
    "encryption",
    "disk_encryption",
    "hardware_type",
    "has_user_data",
    "site_type",
    "placement_group",
    "placement_group_limits",
    "lke_cluster_id",
    "vpc",
    "vpc_nat_1_1",
    "version",
    "fingerprint",
    "entities",
    "parent_entity",
    "region_prices",
    "rate",
    "details",
    "default_firewall_ids",
    "network_helper",
    "interfaces_for_new_linodes",
    "database_id",
    "host_uuid",
    "gpus",
    "eol",
    "accelerated_devices",
    "primary",
    "active",
    "subnet_id",
    "vpc_id",
    "ip_ranges",
    "ipv6",
    "label",
    "message",
    "duration",
    "secondary_entity",
    "object_storage",
];

/// Marks every call of a recording made before a key was there: no answer about things of that kind shows it.
pub fn aged(mut recording: Recording) -> Recording {
    let mut shown: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let place = |interaction: &Interaction| (interaction.file.clone(), kind(&interaction.path));
    for interaction in &recording.interactions {
        interaction.answer.iter().for_each(|answer| keys(answer, shown.entry(place(interaction)).or_default()));
    }
    for interaction in &mut recording.interactions {
        let shown = shown.entry(place(interaction)).or_default();
        let lacks = NEWER.iter().filter(|key| !shown.contains(**key));
        interaction.notes.extend(lacks.map(|key| format!("older than {key}")));
    }
    recording
}

/// The kind of thing that a path is about: the last collection in it, whatever is done to one of it.
fn kind(path: &str) -> String {
    const KINDS: &[&str] =
        &["instances", "configs", "disks", "ips", "images", "volumes", "firewalls", "devices", "domains", "records", "interfaces"];
    let parts: Vec<&str> = path.split('/').collect();
    parts.iter().rev().find(|part| KINDS.contains(part)).unwrap_or(&parts[parts.len() - 1]).to_string()
}

fn keys(tree: &Value, shown: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            shown.insert(key.clone());
            keys(value, shown);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, shown)),
        _ => {}
    }
}

/// What an account, or a region as it was then, gives a Linode.
const GRANTED: &[&str] = &["SMTP Enabled", "Block Storage Encryption", "Maintenance Policy"];

/// May these two, in this answer of that endpoint, differ so?
pub fn is_allowed(interaction: &Interaction, route: &Route, difference: &Difference) -> bool {
    let Difference { aspect, pointer, recorded, got } = difference;
    let pointer = starred(pointer);
    let key = pointer.rsplit('/').next().unwrap_or_default();
    let older_than = |key: &str| interaction.notes(&format!("older than {key}"));
    let parts = |parts: &[&str]| parts.iter().any(|part| pointer.contains(part));
    match aspect {
        Aspect::Extra => NEWER.contains(&key) && older_than(key),
        // A job tells how fast it goes, and how long still, where it knows.
        Aspect::Type if ["time_remaining", "rate"].contains(&key) => is_told(recorded) && is_told(got),
        // What else the account has booked.
        Aspect::Type | Aspect::Value if route.ends("/account/settings") => {
            ["managed", "longview_subscription", "object_storage"].contains(&key)
        }
        // Which regions an account sees, and with what, is different for every one; which machines are free, every day.
        Aspect::Value if route.ends("/regions") || route.ends("/regions/{id}") => {
            pointer == "/data/*"
                || pointer == "/data (order)"
                || (key == "label" && is_renumbered(recorded, got))
                || parts(&["/capabilities", "/monitors", "/resolvers", "/placement_group_limits"])
        }
        Aspect::Value if route.ends("/availability") => {
            ["/data/*", "/data (order)", "/*", " (order)"].contains(&pointer.as_str()) || key == "available"
        }
        // Kernels come and go.
        Aspect::Value if route.ends("/linode/kernels") => pointer == "/data/*" || pointer == "/data (order)",
        Aspect::Value if route.ends("/linode/types") || route.ends("/linode/types/{id}") => {
            older_than("accelerated_devices") && (pointer == "/data/*" || parts(&["/price", "/region_prices", "/addons", "/successor"]))
        }
        Aspect::Value if route.ends("/images") || route.ends("/images/{id}") => {
            older_than("image_sharing")
                && (pointer == "/data/*" || pointer == "/data (order)" || parts(&["/deprecated", "/eol", "/size", "/vendor", "/label"]))
                && is_everybodys(interaction)
        }
        Aspect::Value if key == "capabilities" && recorded.is_array() => is_granted(recorded, got),
        // Encryption became the default.
        Aspect::Value if key == "encryption" => older_than("io_ready") && is_encrypted_now(recorded, got),
        Aspect::Value if key == "disk_encryption" => older_than("maintenance_policy") && is_encrypted_now(recorded, got),
        _ => false,
    }
}

/// A town got a second region, and the first one a number, or the other way round.
fn is_renumbered(recorded: &Value, got: &Value) -> bool {
    let plain = |value: &Value| value.as_str().unwrap_or_default().replace([' ', '1', '2', '3'], "");
    plain(recorded) == plain(got)
}

/// Does an answer tell about images that everybody sees?
fn is_everybodys(interaction: &Interaction) -> bool {
    let answer = interaction.answer.as_ref();
    answer.is_some_and(|it| {
        it["is_public"] == true || it["data"].as_array().is_some_and(|rows| rows.iter().any(|row| row["is_public"] == true))
    })
}

fn is_told(value: &Value) -> bool {
    value.is_null() || value.is_string()
}

fn is_encrypted_now(recorded: &Value, got: &Value) -> bool {
    *recorded == "disabled" && *got == "enabled"
}

fn is_granted(recorded: &Value, got: &Value) -> bool {
    let all = |tree: &Value| tree.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect::<BTreeSet<_>>();
    all(recorded).symmetric_difference(&all(got)).all(|it| GRANTED.contains(&it.as_str()))
}
