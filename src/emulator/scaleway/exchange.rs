//! Requests and answers, as the face sees them: HTTP without the wire.

use serde_json::{Value, json};

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The segments of the path, decoded.
    pub path: Vec<String>,
    /// The pairs of the query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// What `X-Auth-Token` says.
    pub token: Option<String>,
    /// What `Content-Type` says.
    pub content_type: Option<String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// The body as JSON; an empty body reads as an empty object.
    ///
    /// Errors: 400, if it is not JSON.
    pub fn json(&self) -> Result<Value, Answer> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body).map_err(|_| Answer::legacy(400, "Invalid JSON", json!({})))
    }

    /// The first value of a key of the query.
    pub fn first(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The first value of a key of the query, if it is not empty.
    pub fn filter(&self, key: &str) -> Option<&str> {
        self.first(key).filter(|value| !value.is_empty())
    }

    /// All values of a key of the query.
    pub fn all(&self, key: &str) -> Vec<&str> {
        self.query.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
    }

    /// The parts of a value that is joined by commas; none if the key is absent.
    pub fn commas(&self, key: &str) -> Vec<&str> {
        self.all(key).into_iter().flat_map(|value| value.split(',')).filter(|part| !part.is_empty()).collect()
    }

    /// The segments of the path as string slices, fit for a `match`.
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// A positive number in the query; what is beyond all pages counts as the last number of 32 bits.
    pub fn number(&self, key: &str) -> Option<usize> {
        let number: u64 = self.first(key)?.parse().ok().filter(|number| *number > 0)?;
        Some(u32::try_from(number).unwrap_or(u32::MAX) as usize)
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers beyond those every answer carries; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer; its content type follows from its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing, and no content type.
    Empty,
    /// `application/json`.
    Json(Value),
    /// `text/plain`.
    Text(String),
    /// `text/plain`, byte by byte.
    Bytes(Vec<u8>),
    /// `text/html`.
    Html(String),
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, value: Value) -> Answer {
        Answer { status, headers: Vec::new(), body: Body::Json(value) }
    }

    /// 200 with a JSON body.
    pub fn ok(value: Value) -> Answer {
        Answer::json(200, value)
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Body::Empty }
    }

    /// The same answer with one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// 404 `not_found`.
    pub fn not_found(resource: &str, id: &str) -> Answer {
        Answer::json(404, json!({"type": "not_found", "message": "resource is not found", "resource": resource, "resource_id": id}))
    }

    /// 400 `invalid_arguments`; the details are made by [`detail`].
    pub fn invalid_arguments(details: Vec<Value>) -> Answer {
        Answer::json(400, json!({"type": "invalid_arguments", "message": "invalid argument(s)", "details": details}))
    }

    /// `precondition_failed`: 400 at instances, 412 at block storage.
    pub fn precondition(status: u16, precondition: &str, help: &str) -> Answer {
        let message = "precondition is not respected";
        let body = json!({"type": "precondition_failed", "message": message, "precondition": precondition, "help_message": help});
        Answer::json(status, body)
    }

    /// 403 `permissions_denied`.
    pub fn denied(resource: &str, action: &str) -> Answer {
        let details = json!([{"resource": resource, "action": action}]);
        Answer::json(403, json!({"type": "permissions_denied", "message": "insufficient permissions", "details": details}))
    }

    /// 401 `denied_authentication`.
    pub fn unauthenticated(reason: &str) -> Answer {
        let body = json!({"type": "denied_authentication", "message": "authentication is denied", "method": "api_key", "reason": reason});
        Answer::json(401, body)
    }

    /// The legacy `invalid_request_error`; the fields of `more` (an object) are added.
    pub fn legacy(status: u16, message: &str, more: Value) -> Answer {
        let mut body = json!({"type": "invalid_request_error", "message": message});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Answer::json(status, body)
    }

    /// 404 `unknown_resource`: no such endpoint.
    pub fn unknown_resource() -> Answer {
        Answer::json(404, json!({"type": "unknown_resource", "message": "Resource not found"}))
    }
}

/// One detail of `invalid_arguments`; the reason is `required`, `format`, `constraint` or `unknown`.
pub fn detail(argument: &str, reason: &str, help: &str) -> Value {
    json!({"argument_name": argument, "reason": reason, "help_message": help})
}

/// A page as the instance API gives it: `page`, `per_page` (50, at most 100); the total and the links are in
/// headers. `envelope` is the key of the list, `route` the path without the API's prefix (`/servers`).
pub fn header_page(request: &Request, envelope: &str, route: &str, items: Vec<Value>) -> Answer {
    let (page, size) = header_cut(request);
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    with_page_headers(request, route, total, Answer::ok(json!({ envelope: items })))
}

/// The same without total and links.
pub fn bare_page(request: &Request, envelope: &str, items: Vec<Value>) -> Answer {
    let (page, size) = header_cut(request);
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    Answer::ok(json!({ envelope: items }))
}

/// The same for a list that is a JSON object (`products/servers`): pairs of name and value, in their order.
pub fn header_page_map(request: &Request, envelope: &str, route: &str, items: Vec<(String, Value)>) -> Answer {
    let (page, size) = header_cut(request);
    let total = items.len();
    let items: serde_json::Map<String, Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    with_page_headers(request, route, total, Answer::ok(json!({ envelope: items })))
}

fn header_cut(request: &Request) -> (usize, usize) {
    let size = request.number("per_page").unwrap_or(50).min(100);
    (request.number("page").unwrap_or(1), size)
}

fn with_page_headers(request: &Request, route: &str, total: usize, answer: Answer) -> Answer {
    let (page, size) = header_cut(request);
    let last = total.div_ceil(size);
    let link = |to: usize, relation: &str| {
        let rest = request.query.iter().filter(|(key, _)| key != "page" && key != "per_page");
        let rest: Vec<String> = rest.map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        format!("<{route}?page={to}&per_page={size}&{}>; rel=\"{relation}\"", rest.join("&"))
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(1, "first"));
        links.push(link(page - 1, "previous"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.push(link(last, "last"));
    answer.with("x-total-count", total.to_string()).with("link", links.join(","))
}

/// A page as the newer APIs give it: `page`, `page_size` (20, at most 100), and `total_count` in the body.
pub fn body_page(request: &Request, envelope: &str, items: Vec<Value>) -> Answer {
    let size = request.number("page_size").unwrap_or(20).min(100);
    let page = request.number("page").unwrap_or(1);
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    Answer::ok(json!({ envelope: items, "total_count": total }))
}

/// A part of a query, percent-encoded.
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
