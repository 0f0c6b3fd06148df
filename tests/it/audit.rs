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
    Tampering {
        what: "another spec was applied, and this one is only kept",
        spec: "scaleway; present; watched",
        planned: "root disk r",
        audited: "root disk r; applied absent at 900",
        step: "create-server",
    },
    Tampering {
        what: "somebody else has the name",
        spec: "scaleway; present; dns mypad.example.com",
        planned: "server s running, root r",
        audited: "server s running, root r; record taken 203.0.113.99",
        step: "set-record",
    },
    Tampering {
        what: "the name was the instance's, and is somebody else's now",
        spec: "scaleway; present; dns mypad.example.com",
        planned: "server s running, root r; record 203.0.113.9",
        audited: "server s running, root r; record taken 203.0.113.99",
        step: "set-record",
    },
    Tampering {
        what: "the name cannot be seen",
        spec: "scaleway; deleted; dns mypad.example.com",
        planned: "record 203.0.113.7",
        audited: "record 203.0.113.7; blind to record",
        step: "delete-record",
    },
    Tampering {
        what: "the address is lent to a server that is not the instance's",
        spec: "scaleway; deleted",
        planned: "no server",
        audited: "address lent to other",
        step: "release-address ip-1",
    },
    Tampering {
        what: "the newer image failed",
        spec: "linode; absent; root snapshot",
        planned: "root image new ready, of line a, taken at 400; root image old ready, of line a, taken at 300",
        audited: "root image new failed, of line a, taken at 400; root image old ready, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the server to be captured runs again",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none",
        audited: "server s running, root local, recipe none",
        step: "copy s",
    },
    Tampering {
        what: "the volume is another instance's",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r, in default.otherpad; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the server is another instance's",
        spec: "scaleway; absent",
        planned: "server s off, root r",
        audited: "server s off, root r, in default.otherpad",
        step: "delete-server s",
    },
    Tampering {
        what: "the snapshot is another instance's",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300, in default.otherpad",
        step: "delete-copy old",
    },
    Tampering {
        what: "the image is another instance's",
        spec: "linode; absent; root snapshot",
        planned: "root image new ready, of line a, taken at 400; root image old ready, of line a, taken at 300",
        audited: "root image new ready, of line a, taken at 400; root image old ready, of line a, taken at 300, in default.otherpad",
        step: "delete-copy old",
    },
    Tampering {
        what: "who keeps snapshots has none of this disk",
        spec: "scaleway; deleted keeping snapshots",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r",
        step: "delete-volume r",
    },
    Tampering {
        what: "a server lists the disk, which does not say so",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "server s off, holds r; root disk r; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the disk says that it is attached, and no server lists it",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r, attached s; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the server that the disk was made for may have run",
        spec: "scaleway; present",
        planned: "server s running, root r; server t off, never ran; root disk q, loser of t",
        audited: "server s running, root r; server t off; root disk q, loser of t",
        step: "delete-volume q",
    },
    Tampering {
        what: "the server that the disk was made for runs",
        spec: "scaleway; present",
        planned: "server s running, root r; server t off, never ran; root disk q, loser of t",
        audited: "server s running, root r; server t running, never ran; root disk q, loser of t",
        step: "delete-volume q",
    },
    Tampering {
        what: "the unused disk was not born empty",
        spec: "scaleway; present; root disposable; data 100 GB",
        planned: "data disk d; data disk e, never used",
        audited: "data disk d; data disk e, never used, from gone",
        step: "delete-volume e",
    },
    Tampering {
        what: "what the unused disk was made from is not ready",
        spec: "scaleway; present; root disposable; data 100 GB",
        planned: "data disk d; data disk e, never used, from z; data snapshot z ready, of other",
        audited: "data disk d; data disk e, never used, from z; data snapshot z creating, of other",
        step: "delete-volume e",
    },
    Tampering {
        what: "what the unused disk was made from is another copy",
        spec: "scaleway; present; root disposable; data 100 GB",
        planned: "data disk d; data disk e, never used, from z; data snapshot z ready, of other",
        audited: "data disk d; data disk e, never used, from z; data snapshot y ready, of other",
        step: "delete-volume e",
    },
    Tampering {
        what: "the snapshot is of the moment at which the disk was let go",
        spec: "scaleway; absent; root snapshot",
        planned: "root disk r; root snapshot z ready, of r, taken at 600",
        audited: "root disk r, detached at 600; root snapshot z ready, of r, taken at 600",
        step: "delete-volume r",
    },
    Tampering {
        what: "the server, whose volumes are to be copied, runs again",
        spec: "scaleway; absent",
        planned: "server s off, root r",
        audited: "server s running, root r",
        step: "delete-server s",
    },
    Tampering {
        what: "who keeps snapshots deletes no server that runs",
        spec: "scaleway; deleted keeping snapshots",
        planned: "server s off",
        audited: "server s running",
        step: "delete-server s",
    },
    Tampering {
        what: "the image is not ready",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none; root image z ready, of s, taken at 950",
        audited: "server s off, root local, recipe none; root image z creating, of s, taken at 950",
        step: "delete-server s",
    },
    Tampering {
        what: "the image is of another server",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none; root image z ready, of s, taken at 950",
        audited: "server s off, root local, recipe none; root image z ready, of t, taken at 950",
        step: "delete-server s",
    },
    Tampering {
        what: "the image is of the moment at which the server went off",
        spec: "linode; absent; root snapshot, onStop refresh",
        planned: "server s off, root local, recipe none; root image z ready, of s, taken at 950",
        audited: "server s off, root local, recipe none; root image z ready, of s, taken at 900",
        step: "delete-server s",
    },
    Tampering {
        what: "who keeps snapshots loses the newer one",
        spec: "scaleway; deleted keeping snapshots",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old failed, of line a, taken at 300",
        audited: "root snapshot old failed, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the copy was not seen",
        spec: "scaleway; deleted",
        planned: "root snapshot z ready",
        audited: "no server",
        step: "delete-copy z",
    },
    Tampering {
        what: "a word about data lets no copy of the root go",
        spec: "scaleway; absent; root snapshot; data delete",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "root snapshot new failed, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the word about data is about data",
        spec: "scaleway; absent; data delete",
        planned: "data snapshot z ready",
        audited: "root snapshot z ready",
        step: "delete-copy z",
    },
    Tampering {
        what: "the disk of the failed snapshot is gone",
        spec: "scaleway; present",
        planned: "root disk r; root snapshot z failed, of r",
        audited: "root snapshot z failed, of r",
        step: "delete-copy z",
    },
    Tampering {
        what: "another disk is there, not that of the failed snapshot",
        spec: "scaleway; present",
        planned: "root disk r; root snapshot z failed, of r",
        audited: "root disk q; root snapshot z failed, of r",
        step: "delete-copy z",
    },
    Tampering {
        what: "the server of the failed image is gone",
        spec: "linode; present",
        planned: "server s off, root local; root image z failed, of s",
        audited: "root image z failed, of s",
        step: "delete-copy z",
    },
    Tampering {
        what: "another server is there, not that of the failed image",
        spec: "linode; present",
        planned: "server s off, root local; root image z failed, of s",
        audited: "server t off, root local; root image z failed, of s",
        step: "delete-copy z",
    },
    Tampering {
        what: "the disk is there, but the copy is good, and the newer one failed",
        spec: "scaleway; present; root snapshot",
        planned: "server s running, root r, recipe none; root snapshot new ready, of r, taken at 400; root snapshot old ready, of r, taken at 300",
        audited: "server s running, root r, recipe none; root snapshot new failed, of r, taken at 400; root snapshot old ready, of r, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the only newer copy that is good goes as well",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot a ready, of line a, taken at 500; root snapshot b ready, of line a, taken at 400; root snapshot c ready, of line a, taken at 300",
        audited: "root snapshot a failed, of line a, taken at 500; root snapshot b ready, of line a, taken at 400; root snapshot c ready, of line a, taken at 300",
        step: "delete-copy c",
    },
    Tampering {
        what: "the other copy is no newer",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "root snapshot new ready, of line a, taken at 300; root snapshot old ready, of line a, taken at 300",
        step: "delete-copy old",
    },
    Tampering {
        what: "the newer copy is of another role",
        spec: "scaleway; absent; root snapshot",
        planned: "root snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        audited: "data snapshot new ready, of line a, taken at 400; root snapshot old ready, of line a, taken at 300",
        step: "delete-copy old",
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
