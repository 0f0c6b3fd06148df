//! The face itself: a request in, an answer out, and whatever faults are armed between them. Pure but for the cloud's
//! files: no wire, no clock but the cloud's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes::{Change, later};
use super::exchange::{Answer, Body, Request};
use super::ids::uuid_of;
use super::log::{self, Log};
use super::routes::{self, Args, Call, Route};
use super::{admin, catalogue};
use crate::emulator::physics::Pace;
use crate::emulator::{Cloud, FaultKind, Moment, Refusal};

/// Scaleway's API over a cloud.
pub struct Face {
    pub(super) cloud: Cloud,
    /// The only token that is taken; any, if missing.
    token: Option<String>,
    log: Mutex<Log>,
}

/// What a request comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The answer; nothing if the connection is closed without one.
    pub answer: Option<Answer>,
    /// The cloud time of the answer.
    pub at: Moment,
    /// The id of the request.
    pub id: String,
}

/// Nothing is answered: the connection is closed.
struct Silence;

impl Face {
    /// A face over a cloud of [`Market::Scaleway`](crate::emulator::Market::Scaleway), for callers with this token or any.
    pub fn new(cloud: Cloud, token: Option<String>) -> Face {
        Face { cloud, token, log: Mutex::new(Log::default()) }
    }

    /// The cloud behind it.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Answers a request, and writes it into the log.
    pub fn answer(&self, request: &Request) -> Reply {
        let is_admin = request.path.first().is_some_and(|first| first == "_emulator");
        let mut fault = None;
        let outcome = if is_admin { Ok(admin::answer(self, request)) } else { self.serve(request, &mut fault) };
        let at = self.cloud.now().unwrap_or_default();
        let answer = outcome.ok();
        let number = match is_admin {
            true => self.log().next,
            false => self.log().add(|number| log::entry(request, answer.as_ref(), fault, number, at)),
        };
        let id = uuid_of(number, &["request", &at.to_string(), if is_admin { "admin" } else { "" }]);
        Reply { answer, at, id }
    }

    /// The requests to the API, in order.
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        // A panic leaves at worst one entry out.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, request: &Request, struck: &mut Option<FaultKind>) -> Result<Answer, Silence> {
        match (&request.token, &self.token) {
            (None, _) => return Ok(Answer::unauthenticated("not_found")),
            (Some(given), _) if given.is_empty() => return Ok(Answer::unauthenticated("not_found")),
            (Some(given), Some(wanted)) if given != wanted => return Ok(Answer::unauthenticated("not_found")),
            _ => {}
        }
        let Some((route, args)) = routes::find(request) else { return Ok(Answer::unknown_resource()) };
        if !args.zone.is_empty() && !catalogue::is_zone(args.zone) {
            return Ok(Answer::unknown_resource());
        }
        let operation = routes::operation(route, request);
        let reading = route.method == "GET";
        match self.cloud.gate(&operation, reading) {
            Ok(None) => Ok(self.perform(route, &args, &operation, None)),
            Ok(Some(fault)) => {
                *struck = Some(fault);
                self.perform_under(fault, route, &args, &operation)
            }
            Err(refusal) => Ok(refusal.into()),
        }
    }

    /// Performs a call that a fault befell.
    fn perform_under(&self, fault: FaultKind, route: &Route, args: &Args, operation: &str) -> Result<Answer, Silence> {
        let is_block = route.path.starts_with("/block");
        match fault {
            FaultKind::RateLimited => Ok(Answer::rate_limited()),
            FaultKind::BrokenBefore => Ok(Answer::broken(500, "server_error", "Internal error")),
            FaultKind::Unavailable => Ok(Answer::broken(503, "server_error", "Service unavailable")),
            FaultKind::Html => Ok(Answer { status: 502, headers: Vec::new(), body: Body::Html(BAD_GATEWAY.to_owned()) }),
            FaultKind::Denied => Ok(Answer::denied(resource(route), if route.method == "GET" { "read" } else { "write" })),
            FaultKind::Quota => Ok(Answer::quota_exceeded(collection(route))),
            FaultKind::OutOfStock if !operation.ends_with(" poweron") => Ok(Answer::out_of_stock("commercial_type")),
            FaultKind::Refused => {
                let status = if is_block { 412 } else { 400 };
                Ok(Answer::precondition(status, "resource_not_usable", "the resource is not usable in its present state"))
            }
            FaultKind::Transient => Ok(Answer::transient(resource(route), args.id, "transient")),
            FaultKind::Dropped => Err(Silence),
            FaultKind::Stale => Ok(self.perform_stale(route, args)),
            FaultKind::Late { seconds } => {
                let change = Change::late(args.request);
                let ordered: Result<(), Refusal> = self.cloud.change("late", Pace::Times(1), |deed| {
                    later(deed, seconds, change);
                    Ok(())
                });
                ordered.err().map_or(Err(Silence), |refusal| Ok(refusal.into()))
            }
            FaultKind::LostReply => {
                self.perform(route, args, operation, Some(fault));
                Err(Silence)
            }
            FaultKind::BrokenAfter => {
                self.perform(route, args, operation, Some(fault));
                Ok(Answer::broken(500, "server_error", "Internal error"))
            }
            FaultKind::OutOfStock | FaultKind::Stuck | FaultKind::Slow { .. } => Ok(self.perform(route, args, operation, Some(fault))),
        }
    }

    fn perform(&self, route: &Route, args: &Args, operation: &str, fault: Option<FaultKind>) -> Answer {
        let outcome = match route.call {
            Call::Look(look) => self.cloud.peek(|truth, now| look(truth, now, args)).map_err(Answer::from).flatten(),
            Call::Change(perform) => self.cloud.change(operation, Pace::under(fault), |deed| {
                deed.turned_away = fault == Some(FaultKind::OutOfStock);
                perform(deed, args)
            }),
        };
        outcome.unwrap_or_else(|refusal| refusal)
    }

    /// Answers as the answer was before it last changed.
    fn perform_stale(&self, route: &Route, args: &Args) -> Answer {
        let Call::Look(look) = route.call else { return self.perform(route, args, "stale", None) };
        let mut fresh: Option<Answer> = None;
        let older = self.cloud.look_back(|truth, now| {
            let answer = look(truth, now, args).unwrap_or_else(|refusal| refusal);
            match &fresh {
                None => {
                    fresh = Some(answer);
                    None
                }
                Some(fresh) => (answer != *fresh).then_some(answer),
            }
        });
        match older {
            Ok(older) => older.or(fresh).unwrap_or_else(Answer::unknown_resource),
            Err(refusal) => refusal.into(),
        }
    }
}

const BAD_GATEWAY: &str =
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n</body>\n</html>\n";

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
