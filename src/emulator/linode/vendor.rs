//! This vendor's endpoints and words, for the face that all vendors share.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::problem::{busy, no_capacity, no_more_addresses, over_quota, problem, refused, worded};
use super::{disks, linodes, power, routes, volumes};
use crate::emulator::face::front::BAD_GATEWAY;
use crate::emulator::face::{Answer, Args, Body, Limit, Request, Route, Standing, Vendor};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{FaultKind, Moment, Refusal};

/// Linode's API.
pub struct Linode;

/// What anybody may read, as the beginning of a path.
const PUBLIC: [&[&str]; 8] = [
    &["regions"],
    &["linode", "types"],
    &["linode", "kernels"],
    &["linode", "stackscripts"],
    &["images"],
    &["volumes", "types"],
    &["networking", "reserved", "ips", "types"],
    &["network-transfer", "prices"],
];

/// For how many seconds a caller is told to stay away when no limit of ours is the reason.
const RETRY_AFTER: &str = "5";

/// Lasting habits; what is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// After how many cloud seconds an event can be seen.
    event_lag: Option<u64>,
    /// The largest image the account may have, in MB; null is the vendor's default.
    #[serde(deserialize_with = "given")]
    image_limit_mb: Option<Option<u64>>,
    /// For how many cloud seconds after its job an image is still `creating`.
    image_lag: Option<u64>,
    /// Plans that no machine is free for, by `region/plan` or `plan`: true, or false for those that are free again.
    sold_out: BTreeMap<String, bool>,
    /// Whether every deleted Linode that ever ran leaves a recovery image.
    recover_all: Option<bool>,
}

/// A value that is there, be it null.
fn given<'d, D: Deserializer<'d>>(source: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(source).map(Some)
}

