//! What a vendor's API adds to the common face.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::exchange::{Answer, Request};
use super::limits::{Limit, Standing};
use super::route::{Args, Route};
use crate::emulator::physics::Deed;
use crate::emulator::truth::Effect;
use crate::emulator::{FaultKind, Moment, Refusal};

/// A vendor's endpoints and its own words.
pub trait Vendor: Sync {
    /// Brings a request into the form in which the endpoints know it.
    fn prepare<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        Cow::Borrowed(request)
    }

    /// Lets a caller in; `token` is the only one that is taken, any if missing.
    ///
    /// Errors: the answer to a caller who is not let in.
    fn admit(&self, request: &Request, token: Option<&str>) -> Result<(), Answer>;

    /// The endpoint a request is for, and the names in its path.
    ///
    /// Errors: the answer where there is no such endpoint.
    fn find<'r>(&self, request: &'r Request) -> Result<(&'static Route, Args<'r>), Answer>;

    /// The name by which faults know a call.
    fn operation(&self, route: &Route, _request: &Request) -> String {
        route.name()
    }

    /// How many calls like this one a caller has, if there is a limit.
    fn limit(&self, _route: &Route, _request: &Request) -> Option<Limit> {
        None
    }

    /// The answer of a call that is not performed because a fault befell it; none, if it is performed in spite of it.
    fn befall(&self, fault: FaultKind, route: &Route, args: &Args, operation: &str) -> Option<Answer>;

    /// What the core refuses, in the vendor's words.
    fn word(&self, refusal: &Refusal) -> Answer;

    /// The condition of every object that an answer shows, by id; `gone` for one that was asked for and is not there.
    fn seen(&self, request: &Request, answer: &Answer) -> Map<String, Value>;

    /// The body of a request as the log shows it: without secrets.
    fn told(&self, request: &Request) -> Value;

    /// Gives the answer to a request of this number the headers that all have, and those that tell where its caller
    /// stands with a limit.
    fn dress(&self, request: &Request, answer: &mut Answer, number: u64, at: Moment, stands: Option<Standing>);

    /// What follows from something that just happened in the core.
    fn follow(&self, deed: &mut Deed, effect: &Effect);

    /// Takes up settings of its own.
    ///
    /// Errors: a sentence on what is wrong with them.
    fn settle(&self, deed: &mut Deed, settings: Map<String, Value>) -> Result<(), String>;

    /// Does something that no customer can: `what` is the last part of a path below `/_emulator/`. None, if it knows no
    /// such thing.
    fn intervene(&self, deed: &mut Deed, what: &str, body: &Value) -> Option<Result<Answer, Answer>>;
}
