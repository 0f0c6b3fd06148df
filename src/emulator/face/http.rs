//! The wire: HTTP/1.1 around the face.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admin;
use super::exchange::{Answer, Body, Request};
use super::front::{Face, Reply};
use super::moments;
use crate::emulator::FaultKind;

/// How long requests under way may still take once the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on order")]
struct Dropped;

/// Serves a face until told to stop; requests under way are answered first.
pub async fn serve(face: Face, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let face = Arc::new(face);
    let (stopped, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => {
                // A caller that hung up before it was accepted is no reason to stop.
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                connections.spawn(converse(Arc::clone(&face), TokioIo::new(stream), stopping.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    // Nobody listens only where no connection is open.
    let _ = stopped.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, all).await;
    Ok(())
}

/// One connection, until the caller closes it, a fault does, or the server stops.
async fn converse(face: Arc<Face>, stream: TokioIo<tokio::net::TcpStream>, mut stopping: watch::Receiver<bool>) {
    let service = service_fn(move |request| respond(Arc::clone(&face), request));
    let connection = hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).serve_connection(stream, service);
    tokio::pin!(connection);
    let mut is_told = false;
    loop {
        tokio::select! {
            // What becomes of a connection is its caller's affair.
            _ = &mut connection => return,
            _ = stopping.changed(), if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn respond(face: Arc<Face>, incoming: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (head, body) = incoming.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let request = request(&head, &body);
    if admin::waits(&request) {
        face.held().some().await;
    }
    let reply = face.answer(&request);
    if reply.held {
        face.held().none().await;
    }
    Ok(told(&face, &request, reply).ok_or(Dropped)?.map(Full::new))
}

/// One request and its answer, as they are on the wire, and what befell it; no answer if the connection is closed without
/// one. Nobody waits for anything.
pub fn exchange(face: &Face, head: &Parts, body: &[u8]) -> (Option<Response<Bytes>>, Option<FaultKind>) {
    let request = request(head, body);
    let reply = face.answer(&request);
    let fault = reply.fault;
    (told(face, &request, reply), fault)
}

fn request(head: &Parts, body: &[u8]) -> Request {
    let headers = head.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().split('/').filter(|part| !part.is_empty()).map(|part| decoded(part, false)).collect(),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: headers.collect(),
        body: body.to_vec(),
    }
}

fn told(face: &Face, request: &Request, reply: Reply) -> Option<Response<Bytes>> {
    let (host, date) = (request.header("host").unwrap_or("localhost").to_owned(), moments::http(reply.at));
    face.dressed(request, reply).map(|answer| written(answer, &host, &date))
}

/// An answer on the wire.
fn written(answer: Answer, host: &str, date: &str) -> Response<Bytes> {
    let (kind, bytes) = match answer.body {
        Body::Empty | Body::Refused(_) => (None, Vec::new()),
        Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        Body::Text(text) => (Some("text/plain"), text.into_bytes()),
        Body::Bytes(bytes) => (Some("text/plain"), bytes),
        Body::Html(text) => (Some("text/html"), text.into_bytes()),
    };
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut set = |name: &str, value: &str| {
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, hyper::header::HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    set("date", date);
    if let Some(kind) = kind {
        set("content-type", kind);
    }
    for (name, value) in &answer.headers {
        // Where an object is told of by its path, the caller is told of the host it called.
        if name == "location" && value.starts_with('/') {
            set(name, &format!("http://{host}{value}"));
        } else {
            set(name, value);
        }
    }
    response
}

/// The pairs of a query, decoded, in order.
fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(key, true), decoded(value, true))
        })
        .collect()
}

/// A part of a URL without its percent signs; in a query a plus is a space.
fn decoded(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_decoded() {
        assert_eq!(decoded("a%2Cb+c", true), "a,b c");
        assert_eq!(decoded("a+b%", false), "a+b%");
        assert_eq!(decoded("%C3%A9", false), "é");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(pairs("tags=a%2Cb&tags=&x"), [pair("tags", "a,b"), pair("tags", ""), pair("x", "")]);
    }

    #[test]
    fn a_location_names_the_host_that_was_called() {
        let answer = Answer::empty(204).with("location", "/instance/v1/x");
        let response = written(answer, "127.0.0.1:1", "Thu, 01 Jan 1970 00:00:00 GMT");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("location"), Some("http://127.0.0.1:1/instance/v1/x"));
        assert_eq!(header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    }
}
