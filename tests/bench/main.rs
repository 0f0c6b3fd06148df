//! `cargo bench`: what cloudypad costs, against what was promised.
//!
//! Seconds depend on the machine; instruction counts, by callgrind, do not, and are held by
//! `tests/bench/budgets.txt`. `cargo bench -- --check` fails where one grew by more than 10 %;
//! `cargo bench -- --bless` writes today's counts.

use cloudypad::{
    model::{Ask, Capabilities, Facts, World},
    plan::plan,
    read,
};
use std::{
    fs,
    hint::black_box,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

mod watch;
#[path = "../it/support/words.rs"]
mod words;

const BINARY: &str = env!("CARGO_BIN_EXE_cloudypad");

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [one, name, times] = args.as_slice()
        && one == "--one"
    {
        return repeat(name, times.parse().expect("a number of times"));
    }
    let has = |flag: &str| args.iter().any(|it| it == flag);
    if !has("--check") && !has("--bless") {
        seconds();
    }
    let grown = instructions(has("--bless"));
    if has("--check") && grown {
        std::process::exit(1);
    }
}

/// A spec of 60 lines.
fn sixty_lines() -> String {
    let head = "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: mypad\n  namespace: default\n  labels:\n";
    let labels: String = (0..20).map(|number| format!("    label-{number}: value-{number}\n")).collect();
    let spec = "spec:\n  serverState: present\n  provider:\n    scaleway:\n      projectId: 11111111-1111-4111-8111-111111111111\n      \
                zone: fr-par-2\n      instanceType: L4-1-24G\n      image: ubuntu_jammy_gpu_os_12\n  rootDisk:\n    sizeGb: 30\n  \
                dataDisk:\n    sizeGb: 100\n  rootDiskSnapshot:\n    enable: true\n    onStop: refresh\n    retain: 1\n    \
                keepOnDeletion: false\n  dataDiskSnapshot:\n    enable: true\n    retain: 1\n  ssh:\n    user: ubuntu\n  network:\n    \
                allowFrom:\n      - 192.0.2.0/24\n    ports: sunshine\n    dns:\n      zone: example.com\n      record: mypad\n  \
                autostop:\n    enable: true\n    timeoutSeconds: 900\n";
    let text = format!("{head}{labels}{spec}  suspend: false\n  protect: false\n");
    assert_eq!(text.lines().count(), 60);
    text
}

fn archive() -> (Ask, World, Capabilities) {
    let text = "spec: scaleway; absent; root snapshot; data 100 GB, snapshot\nworld: server srv-1 running, root vol-r, data vol-d; \
                root snapshot snap-r ready, had data";
    words::parse(text).expect("a world in words")
}

fn in_sync() -> (Ask, World, Capabilities) {
    let text = "spec: scaleway; present; root snapshot; data 100 GB, snapshot\nworld: server srv-1 running, root vol-r, data vol-d; \
                root snapshot snap-r ready, had data";
    words::parse(text).expect("a world in words")
}

fn repeat(name: &str, times: u32) {
    let facts = Facts::default();
    match name {
        "plan-archive" | "plan-in-sync" => {
            let (ask, world, cloud) = if name == "plan-archive" { archive() } else { in_sync() };
            for _ in 0..times {
                drop(black_box(plan(black_box(&ask), black_box(&world), &facts, &cloud)));
            }
        }
        "read-60-lines" => {
            let text = sixty_lines();
            for _ in 0..times {
                let reading = read::read_text(Path::new("bench.yaml"), black_box(&text));
                assert!(reading.problems.is_empty(), "{}", reading.problems[0]);
            }
        }
        other => panic!("no benchmark {other}"),
    }
}

