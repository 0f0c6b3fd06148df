//! What a cloud can do, as data. The planner asks this table and never the name of a cloud.

use super::{
    OnStop,
    spec::{Imitate, Local, Machine},
};
use std::time::Duration;

/// What one cloud can do, and how long it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// The provider's key in a spec: `scaleway`, `linode`, `local`.
    pub provider: &'static str,
    /// What people call the cloud.
    pub name: &'static str,
    /// Whether the root disk is a volume that outlives its server. If not, it dies with it.
    pub root_outlives_server: bool,
    /// How a root disk is captured, and comes back.
    pub capture: Capture,
    /// Whether volumes have snapshots.
    pub data_snapshots: bool,
    /// Whether an address can be reserved and outlive its server.
    pub static_address: bool,
    /// Whether a server takes a reserved address only at its birth.
    pub address_at_birth: bool,
    /// Whether a server without a reserved address has one of its own, for its lifetime.
    pub own_address: bool,
    /// Whether the provider's DNS can hold a record that follows the machine.
    pub dns: bool,
    /// Seconds for which others may remember where that record points: the least that the provider takes.
    pub dns_ttl: u64,
    /// Whether what a guest needs at its first boot is given by a call of its own.
    pub seeds: bool,
    /// Who can log in where the spec names no key, for people.
    pub without_key: Option<&'static str>,
    /// Whether the cloud starts a server again when its guest shuts down, unless told not to.
    pub watchdog: bool,
    /// Whether a server is born with its data volume attached.
    pub data_at_birth: bool,
    /// Whether names of servers, volumes and firewalls are unique in an account, so that asking twice makes no second.
    pub unique_names: bool,
    /// Whether volumes say when a server last held them.
    pub tells_last_held: bool,
    /// The largest capture that an account may store in GB unless the owner knows better, where there is a limit.
    pub copy_limit_gb: Option<u64>,
    /// Whether one call detaches all volumes of a stopped server.
    pub detach_together: bool,
    /// Whether a powered-off server costs as much as a running one.
    pub billed_when_off: bool,
    /// Whether a server costs as much as before when its guest powers itself off.
    pub billed_when_guest_is_off: bool,
    /// Seconds within which a new object may still be missing from lists.
    pub listing_lag: u64,
    /// Seconds within which a call whose answer was lost may still take effect.
    pub late_effect: u64,
    /// The image of a first deploy where the spec names none.
    pub default_image: String,
    /// What becomes of the root disk on the way to absent where the spec does not say.
    pub default_on_stop: OnStop,
    /// The shortest and longest name that the cloud takes for a server.
    pub name_length: (usize, usize),
    /// The smallest and largest data volume, in GB.
    pub volume_gb: (u64, u64),
    /// How long things usually take.
    pub durations: Durations,
    /// How often to look while waiting.
    pub pace: Pace,
    /// Cloud seconds that pass in one real second: 1, but for the local cloud.
    pub speed: f64,
}

/// How a root disk is captured, and comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// Block snapshot; comes back as a volume made from it.
    Snapshot,
    /// Instance image; comes back as a server made from it.
    Image,
}

/// Usual durations in cloud seconds. Plans show them; nothing is decided by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    /// New server until it can be started.
    pub create_server: u64,
    /// Another type on a server that is off until it can be started.
    pub change_type: u64,
    /// Power-on until running.
    pub start: u64,
    /// Power-off until seen off.
    pub stop: u64,
    /// Detach on a stopped server until free.
    pub detach: u64,
    /// New volume, empty or from a snapshot, until available.
    pub volume: u64,
    /// Snapshot or image until ready, fixed part.
    pub copy: u64,
    /// Snapshot or image until ready, per 100 GB of disk.
    pub copy_per_100_gb: u64,
    /// Server deletion until gone.
    pub delete_server: u64,
    /// Everything else: one call.
    pub call: u64,
}

/// How often to look while waiting, in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pause before the first look.
    pub first: Duration,
    /// Longest pause between looks.
    pub longest: Duration,
    /// After this long without arriving, the wait ends in a hold.
    pub deadline: Duration,
}

