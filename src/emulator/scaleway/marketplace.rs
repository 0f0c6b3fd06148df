//! The marketplace: from a label to the image of a zone.

use serde_json::Value;

use super::exchange::{Answer, Request, body_page, detail};
use super::stock_images::{self, Kind, StockImage};

/// A GET below `/marketplace/v2`; `route` is the rest of the path.
pub fn read(request: &Request, route: &[&str]) -> Answer {
    match route {
        ["local-images"] => local_images(request),
        ["local-images", id] => match stock_images::image(id) {
            Some(image) => Answer::ok(image.local_image()),
            None => Answer::not_found("MarketplaceLocalImage", id),
        },
        _ => Answer::unknown_resource(),
    }
}

/// GET `local-images`: one object per zone, kind and processor.
fn local_images(request: &Request) -> Answer {
    let label = request.filter("image_label");
    if let Some(label) = label.filter(|label| !stock_images::is_label(label)) {
        return Answer::not_found("MarketplaceImage", label);
    }
    if label.is_none() && request.filter("image_id").is_none() && request.filter("version_id").is_none() {
        let help = "exactly one of image_id, version_id and image_label is needed";
        return Answer::invalid_arguments(vec![detail("image_label", "required", help)]);
    }
    // Images and versions have no ids of their own here, so that what is asked by one is not found.
    if let Some(id) = request.filter("image_id").or(request.filter("version_id")) {
        return Answer::not_found("MarketplaceImage", id);
    }
    let kind = match request.filter("type") {
        None | Some("unknown_type") => None,
        Some(word) => match Kind::of(word) {
            Some(kind) => Some(kind),
            None => return Answer::invalid_arguments(vec![detail("type", "constraint", "unknown type")]),
        },
    };
    let wanted = |image: &&StockImage| {
        label.is_none_or(|label| image.label == label)
            && request.filter("zone").is_none_or(|zone| image.zone == zone)
            && request.filter("arch").is_none_or(|arch| image.arch == arch)
            && kind.is_none_or(|kind| image.kind == kind)
    };
    let mut found: Vec<&StockImage> = stock_images::all().iter().filter(wanted).collect();
    if request.filter("order_by") == Some("type_desc") {
        found.sort_by_key(|image| std::cmp::Reverse(image.kind));
    }
    body_page(request, "local_images", found.into_iter().map(StockImage::local_image).collect::<Vec<Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::scaleway::exchange::Body;

    fn ask(pairs: &[(&str, &str)]) -> Answer {
        let query = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        read(&Request { query, ..Request::default() }, &["local-images"])
    }

    fn kinds(answer: Answer) -> Vec<String> {
        let Body::Json(body) = answer.body else { panic!() };
        let images = body["local_images"].as_array().unwrap();
        assert_eq!(body["total_count"], images.len());
        images.iter().map(|image| format!("{} {}", image["type"].as_str().unwrap(), image["arch"].as_str().unwrap())).collect()
    }

    #[test]
    fn types_come_in_their_order_local_ones_first() {
        let of = |kind| kinds(ask(&[("image_label", "ubuntu_noble"), ("zone", "fr-par-1"), ("type", kind), ("order_by", "type_asc")]));
        assert_eq!(of("unknown_type").len(), 3);
        assert_eq!(of("unknown_type")[0], "instance_local x86_64");
        assert_eq!(of("instance_local"), ["instance_local x86_64"]);
        assert_eq!(of("instance_sbs").len(), 2);
    }

    #[test]
    fn an_unknown_label_is_not_found_and_a_label_is_needed() {
        assert_eq!(ask(&[("image_label", "nope")]), Answer::not_found("MarketplaceImage", "nope"));
        assert_eq!(ask(&[("zone", "fr-par-1")]).status, 400);
        // A known label that a zone does not offer is an empty list.
        assert!(kinds(ask(&[("image_label", "windows_server_2022"), ("zone", "mars-1")])).is_empty());
    }

    #[test]
    fn a_local_image_is_read_by_its_id() {
        let image = &stock_images::all()[0];
        let answer = read(&Request::default(), &["local-images", &image.id]);
        assert_eq!(answer, Answer::ok(image.local_image()));
        assert_eq!(read(&Request::default(), &["local-images", "x"]).status, 404);
    }
}
