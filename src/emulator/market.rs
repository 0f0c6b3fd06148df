//! What a cloud sells and how long it takes, by the vendor it stands in for.

use serde::{Deserialize, Serialize};

use super::catalogue;
use super::face::Vendor;
use super::ids::uuid_of;
use super::linode::{self, Linode};
use super::refusal::{Refusal, RefusalKind};
use super::scaleway::{self, Scaleway};

/// The vendor whose zones, server types, prices, durations and habits a cloud has; fixed when it is first opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// Nobody's: the local cloud's own.
    #[default]
    Local,
    /// Scaleway's.
    Scaleway,
    /// Linode's.
    Linode,
}

/// How long things take, in cloud seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Durations {
    /// From the order to start until the server runs.
    pub power_on: u64,
    /// The same where it boots from a disk of the machine itself.
    pub power_on_local: u64,
    /// From the order to stop until a running server is stopped.
    pub power_off: u64,
    /// The same for a server that is stopped in place.
    pub power_off_in_place: u64,
    /// From the order to stop in place until it is so.
    pub stop_in_place: u64,
    /// From the order to reboot until the guest is down.
    pub go_down: u64,
    /// From the guest's own shutdown until the cloud shows it.
    pub guest_shutdown: u64,
    /// Deleting a server that is not stopped.
    pub delete_server: u64,
    /// Deleting a stopped server.
    pub delete_stopped_server: u64,
    /// Detaching a volume.
    pub detach: u64,
    /// Detaching a volume from a running server.
    pub detach_running: u64,
    /// Creating an empty volume.
    pub create_volume: u64,
    /// Creating a volume from a snapshot.
    pub restore_volume: u64,
    /// Growing a volume.
    pub resize: u64,
    /// Taking a snapshot of a quiet volume.
    pub snapshot: u64,
    /// Taking a snapshot of a volume of a running server.
    pub snapshot_running: u64,
    /// Taking one more snapshot of it.
    pub snapshot_again: u64,
    /// Capturing an image of a local disk.
    pub capture: u64,
}

const LOCAL: Durations = Durations {
    power_on: 10,
    power_on_local: 10,
    power_off: 30,
    power_off_in_place: 6,
    stop_in_place: 30,
    go_down: 30,
    guest_shutdown: 20,
    delete_server: 10,
    delete_stopped_server: 5,
    detach: 5,
    detach_running: 50,
    create_volume: 1,
    restore_volume: 5,
    resize: 1,
    snapshot: 2,
    snapshot_running: 20,
    snapshot_again: 20,
    capture: 60,
};

/// As measured at Scaleway, the median where there is one.
const SCALEWAY: Durations = Durations {
    power_on: 5,
    power_on_local: 20,
    power_off: 36,
    power_off_in_place: 6,
    stop_in_place: 44,
    go_down: 36,
    guest_shutdown: 20,
    delete_server: 6,
    delete_stopped_server: 0,
    detach: 2,
    detach_running: 50,
    create_volume: 1,
    restore_volume: 3,
    resize: 1,
    snapshot: 1,
    snapshot_running: 30,
    snapshot_again: 2,
    capture: 60,
};

/// As measured at Linode, the median where there is one.
const LINODE: Durations = Durations {
    power_on: 24,
    power_on_local: 24,
    power_off: 28,
    power_off_in_place: 28,
    stop_in_place: 28,
    go_down: 12,
    guest_shutdown: 12,
    delete_server: 8,
    delete_stopped_server: 8,
    detach: 5,
    detach_running: 8,
    create_volume: 6,
    restore_volume: 8,
    resize: 6,
    snapshot: 60,
    snapshot_running: 60,
    snapshot_again: 60,
    capture: 144,
};

