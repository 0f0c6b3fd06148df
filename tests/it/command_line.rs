//! The command line: exit codes, names, pipes, `set`, `get`, `describe`, deletion, locks.

use crate::support::shop::{SPEED, Shop, pad};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Command,
};

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|it| serde_json::from_str(it).unwrap_or_else(|error| panic!("{error}: {it}"))).collect()
}

#[test]
fn exit_codes_are_as_documented() {
    let shop = Shop::new();
    shop.write_pad("present");
    shop.expect(0, &["validate", "pad.yaml"]);
    shop.expect(0, &["plan", "pad.yaml"]);
    shop.expect(2, &["plan", "pad.yaml", "--detailed-exitcode"]);
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    shop.expect(0, &["plan", "pad.yaml", "--detailed-exitcode"]);
    shop.write("pad.yaml", &pad("absent", "  suspend: true\n"));
    shop.expect(3, &["plan", "pad.yaml"]);
    shop.expect(3, &["apply", "pad.yaml", "--yes"]);
    // These list what was asked for, held or not.
    assert!(shop.expect(0, &["get", "pad.yaml"]).out.contains("held: Suspended"));
    assert!(shop.expect(0, &["describe", "pad.yaml"]).out.contains("1 held: needs you"));
    shop.write("pad.yaml", "serverState: [");
    shop.expect(1, &["plan", "pad.yaml"]);
    for wrong in [&["frobnicate"][..], &["plan", "--frobnicate"], &["plan", "--owner", ""], &["set"]] {
        assert!(shop.expect(1, wrong).err.contains("--help"), "the argument parser's own");
    }
    for right in ["--help", "--version"] {
        assert!(shop.expect(0, &[right]).out.contains("cloudypad"));
    }
}

#[test]
fn names_are_looked_up_in_the_directory_of_specs() {
    let shop = Shop::new();
    shop.write("specs/pad.yaml", &pad("present", ""));
    shop.write("specs/deep/other.yml", &pad("absent", "").replace("mypad", "other"));
    shop.write("specs/.git/config.yaml", "not: a spec");
    shop.write("specs/.hidden.yaml", "not: a spec");
    let ran = shop.expect(0, &["plan", "mypad", "-f", "specs"]);
    assert!(ran.out.contains("specs/pad.yaml:6"), "{}", ran.out);
    assert!(ran.out.ends_with("Apply with: cloudypad apply mypad -f specs\n"), "{}", ran.out);
    let ran = shop.expect(0, &["plan", "--owner", "it's"]);
    assert!(ran.out.trim_end().ends_with(r"Apply with: cloudypad apply . --owner 'it'\''s'"), "{}", ran.out);
    let ran = shop.expect(0, &["get", "-f", "specs"]);
    assert!(ran.out.contains("mypad") && ran.out.contains("other"), "{}", ran.out);
    let ran = shop.expect(1, &["plan", "nobody", "-f", "specs"]);
    assert!(ran.err.contains("there are: mypad, other"), "{}", ran.err);
    let ran = shop.expect(1, &["apply", "--yes"]);
    assert!(ran.err.contains("say what is meant"), "{}", ran.err);
    let mut command = shop.command(&["plan", "other"]);
    assert!(command.env("CLOUDYPAD_SPECS", "specs").status().unwrap().success());
    let mut command = shop.command(&["apply", "--yes"]);
    assert_eq!(command.env("CLOUDYPAD_SPECS", "specs").status().unwrap().code(), Some(1), "a variable is not said");
    for wholesale in [&["delete", "-f", "specs", "--yes", "--keep-snapshots"][..], &["adopt", "-f", "specs", "--yes"]] {
        let ran = shop.expect(1, wholesale);
        assert!(ran.err.contains("say what is meant"), "{}", ran.err);
    }
}

