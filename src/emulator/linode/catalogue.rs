//! What anybody may read: regions, plans, kernels and prices.

use serde_json::{Value, json};

use super::listing::{self, list, page};
use super::problem::not_found;
use super::regions::{REGIONS, Region};
use super::{kernels, plans, prices, regions};
use crate::emulator::face::route::look;
use crate::emulator::face::{Answer, Args, Route};
use crate::emulator::{Moment, Truth};

/// The endpoints.
pub const ROUTES: [Route; 11] = [
    look("/regions", list_regions),
    look("/regions/availability", list_availability),
    look("/regions/{id}", region),
    look("/regions/{id}/availability", region_availability),
    look("/linode/types", list_plans),
    look("/linode/types/{id}", plan),
    look("/linode/kernels", list_kernels),
    look("/linode/kernels/{id}", kernel),
    look("/volumes/types", volume_types),
    look("/networking/reserved/ips/types", address_types),
    look("/network-transfer/prices", transfer_prices),
];

fn list_regions(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::REGIONS, REGIONS.iter().filter(|region| region.listed).map(Region::shown).collect())
}

fn region(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    regions::find(args.id).map(|region| Answer::ok(region.shown())).ok_or_else(not_found)
}

fn list_availability(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let regions = REGIONS.iter().filter(|region| region.listed);
    list(args.request, &listing::AVAILABILITY, regions.flat_map(|region| availability(truth, region)).collect())
}

fn region_availability(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let region = regions::find(args.id).ok_or_else(not_found)?;
    Ok(Answer::ok(Value::Array(availability(truth, region))))
}

/// Whether there are machines in a region for each of the plans whose machines are few, and for what is sold out besides.
fn availability(truth: &Truth, region: &Region) -> Vec<Value> {
    let row = |plan: plans::Plan| {
        let is_sold_out = is_sold_out(truth, region, &plan);
        let available = plan.offered(region).or(is_sold_out.then_some(true))? && !is_sold_out;
        Some(json!({"region": region.id, "plan": plan.id, "available": available}))
    };
    plans::all().filter_map(row).collect()
}

/// Whether somebody ordered that there be no machine for a plan in a region.
pub fn is_sold_out(truth: &Truth, region: &Region, plan: &plans::Plan) -> bool {
    let names = [plan.id.to_owned(), format!("{}/{}", region.id, plan.id)];
    truth.linode.sold_out.iter().any(|sold_out| names.contains(sold_out))
}

fn list_plans(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::TYPES, plans::all().map(|plan| plan.shown()).collect())
}

fn plan(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    plans::find(args.id).map(|plan| Answer::ok(plan.shown())).ok_or_else(not_found)
}

fn list_kernels(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    list(args.request, &listing::KERNELS, kernels::all().iter().map(kernels::Kernel::shown).collect())
}

fn kernel(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    kernels::find(args.id).map(|kernel| Answer::ok(kernel.shown())).ok_or_else(not_found)
}

fn volume_types(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    page(args.request, prices::of_volumes(), 1)
}

fn address_types(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    page(args.request, prices::of_addresses(), 1)
}

fn transfer_prices(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    page(args.request, prices::of_transfer(), 1)
}
