//! Lists: filtered by the header `X-Filter`, and cut into pages.

use serde_json::{Value, json};

use super::filter::Filter;
use super::problem::{invalid, not_found};
use crate::emulator::face::{Answer, Request};

/// What is particular to the list of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The names of the fields one may filter by.
    pub fields: &'static [&'static str],
    /// The number of pages, and of the page, where there is no row.
    pub pages_when_empty: u64,
}

const fn by(fields: &'static [&'static str]) -> Listing {
    Listing { fields, pages_when_empty: 1 }
}

/// `/linode/instances`.
pub const INSTANCES: Listing = by(&[
    "id",
    "label",
    "tags",
    "region",
    "ipv4",
    "group",
    "image",
    "interface_generation",
    "placement_group.id",
    "placement_group.label",
    "placement_group.placement_group_type",
    "placement_group.placement_group_policy",
]);
/// `/linode/instances/{id}/disks`.
pub const DISKS: Listing = by(&["label", "size"]);
/// `/linode/instances/{id}/configs`.
pub const CONFIGS: Listing = by(&["label"]);
/// `/volumes`, and those of one Linode.
pub const VOLUMES: Listing = by(&["label", "tags"]);
/// `/images`, which counts no page where there is no image.
pub const IMAGES: Listing =
    Listing { fields: &["label", "status", "type", "is_public", "is_shared", "deprecated", "size", "tags", "vendor"], pages_when_empty: 0 };
/// `/account/events`.
pub const EVENTS: Listing = by(&["id", "action", "created", "read", "entity.id", "entity.type"]);
/// `/networking/firewalls`, and those of one Linode.
pub const FIREWALLS: Listing = by(&["id", "label", "tags", "created", "updated"]);
/// `/networking/firewalls/{id}/devices`.
pub const DEVICES: Listing = by(&["id", "created", "updated"]);
/// `/domains`.
pub const DOMAINS: Listing = by(&["domain", "group", "tags"]);
/// `/domains/{id}/records`.
pub const RECORDS: Listing = by(&["name", "type", "target", "tag"]);
/// `/linode/types`.
pub const TYPES: Listing = by(&["class", "label", "disk", "memory", "vcpus", "gpus", "transfer", "network_out"]);
/// `/linode/kernels`.
pub const KERNELS: Listing = by(&["label", "version", "kvm", "architecture", "pvops", "deprecated"]);
/// `/regions`.
pub const REGIONS: Listing = by(&["country", "site_type"]);
/// `/regions/availability`.
pub const AVAILABILITY: Listing = by(&["region", "plan", "available"]);
/// `/networking/ips`.
pub const IPS: Listing = by(&["address", "type", "rdns", "region", "prefix", "reserved"]);
/// `/networking/reserved/ips`.
pub const RESERVED_IPS: Listing = by(&["address", "type", "rdns", "region", "prefix", "reserved", "tags"]);
/// `/networking/ipv6/…`.
pub const RANGES: Listing = by(&["range", "region", "prefix", "route_target"]);
/// `/vpcs` and their subnets.
pub const VPCS: Listing = by(&["id", "label", "description", "region", "created", "updated"]);
/// `/tags`.
pub const TAGS: Listing = by(&["label"]);
/// Price lists, which cannot be filtered.
pub const PRICES: Listing = by(&[]);

/// The rows that a request asks for: those that pass its filter, in its order, one page of them.
///
/// Errors: 400 for a filter or a page that makes no sense, 404 for a page behind the last one.
pub fn list(request: &Request, listing: &Listing, rows: Vec<Value>) -> Result<Answer, Answer> {
    let filter = Filter::read(request.header("x-filter").unwrap_or_default(), listing.fields)?;
    page(request, filter.apply(rows), listing.pages_when_empty)
}

/// One page of rows.
///
/// Errors: as [`list`].
pub fn page(request: &Request, rows: Vec<Value>, pages_when_empty: u64) -> Result<Answer, Answer> {
    let page = number(request, "page", 1)?.filter(|page| *page >= 1).ok_or_else(|| invalid("page", "Must be 1 or greater"))?;
    let size = number(request, "page_size", 100)?.filter(|size| (25..=500).contains(size));
    let size = size.ok_or_else(|| invalid("page_size", "Must be 25-500"))?;
    let results = rows.len() as u64;
    let pages = if results == 0 { pages_when_empty } else { results.div_ceil(size) };
    if page > pages.max(1) {
        return Err(not_found());
    }
    let skipped = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let taken = usize::try_from(size).unwrap_or(usize::MAX);
    let data: Vec<Value> = rows.into_iter().skip(skipped).take(taken).collect();
    Ok(Answer::ok(json!({"data": data, "page": page.min(pages), "pages": pages, "results": results})))
}

/// A number in the query: nothing if it is not one.
fn number(request: &Request, key: &str, default: u64) -> Result<Option<u64>, Answer> {
    match request.filter(key) {
        None => Ok(Some(default)),
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(text.parse().unwrap_or(u64::MAX))),
        Some(text) if text.parse::<i64>().is_ok() => Ok(None),
        Some(_) => Err(invalid(key, "Must be of type Integer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::face::Body;

    fn ask(query: &[(&str, &str)], filter: &str, listing: &Listing, count: u64) -> (u16, Value) {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let headers = vec![("x-filter".to_owned(), filter.to_owned())];
        let request = Request { query, headers, ..Request::default() };
        let rows = (0..count).map(|id| json!({"id": id, "label": format!("l{id}")})).collect();
        let answer = list(&request, listing, rows).unwrap_or_else(|refusal| refusal);
        match answer.body {
            Body::Json(value) => (answer.status, value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pages_are_cut() {
        let lengths: Vec<usize> = (1..=4)
            .map(|page| {
                let (status, body) = ask(&[("page", &page.to_string())], "", &KERNELS, 330);
                assert_eq!((status, &body["page"], &body["pages"], &body["results"]), (200, &json!(page), &json!(4), &json!(330)));
                body["data"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(lengths, [100, 100, 100, 30]);
        assert_eq!(ask(&[("page_size", "500")], "", &KERNELS, 330).1["pages"], 1);
        assert_eq!(ask(&[("page", "5")], "", &KERNELS, 330).0, 404);
        assert_eq!(ask(&[("page", "99999999999999999999999")], "", &KERNELS, 330).0, 404);
    }

    #[test]
    fn an_empty_list_has_a_page_of_its_own_except_that_of_images() {
        let empty = |page: u64| json!({"data": [], "page": page, "pages": page, "results": 0});
        assert_eq!(ask(&[], "", &VOLUMES, 0), (200, empty(1)));
        assert_eq!(ask(&[("page", "1")], r#"{"label": "not-found"}"#, &IMAGES, 5), (200, empty(0)));
        assert_eq!(ask(&[("page", "2")], "", &IMAGES, 0).0, 404);
    }

    #[test]
    fn senseless_pages_are_refused() {
        for (key, value) in [("page", "0"), ("page", "-1"), ("page", "x"), ("page_size", "24"), ("page_size", "501"), ("page_size", "1e2")]
        {
            let (status, body) = ask(&[(key, value)], "", &VOLUMES, 1);
            assert_eq!((status, &body["errors"][0]["field"]), (400, &json!(key)), "{key}={value}");
        }
        assert_eq!(ask(&[("page", "")], "", &VOLUMES, 1).0, 200);
    }
}
