//! Ways to be wrong about Scaleway.

use crate::{
    cloud::{Call, Reply},
    deviate::{Deviation, change, first, first_key, object, put, status},
    route::Route,
    scaleway::Scaleway,
    vendor::Vendor,
};
use serde_json::{Value, json};

/// All ways to be wrong that are tried.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation { name: "200 in place of 201", apply: |_, reply| status(reply, 201, 200) },
    Deviation { name: "200 in place of 204", apply: |_, reply| status(reply, 204, 200) },
    Deviation { name: "400 in place of 412", apply: |_, reply| status(reply, 412, 400) },
    Deviation { name: "another type of error", apply: |_, reply| put(reply, "/type", "not_found", json!("unknown_resource")) },
    Deviation { name: "another resource in a 404", apply: |_, reply| put(reply, "/resource", "instance_server", json!("server")) },
    Deviation {
        name: "another precondition",
        apply: |_, reply| put(reply, "/precondition", "resource_not_usable", json!("unknown_precondition")),
    },
    Deviation { name: "no envelope", apply: unwrapped },
    Deviation { name: "null in place of []", apply: |_, reply| first(&mut reply.body, &|it| (*it == json!([])).then_some(Value::Null)) },
    Deviation { name: "all tags in place of any, in the lists of block storage", apply: all_tags },
    Deviation { name: "no X-Total-Count", apply: |_, reply| reply.headers.remove("x-total-count").is_some() },
    Deviation { name: "no Link", apply: |_, reply| reply.headers.remove("link").is_some() },
    Deviation { name: "no Location", apply: |_, reply| reply.headers.remove("location").is_some() },
    Deviation { name: "no X-Envoy-Ratelimited", apply: |_, reply| reply.headers.remove("x-envoy-ratelimited").is_some() },
    Deviation {
        name: "another content type",
        apply: |_, reply| reply.body.is_some() && reply.headers.insert("content-type".into(), "text/html".into()).is_some(),
    },
    Deviation {
        name: "a key too many",
        apply: |call, reply| {
            // Among the types of a catalogue there may be one more.
            !call.path.contains("/products/") && object(reply, &|map| drop(map.insert("surplus".into(), json!(1))))
        },
    },
    Deviation { name: "a key too few", apply: |_, reply| object(reply, &|map| drop(map.remove("tags"))) },
    Deviation {
        name: "text in place of a number",
        apply: |_, reply| object(reply, &|map| change(map, "size", &|it| json!(it.to_string()))),
    },
    Deviation {
        name: "another size",
        apply: |_, reply| object(reply, &|map| change(map, "size", &|it| json!(it.as_u64().unwrap_or(0) + 1))),
    },
    Deviation { name: "a state skipped", apply: |_, reply| put(reply, "/server/state", "starting", json!("running")) },
    Deviation { name: "creating skipped", apply: |_, reply| put(reply, "/status", "creating", json!("available")) },
    Deviation {
        name: "total_count of one more",
        apply: |_, reply| object(reply, &|map| change(map, "total_count", &|it| json!(it.as_u64().unwrap_or(0) + 1))),
    },
    Deviation { name: "an error without a body", apply: |_, reply| reply.status >= 400 && reply.body.take().is_some() },
    Deviation { name: "an error of HTML", apply: |_, reply| reply.status >= 400 && reply.body.replace(json!("<html>")).is_some() },
    Deviation { name: "tags lost", apply: |_, reply| object(reply, &|map| change(map, "tags", &|_| json!([]))) },
    Deviation {
        name: "a date of another style",
        apply: |_, reply| first(&mut reply.body, &|it| Some(json!(it.as_str()?.strip_suffix("+00:00")?.to_owned() + "Z"))),
    },
    Deviation {
        name: "an action too many",
        apply: |_, reply| object(reply, &|map| change(map, "allowed_actions", &|_| json!(["poweron", "poweroff"]))),
    },
    Deviation {
        name: "another volume in slot 0",
        apply: |call, reply| {
            let slot = reply.body.as_mut().filter(|_| call.method == "GET").and_then(|it| it.pointer_mut("/server/volumes/0/id"));
            slot.map(|id| *id = json!("99999999-9999-4999-8999-999999999999")).is_some()
        },
    },
    Deviation {
        name: "a list turned round",
        apply: |call, reply| {
            // Images of one label have no order among them.
            let lists = reply.body.as_mut().filter(|_| !call.path.starts_with("/marketplace/")).and_then(Value::as_object_mut);
            lists.is_some_and(|map| {
                map.values_mut().filter_map(Value::as_array_mut).any(|list| {
                    list.reverse();
                    list.len() > 1
                })
            })
        },
    },
    Deviation {
        name: "positions from 0",
        apply: |_, reply| first_key(&mut reply.body, "position", &|it| Some(json!(it.as_u64()?.checked_sub(1)?))),
    },
];

fn unwrapped(call: &Call, reply: &mut Reply) -> bool {
    let single = reply.status < 300 && call.path.starts_with("/instance/") && !call.path.contains("/products/");
    let inner = reply.body.as_ref().filter(|_| single).and_then(Value::as_object).filter(|map| map.len() == 1);
    let inner = inner.and_then(|map| map.values().next()).filter(|it| it.is_object()).cloned();
    inner.map(|it| reply.body = Some(it)).is_some()
}

fn all_tags(call: &Call, reply: &mut Reply) -> bool {
    let wanted: Vec<&str> = call.query.iter().filter(|(key, _)| key == "tags").map(|(_, value)| value.as_str()).collect();
    let block = Route::of(&Scaleway, &call.method, &call.path)
        .is_some_and(|route| route.template.starts_with("/block/") && Scaleway.lists_shared_objects(&route));
    let Some(map) = reply.body.as_mut().filter(|_| block && wanted.len() > 1).and_then(Value::as_object_mut) else { return false };
    for list in map.values_mut().filter_map(Value::as_array_mut) {
        list.retain(|item| wanted.iter().all(|tag| item["tags"].as_array().is_some_and(|tags| tags.iter().any(|it| it == tag))));
    }
    true
}
