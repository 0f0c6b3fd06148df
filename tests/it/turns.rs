//! Single turns: what is done next, what is written on it, what is waited for, and what a run's memory adds to a look.
//!
//! Each file in `tests/turns/` holds turns of one kind, a block each: `spec` and `seen` in the words of the golden plans,
//! `journal` in those of [`journal`], and what the planner answers. `BLESS=1 cargo test turns` writes the answers; read the
//! difference before you commit it.

use crate::support::{journal, words};
use cloudypad::{
    model::{APPLIED, Ask, Capabilities, Facts, Planned, Step, Tags, Verdict, World},
    plan::{audit, plan},
};
use std::{fmt::Write, fs, path::Path};

#[test]
fn every_turn_is_what_the_planner_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/turns");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for file in fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        let blocks: Vec<String> = text.split("\n\n").map(str::trim_end).filter(|it| !it.is_empty()).map(answered).collect();
        let told = blocks.join("\n\n") + "\n";
        if bless {
            fs::write(&file, told).unwrap();
        } else if told != text {
            wrong.push(format!("{}\n{}", file.display(), similar::TextDiff::from_lines(&text, &told).unified_diff()));
        }
    }
    assert!(wrong.is_empty(), "{}\nBLESS=1 writes these answers", wrong.join("\n"));
}

/// A block with its answer as the planner gives it now.
fn answered(block: &str) -> String {
    let (mut given, mut spec, mut seen, mut remembered) = (String::new(), "", "", "");
    for line in block.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("spec", it) => spec = it,
            ("seen", it) => seen = it,
            ("journal", it) => remembered = it,
            ("#", _) => {}
            _ => continue,
        }
        let _ = writeln!(given, "{line}");
    }
    if spec.is_empty() {
        return given.trim_end().to_owned();
    }
    let parsed = words::ask(spec).and_then(|(ask, cloud)| {
        let world = words::world_of(seen, &ask)?;
        let facts = journal::facts(remembered, &ask)?;
        Ok((ask, world, facts, cloud))
    });
    let (ask, world, facts, cloud) = parsed.unwrap_or_else(|error| panic!("{error}, in\n{block}"));
    given + answer(&ask, &world, &facts, &cloud).trim_end()
}

fn answer(ask: &Ask, world: &World, facts: &Facts, cloud: &Capabilities) -> String {
    let turn = plan(ask, world, facts, cloud);
    assert_eq!(audit(&turn, ask, world, cloud), [], "the second opinion objects");
    let mut taken = plan(ask, world, facts, cloud);
    for key in turn.next.iter().map(|it| it.step.key()) {
        assert!(taken.take(&key).is_some_and(|it| it.step.key() == key), "{key} is the step of that name");
    }
    let mut told = String::new();
    for planned in &turn.next {
        let _ = writeln!(told, "  do   {}", describe(planned));
    }
    for wait in &turn.waits {
        let _ = writeln!(told, "  wait {} s until {}", wait.seconds, wait.until);
    }
    for note in &turn.notes {
        let _ = writeln!(told, "  note {note}");
    }
    match &turn.verdict {
        Verdict::Underway => {}
        Verdict::Done => told.push_str("  done"),
        Verdict::Held(hold) => told.push_str(&format!("  held {}: {hold}", hold.code())),
    }
    told
}

/// A step, why it is taken, whether the instance can do without it, and what is written on its object.
fn describe(planned: &Planned) -> String {
    let mut told = format!("{} because {}", planned.line, planned.reason);
    if planned.optional {
        told.push_str("; goes without where it is refused");
    }
    match &planned.step {
        Step::ReserveAddress { tags } | Step::CreateFirewall { tags, .. } | Step::Retag { tags, .. } => told + &tagged(tags),
        Step::TakeSnapshot { tags, .. } | Step::CaptureImage { tags, .. } => told + &tagged(tags),
        Step::CreateVolume(new) => told + &tagged(&new.tags),
        Step::CreateServer(new) => told + &tagged(&new.tags),
        Step::DeleteServer { off: true, .. } => told + "; only while it is off",
        Step::DeleteServer { off: false, .. } => told + "; off or not",
        _ => told,
    }
}

/// What is written on an object, but for what is on everything; of the spec that was applied, only what for.
fn tagged(tags: &Tags) -> String {
    let applied = |tag: &String| tag.strip_prefix(APPLIED)?.strip_prefix(':')?.split('-').next().map(|aim| format!("{APPLIED}:{aim}"));
    let common = |tag: &&String| tag.starts_with("cloudypad:") || tag.as_str() == "in:default.mypad";
    let mut told: Vec<String> = tags.0.iter().filter(|it| !common(it)).map(|it| applied(it).unwrap_or_else(|| it.clone())).collect();
    told.sort();
    if told.is_empty() { String::new() } else { format!(" [{}]", told.join(", ")) }
}

#[test]
fn a_server_is_reached_at_its_own_address_else_at_the_one_it_has_reserved() {
    let reached = |seen: &str| {
        let (ask, _) = words::ask("linode; present").unwrap();
        let world = words::world_of(seen, &ask).unwrap();
        world.address_of(&world.servers.items()[0]).map(str::to_owned)
    };
    assert_eq!(reached("server srv running, root local, own address 198.51.100.4").as_deref(), Some("198.51.100.4"));
    assert_eq!(reached("another address ip-2; server srv running, root local").as_deref(), Some("203.0.113.7"));
    assert_eq!(reached("no address; another address ip-2; server srv running, root local"), None);
}
