//! The audit can object: a plan that was right in one world is held against another.

use crate::support::words;
use cloudypad::{
    model::Facts,
    plan::{audit, plan},
};

struct Tampering {
    what: &'static str,
    spec: &'static str,
    planned: &'static str,
    audited: &'static str,
    step: &'static str,
}

const TABLE: &[Tampering] = &[
    Tampering {
        what: "the snapshot is not ready",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r; root snapshot z creating, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "a server held the disk after the snapshot",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r, detached at 700; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the snapshot is of another disk",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r; root snapshot z ready, of q, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "a server holds the disk again",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "server s running, root r; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the vendor does not tell when the disk was last held",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r, untold; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "reuse without a capture",
        spec: "scaleway; absent; root snapshot, onStop reuse",
        planned: "root disk r; root snapshot z ready, of r, taken at 300",
        audited: "root disk r",
        step: "delete-volume r",
    },
    Tampering {
        what: "the server, with its root disk, runs again",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none; root image z ready, of s, taken at 950",
        audited: "server s running, root local, recipe none; root image z ready, of s, taken at 950",
        step: "delete-server s",
    },
    Tampering {
        what: "the image is older than the last run",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none; root image z ready, of s, taken at 950",
        audited: "server s off, root local, recipe none; root image z ready, of s, taken at 850",
        step: "delete-server s",
    },
    Tampering {
        what: "the newer copy failed",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "root snapshot new failed, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the newer copy is of another disk",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "root snapshot new ready, of line b, taken at 400; root snapshot old ready, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "a snapshot of a disk in use",
        spec: "scaleway; absent; data 100 GB, snapshot",
        planned: "data disk d",
        audited: "server s running, root r, data d",
        step: "copy d",
    },
    Tampering {
        what: "a second server",
        spec: "scaleway; present",
        planned: "root disk r",
        audited: "server s running, root r",
        step: "create-server",
    },
    Tampering {
        what: "a disk would shrink",
        spec: "scaleway; present; root 40 GB",
        planned: "server s running, root r 30 GB",
        audited: "server s running, root r 50 GB",
        step: "grow r",
    },
    Tampering {
        what: "the look was not complete",
        spec: "scaleway; present",
        planned: "root disk r",
        audited: "root disk r; blind to snapshots",
        step: "create-server",
    },
];

#[test]
fn the_audit_objects_to_a_plan_that_the_world_does_not_bear() {
    for case in TABLE {
        let (ask, cloud) = words::ask(case.spec).unwrap();
        let planned = words::world_of(case.planned, &ask).unwrap();
        let plan = plan(&ask, &planned, &Facts::default(), &cloud);
        let keys: Vec<_> = plan.next.iter().map(|it| it.step.key()).collect();
        assert!(keys.contains(&case.step.to_owned()), "{}: {keys:?}, {:?}", case.what, plan.verdict);
        assert!(audit(&plan, &ask, &planned, &cloud).is_empty(), "{}: right in its own world", case.what);
        let audited = words::world_of(case.audited, &ask).unwrap();
        let objections = audit(&plan, &ask, &audited, &cloud);
        assert!(objections.iter().any(|it| it.step == case.step), "{}: {objections:?}", case.what);
    }
}

/// `protect` is the audit's as well: a plan made without it is refused with it.
#[test]
fn the_audit_knows_protect() {
    let (mut ask, cloud) = words::ask("scaleway; absent; data delete").unwrap();
    let world = words::world_of("data disk d; data snapshot z ready", &ask).unwrap();
    let plan = plan(&ask, &world, &Facts::default(), &cloud);
    assert_eq!(plan.next.len(), 1, "{:?}", plan.next);
    ask.spec.amend(|spec| spec.protect = true);
    assert_eq!(audit(&plan, &ask, &world, &cloud).len(), 1);
}
