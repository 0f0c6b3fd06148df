//! What the faces of all vendors share: HTTP around a cloud, faults between a request and its answer, a log of what was
//! asked and answered, rate limits, and what lies below `/_emulator/`.
//!
//! A vendor's face is a table of endpoints, each a pure function from a request to an answer, and a few words of its own
//! ([`Vendor`]). Nothing here knows of any vendor. Reading order: [`exchange`], [`route`], [`vendor`], [`front`], `limits`,
//! `late`, `held`, `log`, `admin`, [`http`].

mod admin;
pub mod exchange;
pub mod front;
mod held;
pub mod http;
mod late;
mod limits;
pub(in crate::emulator) mod log;
pub mod moments;
pub(in crate::emulator) mod route;
pub(in crate::emulator) mod vendor;

pub use exchange::{Answer, Body, Request};
pub use front::{Face, Reply};
pub use http::{exchange, serve};
pub use late::Order;
pub(in crate::emulator) use late::arrive;
pub use limits::{Limit, Standing};
pub(in crate::emulator) use route::{Args, Call, Route};
pub(in crate::emulator) use vendor::Vendor;
