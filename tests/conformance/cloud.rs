//! What a replay talks to: the emulator, the recording itself, or one of them with a planted deviation.

use crate::recording::Interaction;
use serde_json::Value;
use std::{collections::BTreeMap, io};

/// One request, as it is sent.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path, undecoded.
    pub path: String,
    /// The pairs of the query, decoded.
    pub query: Vec<(String, String)>,
    /// The body: JSON, or text that is sent as it is.
    pub body: Option<Value>,
    /// What a list is narrowed by in a header, where the vendor has that.
    pub filter: Option<Value>,
    /// Whether it carries a token.
    pub token: bool,
}

/// One answer, as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON, or text where it is not; none where it is empty.
    pub body: Option<Value>,
}

/// Something that answers calls.
pub trait Cloud {
    /// Says which recorded call the next ones belong to.
    fn turn(&mut self, _interaction: &Interaction) {}

    /// Can things be made in it that the recording does not make?
    fn is_alive(&self) -> bool {
        false
    }

    /// Answers a call.
    fn call(&mut self, call: &Call) -> io::Result<Reply>;

    /// Answers a call for a page of a list with that page's headers and the elements of all pages.
    fn call_whole(&mut self, call: &Call) -> io::Result<Reply> {
        self.call(call)
    }

    /// Lets time pass until the next thing happens. False, if nothing is going on.
    fn advance(&mut self) -> io::Result<bool>;

    /// Has the next call of an operation answered by 429.
    fn limit(&mut self, operation: &str) -> io::Result<()>;

    /// Tells an emulator something that no client can; of no account to anything else.
    fn tell(&mut self, _path: &str, _body: Value) -> io::Result<()> {
        Ok(())
    }
}
