//! One request and its answer.

use super::{
    door::Rules,
    fleet,
    gate::{Pass, is_called_by_own_name, is_sent_by_own_page, pass},
    hub::Hub,
    instance, metrics,
    news::{Item, Tuned},
    path::{decoded, field, page_of},
    shell::{self, Says},
};
use crate::model::InstanceKey;
use futures_util::stream;
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::{self, HeaderValue},
};
use std::{collections::VecDeque, convert::Infallible, sync::Arc};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc, watch,
    },
    time::timeout,
};

/// What somebody ordered through the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Have back what fell asleep by itself.
    Wake(InstanceKey),
    /// Look at it, and do what is due, now.
    Look(InstanceKey),
    /// Approve what a [`super::Question`] names.
    Approve(String),
}

/// What becomes of a word of a Git host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// It is genuine, and acted on.
    Accepted,
    /// It is genuine, and of no concern.
    Ignored,
    /// It is not genuine.
    Refused,
}

/// Judges a word of a Git host from its headers and its body.
pub type HookCheck = Arc<dyn Fn(&HeaderMap, &[u8]) -> Hook + Send + Sync>;

/// What a visit needs.
pub(super) struct Room {
    pub hub: Arc<Hub>,
    pub rules: Rules,
    pub closing: watch::Receiver<bool>,
}

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Answer = Response<Body>;

