//! What recordings take for granted: the settings of the account they were made in, and the things that were there before.

use crate::{
    cloud::{Call, Cloud},
    names::{Names, is_id},
    recording::{Interaction, Recording},
};
use serde_json::{Map, Value, json};
use std::io;

/// Gives the account the settings that the recording shows.
///
/// Errors: only where the cloud cannot be talked to.
pub fn premise(recording: &Recording, cloud: &mut dyn Cloud) -> io::Result<()> {
    let settings = settings(recording);
    if !settings.is_empty() {
        call(cloud, "PUT", "/v4/account/settings", Value::Object(settings))?;
    }
    Ok(())
}

/// The settings of the account, as far as they can be seen in what came of them.
fn settings(recording: &Recording) -> Map<String, Value> {
    let mut found = Map::new();
    for interaction in recording.interactions.iter().filter(|it| it.status < 300) {
        let Some(answer) = &interaction.answer else { continue };
        let sent = interaction.request.clone().unwrap_or_default();
        let tail = interaction.path.rsplit('/').next().unwrap_or_default();
        let mut see = |key: &str, value: &Value| {
            if !value.is_null() && !found.contains_key(key) {
                found.insert(key.to_owned(), value.clone());
            }
        };
        match (interaction.method.as_str(), tail) {
            ("GET", "settings") if interaction.path.ends_with("/account/settings") => {
                for key in ["backups_enabled", "network_helper", "maintenance_policy", "interfaces_for_new_linodes"] {
                    see(key, &answer[key]);
                }
            }
            ("POST", "configs") if sent["helpers"].is_null() => see("network_helper", &answer["helpers"]["network"]),
            ("POST", "instances") => {
                if sent["backups_enabled"].is_null() && sent["backup_id"].is_null() {
                    see("backups_enabled", &answer["backups"]["enabled"]);
                }
                if sent["maintenance_policy"].is_null() {
                    see("maintenance_policy", &answer["maintenance_policy"]);
                }
            }
            _ => {}
        }
    }
    found
}

/// Makes what a call names and no call of the recording made.
///
/// Errors: only where the cloud cannot be talked to.
pub fn stand_in(recording: &Recording, index: usize, cloud: &mut dyn Cloud, names: &mut Names) -> io::Result<()> {
    let interaction = &recording.interactions[index];
    if interaction.status >= 400 || interaction.method == "GET" {
        return Ok(());
    }
    let Some(request) = &interaction.request else { return Ok(()) };
    let mut wanted = Vec::new();
    named("", request, &mut wanted);
    for (key, id) in wanted {
        if names.of(&id).is_some() || is_made_in(recording, &id) {
            continue;
        }
        let made = match key.as_str() {
            "firewall_id" | "firewall_ids" => firewall(cloud, &id)?,
            "linode_id" | "linodes" => linode(cloud, interaction, &id)?,
            "volume_id" => volume(cloud, interaction, &id)?,
            _ => None,
        };
        if let Some(made) = made.as_ref().and_then(|it| it["id"].as_str()) {
            names.meet(&id, made);
        }
    }
    Ok(())
}

/// Did a call of the recording make it, even one that is not held to account?
fn is_made_in(recording: &Recording, id: &str) -> bool {
    recording
        .interactions
        .iter()
        .filter(|it| it.method == "POST" && it.status < 300)
        .any(|it| it.answer.as_ref().is_some_and(|it| it["id"] == id))
}

/// The ids in a request, each with its key.
fn named(key: &str, tree: &Value, found: &mut Vec<(String, String)>) {
    match tree {
        Value::Object(map) => map.iter().for_each(|(key, value)| named(key, value, found)),
        Value::Array(items) => items.iter().for_each(|item| named(key, item, found)),
        Value::String(text) if is_id(text) => found.push((key.to_owned(), text.clone())),
        _ => {}
    }
}

fn firewall(cloud: &mut dyn Cloud, id: &str) -> io::Result<Option<Value>> {
    let number: String = id.chars().filter(char::is_ascii_digit).collect();
    let rules = json!({"inbound_policy": "ACCEPT", "outbound_policy": "ACCEPT"});
    call(cloud, "POST", "/v4/networking/firewalls", json!({"label": format!("theirs-{number}"), "rules": rules}))
}

fn linode(cloud: &mut dyn Cloud, interaction: &Interaction, id: &str) -> io::Result<Option<Value>> {
    let told = |key: &str| [&interaction.request, &interaction.answer].into_iter().flatten().find_map(|it| it[key].as_str());
    let number: String = id.chars().filter(char::is_ascii_digit).collect();
    let label = told("linode_label").map_or_else(|| format!("theirs-{number}"), str::to_owned);
    let body = json!({"label": label, "region": told("region").unwrap_or("us-sea"), "type": "g6-nanode-1"});
    let made = call(cloud, "POST", "/v4/linode/instances", body)?;
    while made.is_some() && cloud.advance()? {}
    Ok(made)
}

fn volume(cloud: &mut dyn Cloud, interaction: &Interaction, id: &str) -> io::Result<Option<Value>> {
    let region = [&interaction.request, &interaction.answer].into_iter().flatten().find_map(|it| it["region"].as_str());
    let number: String = id.chars().filter(char::is_ascii_digit).collect();
    let made = call(cloud, "POST", "/v4/volumes", json!({"label": format!("theirs-{number}"), "region": region.unwrap_or("us-sea")}))?;
    while made.is_some() && cloud.advance()? {}
    Ok(made)
}

/// One object of other people's, of the kind that a path lists. False, if that is not known here.
///
/// Errors: only where the cloud cannot be talked to.
pub fn settle(cloud: &mut dyn Cloud, path: &str) -> io::Result<bool> {
    let kind = path.split("/v4").nth(1).unwrap_or_default().trim_start_matches("beta");
    let made = match kind {
        "/networking/firewalls" => firewall(cloud, "1")?,
        "/volumes" => call(cloud, "POST", "/v4/volumes", json!({"label": "theirs", "region": "us-sea"}))?,
        "/domains" => {
            call(cloud, "POST", "/v4/domains", json!({"domain": "theirs.example", "type": "master", "soa_email": "they@theirs.example"}))?
        }
        "/linode/instances" => {
            call(cloud, "POST", "/v4/linode/instances", json!({"label": "theirs", "region": "us-sea", "type": "g6-nanode-1"}))?
        }
        _ => None,
    };
    while made.is_some() && cloud.advance()? {}
    Ok(made.is_some())
}

fn call(cloud: &mut dyn Cloud, method: &str, path: &str, body: Value) -> io::Result<Option<Value>> {
    let call = Call { method: method.into(), path: path.into(), body: Some(body), token: true, ..Call::default() };
    let reply = cloud.call(&call)?;
    Ok(reply.body.filter(|_| reply.status < 300))
}
