//! What the local market sells: zones, server types, stock images and prices.

use super::refusal::Refusal;

/// The zones.
pub const ZONES: [&str; 2] = ["local-1", "local-2"];

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerType {
    /// Its name in requests.
    pub name: &'static str,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in GB.
    pub memory_gb: u32,
    /// Price in EUR per hour.
    pub eur_per_hour: f64,
}

/// The server types; the first is the default.
pub const SERVER_TYPES: [ServerType; 3] = [
    ServerType { name: "local-small", vcpus: 2, memory_gb: 4, eur_per_hour: 0.05 },
    ServerType { name: "local-medium", vcpus: 4, memory_gb: 16, eur_per_hour: 0.2 },
    ServerType { name: "local-large", vcpus: 8, memory_gb: 48, eur_per_hour: 0.8 },
];

/// An image the cloud itself offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockImage {
    /// Its name in requests.
    pub label: &'static str,
    /// The smallest root disk it fits on, in GB.
    pub min_gb: u64,
}

/// The stock images.
pub const STOCK_IMAGES: [StockImage; 2] = [StockImage { label: "local-os", min_gb: 8 }, StockImage { label: "local-os-2", min_gb: 8 }];

/// Price of a volume, in EUR per GB and month.
pub const VOLUME_EUR_PER_GB_MONTH: f64 = 0.08;
/// Price of a snapshot, in EUR per GB and month.
pub const SNAPSHOT_EUR_PER_GB_MONTH: f64 = 0.04;
/// Price of a private image, in EUR per GB and month.
pub const IMAGE_EUR_PER_GB_MONTH: f64 = 0.1;
/// Price of a reserved address, in EUR per hour.
pub const ADDRESS_EUR_PER_HOUR: f64 = 0.004;

/// What so many GB cost in EUR per hour; a month has 730 hours, and prices nine decimals.
pub fn hourly(eur_per_gb_month: f64, size_gb: u64) -> f64 {
    (eur_per_gb_month * size_gb as f64 / 730.0 * 1e9).round() / 1e9
}

/// The server type of this name.
pub fn server_type(name: &str) -> Result<ServerType, Refusal> {
    SERVER_TYPES.into_iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<&str> = SERVER_TYPES.iter().map(|kind| kind.name).collect();
        Refusal::invalid(format!("there is no server type `{name}`; there are {}", names.join(", ")))
    })
}

/// The stock image of this label.
pub fn stock_image(label: &str) -> Result<StockImage, Refusal> {
    STOCK_IMAGES.into_iter().find(|image| image.label == label).ok_or_else(|| {
        let labels: Vec<&str> = STOCK_IMAGES.iter().map(|image| image.label).collect();
        Refusal::invalid(format!("there is no image `{label}`; there are {}", labels.join(", ")))
    })
}

/// Refuses a zone that does not exist.
pub fn check_zone(zone: &str) -> Result<(), Refusal> {
    if ZONES.contains(&zone) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("there is no zone `{zone}`; there are {}", ZONES.join(", "))))
}
