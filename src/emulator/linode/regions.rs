//! The regions, and what each can do.

use serde_json::{Value, json};

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its slug in requests.
    pub id: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// The country, two letters.
    pub country: &'static str,
    /// Which of the [`CAPABILITIES`] that are not everywhere it has, by letter.
    letters: &'static str,
    /// Whether everybody sees it in the list; the others are there for those who know them.
    pub listed: bool,
}

/// All that a region may be capable of, in the order in which they are told: `*` is everywhere but at the edge, `.` is
/// everywhere, a letter is told by [`Region::letters`].
const CAPABILITIES: [(&str, char); 27] = [
    ("Linodes", '.'),
    ("Block Storage Encryption", '*'),
    ("LA Disk Encryption", 'A'),
    ("Disk Encryption", '.'),
    ("Backups", '*'),
    ("NodeBalancers", '*'),
    ("Block Storage", '*'),
    ("Object Storage", 'O'),
    ("GPU Linodes", 'G'),
    ("Kubernetes", '*'),
    ("Kubernetes Enterprise", 'E'),
    ("Cloud Firewall", '.'),
    ("Vlans", '.'),
    ("VPCs", 'V'),
    ("VPC Dual Stack", 'V'),
    ("VPC IPv6 Stack", 'V'),
    ("Block Storage Migrations", 'M'),
    ("Managed Databases", 'D'),
    ("Metadata", '.'),
    ("Premium Plans", 'V'),
    ("Distributed Plans", 'e'),
    ("Placement Group", '*'),
    ("StackScripts", '*'),
    ("NETINT Quadra T1U", 'N'),
    ("Maintenance Policy", '.'),
    ("Linode Interfaces", '*'),
    ("ACLP Logs Datacenter LKE-E", 'L'),
];

const fn core(id: &'static str, label: &'static str, country: &'static str, letters: &'static str) -> Region {
    Region { id, label, country, letters, listed: true }
}

const fn invited(id: &'static str, label: &'static str, country: &'static str, letters: &'static str) -> Region {
    Region { id, label, country, letters, listed: false }
}

/// The regions in the order of the list. Besides those of [`CAPABILITIES`] there are the letters `S` (object storage is
/// monitored) and `U` (so are Linodes).
pub const REGIONS: [Region; 50] = [
    core("au-mel", "Melbourne, AU", "au", "AVDS"),
    core("es-mad", "Madrid, ES", "es", "AGVED"),
    core("in-maa", "Chennai, IN", "in", "AOGVEDN"),
    core("jp-osa", "Osaka, JP", "jp", "AGVED"),
    core("it-mil", "Milan, IT", "it", "AGVED"),
    core("us-mia", "Miami, FL", "us", "AOGVEDN"),
    core("id-cgk", "Jakarta, ID", "id", "AOGVED"),
    core("us-lax", "Los Angeles, CA", "us", "AOGVEDNLS"),
    core("gb-lon", "London 2, UK", "gb", "AOGVEDNLS"),
    core("se-sto", "Stockholm, SE", "se", "AGVED"),
    core("in-bom-2", "Mumbai 2, IN", "in", "AGVEDLS"),
    core("de-fra-2", "Frankfurt 2, DE", "de", "AOGVEDNLS"),
    core("sg-sin-2", "Singapore 2, SG", "sg", "AOGVEDLS"),
    core("jp-tyo-3", "Tokyo 3, JP", "jp", "AOGVEDLS"),
    core("no-osl-1", "Oslo, NO", "no", "OVEDLS"),
    core("us-iad-2", "Washington 2, DC", "us", "OVEDS"),
    core("fr-par-2", "Paris 2, FR", "fr", "GVEDLS"),
    core("nl-ams", "Amsterdam, NL", "nl", "AGVED"),
    core("ap-west", "Mumbai, IN", "in", "AGDM"),
    core("ca-central", "Toronto, CA", "ca", "AGDM"),
    core("ap-southeast", "Sydney, AU", "au", "ADM"),
    core("us-iad", "Washington, DC", "us", "AOVEDLSU"),
    core("us-ord", "Chicago, IL", "us", "AOGVEDLS"),
    core("fr-par", "Paris, FR", "fr", "AOGVEDS"),
    core("us-sea", "Seattle, WA", "us", "AOGVEDLS"),
    core("br-gru", "Sao Paulo, BR", "br", "AOVED"),
    core("us-central", "Dallas, TX", "us", "ADM"),
    core("ap-northeast", "Tokyo 2, JP", "jp", "ADM"),
    core("eu-central", "Frankfurt, DE", "de", "AGDM"),
    core("ap-south", "Singapore, SG", "sg", "AGM"),
    core("eu-west", "London, UK", "gb", "AM"),
    core("us-east", "Newark, NJ", "us", "AOGDM"),
    core("us-southeast", "Atlanta, GA", "us", "AOGDM"),
    core("us-west", "Fremont, CA", "us", "ADM"),
    invited("us-rno-1", "Reno, NV", "us", "VED"),
    invited("pl-labkrk-2", "Krakow, PL", "pl", "OGVMDNLU"),
    invited("nz-akl-1", "Auckland, NZ", "nz", "e"),
    invited("us-den-1", "Denver, CO", "us", "e"),
    invited("de-ham-1", "Hamburg, DE", "de", "e"),
    invited("fr-mrs-1", "Marseille, FR", "fr", "e"),
    invited("za-jnb-1", "Johannesburg, ZA", "za", "e"),
    invited("my-kul-1", "Kuala Lumpur, MY", "my", "e"),
    invited("co-bog-1", "Bogotá, CO", "co", "e"),
    invited("mx-qro-1", "Querétaro, MX", "mx", "e"),
    invited("us-hou-1", "Houston, TX", "us", "e"),
    invited("cl-scl-1", "Santiago, CL", "cl", "e"),
    invited("de-ber-1", "Berlin, DE", "de", "e"),
    invited("co-bog-2", "Bogotá 2, CO", "co", "e"),
    invited("fr-mrs-2", "Marseille 2, FR", "fr", "e"),
    invited("us-labedgeeat-2", "East Wenatchee, US", "us", "e"),
];

