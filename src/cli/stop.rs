//! Being told to stop.

use super::Failure;
use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first Ctrl-C or termination signal from now on.
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
