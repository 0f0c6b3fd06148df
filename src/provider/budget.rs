//! How often a vendor lets its endpoints be called, and whose turn it is: a request waits before it is sent, rather than
//! being refused.

use super::http::Request;
use async_trait::async_trait;
use reqwest::Method;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// So many calls in any so many seconds.
#[derive(Debug)]
pub(crate) struct Budget {
    /// The calls that share it.
    pub of: Calls,
    /// How many there may be.
    pub calls: usize,
    /// In how many seconds, as they pass in the cloud.
    pub seconds: u64,
}

/// What shares a budget.
#[derive(Debug)]
pub(crate) enum Calls {
    /// A method at a path.
    To(Method, &'static str),
    /// Whatever is done to what lies below a path.
    Below(&'static str),
    /// Lists, which are asked for in pages.
    Lists,
}

impl Calls {
    fn has(&self, request: &Request) -> bool {
        match self {
            Calls::To(method, path) => request.method == *method && request.path == *path,
            Calls::Below(path) => request.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')),
            Calls::Lists => request.method == Method::GET && request.query.iter().any(|(key, _)| *key == "page_size"),
        }
    }
}

/// Time as it passes in the cloud.
#[async_trait]
trait Clock: Send + Sync {
    /// How much of it has passed since the clock was made.
    fn now(&self) -> Duration;

    /// Returns at this moment, or later.
    async fn until(&self, moment: Duration);
}

/// A clock of this machine's, at an emulator's speed.
struct Wall {
    began: Instant,
    speed: f64,
}

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> Duration {
        self.began.elapsed().mul_f64(self.speed)
    }

    async fn until(&self, moment: Duration) {
        tokio::time::sleep(moment.saturating_sub(self.now()).div_f64(self.speed)).await;
    }
}

/// The budgets of an account at a vendor, as far as this process spends them.
pub(crate) struct Budgets {
    /// In the vendor's order: the first that a call shares counts it.
    lines: Vec<Line>,
    clock: Box<dyn Clock>,
}

impl Budgets {
    /// `speed` is how many cloud seconds pass in a second.
    pub fn new(budgets: &'static [Budget], speed: f64) -> Self {
        Self::on(budgets, Box::new(Wall { began: Instant::now(), speed: speed.max(1.0) }))
    }

    fn on(budgets: &'static [Budget], clock: Box<dyn Clock>) -> Self {
        let line = |budget| Line { budget, spent: Mutex::default(), answered: Notify::new(), head: tokio::sync::Mutex::new(()) };
        Self { lines: budgets.iter().map(line).collect(), clock }
    }

    /// Waits until a request may be sent. Requests of one budget go in the order in which they came; one that no budget
    /// speaks of goes at once. The call is under way until the turn is dropped.
    pub async fn turn(&self, request: &Request) -> Option<Turn<'_>> {
        let line = self.lines.iter().find(|it| it.budget.of.has(request))?;
        let asked = self.clock.now();
        let turn = line.turn(&*self.clock).await;
        let waited = self.clock.now().saturating_sub(asked);
        if waited > Duration::from_secs(1) {
            tracing::debug!(method = %request.method, path = %request.path, ?waited, "waited for its turn");
        }
        Some(turn)
    }
}

/// Those who share a budget, one behind the other.
struct Line {
    budget: &'static Budget,
    spent: Mutex<Spent>,
    /// Told when a call is answered.
    answered: Notify,
    /// Held by whoever is next. It is given on in the order in which it was asked for.
    head: tokio::sync::Mutex<()>,
}

impl Line {
    async fn turn<'a>(&'a self, clock: &'a dyn Clock) -> Turn<'a> {
        let _head = self.head.lock().await;
        loop {
            let next = self.spent().next(self.budget, clock.now());
            match next {
                Next::Now => return Turn { line: self, clock },
                Next::At(moment) => clock.until(moment).await,
                Next::AfterAnswer => self.answered.notified().await,
            }
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to make one call. The vendor counted it some time before its answer: until then, and for the budget's seconds
/// after that, it is spent.
pub(crate) struct Turn<'a> {
    line: &'a Line,
    clock: &'a dyn Clock,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut spent = self.line.spent();
        spent.under_way -= 1;
        spent.answered.push_back(self.clock.now());
        drop(spent);
        self.line.answered.notify_one();
    }
}

/// What is spent of a budget.
#[derive(Debug, Default)]
struct Spent {
    /// Calls that are not answered yet.
    under_way: usize,
    /// When the latest calls were answered, oldest first.
    answered: VecDeque<Duration>,
}

/// When the next call may be made.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Now; it is under way.
    Now,
    /// Not before this.
    At(Duration),
    /// Nobody knows before a call under way is answered.
    AfterAnswer,
}

