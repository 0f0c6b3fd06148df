//! The garden: a cloud in a box.
//!
//! A [`Cloud`] lives in a directory. It holds **truth**: servers, volumes, snapshots, images,
//! addresses and firewalls, with disks that are real files. It has **physics**: what is ordered
//! takes its time on a clock of the cloud's own, also while no process runs. It has **faults**,
//! which are armed beforehand and befall calls by name. And it has a **ledger**, a judge that
//! knows whether the last copy of any byte was ever destroyed.
//!
//! Every call takes the lock of the directory, reads the truth if another process changed it, lets
//! happen what is due, does its deed on a copy, and replaces the file. A process may be killed at
//! any instant: a deed has happened once the file is renamed, and not before.
//!
//! The garden imports nothing of the rest of the crate, so that no client can share a mistake
//! with it. It has faces: this module's own calls, and the HTTP dialects of vendors ([`scaleway`], [`linode`]), which
//! stand on the same truth, physics, faults and ledger, and share a [`face`]. Reading order: [`objects`](Server), `truth`,
//! `physics`, `market`, `birth`, `servers`, `storage`, `network`, `look`, `ledger`, `fault`, `clock`, `disk`, `store`,
//! [`face`], [`scaleway`], [`linode`].

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod birth;
pub mod catalogue;
mod clock;
mod disk;
pub mod face;
mod fault;
mod ids;
mod ledger;
pub mod linode;
mod look;
mod market;
mod network;
mod objects;
mod physics;
mod refusal;
pub mod scaleway;
mod servers;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod truth;

pub use birth::{Boot, NewServer};
pub use clock::{Clock, Moment, Timepiece};
pub use fault::{Fault, FaultKind, Faults};
pub use ledger::{Bill, Content, Ledger, Loss};
pub use look::Look;
pub use market::Market;
pub use objects::{Address, CopyState, Firewall, Image, Object, Root, Rule, Server, ServerState, Snapshot, Volume, VolumeState};
pub use refusal::{Refusal, RefusalKind};
pub use storage::NewVolume;
pub use truth::{Effect, Transition, Truth};

use physics::{Deed, Pace};
use store::Store;

/// Which sort of cloud this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Imitate {
    /// Servers boot from volumes, which outlive them (as at Scaleway).
    Volumes,
    /// Servers boot from local disks, which die with them (as at Linode).
    LocalDisks,
}

/// How to open a cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Which sort of cloud it is; fixed when it is first opened.
    pub imitate: Imitate,
    /// How its time passes from now on.
    pub clock: Clock,
}

/// A cloud in a directory, or in memory. While one process copies the data of a disk, others that use the same directory
/// wait.
pub struct Cloud {
    dir: PathBuf,
    store: Mutex<Store>,
}

impl Cloud {
    /// Opens the cloud in a directory, which is created (mode 0700) if need be.
    pub fn open(dir: impl AsRef<Path>, settings: Settings) -> Result<Cloud, Refusal> {
        Cloud::open_market(dir, settings, Market::Local, 0)
    }

    /// Opens a cloud that stands in for a vendor. What looks random in a new one is made from a seed.
    pub fn open_market(dir: impl AsRef<Path>, settings: Settings, market: Market, seed: u64) -> Result<Cloud, Refusal> {
        check_clock(settings.clock)?;
        let dir = dir.as_ref().to_path_buf();
        let store = Mutex::new(Store::open(&dir, &settings, market, seed)?);
        Ok(Cloud { dir, store })
    }

    /// A new cloud that lives in memory, and whose disks have no bytes: what a running server may have written is known all
    /// the same.
    pub fn in_memory(settings: Settings, market: Market, seed: u64) -> Result<Cloud, Refusal> {
        check_clock(settings.clock)?;
        Ok(Cloud::of(Truth::new(settings.imitate, market, seed, Timepiece::new(settings.clock))))
    }

    /// A cloud in memory that goes on from the truth of another.
    pub fn of(truth: Truth) -> Cloud {
        Cloud { dir: PathBuf::new(), store: Mutex::new(Store::in_memory(truth)) }
    }

    /// Has the addresses of servers begin with these two numbers from now on, so that something on this machine can play one.
    pub fn lay_network(&self, network: [u8; 2]) -> Result<(), Refusal> {
        self.adjust(|deed| deed.truth.network = Some(network))
    }

    /// The directory it lives in; an empty path in memory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file with the bytes of a volume, local disk, snapshot or image; an empty path in memory.
    pub fn disk_path(&self, id: &str) -> PathBuf {
        self.store().disks.path(id).unwrap_or_default()
    }

    /// The cloud time.
    pub fn now(&self) -> Result<Moment, Refusal> {
        self.peek(|_, now| now)
    }

    /// When the next thing happens by itself, if anything will.
    pub fn next_due(&self) -> Result<Option<Moment>, Refusal> {
        self.peek(|truth, _| {
            let due = truth.transitions.iter().map(|transition| transition.due);
            due.filter(|due| *due != Moment::NEVER).min()
        })
    }

    /// Everything the cloud holds, as a judge sees it: no lag and no faults.
    pub fn truth(&self) -> Result<Truth, Refusal> {
        self.peek(|truth, _| truth.clone())
    }

    /// The judge's book.
    pub fn ledger(&self) -> Result<Ledger, Refusal> {
        self.peek(|truth, _| truth.ledger.clone())
    }

