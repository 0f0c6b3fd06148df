//! Both wish the same, at the same time.

use super::{
    ground::{Ground, PLACES, Place, Who},
    rounds, seed,
};
use crate::figures;
use fastrand::Rng;

const APPLY: &[&str] = &["apply", "pad.yaml", "--yes", "-o", "json"];
const DELETE: &[&str] = &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad", "-o", "json"];

/// Two processes, two state directories, equal specs: created, archived, brought back, deleted, both at once, the other a
/// few events behind. Lists lag, and answers are lost. In the end there is one object of each kind, nothing was lost, and
/// neither of the two has anything left to do.
fn one_machine_comes_of_it(place: Place, few: u64) {
    let first = seed();
    let mut pairs = 0;
    for round in 0..rounds(few) {
        let mut random = Rng::with_seed(first + round);
        let ground = Ground::new(place);
        for state in ["present", "absent", "present", "stopped", "absent"] {
            let what = format!("CLOUDYPAD_SEED={} {place:?} {state}", first + round);
            for who in [Who::One, Who::Other] {
                ground.write(who, &place.spec(state));
            }
            ground.lag(random.u64(0..5));
            if random.bool() {
                ground.lose_an_answer(&mut random);
            }
            let (one, other) = ground.overlap(ground.command(Who::One, APPLY), ground.command(Who::Other, APPLY), random.u64(0..8));
            pairs += 1;
            for ran in [&one, &other] {
                // Somebody else's call of the same kind may be in the way of one's own; that is said, and passes.
                let known = ran.code == 0 || (ran.code == 3 && !ran.out.contains("OtherApplier"));
                assert!(known, "{what}: {}\n{}\n{}", ran.code, ran.out, ran.err);
            }
            ground.clear_up();
            settled(&ground, state, &what);
        }
        deleted(&ground, &mut random, &format!("CLOUDYPAD_SEED={} {place:?}", first + round));
        pairs += 1;
    }
    figures::tell(&format!("pairs of equal applies at once, {place:?}"), pairs);
}

/// A plain apply by each finishes what may be left; then nothing is.
fn settled(ground: &Ground, state: &str, what: &str) {
    for who in [Who::One, Who::Other] {
        ground.expect(who, 0, &["apply", "pad.yaml", "--yes"], what);
    }
    for who in [Who::One, Who::Other] {
        ground.expect(who, 0, &["plan", "pad.yaml", "--detailed-exitcode"], what);
    }
    assert_eq!(ground.stock(), ground.wanted(state), "{what}: {:#?}", ground.inventory());
    assert_eq!(ground.judge(&["in:default.mypad"]), (Vec::new(), 0), "{what}");
}

/// Deleted by both at once: nothing of it is left, and both say so.
fn deleted(ground: &Ground, random: &mut Rng, what: &str) {
    ground.overlap(ground.command(Who::One, DELETE), ground.command(Who::Other, DELETE), random.u64(0..4));
    for who in [Who::One, Who::Other] {
        ground.expect(who, 0, &DELETE[..5], what);
    }
    let left: Vec<String> = ground.inventory().into_iter().filter(|it| it.contains("mypad")).collect();
    assert_eq!((left, ground.judge(&[]).0), (Vec::new(), Vec::new()), "{what}");
}

#[test]
fn on_the_local_cloud_one_machine_comes_of_it() {
    one_machine_comes_of_it(PLACES[0], 4);
}

#[test]
fn on_the_local_cloud_like_linode_one_machine_comes_of_it() {
    one_machine_comes_of_it(PLACES[1], 4);
}

#[test]
fn at_scaleway_one_machine_comes_of_it() {
    one_machine_comes_of_it(PLACES[2], 2);
}

#[test]
fn at_linode_one_machine_comes_of_it() {
    one_machine_comes_of_it(PLACES[3], 2);
}
