//! What recordings cannot show: faults, losses, lags, stock, and what happens at the edges.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::stock_images;
use crate::emulator::face::Face;
use crate::emulator::face::{Answer, Body, Request};
use crate::emulator::{Clock, Cloud, Imitate, Market, Settings};

/// A face over a directory that is gone when the test is.
struct Garden {
    dir: PathBuf,
    face: Face,
}

const ZONE: &str = "/instance/v1/zones/fr-par-2";
const BLOCK: &str = "/block/v1/zones/fr-par-2";

fn open(dir: &PathBuf) -> Cloud {
    let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Manual };
    Cloud::open_market(dir, settings, Market::Scaleway, 7).unwrap()
}

fn token(given: Option<&str>) -> Vec<(String, String)> {
    given.map(|token| ("x-auth-token".to_owned(), token.to_owned())).into_iter().collect()
}

impl Garden {
    fn new() -> Garden {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = std::env::temp_dir().join(format!("cloudypad-scaleway-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let face = Face::new(open(&dir), None).unwrap();
        Garden { dir, face }
    }

    /// The answer to a request; nothing if the connection was closed.
    fn send(&self, method: &str, url: &str, body: &[u8]) -> Option<Answer> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = Request {
            method: method.to_owned(),
            path: path.split('/').skip(1).map(str::to_owned).collect(),
            query: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            headers: token(Some("any")),
            body: body.to_vec(),
        };
        self.face.answer(&request).answer
    }

    fn call(&self, method: &str, url: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.send(method, url, &body).expect("the connection was closed");
        let body = match answer.body {
            Body::Json(body) => body,
            _ => Value::Null,
        };
        (answer.status, body)
    }

    fn get(&self, url: &str) -> Value {
        let (status, body) = self.call("GET", url, Value::Null);
        assert_eq!(status, 200, "{url}: {body}");
        body
    }

    fn post(&self, url: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", url, body);
        assert!(status < 300, "{url}: {status} {answer}");
        answer
    }

    fn pass(&self, seconds: u64) {
        self.face.cloud().advance(Duration::from_secs(seconds)).unwrap();
    }

    fn arm(&self, operation: &str, what: Value) {
        self.post("/_emulator/faults", json!({"operation": operation, "what": what}));
    }

    fn server(&self, kind: &str, more: Value) -> String {
        let image = image("ubuntu_jammy", if kind == "DEV1-S" { stock_images::Kind::Local } else { stock_images::Kind::Sbs });
        let mut body = json!({"name": "pad", "commercial_type": kind, "image": image, "project": "p", "dynamic_ip_required": false});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(&self.post(&format!("{ZONE}/servers"), body)["server"])
    }

    fn act(&self, server: &str, action: &str) -> (u16, Value) {
        self.call("POST", &format!("{ZONE}/servers/{server}/action"), json!({"action": action}))
    }

    fn running(&self, more: Value) -> String {
        let server = self.server("PLAY2-PICO", more);
        assert_eq!(self.act(&server, "poweron").0, 202);
        self.pass(5);
        assert_eq!(self.state(&server), "running");
        server
    }

    fn state(&self, server: &str) -> String {
        match self.call("GET", &format!("{ZONE}/servers/{server}"), Value::Null) {
            (404, _) => "gone".to_owned(),
            (_, body) => body["server"]["state"].as_str().unwrap().to_owned(),
        }
    }

    fn root(&self, server: &str) -> String {
        id(&self.get(&format!("{ZONE}/servers/{server}"))["server"]["volumes"]["0"])
    }

    fn volume(&self, name: &str, size: u64, tags: &[&str]) -> String {
        let body = json!({"name": name, "project_id": "p", "from_empty": {"size": size}, "tags": tags});
        let volume = id(&self.post(&format!("{BLOCK}/volumes"), body));
        self.pass(1);
        volume
    }

    fn snapshot(&self, volume: &str) -> String {
        let snapshot = id(&self.post(&format!("{BLOCK}/snapshots"), json!({"name": "s", "project_id": "p", "volume_id": volume})));
        self.pass(30);
        snapshot
    }

    fn status(&self, kind: &str, id: &str) -> String {
        self.get(&format!("{BLOCK}/{kind}/{id}"))["status"].as_str().unwrap().to_owned()
    }

    fn write(&self, id: &str, bytes: &[u8]) {
        let file = OpenOptions::new().write(true).open(self.face.cloud().disk_path(id)).unwrap();
        file.write_all_at(bytes, 4096).unwrap();
    }

    fn losses(&self) -> usize {
        self.get("/_emulator/ledger")["losses"].as_array().unwrap().len()
    }

    fn count(&self, url: &str, key: &str) -> usize {
        self.get(url)[key].as_array().unwrap().len()
    }
}

impl Drop for Garden {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("{object}")).to_owned()
}

fn image(label: &str, kind: stock_images::Kind) -> String {
    stock_images::labelled(label, "fr-par-2", kind).find(|image| image.arch == "x86_64").unwrap().id.clone()
}

