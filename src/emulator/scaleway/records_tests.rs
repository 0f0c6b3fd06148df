//! What of DNS the recordings cannot show.

use super::*;
use crate::emulator::face::Body;

const NOW: Moment = Moment(1_767_225_600_000_000);

fn value(answer: &Answer) -> Value {
    let Body::Json(value) = &answer.body else { panic!("no JSON in {answer:?}") };
    value.clone()
}

fn patch_with(records: &mut Records, zone: &str, body: Value) -> Answer {
    let request = Request { method: "PATCH".to_owned(), body: body.to_string().into_bytes(), ..Request::default() };
    records.write(&request, &["dns-zones", zone, "records"], "p", 7, NOW)
}

fn patch(records: &mut Records, changes: Value) -> Answer {
    patch_with(records, "example.com", json!({"changes": changes, "disallow_new_zone_creation": true}))
}

fn get(records: &Records, route: &[&str], pairs: &[(&str, &str)], now: Moment) -> Answer {
    let query = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    records.read(&Request { query, ..Request::default() }, route, "p", 7, now)
}

fn listed(records: &Records, pairs: &[(&str, &str)]) -> Vec<String> {
    let body = value(&get(records, &["dns-zones", "example.com", "records"], pairs, NOW));
    let list = body["records"].as_array().unwrap();
    list.iter()
        .map(|it| format!("{} {} {}", it["name"].as_str().unwrap(), it["type"].as_str().unwrap(), it["data"].as_str().unwrap()))
        .collect()
}

fn a(name: &str, data: &str) -> Value {
    json!({"name": name, "type": "A", "data": data, "ttl": 60, "priority": 0, "comment": null})
}

#[test]
fn setting_twice_leaves_one_record_of_one_id() {
    let mut records = Records::default();
    let set = |data: &str| json!([{"set": {"id_fields": {"name": "pad", "type": "A"}, "records": [a("pad", data)]}}]);
    let first = value(&patch(&mut records, set("192.0.2.1")));
    let second = value(&patch(&mut records, set("192.0.2.2")));
    assert_eq!(first["records"][0]["id"], second["records"][0]["id"]);
    assert_eq!(listed(&records, &[("name", "pad"), ("type", "A")]), ["pad A 192.0.2.2"]);
}

#[test]
fn adding_twice_leaves_two_records() {
    let mut records = Records::default();
    let add = json!([{"add": {"records": [a("pad", "192.0.2.1")]}}]);
    patch(&mut records, add.clone());
    patch(&mut records, add);
    assert_eq!(listed(&records, &[("name", "pad")]).len(), 2);
}

#[test]
fn set_by_fields_replaces_all_that_match_and_nothing_else() {
    let mut records = Records::default();
    let text = json!({"name": "pad", "type": "TXT", "data": "x", "ttl": 60});
    patch(&mut records, json!([{"add": {"records": [a("pad", "192.0.2.1"), text, a("pad", "192.0.2.2"), a("", "192.0.2.9")]}}]));
    patch(&mut records, json!([{"set": {"id_fields": {"name": "pad", "type": "A"}, "records": [a("pad", "192.0.2.3")]}}]));
    assert_eq!(listed(&records, &[("name", "pad")]), ["pad A 192.0.2.3", "pad TXT \"x\""]);
    assert_eq!(listed(&records, &[("name", ""), ("type", "unknown")]).len(), 5, "an empty name is no filter");
    assert_eq!(listed(&records, &[("type", "A"), ("order_by", "name_desc")]), ["pad A 192.0.2.3", " A 192.0.2.9"]);
}

#[test]
fn data_and_ttl_narrow_what_is_meant() {
    let mut records = Records::default();
    patch(&mut records, json!([{"add": {"records": [a("pad", "192.0.2.1"), a("pad", "192.0.2.2")]}}]));
    let delete = |more: Value| json!([{"delete": {"id_fields": more}}]);
    patch(&mut records, delete(json!({"name": "pad", "type": "A", "data": "192.0.2.1", "ttl": 61})));
    assert_eq!(listed(&records, &[("name", "pad")]).len(), 2);
    let answer = patch(&mut records, delete(json!({"name": "pad", "type": "A", "data": "192.0.2.1"})));
    assert_eq!(value(&answer), json!({"records": []}));
    assert_eq!(listed(&records, &[("name", "pad")]), ["pad A 192.0.2.2"]);
}

