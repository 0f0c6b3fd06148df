//! An emulator of a vendor's API as a process of its own, with its admin door.

use super::{
    linode::LINODE,
    scaleway::SCALEWAY,
    shop::{Ran, Shop},
    vendor::Vendor,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How fast emulators run in most tests.
pub const SPEED: &str = "2000";

/// A running emulator; it ends with the test.
pub struct Face {
    pub vendor: &'static Vendor,
    child: Child,
    address: String,
    speed: &'static str,
}

/// One API request as the emulator logged it.
#[derive(Debug, Clone)]
pub struct Entry {
    vendor: &'static Vendor,
    pub method: String,
    pub path: String,
    /// As faults know it.
    pub operation: String,
    pub status: u64,
    pub body: Value,
    /// What the answer showed: state or status by id, `gone` for what is not there.
    pub seen: Vec<(String, String)>,
}

impl Entry {
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    /// The method and the path without API version, place and ids.
    pub fn brief(&self) -> String {
        let action = self.body["action"].as_str().map(|it| format!(" {it}")).unwrap_or_default();
        format!("{} {}{action}", self.method, (self.vendor.plain)(&self.path))
    }
}

/// Calls that are made side by side arrive in any order: sorted, they can be compared.
pub fn in_any_order(calls: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut calls: Vec<String> = calls.into_iter().map(Into::into).collect();
    calls.sort();
    calls
}

impl Drop for Face {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Face {
    /// Starts an emulator of Scaleway's API in the shop's directory.
    pub fn scaleway(shop: &Shop) -> Self {
        Self::start(&SCALEWAY, shop)
    }

    /// One of Linode's.
    pub fn linode(shop: &Shop) -> Self {
        Self::start(&LINODE, shop)
    }

    pub fn start(vendor: &'static Vendor, shop: &Shop) -> Self {
        Self::start_with(vendor, shop, &[])
    }

    /// One that takes this key alone.
    pub fn start_demanding(vendor: &'static Vendor, shop: &Shop, key: &str) -> Self {
        Self::start_with(vendor, shop, &["--token", key])
    }

    /// One that is no faster than life.
    pub fn start_slow(vendor: &'static Vendor, shop: &Shop) -> Self {
        Self::start_at(vendor, shop, "1", &[])
    }

    fn start_with(vendor: &'static Vendor, shop: &Shop, more: &[&str]) -> Self {
        Self::start_at(vendor, shop, SPEED, more)
    }

    /// One at this speed.
    pub fn start_at(vendor: &'static Vendor, shop: &Shop, speed: &'static str, more: &[&str]) -> Self {
        let data = shop.path("vendor");
        let mut child = Command::new(env!("CARGO_BIN_EXE_cloudypad"))
            .args(["emulator", "--provider", vendor.name, "--speed", speed, "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().to_owned();
        assert!(line.starts_with("listening on http://"), "{line}");
        Self { vendor, child, address, speed }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request as any HTTP client makes it: status and body.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            self.address,
            self.vendor.stranger,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// A call of the admin door, or of the API, that must go well.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None);
        assert!(status < 300, "GET {path}: {status} {body}");
        body
    }

    pub fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(&body));
        assert!(status < 300, "POST {path}: {status} {answer}");
        answer
    }

    /// Arms a fault for calls to come.
    pub fn arm(&self, operation: &str, what: &str, times: u32, skip: u32) {
        self.post("/_emulator/faults", json!({"operation": operation, "what": what, "times": times, "skip": skip}));
    }

    pub fn disarm(&self) {
        let (status, _) = self.call("DELETE", "/_emulator/faults", None);
        assert!(status < 300);
        self.unstick();
    }

    /// Waits until a request is held, which must be soon; whether one is.
    pub fn await_held(&self, patience: Duration) -> bool {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        write!(stream, "GET /_emulator/held HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    /// Lets go of all that is held, and drops it. How many requests that were let go are still to be carried out, and how many
    /// were when another came that changes something.
    pub fn drop_held(&self) -> (u64, u64) {
        let answer = self.post("/_emulator/let-go", json!({}));
        (answer["to_come"].as_u64().unwrap(), answer["overtaken"].as_u64().unwrap())
    }

    /// Lets go of all that is held: it is carried out at this moment (in microseconds since 1970 by the cloud's clock), or right
    /// before the next change.
    pub fn let_held_come_late(&self, by: i64) {
        self.post("/_emulator/let-go", json!({"by": by}));
    }

    /// Has everything that is set off arrive at once, however slow the clock.
    pub fn hurry(&self) {
        self.post("/_emulator/faults", json!({"operation": "*", "what": "slow", "factor": 0, "times": 100_000}));
    }

    /// Lets come due what never would.
    pub fn unstick(&self) {
        self.post("/_emulator/clock", json!({"unstick": true}));
    }

    /// How many calls changed something, since the last time that [`Self::log`] was asked.
    pub fn changes_so_far(&self) -> usize {
        let log = self.get("/_emulator/log");
        log["requests"].as_array().unwrap().iter().filter(|it| it["method"] != "GET").count()
    }

    /// Every API request since the last time this was asked.
    pub fn log(&self) -> Vec<Entry> {
        let log = self.get("/_emulator/log");
        let entries = log["requests"].as_array().unwrap().iter().map(|it| Entry {
            vendor: self.vendor,
            method: it["method"].as_str().unwrap().to_owned(),
            path: it["path"].as_str().unwrap().to_owned(),
            operation: it["operation"].as_str().unwrap_or_default().to_owned(),
            status: it["status"].as_u64().unwrap_or(0),
            body: it["body"].clone(),
            seen: it["seen"].as_object().map_or(Vec::new(), |seen| {
                seen.iter().map(|(id, state)| (id.clone(), state.as_str().unwrap_or_default().to_owned())).collect()
            }),
        });
        let entries = entries.collect();
        self.call("DELETE", "/_emulator/log", None);
        entries
    }

    /// The kinds of faults that struck since the last time the log was asked for.
    pub fn faults(&self) -> Vec<String> {
        let log = self.get("/_emulator/log");
        let faults = log["requests"].as_array().unwrap().iter().map(|it| &it["fault"]);
        // A word, or an object like {"slow": {"factor": 10}}.
        let kinds = faults.filter_map(|it| it.as_str().map(str::to_owned).or_else(|| Some(it.as_object()?.keys().next()?.clone())));
        let kinds = kinds.collect();
        self.call("DELETE", "/_emulator/log", None);
        kinds
    }

    /// The calls that changed something, briefly.
    pub fn changes(&self) -> Vec<String> {
        self.log().iter().filter(|it| it.changes()).map(Entry::brief).collect()
    }

    /// What nobody's living instance owns, and what was lost.
    pub fn judge(&self, living: &[&str]) -> (Vec<String>, Vec<Value>) {
        let query: Vec<String> = living.iter().map(|it| format!("living={it}")).collect();
        let leaks = self.get(&format!("/_emulator/leaks?{}", query.join("&")));
        let leaks = leaks["lines"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        let losses = self.get("/_emulator/ledger")["losses"].as_array().unwrap().clone();
        (leaks, losses)
    }

    /// Everything there is, a line each.
    pub fn inventory(&self) -> Vec<String> {
        let inventory = self.get("/_emulator/inventory");
        inventory["lines"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    }

    /// A command of the shop's with this emulator as its cloud.
    pub fn command(&self, shop: &Shop, args: &[&str]) -> Command {
        let mut command = shop.command(args);
        let vendor = self.vendor;
        command.env(vendor.url_variable, self.url()).env(vendor.key_variable, vendor.key).env("CLOUDYPAD_CLOUD_SPEED", self.speed);
        command
    }

    pub fn run(&self, shop: &Shop, args: &[&str]) -> Ran {
        Ran::from(self.command(shop, args).output().unwrap())
    }

    pub fn expect(&self, shop: &Shop, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(shop, args);
        assert_eq!(ran.code, code, "cloudypad {}\n{}\n{}", args.join(" "), ran.out, ran.err);
        ran
    }

    /// Writes the wish and applies it: what was said, and the calls that changed something.
    pub fn apply(&self, shop: &Shop, spec: &str) -> (Ran, Vec<String>) {
        shop.write("pad.yaml", spec);
        self.log();
        let ran = self.expect(shop, 0, &["apply", "pad.yaml", "--yes"]);
        (ran, self.changes())
    }
}