/// Answers a request.
pub(super) async fn answer(room: Arc<Room>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let mut answer = room.receive(request).await;
    let headers = answer.headers_mut();
    for (name, value) in shell::HEADERS {
        headers.entry(*name).or_insert(HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// What was asked, once its path is understood.
enum Visit {
    Alive,
    Ready,
    Hook,
    Asset(&'static str, &'static str),
    Login,
    Metrics,
    Events,
    Fleet,
    Instance(InstanceKey),
    Wake(InstanceKey),
    Look(InstanceKey),
    Approve,
}

fn visit(path: &str) -> Option<Visit> {
    let parts: Option<Vec<String>> = path.strip_prefix('/')?.split('/').map(decoded).collect();
    let parts = parts?;
    let key = |namespace: &str, name: &str| InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() };
    Some(match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [""] => Visit::Fleet,
        ["healthz"] => Visit::Alive,
        ["readyz"] => Visit::Ready,
        ["hook"] => Visit::Hook,
        ["page.css"] => Visit::Asset("text/css; charset=utf-8", include_str!("page.css")),
        ["page.js"] => Visit::Asset("text/javascript; charset=utf-8", include_str!("page.js")),
        ["login"] => Visit::Login,
        ["metrics"] => Visit::Metrics,
        ["events"] => Visit::Events,
        ["approve"] => Visit::Approve,
        ["i", namespace, name] => Visit::Instance(key(namespace, name)),
        ["i", namespace, name, "wake"] => Visit::Wake(key(namespace, name)),
        ["i", namespace, name, "apply-now"] => Visit::Look(key(namespace, name)),
        _ => return None,
    })
}

impl Visit {
    fn is_an_order(&self) -> bool {
        matches!(self, Visit::Wake(_) | Visit::Look(_) | Visit::Approve)
    }

    /// Whether it is asked for with POST, and not with GET.
    fn is_a_word(&self) -> bool {
        self.is_an_order() || matches!(self, Visit::Hook | Visit::Login)
    }

    /// Whether it tells nothing of the fleet, or has a check of its own.
    fn is_public(&self) -> bool {
        matches!(self, Visit::Alive | Visit::Ready | Visit::Hook | Visit::Asset(..))
    }
}

impl Room {
    async fn receive(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let Some(visit) = visit(head.uri.path()) else { return page(StatusCode::NOT_FOUND, shell::missing()) };
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        if (visit.is_a_word() && head.method != Method::POST) || (!visit.is_a_word() && !is_read) {
            let allowed = if visit.is_a_word() { "POST" } else { "GET, HEAD" };
            let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, shell::problem("That cannot be asked for like this", allowed));
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            return answer;
        }
        let token = self.rules.token.as_ref();
        if token.is_none() && !visit.is_public() && !is_called_by_own_name(&head.uri, &head.headers) {
            let why = "Without a token, only this machine's own names are answered: localhost, 127.0.0.1 or [::1].";
            return page(StatusCode::MISDIRECTED_REQUEST, shell::problem("Not by that name", why));
        }
        let pass = token.map_or(Pass::None, |it| pass(&head.headers, it));
        let is_let_in = token.is_none() || pass != Pass::None || visit.is_public() || matches!(visit, Visit::Login);
        if !is_let_in {
            return match visit {
                Visit::Fleet | Visit::Instance(_) => asking(shell::login("")),
                _ => words(StatusCode::UNAUTHORIZED, "a token is needed: Authorization: Bearer TOKEN\n"),
            };
        }
        if visit.is_an_order() {
            let Some(orders) = self.rules.orders.as_ref().filter(|_| token.is_some()) else {
                let why = "No token is set, so nobody can order anything here.";
                return page(StatusCode::FORBIDDEN, shell::problem("Read only", why));
            };
            if pass != Pass::Token && !is_sent_by_own_page(&head.headers) {
                return page(StatusCode::FORBIDDEN, shell::problem("Not from there", "This was not sent by a page of this server."));
            }
            return self.order(orders, visit, pass, body).await;
        }
        let query = head.uri.query().unwrap_or_default();
        let says = Says { may_order: pass != Pass::None && self.rules.orders.is_some(), asked: field(query, "asked").unwrap_or_default() };
        match visit {
            Visit::Alive => text(StatusCode::OK, "text/plain; charset=utf-8", "alive\n"),
            Visit::Ready => self.readiness(),
            Visit::Asset(kind, content) => text(StatusCode::OK, kind, content),
            Visit::Metrics => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics::text(&self.hub)),
            Visit::Events => self.stream(&head.headers, query),
            Visit::Fleet => page(StatusCode::OK, fleet::page(&self.hub.roll(), &says)),
            Visit::Instance(key) => match self.hub.portrait(&key) {
                Some(portrait) => page(StatusCode::OK, instance::page(&self.hub, &key, &portrait, &says)),
                None => page(StatusCode::NOT_FOUND, shell::missing()),
            },
            Visit::Hook => self.hook(&head.headers, body).await,
            Visit::Login => self.login(&head.headers, body).await,
            Visit::Wake(_) | Visit::Look(_) | Visit::Approve => page(StatusCode::NOT_FOUND, shell::missing()),
        }
    }

    fn readiness(&self) -> Answer {
        let kind = "text/plain; charset=utf-8";
        match self.hub.unseen() {
            (false, _) => text(StatusCode::SERVICE_UNAVAILABLE, kind, "the specs were not read yet\n"),
            (true, 0) => text(StatusCode::OK, kind, "ready\n"),
            (true, count) => text(StatusCode::SERVICE_UNAVAILABLE, kind, format!("not looked at yet: {count}\n")),
        }
    }

    async fn hook(&self, headers: &HeaderMap, body: Incoming) -> Answer {
        let Some(check) = &self.rules.hook else { return page(StatusCode::NOT_FOUND, shell::missing()) };
        let body = match self.body(body, self.rules.limits.hook).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        match check(headers, &body) {
            Hook::Accepted => words(StatusCode::ACCEPTED, "accepted\n"),
            Hook::Ignored => words(StatusCode::OK, "of no concern here\n"),
            Hook::Refused => words(StatusCode::UNAUTHORIZED, "not genuine\n"),
        }
    }

    async fn login(&self, headers: &HeaderMap, body: Incoming) -> Answer {
        let Some(token) = &self.rules.token else { return page(StatusCode::NOT_FOUND, shell::missing()) };
        if !is_sent_by_own_page(headers) {
            return page(StatusCode::FORBIDDEN, shell::problem("Not from there", "This was not sent by a page of this server."));
        }
        let body = match self.body(body, self.rules.limits.form).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let offered = field(&String::from_utf8_lossy(&body), "token").unwrap_or_default();
        if !token.is(&offered) {
            return asking(shell::login("That is not the token."));
        }
        let mut answer = see("/");
        if let Ok(cookie) = token.cookie().parse() {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }

    async fn order(&self, orders: &mpsc::Sender<Order>, visit: Visit, pass: Pass, body: Incoming) -> Answer {
        let body = match self.body(body, self.rules.limits.form).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let (order, back) = match visit {
            Visit::Wake(key) | Visit::Look(key) if self.hub.portrait(&key).is_none() => {
                return page(StatusCode::NOT_FOUND, shell::problem("No such instance", &key.to_string()));
            }
            Visit::Wake(key) => (Order::Wake(key.clone()), format!("{}?asked=wake", page_of(&key))),
            Visit::Look(key) => (Order::Look(key.clone()), format!("{}?asked=look", page_of(&key))),
            _ => match field(&String::from_utf8_lossy(&body), "what") {
                Some(what) if self.hub.roll().questions.iter().any(|it| it.what == what) => {
                    (Order::Approve(what), "/?asked=approve".to_owned())
                }
                _ => return page(StatusCode::NOT_FOUND, shell::problem("Nothing to approve", "Nothing of that name waits for approval.")),
            },
        };
        match orders.try_send(order) {
            Ok(()) if pass == Pass::Token => words(StatusCode::ACCEPTED, "ordered\n"),
            Ok(()) => see(&back),
            Err(_) => {
                let why = "Too much was ordered, or it is being stopped. Try again in a moment.";
                page(StatusCode::SERVICE_UNAVAILABLE, shell::problem("Not now", why))
            }
        }
    }

    /// The whole of a body, where it is not too long and does not take too long.
    async fn body(&self, body: Incoming, most: usize) -> Result<Bytes, Answer> {
        match timeout(self.rules.limits.silence, Limited::new(body, most).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(_)) => Err(closing(page(StatusCode::PAYLOAD_TOO_LARGE, shell::problem("Too long", "More was sent than is taken.")))),
            Err(_) => Err(closing(page(StatusCode::REQUEST_TIMEOUT, shell::problem("Too slow", "The rest of it never came.")))),
        }
    }

    /// What happens, as it happens: after the item that the listener heard last, where it says.
    fn stream(&self, headers: &HeaderMap, query: &str) -> Answer {
        let heard = headers.get("last-event-id").and_then(|it| it.to_str().ok()).map(str::to_owned).or_else(|| field(query, "after"));
        let Tuned { missed, is_torn, coming } = self.hub.tune(heard.as_deref());
        let mut due: VecDeque<String> = VecDeque::from([": listening\n\n".to_owned()]);
        if is_torn {
            due.push_back(LOST.to_owned());
        }
        let listener = Listener {
            hub: Arc::clone(&self.hub),
            only: field(query, "instance"),
            due,
            coming,
            closing: self.closing.clone(),
            heartbeat: self.rules.limits.heartbeat,
        };
        let listener = missed.iter().fold(listener, Listener::hearing);
        let frames = stream::unfold(listener, |mut listener| async move {
            let next = listener.next().await?;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(next))), listener))
        });
        let mut answer = Response::new(StreamBody::new(frames).boxed_unsync());
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        answer
    }
}

