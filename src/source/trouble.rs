//! What can be wrong with a repository. Each changes nothing: the last good checkout goes on.

use crate::store::StoreError;
use std::time::Duration;

/// Why there is no newer checkout. The message says what happened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// There is no `git`, or it cannot be run.
    #[error("cannot run git: {0}; install it (Debian: git)")]
    NoGit(String),
    /// `git` is older than what is known to be safe.
    #[error("git {0} is too old; install 2.34 or later")]
    OldGit(String),
    /// We are not let in.
    #[error(
        "the repository does not let us in: {0}; check the SSH key, Git's credential helper, or CLOUDYPAD_GIT_USER and CLOUDYPAD_GIT_TOKEN"
    )]
    Denied(String),
    /// The branch is not there: misnamed, deleted, or nobody has committed to it yet.
    #[error("the repository has no branch {0}, or nothing in it; push it, or name another with --branch")]
    NoBranch(String),
    /// The repository is not there, does not answer, or is broken.
    #[error("the repository cannot be read: {0}; it is tried again")]
    Unreadable(String),
    /// The branch holds no spec where specs are looked for.
    #[error("commit {commit} has no spec {}; to let go of the last instance use cloudypad delete", if path.is_empty() { "at all".to_owned() } else { format!("in {path}") })]
    Empty {
        /// The commit.
        commit: String,
        /// Where specs are looked for.
        path: String,
    },
    /// The branch was force-pushed: what was carried out last is not part of its history any more.
    #[error(
        "the branch was rewritten: {now} does not follow {was}; push a history with {was} in it, or take it as it is: cloudypad approve {now}, with the repository as the watch names it"
    )]
    Rewritten {
        /// The commit that was carried out last.
        was: String,
        /// The branch's newest commit.
        now: String,
    },
    /// Specs are in a submodule, or come from one.
    #[error("commit {commit} has a submodule at {at}, which is missing here; put its files into the repository itself")]
    MissingSubmodule {
        /// The commit.
        commit: String,
        /// The submodule's path.
        at: String,
    },
    /// Somebody did not answer.
    #[error("{what} took longer than {} s; it is tried again", after.as_secs_f32())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        after: Duration,
    },
    /// We were told to stop.
    #[error("stopped before the repository was read; use the same command again")]
    Stopped,
    /// A file of our own.
    #[error(transparent)]
    Own(#[from] StoreError),
}

impl Trouble {
    /// One word for programs: for conditions, metrics and events.
    pub fn word(&self) -> &'static str {
        match self {
            Trouble::NoGit(_) | Trouble::OldGit(_) => "NoGit",
            Trouble::Denied(_) => "Denied",
            Trouble::NoBranch(_) => "NoBranch",
            Trouble::Unreadable(_) => "Unreadable",
            Trouble::Empty { .. } => "Empty",
            Trouble::Rewritten { .. } => "Rewritten",
            Trouble::MissingSubmodule { .. } => "MissingSubmodule",
            Trouble::TimedOut { .. } => "TimedOut",
            Trouble::Stopped => "Stopped",
            Trouble::Own(_) => "OwnFiles",
        }
    }
}
