//! Scaleway makes a server's root disk with the server, and without a tag. Killed between the birth and that tag, with the
//! server then gone, nothing says any more whose disk it is: it is told with its price, and never deleted unasked.

use super::{
    asked::ASKED,
    cell::{Cell, Point},
    ground::{Ground, SCALEWAY_FACE, SCALEWAY_ROOT_ALONE},
    rehearsal::{Outcome, Rehearsal},
    stage::{Scenes, Stage},
    tracer,
};
use crate::{figures, support::shop::Ran};
use serde_json::json;

/// The call that a root disk comes with, and the one that tags it.
const BIRTH: &str = "POST /instance/v1/zones/{zone}/servers";
const TAG: &str = "PATCH /block/v1/zones/{zone}/volumes/{id}";

/// The next apply makes another server, and tells of the disk.
#[test]
fn an_untagged_root_disk_is_told_and_left_alone() {
    at_every_point(&SCALEWAY_ROOT_ALONE, |stage, cell| {
        told(stage, cell, 0, &["apply", "pad.yaml", "--yes"]);
    });
}

/// A data disk that a server held shows that there was a server, and by all that can be seen its root disk may have been
/// used. That is not passed over: the hold says so, and tells of the disk that is probably the one that is missed.
#[test]
fn where_a_root_disk_is_missed_the_untagged_one_is_told() {
    at_every_point(&SCALEWAY_FACE, |stage, cell| {
        let held = told(stage, cell, 3, &["apply", "pad.yaml", "--yes"]);
        assert!(held.out.contains("DiskGone") && held.out.contains("rootDisk: {disposable: true}"), "{cell}: {}", held.out);
        assert_eq!(stage.made(), 0, "{cell}: {:?}", stage.changes());
        let spec = stage.shop.read("pad.yaml");
        stage.shop.write("pad.yaml", &spec.replace("rootDisk:\n", "rootDisk:\n    disposable: true\n"));
        assert_eq!(stage.run(cell.rehearsal.asked.command).code, 0, "{cell}: the remedy");
        // It has done its work, and the wish is as it was.
        stage.shop.write("pad.yaml", &spec);
        assert_eq!(stage.run(cell.rehearsal.asked.command).code, 0, "{cell}: without the remedy's words");
    });
}

/// Kills at every point between birth and tag, and has a stranger delete the server. Then `go_on` reaches the wish beside the
/// orphan, which outlives the instance itself.
fn at_every_point(ground: &'static Ground, go_on: impl Fn(&Stage, &Cell)) {
    let traced = tracer::is_here();
    let scenes = Scenes::of_nothing(ground);
    let create = Rehearsal::of(&ASKED[0], &scenes, traced);
    let call = |operation: &str| create.calls.iter().position(|it| it == operation).unwrap();
    let turn = |word: &str| create.turns.iter().position(|it| it.contains(word)).unwrap();
    let (birth, tag) = (turn("create-server"), turn("retag"));
    assert_eq!(tag, birth + 1, "the tag is the very next thing: {:?}", create.turns);
    let mut points = vec![(Point::Unanswered, call(BIRTH)), (Point::NeverCarriedOut, call(TAG))];
    if traced {
        points.extend([
            (Point::BeforeReceipt, birth),
            (Point::ReceiptDurable, birth),
            (Point::BeforeIntent, tag),
            (Point::IntentDurable, tag),
        ]);
    }
    figures::tell(&format!("crash points tried, orphaned root disk, {}", ground.name), points.len());
    for (point, number) in points {
        let cell = Cell { rehearsal: &create, point, number };
        let stage = scenes.set(create.asked);
        cell.kill(&stage).and_then(|()| cell.check_the_point(&stage, stage.made())).unwrap_or_else(|why| panic!("{cell}: {why}"));
        a_stranger_deletes_the_server(&stage);
        let orphan = untagged(&stage);
        assert_eq!(orphan.len(), 1, "{cell}: {orphan:?}");
        stage.changes();

        go_on(&stage, &cell);
        let Outcome { stands, leaks, lost } = Outcome::of(&stage, create.asked).unwrap_or_else(|why| panic!("{cell}: {why}"));
        assert_eq!((leaks, lost), (1, 0), "{cell}: {stands:#?}");
        let beside: Vec<String> = stands.into_iter().filter(|it| !it.ends_with("loose, ")).collect();
        assert_eq!(beside, create.ended.stands, "{cell}");
        told(&stage, &cell, 0, &["describe", "pad.yaml"]);
        told(&stage, &cell, 0, &["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
        assert_eq!(untagged(&stage), orphan, "{cell}: the orphan is as it was");
        assert_eq!(stage.judge(&[]).0.len(), 1, "{cell}: and nothing else is left");
    }
}

fn a_stranger_deletes_the_server(stage: &Stage) {
    let face = stage.face.as_ref().unwrap();
    let truth = stage.truth();
    let servers: Vec<&String> = truth["servers"].as_object().unwrap().keys().collect();
    let [server] = servers[..] else { panic!("{servers:?}") };
    let (status, answer) = face.call("DELETE", &format!("/instance/v1/zones/fr-par-2/servers/{server}"), None);
    assert_eq!(status, 204, "{answer}");
}

/// The volumes that carry no tag.
fn untagged(stage: &Stage) -> Vec<String> {
    let volumes = stage.truth()["volumes"].as_object().unwrap().clone();
    volumes.into_iter().filter(|(_, it)| it["tags"] == json!([])).map(|(id, _)| id).collect()
}

/// A command that tells of the orphan, with its price.
fn told(stage: &Stage, cell: &Cell, code: i32, args: &[&str]) -> Ran {
    let ran = stage.run(args);
    assert_eq!(ran.code, code, "{cell}: {args:?}\n{}\n{}", ran.out, ran.err);
    let line = ran.out.lines().find(|it| it.starts_with("probably left behind, untagged and billed:"));
    assert!(line.is_some_and(|it| it.contains("30 GB") && it.contains("EUR a month")), "{cell}: {args:?}\n{}", ran.out);
    ran
}
