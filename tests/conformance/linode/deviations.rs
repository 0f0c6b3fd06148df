//! Ways to be wrong about Linode.

use crate::{
    cloud::{Call, Reply},
    deviate::{Deviation, first, first_key, object, put, status},
};
use serde_json::{Value, json};

/// All ways to be wrong that are tried.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation { name: "201 in place of 200", apply: |call, reply| call.method == "POST" && status(reply, 200, 201) },
    Deviation { name: "409 in place of 400", apply: |_, reply| status(reply, 400, 409) },
    Deviation { name: "403 in place of 401", apply: |_, reply| status(reply, 401, 403) },
    Deviation { name: "410 in place of 404", apply: |_, reply| status(reply, 404, 410) },
    Deviation {
        name: "another reason",
        apply: |_, reply| error(reply, "reason", &|it| json!(format!("{} ", it.as_str().unwrap_or_default()))),
    },
    Deviation { name: "another field", apply: |_, reply| error(reply, "field", &|_| json!("elsewhere")) },
    Deviation {
        name: "no field",
        apply: |_, reply| first(&mut reply.body, &|it| without(it, "field").filter(|_| it.get("reason").is_some())),
    },
    Deviation {
        name: "one error in place of a list",
        apply: |_, reply| first(&mut reply.body, &|it| Some(json!({"errors": it.get("errors")?.as_array()?.first()?}))),
    },
    Deviation { name: "an error without a body", apply: |_, reply| reply.status >= 400 && reply.body.take().is_some() },
    Deviation { name: "busy for good", apply: busy },
    Deviation {
        name: "another content type",
        apply: |_, reply| reply.headers.insert("content-type".into(), "text/html".into()).is_some_and(|it| it != "text/html"),
    },
    Deviation { name: "no rate in the headers", apply: |_, reply| reply.headers.remove("x-ratelimit-limit").is_some() },
    Deviation { name: "no scopes in the headers", apply: |_, reply| reply.headers.remove("x-oauth-scopes").is_some() },
    Deviation { name: "a key too many", apply: |_, reply| object(reply, &|map| drop(map.insert("surplus".into(), json!(1)))) },
    Deviation { name: "a key too few", apply: |_, reply| first(&mut reply.body, &|it| without(it, "updated")) },
    Deviation { name: "null in place of []", apply: |_, reply| first(&mut reply.body, &|it| (*it == json!([])).then_some(Value::Null)) },
    Deviation { name: "[] in place of null", apply: |_, reply| first(&mut reply.body, &|it| it.is_null().then(|| json!([]))) },
    Deviation {
        name: "false in place of null",
        apply: |_, reply| first_key(&mut reply.body, "linode_label", &|it| it.is_null().then_some(Value::Bool(false))),
    },
    Deviation {
        name: "text in place of a number",
        apply: |_, reply| first_key(&mut reply.body, "size", &|it| Some(json!(it.as_u64()?.to_string()))),
    },
    Deviation { name: "another size", apply: |_, reply| first_key(&mut reply.body, "size", &|it| Some(json!(it.as_u64()? + 1))) },
    Deviation {
        name: "a label changed",
        apply: |_, reply| first_key(&mut reply.body, "label", &|it| Some(json!(format!("{}-", it.as_str()?)))),
    },
    Deviation {
        name: "another type",
        apply: |_, reply| first_key(&mut reply.body, "type", &|it| Some(json!(format!("{}x", it.as_str()?)))),
    },
    Deviation {
        name: "another region",
        apply: |_, reply| first_key(&mut reply.body, "region", &|it| it.is_string().then(|| json!("us-west"))),
    },
    Deviation {
        name: "tags lost",
        apply: |_, reply| first_key(&mut reply.body, "tags", &|it| (!it.as_array()?.is_empty()).then(|| json!([]))),
    },
    Deviation { name: "tags in another order", apply: |_, reply| first_key(&mut reply.body, "tags", &reversed) },
    Deviation { name: "stopped in place of offline", apply: |_, reply| put(reply, "/status", "offline", json!("stopped")) },
    Deviation { name: "booting skipped", apply: |_, reply| put(reply, "/status", "booting", json!("running")) },
    Deviation { name: "creating skipped", apply: |_, reply| put(reply, "/status", "creating", json!("active")) },
    Deviation {
        name: "not_ready in place of not ready",
        apply: |_, reply| first(&mut reply.body, &|it| (it == "not ready").then(|| json!("not_ready"))),
    },
    Deviation {
        name: "finished at 99 %",
        apply: |_, reply| first_key(&mut reply.body, "percent_complete", &|it| (it == 100).then(|| json!(99))),
    },
    Deviation {
        name: "a job failed that went well",
        apply: |_, reply| first(&mut reply.body, &|it| (it == "finished").then(|| json!("failed"))),
    },
    Deviation {
        name: "another action",
        apply: |_, reply| first_key(&mut reply.body, "action", &|it| Some(json!(it.as_str()?.replacen('_', "-", 1)))),
    },
    Deviation {
        name: "no second thing of an event",
        apply: |_, reply| first_key(&mut reply.body, "secondary_entity", &|it| it.is_object().then_some(Value::Null)),
    },
    Deviation {
        name: "another Linode",
        apply: |_, reply| first_key(&mut reply.body, "linode_id", &|it| Some(json!(format!("{}7", it.as_str()?)))),
    },
    Deviation { name: "the watchdog wakes again", apply: |_, reply| flag(reply, "watchdog_enabled", false) },
    Deviation { name: "ready for use too early", apply: |_, reply| flag(reply, "io_ready", false) },
    Deviation { name: "an address that is not reserved", apply: |_, reply| flag(reply, "reserved", true) },
    Deviation {
        name: "rules of another version",
        apply: |_, reply| first_key(&mut reply.body, "version", &|it| Some(json!(it.as_u64()? + 1))),
    },
    Deviation {
        name: "a fingerprint in capitals",
        apply: |_, reply| first_key(&mut reply.body, "fingerprint", &|it| Some(json!(format!("{}G", &it.as_str()?[1..])))),
    },
    Deviation { name: "a slot emptied", apply: |_, reply| first_key(&mut reply.body, "sda", &|it| it.is_object().then_some(Value::Null)) },
    Deviation { name: "results of one more", apply: |_, reply| first_key(&mut reply.body, "results", &|it| Some(json!(it.as_u64()? + 1))) },
    Deviation { name: "a row too few", apply: |_, reply| rows(reply, &|rows| drop(rows.pop())) },
    Deviation { name: "a list turned round", apply: |_, reply| rows(reply, &|rows| rows.reverse()) },
    Deviation {
        name: "times to live as they were sent",
        apply: |_, reply| first_key(&mut reply.body, "ttl_sec", &|it| it.as_u64().filter(|it| *it > 0).map(|it| json!(it - 1))),
    },
    Deviation {
        name: "a date with a zone",
        apply: |_, reply| first_key(&mut reply.body, "created", &|it| Some(json!(format!("{}Z", it.as_str()?)))),
    },
    Deviation {
        name: "a name that is not the address's",
        apply: |_, reply| first_key(&mut reply.body, "rdns", &|it| Some(json!(format!("x{}", it.as_str()?)))),
    },
];

