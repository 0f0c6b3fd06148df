//! Requests whose bodies the recorder lost, made again from what the API answered.

use crate::recording::{Interaction, Recording};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What must have been sent in a call of a recording; none, if that cannot be told.
///
/// `seen` are the ids of all answers before this one.
pub fn request_of(recording: &Recording, index: usize, seen: &BTreeSet<String>) -> Option<Value> {
    let interaction = &recording.interactions[index];
    let (before, later) = (&recording.interactions[..index], &recording.interactions[index + 1..]);
    let answer = interaction.answer.as_ref()?;
    let last = interaction.path.rsplit('/').next()?;
    match (interaction.method.as_str(), last) {
        ("POST", "servers") => server(answer.get("server")?, seen, later),
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
            // A refusal names the volume; otherwise it is the one that was there and is not any more.
            let told = answer["details"][0]["help_message"].as_str().and_then(|it| crate::names::ids(it).first().map(|id| json!(id)));
            let server = answer["server"]["id"].clone();
            let volumes =
                |tree: &Value| tree["server"]["volumes"].as_object().map(|all| all.values().map(|it| it["id"].clone()).collect::<Vec<_>>());
            let earlier = before.iter().rev().filter_map(|it| it.answer.as_ref()).find(|it| it["server"]["id"] == server).and_then(volumes);
            let now = volumes(answer).unwrap_or_default();
            let gone = told.or_else(|| earlier?.into_iter().find(|id| !now.contains(id)))?;
            Some(json!({"volume_id": gone}))
        }
        ("POST", "import-from-object-storage" | "import-from-s3") => {
            let mut body = kept(answer, &["name", "project_id", "size", "tags"]);
            body["bucket"] = json!("lost");
            body["key"] = json!("lost");
            Some(body)
        }
        ("POST", "export-to-object-storage") => Some(json!({"bucket": "lost", "key": "lost"})),
        ("POST", "action") => Some(json!({"action": action(interaction, later)?})),
        ("PATCH", _) => change(interaction, answer, later),
        _ => None,
    }
}

/// A change that leads to what was answered, whatever it began with.
fn change(interaction: &Interaction, answer: &Value, later: &[Interaction]) -> Option<Value> {
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
        ("volumes", false) => Some(kept(answer.get("volume")?, &["name", "tags"])),
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
        ("volumes", true) if answer["status"] == "updating" => {
            let looks = later.iter().filter(|it| it.path == interaction.path).filter_map(|it| it.answer.as_ref());
            let after = looks.into_iter().find(|it| it["status"] != "updating")?;
            let mut body = kept(after, &["size"]);
            body["perf_iops"] = after["specs"]["perf_iops"].clone();
            Some(body)
        }
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

/// The action after which a server looked as it did.
fn action(interaction: &Interaction, later: &[Interaction]) -> Option<&'static str> {
    // Older answers tell it themselves.
    let told = interaction.answer.as_ref()?["task"]["description"].as_str().unwrap_or_default();
    let named = ["poweron", "poweroff", "terminate", "reboot", "stop_in_place", "backup"];
    if let Some(action) = named.into_iter().find(|action| told.starts_with("server_") && told.ends_with(action)) {
        return Some(action);
    }
    let path = interaction.path.strip_suffix("/action")?;
    let next = later.iter().find(|it| it.method == "GET" && it.path == path)?;
    let server = &next.answer.as_ref()?["server"];
    let (state, detail) = (server["state"].as_str().unwrap_or("gone"), server["state_detail"].as_str().unwrap_or_default());
    Some(match (state, detail) {
        (_, "rebooting") => "reboot",
        (_, "terminating") | ("gone", _) => "terminate",
        ("starting" | "running", _) => "poweron",
        ("stopping" | "stopped in place", "stopping in place" | "stopped in place") => "stop_in_place",
        ("stopping" | "stopped", _) => "poweroff",
        _ => return None,
    })
}

fn server(server: &Value, seen: &BTreeSet<String>, later: &[Interaction]) -> Option<Value> {
    let mut body = kept(server, &["name", "commercial_type", "project", "dynamic_ip_required", "boot_type", "tags", "protected"]);
    if let Some(image) = server["image"]["id"].as_str() {
        body["image"] = json!(image);
    }
    // What existed before was named; what did not came from the image.
    let known = |value: &Value| value["id"].as_str().is_some_and(|id| seen.contains(id));
    let slots = server["volumes"].as_object()?.iter().map(|(slot, volume)| {
        let mut template = kept(volume, &["volume_type", "boot", "name"]);
        // A block volume shows its size only where it lives.
        let looks = later.iter().filter(|it| it.path.starts_with("/block")).filter_map(|it| it.answer.as_ref());
        let size = Some(&volume["size"])
            .filter(|it| it.is_number())
            .or_else(|| Some(&looks.into_iter().find(|it| it["id"] == volume["id"])?["size"]));
        match size {
            _ if known(volume) => template["id"] = volume["id"].clone(),
            Some(size) => template["size"] = size.clone(),
            None => {}
        }
        (slot.clone(), template)
    });
    let slots: Map<String, Value> = slots.collect();
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
