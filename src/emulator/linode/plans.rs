//! The plans: what a Linode may be, and what that costs.

use serde_json::{Value, json};

use super::prices::{self, Price};
use super::regions::Region;

/// A plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Its id in requests.
    pub id: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// `nanode`, `standard`, `dedicated`, `highmem`, `premium`, `gpu` or `accelerated`.
    pub class: &'static str,
    /// Memory in MB.
    pub memory: u64,
    /// Disk in MB.
    pub disk: u64,
    /// Virtual processors.
    pub vcpus: u64,
    /// Graphics processors.
    pub gpus: u64,
    /// Other cards.
    pub accelerated_devices: u64,
    /// Network transfer in GB a month.
    pub transfer: u64,
    /// Outbound bandwidth in Mbit/s.
    pub network_out: u64,
    /// Its price, in USD.
    pub price: Price,
    /// The price of its backups.
    pub backups: Price,
}

/// A row of the tables below: id, label, memory, disk, processors, graphics processors, transfer, bandwidth, and USD an
/// hour and a month: of itself, and of its backups.
type Row = (&'static str, &'static str, u64, u64, u64, u64, u64, u64, (f64, f64), (f64, f64));

const STANDARD: [Row; 10] = [
    ("g6-nanode-1", "Nanode 1GB", 1024, 25_600, 1, 0, 1000, 1000, (0.0075, 5.0), (0.003, 2.0)),
    ("g6-standard-1", "Linode 2GB", 2048, 51_200, 1, 0, 2000, 2000, (0.018, 12.0), (0.004, 2.5)),
    ("g6-standard-2", "Linode 4GB", 4096, 81_920, 2, 0, 4000, 4000, (0.036, 24.0), (0.008, 5.0)),
    ("g6-standard-4", "Linode 8GB", 8192, 163_840, 4, 0, 5000, 5000, (0.072, 48.0), (0.015, 10.0)),
    ("g6-standard-6", "Linode 16GB", 16_384, 327_680, 6, 0, 8000, 6000, (0.144, 96.0), (0.03, 20.0)),
    ("g6-standard-8", "Linode 32GB", 32_768, 655_360, 8, 0, 16_000, 7000, (0.288, 192.0), (0.06, 40.0)),
    ("g6-standard-16", "Linode 64GB", 65_536, 1_310_720, 16, 0, 20_000, 9000, (0.576, 384.0), (0.12, 80.0)),
    ("g6-standard-20", "Linode 96GB", 98_304, 1_966_080, 20, 0, 20_000, 10_000, (0.864, 576.0), (0.18, 120.0)),
    ("g6-standard-24", "Linode 128GB", 131_072, 2_621_440, 24, 0, 20_000, 11_000, (1.152, 768.0), (0.24, 160.0)),
    ("g6-standard-32", "Linode 192GB", 196_608, 3_932_160, 32, 0, 20_000, 12_000, (1.728, 1152.0), (0.36, 240.0)),
];

const HIGHMEM: [Row; 5] = [
    ("g7-highmem-1", "Linode 24GB", 24_576, 20_480, 2, 0, 5000, 5000, (0.09, 60.0), (0.0075, 5.0)),
    ("g7-highmem-2", "Linode 48GB", 49_152, 40_960, 2, 0, 6000, 6000, (0.18, 120.0), (0.015, 10.0)),
    ("g7-highmem-4", "Linode 90GB", 92_160, 92_160, 4, 0, 7000, 7000, (0.36, 240.0), (0.03, 20.0)),
    ("g7-highmem-8", "Linode 150GB", 153_600, 204_800, 8, 0, 8000, 8000, (0.72, 480.0), (0.06, 40.0)),
    ("g7-highmem-16", "Linode 300GB", 307_200, 348_160, 16, 0, 9000, 9000, (1.44, 960.0), (0.12, 80.0)),
];

