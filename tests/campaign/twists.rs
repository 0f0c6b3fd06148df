//! What befalls a run beside bad answers: its process dies, its owner stops it, somebody else has a hand in the console.

/// Something that happens to a run at a moment that its own requests name.
#[derive(Clone)]
pub struct Twist {
    pub at: At,
    pub what: What,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// Its so-manieth request.
    Request(usize),
    /// Its so-manieth request that changes something.
    Change(usize),
    /// The first request that changes something and whose path contains this.
    Path(&'static str),
    /// The first request that a fault of this kind befell.
    Fault(&'static str),
}

/// What happens.
#[derive(Clone, Copy)]
pub enum What {
    /// The process dies.
    Death(Death),
    /// The owner presses Ctrl-C.
    Stop,
    /// Somebody acts in the vendor's console; who and how, this number says.
    Stranger(u64),
    /// For so many requests there is no connection.
    Unreachable(usize),
    /// The cloud does it, and takes longer to answer than anybody waits.
    Silence,
}

/// When a process dies, seen from the request at which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Before the request left. The last line of the journal may be torn.
    Unsent,
    /// While the request was under way, which arrives all the same.
    Underway,
    /// When the cloud had done it, before the answer was noted.
    Answered,
}

impl At {
    /// Whether this is the moment: a request of this number among all of the run, and among those that change something.
    pub fn is_now(&self, request: usize, change: Option<usize>, path: &str) -> bool {
        match self {
            At::Request(number) => *number == request,
            At::Change(number) => change == Some(*number),
            At::Path(part) => change.is_some() && path.contains(part),
            At::Fault(_) => false,
        }
    }

    /// Whether a fault of this kind is the moment.
    pub fn is_fault(&self, kind: &str) -> bool {
        matches!(self, At::Fault(wanted) if *wanted == kind)
    }
}
