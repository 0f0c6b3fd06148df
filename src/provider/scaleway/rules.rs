//! Rules of security groups: ours and theirs, and which ones we have read already.
//!
//! Rules are read again only when their group's `modification_date` moved: recorded traffic shows that every
//! change of them moves it. What was read is kept in a file, so that a plan of a hundred instances costs no
//! hundred reads. Losing the file costs those reads, nothing else.

use super::{
    client::{Client, Unread},
    wire,
};
use crate::model::{Rule, Stamp};
use crate::provider::http::Request;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// How many groups are read side by side: the API's gateway refuses bursts.
const AT_ONCE: usize = 8;
/// No such file of ours is longer, in bytes.
const LARGEST: u64 = 64 << 20;

/// The rules that were read, by group.
pub(crate) struct RuleBook {
    file: Option<PathBuf>,
    pages: Mutex<BTreeMap<String, Page>>,
}

/// One group's rules, as of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Page {
    /// The tag of the instance that the group belongs to.
    of: String,
    modified: Stamp,
    rules: Vec<(String, String, String)>,
}

impl RuleBook {
    /// A book kept in a file, where there is one. Whatever cannot be read there is an empty book.
    pub fn open(file: Option<PathBuf>) -> Self {
        // A pipe in its place would be waited for, and a device would never end.
        let usual = |it: &&PathBuf| fs::metadata(it).is_ok_and(|it| it.is_file() && it.len() <= LARGEST);
        let text = file.as_ref().filter(usual).and_then(|it| fs::read(it).ok());
        let pages = text.and_then(|it| serde_json::from_slice(&it).ok()).unwrap_or_default();
        Self { file, pages: Mutex::new(pages) }
    }

    /// The rules of these groups, by group; what is not known as of its date is read.
    pub async fn rules<'g>(
        &self,
        client: &Client,
        zone: &str,
        groups: impl Iterator<Item = &'g wire::Group>,
    ) -> Result<BTreeMap<String, Vec<Rule>>, Unread> {
        let mut known = BTreeMap::new();
        let mut unknown = Vec::new();
        {
            let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            for group in groups {
                match pages.get(&group.id).filter(|it| it.modified == group.modification_date.0) {
                    Some(page) => {
                        known.insert(
                            group.id.clone(),
                            page.rules.iter().map(|(protocol, ports, from)| Rule::new(protocol, ports, from)).collect(),
                        );
                    }
                    None => unknown.push(group.clone()),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(known);
        }
        let read = stream::iter(unknown).map(|group| async move {
            let request = Request::get(format!("/instance/v1/zones/{zone}/security_groups/{}/rules", group.id));
            (group, client.instance_list(&request, |it: wire::Rules| it.rules).await)
        });
        let read: Vec<_> = read.buffer_unordered(AT_ONCE).collect().await;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        for (group, listed) in read {
            let rules = lets_in(&listed.map_err(Unread::meanwhile)?.items);
            let plain = rules.iter().map(|it| (it.protocol.clone(), it.ports.clone(), it.from.clone())).collect();
            pages.insert(group.id.clone(), Page { of: owner(&group.tags), modified: group.modification_date.0, rules: plain });
            known.insert(group.id.clone(), rules);
        }
        self.keep(&pages);
        Ok(known)
    }

    /// What we changed is read again, whatever its date.
    pub fn forget(&self, group: &str) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
    }

    /// Forgets the groups of these instances, by their tags, that a complete list of theirs no longer shows.
    pub fn forget_missing(&self, instances: &[String], listed: &[wire::Group]) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pages.len();
        pages.retain(|id, page| !instances.contains(&page.of) || listed.iter().any(|it| it.id == *id));
        if pages.len() < before {
            self.keep(&pages);
        }
    }

    fn keep(&self, pages: &BTreeMap<String, Page>) {
        let Some(file) = &self.file else { return };
        let write = || -> std::io::Result<()> {
            if let Some(dir) = file.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            }
            let aside = file.with_extension(format!("{}.tmp", std::process::id()));
            let _ = fs::remove_file(&aside);
            let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
            let written = new.write_all(&serde_json::to_vec(pages)?).and_then(|()| fs::rename(&aside, file));
            if written.is_err() {
                let _ = fs::remove_file(&aside);
            }
            written
        };
        if let Err(error) = write() {
            tracing::debug!(file = %file.display(), %error, "could not keep the rules that were read");
        }
    }
}

/// The tag that says which instance a group belongs to.
fn owner(tags: &[String]) -> String {
    tags.iter().find(|it| it.starts_with("in:")).cloned().unwrap_or_default()
}

