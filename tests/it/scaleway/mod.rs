//! Scaleway, end to end: the real binary against an emulator of Scaleway's API, over HTTP.
//!
//! - `lifecycle`: the reference lifecycle, its calls counted, every byte back;
//! - `wire`: the order on the wire on the way to the archive, and that the test can fail;
//! - `errors`: what people meet, word by word;
//! - `cost`: how few requests a plan takes, for one instance and for a hundred;
//! - `stories`: names, strangers, other zones, protection, orphans;
//! - `weather`: seeded lifecycles with faults.

mod cost;
mod errors;
mod lifecycle;
mod stories;
mod weather;
mod wire;
