//! This vendor's endpoints and words, for the face that all vendors share.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::catalogue::Availability;
use super::ids::uuid_of;
use super::{actions, catalogue, changes, routes, words};
use crate::emulator::face::front::BAD_GATEWAY;
use crate::emulator::face::{Answer, Args, Body, Request, Route, Standing, Vendor};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{FaultKind, Moment, Refusal};

/// Scaleway's API.
pub struct Scaleway;

/// Lasting habits; what is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// How much is left of a type, by `zone/TYPE`.
    stock: BTreeMap<String, Availability>,
    /// Whether a shortage makes creating a server fail as well.
    stock_at_create: Option<bool>,
}

impl Vendor for Scaleway {
    fn admit(&self, request: &Request, token: Option<&str>) -> Result<(), Answer> {
        let given = request.header("x-auth-token").filter(|given| !given.is_empty());
        match (given, token) {
            (None, _) => Err(Answer::unauthenticated("not_found")),
            (Some(given), Some(wanted)) if given != wanted => Err(Answer::unauthenticated("not_found")),
            _ => Ok(()),
        }
    }

    fn find<'r>(&self, request: &'r Request) -> Result<(&'static Route, Args<'r>), Answer> {
        let found = routes::find(request).filter(|(_, args)| args.zone.is_empty() || catalogue::is_zone(args.zone));
        found.ok_or_else(Answer::unknown_resource)
    }

    fn operation(&self, route: &Route, request: &Request) -> String {
        routes::operation(route, request)
    }

    fn befall(&self, fault: FaultKind, route: &Route, args: &Args, operation: &str) -> Option<Answer> {
        let answer = match fault {
            FaultKind::RateLimited => Answer::rate_limited(),
            FaultKind::BrokenBefore => Answer::broken(500, "server_error", "Internal error"),
            FaultKind::Unavailable | FaultKind::Maintenance => Answer::broken(503, "server_error", "Service unavailable"),
            FaultKind::Html => Answer { status: 502, headers: Vec::new(), body: Body::Html(BAD_GATEWAY.to_owned()) },
            FaultKind::Denied => Answer::denied(resource(route), if route.method == "GET" { "read" } else { "write" }),
            FaultKind::Quota => Answer::quota_exceeded(collection(route)),
            FaultKind::OutOfStock if !operation.ends_with(" poweron") => Answer::out_of_stock("commercial_type"),
            FaultKind::Refused => {
                let status = if route.path.starts_with("/block") { 412 } else { 400 };
                Answer::precondition(status, "resource_not_usable", "the resource is not usable in its present state")
            }
            FaultKind::Transient => Answer::transient(resource(route), args.id, "transient"),
            _ => return None,
        };
        Some(answer)
    }

    fn word(&self, refusal: &Refusal) -> Answer {
        words::refused(refusal)
    }

    fn seen(&self, request: &Request, answer: &Answer) -> Map<String, Value> {
        seen(request, answer)
    }

    /// What is told to a guest may be secret, and is left out.
    fn told(&self, request: &Request) -> Value {
        let is_secret = request.path.iter().any(|part| part == "user_data");
        if is_secret { Value::Null } else { serde_json::from_slice(&request.body).unwrap_or_default() }
    }

    fn dress(&self, request: &Request, answer: &mut Answer, number: u64, at: Moment, _: Option<Standing>) {
        let is_admin = request.path.first().is_some_and(|first| first == "_emulator");
        let id = uuid_of(number, &["request", &at.to_string(), if is_admin { "admin" } else { "" }]);
        let mut common = vec![("server", "Scaleway API Gateway (fr-par-1;edge01)".to_owned()), ("x-request-id", id)];
        if answer.body == Body::Empty && answer.status == 204 {
            common.push(("content-type", "application/json".to_owned()));
        }
        // What an answer says for itself comes later, and so replaces these.
        answer.headers.splice(0..0, common.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    fn follow(&self, deed: &mut Deed, effect: &Effect) {
        changes::follow(deed, effect);
    }

    fn settle(&self, deed: &mut Deed, settings: Map<String, Value>) -> Result<(), String> {
        let settings: Settings = serde_json::from_value(Value::Object(settings)).map_err(|error| error.to_string())?;
        let details = &mut deed.truth.scaleway;
        details.stock.extend(settings.stock);
        details.stock_at_create = settings.stock_at_create.unwrap_or(details.stock_at_create);
        Ok(())
    }

    fn intervene(&self, deed: &mut Deed, what: &str, body: &Value) -> Option<Result<Answer, Answer>> {
        (what == "guest-shutdown").then(|| actions::guest_shutdown(deed, body["server"].as_str().unwrap_or_default()))
    }
}

/// The collection an endpoint belongs to: `servers`, `volumes`, ….
fn collection(route: &Route) -> &'static str {
    let parts: Vec<&'static str> = route.path.split('/').collect();
    let zone = parts.iter().position(|part| *part == "{zone}");
    parts.get(zone.map_or(3, |zone| zone + 1)).copied().unwrap_or_default()
}

