//! Domains and their records, as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::moments::stamp;
use crate::emulator::Moment;

/// All domains, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Zones {
    /// The domains.
    pub domains: BTreeMap<u64, Domain>,
}

/// A domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domain {
    /// Its name.
    pub domain: String,
    /// Whether it is the source of its records, or else a copy.
    pub is_master: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its display group.
    pub group: String,
    /// `active` or `disabled`.
    pub status: String,
    /// What its owner says of it.
    pub description: String,
    /// Whom to write to.
    pub soa_email: String,
    /// Seconds between failed refreshes.
    pub retry_sec: i64,
    /// Seconds until it is stale.
    pub expire_sec: i64,
    /// Seconds between refreshes.
    pub refresh_sec: i64,
    /// For how many seconds its records are remembered.
    pub ttl_sec: i64,
    /// Where a copy comes from.
    pub master_ips: Vec<String>,
    /// Who may copy it.
    pub axfr_ips: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Its records, by number.
    pub records: BTreeMap<u64, Record>,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// `A`, `AAAA`, ….
    pub kind: String,
    /// The name in front of the domain's; empty for the domain's own.
    pub name: String,
    /// Where it leads.
    pub target: String,
    /// The smaller comes first.
    pub priority: i64,
    /// The larger is taken more often.
    pub weight: i64,
    /// A port.
    pub port: i64,
    /// A service, with an underscore in front.
    pub service: Option<String>,
    /// A protocol, with an underscore in front.
    pub protocol: Option<String>,
    /// For how many seconds it is remembered; as the domain says, if 0.
    pub ttl_sec: i64,
    /// What an authority may issue.
    pub tag: Option<String>,
    /// When it was made.
    pub created: Moment,
    /// When it last changed.
    pub updated: Moment,
}

impl Domain {
    /// As the API shows it.
    pub fn shown(&self, id: u64) -> Value {
        json!({
            "id": id,
            "type": if self.is_master { "master" } else { "slave" },
            "domain": self.domain,
            "tags": self.tags,
            "group": self.group,
            "status": self.status,
            "errors": "",
            "description": self.description,
            "soa_email": self.soa_email,
            "retry_sec": self.retry_sec,
            "master_ips": self.master_ips,
            "axfr_ips": self.axfr_ips,
            "expire_sec": self.expire_sec,
            "refresh_sec": self.refresh_sec,
            "ttl_sec": self.ttl_sec,
            "created": stamp(self.created),
            "updated": stamp(self.updated),
        })
    }

    /// The lines of its file.
    pub fn file(&self) -> Vec<String> {
        let ttl = |seconds: i64| if seconds == 0 { 86_400 } else { seconds };
        let mail = self.soa_email.replacen('@', ".", 1);
        let mut lines = vec![
            format!("; {}", self.domain),
            format!("$TTL {}", ttl(self.ttl_sec)),
            format!("@\tIN\tSOA\tns1.linode.com. {mail}. {} 14400 14400 1209600 86400", self.updated.0.div_euclid(1_000_000)),
        ];
        lines.extend((1..=5).map(|number| format!("@\t\tNS\tns{number}.linode.com.")));
        lines.extend(self.records.values().map(|record| {
            let name = if record.name.is_empty() { "@" } else { &record.name };
            let ttl = if record.ttl_sec == 0 { String::new() } else { record.ttl_sec.to_string() };
            format!("{name}\t{ttl}\t{}\t{}", record.kind, record.target)
        }));
        lines
    }
}

impl Record {
    /// As the API shows it.
    pub fn shown(&self, id: u64) -> Value {
        json!({
            "id": id,
            "type": self.kind,
            "name": self.name,
            "target": self.target,
            "priority": self.priority,
            "weight": self.weight,
            "port": self.port,
            "service": self.service,
            "protocol": self.protocol,
            "ttl_sec": self.ttl_sec,
            "tag": self.tag,
            "created": stamp(self.created),
            "updated": stamp(self.updated),
        })
    }
}
