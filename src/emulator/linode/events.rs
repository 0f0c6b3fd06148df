//! What the account is told of everything that happens, and how far each job has come.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::moments::stamp;
use super::problem::not_found;
use super::{listing, listing::list};
use crate::emulator::face::route::{change, look};
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How many events are kept: those without a job are the first to go.
const KEPT: usize = 5_000;

/// The endpoints of events.
pub static ROUTES: &[Route] = &[
    look("/account/events", index),
    look("/account/events/{id}", get),
    change("POST", "/account/events/{id}/seen", see),
    change("POST", "/account/events/{id}/read", see),
];

/// The events, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Events {
    /// The events.
    pub list: Vec<Event>,
    /// After how many cloud seconds an event can be seen.
    pub lag: u64,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its id: a number, or text for images of the vendor's own.
    pub id: Value,
    /// `linode`, `disk`, `image`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// Its label at the time.
    pub label: String,
    /// Its path, with `/v4`.
    pub url: String,
}

impl Entity {
    /// Something with a numeric id, whose path is given without `/v4`.
    pub fn new(kind: &str, id: &str, label: &str, path: &str) -> Entity {
        let id = id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number));
        Entity { id, kind: kind.to_owned(), label: label.to_owned(), url: format!("/v4{path}") }
    }
}

/// How far the job has come that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It waits for others.
    Scheduled,
    /// It runs.
    Started,
    /// It is done.
    Finished,
    /// It came to nothing.
    Failed,
    /// There is no job: it happened at once.
    Notification,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub id: u64,
    /// What happened: `linode_boot`, ….
    pub action: String,
    /// How far it is.
    pub stage: Stage,
    /// When it came up.
    pub created: Moment,
    /// When its job began.
    pub started: Option<Moment>,
    /// When its job ended.
    pub ended: Option<Moment>,
    /// How many cloud seconds its job is expected to take.
    pub takes: u64,
    /// What it is about.
    pub entity: Option<Entity>,
    /// What else it is about.
    pub secondary: Option<Entity>,
    /// Why it failed.
    pub message: String,
    /// Whether somebody marked it as seen.
    pub seen: bool,
}

impl Event {
    /// How much of its job is done, in percent. The second half of a capture, the upload, begins at 0 again.
    fn percent(&self, now: Moment) -> Option<u64> {
        let passed = self.started.map_or(0.0, |started| now.seconds_since(started).max(0.0));
        let part = passed / self.takes.max(1) as f64;
        match (self.stage, self.action.as_str()) {
            (Stage::Notification, _) => None,
            (Stage::Scheduled, _) => Some(0),
            (Stage::Finished | Stage::Failed, _) => Some(100),
            (Stage::Started, "disk_imagize") if part > 0.6 => Some(0),
            (Stage::Started, "disk_imagize") => Some((part * 150.0) as u64),
            (Stage::Started, "linode_snapshot") => Some(if part < 0.75 { 0 } else { 50 }),
            (Stage::Started, _) => Some((part * 80.0).min(96.0) as u64),
        }
    }

    /// How long its job has taken, in seconds: with fractions while it goes on.
    fn duration(&self, now: Moment) -> Value {
        let since = |end: Moment| self.started.map_or(0.0, |started| end.seconds_since(started).max(0.0));
        match (self.stage, self.ended) {
            (Stage::Notification, _) => Value::Null,
            (_, Some(ended)) => json!(since(ended).round()),
            _ => json!(since(now)),
        }
    }

    /// As the API shows it.
    fn shown(&self, now: Moment) -> Value {
        json!({
            "id": self.id,
            "created": stamp(self.created),
            "seen": self.seen,
            "read": self.seen,
            "percent_complete": self.percent(now),
            "time_remaining": null,
            "rate": null,
            "duration": self.duration(now),
            "action": self.action,
            "username": "user",
            "entity": self.entity,
            "status": self.stage,
            "secondary_entity": self.secondary,
            "message": self.message,
            "details": {},
        })
    }
}

/// Tells of something that happened at once.
pub fn notify(deed: &mut Deed, action: &str, entity: Option<Entity>, secondary: Option<Entity>) {
    tell(deed, action, Stage::Notification, entity, secondary);
}

/// Adds an event; gives its number.
pub fn tell(deed: &mut Deed, action: &str, stage: Stage, entity: Option<Entity>, secondary: Option<Entity>) -> u64 {
    let id = deed.mint("event").parse().unwrap_or_default();
    let created = deed.now;
    let event = Event {
        id,
        action: action.to_owned(),
        stage,
        created,
        started: None,
        ended: None,
        takes: 0,
        entity,
        secondary,
        message: String::new(),
        seen: false,
    };
    let list = &mut deed.truth.linode.events.list;
    if list.len() >= KEPT {
        let place = list.iter().position(|event| event.stage == Stage::Notification);
        list.remove(place.filter(|place| *place < KEPT / 2).unwrap_or(0));
    }
    list.push(event);
    id
}

/// Notes that the job of an event has begun, which is expected to take so many cloud seconds.
pub fn begin(deed: &mut Deed, id: u64, takes: u64) {
    let now = deed.now;
    if let Some(event) = find_mut(deed, id) {
        event.stage = Stage::Started;
        event.started = Some(now);
        event.takes = takes;
    }
}

/// Notes that the job of an event has ended, well or not.
pub fn end(deed: &mut Deed, id: u64, failure: Option<&str>) {
    let now = deed.now;
    if let Some(event) = find_mut(deed, id) {
        event.stage = if failure.is_some() { Stage::Failed } else { Stage::Finished };
        event.started = event.started.or(Some(now));
        event.ended = Some(now);
        event.message = failure.unwrap_or_default().to_owned();
    }
}

/// Names what else an event is about.
pub fn involve(deed: &mut Deed, id: u64, secondary: Option<Entity>) {
    if let Some(event) = find_mut(deed, id) {
        event.secondary = secondary;
    }
}

fn find_mut(deed: &mut Deed, id: u64) -> Option<&mut Event> {
    deed.truth.linode.events.list.iter_mut().rev().find(|event| event.id == id)
}

/// The events that can be seen, the newest first.
fn visible(truth: &Truth, now: Moment) -> impl Iterator<Item = &Event> {
    let events = &truth.linode.events;
    events.list.iter().rev().filter(move |event| event.created.plus_seconds(events.lag) <= now)
}

fn index(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::EVENTS, visible(truth, now).map(|event| event.shown(now)).collect())
}

fn get(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let event = visible(truth, now).find(|event| event.id.to_string() == args.id).ok_or_else(not_found)?;
    Ok(Answer::ok(event.shown(now)))
}

/// POST `seen`: this event and all before it are.
fn see(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let place = deed.truth.linode.events.list.iter().position(|event| event.id.to_string() == args.id).ok_or_else(not_found)?;
    deed.truth.linode.events.list.iter_mut().take(place + 1).for_each(|event| event.seen = true);
    Ok(Answer::ok(json!({})))
}
