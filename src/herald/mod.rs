//! Floor 2, a hand that reaches out: what happens to instances, told to an address or a command of the owner's.
//!
//! [`Herald::tell`] takes every event, picks the news, and returns at once: no run waits for whoever is told. Each way has a
//! queue of its own, which is told in order, tried again for a while, and drops the oldest where it grows too long.

mod command;
mod news;
mod post;
mod queue;

use command::Command;
use news::{Desk, News};
use post::Post;
use queue::Queue;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinSet;

pub use post::Key;

/// Where news go.
#[derive(Debug, Default, Clone)]
pub struct Ways {
    /// They are posted there.
    pub url: Option<String>,
    /// What signs them.
    pub key: Option<Key>,
    /// It is run by a shell for each of them, with the news on its standard input.
    pub command: Option<String>,
    /// Variables of the environment that the command does not get: keys.
    pub withheld: Vec<String>,
}

/// Says to the owner, in a sentence, what went wrong with telling, and that it goes well again.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells the news of a fleet.
pub struct Herald {
    desk: Mutex<Desk>,
    queues: Vec<Arc<Queue>>,
    workers: JoinSet<()>,
}

impl Herald {
    /// A herald for these ways, working within the runtime that it is made in.
    ///
    /// # Errors
    /// Where an address cannot be posted to; the message does not show it, since it may hold a secret.
    pub fn new(ways: Ways, say: &Say) -> Result<Self, String> {
        let mut herald = Self { desk: Mutex::default(), queues: Vec::new(), workers: JoinSet::new() };
        if let Some(url) = &ways.url {
            herald.add(Way::Post(Post::to(url, ways.key)?), say);
        }
        if let Some(command) = ways.command {
            herald.add(Way::Command(Command { line: command, withheld: ways.withheld }), say);
        }
        Ok(herald)
    }

    fn add(&mut self, way: Way, say: &Say) {
        let queue = Arc::new(Queue::default());
        self.queues.push(queue.clone());
        self.workers.spawn(work(way, queue, say.clone()));
    }

    /// Hears an event, as it is to tools, and has it told where it is news.
    pub fn tell(&self, event: &Value) {
        let news = self.desk.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
        if let Some(news) = news {
            self.queues.iter().for_each(|it| it.push(news.clone()));
        }
    }

    /// Ends it, once everything was told, or after so long.
    pub async fn close(mut self, longest: Duration) {
        self.queues.iter().for_each(|it| it.close());
        let all = async { while self.workers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(longest, all).await;
    }
}

/// One way out.
enum Way {
    Post(Post),
    Command(Command),
}

impl Way {
    fn name(&self) -> String {
        match self {
            Way::Post(post) => post.name(),
            Way::Command(_) => "the notify command".to_owned(),
        }
    }

    async fn carry(&self, news: &News) -> Result<(), String> {
        match self {
            Way::Post(post) => post.carry(news).await,
            Way::Command(command) => command.carry(news).await,
        }
    }
}

/// Tells what comes, one after the other.
async fn work(way: Way, queue: Arc<Queue>, say: Say) {
    let mut fails = false;
    while let Some((news, dropped)) = queue.next().await {
        if dropped > 0 {
            say(&format!("{} was not told of {dropped} events: it is slower than they come, and the oldest go first", way.name()));
        }
        let told = way.carry(&news).await;
        match &told {
            Ok(()) if fails => say(&format!("{} takes news again", way.name())),
            Err(why) if !fails => say(&format!("{} was not told what happened: {why}; nothing else depends on it", way.name())),
            _ => {}
        }
        fails = told.is_err();
    }
}
