//! What a server type is: its facts in a compact form, and the product object the API shows for it.
//!
//! The table itself is in [`offers`](super::offers).

use serde_json::{Value, json};

use super::catalogue::ZONES;

/// Bytes of a GB, as disks are sold.
pub const GB: u64 = 1_000_000_000;
/// Bytes of a GiB, as memory is counted.
pub const GIB: u64 = 1 << 30;

/// The processor of a type or an image, as the API writes it.
pub const X86: &str = "x86_64";
/// The same for ARM.
pub const ARM: &str = "arm64";

/// The graphics cards of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// How many there are.
    pub count: u32,
    /// What they are called.
    pub name: &'static str,
    /// Memory of one, in GiB.
    pub memory_gib: u64,
}

/// A type of server, as sold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerType {
    /// Its name, as listed.
    pub name: &'static str,
    /// Names it is also known by.
    pub alt_names: &'static [&'static str],
    /// [`X86`] or [`ARM`].
    pub arch: &'static str,
    /// Virtual processors.
    pub ncpus: u32,
    /// Memory in GiB.
    pub ram_gib: u64,
    /// Graphics cards, if any.
    pub gpu: Option<Gpu>,
    /// Price in EUR per hour, without taxes.
    pub hourly_price: f64,
    /// Price in EUR per month, where it is not that of 730 hours.
    pub odd_monthly_price: Option<f64>,
    /// Bandwidth to the internet, in Mbit/s.
    pub internet_mbps: u64,
    /// Bandwidth inside the zone, in Mbit/s.
    pub internal_mbps: u64,
    /// Bandwidth to block storage, in units of 1024 × 1024 bit/s.
    pub block_mibps: u64,
    /// How many file systems may be attached.
    pub max_file_systems: u32,
    /// The most that its local (`l_ssd`) volumes may hold together, in GB; 0 if it takes none.
    pub local_gb: u64,
    /// The most that its scratch volumes may hold together, in GB; 0 if it takes none.
    pub scratch_gb: u64,
    /// How many scratch volumes it takes.
    pub scratch_count: u32,
    /// Whether it is no longer sold to newcomers.
    pub end_of_service: bool,
    /// Whether its price holds the licence of the guest system.
    pub windows: bool,
    /// The zones that sell it.
    pub zones: &'static [&'static str],
}

/// The smallest and the largest local volume of the types that take any, in GB.
const LOCAL_VOLUME_GB: (u64, u64) = (1, 800);

impl ServerType {
    /// Price in EUR per month, without taxes.
    pub fn monthly_price(&self) -> f64 {
        self.odd_monthly_price.unwrap_or_else(|| (self.hourly_price * 730.0 * 1e6).round() / 1e6)
    }

    /// Whether it is sold in a zone.
    pub fn sold_in(&self, zone: &str) -> bool {
        self.zones.contains(&zone)
    }

    /// Whether a name is one of its names.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.contains(&name)
    }

    /// Whether its servers take local (`l_ssd`) volumes.
    pub fn takes_local(&self) -> bool {
        self.local_gb > 0
    }

    /// The most that the local volumes of a server may hold together, in bytes; 0 if it takes none.
    pub fn local_max(&self) -> u64 {
        self.local_gb * GB
    }

    /// The smallest and the largest size of one local volume, in bytes; zeros if it takes none.
    pub fn local_volume_limits(&self) -> (u64, u64) {
        if self.takes_local() { (LOCAL_VOLUME_GB.0 * GB, LOCAL_VOLUME_GB.1 * GB) } else { (0, 0) }
    }

    /// The most that the scratch volumes of a server may hold together, in bytes; 0 if it takes none.
    pub fn scratch_max(&self) -> u64 {
        self.scratch_gb * GB
    }

    /// The product object, as `products/servers` shows it.
    pub fn product(&self) -> Value {
        let (smallest, largest) = self.local_volume_limits();
        let (internal, internet) = (self.internal_mbps * 1_000_000, self.internet_mbps * 1_000_000);
        let gpu = self.gpu.map(|gpu| {
            let memory = gpu.memory_gib * GIB;
            json!({"gpu_manufacturer": "NVIDIA", "gpu_name": gpu.name, "gpu_memory": memory})
        });
        json!({
            "alt_names": self.alt_names,
            "arch": self.arch,
            "ncpus": self.ncpus,
            "ram": self.ram_gib * GIB,
            "gpu": self.gpu.map_or(0, |gpu| gpu.count),
            "gpu_info": gpu,
            "mig_profile": null,
            "volumes_constraint": {"min_size": 0, "max_size": self.local_max()},
            "per_volume_constraint": {"l_ssd": {"min_size": smallest, "max_size": largest}},
            "scratch_storage_max_size": self.scratch_max(),
            "scratch_storage_max_volumes_count": self.scratch_count,
            "monthly_price": self.monthly_price(),
            "hourly_price": self.hourly_price,
            "capabilities": {
                "boot_types": ["local", "rescue"],
                "placement_groups": true,
                "block_storage": true,
                "hot_snapshots_local_volume": self.takes_local(),
                "private_network": 8,
                "max_file_systems": self.max_file_systems,
            },
            "network": {
                "ipv6_support": true,
                "sum_internal_bandwidth": internal,
                "sum_internet_bandwidth": internet,
                "interfaces": [{"internal_bandwidth": internal, "internet_bandwidth": internet}],
            },
            "block_bandwidth": self.block_mibps << 20,
            "end_of_service": self.end_of_service,
        })
    }
}

