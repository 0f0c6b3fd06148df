//! Calls to Scaleway's API: lists with all their pages, objects by id, and what changes something.

use super::{
    super::{
        Problem,
        http::{Api, Broken, Reply, Request},
    },
    account::Account,
    refusal::{Kind, Refusal, unanswered},
    wire::Keyed,
};
use crate::model::{Cause, Stamp};
use reqwest::header::HeaderName;
use serde::de::DeserializeOwned;
use std::{collections::BTreeSet, sync::Mutex, time::Duration};

/// The most items on a page.
const PAGE: usize = 100;
/// How often a list is begun anew.
const MOST_RESTARTS: u32 = 4;
/// More pages than any account has.
const MOST_PAGES: usize = 1000;

/// One account.
#[derive(Debug)]
pub(crate) struct Client {
    api: Api,
    account: Account,
    /// The latest moment that Scaleway's clock showed.
    now: Mutex<Stamp>,
}

/// Why a look told nothing.
#[derive(Debug)]
pub(crate) enum Unread {
    Refused(Box<Refusal>),
    Broken(Broken),
    /// The answer was good, and not what we know.
    Strange(String),
}

impl Unread {
    /// The reason, for the planner.
    pub fn cause(&self, zone: &str, client: &Client) -> Cause {
        match self {
            Unread::Refused(refusal) => refusal.cause(zone, &client.account.found),
            Unread::Broken(broken) => Cause::Passing(format!("cannot reach {}: {broken}", client.account.url)),
            Unread::Strange(why) => Cause::Passing(why.clone()),
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
            Unread::Broken(broken) => Problem::NotDone { answer: format!("cannot reach Scaleway: {broken}"), pause: None },
            Unread::Strange(why) => Problem::NotDone { answer: why.clone(), pause: None },
        }
    }
}

/// A list, and Scaleway's clock when its first page was answered.
#[derive(Debug, Clone)]
pub(crate) struct Listed<T> {
    pub items: Vec<T>,
    pub now: Stamp,
}

impl Client {
    /// A client for an account. `speed` is 1 but for an emulator.
    ///
    /// # Errors
    /// A sentence for people, where the account's settings cannot be used.
    pub fn new(account: Account, speed: f64) -> Result<Self, String> {
        let api = Api::new(&account.url, HeaderName::from_static("x-auth-token"), &account.key, speed)
            .map_err(|why| format!("{why} (the key from {})", account.found))?;
        Ok(Self { api, account, now: Mutex::new(Stamp(0)) })
    }

    /// The latest moment that Scaleway's clock showed.
    pub fn now(&self) -> Stamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note(&self, reply: &Reply) {
        if let Some(date) = reply.date {
            let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *now = date.max(*now);
        }
    }

    async fn read(&self, request: &Request) -> Result<Reply, Unread> {
        let reply = self.api.read(request).await.map_err(Unread::Broken)?;
        self.note(&reply);
        if reply.is_good() { Ok(reply) } else { Err(Unread::Refused(Box::new(Refusal::of(&reply)))) }
    }

    /// An object; `None` where there is none.
    pub async fn find<T: DeserializeOwned>(&self, request: &Request) -> Result<Option<T>, Unread> {
        match self.read(request).await {
            Ok(reply) => parse(&request.path, &reply).map(Some),
            Err(Unread::Refused(refusal)) if refusal.kind() == Kind::Gone => Ok(None),
            Err(unread) => Err(unread),
        }
    }

    /// A list of the Instance API: the number of all items is a header, and may be missing.
    pub async fn instance_list<P: DeserializeOwned, T: Keyed>(&self, list: &Request, items: fn(P) -> Vec<T>) -> Result<Listed<T>, Unread> {
        self.pages(list, "per_page", |reply| {
            let page: P = parse(&list.path, reply)?;
            Ok((items(page), reply.total))
        })
        .await
    }

    /// A list of any other product: the number of all items is in the body.
    pub async fn list<P: DeserializeOwned, T: Keyed>(&self, list: &Request, items: fn(P) -> (Vec<T>, usize)) -> Result<Listed<T>, Unread> {
        self.pages(list, "page_size", |reply| {
            let page: P = parse(&list.path, reply)?;
            let (items, total) = items(page);
            Ok((items, Some(total)))
        })
        .await
    }

    async fn pages<T: Keyed>(
        &self,
        list: &Request,
        size: &'static str,
        read: impl Fn(&Reply) -> Result<(Vec<T>, Option<usize>), Unread>,
    ) -> Result<Listed<T>, Unread> {
        let mut all = Vec::new();
        let (mut now, mut first_total) = (None, None);
        let (mut number, mut restarts) = (0, 0);
        for _ in 0..MOST_PAGES {
            number += 1;
            let page = list.clone().with(size, PAGE.to_string()).with("page", number.to_string());
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
            let complete = total.map_or(count < PAGE, |total| all.len() >= total);
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
    pub async fn change(&self, request: &Request) -> Result<Reply, Changed> {
        let reply = self.api.send(request).await.map_err(|it| Changed::Unanswered(unanswered(it)))?;
        self.note(&reply);
        if reply.is_good() { Ok(reply) } else { Err(Changed::Refused(Box::new(Refusal::of(&reply)))) }
    }

    /// A call that makes something; its id.
    pub async fn make<T: DeserializeOwned>(&self, request: &Request, id: fn(T) -> String) -> Result<String, Changed> {
        let reply = self.change(request).await?;
        // It was made, and we cannot tell what: the next look will.
        parse(&request.path, &reply).map(id).map_err(|unread| {
            let answer = if let Unread::Strange(why) = unread { why } else { "an answer without an id".to_owned() };
            Changed::Unanswered(Problem::MaybeDone { answer })
        })
    }

    /// A deletion: what is gone already is as deleted as it can be.
    pub async fn delete(&self, path: String) -> Result<(), Changed> {
        match self.change(&Request::delete(path)).await {
            Ok(_) => Ok(()),
            Err(Changed::Refused(refusal)) if refusal.kind() == Kind::Gone => Ok(()),
            Err(changed) => Err(changed),
        }
    }
}

/// Why a change gave no good answer.
#[derive(Debug)]
pub(crate) enum Changed {
    Refused(Box<Refusal>),
    Unanswered(Problem),
}

impl From<Changed> for Problem {
    fn from(changed: Changed) -> Problem {
        match changed {
            Changed::Refused(refusal) => refusal.problem(),
            Changed::Unanswered(problem) => problem,
        }
    }
}

fn parse<T: DeserializeOwned>(path: &str, reply: &Reply) -> Result<T, Unread> {
    serde_json::from_slice(&reply.body).map_err(|error| Unread::Strange(format!("{path} was answered with something unknown: {error}")))
}