#[test]
fn terminate_takes_local_disks_and_delete_keeps_them() {
    let garden = Garden::new();
    let kept = garden.server("DEV1-S", json!({}));
    let disk = garden.root(&kept);
    garden.write(&disk, b"saves");
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/servers/{kept}"), Value::Null).0, 204);
    assert_eq!(garden.get(&format!("{ZONE}/volumes/{disk}"))["volume"]["server"], Value::Null);
    assert_eq!(garden.losses(), 0);

    let body = json!({"name": "pad", "commercial_type": "DEV1-S", "project": "p", "volumes": {"0": {"id": disk, "volume_type": "l_ssd"}}});
    let gone = id(&garden.post(&format!("{ZONE}/servers"), body)["server"]);
    assert_eq!(garden.act(&gone, "poweron").0, 202);
    garden.pass(20);
    assert_eq!(garden.act(&gone, "terminate").0, 202);
    let shown = garden.get(&format!("{ZONE}/servers/{gone}"))["server"].clone();
    assert_eq!((&shown["volumes"]["0"]["state"], &shown["allowed_actions"]), (&json!("deleting"), &json!([])));
    garden.pass(10);
    assert_eq!(garden.call("GET", &format!("{ZONE}/volumes/{disk}"), Value::Null).0, 404);
    assert_eq!(garden.losses(), 1);
    assert!(!garden.face.cloud().disk_path(&disk).exists());
}

#[test]
fn actions_are_refused_in_other_conditions_and_to_the_protected() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({"protected": true}));
    let (status, body) = garden.act(&server, "poweroff");
    assert_eq!((status, &body["precondition"]), (400, &json!("protected_resource")));
    assert_eq!(garden.act(&server, "poweron").0, 202);
    let (status, body) = garden.act(&server, "poweron");
    assert_eq!((status, &body["type"], &body["precondition"]), (400, &json!("precondition_failed"), &json!("resource_not_usable")));
    garden.pass(5);
    assert_eq!(garden.act(&server, "terminate").0, 400);
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/servers/{server}"), Value::Null).0, 400);
    assert_eq!(garden.act(&server, "fly").1["type"], "invalid_arguments");
    assert_eq!(garden.act("11111111-1111-4111-8111-111111111111", "poweron").0, 404);
    garden.call("PATCH", &format!("{ZONE}/servers/{server}"), json!({"protected": false}));
    assert_eq!(garden.act(&server, "poweroff").0, 202);
    garden.pass(36);
    garden.call("PATCH", &format!("{ZONE}/servers/{server}"), json!({"protected": true}));
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/servers/{server}"), Value::Null).0, 204);
    assert_eq!(garden.state(&server), "gone");
}

#[test]
fn a_shutdown_from_inside_is_standby() {
    let garden = Garden::new();
    let server = garden.running(json!({}));
    garden.post("/_emulator/guest-shutdown", json!({"server": server}));
    assert_eq!(garden.state(&server), "stopping");
    garden.pass(20);
    assert_eq!(garden.state(&server), "stopped in place");
    assert_eq!(garden.act(&server, "poweroff").0, 202);
    garden.pass(6);
    assert_eq!(garden.state(&server), "stopped");
}

#[test]
fn a_reboot_goes_down_and_comes_up() {
    let garden = Garden::new();
    let server = garden.running(json!({}));
    assert_eq!(garden.act(&server, "reboot").0, 202);
    assert_eq!(garden.state(&server), "stopping");
    garden.pass(36);
    assert_eq!(garden.state(&server), "starting");
    garden.pass(5);
    assert_eq!(garden.state(&server), "running");
}

#[test]
fn refusals_at_the_boundary_change_nothing() {
    let garden = Garden::new();
    let servers = format!("{ZONE}/servers");
    let operation = "POST /instance/v1/zones/{zone}/servers";
    let body = json!({"name": "pad", "commercial_type": "PLAY2-PICO", "image": image("ubuntu_jammy", stock_images::Kind::Sbs)});
    for (what, status, kind) in [
        ("rate-limited", 429, ""),
        ("broken-before", 500, "server_error"),
        ("unavailable", 503, "server_error"),
        ("html", 502, ""),
        ("out-of-stock", 403, "out_of_stock"),
        ("quota", 403, "invalid_request_error"),
        ("denied", 403, "permissions_denied"),
        ("refused", 400, "precondition_failed"),
        ("transient", 409, "transient_state"),
    ] {
        garden.arm(operation, json!(what));
        let (got, answer) = garden.call("POST", &servers, body.clone());
        assert_eq!((got, answer["type"].as_str().unwrap_or_default()), (status, kind), "{what}");
    }
    garden.arm(operation, json!("dropped"));
    assert_eq!(garden.send("POST", &servers, body.to_string().as_bytes()), None);
    assert_eq!(garden.count(&servers, "servers"), 0);
    garden.arm("POST /block*", json!("refused"));
    assert_eq!(garden.call("POST", &format!("{BLOCK}/volumes"), json!({})).0, 412);
    garden.arm("GET *", json!("rate-limited"));
    let limited = garden.send("GET", &servers, b"").unwrap();
    assert_eq!((limited.status, limited.body), (429, Body::Empty));
    assert!(limited.headers.contains(&("x-envoy-ratelimited".to_owned(), "true".to_owned())));
    assert_eq!(garden.get("/_emulator/faults")["armed"], json!([]));
}

#[test]
fn answers_may_be_lost_after_the_deed() {
    let garden = Garden::new();
    let volumes = format!("{BLOCK}/volumes");
    let body = json!({"name": "data", "project_id": "p", "from_empty": {"size": 1_000_000_000}});
    garden.post(
        "/_emulator/faults",
        json!([{"operation": "POST /block/v1/zones/{zone}/volumes", "what": "lost-reply", "times": 1, "skip": 1}]),
    );
    garden.post(&volumes, body.clone());
    assert_eq!(garden.send("POST", &volumes, body.to_string().as_bytes()), None);
    assert_eq!(garden.count(&volumes, "volumes"), 2);
    garden.arm("POST /block/v1/zones/{zone}/volumes", json!("broken-after"));
    assert_eq!(garden.call("POST", &volumes, body.clone()).0, 500);
    assert_eq!(garden.count(&volumes, "volumes"), 3);

    garden.arm("POST *", json!({"late": {"seconds": 30}}));
    assert_eq!(garden.send("POST", &volumes, body.to_string().as_bytes()), None);
    assert_eq!(garden.count(&volumes, "volumes"), 3);
    garden.pass(30);
    assert_eq!(garden.count(&volumes, "volumes"), 4);

    let log = garden.get("/_emulator/log");
    let lost: Vec<&Value> = log["requests"].as_array().unwrap().iter().filter(|line| line["status"] == 0).collect();
    assert_eq!(lost.len(), 2);
    assert_eq!(lost[0]["fault"], "lost-reply");
}

