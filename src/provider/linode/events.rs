//! What happened to a Linode: the account's events, which alone say when it went off, by whom, and how a capture ended.

use super::{Estate, client::Unread, wire};
use crate::{
    model::{FailedCapture, OffBy, Stamp},
    provider::http::Request,
};
use serde_json::json;

/// The most events that are read.
pub(super) const PAGE: usize = 100;
/// For how many days the API remembers events (source: the vendor's documentation).
const REMEMBERED_DAYS: u64 = 90;

/// What cannot touch a root disk. Anything else that happened to a Linode may have.
const HARMLESS: [&str; 19] = [
    "disk_imagize",
    "entity_transfer_accept",
    "entity_transfer_cancel",
    "entity_transfer_create",
    "firewall_apply",
    "firewall_device_add",
    "firewall_device_remove",
    "linode_addip",
    "linode_config_create",
    "linode_config_delete",
    "linode_config_update",
    "linode_deleteip",
    "linode_snapshot",
    "linode_update",
    "lish_boot",
    "volume_attach",
    "volume_detach",
    "ipaddress_update",
    "tag_create",
];

/// What the vendor does to a Linode for its machine's sake.
const BY_VENDOR: [&str; 5] = ["host_reboot", "linode_migrate", "linode_migrate_datacenter", "linode_mutate", "linode_poweroff_on"];

/// What the events of one Linode say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct History {
    /// When the last thing ended that may have run the guest, or written to its disks.
    pub quiet_since: Stamp,
    /// Whether something is under way, or about to begin, that may.
    pub busy: bool,
    /// The images that are still being written.
    pub imaging: Vec<String>,
    pub failed_capture: Option<FailedCapture>,
    pub off_by: Option<OffBy>,
}

impl History {
    /// Reads the events of a Linode made at `created`, at `now`. With no event left, its last one is older than what
    /// the API remembers.
    pub fn of(mut events: Vec<wire::Event>, created: Stamp, now: Stamp) -> Self {
        events.sort_by_key(|it| std::cmp::Reverse((it.created.0, id(it))));
        let forgotten = Stamp(now.0.saturating_sub(i64::try_from(REMEMBERED_DAYS * 86_400).unwrap_or(0) * 1_000_000));
        let touching = events.iter().filter(|it| !HARMLESS.contains(&it.action.as_str()));
        // A full page may hide what came before it: nothing is known of the time before its oldest event.
        let unseen = events.last().filter(|_| events.len() >= PAGE).map(end);
        let quiet_since = touching.clone().map(end).chain(unseen).chain([created.max(forgotten)]).max().unwrap_or(created);
        let captures = || events.iter().filter(|it| it.action == "disk_imagize");
        let failed = captures().next().filter(|it| it.status == "failed");
        Self {
            quiet_since,
            busy: touching.clone().any(is_open),
            imaging: captures().filter(|it| is_open(it)).filter_map(image).collect(),
            failed_capture: failed.map(|it| FailedCapture { at: it.created.0, said: it.message.clone().unwrap_or_default() }),
            off_by: events.iter().find_map(off_by).flatten(),
        }
    }
}

fn id(event: &wire::Event) -> u64 {
    event.id.0.parse().unwrap_or(0)
}

fn is_open(event: &wire::Event) -> bool {
    matches!(event.status.as_str(), "scheduled" | "started")
}

/// When it was over for sure: stamps and durations are rounded down, and a duration may leave out the wait before it.
fn end(event: &wire::Event) -> Stamp {
    let took = event.duration.filter(|it| it.is_finite() && *it > 0.0).unwrap_or(0.0).ceil();
    event.created.0.plus_seconds(took as u64 + 1)
}

/// The image that a capture writes, as its id is written elsewhere.
fn image(event: &wire::Event) -> Option<String> {
    let entity = event.secondary_entity.as_ref().filter(|it| it.kind == "image")?;
    let id = &entity.id.as_ref()?.0;
    Some(if id.contains('/') { id.clone() } else { format!("private/{id}") })
}

/// How a Linode that is off went off, if this event is the last that tells; `Some(None)` where it never ran.
fn off_by(event: &wire::Event) -> Option<Option<OffBy>> {
    match event.action.as_str() {
        "linode_shutdown" => {
            let user = event.username.clone().unwrap_or_else(|| "somebody".to_owned());
            Some(Some(OffBy::Order { user, at: event.created.0 }))
        }
        "linode_boot" | "linode_reboot" | "lassie_reboot" => Some(Some(OffBy::Guest)),
        "linode_create" | "linode_rebuild" | "backups_restore" => Some(None),
        action if BY_VENDOR.contains(&action) => Some(Some(OffBy::Vendor(action.to_owned()))),
        _ => None,
    }
}

