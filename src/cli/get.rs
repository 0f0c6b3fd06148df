//! `get`: instances and where they stand.

use super::{
    Exit, Failure, Outcome,
    args::{Get, Shape},
    chronicle::{last_run, past_runs},
    follow::follow,
    hands::{self, Case, Cases, Seen, foresee_all},
    print, print_json, ready,
    target::Unnamed,
};
use crate::{
    model::{self, Note, Readiness, Verdict},
    report::{JSON_VERSION, Screen, clock_json, conditions, plain, ready_json, standing, table, wished, yaml_document},
    store::Home,
};
use serde::Serialize;
use serde_json::{Value, json};

/// One row, for people and for tools.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    v: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    namespace: String,
    name: String,
    provider: &'static str,
    zone: String,
    wanted: &'static str,
    observed: String,
    /// `inSync`, `changes` or `held`.
    verdict: &'static str,
    reason: Option<String>,
    /// What stands in its way or costs more than it seems, in a few words each.
    conditions: Vec<String>,
    /// `conditions`: whether it is ready, progressing, held, drifted.
    status: Value,
    /// Whether somebody can play; nothing where there is nothing to ask.
    ready: Option<Value>,
    host: Option<String>,
    /// What is wished by the clock; nothing where no clock decides.
    clock: Value,
    place: String,
    #[serde(skip)]
    next: Option<String>,
}

/// The columns of a table of instances.
pub(super) const HEADER: [&str; 7] = ["NAME", "PROVIDER", "ZONE", "WANTED", "OBSERVED", "STATUS", "HOST"];

/// Lists instances.
pub(crate) async fn get(args: Get) -> Outcome {
    if args.watch {
        return follow(&args).await;
    }
    let cases = match hands::cases(&args.targets, Unnamed::Everything, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let rows = rows(&cases).await?;
    match args.output {
        Shape::Json => rows.iter().for_each(print_json),
        Shape::Yaml => {
            for row in &rows {
                print(&yaml_document(row)?);
            }
        }
        Shape::Table => print(&rows_table(&rows, &Screen::of_stdout())),
    }
    Ok(Exit::Done)
}

/// The rows of instances, as the cloud shows them now.
pub(super) async fn rows(cases: &Cases) -> Result<Vec<Row>, Failure> {
    let seen = foresee_all(cases).await?;
    let ready = ready::glance_all(cases.cases.iter().zip(&seen)).await;
    Ok(cases.cases.iter().zip(&seen).zip(ready).map(|((case, seen), ready)| row(&cases.home, case, seen, ready)).collect())
}

/// A table of instances.
pub(super) fn rows_table(rows: &[Row], screen: &Screen) -> String {
    let dispensable: [&[&str]; 2] = [&["PROVIDER", "ZONE"], &["WANTED"]];
    // Only who has a schedule or a session asks what comes next.
    let has_next = rows.iter().any(|it| it.next.is_some());
    let header: Vec<&str> = HEADER.into_iter().chain(has_next.then_some("NEXT")).collect();
    let next = |row: &Row| has_next.then(|| row.next.clone().unwrap_or_else(|| "-".to_owned()));
    let cells = rows.iter().map(|row| row.cells().into_iter().chain(next(row)).collect()).collect::<Vec<Vec<String>>>();
    table(&header, &cells, &dispensable, screen)
}

impl Row {
    /// Whether it is the same instance's.
    pub fn is_of(&self, other: &Row) -> bool {
        (&self.namespace, &self.name) == (&other.namespace, &other.name)
    }

    /// Whether nothing is new in it: how long ago something was is nothing new.
    pub fn tells_the_same(&self, other: &Row) -> bool {
        let gist = |it: &Row| {
            let all = it.status["conditions"].as_array().into_iter().flatten();
            let conditions: Vec<String> = all.map(|it| format!("{} {} {}", it["type"], it["status"], it["reason"])).collect();
            (it.cells(), it.place.clone(), it.ready.as_ref().map(|it| it["reason"].clone()), conditions)
        };
        self.is_of(other) && gist(self) == gist(other)
    }

    /// For a table below [`HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let name = if self.namespace == "default" { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) };
        let status = match (self.verdict, &self.reason) {
            ("inSync", _) => "in sync".to_owned(),
            ("held", Some(reason)) => format!("held: {reason}"),
            _ => "changes pending".to_owned(),
        };
        let is_ready = self.ready.as_ref().is_some_and(|it| it["ready"] == true).then(|| "ready".to_owned());
        let status = [vec![status], is_ready.into_iter().collect(), self.conditions.clone()].concat().join("; ");
        let host = self.host.clone().unwrap_or_else(|| "-".to_owned());
        vec![name, self.provider.to_owned(), self.zone.clone(), self.wanted.to_owned(), self.observed.clone(), status, host]
    }
}

fn row(home: &Home, case: &Case, seen: &Seen, ready: Option<Readiness>) -> Row {
    let placement = case.ask.spec.placement();
    let (verdict, reason) = match &seen.forecast.end {
        Verdict::Held(hold) => ("held", Some(hold.code().to_owned())),
        _ if case.view(seen).is_in_sync() => ("inSync", None),
        _ => ("changes", None),
    };
    Row {
        v: JSON_VERSION,
        kind: "instance",
        namespace: case.ask.key.namespace.clone(),
        name: case.ask.key.name.clone(),
        provider: placement.provider,
        zone: plain(placement.zone),
        wanted: wished(case.ask.wished(), false),
        observed: standing(&seen.world),
        verdict,
        reason,
        conditions: remarks(seen, ready.as_ref()),
        status: status(home, case, seen, ready.as_ref()),
        ready: ready.as_ref().map(ready_json),
        host: host(case, seen),
        clock: clock_json(&case.view(seen)),
        next: case.view(seen).upcoming().map(|it| it.to_string()),
        place: case.place.clone(),
    }
}

/// How an instance is, in four conditions.
pub(super) fn status(home: &Home, case: &Case, seen: &Seen, ready: Option<&Readiness>) -> Value {
    // Where nothing can be read of its runs, nothing is known of them.
    let runs = past_runs(home, &case.ask.key).unwrap_or_default();
    json!({"conditions": conditions(&case.view(seen), ready, last_run(&runs))})
}

/// Remarks on an instance, for a table: what is billed although it looks off, what cannot be captured, what runs and
/// is not ready.
fn remarks(seen: &Seen, ready: Option<&Readiness>) -> Vec<String> {
    let notes = seen.forecast.notes.iter();
    let told = notes.filter_map(|note| match note {
        Note::BilledWhenOff(what) => Some(plain(what)),
        Note::CaptureFailed(_) => Some("CaptureFailed".to_owned()),
        Note::CapturePending(_) => Some("CapturePending".to_owned()),
        _ => None,
    });
    let unready = ready.filter(|it| !it.is_ready()).map(|it| format!("not ready: port {} {}", it.port, it.answer.code().to_lowercase()));
    told.chain(unready).collect()
}

/// Where players find it: its DNS name, where it has one, else its address.
fn host(case: &Case, seen: &Seen) -> Option<String> {
    let record = matches!(&seen.world.record, model::Seen::Present(record) if record.ours);
    match &case.ask.spec.network.dns {
        Some(dns) if record => Some(plain(&format!("{}.{}", dns.record, dns.zone))),
        _ => {
            let reserved = seen.world.addresses.items();
            let address = match seen.world.servers.items().first() {
                Some(server) => seen.world.address_of(server),
                None => None,
            };
            address.or(reserved.first().map(|it| it.address.as_str())).map(plain)
        }
    }
}
