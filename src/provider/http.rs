//! One vendor's HTTP API: requests with a secret, answers with the vendor's clock, reads tried again.

use super::budget::{Budget, Budgets};
use crate::model::Stamp;
use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::{
    Client, Method,
    header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use std::{fmt, time::Duration};
use tokio::sync::Semaphore;

/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How many times a read is tried.
const TRIES: usize = 4;
/// The longest a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest a whole call may take.
const WHOLE: Duration = Duration::from_secs(60);

/// A secret: it is sent, and shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, to be sent and nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// One account at one vendor's API.
pub(crate) struct Api {
    client: Client,
    base: String,
    /// Vendors' gateways refuse bursts.
    turns: Semaphore,
    /// What the vendor allows in a while.
    budgets: Budgets,
    /// Cloud seconds in a second, where the API is an emulator's.
    speed: f64,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: Method,
    /// From the slash after the host, with ids in their place.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// Sent as `X-Filter`: which items of a list are wanted.
    pub filter: Option<Value>,
    pub body: Body,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Nothing,
    Json(Value),
    /// Sent as `text/plain`. It may hold a secret.
    Plain(Secret),
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Body::Nothing)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, Body::Nothing)
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Body::Json(body))
    }

    pub fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PATCH, path, Body::Json(body))
    }

    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PUT, path, Body::Json(body))
    }

    pub fn new(method: Method, path: impl Into<String>, body: Body) -> Self {
        Self { method, path: path.into(), query: Vec::new(), filter: None, body }
    }

    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    pub fn filtered(mut self, filter: Value) -> Self {
        self.filter = Some(filter);
        self
    }
}

/// An answer, whatever it says.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    /// The vendor's clock, in whole seconds.
    pub date: Option<Stamp>,
    /// How many items a list has in all, where a header says so.
    pub total: Option<usize>,
    /// For how long the vendor asked us to wait.
    pub pause: Option<Duration>,
    /// The vendor's platform is being maintained: asking again soon is of no use.
    pub maintenance: bool,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it is a gateway's page, which knows nothing of what was asked.
    pub fn is_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The request was not sent.
    NotSent(String),
    /// It may have been carried out.
    Lost(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::NotSent(why) | Broken::Lost(why) => f.write_str(why),
        }
    }
}

impl Api {
    /// An API below `base`, with a secret in a header of every request.
    ///
    /// # Errors
    /// Where `base` or the secret cannot be sent; the message shows neither.
    pub fn new(base: &str, header: HeaderName, secret: &Secret, speed: f64) -> Result<Self, String> {
        let mut value = HeaderValue::from_str(secret.reveal()).map_err(|_| "the secret key holds characters that no key has".to_owned())?;
        value.set_sensitive(true);
        // The first one to come installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .default_headers(HeaderMap::from_iter([(header, value)]))
            .user_agent(concat!("cloudypad/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| format!("cannot make an HTTP client: {}", told(&error)))?;
        let (base, budgets) = (base.trim_end_matches('/').to_owned(), Budgets::new(&[], speed));
        Ok(Self { client, base, turns: Semaphore::new(AT_ONCE), budgets, speed })
    }

    /// The API, never asked more often than these allow.
    pub fn within(self, budgets: &'static [Budget]) -> Self {
        Self { budgets: Budgets::new(budgets, self.speed), ..self }
    }

    /// Sends a request once, when it is its turn.
    pub async fn send(&self, request: &Request) -> Result<Reply, Broken> {
        // Whoever waits for this keeps nobody else from being sent.
        let _leave = self.budgets.turn(request).await;
        let _turn = self.turns.acquire().await;
        let url = format!("{}{}", self.base, request.path);
        let mut sent = self.client.request(request.method.clone(), url).query(&request.query);
        sent = match &request.body {
            Body::Nothing => sent,
            Body::Json(value) => sent.json(value),
            Body::Plain(text) => sent.header(reqwest::header::CONTENT_TYPE, "text/plain").body(text.reveal().to_owned()),
        };
        if let Some(filter) = &request.filter {
            sent = sent.header("x-filter", filter.to_string());
        }
        let reply = sent.send().await.map_err(broken)?;
        let headers = reply.headers();
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let (status, date) = (reply.status().as_u16(), text(&DATE).and_then(moment));
        let total = headers.get("x-total-count").and_then(|it| it.to_str().ok()?.parse().ok());
        let pause = text(&RETRY_AFTER).and_then(|it| it.parse().ok()).map(Duration::from_secs);
        let maintenance = headers.contains_key("x-maintenance-mode");
        let run = headers.get("x-request-id").and_then(|it| it.to_str().ok()).unwrap_or_default();
        tracing::debug!(method = %request.method, path = %request.path, query = ?request.query, status, request = run, "answered");
        let body = reply.bytes().await.map_err(broken)?.to_vec();
        Ok(Reply { status, date, total, pause, maintenance, body })
    }

    /// A pause, as long as it is to the cloud.
    pub async fn rest(&self, pause: Duration) {
        tokio::time::sleep(pause.div_f64(self.speed.max(1.0))).await;
    }

    /// Sends a request that changes nothing, and again after a pause where the answer may be better then.
    pub async fn read(&self, request: &Request) -> Result<Reply, Broken> {
        let pauses = ExponentialBuilder::default().with_min_delay(Duration::from_millis(500)).with_max_delay(Duration::from_secs(8));
        let mut pauses = pauses.with_jitter().with_max_times(TRIES - 1).build();
        loop {
            let answer = self.send(request).await;
            let again = match &answer {
                Ok(reply) if reply.maintenance => false,
                Ok(reply) => matches!(reply.status, 408 | 429 | 500..) || (reply.status == 400 && reply.is_page()),
                Err(_) => true,
            };
            let Some(own) = pauses.next().filter(|_| again) else { return answer };
            let asked = answer.as_ref().ok().and_then(|reply| reply.pause);
            let pause = asked.unwrap_or(own).min(WHOLE);
            tracing::debug!(path = %request.path, ?pause, "read again");
            self.rest(pause).await;
        }
    }
}

fn broken(error: reqwest::Error) -> Broken {
    let why = told(&error);
    if error.is_connect() || error.is_builder() { Broken::NotSent(why) } else { Broken::Lost(why) }
}

/// The whole chain of causes, without the address, whose query may be long.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    // The library's own names for where it happened tell nobody anything.
    causes.retain(|it| !it.starts_with("client error"));
    causes.dedup();
    if causes.is_empty() { "the connection failed".to_owned() } else { causes.join(": ") }
}

/// A `Date` header (RFC 9110) on the vendor's clock.
fn moment(text: &str) -> Option<Stamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Stamp(zoned.timestamp().as_microsecond()))
}