fn seconds() {
    println!("{:<44} {:>12} {:>12}", "what", "measured", "promised");
    for (name, promised) in [("plan-in-sync", "5 µs"), ("plan-archive", "5 µs"), ("read-60-lines", "150 µs")] {
        repeat(name, 500);
        let times = 5_000;
        let best = (0..5).map(|_| {
            let began = Instant::now();
            repeat(name, times);
            began.elapsed() / times
        });
        row(name, &format!("{:.1} µs", best.min().unwrap_or_default().as_secs_f64() * 1e6), promised);
    }
    let shop = Shop::new();
    row("cloudypad --version", &millis(median(30, || shop.run(&["--version"]))), "2 ms");
    let anything = median(30, || assert!(shop.command("true").status().is_ok_and(|it| it.success())));
    row("  of which starting any process takes", &millis(anything), "");
    shop.write("present");
    shop.run(&["apply", "pad.yaml", "--yes"]);
    row("plan of one instance in sync", &millis(median(30, || shop.run(&["plan", "pad.yaml"]))), "10 ms");
    row("  its peak resident memory", &format!("{:.1} MB", shop.peak_kb(&["plan", "pad.yaml"]) as f64 / 1000.0), "16 MB");
    let lifecycle = median(10, || {
        let shop = Shop::new();
        for state in ["present", "stopped", "present", "absent", "present"] {
            shop.write(state);
            shop.run(&["apply", "pad.yaml", "--yes"]);
            shop.run(&["apply", "pad.yaml", "--yes"]);
        }
        shop.run(&["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    });
    row("reference lifecycle, 11 processes, no delays", &millis(lifecycle), "250 ms");
    let times = watch::save_to_first_read(1_000);
    row("watch: save to first read, half of 1,000", &millis(times[times.len() / 2]), "20 ms");
    row("watch: save to first read, 99 % of them", &millis(times[times.len() * 99 / 100]), "100 ms");
    let journal = fs::read_to_string(shop.dir.join("home/journal/default.mypad.jsonl")).unwrap_or_default();
    let count = |word: &str| journal.lines().filter(|it| it.contains(word)).count();
    let (intents, receipts) = (count("\"intent\""), count("\"receipt\""));
    row("journal lines per step, at most", &format!("{:.1}", (intents + receipts) as f64 / intents.max(1) as f64), "2");
    println!();
}

fn row(what: &str, measured: &str, promised: &str) {
    println!("{what:<44} {measured:>12} {promised:>12}");
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

/// Counts instructions where valgrind is there. `true` where one grew by more than 10 %.
fn instructions(bless: bool) -> bool {
    let available = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !available.is_ok_and(|it| it.success()) {
        println!("instruction counts skipped: valgrind is not installed");
        return false;
    }
    let budgets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/budgets.txt");
    let text = fs::read_to_string(&budgets).unwrap_or_default();
    let budget = |name: &str| text.lines().find_map(|it| it.strip_prefix(name)?.trim().parse::<u64>().ok());
    let own = std::env::current_exe().expect("this program's own path");
    let own = own.to_str().expect("a path in UTF-8");
    let shop = Shop::new();
    shop.write("present");
    shop.run(&["apply", "pad.yaml", "--yes"]);
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for name in ["plan-in-sync", "plan-archive", "read-60-lines"] {
        let of = |times: &str| shop.count(&[own, "--one", name, times]);
        counts.push((name, (of("600") - of("100")) / 500));
    }
    counts.push(("cloudypad-version", shop.count(&[BINARY, "--version"])));
    counts.push(("cloudypad-plan-in-sync", shop.count(&[BINARY, "plan", "pad.yaml"])));
    println!("{:<44} {:>12} {:>12}", "instructions", "counted", "budget");
    let mut grown = false;
    let mut fresh = String::new();
    for (name, count) in counts {
        // A count without a budget is held by nothing, which is as bad as one that grew.
        let budget = budget(name).unwrap_or(0);
        let over = count as f64 > budget as f64 * 1.1;
        grown |= over && !bless;
        println!("{name:<44} {count:>12} {budget:>12}{}", if over { "  grew by more than 10 %" } else { "" });
        fresh.push_str(&format!("{name} {count}\n"));
    }
    if bless {
        fs::write(&budgets, fresh).expect("the budgets can be written");
    }
    grown
}

/// A directory with a spec and a local cloud whose delays are switched off.
struct Shop {
    dir: PathBuf,
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Shop {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cloudypad-bench-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory for the benchmark");
        Self { dir }
    }

    fn write(&self, state: &str) {
        let spec = format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {{name: mypad}}\nspec:\n  serverState: {state}\n  \
             provider: {{local: {{speed: 1000000}}}}\n  dataDisk: {{sizeGb: 100}}\n  rootDiskSnapshot: {{enable: true}}\n  \
             dataDiskSnapshot: {{enable: true}}\n"
        );
        fs::write(self.dir.join("pad.yaml"), spec).expect("the spec can be written");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir).env("CLOUDYPAD_HOME", self.dir.join("home"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) {
        let status = self.command(BINARY).args(args).status().expect("the binary runs");
        assert!(status.success(), "cloudypad {args:?}: {status}");
    }

    /// Peak resident memory in kB, as GNU time sees it; 0 where it is not installed.
    fn peak_kb(&self, args: &[&str]) -> u64 {
        let timed = self.command("/usr/bin/time").args(["-f", "%M", BINARY]).args(args).stderr(Stdio::piped()).output();
        timed.ok().and_then(|it| String::from_utf8(it.stderr).ok()?.trim().parse().ok()).unwrap_or(0)
    }

    /// Instructions of a whole process.
    fn count(&self, command: &[&str]) -> u64 {
        let mut valgrind = self.command("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).args(command).stderr(Stdio::piped());
        let mut child = valgrind.spawn().expect("valgrind runs");
        let mut said = String::new();
        child.stderr.take().expect("its standard error").read_to_string(&mut said).expect("what it said");
        assert!(child.wait().expect("its end").success(), "{said}");
        let collected = said.lines().find_map(|it| it.split("Collected :").nth(1)?.trim().parse().ok());
        collected.unwrap_or_else(|| panic!("no count in {said}"))
    }
}
