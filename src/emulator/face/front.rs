//! The face itself: a request in, an answer out, and whatever faults are armed between them. Pure but for the cloud's
//! files: no wire, no clock but the cloud's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::admin;
use super::exchange::{Answer, Body, Request};
use super::held::{Held, Waiting};
use super::late::Order;
use super::limits::{Limits, Standing};
use super::log::{self, Log, Trace};
use super::route::{Args, Call, Route};
use super::vendor::Vendor;
use crate::emulator::physics::Pace;
use crate::emulator::truth::Effect;
use crate::emulator::{Clock, Cloud, FaultKind, Moment, Refusal};

/// A vendor's API over a cloud.
pub struct Face {
    pub(super) cloud: Cloud,
    /// Whose API it is.
    pub(super) vendor: &'static dyn Vendor,
    /// The only token that is taken; any, if missing.
    token: Option<String>,
    log: Mutex<Log>,
    limits: Mutex<Limits>,
    held: Held,
}

/// What a request comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The answer; nothing if the connection is closed without one.
    pub answer: Option<Answer>,
    /// The cloud time of the answer.
    pub at: Moment,
    /// The number of the request.
    pub number: u64,
    /// Where its caller stands with a limit.
    pub stands: Option<Standing>,
    /// What befell it.
    pub fault: Option<FaultKind>,
    /// Whether the connection stays open until whoever holds the request lets it go.
    pub held: bool,
}

/// Nothing is answered: the connection is closed.
struct Silence;

/// What befell a request on its way.
#[derive(Default)]
struct Journey {
    operation: Option<String>,
    fault: Option<FaultKind>,
    stands: Option<Standing>,
}

impl Face {
    /// The face of the vendor that a cloud stands in for, for callers with this token or any.
    ///
    /// Errors: it stands in for nobody, or its directory cannot be read.
    pub fn new(cloud: Cloud, token: Option<String>) -> Result<Face, Refusal> {
        let vendor = cloud.peek(|truth, _| truth.market.vendor())?;
        let vendor = vendor.ok_or_else(|| Refusal::invalid("this cloud stands in for no vendor"))?;
        Ok(Face { cloud, vendor, token, log: Mutex::default(), limits: Mutex::default(), held: Held::default() })
    }

    /// The cloud behind it.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Answers a request, and writes it into the log.
    pub fn answer(&self, request: &Request) -> Reply {
        let is_admin = request.path.first().is_some_and(|first| first == "_emulator");
        let mut journey = Journey::default();
        let outcome = if is_admin { Ok(admin::answer(self, request)) } else { self.serve(request, &mut journey) };
        let held = matches!(journey.fault, Some(FaultKind::HoldBefore | FaultKind::HoldAfter));
        let at = self.cloud.now().unwrap_or_default();
        let answer = outcome.ok().map(|answer| self.worded(answer));
        let number = match is_admin {
            true => self.log().next,
            false => self.log().add(|number| {
                let trace = Trace { operation: journey.operation.as_deref(), fault: journey.fault, number, at };
                log::entry(self.vendor, request, answer.as_ref(), &trace)
            }),
        };
        Reply { answer, at, number, stands: journey.stands, fault: journey.fault, held }
    }

    /// The answer of a reply with the headers that all have; nothing if the connection is closed without one.
    pub fn dressed(&self, request: &Request, reply: Reply) -> Option<Answer> {
        let mut answer = reply.answer?;
        self.vendor.dress(request, &mut answer, reply.number, reply.at, reply.stands);
        Some(answer)
    }

    /// The requests to the API, in order.
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        // A panic leaves at worst one entry out.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests that are held.
    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// How often callers called.
    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        // A panic leaves at worst one call uncounted.
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same answer, with what the core refused in the vendor's words.
    fn worded(&self, answer: Answer) -> Answer {
        match &answer.body {
            Body::Refused(refusal) => self.vendor.word(refusal),
            _ => answer,
        }
    }

