//! Calls to a vendor's API: lists with all their pages, objects by id, and what changes something. What its refusals
//! mean, each vendor's own room says.

use super::{
    Problem,
    http::{Api, Broken, Reply, Request},
};
use crate::model::Stamp;
use serde::de::DeserializeOwned;
use std::{collections::BTreeSet, fmt, marker::PhantomData, sync::Mutex, time::Duration};

/// How often a list is begun anew.
const MOST_RESTARTS: u32 = 4;
/// More pages than any account has.
const MOST_PAGES: usize = 1000;

/// What a refusal is, in so far as something is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No such object.
    Gone,
    /// Too many calls; nothing was done.
    TooMany,
    /// Something is under way; nothing was done.
    Transient,
    /// The object is not in the condition that the call needs; nothing was done.
    Precondition,
    /// The name is taken; nothing was done.
    NameTaken,
    /// The key is not accepted.
    Unauthenticated,
    /// The key may not do this.
    Denied,
    /// No more of these are allowed.
    Quota,
    /// No machine is free.
    OutOfStock,
    /// The request makes no sense to the vendor.
    Invalid,
    /// The vendor broke; it may have done it.
    Broken,
    /// Anything else.
    Other,
}

/// A vendor's answer that is not good, read.
pub(crate) trait Refused: fmt::Debug + Send + Sync {
    /// The vendor, for people.
    const VENDOR: &'static str;

    /// Reads it. Its body may be empty, or a gateway's page.
    fn of(reply: &Reply) -> Self;

    /// What kind of refusal it is.
    fn kind(&self) -> Kind;

    /// What is true after a call that changes something was refused so.
    fn problem(&self) -> Problem;
}

/// One account at a vendor whose refusals are `R`.
pub(crate) struct Client<R> {
    api: Api,
    /// The latest moment that the vendor's clock showed.
    now: Mutex<Stamp>,
    refusals: PhantomData<fn() -> R>,
}

/// Why a look told nothing.
#[derive(Debug)]
pub(crate) enum Unread<R> {
    Refused(Box<R>),
    Broken(Broken),
    /// The answer was good, and not what we know.
    Strange(String),
}

impl<R: Refused> Unread<R> {
    /// Of what a list showed a moment ago: where it is gone by now, somebody deleted it meanwhile, and the look is to be
    /// made again. That says nothing of the place, nor of what the key may see.
    pub fn meanwhile(self) -> Self {
        match self {
            Unread::Refused(refusal) if refusal.kind() == Kind::Gone => {
                Unread::Strange("something was deleted while it was looked at".to_owned())
            }
            unread => unread,
        }
    }

    /// The reason, for a call that needed this look first.
    pub fn problem(&self) -> Problem {
        match self {
            Unread::Refused(refusal) => match refusal.problem() {
                // Nothing was changed yet.
                Problem::MaybeDone { answer } => Problem::NotDone { answer, pause: None },
                problem => problem,
            },
            Unread::Broken(broken) => Problem::NotDone { answer: format!("cannot reach {}: {broken}", R::VENDOR), pause: None },
            Unread::Strange(why) => Problem::NotDone { answer: why.clone(), pause: None },
        }
    }
}

/// What tells one item of a list from another.
pub(crate) trait Keyed {
    /// Its id, or its name where it has none.
    fn key(&self) -> &str;
}

/// A list, and the vendor's clock when its first page was answered.
#[derive(Debug, Clone)]
pub(crate) struct Listed<T> {
    pub items: Vec<T>,
    pub now: Stamp,
}

impl<R: Refused> Client<R> {
    pub fn new(api: Api) -> Self {
        Self { api, now: Mutex::new(Stamp(0)), refusals: PhantomData }
    }

    /// The latest moment that the vendor's clock showed.
    pub fn now(&self) -> Stamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note(&self, reply: &Reply) {
        if let Some(date) = reply.date {
            let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *now = date.max(*now);
        }
    }

    async fn read(&self, request: &Request) -> Result<Reply, Unread<R>> {
        let reply = self.api.read(request).await.map_err(Unread::Broken)?;
        self.note(&reply);
        if reply.is_good() { Ok(reply) } else { Err(Unread::Refused(Box::new(R::of(&reply)))) }
    }

    /// An object; `None` where there is none.
    pub async fn find<T: DeserializeOwned>(&self, request: &Request) -> Result<Option<T>, Unread<R>> {
        match self.read(request).await {
            Ok(reply) => parse(&request.path, &reply).map(Some),
            Err(Unread::Refused(refusal)) if refusal.kind() == Kind::Gone => Ok(None),
            Err(unread) => Err(unread),
        }
    }

