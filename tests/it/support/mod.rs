//! What the tests share: a workshop to run the binary in, emulated vendors, and worlds in words.

pub mod face;
pub mod shop;
pub mod words;