impl Vendor for Linode {
    /// Takes the version off the path, and puts the ids together again that contain a slash.
    fn prepare<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        let mut path = request.path.clone();
        if !path.first().is_some_and(|first| first == "v4" || first == "v4beta") {
            // Nothing lies there.
            return Cow::Owned(Request { path: vec![String::new()], ..request.clone() });
        }
        path.remove(0);
        let at = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["images", "private" | "linode" | "shared", _, ..] => Some(1),
            ["linode", "kernels", "linode", _, ..] => Some(2),
            _ => None,
        };
        if let Some(at) = at {
            let rest = path.remove(at + 1);
            path[at] = format!("{}/{rest}", path[at]);
        }
        let method = if request.method == "HEAD" { "GET".to_owned() } else { request.method.clone() };
        Cow::Owned(Request { method, path, ..request.clone() })
    }

    fn admit(&self, request: &Request, token: Option<&str>) -> Result<(), Answer> {
        let given = bearer(request);
        let is_public = request.method == "GET" && PUBLIC.iter().any(|start| request.segments().starts_with(start));
        match (given, token) {
            (None, _) if is_public && request.header("authorization").is_none() => Ok(()),
            (None, _) => Err(problem(401, "Invalid Token", None)),
            (Some(given), Some(wanted)) if given != wanted => Err(problem(401, "Invalid Token", None)),
            _ => Ok(()),
        }
    }

    fn find<'r>(&self, request: &'r Request) -> Result<(&'static Route, Args<'r>), Answer> {
        routes::find(request)
    }

    fn limit(&self, route: &Route, _request: &Request) -> Option<Limit> {
        Some(limit_of(route))
    }

    fn befall(&self, fault: FaultKind, route: &Route, _args: &Args, _operation: &str) -> Option<Answer> {
        let answer = match fault {
            FaultKind::RateLimited => problem(429, "Too many requests", None),
            FaultKind::BrokenBefore => problem(500, "Internal Server Error", None),
            FaultKind::Unavailable => problem(503, "Service Unavailable", None),
            FaultKind::Maintenance => problem(503, "The system is down for maintenance.", None).with("x-maintenance-mode", "API"),
            FaultKind::Html => Answer { status: 502, headers: Vec::new(), body: Body::Html(BAD_GATEWAY.to_owned()) },
            FaultKind::Denied => problem(403, "Unauthorized", None),
            FaultKind::Quota if route.path.starts_with("/networking/") => no_more_addresses(),
            FaultKind::Quota => over_quota(),
            FaultKind::OutOfStock => no_capacity(),
            FaultKind::Refused => refused("The request could not be completed."),
            FaultKind::Transient => busy(),
            _ => return None,
        };
        Some(answer)
    }

    fn word(&self, refusal: &Refusal) -> Answer {
        worded(refusal)
    }

    fn seen(&self, request: &Request, answer: &Answer) -> Map<String, Value> {
        seen(request, answer)
    }

    /// Passwords, and what is told to a guest, are left out.
    fn told(&self, request: &Request) -> Value {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["root_pass"].is_string() {
            body["root_pass"] = json!("(left out)");
        }
        if body["metadata"]["user_data"].is_string() {
            body["metadata"]["user_data"] = json!("KGxlZnQgb3V0KQ==");
        }
        body
    }

    fn dress(&self, request: &Request, answer: &mut Answer, _number: u64, _at: Moment, stands: Option<Standing>) {
        let mut common: Vec<(&str, String)> = vec![
            ("server", "nginx".to_owned()),
            ("cache-control", "private, max-age=0, s-maxage=0, no-cache, no-store".to_owned()),
            ("vary", "Authorization, X-Filter".to_owned()),
            ("x-frame-options", "DENY".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("strict-transport-security", "max-age=31536000".to_owned()),
            ("x-spec-version", "4.229.1".to_owned()),
        ];
        common.push(("x-oauth-scopes", if answer.status == 401 { "unknown" } else { "*" }.to_owned()));
        common.push(("x-accepted-oauth-scopes", accepted_scopes(request)));
        if let Some(stands) = stands {
            common.push(("x-ratelimit-limit", stands.calls.to_string()));
            common.push(("x-ratelimit-remaining", stands.left.to_string()));
            common.push(("x-ratelimit-reset", stands.reset.to_string()));
        }
        if answer.status == 429 {
            let wait = stands.filter(|stands| stands.refused).map_or(RETRY_AFTER.to_owned(), |stands| stands.wait.to_string());
            common.push(("retry-after", wait));
        }
        // What an answer says for itself comes later, and so replaces these.
        answer.headers.splice(0..0, common.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    fn follow(&self, deed: &mut Deed, effect: &Effect) {
        match effect {
            Effect::Started(id) => power::started(deed, id),
            Effect::Stopped(id) => power::stopped(deed, id),
            Effect::ServerGone(id) if !deed.truth.servers.contains_key(id) => linodes::forget(deed, id),
            Effect::VolumeReady(id) | Effect::VolumeResized { volume: id, .. } => volumes::settled(deed, id),
            Effect::VolumeDetached(id) => volumes::detached(deed, id),
            Effect::Linode(change) => power::happen(deed, change),
            _ => {}
        }
    }

    fn settle(&self, deed: &mut Deed, settings: Map<String, Value>) -> Result<(), String> {
        let settings: Settings = serde_json::from_value(Value::Object(settings)).map_err(|error| error.to_string())?;
        let details = &mut deed.truth.linode;
        details.events.lag = settings.event_lag.unwrap_or(details.events.lag);
        details.image_limit_mb = settings.image_limit_mb.unwrap_or(details.image_limit_mb);
        details.image_lag = settings.image_lag.unwrap_or(details.image_lag);
        details.recover_all = settings.recover_all.unwrap_or(details.recover_all);
        for (plan, is_sold_out) in settings.sold_out {
            details.sold_out.retain(|it| *it != plan);
            if is_sold_out {
                details.sold_out.push(plan);
            }
        }
        Ok(())
    }

    fn intervene(&self, deed: &mut Deed, what: &str, body: &Value) -> Option<Result<Answer, Answer>> {
        match what {
            "fill" => Some(disks::fill(deed, body)),
            _ => power::intervene(deed, what, body),
        }
    }
}

/// The token of a request.
pub fn bearer(request: &Request) -> Option<&str> {
    let given = request.header("authorization")?;
    given.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty())
}

/// What is read as a whole although its path does not end in a name.
const SINGLE: [&str; 8] = ["account", "settings", "profile", "availability", "ips", "rules", "backups", "transfer"];

/// How many calls like this one a token has, as published; those for reserved addresses as seen.
fn limit_of(route: &Route) -> Limit {
    let last = route.path.rsplit('/').next().unwrap_or_default();
    let is_list = route.method == "GET" && !last.ends_with('}') && (!SINGLE.contains(&last) || route.path.starts_with("/networking/"));
    match (route.method, route.path) {
        ("POST", "/linode/instances" | "/linode/instances/{id}/clone") => Limit { what: "create Linodes", calls: 20, seconds: 15 },
        ("POST", "/volumes") => Limit { what: "create volumes", calls: 100, seconds: 60 },
        ("GET", "/images") => Limit { what: "list images", calls: 20, seconds: 60 },
        ("DELETE", "/networking/reserved/ips/{id}") => Limit { what: "give back reserved addresses", calls: 5, seconds: 15 },
        ("GET", "/networking/reserved/ips/{id}" | "/networking/reserved/ips") => {
            Limit { what: "read reserved addresses", calls: 10, seconds: 60 }
        }
        _ if is_list => Limit { what: "lists", calls: 200, seconds: 60 },
        _ => Limit { what: "calls", calls: 1840, seconds: 60 },
    }
}

/// What a token must be good for.
fn accepted_scopes(request: &Request) -> String {
    let path = request.segments();
    let path = path.get(1..).unwrap_or_default();
    let is_public = PUBLIC.iter().any(|start| path.starts_with(start)) && path.first() != Some(&"images");
    let what = match path {
        _ if is_public => return "*".to_owned(),
        ["images", ..] => "images",
        ["volumes", ..] => "volumes",
        ["networking", "firewalls", ..] => "firewall",
        ["networking", ..] => "ips",
        ["domains", ..] => "domains",
        ["account", "events", ..] => "events",
        ["linode", ..] => "linodes",
        ["vpcs", ..] => "vpc",
        _ => "account",
    };
    let how = if matches!(request.method.as_str(), "GET" | "HEAD") { "read_only" } else { "read_write" };
    format!("{what}:{how}")
}

/// The condition of every object that an answer shows, by id; `gone` for one that was asked for and is not there. Events
/// are no objects.
fn seen(request: &Request, answer: &Answer) -> Map<String, Value> {
    let mut seen = Map::new();
    if request.method == "GET" && answer.status == 404 {
        let named = request.path.iter().rev().take(2).map(String::as_str).collect::<Vec<_>>();
        match named.as_slice() {
            [number, "private"] => seen.insert(format!("private/{number}"), json!("gone")),
            [id, ..] => seen.insert((*id).to_owned(), json!("gone")),
            [] => None,
        };
        return seen;
    }
    if request.path.iter().any(|part| part == "events") {
        return seen;
    }
    let Body::Json(body) = &answer.body else { return seen };
    let listed = body["data"].as_array().into_iter().flatten();
    for object in listed.chain([body]) {
        let id = object["id"].as_str().map(str::to_owned).or_else(|| object["id"].as_u64().map(|id| id.to_string()));
        if let (Some(id), Some(condition)) = (id, object["status"].as_str()) {
            seen.insert(id, json!(condition));
        }
    }
    seen
}
