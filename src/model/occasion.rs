//! Why a run began.

/// What made a run begin: for people and tools; nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occasion {
    /// Somebody used a command.
    ByHand,
    /// What is watched says something else than before.
    Edit,
    /// What is watched was looked at again, unasked.
    Resync,
    /// A guest said that nobody uses it.
    Idle,
    /// A schedule, or the end of a session.
    Schedule,
    /// Somebody told us that the source has news.
    Webhook,
}

impl Occasion {
    /// For people, after "because".
    pub fn reason(self) -> &'static str {
        match self {
            Occasion::ByHand => "it was ordered by hand",
            Occasion::Edit => "what is declared changed",
            Occasion::Resync => "it was time for another look",
            Occasion::Idle => "nobody uses it",
            Occasion::Schedule => "the clock says so",
            Occasion::Webhook => "the source has news",
        }
    }

    /// A word for tools.
    pub fn code(self) -> &'static str {
        match self {
            Occasion::ByHand => "byHand",
            Occasion::Edit => "edit",
            Occasion::Resync => "resync",
            Occasion::Idle => "idle",
            Occasion::Schedule => "schedule",
            Occasion::Webhook => "webhook",
        }
    }
}