fn error(reply: &mut Reply, key: &str, edit: &dyn Fn(&Value) -> Value) -> bool {
    let found = reply.body.as_mut().and_then(|body| body.pointer_mut(&format!("/errors/0/{key}")));
    found.map(|value| *value = edit(value)).is_some()
}

/// Only calls that go well although much is done to the same thing.
fn busy(call: &Call, reply: &mut Reply) -> bool {
    let fits = reply.status == 200 && call.method == "POST" && call.path.ends_with("/disks");
    if fits {
        reply.status = 400;
        reply.body = Some(json!({"errors": [{"reason": "Linode busy."}]}));
    }
    fits
}

fn without(tree: &Value, key: &str) -> Option<Value> {
    let mut map = tree.as_object()?.clone();
    map.remove(key).map(|_| Value::Object(map))
}

fn reversed(tags: &Value) -> Option<Value> {
    let mut tags = tags.as_array().filter(|it| it.len() > 1)?.clone();
    tags.reverse();
    Some(Value::Array(tags))
}

/// Turns a flag that is so.
fn flag(reply: &mut Reply, key: &str, from: bool) -> bool {
    first_key(&mut reply.body, key, &|it| (*it == from).then(|| json!(!from)))
}

fn rows(reply: &mut Reply, edit: &dyn Fn(&mut Vec<Value>)) -> bool {
    let rows = reply.body.as_mut().and_then(|body| body.get_mut("data")).and_then(Value::as_array_mut);
    rows.map(edit).is_some()
}