impl Capabilities {
    /// Scaleway Instances on SBS (facts: shared provider notes, sections 2 to 4 and 7).
    pub fn scaleway() -> Self {
        Self {
            provider: "scaleway",
            name: "Scaleway",
            root_outlives_server: true,
            capture: Capture::Snapshot,
            data_snapshots: true,
            static_address: true,
            address_at_birth: false,
            own_address: false,
            dns: true,
            dns_ttl: 60,
            seeds: true,
            without_key: Some("only the SSH keys that the vendor puts in itself can log in"),
            watchdog: false,
            data_at_birth: true,
            unique_names: false,
            tells_last_held: true,
            copy_limit_gb: None,
            detach_together: true,
            billed_when_off: false,
            billed_when_guest_is_off: true,
            listing_lag: 5,
            late_effect: 60,
            default_image: "ubuntu_jammy_gpu_os_12".to_owned(),
            default_on_stop: OnStop::Refresh,
            name_length: (1, 255),
            volume_gb: (1, 10_000),
            durations: Durations {
                create_server: 1,
                change_type: 1,
                start: 20,
                stop: 40,
                detach: 5,
                volume: 5,
                copy: 30,
                copy_per_100_gb: 150,
                delete_server: 20,
                call: 1,
            },
            pace: Pace { first: Duration::from_secs(2), longest: Duration::from_secs(10), deadline: Duration::from_secs(1800) },
            speed: 1.0,
        }
    }

    /// Linode (facts: shared provider notes, sections 2 to 5).
    pub fn linode() -> Self {
        Self {
            provider: "linode",
            name: "Linode",
            root_outlives_server: false,
            capture: Capture::Image,
            data_snapshots: false,
            static_address: true,
            address_at_birth: true,
            own_address: true,
            dns: true,
            dns_ttl: 30,
            seeds: false,
            without_key: Some("nobody can log in"),
            watchdog: true,
            data_at_birth: false,
            unique_names: true,
            tells_last_held: false,
            copy_limit_gb: Some(6),
            detach_together: false,
            billed_when_off: true,
            billed_when_guest_is_off: true,
            listing_lag: 10,
            late_effect: 60,
            default_image: "linode/ubuntu22.04".to_owned(),
            default_on_stop: OnStop::Reuse,
            name_length: (1, 255), // what is too long for a label is shortened
            volume_gb: (10, 16_384),
            durations: Durations {
                create_server: 50,
                change_type: 300,
                start: 40,
                stop: 30,
                detach: 15,
                volume: 15,
                copy: 120,
                copy_per_100_gb: 300,
                delete_server: 15,
                call: 1,
            },
            pace: Pace { first: Duration::from_secs(3), longest: Duration::from_secs(15), deadline: Duration::from_secs(2400) },
            speed: 1.0,
        }
    }

    /// The same where `speed` cloud seconds pass in a second, as in an emulator.
    pub fn at_speed(self, speed: f64) -> Self {
        let scaled = |pause: Duration| pause.div_f64(speed.max(1.0));
        let Pace { first, longest, deadline } = self.pace;
        let pace = Pace {
            first: scaled(first).max(Duration::from_millis(5)),
            longest: scaled(longest).max(Duration::from_millis(20)),
            deadline: scaled(deadline).max(Duration::from_secs(5)),
        };
        Self { pace, speed, ..self }
    }

    /// The local cloud: one of the two kinds above, with its own physics, sped up.
    pub fn local(local: &Local) -> Self {
        let like = match local.imitate {
            Imitate::Scaleway => Self::scaleway(),
            Imitate::Linode => Self::linode(),
        };
        let book = Self::by_the_book(local, like);
        match local.machine {
            Machine::None => book,
            Machine::Qemu => book.with_guests(),
        }
    }

