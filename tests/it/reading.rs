//! What a bad spec is told: everything that is wrong with it, each with its place and a way out.

use crate::support::shop::{Shop, pad};
use cloudypad::read;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

const TWELVE: &str = "\
apiVersion: cloudypad.gg/v1
kind: Instance
metadata:
  name: My_Pad
spec:
  serverstate: present
  provider:
    local:
      speed: 0
    linode: {region: fr-par, instanceType: g2-gpu-rtx4000a1-m}
  rootDisk:
    sizeGb: \"30\"
    disposable: yes
  rootDisk:
    sizeGb: 30
  dataDisk: {}
  dataDiskSnapshot:
    enable: true
    retain: 0
  network:
    allowFrom: [10.0.0.0/33]
    ports: [22]
  configuration: {ansible: {playbook: nowhere.yml}}
  autostop:
";

/// Twelve (and more) different mistakes, each found in one run; the whole text is golden.
#[test]
fn a_spec_with_twelve_mistakes_gets_twelve_messages() {
    let shop = Shop::new();
    shop.write("bad.yaml", TWELVE);
    let ran = shop.expect(1, &["validate", "bad.yaml"]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/twelve-mistakes.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &ran.err).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    let difference = similar::TextDiff::from_lines(&expected, &ran.err).unified_diff().to_string();
    assert!(expected == ran.err, "{difference}");
    assert!(ran.err.matches("--> bad.yaml:").count() >= 12, "{}", ran.err);
    assert!(!shop.path("home").exists(), "a bad spec changes nothing");
}

/// The problems of all files are reported together, and two instances of one name name both places.
#[test]
fn all_problems_of_all_files_come_together() {
    let shop = Shop::new();
    shop.write("specs/a.yaml", &pad("asleep", ""));
    shop.write("specs/b.yaml", "apiVersion: [unclosed\n");
    shop.write("specs/c.yaml", &pad("present", ""));
    shop.write("specs/d.yaml", &format!("{}---\n{}", pad("present", "").replace("mypad", "second"), pad("absent", "")));
    shop.write("specs/e.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    let ran = shop.expect(1, &["validate", "specs"]);
    for place in ["specs/a.yaml:6:", "specs/b.yaml:", "specs/d.yaml:22:", "specs/c.yaml:4", "specs/e.yaml:"] {
        assert!(ran.err.contains(place), "no {place} in {}", ran.err);
    }
    let json = shop.expect(1, &["validate", "specs", "-o", "json"]);
    for line in json.out.lines() {
        let problem: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(problem["v"] == 1 && problem["type"] == "problem");
        assert!(problem["line"].is_u64() && problem["file"].is_string() && problem["message"].is_string());
    }
}

/// 1,000 mutated specs: never a panic, never over a second, and what is accepted keeps its meaning.
#[test]
fn mutated_specs_never_panic_and_never_take_long() {
    let seed = std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("CLOUDYPAD_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let good = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/two-players.yaml")).unwrap();
    for round in 0..1_000 {
        let text = mutate(&good, &mut random);
        let began = Instant::now();
        let reading = read::read_text(Path::new("mutated.yaml"), &text);
        for problem in &reading.problems {
            let shown = problem.to_string();
            assert!(shown.len() < 4_000 && !shown.contains('\u{1b}'), "seed {seed}, round {round}");
            let whole_file = text.len() > 1024 * 1024 || problem.message == "the file is empty";
            assert!(whole_file || problem.line >= 1 && problem.column >= 1, "seed {seed}, round {round}: {problem}");
        }
        assert!(began.elapsed() < Duration::from_secs(1), "seed {seed}, round {round}: {:?}", began.elapsed());
        // The states are typed; what is left to hold is that no document gives two specs.
        let documents = text.matches("---").count() + text.matches("...").count() + 1;
        assert!(reading.specs.len() <= documents, "seed {seed}, round {round}: {} of {documents}", reading.specs.len());
    }
    let reading = read::read_text(Path::new("good.yaml"), &good);
    assert!(reading.problems.is_empty(), "{}", reading.problems[0]);
    assert_eq!(reading.specs.len(), 2);
}

fn mutate(good: &str, random: &mut fastrand::Rng) -> String {
    let mut text = good.to_owned();
    for _ in 0..random.usize(1..4) {
        let lines: Vec<&str> = text.lines().collect();
        let at = random.usize(0..lines.len().max(1));
        match random.u8(0..10) {
            0 | 1 => {
                let mut bytes = text.clone().into_bytes();
                for _ in 0..random.usize(1..20).min(bytes.len()) {
                    let index = random.usize(0..bytes.len());
                    bytes[index] = random.u8(..);
                }
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            2 => text = lines.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, it)| format!("{it}\n")).collect(),
            3 => text = text.replacen(": {}", ": [1, 2, {a: b}]", 1),
            4 => text = text.replacen("true", random.choice(&["\"true\"", "1", "null", "[]", "{x: y}", "~", "yes"]).unwrap(), 1),
            5 => text = text.replacen("alice", &"a".repeat(*random.choice(&[5_000_000, 900_000]).unwrap()), 1),
            6 => text.push_str(&format!("  deep: {}{}\n", "[".repeat(5_000), "]".repeat(5_000))),
            7 => {
                text.push_str("bomb: &a [x, x, x, x, x, x, x, x, x]\n");
                for pair in "abcdefghij".as_bytes().windows(2) {
                    let (old, new) = (char::from(pair[0]), char::from(pair[1]));
                    text.push_str(&format!("bomb{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"));
                }
            }
            8 => text = text.chars().take(random.usize(0..text.len())).collect(),
            _ => text = lines.iter().map(|it| format!("{}{it}\n", if random.bool() { "" } else { " " })).collect(),
        }
    }
    text
}

/// Whoever reads again and again sees what a first reading sees, whatever became of the files meanwhile, and knows which
/// ones say something else.
#[test]
fn reading_again_is_reading() {
    let seed = std::env::var("CLOUDYPAD_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let mut random = fastrand::Rng::with_seed(seed);
    let shop = Shop::new();
    let paths = [shop.path("specs")];
    let mut reader = read::Reader::default();
    fs::create_dir_all(shop.path("specs/more")).unwrap();
    for turn in 0..300 {
        let file = *random.choice(&["specs/a.yaml", "specs/b.yaml", "specs/more/c.yml"]).unwrap();
        let before = fs::read_to_string(shop.path(file)).ok();
        let name = *random.choice(&["a", "b", "c"]).unwrap();
        let good = pad(random.choice(&["present", "stopped", "absent"]).unwrap(), "").replace("name: mypad", &format!("name: {name}"));
        match random.u32(0..5) {
            0 => drop(fs::remove_file(shop.path(file))),
            1 => shop.write(file, &good[..random.usize(0..good.len())]),
            2 => shop.write(file, "a: {list: [of, things]}\n"),
            _ => shop.write(file, &good),
        }
        let (again, first) = (reader.read(&paths), read::read(&paths));
        assert_eq!((&again.specs, &again.problems), (&first.specs, &first.problems), "CLOUDYPAD_SEED={seed}, turn {turn}");
        let after = fs::read_to_string(shop.path(file)).ok();
        if after.is_some() && after != before {
            assert!(reader.has_changed(&shop.path(file)), "CLOUDYPAD_SEED={seed}, turn {turn}: {file}");
        }
    }
}
