//! What no vendor offers: a look behind the face, and a hand on clock, faults and stock. Below `/_emulator/`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::exchange::{Answer, Request};
use super::front::Face;
use super::moments;
use crate::emulator::physics::Pace;
use crate::emulator::{Clock, Fault, Moment, Refusal};

/// Lasting habits; what is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    /// For how many cloud seconds a new object is missing from listings.
    listing_lag: Option<u64>,
    /// How many objects of a kind there may be; null lifts the limit.
    quota: BTreeMap<String, Option<u32>>,
    /// Whether callers are held to the limits of their rates; null leaves it to the clock: not while it stands still.
    #[serde(deserialize_with = "given")]
    rate_limits: Option<Option<bool>>,
    /// What only the vendor knows.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A change to the clock: exactly one of these.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Turn {
    /// Moves it ahead, by so many cloud seconds.
    advance: Option<f64>,
    /// How many cloud seconds pass in a second; 0 stops it.
    speed: Option<f64>,
    /// Lets what is stuck come due.
    unstick: bool,
}

/// What becomes of the requests that are held.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Release {
    /// Those not carried out yet are at this cloud time, in microseconds since 1970, or right before the next request that
    /// changes something. Where this is missing, they are dropped.
    by: Option<i64>,
}

/// Whether a request is answered only once some request is held.
pub fn waits(request: &Request) -> bool {
    request.method == "GET" && request.segments() == ["_emulator", "held"]
}

/// Answers a request to the emulator itself.
pub fn answer(face: &Face, request: &Request) -> Answer {
    let outcome = match (request.method.as_str(), request.segments().get(1..).unwrap_or_default()) {
        ("GET", route) => look(face, request, route),
        (_, route) => act(face, request, route),
    };
    outcome.unwrap_or_else(|refused| refused)
}

fn look(face: &Face, request: &Request, route: &[&str]) -> Result<Answer, Answer> {
    let cloud = &face.cloud;
    let body = match route {
        ["truth"] => json!(cloud.truth()?),
        ["ledger"] => {
            let (ledger, now) = (cloud.ledger()?, cloud.now()?);
            json!({
                "losses": ledger.losses,
                "eur": ledger.euros(now),
                "eur_per_hour": ledger.euros_per_hour(),
                "bill": ledger.bill,
                "calls": ledger.calls,
            })
        }
        ["inventory"] => json!({"lines": cloud.inventory()?}),
        ["leaks"] => json!({"lines": cloud.leaks(&request.all("living"))?}),
        ["faults"] => json!({"armed": cloud.truth()?.faults.armed}),
        ["clock"] => clock(face)?,
        ["held"] => json!({"operations": face.held().operations()}),
        ["log"] => json!({"requests": face.log().lines}),
        ["disks", id] => {
            let path = cloud.disk_path(id);
            let length = std::fs::metadata(&path).map(|file| file.len()).map_err(|_| unknown())?;
            json!({"path": path, "length": length})
        }
        _ => return Err(unknown()),
    };
    Ok(Answer::ok(body))
}

