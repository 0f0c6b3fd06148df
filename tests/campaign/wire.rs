//! The wire between the real clients and the emulator, in memory: a request travels, arrives, is answered, and the answer
//! travels back; or not.

use crate::{
    place::{Place, Told},
    twists::{Death, What},
};
use async_trait::async_trait;
use cloudypad::provider::http::{Broken, Wire};
use hyper::{Response, body::Bytes};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// How long anybody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One applier's wire.
pub struct Line {
    pub place: Arc<Place>,
    /// Who calls, for the tale: A, or B where two apply at once.
    pub who: char,
    /// Told when the process at this end dies.
    pub doom: Arc<Notify>,
    /// Set when its owner stops it.
    pub stop: watch::Sender<bool>,
}

/// A request under way. Where its sender dies meanwhile, it may arrive all the same.
struct Flight<'l> {
    line: &'l Line,
    told: Told,
    request: Option<reqwest::Request>,
    outlives: bool,
}

impl Flight<'_> {
    fn arrive(&mut self) -> (Option<Response<Bytes>>, Option<What>) {
        let Some(request) = self.request.take() else { return (None, None) };
        self.line.place.arrive(&self.told, &request, self.line.is_first())
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.outlives {
            self.arrive();
        }
    }
}

impl Line {
    /// Whether the twists are about this one.
    fn is_first(&self) -> bool {
        self.who == 'A'
    }

    /// The process dies: nothing of it goes on.
    async fn die(&self, how: &str) -> ! {
        self.place.say(|| format!("{}  dies {how}", self.who));
        self.doom.notify_one();
        std::future::pending().await
    }

    fn stop(&self) {
        self.place.count("ctrl-c");
        self.place.say(|| format!("{}  is told to stop (Ctrl-C)", self.who));
        self.stop.send_replace(true);
    }
}

#[async_trait]
impl Wire for Line {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        let changes = request.method() != reqwest::Method::GET;
        let told = Told { who: self.who, method: request.method().to_string(), path: request.url().path().to_owned(), changes };
        let outlook = self.place.outlook(&told, self.is_first());
        if outlook.stops {
            self.stop();
        }
        if outlook.is_unreachable {
            self.place.count("unreachable");
            self.place.say(|| format!("{}  {} {}: no connection", self.who, told.method, (self.place.vendor.plain)(&told.path)));
            sleep(outlook.there).await;
            return Err(Broken::NotSent("no connection".to_owned()));
        }
        if outlook.death == Some(Death::Unsent) {
            self.place.count("crash-before");
            self.die("before it sends its next request").await;
        }
        let mut flight = Flight { line: self, told, request: Some(request), outlives: outlook.outlives };
        if outlook.death == Some(Death::Underway) {
            flight.outlives = true;
            self.place.count("crash-underway");
            self.die("with a request under way").await;
        }
        sleep(outlook.there).await;
        let (response, then) = flight.arrive();
        match then {
            Some(What::Stop) => self.stop(),
            Some(What::Death(_)) => {
                self.place.count("crash-on-fault");
                self.die("right then").await;
            }
            _ => {}
        }
        if outlook.death == Some(Death::Answered) {
            self.place.count("crash-after");
            self.die("before it notes the answer").await;
        }
        if outlook.is_silent {
            self.place.count("silence");
            self.place.say(|| format!("{}  waits for that answer in vain", self.who));
            sleep(PATIENCE).await;
            return Err(Broken::Lost("no answer in time".to_owned()));
        }
        sleep(outlook.back).await;
        match response {
            Some(response) => Ok(response.into()),
            None => Err(Broken::Lost("the connection was closed before an answer came".to_owned())),
        }
    }
}
