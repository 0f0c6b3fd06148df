//! Recorded traffic of the real APIs, where that is at hand, for tests of decoders.

use serde_json::Value;
use std::{fs, path::Path};

/// One recorded call.
pub struct Call {
    pub place: String,
    pub method: String,
    /// Segments, with ids as `{id}`.
    pub route: Vec<String>,
    pub status: u16,
    pub body: Value,
}

/// Every recorded call to a vendor; none where the recordings are not at hand, which is said.
pub fn calls(vendor: &str, is_id: fn(&str) -> bool) -> Vec<Call> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings").join(vendor);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no recordings at {}", folder.display());
        return Vec::new();
    };
    let mut calls = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let call: Value = serde_json::from_str(line).unwrap();
            let segments = call["path"].as_str().unwrap().split('/').filter(|it| !it.is_empty());
            calls.push(Call {
                place: format!("{}:{}", path.file_name().unwrap().display(), call["seq"]),
                method: call["method"].as_str().unwrap().to_owned(),
                route: segments.map(|it| if is_id(it) { "{id}".to_owned() } else { it.to_owned() }).collect(),
                status: u16::try_from(call["status"].as_u64().unwrap()).unwrap(),
                body: call["response_body"].clone(),
            });
        }
    }
    calls
}

/// What a recorded answer says.
pub fn read<T: serde::de::DeserializeOwned>(call: &Call) -> T {
    serde_json::from_value(call.body.clone()).unwrap_or_else(|error| panic!("{}: {error}: {}", call.place, call.body))
}
