//! What the tests share: a workshop to run the binary in, and worlds in words.

pub mod shop;
pub mod words;
