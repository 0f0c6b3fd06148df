//! Hands in a hurry, at Scaleway.

use super::{TRIAL, wire::check};
use crate::{
    support::{
        face::{Face, SPEED},
        scaleway::{PROJECT, SECRET},
    },
    vendors::hasty::{Haste, Hurry},
};
use cloudypad::{
    model::Ask,
    provider::{
        Provider,
        http::Secret,
        scaleway::{Account, Scaleway, Zone},
    },
};
use std::sync::Arc;

fn hands(face: &Face, ask: &Ask) -> Box<dyn Provider> {
    let speed: f64 = SPEED.parse().unwrap();
    let account = Account { key: Secret::new(SECRET), found: "a test".to_owned(), url: face.url(), project: None, zone: None };
    let zone = Arc::new(Zone::open(account, "fr-par-2", std::slice::from_ref(&ask.key), None, speed).unwrap());
    Box::new(Scaleway::new(zone, PROJECT, ask, Box::new(|| Err("no birth here".to_owned())), speed))
}

#[test]
fn hands_that_do_not_wait_break_the_order_and_real_ones_keep_it() {
    let slow = &[
        (Haste::Off, "POST /instance/v1/zones/{zone}/servers/{id}/action poweroff", 150),
        (Haste::Free, "PATCH /instance*", 1000),
        (Haste::Ready, "POST /block*", 5000),
    ];
    Hurry { trial: &TRIAL, hands, slow, check }.breaks_the_order();
}
