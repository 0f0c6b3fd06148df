//! What Linode does not do for everybody: large images, free machines, reserved addresses, events, many calls.

use crate::support::{
    face::{Entry, Face},
    linode::{LINODE, pad},
    shop::Shop,
};
use serde_json::{Value, json};

/// The reference spec, its first capture kept on the way down.
fn reuse(state: &str, more: &str) -> String {
    pad(state, more).replace("    onStop: refresh\n", "")
}

/// The instance's Linode, as a stranger in the console sees it.
pub(super) fn linode(face: &Face) -> Value {
    let all = face.get("/v4/linode/instances");
    let all = all["data"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn get(face: &Face, shop: &Shop) -> Value {
    serde_json::from_str(&face.expect(shop, 0, &["get", "pad.yaml", "-o", "json"]).out).unwrap()
}

/// An account stores images of 6 GB. A capture that is given up is noted, leaves the machine playable, and holds its
/// archive, with two ways out.
#[test]
fn a_capture_that_is_given_up_leaves_a_machine_to_play_on() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/_emulator/settings", json!({"image_limit_mb": 100}));
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert_eq!(calls.iter().filter(|it| *it == "POST images").count(), 1, "{calls:?}");
    assert!(ran.out.contains("CaptureFailed"), "{}", ran.out);
    assert_eq!(linode(&face)["status"], "running");
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert_eq!(calls, [""; 0], "nobody tries again unasked");
    assert!(ran.out.contains("CaptureFailed") && ran.out.contains("imageLimitGb") && ran.out.contains("disposable"), "{}", ran.out);
    assert_eq!(get(&face, &shop)["conditions"], json!(["CaptureFailed"]));

    shop.write("pad.yaml", &reuse("absent", ""));
    face.log();
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("held CaptureFailed") && ran.out.contains("6 GB"), "{}", ran.out);
    assert_eq!(face.changes(), [""; 0], "held before it is stopped");

    // The first way out: the limit is raised.
    face.post("/_emulator/settings", json!({"image_limit_mb": null}));
    let raised = |state| reuse(state, "").replace("      region:", "      imageLimitGb: 20\n      region:");
    let (_, calls) = face.apply(&shop, &raised("absent"));
    assert!(calls.contains(&"POST images".to_owned()) && calls.contains(&"DELETE linode/instances".to_owned()), "{calls:?}");
    face.apply(&shop, &raised("present"));
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]), "nothing lost, nothing leaked");
}

/// The second way out: the disk may go.
#[test]
fn a_root_disk_that_cannot_be_captured_can_be_let_go() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/_emulator/settings", json!({"image_limit_mb": 100}));
    face.apply(&shop, &reuse("present", ""));
    let disposable = |state| reuse(state, "").replace("    sizeGb: 30\n", "    sizeGb: 30\n    disposable: true\n");
    let (ran, calls) = face.apply(&shop, &disposable("absent"));
    assert!(ran.out.contains("will be lost: everything on the disk (rootDisk.disposable)"), "{}", ran.out);
    assert!(!calls.contains(&"POST images".to_owned()), "{calls:?}");
    assert!(face.inventory().iter().any(|it| it.contains("volume")), "the data volume stays: {:?}", face.inventory());
    face.apply(&shop, &disposable("present"));
}

/// A failure at the raised limit is a new failure: it is noted anew, and not tried again and again.
#[test]
fn a_capture_that_fails_again_is_noted_again() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/_emulator/settings", json!({"image_limit_mb": 100}));
    face.apply(&shop, &reuse("present", ""));
    shop.write("pad.yaml", &reuse("absent", "").replace("      region:", "      imageLimitGb: 20\n      region:"));
    face.log();
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("more than 20 GB"), "{}", ran.out);
    assert_eq!(face.changes().iter().filter(|it| *it == "POST images").count(), 1, "{}", ran.out);
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("CaptureFailed"), "{}", ran.out);
    assert_eq!(face.changes(), [""; 0]);
}

/// No room for another image: the machine plays on, and is captured at the next stop, once there is room.
#[test]
fn an_account_full_of_images_keeps_nobody_from_playing() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.post("/_emulator/settings", json!({"quota": {"image": 0}}));
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    assert_eq!(calls.iter().filter(|it| *it == "POST images").count(), 1, "{calls:?}");
    assert_eq!(linode(&face)["status"], "running");
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert_eq!(calls, [""; 0]);
    assert!(ran.out.contains("captured at the next stop"), "{}", ran.out);
    shop.write("pad.yaml", &reuse("absent", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("Account Limit reached") && ran.out.contains("delete what you no longer need"), "{}", ran.out);
    face.post("/_emulator/settings", json!({"quota": {"image": 25}}));
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
}

