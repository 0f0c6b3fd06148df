//! What runs did stays known: what was done and why, whatever became of the run, and whatever became of the instance. And
//! what changes is shown while it does.

use crate::support::{
    face::Face,
    scaleway::SCALEWAY,
    shop::{SPEED, Shop, pad},
    teller::Teller,
};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt};

/// The runs of an instance, as tools see them, oldest first.
fn runs(shop: &Shop, name: &str) -> Vec<Value> {
    objects(&shop.expect(0, &["history", name, "-o", "json"]).out)
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// The pad on a cloud as slow as life: a server takes its time to boot, and nothing ends before it is told to.
fn slow(state: &str) -> String {
    pad(state, "").replace(&format!("speed: {SPEED}"), "speed: 1")
}

/// The conditions of a row that hold, with their reasons.
fn holding(row: &Value) -> Vec<String> {
    let all = row["status"]["conditions"].as_array().unwrap();
    assert_eq!(all.iter().map(|it| it["type"].as_str().unwrap()).collect::<Vec<_>>(), ["Ready", "Progressing", "Held", "Drifted"]);
    assert!(all.iter().all(|it| !it["message"].as_str().unwrap().is_empty()), "{row:#}");
    let holding = all.iter().filter(|it| it["status"] == "True");
    holding.map(|it| format!("{} {}", it["type"].as_str().unwrap(), it["reason"].as_str().unwrap())).collect()
}

fn row(shop: &Shop) -> Value {
    objects(&shop.expect(0, &["get", "pad.yaml", "-o", "json"]).out).remove(0)
}

/// Made, archived, deleted: each run is told with where it began and how it ended, also when no spec is left.
#[test]
fn what_runs_did_is_known_when_nothing_else_is_left() {
    let shop = Shop::new();
    assert!(shop.expect(0, &["history"]).out.starts_with("no run is kept"));
    shop.apply("present");
    shop.apply("absent");
    shop.expect(0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    fs::remove_file(shop.path("pad.yaml")).unwrap();
    let told = runs(&shop, "mypad");
    let course: Vec<[&str; 4]> = told.iter().map(|it| ["from", "to", "verdict", "why"].map(|key| it[key].as_str().unwrap())).collect();
    assert_eq!(
        course,
        [["nothing", "running", "done", "byHand"], ["running", "archived", "done", "byHand"], ["archived", "deleted", "done", "byHand"]]
    );
    assert!(told.iter().all(|it| it["calls"].as_u64().unwrap() > 1 && it["seconds"].as_f64().unwrap() > 0.0 && it["v"] == 1));
    assert!(told.windows(2).all(|it| it[0]["run"].as_str() < it[1]["run"].as_str()), "ids sort by time");

    let table = shop.expect(0, &["history", "mypad", "--limit", "2"]).out;
    assert_eq!(table.lines().count(), 3, "a header and the last two: {table}");
    assert!(table.contains("running") && table.contains("by hand") && !table.contains("nothing"), "{table}");

    // The end of an id is enough to say which.
    let id = told[1]["run"].as_str().unwrap();
    let story = shop.expect(0, &["history", "mypad", &id[9..]]).out;
    for said in
        ["running → archived, by hand", "+0.0s  look", "stop      server mypad, because serverState is absent", "✓         ", "done: "]
    {
        assert!(story.contains(said), "{said:?} is not in\n{story}");
    }
    let lines = objects(&shop.expect(0, &["history", "mypad", id, "-o", "json"]).out);
    assert!(lines.iter().all(|it| it["run"] == id && it["name"] == "mypad" && it["at"].as_str().unwrap().ends_with('Z')));
    assert_eq!((&lines[0]["type"], &lines.last().unwrap()["type"]), (&"began".into(), &"ended".into()));

    let unknown = shop.expect(1, &["history", "nobody"]).err;
    assert!(unknown.contains("there are runs of: mypad"), "{unknown}");
}

/// Killed in the midst of a call: what it had done is told, and that nobody knows its end. The next run goes on.
#[test]
fn a_run_that_was_killed_is_told_as_far_as_it_came() {
    let shop = Shop::new();
    shop.write("pad.yaml", &slow("present"));
    let mut apply = Teller::of(&mut shop.command(&["apply", "pad.yaml", "--yes", "-o", "json"]));
    apply.until("\"until\":\"server mypad runs\"");
    let under_way = runs(&shop, "mypad");
    assert_eq!((&under_way[0]["verdict"], &under_way[0]["from"]), (&"underWay".into(), &"nothing".into()));
    assert!(holding(&row(&shop)).contains(&"Progressing RunUnderWay".to_owned()), "{:#}", row(&shop));
    // Killed, and not told to end.
    drop(apply);
    let cut = runs(&shop, "mypad");
    assert_eq!((&cut[0]["verdict"], cut[0]["calls"].as_u64().unwrap() > 2), (&"cutOff".into(), true), "{:#}", cut[0]);
    assert!(!holding(&row(&shop)).iter().any(|it| it.starts_with("Drifted")), "what it did not come to is no drift");
    let id = cut[0]["run"].as_str().unwrap().to_owned();
    let story = shop.expect(0, &["history", "mypad", &id]).out;
    assert!(story.contains("create    server mypad") && story.contains("it was cut off"), "{story}");

    // Half a line is how a machine that lost its power leaves the file.
    let file = shop.path("home/runs/default.mypad.jsonl");
    let torn = fs::read_to_string(&file).unwrap() + "{\"run\":\"0\",\"type\":\"sta";
    fs::write(&file, torn).unwrap();
    shop.write("pad.yaml", &pad("present", ""));
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    let told = runs(&shop, "mypad");
    let verdicts: Vec<&str> = told.iter().map(|it| it["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["cutOff", "done"]);
}

/// Two instances keep their runs apart; a hold is told with its code; `describe` tells the last ones.
#[test]
fn each_instance_has_its_own_runs_and_a_hold_its_reason() {
    let shop = Shop::new();
    shop.apply("present");
    shop.write("other.yaml", &pad("present", "").replace("name: mypad", "name: other\n  namespace: lab"));
    shop.expect(0, &["apply", "other.yaml", "--yes"]);
    shop.write("pad.yaml", &pad("stopped", "").replace("sizeGb: 30", "sizeGb: 10"));
    shop.expect(3, &["apply", "pad.yaml", "--yes"]);
    assert_eq!(holding(&row(&shop)), ["Held WouldShrink"]);
    assert_eq!(runs(&shop, "lab/other").len(), 1);
    let all = shop.expect(0, &["history"]).out;
    assert!(all.contains("lab/other") && all.contains("mypad"), "{all}");
    let mode = fs::metadata(shop.path("home/runs/lab.other.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what was done is the owner's business");

    let told = shop.run(&["describe", "pad.yaml"]).out;
    let last = runs(&shop, "mypad").pop().unwrap();
    let id = last["run"].as_str().unwrap();
    assert!(told.contains(&format!("run {id}")) && told.contains("CONDITION"), "{told}");
    let described = shop.describe();
    assert_eq!((&described["runs"][0]["run"], &described["status"]), (&last["run"], &row(&shop)["status"]));
}

/// Somebody shuts the machine down in the console: that is drift, and says so until it is put back.
#[test]
fn what_somebody_else_changed_is_drift() {
    let shop = Shop::new();
    shop.write_pad("present");
    assert_eq!(holding(&row(&shop)), ["Progressing ChangesPending"], "what was never applied has not drifted");
    shop.apply("present");
    assert_eq!(holding(&row(&shop)), ["Ready Running"]);
    let server = shop.cloud().truth().unwrap().servers.keys().next().unwrap().clone();
    let cloud = shop.cloud();
    cloud.power_off(&server).unwrap();
    let mut watch = Teller::of(&mut shop.command(&["get", "pad.yaml", "--watch", "--every", "2s", "-o", "json"]));
    watch.until("\"observed\":\"stopped\"");
    let seen: Value = serde_json::from_str(watch.told.last().unwrap()).unwrap();
    assert_eq!(holding(&seen), ["Progressing ChangesPending", "Drifted ChangedOutside"]);
    assert_eq!(watch.interrupt(), 130);
    shop.write_pad("absent");
    assert_eq!(holding(&row(&shop)), ["Progressing ChangesPending"], "what its owner wants otherwise has not drifted");
}

/// `get --watch` says a line where something changes, and nothing where nothing does.
#[test]
fn what_changes_is_shown_while_another_process_changes_it() {
    let shop = Shop::new();
    shop.write_pad("present");
    let mut watch = Teller::of(&mut shop.command(&["get", "pad.yaml", "--watch", "--every", "2s"]));
    watch.until("NAME");
    watch.until("nothing");
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    watch.until("in sync");
    // The spec is read again as well.
    shop.write_pad("absent");
    watch.until("changes pending");
    let told = watch.told.clone();
    assert_eq!(watch.interrupt(), 130);
    assert_eq!(told.iter().filter(|it| it.contains("NAME")).count(), 1, "{told:#?}");
    assert!(told.windows(2).all(|it| it[0] != it[1]), "no line twice: {told:#?}");
    let refused = shop.expect(1, &["get", "pad.yaml", "--watch", "--every", "1s"]);
    assert!(refused.err.contains("write 2 s or more"), "{}", refused.err);
}

/// A watch that finds everything as it should be, again and again, leaves one line of it.
#[test]
fn a_watch_tells_why_it_did_something() {
    let shop = Shop::new();
    let save = |state: &str| {
        shop.write("specs/.pad.swp", &pad(state, ""));
        fs::rename(shop.path("specs/.pad.swp"), shop.path("specs/pad.yaml")).unwrap();
    };
    save("present");
    let mut watch = Teller::of(&mut shop.command(&["watch", "specs", "-o", "json"]));
    watch.until("\"verdict\":\"done\"");
    save("stopped");
    watch.until("\"verdict\":\"done\"");
    let ended: Value = serde_json::from_str(watch.told.last().unwrap()).unwrap();
    assert_eq!(watch.interrupt(), 130);
    let told = runs(&shop, "mypad");
    assert_eq!(told.iter().map(|it| it["why"].as_str().unwrap()).collect::<Vec<_>>(), ["resync", "edit"]);
    assert_eq!(told[1]["run"], ended["run"], "what is printed and what is kept are one run");
    // Another one finds nothing to do: that was so before.
    let mut again = Teller::of(&mut shop.command(&["watch", "specs", "-o", "json"]));
    again.until("\"verdict\":\"done\"");
    assert_eq!(again.interrupt(), 130);
    assert_eq!(runs(&shop, "mypad").len(), 2);
}

/// Where nothing can be kept, everything is done all the same, and that is said once.
#[test]
fn a_run_that_cannot_be_kept_is_carried_out_all_the_same() {
    let shop = Shop::new();
    shop.write("home/runs", "somebody's file");
    let ran = shop.apply("present");
    assert_eq!(ran.err.matches("not kept for cloudypad history").count(), 1, "{}", ran.err);
    assert!(shop.expect(0, &["plan", "pad.yaml", "--detailed-exitcode"]).out.contains("in sync"));
    fs::remove_file(shop.path("home/runs")).unwrap();
    fs::create_dir_all(shop.path("home/runs/default.mypad.jsonl")).unwrap();
    let ran = shop.apply("absent");
    assert_eq!(ran.err.matches("not kept for cloudypad history").count(), 1, "{}", ran.err);
    assert!(shop.run(&["describe", "pad.yaml"]).out.contains("archived, in sync"));
}

/// The log as objects: each with the run that it is of, and the vendor's own id of each request.
#[test]
fn a_log_for_tools_names_run_and_request() {
    let shop = Shop::new();
    let face = Face::scaleway(&shop);
    shop.write("pad.yaml", &(SCALEWAY.pad)("present", ""));
    let mut apply = face.command(&shop, &["apply", "pad.yaml", "--yes", "-vv", "--log-format", "json", "-o", "json"]);
    let output = apply.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = objects(&String::from_utf8(output.stdout).unwrap()).pop().unwrap()["run"].clone();
    let log = objects(&String::from_utf8(output.stderr).unwrap());
    let called = log.iter().find(|it| it["message"] == "called").unwrap();
    assert_eq!((&called["run"], &called["instance"], &called["level"]), (&run, &"mypad".into(), &"INFO".into()));
    let answered = log.iter().filter(|it| it["message"] == "answered" && it["run"] == run);
    let ids: std::collections::BTreeSet<_> = answered.map(|it| it["request_id"].as_str().unwrap()).collect();
    assert!(ids.len() > 3 && !ids.contains("\"\""), "{ids:?}");
}
