//! A cloud with this face for stories, over a clock that is moved by hand.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

use serde_json::{Value, json};

use crate::emulator::face::{Body, Face, Request};
use crate::emulator::{Clock, Cloud, Imitate, Market, Settings};

/// The cloud, and the face that is asked.
pub struct Garden {
    /// Where it lives.
    pub dir: PathBuf,
    /// The face.
    pub face: Face,
}

impl Drop for Garden {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The face of a cloud in a directory.
pub fn open(dir: &PathBuf, clock: Clock) -> Face {
    let cloud = Cloud::open_market(dir, Settings { imitate: Imitate::LocalDisks, clock }, Market::Linode, 7).unwrap();
    Face::new(cloud, None).unwrap()
}

impl Garden {
    /// A cloud whose clock stands still.
    pub fn new() -> Garden {
        Garden::with(Clock::Manual)
    }

    /// A cloud with a clock of this sort.
    pub fn with(clock: Clock) -> Garden {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = std::env::temp_dir().join(format!("cloudypad-linode-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let face = open(&dir, clock);
        Garden { dir, face }
    }

    /// The status and the body of the answer to a request.
    pub fn send(&self, method: &str, url: &str, body: Value) -> (u16, Value) {
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

    /// What a GET shows.
    pub fn get(&self, url: &str) -> Value {
        let (status, body) = self.send("GET", url, Value::Null);
        assert_eq!(status, 200, "{url}: {body}");
        body
    }

    /// What a POST answers.
    pub fn post(&self, url: &str, body: Value) -> Value {
        let (status, answer) = self.send("POST", url, body);
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }

    /// Deletes something.
    pub fn delete(&self, url: &str) {
        let (status, answer) = self.send("DELETE", url, Value::Null);
        assert_eq!(status, 200, "{url}: {answer}");
    }

    /// Why a call is refused.
    pub fn reason(&self, method: &str, url: &str, body: Value) -> String {
        let (status, answer) = self.send(method, url, body);
        assert!(status >= 400, "{url}: {answer}");
        answer["errors"][0]["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Moves the clock by so many seconds.
    pub fn advance(&self, seconds: u64) {
        self.post("/_emulator/clock", json!({"advance": seconds}));
    }

    /// Lets happen whatever will, but not what is days away.
    pub fn calm(&self) {
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

    /// Makes a Linode of Debian 12 that is off, unless `more` says otherwise.
    pub fn linode(&self, label: &str, more: Value) -> u64 {
        let mut body = json!({
            "label": label, "region": "us-east", "type": "g6-standard-2", "image": "linode/debian12", "booted": false,
            "root_pass": "aVeryLong-Password1", "boot_size": 10_000,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.post("/linode/instances", body)["id"].as_u64().unwrap()
    }

    /// What a Linode is said to be doing.
    pub fn status(&self, linode: u64) -> String {
        self.get(&format!("/linode/instances/{linode}"))["status"].as_str().unwrap().to_owned()
    }

    /// The latest event of an action.
    pub fn event(&self, action: &str) -> Value {
        let events = self.get("/account/events");
        events["data"].as_array().unwrap().iter().find(|event| event["action"] == action).cloned().unwrap_or_default()
    }

    /// The disk a Linode boots from.
    pub fn root(&self, linode: u64) -> u64 {
        let configs = self.get(&format!("/linode/instances/{linode}/configs"));
        configs["data"][0]["devices"]["sda"]["disk_id"].as_u64().unwrap()
    }

    /// What was lost.
    pub fn losses(&self) -> Value {
        self.get("/_emulator/ledger")["losses"].clone()
    }
}
