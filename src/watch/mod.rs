//! Floor 3, a mirror that is looked into from afar: what is known of a fleet, and what happens to it, over HTTP.
//!
//! [`Hub`] is told by the watch what it sees and does; a [`Door`] shows that to browsers, to Prometheus and to whoever asks
//! whether all is well, and hands on what people order. Neither knows a cloud.

mod bars;
mod counts;
mod course;
mod door;
mod fleet;
mod gate;
mod html;
mod hub;
mod instance;
mod metrics;
mod news;
mod path;
mod row;
mod shell;
mod visit;
mod wire;

pub use course::PlannedAct;
pub use door::{Closed, Door, Rules, address};
pub use gate::{Token, WeakToken};
pub use hub::{Hub, Question};
pub use row::{Object, Row, Switch};
pub use visit::{Hook, HookCheck, Order};
pub use wire::Limits;
