//! `get`: instances and where they stand.

use super::{
    Exit, Outcome,
    args::{Get, Shape},
    hands::{self, Case, Seen, foresee_all},
    print, print_json, ready,
    target::Unnamed,
};
use crate::{
    model::{self, Note, Readiness, Verdict},
    report::{JSON_VERSION, Screen, clock_json, plain, ready_json, standing, table, wished, yaml_document},
};
use serde::Serialize;
use serde_json::Value;

/// One row, for people and for tools.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
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
    /// Whether somebody can play; nothing where there is nothing to ask.
    ready: Option<Value>,
    host: Option<String>,
    /// What is wished by the clock; nothing where no clock decides.
    clock: Value,
    place: String,
    #[serde(skip)]
    next: Option<String>,
}

/// Lists instances.
pub(crate) async fn get(args: Get) -> Outcome {
    let cases = match hands::cases(&args.targets, Unnamed::Everything, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let seen = foresee_all(&cases).await?;
    let ready = ready::glance_all(cases.cases.iter().zip(&seen)).await;
    let rows: Vec<Row> = cases.cases.iter().zip(&seen).zip(ready).map(|((case, seen), ready)| row(case, seen, ready)).collect();
    match args.output {
        Shape::Json => {
            for row in &rows {
                print_json(row);
            }
        }
        Shape::Yaml => {
            for row in &rows {
                print(&yaml_document(row)?);
            }
        }
        Shape::Table => {
            let mut header = vec!["NAME", "PROVIDER", "ZONE", "WANTED", "OBSERVED", "STATUS", "HOST"];
            // Only who has a schedule or a session asks what comes next.
            let has_next = rows.iter().any(|it| it.next.is_some());
            header.extend(has_next.then_some("NEXT"));
            let cells = rows.iter().map(|row| {
                let name = if row.namespace == "default" { row.name.clone() } else { format!("{}/{}", row.namespace, row.name) };
                let status = match (row.verdict, &row.reason) {
                    ("inSync", _) => "in sync".to_owned(),
                    ("held", Some(reason)) => format!("held: {reason}"),
                    _ => "changes pending".to_owned(),
                };
                let is_ready = row.ready.as_ref().is_some_and(|it| it["ready"] == true).then(|| "ready".to_owned());
                let status = [vec![status], is_ready.into_iter().collect(), row.conditions.clone()].concat().join("; ");
                let host = row.host.clone().unwrap_or_else(|| "-".to_owned());
                let mut cells =
                    vec![name, row.provider.to_owned(), row.zone.clone(), row.wanted.to_owned(), row.observed.clone(), status, host];
                cells.extend(has_next.then(|| row.next.clone().unwrap_or_else(|| "-".to_owned())));
                cells
            });
            let dispensable: [&[&str]; 2] = [&["PROVIDER", "ZONE"], &["WANTED"]];
            print(&table(&header, &cells.collect::<Vec<_>>(), &dispensable, &Screen::of_stdout()));
        }
    }
    Ok(Exit::Done)
}

fn row(case: &Case, seen: &Seen, ready: Option<Readiness>) -> Row {
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
        conditions: conditions(seen, ready.as_ref()),
        ready: ready.as_ref().map(ready_json),
        host: host(case, seen),
        clock: clock_json(&case.view(seen)),
        next: case.view(seen).upcoming().map(|it| it.to_string()),
        place: case.place.clone(),
    }
}

/// The conditions of an instance, for a table: what is billed although it looks off, what cannot be captured, what runs and
/// is not ready.
fn conditions(seen: &Seen, ready: Option<&Readiness>) -> Vec<String> {
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
