//! User data: what a guest may ask for, by key; raw bytes, and errors without a body.

use serde_json::json;

use super::input::invalid;
use super::servers::find;
use crate::emulator::face::Args;
use crate::emulator::face::{Answer, Body};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// The longest value, in bytes.
const LONGEST: usize = 128_000;

/// GET `user_data`: the keys.
pub fn list(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.zone, args.id)?;
    let keys: Vec<&String> = details.user_data.keys().collect();
    Ok(Answer::ok(json!({"user_data": keys})))
}

/// GET `user_data/{key}`.
pub fn get(truth: &Truth, _: Moment, args: &Args) -> Result<Answer, Answer> {
    let (_, details) = find(truth, args.zone, args.id)?;
    let value = details.user_data.get(args.key).ok_or_else(|| Answer::empty(404))?;
    Ok(Answer { status: 200, headers: Vec::new(), body: Body::Bytes(bytes_of(value)) })
}

/// The bytes that the characters of a kept value stand for.
fn bytes_of(value: &str) -> Vec<u8> {
    value.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}

/// PATCH `user_data/{key}`.
pub fn set(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.zone, args.id)?;
    if args.request.body.len() > LONGEST {
        return Err(invalid("user_data", "constraint", "the value is too long"));
    }
    let value = args.request.body.iter().copied().map(char::from).collect();
    if let Some(details) = deed.truth.scaleway.servers.get_mut(args.id) {
        details.user_data.insert(args.key.to_owned(), value);
    }
    Ok(Answer::empty(204).with("content-type", "text/plain"))
}

/// DELETE `user_data/{key}`.
pub fn delete(deed: &mut Deed, args: &Args) -> Result<Answer, Answer> {
    find(&deed.truth, args.zone, args.id)?;
    let details = deed.truth.scaleway.servers.get_mut(args.id);
    match details.and_then(|details| details.user_data.remove(args.key)) {
        Some(_) => Ok(Answer::empty(204).with("content-type", "text/plain")),
        None => Err(Answer::empty(404)),
    }
}
