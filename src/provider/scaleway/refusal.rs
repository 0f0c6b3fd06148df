//! What Scaleway's refusals mean: by the error's `type`, then by its status.

use super::{
    super::{
        Problem,
        client::{Kind, Refused, wordless},
        http::Reply,
    },
    wire::Complaint,
};
use crate::model::Cause;

/// A refusal, read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub complaint: Complaint,
    pause: Option<std::time::Duration>,
}

impl Refused for Refusal {
    const VENDOR: &'static str = "Scaleway";

    fn of(reply: &Reply) -> Self {
        Self { status: reply.status, complaint: Complaint::read(&reply.body), pause: reply.pause }
    }

    fn kind(&self) -> Kind {
        let quota = self.complaint.message.to_lowercase().contains("quota exceeded");
        match self.complaint.kind.as_str() {
            "not_found" | "unknown_resource" | "expired" | "resource_expired" => Kind::Gone,
            "transient_state" => Kind::Transient,
            "precondition_failed" => Kind::Precondition,
            "denied_authentication" => Kind::Unauthenticated,
            "quotas_exceeded" => Kind::Quota,
            _ if quota => Kind::Quota,
            "permissions_denied" | "authorization_required" => Kind::Denied,
            "out_of_stock" => Kind::OutOfStock,
            "invalid_arguments" | "invalid_request_error" => Kind::Invalid,
            "internal_server_error" | "server_error" | "internal_error" => Kind::Broken,
            _ => match self.status {
                401 => Kind::Unauthenticated,
                403 => Kind::Denied,
                // Whatever else stands at the address knows nothing of what is gone.
                404 | 410 if !self.complaint.is_told => Kind::Broken,
                404 | 410 => Kind::Gone,
                409 => Kind::Transient,
                412 => Kind::Precondition,
                429 => Kind::TooMany,
                400 | 422 => Kind::Invalid,
                500.. => Kind::Broken,
                _ => Kind::Other,
            },
        }
    }

    fn problem(&self) -> Problem {
        let answer = self.said();
        let refused = |answer: String, remedy: &str| Problem::Refused { answer, remedy: Some(remedy.to_owned()) };
        match self.kind() {
            Kind::TooMany | Kind::Transient | Kind::Precondition | Kind::NameTaken => Problem::NotDone { answer, pause: self.pause },
            Kind::Gone if self.complaint.resource == "project_id" => {
                refused(format!("there is no such project: {answer}"), "check provider.scaleway.projectId")
            }
            // What the call spoke of went away meanwhile: the next look tells.
            Kind::Gone => Problem::NotDone { answer, pause: None },
            Kind::Broken => Problem::MaybeDone { answer },
            Kind::Unauthenticated => refused(format!("the secret key is not accepted: {answer}"), UNAUTHENTICATED),
            Kind::Denied => refused(format!("the key may not do this: {answer}"), DENIED),
            Kind::Quota => refused(format!("a quota of the project is used up: {answer}"), QUOTA),
            Kind::OutOfStock => Problem::OutOfStock { answer },
            Kind::Invalid | Kind::Other => Problem::Refused { answer, remedy: None },
        }
    }
}

impl Refusal {
    /// What Scaleway said, in a line.
    pub fn said(&self) -> String {
        let it = &self.complaint;
        let more = [&it.precondition, &it.help_message, &it.reason, &it.current_state].into_iter().filter(|it| !it.is_empty()).cloned();
        let of = [&it.resource, &it.resource_id].into_iter().filter(|it| !it.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let more: Vec<String> = it.details.iter().cloned().chain(more).chain(Some(of).filter(|it| !it.is_empty())).collect();
        let message = match it.message.as_str() {
            "" if self.kind() == Kind::TooMany => wordless(429),
            "" => wordless(self.status),
            message => message.to_owned(),
        };
        if more.is_empty() { message } else { format!("{message} ({})", more.join("; ")) }
    }

    /// Why a look at `zone` tells nothing. `found` says where the key is.
    pub fn cause(&self, zone: &str, found: &str) -> Cause {
        let answer = self.said();
        let lasting = |answer: String, remedy: String| Cause::Lasting { answer, remedy };
        match self.kind() {
            Kind::Unauthenticated => {
                let remedy = format!("put a key that is in force into {found}; keys are made at https://console.scaleway.com/iam/api-keys");
                lasting(format!("the secret key from {found} is not accepted: {answer}"), remedy)
            }
            Kind::Denied => lasting(format!("the key from {found} may not look: {answer}"), DENIED.to_owned()),
            Kind::Gone if !super::ZONES.contains(&zone) => {
                let remedy = format!("write one of {}", super::ZONES.join(", "));
                lasting(format!("Scaleway has no zone {zone}"), remedy)
            }
            Kind::Other if (300..400).contains(&self.status) => lasting(answer, "check SCW_API_URL, or api_url of the profile".to_owned()),
            Kind::Invalid | Kind::Other | Kind::Gone => lasting(answer, "check zone and project of the spec".to_owned()),
            _ => Cause::Passing(answer),
        }
    }
}

const UNAUTHENTICATED: &str = "put a key that is in force into SCW_SECRET_KEY, or into the profile that the spec names";
const DENIED: &str = "give the key's owner the permission sets InstancesFullAccess and BlockStorageFullAccess (and DomainsDNSFullAccess \
                      for network.dns) in the project that the spec names, and check that this is its id: https://console.scaleway.com/iam/policies";
const QUOTA: &str = "delete what you no longer need, or ask for more at https://console.scaleway.com/organization/quotas; then apply again";
