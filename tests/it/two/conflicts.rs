//! They wish different things, at the same time: the last one wins, the other ends and is told; nothing is lost.

use super::{
    ground::{Ground, PLACES, Place, Who},
    rounds, seed,
};
use crate::{figures, support::shop::Ran};
use fastrand::Rng;
use serde_json::Value;

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Applies the reference spec with this wish.
    Apply(&'static str),
    /// Applies it with a firewall that lets in one address alone.
    Narrow,
    /// `cloudypad delete`.
    Delete,
    /// The same, keeping snapshots.
    DeleteKeeping,
}

use Deed::{Apply, Delete, DeleteKeeping, Narrow};

/// What is there, what one does, what the other does meanwhile.
const CONFLICTS: &[(&str, Deed, Deed)] = &[
    ("present", Apply("stopped"), Apply("present")),
    ("stopped", Apply("present"), Apply("stopped")),
    // One archives while the other has it running, and one brings back what the other archives.
    ("present", Apply("absent"), Apply("present")),
    ("absent", Apply("present"), Apply("absent")),
    ("present", Apply("absent"), Narrow),
    ("absent", Narrow, Apply("present")),
    ("present", Narrow, Apply("stopped")),
    // A deletion and an apply: whichever is the later one goes on.
    ("present", Delete, Apply("stopped")),
    ("absent", Apply("present"), Delete),
    ("present", DeleteKeeping, Apply("absent")),
    ("present", Apply("absent"), Delete),
];

impl Deed {
    fn args(self) -> &'static [&'static str] {
        match self {
            Apply(_) | Narrow => &["apply", "pad.yaml", "--yes", "-o", "json"],
            Delete => &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad", "-o", "json"],
            DeleteKeeping => &["delete", "pad.yaml", "--yes", "--keep-snapshots", "-o", "json"],
        }
    }

    fn write(self, ground: &Ground, who: Who) {
        let spec = match self {
            Apply(state) => ground.place.spec(state),
            Narrow => format!("{}  network:\n    allowFrom: [192.0.2.77/32]\n", ground.place.spec("present")),
            Delete | DeleteKeeping => ground.place.spec("present"),
        };
        ground.write(who, &spec);
    }

    /// Whether the deed is done, and nothing is left to do of it.
    fn stands(self, ground: &Ground, who: Who) -> bool {
        match self {
            Apply(_) | Narrow => ground.run(who, &["plan", "pad.yaml", "--detailed-exitcode"]).code == 0,
            Delete | DeleteKeeping => ground.stock().firewalls == 0 && ground.stock().servers == 0,
        }
    }

    fn destroys(self) -> bool {
        self == Delete
    }
}

/// The code of the hold a run ended with, where it did.
fn hold(ran: &Ran) -> Option<String> {
    let mut lines = ran.out.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    lines.rfind(|it| it["type"] == "ended" || it["type"] == "plan")?["hold"]["code"].as_str().map(str::to_owned)
}

/// What a run says it overrides.
fn overrides(ran: &Ran) -> Option<String> {
    let lines = ran.out.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    lines.filter_map(|it| Some(it["note"].as_str()?.to_owned())).find(|it| it.starts_with("overrides: "))
}

/// How the two ended.
#[derive(Default)]
struct Tally {
    overridden: u32,
    both_done: u32,
}

