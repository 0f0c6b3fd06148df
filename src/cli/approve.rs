//! `approve`: lets a watch go on where it asks its owner first.

use super::{Exit, Failure, Outcome, args::Approve, hands, print};
use crate::source::{Git, Manner, Source};
use std::time::Duration;
use tokio::sync::watch;

/// Approves a commit that does not follow what was carried out last.
pub(crate) fn approve(args: &Approve) -> Outcome {
    let branch = args.branch.as_deref().unwrap_or("main");
    let Source::Git(place) = Source::read(std::slice::from_ref(&args.repository), Some(branch), args.path.as_deref())? else {
        return Err(Failure::new("name the repository as the watch does"));
    };
    // Nothing is asked of the repository here.
    let manner = Manner { patience: Duration::ZERO, access: None, stop: watch::channel(false).1 };
    if !Git::open(&hands::home()?, place, manner)?.accept(&args.commit)? {
        return Err(Failure::new(
            "nothing was approved: write the commit's name, or the first seven digits of it, and repository, branch and path as the watch \
             that runs here names them",
        ));
    }
    print("approved: the watch goes on from that commit, and from those that follow it\n");
    Ok(Exit::Done)
}
