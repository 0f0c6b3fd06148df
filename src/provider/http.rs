//! One vendor's HTTP API: requests with a secret, answers with the vendor's clock, reads tried again.

use super::budget::{Budget, Budgets};
use crate::model::Stamp;
use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How many times a read is tried.
const TRIES: usize = 4;
/// The longest a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest a whole call may take.
const WHOLE: Duration = Duration::from_secs(60);
/// The longest answer that is taken, in bytes: no list of any account comes near it.
const LARGEST: usize = 64 << 20;
/// What stands where an answer repeated the key.
const HIDDEN: &[u8] = b"[secret]";
/// No key is shorter; an emulator takes any, and what is as short as a word stands in many answers by chance.
const SHORTEST_KEY: usize = 12;
/// Where bodies hold secrets: Linode's root password, and first-boot data with a host key in it.
const SECRET_FIELDS: [&str; 2] = ["/root_pass", "/metadata/user_data"];

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

/// What carries a request to an API and brings its answer: the network, or something that stands in for it.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Carries one request, once.
    ///
    /// # Errors
    /// [`Broken`], where no answer came.
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken>;
}

/// The network.
struct Network(Client);

#[async_trait]
impl Wire for Network {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        self.0.execute(request).await.map_err(broken)
    }
}

/// The network, as all our calls go over it.
///
/// # Errors
/// Where no connection could ever be made.
pub(crate) fn network() -> Result<Arc<dyn Wire>, String> {
    // The first one to come installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("cloudypad/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .redirect(reqwest::redirect::Policy::none());
    let client = client.build().map_err(|error| format!("cannot make an HTTP client: {}", told(&error)))?;
    Ok(Arc::new(Network(client)))
}

/// One account at one vendor's API.
pub(crate) struct Api {
    wire: Arc<dyn Wire>,
    base: String,
    /// What no answer may carry further: the last word of the header that is sent.
    key: Secret,
    /// The header that every request carries, and the secret in it.
    secret: (HeaderName, HeaderValue),
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
pub enum Broken {
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
    /// An API below `base` at the end of a wire, with a secret in a header of every request.
    ///
    /// # Errors
    /// Where `base` or the secret cannot be sent; the message shows neither.
    pub fn new(wire: Arc<dyn Wire>, base: &str, header: HeaderName, secret: &Secret, speed: f64) -> Result<Self, String> {
        check_address(base)?;
        let mut value = HeaderValue::from_str(secret.reveal()).map_err(|_| "the secret key holds characters that no key has".to_owned())?;
        value.set_sensitive(true);
        let (base, budgets) = (base.trim_end_matches('/').to_owned(), Budgets::new(&[], speed));
        let key = Secret::new(secret.reveal().split(' ').next_back().unwrap_or_default());
        Ok(Self { wire, base, key, secret: (header, value), turns: Semaphore::new(AT_ONCE), budgets, speed })
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
        let mut reply = self.wire.carry(self.written(request)?).await?;
        let headers = reply.headers();
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        let (status, date) = (reply.status().as_u16(), text(&DATE).and_then(moment));
        let total = headers.get("x-total-count").and_then(|it| it.to_str().ok()?.parse().ok());
        let pause = text(&RETRY_AFTER).and_then(|it| it.parse().ok()).map(Duration::from_secs);
        let maintenance = headers.contains_key("x-maintenance-mode");
        let id = headers.get("x-request-id").map_or(Vec::new(), |it| self.hidden(it.as_bytes().to_vec(), request));
        let id = String::from_utf8_lossy(&id);
        tracing::debug!(method = %request.method, path = %request.path, query = ?request.query, status, request_id = ?id, "answered");
        let mut body = Vec::new();
        while let Some(part) = reply.chunk().await.map_err(broken)? {
            if body.len() + part.len() > LARGEST {
                return Err(Broken::Lost(format!("the answer is longer than {} MB, which no answer is", LARGEST >> 20)));
            }
            body.extend_from_slice(&part);
        }
        Ok(Reply { status, date, total, pause, maintenance, body: self.hidden(body, request) })
    }

    /// What was answered, without the secrets that were sent: whoever repeats them does not get them shown or written down.
    fn hidden(&self, answer: Vec<u8>, request: &Request) -> Vec<u8> {
        let answer = blotted(answer, self.key.reveal());
        match &request.body {
            Body::Nothing => answer,
            Body::Json(body) => SECRET_FIELDS.iter().filter_map(|it| body.pointer(it)?.as_str()).fold(answer, blotted),
            // Whoever repeats it in JSON writes its ends of lines in another way.
            Body::Plain(text) => text.reveal().lines().map(str::trim).fold(answer, blotted),
        }
    }

    /// A request as it goes over a wire.
    fn written(&self, request: &Request) -> Result<reqwest::Request, Broken> {
        let url = Url::parse(&format!("{}{}", self.base, request.path));
        let mut url = url.map_err(|error| Broken::NotSent(format!("the address of the API is none: {error}")))?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut sent = reqwest::Request::new(request.method.clone(), url);
        let (header, secret) = &self.secret;
        sent.headers_mut().insert(header, secret.clone());
        let body = match &request.body {
            Body::Nothing => None,
            Body::Json(value) => Some(("application/json", value.to_string())),
            Body::Plain(text) => Some(("text/plain", text.reveal().to_owned())),
        };
        if let Some((kind, text)) = body {
            sent.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *sent.body_mut() = Some(text.into());
        }
        if let Some(filter) = &request.filter {
            let filter = HeaderValue::try_from(filter.to_string());
            let filter = filter.map_err(|_| Broken::NotSent("what is asked for cannot be sent".to_owned()))?;
            sent.headers_mut().insert("x-filter", filter);
        }
        Ok(sent)
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

/// Whether requests may go below an address. What is wrong is told without it: it may hold a password.
///
/// # Errors
/// A sentence for people.
pub(crate) fn check_address(base: &str) -> Result<(), String> {
    let address = reqwest::Url::parse(base).map_err(|_| "the address of the API is none; it looks like https://api.example.com")?;
    if !matches!(address.scheme(), "https" | "http") || address.host_str().is_none() {
        return Err("the address of the API must begin with https://".to_owned());
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err("the address of the API holds a name or a password: take it out. The key is sent in a header of its own".to_owned());
    }
    if address.query().is_some() || address.fragment().is_some() {
        return Err("the address of the API ends in a query (?…) or a mark (#…): take it out".to_owned());
    }
    Ok(())
}

/// Bytes with each occurrence of a secret blotted out.
fn blotted(bytes: Vec<u8>, secret: &str) -> Vec<u8> {
    let secret = secret.as_bytes();
    let Some(first) = secret.first().filter(|_| secret.len() >= SHORTEST_KEY) else { return bytes };
    let (mut clean, mut rest) = (Vec::new(), bytes.as_slice());
    let mut begins = 0;
    while let Some(at) = rest[begins..].iter().position(|it| it == first).map(|it| begins + it) {
        if rest[at..].starts_with(secret) {
            clean.extend_from_slice(&rest[..at]);
            clean.extend_from_slice(HIDDEN);
            (rest, begins) = (&rest[at + secret.len()..], 0);
        } else {
            begins = at + 1;
        }
    }
    if clean.is_empty() && rest.len() == bytes.len() {
        return bytes;
    }
    clean.extend_from_slice(rest);
    clean
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