    /// The local cloud where a server runs by the book alone.
    fn by_the_book(local: &Local, like: Self) -> Self {
        let cloud_seconds = |seconds: f64| Duration::from_secs_f64(seconds / f64::from(local.speed));
        let least = Duration::from_micros(200);
        Self {
            provider: "local",
            name: "the local cloud",
            address_at_birth: false,
            own_address: false,
            dns: false,
            data_at_birth: true,
            unique_names: false,
            tells_last_held: true,
            copy_limit_gb: None,
            seeds: false,
            without_key: None,
            watchdog: false,
            listing_lag: 0,
            late_effect: 0,
            default_image: "local-os".to_owned(),
            name_length: (1, 63),
            volume_gb: (1, 10_000),
            durations: Durations {
                create_server: 0,
                change_type: 0,
                start: 10,
                stop: 30,
                detach: 5,
                volume: 5,
                copy: if like.capture == Capture::Image { 60 } else { 2 },
                copy_per_100_gb: 0,
                delete_server: 5,
                call: 0,
            },
            pace: Pace {
                first: cloud_seconds(1.0).max(least),
                longest: cloud_seconds(5.0).max(Duration::from_millis(20)),
                deadline: cloud_seconds(1800.0).max(Duration::from_secs(5)),
            },
            speed: f64::from(local.speed),
            ..like
        }
    }
    /// The same where guests really boot and shut down, in seconds of ours whatever the cloud's are.
    fn with_guests(self) -> Self {
        let ours = |seconds: f64| (seconds * self.speed) as u64;
        Self {
            name: "the local cloud (QEMU)",
            seeds: true,
            without_key: Some("only the SSH keys that the image has in itself can log in"),
            durations: Durations { start: ours(1.0), stop: ours(10.0), ..self.durations },
            pace: Pace { first: Duration::from_millis(50), longest: Duration::from_secs(1), deadline: Duration::from_secs(900) },
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cloud in a box has no network between: lists never lag, nothing takes effect late, and what needs a guest, a name
    /// server or an account is not there.
    #[test]
    fn the_local_cloud_is_of_a_kind_and_has_no_distance() {
        for (imitate, like) in [(Imitate::Scaleway, Capabilities::scaleway()), (Imitate::Linode, Capabilities::linode())] {
            let local = Capabilities::local(&Local { imitate, ..Local::default() });
            assert_eq!((local.provider, local.name, local.default_image.as_str()), ("local", "the local cloud", "local-os"));
            assert_eq!((local.root_outlives_server, local.capture), (like.root_outlives_server, like.capture), "of its kind");
            assert_eq!((local.data_snapshots, local.default_on_stop), (like.data_snapshots, like.default_on_stop), "of its kind");
            assert_eq!((local.listing_lag, local.late_effect), (0, 0));
            assert!(
                !local.dns && !local.seeds && !local.watchdog && local.without_key.is_none(),
                "nobody is inside, nobody asks for a name"
            );
            assert!(!local.own_address && !local.address_at_birth && !local.unique_names && local.copy_limit_gb.is_none());
            assert!(local.data_at_birth && local.tells_last_held);
            assert_eq!((local.name_length, local.volume_gb), ((1, 63), (1, 10_000)));
        }
    }

    #[test]
    fn the_local_cloud_lives_at_its_own_speed() {
        let at = |speed| Capabilities::local(&Local { speed, ..Local::default() });
        let seconds = Duration::from_secs;
        assert_eq!(at(1).pace, Pace { first: seconds(1), longest: seconds(5), deadline: seconds(1800) });
        assert_eq!(at(100).pace, Pace { first: Duration::from_millis(10), longest: Duration::from_millis(50), deadline: seconds(18) });
        assert_eq!(
            at(1_000_000).pace,
            Pace { first: Duration::from_micros(200), longest: Duration::from_millis(20), deadline: seconds(5) }
        );
        assert!((at(100).speed - 100.0).abs() < f64::EPSILON);
        assert_eq!(at(1).durations, at(100).durations, "in cloud seconds");
        let image = Capabilities::local(&Local { imitate: Imitate::Linode, ..Local::default() });
        assert_eq!((at(1).durations.copy, image.durations.copy), (2, 60), "a capture as an image takes longer than a snapshot");
        assert_ne!(at(1).durations, Capabilities::scaleway().durations);
    }

    #[test]
    fn what_runs_faster_is_asked_more_often() {
        let (life, fast) = (Capabilities::scaleway(), Capabilities::scaleway().at_speed(10.0));
        assert_eq!(fast.pace.first, life.pace.first / 10);
        assert_eq!(fast.pace.longest, life.pace.longest / 10);
        assert_eq!(fast.pace.deadline, life.pace.deadline / 10);
        assert_eq!(Capabilities { pace: life.pace, speed: 1.0, ..fast.clone() }, life, "and nothing else differs");
        assert!((fast.speed - 10.0).abs() < f64::EPSILON);
        assert_eq!(life.clone().at_speed(0.5).pace, life.pace, "never less often");
    }
}