#[test]
fn a_plan_that_is_sold_out_is_a_hold_with_alternatives() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.arm("POST /linode/instances", "out-of-stock", 1, 0);
    shop.write("pad.yaml", &reuse("present", ""));
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("no machine is free") && ran.out.contains("--wait-for-stock"), "{}", ran.out);
    assert!(ran.out.contains("another instanceType (free in fr-par: g2-gpu-"), "{}", ran.out);
    face.apply(&shop, &reuse("present", ""));
}

/// An account that may not reserve addresses is served with the Linode's own.
#[test]
fn without_reserved_addresses_the_linodes_own_is_told() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.arm("POST /networking/reserved/ips", "quota", 1, 0);
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert!(ran.out.contains("the run goes on without it"), "{}", ran.out);
    assert_eq!(calls.iter().filter(|it| it.contains("reserved")).count(), 1);
    let (ran, calls) = face.apply(&shop, &reuse("present", ""));
    assert_eq!(calls, [""; 0]);
    assert!(ran.out.contains("no address is reserved"), "{}", ran.out);
    let own = linode(&face)["ipv4"][0].clone();
    assert_eq!(get(&face, &shop)["host"], own);
}

/// Where the account may reserve one, the host stays the same through an archive.
#[test]
fn a_reserved_address_outlives_the_linode() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &reuse("present", ""));
    let host = get(&face, &shop)["host"].clone();
    assert_eq!(linode(&face)["ipv4"], json!([host]));
    face.apply(&shop, &reuse("absent", ""));
    face.apply(&shop, &reuse("present", ""));
    assert_eq!(linode(&face)["ipv4"], json!([host]));
    assert_eq!(get(&face, &shop)["host"], host);
}

/// Off is billed in full: said in the plan and by `get`.
#[test]
fn off_is_not_free() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &reuse("present", ""));
    let (ran, calls) = face.apply(&shop, &reuse("stopped", ""));
    assert!(calls.contains(&"POST linode/instances/shutdown".to_owned()), "{calls:?}");
    assert!(ran.out.contains("billed in full on Linode, use absent"), "{}", ran.out);
    let table = face.expect(&shop, 0, &["get", "pad.yaml"]).out;
    assert!(table.contains("billed in full on Linode, use absent"), "{table}");
}

/// A token that may not read events does without: what it sees itself is proof enough, for the run that sees it.
#[test]
fn without_leave_to_read_events_it_is_captured_again() {
    let shop = Shop::new();
    // A gap of 30 seconds between two looks counts as not seen: so slow that a busy machine leaves none.
    let face = Face::start_at(&LINODE, &shop, "200", &[]);
    face.arm("GET /account/events*", "denied", 100_000, 0);
    face.apply(&shop, &pad("present", ""));
    face.apply(&shop, &pad("absent", ""));
    face.apply(&shop, &pad("present", ""));
    assert_eq!(face.judge(&["in:default.mypad"]), (vec![], vec![]));
    face.post("/_emulator/settings", json!({"image_limit_mb": 100}));
    shop.write("pad.yaml", &pad("absent", ""));
    face.log();
    let ran = face.expect(&shop, 3, &["apply", "pad.yaml", "--yes"]);
    assert!(ran.out.contains("the cloud gave up capturing"), "{}", ran.out);
    assert_eq!(face.changes().iter().filter(|it| *it == "POST images").count(), 1, "{}", ran.out);
}