#[test]
fn what_comes_too_late_and_is_refused_leaves_nothing() {
    let garden = Garden::new();
    let volume = garden.volume("data", 2_000_000_000, &[]);
    let snapshot = garden.snapshot(&volume);
    garden.arm("POST *", json!({"late": {"seconds": 30}}));
    let body = json!({"name": "v", "project_id": "p", "from_snapshot": {"snapshot_id": snapshot}});
    assert_eq!(garden.send("POST", &format!("{BLOCK}/volumes"), body.to_string().as_bytes()), None);
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/snapshots/{snapshot}"), Value::Null).0, 204);
    garden.pass(30);
    assert_eq!(garden.count(&format!("{BLOCK}/volumes"), "volumes"), 1);
}

#[test]
fn a_stale_answer_is_the_one_before_the_last_change() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    garden.act(&server, "poweron");
    garden.arm("GET /instance/v1/zones/{zone}/servers/{id}", json!("stale"));
    assert_eq!(garden.state(&server), "stopped");
    assert_eq!(garden.state(&server), "starting");
}

#[test]
fn transitions_may_be_slow_or_stuck() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    garden.arm("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", json!({"slow": {"factor": 10}}));
    garden.act(&server, "poweron");
    garden.pass(49);
    assert_eq!(garden.state(&server), "starting");
    garden.pass(1);
    assert_eq!(garden.state(&server), "running");
    // What follows from a slow order is slow as well: a volume of a server that is deleted leaves it slowly.
    let other = garden.server("PLAY2-PICO", json!({}));
    let root = garden.root(&other);
    garden.arm("DELETE *", json!({"slow": {"factor": 400}}));
    garden.call("DELETE", &format!("{ZONE}/servers/{other}"), Value::Null);
    assert_eq!(garden.state(&other), "gone");
    let bond = || garden.get(&format!("{BLOCK}/volumes/{root}"))["references"][0]["status"].clone();
    garden.pass(159);
    assert_eq!(bond(), "attached");
    garden.pass(1);
    assert_eq!(bond(), "detaching");
    garden.pass(640);
    assert_eq!(bond(), Value::Null);
    garden.post("/_emulator/faults", json!({"operation": "*", "what": "stuck"}));
    garden.act(&server, "poweroff");
    garden.pass(100_000);
    assert_eq!(garden.state(&server), "stopping");
    garden.post("/_emulator/clock", json!({"unstick": true}));
    assert_eq!(garden.state(&server), "stopped");
}

#[test]
fn a_server_without_a_machine_is_stopped_again() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    garden.arm("POST /instance/v1/zones/{zone}/servers/{id}/action poweron", json!("out-of-stock"));
    assert_eq!(garden.act(&server, "poweron").0, 202);
    assert_eq!(garden.state(&server), "starting");
    garden.pass(5);
    assert_eq!(garden.state(&server), "stopped");

    garden.post("/_emulator/settings", json!({"stock": {"fr-par-2/PLAY2-PICO": "shortage"}}));
    let told = garden.get(&format!("{ZONE}/products/servers/availability?per_page=100"));
    let second = garden.get(&format!("{ZONE}/products/servers/availability?per_page=100&page=2"));
    let word = told["servers"].get("PLAY2-PICO").or(second["servers"].get("PLAY2-PICO")).unwrap();
    assert_eq!(word["availability"], "shortage");
    assert_eq!(garden.act(&server, "poweron").0, 202);
    garden.pass(5);
    assert_eq!(garden.state(&server), "stopped");
    // Nothing ran, so nothing was written and nothing is lost.
    let root = garden.root(&server);
    garden.call("DELETE", &format!("{ZONE}/servers/{server}"), Value::Null);
    garden.pass(5);
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/volumes/{root}"), Value::Null).0, 204);
    assert_eq!(garden.losses(), 0);

    garden.post("/_emulator/settings", json!({"stock_at_create": true}));
    let body = json!({"name": "pad", "commercial_type": "PLAY2-PICO", "image": image("ubuntu_jammy", stock_images::Kind::Sbs)});
    let (status, answer) = garden.call("POST", &format!("{ZONE}/servers"), body);
    assert_eq!((status, &answer["type"]), (403, &json!("out_of_stock")));
}

#[test]
fn quotas_name_what_they_are_of() {
    let garden = Garden::new();
    garden.post("/_emulator/settings", json!({"quota": {"address": 1, "server": 0}}));
    garden.post(&format!("{ZONE}/ips"), json!({"project": "p"}));
    let (status, body) = garden.call("POST", &format!("{ZONE}/ips"), json!({"project": "p"}));
    assert_eq!((status, &body["type"], &body["resource"]), (403, &json!("invalid_request_error"), &json!("ips")));
    let body = json!({"name": "pad", "commercial_type": "PLAY2-PICO", "image": image("ubuntu_jammy", stock_images::Kind::Sbs)});
    assert_eq!(garden.call("POST", &format!("{ZONE}/servers"), body).1["resource"], "servers");
    // Nothing of what was refused is left behind.
    assert_eq!(garden.count(&format!("{BLOCK}/volumes"), "volumes"), 0);
    garden.post("/_emulator/settings", json!({"quota": {"address": null}}));
    garden.post(&format!("{ZONE}/ips"), json!({"project": "p"}));
}

