//! Proofs are given where their ground is seen, and nowhere else. The planner asks for them only where it has sorted things
//! out already; here they are asked for everything.

use crate::support::words;
use cloudypad::model::{Expendable, Id, Image, LocalDisk, Quiet, Snapshot, Spared, Volume, Word};

/// Which proof, the spec, what is seen, and whether it is given for `vol`, `srv` or `copy`.
const TABLE: &[(&str, &str, &str, bool)] = &[
    // A disk is quiet where nothing holds it, or what holds it is seen off.
    ("quiet volume", "scaleway; absent", "root disk vol", true),
    ("quiet volume", "scaleway; absent", "server srv off, root vol", true),
    ("quiet volume", "scaleway; absent", "server srv running, root vol", false),
    ("quiet volume", "scaleway; absent", "server srv stopping, root vol", false),
    ("quiet volume", "scaleway; absent", "server srv stopped-in-place, root vol", false),
    ("quiet volume", "scaleway; absent", "root disk vol, creating", false),
    ("quiet volume", "scaleway; absent", "root disk other", false),
    ("quiet local", "linode; absent", "server srv off, root local", true),
    ("quiet local", "linode; absent", "server srv running, root local", false),
    ("quiet local", "linode; absent", "server srv stopping, root local", false),
    ("quiet local", "scaleway; absent", "server srv off, root vol", false),
    // A word lets go what it speaks of, once nothing holds it.
    ("let go volume", "scaleway; absent; root disposable", "root disk vol", true),
    ("let go volume", "scaleway; absent; root disposable", "data disk vol", false),
    ("let go volume", "scaleway; absent; data delete", "data disk vol", true),
    ("let go volume", "scaleway; absent; data delete", "root disk vol", false),
    ("let go volume", "scaleway; deleted", "data disk vol", true),
    ("let go volume", "scaleway; deleted", "server srv off, root r, data vol", false),
    ("let go volume", "scaleway; deleted keeping snapshots", "data disk vol", false),
    ("let go volume", "scaleway; absent; root snapshot, onStop reuse", "root disk vol", true),
    ("let go volume", "scaleway; absent; root snapshot, onStop refresh", "root disk vol", false),
    ("let go local", "linode; absent; root disposable", "server srv off, root local", true),
    ("let go local", "linode; absent; data delete", "server srv off, root local", false),
    ("let go local", "scaleway; absent; root disposable", "server srv off, root vol", false),
    ("let go copy", "scaleway; deleted", "root snapshot copy ready", true),
    ("let go copy", "scaleway; absent; data delete", "data snapshot copy ready", true),
    ("let go copy", "scaleway; absent; data delete", "root snapshot copy ready", false),
    // A copy covers a disk where it is ready, of this disk, and younger than its last possible write.
    ("covered volume", "scaleway; absent", "root disk vol; root snapshot copy ready, of vol, taken at 600", true),
    ("covered volume", "scaleway; absent", "root disk vol; root snapshot copy creating, of vol, taken at 600", false),
    ("covered volume", "scaleway; absent", "root disk vol; root snapshot copy failed, of vol, taken at 600", false),
    ("covered volume", "scaleway; absent", "root disk vol; root snapshot copy ready, of other, taken at 600", false),
    ("covered volume", "scaleway; absent", "root disk vol, detached at 600; root snapshot copy ready, of vol, taken at 600", false),
    ("covered volume", "scaleway; absent", "root disk vol, detached at 599; root snapshot copy ready, of vol, taken at 600", true),
    ("covered volume", "scaleway; absent", "root disk vol, untold; root snapshot copy ready, of vol, taken at 600", false),
    ("covered volume", "scaleway; absent", "server srv off, root vol; root snapshot copy ready, of vol, taken at 600", false),
    ("covered local", "linode; absent", "server srv off, root local; root image copy ready, of srv, taken at 950", true),
    ("covered local", "linode; absent", "server srv off, root local; root image copy creating, of srv, taken at 950", false),
    ("covered local", "linode; absent", "server srv off, root local; root image copy ready, of other, taken at 950", false),
    ("covered local", "linode; absent", "server srv off, root local; root image copy ready, of srv, taken at 850", false),
    ("covered local", "linode; absent", "server srv running, root local; root image copy ready, of srv, taken at 950", false),
    // A disk that nobody had is not missed; what it was made from must be there still.
    ("unused volume", "scaleway; absent", "data disk vol, never used", true),
    ("unused volume", "scaleway; absent", "data disk vol", false),
    ("unused volume", "scaleway; absent", "server srv off, root r, data vol", false),
    ("unused volume", "scaleway; absent", "data disk vol, never used, creating", false),
    ("unused volume", "scaleway; absent", "data disk vol, never used, from z; data snapshot z ready", true),
    ("unused volume", "scaleway; absent", "data disk vol, never used, from z; data snapshot z creating", false),
    ("unused volume", "scaleway; absent", "data disk vol, never used, from z; data snapshot other ready", false),
    ("unused volume", "scaleway; absent", "root disk vol, loser of t; server t off, never ran", true),
    ("unused volume", "scaleway; absent", "root disk vol, loser of t; server t off", false),
    ("unused volume", "scaleway; absent", "root disk vol, loser of t; server t running, never ran", false),
    ("unused volume", "scaleway; absent", "root disk vol, loser of t; server t off, never ran, holds vol", false),
    ("unused volume", "scaleway; absent", "root disk vol, loser of t", false),
    // A copy may go where newer ones are ready, and nothing is being made of it.
    ("superseded", "scaleway; absent", "root snapshot new ready, of line a, taken at 400; root snapshot copy ready, of line a", true),
    ("superseded", "scaleway; absent", "root snapshot new ready, of line a, taken at 300; root snapshot copy ready, of line a", false),
    ("superseded", "scaleway; absent", "root snapshot new ready, of line b, taken at 400; root snapshot copy ready, of line a", false),
    ("superseded", "scaleway; absent", "root snapshot new creating, of line a, taken at 400; root snapshot copy ready, of line a", false),
    (
        "superseded",
        "scaleway; absent",
        "root snapshot new ready, of line a, taken at 400; root snapshot copy ready, of line a; root disk vol, from copy, creating",
        false,
    ),
    (
        "superseded",
        "scaleway; absent",
        "root snapshot new ready, of line a, taken at 400; root snapshot copy ready, of line a; root disk vol, from new, creating",
        true,
    ),
    (
        "superseded",
        "scaleway; absent",
        "root snapshot new ready, of line a, taken at 400; root snapshot copy ready, of line a; root disk vol, from copy",
        true,
    ),
    // The newest root copy that was configured stays, whatever is newer; of a data disk nothing is configured.
    (
        "superseded",
        "scaleway; absent",
        "root snapshot new ready, of line a, taken at 400, unconfigured; root snapshot copy ready, of line a",
        false,
    ),
    ("superseded", "scaleway; absent", "data snapshot new ready, of line a, taken at 400; data snapshot copy ready, of line a", true),
    // One that failed may go while its disk, or its server, is there; later it may be all there is.
    ("superseded", "scaleway; absent", "root disk vol; root snapshot copy failed, of vol", true),
    ("superseded", "scaleway; absent", "root disk vol; root snapshot copy failed, of other", false),
    ("superseded image", "linode; absent", "server srv off, root local; root image copy failed, of srv", true),
    ("superseded image", "linode; absent", "server srv off, root local; root image copy failed, of other", false),
    ("covered local", "linode; absent", "server srv off, root local; root image copy ready, of srv, taken at 900", false),
];

