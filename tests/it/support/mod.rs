//! What the tests share: a workshop to run the binary in, emulated vendors, and worlds in words.

pub mod browser;
pub mod face;
pub mod fleet;
pub mod forge;
pub mod journal;
pub mod linode;
pub mod porter;
pub mod scaleway;
pub mod scene;
pub mod shop;
pub mod sshd;
pub mod sunshine;
pub mod teller;
pub mod vendor;
pub mod words;
