//! `get`: instances and where they stand.

use super::{
    Exit, Outcome,
    args::{Get, Shape},
    hands::{self, Case, Seen, foresee_all},
    print, print_json,
    target::Unnamed,
};
use crate::{
    model::{self, Note, Verdict},
    report::{JSON_VERSION, Screen, plain, standing, table, wished, yaml_document},
};
use serde::Serialize;

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
    host: Option<String>,
    place: String,
}

/// Lists instances.
pub(crate) async fn get(args: Get) -> Outcome {
    let cases = match hands::cases(&args.targets, Unnamed::Everything, args.owner.owner.as_deref(), None)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let seen = foresee_all(&cases).await?;
    let rows: Vec<Row> = cases.cases.iter().zip(&seen).map(|(case, seen)| row(case, seen)).collect();
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
            let header = ["NAME", "PROVIDER", "ZONE", "WANTED", "OBSERVED", "STATUS", "HOST"];
            let cells = rows.iter().map(|row| {
                let name = if row.namespace == "default" { row.name.clone() } else { format!("{}/{}", row.namespace, row.name) };
                let status = match (row.verdict, &row.reason) {
                    ("inSync", _) => "in sync".to_owned(),
                    ("held", Some(reason)) => format!("held: {reason}"),
                    _ => "changes pending".to_owned(),
                };
                let status = [vec![status], row.conditions.clone()].concat().join("; ");
                let host = row.host.clone().unwrap_or_else(|| "-".to_owned());
                vec![name, row.provider.to_owned(), row.zone.clone(), row.wanted.to_owned(), row.observed.clone(), status, host]
            });
            let dispensable: [&[&str]; 2] = [&["PROVIDER", "ZONE"], &["WANTED"]];
            print(&table(&header, &cells.collect::<Vec<_>>(), &dispensable, &Screen::of_stdout()));
        }
    }
    Ok(Exit::Done)
}

fn row(case: &Case, seen: &Seen) -> Row {
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
        wanted: wished(case.ask.spec.server_state, false),
        observed: standing(&seen.world),
        verdict,
        reason,
        conditions: conditions(seen),
        host: host(case, seen),
        place: case.place.clone(),
    }
}

/// The conditions of an instance, for a table: what is billed although it looks off, what cannot be captured.
fn conditions(seen: &Seen) -> Vec<String> {
    let notes = seen.forecast.notes.iter();
    let told = notes.filter_map(|note| match note {
        Note::BilledWhenOff(what) => Some(plain(what)),
        Note::CaptureFailed(_) => Some("CaptureFailed".to_owned()),
        _ => None,
    });
    told.collect()
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
