//! The emulator as a process of its own, with a clock that only moves when it is told to.

use crate::{
    cloud::{Call, Cloud, Reply},
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
    process: Child,
    address: String,
    folder: PathBuf,
    /// The elements of all pages of a list that does not change, by path.
    whole: BTreeMap<String, Map<String, Value>>,
}

impl Emulator {
    /// Starts one over a fresh directory and waits until it listens.
    pub fn start() -> io::Result<Emulator> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("conformance-{}-{number}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_cloudypad"))
            .args(["emulator", "--provider", "scaleway", "--listen", "127.0.0.1:0", "--manual-clock", "--data"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let out = process.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut emulator = Emulator { process, address: String::new(), folder, whole: BTreeMap::new() };
        for line in BufReader::new(out).lines() {
            if let Some((_, address)) = line?.split_once("listening on http://") {
                emulator.address = address.trim_end_matches('/').to_owned();
                return Ok(emulator);
            }
        }
        Err(io::Error::other("the emulator ended before it listened"))
    }

    fn admin(&self, path: &str, body: Value) -> io::Result<Reply> {
        let call = Call { method: "POST".into(), path: format!("/_emulator/{path}"), body: Some(body), ..Call::default() };
        let reply = wire::send(&self.address, &call)?;
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
    fn call(&mut self, call: &Call) -> io::Result<Reply> {
        wire::send(&self.address, call)
    }

    fn call_whole(&mut self, call: &Call) -> io::Result<Reply> {
        let mut reply = self.call(call)?;
        if reply.status != 200 {
            return Ok(reply);
        }
        if !self.whole.contains_key(&call.path) {
            let mut all = Map::new();
            for page in 1.. {
                let page = vec![("page".to_owned(), page.to_string())];
                let more = self.call(&Call { query: page, ..call.clone() })?.body.unwrap_or_default();
                match more["servers"].as_object() {
                    Some(types) if !types.is_empty() => all.extend(types.clone()),
                    _ => break,
                }
            }
            self.whole.insert(call.path.clone(), all);
        }
        if let Some(Value::Object(body)) = &mut reply.body {
            body.insert("servers".into(), Value::Object(self.whole[&call.path].clone()));
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
        self.admin("faults", json!({"operation": operation, "what": "rate-limited", "times": 1, "skip": 0})).map(drop)
    }
}
