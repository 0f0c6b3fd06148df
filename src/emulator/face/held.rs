//! Requests that are held: somebody wants to act at the very moment when a request has come, and nothing is answered yet.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
}

/// The requests that are held, and those let go that are still to be carried out.
#[derive(Default)]
pub struct Held {
    waiting: watch::Sender<Vec<Waiting>>,
    /// With the moment when they are carried out.
    late: Mutex<Vec<(Moment, Order)>>,
    overtaken: AtomicU32,
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

    /// How many were let go and are still to be carried out.
    pub fn to_come(&self) -> usize {
        self.late().len()
    }

    /// How many of them were carried out because a request came that changes something.
    pub fn overtaken(&self) -> u32 {
        self.overtaken.load(Ordering::Relaxed)
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

    /// Lets go of all: what is not carried out yet will be at this moment, or right before the next request that changes
    /// something; or never, where no moment is given.
    pub fn release(&self, by: Option<Moment>) {
        let waiting = self.waiting.send_replace(Vec::new());
        if let Some(by) = by {
            self.late().extend(waiting.into_iter().filter_map(|it| Some((by, it.order?))));
        }
    }

    /// Carries out what was let go and is due; all of it, if the request that comes now would change something.
    ///
    /// Errors: the cloud cannot be read or written.
    pub fn overtake(&self, cloud: &Cloud, vendor: &dyn Vendor, changes: bool) -> Result<(), Refusal> {
        let mut late = self.late();
        if late.is_empty() {
            return Ok(());
        }
        let now = cloud.now()?;
        let early = late.iter().filter(|(by, _)| changes && *by > now).count();
        self.overtaken.fetch_add(u32::try_from(early).unwrap_or(u32::MAX), Ordering::Relaxed);
        for (_, order) in late.extract_if(.., |(by, _)| changes || *by <= now) {
            cloud.change("late", Pace::Times(1), |deed| {
                arrive(deed, vendor, &order);
                Ok::<(), Refusal>(())
            })?;
        }
        Ok(())
    }

    fn late(&self) -> MutexGuard<'_, Vec<(Moment, Order)>> {
        // A panic leaves the list whole.
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::{Body, Request};
    use super::super::front::Face;
    use crate::emulator::{Clock, Cloud, Fault, FaultKind, Imitate, Market, Settings};
    use serde_json::json;

    const IPS: &str = "/instance/v1/zones/fr-par-2/ips";

    /// A face over a cloud in a directory, and how many addresses it has.
    struct Garden(std::path::PathBuf, Face);

    impl Garden {
        fn new(name: &str) -> Garden {
            let dir = std::env::temp_dir().join(format!("cloudypad-held-{name}-{}", std::process::id()));
            let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Manual };
            Garden(dir.clone(), Face::new(Cloud::open_market(&dir, settings, Market::Scaleway, 7).unwrap(), None).unwrap())
        }

        /// Asks for an address, which is held; none is answered.
        fn hold(&self, what: FaultKind) {
            self.1
                .cloud()
                .arm(Fault { operation: format!("POST {}", IPS.replace("fr-par-2", "{zone}")), what, times: 1, skip: 0 })
                .unwrap();
            let reply = self.1.answer(&request("POST", IPS, json!({})));
            assert!(reply.held && reply.answer.is_none());
            let Some(Body::Json(told)) = self.1.answer(&request("GET", "/_emulator/held", json!({}))).answer.map(|it| it.body) else {
                panic!("nothing was told")
            };
            assert_eq!(told["operations"].as_array().map(Vec::len), Some(1));
        }

        fn release(&self, how: serde_json::Value) {
            assert_eq!(self.1.answer(&request("POST", "/_emulator/let-go", how)).answer.unwrap().status, 200);
        }

        fn release_late(&self) {
            self.release(json!({"by": self.1.cloud().now().unwrap().plus_seconds(50).0}));
        }

        fn look(&self) -> usize {
            self.1.answer(&request("GET", IPS, json!({})));
            self.addresses()
        }

        fn addresses(&self) -> usize {
            self.1.cloud().truth().unwrap().addresses.len()
        }
    }

    impl Drop for Garden {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn request(method: &str, path: &str, body: serde_json::Value) -> Request {
        Request {
            method: method.to_owned(),
            path: path.split('/').skip(1).map(str::to_owned).collect(),
            query: Vec::new(),
            headers: vec![("x-auth-token".to_owned(), "any".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    #[test]
    fn what_is_held_is_carried_out_as_ordered() {
        let garden = Garden::new("order");
        garden.hold(FaultKind::HoldAfter);
        assert_eq!(garden.addresses(), 1, "carried out before it is held");
        garden.release_late();
        assert_eq!(garden.look(), 1, "and not again");
        garden.hold(FaultKind::HoldBefore);
        garden.release(json!({}));
        garden.1.cloud().advance(std::time::Duration::from_secs(600)).unwrap();
        assert_eq!(garden.look(), 1, "dropped");
    }

    #[test]
    fn what_is_let_go_late_comes_in_its_time_or_before_the_next_change() {
        let garden = Garden::new("late");
        garden.hold(FaultKind::HoldBefore);
        garden.release_late();
        assert_eq!(garden.look(), 0);
        garden.1.cloud().advance(std::time::Duration::from_secs(50)).unwrap();
        assert_eq!(garden.look(), 1, "in its time");
        garden.hold(FaultKind::HoldBefore);
        garden.release_late();
        garden.1.answer(&request("POST", IPS, json!({})));
        assert_eq!(garden.addresses(), 3, "before the next change, and that as well");
    }
}
