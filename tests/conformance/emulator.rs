//! The emulator as a process of its own, with a clock that only moves when it is told to.

use crate::{
    cloud::{Call, Cloud, Reply},
    vendor::Vendor,
    wire,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A running emulator. It ends, and its directory goes, with this value.
pub struct Emulator {
    vendor: &'static dyn Vendor,
    process: Child,
    address: String,
    folder: PathBuf,
    /// The elements of all pages of a list that does not change, by path.
    whole: BTreeMap<String, Value>,
}

impl Emulator {
    /// Starts one over a fresh directory and waits until it listens.
    pub fn start(vendor: &'static dyn Vendor) -> io::Result<Emulator> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("conformance-{}-{number}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_cloudypad"))
            .args(["emulator", "--provider", vendor.name(), "--listen", "127.0.0.1:0", "--manual-clock", "--data"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let out = process.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut emulator = Emulator { vendor, process, address: String::new(), folder, whole: BTreeMap::new() };
        for line in BufReader::new(out).lines() {
            if let Some((_, address)) = line?.split_once("listening on http://") {
                emulator.address = address.trim_end_matches('/').to_owned();
                return Ok(emulator);
            }
        }
        Err(io::Error::other("the emulator ended before it listened"))
    }

    /// The elements of all pages.
    fn pages(&mut self, call: &Call, key: &str) -> io::Result<Value> {
        let (mut map, mut list) = (Map::new(), Vec::new());
        for page in 1.. {
            let size = call.query.iter().filter(|(key, _)| key == "page_size").cloned();
            let query = size.chain([("page".to_owned(), page.to_string())]).collect();
            match self.call(&Call { query, ..call.clone() })?.body.unwrap_or_default().get_mut(key) {
                Some(Value::Object(more)) if !more.is_empty() => map.append(more),
                Some(Value::Array(more)) if !more.is_empty() && !more.iter().all(|item| list.contains(item)) => list.append(more),
                _ => break,
            }
        }
        Ok(if map.is_empty() { Value::Array(list) } else { Value::Object(map) })
    }

    fn admin(&self, path: &str, body: Value) -> io::Result<Reply> {
        let call = Call { method: "POST".into(), path: format!("/_emulator/{path}"), body: Some(body), ..Call::default() };
        let reply = wire::send(&self.address, self.vendor.token(), &call)?;
        if reply.status >= 300 {
            return Err(io::Error::other(format!("POST /_emulator/{path} answered {}: {:?}", reply.status, reply.body)));
        }
        Ok(reply)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Cloud for Emulator {
    fn is_alive(&self) -> bool {
        true
    }

    fn call(&mut self, call: &Call) -> io::Result<Reply> {
        Ok(self.vendor.told(wire::send(&self.address, self.vendor.token(), &self.vendor.asked(call))?))
    }

    fn call_whole(&mut self, call: &Call) -> io::Result<Reply> {
        let mut reply = self.call(call)?;
        let key = self.vendor.catalogue_key();
        if reply.status != 200 || reply.body.as_ref().is_none_or(|body| body.get(key).is_none()) {
            return Ok(reply);
        }
        let known = format!("{} {}", call.path, call.filter.as_ref().map(Value::to_string).unwrap_or_default());
        if !self.whole.contains_key(&known) {
            let all = self.pages(call, key)?;
            self.whole.insert(known.clone(), all);
        }
        if let Some(Value::Object(body)) = &mut reply.body {
            body.insert(key.to_owned(), self.whole[&known].clone());
        }
        Ok(reply)
    }

    fn advance(&mut self) -> io::Result<bool> {
        let reply = self.admin("advance-to-next", json!({}))?;
        let body = reply.body.unwrap_or_default();
        // The answer says what time it is, and whether something was due.
        body["due"].as_bool().ok_or_else(|| io::Error::other(format!("advance-to-next does not say whether something was due: {body}")))
    }

    fn limit(&mut self, operation: &str) -> io::Result<()> {
        self.tell("faults", json!({"operation": operation, "what": "rate-limited", "times": 1, "skip": 0}))
    }

    fn tell(&mut self, path: &str, body: Value) -> io::Result<()> {
        let asked = self.vendor.asked(&Call { path: path.to_owned(), body: Some(body), ..Call::default() });
        self.admin(&asked.path, asked.body.unwrap_or_default()).map(drop)
    }
}
