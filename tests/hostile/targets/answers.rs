//! An answer of any bytes, with any status and odd headers, to any call that the real clients make: to a look, to what is
//! awaited, to a step. Every decoder of both vendors is fed so, through the front door.
//!
//! Garbage becomes `Unknown`, never `Absent`; whoever planned from it does nothing; a create that was answered with garbage
//! may have been done. And what a look tells is told harmlessly.

use super::{
    assert_shown_clean,
    lives::{Call, Life, Moment, Vendor, answered, hands, life, runtime, spoken},
};
use async_trait::async_trait;
use cloudypad::{
    model::{Awaited, Facts, Seen, World, is_create_key},
    plan::{audit, forecast, plan},
    provider::{
        Problem,
        http::{Broken, Wire},
    },
    report::{PlanView, Screen, plan_text},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Instant,
};

/// How many bytes before the answer's own say which call, and how it is answered.
pub const HEAD: usize = 4;

const STATUSES: [u16; 16] = [200, 200, 200, 201, 204, 400, 401, 403, 404, 409, 410, 412, 429, 500, 503, 302];

pub fn scaleway(bytes: &[u8]) {
    feed(Vendor::Scaleway, bytes);
}

pub fn linode(bytes: &[u8]) {
    feed(Vendor::Linode, bytes);
}

/// The bytes that have the so-many-th call of a moment answered so.
pub fn bytes_for(moment: usize, call: usize, status: u16, body: &[u8]) -> Vec<u8> {
    let status = STATUSES.iter().position(|it| *it == status).unwrap_or(0);
    let mut bytes = vec![moment as u8, call as u8, status as u8, 0];
    bytes.extend_from_slice(body);
    bytes
}

/// The calls of a moment, each of which may be answered oddly: those of its look first, then those of the whole life.
pub struct Book {
    pub calls: Vec<Call>,
    /// Where a call is, by its method and path, and by the same without query and ids.
    places: HashMap<String, usize>,
}

impl Book {
    fn of(life: &Life, moment: &Moment) -> Self {
        let mut book = Self { calls: Vec::new(), places: HashMap::new() };
        for call in moment.look.iter().chain(&life.calls) {
            let place = format!("{} {}", call.method, call.path);
            if !book.places.contains_key(&place) {
                book.places.insert(place, book.calls.len());
                book.places.entry(format!("{} {}", call.method, plain(&call.path))).or_insert(book.calls.len());
                book.calls.push(call.clone());
            }
        }
        book
    }

    fn find(&self, method: &str, path: &str) -> Option<&Call> {
        let at = self.places.get(&format!("{method} {path}")).or_else(|| self.places.get(&format!("{method} {}", plain(path))));
        at.map(|it| &self.calls[*it])
    }
}

/// The books of a life's moments.
pub fn books(vendor: Vendor) -> &'static [Book] {
    static BOOKS: [OnceLock<Vec<Book>>; 2] = [OnceLock::new(), OnceLock::new()];
    let life = life(vendor);
    BOOKS[vendor as usize].get_or_init(|| life.moments.iter().map(|it| Book::of(life, it)).collect())
}

/// Answers as a moment's cloud did, but for one call.
struct Bent {
    book: &'static Book,
    odd: Option<Call>,
}

#[async_trait]
impl Wire for Bent {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        let (method, path, _) = spoken(&request);
        let odd = self.odd.as_ref().filter(|it| it.method == method && plain(&it.path) == plain(&path));
        match odd.or_else(|| self.book.find(&method, &path)) {
            Some(it) => Ok(answered(it.status, &it.headers, it.answer.clone())),
            None => Ok(answered(404, &[], b"{\"type\": \"not_found\", \"errors\": [{\"reason\": \"Not found\"}]}".to_vec())),
        }
    }
}

/// A path without its query and ids: whoever asks for one volume asks for any.
fn plain(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_id = |it: &&str| it.len() == 36 && it.matches('-').count() == 4 || it.starts_with(|first: char| first.is_ascii_digit());
    path.split('/').map(|it| if is_id(&it) { "{id}" } else { it }).collect::<Vec<_>>().join("/")
}

/// The part of a world that a list is for, and the key below which the list is.
fn part(world: &World, vendor: Vendor, path: &str) -> Option<(&'static str, bool)> {
    fn unknown<T>(seen: &Seen<T>) -> bool {
        matches!(seen, Seen::Unknown(_))
    }
    let path = path.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let elsewhere = path.contains("/zones/") && !path.contains("/fr-par-2/");
    match (vendor, last) {
        (Vendor::Scaleway, list) if elsewhere => {
            let key = ["servers", "volumes", "snapshots", "ips", "security_groups"].into_iter().find(|it| *it == list)?;
            Some((key, unknown(&world.elsewhere)))
        }
        (Vendor::Scaleway, "servers") => Some(("servers", unknown(&world.servers))),
        (Vendor::Scaleway, "volumes") => Some(("volumes", unknown(&world.volumes))),
        (Vendor::Scaleway, "snapshots") => Some(("snapshots", unknown(&world.snapshots))),
        (Vendor::Scaleway, "ips") => Some(("ips", unknown(&world.addresses))),
        (Vendor::Scaleway, "security_groups") => Some(("security_groups", unknown(&world.firewalls))),
        (Vendor::Linode, "instances") => Some(("data", unknown(&world.servers))),
        (Vendor::Linode, "volumes") => Some(("data", unknown(&world.volumes))),
        (Vendor::Linode, "images") => Some(("data", unknown(&world.images))),
        (Vendor::Linode, "ips") if !path.contains("/instances/") => Some(("data", unknown(&world.addresses))),
        (Vendor::Linode, "firewalls") if !path.contains("/instances/") => Some(("data", unknown(&world.firewalls))),
        _ => None,
    }
}

