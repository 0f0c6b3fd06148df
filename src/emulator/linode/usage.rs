//! What a Linode has used, which is nothing in this garden, and what else belongs to it.

use serde_json::{Value, json};

use super::problem::not_found;
use super::{linodes, listing, listing::list, plans};
use crate::emulator::face::route::look;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::{Moment, Truth};

/// The endpoints of usage.
pub static ROUTES: &[Route] = &[
    look("/linode/instances/{id}/transfer", transfer),
    look("/linode/instances/{id}/transfer/{zone}/{key}", transfer_in_month),
    look("/linode/instances/{id}/stats", stats),
    look("/linode/instances/{id}/stats/{zone}/{key}", stats),
    look("/linode/instances/{id}/nodebalancers", balancers),
];

fn transfer(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, _) = linodes::find(truth, args.id)?;
    let quota = plans::find(&server.kind).map_or(0, |plan| plan.transfer);
    Ok(Answer::ok(json!({"used": 0, "quota": quota, "billable": 0, "region_transfers": []})))
}

/// Refuses what is no month.
fn check_month(args: &Args) -> Result<(), Answer> {
    let is_month = args.key.parse::<u8>().is_ok_and(|month| (1..=12).contains(&month));
    let is_year = args.zone.parse::<u16>().is_ok_and(|year| (2000..=3000).contains(&year));
    if is_month && is_year { Ok(()) } else { Err(not_found()) }
}

fn transfer_in_month(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    linodes::find(truth, args.id)?;
    check_month(args)?;
    Ok(Answer::ok(json!({"bytes_in": 0, "bytes_out": 0, "bytes_total": 0})))
}

fn stats(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (server, _) = linodes::find(truth, args.id)?;
    if !args.zone.is_empty() {
        check_month(args)?;
    }
    let net = json!({"in": [], "out": [], "private_in": [], "private_out": []});
    let data: Value = json!({"cpu": [], "io": {"io": [], "swap": []}, "netv4": net, "netv6": net});
    Ok(Answer::ok(json!({"title": format!("linode.com - {} ({}) - day (5 min avg)", server.name, server.id), "data": data})))
}

/// There are no node balancers here.
fn balancers(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    linodes::find(truth, args.id)?;
    list(args.request, &listing::PRICES, Vec::new())
}