/// The region of a slug.
pub fn find(id: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.id == id)
}

impl Region {
    /// Whether it is a small site at the edge of the network.
    pub fn is_distributed(&self) -> bool {
        self.is('e')
    }

    /// `core` or `distributed`.
    pub fn site_type(&self) -> &'static str {
        if self.is_distributed() { "distributed" } else { "core" }
    }

    /// Whether it is capable of something, such as `GPU Linodes`.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities().any(|other| other == capability)
    }

    /// What it is capable of, in the usual order.
    pub fn capabilities(&self) -> impl Iterator<Item = &'static str> {
        let present = |letter: char| match letter {
            '.' => true,
            '*' => !self.is_distributed(),
            letter => self.is(letter),
        };
        CAPABILITIES.iter().filter(move |(_, letter)| present(*letter)).map(|(name, _)| *name)
    }

    /// Its number, from 0 on.
    pub fn number(&self) -> usize {
        REGIONS.iter().position(|region| region.id == self.id).unwrap_or_default()
    }

    /// As the API shows it.
    pub fn shown(&self) -> Value {
        let distributed = self.is_distributed();
        let limit = |usual: Value| if distributed { json!(0) } else { usual };
        let (alerts, metrics) = self.monitors();
        json!({
            "id": self.id,
            "label": self.label,
            "country": self.country,
            "capabilities": self.capabilities().collect::<Vec<_>>(),
            "monitors": {"alerts": alerts, "metrics": metrics},
            "status": "ok",
            "resolvers": self.resolvers(),
            "placement_group_limits": {
                "maximum_pgs_per_customer": limit(Value::Null),
                "maximum_linodes_per_pg": limit(json!(5)),
                "maximum_linodes_per_flexible_pg": limit(json!(5)),
            },
            "site_type": self.site_type(),
        })
    }

    fn is(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    /// The services that are monitored: for alerts, and for metrics.
    fn monitors(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let services = [("Managed Databases", self.is('D')), ("NodeBalancers", !self.is_distributed()), ("Object Storage", self.is('S'))];
        let alerts: Vec<&str> = services.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect();
        let linodes = self.is('U').then_some("Linodes");
        let metrics = linodes.into_iter().chain(alerts.iter().copied()).collect();
        (alerts, metrics)
    }

    /// Its name servers, with addresses reserved for examples and benchmarks: two at the edge, else ten.
    fn resolvers(&self) -> Value {
        let (number, count) = (self.number(), if self.is_distributed() { 2 } else { 10 });
        // Two of the oldest regions write a blank behind each comma.
        let comma = if matches!(self.id, "eu-west" | "us-west") { ", " } else { "," };
        let join = |text: &dyn Fn(usize) -> String| (5..5 + count).map(text).collect::<Vec<_>>().join(comma);
        json!({"ipv4": join(&|host| format!("198.19.{number}.{host}")), "ipv6": join(&|host| format!("2001:db8:{number:x}::{host:x}"))})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slugs_are_unique_and_letters_mean_something() {
        let slugs: BTreeSet<&str> = REGIONS.iter().map(|region| region.id).collect();
        assert_eq!(slugs.len(), REGIONS.len());
        let meant = |letter: char| "SU".contains(letter) || CAPABILITIES.iter().any(|(_, known)| *known == letter);
        assert!(REGIONS.iter().all(|region| region.letters.chars().all(meant)));
        assert_eq!(REGIONS.iter().filter(|region| region.listed).count(), 34);
    }

    #[test]
    fn capabilities_are_told_in_order() {
        let lon = find("gb-lon").unwrap();
        assert!(["GPU Linodes", "Object Storage", "Metadata", "Disk Encryption"].into_iter().all(|name| lon.has(name)));
        assert_eq!(lon.capabilities().count(), 25);
        assert!(!find("eu-west").unwrap().has("GPU Linodes"));
        let edge = find("us-den-1").unwrap();
        let capable: Vec<&str> = edge.capabilities().collect();
        let wanted = ["Linodes", "Disk Encryption", "Cloud Firewall", "Vlans", "Metadata", "Distributed Plans", "Maintenance Policy"];
        assert_eq!(capable, wanted);
        assert_eq!((edge.site_type(), &edge.shown()["placement_group_limits"]["maximum_linodes_per_pg"]), ("distributed", &json!(0)));
    }

    #[test]
    fn a_region_has_all_its_keys() {
        let shown = find("us-iad").unwrap().shown();
        assert_eq!(shown["monitors"]["metrics"], json!(["Linodes", "Managed Databases", "NodeBalancers", "Object Storage"]));
        assert_eq!(shown["resolvers"]["ipv4"].as_str().unwrap().split(',').count(), 10);
        assert_eq!(shown.as_object().unwrap().len(), 9);
    }
}
