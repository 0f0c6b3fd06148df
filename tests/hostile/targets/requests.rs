//! Requests of any bytes to an emulator, one after the other. It never breaks (status 500) and never dies; what only looks
//! changes nothing; and whatever was done to it, its truth can be kept and had again.

use super::lives::{Vendor, life};
use cloudypad::emulator::{
    Cloud, Truth,
    face::{Body, Face, Request},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock, time::Instant};

/// Between one request and the next.
pub const BETWEEN: &str = "\n---\n";
/// How many requests of one input are made.
const MOST: usize = 12;

pub fn scaleway(bytes: &[u8]) {
    feed(Vendor::Scaleway, bytes);
}

pub fn linode(bytes: &[u8]) {
    feed(Vendor::Linode, bytes);
}

/// What is there at a moment of a life, and the ids in it: `$N` in a request stands for one of them.
struct Scene {
    truth: Truth,
    ids: Vec<String>,
}

fn scenes(vendor: Vendor) -> &'static [Scene] {
    static SCENES: [OnceLock<Vec<Scene>>; 2] = [OnceLock::new(), OnceLock::new()];
    SCENES[vendor as usize].get_or_init(|| {
        let moments = life(vendor).moments.iter();
        moments.map(|it| Scene { truth: serde_json::from_str(&it.truth).unwrap(), ids: ids(&it.truth) }).collect()
    })
}

/// Everything in a truth that has a name of its own, in order.
pub fn ids(truth: &str) -> Vec<String> {
    let truth: Value = serde_json::from_str(truth).unwrap();
    let mut ids = BTreeSet::new();
    for kind in ["servers", "volumes", "snapshots", "images", "addresses", "firewalls"] {
        ids.extend(truth[kind].as_object().into_iter().flatten().map(|(id, _)| id.clone()));
    }
    ids.into_iter().collect()
}

/// A text with `$N` in place of each id.
pub fn without_ids(text: &str, ids: &[String]) -> String {
    ids.iter().enumerate().fold(text.to_owned(), |text, (number, id)| text.replace(id.as_str(), &format!("${number}")))
}

fn with_ids(text: &str, ids: &[String]) -> String {
    let mut parts = text.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count().min(4);
        match part[..digits].parse::<usize>() {
            Ok(number) if !ids.is_empty() => whole.push_str(&ids[number % ids.len()]),
            _ => whole.push('$'),
        }
        whole.push_str(&part[digits..]);
    }
    whole
}

/// `METHOD /path?key=value`, a line end, and the body.
fn request(text: &str, vendor: Vendor) -> Option<Request> {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let (method, target) = line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path: Vec<String> = path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let pair = |it: &str| it.split_once('=').map_or((it.to_owned(), String::new()), |(key, value)| (key.to_owned(), value.to_owned()));
    let query = query.split('&').filter(|it| !it.is_empty()).map(pair).collect();
    let key = match vendor {
        Vendor::Scaleway => ("x-auth-token", "anybody"),
        Vendor::Linode => ("authorization", "Bearer anybody"),
    };
    let mut headers = vec![(key.0.to_owned(), key.1.to_owned()), ("content-type".to_owned(), "application/json".to_owned())];
    // A body that is a list is a filter instead, where there is nothing to send.
    if vendor == Vendor::Linode && method == "GET" && !body.is_empty() {
        headers.push(("x-filter".to_owned(), body.to_owned()));
        return Some(Request { method: method.to_owned(), path, query, headers, body: Vec::new() });
    }
    Some(Request { method: method.to_owned(), path, query, headers, body: body.as_bytes().to_vec() })
}

/// What is there, and how much was lost. A zone has its default security group since its first look, as at the vendor.
fn standing(cloud: &Cloud) -> (Vec<String>, usize) {
    let mut there = cloud.inventory().unwrap();
    there.retain(|it| !it.contains("Default security group"));
    (there, cloud.ledger().unwrap().losses.len())
}

fn feed(vendor: Vendor, bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let began = Instant::now();
    let scenes = scenes(vendor);
    let scene = &scenes[usize::from(*first) % scenes.len()];
    let face = Face::new(Cloud::of(scene.truth.clone()), None).unwrap();
    for text in with_ids(text, &scene.ids).split(BETWEEN).take(MOST) {
        let Some(request) = request(text, vendor) else { continue };
        let looks = request.method == "GET";
        // Whoever has a hand on the clock and on faults may do anything.
        if !looks && request.path.first().is_some_and(|it| it == "_emulator") {
            continue;
        }
        let before = looks.then(|| standing(face.cloud()));
        let reply = face.answer(&request);
        let answer = face.dressed(&request, reply).unwrap_or_else(|| panic!("no answer to {text}"));
        assert!((200..600).contains(&answer.status) && answer.status != 500, "{} to {text}: {:?}", answer.status, answer.body);
        if let Body::Json(value) = &answer.body {
            assert!(value.to_string().len() < 16 << 20, "an answer without bound to {text}");
        }
        if let Some(before) = before {
            // Time goes on while somebody looks; things are neither made nor lost by it.
            assert_eq!(standing(face.cloud()), before, "a look changed something: {text}");
        }
    }
    let kept = serde_json::to_string(&face.cloud().truth().unwrap()).unwrap();
    let had: Truth = serde_json::from_str(&kept).unwrap_or_else(|error| panic!("the truth cannot be had again: {error}"));
    assert_eq!(standing(&Cloud::of(had)).0.len(), standing(face.cloud()).0.len());
    assert!(began.elapsed().as_secs() < 10, "it took {:?}", began.elapsed());
}
