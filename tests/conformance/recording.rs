//! Recordings as files hold them: one JSON object to the line, in the order in which the calls ended.

use crate::vendor::{VENDORS, Vendor};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// One file.
pub struct Recording {
    /// Whose API it is of.
    pub vendor: &'static dyn Vendor,
    /// Its name, without the extension.
    pub name: String,
    /// Its calls, in order.
    pub interactions: Vec<Interaction>,
}

/// One recorded call with its answer.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// The name of its file, without the extension.
    pub file: String,
    /// Its number in its file.
    pub seq: u64,
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path, undecoded.
    pub path: String,
    /// The pairs of the query, decoded.
    pub query: Vec<(String, String)>,
    /// What was sent. Text where it was not JSON.
    pub request: Option<Value>,
    /// What a list was narrowed by in a header. Recorders lose it; cases of our own tell it.
    pub filter: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The headers that were kept, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body of the answer: JSON, or text where it was not; none where it was empty.
    pub answer: Option<Value>,
    /// When, as `2026-07-30T12:55:24+00:00`.
    pub date: String,
    /// What a case of our own has the emulator told before the call: paths and bodies.
    pub before: Vec<(String, Value)>,
    /// What the recorder, or a case of our own, says about it.
    pub notes: Vec<String>,
}

impl Interaction {
    /// Is this said in its notes?
    pub fn notes(&self, note: &str) -> bool {
        self.notes.iter().any(|it| it == note)
    }

    /// Was the request's body lost, the response standing in its place?
    pub fn lost_its_request(&self) -> bool {
        self.notes("request-body-is-response")
    }

    fn read(file: &str, line: &str, number: usize) -> Result<Interaction, String> {
        let tree: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| tree[key].as_str().map(str::to_owned).ok_or_else(|| format!("{key} is missing"));
        let some = |key: &str| Some(tree[key].clone()).filter(|value| !value.is_null());
        let query = tree["query"].as_object().into_iter().flatten().flat_map(|(key, values)| {
            let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
            values.into_iter().filter_map(move |value| Some((key.clone(), value.as_str()?.to_owned())))
        });
        let headers = tree["response_headers"].as_object().into_iter().flatten();
        let before = tree["before"].as_array().into_iter().flatten();
        let before = before.filter_map(|it| Some((it["path"].as_str()?.to_owned(), it["body"].clone())));
        Ok(Interaction {
            file: file.to_owned(),
            seq: tree["seq"].as_u64().unwrap_or(number as u64),
            method: text("method")?,
            path: text("path")?,
            query: query.collect(),
            request: some("request_body"),
            filter: some("filter"),
            status: tree["status"].as_u64().and_then(|status| u16::try_from(status).ok()).ok_or("status is missing")?,
            headers: headers.filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect(),
            answer: some("response_body"),
            before: before.collect(),
            date: tree["date"].as_str().unwrap_or("9999").to_owned(),
            notes: tree["notes"].as_array().into_iter().flatten().filter_map(|note| Some(note.as_str()?.to_owned())).collect(),
        })
    }
}

/// All recordings of a folder, by vendor and name, as they are replayed. Lines that begin with `//` are remarks.
///
/// Errors: a file that cannot be read, or holds something else, named with its line.
pub fn read_folder(folder: &Path) -> io::Result<Vec<Recording>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    let read: Vec<Recording> = files.into_iter().map(|path| read_file(&path)).collect::<io::Result<_>>()?;
    let (mut read, mut prepared) = (read, Vec::new());
    for vendor in VENDORS {
        let theirs;
        (theirs, read) = read.into_iter().partition(|it| it.vendor.name() == vendor.name());
        prepared.extend(vendor.prepared(theirs));
    }
    Ok(prepared)
}

fn read_file(path: &Path) -> io::Result<Recording> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut interactions = Vec::new();
    for (number, line) in fs::read_to_string(path)?.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with("//") {
            continue;
        }
        let read = Interaction::read(&name, line, interactions.len());
        interactions.push(read.map_err(|error| io::Error::other(format!("{}:{}: {error}", path.display(), number + 1)))?);
    }
    let of = |vendor: &&&dyn Vendor| interactions.iter().all(|it: &Interaction| vendor.speaks(&it.path));
    let vendor = VENDORS.iter().find(of).ok_or_else(|| io::Error::other(format!("{}: no vendor has these paths", path.display())))?;
    Ok(Recording { vendor: *vendor, name, interactions })
}
