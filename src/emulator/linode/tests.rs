//! Stories of this face, from the request to the answer, over a clock that is moved by hand.

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

use serde_json::{Value, json};

use crate::emulator::face::{Body, Face, Request};
use crate::emulator::{Clock, Cloud, Fault, FaultKind, Imitate, Market, Settings};

pub(super) struct Garden {
    dir: PathBuf,
    pub(super) face: Face,
}

impl Drop for Garden {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn open(dir: &PathBuf, clock: Clock) -> Face {
    let cloud = Cloud::open_market(dir, Settings { imitate: Imitate::LocalDisks, clock }, Market::Linode, 7).unwrap();
    Face::new(cloud, None).unwrap()
}

impl Garden {
    pub(super) fn new() -> Garden {
        Garden::with(Clock::Manual)
    }

    fn with(clock: Clock) -> Garden {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = std::env::temp_dir().join(format!("cloudypad-linode-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let face = open(&dir, clock);
        Garden { dir, face }
    }

    pub(super) fn send(&self, method: &str, url: &str, body: Value) -> (u16, Value) {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = if path.starts_with("/_emulator") { path.to_owned() } else { format!("/v4{path}") };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = Request {
            method: method.to_owned(),
            path: path.split('/').skip(1).map(str::to_owned).collect(),
            query: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            headers: vec![("authorization".to_owned(), "Bearer any".to_owned())],
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        };
        let answer = self.face.answer(&request).answer.expect("the connection was closed");
        match answer.body {
            Body::Json(body) => (answer.status, body),
            _ => (answer.status, Value::Null),
        }
    }

    pub(super) fn get(&self, url: &str) -> Value {
        let (status, body) = self.send("GET", url, Value::Null);
        assert_eq!(status, 200, "{url}: {body}");
        body
    }

    pub(super) fn post(&self, url: &str, body: Value) -> Value {
        let (status, answer) = self.send("POST", url, body);
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }

    pub(super) fn delete(&self, url: &str) {
        let (status, answer) = self.send("DELETE", url, Value::Null);
        assert_eq!(status, 200, "{url}: {answer}");
    }

    /// Why a call is refused.
    pub(super) fn reason(&self, method: &str, url: &str, body: Value) -> String {
        let (status, answer) = self.send(method, url, body);
        assert!(status >= 400, "{url}: {answer}");
        answer["errors"][0]["reason"].as_str().unwrap_or_default().to_owned()
    }

    fn advance(&self, seconds: u64) {
        self.post("/_emulator/clock", json!({"advance": seconds}));
    }

    /// Lets happen whatever will, but not what is days away.
    pub(super) fn calm(&self) {
        for _ in 0..200 {
            let clock = self.get("/_emulator/clock");
            if clock["next_due"].is_null()
                || self.face.cloud().next_due().unwrap().unwrap().0 - clock["micros"].as_i64().unwrap() > 4_000_000_000
            {
                return;
            }
            self.post("/_emulator/advance-to-next", Value::Null);
        }
        panic!("it never rests");
    }

    fn linode(&self, label: &str, more: Value) -> u64 {
        let mut body = json!({
            "label": label, "region": "us-east", "type": "g6-standard-2", "image": "linode/debian12", "booted": false,
            "root_pass": "aVeryLong-Password1", "boot_size": 10_000,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.post("/linode/instances", body)["id"].as_u64().unwrap()
    }

    fn status(&self, linode: u64) -> String {
        self.get(&format!("/linode/instances/{linode}"))["status"].as_str().unwrap().to_owned()
    }

    /// The latest event of an action.
    fn event(&self, action: &str) -> Value {
        let events = self.get("/account/events");
        events["data"].as_array().unwrap().iter().find(|event| event["action"] == action).cloned().unwrap_or_default()
    }

    fn root(&self, linode: u64) -> u64 {
        let configs = self.get(&format!("/linode/instances/{linode}/configs"));
        configs["data"][0]["devices"]["sda"]["disk_id"].as_u64().unwrap()
    }

    fn losses(&self) -> Value {
        self.get("/_emulator/ledger")["losses"].clone()
    }
}

#[test]
fn a_linode_is_made_booted_and_shut_down_step_by_step() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let url = format!("/linode/instances/{linode}");
    let disks = garden.get(&format!("{url}/disks"));
    let shape = |disk: &Value| (disk["label"].clone(), disk["size"].clone(), disk["filesystem"].clone(), disk["status"].clone());
    assert_eq!(shape(&disks["data"][0]), (json!("Debian 12 Disk"), json!(10_000), json!("ext4"), json!("not ready")));
    assert_eq!(shape(&disks["data"][1]), (json!("512 MB Swap Image"), json!(512), json!("swap"), json!("not ready")));
    let config = garden.get(&format!("{url}/configs"))["data"][0].clone();
    assert_eq!((&config["label"], &config["kernel"]), (&json!("My Debian 12 Disk Profile"), &json!("linode/grub2")));
    assert_eq!(
        (garden.event("linode_create")["status"].clone(), garden.event("linode_boot")["status"].clone()),
        (json!("scheduled"), json!("scheduled"))
    );

    let mut seen = Vec::new();
    for _ in 0..100 {
        let status = garden.status(linode);
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        garden.advance(1);
    }
    assert_eq!(seen, ["provisioning", "booting", "running"]);
    let boot = garden.event("linode_boot");
    assert_eq!((&boot["status"], &boot["percent_complete"], &boot["duration"]), (&json!("finished"), &json!(100), &json!(27.0)));
    assert_eq!(boot["secondary_entity"]["type"], "linode_config");
    assert_eq!(garden.event("linode_create")["duration"], json!(47.0));

    garden.post(&format!("{url}/shutdown"), Value::Null);
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), Value::Null), "Linode busy.");
    garden.advance(2);
    assert_eq!(garden.status(linode), "shutting_down");
    garden.calm();
    assert_eq!(garden.status(linode), "offline");
    assert_eq!(garden.reason("POST", &format!("{url}/shutdown"), Value::Null), "This Linode is not running.");
}

#[test]
fn a_boot_waits_behind_the_making_and_nothing_else_does() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    garden.post(&format!("{url}/boot"), json!({}));
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    for (path, body) in [
        ("shutdown", json!({})),
        ("disks", json!({"label": "x", "size": 500})),
        ("resize", json!({"type": "g6-standard-4"})),
        ("clone", json!({"region": "us-east", "type": "g6-standard-2"})),
        ("rebuild", json!({"image": "linode/debian12", "root_pass": "aVeryLong-Password1"})),
    ] {
        assert_eq!(garden.reason("POST", &format!("{url}/{path}"), body), "Linode busy.", "{path}");
    }
    garden.advance(73);
    assert_eq!(garden.status(linode), "running");
    assert_eq!(garden.reason("POST", &format!("{url}/shutdown"), json!({})), "Linode busy.", "the job is not done when the guest is");
    garden.advance(3);
    garden.post(&format!("{url}/shutdown"), json!({}));
}