/// A type with nothing but block storage, sold everywhere. `shape` is processors and GiB of memory, `bandwidth` is
/// Mbit/s to the network and MiBit/s to block storage.
pub(super) const fn plain(name: &'static str, shape: (u32, u64), hourly: f64, bandwidth: (u64, u64), file_systems: u32) -> ServerType {
    ServerType {
        name,
        alt_names: &[],
        arch: X86,
        ncpus: shape.0,
        ram_gib: shape.1,
        gpu: None,
        hourly_price: hourly,
        odd_monthly_price: None,
        internet_mbps: bandwidth.0,
        internal_mbps: bandwidth.0,
        block_mibps: bandwidth.1,
        max_file_systems: file_systems,
        local_gb: 0,
        scratch_gb: 0,
        scratch_count: 0,
        end_of_service: false,
        windows: false,
        zones: &ZONES,
    }
}

/// The same type with local volumes.
pub(super) const fn local(mut row: ServerType, gb: u64) -> ServerType {
    row.local_gb = gb;
    row
}

/// The same type with scratch volumes.
pub(super) const fn scratch(mut row: ServerType, gb: u64, count: u32) -> ServerType {
    row.scratch_gb = gb;
    row.scratch_count = count;
    row
}

/// The same type with a monthly price of its own.
pub(super) const fn monthly(mut row: ServerType, eur: f64) -> ServerType {
    row.odd_monthly_price = Some(eur);
    row
}

/// The same type with more names.
pub(super) const fn also(mut row: ServerType, names: &'static [&'static str]) -> ServerType {
    row.alt_names = names;
    row
}

/// The same type with graphics cards of so many GiB each.
pub(super) const fn gpu(mut row: ServerType, count: u32, name: &'static str, memory_gib: u64) -> ServerType {
    row.gpu = Some(Gpu { count, name, memory_gib });
    row
}

/// What all types of a family have in common.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub arch: &'static str,
    pub end_of_service: bool,
    pub windows: bool,
    /// Bandwidth inside the zone is at least this, in Mbit/s.
    pub internal_floor_mbps: u64,
    pub zones: &'static [&'static str],
}

/// x86, still sold, everywhere.
pub(super) const COMMON: Family = Family { arch: X86, end_of_service: false, windows: false, internal_floor_mbps: 0, zones: &ZONES };

/// The rows of a family, with what they have in common filled in.
pub(super) const fn family<const N: usize>(common: Family, mut rows: [ServerType; N]) -> [ServerType; N] {
    let mut at = 0;
    while at < N {
        rows[at].arch = common.arch;
        rows[at].end_of_service = common.end_of_service;
        rows[at].windows = common.windows;
        rows[at].zones = common.zones;
        if rows[at].internal_mbps < common.internal_floor_mbps {
            rows[at].internal_mbps = common.internal_floor_mbps;
        }
        at += 1;
    }
    rows
}