fn act(face: &Face, request: &Request, route: &[&str]) -> Result<Answer, Answer> {
    let cloud = &face.cloud;
    match (request.method.as_str(), route) {
        ("POST", ["faults"]) => {
            let faults = match tree(request)? {
                Value::Array(faults) => faults,
                fault => vec![fault],
            };
            for fault in faults {
                cloud.arm(read_fault(fault)?)?;
            }
        }
        ("DELETE", ["faults"]) => cloud.disarm_all()?,
        ("POST", ["settings"]) => {
            let settings: Settings = read(tree(request)?)?;
            if let Some(lag) = settings.listing_lag {
                cloud.set_listing_lag(lag)?;
            }
            for (kind, limit) in &settings.quota {
                cloud.set_quota(kind, *limit)?;
            }
            if let Some(enforced) = settings.rate_limits {
                face.limits().enforced = enforced;
            }
            cloud.change("settings", Pace::Times(1), |deed| face.vendor.settle(deed, settings.rest).map_err(|problem| wrong(&problem)))?;
        }
        ("POST", ["clock"]) => {
            turn(face, &read(tree(request)?)?)?;
            return Ok(Answer::ok(clock(face)?));
        }
        ("POST", ["advance-to-next"]) => {
            let due = advance_to_next(face)?;
            let mut body = clock(face)?;
            body["due"] = json!(due);
            return Ok(Answer::ok(body));
        }
        ("POST", ["let-go"]) => {
            let release: Release = read(tree(request)?)?;
            face.held().release(release.by.map(Moment));
            return Ok(Answer::ok(json!({"to_come": face.held().to_come(), "overtaken": face.held().overtaken()})));
        }
        ("DELETE", ["log"]) => face.log().lines.clear(),
        ("POST", ["condemn"]) => {
            let body = tree(request)?;
            cloud.condemn(body["id"].as_str().unwrap_or_default())?;
        }
        ("POST", [what]) => {
            let body = tree(request)?;
            return cloud.change(what, Pace::Times(1), |deed| face.vendor.intervene(deed, what, &body).unwrap_or_else(|| Err(unknown())));
        }
        _ => return Err(unknown()),
    }
    Ok(Answer::ok(json!({"done": true})))
}

/// The body of a request.
fn tree(request: &Request) -> Result<Value, Answer> {
    request.tree().map_err(|error| wrong(&error.to_string()))
}

/// There is no such thing.
fn unknown() -> Answer {
    Answer::json(404, json!({"message": "the emulator knows no such thing"}))
}

/// What is asked for makes no sense.
fn wrong(problem: &str) -> Answer {
    Answer::json(400, json!({"message": problem}))
}

/// A value that is there, be it null.
fn given<'d, D: Deserializer<'d>>(source: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(source).map(Some)
}

fn read<T: for<'d> Deserialize<'d>>(body: Value) -> Result<T, Answer> {
    serde_json::from_value(body).map_err(|error| wrong(&error.to_string()))
}

/// A fault: `what` is a word, or an object such as `{"slow": {"factor": 3}}`; factor and seconds may also stand beside it.
fn read_fault(mut body: Value) -> Result<Fault, Answer> {
    let beside = [("slow", "factor"), ("late", "seconds")].into_iter().find(|(word, _)| body["what"] == *word);
    if let Some((word, key)) = beside {
        let value = body.as_object_mut().and_then(|body| body.remove(key)).unwrap_or_else(|| json!(10));
        body["what"] = json!({ word: { key: value } });
    }
    for (key, default) in [("times", 1), ("skip", 0)] {
        if body[key].is_null() {
            body[key] = json!(default);
        }
    }
    read(body)
}

/// What the clock shows.
fn clock(face: &Face) -> Result<Value, Refusal> {
    let (now, next, clock) = (face.cloud.now()?, face.cloud.next_due()?, face.cloud.truth()?.clock.clock());
    let speed = match clock {
        Clock::Speed(speed) => Some(speed),
        Clock::Manual | Clock::AsIs => None,
    };
    Ok(json!({
        "now": now.to_string(),
        "date": moments::http(now),
        "micros": now.0,
        "speed": speed,
        "manual": clock == Clock::Manual,
        "next_due": next.map(|next| next.to_string()),
    }))
}

fn turn(face: &Face, turn: &Turn) -> Result<(), Answer> {
    if let Some(seconds) = turn.advance {
        let by = Duration::try_from_secs_f64(seconds).map_err(|error| wrong(&error.to_string()))?;
        face.cloud.advance(by)?;
    }
    if let Some(speed) = turn.speed {
        face.cloud.set_clock(Clock::Speed(speed))?;
    }
    if turn.unstick {
        face.cloud.unstick()?;
    }
    Ok(())
}

/// Moves the clock to the moment when the next thing happens by itself; tells whether there is one.
fn advance_to_next(face: &Face) -> Result<bool, Refusal> {
    let Some(due) = face.cloud.next_due()? else { return Ok(false) };
    let now = face.cloud.now()?;
    let micros = u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0);
    face.cloud.advance(Duration::from_micros(micros))?;
    Ok(true)
}