#[test]
fn what_is_captured_comes_back_and_a_volume_outlives_its_linode() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    let volume = garden.post("/volumes", json!({"label": "pad-data", "region": "us-east", "size": 20}));
    assert_eq!((&volume["status"], &volume["io_ready"]), (&json!("creating"), &json!(false)));
    let volume = format!("/volumes/{}", volume["id"]);
    let attached = garden.post(&format!("{volume}/attach"), json!({"linode_id": linode}));
    assert_eq!(
        (&attached["status"], &attached["linode_id"], &attached["linode_label"]),
        (&json!("creating"), &json!(linode), &json!("pad-1"))
    );
    assert_eq!(garden.get(&format!("{url}/configs"))["data"][0]["devices"]["sdc"]["volume_id"], attached["id"]);
    garden.calm();
    assert_eq!(garden.get(&volume)["io_ready"], false, "no guest runs");
    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    assert_eq!((garden.get(&volume)["io_ready"].clone(), garden.get(&volume)["status"].clone()), (json!(true), json!("active")));
    assert_eq!(garden.reason("DELETE", &volume, Value::Null), "Volume must be detached before it can be deleted.");

    let root = garden.root(linode);
    let path = garden.get(&format!("/_emulator/disks/{root}"))["path"].as_str().unwrap().to_owned();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"installed", 1 << 20).unwrap();
    garden.post(&format!("{url}/shutdown"), json!({}));
    garden.calm();

    let image = garden.post("/images", json!({"disk_id": root, "label": "base", "tags": ["b-tag", "a-tag"]}));
    assert_eq!((&image["status"], &image["size"], &image["regions"]), (&json!("creating"), &json!(10_000), &json!([])));
    assert_eq!(image["tags"], json!(["a-tag", "b-tag"]));
    let image = image["id"].as_str().unwrap().to_owned();
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    let mut percents = Vec::new();
    for _ in 0..14 {
        garden.advance(10);
        percents.push(garden.event("disk_imagize")["percent_complete"].as_u64().unwrap());
    }
    assert!(percents.windows(2).any(|pair| pair[0] > 80 && pair[1] == 0), "{percents:?}");
    let number: u64 = image.strip_prefix("private/").unwrap().parse().unwrap();
    assert_eq!(garden.event("disk_imagize")["secondary_entity"]["id"], json!(number));
    assert_eq!(garden.event("disk_imagize")["entity"]["id"], json!(linode));
    garden.calm();
    let image = garden.get(&format!("/images/{image}"));
    assert_eq!((&image["status"], &image["size"]), (&json!("available"), &json!(1778)));
    assert_eq!(image["regions"][0]["region"], "us-east");

    garden.delete(&url);
    assert_eq!(garden.status(linode), "deleting");
    let again = json!({"label": "pad-1", "region": "us-east", "type": "g6-standard-2"});
    assert_eq!(garden.reason("POST", "/linode/instances", again), "Label must be unique among your linodes");
    garden.calm();
    assert_eq!(garden.send("GET", &url, Value::Null).0, 404);
    assert_eq!(garden.event("linode_delete")["status"], "finished");
    assert_eq!(garden.get(&volume)["linode_id"], Value::Null);
    assert_eq!(garden.losses(), json!([]));

    let linode = garden.linode("pad-1", json!({"image": image["id"], "kernel": "linode/grub2"}));
    garden.calm();
    let path = garden.get(&format!("/_emulator/disks/{}", garden.root(linode)))["path"].as_str().unwrap().to_owned();
    let mut bytes = [0; 9];
    fs::File::open(path).unwrap().read_exact_at(&mut bytes, 1 << 20).unwrap();
    assert_eq!(&bytes, b"installed");
    garden.delete(&volume);
}

