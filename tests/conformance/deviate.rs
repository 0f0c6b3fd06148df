//! A cloud that is wrong on purpose, in one way at a time: the comparison must say so, else it proves nothing.

use crate::{
    cloud::{Call, Cloud, Reply},
    recording::Interaction,
};
use serde_json::Value;
use std::io;

/// One way to be wrong.
pub struct Deviation {
    /// What is wrong.
    pub name: &'static str,
    /// Makes an answer wrong; false, if it gives no occasion.
    pub apply: fn(&Call, &mut Reply) -> bool,
}

/// A cloud with a deviation.
pub struct Deviating<C> {
    /// What answers rightly.
    pub inner: C,
    /// How it is made wrong.
    pub deviation: &'static Deviation,
    /// The recorded calls whose answers were made wrong.
    pub spoilt: Vec<u64>,
    turn: u64,
}

impl<C: Cloud> Deviating<C> {
    /// A cloud with a deviation.
    pub fn new(inner: C, deviation: &'static Deviation) -> Deviating<C> {
        Deviating { inner, deviation, spoilt: Vec::new(), turn: 0 }
    }

    fn spoil(&mut self, call: &Call, mut reply: Reply) -> Reply {
        let before = reply.clone();
        if (self.deviation.apply)(call, &mut reply) && reply != before {
            self.spoilt.push(self.turn);
        }
        reply
    }
}

impl<C: Cloud> Cloud for Deviating<C> {
    fn turn(&mut self, interaction: &Interaction) {
        self.turn = interaction.seq;
        self.inner.turn(interaction);
    }

    fn call(&mut self, call: &Call) -> io::Result<Reply> {
        let reply = self.inner.call(call)?;
        Ok(self.spoil(call, reply))
    }

    fn call_whole(&mut self, call: &Call) -> io::Result<Reply> {
        let reply = self.inner.call_whole(call)?;
        Ok(self.spoil(call, reply))
    }

    fn advance(&mut self) -> io::Result<bool> {
        self.inner.advance()
    }

    fn limit(&mut self, operation: &str) -> io::Result<()> {
        self.inner.limit(operation)
    }
}

/// Another status in place of one that is there.
pub fn status(reply: &mut Reply, from: u16, to: u16) -> bool {
    let fits = reply.status == from;
    if fits {
        reply.status = to;
    }
    fits
}

/// Replaces a value that is there.
pub fn put(reply: &mut Reply, pointer: &str, from: &str, to: Value) -> bool {
    let found = reply.body.as_mut().and_then(|body| body.pointer_mut(pointer)).filter(|value| **value == from);
    found.map(|value| *value = to).is_some()
}

/// Changes the object of an answer, out of its envelope if it has one.
pub fn object(reply: &mut Reply, edit: &dyn Fn(&mut serde_json::Map<String, Value>)) -> bool {
    if reply.status >= 300 {
        return false;
    }
    let Some(map) = reply.body.as_mut().and_then(Value::as_object_mut) else { return false };
    let enveloped = map.len() == 1 && map.values().next().is_some_and(Value::is_object);
    match map.values_mut().next().and_then(Value::as_object_mut).filter(|_| enveloped) {
        Some(inner) => edit(inner),
        None => edit(map),
    }
    true
}

/// Changes the value of a key that is there.
pub fn change(map: &mut serde_json::Map<String, Value>, key: &str, edit: &dyn Fn(&Value) -> Value) {
    if let Some(value) = map.get_mut(key) {
        *value = edit(value);
    }
}

/// Changes the first value that gives occasion, depth first.
pub fn first(body: &mut Option<Value>, edit: &dyn Fn(&Value) -> Option<Value>) -> bool {
    fn walk(tree: &mut Value, edit: &dyn Fn(&Value) -> Option<Value>) -> bool {
        if let Some(new) = edit(tree) {
            *tree = new;
            return true;
        }
        match tree {
            Value::Object(map) => map.values_mut().any(|value| walk(value, edit)),
            Value::Array(items) => items.iter_mut().any(|value| walk(value, edit)),
            _ => false,
        }
    }
    body.as_mut().is_some_and(|tree| walk(tree, edit))
}

/// Changes the first value of that key that gives occasion.
pub fn first_key(body: &mut Option<Value>, wanted: &str, edit: &dyn Fn(&Value) -> Option<Value>) -> bool {
    first(body, &|tree| {
        let new = edit(tree.get(wanted)?)?;
        let mut changed = tree.clone();
        changed[wanted] = new;
        Some(changed)
    })
}