/// Told to a listener who missed something: what it shows is to be asked for anew.
const LOST: &str = "data: {\"type\":\"lost\"}\n\n";

/// Somebody who listens.
struct Listener {
    hub: Arc<Hub>,
    /// The only instance of interest.
    only: Option<String>,
    due: VecDeque<String>,
    coming: broadcast::Receiver<Arc<Item>>,
    closing: watch::Receiver<bool>,
    heartbeat: std::time::Duration,
}

impl Listener {
    fn hearing(mut self, item: &Arc<Item>) -> Self {
        self.hear(item);
        self
    }

    fn hear(&mut self, item: &Item) {
        let key = &item.key;
        if self.only.as_ref().is_none_or(|it| *it == format!("{}/{}", key.namespace, key.name)) {
            self.due.push_back(format!("id: {}\ndata: {}\n\n", self.hub.news.id(item.number), item.json));
        }
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(due) = self.due.pop_front() {
                return Some(due);
            }
            let heard = tokio::select! {
                _ = self.closing.wait_for(|it| *it) => return None,
                heard = timeout(self.heartbeat, self.coming.recv()) => heard,
            };
            match heard {
                Ok(Ok(item)) => self.hear(&item),
                Ok(Err(RecvError::Lagged(_))) => self.due.push_back(LOST.to_owned()),
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) => self.due.push_back(": still here\n\n".to_owned()),
            }
        }
    }
}

fn text(status: StatusCode, kind: &'static str, content: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(content.into()).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn page(status: StatusCode, html: String) -> Answer {
    text(status, "text/html; charset=utf-8", html)
}

/// A few words for a program.
fn words(status: StatusCode, told: &'static str) -> Answer {
    text(status, "text/plain; charset=utf-8", told)
}

/// The page that asks for the token.
fn asking(html: String) -> Answer {
    let mut answer = page(StatusCode::UNAUTHORIZED, html);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// Another page is to be looked at.
fn see(path: &str) -> Answer {
    let mut answer = text(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    if let Ok(path) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(header::LOCATION, path);
    }
    answer
}

/// Where the rest of a request was not read, no other can follow.
fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