fn collide(place: Place, seed: u64, (before, one, other): (&'static str, Deed, Deed), tally: &mut Tally) {
    let mut random = Rng::with_seed(seed);
    let what = format!("CLOUDYPAD_SEED={seed} {place:?}, {before}: {one:?} and {other:?}");
    let ground = Ground::new(place);
    // Archived once, so that there is something to come back from.
    for state in ["present", before] {
        ground.write(Who::One, &place.spec(state));
        ground.expect(Who::One, 0, &["apply", "pad.yaml", "--yes"], &what);
    }
    one.write(&ground, Who::One);
    other.write(&ground, Who::Other);
    ground.lag(random.u64(0..3));
    let (mut first, mut second) = (Who::One, Who::Other);
    let (mut deeds, swapped) = ([one, other], random.bool());
    if swapped {
        (first, second) = (second, first);
        deeds.reverse();
    }
    let commands = (ground.command(first, deeds[0].args()), ground.command(second, deeds[1].args()));
    let ran: [Ran; 2] = ground.overlap(commands.0, commands.1, random.u64(0..10)).into();
    ground.clear_up();

    let story = format!("{what}, swapped: {swapped}\n--- first\n{}{}\n--- second\n{}{}", ran[0].out, ran[0].err, ran[1].out, ran[1].err);
    for (ran, meanwhile) in ran.iter().zip([deeds[1], deeds[0]]) {
        let hold = hold(ran);
        let told = match hold.as_deref() {
            None => ran.code == 0,
            Some("OtherApplier") => ran.code == 3,
            // Who comes when a deletion has destroyed the disks, or is about to, is told that they are gone.
            Some("DiskGone" | "DiskBroken") => ran.code == 3 && meanwhile.destroys(),
            Some(_) => false,
        };
        assert!(told, "{hold:?}: {story}");
    }
    let done = [ran[0].code == 0, ran[1].code == 0];
    assert!(done[0] || done[1], "neither got his wish: {story}");
    let stands = [deeds[0].stands(&ground, first), deeds[1].stands(&ground, second)];
    assert!((done[0] && stands[0]) || (done[1] && stands[1]), "nobody's wish stands, {stands:?}: {story}");
    if !one.destroys() && !other.destroys() {
        assert_eq!(ground.judge(&["in:default.mypad"]).1, 0, "{story}");
    }
    tally.overridden += ran.iter().filter(|it| hold(it).as_deref() == Some("OtherApplier")).count() as u32;
    tally.both_done += u32::from(done[0] && done[1]);

    // Whoever did not get his wish gets it by saying so again, and says whose spec he overrides.
    if !one.destroys() && !other.destroys() && stands[0] != stands[1] && !deeds.contains(&DeleteKeeping) {
        let (loser, deed) = if stands[0] { (second, deeds[1]) } else { (first, deeds[0]) };
        let again = ground.expect(loser, 0, deed.args(), &story);
        assert!(deed.stands(&ground, loser), "{story}\n--- again\n{}", again.out);
        let note = overrides(&again).unwrap_or_else(|| panic!("says nothing of what it overrides: {story}\n--- again\n{}", again.out));
        assert!(note.starts_with("overrides: another spec (serverState: "), "{note}");
        assert_eq!(ground.judge(&["in:default.mypad"]).1, 0, "{story}");
    }
}

fn all_conflicts_end(place: Place, few: u64) {
    let mut tally = Tally::default();
    let mut pairs = 0;
    let mut round = 0;
    // Once more where by chance nobody met anybody, which then would say nothing.
    while round < rounds(few) || (tally.overridden == 0 && round < rounds(few) + 20) {
        for conflict in CONFLICTS {
            collide(place, seed() + round, *conflict, &mut tally);
            pairs += 1;
        }
        round += 1;
    }
    assert!(tally.overridden > 0, "none of {pairs} was overridden while it ran");
    let Tally { overridden, both_done } = tally;
    figures::tell(
        &format!("conflicting pairs at once, {place:?}"),
        format!("{pairs} ({overridden} overridden, {both_done} one after the other)"),
    );
}

#[test]
fn on_the_local_cloud_every_conflict_ends() {
    all_conflicts_end(PLACES[0], 2);
}

#[test]
fn on_the_local_cloud_like_linode_every_conflict_ends() {
    all_conflicts_end(PLACES[1], 2);
}

#[test]
fn at_scaleway_every_conflict_ends() {
    all_conflicts_end(PLACES[2], 1);
}

#[test]
fn at_linode_every_conflict_ends() {
    all_conflicts_end(PLACES[3], 1);
}
