//! Endpoints: a method, a path, and what answers.

use super::exchange::{Answer, Request};
use crate::emulator::physics::Deed;
use crate::emulator::{Moment, Truth};

/// What a call knows: the request, and the names in its path.
#[derive(Clone, Copy)]
pub struct Args<'r> {
    /// The request.
    pub request: &'r Request,
    /// The zone in the path, where there is one.
    pub zone: &'r str,
    /// The first other name in the path.
    pub id: &'r str,
    /// The second one.
    pub key: &'r str,
}

/// A call that changes nothing.
pub type Look = fn(&Truth, Moment, &Args) -> Result<Answer, Answer>;
/// A call that changes something: all of it, or nothing.
pub type Perform = fn(&mut Deed, &Args) -> Result<Answer, Answer>;

/// What answers an endpoint.
#[derive(Clone, Copy)]
pub enum Call {
    /// It only looks.
    Look(Look),
    /// It changes something.
    Change(Perform),
}

/// An endpoint.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with names in braces: `{zone}`, `{id}`, `{key}`.
    pub path: &'static str,
    /// What answers it.
    pub call: Call,
}

impl Route {
    /// The name by which faults know its calls: method and path.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The names in the path of a request, if it is for this endpoint.
    pub fn matches<'r>(&self, request: &'r Request) -> Option<Args<'r>> {
        if self.method != request.method {
            return None;
        }
        let mut args = Args { request, zone: "", id: "", key: "" };
        let mut given = request.path.iter().map(String::as_str);
        for wanted in self.path.split('/').skip(1) {
            let part = given.next()?;
            match wanted {
                "{zone}" => args.zone = part,
                "{id}" => args.id = part,
                "{key}" => args.key = part,
                literal if literal == part => {}
                _ => return None,
            }
        }
        given.next().is_none().then_some(args)
    }
}

/// An endpoint that only looks.
pub const fn look(path: &'static str, call: Look) -> Route {
    Route { method: "GET", path, call: Call::Look(call) }
}

/// An endpoint that changes something.
pub const fn change(method: &'static str, path: &'static str, call: Perform) -> Route {
    Route { method, path, call: Call::Change(call) }
}
