//! Floor 2, mirrors: plans, tables and events as text, and as versioned JSON.

mod clean;
mod clock;
mod conditions;
mod events;
mod json;
mod past;
mod plans;
mod screen;
mod story;
mod table;

pub use clean::{LogLine, LogObject, gate, json_line, plain, visible, yaml_document};
pub use clock::{Upcoming, clock_json, time_text};
pub use conditions::{LastRun, conditions};
pub use events::{Lines, Live};
pub use json::{JSON_VERSION, event_json, plan_json, ready_json};
pub use past::{PastRun, runs_table};
pub use plans::{PlanView, plan_text, summary};
pub use screen::{Screen, span};
pub use story::story;
pub use table::table;

pub use crate::model::{standing, wished};