#[test]
fn lists_filter_as_each_product_does() {
    let garden = Garden::new();
    garden.volume("data", 1_000_000_000, &["a", "b"]);
    garden.volume("data-2", 1_000_000_000, &["b", "c"]);
    let volumes = |query: &str| garden.count(&format!("{BLOCK}/volumes?{query}"), "volumes");
    assert_eq!((volumes("tags=a&tags=c"), volumes("tags=b"), volumes("tags=x")), (2, 2, 0));
    assert_eq!(volumes("name=data"), 1);
    assert_eq!(volumes("page_size=1&page=2"), 1);
    garden.server("PLAY2-PICO", json!({"name": "pad", "tags": ["a", "b"]}));
    garden.server("PLAY2-PICO", json!({"name": "pad-2", "tags": ["b", "c"]}));
    let servers = |query: &str| garden.count(&format!("{ZONE}/servers?{query}"), "servers");
    assert_eq!((servers("tags=a,b"), servers("tags=a,c"), servers("tags=b")), (1, 0, 2));
    assert_eq!((servers("name=pad"), servers("name=pad-2"), servers("state=running")), (2, 1, 0));
    assert_eq!((servers("per_page=1&page=2"), servers("per_page=1&page=3")), (1, 0));
    let first = &garden.get(&format!("{ZONE}/servers"))["servers"][0]["name"].clone();
    assert_eq!(first, "pad-2");
    assert_eq!(garden.count("/instance/v1/zones/fr-par-1/servers", "servers"), 0);
}

#[test]
fn lists_may_lag_and_look_ups_do_not() {
    let garden = Garden::new();
    garden.post("/_emulator/settings", json!({"listing_lag": 60}));
    let server = garden.server("PLAY2-PICO", json!({}));
    assert_eq!(garden.state(&server), "stopped");
    assert_eq!(garden.count(&format!("{ZONE}/servers"), "servers"), 0);
    garden.pass(61);
    assert_eq!(garden.count(&format!("{ZONE}/servers"), "servers"), 1);
}

#[test]
fn a_running_server_lets_go_of_a_volume_slowly() {
    let garden = Garden::new();
    let data = garden.volume("data", 1_000_000_000, &[]);
    let server = garden.running(json!({"volumes": {"1": {"id": data, "volume_type": "sbs_volume"}}}));
    let (status, body) = garden.call("POST", &format!("{ZONE}/servers/{server}/detach-volume"), json!({"volume_id": data}));
    assert_eq!((status, body["server"]["volumes"]["1"].is_null()), (200, true));
    garden.pass(1);
    let seen = garden.get(&format!("{BLOCK}/volumes/{data}"));
    assert_eq!((&seen["status"], &seen["references"][0]["status"]), (&json!("in_use"), &json!("detaching")));
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/volumes/{data}"), Value::Null).0, 412);
    garden.pass(44);
    assert_eq!(garden.status("volumes", &data), "in_use");
    garden.pass(5);
    let seen = garden.get(&format!("{BLOCK}/volumes/{data}"));
    assert_eq!((&seen["status"], &seen["references"]), (&json!("available"), &json!([])));
    assert!(seen["last_detached_at"].is_string());
    let (status, body) = garden.call("POST", &format!("{ZONE}/servers/{server}/detach-volume"), json!({"volume_id": data}));
    assert_eq!((status, &body["details"][0]["reason"]), (400, &json!("constraint")));
}

#[test]
fn snapshots_carry_bytes_and_are_held_by_images() {
    let garden = Garden::new();
    let volume = garden.volume("data", 2_000_000_000, &[]);
    garden.write(&volume, b"saves");
    let snapshot = garden.snapshot(&volume);
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/volumes/{volume}"), Value::Null).0, 204);
    assert_eq!(garden.get(&format!("{BLOCK}/snapshots/{snapshot}"))["parent_volume"], Value::Null);
    assert_eq!(garden.losses(), 0);

    let from = |size: Value| json!({"name": "v", "project_id": "p", "from_snapshot": {"snapshot_id": snapshot, "size": size}});
    let (status, body) = garden.call("POST", &format!("{BLOCK}/volumes"), from(json!(1_000_000_000)));
    assert_eq!((status, &body["precondition"]), (412, &json!("resource_not_usable")));
    let restored = id(&garden.post(&format!("{BLOCK}/volumes"), from(Value::Null)));
    let mut bytes = [0_u8; 5];
    fs::File::open(garden.face.cloud().disk_path(&restored)).unwrap().read_exact_at(&mut bytes, 4096).unwrap();
    assert_eq!(&bytes, b"saves");
    garden.pass(3);

    let made = garden.post(&format!("{ZONE}/images"), json!({"name": "i", "root_volume": snapshot, "arch": "x86_64", "project": "p"}));
    assert_eq!(garden.status("snapshots", &snapshot), "in_use");
    let (status, body) = garden.call("DELETE", &format!("{BLOCK}/snapshots/{snapshot}"), Value::Null);
    assert_eq!((status, &body["precondition"]), (412, &json!("protected_resource")));
    let server = garden.server("PLAY2-PICO", json!({"image": id(&made["image"])}));
    assert_eq!(garden.call("GET", &format!("{ZONE}/volumes/{}", garden.root(&server)), Value::Null).0, 404);
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/images/{}", id(&made["image"])), Value::Null).0, 204);
    assert_eq!(garden.status("snapshots", &snapshot), "in_use");
    garden.pass(3);
    assert_eq!(garden.status("snapshots", &snapshot), "available");
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/snapshots/{snapshot}"), Value::Null).0, 204);
    assert_eq!(garden.losses(), 0);
    garden.call("DELETE", &format!("{BLOCK}/volumes/{restored}"), Value::Null);
    assert_eq!(garden.losses(), 0, "the server's root has the bytes still");
}