#[test]
fn the_last_copy_of_a_root_disk_is_a_loss() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.calm();
    garden.delete(&format!("/linode/instances/{linode}"));
    garden.calm();
    assert_eq!(garden.losses().as_array().unwrap().len(), 1, "the root disk, and not the swap disk");
    let linode = garden.linode("pad-2", json!({"booted": true}));
    garden.calm();
    garden.post(&format!("/linode/instances/{linode}/rebuild"), json!({"image": "linode/debian12", "root_pass": "aVeryLong-Password1"}));
    assert_eq!(garden.status(linode), "rebuilding");
    assert_eq!(garden.losses().as_array().unwrap().len(), 2);
    garden.calm();
    assert_eq!(garden.status(linode), "running");
    assert_eq!(garden.get("/_emulator/truth")["linode"]["disks"].as_object().unwrap().len(), 2);
}

#[test]
fn too_large_a_capture_fails_as_an_event_and_a_missing_image() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let root = garden.root(linode);
    garden.post("/_emulator/fill", json!({"disk": root, "mb": 5000}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(80);
    assert_eq!(garden.get(&format!("/images/{image}"))["status"], "creating");
    garden.calm();
    let event = garden.event("disk_imagize");
    assert_eq!(event["status"], "failed");
    assert!(event["message"].as_str().unwrap().contains("6778 MB"), "{event}");
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404);

    garden.post("/_emulator/settings", json!({"image_limit_mb": 8000}));
    garden.post("/_emulator/settings", json!({"image_lag": 20}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(150);
    assert_eq!(
        (&garden.event("disk_imagize")["status"], &garden.get(&format!("/images/{image}"))["status"]),
        (&json!("finished"), &json!("creating"))
    );
    garden.calm();
    assert_eq!(garden.get(&format!("/images/{image}"))["size"], 6778);

    garden.post("/_emulator/faults", json!({"operation": "POST /images", "what": "in-vain"}));
    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.calm();
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404);

    let image = garden.post("/images", json!({"disk_id": root, "label": "base"}))["id"].as_str().unwrap().to_owned();
    garden.advance(10);
    garden.delete(&format!("/linode/instances/{linode}"));
    assert_eq!(garden.send("GET", &format!("/images/{image}"), Value::Null).0, 404, "a capture dies with its Linode");
    garden.calm();
    assert_eq!(garden.get("/_emulator/inventory")["lines"].as_array().unwrap().len(), 1, "the image that was captured");
}

#[test]
fn the_watchdog_boots_what_went_down_by_itself() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    for _ in 0..5 {
        garden.post("/_emulator/guest-shutdown", json!({"linode": linode}));
        garden.advance(13);
        assert_eq!(garden.status(linode), "offline");
        garden.calm();
        assert_eq!(garden.status(linode), "running");
        assert_eq!(garden.event("lassie_reboot")["status"], "finished");
    }
    garden.post("/_emulator/guest-shutdown", json!({"linode": linode.to_string()}));
    garden.calm();
    assert_eq!(garden.status(linode), "offline", "after five times it gives up");

    garden.send("PUT", &url, json!({"watchdog_enabled": false}));
    garden.advance(1000);
    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    garden.post("/_emulator/guest-shutdown", json!({"linode": linode}));
    garden.calm();
    assert_eq!(garden.status(linode), "offline", "nobody watches");

    garden.post(&format!("{url}/boot"), json!({}));
    garden.calm();
    garden.post("/_emulator/host-reboot", json!({"linode": linode}));
    garden.advance(5);
    assert_eq!(garden.status(linode), "rebooting");
    garden.calm();
    assert_eq!((garden.status(linode).as_str(), &garden.event("host_reboot")["status"]), ("running", &json!("finished")));
    for (what, status) in [("platform-stop", "stopped"), ("suspend", "billing_suspension")] {
        garden.post(&format!("/_emulator/{what}"), json!({"linode": linode}));
        assert_eq!(garden.status(linode), status);
        assert_eq!(garden.send("POST", &format!("{url}/boot"), json!({})).0, 400);
        garden.post("/_emulator/release", json!({"linode": linode}));
        assert_eq!(garden.status(linode), "offline");
    }
}