const DEDICATED: [Row; 9] = [
    ("g6-dedicated-2", "Dedicated 4GB", 4096, 81_920, 2, 0, 4000, 4000, (0.054, 36.0), (0.008, 5.0)),
    ("g6-dedicated-4", "Dedicated 8GB", 8192, 163_840, 4, 0, 5000, 5000, (0.108, 72.0), (0.015, 10.0)),
    ("g6-dedicated-8", "Dedicated 16GB", 16_384, 327_680, 8, 0, 6000, 6000, (0.216, 144.0), (0.03, 20.0)),
    ("g6-dedicated-16", "Dedicated 32GB", 32_768, 655_360, 16, 0, 7000, 7000, (0.432, 288.0), (0.06, 40.0)),
    ("g6-dedicated-32", "Dedicated 64GB", 65_536, 1_310_720, 32, 0, 8000, 8000, (0.864, 576.0), (0.12, 80.0)),
    ("g6-dedicated-48", "Dedicated 96GB", 98_304, 1_966_080, 48, 0, 9000, 9000, (1.296, 864.0), (0.18, 120.0)),
    ("g6-dedicated-50", "Dedicated 128GB", 131_072, 2_560_000, 50, 0, 10_000, 10_000, (1.728, 1152.0), (0.24, 160.0)),
    ("g6-dedicated-56", "Dedicated 256GB", 262_144, 5_120_000, 56, 0, 11_000, 11_000, (3.456, 2304.0), (0.3, 200.0)),
    ("g6-dedicated-64", "Dedicated 512GB", 524_288, 7_372_800, 64, 0, 12_000, 12_000, (6.912, 4608.0), (0.36, 240.0)),
];

const GPU: [Row; 13] = [
    ("g1-gpu-rtx6000-1", "Dedicated 32GB + RTX6000 GPU x1", 32_768, 655_360, 8, 1, 16_000, 10_000, (1.5, 1000.0), (0.06, 40.0)),
    ("g1-gpu-rtx6000-2", "Dedicated 64GB + RTX6000 GPU x2", 65_536, 1_310_720, 16, 2, 20_000, 10_000, (3.0, 2000.0), (0.12, 80.0)),
    ("g1-gpu-rtx6000-3", "Dedicated 96GB + RTX6000 GPU x3", 98_304, 1_966_080, 20, 3, 20_000, 10_000, (4.5, 3000.0), (0.18, 120.0)),
    ("g1-gpu-rtx6000-4", "Dedicated 128GB + RTX6000 GPU x4", 131_072, 2_621_440, 24, 4, 20_000, 10_000, (6.0, 4000.0), (0.24, 160.0)),
    ("g2-gpu-rtx4000a1-s", "RTX4000 Ada x1 Small", 16_384, 524_288, 4, 1, 0, 10_000, (0.52, 350.0), (0.03, 20.0)),
    ("g2-gpu-rtx4000a1-m", "RTX4000 Ada x1 Medium", 32_768, 524_288, 8, 1, 0, 10_000, (0.67, 446.0), (0.06, 40.0)),
    ("g2-gpu-rtx4000a1-l", "RTX4000 Ada x1 Large", 65_536, 524_288, 16, 1, 0, 10_000, (0.96, 638.0), (0.12, 80.0)),
    ("g2-gpu-rtx4000a1-xl", "RTX4000 Ada x1 X-Large", 131_072, 524_288, 32, 1, 0, 10_000, (1.53, 1022.0), (0.24, 160.0)),
    ("g2-gpu-rtx4000a2-s", "RTX4000 Ada x2 Small", 32_768, 1_048_576, 8, 2, 0, 10_000, (1.05, 700.0), (0.06, 40.0)),
    ("g2-gpu-rtx4000a2-m", "RTX4000 Ada x2 Medium", 65_536, 1_048_576, 16, 2, 0, 10_000, (1.34, 892.0), (0.12, 80.0)),
    ("g2-gpu-rtx4000a2-hs", "RTX4000 Ada x2 Medium High Storage", 65_536, 2_097_152, 16, 2, 0, 10_000, (1.49, 992.0), (0.12, 80.0)),
    ("g2-gpu-rtx4000a4-s", "RTX4000 Ada x4 Small", 131_072, 2_097_152, 32, 4, 0, 10_000, (2.96, 1976.0), (0.24, 160.0)),
    ("g2-gpu-rtx4000a4-m", "RTX4000 Ada x4 Medium", 200_704, 2_097_152, 48, 4, 0, 10_000, (3.57, 2384.0), (0.36, 240.0)),
];