impl Estate {
    /// The latest events of a Linode; `None` where the token may not read events.
    pub(crate) async fn events_of(&self, linode: &str) -> Result<Option<Vec<wire::Event>>, Unread> {
        let number: serde_json::Value = linode.parse::<u64>().map_or_else(|_| json!(linode), |it| json!(it));
        let filter = json!({"entity.id": number, "entity.type": "linode", "+order_by": "created", "+order": "desc"});
        match self.client.first(&Request::get("/account/events").filtered(filter)).await {
            Ok(events) => Ok(Some(events)),
            Err(Unread::Refused(refusal)) if matches!(refusal.status, 401 | 403) => Ok(None),
            Err(unread) => Err(unread),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(seconds: i64) -> Stamp {
        Stamp((1_779_300_000 + seconds) * 1_000_000)
    }

    /// Events as the API lists them, from words: second, action, status, duration.
    fn history(events: &[(i64, &str, &str, f64)]) -> History {
        let list: Vec<Value> = events
            .iter()
            .enumerate()
            .map(|(index, (second, action, status, took))| {
                let created = jiff::Timestamp::from_microsecond(at(*second).0).unwrap().to_string();
                let image = json!({"id": 33, "type": "image", "label": "x", "url": "/v4/images/private/33"});
                json!({
                    "id": index + 1, "action": action, "status": status, "created": created.trim_end_matches('Z'), "duration": took,
                    "username": "somebody", "message": "", "secondary_entity": (*action == "disk_imagize").then_some(image),
                })
            })
            .collect();
        History::of(serde_json::from_value(Value::Array(list)).unwrap(), at(0), at(10_000))
    }

    #[test]
    fn a_disk_is_quiet_from_the_end_of_the_last_thing_that_ran_it() {
        let told = history(&[
            (0, "linode_create", "finished", 47.0),
            (60, "linode_boot", "finished", 24.0),
            (500, "linode_shutdown", "finished", 27.5),
        ]);
        assert_eq!(told.quiet_since, at(529));
        assert_eq!(told.off_by, Some(OffBy::Order { user: "somebody".to_owned(), at: at(500) }));
        // Somebody started it in between, and its guest shut down.
        let told = history(&[
            (500, "linode_shutdown", "finished", 28.0),
            (600, "linode_boot", "finished", 24.0),
            (700, "linode_update", "notification", 0.0),
        ]);
        assert_eq!((told.quiet_since, told.off_by, told.busy), (at(625), Some(OffBy::Guest), false));
        let told = history(&[(500, "linode_boot", "finished", 28.0), (600, "host_reboot", "finished", 24.0)]);
        assert_eq!(told.off_by, Some(OffBy::Vendor("host_reboot".to_owned())));
    }

    #[test]
    fn what_is_under_way_makes_it_busy_but_for_a_capture() {
        assert!(history(&[(0, "linode_create", "finished", 47.0), (50, "linode_boot", "scheduled", 0.0)]).busy);
        let told = history(&[(0, "linode_create", "finished", 47.0), (50, "disk_imagize", "started", 9.0)]);
        assert_eq!((told.busy, told.imaging), (false, vec!["private/33".to_owned()]));
    }

    #[test]
    fn only_the_last_capture_counts_as_failed() {
        let told = history(&[(50, "disk_imagize", "failed", 9.0)]);
        assert_eq!(told.failed_capture.unwrap().at, at(50));
        assert_eq!(history(&[(50, "disk_imagize", "failed", 9.0), (90, "disk_imagize", "finished", 9.0)]).failed_capture, None);
    }

    /// Ninety days later nobody knows any more: only what is younger than that may cover the disk.
    #[test]
    fn what_is_forgotten_may_have_happened() {
        let days = |it: i64| at(it * 86_400);
        assert_eq!(History::of(Vec::new(), days(0), days(200)).quiet_since, days(110));
        assert_eq!(History::of(Vec::new(), days(0), days(10)).quiet_since, days(0));
    }

    /// A hundred harmless events hide whatever came before them.
    #[test]
    fn what_is_on_another_page_may_have_happened() {
        let mut events = vec![(10, "linode_boot", "finished", 24.0), (60, "linode_shutdown", "finished", 28.0)];
        events.extend((0..99).map(|index| (100 + index, "linode_update", "notification", 0.0)));
        assert_eq!(history(&events[..80]).quiet_since, at(89));
        let full = history(&events[events.len() - PAGE..]);
        assert!(full.quiet_since >= at(89), "{full:?}");
        assert_eq!(history(&events[2..]).quiet_since, at(0), "ninety-nine are all there are");
    }
}
