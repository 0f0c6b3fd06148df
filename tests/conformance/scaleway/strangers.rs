//! Other people's objects: a recording of a shared project lists what no call of it made. The emulator is given one
//! object of that kind, so that at least the shapes can be compared.

use crate::{
    cloud::{Call, Cloud},
    route::Route,
};
use serde_json::{Value, json};
use std::io;

/// Whose they are.
const PROJECT: &str = "5c4a1e0b-0000-4000-8000-00000000beef";

/// Makes an object of the kind that this route lists, in the zone of this path. False, if that is not known here.
///
/// Errors: only where the cloud cannot be talked to.
pub fn settle(cloud: &mut dyn Cloud, route: &Route, path: &str) -> io::Result<bool> {
    let Some((base, kind)) = path.rsplit_once('/') else { return Ok(false) };
    let zone = base.rsplit('/').next().unwrap_or_default();
    let made = match (kind, route.template.starts_with("/block/")) {
        ("volumes", true) => {
            post(cloud, path, json!({"name": "theirs", "project_id": PROJECT, "from_empty": {"size": 1_000_000_000_u64}}))?
        }
        ("snapshots", true) => {
            let volume = json!({"name": "theirs", "project_id": PROJECT, "from_empty": {"size": 1_000_000_000_u64}});
            let volume = post(cloud, &format!("{base}/volumes"), volume)?.unwrap_or_default();
            while cloud.advance()? {}
            post(cloud, path, json!({"name": "theirs", "project_id": PROJECT, "volume_id": volume["id"], "public": false}))?
        }
        ("ips", false) => post(cloud, path, json!({"project": PROJECT}))?,
        ("servers", false) => server(cloud, path, zone)?,
        _ => None,
    };
    while made.is_some() && cloud.advance()? {}
    Ok(made.is_some())
}

/// A running server with an address.
fn server(cloud: &mut dyn Cloud, path: &str, zone: &str) -> io::Result<Option<Value>> {
    let pairs = [("image_label", "ubuntu_jammy"), ("zone", zone), ("type", "instance_sbs")];
    let query = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let call = Call { method: "GET".into(), path: "/marketplace/v2/local-images".into(), query, token: true, ..Call::default() };
    let images = cloud.call(&call)?.body.unwrap_or_default();
    let image = images["local_images"].as_array().into_iter().flatten().find(|it| it["arch"] == "x86_64").map(|it| it["id"].clone());
    let ip = post(cloud, &path.replace("/servers", "/ips"), json!({"project": PROJECT}))?.unwrap_or_default();
    let body = json!({"name": "theirs", "commercial_type": "PLAY2-NANO", "image": image, "project": PROJECT, "dynamic_ip_required": false,
                      "public_ips": [ip["ip"]["id"]]});
    let Some(made) = post(cloud, path, body)? else { return Ok(None) };
    let id = made["server"]["id"].as_str().unwrap_or_default();
    post(cloud, &format!("{path}/{id}/action"), json!({"action": "poweron"}))
}

fn post(cloud: &mut dyn Cloud, path: &str, body: Value) -> io::Result<Option<Value>> {
    let reply = cloud.call(&Call { method: "POST".into(), path: path.into(), body: Some(body), token: true, ..Call::default() })?;
    Ok(reply.body.filter(|_| reply.status < 300))
}