/// What a group's rules let in, in canonical order. A rule that is not of our making is among them as what it is, so
/// that it differs from anything a spec can say.
fn lets_in(rules: &[wire::Rule]) -> Vec<Rule> {
    let ours = rules.iter().filter(|it| it.editable != Some(false)).map(|it| {
        let (first, last) = (it.dest_port_from, it.dest_port_to.or(it.dest_port_from));
        let ports = match (first, last) {
            (Some(first), Some(last)) if first == last => first.to_string(),
            (Some(first), Some(last)) => format!("{first}-{last}"),
            _ => "any".to_owned(),
        };
        let protocol = match (it.direction.as_str(), it.action.as_str()) {
            ("inbound", "accept") => it.protocol.to_lowercase(),
            (direction, action) => format!("{direction} {action} {}", it.protocol.to_lowercase()),
        };
        Rule::new(&protocol, &ports, &it.ip_range)
    });
    let mut ours: Vec<Rule> = ours.collect();
    ours.sort();
    ours
}

/// The whole editable set, as `PUT` takes it.
pub(crate) fn put(rules: &[Rule], zone: &str) -> Value {
    let rules = rules.iter().map(|it| {
        let (first, last) = it.ports.split_once('-').unwrap_or((&it.ports, &it.ports));
        let port = |text: &str| text.parse::<u16>().ok();
        json!({
            "id": null, "action": "accept", "protocol": it.protocol.to_uppercase(), "direction": "inbound", "ip_range": it.from,
            "dest_port_from": port(first), "dest_port_to": port(last).filter(|_| first != last), "position": 0, "editable": null, "zone": zone,
        })
    });
    json!({ "rules": rules.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(json: Value) -> wire::Rule {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_put_reads_back_the_same() {
        let mut wanted = [
            Rule::new("tcp", "22", "0.0.0.0/0"),
            Rule::new("udp", "47998-48010", "192.0.2.77/24"),
            Rule::new("tcp", "48010", "2001:db8::1/128"),
        ];
        wanted.sort();
        let put = put(&wanted, "fr-par-2");
        let mut answered: Vec<wire::Rule> = Vec::new();
        for rule in put["rules"].as_array().unwrap() {
            let mut rule = rule.clone();
            // As Scaleway normalises: a mask of all bits is not shown.
            let range = rule["ip_range"].as_str().unwrap().trim_end_matches("/32").trim_end_matches("/128").to_owned();
            rule["ip_range"] = json!(range);
            rule["editable"] = json!(true);
            answered.push(wire(rule));
        }
        answered.push(wire(json!({
            "protocol": "TCP", "direction": "outbound", "ip_range": "0.0.0.0/0", "dest_port_from": 25, "dest_port_to": null,
            "editable": false, "action": "drop",
        })));
        assert_eq!(lets_in(&answered), wanted);
    }

    fn group(id: &str, instance: &str) -> wire::Group {
        serde_json::from_value(json!({
            "id": id, "name": id, "project": "p", "stateful": true, "state": "available", "tags": ["cloudypad:v1", instance],
            "inbound_default_policy": "drop", "outbound_default_policy": "accept",
            "creation_date": "2026-01-01T00:00:00Z", "modification_date": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn what_a_complete_list_no_longer_shows_is_forgotten() {
        let file = std::env::temp_dir().join(format!("cloudypad-rules-{}.json", std::process::id()));
        let groups = [group("a", "in:default.one"), group("b", "in:default.two"), group("c", "in:default.two")];
        let page = |it: &wire::Group| Page { of: owner(&it.tags), modified: it.modification_date.0, rules: Vec::new() };
        let pages = groups.iter().map(|it| (it.id.clone(), page(it))).collect();
        let book = RuleBook { file: Some(file.clone()), pages: Mutex::new(pages) };
        let kept = |book: &RuleBook| book.pages.lock().unwrap().keys().cloned().collect::<Vec<_>>().concat();
        book.forget_missing(&["in:default.one".to_owned()], &groups);
        assert_eq!(kept(&book), "abc", "all are there");
        book.forget_missing(&["in:default.two".to_owned()], &groups[1..2]);
        assert_eq!(kept(&book), "ab", "the other instance was not asked for");
        assert_eq!(kept(&RuleBook::open(Some(file.clone()))), "ab", "in the file, too");
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_foreign_rule_is_seen() {
        let drop = json!({"protocol": "ANY", "direction": "inbound", "ip_range": "1.1.1.1", "editable": true, "action": "drop"});
        assert_eq!(lets_in(&[wire(drop)]), [Rule::new("inbound drop any", "any", "1.1.1.1/32")]);
    }
}
