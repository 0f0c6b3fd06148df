//! What Linode's refusals mean: by status, then by the field and the words of its reasons. The words are matched
//! loosely, since they change: a refusal whose words are not known is `Invalid`, which waits for the owner.

use super::super::{
    Problem,
    client::{Kind, Refused, wordless},
    http::Reply,
};
use crate::model::Cause;
use serde::Deserialize;

/// A refusal, read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    errors: Vec<Complaint>,
    pause: Option<std::time::Duration>,
    maintenance: bool,
    page: bool,
}

#[derive(Debug, Deserialize)]
struct Complaint {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<Complaint>,
}

impl Refused for Refusal {
    const VENDOR: &'static str = "Linode";

    fn of(reply: &Reply) -> Self {
        let errors = serde_json::from_slice::<Body>(&reply.body).map(|it| it.errors).unwrap_or_default();
        Self { status: reply.status, errors, pause: reply.pause, maintenance: reply.maintenance, page: reply.is_page() }
    }

    fn kind(&self) -> Kind {
        let said = |words: &[&str]| self.errors.iter().any(|it| words.iter().any(|word| it.reason.to_lowercase().contains(word)));
        let label = self.errors.iter().any(|it| it.field.as_deref().is_none_or(|field| field == "label"));
        match self.status {
            // A gateway's page tells nothing of what is behind it, and whether the request went on there.
            _ if self.page => Kind::Broken,
            401 => Kind::Unauthenticated,
            403 if said(&["not currently available", "currently unavailable", "capacity"]) => Kind::OutOfStock,
            403 => Kind::Denied,
            // Whatever else stands at the address knows nothing of what is gone.
            404 if self.errors.is_empty() => Kind::Broken,
            404 => Kind::Gone,
            429 => Kind::TooMany,
            // A volume is made, or grows; a Linode goes.
            400 if said(&["linode busy", "must be active", "being resized", "being deleted"]) => Kind::Transient,
            400 if said(&["must be detached", "still attached", "already attached", "not attached", "already assigned"]) => {
                Kind::Precondition
            }
            400 if label && said(&["unique", "already in use", "already exists"]) => Kind::NameTaken,
            400 if said(&["limit reached", "technical justification", "maximum number"]) => Kind::Quota,
            400 | 405 | 422 => Kind::Invalid,
            408 | 500.. => Kind::Broken,
            _ => Kind::Other,
        }
    }

    fn problem(&self) -> Problem {
        let answer = self.said();
        let refused = |answer: String, remedy: &str| Problem::Refused { answer, remedy: Some(remedy.to_owned()) };
        if self.maintenance {
            return refused(format!("Linode's platform is being maintained: {answer}"), MAINTENANCE);
        }
        match self.kind() {
            Kind::Transient => Problem::Busy { answer },
            Kind::TooMany | Kind::Precondition | Kind::NameTaken => Problem::NotDone { answer, pause: self.pause },
            // What the call spoke of went away meanwhile: the next look tells.
            Kind::Gone => Problem::NotDone { answer, pause: None },
            Kind::Broken => Problem::MaybeDone { answer },
            Kind::Unauthenticated => refused(format!("the token is not accepted: {answer}"), UNAUTHENTICATED),
            Kind::Denied => refused(format!("the token may not do this: {answer}"), DENIED),
            Kind::Quota => refused(format!("the account has no more of these: {answer}"), QUOTA),
            Kind::OutOfStock => Problem::OutOfStock { answer },
            Kind::Invalid | Kind::Other => Problem::Refused { answer, remedy: None },
        }
    }
}

impl Refusal {
    /// What Linode said, in a line.
    pub fn said(&self) -> String {
        let reason = |it: &Complaint| match it.field.as_deref().filter(|it| !it.is_empty()) {
            Some(field) => format!("{field}: {}", it.reason),
            None => it.reason.clone(),
        };
        let told: Vec<String> = self.errors.iter().map(reason).filter(|it| !it.is_empty()).collect();
        match told.as_slice() {
            [] => wordless(self.status),
            told => told.join("; "),
        }
    }

    /// Whether the vendor's platform is being maintained.
    pub fn is_maintenance(&self) -> bool {
        self.maintenance
    }

    /// Whether it is about this field of the request.
    pub fn is_about(&self, field: &str) -> bool {
        self.errors.iter().any(|it| it.field.as_deref() == Some(field))
    }

    /// Why a look tells nothing. `found` says where the token is.
    pub fn cause(&self, found: &str) -> Cause {
        let answer = self.said();
        if self.maintenance {
            return Cause::Maintained(format!("Linode's platform is being maintained: {answer}"));
        }
        match self.kind() {
            Kind::Unauthenticated => Cause::Lasting {
                answer: format!("the token from {found} is not accepted: {answer}"),
                remedy: format!("put a token that is in force into {found}; tokens are made at https://cloud.linode.com/profile/tokens"),
            },
            Kind::Denied => Cause::Lasting { answer: format!("the token from {found} may not look: {answer}"), remedy: DENIED.to_owned() },
            Kind::Invalid | Kind::Other | Kind::Gone => {
                Cause::Lasting { answer, remedy: "check the spec's provider block; if it is right, please report this".to_owned() }
            }
            _ => Cause::Passing(answer),
        }
    }
}

const UNAUTHENTICATED: &str = "put a token that is in force into LINODE_TOKEN, or into the profile that the spec names";
const DENIED: &str = "give the token the scopes linodes, volumes, images, firewall, ips (read and write), events and account (read), and \
                      domains for network.dns: https://cloud.linode.com/profile/tokens";
const QUOTA: &str = "delete what you no longer need, or ask Linode's support for more; then apply again";
const MAINTENANCE: &str = "apply again when https://status.linode.com says that it is over";