/// Who, or what, switched it off is told; the spec decides.
#[test]
fn who_switched_it_off_is_told() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    face.apply(&shop, &reuse("present", ""));
    let id = linode(&face)["id"].clone();
    let plan = || face.expect(&shop, 0, &["plan", "pad.yaml"]).out;

    face.post(&format!("/v4/linode/instances/{id}/shutdown"), json!({}));
    face.post("/_emulator/clock", json!({"advance": 120}));
    assert!(plan().contains("was powered off through the vendor's console or API, by "), "{}", plan());
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);

    // Much later: what goes off again at once is held.
    face.post("/_emulator/clock", json!({"advance": 1200}));
    face.post("/_emulator/guest-shutdown", json!({"linode": id}));
    face.post("/_emulator/clock", json!({"advance": 120}));
    assert!(plan().contains("was shut down from inside, or failed"), "{}", plan());
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);

    face.post("/_emulator/clock", json!({"advance": 1200}));
    for (what, says) in [("platform-stop", "stopped server"), ("suspend", "until a bill is paid")] {
        face.post(&format!("/_emulator/{what}"), json!({"linode": id}));
        let ran = face.expect(&shop, 3, &["plan", "pad.yaml"]);
        assert!(ran.out.contains("held Locked") && ran.out.contains(says), "{what}: {}", ran.out);
        face.post("/_emulator/release", json!({"linode": id}));
    }
    face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
}

/// A plan of 500 instances in one account stays inside the real rate limits, which an emulator as slow as life enforces: no
/// call of it is refused, and there are few.
#[test]
fn a_plan_of_five_hundred_stays_inside_the_limits() {
    let shop = Shop::new();
    let face = Face::start_slow(&LINODE, &shop);
    face.post("/_emulator/settings", json!({"rate_limits": false}));
    let name = |index: usize| format!("pad-{index}");
    for index in 0..500 {
        let tags = json!(["cloudypad:v1", format!("in:default.{}", name(index)), "gb:30", "img:linode/ubuntu22.04"]);
        face.post("/v4/linode/instances", json!({"region": "fr-par", "type": "g2-gpu-rtx4000a1-s", "label": name(index), "tags": tags}));
    }
    face.post("/_emulator/clock", json!({"advance": 600}));
    // All are off; one in ten is to start, and is asked how it went off.
    let state = |index: usize| if index.is_multiple_of(10) { "present" } else { "stopped" };
    let spec = |index: usize| {
        let plain = pad(state(index), "").replace("  rootDiskSnapshot:\n    enable: true\n    onStop: refresh\n", "");
        plain.replace("name: mypad", &format!("name: {}", name(index)))
    };
    shop.write("fleet.yaml", &(0..500).map(spec).collect::<Vec<_>>().join("---\n"));
    face.post("/_emulator/settings", json!({"rate_limits": true}));
    face.log();
    let ran = face.expect(&shop, 0, &["plan", "fleet.yaml"]);
    assert!(ran.out.contains("Plan: 500 instances to change"), "{}", &ran.out[ran.out.len().saturating_sub(300)..]);
    let log = face.log();
    assert!(log.iter().all(|it| it.status == 200), "{:?}", log.iter().find(|it| it.status != 200));
    let lists = log.iter().filter(|it| !it.path.contains("events")).count();
    assert!(lists <= 6 && log.len() <= 60, "{lists} lists, {} calls", log.len());

    // It is the limits that are kept, not a lack of them.
    let refused = (0..25).map(|_| face.call("GET", "/v4/images", None).0).filter(|it| *it == 429).count();
    assert!(refused > 0);
}

/// A fleet's specs, with what makes them differ in place of `NUMBER`.
fn fleet(shop: &Shop, count: usize, spec: &str) {
    let spec = |index: usize| spec.replace("name: mypad", "name: pad-NUMBER").replace("NUMBER", &index.to_string());
    shop.write("fleet.yaml", &(0..count).map(spec).collect::<Vec<_>>().join("---\n"));
}

/// The requests since the last time the log was asked for, as they were logged.
fn requests(face: &Face) -> Vec<Value> {
    let log = face.get("/_emulator/log")["requests"].as_array().unwrap().clone();
    face.call("DELETE", "/_emulator/log", None);
    log
}