/// Two instances of one name are never told apart by chance; one instance said twice is one.
#[test]
fn a_name_means_one_instance() {
    let shop = Shop::new();
    shop.write("one/pad.yaml", &pad("present", ""));
    let ran = shop.expect(0, &["plan", "one/pad.yaml", "mypad", "one/../one/pad.yaml", "-f", "one"]);
    assert!(ran.out.contains("Plan: 1 instance to change"), "{}", ran.out);
    shop.write("two/pad.yaml", &pad("absent", ""));
    let ran = shop.expect(1, &["plan", "one/pad.yaml", "mypad", "-f", "two"]);
    assert!(ran.err.contains("one/pad.yaml:6") && ran.err.contains("two/pad.yaml:6"), "{}", ran.err);
    let ran = shop.expect(1, &["plan", "mypad", "-f", "."]);
    assert!(ran.err.contains("second time"), "{}", ran.err);
    shop.write("two/pad.yaml", "serverState: [");
    let ran = shop.expect(1, &["plan", "mypad", "-f", "."]);
    assert!(ran.err.contains("two/pad.yaml:1") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
}

/// Where nothing is to do, nobody is asked, and what is held says so.
#[test]
fn held_and_in_sync_is_not_asked_about() {
    let shop = Shop::new();
    shop.write("specs/one.yaml", &pad("present", "").replace("mypad", "one"));
    shop.expect(0, &["apply", "specs", "--yes"]);
    shop.write("specs/two.yaml", &pad("present", "  suspend: true\n").replace("mypad", "two"));
    let ran = shop.expect(3, &["apply", "specs"]);
    assert!(ran.out.contains("1 in sync; 1 held: needs you") && ran.err.is_empty(), "{}{}", ran.out, ran.err);
    shop.expect(0, &["apply", "specs/one.yaml"]);
}

/// Two instances in one command, side by side; the second apply of both does nothing.
#[test]
fn a_directory_is_applied_together() {
    let shop = Shop::new();
    shop.write("specs/one.yaml", &pad("present", "").replace("mypad", "one"));
    shop.write("specs/two.yaml", &pad("absent", "").replace("mypad", "two"));
    shop.write("specs/three.yaml", &pad("stopped", "").replace("mypad", "three"));
    let ran = shop.expect(0, &["apply", "specs", "--yes"]);
    assert!(ran.out.contains("one: done") && ran.out.contains("three: done"), "{}", ran.out);
    let ran = shop.expect(0, &["apply", "specs", "--yes"]);
    assert!(ran.out.contains("Nothing to do: 3 instances in sync."), "{}", ran.out);
}

#[test]
fn off_a_terminal_apply_asks_for_the_flag() {
    let shop = Shop::new();
    shop.write_pad("present");
    let ran = shop.run_with_input(&["apply", "pad.yaml"], "yes\n");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("add --yes"), "{}", ran.err);
    assert_eq!(shop.cloud().inventory().unwrap(), Vec::<String>::new());
}

/// On a terminal it asks, and shows what runs; only `yes` is a yes. A pseudo-terminal by script(1).
#[test]
fn on_a_terminal_it_asks() {
    let shop = Shop::new();
    shop.write_pad("present");
    let Ok(version) = Command::new("script").arg("--version").output() else {
        println!("skipped: no script(1) to make a terminal with");
        return;
    };
    assert!(version.status.success());
    let typed = |answer: &str| {
        let line = format!("{} apply pad.yaml", env!("CARGO_BIN_EXE_cloudypad"));
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(shop.path("."))
            .env("CLOUDYPAD_HOME", shop.path("home"))
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, out) = typed("y\n");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("Carry this out?") && out.contains("nothing was changed"), "{out}");
    assert_eq!(shop.cloud().inventory().unwrap(), Vec::<String>::new());
    let (code, out) = typed("yes\n");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("✓ create") && out.contains("done: 12 changes") && out.contains('\u{1b}'), "{out}");
    assert_eq!(shop.cloud().truth().unwrap().servers.len(), 1);
}