#[test]
fn disks_are_made_hidden_shown_and_deleted_one_at_a_time() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}/disks");
    garden.calm();
    let disk = garden.post(&url, json!({"label": "more", "size": 2000}));
    assert_eq!((&disk["status"], &disk["filesystem"]), (&json!("not ready"), &json!("ext4")));
    let one = format!("{url}/{}", disk["id"]);
    assert_eq!(garden.reason("POST", &url, json!({"label": "other", "size": 500})), "Linode busy.");
    assert_eq!(garden.get(&url)["results"], 3);
    garden.advance(3);
    assert_eq!((garden.get(&url)["results"].clone(), garden.send("GET", &one, Value::Null).0), (json!(2), 404));
    garden.calm();
    assert_eq!(garden.get(&one)["status"], "ready");
    garden.post(&format!("{one}/resize"), json!({"size": 4000}));
    garden.calm();
    assert_eq!((garden.get(&one)["size"].clone(), garden.event("disk_resize")["status"].clone()), (json!(4000), json!("finished")));
    assert_eq!(
        garden.reason("POST", &url, json!({"label": "huge", "size": 80_000})),
        "Insufficient space on this Linode for a disk of that size."
    );
    garden.post(&format!("/linode/instances/{linode}/boot"), json!({}));
    garden.calm();
    garden.post(&format!("{one}/resize"), json!({"size": 5000}));
    garden.calm();
    assert_eq!((garden.get(&one)["size"].clone(), garden.event("disk_resize")["status"].clone()), (json!(4000), json!("failed")));
    garden.delete(&one);
    garden.advance(2);
    assert_eq!(garden.get(&one)["status"], "deleting");
    garden.calm();
    assert_eq!(garden.send("GET", &one, Value::Null).0, 404);
}

