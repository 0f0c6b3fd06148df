//! Every state that Scaleway documents, recorded or not, and what the planner takes it for.
//!
//! Source: the enumerations of the official SDK.

use super::{
    look::{power, snapshot, strange, volume},
    wire,
};
use crate::model::{CopyStatus, Id, LastHeld, Lock, Origin, Power, Tags, VolumeStatus};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// A volume in a status, with a reference of this type and status, if any.
fn wire_volume(status: &str, reference: Option<(&str, &str)>) -> wire::Volume {
    let references = reference.map(|(kind, status)| json!({"product_resource_type": kind, "product_resource_id": "s", "status": status}));
    read(json!({
        "id": "v", "name": "v", "size": 30_000_000_000_u64, "project_id": "p", "created_at": "2026-05-20T18:36:32Z", "status": status,
        "references": references.into_iter().collect::<Vec<_>>(), "parent_snapshot_id": null, "tags": [], "specs": null,
        "last_detached_at": null,
    }))
}

#[test]
fn servers() {
    let states = [
        ("running", Power::Running),
        ("stopped", Power::Off),
        ("stopped in place", Power::StoppedInPlace),
        ("starting", Power::Starting),
        ("stopping", Power::Stopping),
        ("locked", Power::Locked(Lock::Vendor)),
    ];
    for (state, expected) in states {
        assert_eq!(power(state), expected, "{state}");
    }
    assert_eq!(power("stopped-in-place"), Power::Unknown("stopped-in-place".to_owned()), "whatever else is unknown, never off");
}

#[test]
fn volumes() {
    use VolumeStatus::{Available, Busy, Creating, Deleting, Detaching, Error, InUse};
    let unknown = |word: &str| VolumeStatus::Unknown(word.to_owned());
    let alone = [
        ("unknown_status", unknown("unknown_status")),
        ("creating", Creating),
        ("available", Available),
        ("in_use", Detaching),
        ("deleting", Deleting),
        ("deleted", Deleting),
        ("resizing", Busy),
        ("error", Error),
        ("snapshotting", Busy),
        ("locked", unknown("locked")),
        ("updating", Busy),
    ];
    for (status, expected) in alone {
        assert_eq!(volume(&wire_volume(status, None)).status, expected, "{status}");
    }
    // Of a free volume nothing may be left: only a reference that is over counts as none.
    let references = [
        ("unknown_status", Busy, InUse),
        ("attaching", Busy, InUse),
        ("attached", Busy, InUse),
        ("detaching", Busy, Detaching),
        ("detached", Available, InUse),
        ("creating", Busy, InUse),
        ("error", Busy, InUse),
    ];
    for (status, free, held) in references {
        let server = Some(("instance_server", status));
        assert_eq!(volume(&wire_volume("available", server)).status, free, "available, {status}");
        assert_eq!(volume(&wire_volume("in_use", server)).status, held, "in_use, {status}");
        let holder = volume(&wire_volume("in_use", server)).attached_to;
        assert_eq!(holder, (status != "detached").then(|| Id::new("s")), "{status}");
    }
    let handed_over = volume(&wire_volume("available", Some(("internal", "attached"))));
    assert_eq!((handed_over.status, handed_over.attached_to), (Busy, None));
}

/// What Scaleway leaves out is not made up.
#[test]
fn what_a_volume_does_not_tell() {
    let mut it = wire_volume("available", None);
    assert_eq!((volume(&it).origin, volume(&it).last_held), (Origin::Untold, LastHeld::Never));
    it.tags = vec!["role:data".to_owned()];
    assert_eq!(volume(&it).origin, Origin::Empty, "a data disk that descends from nothing was born empty");
    it.tags = vec!["role:data".to_owned(), "line:1".to_owned()];
    assert!(Tags(it.tags.clone()).line().is_some());
    assert_eq!(volume(&it).origin, Origin::Untold, "a parent may have been deleted, and forgotten");
    it.tags = vec!["role:root".to_owned()];
    assert_eq!(volume(&it).origin, Origin::Untold);
    it.parent_snapshot_id = Some("snap".to_owned());
    assert_eq!(volume(&it).origin, Origin::Snapshot(Id::new("snap")));
}

#[test]
fn snapshots() {
    let unknown = |word: &str| CopyStatus::Unknown(word.to_owned());
    let states = [
        ("unknown_status", unknown("unknown_status")),
        ("creating", CopyStatus::Creating),
        ("available", CopyStatus::Ready),
        ("error", CopyStatus::Failed),
        ("deleting", CopyStatus::Deleting),
        ("deleted", CopyStatus::Deleting),
        ("in_use", CopyStatus::Ready),
        ("locked", unknown("locked")),
        ("exporting", CopyStatus::Creating),
    ];
    for (status, expected) in states {
        let it: wire::Snapshot = read(json!({
            "id": "c", "name": "c", "parent_volume": null, "size": 1, "project_id": "p", "created_at": "2026-05-20T18:36:32Z",
            "status": status, "tags": [],
        }));
        assert_eq!(snapshot(&it).status, expected, "{status}");
    }
}

/// Addresses and firewalls have no status in the model: what is not in order is told, and holds.
#[test]
fn addresses_and_groups() {
    let ip = |state: &str| -> wire::Ip {
        read(json!({"id": "i", "type": "routed_ipv4", "address": "192.0.2.7", "project": "p", "server": null, "state": state, "tags": []}))
    };
    let group = |state: &str| -> wire::Group {
        read(json!({
            "id": "g", "name": "g", "project": "p", "stateful": true, "state": state, "tags": [], "inbound_default_policy": "drop",
            "outbound_default_policy": "accept", "creation_date": "2026-05-20T18:36:32Z", "modification_date": "2026-05-20T18:36:32Z",
        }))
    };
    let ips = ["detached", "attached", "pending", "unknown_state", "error"].map(ip);
    let groups = ["available", "syncing", "syncing_error"].map(group);
    let told = strange(ips.iter(), groups.iter());
    let expected = [("address i", "unknown_state"), ("address i", "error"), ("firewall g", "syncing_error")];
    assert_eq!(told, expected.map(|(what, state)| (what.to_owned(), state.to_owned())));
}
