//! Pages of lists, as this vendor's two generations of APIs cut them.

use serde_json::{Value, json};

use crate::emulator::face::exchange::{Answer, Request, encode};

/// A page as the instance API gives it: `page`, `per_page` (50, at most 100); the total and the links are in
/// headers. `envelope` is the key of the list, `route` the path without the API's prefix (`/servers`).
pub fn header_page(request: &Request, envelope: &str, route: &str, items: Vec<Value>) -> Answer {
    let (page, size) = header_cut(request);
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    with_page_headers(request, route, total, Answer::ok(json!({ envelope: items })))
}

/// The same without total and links.
pub fn bare_page(request: &Request, envelope: &str, items: Vec<Value>) -> Answer {
    let (page, size) = header_cut(request);
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    Answer::ok(json!({ envelope: items }))
}

/// The same for a list that is a JSON object (`products/servers`): pairs of name and value, in their order.
pub fn header_page_map(request: &Request, envelope: &str, route: &str, items: Vec<(String, Value)>) -> Answer {
    let (page, size) = header_cut(request);
    let total = items.len();
    let items: serde_json::Map<String, Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    with_page_headers(request, route, total, Answer::ok(json!({ envelope: items })))
}

fn header_cut(request: &Request) -> (usize, usize) {
    let size = request.number("per_page").unwrap_or(50).min(100);
    (request.number("page").unwrap_or(1), size)
}

fn with_page_headers(request: &Request, route: &str, total: usize, answer: Answer) -> Answer {
    let (page, size) = header_cut(request);
    let last = total.div_ceil(size);
    let link = |to: usize, relation: &str| {
        let rest = request.query.iter().filter(|(key, _)| key != "page" && key != "per_page");
        let rest: Vec<String> = rest.map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        format!("<{route}?page={to}&per_page={size}&{}>; rel=\"{relation}\"", rest.join("&"))
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(1, "first"));
        links.push(link(page - 1, "previous"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.push(link(last, "last"));
    answer.with("x-total-count", total.to_string()).with("link", links.join(","))
}

/// A page as the newer APIs give it: `page`, `page_size` (20, at most 100), and `total_count` in the body.
pub fn body_page(request: &Request, envelope: &str, items: Vec<Value>) -> Answer {
    let size = request.number("page_size").unwrap_or(20).min(100);
    let page = request.number("page").unwrap_or(1);
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    Answer::ok(json!({ envelope: items, "total_count": total }))
}