#[test]
fn plans_and_profiles_change() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"boot_size": null}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    garden.post(&format!("{url}/resize"), json!({"type": "g6-standard-4"}));
    garden.advance(5);
    assert_eq!(garden.status(linode), "resizing");
    garden.calm();
    assert_eq!((garden.get(&url)["type"].clone(), garden.status(linode)), (json!("g6-standard-4"), "offline".to_owned()));
    assert_eq!(garden.get(&format!("{url}/disks"))["data"][0]["size"], 163_840 - 512, "the disk takes what room there is");
    let exceeds = "Current disk size exceeds new plan. Please resize your disks to be smaller, then try again.";
    assert_eq!(garden.reason("POST", &format!("{url}/resize"), json!({"type": "g6-standard-2"})), exceeds);

    let config = garden.post(&format!("{url}/configs"), json!({"label": "mine", "devices": {}, "interfaces": null}));
    assert_eq!((&config["kernel"], &config["devices"]["sdh"]), (&json!("linode/latest-64bit"), &Value::Null));
    let volume = garden.post("/volumes", json!({"label": "pad-data", "region": "us-east"}));
    let one = format!("{url}/configs/{}", config["id"]);
    let (status, put) = garden.send("PUT", &one, json!({"devices": {"sda": {"volume_id": volume["id"]}}}));
    assert_eq!((status, &put["devices"]["sda"]), (200, &json!({"disk_id": null, "volume_id": volume["id"]})));
    assert_eq!(garden.get(&format!("{url}/volumes"))["data"][0]["linode_id"], json!(linode));
    let needs = "A config_id is required: this Linode has several configuration profiles.";
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), needs);
    garden.calm();
    garden.send("PUT", &one, json!({"devices": {}}));
    garden.calm();
    assert_eq!(garden.get(&format!("/volumes/{}", volume["id"]))["linode_id"], Value::Null);
    let event = garden.event("linode_config_create");
    assert_eq!((&event["status"], &event["percent_complete"], &event["duration"]), (&json!("notification"), &Value::Null, &Value::Null));
}

