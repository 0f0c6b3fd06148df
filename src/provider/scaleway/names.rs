//! The DNS record that follows the machine.

use super::{Scaleway, act::unable, wire};
use crate::{
    model::Record,
    provider::{Problem, http::Request},
};
use serde_json::{Value, json};

impl Scaleway {
    fn records(&self) -> Result<(String, &str), Problem> {
        let dns = self.dns.as_ref().ok_or_else(|| unable("set a DNS record that the spec does not name"))?;
        Ok((format!("/domain/v2beta1/dns-zones/{}/records", dns.zone), &dns.record))
    }

    pub(super) async fn set_record(&self, address: &str) -> Result<String, Problem> {
        let (path, name) = self.records()?;
        let record =
            json!({"name": name, "type": "A", "data": address, "ttl": self.capabilities.dns_ttl, "priority": 0, "comment": self.mark});
        let change = json!({"set": {"id_fields": {"name": name, "type": "A"}, "records": [record]}});
        let body = json!({"changes": [change], "return_all_records": false, "disallow_new_zone_creation": true});
        self.patch(path, body, name).await
    }

    /// Deletes our records of the name, one by one by their ids: another that came meanwhile is not ours.
    pub(super) async fn delete_record(&self, addresses: &[String]) -> Result<String, Problem> {
        let seen: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let (path, name) = self.records()?;
        let request = Request::get(path.as_str()).with("name", name).with("type", "A");
        let found: Option<wire::Records> = self.zone.client.find(&request).await.map_err(|it| it.problem())?;
        let ours = found.map(|it| it.records).unwrap_or_default().into_iter().filter(|it| self.is_our_record(it, &seen));
        let changes: Vec<Value> = ours.map(|it| json!({"delete": {"id": it.id}})).collect();
        if changes.is_empty() {
            return Ok(name.to_owned());
        }
        let body = json!({"changes": changes, "return_all_records": false, "disallow_new_zone_creation": true});
        self.patch(path, body, name).await
    }

    /// Whether a record is ours: its comment says so, or, where it says nothing of anybody, it points to us or nowhere.
    pub(super) fn is_our_record(&self, record: &wire::Record, addresses: &[&str]) -> bool {
        match record.comment.as_deref() {
            Some(comment) if !comment.is_empty() => comment == self.mark,
            _ => record.data == Record::PARKED || addresses.contains(&record.data.as_str()),
        }
    }
}
