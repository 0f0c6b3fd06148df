//! What only this vendor's API knows of the objects: its part of the truth. Labels, tags, regions and bytes are the core's,
//! whose ids are this API's numbers as decimal text.

use serde::{Deserialize, Serialize};

use super::events::Events;

/// Everything, by the ids of the core's objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What the account was told.
    pub events: Events,
}
