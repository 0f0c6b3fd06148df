//! What this vendor says when it does not do what was asked: lists of problems, each with a reason and maybe a field.

use serde_json::{Value, json};

use crate::emulator::face::Answer;
use crate::emulator::{Refusal, RefusalKind};

/// One problem; `field` names what of the request it is about.
pub fn problem(status: u16, reason: &str, field: Option<&str>) -> Answer {
    problems(status, &[(reason, field)])
}

/// Several problems at once.
pub fn problems(status: u16, problems: &[(&str, Option<&str>)]) -> Answer {
    let shown = |(reason, field): &(&str, Option<&str>)| match field {
        Some(field) => json!({"reason": reason, "field": field}),
        None => json!({"reason": reason}),
    };
    let problems: Vec<Value> = problems.iter().map(shown).collect();
    Answer::json(status, json!({ "errors": problems }))
}

/// 400 about a field.
pub fn invalid(field: &str, reason: &str) -> Answer {
    problem(400, reason, Some(field))
}

/// 400: a field is missing.
pub fn required(field: &str) -> Answer {
    invalid(field, &format!("{} is required", field.rsplit('.').next().unwrap_or(field)))
}

/// 400 about no field.
pub fn refused(reason: &str) -> Answer {
    problem(400, reason, None)
}

/// 404: there is no such object or endpoint.
pub fn not_found() -> Answer {
    problem(404, "Not found", None)
}

/// 400: a job runs on this Linode.
pub fn busy() -> Answer {
    refused("Linode busy.")
}

/// 400: there are as many objects as this account may have.
pub fn over_quota() -> Answer {
    refused("Account Limit reached. Please open a support ticket.")
}

/// 400: there are as many reserved addresses as this account may have.
pub fn no_more_addresses() -> Answer {
    refused("Additional Reserved IPv4 addresses require technical justification.  Please contact support describing your requirement.")
}

/// 403: no machine for this plan is free in this region.
pub fn no_capacity() -> Answer {
    let reason = "The Linode plan you chose is not currently available in the selected region. Please select another region or plan \
                  type, or contact Support for assistance.";
    problem(403, reason, None)
}

/// What the core refuses, where nothing more fitting was said before.
pub fn worded(refusal: &Refusal) -> Answer {
    match refusal.kind {
        RefusalKind::NotFound => not_found(),
        RefusalKind::Invalid | RefusalKind::Conflict => refused(&refusal.message),
        RefusalKind::Quota => over_quota(),
        RefusalKind::OutOfStock => no_capacity(),
        RefusalKind::Denied => problem(403, "Unauthorized", None),
        RefusalKind::RateLimited => problem(429, "Too many requests", None),
        RefusalKind::Broken | RefusalKind::Lost => problem(500, "Internal Server Error", None),
        RefusalKind::Storage => problem(500, &refusal.message, None),
    }
}
