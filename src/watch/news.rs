//! What happens, as it happens: to whoever listens, and kept for a while for whoever was away.

use crate::{model::InstanceKey, report::json_line};
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;

/// How many items are kept, and how many a slow listener may fall behind.
const MOST: usize = 512;
/// How many bytes of items are kept.
const MOST_BYTES: usize = 512 * 1024;

/// One thing that happened.
#[derive(Debug)]
pub(super) struct Item {
    /// Its number; the next one's is one more.
    pub number: u64,
    /// To which instance.
    pub key: InstanceKey,
    /// What, as an object on one line.
    pub json: String,
}

/// The stream of what happens.
#[derive(Debug)]
pub(super) struct News {
    /// Tells this process's numbers from those of the one before.
    epoch: String,
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Arc<Item>>,
}

#[derive(Debug, Default)]
struct Ring {
    items: VecDeque<Arc<Item>>,
    bytes: usize,
    last: u64,
}

/// What a listener begins with.
pub(super) struct Tuned {
    /// What it has missed, in order.
    pub missed: Vec<Arc<Item>>,
    /// Whether it missed more than is kept.
    pub is_torn: bool,
    /// What comes.
    pub coming: broadcast::Receiver<Arc<Item>>,
}

impl News {
    pub fn new(epoch: String) -> Self {
        Self { epoch, ring: Mutex::default(), sender: broadcast::channel(MOST).0 }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something to all who listen.
    pub fn tell(&self, key: &InstanceKey, what: &Value) {
        let Ok(json) = json_line(what) else { return };
        let mut ring = self.ring();
        ring.last += 1;
        ring.bytes += json.len();
        let item = Arc::new(Item { number: ring.last, key: key.clone(), json });
        ring.items.push_back(Arc::clone(&item));
        while ring.items.len() > MOST || ring.bytes > MOST_BYTES {
            let Some(oldest) = ring.items.pop_front() else { break };
            ring.bytes -= oldest.json.len();
        }
        // Below the lock, so that nobody hears it twice, or not at all. Nobody listening is no error.
        let _ = self.sender.send(item);
    }

    /// The id of an item, as listeners know it.
    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    /// The id of the last item.
    pub fn last(&self) -> String {
        self.id(self.ring().last)
    }

    /// Listens from now on, or from after the item with this id.
    pub fn tune(&self, after: Option<&str>) -> Tuned {
        let ring = self.ring();
        let coming = self.sender.subscribe();
        let Some(after) = after else { return Tuned { missed: Vec::new(), is_torn: false, coming } };
        let number = after.strip_prefix(&self.epoch).and_then(|it| it.strip_prefix('-')).and_then(|it| it.parse::<u64>().ok());
        let number = number.filter(|it| *it <= ring.last);
        let missed = ring.items.iter().filter(|it| number.is_none_or(|number| it.number > number)).cloned().collect();
        let first = ring.items.front().map_or(ring.last + 1, |it| it.number);
        Tuned { missed, is_torn: number.is_none_or(|it| it + 1 < first), coming }
    }

    /// What is kept of one instance, oldest first.
    pub fn of(&self, key: &InstanceKey) -> Vec<Arc<Item>> {
        self.ring().items.iter().filter(|it| it.key == *key).cloned().collect()
    }

    /// How many bytes are kept.
    pub fn weight(&self) -> usize {
        self.ring().bytes
    }
}
