//! Whether what runs is ready, asked by commands.

use super::{
    Exit,
    hands::{Case, Seen},
};
use crate::{
    model::{Event, Readiness},
    run::door,
};
use futures_util::future::join_all;
use tokio::sync::watch;

/// The exit that readiness asks for: the owner is needed where a server runs and nobody can play.
pub(super) fn exit(readiness: &Readiness) -> Exit {
    if readiness.is_ready() { Exit::Done } else { Exit::Held }
}

/// Waits until the server that a run has brought to its wish is ready; what comes of it is told.
pub(super) async fn attend(case: &Case, stop: watch::Receiver<bool>, tell: &dyn Fn(Event)) -> Exit {
    // Most specs have nothing that could be asked, and are not looked at for it.
    if case.ask.spec.ready_port().is_none() {
        return Exit::Done;
    }
    let tell = &|event: Event| {
        case.chronicle.keep(case, &event);
        tell(event);
    };
    let Some(door) = door(&case.ask, &case.look().await) else { return Exit::Done };
    let cloud = case.provider.capabilities();
    let Some(readiness) = door.wait(&cloud.pace, cloud.speed, stop, tell).await else { return Exit::Interrupted };
    let exit = exit(&readiness);
    tell(Event::Ready(readiness));
    exit
}

/// Asks each server that runs once, all at the same time; `None` where there is nothing to ask.
pub(super) async fn glance_all<'a>(seen: impl IntoIterator<Item = (&'a Case, &'a Seen)>) -> Vec<Option<Readiness>> {
    let glances = seen.into_iter().map(|(case, seen)| async {
        let door = door(&case.ask, &seen.world)?;
        Some(door.glance().await)
    });
    join_all(glances).await
}