const PREMIUM: [Row; 9] = [
    ("g7-premium-2", "Premium 4GB", 4096, 81_920, 2, 0, 4000, 4000, (0.0645, 43.0), (0.008, 5.0)),
    ("g7-premium-4", "Premium 8GB", 8192, 163_840, 4, 0, 5000, 5000, (0.129, 86.0), (0.015, 10.0)),
    ("g7-premium-8", "Premium 16GB", 16_384, 327_680, 8, 0, 6000, 6000, (0.2595, 173.0), (0.03, 20.0)),
    ("g7-premium-16", "Premium 32GB", 32_768, 655_360, 16, 0, 7000, 7000, (0.519, 346.0), (0.06, 40.0)),
    ("g7-premium-32", "Premium 64GB", 65_536, 1_310_720, 32, 0, 8000, 8000, (1.0365, 691.0), (0.12, 80.0)),
    ("g7-premium-48", "Premium 96GB", 98_304, 1_966_080, 48, 0, 9000, 9000, (1.5555, 1037.0), (0.18, 120.0)),
    ("g7-premium-50", "Premium 128GB", 131_072, 2_560_000, 50, 0, 10_000, 10_000, (2.073, 1382.0), (0.24, 160.0)),
    ("g7-premium-56", "Premium 256GB", 262_144, 5_120_000, 56, 0, 11_000, 11_000, (4.1475, 2765.0), (0.3, 200.0)),
    ("g7-premium-64", "Premium 512GB", 524_288, 7_372_800, 64, 0, 12_000, 12_000, (8.295, 5530.0), (0.36, 240.0)),
];

const ACCELERATED: [Row; 2] = [
    ("g1-accelerated-netint-vpu-t1u1-s", "Quadra T1U x1 Small", 16_384, 307_200, 8, 0, 0, 10_000, (0.42, 280.0), (0.03, 20.0)),
    ("g1-accelerated-netint-vpu-t1u1-m", "Quadra T1U x1 Medium", 24_576, 512_000, 12, 0, 0, 10_000, (0.63, 420.0), (0.045, 30.0)),
];

/// All plans, in the order of the list.
pub fn all() -> impl Iterator<Item = Plan> {
    let classes: [(&'static str, &'static [Row]); 6] = [
        ("standard", &STANDARD),
        ("highmem", &HIGHMEM),
        ("dedicated", &DEDICATED),
        ("gpu", &GPU),
        ("premium", &PREMIUM),
        ("accelerated", &ACCELERATED),
    ];
    classes.into_iter().flat_map(|(class, rows)| rows.iter().map(move |row| plan(class, row)))
}

/// The plan of an id.
pub fn find(id: &str) -> Option<Plan> {
    all().find(|plan| plan.id == id)
}

fn plan(class: &'static str, row: &Row) -> Plan {
    let (id, label, memory, disk, vcpus, gpus, transfer, network_out, (hourly, monthly), (backup_hourly, backup_monthly)) = *row;
    Plan {
        id,
        label,
        class: if id.starts_with("g6-nanode") { "nanode" } else { class },
        memory,
        disk,
        vcpus,
        gpus,
        accelerated_devices: u64::from(class == "accelerated"),
        transfer,
        network_out,
        price: Price { hourly, monthly },
        backups: Price { hourly: backup_hourly, monthly: backup_monthly },
    }
}

impl Plan {
    /// Its price in a region, in USD an hour.
    pub fn hourly(&self, region: &str) -> f64 {
        let prices = self.regional(self.base());
        prices.into_iter().find(|(other, _)| *other == region).map_or(self.price, |(_, price)| price).hourly
    }

