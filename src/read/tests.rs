//! What reading and editing promise.

use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::{Reading, read, read_text, schema, set, shape};

const FILE: &str = "specs/mypad.yaml";
const GOOD: &str = "\
apiVersion: cloudypad.gg/v1alpha1
kind: Instance
metadata: {name: mypad}
spec:
  serverState: present # the wish
  provider:
    local: {}
  rootDiskSnapshot: {enable: false, retain: 2}
";

fn good() -> String {
    GOOD.to_owned()
}

fn read_one(text: &str) -> Reading {
    read_text(Path::new(FILE), text)
}

/// Each problem as `line:column message`.
fn told(text: &str) -> Vec<String> {
    let tell = |problem: &Problem| format!("{}:{} {}", problem.line, problem.column, problem.message);
    read_one(text).problems.iter().map(tell).collect()
}

fn hints(text: &str) -> Vec<String> {
    read_one(text).problems.into_iter().map(|problem| problem.hint.unwrap_or_default()).collect()
}

fn assign(text: &str, path: &str, value: &str) -> Result<String, String> {
    set(Path::new(FILE), text, None, &[(path.to_owned(), value.to_owned())]).map_err(|refusal| refusal.0.message)
}

/// A spec whose `spec` goes on with some lines.
fn with(lines: &str) -> String {
    good().replace("  rootDiskSnapshot: {enable: false, retain: 2}\n", lines)
}

/// A fresh directory for one test.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cloudypad-read-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn our_own_schema_uses_known_keywords_only() {
    assert!(shape::compile(&schema()).map(|_| ()).is_ok(), "{:?}", shape::compile(&schema()).err());
    assert_eq!(schema()["$id"], "https://cloudypad.gg/schemas/instance.schema.json");
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_good_spec_is_read() {
    let reading = read_one(&good());
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    let spec = &reading.specs[0];
    assert_eq!((spec.state_line, spec.document), (5, 1));
    assert_eq!(spec.instance.spec.root_disk_snapshot.retain, 2);
    assert_eq!(spec.instance.key().to_string(), "mypad");
}

#[test]
fn a_problem_is_drawn() {
    let text = good().replace("serverState", "serverstate");
    let problems = read_one(&text).problems;
    let unknown = problems.iter().find(|problem| problem.line == 5).unwrap();
    assert_eq!(
        unknown.to_string(),
        "\
error: `serverstate` is not a key of spec
  --> specs/mypad.yaml:5:3
   |
 5 |   serverstate: present # the wish
   |   ^^^^^^^^^^^
   = hint: did you mean `serverState`?"
    );
    let missing = problems.iter().find(|problem| problem.line == 4).unwrap();
    assert_eq!(
        missing.to_string(),
        "\
error: spec lacks `serverState`
  --> specs/mypad.yaml:4:1
   |
 4 | spec:
   | ^^^^
   = hint: add `serverState:` with one of `present`, `stopped`, `absent`"
    );
}

#[test]
fn each_kind_of_shape_problem_has_its_words() {
    let one = |from: &str, to: &str| told(&good().replace(from, to));
    assert_eq!(one("serverState: present", "serverState: presnt"), ["5:16 `presnt` is not a value of spec.serverState"]);
    assert_eq!(one("serverState: present", "serverState:"), ["5:3 spec.serverState is empty"]);
    assert_eq!(one("retain: 2", "retain: 0"), ["8:45 spec.rootDiskSnapshot.retain is 0, but must be between 1 and 100"]);
    assert_eq!(one("enable: false", "enable: \"no\""), ["8:30 spec.rootDiskSnapshot.enable is the text `no`, but must be true or false"]);
    assert_eq!(one("retain: 2", "retain: [2]"), ["8:45 spec.rootDiskSnapshot.retain is a list, but must be a whole number"]);
    assert_eq!(one("name: mypad", "name: My_Pad"), ["3:18 `My_Pad` does not fit metadata.name"]);
    assert_eq!(one("name: mypad", "name: 12"), ["3:18 metadata.name is the number 12, but must be text"]);
    assert_eq!(one("retain: 2", "enable: true"), ["8:37 `enable` is given twice in spec.rootDiskSnapshot"]);
    assert_eq!(hints(&good().replace("retain: 2", "enable: true")), ["the first is on line 8"]);
    assert_eq!(hints(&good().replace("enable: false", "enable: yes")), ["YAML here knows only true and false: write true"]);
    assert_eq!(hints(&good().replace("enable: false", "enable: 'yes'")), ["write true, without quotes"]);
    assert_eq!(one("retain: 2", "retain: 30.0"), ["8:45 spec.rootDiskSnapshot.retain is 30.0, but must be a whole number"]);
    assert_eq!(hints(&good().replace("retain: 2", "retain: 30.0")), ["write 30"]);
    assert_eq!(hints(&good().replace("retain: 2", "retain: '3'")), ["write 3, without quotes"]);
}

