//! By the clock: schedules, sessions, and suspensions with an end, through the program as its users run it.

use crate::support::{
    shop::{Shop, pad},
    words,
};
use cloudypad::model::look_again;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::Value;

/// From 18:00 to 23:00 in Paris there is a machine.
const EVENINGS: &str = "  schedule:\n    - {cron: 0 18 * * *, timezone: Europe/Paris, serverState: present}\n    \
                        - {cron: 0 23 * * *, timezone: Europe/Paris, serverState: absent}\n";

/// What `plan --at` says, exit code aside.
fn plan_at(shop: &Shop, at: &str) -> String {
    shop.expect(0, &["plan", "pad.yaml", "--at", at]).out
}

fn json_of(shop: &Shop, arguments: &[&str]) -> Value {
    let out = shop.expect(0, arguments).out;
    serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// A moment so many hours from now, as an owner writes it.
fn hours_from_now(hours: i64) -> String {
    Timestamp::now().checked_add(SignedDuration::from_hours(hours)).unwrap().to_string()
}

/// Before anything is paid for, `plan --at` shows an evening: what is wished then, why, and what comes next.
#[test]
fn an_evening_is_planned_ahead() {
    let shop = Shop::new();
    shop.write("pad.yaml", &pad("absent", EVENINGS));
    let evening = plan_at(&shop, "2026-11-24T18:00+01:00");
    assert!(evening.contains("nothing → running") && evening.contains("schedule 1 says present"), "{evening}");
    assert!(evening.contains("next: archived at Tue 24 Nov 23:00 Europe/Paris (schedule 2)"), "{evening}");
    let night = plan_at(&shop, "2026-11-24T23:00[Europe/Paris]");
    assert!(night.contains("nothing → archived") || night.contains("nothing, in sync"), "{night}");
    assert!(night.contains("next: running at Wed 25 Nov 18:00 Europe/Paris (schedule 1)"), "{night}");
    let refused = shop.expect(1, &["plan", "pad.yaml", "--at", "2026-11-24T23:00"]);
    assert!(refused.err.contains("does not say in which zone"), "{}", refused.err);
}

/// In the night in which 02:30 does not come, what is due then comes as the clock jumps; where it comes twice, the first time.
#[test]
fn daylight_saving_loses_and_doubles_nothing() {
    let shop = Shop::new();
    let night = EVENINGS.replace("0 23", "30 2");
    shop.write("pad.yaml", &pad("absent", &night));
    let is_wished = |at: &str| plan_at(&shop, at).contains("→ running");
    assert!(is_wished("2027-03-28T00:59:59Z") && !is_wished("2027-03-28T01:00:00Z"), "03:00 comes right after 01:59:59");
    assert!(plan_at(&shop, "2027-03-27T23:00Z").contains("next: archived at Sun 28 Mar 03:00 Europe/Paris"));
    assert!(is_wished("2027-10-31T00:29:59Z") && !is_wished("2027-10-31T00:30:00Z"), "02:30 for the first time");
    assert!(!is_wished("2027-10-31T01:29:59Z") && !is_wished("2027-10-31T01:30:00Z"), "02:30 once more");
}

/// A session that ended archives what the spec calls present, through every law of an archive; a new end has it back. `get`
/// and `describe` say what comes next, for people and for tools.
#[test]
fn a_session_ends_and_another_begins() {
    let shop = Shop::new();
    let session = |until: &str| pad("present", &format!("  session:\n    until: {until}\n"));
    shop.write("pad.yaml", &session(&hours_from_now(30)));
    let ran = shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("next: archived at") && ran.out.contains("(session.until)"), "{}", ran.out);
    let listed = shop.expect(0, &["get", "pad.yaml"]).out;
    assert!(listed.contains("NEXT") && listed.contains("archived at") && listed.contains("running"), "{listed}");
    let row = json_of(&shop, &["get", "pad.yaml", "-o", "json"]);
    assert_eq!((&row["clock"]["because"], &row["clock"]["next"]["to"]), (&Value::from("serverState"), &Value::from("archived")), "{row}");

    shop.write("pad.yaml", &session(&hours_from_now(-1)));
    let ran = shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("its session is over (session.until)") && ran.out.contains("snapshot"), "{}", ran.out);
    let row = json_of(&shop, &["get", "pad.yaml", "-o", "json"]);
    assert_eq!((&row["observed"], &row["verdict"], &row["clock"]["next"]), (&"archived".into(), &"inSync".into(), &Value::Null), "{row}");
    let told = shop.expect(0, &["describe", "pad.yaml"]).out;
    assert!(told.contains("its session is over since"), "{told}");

    shop.write("pad.yaml", &session(&hours_from_now(30)));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    assert_eq!(json_of(&shop, &["get", "pad.yaml", "-o", "json"])["observed"], "running");
}

