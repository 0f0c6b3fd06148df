//! Scaleway makes a server's root disk with the server, and without a tag. Killed between the birth and that tag, with the
//! server then gone, nothing says any more whose disk it is: it is told with its price, and never deleted unasked.

use super::{
    asked::ASKED,
    cell::{Cell, Point},
    ground::SCALEWAY_FACE,
    rehearsal::{Outcome, Rehearsal},
    stage::{Scenes, Stage},
    tracer,
};
use crate::figures;

/// The call that a root disk comes with, and the one that tags it.
const BIRTH: &str = "POST /instance/v1/zones/{zone}/servers";
const TAG: &str = "PATCH /block/v1/zones/{zone}/volumes/{id}";

#[test]
fn an_untagged_root_disk_whose_server_vanished_is_told_and_left_alone() {
    let traced = tracer::is_here();
    let scenes = Scenes::prepare(&SCALEWAY_FACE);
    let create = Rehearsal::of(&ASKED[0], &scenes, traced);
    let call = |operation: &str| create.calls.iter().position(|it| it == operation).unwrap();
    let turn = |word: &str| create.turns.iter().position(|it| it.contains(word)).unwrap();
    let (birth, tag) = (turn("create-server"), turn("retag"));
    assert_eq!(tag, birth + 1, "the tag is the very next thing: {:?}", create.turns);
    let mut points = vec![(Point::Unanswered, call(BIRTH)), (Point::NeverCarriedOut, call(TAG))];
    if traced {
        points.extend([(Point::BeforeReceipt, birth), (Point::ReceiptDurable, birth), (Point::BeforeIntent, tag), (Point::IntentDurable, tag)]);
    }
    figures::tell("crash points tried, orphaned root disk", points.len());
    for (point, number) in points {
        let cell = Cell { rehearsal: &create, point, number };
        let stage = scenes.set(create.asked);
        cell.kill(&stage).unwrap_or_else(|why| panic!("{cell}: {why}"));
        cell.check_the_point(&stage, stage.made()).unwrap_or_else(|why| panic!("{cell}: {why}"));
        a_stranger_deletes_the_server(&stage);
        goes_on_beside_the_orphan(&stage, &cell);
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

/// The wish is reached with another server; the orphan is told with its price, and outlives the instance itself.
fn goes_on_beside_the_orphan(stage: &Stage, cell: &Cell) {
    let Rehearsal { asked, ended, .. } = cell.rehearsal;
    let orphans = || {
        let volumes = stage.truth()["volumes"].as_object().unwrap().clone();
        volumes.into_iter().filter(|(_, it)| it["tags"] == serde_json::json!([])).map(|(id, _)| id).collect::<Vec<_>>()
    };
    let before = orphans();
    assert_eq!(before.len(), 1, "{cell}: {before:?}");
    let ran = stage.run(asked.command);
    assert_eq!(ran.code, 0, "{cell}: {}\n{}", ran.out, ran.err);
    let Outcome { stands, leaks, lost } = Outcome::of(stage, asked).unwrap_or_else(|why| panic!("{cell}: {why}"));
    assert_eq!((leaks, lost), (1, 0), "{cell}: {stands:#?}");
    let beside: Vec<String> = stands.into_iter().filter(|it| !it.ends_with("loose, ")).collect();
    assert_eq!(beside, ended.stands, "{cell}");

    let told = |args: &[&str]| {
        let ran = stage.run(args);
        let line = ran.out.lines().find(|it| it.starts_with("probably left behind, untagged and billed:"));
        assert!(line.is_some_and(|it| it.contains("30 GB") && it.contains("EUR a month")), "{cell}: {args:?}\n{}", ran.out);
    };
    told(&["describe", "pad.yaml"]);
    told(&["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"]);
    assert_eq!(orphans(), before, "{cell}: the orphan is as it was");
    assert_eq!(stage.judge(&[]).0.len(), 1, "{cell}: and nothing else is left");
}
