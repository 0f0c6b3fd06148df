//! One look at an account, shared by every instance that lives there: five lists, and one for each DNS zone, whatever the
//! number of instances.

use super::{
    client::{Client, Listed, Unread},
    wire,
    zones::Zones,
};
use crate::{
    model::{Cause, FORMAT, InstanceKey, Stamp, instance_tag, spec::Dns},
    provider::{client::Keyed, http::Request, shared::Shared},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many tags one request asks for.
const LONGEST_LIST: usize = 60;

/// What one list showed.
pub(crate) type List<T> = Result<Vec<T>, Cause>;

/// Everything of ours in one account, whatever its region, as five lists showed it.
#[derive(Debug)]
pub(crate) struct Shot {
    /// When the first of the lists was answered.
    pub now: Stamp,
    pub linodes: List<wire::Linode>,
    pub volumes: List<wire::Volume>,
    pub images: List<wire::Image>,
    pub ips: List<wire::Ip>,
    pub firewalls: List<wire::Firewall>,
}

/// One account, for all its instances.
pub struct Estate {
    pub(crate) client: Client,
    /// Looked at with everything else.
    pub(crate) zones: Zones,
    /// Which tags a wanted object carries one of.
    tags: Value,
    latest: Shared<Shot>,
}

impl Estate {
    /// An account for these instances, and the DNS names of those that have one.
    pub(crate) fn new(client: Client, keys: &[InstanceKey], names: &[Dns]) -> Self {
        let own: Vec<String> = keys.iter().map(instance_tag).collect();
        let tags = match own.as_slice() {
            [one] => json!({"tags": one}),
            // An object that lost the tag of all is found by the tag of its instance, as far as a request can be long.
            many => {
                let all = [FORMAT].into_iter().chain(many.iter().map(String::as_str).take(LONGEST_LIST));
                json!({"+or": all.map(|tag| json!({"tags": tag})).collect::<Vec<_>>()})
            }
        };
        Self { client, zones: Zones::new(names), tags, latest: Shared::new() }
    }

    /// A look that begins now or later. Whoever asks while one is under way shares the next.
    pub(crate) async fn shot(&self) -> Arc<Shot> {
        self.latest.get(self.take()).await
    }

    async fn take(&self) -> Shot {
        let client = &self.client;
        let tagged = |path: &str| Request::get(path).filtered(self.tags.clone());
        let mut private = self.tags.clone();
        private["is_public"] = json!(false);
        let (linodes, volumes, firewalls) = (tagged("/linode/instances"), tagged("/volumes"), tagged("/networking/firewalls"));
        let images = Request::get("/images").filtered(private);
        // Their own list is answered five times a minute; this one shows their tags as well.
        let ips = Request::get("/networking/ips").filtered(json!({"reserved": true}));
        let (linodes, volumes, images, ips, firewalls, ()) = tokio::join!(
            client.list::<wire::Linode>(&linodes),
            client.list::<wire::Volume>(&volumes),
            client.list::<wire::Image>(&images),
            self.reserved(&ips),
            client.list::<wire::Firewall>(&firewalls),
            self.zones.look(client),
        );
        let moments = [date(&linodes), date(&volumes), date(&images), date(&ips), date(&firewalls)];
        Shot {
            now: moments.into_iter().flatten().min().unwrap_or(Stamp(0)),
            linodes: self.read(linodes),
            volumes: self.read(volumes),
            images: self.read(images),
            ips: self.read(ips),
            firewalls: self.read(firewalls),
        }
    }

    /// An account that cannot reserve addresses does not know the word, and has none.
    async fn reserved(&self, ips: &Request) -> Result<Listed<wire::Ip>, Unread> {
        match self.client.list(ips).await {
            Err(Unread::Refused(refusal)) if refusal.is_about("X-Filter") => Ok(Listed { items: Vec::new(), now: self.client.now() }),
            listed => listed,
        }
    }

    fn read<T: DeserializeOwned + Keyed>(&self, listed: Result<Listed<T>, Unread>) -> List<T> {
        listed.map(|it| it.items).map_err(|unread| self.client.cause(&unread))
    }
}

fn date<T>(listed: &Result<Listed<T>, Unread>) -> Option<Stamp> {
    listed.as_ref().ok().map(|it| it.now)
}
