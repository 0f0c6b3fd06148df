//! Requests whose bodies the recorder lost, made again from what the API answered.

use crate::recording::Interaction;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What must have been sent; none, if that cannot be told.
///
/// `seen` are the ids of all answers before this one.
pub fn request_of(interaction: &Interaction, seen: &BTreeSet<String>) -> Option<Value> {
    let answer = interaction.answer.as_ref()?;
    let last = interaction.path.rsplit('/').next()?;
    match (interaction.method.as_str(), last) {
        ("POST", "servers") => server(answer.get("server")?, seen),
        ("POST", "volumes") if interaction.path.starts_with("/block") => volume(answer),
        ("POST", "snapshots") if interaction.path.starts_with("/block") => {
            let mut body = kept(answer, &["name", "project_id", "tags"]);
            body["volume_id"] = answer["parent_volume"]["id"].clone();
            Some(body)
        }
        ("POST", "ips") => Some(kept(answer.get("ip")?, &["project", "type", "tags"])),
        ("POST", "security_groups") => {
            let keys =
                ["name", "project", "stateful", "inbound_default_policy", "outbound_default_policy", "enable_default_security", "tags"];
            Some(kept(answer.get("security_group")?, &keys))
        }
        ("POST", "volumes") => Some(kept(answer.get("volume")?, &["name", "project", "volume_type", "size", "tags"])),
        ("POST", "snapshots") => {
            let mut body = kept(answer.get("snapshot")?, &["name", "project", "volume_type", "tags"]);
            body["volume_id"] = answer["snapshot"]["base_volume"]["id"].clone();
            Some(body)
        }
        ("POST", "images") => Some(image(answer.get("image")?)),
        ("POST", "ssh-keys") => Some(kept(answer, &["name", "public_key", "project_id"])),
        ("PUT", "rules") => {
            let editable = answer["rules"].as_array()?.iter().filter(|rule| rule["editable"] == Value::Bool(true));
            let keys = ["action", "protocol", "direction", "ip_range", "dest_port_from", "dest_port_to", "position"];
            Some(json!({"rules": editable.map(|rule| kept(rule, &keys)).collect::<Vec<_>>()}))
        }
        ("POST", "attach-volume") => {
            // The newest slot holds what was attached.
            let slots = answer["server"]["volumes"].as_object()?;
            let (_, newest) = slots.iter().max_by_key(|(slot, _)| slot.parse::<u32>().unwrap_or(0))?;
            Some(json!({"volume_id": newest["id"], "volume_type": newest["volume_type"]}))
        }
        ("POST", "detach-volume") => {
            // A refusal names the volume.
            let told = answer["details"][0]["help_message"].as_str()?;
            Some(json!({"volume_id": crate::names::ids(told).first()?}))
        }
        ("POST", "action") => {
            let action = match answer["task"]["description"].as_str()? {
                "server_poweron" | "server_batch_poweron" => "poweron",
                "server_poweroff" => "poweroff",
                "server_terminate" => "terminate",
                "server_reboot" => "reboot",
                "server_stop_in_place" => "stop_in_place",
                _ => return None,
            };
            Some(json!({"action": action}))
        }
        ("PATCH", _) => change(interaction, answer),
        _ => None,
    }
}

/// A change that leads to what was answered, whatever it began with.
fn change(interaction: &Interaction, answer: &Value) -> Option<Value> {
    let kind = interaction.path.rsplit('/').nth(1)?;
    match (kind, interaction.path.starts_with("/block")) {
        ("servers", _) => {
            let server = answer.get("server")?;
            let mut body = kept(server, &["name", "tags", "protected", "boot_type", "dynamic_ip_required", "commercial_type"]);
            let slots = server["volumes"].as_object()?.iter();
            let slots: Map<String, Value> =
                slots.map(|(slot, volume)| (slot.clone(), kept(volume, &["id", "boot", "volume_type", "name"]))).collect();
            body["volumes"] = Value::Object(slots);
            body["public_ips"] = server["public_ips"].as_array()?.iter().map(|it| it["id"].clone()).collect();
            body["security_group"] = kept(&server["security_group"], &["id"]);
            Some(body)
        }
        ("ips", _) => {
            let mut body = kept(answer.get("ip")?, &["tags", "reverse"]);
            body["server"] = answer["ip"]["server"]["id"].clone();
            Some(body)
        }
        ("security_groups", _) => {
            let keys = ["name", "tags", "stateful", "inbound_default_policy", "outbound_default_policy", "enable_default_security"];
            Some(kept(answer.get("security_group")?, &keys))
        }
        ("images", _) => Some(kept(answer.get("image")?, &["name", "tags", "public", "arch"])),
        ("ssh-keys", _) => Some(kept(answer, &["name", "disabled"])),
        // While a volume is being changed it shows what it was, not what it will be.
        ("volumes", true) if answer["status"] == "updating" => None,
        ("volumes" | "snapshots", true) => Some(kept(answer, &["name", "tags"])),
        _ => None,
    }
}

fn image(image: &Value) -> Value {
    let mut body = kept(image, &["name", "project", "arch", "public", "tags"]);
    body["root_volume"] = image["root_volume"]["id"].clone();
    let extra = image["extra_volumes"].as_object().into_iter().flatten();
    body["extra_volumes"] = extra.map(|(slot, volume)| (slot.clone(), kept(volume, &["id"]))).collect::<Map<_, _>>().into();
    body
}

fn server(server: &Value, seen: &BTreeSet<String>) -> Option<Value> {
    let mut body = kept(server, &["name", "commercial_type", "project", "dynamic_ip_required", "boot_type", "tags", "protected"]);
    if let Some(image) = server["image"]["id"].as_str() {
        body["image"] = json!(image);
    }
    // What existed before was named; what did not came from the image.
    let known = |value: &Value| value["id"].as_str().is_some_and(|id| seen.contains(id));
    let slots = server["volumes"].as_object()?.iter().filter(|(_, volume)| known(volume));
    let slots: Map<String, Value> = slots.map(|(slot, volume)| (slot.clone(), kept(volume, &["id", "volume_type"]))).collect();
    if !slots.is_empty() {
        body["volumes"] = Value::Object(slots);
    }
    let addresses: Vec<&Value> = server["public_ips"].as_array()?.iter().filter(|it| known(it)).map(|it| &it["id"]).collect();
    if !addresses.is_empty() {
        body["public_ips"] = json!(addresses);
    }
    Some(body)
}

fn volume(volume: &Value) -> Option<Value> {
    let mut body = kept(volume, &["name", "project_id", "tags"]);
    body["perf_iops"] = volume["specs"]["perf_iops"].clone();
    let size = volume["size"].clone();
    match volume["parent_snapshot_id"].as_str() {
        Some(parent) => body["from_snapshot"] = json!({"snapshot_id": parent, "size": size}),
        None => body["from_empty"] = json!({"size": size}),
    }
    Some(body)
}

fn kept(object: &Value, keys: &[&str]) -> Value {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone()))).collect::<Map<_, _>>().into()
}
