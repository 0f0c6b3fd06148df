//! One recording, replayed as its client would: every call again, with the names of today, the clock moved only
//! where the recording has already seen what is still to come.

use crate::{
    cloud::{Call, Cloud, Reply},
    compare::{Difference, Known, brief, compare},
    motion,
    names::{Names, ids},
    recording::{Interaction, Recording},
    route::Route,
    vendor::Vendor,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// More steps than any wait takes.
const STEPS: usize = 40;

/// What became of one recorded call.
pub struct Line {
    /// Its recording.
    pub recording: String,
    /// Its number there.
    pub seq: u64,
    /// Method and path, as recorded.
    pub call: String,
    /// Its endpoint, if that is held to account.
    pub route: Option<Route>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a call.
pub enum Verdict {
    /// Its endpoint is not held to account.
    Outside,
    /// It needs something that no call of the recording made or showed.
    Depends(String),
    /// It was replayed, with these differences.
    Compared {
        /// What differs.
        differences: Vec<Difference>,
        /// Whether a state had gone by because time had to pass for something else.
        overtaken: bool,
        /// What differs rightly: by the moment, by the API's age, by chance.
        excused: Vec<Difference>,
    },
}

/// Replays a recording.
///
/// Errors: only where the cloud cannot be talked to.
pub fn replay(recording: &Recording, cloud: &mut dyn Cloud) -> io::Result<Vec<Line>> {
    let vendor = recording.vendor;
    if cloud.is_alive() {
        vendor.premise(recording, cloud)?;
    }
    let mut replay = Replay {
        vendor,
        cloud,
        recording,
        names: Names::default(),
        born: born(recording),
        projects: projects(recording),
        seen: BTreeSet::new(),
        outside: BTreeSet::new(),
        moved_for: Vec::new(),
        touched: BTreeMap::new(),
        unchanged: BTreeSet::new(),
        changed: String::new(),
    };
    let mut lines = Vec::new();
    for (index, interaction) in recording.interactions.iter().enumerate() {
        let call = format!("{} {}", interaction.method, interaction.path);
        let route = Route::of(vendor, &interaction.method, &interaction.path);
        let verdict = match &route {
            Some(route) => {
                let verdict = replay.one(route, index, lags(recording, index));
                verdict.map_err(|error| io::Error::other(format!("{}:{} {call}: {error}", interaction.file, interaction.seq)))?
            }
            None => {
                replay.outside(index)?;
                let told = interaction.answer.iter().map(Value::to_string).collect::<String>();
                replay.outside.extend(ids(&told).into_iter().map(str::to_owned));
                Verdict::Outside
            }
        };
        if let Some(answer) = &interaction.answer {
            replay.seen.extend(ids(&answer.to_string()).into_iter().map(str::to_owned));
        }
        lines.push(Line { recording: interaction.file.clone(), seq: interaction.seq, call, route, verdict });
    }
    Ok(lines)
}

struct Replay<'a> {
    vendor: &'static dyn Vendor,
    cloud: &'a mut dyn Cloud,
    recording: &'a Recording,
    names: Names,
    born: BTreeSet<String>,
    projects: BTreeSet<String>,
    seen: BTreeSet<String>,
    /// Ids in answers of endpoints that are not replayed.
    outside: BTreeSet<String>,
    /// For which paths the clock was moved.
    moved_for: Vec<String>,
    /// How often it had been moved when a call last changed something, by the ids in that call.
    touched: BTreeMap<String, usize>,
    /// Ids of things that a call which could not be made would have changed.
    unchanged: BTreeSet<String>,
    /// When, in the recording, a call last changed something.
    changed: String,
}

impl Replay<'_> {
    fn one(&mut self, route: &Route, index: usize, lags: bool) -> io::Result<Verdict> {
        let interaction = &self.recording.interactions[index];
        self.cloud.turn(interaction);
        if self.cloud.is_alive() {
            self.vendor.stand_in(self.recording, index, self.cloud, &mut self.names)?;
        }
        let call = match self.call_of(index) {
            Ok(call) => call,
            Err(reason) => {
                if interaction.method != "GET" && reason.ends_with("not held to account") {
                    self.unchanged.extend(ids(&interaction.path).into_iter().map(str::to_owned));
                }
                return Ok(Verdict::Depends(reason));
            }
        };
        for (path, body) in &interaction.before {
            self.cloud.tell(&self.names.translate(path), self.names.translate_tree(body))?;
        }
        self.vendor.arm(interaction, &self.vendor.operation(route, call.body.as_ref()), self.cloud)?;
        if interaction.method != "GET" {
            let body = interaction.request.as_ref().map(Value::to_string).unwrap_or_default();
            let named = ids(&interaction.path).into_iter().chain(ids(&body)).map(str::to_owned);
            self.touched.extend(named.map(|id| (id, self.moved_for.len())));
            self.changed = interaction.date.clone();
        }
        let lags = lags && seconds_between(&self.changed, &interaction.date) <= 2;
        let vendor = self.vendor;
        let known = Known { vendor, route, born: &self.born, projects: &self.projects };
        let (mut reply, mut names, mut compared);
        let (mut steps, mut settled) = (0, false);
        loop {
            reply = if vendor.is_catalogue(route) { self.cloud.call_whole(&call)? } else { self.cloud.call(&call)? };
            names = self.names.clone();
            compared = compare(&known, interaction, &reply, &mut names);
            if compared.foreign > 0 && is_empty_list(&reply) && !settled {
                settled = vendor.settle(self.cloud, route, &call.path)?;
                if !settled {
                    return Ok(Verdict::Depends(format!("lists {} objects of other people and none of its own", compared.foreign)));
                }
                continue;
            }
            steps += 1;
            if lags || steps > STEPS || !motion::is_behind(vendor, interaction, &reply, &compared.differences) || !self.cloud.advance()? {
                break;
            }
            self.moved_for.push(interaction.path.clone());
        }
        self.names = names;
        let overtaken = self.is_overtaken(interaction);
        let of_moment = |it: &Difference| {
            vendor.is_of_instant(interaction, &reply, it)
                || (lags && motion::is_of_lag(vendor, it))
                || (overtaken && motion::is_gone_by(vendor, interaction, &reply, it))
        };
        let (gone_by, differences): (Vec<Difference>, Vec<Difference>) = compared.differences.into_iter().partition(of_moment);
        if let Some(id) = ids(&interaction.path).into_iter().find(|id| !differences.is_empty() && self.unchanged.contains(*id)) {
            return Ok(Verdict::Depends(format!("a call that would have changed {id} could not be made")));
        }
        let overtaken = !gone_by.is_empty();
        Ok(Verdict::Compared { differences, overtaken, excused: [compared.excused, gone_by].concat() })
    }

    /// Makes a call of an endpoint that is not held to account, if the vendor's recordings need what comes of it.
    fn outside(&mut self, index: usize) -> io::Result<()> {
        let interaction = &self.recording.interactions[index];
        if !self.vendor.performs_outside() || !self.cloud.is_alive() || interaction.method == "GET" {
            return Ok(());
        }
        self.cloud.turn(interaction);
        self.vendor.stand_in(self.recording, index, self.cloud, &mut self.names)?;
        let Ok(call) = self.call_of(index) else { return Ok(()) };
        let route = Route { method: interaction.method.clone(), template: interaction.path.clone() };
        let known = Known { vendor: self.vendor, route: &route, born: &self.born, projects: &self.projects };
        let reply = self.cloud.call(&call)?;
        if reply.status == interaction.status {
            // What differs is not held to account; what the names are is wanted.
            compare(&known, interaction, &reply, &mut self.names);
        }
        Ok(())
    }

    /// Was the clock moved for something else since a call last changed what this one looks at?
    fn is_overtaken(&self, interaction: &Interaction) -> bool {
        let body = interaction.answer.as_ref().map(Value::to_string).unwrap_or_default();
        let looked_at = ids(&interaction.path).into_iter().chain(ids(&body)).filter(|id| !self.projects.contains(*id));
        let since = looked_at.filter_map(|id| self.touched.get(id)).max().copied().unwrap_or(0);
        self.moved_for[since..].iter().any(|path| *path != interaction.path)
    }

    /// The call with today's names in it.
    ///
    /// Errors: why it cannot be made.
    fn call_of(&self, index: usize) -> Result<Call, String> {
        let interaction = &self.recording.interactions[index];
        let unknown =
            |text: &str| ids(text).into_iter().find(|id| self.names.of(id).is_none() && !crate::names::is_fixed(id)).map(str::to_owned);
        if interaction.status < 400
            && let Some(id) = unknown(&interaction.path)
        {
            let why =
                if self.seen.contains(&id) { "an earlier answer did not show its counterpart" } else { "it is older than the recording" };
            return Err(format!("no name for {id}: {why}"));
        }
        let body = match &interaction.request {
            _ if interaction.method == "GET" || interaction.method == "DELETE" => None,
            _ if interaction.lost_its_request() => Some(
                self.vendor
                    .request_of(self.recording, index, &self.seen)
                    .ok_or("the recorder lost the request, and the answer does not tell it")?,
            ),
            sent => sent.clone(),
        };
        let sent = body.as_ref().map(Value::to_string).unwrap_or_default();
        let made_outside = |id: &&str| self.outside.contains(*id) && self.names.of(id).is_none() && !self.projects.contains(*id);
        if let Some(id) = ids(&sent).into_iter().find(made_outside) {
            return Err(format!("{id} comes from an endpoint that is not held to account"));
        }
        if let Some(image) = body.as_ref().and_then(|body| body["image"].as_str())
            && interaction.status < 400
            && self.names.of(image).is_none()
            && unknown(image).is_some()
        {
            return Err(format!("no name for the image {image}"));
        }
        Ok(Call {
            method: interaction.method.clone(),
            path: self.names.translate(&interaction.path),
            query: interaction.query.iter().map(|(key, value)| (key.clone(), self.names.translate(value))).collect(),
            body: body.map(|body| self.names.translate_tree(&body)),
            filter: interaction.filter.as_ref().map(|filter| self.names.translate_tree(filter)),
            token: !interaction.notes("no-token"),
        })
    }
}