#[test]
fn a_batch_happens_as_a_whole_or_not_at_all() {
    let mut records = Records::default();
    patch(&mut records, json!([{"add": {"records": [a("pad", "192.0.2.1")]}}]));
    let before = records.clone();
    let answer = patch(&mut records, json!([{"clear": {}}, {"add": {"records": [a("pad", "192.0.2.2")]}}, {"delete": {"id": "nobody"}}]));
    assert_eq!(answer, Answer::not_found("record", "nobody"));
    assert_eq!(records, before);
    for wrong in [json!([{}]), json!([{"add": {"records": []}, "clear": {}}]), json!([{"delete": {}}])] {
        assert_eq!(patch(&mut records, wrong).status, 400);
    }
    assert_eq!(records, before);
    patch(&mut records, json!([{"clear": {}}]));
    assert_eq!(listed(&records, &[]), [" NS ns0.dom.scw.cloud.", " NS ns1.dom.scw.cloud."]);
}

#[test]
fn what_a_batch_wrote_and_took_again_is_not_told() {
    let mut records = Records::default();
    let gone = json!({"delete": {"id_fields": {"name": "pad", "type": "A"}}});
    let answer =
        patch(&mut records, json!([{"add": {"records": [a("pad", "192.0.2.1")]}}, gone, {"add": {"records": [a("b", "192.0.2.2")]}}]));
    let told = value(&answer);
    assert_eq!(told["records"].as_array().map(Vec::len), Some(1));
    let all = patch_with(&mut records, "example.com", json!({"changes": [], "return_all_records": true}));
    assert_eq!(value(&all)["records"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_zone_below_a_domain_comes_with_its_first_record_if_that_is_allowed() {
    let mut records = Records::default();
    let body =
        |forbidden: bool| json!({"changes": [{"add": {"records": [a("pad", "192.0.2.1")]}}], "disallow_new_zone_creation": forbidden});
    let zone = "games.example.com";
    assert_eq!(get(&records, &["dns-zones", zone, "records"], &[], NOW).status, 404);
    assert_eq!(patch_with(&mut records, zone, body(true)), Answer::not_found("dns_zone", zone));
    assert_eq!(patch_with(&mut records, zone, body(false)).status, 200);
    let zones = |now| value(&get(&records, &["dns-zones"], &[("dns_zones", zone), ("domain", "")], now))["dns_zones"][0].clone();
    let found = zones(NOW);
    assert_eq!((found["domain"].as_str(), found["subdomain"].as_str()), (Some("example.com"), Some("games")));
    assert_eq!((found["status"].as_str(), found["updated_at"].as_str()), (Some("pending"), Some("2026-01-01T00:00:00Z")));
    assert_eq!(zones(NOW.plus_seconds(10))["status"], "active");
    assert_eq!(value(&get(&records, &["dns-zones"], &[], NOW))["total_count"], 1, "only what was touched is listed");
    assert_eq!(value(&get(&records, &["dns-zones"], &[("dns_zones", "example.com")], NOW))["total_count"], 1);
}

#[test]
fn domains_that_are_not_ours_are_not_found() {
    let mut records = Records::default();
    records.know("example.co.uk");
    let body = json!({"changes": [{"add": {"records": [a("pad", "192.0.2.1")]}}]});
    assert_eq!(patch_with(&mut records, "example.com", body.clone()).status, 404);
    assert_eq!(patch_with(&mut records, "notexample.co.uk", body.clone()).status, 404);
    assert_eq!(patch_with(&mut records, "games.example.co.uk", body).status, 200);
    let zones = value(&get(&records, &["dns-zones"], &[], NOW));
    assert_eq!((&zones["dns_zones"][0]["domain"], &zones["dns_zones"][0]["subdomain"]), (&json!("example.co.uk"), &json!("games")));
}

#[test]
fn zones_are_made_once_and_deleted() {
    let mut records = Records::default();
    let body = json!({"domain": "example.com", "subdomain": "b", "project_id": "q"}).to_string().into_bytes();
    let post = Request { method: "POST".to_owned(), body, ..Request::default() };
    let made = records.write(&post, &["dns-zones"], "p", 7, NOW);
    assert_eq!((made.status, value(&made)["project_id"].as_str()), (200, Some("q")));
    assert_eq!(records.write(&post, &["dns-zones"], "p", 7, NOW).status, 409);
    let delete = Request { method: "DELETE".to_owned(), ..Request::default() };
    assert_eq!(records.write(&delete, &["dns-zones", "b.example.com"], "p", 7, NOW).status, 200);
    assert_eq!(records.write(&delete, &["dns-zones", "b.example.com"], "p", 7, NOW).status, 404);
}

#[test]
fn truth_survives_its_file() {
    let mut records = Records::default();
    let mut record = a("pad", "192.0.2.1");
    record["weighted_config"] = json!({"weighted_ips": [{"ip": "192.0.2.1", "weight": 1}]});
    patch(&mut records, json!([{"add": {"records": [record]}}]));
    let text = serde_json::to_string(&records).unwrap();
    assert_eq!(serde_json::from_str::<Records>(&text).unwrap(), records);
    assert_eq!(serde_json::from_str::<Records>("{}").unwrap(), Records::default());
}