/// One look at a zone serves all names in it.
#[test]
fn names_in_one_zone_are_looked_at_together() {
    let shop = Shop::new();
    let face = Face::linode(&shop);
    let zone = face.post("/v4/domains", json!({"domain": "example.com", "type": "master", "soa_email": "me@example.com"}))["id"].clone();
    let taken = json!({"type": "A", "name": "name-7", "target": "198.51.100.7", "ttl_sec": 300});
    face.post(&format!("/v4/domains/{zone}/records"), taken);
    let named = |zone: &str| pad("present", &format!("  network:\n    dns: {{zone: {zone}, record: name-NUMBER}}\n"));
    let records = |log: &[Value]| -> Vec<Value> {
        log.iter().filter(|it| it["path"].as_str().unwrap().ends_with("/records")).map(|it| it["filter"].clone()).collect()
    };

    fleet(&shop, 50, &named("example.com"));
    requests(&face);
    let ran = face.run(&shop, &["plan", "fleet.yaml"]);
    let log = requests(&face);
    assert!(log.len() <= 8, "{} calls", log.len());
    assert!(records(&log).iter().all(|it| !it.to_string().contains("name-")), "all names at once: {:?}", records(&log));
    assert_eq!(ran.out.matches("held RecordTaken").count(), 1, "one name is somebody else's: {}", ran.out);

    // One name is asked for by itself.
    shop.write("pad.yaml", &named("example.com").replace("NUMBER", "7"));
    let ran = face.expect(&shop, 3, &["plan", "pad.yaml"]);
    assert!(ran.out.contains("held RecordTaken"), "{}", ran.out);
    assert!(records(&requests(&face)).iter().all(|it| it.to_string().contains("name-7")));

    // A zone that is not there is told to each.
    fleet(&shop, 3, &named("example.net"));
    let ran = face.expect(&shop, 3, &["plan", "fleet.yaml"]);
    assert_eq!(ran.out.matches("there is no domain example.net in this account").count(), 3, "{}", ran.out);
    assert!(requests(&face).len() <= 8);
}

/// What waits for its turn is not refused: a fleet comes and goes inside what the API allows in a while.
#[test]
fn a_fleet_comes_and_goes_without_a_refusal() {
    const COUNT: usize = 25;
    let shop = Shop::new();
    let face = Face::start_at(&LINODE, &shop, "60", &[]);
    face.post("/_emulator/settings", json!({"rate_limits": true}));
    fleet(&shop, COUNT, &pad("stopped", "").replace("  rootDiskSnapshot:\n    enable: true\n    onStop: refresh\n", ""));
    face.expect(&shop, 0, &["apply", "fleet.yaml", "--yes"]);
    let names: Vec<String> = (0..COUNT).map(|index| format!("pad-{index}")).collect();
    let confirmed = names.iter().flat_map(|name| ["--destroy-data", name]);
    face.expect(&shop, 0, &["delete", "fleet.yaml", "--yes"].into_iter().chain(confirmed).collect::<Vec<_>>());
    let log = face.log();
    let refused: Vec<String> = log.iter().filter(|it| it.status == 429).map(Entry::brief).collect();
    assert_eq!(refused, [""; 0]);
    for brief in ["POST linode/instances", "DELETE linode/instances", "DELETE networking/reserved/ips"] {
        assert_eq!(log.iter().filter(|it| it.brief() == brief && it.status == 200).count(), COUNT, "{brief}");
    }
    assert_eq!(face.judge(&[]), (vec![], vec![]));
}

/// One instance lives all its life without ever waiting for its turn: no budget is spent to its end in any of its windows.
#[test]
fn one_instance_never_waits_for_its_turn() {
    let shop = Shop::new();
    let face = Face::start_at(&LINODE, &shop, "60", &[]);
    requests(&face);
    for state in ["present", "stopped", "present", "absent", "present"] {
        shop.write("pad.yaml", &pad(state, ""));
        face.expect(&shop, 0, &["apply", "pad.yaml", "--yes"]);
    }
    face.expect(&shop, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    let log = requests(&face);
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    let ends = |it: &Value, method: &str, path: &str| it["method"] == method && text(it, "path").ends_with(path);
    type Budget<'a> = (&'a dyn Fn(&Value) -> bool, usize, f64);
    let budgets: [Budget<'_>; 5] = [
        (&|it| ends(it, "GET", "/images"), 20, 60.0),
        (&|it| ends(it, "POST", "/linode/instances"), 20, 15.0),
        (&|it| ends(it, "POST", "/volumes"), 100, 60.0),
        (&|it| text(it, "path").contains("/networking/reserved/ips/"), 5, 60.0),
        (&|it| !it["query"]["page_size"].is_null(), 200, 60.0),
    ];
    for (of, calls, seconds) in budgets {
        let times: Vec<f64> = log.iter().filter(|it| of(it)).map(|it| it["time"].as_f64().unwrap()).collect();
        assert!(!times.is_empty());
        let most = times.iter().map(|since| times.iter().filter(|it| (*since..=since + seconds).contains(*it)).count()).max();
        assert!(most < Some(calls), "{most:?} of {calls} in {seconds} s");
    }
}