/// Whether an answer is none to whoever knows the API: no JSON, or no list where the list must be. Another zone may well
/// say that it does not have a product.
fn is_garbage(call: &Call, key: &str) -> bool {
    let good = (200..300).contains(&call.status);
    if !good && call.path.contains("/zones/") && !call.path.contains("/fr-par-2/") {
        return !serde_json::from_slice::<Value>(&call.answer).is_ok_and(|it| it.is_object());
    }
    !good || !serde_json::from_slice::<Value>(&call.answer).is_ok_and(|it| it[key].is_array())
}

fn feed(vendor: Vendor, bytes: &[u8]) {
    let Some((head, body)) = bytes.split_at_checked(HEAD) else { return };
    let began = Instant::now();
    let life = life(vendor);
    let at = usize::from(head[0]) % life.moments.len();
    let (moment, book) = (&life.moments[at], &books(vendor)[at]);
    let mut odd = book.calls[usize::from(head[1]) % book.calls.len()].clone();
    (odd.status, odd.answer) = (STATUSES[usize::from(head[2]) % STATUSES.len()], body.to_vec());
    match head[3] {
        1 => odd.headers.retain(|(name, _)| name != "date"),
        2 => odd.headers.push(("retry-after".to_owned(), "18446744073709551615".to_owned())),
        3 => odd.headers.retain(|(name, _)| name != "x-total-count"),
        4 => odd.headers.push(("x-maintenance-mode".to_owned(), "all".to_owned())),
        5 => {
            odd.headers.retain(|(name, _)| name != "date" && name != "x-total-count");
            odd.headers.push(("date".to_owned(), "Fri, 31 Dec 9999 23:59:59 GMT".to_owned()));
            odd.headers.push(("x-total-count".to_owned(), "18446744073709551615".to_owned()));
        }
        _ => {}
    }
    runtime().block_on(look_and_act(vendor, moment, book, &odd));
    assert!(began.elapsed().as_secs() < 10, "it took {:?}", began.elapsed());
}

async fn look_and_act(vendor: Vendor, moment: &Moment, book: &'static Book, odd: &Call) {
    let ask = &moment.next;
    let honest_wire = Arc::new(Bent { book, odd: None });
    let wire = Arc::new(Bent { book, odd: Some(odd.clone()) });
    let hands = hands(vendor, wire, ask);
    let cloud = hands.capabilities().clone();
    let world = hands.observe(&ask.key).await;
    let next = plan(ask, &world, &Facts::default(), &cloud);
    let objections = audit(&next, ask, &world, &cloud);
    assert!(objections.is_empty(), "the audit objects: {:?}", objections.iter().map(|it| &it.why).collect::<Vec<_>>());
    // The same list is asked for at other places as well: what is wanted of it there is another matter.
    let was_of_the_look = moment.look.iter().any(|it| it.method == odd.method && it.path == odd.path);
    if let Some((key, is_unknown)) = part(&world, vendor, &odd.path).filter(|_| odd.method == "GET" && was_of_the_look)
        && is_garbage(odd, key)
    {
        assert!(is_unknown, "{}: {} and garbage, and it was taken for something", odd.path, odd.status);
        let steps: Vec<_> = next.next.iter().map(|it| it.step.key()).collect();
        assert!(steps.is_empty(), "{}: blind, and doing {steps:?}", odd.path);
    }
    let told = forecast(ask, &world, &Facts::default(), &cloud);
    let view = PlanView { ask, world: &world, forecast: &told, cloud: &cloud, place: "pad.yaml:1" };
    assert_shown_clean(&plan_text(&view, &Screen::plain()), "a plan");
    let _ = hands.vet(&world).await;
    let _ = hands.strays().await;

    // Steps are planned from what is true, and meet the odd answer.
    let honest = super::lives::hands(vendor, honest_wire, ask).observe(&ask.key).await;
    for planned in plan(ask, &honest, &Facts::default(), &cloud).next {
        let key = planned.step.key();
        let answer = hands.perform(&planned.step).await;
        let is_odd = odd.method == "POST" && is_create_key(&key) && odd.path.split('?').next().is_some_and(|it| makes(vendor, &key, it));
        if is_odd && (200..300).contains(&odd.status) && serde_json::from_slice::<Value>(&odd.answer).is_err() {
            assert!(matches!(answer, Err(Problem::MaybeDone { .. })), "{key} answered with garbage: {answer:?}");
        }
        let _ = hands.instead(&planned.step).await;
    }
    for server in honest.servers.items() {
        let _ = hands.arrived(&Awaited::ServerGone(server.id.clone())).await;
    }
}

/// Whether a call is the one that makes what a step makes.
fn makes(vendor: Vendor, step: &str, path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (vendor, step) {
        (Vendor::Scaleway, "create-server") => last == "servers",
        (Vendor::Linode, "create-server") => last == "instances",
        (_, step) if step.starts_with("create-volume") => last == "volumes",
        (Vendor::Linode, "create-firewall") => last == "firewalls",
        _ => false,
    }
}