/// May this recorded answer lag behind the change before it? It shows something at rest, what the one before showed, and the next one
/// shows something else.
fn lags(recording: &Recording, index: usize) -> bool {
    let (vendor, this) = (recording.vendor, &recording.interactions[index]);
    let look = |it: &&Interaction| it.method == "GET" && it.path == this.path && it.query == this.query;
    let answer = |it: &Interaction| it.answer.clone().unwrap_or_default();
    let before = recording.interactions[..index].iter().rev().find(look);
    let after = recording.interactions[index + 1..].iter().find(look);
    this.method == "GET"
        && !motion::is_moving(vendor, &answer(this))
        && before.is_none_or(|it| motion::is_same_moment(vendor, &answer(it), &answer(this)))
        && after.is_some_and(|it| !motion::is_same_moment(vendor, &answer(it), &answer(this)))
}

/// Seconds between two moments of one day, as recordings write them; many, if that cannot be told.
fn seconds_between(from: &str, to: &str) -> u32 {
    let second = |text: &str| {
        let part = |range| text.get(range).and_then(|it: &str| it.parse::<u32>().ok());
        Some(part(11..13)? * 3600 + part(14..16)? * 60 + part(17..19)?)
    };
    match (second(from), second(to), from.get(..10) == to.get(..10)) {
        (Some(from), Some(to), true) => to.saturating_sub(from),
        _ => u32::MAX,
    }
}

