//! What this vendor says when it does not do what was asked.

use serde_json::{Value, json};

use super::input::not_usable;
use crate::emulator::face::exchange::{Answer, Request};
use crate::emulator::{Refusal, RefusalKind};

impl Request {
    /// The body as JSON; an empty body reads as an empty object.
    ///
    /// Errors: 400, if it is not JSON.
    pub fn json(&self) -> Result<Value, Answer> {
        self.tree().map_err(|_| Answer::legacy(400, "Invalid JSON", json!({})))
    }
}

impl Answer {
    /// 404 `not_found`.
    pub fn not_found(resource: &str, id: &str) -> Answer {
        Answer::json(404, json!({"type": "not_found", "message": "resource is not found", "resource": resource, "resource_id": id}))
    }

    /// 400 `invalid_arguments`; the details are made by [`detail`].
    pub fn invalid_arguments(details: Vec<Value>) -> Answer {
        Answer::json(400, json!({"type": "invalid_arguments", "message": "invalid argument(s)", "details": details}))
    }

    /// `precondition_failed`: 400 at instances, 412 at block storage.
    pub fn precondition(status: u16, precondition: &str, help: &str) -> Answer {
        let message = "precondition is not respected";
        let body = json!({"type": "precondition_failed", "message": message, "precondition": precondition, "help_message": help});
        Answer::json(status, body)
    }

    /// 403 `permissions_denied`.
    pub fn denied(resource: &str, action: &str) -> Answer {
        let details = json!([{"resource": resource, "action": action}]);
        Answer::json(403, json!({"type": "permissions_denied", "message": "insufficient permissions", "details": details}))
    }

    /// 401 `denied_authentication`.
    pub fn unauthenticated(reason: &str) -> Answer {
        let body = json!({"type": "denied_authentication", "message": "authentication is denied", "method": "api_key", "reason": reason});
        Answer::json(401, body)
    }

    /// The legacy `invalid_request_error`; the fields of `more` (an object) are added.
    pub fn legacy(status: u16, message: &str, more: Value) -> Answer {
        let mut body = json!({"type": "invalid_request_error", "message": message});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Answer::json(status, body)
    }

    /// 404 `unknown_resource`: no such endpoint.
    pub fn unknown_resource() -> Answer {
        Answer::json(404, json!({"type": "unknown_resource", "message": "Resource not found"}))
    }

    /// The legacy shape of a quota that is used up.
    pub fn quota_exceeded(resource: &str) -> Answer {
        Answer::legacy(403, "Quota exceeded for this resource.", json!({"resource": resource}))
    }

    /// No machine of this type is free.
    pub fn out_of_stock(resource: &str) -> Answer {
        Answer::json(403, json!({"type": "out_of_stock", "message": "resource is out of stock", "resource": resource}))
    }

    /// Too many requests: no body, and no hint when to come back.
    pub fn rate_limited() -> Answer {
        Answer::empty(429).with("x-envoy-ratelimited", "true")
    }

    /// An error of the cloud's own.
    pub fn broken(status: u16, kind: &str, message: &str) -> Answer {
        Answer::json(status, json!({"type": kind, "message": message}))
    }

    /// 409: the object is on its way somewhere.
    pub fn transient(resource: &str, id: &str, current: &str) -> Answer {
        let message = "resource is in a transient state";
        let body =
            json!({"type": "transient_state", "message": message, "resource": resource, "resource_id": id, "current_state": current});
        Answer::json(409, body)
    }
}

/// One detail of `invalid_arguments`; the reason is `required`, `format`, `constraint` or `unknown`.
pub fn detail(argument: &str, reason: &str, help: &str) -> Value {
    json!({"argument_name": argument, "reason": reason, "help_message": help})
}

/// What the core refuses, in the words of the instance API where nothing more fitting was said before.
pub fn refused(refusal: &Refusal) -> Answer {
    let message = refusal.message.as_str();
    match refusal.kind {
        RefusalKind::NotFound => Answer::json(404, json!({"type": "unknown_resource", "message": message})),
        RefusalKind::Invalid => Answer::legacy(400, message, json!({})),
        RefusalKind::Conflict => not_usable(message),
        RefusalKind::Quota => Answer::quota_exceeded("resources"),
        RefusalKind::OutOfStock => Answer::out_of_stock("commercial_type"),
        RefusalKind::Denied => Answer::denied("resource", "write"),
        RefusalKind::RateLimited => Answer::rate_limited(),
        RefusalKind::Broken | RefusalKind::Lost => Answer::broken(500, "server_error", "Internal error"),
        RefusalKind::Storage => Answer::broken(500, "internal_server_error", message),
    }
}