/// How long a server may run is counted on the cloud, from stamps of its own: nobody has to remember it.
#[test]
fn a_session_lasts_as_long_as_it_may() {
    let shop = Shop::new();
    shop.write("pad.yaml", &pad("present", "  session:\n    max: 720h\n"));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    let now = shop.expect(0, &["plan", "pad.yaml"]).out;
    assert!(now.contains("running, in sync") && now.contains("(session.max)"), "{now}");
    // The cloud of a shop lives thousands of days in one of ours.
    let tomorrow = shop.expect(3, &["plan", "pad.yaml", "--at", &hours_from_now(24), "-o", "json"]).out;
    assert!(tomorrow.contains("its session is over (session.max)") && tomorrow.contains("snapshot"), "{tomorrow}");
    assert!(tomorrow.contains("\"code\":\"Archived\"") && !tomorrow.contains("nobody uses it"), "and it stays so: {tomorrow}");
}

/// A watch sleeps until the clock has something to say: an entry, or a session's end. What a session has left is counted on
/// the cloud's clock, which may be another one and run at another speed.
#[test]
fn one_may_sleep_until_the_clock_says_something() {
    let look = |more: &str| {
        let spec = format!("scaleway; present; clock 2026-11-24T21:00:00Z{more}");
        let (ask, _) = words::ask(&spec).unwrap();
        // Made at 100 s of the cloud's clock, where it is 1000 s now.
        let world = words::world_of("server srv-1 running, root vol-r, recipe none", &ask).unwrap();
        move |speed| look_again(&ask, &world, speed).map(|it| it.to_string())
    };
    let at = |moment: &str| Some(moment.to_owned());
    let night = "; schedule 0 18 * * * UTC present; schedule 0 23 * * * UTC absent";
    assert_eq!(look("")(1.0), None);
    assert_eq!(look(night)(1.0), at("2026-11-24T23:00:00Z"));
    assert_eq!(look("; session max 1h")(1.0), at("2026-11-24T21:45:00Z"));
    assert_eq!(look("; session max 1h")(60.0), at("2026-11-24T21:00:45Z"));
    assert_eq!(look(&format!("{night}; session max 3h"))(1.0), at("2026-11-24T23:00:00Z"));
    assert_eq!(look(&format!("{night}; session max 2h"))(1.0), at("2026-11-24T22:45:00Z"));
    assert_eq!(look("; session max 901s")(1.0), at("2026-11-24T21:00:01Z"));
    assert_eq!(look("; session max 15m")(1.0), None, "it is over already");
}

/// Hands are kept off until a moment, and not after it.
#[test]
fn a_suspension_ends() {
    let shop = Shop::new();
    let suspended = |until: &str| pad("present", &format!("  suspend:\n    until: {until}\n"));
    shop.write("pad.yaml", &suspended(&hours_from_now(30)));
    let held = shop.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert!(held.out.contains("held Suspended") && held.out.contains("suspended until"), "{}", held.out);
    assert!(plan_at(&shop, &hours_from_now(31)).contains("nothing → running"));
    assert_eq!(shop.cloud().inventory().unwrap(), Vec::<String>::new());
    shop.write("pad.yaml", &suspended(&hours_from_now(-1)));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
}

/// A year is said where it is another one than now's.
#[test]
fn times_are_told_as_people_say_them() {
    let told = |at: &str, now: &str| cloudypad::report::time_text(&at.parse::<Zoned>().unwrap(), now.parse().unwrap());
    assert_eq!(told("2026-11-24T23:00[Europe/Paris]", "2026-01-01T00:00Z"), "Tue 24 Nov 23:00 Europe/Paris");
    assert_eq!(told("2027-01-01T00:00[Europe/Paris]", "2026-12-31T23:00Z"), "Fri 1 Jan 00:00 Europe/Paris", "there it is 2027 already");
    assert_eq!(told("2027-01-01T00:00:30[UTC]", "2026-12-31T23:59Z"), "Fri 1 Jan 2027 00:00:30 UTC");
    assert_eq!(told("2026-11-24T23:00+01:00[+01:00]", "2026-01-01T00:00Z"), "Tue 24 Nov 23:00 +01:00");
}
