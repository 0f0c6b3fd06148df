//! Requests and answers, as a face sees them: HTTP without the wire.

use serde_json::{Value, json};

use crate::emulator::Refusal;

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The segments of the path, decoded.
    pub path: Vec<String>,
    /// The pairs of the query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// The body as JSON; an empty body reads as an empty object.
    ///
    /// Errors: it is not JSON.
    pub fn tree(&self) -> Result<Value, serde_json::Error> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body)
    }

    /// The first header of a name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
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

/// The body of an answer; its content type follows from its kind, unless a header says another one.
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
    /// What the core refused, which the vendor has yet to put into its own words.
    Refused(Refusal),
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
}

/// What the core refuses is an answer, whose words the vendor knows.
impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Answer {
        Answer { status: 500, headers: Vec::new(), body: Body::Refused(refusal) }
    }
}

/// A part of a URL, percent-encoded.
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
