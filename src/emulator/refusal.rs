//! What the cloud answers when it does not do what was asked.

use std::fmt::Display;
use std::path::Path;

/// The family of a refusal; faces translate it into their own status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// No such object.
    NotFound,
    /// The request makes no sense in this cloud, whatever its present condition.
    Invalid,
    /// The request makes sense, but not in the object's present condition.
    Conflict,
    /// There are as many objects of this kind as are allowed.
    Quota,
    /// No machine of this type is free.
    OutOfStock,
    /// The caller may not do this.
    Denied,
    /// Too many calls; nothing was done.
    RateLimited,
    /// The cloud broke before doing anything.
    Broken,
    /// No answer came: the caller cannot know whether it was done.
    Lost,
    /// Our own files could not be read or written; the message names the file.
    Storage,
}

/// A refused call: its family, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The family.
    pub kind: RefusalKind,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal of any family.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Refusal {
        Refusal { kind, message: message.into() }
    }

    pub(super) fn not_found(what: &str, id: &str) -> Refusal {
        Refusal::new(RefusalKind::NotFound, format!("there is no {what} `{id}`"))
    }

    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(RefusalKind::Invalid, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Refusal {
        Refusal::new(RefusalKind::Conflict, message)
    }

    /// `cannot <verb> <path>: <cause>`.
    pub(super) fn storage(verb: &str, path: &Path, cause: impl Display) -> Refusal {
        Refusal::new(RefusalKind::Storage, format!("cannot {verb} `{}`: {cause}", path.display()))
    }
}
