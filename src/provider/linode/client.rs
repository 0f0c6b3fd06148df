//! Linode's dialect of calls: one envelope for all lists, and why a look told nothing.

use super::{
    super::{
        budget::{Budget, Calls},
        client::{self, Keyed, parse},
        http::{Api, Request, Secret, Wire},
    },
    account::Account,
    refusal::Refusal,
    wire::Page,
};
use crate::model::Cause;
use reqwest::{Method, header::AUTHORIZATION};
use serde::de::DeserializeOwned;
use std::{ops::Deref, sync::Arc};

/// The most items on a page.
const PAGE: usize = 500;

/// What the API lets a token do in a while (source: the vendor's page on rate limits; that of addresses is recorded, with
/// refusals after the fifth call for up to half a minute). All other calls share 1,600 in a minute.
const BUDGETS: &[Budget] = &[
    Budget { of: Calls::To(Method::GET, "/images"), calls: 20, seconds: 60 },
    Budget { of: Calls::To(Method::POST, "/linode/instances"), calls: 20, seconds: 15 },
    Budget { of: Calls::To(Method::POST, "/volumes"), calls: 100, seconds: 60 },
    // Reserving one is not limited so: it is no call below.
    Budget { of: Calls::Below("/networking/reserved/ips"), calls: 5, seconds: 60 },
    Budget { of: Calls::Lists, calls: 200, seconds: 60 },
];

pub(crate) use super::super::client::Listed;
pub(crate) type Unread = client::Unread<Refusal>;
pub(crate) type Changed = client::Changed<Refusal>;

/// One account.
pub(crate) struct Client {
    calls: client::Client<Refusal>,
    account: Account,
}

impl Deref for Client {
    type Target = client::Client<Refusal>;

    fn deref(&self) -> &Self::Target {
        &self.calls
    }
}

impl Client {
    /// A client for an account at the end of a wire. `speed` is 1 but for an emulator.
    ///
    /// # Errors
    /// A sentence for people, where the account's settings cannot be used.
    pub fn new(wire: Arc<dyn Wire>, account: Account, speed: f64) -> Result<Self, String> {
        let bearer = Secret::new(format!("Bearer {}", account.token.reveal()));
        let base = format!("{}/{}", account.url.trim_end_matches('/'), account.version);
        let api =
            Api::new(wire, &base, AUTHORIZATION, &bearer, speed).map_err(|why| format!("{why} (the token from {})", account.found))?;
        Ok(Self { calls: client::Client::new(api.within(BUDGETS)), account })
    }

    /// A whole list.
    pub async fn list<T: DeserializeOwned + Keyed>(&self, list: &Request) -> Result<Listed<T>, Unread> {
        let read = |reply: &_| parse(&list.path, reply).map(|page: Page<T>| (page.data, Some(page.results)));
        self.pages(list, ("page_size", PAGE), read).await
    }

    /// The first page of a list, with at most 100 items.
    pub async fn first<T: DeserializeOwned>(&self, list: &Request) -> Result<Vec<T>, Unread> {
        let page: Option<Page<T>> = self.find(&list.clone().with("page_size", super::events::PAGE.to_string())).await?;
        page.map(|it| it.data).ok_or_else(|| Unread::Strange(format!("there is no list {}", list.path)))
    }

    /// Why a look told nothing, for the planner.
    pub fn cause(&self, unread: &Unread) -> Cause {
        match unread {
            Unread::Refused(refusal) => refusal.cause(&self.account.found),
            Unread::Broken(broken) => Cause::Passing(format!("cannot reach {}: {broken}", self.account.url)),
            Unread::Strange(why) => Cause::Passing(why.clone()),
        }
    }
}
