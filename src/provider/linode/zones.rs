//! DNS zones of an account, for all its instances: the id of a zone is asked once, its records once in a look.

use super::{
    client::{Client, Unread},
    shot::List,
    wire,
};
use crate::{
    model::{Cause, spec::Dns},
    provider::{
        client::{Kind, Refused},
        http::Request,
    },
};
use futures_util::future::join_all;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The zones of the wished names. Names of zones and records are told apart whatever their case.
pub(crate) struct Zones {
    /// The wished names, each once, by zone.
    wished: BTreeMap<String, Vec<Dns>>,
    seen: Mutex<SeenZones>,
}

#[derive(Default)]
struct SeenZones {
    /// The id of each zone that was found.
    ids: BTreeMap<String, String>,
    /// The A records of each zone, as the latest look showed them.
    records: BTreeMap<String, List<wire::Record>>,
}

impl Zones {
    /// The zones of these names.
    pub fn new(names: &[Dns]) -> Self {
        let mut wished: BTreeMap<String, Vec<Dns>> = BTreeMap::new();
        for name in names {
            let zone = wished.entry(name.zone.to_lowercase()).or_default();
            if !zone.iter().any(|it| is_same(name, it)) {
                zone.push(name.clone());
            }
        }
        Self { wished, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, SeenZones> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at all zones, side by side: where one name is wished in a zone, at that name alone.
    pub async fn look(&self, client: &Client) {
        let looks = self.wished.iter().map(async |(zone, names)| {
            let records = match names.as_slice() {
                [one] => self.read(client, &one.zone, Some(&one.record)).await,
                names => self.read(client, names.first().map_or(zone, |it| &it.zone), None).await,
            };
            (zone.clone(), records)
        });
        let records = join_all(looks).await.into_iter().collect();
        self.seen().records = records;
    }

    /// The A records of a name, as the latest look showed them; `None` where no look was told of it.
    pub fn shown(&self, name: &Dns) -> Option<List<wire::Record>> {
        let zone = name.zone.to_lowercase();
        self.wished.get(&zone).filter(|names| names.iter().any(|it| is_same(name, it)))?;
        let records = self.seen().records.get(&zone)?.clone();
        Some(records.map(|all| all.into_iter().filter(|it| it.name.eq_ignore_ascii_case(&name.record)).collect()))
    }

    /// The A records of a zone as they are now, or of a name in it.
    pub async fn read(&self, client: &Client, zone: &str, name: Option<&str>) -> List<wire::Record> {
        let cause = |unread: Unread| client.cause(&unread);
        let Some(id) = self.id(client, zone).await.map_err(cause)? else {
            return Err(Cause::Lasting {
                answer: format!("there is no domain {zone} in this account"),
                remedy: format!("make {zone} at https://cloud.linode.com/domains, or take network.dns out of the spec"),
            });
        };
        self.records(client, &id, name).await.map_err(cause)
    }

    /// The id of a zone; `None` where the account has none of that name, which is asked again the next time.
    pub async fn id(&self, client: &Client, zone: &str) -> Result<Option<String>, Unread> {
        let key = zone.to_lowercase();
        let known = self.seen().ids.get(&key).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let list = Request::get("/domains").filtered(json!({"domain": zone}));
        let found = client.first::<wire::Domain>(&list).await?;
        let id = found.into_iter().find(|it| it.domain.eq_ignore_ascii_case(zone)).map(|it| it.id.0);
        if let Some(id) = &id {
            self.seen().ids.insert(key, id.clone());
        }
        Ok(id)
    }

    /// The A records in a zone as they are now, all of them or those of a name.
    pub async fn records(&self, client: &Client, id: &str, name: Option<&str>) -> Result<Vec<wire::Record>, Unread> {
        let filter = match name {
            Some(name) => json!({"name": name, "type": "A"}),
            None => json!({"type": "A"}),
        };
        let listed = client.list::<wire::Record>(&Request::get(format!("/domains/{id}/records")).filtered(filter)).await;
        if matches!(&listed, Err(Unread::Refused(refusal)) if refusal.kind() == Kind::Gone) {
            // The zone was deleted meanwhile; one that was made anew has another id.
            self.seen().ids.retain(|_, known| known != id);
        }
        let is_wanted = |it: &wire::Record| it.kind == "A" && name.is_none_or(|name| it.name.eq_ignore_ascii_case(name));
        Ok(listed?.items.into_iter().filter(is_wanted).collect())
    }
}

/// Whether two names of one zone are the same.
fn is_same(one: &Dns, other: &Dns) -> bool {
    one.record.eq_ignore_ascii_case(&other.record)
}