    /// Whether a region has machines of its sort; nothing, if all have.
    pub fn offered(&self, region: &Region) -> Option<bool> {
        match self.class {
            // The older cards are in the older regions.
            "gpu" => Some(region.has("GPU Linodes") && region.has("Block Storage Migrations") == self.id.starts_with("g1-")),
            "premium" | "highmem" => Some(region.has("Premium Plans")),
            "accelerated" => Some(region.has("NETINT Quadra T1U")),
            "dedicated" if self.vcpus >= 50 => Some(!region.is_distributed()),
            _ => None,
        }
    }

    /// As the API shows it.
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "price": self.price.shown(),
            "region_prices": prices::regional(&self.regional(self.base())),
            "addons": {"backups": {"price": self.backups.shown(), "region_prices": prices::regional(&self.regional(self.backups))}},
            "memory": self.memory,
            "disk": self.disk,
            "transfer": self.transfer,
            "vcpus": self.vcpus,
            "gpus": self.gpus,
            "accelerated_devices": self.accelerated_devices,
            "network_out": self.network_out,
            "class": self.class,
            "successor": null,
        })
    }

    /// What costs more in some regions does so there; cards cost the same everywhere.
    fn regional(&self, base: Price) -> Vec<(&'static str, Price)> {
        if self.gpus == 0 && self.accelerated_devices == 0 { prices::surcharged(base) } else { Vec::new() }
    }

    /// The price that surcharges are reckoned from: for a premium plan, a fifth more than the dedicated one of its size.
    fn base(&self) -> Price {
        let Some(size) = self.id.strip_prefix("g7-premium-") else { return self.price };
        let twin = DEDICATED.iter().find(|row| row.0.strip_prefix("g6-dedicated-") == Some(size));
        twin.map_or(self.price, |row| Price { hourly: row.8.0 * 1.2, monthly: row.8.1 * 1.2 })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::emulator::linode::regions;

    #[test]
    fn ids_are_unique() {
        let ids: BTreeSet<&str> = all().map(|plan| plan.id).collect();
        assert_eq!(ids.len(), all().count());
        assert!(find("does-not-exist").is_none());
    }

    #[test]
    fn surcharges_are_reckoned() {
        let price = |id: &str, region: &str| {
            let shown = find(id).unwrap().shown();
            let prices = shown["region_prices"].as_array().unwrap().clone();
            let found = prices.iter().find(|price| price["id"] == region).unwrap();
            (found["hourly"].as_f64().unwrap(), found["monthly"].as_f64().unwrap())
        };
        assert_eq!(price("g6-nanode-1", "br-gru"), (0.0105, 7.0));
        assert_eq!(price("g6-standard-2", "id-cgk"), (0.043, 28.8));
        assert_eq!(price("g7-premium-2", "id-cgk"), (0.078, 51.84));
        assert_eq!(price("g7-premium-64", "br-gru"), (11.612, 7741.44));
        let nanode = find("g6-nanode-1").unwrap().shown();
        assert_eq!(nanode["addons"]["backups"]["region_prices"][0], json!({"id": "id-cgk", "hourly": 0.0036, "monthly": 2.4}));
        assert_eq!(find("g1-gpu-rtx6000-1").unwrap().shown()["region_prices"], json!([]));
        assert_eq!((find("g6-nanode-1").unwrap().hourly("id-cgk"), find("g6-nanode-1").unwrap().hourly("gb-lon")), (0.009, 0.0075));
        assert_eq!((find("g7-premium-2").unwrap().hourly("gb-lon"), find("g7-premium-2").unwrap().hourly("br-gru")), (0.0645, 0.091));
    }

    #[test]
    fn machines_with_cards_are_not_everywhere() {
        let offered = |plan: &str, region: &str| find(plan).unwrap().offered(regions::find(region).unwrap());
        assert_eq!(offered("g2-gpu-rtx4000a1-s", "fr-par"), Some(true));
        assert_eq!(offered("g2-gpu-rtx4000a1-s", "eu-west"), Some(false));
        assert_eq!((offered("g1-gpu-rtx6000-1", "us-east"), offered("g1-gpu-rtx6000-1", "fr-par")), (Some(true), Some(false)));
        assert_eq!(offered("g6-nanode-1", "eu-west"), None);
    }
}