fn is_empty_list(reply: &Reply) -> bool {
    let lists = reply.body.as_ref().and_then(Value::as_object);
    lists.is_some_and(|map| map.values().any(|value| value.as_array().is_some_and(Vec::is_empty)))
}

/// The ids in what calls of this recording made.
fn born(recording: &Recording) -> BTreeSet<String> {
    let made = recording.interactions.iter().filter(|it| it.method != "GET" && it.status < 300);
    made.flat_map(|it| it.answer.iter().flat_map(|answer| ids(&answer.to_string()).into_iter().map(str::to_owned).collect::<Vec<_>>()))
        .collect()
}

/// The projects that calls of this recording name.
fn projects(recording: &Recording) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for interaction in recording.interactions.iter().filter(|it| Route::of(recording.vendor, &it.method, &it.path).is_some()) {
        if let Some(body) = interaction.request.as_ref().filter(|_| interaction.method != "GET") {
            let inner = body.as_object().and_then(|map| map.values().find(|value| value.is_object()));
            for object in [Some(body), inner.filter(|_| interaction.lost_its_request())].into_iter().flatten() {
                found.extend(["project", "project_id"].iter().filter_map(|key| Some(object[*key].as_str()?.to_owned())));
            }
        }
        found.extend(interaction.query.iter().filter(|(key, _)| key.starts_with("project")).map(|(_, value)| value.clone()));
    }
    found
}

/// What differs, for people.
pub fn said(difference: &Difference) -> String {
    let kind = if difference.is_of_value() { "value" } else { "shape" };
    format!("{kind} {}: recorded {}, got {}", difference.pointer, brief(&difference.recorded), brief(&difference.got))
}
