//! A spec that was applied before, is as it was then, and is kept: as a watch keeps it. Here the engine itself runs, in
//! this process, against the local cloud; the other one is the real binary with a state directory of his own.

use super::ground::{Ground, Place, Who};
use cloudypad::{
    model::{Aim, Ask, Ending, Event, Hold, ServerState, Stance},
    provider::local::Local,
    read,
    run::{Run, converge},
    store::{Home, Journal},
};
use std::cell::RefCell;

/// Keeps one's spec: what came of it, and how many calls were made.
fn keep(ground: &Ground) -> (Ending, usize) {
    keep_with(ground, Stance::Keep, |_| {})
}

/// [`keep`], or an apply, where something happens at an event.
fn keep_with(ground: &Ground, stance: Stance, happens: impl FnMut(&Event)) -> (Ending, usize) {
    let shop = ground.shop(Who::One);
    let instance = read::read(&[shop.path("pad.yaml")]).specs.remove(0).instance;
    let home = Home::at(&shop.path("home"));
    let provider = Local::open(&home.local_cloud(), instance.spec.provider.local.as_ref().unwrap()).unwrap();
    let ask = Ask { stance, ..Ask::of(instance) };
    let mut journal = Journal::open(&home, &ask.key).unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let calls = RefCell::new((0, happens));
    let tell = |event: Event| {
        let (calls, happens) = &mut *calls.borrow_mut();
        *calls += usize::from(matches!(event, Event::Started { .. }));
        happens(&event);
    };
    let run = Run {
        ask: &ask,
        provider: &provider,
        journal: &mut journal,
        stop,
        inside: None,
        patience: None,
        not_before: None,
        tell: &tell,
        show: &|_, _| {},
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ending = runtime.block_on(converge(run)).unwrap();
    let calls = calls.borrow().0;
    (ending, calls)
}

fn apply(ground: &Ground, who: Who, state: &str) {
    ground.write(who, &ground.place.spec(state));
    ground.expect(who, 0, &["apply", "pad.yaml", "--yes"], "apply");
}

/// Whatever the other applies is left to stand, and said; calls are made for nothing. Once he applies what is kept, or it
/// is applied again here, it is kept again, drift and all.
#[test]
fn a_kept_spec_yields_to_whatever_is_applied() {
    for place in [Place::Local, Place::LocalLikeLinode] {
        for (state, aim) in [("stopped", ServerState::Stopped), ("absent", ServerState::Absent)] {
            let ground = Ground::new(place);
            apply(&ground, Who::One, "present");
            assert_eq!(keep(&ground), (Ending::Done { calls: 0 }, 0), "{place:?}");

            apply(&ground, Who::Other, state);
            let (ending, calls) = keep(&ground);
            let Ending::Held(Hold::OtherApplier { aim: theirs, .. }) = ending else { panic!("{place:?} {state}: {ending:?}") };
            assert_eq!((theirs, calls), (Aim::Reach(aim), 0), "{place:?}");
            assert_eq!(ground.stock(), ground.wanted(state), "{place:?}: {:?}", ground.inventory());

            apply(&ground, Who::One, "present");
            assert_eq!(keep(&ground), (Ending::Done { calls: 0 }, 0), "{place:?}");
            assert_eq!(ground.judge(&["in:default.mypad"]), (Vec::new(), 0), "{place:?} {state}");
        }
    }
}

/// The same words, or other words for the same, are no other spec.
#[test]
fn a_kept_spec_knows_its_own_in_other_words() {
    let ground = Ground::new(Place::Local);
    apply(&ground, Who::One, "present");
    // Comments, order, defaults that are written out, and how one gets in.
    let wordy = format!("# mine\n{}  ssh:\n    privateKeyPath: ~/.ssh/other\n  suspend: false\n", ground.place.spec("present"));
    ground.write(Who::Other, &wordy.replace("  rootDisk:\n    sizeGb: 30\n", ""));
    let ran = ground.expect(Who::Other, 0, &["apply", "pad.yaml", "--yes"], "in other words");
    assert!(ran.out.contains("Nothing to do"), "{}", ran.out);
    assert_eq!(keep(&ground), (Ending::Done { calls: 0 }, 0));
}

/// What is kept is kept still when somebody stops the server by hand: that is drift, and no spec.
#[test]
fn a_kept_spec_mends_drift() {
    let ground = Ground::new(Place::Local);
    apply(&ground, Who::One, "present");
    let cloud = ground.shop(Who::One).cloud();
    let server = cloud.truth().unwrap().servers.keys().next().unwrap().clone();
    cloud.power_off(&server).unwrap();
    let (ending, calls) = keep(&ground);
    assert_eq!((ending, calls), (Ending::Done { calls: 1 }, 1));
}

/// Somebody applies something else while an apply is under way: the apply ends at its next look, its journal settled,
/// and what the other wishes stands.
#[test]
fn an_apply_that_is_overridden_ends() {
    for (here, there) in [("absent", "present"), ("stopped", "absent"), ("present", "absent"), ("absent", "stopped")] {
        let ground = Ground::new(Place::Local);
        let before = if here == "present" { "stopped" } else { "present" };
        apply(&ground, Who::One, before);
        ground.write(Who::One, &ground.place.spec(here));
        let mut came = false;
        let (ending, _) = keep_with(&ground, Stance::Apply, |event| {
            let said = matches!(event, Event::Finished { line, .. } if line.verb == "tag");
            if said && !std::mem::replace(&mut came, true) {
                apply(&ground, Who::Other, there);
            }
        });
        assert!(came, "{here}: it never said what it applies");
        assert!(matches!(ending, Ending::Held(Hold::OtherApplier { .. })), "{here}, {there}: {ending:?}");
        ground.expect(Who::Other, 0, &["plan", "pad.yaml", "--detailed-exitcode"], there);
        assert_eq!(ground.stock(), ground.wanted(there), "{here}, {there}: {:?}", ground.inventory());
        assert_eq!(ground.judge(&["in:default.mypad"]), (Vec::new(), 0), "{here}, {there}");
    }
}

/// Deleted while an apply is under way: the apply makes nothing anew behind the deletion's back.
#[test]
fn an_apply_behind_which_all_is_deleted_ends() {
    let ground = Ground::new(Place::Local);
    apply(&ground, Who::One, "present");
    apply(&ground, Who::One, "absent");
    ground.write(Who::One, &ground.place.spec("present"));
    ground.write(Who::Other, &ground.place.spec("present"));
    let mut came = false;
    let (ending, _) = keep_with(&ground, Stance::Apply, |event| {
        let said = matches!(event, Event::Finished { line, .. } if line.verb == "tag");
        if said && !std::mem::replace(&mut came, true) {
            ground.expect(Who::Other, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"], "delete");
        }
    });
    let Ending::Held(Hold::OtherApplier { aim: Aim::Delete { .. }, .. }) = ending else { panic!("{ending:?}") };
    assert_eq!(ground.inventory(), Vec::<String>::new());
    // Whoever wishes it anew says so anew.
    apply(&ground, Who::One, "present");
}

/// An owner who edits his own spec overrides nobody, and is told nothing; from another machine he is.
#[test]
fn only_what_others_applied_is_overridden() {
    let ground = Ground::new(Place::Local);
    apply(&ground, Who::One, "present");
    ground.write(Who::One, &ground.place.spec("stopped"));
    let own = ground.expect(Who::One, 0, &["apply", "pad.yaml", "--yes"], "own edit");
    assert!(!own.out.contains("overrides"), "{}", own.out);
    ground.write(Who::Other, &ground.place.spec("present"));
    for (args, code) in [(&["plan", "pad.yaml"][..], 0), (&["apply", "pad.yaml", "--yes"], 0)] {
        let theirs = ground.expect(Who::Other, code, args, "another's");
        assert!(theirs.out.contains("overrides: another spec (serverState: stopped), applied "), "{}", theirs.out);
    }
    let json = ground.expect(Who::One, 0, &["plan", "pad.yaml", "-o", "json"], "as JSON");
    assert!(json.out.contains("overrides: another spec (serverState: present)"), "{}", json.out);
}
