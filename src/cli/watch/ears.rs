//! What guests say of whether anybody uses them.

use crate::{
    cli::{complain, hands::Case},
    machine::{Barred, IdleWord},
    model::{Power, ServerState},
    report::plain,
    run::reach,
};
use std::time::Duration;
use tokio::time::sleep;

/// Between two tries to listen to a guest.
const AGAIN: Duration = Duration::from_secs(15);

/// What was heard of one instance's guest.
#[derive(Default)]
pub(super) struct Ears {
    /// The word that was acted on: said again, it is none.
    pub spent: Option<String>,
    /// Why the guest could not be heard, as it was told.
    deaf: Option<String>,
}

impl Ears {
    /// Waits until the guest of a server that runs says that nobody uses it, where its spec asks for that.
    pub async fn await_idleness(&mut self, case: &Case) -> IdleWord {
        let spec = &case.ask.spec;
        if case.ask.wished() == ServerState::Present && spec.autostop.as_ref().is_some_and(|it| it.enable) {
            let world = case.look().await;
            let server = world.servers.items().iter().find(|it| it.power == Power::Running);
            while let Some(reach) = server.and_then(|it| reach(&world, it)) {
                let (why, passes) = match case.inside.await_idleness(&reach, self.spent.as_deref()).await {
                    Ok(word) => return word,
                    Err(Barred::NotYet(why)) => (why, true),
                    Err(Barred::Shut { why, remedy }) => (format!("{why}; {remedy}"), false),
                };
                if self.deaf.as_ref() != Some(&why) {
                    complain(&format!("{}: cannot hear whether anybody uses it: {}", case.ask.key, plain(&why)));
                    self.deaf = Some(why);
                }
                if !passes {
                    break;
                }
                sleep(AGAIN).await;
            }
        }
        std::future::pending().await
    }
}