    /// A list with all its pages of `size` items, whose number `read` may tell beside the items of a page.
    pub async fn pages<T: Keyed>(
        &self,
        list: &Request,
        (key, size): (&'static str, usize),
        read: impl Fn(&Reply) -> Result<(Vec<T>, Option<usize>), Unread<R>>,
    ) -> Result<Listed<T>, Unread<R>> {
        let mut all = Vec::new();
        let (mut now, mut first_total) = (None, None);
        let (mut number, mut restarts) = (0, 0);
        for _ in 0..MOST_PAGES {
            number += 1;
            let page = list.clone().with(key, size.to_string()).with("page", number.to_string());
            let reply = self.read(&page).await?;
            now = now.or(reply.date);
            let (items, total) = read(&reply)?;
            let count = items.len();
            all.extend(items);
            // Something came or went between two pages: what is on none of them may be there all the same.
            let named: Vec<&str> = all.iter().map(Keyed::key).filter(|it| !it.is_empty()).collect();
            let repeats = named.len() > named.iter().collect::<BTreeSet<_>>().len();
            let moved = total.is_some_and(|total| *first_total.get_or_insert(total) != total);
            if moved || repeats {
                restarts += 1;
                if restarts > MOST_RESTARTS {
                    break;
                }
                (all, now, first_total, number) = (Vec::new(), None, None, 0);
                self.api.rest(Duration::from_millis(500) * restarts).await;
                continue;
            }
            let complete = total.map_or(count < size, |total| all.len() >= total);
            match now {
                _ if count == 0 && !complete => return Err(Unread::Strange(format!("{} ended before its end", list.path))),
                Some(now) if complete => return Ok(Listed { items: all, now }),
                None => return Err(Unread::Strange(format!("{} was answered without a date", list.path))),
                Some(_) => {}
            }
        }
        Err(Unread::Strange(format!("{} changes faster than it can be read", list.path)))
    }

    /// A call that changes something, sent once.
    pub async fn change(&self, request: &Request) -> Result<Reply, Changed<R>> {
        let reply = self.api.send(request).await.map_err(|it| Changed::Unanswered(unanswered::<R>(it)))?;
        self.note(&reply);
        if reply.is_good() { Ok(reply) } else { Err(Changed::Refused(Box::new(R::of(&reply)))) }
    }

    /// A call that makes something; its id.
    pub async fn make<T: DeserializeOwned>(&self, request: &Request, id: fn(T) -> String) -> Result<String, Changed<R>> {
        let reply = self.change(request).await?;
        // It was made, and we cannot tell what: the next look will.
        parse(&request.path, &reply).map(id).map_err(|unread: Unread<R>| {
            let answer = if let Unread::Strange(why) = unread { why } else { "an answer without an id".to_owned() };
            Changed::Unanswered(Problem::MaybeDone { answer })
        })
    }

    /// A deletion: what is gone already is as deleted as it can be.
    pub async fn delete(&self, path: String) -> Result<(), Changed<R>> {
        match self.change(&Request::delete(path)).await {
            Ok(_) => Ok(()),
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Gone => Ok(()),
            Err(changed) => Err(changed),
        }
    }
}

/// Why a change gave no good answer.
#[derive(Debug)]
pub(crate) enum Changed<R> {
    Refused(Box<R>),
    Unanswered(Problem),
}

impl<R: Refused> From<Changed<R>> for Problem {
    fn from(changed: Changed<R>) -> Problem {
        match changed {
            Changed::Refused(refusal) => refusal.problem(),
            Changed::Unanswered(problem) => problem,
        }
    }
}

/// Reads a good answer.
pub(crate) fn parse<T: DeserializeOwned, R>(path: &str, reply: &Reply) -> Result<T, Unread<R>> {
    let strange = |error: &dyn fmt::Display| Unread::Strange(format!("{path} was answered with something unknown: {error}"));
    // An answer that is no text was damaged on its way, even where its reader would skip the place.
    let text = std::str::from_utf8(&reply.body).map_err(|error| strange(&error))?;
    serde_json::from_str(text).map_err(|error| strange(&error))
}

/// A refusal without words, for people.
pub(crate) fn wordless(status: u16) -> String {
    match status {
        429 => "too many calls".to_owned(),
        300..400 => {
            format!("status {status}: a redirect, which is not followed, since the key goes to the address that was set and nowhere else")
        }
        _ => format!("status {status}"),
    }
}

/// What is true after a call that was not answered.
fn unanswered<R: Refused>(broken: Broken) -> Problem {
    match broken {
        Broken::NotSent(why) => Problem::NotDone { answer: format!("cannot reach {}: {why}", R::VENDOR), pause: None },
        Broken::Lost(why) => Problem::MaybeDone { answer: format!("the answer of {} did not come: {why}", R::VENDOR) },
    }
}