#[test]
fn volumes_grow_and_do_not_shrink() {
    let garden = Garden::new();
    let volume = garden.volume("data", 2_000_000_000, &[]);
    let url = format!("{BLOCK}/volumes/{volume}");
    let (status, body) = garden.call("PATCH", &url, json!({"size": 3_000_000_000_u64}));
    assert_eq!((status, &body["status"], &body["size"]), (200, &json!("updating"), &json!(2_000_000_000)));
    garden.pass(1);
    let seen = garden.get(&url);
    assert_eq!((&seen["status"], &seen["size"]), (&json!("available"), &json!(3_000_000_000_u64)));
    assert_eq!(garden.get(&format!("/_emulator/disks/{volume}"))["length"], 3_000_000_000_u64);
    assert_eq!(garden.call("PATCH", &url, json!({"size": 2_000_000_000})).0, 412);
    assert_eq!(garden.call("PATCH", &url, json!({"perf_iops": 7})).0, 400);
    let snapshot = garden.snapshot(&volume);
    for volumes in ["volumes", "snapshots"] {
        let id = if volumes == "volumes" { &volume } else { &snapshot };
        assert_eq!(garden.call("GET", &format!("{ZONE}/{volumes}/{id}"), Value::Null).0, 404, "the instance API knows no block {volumes}");
    }
}

#[test]
fn addresses_come_and_go() {
    let garden = Garden::new();
    let reserve = |kind: &str| id(&garden.post(&format!("{ZONE}/ips"), json!({"project": "p", "type": kind}))["ip"]);
    let (first, second, sixth) = (reserve("routed_ipv4"), reserve("routed_ipv4"), reserve("routed_ipv6"));
    let server = garden.running(json!({"public_ips": [first, sixth]}));
    let (_, body) = garden.call("PATCH", &format!("{ZONE}/ips/{second}"), json!({"server": server}));
    assert_eq!(body["ip"]["state"], "attached");
    let shown = garden.get(&format!("{ZONE}/servers/{server}"))["server"]["public_ips"].clone();
    let modes: Vec<(&str, &str)> =
        shown.as_array().unwrap().iter().map(|ip| (ip["provisioning_mode"].as_str().unwrap(), ip["state"].as_str().unwrap())).collect();
    assert_eq!(modes, [("dhcp", "attached"), ("slaac", "attached"), ("manual", "pending")]);
    garden.pass(8);
    assert_eq!(garden.get(&format!("{ZONE}/servers/{server}"))["server"]["public_ips"][2]["state"], "attached");

    let address = garden.get(&format!("{ZONE}/ips/{first}"))["ip"]["address"].as_str().unwrap().to_owned();
    assert_eq!(id(&garden.get(&format!("{ZONE}/ips/{address}"))["ip"]), first);
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/ips/{address}"), Value::Null).0, 204);
    let (status, body) = garden.call("GET", &format!("{ZONE}/ips/{address}"), Value::Null);
    assert_eq!((status, body["resource_id"].clone()), (404, json!(format!("{address}/32"))));
    let other = garden.server("PLAY2-PICO", json!({}));
    assert_eq!(garden.call("PATCH", &format!("{ZONE}/ips/{second}"), json!({"server": other})).0, 400);
    garden.call("PATCH", &format!("{ZONE}/servers/{server}"), json!({"public_ips": []}));
    assert_eq!(garden.get(&format!("{ZONE}/ips/{second}"))["ip"]["server"], Value::Null);
}

#[test]
fn a_reverse_name_must_resolve() {
    let garden = Garden::new();
    let ip = garden.post(&format!("{ZONE}/ips"), json!({"project": "p"}))["ip"].clone();
    let url = format!("{ZONE}/ips/{}", id(&ip));
    let name = json!({"reverse": "pad.example.com"});
    let (status, body) = garden.call("PATCH", &url, name.clone());
    assert_eq!((status, &body["details"][0]["argument_name"]), (400, &json!("reverse")));
    let record = json!({"name": "pad", "type": "A", "data": ip["address"], "ttl": 60, "priority": 0});
    let changes = json!({"changes": [{"add": {"records": [record]}}], "return_all_records": false});
    assert_eq!(garden.call("PATCH", "/domain/v2beta1/dns-zones/example.com/records", changes).0, 200);
    assert_eq!(garden.call("PATCH", &url, name).1["ip"]["reverse"], "pad.example.com");
    assert_eq!(garden.call("PATCH", &url, json!({"tags": ["a"]})).1["ip"]["reverse"], "pad.example.com");
    assert_eq!(garden.call("PATCH", &url, json!({"reverse": null})).1["ip"]["reverse"], Value::Null);
}

#[test]
fn scratch_is_nobodys_loss() {
    let garden = Garden::new();
    let gpu = image("ubuntu_jammy_gpu_os_12", stock_images::Kind::Sbs);
    let server = garden.server("L40S-1-48G", json!({"image": gpu}));
    let shown = garden.get(&format!("{ZONE}/servers/{server}"))["server"]["volumes"]["1"].clone();
    assert_eq!((&shown["volume_type"], &shown["size"]), (&json!("scratch"), &json!(1_600_000_000_000_u64)));
    let scratch = id(&shown);
    garden.write(&scratch, b"cache");
    assert_eq!(garden.call("POST", &format!("{ZONE}/snapshots"), json!({"name": "s", "volume_id": scratch})).0, 400);
    assert_eq!(garden.call("DELETE", &format!("{ZONE}/servers/{server}"), Value::Null).0, 204);
    assert_eq!(garden.call("GET", &format!("{ZONE}/volumes/{scratch}"), Value::Null).0, 404);
    assert_eq!(garden.losses(), 0);
    assert!(garden.get("/_emulator/truth")["scaleway"]["volumes"].get(&scratch).is_none());
}

