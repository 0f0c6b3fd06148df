//! The DNS record that follows the machine.
//!
//! A record of Linode's has neither tags nor a comment: its id is remembered by the instance's firewall, which outlives
//! server and address. Otherwise one that points to the instance is taken for ours.

use super::{Linode, act::unable, client::Unread, shot::List, wire};
use crate::{
    model::{RECORD, Record, Seen, Server, Tags},
    provider::{Problem, http::Request},
};
use serde_json::json;

/// The seconds that the API takes; others it rounds up (recorded, and the vendor's documentation).
const TTLS: [u64; 14] = [30, 120, 300, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 172_800, 345_600, 604_800, 1_209_600, 2_419_200];
/// What a record has that says 0.
const USUAL_TTL: u64 = 86_400;

/// The seconds that a record has for which `seconds` were asked.
pub(super) fn kept_ttl(seconds: u64) -> u64 {
    match seconds {
        0 => USUAL_TTL,
        _ => TTLS.into_iter().find(|it| *it >= seconds).unwrap_or(TTLS[TTLS.len() - 1]),
    }
}

impl Linode {
    /// The records of the spec's DNS name, as the latest look at the account showed them. Without one in the spec, there are
    /// none.
    pub(super) async fn records_of_name(&self) -> List<wire::Record> {
        let Some(dns) = &self.dns else { return Ok(Vec::new()) };
        match self.estate.zones.shown(dns) {
            Some(records) => records,
            None => self.estate.zones.read(&self.estate.client, &dns.zone, Some(&dns.record)).await,
        }
    }

    /// The id of the spec's DNS zone; `None` where the account has none of that name.
    async fn domain(&self, zone: &str) -> Result<Option<String>, Unread> {
        self.estate.zones.id(&self.estate.client, zone).await
    }

    /// The A records of the spec's name as they are now.
    async fn records(&self, domain: &str, name: &str) -> Result<Vec<wire::Record>, Unread> {
        self.estate.zones.records(&self.estate.client, domain, Some(name)).await
    }

    pub(super) fn record(
        &self,
        records: List<wire::Record>,
        firewalls: &List<wire::Firewall>,
        servers: &Seen<Vec<Server>>,
        ips: &List<wire::Ip>,
    ) -> Seen<Record> {
        let records = match records {
            Ok(records) if records.is_empty() => return Seen::Absent,
            Ok(records) => records,
            Err(cause) => return Seen::Unknown(cause),
        };
        let known: Vec<Tags> = firewalls.iter().flatten().map(|it| Tags(it.tags.clone())).collect();
        let is_known = |it: &wire::Record| known.iter().any(|tags| tags.get(RECORD) == Some(it.id.0.as_str()));
        let own = servers.items().iter().filter_map(|it| it.told.own_address.as_deref());
        let own: Vec<&str> = own.chain(ips.iter().flatten().map(|it| it.address.as_str())).collect();
        let is_ours = |it: &wire::Record| is_known(it) || own.contains(&it.target.as_str());
        let known = records.iter().find(|it| is_known(it)).or(records.first());
        Seen::Present(Record {
            // One of somebody else's beside ours is not ours to delete.
            ours: records.iter().all(is_ours),
            id: known.map(|it| it.id.0.clone()),
            ttl: records.iter().map(|it| kept_ttl(it.ttl_sec)).max().unwrap_or(0),
            addresses: records.into_iter().map(|it| it.target).collect(),
        })
    }

    /// Points the name to an address: one call; what is left after it, the next look tells.
    pub(super) async fn set_record(&self, address: &str) -> Result<String, Problem> {
        let problem = |it: Unread| it.problem();
        let dns = self.dns.as_ref().ok_or_else(|| unable("set a DNS record that the spec does not name"))?;
        let Some(domain) = self.domain(&dns.zone).await.map_err(problem)? else {
            return Err(Problem::Refused { answer: format!("there is no domain {} in this account", dns.zone), remedy: None });
        };
        let records = self.records(&domain, &dns.record).await.map_err(problem)?;
        let ttl = self.capabilities.dns_ttl;
        let is_right = |it: &&wire::Record| it.target == address && kept_ttl(it.ttl_sec) == ttl;
        let body = json!({"name": dns.record, "target": address, "ttl_sec": ttl});
        let request = match records.as_slice() {
            [] => {
                let mut body = body;
                body["type"] = json!("A");
                Request::post(format!("/domains/{domain}/records"), body)
            }
            [one] if is_right(&one) => return Ok(dns.record.clone()),
            [one] => Request::put(format!("/domains/{domain}/records/{}", one.id), body),
            // Several under one name: those that are not right go first.
            many => {
                let stays = many.iter().find(is_right).unwrap_or(&many[0]);
                let goes = many.iter().find(|it| it.id != stays.id).unwrap_or(&many[1]);
                Request::delete(format!("/domains/{domain}/records/{}", goes.id))
            }
        };
        self.estate.client.change(&request).await?;
        Ok(dns.record.clone())
    }

    /// Deletes the records of the name that were seen to be ours; another that came meanwhile is not.
    pub(super) async fn delete_record(&self, addresses: &[String]) -> Result<String, Problem> {
        let dns = self.dns.as_ref().ok_or_else(|| unable("delete a DNS record that the spec does not name"))?;
        let Some(domain) = self.domain(&dns.zone).await.map_err(|it| it.problem())? else { return Ok(dns.record.clone()) };
        let records = self.records(&domain, &dns.record).await.map_err(|it| it.problem())?;
        if let Some(ours) = records.iter().find(|it| addresses.contains(&it.target)) {
            self.estate.client.delete(format!("/domains/{domain}/records/{}", ours.id)).await?;
        }
        Ok(dns.record.clone())
    }
}