/// The name that errors have for what an endpoint is about.
fn resource(route: &Route) -> &'static str {
    match (route.path.starts_with("/block"), collection(route)) {
        (true, "volumes") => "volume",
        (true, "snapshots") => "snapshot",
        (_, "servers") => "instance_server",
        (_, "volumes") => "instance_volume",
        (_, "snapshots") => "instance_snapshot",
        (_, "images") => "instance_image",
        (_, "ips") => "instance_ip",
        (_, "security_groups") => "instance_security_group",
        (_, "ssh-keys") => "ssh_key",
        (_, "dns-zones") => "dns_zone",
        (_, other) => other,
    }
}

/// The condition of every object that an answer shows, by id; `gone` for one that was asked for and is not there.
fn seen(request: &Request, answer: &Answer) -> Map<String, Value> {
    let mut seen = Map::new();
    if request.method == "GET" && answer.status == 404 {
        if let Some(id) = request.path.last() {
            seen.insert(id.clone(), json!("gone"));
        }
        return seen;
    }
    let Body::Json(body) = &answer.body else { return seen };
    let bare = body["id"].is_string().then_some(body);
    let envelope = body.as_object().filter(|_| bare.is_none());
    let inside = envelope.into_iter().flatten().filter(|(key, _)| *key != "task").map(|(_, value)| value);
    let listed = inside.clone().filter_map(Value::as_array).flatten();
    for object in bare.into_iter().chain(inside).chain(listed) {
        let condition = object["status"].as_str().or(object["state"].as_str());
        if let (Some(id), Some(condition)) = (object["id"].as_str(), condition) {
            seen.insert(id.to_owned(), json!(condition));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::face::log::{Trace, entry};

    fn seen_in(path: &str, status: u16, body: Value) -> Value {
        let path = path.split('/').map(str::to_owned).collect();
        let request = Request { method: "GET".to_owned(), path, ..Request::default() };
        let trace = Trace { operation: None, fault: None, number: 0, at: Moment(1_500_000) };
        entry(&Scaleway, &request, Some(&Answer::json(status, body)), &trace)["seen"].clone()
    }

    #[test]
    fn a_line_tells_what_was_seen() {
        assert_eq!(seen_in("servers/a", 200, json!({"server": {"id": "a", "state": "stopped"}})), json!({"a": "stopped"}));
        assert_eq!(seen_in("volumes", 200, json!({"volumes": [{"id": "v", "status": "in_use"}]})), json!({"v": "in_use"}));
        assert_eq!(seen_in("volumes/v", 200, json!({"id": "v", "status": "creating"})), json!({"v": "creating"}));
        let snapshot = json!({"id": "s", "status": "creating", "parent_volume": {"id": "v", "status": "available"}});
        assert_eq!(seen_in("snapshots", 200, snapshot), json!({"s": "creating"}));
        assert_eq!(seen_in("servers/a", 404, json!({"type": "not_found"})), json!({"a": "gone"}));
    }

    #[test]
    fn secrets_and_lost_answers_leave_gaps() {
        let path = ["servers", "a", "user_data", "cloud-init"].map(str::to_owned).to_vec();
        let request = Request { method: "PATCH".to_owned(), path, body: b"{\"a\":1}".to_vec(), ..Request::default() };
        let trace = Trace { operation: None, fault: Some(FaultKind::LostReply), number: 3, at: Moment(1_500_000) };
        let line = entry(&Scaleway, &request, None, &trace);
        assert_eq!((&line["body"], &line["status"], &line["time"]), (&Value::Null, &json!(0), &json!(1.5)));
        assert_eq!(line["fault"], "lost-reply");
    }
}