#[test]
fn delete_wants_the_name() {
    let shop = Shop::new();
    shop.apply("present");
    let before = shop.cloud().inventory().unwrap();
    let ran = shop.expect(1, &["delete", "pad.yaml", "--yes"]);
    assert!(ran.err.contains("--destroy-data mypad"), "{}", ran.err);
    shop.expect(1, &["delete", "pad.yaml", "--yes", "--destroy-data", "other"]);
    assert_eq!(shop.cloud().inventory().unwrap(), before);
    shop.expect(0, &["delete", "pad.yaml", "--yes", "--keep-snapshots"]);
    let truth = shop.cloud().truth().unwrap();
    assert_eq!((truth.servers.len(), truth.volumes.len(), truth.addresses.len()), (0, 0, 0));
    assert_eq!(truth.snapshots.len(), 3, "the capture, and a last snapshot of each disk");
    assert_eq!(truth.ledger.losses, []);
    shop.expect(0, &["apply", "pad.yaml", "--yes"]);
    shop.expect(0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(shop.cloud().inventory().unwrap(), Vec::<String>::new());
}

#[test]
fn json_is_one_versioned_object_a_line() {
    let shop = Shop::new();
    // Slow enough that what is begun is seen under way, also on a busy machine.
    shop.write("pad.yaml", &pad("present", "").replace(&format!("speed: {SPEED}"), "speed: 200"));
    let plan = lines(&shop.expect(0, &["plan", "pad.yaml", "-o", "json"]).out);
    assert_eq!((plan.len(), &plan[0]["type"], &plan[0]["verdict"]), (1, &"plan".into(), &"changes".into()));
    let run = lines(&shop.expect(0, &["apply", "pad.yaml", "--yes", "-o", "json"]).out);
    assert!(run.iter().all(|it| it["v"] == 1 && it["name"] == "mypad"));
    let ids: std::collections::BTreeSet<_> = run.iter().filter(|it| it["type"] != "plan").map(|it| it["run"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1, "the run's id is with each of its events");
    let types: std::collections::BTreeSet<_> = run.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), ["arrived", "began", "ended", "finished", "plan", "started", "waiting"]);
    assert_eq!(run.last().unwrap()["verdict"], "done");
    let row = lines(&shop.expect(0, &["get", "pad.yaml", "-o", "json"]).out);
    assert_eq!((&row[0]["observed"], &row[0]["verdict"]), (&"running".into(), &"inSync".into()));
    assert!(row[0]["v"] == 1 && row[0]["type"] == "instance");
    let yaml = shop.expect(0, &["get", "pad.yaml", "-o", "yaml"]).out;
    assert!(yaml.starts_with("---\nv: 1\n"), "{yaml}");
    let described = shop.describe();
    assert!(described["v"] == 1 && described["type"] == "description");
    for volume in described["volumes"].as_array().unwrap() {
        assert!(fs::metadata(volume["file"].as_str().unwrap()).unwrap().len() >= 30_000_000_000);
    }
}

/// Independence: what does not need each other is begun before either has arrived.
#[test]
fn steps_that_do_not_need_each_other_run_side_by_side() {
    let shop = Shop::new();
    shop.apply("present");
    // Slow enough for a snapshot to be seen under way.
    shop.write("pad.yaml", &pad("absent", "").replace(&format!("speed: {SPEED}"), "speed: 20"));
    let run = lines(&shop.expect(0, &["apply", "pad.yaml", "--yes", "-o", "json"]).out);
    let position = |wanted: &dyn Fn(&Value) -> bool| run.iter().position(wanted).unwrap();
    let began = |disk: &'static str| {
        position(&move |it| it["type"] == "started" && it["verb"] == "snapshot" && it["object"].as_str().unwrap().starts_with(disk))
    };
    let arrived = position(&|it| it["type"] == "arrived" && it["until"].as_str().unwrap().contains("snapshot"));
    assert!(began("root") < arrived && began("data") < arrived);
}

#[test]
fn set_changes_one_value_and_nothing_else() {
    let shop = Shop::new();
    let text = format!("# a comment\r\n{}", pad("present   # the wish", "").replace('\n', "\r\n"));
    shop.write("pad.yaml", &text);
    let ran = shop.expect(0, &["set", "pad.yaml", "serverState=absent"]);
    assert!(
        ran.out.contains("-   serverState: present   # the wish") && ran.out.contains("+   serverState: absent   # the wish"),
        "{}",
        ran.out
    );
    assert_eq!(shop.read("pad.yaml"), text.replace("present   #", "absent   #"));
    for refused in ["serverState=asleep", "nosuch=1", "rootDisk=3", "rootDisk.sizeGb=1"] {
        let before = shop.read("pad.yaml");
        let ran = shop.expect(1, &["set", "pad.yaml", refused]);
        assert!(!ran.err.is_empty());
        assert_eq!(shop.read("pad.yaml"), before, "{refused}");
    }
    shop.expect(0, &["set", "pad.yaml", "serverState=present", "rootDisk.sizeGb=40", "--apply", "--yes"]);
    assert_eq!(shop.cloud().truth().unwrap().servers.len(), 1);
}

/// `set -n NAME --apply` is about the file, whatever else is called like the instance.
#[test]
fn set_applies_the_instance_that_it_changed() {
    let shop = Shop::new();
    shop.write("pads.yaml", &format!("{}---\n{}", pad("absent", ""), pad("present", "").replace("mypad", "other")));
    shop.write("mypad/trap.yaml", &pad("present", "").replace("mypad", "trap"));
    shop.expect(0, &["set", "pads.yaml", "serverState=present", "-n", "mypad", "--apply", "--yes"]);
    let truth = shop.cloud().truth().unwrap();
    assert_eq!(truth.servers.values().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["mypad"]);
}

