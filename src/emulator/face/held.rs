//! Requests that are held: somebody wants to act at the very moment when a request has come, and nothing is answered yet.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::late::{Order, arrive};
use super::vendor::Vendor;
use crate::emulator::physics::Pace;
use crate::emulator::{Cloud, Moment, Refusal};

/// A request that is held.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The name by which faults know it.
    pub operation: String,
    /// What it orders, where that is not carried out yet.
    pub order: Option<Order>,
    /// The cloud time when it came.
    pub came: Moment,
}

/// The requests that are held, and those let go that are still to be carried out.
#[derive(Default)]
pub struct Held {
    waiting: watch::Sender<Vec<Waiting>>,
    late: Mutex<Vec<(Moment, Order)>>,
}

impl Held {
    /// Holds a request.
    pub fn keep(&self, request: Waiting) {
        self.waiting.send_modify(|waiting| waiting.push(request));
    }

    /// The names of what is held.
    pub fn operations(&self) -> Vec<String> {
        self.waiting.borrow().iter().map(|it| it.operation.clone()).collect()
    }

    /// Waits until something is held.
    pub async fn some(&self) {
        // The sender lives as long as this.
        let _ = self.waiting.subscribe().wait_for(|waiting| !waiting.is_empty()).await;
    }

    /// Waits until nothing is held.
    pub async fn none(&self) {
        let _ = self.waiting.subscribe().wait_for(Vec::is_empty).await;
    }

    /// Lets go of all: what is not carried out yet will be so many cloud seconds after it came, or never.
    pub fn release(&self, late: Option<u64>) {
        let waiting = self.waiting.send_replace(Vec::new());
        let Some(seconds) = late else { return };
        let orders = waiting.into_iter().filter_map(|it| Some((it.came.plus_seconds(seconds), it.order?)));
        // A panic leaves the list whole.
        self.late.lock().unwrap_or_else(PoisonError::into_inner).extend(orders);
    }

    /// Carries out what was let go and is due; all of it, if the request that comes now would change something.
    pub fn overtake(&self, cloud: &Cloud, vendor: &dyn Vendor, changes: bool) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        if late.is_empty() {
            return;
        }
        let now = cloud.now().unwrap_or_default();
        for (_, order) in late.extract_if(.., |(due, _)| changes || *due <= now) {
            // A cloud that cannot write refuses the request that comes now as well, and says why.
            let _: Result<(), Refusal> = cloud.change("late", Pace::Times(1), |deed| {
                arrive(deed, vendor, &order);
                Ok(())
            });
        }
    }
}