#[test]
fn a_proof_is_given_where_its_ground_is_seen_and_nowhere_else() {
    for (proof, spec, seen, wanted) in TABLE {
        let (ask, cloud) = words::ask(spec).unwrap();
        let world = words::world_of(seen, &ask).unwrap_or_else(|error| panic!("{seen}: {error}"));
        let words = || {
            let spoken = ask.deletion.as_ref().and_then(Word::delete_command);
            let spec = &ask.spec;
            spoken.or(Word::delete_data(spec)).or(Word::disposable(spec)).or(Word::reuse(spec, &cloud))
        };
        let (volume, server) = (Id::<Volume>::new("vol"), Id::new("srv"));
        let given = match *proof {
            "quiet volume" => Quiet::<Volume>::volume(&world, &volume).is_some(),
            "quiet local" => Quiet::<LocalDisk>::local(&world, &server).is_some(),
            "let go volume" => words().is_some_and(|it| Spared::<Volume>::let_go(&world, &volume, it).is_some()),
            "let go local" => words().is_some_and(|it| Spared::<LocalDisk>::let_go(&world, &server, it).is_some()),
            "let go copy" => words().is_some_and(|it| Expendable::<Snapshot>::let_go(&world.snapshots.items()[0], it).is_some()),
            "covered volume" => Spared::<Volume>::covered(&world, &volume).is_some(),
            "covered local" => Spared::<LocalDisk>::covered(&world, &server).is_some(),
            "superseded" => {
                let copy = world.snapshots.items().iter().find(|it| it.id.as_str() == "copy").unwrap();
                Expendable::<Snapshot>::of(&world, copy, 1).is_some()
            }
            "superseded image" => Expendable::<Image>::of(&world, &world.images.items()[0], 1).is_some(),
            "unused volume" => Spared::<Volume>::never_used(&world, &volume).is_some(),
            other => panic!("{other}?"),
        };
        assert_eq!(given, *wanted, "{proof}, {spec}: {seen}");
    }
}