impl Spent {
    fn next(&mut self, budget: &Budget, now: Duration) -> Next {
        let length = Duration::from_secs(budget.seconds);
        while self.answered.front().is_some_and(|it| *it + length <= now) {
            self.answered.pop_front();
        }
        match self.answered.front() {
            _ if self.under_way + self.answered.len() < budget.calls => {
                self.under_way += 1;
                Next::Now
            }
            Some(oldest) => Next::At(*oldest + length),
            None => Next::AfterAnswer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::join_all};
    use serde_json::json;
    use std::sync::Arc;

    const BUDGETS: &[Budget] = &[
        Budget { of: Calls::To(Method::GET, "/images"), calls: 20, seconds: 60 },
        Budget { of: Calls::Below("/ips"), calls: 2, seconds: 15 },
        Budget { of: Calls::Lists, calls: 30, seconds: 60 },
    ];

    /// A clock that is as late as somebody waited for.
    #[derive(Clone, Default)]
    struct Sand(Arc<Mutex<Duration>>);

    #[async_trait]
    impl Clock for Sand {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        async fn until(&self, moment: Duration) {
            tokio::task::yield_now().await;
            let mut now = self.0.lock().unwrap();
            *now = moment.max(*now);
        }
    }

    fn budgets() -> (Budgets, Sand) {
        let sand = Sand::default();
        (Budgets::on(BUDGETS, Box::new(sand.clone())), sand)
    }

    fn images() -> Request {
        Request::get("/images").with("page_size", "500")
    }

    #[tokio::test]
    async fn everybody_comes_in_order_and_no_window_holds_too_many() {
        let (budgets, sand) = budgets();
        let sent = Mutex::new(Vec::new());
        join_all((0..45).map(|number| {
            let (budgets, sand, sent) = (&budgets, &sand, &sent);
            async move {
                let _turn = budgets.turn(&images()).await;
                sent.lock().unwrap().push((number, sand.now().as_secs()));
                tokio::task::yield_now().await;
            }
        }))
        .await;
        let wanted: Vec<_> = (0..45).map(|number| (number, number / 20 * 60)).collect();
        assert_eq!(sent.into_inner().unwrap(), wanted);
    }

    /// It may have been counted at any moment before its answer.
    #[tokio::test]
    async fn a_call_counts_until_long_after_its_answer() {
        let (budgets, sand) = budgets();
        let one = Request::delete("/ips/192.0.2.1");
        let mut turns = vec![budgets.turn(&one).await, budgets.turn(&one).await];
        let mut third = Box::pin(budgets.turn(&one));
        sand.until(Duration::from_secs(100)).await;
        assert!((&mut third).now_or_never().is_none(), "both are under way, since 100 seconds");
        turns.pop();
        third.await;
        assert_eq!(sand.now().as_secs(), 115);
    }

    /// Who gives up waiting is no longer in the way, and has spent nothing.
    #[tokio::test]
    async fn who_gives_up_leaves_the_line() {
        let (budgets, sand) = budgets();
        let one = Request::get("/ips/192.0.2.1");
        drop([budgets.turn(&one).await, budgets.turn(&one).await]);
        assert!(budgets.turn(&one).now_or_never().is_none());
        sand.until(Duration::from_secs(15)).await;
        let (first, second) = (budgets.turn(&one).now_or_never(), budgets.turn(&one).now_or_never());
        assert!(first.is_some() && second.is_some(), "two again");
        assert!(budgets.turn(&one).now_or_never().is_none(), "and no more");
    }

    #[tokio::test]
    async fn budgets_are_spent_apart() {
        let (budgets, _) = budgets();
        // By id, or changing something: no list.
        let free = [Request::get("/images/private%2F1"), Request::post("/images", json!({})), Request::post("/ips", json!({}))];
        for request in &free {
            assert!((0..100).all(|_| matches!(budgets.turn(request).now_or_never(), Some(None))), "{} {}", request.method, request.path);
        }
        let turns: Vec<_> = (0..30).map(|_| budgets.turn(&images()).now_or_never()).collect();
        assert_eq!(turns.iter().filter(|it| it.is_some()).count(), 20);
        let lists: Vec<_> = (0..40).map(|_| budgets.turn(&Request::get("/ips").with("page_size", "500")).now_or_never()).collect();
        assert_eq!(lists.iter().filter(|it| it.is_some()).count(), 30, "a list of images is counted among images alone");
    }
}