/// A file is replaced by one that differs in nothing but the value, or not at all.
#[test]
fn set_keeps_what_a_file_is() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::new();
    shop.write_pad("present");
    let path = shop.path("pad.yaml");
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o640);
    shop.expect(0, &["set", "pad.yaml", "serverState=stopped"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let refuses = |why: &str| {
        let before = shop.read("pad.yaml");
        let ran = shop.expect(1, &["set", "pad.yaml", "serverState=absent"]);
        assert!(ran.err.contains(why) && ran.out.is_empty(), "{}{}", ran.out, ran.err);
        assert_eq!(shop.read("pad.yaml"), before);
    };
    mode(0o440);
    refuses("read-only");
    mode(0o640);
    fs::hard_link(&path, shop.path("also.yaml")).unwrap();
    refuses("more than one name");
    fs::remove_file(shop.path("also.yaml")).unwrap();
    shop.write("pad.yaml", &format!("{}# {}\n", pad("present", ""), "x".repeat(1_000_000)));
    refuses("larger than 1 MB");
}

/// One run per instance on this machine; the lock dies with its holder.
#[test]
fn a_second_run_says_who_is_at_work() {
    let shop = Shop::new();
    // A slow cloud, so that the first run is surely at work.
    shop.write("pad.yaml", &pad("present", "").replace(&format!("speed: {SPEED}"), "speed: 1"));
    let mut first = shop.spawn(&["apply", "pad.yaml", "--yes"]);
    let mut out = BufReader::new(first.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("wait") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the first run ended early");
    }
    let second = shop.expect(1, &["apply", "pad.yaml", "--yes"]);
    assert!(second.err.contains(&format!("process {}", first.id())), "{}", second.err);

    // Ctrl-C settles, says how to go on, and exits with 130.
    assert!(Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("the same command goes on from here"), "{rest}");
    shop.apply("present");
}

/// `apply | head -1` carries everything out all the same.
#[test]
fn a_reader_that_goes_away_is_no_disaster() {
    let shop = Shop::new();
    // Slow enough for most of the run to come after the first line.
    shop.write("pad.yaml", &pad("present", "").replace(&format!("speed: {SPEED}"), "speed: 600"));
    let mut child = shop.spawn(&["apply", "pad.yaml", "--yes"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("mypad"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let truth = shop.cloud_at(600.0).truth().unwrap();
    assert_eq!((truth.servers.len(), truth.snapshots.len(), truth.ledger.calls.values().sum::<u64>()), (1, 1, 12));

    // What cannot be written for another reason is a failure.
    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let output = shop.command(&["schema"]).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
    }
}

/// Without a key nothing is asked; what to do about it is said with the place in the spec.
#[test]
fn a_cloud_without_credentials_is_said() {
    let shop = Shop::new();
    let linode = pad("present", "")
        .replace(&format!("    local:\n      speed: {SPEED}\n"), "    linode: {region: fr-par, instanceType: g2-gpu-rtx4000a1-m}\n");
    shop.write("pad.yaml", &linode.replace("  dataDiskSnapshot:\n    enable: true\n", ""));
    shop.expect(0, &["validate", "pad.yaml"]);
    let ran = shop.expect(1, &["plan", "pad.yaml"]);
    assert!(ran.err.contains("pad.yaml:6: no credentials for Linode: set LINODE_TOKEN"), "{}", ran.err);
}

/// A control character in a spec or in the cloud's answers never reaches the terminal raw.
#[test]
fn nothing_raw_is_printed() {
    let shop = Shop::new();
    shop.write("pad.yaml", &pad("present", "").replace("mypad", "\"my\\e[31mpad\""));
    let ran = shop.run(&["validate", "pad.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "{:?}", ran.err);

    // Nor one in a path.
    let file = "pa\u{1b}[31md\u{2028}\u{2060}\u{feff}.yaml";
    shop.write(file, &pad("present", ""));
    for command in [
        &["validate", file][..],
        &["plan", file],
        &["apply", file, "--yes"],
        &["get", file, "-o", "json"],
        &["describe", file],
        &["set", file, "serverState=asleep"],
        &["set", file, "serverState=stopped"],
        &["set", file, "serverState=stopped"],
        &["set", "no\u{1b}such.yaml", "serverState=stopped"],
        &["plan", "no\u{1b}such.yaml"],
        &["plan", "no\u{1b}body", "-f", file],
    ] {
        let ran = shop.run(command);
        let said = format!("{}{}", ran.out, ran.err);
        let raw = said.contains(['\u{1b}', '\u{2028}', '\u{2060}', '\u{feff}']);
        assert!(!said.is_empty() && !raw, "{command:?}: {said:?}");
    }
}
