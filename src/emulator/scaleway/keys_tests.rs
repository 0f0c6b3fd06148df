//! What of keys the recordings cannot show.

use super::*;
use crate::emulator::face::Body;

const NOW: Moment = Moment(1_767_225_600_000_000);

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| (number << 8) | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn blob(fields: &[&[u8]]) -> Vec<u8> {
    fields.iter().flat_map(|field| [&(field.len() as u32).to_be_bytes()[..], field].concat()).collect()
}

fn ed25519(fill: u8) -> String {
    format!("ssh-ed25519 {}", base64(&blob(&[b"ssh-ed25519", &[fill; 32]])))
}

fn request(method: &str, body: Value) -> Request {
    Request { method: method.to_owned(), body: body.to_string().into_bytes(), ..Request::default() }
}

fn value(answer: Answer) -> Value {
    let Body::Json(value) = answer.body else { panic!("no JSON in {answer:?}") };
    value
}

fn with(keys: &mut Keys, name: &str, fill: u8, at: Moment) -> Value {
    let body = json!({"name": name, "public_key": ed25519(fill), "project_id": "p"});
    value(keys.write(&request("POST", body), &[], 7, at))
}

fn names(keys: &Keys, pairs: &[(&str, &str)]) -> Vec<String> {
    let query = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let listed = value(keys.read(&Request { query, ..Request::default() }, &[]));
    let listed = listed["ssh_keys"].as_array().unwrap().clone();
    listed.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn comment_and_line_end_are_dropped() {
    let plain = ed25519(1);
    for line in [format!("{plain} me@home"), format!("\n{plain}\n"), format!("{plain} two words\r\n"), plain.clone()] {
        assert_eq!(parse(&line).unwrap().public_key, plain, "{line:?}");
    }
}

#[test]
fn the_fingerprint_is_the_one_that_ssh_keygen_prints() {
    // Of this key, `ssh-keygen -l -E md5` says the same but for the word at the end.
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    assert_eq!(parse(line).unwrap().fingerprint, "256 MD5:0f:a2:0a:d7:38:3e:65:45:08:6b:63:84:1c:ff:dc:ba (ssh-ed25519)");
}

#[test]
fn an_rsa_key_is_as_long_as_its_modulus() {
    let mut modulus = vec![0_u8; 385];
    modulus[1] = 0x80;
    let line = format!("ssh-rsa {}", base64(&blob(&[b"ssh-rsa", &[1, 0, 1], &modulus])));
    assert!(parse(&line).unwrap().fingerprint.starts_with("3072 MD5:"));
}

#[test]
fn what_is_no_key_is_refused() {
    let other = base64(&blob(&[b"ssh-rsa", &[1; 32]]));
    let short = base64(&blob(&[b"ssh-ed25519", &[1; 31]]));
    let mut keys = Keys::default();
    for line in ["hello", "ssh-ed25519", "ssh-ed25519 !!!!", &format!("ssh-ed25519 {other}"), &format!("ssh-ed25519 {short}")] {
        let answer = keys.write(&request("POST", json!({"public_key": line, "project_id": "p"})), &[], 7, NOW);
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(value(answer)["details"][0]["argument_name"], "public_key");
    }
    let answer = value(keys.write(&request("POST", json!({})), &[], 7, NOW));
    assert_eq!(answer["details"].as_array().map(Vec::len), Some(2));
    assert_eq!(keys, Keys::default());
}

#[test]
fn the_same_key_may_be_registered_twice() {
    let mut keys = Keys::default();
    let (one, two) = (with(&mut keys, "a", 1, NOW), with(&mut keys, "b", 1, NOW));
    assert_eq!(one["fingerprint"], two["fingerprint"]);
    assert_ne!(one["id"], two["id"]);
    assert_eq!(keys.of_project("p").count(), 2);
}

#[test]
fn a_list_is_filtered_and_ordered() {
    let mut keys = Keys::default();
    with(&mut keys, "pad-b", 1, NOW);
    let a = with(&mut keys, "pad-a", 2, NOW.plus_seconds(1));
    let id = a["id"].as_str().unwrap();
    let patched = value(keys.write(&request("PATCH", json!({"disabled": true})), &[id], 7, NOW.plus_seconds(5)));
    assert_eq!((patched["disabled"].as_bool(), patched["name"].as_str()), (Some(true), Some("pad-a")));
    assert_ne!(patched["updated_at"], patched["created_at"]);
    assert_eq!(names(&keys, &[]), ["pad-b", "pad-a"]);
    assert_eq!(names(&keys, &[("order_by", "name_asc")]), ["pad-a", "pad-b"]);
    assert_eq!(names(&keys, &[("order_by", "created_at_desc")]), ["pad-a", "pad-b"]);
    assert_eq!(names(&keys, &[("disabled", "false")]), ["pad-b"]);
    assert_eq!(names(&keys, &[("name", "pad-a"), ("project_id", "p")]), ["pad-a"]);
    assert!(names(&keys, &[("project_id", "q")]).is_empty());
    assert_eq!(keys.of_project("p").count(), 1, "a disabled key opens nothing");
}

#[test]
fn what_is_gone_is_not_found() {
    let mut keys = Keys::default();
    let made = with(&mut keys, "a", 1, NOW);
    let id = made["id"].as_str().unwrap();
    assert_eq!(keys.write(&request("DELETE", json!({})), &[id], 7, NOW).status, 204);
    for method in ["DELETE", "PATCH"] {
        assert_eq!(keys.write(&request(method, json!({})), &[id], 7, NOW), Answer::not_found("ssh_key", id));
    }
    assert_eq!(keys.read(&Request::default(), &[id]), Answer::not_found("ssh_key", id));
    assert_ne!(with(&mut keys, "b", 1, NOW)["id"], made["id"], "an id is never used again");
}

#[test]
fn an_access_key_leads_to_a_project() {
    let found = value(api_key("SCWABCDEFGHIJKLMNOPQ", 7));
    let project = found["default_project_id"].as_str().unwrap();
    assert_eq!(value(projects(&Request::default(), &[], 7))["projects"][0]["id"], project);
    assert_eq!(api_key("SCWshort", 7).status, 404);
}
