//! One look at a zone, shared by every instance that lives there: five lists, whatever the number of instances.

use super::{
    super::client::{Kind, Refused},
    client::{Client, Listed, Unread},
    rules::RuleBook,
    wire,
};
use crate::{
    model::{Cause, FORMAT, InstanceKey, Stamp, instance_tag},
    provider::{http::Request, shared::Shared},
};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Mutex;

/// Every zone there is (source: the vendor's documentation; zones are named after regions).
pub(crate) const ZONES: [&str; 10] =
    ["fr-par-1", "fr-par-2", "fr-par-3", "nl-ams-1", "nl-ams-2", "nl-ams-3", "pl-waw-1", "pl-waw-2", "pl-waw-3", "it-mil-1"];

/// How many tags one request asks for.
const LONGEST_LIST: usize = 100;
/// For how many of the vendor's seconds it is taken as known that other zones hold nothing of an instance.
const ELSEWHERE_HOLDS: u64 = 60;

/// What one list showed.
pub(crate) type List<T> = Result<Vec<T>, Cause>;

/// Everything of ours in one zone, as five lists showed it.
#[derive(Debug)]
pub(crate) struct Shot {
    /// When the first of the lists was answered.
    pub now: Stamp,
    pub servers: List<wire::Server>,
    pub volumes: List<wire::Volume>,
    pub snapshots: List<wire::Snapshot>,
    pub ips: List<wire::Ip>,
    pub groups: List<wire::Group>,
}

/// One account in one zone, for all its instances.
pub struct Zone {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) rules: RuleBook,
    /// The tag that all wanted objects carry: one instance's, or everybody's.
    tag: String,
    /// Tags of which each wanted block object carries one.
    any: Vec<String>,
    /// The instances' own tags.
    instances: Vec<String>,
    latest: Shared<Shot>,
    elsewhere: Mutex<Option<Elsewhere>>,
}

/// What other zones hold: instance tags with their zone.
struct Elsewhere {
    seen: Stamp,
    found: Result<BTreeSet<(String, String)>, Cause>,
}

impl Zone {
    /// A zone for these instances.
    pub(crate) fn new(client: Client, name: String, rules: RuleBook, keys: &[InstanceKey]) -> Self {
        let own: Vec<String> = keys.iter().map(instance_tag).collect();
        let tag = match own.as_slice() {
            [one] => one.clone(),
            _ => FORMAT.to_owned(),
        };
        // An object that lost the tag of all is found by the tag of its instance, as far as a request can be long.
        let mut any = vec![tag.clone()];
        any.extend(own.iter().filter(|it| **it != tag).take(LONGEST_LIST).cloned());
        let (latest, elsewhere) = (Shared::new(), Mutex::new(None));
        Self { client, name, rules, tag, any, instances: own, latest, elsewhere }
    }

    /// Whether it looks for several instances at once.
    pub(crate) fn is_wide(&self) -> bool {
        self.tag == FORMAT
    }

    pub(crate) fn instance(&self, path: &str) -> String {
        format!("/instance/v1/zones/{}/{path}", self.name)
    }

    pub(crate) fn block(&self, path: &str) -> String {
        format!("/block/v1/zones/{}/{path}", self.name)
    }

    /// A look that begins now or later. Whoever asks while one is under way shares the next.
    pub(crate) async fn shot(&self) -> Arc<Shot> {
        let look = async {
            let shot = self.take(&self.name).await;
            if let Ok(groups) = &shot.groups {
                self.rules.forget_missing(&self.instances, groups);
            }
            shot
        };
        self.latest.get(look).await
    }

