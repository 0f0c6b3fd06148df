//! What the account is told of everything that happens, and how far each job has come.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::emulator::Moment;
use crate::emulator::physics::Deed;

/// How many events are kept.
const KEPT: usize = 2_000;

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

/// Tells of something that happened at once.
pub fn notify(deed: &mut Deed, action: &str, entity: Option<Entity>, secondary: Option<Entity>) {
    tell(deed, action, Stage::Notification, entity, secondary, 0);
}

/// Adds an event; gives its number.
pub fn tell(deed: &mut Deed, action: &str, stage: Stage, entity: Option<Entity>, secondary: Option<Entity>, takes: u64) -> u64 {
    let id = deed.mint("event").parse().unwrap_or_default();
    let created = deed.now;
    let started = (stage == Stage::Started).then_some(created);
    let event = Event {
        id,
        action: action.to_owned(),
        stage,
        created,
        started,
        ended: None,
        takes,
        entity,
        secondary,
        message: String::new(),
        seen: false,
    };
    let list = &mut deed.truth.linode.events.list;
    if list.len() >= KEPT {
        list.remove(0);
    }
    list.push(event);
    id
}
