//! `scaleway-answers` of tests/hostile/targets.
#![no_main]

#[path = "../../hostile/targets/mod.rs"]
#[allow(dead_code)] // the other targets
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::answers::scaleway(bytes));
