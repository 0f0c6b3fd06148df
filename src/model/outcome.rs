//! What the planner answers: steps with reasons, waits, and a verdict.

use super::{Aim, Ask, Awaited, Because, Hold, Role, Step, Word, ago};
use std::fmt;

/// What may be done now.
#[derive(Debug)]
#[must_use]
pub struct Plan {
    /// Calls that may be made now, side by side.
    pub next: Vec<Planned>,
    /// What is under way and awaited.
    pub waits: Vec<Wait>,
    /// Where the instance stands.
    pub verdict: Verdict,
    /// What the owner should know, whatever the verdict.
    pub notes: Vec<Note>,
}

/// Where an instance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There are steps or waits.
    Underway,
    /// The spec is reached; planning again changes nothing.
    Done,
    /// The owner is needed; planning again changes nothing.
    Held(Hold),
}

/// A step with its reason and what people see of it.
#[derive(Debug)]
pub struct Planned {
    /// The call.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub line: Line,
    /// The instance can do without it: a refusal is noted and does not end a run.
    pub optional: bool,
}

/// A step for people: a verb, an object, and how long it usually takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `stop`, `snapshot`, …
    pub verb: &'static str,
    /// `server mypad`, `root disk 30 GB`, …
    pub object: String,
    /// Usual cloud seconds until the effect is seen.
    pub seconds: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object)
    }
}

/// Something under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What is looked at.
    pub awaited: Awaited,
    /// `server mypad is off`, `the snapshot of the data disk is ready`, …
    pub until: String,
    /// Usual cloud seconds.
    pub seconds: u64,
}

/// Why a step is taken: a closed set, for people. Nothing is decided by it but that a start for having been found off is
/// remembered as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The spec's `serverState` asks for it.
    ServerState(super::ServerState),
    /// The clock asks for it, in place of the spec's `serverState`.
    ByClock(Because, super::ServerState),
    /// It ran as long as `session.max` says.
    SessionOver,
    /// `cloudypad delete` asks for it.
    Deletion,
    /// The host name or address should stay the same.
    StableAddress,
    /// The server must not stand in the open.
    ClosedFirst,
    /// The firewall differs from `network`.
    NetworkRules,
    /// The spec's DNS name follows the machine.
    NameFollows,
    /// Nothing answers under the spec's DNS name while the instance is archived.
    Parked,
    /// While it is archived, an address costs and its DNS name finds the next one.
    NameIsEnough,
    /// The guest's keys are to be there before its first boot.
    BeforeFirstBoot,
    /// A guest that shuts down is to stay off, or, while it is configured, to come up again.
    Watchdog(bool),
    /// The cloud gave up the capture; it is not tried again unasked.
    GivenUp,
    /// The spec pays for other operations a second.
    Iops,
    /// The spec wants a data disk.
    WantsData,
    /// The disk comes back from its newest copy.
    FromCopy(Role),
    /// The server is born from the stock image with this label.
    FirstDeploy(String),
    /// The server comes back from the capture.
    FromCapture,
    /// The server comes back with the root disk that was kept.
    FromDisk,
    /// An object does not carry the tags it should.
    Tags,
    /// Who else applies the instance is to see which spec it has now.
    SaysSpec,
    /// The cloud made the root disk without our tags.
    ClaimRoot,
    /// The root disk has been captured.
    Captured,
    /// The first deploy is to be captured, and a capture needs a quiet disk.
    QuietForCapture,
    /// The first deploy is captured.
    FirstCapture,
    /// Start again after the capture.
    AfterCapture,
    /// The guest shut down, and the vendor still bills it.
    StillBilled,
    /// A change needs the server off.
    OffForChange(&'static str),
    /// The spec's type differs.
    TypeChanged,
    /// The spec's image differs.
    ImageChanged,
    /// The disk is smaller than the spec says.
    Grew(Role),
    /// The server should have this disk.
    Attach(Role),
    /// The spec no longer names the disk.
    NotInSpec(Role),
    /// A detached disk is a quiet one, and says since when.
    QuietForCopy,
    /// `rootDiskSnapshot.onStop: refresh`.
    Refresh,
    /// The disk's newest bytes live nowhere else.
    OnlyCopy(Role),
    /// Every disk is spared.
    DisksSpared,
    /// The owner's word lets the root disk go, which dies with the server.
    LetRootGo(Word),
    /// A ready copy covers the disk.
    Covered,
    /// The owner's word lets it go.
    LetGo(Word),
    /// It was made twice, and never used.
    Duplicate,
    /// It was never used.
    NeverUsed,
    /// Newer copies are ready.
    Superseded(u32),
    /// The copy failed.
    FailedCopy,
    /// The recipe is new to this server.
    Recipe,
    /// The recipe is another one than this server was configured by.
    RecipeChanged,
    /// The whole recipe succeeded.
    Configured,
    /// The capture was made before the server was configured anew.
    CaptureOutdated,
    /// It runs at every start.
    AtStart,
    /// Everything that is due at a start is done.
    StartedUp,
    /// Something is to run once it is started.
    BeforeStart,
    /// With nothing to configure, a server that ran once is ready to be captured.
    RanOnce,
    /// Another source's object is taken over.
    Adopted,
    /// Nobody uses the server.
    Idle,
    /// Its owner ended its rest.
    Woken,
    /// It went off without having been told to.
    FoundOff,
}

