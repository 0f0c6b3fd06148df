//! The endpoints of the other products, whose rooms are beside: each keeps its own part of the truth.

use super::changes::{Change, later};
use super::{catalogue, keys, marketplace, products};
use crate::emulator::face::Answer;
use crate::emulator::face::{Args, Call, Route};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// How long a zone is being published after a change.
const PUBLISHING_SECONDS: u64 = 4;

/// The endpoints of IAM, accounts and DNS.
pub static ROUTES: &[Route] = &[
    Route { method: "GET", path: "/iam/v1alpha1/ssh-keys", call: Call::Look(read_keys) },
    Route { method: "POST", path: "/iam/v1alpha1/ssh-keys", call: Call::Change(write_keys) },
    Route { method: "GET", path: "/iam/v1alpha1/ssh-keys/{id}", call: Call::Look(read_keys) },
    Route { method: "PATCH", path: "/iam/v1alpha1/ssh-keys/{id}", call: Call::Change(write_keys) },
    Route { method: "DELETE", path: "/iam/v1alpha1/ssh-keys/{id}", call: Call::Change(write_keys) },
    Route { method: "GET", path: "/iam/v1alpha1/api-keys/{id}", call: Call::Look(api_key) },
    Route { method: "GET", path: "/account/v3/projects", call: Call::Look(projects) },
    Route { method: "GET", path: "/account/v3/projects/{id}", call: Call::Look(projects) },
    Route { method: "GET", path: "/domain/v2beta1/dns-zones", call: Call::Look(read_records) },
    Route { method: "POST", path: "/domain/v2beta1/dns-zones", call: Call::Change(write_records) },
    Route { method: "PATCH", path: "/domain/v2beta1/dns-zones/{id}", call: Call::Change(write_records) },
    Route { method: "DELETE", path: "/domain/v2beta1/dns-zones/{id}", call: Call::Change(write_records) },
    Route { method: "POST", path: "/domain/v2beta1/dns-zones/{id}/clone", call: Call::Change(write_records) },
    Route { method: "POST", path: "/domain/v2beta1/dns-zones/{id}/refresh", call: Call::Change(write_records) },
    Route { method: "GET", path: "/domain/v2beta1/dns-zones/{id}/nameservers", call: Call::Look(read_records) },
    Route { method: "GET", path: "/domain/v2beta1/dns-zones/{id}/records", call: Call::Look(read_records) },
    Route { method: "PATCH", path: "/domain/v2beta1/dns-zones/{id}/records", call: Call::Change(write_records) },
];

/// The path behind the product and its version, and `skip` more segments.
fn rest<'r>(args: &Args<'r>, skip: usize) -> Vec<&'r str> {
    args.request.path.iter().skip(2 + skip).map(String::as_str).collect()
}

/// A refusal that left its part of the truth as it was is an answer like any other.
fn settled(answer: Answer) -> Result<Answer, Answer> {
    if answer.status < 400 { Ok(answer) } else { Err(answer) }
}

fn read_keys(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    settled(truth.scaleway.keys.read(args.request, &rest(args, 1)))
}

fn write_keys(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let stamp = deed.tick();
    settled(deed.truth.scaleway.keys.write(args.request, &rest(args, 1), deed.truth.seed, stamp))
}

fn api_key(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    settled(keys::api_key(args.id, truth.seed))
}

fn projects(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    settled(keys::projects(args.request, &rest(args, 1), truth.seed))
}

fn read_records(truth: &Truth, now: Moment, args: &Args) -> Result<Answer, Answer> {
    let project = super::details::organization(truth);
    settled(truth.scaleway.records.read(args.request, &rest(args, 0), &project, truth.seed, now))
}

fn write_records(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    let project = super::details::organization(&deed.truth);
    let stamp = deed.tick();
    let answer = settled(deed.truth.scaleway.records.write(args.request, &rest(args, 0), &project, deed.truth.seed, stamp))?;
    later(deed, PUBLISHING_SECONDS, Change::Published(args.id.to_owned()));
    Ok(answer)
}

/// GET `products/servers`.
pub fn types(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(products::servers(args.request, args.zone))
}

/// GET `products/servers/availability`.
pub fn availability(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(products::availability(args.request, args.zone, |kind| truth.scaleway.stock_of(args.zone, kind)))
}

/// GET `products/volumes`: the kinds of volumes that the instance API makes by itself.
pub fn volume_types(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    Ok(products::volumes(args.request))
}

/// GET below `/marketplace/v2`.
pub fn marketplace(_: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    settled(marketplace::read(args.request, &rest(args, 0)))
}

/// Whether a zone is one of this vendor's.
pub fn has_zone(zone: &str) -> bool {
    catalogue::is_zone(zone)
}

/// The price of a server type in a zone, in EUR per hour.
pub fn eur_per_hour(zone: &str, kind: &str) -> Option<f64> {
    catalogue::server_type(zone, kind).map(|row| row.hourly_price)
}
