//! A fleet, as a watch tells of it: rows from real specs and real plans, and the course of a run.

use super::words;
use cloudypad::{
    model::{Ask, Capabilities, Condition, ConditionKind, Ending, Event, Facts, InstanceKey, Line, Truth},
    plan::{Forecast, forecast},
    read,
    report::{PlanView, plan_json, standing, wished},
    watch::{Hub, Object, PlannedAct, Row},
};
use std::{path::Path, time::Duration};

pub fn key(name: &str) -> InstanceKey {
    InstanceKey { namespace: "default".to_owned(), name: name.to_owned() }
}

/// An example of ours, under this name, before its first apply: its wish, and what is expected.
pub fn example(file: &str, name: &str) -> (Row, Forecast) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
    let mut instance = read::read(&[path]).specs.pop().unwrap().instance;
    instance.metadata.name = name.to_owned();
    let desired = serde_json::to_value(&instance.spec).unwrap();
    let (ask, world, cloud) = (Ask::of(instance), words::nothing(), Capabilities::scaleway());
    let told = forecast(&ask, &world, &Facts::default(), &cloud);
    let place = format!("examples/{file}:5");
    let view = PlanView { ask: &ask, world: &world, forecast: &told, cloud: &cloud, place: &place };
    let row = Row {
        place: place.clone(),
        wished: wished(ask.spec.server_state, false).to_owned(),
        standing: standing(&world),
        plan: plan_json(&view),
        desired,
        ..Row::default()
    };
    (row, told)
}

/// A row of something that runs as it should.
pub fn running() -> Row {
    let (mut row, _) = example("scaleway.yaml", "mypad");
    row.standing = "running".to_owned();
    row.plan["verdict"] = "inSync".into();
    row.plan["actions"] = serde_json::json!([]);
    row.commit = Some("4f1d2c07a9be63518840d2ffb1c0e5a4d7723c91".to_owned());
    row.observed = ["server", "root disk", "data disk", "address"].map(|kind| object(kind, "running")).into();
    row.billed = vec!["server mypad L4-1-24G".to_owned(), "root disk 30 GB".to_owned(), "data disk 100 GB".to_owned()];
    row.conditions = vec![condition(ConditionKind::Ready, "Open", "port 47989 answers at 51.15.0.7")];
    row
}

pub fn object(kind: &str, standing: &str) -> Object {
    Object {
        kind: kind.to_owned(),
        id: format!("9e1f3ab0-{}-4c55-8d3e-2b7a60c1f0aa", kind.len()),
        size: "30 GB".to_owned(),
        standing: standing.to_owned(),
        tags: vec!["cloudypad:1".to_owned(), "in:default.mypad".to_owned()],
    }
}

pub fn condition(kind: ConditionKind, reason: &str, message: &str) -> Condition {
    Condition { kind, status: Truth::True, reason: reason.to_owned(), message: message.to_owned() }
}

/// The first steps of a run, from what is planned.
pub struct Told<'a> {
    pub hub: &'a Hub,
    pub key: InstanceKey,
    pub run: &'static str,
}

impl Told<'_> {
    pub fn began(&self, why: &str, planned: &Forecast) {
        // A hundred times as fast as life.
        self.hub.began(&self.key, self.run, why, PlannedAct::all(planned, 100.0));
    }

    pub fn tell(&self, event: &Event) {
        self.hub.event(&self.key, self.run, event);
    }

    pub fn started(&self, line: &Line) {
        self.tell(&Event::Started { key: line.to_string(), line: line.clone(), reason: "it is wished".to_owned() });
    }

    pub fn finished(&self, line: &Line, took: Duration) {
        self.tell(&Event::Finished { key: line.to_string(), line: line.clone(), took });
    }

    pub fn said(&self, text: &str) {
        self.tell(&Event::Said { key: "configure".to_owned(), text: text.to_owned() });
    }

    pub fn waited(&self, until: &str, took: Duration) {
        self.tell(&Event::Waiting { until: until.to_owned(), expected: took });
        self.tell(&Event::Arrived { until: until.to_owned(), took });
    }

    pub fn done(&self, calls: usize) {
        self.tell(&Event::Ended(Ending::Done { calls }));
    }
}
