//! Hands in a hurry, at Linode, and the order that they break.

use super::TRIAL;
use crate::{
    support::{
        face::{Entry, Face, SPEED},
        linode::TOKEN,
        shop::Shop,
    },
    vendors::hasty::{Haste, Hurry},
};
use cloudypad::{
    model::Ask,
    provider::{
        Provider,
        http::Secret,
        linode::{Account, Estate, Linode},
    },
};
use std::sync::Arc;

/// What an archive's log must show, in this order: each call only after what it waits for was seen.
fn check(log: &[Entry]) -> Result<(), String> {
    let at = |what: &str| log.iter().position(|it| it.brief() == what).ok_or_else(|| format!("there is no {what}"));
    let shows = |entry: &Entry, id: &str, state: &str| !entry.changes() && entry.seen.iter().any(|(its, now)| its == id && now == state);
    let between = |from: usize, to: usize, id: &str, state: &str| {
        let seen = log.get(from..to).is_some_and(|part| part.iter().any(|it| shows(it, id, state)));
        if seen { Ok(()) } else { Err(format!("{id} was not seen {state} between calls {from} and {to}")) }
    };
    let off = at("POST linode/instances/shutdown")?;
    let server = log[off].path.split('/').nth(4).unwrap_or_default().to_owned();
    let capture = at("POST images")?;
    between(off, capture, &server, "offline")?;
    let (image, _) = log[capture].seen.first().ok_or("the capture has no id")?;
    let gone = at("DELETE linode/instances")?;
    between(capture, gone, image, "available")?;
    // What the new copy replaces goes after it is there; the data disk stays.
    if let Ok(old) = at("DELETE images") {
        between(capture, old, image, "available")?;
    }
    at("DELETE volumes").map_or(Ok(()), |at| Err(format!("call {at} deletes the data disk")))
}

#[test]
fn an_archive_waits_for_what_it_needs_to_see() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &(TRIAL.vendor.pad)("present", ""));
    shop.write("pad.yaml", &(TRIAL.vendor.pad)("absent", ""));
    face.log();
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    let log = face.log();
    let calls: Vec<String> = log.iter().map(Entry::brief).collect();
    check(&log).unwrap_or_else(|why| panic!("{why}\n{calls:#?}"));

    // The test can fail: with any wait taken out, what it waited for is not seen.
    let position = |brief: &str| calls.iter().position(|it| it == brief).unwrap();
    let waits = [
        ("off", position("POST linode/instances/shutdown"), position("POST images")),
        ("copied", position("POST images"), position("DELETE linode/instances")),
    ];
    for (what, from, to) in waits {
        let hasty = log.iter().enumerate().filter(|(at, it)| it.changes() || *at < from || *at > to).map(|it| it.1.clone());
        assert!(check(&hasty.collect::<Vec<_>>()).is_err(), "without the wait until {what} the order still passes");
    }
}

fn hands(face: &Face, ask: &Ask) -> Box<dyn Provider> {
    let speed: f64 = SPEED.parse().unwrap();
    let account = Account { token: Secret::new(TOKEN), found: "a test".to_owned(), url: face.url(), version: "v4".to_owned() };
    let estate = Arc::new(Estate::open(account, std::slice::from_ref(&ask.key), &[], speed).unwrap());
    Box::new(Linode::new(estate, ask, Box::new(|| Err("no birth here".to_owned())), speed))
}

#[test]
fn hands_that_do_not_wait_break_the_order_and_real_ones_keep_it() {
    let slow = &[(Haste::Off, "POST /linode/instances/{id}/shutdown", 150), (Haste::Ready, "POST /images", 50)];
    Hurry { trial: &TRIAL, hands, slow, check }.breaks_the_order();
}
