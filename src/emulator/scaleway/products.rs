//! `products/servers` and its availability: a catalogue that is a JSON object and has pages all the same.

use serde_json::{Value, json};

use super::catalogue::{Availability, server_types};
use super::pages::header_page_map;
use super::types::{GB, ServerType};
use crate::emulator::face::{Answer, Request};

/// GET `products/servers`: what a zone sells, by name.
pub fn servers(request: &Request, zone: &str) -> Answer {
    header_page_map(request, "servers", "/products/servers", by_name(zone, ServerType::product))
}

/// GET `products/servers/availability`: how much is left of each type, as `stock` tells by its name.
pub fn availability(request: &Request, zone: &str, stock: impl Fn(&str) -> Availability) -> Answer {
    let row = |row: &ServerType| json!({"availability": stock(row.name).word()});
    header_page_map(request, "servers", "/products/servers/availability", by_name(zone, row))
}

/// GET `products/volumes`: the kinds of volumes, by name; figures in bytes.
pub fn volumes(request: &Request) -> Answer {
    let row = |name: &str, snapshot: bool, largest: u64| json!({"display_name": name, "capabilities": {"snapshot": snapshot}, "constraints": {"min": GB, "max": largest * GB}});
    let rows = vec![("l_ssd".to_owned(), row("Local SSD", true, 800)), ("scratch".to_owned(), row("Scratch", false, 24_000))];
    header_page_map(request, "volumes", "/products/volumes", rows)
}

fn by_name(zone: &str, object: impl Fn(&ServerType) -> Value) -> Vec<(String, Value)> {
    let mut rows: Vec<(String, Value)> = server_types(zone).map(|row| (row.name.to_owned(), object(row))).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::face::Body;

    fn page(number: &str, size: &str) -> Request {
        let query = vec![("page".to_owned(), number.to_owned()), ("per_page".to_owned(), size.to_owned())];
        Request { query, ..Request::default() }
    }

    fn names(answer: &Answer) -> Vec<String> {
        let Body::Json(body) = &answer.body else { panic!("{answer:?}") };
        body["servers"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn pages_hold_every_type_once_in_the_order_of_names() {
        let all: Vec<String> = (1..=4).flat_map(|number| names(&servers(&page(&number.to_string(), "50"), "fr-par-1"))).collect();
        let mut sorted = all.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(all, sorted);
        assert_eq!(all.len(), server_types("fr-par-1").count());
    }

    #[test]
    fn stock_is_told_for_one_zone_as_it_is() {
        let stock = |name: &str| if name == "L4-1-24G" { Availability::Shortage } else { Availability::default() };
        let answer = availability(&page("1", "100"), "fr-par-2", stock);
        let Body::Json(body) = answer.body else { panic!() };
        assert_eq!(body["servers"]["L4-1-24G"], json!({"availability": "shortage"}));
        assert_eq!(body["servers"]["DEV1-S"], json!({"availability": "available"}));
    }
}
