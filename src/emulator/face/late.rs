//! Requests that take effect when nobody waits for their answer any more.

use serde::{Deserialize, Serialize};

use super::exchange::{Answer, Request};
use super::route::Call;
use super::vendor::Vendor;
use crate::emulator::physics::Deed;

/// A request whose caller was never answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// `POST`, ….
    pub method: String,
    /// The segments of the path, as the endpoints know them.
    pub path: Vec<String>,
    /// The pairs of the query.
    pub query: Vec<(String, String)>,
    /// The body, each character standing for the byte of its number.
    pub body: String,
}

impl Order {
    /// What a request orders.
    pub fn of(request: &Request) -> Order {
        let body = request.body.iter().copied().map(char::from).collect();
        Order { method: request.method.clone(), path: request.path.clone(), query: request.query.clone(), body }
    }
}

/// Does what a request asked for; where it is refused by now, nothing has happened.
pub(in crate::emulator) fn arrive(deed: &mut Deed, vendor: &dyn Vendor, order: &Order) {
    let body = order.body.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect();
    let (method, path, query) = (order.method.clone(), order.path.clone(), order.query.clone());
    let request = Request { method, path, query, headers: Vec::new(), body };
    let Ok((route, args)) = vendor.find(&request) else { return };
    let Call::Change(perform) = route.call else { return };
    let (truth, made, doomed) = (deed.truth.clone(), deed.made.len(), deed.doomed.len());
    let outcome: Result<Answer, Answer> = perform(deed, &args);
    if outcome.is_err() {
        deed.truth = truth;
        deed.doomed.truncate(doomed);
        for file in deed.made.drain(made..).collect::<Vec<_>>() {
            // What cannot be removed now is put by at the next open.
            let _ = deed.disks.remove(&file);
        }
    }
}