    /// Moves the clock ahead at once, and lets happen what becomes due; gives the new time.
    pub fn advance(&self, by: Duration) -> Result<Moment, Refusal> {
        if self.store().pass(by) {
            return self.now();
        }
        self.adjust(|deed| deed.truth.clock.advance(by))?;
        self.now()
    }

    /// Changes how time passes from now on.
    pub fn set_clock(&self, clock: Clock) -> Result<(), Refusal> {
        check_clock(clock)?;
        self.adjust(|deed| {
            if !deed.truth.clock.follows(clock) {
                deed.truth.clock = Timepiece::starting_at(clock, deed.now);
            }
        })
    }

    /// Arms a fault, after those armed before.
    pub fn arm(&self, fault: Fault) -> Result<(), Refusal> {
        self.adjust(|deed| deed.truth.faults.armed.push(fault))
    }

    /// Disarms all faults; what is stuck stays stuck.
    pub fn disarm_all(&self) -> Result<(), Refusal> {
        self.adjust(|deed| deed.truth.faults.armed.clear())
    }

    /// Lets everything that is stuck come due at once.
    pub fn unstick(&self) -> Result<(), Refusal> {
        self.adjust(|deed| {
            let now = deed.now;
            let stuck = deed.truth.transitions.iter_mut().filter(|transition| transition.due == Moment::NEVER);
            stuck.for_each(|transition| transition.due = now);
        })
    }

    /// Sets for how many cloud seconds a new object is missing from listings.
    pub fn set_listing_lag(&self, seconds: u64) -> Result<(), Refusal> {
        self.adjust(|deed| deed.truth.faults.listing_lag = seconds)
    }

    /// Sets how many objects of a kind (`server`, `volume`, …) there may be.
    pub fn set_quota(&self, kind: &str, limit: Option<u32>) -> Result<(), Refusal> {
        self.adjust(|deed| {
            let quota = &mut deed.truth.faults.quota;
            match limit {
                Some(limit) => quota.insert(kind.to_owned(), limit),
                None => quota.remove(kind),
            };
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic in a call leaves the store as it was: only a commit changes it.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the truth as of now, past all faults.
    fn peek<T>(&self, look: impl FnOnce(&Truth, Moment) -> T) -> Result<T, Refusal> {
        let mut store = self.store();
        let _lock = store.enter()?;
        store.settle()?;
        let now = store.now();
        Ok(look(store.truth(), now))
    }

    /// Changes the laws of nature: no fault befalls it and no call is counted.
    fn adjust(&self, change: impl FnOnce(&mut Deed)) -> Result<(), Refusal> {
        let mut store = self.store();
        let _lock = store.enter()?;
        store.settle()?;
        let mut deed = store.begin();
        change(&mut deed);
        store.commit(deed)?;
        store.settle()
    }

    /// The fault that befalls a call of this name, used up by it.
    fn gate(&self, operation: &str, reading: bool) -> Result<Option<FaultKind>, Refusal> {
        let mut store = self.store();
        let _lock = store.enter()?;
        store.settle()?;
        store.strike(operation, reading)
    }

    /// A customer's call that changes nothing.
    fn read<T>(&self, operation: &str, look: impl FnOnce(&Truth, Moment) -> Result<T, Refusal>) -> Result<T, Refusal> {
        match self.gate(operation, true)? {
            Some(FaultKind::LostReply) => return Err(fault::lost(operation)),
            Some(fault) => {
                if let Some(refusal) = fault.refusal(operation) {
                    return Err(refusal);
                }
            }
            None => {}
        }
        self.peek(look)?
    }

    /// A customer's call that changes something: all of it, or nothing.
    fn mutate<T>(&self, operation: &str, perform: impl FnOnce(&mut Deed) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let fault = self.gate(operation, false)?;
        if let Some(refusal) = fault.and_then(|fault| fault.refusal(operation)) {
            return Err(refusal);
        }
        let outcome = self.change(operation, Pace::under(fault), perform);
        match fault {
            Some(FaultKind::LostReply | FaultKind::BrokenAfter | FaultKind::HoldAfter) => Err(fault::lost(operation)),
            _ => outcome,
        }
    }

    /// Changes something, all of it or nothing, whatever errors there may be.
    fn change<T, E: From<Refusal>>(&self, operation: &str, pace: Pace, perform: impl FnOnce(&mut Deed) -> Result<T, E>) -> Result<T, E> {
        let mut store = self.store();
        let _lock = store.enter()?;
        store.settle()?;
        let mut deed = store.begin();
        deed.pace = pace;
        match perform(&mut deed) {
            Ok(answer) => {
                *deed.truth.ledger.calls.entry(operation.to_owned()).or_default() += 1;
                store.commit(deed)?;
                Ok(answer)
            }
            Err(error) => {
                store.abandon(&deed);
                Err(error)
            }
        }
    }

    /// Looks at the truth as it is now and then, ever further back, as it was before, until the look shows something.
    fn look_back<T>(&self, mut look: impl FnMut(&Truth, Moment) -> Option<T>) -> Result<Option<T>, Refusal> {
        let mut store = self.store();
        let _lock = store.enter()?;
        store.settle()?;
        let now = store.now();
        let found = look(store.truth(), now);
        Ok(found.or_else(|| store.past().find_map(|truth| look(truth, now))))
    }
}

fn check_clock(clock: Clock) -> Result<(), Refusal> {
    match clock {
        Clock::Speed(speed) if !speed.is_finite() || speed < 0.0 => Err(Refusal::invalid(format!("time cannot pass at speed {speed}"))),
        _ => Ok(()),
    }
}