#[test]
fn what_cannot_be_made_is_refused_with_its_reason() {
    let garden = Garden::new();
    let usual = json!({"region": "us-east", "type": "g6-nanode-1", "image": "linode/debian12", "root_pass": "aVeryLong-Password1"});
    let refused = |key: &str, value: Value| {
        let mut body = usual.clone();
        body[key] = value;
        let (status, answer) = garden.send("POST", "/linode/instances", body);
        (status, answer["errors"][0]["reason"].as_str().unwrap_or_default().to_owned(), answer["errors"][0]["field"].clone())
    };
    assert_eq!(refused("region", json!("mars")), (400, "region is not valid".to_owned(), json!("region")));
    assert_eq!(refused("type", Value::Null), (400, "type is required".to_owned(), json!("type")));
    assert_eq!(refused("image", json!("linode/nothing")).1, "image is not valid");
    assert_eq!(refused("image", json!("private/1")).1, "image is not valid");
    let nobody = "Must provide valid root_pass, authorized_keys, or authorized_users";
    assert_eq!(refused("root_pass", Value::Null), (400, nobody.to_owned(), Value::Null));
    assert_eq!(refused("root_pass", json!("password")).1, "Password does not meet strength requirement.");
    assert_eq!(refused("boot_size", json!(8000)).2, json!("boot_size"));
    assert_eq!(refused("boot_size", json!(25_500)).2, json!("boot_size"));
    assert_eq!(refused("kernel", json!("linode/none")).1, "kernel is not valid");
    assert_eq!(refused("label", json!("a--b")).2, json!("label"));
    assert_eq!(refused("tags", json!(["ab"])).1, "Length must be 3-50 characters");
    assert_eq!(refused("metadata", json!({"user_data": "no base 64!"})).2, json!("metadata.user_data"));
    assert_eq!(refused("maintenance_policy", json!("invalid_policy")).1, "Unsupported maintenance policy slug format.");
    garden.post("/_emulator/settings", json!({"sold_out": {"us-east/g6-nanode-1": true}}));
    assert_eq!(refused("label", json!("pad-1")).0, 403);
    garden.post("/_emulator/settings", json!({"sold_out": {"us-east/g6-nanode-1": false}, "quota": {"server": 0}}));
    assert_eq!(refused("label", json!("pad-1")).1, "Account Limit reached. Please open a support ticket.");
    assert_eq!(garden.get("/linode/instances")["results"], 0);
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "v", "size": 5, "region": "us-east"})), "Must be 10-16384");
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "v"})), "Must provide a region or a Linode ID");
    assert_eq!(garden.reason("POST", "/volumes", json!({"region": "us-east"})), "label is required");
    assert_eq!(garden.reason("POST", "/volumes", json!({"label": "1v", "region": "us-east"})), "Must begin with a letter");
}

#[test]
fn volumes_grow_copy_and_part() {
    let garden = Garden::new();
    let volume = garden.post("/volumes", json!({"label": "one", "region": "us-east", "size": 15, "tags": ["abc"]}));
    let url = format!("/volumes/{}", volume["id"]);
    assert_eq!(garden.send("POST", &format!("{url}/clone"), json!({"label": "two"})).0, 400, "it is not there yet");
    garden.calm();
    let grown = garden.post(&format!("{url}/resize"), json!({"size": 25}));
    assert_eq!((&grown["status"], &grown["size"]), (&json!("resizing"), &json!(25)));
    garden.calm();
    assert_eq!(garden.reason("POST", &format!("{url}/resize"), json!({"size": 20})), "Volumes can only be resized up.");
    let copy = garden.post(&format!("{url}/clone"), json!({"label": "two"}));
    assert_eq!((&copy["size"], &copy["tags"], &copy["linode_id"]), (&json!(25), &json!([]), &Value::Null));
    assert!(garden.reason("POST", &format!("{url}/clone"), json!({"label": "two"})).contains("unique"));
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.calm();
    garden.post(&format!("{url}/attach"), json!({"linode_id": linode}));
    assert_eq!(garden.get(&url)["io_ready"], false);
    garden.calm();
    assert_eq!(garden.get(&url)["io_ready"], true);
    assert_eq!(garden.event("volume_attach")["status"], "finished");
    garden.post(&format!("{url}/detach"), Value::Null);
    assert_eq!((garden.get(&url)["io_ready"].clone(), garden.get(&url)["linode_id"].clone()), (json!(false), json!(linode)));
    garden.calm();
    assert_eq!((garden.get(&url)["linode_id"].clone(), garden.event("volume_detach")["status"].clone()), (Value::Null, json!("finished")));
    assert_eq!(garden.get(&format!("/linode/instances/{linode}/configs"))["data"][0]["devices"]["sdc"], Value::Null);
}