#[test]
fn a_server_has_an_address_of_its_own_while_it_runs() {
    let garden = Garden::new();
    let server = garden.running(json!({"dynamic_ip_required": true}));
    let url = format!("{ZONE}/servers/{server}");
    let own = garden.get(&url)["server"]["public_ip"].clone();
    assert_eq!((&own["dynamic"], &own["state"]), (&json!(true), &json!("pending")));
    assert_eq!(garden.count(&format!("{ZONE}/ips"), "ips"), 0);
    garden.act(&server, "poweroff");
    assert!(garden.get(&url)["server"]["public_ip"].is_object());
    garden.pass(5);
    assert_eq!(garden.get(&url)["server"]["public_ip"], Value::Null);
}

#[test]
fn there_are_more_addresses_than_a_byte_counts() {
    let garden = Garden::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let ip = garden.post(&format!("{ZONE}/ips"), json!({"project": "p"}))["ip"]["address"].clone();
        assert!(seen.insert(ip.to_string()));
    }
}

#[test]
fn births_that_make_no_sense_are_refused() {
    let garden = Garden::new();
    let create = |body: Value| garden.call("POST", &format!("{ZONE}/servers"), body);
    let (status, body) = create(json!({"name": "pad", "project": "p"}));
    let missing: Vec<&str> = body["details"].as_array().unwrap().iter().map(|it| it["argument_name"].as_str().unwrap()).collect();
    assert_eq!((status, missing), (400, vec!["commercial_type", "image", "volumes"]));
    let sbs = image("ubuntu_jammy", stock_images::Kind::Sbs);
    let local = image("ubuntu_jammy", stock_images::Kind::Local);
    let gone = "11111111-1111-4111-8111-111111111111";
    for (body, status, what) in [
        (json!({"commercial_type": "L4-1-24G", "image": local}), 400, "a type without local storage"),
        (json!({"commercial_type": "NOPE", "image": sbs}), 400, "a type that is not sold"),
        (json!({"commercial_type": "L4-1-24G", "image": gone}), 404, "an unknown image"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "public_ips": [gone]}), 404, "an unknown address"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "security_group": gone}), 404, "an unknown group"),
        (json!({"commercial_type": "L4-1-24G", "volumes": {"0": {"id": gone}}}), 404, "an unknown volume"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "volumes": {"0": {"size": 1_000_000_000}}}), 400, "too small a root"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "volumes": {"0": {"size": 20_000_000_001_u64}}}), 400, "half a sector"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "volumes": {"16": {"id": gone}}}), 400, "a slot too many"),
        (json!({"commercial_type": "L4-1-24G", "image": sbs, "volumes": {"0": {"base_snapshot": gone}}}), 400, "a nameless snapshot"),
        (json!({"commercial_type": "DEV1-S", "image": local, "volumes": {"0": {"size": 30_000_000_000_u64}}}), 400, "too little room"),
    ] {
        assert_eq!(create(body).0, status, "{what}");
    }
    assert_eq!(garden.get("/_emulator/inventory")["lines"], json!([]));
    assert_eq!(fs::read_dir(garden.dir.join("disks")).unwrap().count(), 0);
}

#[test]
fn one_volume_serves_one_server() {
    let garden = Garden::new();
    let data = garden.volume("data", 1_000_000_000, &[]);
    let volumes = json!({"volumes": {"1": {"id": data, "volume_type": "sbs_volume"}}});
    let first = garden.server("PLAY2-PICO", volumes);
    let second = garden.server("PLAY2-PICO", json!({}));
    let (status, body) =
        garden.call("POST", &format!("{ZONE}/servers/{second}/attach-volume"), json!({"volume_id": data, "volume_type": "sbs_volume"}));
    assert_eq!((status, &body["type"]), (400, &json!("precondition_failed")));
    let root = garden.root(&first);
    let (status, body) = garden.call("PATCH", &format!("{ZONE}/servers/{first}"), json!({"volumes": {"0": {"id": root, "name": "x"}}}));
    assert_eq!((status, body["server"]["volumes"].as_object().unwrap().len()), (200, 1));
    garden.pass(5);
    let (status, body) = garden.call("POST", &format!("{ZONE}/servers/{second}/attach-volume"), json!({"volume_id": data}));
    assert_eq!((status, id(&body["server"]["volumes"]["1"])), (200, data));
}

#[test]
fn a_server_whose_root_is_away_does_not_start() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    let root = garden.root(&server);
    assert_eq!(garden.call("PATCH", &format!("{ZONE}/servers/{server}"), json!({"volumes": {}})).0, 200);
    assert_eq!(garden.act(&server, "poweron").0, 400);
    garden.pass(5);
    let volumes = json!({"volumes": {"0": {"id": root, "volume_type": "sbs_volume", "name": "x"}}});
    assert_eq!(garden.call("PATCH", &format!("{ZONE}/servers/{server}"), volumes).0, 200);
    assert_eq!(garden.act(&server, "poweron").0, 202);
}

