//! What is of the network: addresses, firewalls, the DNS record.

use super::{Id, Server, Stamp, Tags};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The A record that follows the machine. It carries no tags; its comment says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Every address under that name.
    pub addresses: Vec<String>,
    /// Seconds for which others may remember it.
    pub ttl: u64,
    /// Whether it is seen to be this instance's.
    pub ours: bool,
    /// The vendor's id, where nothing but that tells whose it is.
    pub id: Option<String>,
}

impl Record {
    /// Where a name points while nothing answers: an address that documentation owns (RFC 5737).
    pub const PARKED: &str = "192.0.2.1";
}

/// One reserved address.
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    /// The vendor's id.
    pub id: Id<Address>,
    /// The address itself.
    pub address: String,
    /// The server that has it.
    pub server: Option<Id<Server>>,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// Its tags.
    pub tags: Tags,
}

/// One firewall.
#[derive(Debug, Clone, PartialEq)]
pub struct Firewall {
    /// The vendor's id.
    pub id: Id<Firewall>,
    /// Its name.
    pub name: String,
    /// Whether what no rule speaks of stays out.
    pub shut: bool,
    /// What it lets in, in a canonical order.
    pub rules: Vec<Rule>,
    /// The vendor's creation stamp.
    pub created: Stamp,
    /// Its tags.
    pub tags: Tags,
}

/// One thing a firewall lets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// A port, or a range like `47998-48010`.
    pub ports: String,
    /// The network it may come from, in CIDR form.
    pub from: String,
}

impl Rule {
    /// A rule as it is compared: a range of one port is that port, a network has no bits behind its mask.
    pub fn new(protocol: &str, ports: &str, from: &str) -> Self {
        let ports = match ports.split_once('-') {
            Some((first, last)) if first == last => first,
            _ => ports,
        };
        let from = network(from).unwrap_or_else(|| from.to_owned());
        Self { protocol: protocol.to_owned(), ports: ports.to_owned(), from }
    }
}

/// A network in the one form that is compared; an address alone is the network of that address.
fn network(text: &str) -> Option<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let bits: Option<u32> = bits.map(str::parse).transpose().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(address) => {
            let bits = bits.unwrap_or(32).min(32);
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Some(format!("{}/{bits}", Ipv4Addr::from(u32::from(address) & mask)))
        }
        IpAddr::V6(address) => {
            let bits = bits.unwrap_or(128).min(128);
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Some(format!("{}/{bits}", Ipv6Addr::from(u128::from(address) & mask)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vendors answer with networks in forms of their own: what lets in the same is the same rule.
    #[test]
    fn rules_that_let_in_the_same_are_the_same() {
        let from = |text: &str| Rule::new("tcp", "22", text).from;
        assert_eq!(from("203.0.113.7"), "203.0.113.7/32");
        assert_eq!(from("203.0.113.7/24"), "203.0.113.0/24");
        assert_eq!(from("203.0.113.7/0"), "0.0.0.0/0");
        assert_eq!(from("2001:DB8::7"), "2001:db8::7/128");
        assert_eq!(from("2001:db8:1:2:3::7/64"), "2001:db8:1:2::/64");
        assert_eq!(from("::1/0"), "::/0");
        assert_eq!(from("somewhere"), "somewhere", "what is no network is compared as it is written");
        assert_eq!(Rule::new("udp", "5-5", "::").ports, "5");
        assert_eq!(Rule::new("udp", "5-6", "::").ports, "5-6");
    }
}
