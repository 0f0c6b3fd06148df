//! Floor 2, hands: what each cloud is asked, and how its answers become a [`World`].

mod budget;
mod client;
pub mod http;
pub mod linode;
pub mod local;
pub mod qemu;
pub mod scaleway;
mod shared;
#[cfg(test)]
mod tests;

use crate::model::{Awaited, Capabilities, InstanceKey, Step, World};
use async_trait::async_trait;
use http::Secret;
use std::{path::PathBuf, time::Duration};

/// What a guest is given for its first boot.
#[derive(Debug, Clone)]
pub struct FirstBoot {
    /// A cloud-init document. It holds the guest's private host key.
    pub document: Secret,
    /// Who may log in: a public key in one line.
    pub authorized: Option<String>,
    /// Whom the guest will show itself to be: the fingerprint of its host key, as a tag says it.
    pub fingerprint: String,
}

/// Makes [`FirstBoot`] when it is needed. Its error is a sentence for people.
pub type Seed = Box<dyn Fn() -> Result<FirstBoot, String> + Send + Sync>;

/// One cloud, one account, one zone.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What this cloud can do.
    fn capabilities(&self) -> &Capabilities;

    /// Called once, before the first change of a run.
    ///
    /// # Errors
    /// [`Problem`], where nothing can be changed.
    async fn begin(&self) -> Result<(), Problem> {
        Ok(())
    }

    /// One look at everything of an instance. A look that fails is in the world, as unknown.
    async fn observe(&self, key: &InstanceKey) -> World;

    /// One mutating call. Returns the id of what was made or changed.
    ///
    /// # Errors
    /// [`Problem`], by what is true now.
    async fn perform(&self, step: &Step) -> Result<String, Problem>;

    /// Whether what is awaited has arrived, looked at by id.
    ///
    /// # Errors
    /// [`Problem`] where the look failed; nothing is known then.
    async fn arrived(&self, awaited: &Awaited) -> Result<bool, Problem>;

    /// What is free instead of a machine that a step wanted, as something the owner can do.
    async fn instead(&self, _step: &Step) -> String {
        "take another instanceType".to_owned()
    }

    /// Called once in a run, before its first call: what can be known beforehand to be refused.
    ///
    /// # Errors
    /// [`Problem`], where the wish cannot be had; nothing was changed then.
    async fn vet(&self, _world: &World) -> Result<(), Problem> {
        Ok(())
    }

    /// Objects that may have been left behind by a birth that was cut off and carry no tag of ours, with what they
    /// cost, for people. They are never deleted unasked.
    ///
    /// # Errors
    /// [`Problem`] where the look failed.
    async fn strays(&self) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    /// The file behind a disk or copy, where this cloud is on this machine.
    fn file_of(&self, _id: &str) -> Option<PathBuf> {
        None
    }

    /// The id of a server's local disk, where this cloud is on this machine.
    fn local_disk_of(&self, _server: &str) -> Option<String> {
        None
    }
}

/// Why a call gave no good answer, by what is true now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing was done; it may be tried again after a pause.
    #[error("{answer}")]
    NotDone {
        /// What the cloud said.
        answer: String,
        /// How long it asked us to wait, where it did.
        pause: Option<Duration>,
    },
    /// Nothing was done: something else is under way on the object. It is asked again until that is over.
    #[error("{answer}")]
    Busy {
        /// What the cloud said.
        answer: String,
    },
    /// The answer was lost: look before anything else.
    #[error("{answer}")]
    MaybeDone {
        /// What the connection said.
        answer: String,
    },
    /// The cloud will not do it without the owner's help.
    #[error("{answer}")]
    Refused {
        /// What the cloud said.
        answer: String,
        /// What to do about it, where the answer tells.
        remedy: Option<String>,
    },
    /// Nothing was done: no machine of the type is free.
    #[error("{answer}")]
    OutOfStock {
        /// What the cloud said.
        answer: String,
    },
}

/// The first few of many, for people.
pub(crate) fn some(names: &[&str]) -> String {
    const FEW: usize = 5;
    match names.len().checked_sub(FEW) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..FEW].join(", ")),
    }
}
