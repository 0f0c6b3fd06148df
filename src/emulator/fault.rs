//! What goes wrong, on order: each call passes this gate under its own name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, RefusalKind};

/// A way for a call to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Too many calls; nothing is done.
    RateLimited,
    /// An error of the cloud before anything is done.
    BrokenBefore,
    /// The deed is done, the answer is lost.
    LostReply,
    /// The request is lost, nothing is done; the caller cannot tell it from a lost answer.
    Dropped,
    /// No machine is free; nothing is done.
    OutOfStock,
    /// The quota is used up; nothing is done.
    Quota,
    /// The call is accepted, and what it set off never completes.
    Stuck,
    /// What the call sets off takes so many times as long.
    Slow {
        /// How many times as long.
        factor: u32,
    },
    /// The caller may not; nothing is done.
    Denied,
    /// The deed is done, the answer is an error of the cloud.
    BrokenAfter,
    /// The cloud is down for a moment; nothing is done.
    Unavailable,
    /// The cloud is down for a while, and says that it is on purpose; nothing is done.
    Maintenance,
    /// What stands before the cloud answers in its stead, and not in the cloud's language; nothing is done.
    Html,
    /// The object's condition does not allow it; nothing is done.
    Refused,
    /// The object is on its way from one condition to another; nothing is done.
    Transient,
    /// The answer shows the object as it was before it last changed.
    Stale,
    /// The call is accepted, and the job that it set off fails.
    InVain,
    /// The answer is lost, and the deed is done so many cloud seconds later.
    Late {
        /// How many cloud seconds later.
        seconds: u64,
    },
    /// The request is held: it came, and is neither carried out nor answered. What becomes of it is ordered at the admin
    /// door; where nobody could hold it, it is lost.
    HoldBefore,
    /// The deed is done, and the answer is held, for good.
    HoldAfter,
}

impl FaultKind {
    /// The refusal of a call that is not performed at all, if it is not.
    pub(super) fn refusal(self, operation: &str) -> Option<Refusal> {
        match self {
            FaultKind::RateLimited => {
                let message = format!("{operation}: too many requests, try again later");
                Some(Refusal::new(RefusalKind::RateLimited, message))
            }
            FaultKind::BrokenBefore => {
                let message = format!("{operation}: impossible right now, please retry later");
                Some(Refusal::new(RefusalKind::Broken, message))
            }
            FaultKind::Dropped | FaultKind::HoldBefore => Some(lost(operation)),
            FaultKind::OutOfStock => {
                let message = format!("{operation}: no machine of this type is available");
                Some(Refusal::new(RefusalKind::OutOfStock, message))
            }
            FaultKind::Quota => {
                let message = format!("{operation}: the quota is used up");
                Some(Refusal::new(RefusalKind::Quota, message))
            }
            FaultKind::Denied => {
                let message = format!("{operation}: permission denied");
                Some(Refusal::new(RefusalKind::Denied, message))
            }
            FaultKind::Unavailable | FaultKind::Maintenance | FaultKind::Html => {
                Some(Refusal::new(RefusalKind::Broken, format!("{operation}: the cloud is unavailable, try again later")))
            }
            FaultKind::Refused | FaultKind::Transient => {
                Some(Refusal::new(RefusalKind::Conflict, format!("{operation}: the object's condition does not allow this now")))
            }
            FaultKind::LostReply
            | FaultKind::BrokenAfter
            | FaultKind::Stuck
            | FaultKind::Slow { .. }
            | FaultKind::Stale
            | FaultKind::InVain
            | FaultKind::Late { .. }
            | FaultKind::HoldAfter => None,
        }
    }

    /// Whether a call that only reads can go wrong in this way.
    fn befalls_reads(self) -> bool {
        !matches!(
            self,
            FaultKind::OutOfStock
                | FaultKind::Quota
                | FaultKind::Stuck
                | FaultKind::Slow { .. }
                | FaultKind::BrokenAfter
                | FaultKind::InVain
                | FaultKind::Late { .. }
                | FaultKind::HoldBefore
                | FaultKind::HoldAfter
        )
    }

    /// Whether a call that changes something can go wrong in this way.
    fn befalls_changes(self) -> bool {
        self != FaultKind::Stale
    }
}

/// The answer that never came.
pub(super) fn lost(operation: &str) -> Refusal {
    let message = format!("{operation}: the connection was lost before an answer came");
    Refusal::new(RefusalKind::Lost, message)
}

/// A fault that waits for its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The name of the operation (`create_server`, `GET /block/v1/zones/{zone}/volumes`, …); one that ends in `*` stands
    /// for all that begin so.
    pub operation: String,
    /// What goes wrong.
    pub what: FaultKind,
    /// In how many calls.
    pub times: u32,
    /// How many calls go well first.
    pub skip: u32,
}

impl Fault {
    fn concerns(&self, operation: &str, reading: bool) -> bool {
        let named = match self.operation.strip_suffix('*') {
            Some(beginning) => operation.starts_with(beginning),
            None => self.operation == operation,
        };
        let befalls = if reading { self.what.befalls_reads() } else { self.what.befalls_changes() };
        self.times > 0 && named && befalls
    }
}

/// The weather: armed faults, and the lasting habits of this cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The faults that wait, in the order they were armed.
    pub armed: Vec<Fault>,
    /// For how many cloud seconds a new object is missing from listings.
    pub listing_lag: u64,
    /// How many objects of a kind (`server`, `volume`, `snapshot`, `image`, `address`,
    /// `firewall`) there may be; a kind that is missing has no limit.
    pub quota: BTreeMap<String, u32>,
}

impl Faults {
    /// Whether a call would change the armed faults.
    pub(super) fn concern(&self, operation: &str, reading: bool) -> bool {
        self.armed.iter().any(|fault| fault.concerns(operation, reading))
    }

    /// The fault that befalls this call, used up by it.
    pub(super) fn strike(&mut self, operation: &str, reading: bool) -> Option<FaultKind> {
        for index in 0..self.armed.len() {
            let fault = &mut self.armed[index];
            if !fault.concerns(operation, reading) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            let what = fault.what;
            fault.times -= 1;
            if fault.times == 0 {
                self.armed.remove(index);
            }
            return Some(what);
        }
        None
    }
}