impl Market {
    /// Whose face it has.
    pub(super) fn vendor(self) -> Option<&'static dyn Vendor> {
        match self {
            Market::Local => None,
            Market::Scaleway => Some(&Scaleway),
            Market::Linode => Some(&Linode),
        }
    }

    /// How long things take here.
    pub(super) fn takes(self) -> &'static Durations {
        match self {
            Market::Local => &LOCAL,
            Market::Scaleway => &SCALEWAY,
            Market::Linode => &LINODE,
        }
    }

    /// Refuses a zone that does not exist.
    pub(super) fn check_zone(self, zone: &str) -> Result<(), Refusal> {
        match self {
            Market::Local => catalogue::check_zone(zone),
            Market::Scaleway if scaleway::has_zone(zone) => Ok(()),
            Market::Linode if linode::has_region(zone) => Ok(()),
            Market::Scaleway | Market::Linode => Err(Refusal::invalid(format!("there is no zone `{zone}`"))),
        }
    }

    /// The price of a server type in a zone, in EUR per hour.
    pub(super) fn compute(self, zone: &str, kind: &str) -> Result<f64, Refusal> {
        match self {
            Market::Local => catalogue::server_type(kind).map(|kind| kind.eur_per_hour),
            Market::Scaleway => scaleway::eur_per_hour(zone, kind).ok_or_else(|| no_type(zone, kind)),
            Market::Linode => linode::per_hour(zone, kind).ok_or_else(|| no_type(zone, kind)),
        }
    }

    /// The price of a volume of so many GB in a zone, in EUR per hour.
    pub(super) fn volume(self, zone: &str, size_gb: u64) -> f64 {
        match self {
            Market::Local => catalogue::hourly(catalogue::VOLUME_EUR_PER_GB_MONTH, size_gb),
            Market::Linode => rounded(linode::prices::volume(zone) * size_gb as f64),
            Market::Scaleway => rounded(scaleway::catalogue::VOLUME_TYPES[0].eur_per_gb_hour * size_gb as f64),
        }
    }

    /// The price of a snapshot of so many GB, in EUR per hour.
    pub(super) fn snapshot(self, size_gb: u64) -> f64 {
        match self {
            Market::Local | Market::Linode => catalogue::hourly(catalogue::SNAPSHOT_EUR_PER_GB_MONTH, size_gb),
            Market::Scaleway => rounded(scaleway::catalogue::BLOCK_SNAPSHOT_EUR_PER_GB_HOUR * size_gb as f64),
        }
    }

    /// The price of a private image of so many GB, in EUR per hour.
    pub(super) fn image(self, size_gb: u64) -> f64 {
        match self {
            Market::Local | Market::Scaleway => catalogue::hourly(catalogue::IMAGE_EUR_PER_GB_MONTH, size_gb),
            Market::Linode => rounded(linode::prices::PER_GB * size_gb as f64),
        }
    }

    /// The price of a reserved address, in EUR per hour.
    pub(super) fn address(self) -> f64 {
        match self {
            Market::Local => catalogue::ADDRESS_EUR_PER_HOUR,
            Market::Scaleway => scaleway::catalogue::IPV4_EUR_PER_HOUR,
            Market::Linode => linode::prices::ADDRESS,
        }
    }

    /// The id of the object with this number.
    pub(super) fn id(self, prefix: &str, seed: u64, number: u64) -> String {
        match self {
            Market::Local => format!("{prefix}-{number:04}"),
            Market::Scaleway => uuid_of(seed, &[prefix, &number.to_string()]),
            Market::Linode => (first_id(prefix) + number).to_string(),
        }
    }

    /// How many addresses there are.
    pub(super) fn addresses(self) -> u32 {
        match self {
            Market::Local => 254,
            Market::Scaleway | Market::Linode => 50_000,
        }
    }

    /// The address with a number from 1 on; all lie in ranges that are reserved for examples and benchmarks, where nobody said
    /// with which two numbers they begin.
    pub(super) fn dotted(self, number: u32, network: Option<[u8; 2]>) -> String {
        match self {
            Market::Local => format!("203.0.113.{number}"),
            Market::Scaleway | Market::Linode => {
                let (number, [first_number, second_number]) = (number - 1, network.unwrap_or([198, 18]));
                // The first address of a network is its gateway's where the vendor shows one.
                let first = if self == Market::Linode { 2 } else { 1 };
                format!("{first_number}.{second_number}.{}.{}", number / 250, number % 250 + first)
            }
        }
    }

    /// The refusal where every address is reserved.
    pub(super) fn addresses_used_up(self) -> Refusal {
        Refusal::new(RefusalKind::Quota, format!("all {} addresses are reserved", self.addresses()))
    }
}

/// Where the numbers of a kind of object begin at Linode, where each kind has a range of its own.
fn first_id(prefix: &str) -> u64 {
    match prefix {
        "domain" => 3_400_000,
        "firewall" => 10_000_000,
        "device" => 12_000_000,
        "volume" => 15_000_000,
        "record" => 36_600_000,
        "image" => 38_600_000,
        "linode" => 99_000_000,
        "config" => 102_000_000,
        "disk" => 180_000_000,
        "event" => 1_600_000_000,
        _ => 700_000_000,
    }
}

fn no_type(zone: &str, kind: &str) -> Refusal {
    Refusal::invalid(format!("there is no server type `{kind}` in zone `{zone}`"))
}

/// A price with nine decimals.
fn rounded(eur: f64) -> f64 {
    (eur * 1e9).round() / 1e9
}
