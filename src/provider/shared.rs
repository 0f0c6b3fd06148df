//! One look, shared by everybody who asks for it at the same moment.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Mutex;

/// The latest look, with its number among the looks of this process, taken before its first request.
pub(crate) struct Shared<T> {
    clock: AtomicU64,
    latest: Mutex<Option<(u64, Arc<T>)>>,
}

impl<T> Shared<T> {
    pub fn new() -> Self {
        Self { clock: AtomicU64::new(0), latest: Mutex::new(None) }
    }

    /// A look that begins now or later. Whoever asks while one is under way shares the next.
    pub async fn get(&self, take: impl Future<Output = T>) -> Arc<T> {
        let asked = self.clock.fetch_add(1, Ordering::Relaxed);
        // Whoever asks at the same moment shares this look.
        tokio::task::yield_now().await;
        let mut latest = self.latest.lock().await;
        if let Some((_, look)) = latest.as_ref().filter(|(began, _)| *began > asked) {
            return look.clone();
        }
        let began = self.clock.fetch_add(1, Ordering::Relaxed);
        let look = Arc::new(take.await);
        *latest = Some((began, look.clone()));
        look
    }
}
