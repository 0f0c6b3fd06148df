//! The marketplace: from a label to the image of a zone.

use serde_json::{Value, json};

use super::ids::uuid_of;
use super::pages::body_page;
use super::stock_images::{self, Kind, MADE, StockImage, titles};
use super::words::detail;
use crate::emulator::face::{Answer, Request};

/// A GET below `/marketplace/v2`; `route` is the rest of the path.
pub fn read(request: &Request, route: &[&str]) -> Answer {
    match route {
        ["local-images"] => local_images(request),
        ["local-images", id] => match stock_images::image(id) {
            Some(image) => Answer::ok(image.local_image()),
            None => Answer::not_found("MarketplaceLocalImage", id),
        },
        ["images"] => images(request),
        ["images", id] => match titles().find(|(label, _)| image_id(label) == *id) {
            Some((label, name)) => Answer::ok(image(label, name)),
            None => Answer::not_found("MarketplaceImage", id),
        },
        ["versions"] => versions(request),
        ["versions", id] => match titles().find(|(label, _)| version_id(label) == *id) {
            Some((label, _)) => Answer::ok(version(label)),
            None => Answer::not_found("MarketplaceVersion", id),
        },
        ["categories"] => body_page(request, "categories", CATEGORIES.iter().map(|name| category(name)).collect()),
        ["categories", id] => match CATEGORIES.iter().find(|name| category(name)["id"] == *id) {
            Some(name) => Answer::ok(category(name)),
            None => Answer::not_found("MarketplaceCategory", id),
        },
        _ => Answer::unknown_resource(),
    }
}

/// What images are sorted into.
const CATEGORIES: [&str; 3] = ["Distribution", "GPU", "Instant App"];
/// The labels of ready-made applications.
const APPLICATIONS: [&str; 3] = ["docker", "openvpn", "wordpress"];

fn category(name: &str) -> Value {
    json!({"id": uuid_of(0, &["marketplace category", name]), "name": name, "description": format!("{name} images.")})
}

fn category_of(label: &str) -> &'static str {
    if APPLICATIONS.contains(&label) {
        "Instant App"
    } else if label.contains("_gpu_") {
        "GPU"
    } else {
        "Distribution"
    }
}

/// The id of the image of a label, whatever its zone, kind and processor.
fn image_id(label: &str) -> String {
    uuid_of(0, &["marketplace image", label])
}

/// The id of the one version that is offered of a label.
fn version_id(label: &str) -> String {
    uuid_of(0, &["marketplace version", label])
}

/// When everything was made, in the format of this API.
fn made() -> String {
    MADE.replace("+00:00", "Z")
}

fn image(label: &str, name: &str) -> Value {
    json!({
        "id": image_id(label),
        "name": name,
        "description": format!("{name}, ready to run."),
        "logo": format!("https://marketplace-logos.s3.nl-ams.scw.cloud/{label}.png"),
        "categories": [category_of(label)],
        "created_at": made(),
        "updated_at": made(),
        "valid_until": null,
        "label": label,
    })
}

fn version(label: &str) -> Value {
    json!({"id": version_id(label), "name": "2025-11-18", "created_at": made(), "updated_at": made(), "published_at": made()})
}

/// GET `images`: one object per label.
fn images(request: &Request) -> Answer {
    let has_arch = |label: &str| {
        let wanted = request.filter("arch").filter(|arch| *arch != "unknown_arch");
        wanted.is_none_or(|arch| stock_images::all().iter().any(|image| image.label == label && image.arch == arch))
    };
    let wanted = |label: &str| has_arch(label) && request.filter("category").is_none_or(|category| category_of(label) == category);
    let mut found: Vec<(&str, &str)> = titles().filter(|(label, _)| wanted(label)).collect();
    found.sort_by_key(|(_, name)| *name);
    if request.filter("order_by") == Some("name_desc") {
        found.reverse();
    }
    body_page(request, "images", found.into_iter().map(|(label, name)| image(label, name)).collect())
}

/// GET `versions`, of one image.
fn versions(request: &Request) -> Answer {
    let Some(id) = request.filter("image_id") else {
        return Answer::invalid_arguments(vec![detail("image_id", "required", "required key not provided")]);
    };
    match titles().find(|(label, _)| image_id(label) == id) {
        Some((label, _)) => body_page(request, "versions", vec![version(label)]),
        None => Answer::not_found("MarketplaceImage", id),
    }
}

/// GET `local-images`: one object per zone, kind and processor.
fn local_images(request: &Request) -> Answer {
    let by_id = |key: &str, id_of: fn(&str) -> String| request.filter(key).map(|id| (id, titles().find(|(label, _)| id_of(label) == id)));
    let named = match by_id("image_id", image_id).or_else(|| by_id("version_id", version_id)) {
        Some((id, None)) => {
            let resource = if request.filter("image_id").is_some() { "MarketplaceImage" } else { "MarketplaceVersion" };
            return Answer::not_found(resource, id);
        }
        Some((_, Some((label, _)))) => Some(label),
        None => None,
    };
    let label = request.filter("image_label").or(named);
    if let Some(label) = label.filter(|label| !stock_images::is_label(label)) {
        return Answer::not_found("MarketplaceImage", label);
    }
    if label.is_none() {
        let help = "exactly one of image_id, version_id and image_label is needed";
        return Answer::invalid_arguments(vec![detail("image_label", "required", help)]);
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
    use crate::emulator::face::Body;

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
    fn an_image_is_found_by_its_own_id_and_by_its_version() {
        let all = kinds(ask(&[("image_label", "ubuntu_noble"), ("zone", "fr-par-1")]));
        let (image, version) = (image_id("ubuntu_noble"), version_id("ubuntu_noble"));
        assert_eq!(kinds(ask(&[("image_id", &image), ("zone", "fr-par-1")])), all);
        assert_eq!(kinds(ask(&[("version_id", &version), ("zone", "fr-par-1")])), all);
        assert_eq!(ask(&[("image_id", "nope")]), Answer::not_found("MarketplaceImage", "nope"));
        let Body::Json(list) = read(&Request::default(), &["images"]).body else { panic!() };
        assert_eq!(list["total_count"], titles().count());
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