#[test]
fn jobs_can_be_slow_stuck_or_refused() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    let url = format!("/linode/instances/{linode}");
    garden.calm();
    let arm = |what: FaultKind, operation: &str| {
        garden.face.cloud().arm(Fault { operation: operation.to_owned(), what, times: 1, skip: 0 }).unwrap();
    };
    arm(FaultKind::Transient, "POST /linode/instances/{id}/boot");
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    arm(FaultKind::Slow { factor: 10 }, "POST /linode/instances/{id}/boot");
    garden.post(&format!("{url}/boot"), json!({}));
    garden.advance(100);
    assert_eq!(garden.status(linode), "booting");
    garden.advance(180);
    assert_eq!(garden.status(linode), "running");
    arm(FaultKind::Stuck, "POST /linode/instances/{id}/shutdown");
    garden.post(&format!("{url}/shutdown"), json!({}));
    garden.advance(86_400);
    assert_eq!(garden.status(linode), "shutting_down");
    garden.face.cloud().unstick().unwrap();
    garden.calm();
    assert_eq!(garden.status(linode), "offline");
    arm(FaultKind::Slow { factor: 100 }, "DELETE /linode/instances/{id}");
    garden.delete(&url);
    garden.advance(700);
    assert_eq!(garden.status(linode), "deleting");
    assert_eq!(garden.reason("DELETE", &url, Value::Null), "Linode busy.");
}

#[test]
fn a_token_is_needed_but_for_what_is_public_and_rates_are_limited() {
    let garden = Garden::with(Clock::Speed(1.0));
    let ask = |path: &str, token: Option<&str>| {
        let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
        let path = path.split('/').skip(1).map(str::to_owned).collect();
        let request = Request { method: "GET".to_owned(), path, headers, ..Request::default() };
        let reply = garden.face.answer(&request);
        garden.face.dressed(&request, reply).unwrap()
    };
    assert_eq!(ask("/v4/linode/instances", None).status, 401);
    assert_eq!(ask("/v4beta/linode/instances", Some("x")).status, 200);
    assert_eq!(ask("/v5/linode/instances", Some("x")).status, 404);
    assert_eq!((ask("/v4/regions", None).status, ask("/v4/images/linode/debian12", None).status), (200, 200));
    let header = |answer: &crate::emulator::face::Answer, name: &str| {
        answer.headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let answers: Vec<_> = (0..21).map(|_| ask("/v4/images", Some("x"))).collect();
    assert_eq!((answers[19].status, answers[20].status), (200, 429));
    assert_eq!(header(&answers[0], "x-ratelimit-limit").as_deref(), Some("20"));
    assert_eq!(header(&answers[20], "x-ratelimit-remaining").as_deref(), Some("0"));
    let wait: u64 = header(&answers[20], "retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(ask("/v4/images", Some("y")).status, 200, "each token has its own");
    garden.post("/_emulator/settings", json!({"rate_limits": false}));
    assert_eq!(ask("/v4/images", Some("x")).status, 200);
    let same = ask("/v4/images/private%2F1", Some("x"));
    assert_eq!(same.status, 404);
}

#[test]
fn a_cloud_is_what_it_was_when_opened_again() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.advance(20);
    let before = garden.get(&format!("/linode/instances/{linode}"));
    let again = Garden { dir: garden.dir.clone(), face: open(&garden.dir, Clock::Manual) };
    assert_eq!(again.get(&format!("/linode/instances/{linode}")), before);
    again.calm();
    assert_eq!(again.status(linode), "running");
}

#[test]
fn a_copy_of_a_linode_has_its_disks() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let copy = garden.post(&format!("/linode/instances/{linode}/clone"), json!({"region": "us-east", "type": "g6-standard-2"}));
    assert_eq!((copy["status"].clone(), copy["label"].clone()), (json!("offline"), json!(format!("linode{}", copy["id"]))));
    let url = format!("/linode/instances/{}", copy["id"]);
    assert_eq!(garden.reason("POST", &format!("{url}/boot"), json!({})), "Linode busy.");
    assert_eq!(garden.reason("DELETE", &format!("/linode/instances/{linode}"), Value::Null), "Linode busy.");
    garden.calm();
    assert_eq!(garden.event("linode_clone")["duration"], json!(110.0));
    assert_eq!(garden.get(&format!("{url}/disks"))["data"][0]["status"], "ready");
    garden.post(&format!("{url}/boot"), json!({}));
}

