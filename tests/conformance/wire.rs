//! Just enough HTTP to be a client on the loopback: one connection to the call.

use crate::cloud::{Call, Reply};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Sends a call to `host:port` and reads the whole answer. `token` is the header that says who calls.
///
/// Errors: no connection, no answer within half a minute, or something that is not HTTP.
pub fn send(address: &str, token: &str, call: &Call) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_nodelay(true)?;
    stream.write_all(&written(address, token, call))?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    read(&bytes)
        .ok_or_else(|| io::Error::other(format!("{} {}: not an HTTP answer: {}", call.method, call.path, String::from_utf8_lossy(&bytes))))
}

fn written(address: &str, token: &str, call: &Call) -> Vec<u8> {
    let (kind, body) = match &call.body {
        None => (None, String::new()),
        Some(Value::String(text)) => (Some("text/plain"), text.clone()),
        Some(tree) => (Some("application/json"), tree.to_string()),
    };
    let pairs: Vec<String> = call.query.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    let mut head = format!("{} {}{mark}{} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n", call.method, call.path, pairs.join("&"));
    if call.token {
        head += &format!("{token}\r\n");
    }
    if let Some(filter) = &call.filter {
        head += &format!("X-Filter: {filter}\r\n");
    }
    if let Some(kind) = kind {
        head += &format!("Content-Type: {kind}\r\n");
    }
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn read(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(Reply { status, body: tree(&headers, body), headers })
}

/// A body as a tree: JSON if it says so and is, text otherwise.
fn tree(headers: &BTreeMap<String, String>, body: String) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let json = headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    Some(if json { serde_json::from_str(&body).unwrap_or(Value::String(body)) } else { Value::String(body) })
}