#[test]
fn user_data_are_bytes() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    let url = format!("{ZONE}/servers/{server}/user_data/cloud-init");
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(garden.send("GET", &url, b""), Some(Answer::empty(404)));
    assert_eq!(garden.send("PATCH", &url, &bytes).unwrap().status, 204);
    assert_eq!(garden.send("GET", &url, b"").unwrap().body, Body::Bytes(bytes));
    assert_eq!(garden.get(&format!("{ZONE}/servers/{server}/user_data"))["user_data"], json!(["cloud-init"]));
    assert_eq!(garden.send("DELETE", &url, b"").unwrap().status, 204);
    assert_eq!(garden.send("GET", &url, b"").unwrap(), Answer::empty(404));
}

#[test]
fn groups_in_use_stay_and_rules_keep_their_order() {
    let garden = Garden::new();
    let groups = format!("{ZONE}/security_groups");
    let group = id(&garden.post(&groups, json!({"name": "pad", "project": "p"}))["security_group"]);
    let rule =
        |port: u16| json!({"protocol": "TCP", "direction": "inbound", "action": "accept", "ip_range": "0.0.0.0/0", "dest_port_from": port});
    let rules = format!("{groups}/{group}/rules");
    assert_eq!(garden.call("PUT", &rules, json!({"rules": [rule(22), rule(80)]})).0, 200);
    garden.post(&rules, {
        let mut rule = rule(443);
        rule["position"] = json!(1);
        rule
    });
    let ports = |garden: &Garden| -> Vec<u64> {
        let all = garden.get(&rules)["rules"].as_array().unwrap().clone();
        all.iter().filter(|rule| rule["editable"] == true).map(|rule| rule["dest_port_from"].as_u64().unwrap()).collect()
    };
    assert_eq!(ports(&garden), [443, 22, 80]);
    let first = id(&garden.get(&rules)["rules"][6]);
    garden.call("PATCH", &format!("{rules}/{first}"), json!({"position": 3}));
    assert_eq!(ports(&garden), [22, 80, 443]);
    assert_eq!(garden.call("DELETE", &format!("{rules}/{first}"), Value::Null).0, 204);
    assert_eq!(ports(&garden), [22, 80]);
    assert_eq!(garden.call("PUT", &rules, json!({"rules": [{"protocol": "TCP", "direction": "up", "action": "accept"}]})).0, 400);

    let server = garden.server("PLAY2-PICO", json!({"security_group": group}));
    assert_eq!(garden.call("DELETE", &format!("{groups}/{group}"), Value::Null).0, 400);
    garden.call("DELETE", &format!("{ZONE}/servers/{server}"), Value::Null);
    assert_eq!(garden.call("DELETE", &format!("{groups}/{group}"), Value::Null).0, 204);
    // The default group of a project comes to light with a listing.
    let listed = garden.get(&format!("{groups}?project=other"));
    assert_eq!(listed["security_groups"][0]["project_default"], true);
}