    fn serve(&self, request: &Request, journey: &mut Journey) -> Result<Answer, Silence> {
        let prepared = self.vendor.prepare(request);
        let request = prepared.as_ref();
        if let Err(answer) = self.vendor.admit(request, self.token.as_deref()) {
            return Ok(answer);
        }
        let (route, args) = match self.vendor.find(request) {
            Ok(found) => found,
            Err(answer) => return Ok(answer),
        };
        let operation = self.vendor.operation(route, request);
        journey.operation = Some(operation.clone());
        if let Err(refusal) = self.held.overtake(&self.cloud, self.vendor, route.method != "GET") {
            return Ok(refusal.into());
        }
        journey.stands = self.count(route, request);
        if journey.stands.is_some_and(|stands| stands.refused) {
            let refusal = self.vendor.befall(FaultKind::RateLimited, route, &args, &operation);
            return Ok(refusal.unwrap_or_else(|| Answer::empty(429)));
        }
        match self.cloud.gate(&operation, route.method == "GET") {
            Ok(None) => Ok(self.perform(route, &args, &operation, None)),
            Ok(Some(fault)) => {
                journey.fault = Some(fault);
                self.perform_under(fault, route, &args, &operation)
            }
            Err(refusal) => Ok(refusal.into()),
        }
    }

    /// Counts a call. Where the clock stands still no limit would ever be lifted, so there is none.
    fn count(&self, route: &Route, request: &Request) -> Option<Standing> {
        let limit = self.vendor.limit(route, request)?;
        let (now, clock) = self.cloud.peek(|truth, now| (now, truth.clock.clock())).ok()?;
        let mut limits = self.limits();
        limits.count(limit, request.header("authorization").unwrap_or_default(), now, clock != Clock::Manual)
    }

    /// Performs a call that a fault befell.
    fn perform_under(&self, fault: FaultKind, route: &Route, args: &Args, operation: &str) -> Result<Answer, Silence> {
        match fault {
            FaultKind::Dropped => return Err(Silence),
            FaultKind::Stale => return Ok(self.perform_stale(route, args)),
            FaultKind::Late { seconds } => {
                let effect = Effect::Late(Order::of(args.request));
                let ordered: Result<(), Refusal> = self.cloud.change("late", Pace::Times(1), |deed| {
                    deed.schedule(seconds, effect);
                    Ok(())
                });
                return ordered.err().map_or(Err(Silence), |refusal| Ok(refusal.into()));
            }
            FaultKind::HoldBefore => {
                self.held.keep(Waiting { operation: operation.to_owned(), order: Some(Order::of(args.request)) });
                return Err(Silence);
            }
            FaultKind::HoldAfter => {
                self.perform(route, args, operation, Some(fault));
                self.held.keep(Waiting { operation: operation.to_owned(), order: None });
                return Err(Silence);
            }
            FaultKind::LostReply => {
                self.perform(route, args, operation, Some(fault));
                return Err(Silence);
            }
            FaultKind::BrokenAfter => {
                self.perform(route, args, operation, Some(fault));
                let broken = self.vendor.befall(FaultKind::BrokenBefore, route, args, operation);
                return Ok(broken.unwrap_or_else(|| Answer::empty(500)));
            }
            _ => {}
        }
        let befallen = self.vendor.befall(fault, route, args, operation);
        Ok(befallen.unwrap_or_else(|| self.perform(route, args, operation, Some(fault))))
    }

    fn perform(&self, route: &Route, args: &Args, operation: &str, fault: Option<FaultKind>) -> Answer {
        let outcome = match route.call {
            Call::Look(look) => self.cloud.peek(|truth, now| look(truth, now, args)).map_err(Answer::from).flatten(),
            Call::Change(perform) => self.cloud.change(operation, Pace::under(fault), |deed| {
                deed.turned_away = fault == Some(FaultKind::OutOfStock);
                deed.in_vain = fault == Some(FaultKind::InVain);
                perform(deed, args)
            }),
        };
        outcome.unwrap_or_else(|refusal| refusal)
    }

    /// Answers as the answer was before it last changed.
    fn perform_stale(&self, route: &Route, args: &Args) -> Answer {
        let Call::Look(look) = route.call else { return self.perform(route, args, "stale", None) };
        let mut fresh: Option<Answer> = None;
        let older = self.cloud.look_back(|truth, now| {
            let answer = look(truth, now, args).unwrap_or_else(|refusal| refusal);
            match &fresh {
                None => {
                    fresh = Some(answer);
                    None
                }
                Some(fresh) => (answer != *fresh).then_some(answer),
            }
        });
        match older {
            Ok(older) => older.or(fresh).unwrap_or_else(|| Answer::empty(404)),
            Err(refusal) => refusal.into(),
        }
    }
}

/// What stands before a cloud says so in HTML.
pub const BAD_GATEWAY: &str =
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n</body>\n</html>\n";