#[test]
fn an_old_linode_leaves_a_recovery_image_for_a_week() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    garden.advance(13 * 3600);
    garden.delete(&format!("/linode/instances/{linode}"));
    garden.calm();
    let image = garden.get("/images")["data"][0].clone();
    assert_eq!((&image["type"], &image["label"]), (&json!("automatic"), &json!("Recovery - pad-1")));
    assert_eq!(garden.losses().as_array().unwrap().len(), 1, "nobody may count on it");
    garden.advance(8 * 86_400);
    assert_ne!(garden.get("/images")["data"][0]["type"], "automatic");
}

#[test]
fn a_profile_has_up_to_three_interfaces_in_an_order() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({}));
    garden.calm();
    let config = garden.get(&format!("/linode/instances/{linode}/configs"))["data"][0]["id"].clone();
    let url = format!("/linode/instances/{linode}/configs/{config}/interfaces");
    assert_eq!(garden.get(&url), json!([]));
    let public = garden.post(&url, json!({"purpose": "public", "primary": true}));
    let vlan = garden.post(&url, json!({"purpose": "vlan", "label": "home", "ipam_address": "10.0.0.1/24"}));
    assert_eq!((&vlan["label"], &vlan["active"], &vlan["ipv4"]), (&json!("home"), &json!(false), &Value::Null));
    garden.post(&format!("{url}/order"), json!({"ids": [vlan["id"], public["id"]]}));
    assert_eq!(garden.get(&url)[0], vlan);
    assert_eq!(
        garden.reason("POST", &format!("{url}/order"), json!({"ids": [vlan["id"]]})),
        "Must name every interface of the configuration profile once."
    );
    let (_, put) = garden.send("PUT", &format!("{url}/{}", vlan["id"]), json!({"primary": true}));
    assert_eq!((put["primary"].clone(), garden.get(&format!("{url}/{}", public["id"]))["primary"].clone()), (json!(true), json!(false)));
    garden.post(&format!("/linode/instances/{linode}/boot"), json!({}));
    garden.calm();
    assert_eq!(garden.get(&format!("{url}/{}", vlan["id"]))["active"], true);
    assert_eq!(garden.send("DELETE", &format!("{url}/{}", vlan["id"]), Value::Null).0, 400);
    garden.post(&format!("/linode/instances/{linode}/shutdown"), json!({}));
    garden.calm();
    garden.delete(&format!("{url}/{}", vlan["id"]));
    assert_eq!(garden.get(&url).as_array().map(Vec::len), Some(1));
    assert_eq!(garden.reason("POST", &url, json!({"purpose": "other"})), "Must be one of public, vlan, vpc");
    assert_eq!(garden.get(&format!("/linode/instances/{linode}/transfer/2026/1"))["bytes_total"], 0);
    assert_eq!(garden.send("GET", &format!("/linode/instances/{linode}/transfer/2026/13"), Value::Null).0, 404);
}

#[test]
fn a_volume_is_free_once_its_linode_is_gone() {
    let garden = Garden::new();
    let linode = garden.linode("pad-1", json!({"booted": true}));
    let volume = garden.post("/volumes", json!({"label": "pad-data", "linode_id": linode}));
    let url = format!("/volumes/{}", volume["id"]);
    garden.calm();
    garden.delete(&format!("/linode/instances/{linode}"));
    assert_eq!(garden.reason("POST", &format!("{url}/detach"), Value::Null), "The Linode is being deleted.");
    garden.advance(9);
    assert_eq!(garden.get(&url)["linode_id"], Value::Null);
    garden.delete(&url);
}
