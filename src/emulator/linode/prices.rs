//! Prices, in USD: of anything, and of what is neither a plan nor its backups.

use serde_json::{Value, json};

/// A price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// An hour.
    pub hourly: f64,
    /// A month, at most.
    pub monthly: f64,
}

impl Price {
    /// As the API shows it.
    pub fn shown(self) -> Value {
        json!({"hourly": self.hourly, "monthly": self.monthly})
    }
}

/// Where everything costs more: a region, and how many times as much.
const SURCHARGES: [(&str, f64); 2] = [("id-cgk", 1.2), ("br-gru", 1.4)];

/// Small prices an hour whose surcharge is not rounded as others are: the price, and what it is in those regions.
const SMALL: [(f64, [f64; 2]); 4] = [(0.003, [0.0036, 0.004]), (0.004, [0.0045, 0.005]), (0.0075, [0.009, 0.0105]), (0.008, [0.009, 0.01])];

/// The price in the regions where it is another one.
pub fn surcharged(base: Price) -> Vec<(&'static str, Price)> {
    let small = SMALL.iter().find(|(hourly, _)| *hourly == base.hourly);
    let reckoned = SURCHARGES.iter().enumerate().map(|(place, (region, times))| {
        let hourly = small.map_or_else(|| rounded(base.hourly * times, 1000.0), |(_, prices)| prices[place]);
        (*region, Price { hourly, monthly: rounded(base.monthly * times, 100.0) })
    });
    reckoned.collect()
}

/// A number with so many parts to the whole; what floats lack to a half is not held against them.
fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts + 1e-6).round() / parts
}

/// Regional prices as the API shows them.
pub fn regional(prices: &[(&str, Price)]) -> Vec<Value> {
    let shown = |(region, price): &(&str, Price)| json!({"id": region, "hourly": price.hourly, "monthly": price.monthly});
    prices.iter().map(shown).collect()
}

/// The price of a GB of a volume or an image, an hour, where nothing costs more.
pub const PER_GB: f64 = 0.000_15;

/// The price of a GB of a volume, in a region, an hour.
pub fn volume(region: &str) -> f64 {
    VOLUME.iter().find(|(other, _)| *other == region).map_or(PER_GB, |(_, price)| price.hourly)
}

/// The price of a reserved address, an hour; there is none by the month.
pub const ADDRESS: f64 = 0.0068;

const VOLUME: [(&str, Price); 2] =
    [("id-cgk", Price { hourly: 0.000_18, monthly: 0.12 }), ("br-gru", Price { hourly: 0.000_21, monthly: 0.14 })];

/// The rows of `/volumes/types`.
pub fn of_volumes() -> Vec<Value> {
    let price = Price { hourly: PER_GB, monthly: 0.1 };
    vec![json!({"id": "volume", "label": "Storage Volume", "price": price.shown(), "region_prices": regional(&VOLUME), "transfer": 0})]
}

/// The rows of `/networking/reserved/ips/types`.
pub fn of_addresses() -> Vec<Value> {
    let price = json!({"hourly": ADDRESS, "monthly": null});
    vec![json!({"id": "reserved-ipv4", "label": "Reserved IPv4", "price": price, "region_prices": [], "transfer": 0})]
}

/// The rows of `/network-transfer/prices`.
pub fn of_transfer() -> Vec<Value> {
    let row = |id: &str, label: &str, hourly: f64, regional: Value| json!({"id": id, "label": label, "price": {"hourly": hourly, "monthly": null}, "region_prices": regional, "transfer": 0});
    let regional = json!([{"id": "id-cgk", "hourly": 0.015, "monthly": null}, {"id": "br-gru", "hourly": 0.007, "monthly": null}]);
    vec![
        row("distributed_network_transfer", "Distributed Network Transfer", 0.01, json!([])),
        row("network_transfer", "Network Transfer", 0.005, regional),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_regions_cost_more() {
        let prices = surcharged(Price { hourly: 0.288, monthly: 192.0 });
        let wanted = [("id-cgk", Price { hourly: 0.346, monthly: 230.4 }), ("br-gru", Price { hourly: 0.403, monthly: 268.8 })];
        assert_eq!(prices, wanted);
        assert_eq!((volume("gb-lon"), volume("br-gru")), (0.000_15, 0.000_21));
        assert_eq!(of_volumes()[0]["region_prices"][1], json!({"id": "br-gru", "hourly": 0.000_21, "monthly": 0.14}));
    }
}