impl Reason {
    /// The same, where what a spec wishes for its server comes from its schedule or session.
    pub fn by_clock(self, ask: &Ask) -> Self {
        match (self, &ask.by_clock) {
            (Reason::ServerState(state), Some(wish)) if wish.because != Because::Declared => Reason::ByClock(wish.because, state),
            (other, _) => other,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use super::ServerState::{Absent, Present, Stopped};
        match self {
            Reason::ServerState(Present) => write!(f, "serverState is present"),
            Reason::ServerState(Stopped) => write!(f, "serverState is stopped"),
            Reason::ServerState(Absent) => write!(f, "serverState is absent"),
            Reason::ByClock(Because::Until, _) => write!(f, "its session is over (session.until)"),
            Reason::ByClock(because, Present) => write!(f, "{because} says present"),
            Reason::ByClock(because, Stopped) => write!(f, "{because} says stopped"),
            Reason::ByClock(because, Absent) => write!(f, "{because} says absent"),
            Reason::SessionOver => write!(f, "its session is over (session.max)"),
            Reason::Deletion => write!(f, "cloudypad delete"),
            Reason::StableAddress => write!(f, "the address should stay the same"),
            Reason::ClosedFirst => write!(f, "the server must never stand in the open"),
            Reason::NetworkRules => write!(f, "network says what to let in"),
            Reason::WantsData => write!(f, "the spec has a dataDisk"),
            Reason::NameFollows => write!(f, "network.dns follows the machine"),
            Reason::Parked => write!(f, "nothing answers there while archived"),
            Reason::NameIsEnough => write!(f, "the DNS name finds the next one"),
            Reason::BeforeFirstBoot => write!(f, "its keys, before its first boot"),
            Reason::Iops => write!(f, "the spec's iops differ"),
            Reason::Watchdog(true) => write!(f, "its configuration restarts it"),
            Reason::Watchdog(false) => write!(f, "a guest that shuts down is to stay off"),
            Reason::GivenUp => write!(f, "the cloud gave up its capture"),
            Reason::FromCopy(role) => write!(f, "its newest {role} snapshot has its bytes"),
            Reason::FirstDeploy(image) => write!(f, "first deploy, from image {image}"),
            Reason::FromCapture => write!(f, "its root disk is restored"),
            Reason::FromDisk => write!(f, "its root disk was kept"),
            Reason::Tags => write!(f, "its tags differ from what the spec says"),
            Reason::SaysSpec => write!(f, "it says which spec was applied last"),
            Reason::ClaimRoot => write!(f, "the cloud made it without name and tags"),
            Reason::Captured => write!(f, "the root disk is captured now"),
            Reason::QuietForCapture => write!(f, "a capture needs a quiet disk"),
            Reason::FirstCapture => write!(f, "rootDiskSnapshot, no capture yet"),
            Reason::AfterCapture => write!(f, "captured; serverState is present"),
            Reason::StillBilled => write!(f, "the guest is off, and the machine is still billed"),
            Reason::OffForChange(what) => write!(f, "a change of {what} needs the server off"),
            Reason::TypeChanged => write!(f, "the spec's instanceType differs"),
            Reason::ImageChanged => write!(f, "the spec's image differs"),
            Reason::Grew(role) => write!(f, "the spec's {role}Disk is larger"),
            Reason::Attach(Role::Root) => write!(f, "it is the server's root disk"),
            Reason::Attach(Role::Data) => write!(f, "it is the server's data disk"),
            Reason::NotInSpec(role) => write!(f, "the spec no longer names a {role} disk"),
            Reason::QuietForCopy => write!(f, "a detached disk is a quiet one"),
            Reason::Refresh => write!(f, "onStop: refresh"),
            Reason::OnlyCopy(_) => write!(f, "its newest bytes live nowhere else"),
            Reason::LetRootGo(word) => write!(f, "{word} lets its root disk go"),
            Reason::DisksSpared => write!(f, "every disk is spared"),
            Reason::Covered => write!(f, "the new copy covers it"),
            Reason::LetGo(word) => write!(f, "{word} lets it go"),
            Reason::Duplicate => write!(f, "made twice, and this one was never used"),
            Reason::NeverUsed => write!(f, "never used"),
            Reason::Superseded(retain) => write!(f, "retain: {retain}, and newer ones are ready"),
            Reason::FailedCopy => write!(f, "it failed"),
            Reason::RanOnce => write!(f, "it has run; nothing to configure"),
            Reason::Recipe => write!(f, "the configuration is new to this server"),
            Reason::RecipeChanged => write!(f, "the configuration changed"),
            Reason::Configured => write!(f, "the whole configuration succeeded"),
            Reason::CaptureOutdated => write!(f, "the configuration is newer than the capture"),
            Reason::AtStart => write!(f, "it runs at every start"),
            Reason::StartedUp => write!(f, "everything due at this start is done"),
            Reason::BeforeStart => write!(f, "something is to run once it is started"),
            Reason::Adopted => write!(f, "cloudypad adopt"),
            Reason::Idle => write!(f, "nobody uses it"),
            Reason::Woken => write!(f, "its rest is over"),
            Reason::FoundOff => write!(f, "serverState is present, and it was found off"),
        }
    }
}

/// Something the owner should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What remains and is billed.
    Kept(String),
    /// What the spec no longer names, still billed.
    NotInSpec(String),
    /// What will be lost, by whose word.
    WillLose(String),
    /// What the cloud refused and is tried again another time.
    RefusedForNow(String),
    /// What happens at the next stop or start.
    Later(String),
    /// What this cloud bills although it looks off.
    BilledWhenOff(String),
    /// What is not touched although it may be missed.
    LeftAlone(String),
    /// What the owner may not have thought of.
    Mind(String),
    /// The root disk cannot be captured, and what to do about it.
    CaptureFailed(String),
    /// The server has what no capture has yet, which is captured at the next stop.
    CapturePending(&'static str),
    /// What somebody else applied before.
    Overrides {
        /// What.
        aim: Aim,
        /// How many seconds ago, on the vendor's clock.
        seconds: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Kept(what) => write!(f, "kept: {what}"),
            Note::NotInSpec(what) => write!(f, "no longer in the spec, still billed: {what}"),
            Note::WillLose(what) => write!(f, "will be lost: {what}"),
            Note::RefusedForNow(what) => write!(f, "refused by the cloud, tried again at the next archive: {what}"),
            Note::Later(what) => write!(f, "later: {what}"),
            Note::Mind(what) => write!(f, "mind: {what}"),
            Note::LeftAlone(what) => write!(f, "left alone: {what}"),
            Note::BilledWhenOff(what) => f.write_str(what),
            Note::CapturePending(what) => write!(f, "CapturePending: {what}; it is captured at the next stop"),
            Note::CaptureFailed(what) => write!(f, "CaptureFailed: {what}"),
            Note::Overrides { aim: aim @ Aim::Reach(_), seconds } => write!(f, "overrides: {aim}, applied {}", ago(*seconds)),
            Note::Overrides { aim: aim @ Aim::Delete { .. }, seconds } => write!(f, "overrides: {aim}, begun {}", ago(*seconds)),
        }
    }
}