#[test]
fn a_loss_and_a_leak_are_told() {
    let garden = Garden::new();
    let server = garden.running(json!({"tags": ["in:pad"]}));
    let root = garden.root(&server);
    let kept = garden.volume("kept", 1_000_000_000, &["in:gone"]);
    let leaks = |living: &str| garden.count(&format!("/_emulator/leaks?living={living}"), "lines");
    assert_eq!((leaks("in:pad"), leaks("in:gone")), (1, 2));
    garden.write(&root, b"saves");
    garden.act(&server, "terminate");
    garden.pass(20);
    assert_eq!(garden.status("volumes", &root), "available");
    assert_eq!(garden.call("DELETE", &format!("{BLOCK}/volumes/{root}"), Value::Null).0, 204);
    assert_eq!(garden.losses(), 1);
    assert_eq!((leaks("in:pad"), leaks("in:gone")), (1, 0));
    assert!(garden.face.cloud().disk_path(&kept).exists());
    assert!(garden.get("/_emulator/ledger")["eur"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_backup_is_an_image_of_snapshots() {
    let garden = Garden::new();
    let data = garden.volume("data", 1_000_000_000, &[]);
    let server = garden.server("PLAY2-PICO", json!({"volumes": {"1": {"id": data, "volume_type": "sbs_volume"}}}));
    let (status, body) = garden.call("POST", &format!("{ZONE}/servers/{server}/action"), json!({"action": "backup", "name": "bk"}));
    assert_eq!(status, 202);
    let made = body["task"]["href_result"].as_str().unwrap().to_owned();
    let image = garden.get(&format!("{ZONE}{made}"))["image"].clone();
    assert_eq!((&image["from_server"], image["extra_volumes"].as_object().unwrap().len()), (&json!(server), 1));
    assert_eq!(garden.count(&format!("{BLOCK}/snapshots"), "snapshots"), 2);
}

#[test]
fn a_token_is_needed_and_may_be_one_only() {
    let garden = Garden::new();
    let path = |url: &str| url.split('/').skip(1).map(str::to_owned).collect();
    let ask = |face: &Face, given: Option<&str>| {
        let request =
            Request { method: "GET".to_owned(), path: path(&format!("{ZONE}/servers")), headers: token(given), ..Request::default() };
        face.answer(&request).answer.unwrap()
    };
    assert_eq!(ask(&garden.face, None), Answer::unauthenticated("not_found"));
    assert_eq!(ask(&garden.face, Some("x")).status, 200);
    let strict = Face::new(open(&garden.dir), Some("secret".to_owned())).unwrap();
    assert_eq!((ask(&strict, Some("x")).status, ask(&strict, Some("secret")).status), (401, 200));
    assert_eq!(garden.call("GET", "/instance/v1/zones/mars-1/servers", Value::Null).0, 404);
    assert_eq!(garden.call("GET", "/nowhere", Value::Null).1["type"], "unknown_resource");
}

#[test]
fn a_cloud_is_what_it_was_when_opened_again() {
    let garden = Garden::new();
    let server = garden.running(json!({}));
    let before = garden.get(&format!("{ZONE}/servers/{server}"));
    let again = Face::new(open(&garden.dir), None).unwrap();
    let path = format!("{ZONE}/servers/{server}").split('/').skip(1).map(str::to_owned).collect();
    let request = Request { method: "GET".to_owned(), path, headers: token(Some("any")), ..Request::default() };
    assert_eq!(again.answer(&request).answer, Some(Answer::ok(before)));
    let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Manual };
    assert!(Cloud::open(&garden.dir, settings).is_err(), "it stands in for another vendor");
}

#[test]
fn the_clock_moves_to_what_comes_next() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    while garden.post("/_emulator/advance-to-next", Value::Null)["due"] == true {}
    garden.act(&server, "poweron");
    let mut states = Vec::new();
    while garden.post("/_emulator/advance-to-next", Value::Null)["due"] == true {
        let shown = garden.get(&format!("{ZONE}/servers/{server}"))["server"].clone();
        states.push(format!("{} {}", shown["state"].as_str().unwrap(), shown["state_detail"].as_str().unwrap()));
    }
    assert_eq!(states, ["starting provisioning node", "running booting kernel", "running booted"]);
    assert_eq!(garden.post("/_emulator/clock", json!({"advance": 1.5}))["manual"], true);
    let at = garden.face.cloud().now().unwrap();
    garden.post("/_emulator/condemn", json!({"id": server}));
    assert_eq!(garden.state(&server), "locked");
    assert_eq!(garden.face.cloud().now().unwrap(), at);
}

#[test]
fn what_only_a_change_of_name_or_tags_touches() {
    let garden = Garden::new();
    let server = garden.server("PLAY2-PICO", json!({}));
    let url = format!("{ZONE}/servers/{server}");
    let modified = || garden.get(&url)["server"]["modification_date"].clone();
    let born = modified();
    assert_eq!(born, garden.get(&url)["server"]["creation_date"]);
    garden.pass(10);
    let data = garden.volume("data", 1_000_000_000, &[]);
    garden.call("PATCH", &url, json!({}));
    garden.send("PATCH", &format!("{url}/user_data/cloud-init"), b"x");
    garden.call("POST", &format!("{url}/attach-volume"), json!({"volume_id": data}));
    garden.call("PATCH", &url, json!({"public_ips": []}));
    assert_eq!(modified(), born);
    garden.call("PATCH", &url, json!({"tags": ["a"]}));
    assert_ne!(modified(), born);
}

#[test]
fn a_running_server_gets_and_loses_its_own_address_on_order() {
    let garden = Garden::new();
    let server = garden.running(json!({}));
    let url = format!("{ZONE}/servers/{server}");
    let addresses = || garden.get(&url)["server"]["public_ips"].as_array().unwrap().clone();
    assert_eq!(addresses().len(), 0);
    garden.call("PATCH", &url, json!({"dynamic_ip_required": true}));
    assert_eq!((addresses()[0]["state"].as_str(), addresses()[0]["dynamic"].as_bool()), (Some("pending"), Some(true)));
    garden.pass(10);
    assert_eq!(addresses()[0]["state"], "attached");
    garden.call("PATCH", &url, json!({"dynamic_ip_required": false}));
    assert_eq!(addresses().len(), 0);
}

#[test]
fn a_group_made_elsewhere_is_taken_and_an_id_that_cannot_be_is_not() {
    let garden = Garden::new();
    let url = format!("{ZONE}/servers/{}", garden.server("PLAY2-PICO", json!({})));
    let (status, body) = garden.call("PATCH", &url, json!({"placement_group": "11111111-1111-1111-1111-111111111111"}));
    assert_eq!((status, body["resource"].as_str()), (404, Some("instance_placement_group")));
    let other = "8a5d1f0e-2c1b-4f5e-9d3a-0123456789ab";
    let (status, body) = garden.call("PATCH", &url, json!({"placement_group": other}));
    assert_eq!((status, body["server"]["placement_group"]["id"].as_str()), (200, Some(other)));
    // It is one of ours from then on, in its zone.
    assert_eq!(garden.get(&format!("{ZONE}/placement_groups/{other}/servers"))["servers"].as_array().unwrap().len(), 1);
    let (status, _) = garden.call("GET", &format!("/instance/v1/zones/fr-par-1/placement_groups/{other}"), Value::Null);
    assert_eq!(status, 404);
}

#[test]
fn what_no_number_can_hold_is_refused_and_breaks_nothing() {
    let garden = Garden::new();
    for size in [u64::MAX - 511, 1 << 63, 100_000_001_000_000_000] {
        for (url, body) in [
            (format!("{ZONE}/volumes"), json!({"name": "v", "volume_type": "l_ssd", "size": size})),
            (format!("{ZONE}/snapshots"), json!({"bucket": "b", "key": "k", "size": size})),
            (format!("{BLOCK}/volumes"), json!({"name": "v", "from_empty": {"size": size}})),
            (format!("{BLOCK}/snapshots/import-from-object-storage"), json!({"name": "s", "bucket": "b", "key": "k", "size": size})),
        ] {
            let (status, body) = garden.call("POST", &url, body);
            assert_eq!((status, body["type"].as_str()), (400, Some("invalid_arguments")), "{url} {size}");
        }
    }
    let page = format!("{BLOCK}/volumes?page={}&page_size=100", u64::MAX);
    assert_eq!(garden.get(&page)["volumes"], json!([]));
    assert_eq!(garden.get(&format!("{ZONE}/servers?page={}&per_page=100", u64::MAX))["servers"], json!([]));
}
