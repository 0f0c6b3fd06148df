//! Who yields: the rule by itself, on the planner, in worlds in words.

use crate::support::words::{self, at};
use cloudypad::{
    model::{Applied, Ask, Capabilities, Facts, Hold, Stamp, Step, Verdict, World},
    plan::{audit, plan},
};

fn look(spec: &str, world: &str) -> (Ask, World, Capabilities) {
    let (ask, cloud) = words::ask(spec).unwrap();
    let world = words::world_of(world, &ask).unwrap();
    (ask, world, cloud)
}

/// What a run knows that applied its wish at this second.
fn applied_at(ask: &Ask, seconds: i64) -> Facts {
    Facts { begun: true, applied: Some(Applied::now(ask, at(seconds), None)), ..Facts::default() }
}

fn yields(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> bool {
    matches!(plan(ask, world, facts, cloud).verdict, Verdict::Held(Hold::OtherApplier { .. }))
}

/// What the plan has the server or the firewall say.
fn says(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> Option<Applied> {
    plan(ask, world, facts, cloud).next.iter().find_map(|it| it.step.applied())
}

/// Who applied his wish before another was applied yields; who applied it after goes on, and a look that shows the
/// cloud as it was before changes nothing of that: he says again, later than both, what he applies.
#[test]
fn the_later_one_goes_on() {
    let (ask, world, cloud) = look("scaleway; present", "server s running, root r; applied stopped at 880");
    assert!(!yields(&ask, &world, &Facts::default(), &cloud), "a run that has applied nothing yet overrides");
    assert!(yields(&ask, &world, &applied_at(&ask, 879), &cloud));
    let late = applied_at(&ask, 881);
    assert!(!yields(&ask, &world, &late, &cloud));
    let again = says(&ask, &world, &late, &cloud).unwrap();
    assert!(again.is_of(&ask) && again > late.applied.unwrap() && again > Applied::latest(&world).unwrap());
}

/// Two who applied within one second: one of them yields, whichever of their tags is there, and never both.
#[test]
fn of_two_in_one_second_one_yields() {
    let (present, _, cloud) = look("scaleway; present", "nothing");
    for other in ["scaleway; stopped", "scaleway; absent", "scaleway; present; data 10 GB", "scaleway; deleted"] {
        let (other, ..) = look(other, "nothing");
        let pair = [(&present, &other), (&other, &present)];
        let yielding = pair.map(|(own, theirs)| {
            // He applied, and sees that the other did.
            let (_, mut world, _) = look("scaleway; present", "server s running, root r");
            let tag = Applied::now(theirs, at(900), None).value();
            let cloudypad::model::Seen::Present(servers) = &mut world.servers else { panic!("a server") };
            servers[0].tags = servers[0].tags.clone().with_value(cloudypad::model::APPLIED, &tag);
            yields(own, &world, &applied_at(own, 900), &cloud)
        });
        assert_eq!(yielding.iter().filter(|it| **it).count(), 1, "{:?}", other.aim());
    }
}

/// Whatever the vendor's clock says, who overrides comes later than whom he overrides.
#[test]
fn who_overrides_comes_later_whatever_the_clock_says() {
    let (ask, mut world, cloud) = look("scaleway; present", "server s running, root r; applied stopped at 880");
    for now in [at(5), at(880), at(1000), Stamp(0)] {
        world.now = now;
        let fresh = says(&ask, &world, &Facts::default(), &cloud).unwrap();
        assert!(fresh > Applied::latest(&world).unwrap(), "{now:?}: {fresh:?}");
    }
}

/// Where nothing is left at all of what a run applied, somebody deleted it: the run does not begin anew. A list that may
/// lag proves nothing, and a run that has applied nothing yet begins.
#[test]
fn behind_a_deletion_nothing_is_made_anew() {
    for wish in ["present", "stopped", "absent"] {
        let (ask, world, cloud) = look(&format!("scaleway; {wish}"), "nothing");
        assert!(yields(&ask, &world, &applied_at(&ask, 990), &cloud), "{wish}");
        assert!(!yields(&ask, &world, &Facts::default(), &cloud), "{wish}");
        let mut lagging = applied_at(&ask, 990);
        lagging.made.insert("create-firewall".to_owned(), at(998));
        assert!(!yields(&ask, &world, &lagging, &cloud), "{wish}");
    }
    let (ask, world, cloud) = look("scaleway; deleted", "nothing");
    assert!(!yields(&ask, &world, &applied_at(&ask, 990), &cloud), "who deletes is done");
}

/// A spec that is only kept yields whoever came first, and the audit refuses any plan that would not.
#[test]
fn a_kept_spec_touches_nothing_of_anothers() {
    let (ask, theirs, cloud) = look("scaleway; present; watched", "server s off, root r; applied stopped at 880");
    assert!(yields(&ask, &theirs, &Facts::default(), &cloud));
    // Only a look from before it was applied is no news.
    assert!(!yields(&ask, &theirs, &applied_at(&ask, 881), &cloud));

    let (_, own, _) = look("scaleway; present; watched", "server s off, root r");
    let start = plan(&ask, &own, &Facts::default(), &cloud);
    assert!(matches!(start.next.as_slice(), [it] if matches!(it.step, Step::StartServer(_))), "{:?}", start.next);
    assert!(audit(&start, &ask, &own, &cloud).is_empty());
    let objections = audit(&start, &ask, &theirs, &cloud);
    assert!(objections.iter().any(|it| it.why.contains("another spec was applied")), "{objections:?}");
}

/// Equal wishes are one wish: nobody yields, and nothing is to be said.
#[test]
fn equal_wishes_never_meet() {
    for spec in ["scaleway; present; data 100 GB", "linode; stopped; root snapshot", "scaleway; absent; data 100 GB, snapshot"] {
        for watched in ["", "; watched"] {
            let (ask, world, cloud) = look(&format!("{spec}{watched}"), "server s running, root r, data d");
            for facts in [Facts::default(), applied_at(&ask, 1), applied_at(&ask, 999)] {
                assert!(!yields(&ask, &world, &facts, &cloud), "{spec}");
                assert_eq!(says(&ask, &world, &facts, &cloud), None, "{spec}");
            }
        }
    }
}
