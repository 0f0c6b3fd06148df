//! Scaleway's dialect of calls: where the number of a list's items is, and why a look told nothing.

use super::{
    super::{
        client::{self, Keyed, parse},
        http::{Api, Request, Wire},
    },
    account::Account,
    refusal::Refusal,
};
use crate::model::Cause;
use reqwest::header::HeaderName;
use serde::de::DeserializeOwned;
use std::{ops::Deref, sync::Arc};

/// The most items on a page.
const PAGE: usize = 100;

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

impl Unread {
    /// The reason, for the planner.
    pub fn cause(&self, zone: &str, client: &Client) -> Cause {
        match self {
            Unread::Refused(refusal) => refusal.cause(zone, &client.account.found),
            Unread::Broken(broken) => Cause::Passing(format!("cannot reach {}: {broken}", client.account.url)),
            Unread::Strange(why) => Cause::Passing(why.clone()),
        }
    }
}

impl Client {
    /// A client for an account at the end of a wire. `speed` is 1 but for an emulator.
    ///
    /// # Errors
    /// A sentence for people, where the account's settings cannot be used.
    pub fn new(wire: Arc<dyn Wire>, account: Account, speed: f64) -> Result<Self, String> {
        let api = Api::new(wire, &account.url, HeaderName::from_static("x-auth-token"), &account.key, speed)
            .map_err(|why| format!("{why} (the key from {})", account.found))?;
        Ok(Self { calls: client::Client::new(api), account })
    }

    /// A list of the Instance API: the number of all items is a header, and may be missing.
    pub async fn instance_list<P: DeserializeOwned, T: Keyed>(&self, list: &Request, items: fn(P) -> Vec<T>) -> Result<Listed<T>, Unread> {
        let read = |reply: &_| parse(&list.path, reply).map(|page: P| items(page));
        self.pages(list, ("per_page", PAGE), |reply| Ok((read(reply)?, reply.total))).await
    }

    /// A list of any other product: the number of all items is in the body.
    pub async fn list<P: DeserializeOwned, T: Keyed>(&self, list: &Request, items: fn(P) -> (Vec<T>, usize)) -> Result<Listed<T>, Unread> {
        let read = |reply: &_| parse(&list.path, reply).map(|page: P| items(page));
        self.pages(list, ("page_size", PAGE), |reply| read(reply).map(|(items, total)| (items, Some(total)))).await
    }
}
