//! What is still to be told: bounded, the oldest goes first.

use super::news::News;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// So much may wait to be told.
pub(super) const MOST: usize = 256;

/// News on their way to one place.
#[derive(Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    bell: Notify,
}

#[derive(Default)]
struct Inside {
    waiting: VecDeque<News>,
    dropped: usize,
    closed: bool,
}

impl Queue {
    pub fn push(&self, news: News) {
        let mut inside = self.inside();
        if inside.waiting.len() >= MOST {
            inside.waiting.pop_front();
            inside.dropped += 1;
        }
        inside.waiting.push_back(news);
        self.bell.notify_one();
    }

    /// Nothing more comes.
    pub fn close(&self) {
        self.inside().closed = true;
        self.bell.notify_one();
    }

    /// The next of them, and how many were dropped before it; none once it is closed and empty.
    pub async fn next(&self) -> Option<(News, usize)> {
        loop {
            {
                let mut inside = self.inside();
                if let Some(news) = inside.waiting.pop_front() {
                    return Some((news, std::mem::take(&mut inside.dropped)));
                }
                if inside.closed {
                    return None;
                }
            }
            self.bell.notified().await;
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_goes_where_too_many_wait_and_the_rest_stay_in_order() {
        let queue = Queue::default();
        for number in 0..MOST + 3 {
            queue.push(News { id: number.to_string(), what: "held", body: Vec::new() });
        }
        queue.close();
        let (first, dropped) = queue.next().await.unwrap();
        assert_eq!((first.id.as_str(), dropped), ("3", 3));
        let mut rest = Vec::new();
        while let Some((news, dropped)) = queue.next().await {
            assert_eq!(dropped, 0, "it is said once");
            rest.push(news.id.parse::<usize>().unwrap());
        }
        assert_eq!(rest, (4..MOST + 3).collect::<Vec<_>>());
    }
}