    async fn take(&self, zone: &str) -> Shot {
        let instance = |what: &str| Request::get(format!("/instance/v1/zones/{zone}/{what}")).with("tags", self.tag.clone());
        // The newest first: then what comes or goes between two pages either moves the total or shows an item twice.
        let block = |what: &str| {
            let list = Request::get(format!("/block/v1/zones/{zone}/{what}")).with("order_by", "created_at_desc");
            self.any.iter().fold(list, |list, tag| list.with("tags", tag.clone()))
        };
        let (servers, ips, groups) = (instance("servers"), instance("ips"), instance("security_groups"));
        let (volumes, snapshots) = (block("volumes"), block("snapshots"));
        let client = &self.client;
        let (servers, volumes, snapshots, ips, groups) = tokio::join!(
            client.instance_list(&servers, |it: wire::Servers| it.servers),
            client.list(&volumes, |it: wire::Volumes| (it.volumes, it.total_count)),
            client.list(&snapshots, |it: wire::Snapshots| (it.snapshots, it.total_count)),
            client.instance_list(&ips, |it: wire::Ips| it.ips),
            self.groups(zone, &groups),
        );
        let mut now: Option<Stamp> = None;
        let mut first = |seen: Option<Stamp>| now = [now, seen].into_iter().flatten().min();
        first(date(&servers));
        first(date(&volumes));
        first(date(&snapshots));
        first(date(&ips));
        first(date(&groups));
        Shot {
            now: now.unwrap_or(Stamp(0)),
            servers: self.list(zone, servers),
            volumes: self.list(zone, volumes),
            snapshots: self.list(zone, snapshots),
            ips: self.list(zone, ips),
            groups: self.list(zone, groups),
        }
    }

    /// Elsewhere nobody asks for security groups: they bind nothing.
    async fn groups(&self, zone: &str, groups: &Request) -> Result<Listed<wire::Group>, Unread> {
        if zone != self.name {
            return Ok(Listed { items: Vec::new(), now: self.client.now() });
        }
        self.client.instance_list(groups, |it: wire::Groups| it.security_groups).await
    }

    fn list<T>(&self, zone: &str, listed: Result<Listed<T>, Unread>) -> List<T> {
        match listed {
            Ok(listed) => Ok(listed.items),
            // Another zone that does not have a product holds nothing of it.
            Err(Unread::Refused(refusal)) if zone != self.name && refusal.kind() == Kind::Gone => Ok(Vec::new()),
            Err(unread) => Err(unread.cause(zone, &self.client)),
        }
    }

    /// The other zones that hold something with this instance's tag; a copy that was kept on deletion binds nothing.
    pub(crate) async fn elsewhere(&self, tag: &str, now: Stamp) -> Result<Vec<String>, Cause> {
        let mut known = self.elsewhere.lock().await;
        let fresh = known.as_ref().filter(|it| it.found.is_ok() && now < it.seen.plus_seconds(ELSEWHERE_HOLDS));
        if fresh.is_none() {
            *known = Some(Elsewhere { seen: now, found: self.search().await });
        }
        match known.as_ref().map(|it| &it.found) {
            Some(Ok(found)) => Ok(found.iter().filter(|(its, _)| its == tag).map(|(_, zone)| zone.clone()).collect()),
            Some(Err(cause)) => Err(cause.clone()),
            None => Ok(Vec::new()),
        }
    }

    async fn search(&self) -> Result<BTreeSet<(String, String)>, Cause> {
        let others = ZONES.into_iter().filter(|it| *it != self.name);
        let mut found = BTreeSet::new();
        for shot in join_all(others.map(|zone| async move { (zone, self.take(zone).await) })).await {
            let (zone, shot) = shot;
            let mut note = |tags: &[String]| {
                let kept = tags.iter().any(|it| it == crate::model::DELETED);
                let ours = tags.iter().filter(|it| it.starts_with("in:") && !kept);
                found.extend(ours.map(|it| (it.clone(), zone.to_owned())));
            };
            shot.servers?.iter().for_each(|it| note(&it.tags));
            shot.volumes?.iter().for_each(|it| note(&it.tags));
            shot.snapshots?.iter().for_each(|it| note(&it.tags));
            shot.ips?.iter().for_each(|it| note(&it.tags));
        }
        Ok(found)
    }
}

fn date<T>(listed: &Result<Listed<T>, Unread>) -> Option<Stamp> {
    listed.as_ref().ok().map(|it| it.now)
}
