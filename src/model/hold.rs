//! Why nothing is done although the spec is not reached: a closed table, each with its remedy.
//! `specs/laws.md` carries the same table; a test compares.

use super::{Aim, Asleep, Lock, Role, ago};
use std::fmt;

/// Why the owner is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The spec says hands off.
    Suspended,
    /// A look failed.
    Blind {
        /// What could not be seen.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// The cloud does not let us look.
    Denied {
        /// What could not be seen.
        what: &'static str,
        /// What the cloud said.
        answer: String,
        /// What to do about it.
        remedy: String,
    },
    /// The DNS name is somebody else's.
    RecordTaken {
        /// The name.
        name: String,
        /// Where it points.
        addresses: Vec<String>,
    },
    /// No machine of the type is free.
    OutOfStock {
        /// What was asked.
        step: String,
        /// The cloud's answer.
        answer: String,
        /// What is free instead.
        instead: String,
    },
    /// The cloud shows a state that is not in our table.
    UnknownState {
        /// The object.
        object: String,
        /// The state, in the vendor's words.
        state: String,
    },
    /// The vendor, or the owner in the vendor's console, locked the object.
    Locked {
        /// The object.
        object: String,
        /// Who, and why.
        by: Lock,
    },
    /// The cloud gave up capturing the root disk, which dies with its server.
    CaptureFailed {
        /// The size of the root disk in GB.
        disk_gb: u64,
        /// The largest capture that the account may store, in GB.
        limit_gb: u64,
        /// What the cloud said; may be empty.
        said: String,
    },
    /// The instance lives in another zone.
    LivesElsewhere {
        /// Where its objects are.
        zones: Vec<String>,
        /// Where the spec wants it.
        wanted: String,
    },
    /// Another source manages the object.
    OtherOwner {
        /// The object.
        object: String,
        /// Its source.
        owner: String,
    },
    /// Another spec was applied, or the instance deleted, after this wish was.
    OtherApplier {
        /// What.
        aim: Aim,
        /// How many seconds ago, on the vendor's clock.
        seconds: u64,
    },
    /// Two servers of the instance were used.
    TwoServers {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Two disks of one role were used.
    TwoDisks {
        /// Which role.
        role: Role,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The instance had a disk of this role, and it is gone, not by cloudypad.
    DiskGone {
        /// Which role.
        role: Role,
        /// Whether a copy of it is left.
        copy: bool,
    },
    /// The disk, or the copy it would come from, is larger than the spec says.
    WouldShrink {
        /// Which role.
        role: Role,
        /// Its size in GB.
        has: u64,
        /// The spec's size in GB.
        wants: u64,
    },
    /// The root disk would be destroyed without a copy.
    RootWouldDie {
        /// By what.
        by: &'static str,
    },
    /// The spec, or a tag, protects what would be destroyed.
    Protected {
        /// What.
        what: String,
    },
    /// A volume of another instance is attached to a server of this one.
    ForeignDisk {
        /// The volume.
        volume: String,
        /// The other instance, as its tag names it.
        instance: String,
    },
    /// A volume or an address of the instance is attached to a server that is not the instance's.
    AttachedElsewhere {
        /// The disk or address.
        object: String,
        /// The server.
        server: String,
    },
    /// An object carries the instance's tag, and its role cannot be told any more.
    TagsDamaged {
        /// The object.
        object: String,
    },
    /// The vendor reports that the disk is broken.
    DiskBroken {
        /// The disk.
        object: String,
    },
    /// The cloud refused a call.
    Refused {
        /// What was asked.
        step: String,
        /// The cloud's answer.
        answer: String,
        /// What to do about it, where the answer tells.
        remedy: Option<String>,
    },
    /// A transition did not arrive in time.
    Stuck {
        /// What was awaited.
        awaited: String,
        /// For how many seconds.
        seconds: u64,
    },
    /// It went to sleep by itself, or its session is over, and its owner has not woken it.
    Archived {
        /// Since when, in seconds of the vendor's clock.
        since: i64,
        /// Why.
        why: Asleep,
    },
    /// It was found off, started, and went off again at once, and nobody told it to.
    KeepsGoingOff {
        /// The server.
        server: String,
        /// How many seconds after it was started.
        seconds: u64,
    },
    /// A call kept failing.
    KeepsFailing {
        /// What was asked.
        step: String,
        /// The last answer.
        answer: String,
    },
}

/// That the cloud gave up a capture, for people.
pub fn capture_failed(disk_gb: u64, limit_gb: u64, said: &str) -> String {
    let usual = format!("probably more than {limit_gb} GB of its {disk_gb} GB are used, the account's limit");
    let why = if said.is_empty() { usual } else { format!("{said} ({usual})") };
    format!("the cloud gave up capturing the root disk: {why}")
}

/// The two ways out of [`capture_failed`].
pub fn capture_remedy(limit_gb: u64) -> String {
    format!(
        "have the vendor's support raise the limit above {limit_gb} GB and write it as imageLimitGb, \
         or write rootDisk: {{disposable: true}} to let the root disk go"
    )
}

impl Hold {
    /// The reason's code: stable, for tools.
    pub fn code(&self) -> &'static str {
        match self {
            Hold::Suspended => "Suspended",
            Hold::Blind { .. } => "Blind",
            Hold::Denied { .. } => "Denied",
            Hold::RecordTaken { .. } => "RecordTaken",
            Hold::OutOfStock { .. } => "OutOfStock",
            Hold::UnknownState { .. } => "UnknownState",
            Hold::Locked { .. } => "Locked",
            Hold::CaptureFailed { .. } => "CaptureFailed",
            Hold::LivesElsewhere { .. } => "LivesElsewhere",
            Hold::OtherOwner { .. } => "OtherOwner",
            Hold::OtherApplier { .. } => "OtherApplier",
            Hold::TwoServers { .. } => "TwoServers",
            Hold::TwoDisks { .. } => "TwoDisks",
            Hold::DiskGone { .. } => "DiskGone",
            Hold::WouldShrink { .. } => "WouldShrink",
            Hold::RootWouldDie { .. } => "RootWouldDie",
            Hold::Protected { .. } => "Protected",
            Hold::AttachedElsewhere { .. } => "AttachedElsewhere",
            Hold::ForeignDisk { .. } => "ForeignDisk",
            Hold::TagsDamaged { .. } => "TagsDamaged",
            Hold::DiskBroken { .. } => "DiskBroken",
            Hold::Refused { .. } => "Refused",
            Hold::Stuck { .. } => "Stuck",
            Hold::Archived { .. } => "Archived",
            Hold::KeepsGoingOff { .. } => "KeepsGoingOff",
            Hold::KeepsFailing { .. } => "KeepsFailing",
        }
    }

    /// What the owner can do.
    pub fn remedy(&self) -> String {
        match self {
            Hold::Suspended => "set suspend: false".to_owned(),
            Hold::Blind { .. } => "apply again when the cloud answers; nothing is changed meanwhile".to_owned(),
            Hold::Denied { remedy, .. } => remedy.clone(),
            Hold::RecordTaken { name, .. } => {
                format!("delete {name} in the DNS zone if nobody needs it, or write another record in network.dns")
            }
            Hold::OutOfStock { instead, .. } => {
                format!("{instead}, or keep trying with: cloudypad apply --wait-for-stock 30m")
            }
            Hold::UnknownState { .. } => "look at it in the vendor's console; apply again when it is in a usual state".to_owned(),
            Hold::Locked { by: Lock::Bill, .. } => "pay the bill, or ask the vendor's support".to_owned(),
            Hold::Locked { by: Lock::Maintenance, .. } => "apply again when the vendor has finished".to_owned(),
            Hold::Locked { .. } => "unlock it in the vendor's console (a vendor's own lock needs their support)".to_owned(),
            Hold::CaptureFailed { limit_gb, .. } => capture_remedy(*limit_gb),
            Hold::LivesElsewhere { zones, .. } => {
                format!(
                    "put zone and project back to {}, or delete the instance there keeping its snapshots (a data volume that can have \
                     none stays: move what it holds, then delete it)",
                    zones.join(", ")
                )
            }
            Hold::OtherOwner { owner, .. } => {
                format!("leave it to {owner}, or take it over with: cloudypad adopt")
            }
            Hold::OtherApplier { .. } => "agree on one spec; cloudypad apply, or cloudypad delete, then overrides the other".to_owned(),
            Hold::TwoServers { .. } => "find out which one you used last, and delete the other in the vendor's console".to_owned(),
            Hold::TwoDisks { role, .. } => {
                format!("find out which {role} disk is the one you want, and remove the tags of the other, or delete it")
            }
            Hold::DiskGone { copy: true, .. } => {
                "set serverState: absent and apply; present then brings it back from its newest copy".to_owned()
            }
            Hold::DiskGone { role: Role::Root, copy: false } => {
                "write rootDisk: {disposable: true} to start afresh from the image".to_owned()
            }
            Hold::DiskGone { role: Role::Data, copy: false } => {
                "write dataDisk: {delete: true}, apply, then give it a size again for a new empty one".to_owned()
            }
            Hold::WouldShrink { role, has, .. } => format!("write {role}Disk: {{sizeGb: {has}}} or more: disks never shrink"),
            Hold::RootWouldDie { .. } => "enable rootDiskSnapshot, or write rootDisk: {disposable: true} to let it go".to_owned(),
            Hold::Protected { .. } => "set protect: false and apply it first".to_owned(),
            Hold::AttachedElsewhere { object, server } => format!("detach {object} from {server}, or tag that server as the instance's"),
            Hold::ForeignDisk { volume, .. } => {
                format!("detach {volume} in the vendor's console, or remove its in: tag if it is this instance's")
            }
            Hold::TagsDamaged { .. } => "put its role:root or role:data tag back, or remove its in: tag".to_owned(),
            Hold::DiskBroken { .. } => "ask the vendor's support; nothing of it is deleted meanwhile".to_owned(),
            Hold::Refused { remedy: Some(remedy), .. } => remedy.clone(),
            Hold::Refused { .. } => "do what the cloud's answer asks for, then apply again".to_owned(),
            Hold::Stuck { .. } => "look at it in the vendor's console; apply again: the run goes on where it is".to_owned(),
            Hold::Archived { .. } => {
                "cloudypad wake, or write another word as wake: in its spec; applying it again does not wake it".to_owned()
            }
            Hold::KeepsGoingOff { .. } => {
                "look why in the vendor's console; cloudypad wake starts it once more, serverState: stopped leaves it off".to_owned()
            }
            Hold::KeepsFailing { .. } => "nothing is lost; apply again later: the run goes on where it is".to_owned(),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Suspended => write!(f, "the spec says to keep hands off"),
            Hold::Blind { what, cause } => write!(f, "the cloud did not show the instance's {what}: {cause}"),
            Hold::Denied { what, answer, .. } => write!(f, "the cloud does not show the instance's {what}: {answer}"),
            Hold::RecordTaken { name, addresses } => {
                write!(f, "the DNS name {name} is there already, for {}, and cloudypad did not make it", addresses.join(", "))
            }
            Hold::OutOfStock { step, answer, .. } => write!(f, "no machine is free to {step}: {answer}"),
            Hold::UnknownState { object, state } => write!(f, "{object} is {state:?}, a state that cloudypad does not act in"),
            Hold::Locked { object, by: Lock::Bill } => write!(f, "the vendor suspended {object} until a bill is paid"),
            Hold::Locked { object, by: Lock::Maintenance } => write!(f, "the vendor stopped {object} for maintenance"),
            Hold::Locked { object, by: Lock::Owner | Lock::Vendor } => write!(f, "{object} is locked"),
            Hold::CaptureFailed { disk_gb, limit_gb, said } => f.write_str(&capture_failed(*disk_gb, *limit_gb, said)),
            Hold::LivesElsewhere { zones, wanted } => {
                write!(f, "the instance lives in {}, and the spec says {wanted}: moving it is not supported", zones.join(", "))
            }
            Hold::OtherOwner { object, owner } => write!(f, "{object} is managed by {owner}"),
            Hold::OtherApplier { aim: aim @ Aim::Reach(_), seconds } => {
                write!(f, "{aim} was applied {}, after this one, and is left to stand", ago(*seconds))
            }
            Hold::OtherApplier { aim: aim @ Aim::Delete { .. }, seconds } => {
                write!(f, "{aim} was begun by somebody else {}, after this, and is left to go on", ago(*seconds))
            }
            Hold::TwoServers { ids } => write!(f, "two servers of this instance were used: {}", ids.join(", ")),
            Hold::TwoDisks { role, ids } => write!(f, "two {role} disks of this instance were used: {}", ids.join(", ")),
            Hold::DiskGone { role, copy: true } => {
                write!(f, "the {role} disk is gone, and not by cloudypad; an older copy of it is left")
            }
            Hold::DiskGone { role, copy: false } => {
                write!(f, "the instance had a {role} disk; neither it nor a copy of it is left in the cloud")
            }
            Hold::WouldShrink { role, has, wants } => {
                write!(f, "the {role} disk has {has} GB, and the spec says {wants} GB")
            }
            Hold::RootWouldDie { by } => write!(f, "{by} would destroy the root disk without a copy"),
            Hold::Protected { what } => write!(f, "{what}"),
            Hold::ForeignDisk { volume, instance } => {
                write!(f, "volume {volume} is attached to a server of this instance, and its tags say that it is {instance}'s")
            }
            Hold::AttachedElsewhere { object, server } => {
                write!(f, "{object} is attached to {server}, which is not a server of this instance")
            }
            Hold::TagsDamaged { object } => write!(f, "the tags of {object} do not say what it is any more"),
            Hold::DiskBroken { object } => write!(f, "the vendor reports an error on {object}"),
            Hold::Refused { step, answer, .. } => write!(f, "the cloud refused to {step}: {answer}"),
            Hold::Stuck { awaited, seconds } if *seconds < 120 => write!(f, "waited {seconds} s until {awaited}, in vain"),
            Hold::Stuck { awaited, seconds } => write!(f, "waited {} min until {awaited}, in vain", seconds / 60),
            Hold::Archived { since, why } => {
                let since = jiff::Timestamp::from_second(*since).map_or_else(|_| since.to_string(), |it| it.to_string());
                write!(
                    f,
                    "{}",
                    match why {
                        Asleep::Idle => format!("it went to sleep by itself (idle since {since})"),
                        Asleep::Session => format!("its session is over (session.max, since {since})"),
                    }
                )
            }
            Hold::KeepsGoingOff { server, seconds } => {
                write!(f, "server {server} was found off, started, and was off again {seconds} s later, and nobody told it to")
            }
            Hold::KeepsFailing { step, answer } => write!(f, "could not {step}: {answer}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two minutes are waited in seconds up to the last one, then in minutes.
    #[test]
    fn a_wait_in_vain_is_told_in_seconds_or_minutes() {
        let told = |seconds| Hold::Stuck { awaited: "server mypad runs".to_owned(), seconds }.to_string();
        assert_eq!(told(119), "waited 119 s until server mypad runs, in vain");
        assert_eq!(told(120), "waited 2 min until server mypad runs, in vain");
        assert_eq!(told(1800), "waited 30 min until server mypad runs, in vain");
    }
}