#[test]
fn strangers_are_told_once() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n";
    assert_eq!(told(map), ["2:7 `ConfigMap` is not a kind that cloudypad knows"]);
    assert_eq!(told("- hosts: all\n").len(), 1);
    assert_eq!(told("a: 1\nb: 2\n").len(), 1);
    let version = told(&good().replace("v1alpha1", "v9").replace("retain: 2", "retain: x"));
    assert_eq!(version.len(), 2, "the rest is checked: {version:?}");
    for near in ["instance", "INSTANCE", "Intsance", "Instances"] {
        let text = good().replace("Instance", near).replace("retain: 2", "retain: 0");
        assert_eq!(hints(&text), ["did you mean `Instance`?", ""], "{near}");
    }
    assert_eq!(told(&good().replace("Instance", "InstanceSet").replace("retain: 2", "retain: 0")).len(), 1);
}

#[test]
fn twelve_mistakes_are_told_in_one_run() {
    let text = "\
apiVersion: cloudypad.gg/v1alpha1
kind: Instance
metadata: {name: MyPad}
spec:
  serverState: running
  provider:
    linode: {region: fr-par, instanceType: g6-nanode-1, image: ubuntu}
    local: {}
  rootDisk: {sizeGb: 2}
  dataDisk: {sizeGb: 10, delete: true}
  rootDiskSnapshot: {enabel: true}
  dataDiskSnapshot: {enable: \"true\"}
  network:
    allowFrom: [10.0.0.1]
    ports: [22/tcp, 9-1/udp]
    dns: {zone: example.com, record: a.example.com}
  configuration: {when: now}
  suspend:
";
    assert_eq!(
        told(text),
        [
            "3:18 `MyPad` does not fit metadata.name",
            "5:16 `running` is not a value of spec.serverState",
            "8:5 spec.provider names both `linode` and `local`",
            "9:22 spec.rootDisk.sizeGb is 2, but must be between 8 and 16384",
            "10:22 spec.dataDisk has a size and is to be deleted",
            "11:22 `enabel` is not a key of spec.rootDiskSnapshot",
            "12:30 spec.dataDiskSnapshot.enable is the text `true`, but must be true or false",
            "14:17 `10.0.0.1` is not a network in CIDR form",
            "15:21 `9-1/udp` is not a port with a protocol",
            "16:38 the record repeats the zone",
            "17:3 spec.configuration has neither `ansible` nor `script`",
            "18:3 spec.suspend is empty",
        ]
    );
}

#[test]
fn a_secret_and_what_runs_at_a_start_are_one_thing_each() {
    let text = with("  configuration:\n    script: missing.sh\n    onStart: {}\n  suspend: false\n");
    assert!(told(&text).iter().any(|it| it.contains("spec.configuration.onStart has neither `ansible` nor `script`")), "{:?}", told(&text));
    let text = with(
        "  configuration:\n    ansible: {playbook: missing.yml, secrets: {a: {}, b: {env: B, file: b}}}\n    onStart: {script: gone.sh}\n",
    );
    let all = told(&text).join("; ");
    assert!(all.contains("the secret `a` names no place") && all.contains("names both `env` and `file`"), "{all}");
    assert!(all.contains("missing.yml") && all.contains("gone.sh"), "{all}");
}

#[test]
fn a_port_that_shows_that_it_is_ready_can_be_reached() {
    let scaleway = "scaleway: {instanceType: L4-1-24G}";
    let on = |provider: &str, ready: &str, network: &str| {
        let more = format!("  network: {{{network}}}\n  configuration:\n    script: here.sh\n    readyPort: {ready}\n");
        let mut all = told(&with(&more).replace("local: {}", provider));
        all.retain(|it| !it.contains("here.sh"));
        all
    };
    for (ready, network) in [("47989", ""), ("none", ""), ("8443", "ports: [8000-9000/tcp]"), ("none", "ports: [22/tcp]")] {
        assert_eq!(on(scaleway, ready, network), [] as [&str; 0], "{ready} {network}");
    }
    for (ready, network) in [("8443", ""), ("47989", "ports: [22/tcp, 47989/udp]")] {
        assert_eq!(
            on(scaleway, ready, network),
            [format!("11:16 spec.configuration.readyPort is {ready}, which spec.network.ports does not let in")]
        );
    }
    assert_eq!(on("local: {}", "47989", ""), ["11:16 of a machine of the local cloud only SSH can be reached"]);
    for wrong in ["0", "65536"] {
        assert_eq!(on(scaleway, wrong, ""), [format!("11:16 spec.configuration.readyPort is {wrong}, but must be between 1 and 65535")]);
    }
    assert!(on(scaleway, "non", "")[0].contains("`non` is not a value of spec.configuration.readyPort"));
    let alone = told(&with("  configuration: {readyPort: none}\n"));
    assert!(alone[0].contains("has neither `ansible` nor `script`"), "{alone:?}");
}

#[test]
fn clouds_refuse_what_they_cannot_do() {
    let on = |provider: &str, more: &str| told(&with(more).replace("local: {}", provider));
    let linode = "linode: {region: fr-par, instanceType: g6-nanode-1}";
    assert_eq!(
        on(linode, "  dataDisk: {sizeGb: 9}\n  dataDiskSnapshot: {enable: true}\n"),
        [
            "8:22 spec.dataDisk.sizeGb is 9, but a volume on linode has 10 to 16384 GB",
            "9:30 spec.dataDiskSnapshot: volumes have no snapshots on linode",
        ]
    );
    let large = "  rootDisk: {sizeGb: 12000}\n  dataDisk: {sizeGb: 12000}\n";
    assert_eq!(on(linode, large), [] as [&str; 0]);
    assert_eq!(
        on("local: {}", large),
        [
            "8:22 spec.rootDisk.sizeGb is 12000, but a disk on local has at most 10000 GB",
            "9:22 spec.dataDisk.sizeGb is 12000, but a volume on local has 1 to 10000 GB",
        ]
    );
    assert_eq!(on("local: {imitate: linode}", "  dataDiskSnapshot: {enable: true}\n").len(), 1);
    assert_eq!(on("local: {image: local-o}", ""), ["7:20 `local-o` is not an image of the local cloud"]);
    assert_eq!(on("local: {}", "  network: {dns: {zone: example.com, record: a}}\n"), ["8:13 spec.network.dns: local has no DNS"]);
    let short = with("").replace("local: {}", linode).replace("mypad", "ab");
    assert_eq!(told(&short), [] as [&str; 0], "what is too short for a label is made longer");
    let id = "22222222-2222-4222-8222-222222222222";
    let scaleway =
        format!("scaleway: {{projectId: 11111111-1111-4111-8111-111111111111, zone: fr-par-2, instanceType: L4-1-24G, image: {id}}}");
    assert_eq!(on(&scaleway, "").len(), 1);
    assert_eq!(on(&scaleway.replace(id, "ubuntu_jammy_gpu_os_12"), ""), [] as [&str; 0]);
    assert_eq!(on("{}", "").len(), 1);
}

#[test]
fn columns_count_characters_and_lines_end_anyhow() {
    let comment = good().replace("metadata: {name: mypad}", "metadata: {labels: {é: 日本}, nome: mypad}");
    assert_eq!(told(&comment), ["3:1 metadata lacks `name`", "3:29 `nome` is not a key of metadata"]);
    let crlf = good().replace("retain: 2", "retain: 0").replace('\n', "\r\n");
    assert_eq!(told(&crlf), ["8:45 spec.rootDiskSnapshot.retain is 0, but must be between 1 and 100"]);
    let problem = &read_one(&crlf).problems[0];
    assert_eq!(problem.line_text, "  rootDiskSnapshot: {enable: false, retain: 0}");
    let marked = format!("\u{feff}{}", good().replace("kind", "knid"));
    assert_eq!(told(&marked)[0], "1:1 the document lacks `kind`");
}

#[test]
fn nothing_raw_reaches_a_terminal() {
    let text = good().replace("present # the wish", "\"a\\e[31m\" #\t\u{85}");
    for problem in read_one(&text).problems {
        let drawn = problem.to_string();
        assert!(drawn.chars().all(|each| each == '\n' || !each.is_control()), "{drawn:?}");
    }
    let hostile = "a\u{1b}\n\u{9b}\u{200b}\u{202e}\u{2028}\u{2069}\u{feff}.yaml";
    let problem = read_text(Path::new(hostile), "").problems.remove(0);
    assert_eq!(problem.place(), "a␛␊\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}.yaml");
    assert!(problem.to_string().contains(&format!("--> {}", problem.place())));
}

#[test]
fn empty_keys_get_a_hint_that_fits() {
    let question = "is what follows indented far enough?";
    let of = |text: String| hints(&text).remove(0);
    assert_eq!(of(with("  rootDisk:\n")), format!("{question} or write `rootDisk: {{}}` for the defaults"));
    assert_eq!(of(with("  dataDisk:\n")), question);
    assert_eq!(of(with("").replace("provider:\n    local: {}", "provider:")), question);
    assert_eq!(of(good().replace("metadata: {name: mypad}", "metadata:")), question);
    assert_eq!(of(with("  suspend:\n")), "give it a value, or remove the key");
    assert_eq!(of(good().replace(" present # the wish", "")), "write one of `present`, `stopped`, `absent`");
    assert_eq!(of(good().replace("name: mypad", "name: ~")), "write one like `mypad`");
}

#[test]
fn no_hint_shows_a_pattern() {
    fn patterns(schema: &serde_json::Value, found: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(object) => {
                found.extend(object.get("pattern").and_then(|pattern| pattern.as_str()).map(str::to_owned));
                object.values().for_each(|below| patterns(below, found));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|below| patterns(below, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    patterns(&schema(), &mut found);
    assert!(found.len() >= 7);
    for pattern in found {
        assert!(shape::in_words(&pattern).is_some(), "{pattern} has no words");
    }
    let name = hints(&good().replace("name: mypad", "name: My_Pad"));
    assert_eq!(name, ["lower-case letters, digits and single dashes, beginning with a letter, like `mypad`"]);
}

#[test]
fn near_misses_of_values_are_corrected() {
    let local = |value: &str| hints(&good().replace("local: {}", &format!("local: {{instanceType: {value}}}")));
    assert_eq!(local("local-smal"), ["did you mean `local-small`?"]);
    assert_eq!(local("huge"), ["its values are `local-small`, `local-medium`, `local-large`"]);
    for port in ["22", "'22'"] {
        assert_eq!(hints(&with(&format!("  network: {{ports: [{port}]}}\n"))), ["write `22/tcp` or `22/udp`"]);
    }
}

#[test]
fn what_is_too_much_is_said() {
    let items = format!("[{}]\n", "x,".repeat(150_000));
    assert_eq!(told(&items)[0].split_once(' ').unwrap().1, "the file holds more than 100000 keys and values");
    let aliased = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(1_000), "*a,".repeat(200));
    assert_eq!(told(&aliased)[0].split_once(' ').unwrap().1, "the file is too big, once its aliases are written out");
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(told(&large), ["0:0 it is larger than 1 MB, which no spec is"]);
    assert_eq!(assign(&large, "suspend", "true").unwrap_err(), "it is larger than 1 MB, which no spec is");
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let text = good().replace("retain: 2", &format!("\"{}\": 1, retain: 0, \"{}\": 2", "x".repeat(300), "y".repeat(300)));
    let problems = read_one(&text).problems;
    let problem = problems.iter().find(|problem| problem.message.contains("between")).unwrap();
    assert!(problem.line_text.chars().count() <= 102);
    let drawn = problem.to_string();
    let lines: Vec<&str> = drawn.lines().collect();
    let caret = lines[4].chars().position(|each| each == '^').unwrap();
    assert_eq!(lines[3].chars().nth(caret), Some('0'));
}

#[test]
fn a_file_holds_several_documents() {
    let second = good().replace("mypad", "other");
    let both = format!("# first\n---\n{}---\n# nothing\n---\n{second}", good());
    let reading = read_one(&both);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    let found: Vec<_> = reading.specs.iter().map(|spec| (spec.instance.key().name, spec.document)).collect();
    assert_eq!(found, [("mypad".to_owned(), 1), ("other".to_owned(), 3)]);
    let twice = format!("{}---\n{}", good(), good());
    assert_eq!(told(&twice), ["12:18 `mypad` is described a second time"]);
    assert_eq!(hints(&twice), [format!("the first is at {FILE}:3:18; one instance has one document")]);
}

#[test]
fn a_broken_document_does_not_hide_its_neighbours() {
    let text = format!("{}---\nbroken: [1, 2\n---\n{}", good(), good().replace("mypad", "MyPad"));
    let told = told(&text);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("this is not YAML"), "{told:#?}");
    assert!(told[1].contains("`MyPad` does not fit"), "{told:#?}");
    assert_eq!(read_one(&text).specs.len(), 1);
}

#[test]
fn hostile_texts_end_in_problems() {
    let deep = "[".repeat(100_000);
    let bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..20 {
            let below = format!("*a{}", n - 1);
            text.push_str(&format!("a{n}: &a{n} [{}]\n", vec![below; 10].join(", ")));
        }
        text
    };
    let many = format!("{}{}", good(), (0..30_000).map(|n| format!("  k{n}: 1\n")).collect::<String>());
    let scalar = format!("{}  wake: {}\n", good(), "x".repeat(900_000));
    for text in [deep.as_str(), &bomb, &many, &scalar, "a: *a", "a: &a [*a]", "? [a]\n: b", "<<: {a: b}", "\0", "!x y", "%", "\t"] {
        let reading = read_one(text);
        assert!(!reading.problems.is_empty());
        assert!(reading.problems.len() <= 101);
        assert_eq!(reading.specs.len(), 0);
    }
    let last = read_one(&many).problems.pop().unwrap();
    assert!(last.message.starts_with("and ") && last.message.ends_with(" more problems in this file"), "{}", last.message);
}

/// A playbook beside the specs that name it is no spec, and Ansible's settings say where one is.
#[test]
fn directories_of_playbooks_are_passed_over() {
    let dir = directory("playbooks");
    std::fs::create_dir_all(dir.join("gaming")).unwrap();
    std::fs::write(dir.join("pad.yaml"), good()).unwrap();
    std::fs::write(dir.join("gaming/site.yml"), "- hosts: all\n").unwrap();
    assert!(!read(std::slice::from_ref(&dir)).problems.is_empty(), "without settings it might be a spec");
    std::fs::write(dir.join("gaming/ansible.cfg"), "[defaults]\n").unwrap();
    let reading = read(std::slice::from_ref(&dir));
    assert_eq!((reading.specs.len(), reading.problems.len()), (1, 0));
    assert!(!read(&[dir.join("gaming")]).problems.is_empty(), "it was named itself");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn directories_are_read_in_order_and_once() {
    let root = directory("walk");
    std::fs::create_dir_all(root.join("b/.git")).unwrap();
    std::fs::write(root.join("b/one.yml"), good()).unwrap();
    std::fs::write(root.join("a.yaml"), good().replace("mypad", "first")).unwrap();
    std::fs::write(root.join("b/.git/hidden.yaml"), "broken: [").unwrap();
    std::fs::write(root.join("empty.yaml"), "").unwrap();
    std::fs::write(root.join("notes.txt"), "not a spec").unwrap();
    let reading = read(&[root.clone(), root.join("a.yaml")]);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    let names: Vec<_> = reading.specs.iter().map(|spec| spec.instance.key().name).collect();
    assert_eq!(names, ["first", "mypad"]);
    assert_eq!(read(&[root.join("empty.yaml")]).problems[0].message, "the file is empty");
    assert_eq!(read(&[root.join("missing.yaml")]).problems[0].message, "there is no such file or directory");
    assert_eq!(read(&[root.join("b/.git")]).problems.len(), 1, "a directory that was named is read");
    std::fs::write(root.join("latin.yaml"), b"a: \xe9\n").unwrap();
    assert_eq!(read(&[root.join("latin.yaml")]).problems[0].message, "it is not UTF-8, from line 1 on");
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn paths_are_looked_for_beside_the_spec() {
    let root = directory("paths");
    let file = root.join("mypad.yaml");
    let text = with("  configuration: {ansible: {playbook: play.yml}}\n  ssh: {publicKeyPath: key}\n");
    std::fs::write(root.join("key"), "").unwrap();
    std::fs::write(root.join("key.pub"), "").unwrap();
    let messages = |text: &str| read_text(&file, text).problems.into_iter().map(|each| each.message).collect::<Vec<_>>();
    assert_eq!(messages(&text), ["the file `play.yml` does not exist", "`key` is named like a private key"]);
    std::fs::write(root.join("play.yml"), "").unwrap();
    assert_eq!(messages(&text.replace("Path: key", "Path: key.pub")), [] as [&str; 0]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn set_changes_nothing_else() {
    for text in [good(), good().replace('\n', "\r\n"), format!("\u{feff}{}", good())] {
        let changed = assign(&text, "serverState", "absent").unwrap();
        assert_eq!(changed, text.replace("present #", "absent #"));
    }
    assert_eq!(assign(&good(), "rootDiskSnapshot.enable", "true").unwrap(), good().replace("false", "true"));
    let quoted = good().replace(": present", ": 'present'");
    assert_eq!(assign(&quoted, "serverState", "absent").unwrap(), quoted.replace("'present'", "'absent'"));
    let wake = with("  wake: é\n");
    assert_eq!(assign(&wake, "wake", "12").unwrap(), wake.replace('é', "\"12\""));
    assert_eq!(assign(&wake, "wake", "it's: \n").unwrap(), wake.replace('é', "\"it's: \\n\""));
}

#[test]
fn set_refuses_what_is_not_clear() {
    let refused = |text: &str, path: &str, value: &str| assign(text, path, value).unwrap_err();
    assert_eq!(refused(&good(), "suspend", "true"), "spec.suspend is not in the file");
    assert_eq!(refused(&good(), "serverState", "gone"), "`gone` is not a value of spec.serverState");
    assert_eq!(refused(&good(), "rootDiskSnapshot.enable", "yes"), "`yes` is not a value for spec.rootDiskSnapshot.enable");
    assert_eq!(refused(&good(), "colour", "red"), "`spec.colour` is not a key of a spec");
    let anchored = with("  wake: &w present\n  ssh: {user: *w}\n");
    assert_eq!(refused(&anchored, "wake", "x"), "spec.wake has an anchor, and aliases refer to it");
    assert_eq!(refused(&anchored, "ssh.user", "x"), "spec.ssh.user is an alias");
    assert_eq!(refused(&with("  wake: |\n    x\n"), "wake", "y"), "spec.wake is not a value on one line");
    let two = format!("{}---\n{}", good(), good().replace("mypad", "other"));
    assert_eq!(refused(&two, "serverState", "absent"), "the file holds several instances");
    let named = set(Path::new(FILE), &two, Some("default/other"), &[("serverState".to_owned(), "absent".to_owned())]).unwrap();
    assert_eq!(named, format!("{}---\n{}", good(), good().replace("mypad", "other").replace("present", "absent")));
    let missing = set(Path::new(FILE), &good(), None, &[("suspend".to_owned(), "true".to_owned())]).unwrap_err();
    assert_eq!(missing.0.hint.as_deref(), Some("add `suspend: true` under `spec:` at line 4"));
}

#[test]
fn a_refusal_shows_the_file_as_it_is() {
    let refuse =
        |text: &str, path: &str, value: &str| set(Path::new(FILE), text, None, &[(path.to_owned(), value.to_owned())]).unwrap_err();
    assert_eq!(
        refuse(&good(), "serverState", "").to_string(),
        "\
`` is not a value of spec.serverState
  --> specs/mypad.yaml:5:16
   |
 5 |   serverState: present # the wish
   |                ^^^^^^^
   = hint: its values are `present`, `stopped`, `absent`"
    );
    let disk = with("  dataDisk: {delete: false, sizeGb: 10}\n");
    let problem = *refuse(&disk, "dataDisk.delete", "true").0;
    assert_eq!((problem.line, problem.column), (8, 37));
    assert_eq!(problem.line_text, "  dataDisk: {delete: false, sizeGb: 10}");
    assert_eq!(problem.message, "spec.dataDisk.delete cannot be `true`: spec.dataDisk has a size and is to be deleted");
    for text in [with("  suspend: false\n"), good()] {
        assert_eq!(refuse(&text, "suspend", "yes").0.hint.as_deref(), Some("write true"));
    }
}

#[test]
fn problems_have_a_json_form() {
    let problem = &read_one(&good().replace("present", "presnt")).problems[0];
    let json = serde_json::to_value(problem).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "v": 1, "type": "problem", "file": FILE, "line": 5, "column": 16,
            "message": "`presnt` is not a value of spec.serverState", "hint": "did you mean `present`?"
        })
    );
}

/// What the clock is to decide is read before it does: cron, zone, moment and span mean something, or are refused in place.
#[test]
fn what_the_clock_decides_is_refused_in_its_place() {
    let schedule = |cron: &str, zone: &str, state: &str| {
        let first = format!("    - {{cron: {cron}, timezone: {zone}, serverState: {state}}}\n");
        with(&format!("  schedule:\n{first}    - {{cron: 0 18 * * *, timezone: UTC, serverState: present}}\n"))
    };
    assert_eq!(told(&schedule("0 23 * * *", "Europe/Paris", "absent")), [] as [&str; 0]);
    let minute = "9:14 `61 23 * * *` does not say when it should fire: \"61\" is no minute: write 0 to 59";
    assert_eq!(told(&schedule("61 23 * * *", "UTC", "absent")), [minute]);
    let text = schedule("0 23 * * *", "Europe/Pari", "absent");
    assert_eq!(told(&text), ["9:36 `Europe/Pari` does not say a time zone: no zone has this name"]);
    assert_eq!(hints(&text), ["did you mean `Europe/Paris`?"]);
    assert_eq!(hints(&schedule("0 23 * * *", "paris", "absent")), ["did you mean `Europe/Paris`?"]);
    assert_eq!(
        hints(&schedule("0 23 * * *", "Middle/Earth", "absent")),
        ["write a name of the IANA database, like `Europe/Paris`, or `UTC`"]
    );
    let always = schedule("0 23 * * *", "UTC", "present");
    assert_eq!(told(&always), ["8:3 every entry of spec.schedule says `present`, so that it would be present always"]);
    assert_eq!(told(&format!("{always}  autostop: {{}}\n")), [] as [&str; 0], "it wakes what went to sleep");
    assert_eq!(told(&format!("{always}  autostop: {{enable: false}}\n")).len(), 1);
    assert_eq!(told(&format!("{always}  session: {{max: 4h}}\n")), [] as [&str; 0]);
    assert_eq!(told(&with("  schedule: []\n")), ["8:13 spec.schedule has no items, but must have 1 to 50"]);

    assert_eq!(told(&with("  session: {until: 2026-11-24T23:00+01:00, max: 1h 30m}\n")), [] as [&str; 0]);
    assert_eq!(told(&with("  session: {until: 1999-11-24T23:00Z}\n")), [] as [&str; 0], "what is over is no mistake");
    assert_eq!(told(&with("  session: {}\n")), ["8:3 spec.session has neither `until` nor `max`"]);
    let zoneless = "8:20 `2026-11-24T23:00` does not say a moment: it does not say in which zone";
    assert_eq!(told(&with("  session: {until: 2026-11-24T23:00}\n")), [zoneless]);
    for (max, why) in [
        ("0h", "it is shorter than a minute"),
        ("-4h", "it is shorter than a minute"),
        ("31d", "it is no length of time"),
        ("721h", "it is longer than 30 days"),
    ] {
        assert_eq!(
            told(&with(&format!("  session: {{max: {max}}}\n"))),
            [format!("8:18 `{max}` does not say how long a session may last: {why}")]
        );
    }
    assert_eq!(told(&with("  suspend: {until: \"2026-11-24T23:00[Europe/Paris]\"}\n")), [] as [&str; 0]);
    assert_eq!(told(&with("  suspend: {until: tonight}\n")), ["8:20 `tonight` does not say a moment: it is no date with a time"]);
    assert_eq!(hints(&with("  suspend: yes\n")), ["YAML here knows only true and false: write true"]);
}
