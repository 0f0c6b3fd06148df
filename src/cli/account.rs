//! Builds the hands that specs ask for: the local cloud's, and one shared look per account (and zone).

use super::{Failure, inside::host_key};
use crate::{
    machine,
    model::{
        Ask, InstanceKey,
        spec::{self, Configuration, Dns, Machine},
    },
    provider::{
        FirstBoot, Provider, Seed,
        http::Secret,
        linode::{self, Estate, Linode},
        local::Local,
        qemu::Qemu,
        scaleway::{self, Scaleway, Zone},
    },
    read,
    store::Home,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// A wish, without hands yet.
pub(crate) struct Wish {
    pub ask: Ask,
    /// Where it is written.
    pub place: String,
    /// Where its relative paths start.
    pub directory: PathBuf,
}

/// Whose account a wish is served from.
#[derive(Clone)]
enum Account {
    /// This machine is the cloud.
    None,
    Scaleway(scaleway::Account),
    Linode(linode::Account),
}

impl Account {
    fn is_same(&self, other: &Account) -> bool {
        match (self, other) {
            (Account::Scaleway(one), Account::Scaleway(other)) => one.is_same(other),
            (Account::Linode(one), Account::Linode(other)) => one.is_same(other),
            _ => false,
        }
    }

    /// Whether it is at the vendor's own address, and the variable that says otherwise.
    fn at_the_vendor(&self) -> Option<&'static str> {
        match self {
            Account::None => None,
            Account::Scaleway(it) => it.is_at_the_vendor().then_some("SCW_API_URL"),
            Account::Linode(it) => it.is_at_the_vendor().then_some("LINODE_URL"),
        }
    }
}

/// What is looked at once for all instances that live there: a zone at Scaleway, an account at Linode.
#[derive(Default)]
pub(crate) struct Views {
    /// Every instance that was given hands, by where it lives.
    members: BTreeMap<InstanceKey, Member>,
    zones: Vec<View<Zone>>,
    estates: Vec<View<Estate>>,
}

/// What is looked at once.
struct View<T> {
    account: Account,
    /// The zone; all of the account where it has no name.
    zone: String,
    /// For whom.
    keys: BTreeSet<InstanceKey>,
    /// The names that are looked up with it.
    names: Vec<Dns>,
    shared: Arc<T>,
}

impl<T> View<T> {
    fn shows_the_place_of(&self, other: &Self) -> bool {
        self.account.is_same(&other.account) && self.zone == other.zone
    }
}

/// Where an instance lives.
struct Member {
    account: Account,
    zone: String,
    dns: Option<Dns>,
}

impl Views {
    /// Takes an instance out that has no hands any more.
    pub fn forget(&mut self, key: &InstanceKey) {
        self.members.remove(key);
    }

    /// Whether several views show one place, since instances came after the first was opened.
    pub fn are_split(&self) -> bool {
        fn is_split<T>(views: &[View<T>]) -> bool {
            views.iter().enumerate().any(|(at, it)| views[..at].iter().any(|other| other.shows_the_place_of(it)))
        }
        is_split(&self.zones) || is_split(&self.estates)
    }

    /// Whoever is given hands from now on shares a view with all.
    pub fn begin_anew(&mut self) {
        self.zones.clear();
        self.estates.clear();
    }

    fn neighbours(&self, account: &Account, zone: Option<&str>) -> BTreeSet<InstanceKey> {
        let is_here = |it: &Member| it.account.is_same(account) && zone.is_none_or(|zone| zone == it.zone);
        self.members.iter().filter(|(_, it)| is_here(it)).map(|(key, _)| key.clone()).collect()
    }

    fn zone(&mut self, home: &Home, key: &InstanceKey, own: &scaleway::Account, zone: &str, speed: f64) -> Result<Arc<Zone>, String> {
        let account = Account::Scaleway(own.clone());
        if let Some(known) = self.zones.iter().find(|it| it.account.is_same(&account) && it.zone == zone && it.keys.contains(key)) {
            return Ok(known.shared.clone());
        }
        let all = self.neighbours(&account, Some(zone));
        let rules = home.cache().join(format!("scaleway-{zone}-rules.json"));
        let keys: Vec<InstanceKey> = all.iter().cloned().collect();
        let opened = Arc::new(Zone::open(own.clone(), zone, &keys, Some(rules), speed)?);
        self.zones.push(View { account, zone: zone.to_owned(), keys: all, names: Vec::new(), shared: opened.clone() });
        Ok(opened)
    }

    fn estate(&mut self, key: &InstanceKey, own: &linode::Account, dns: Option<&Dns>, speed: f64) -> Result<Arc<Estate>, String> {
        let account = Account::Linode(own.clone());
        let covers = |names: &[Dns]| dns.is_none_or(|it| names.contains(it));
        if let Some(known) = self.estates.iter().find(|it| it.account.is_same(&account) && it.keys.contains(key) && covers(&it.names)) {
            return Ok(known.shared.clone());
        }
        let all = self.neighbours(&account, None);
        let names: Vec<Dns> = all.iter().filter_map(|it| self.members[it].dns.clone()).collect();
        let keys: Vec<InstanceKey> = all.iter().cloned().collect();
        let opened = Arc::new(Estate::open(own.clone(), &keys, &names, speed)?);
        self.estates.push(View { account, zone: String::new(), keys: all, names, shared: opened.clone() });
        Ok(opened)
    }
}

/// The hands of every wish, in their order. What a wish leaves to its account's settings is filled in.
///
/// # Errors
/// Where a wish cannot be served, with its place and what to do.
pub(crate) fn give_hands(home: &Home, wishes: &mut [Wish], views: &mut Views) -> Result<Vec<Box<dyn Provider>>, Failure> {
    let speed = speed()?;
    let accounts = wishes.iter_mut().map(settle).collect::<Result<Vec<_>, _>>()?;
    if speed > 1.0
        && let Some(variable) = accounts.iter().find_map(Account::at_the_vendor)
    {
        return Err(Failure::new(format!("CLOUDYPAD_CLOUD_SPEED is for emulators: {variable} does not name one")));
    }
    for (wish, account) in wishes.iter().zip(&accounts) {
        let spec = &wish.ask.spec;
        let member = Member { account: account.clone(), zone: spec.placement().zone.to_owned(), dns: spec.network.dns.clone() };
        views.members.insert(wish.ask.key.clone(), member);
    }
    let failure = |wish: &Wish, why: String| Failure::new(format!("{}: {why}", wish.place));
    let mut hands = Vec::new();
    for (wish, account) in wishes.iter().zip(&accounts) {
        let (spec, key) = (&wish.ask.spec, &wish.ask.key);
        let provider: Box<dyn Provider> = match (account, &spec.provider.local) {
            (Account::None, Some(local)) => {
                let cloud = Local::open(&home.local_cloud(), local)?;
                match own_image(wish, local).map_err(|why| failure(wish, why))? {
                    Some(image) => Box::new(Qemu::new(cloud, image, seed(home, wish))),
                    None => Box::new(cloud),
                }
            }
            (Account::None, None) => return Err(failure(wish, "this version of cloudypad has no hands for its provider".to_owned())),
            (Account::Scaleway(own), _) => {
                let zone = views.zone(home, key, own, spec.placement().zone, speed).map_err(|why| failure(wish, why))?;
                let project = spec.provider.scaleway.as_ref().and_then(|it| it.project_id.as_deref()).unwrap_or_default();
                Box::new(Scaleway::new(zone, project, &wish.ask, seed(home, wish), speed))
            }
            (Account::Linode(own), _) => {
                let estate = views.estate(key, own, spec.network.dns.as_ref(), speed).map_err(|why| failure(wish, why))?;
                Box::new(Linode::new(estate, &wish.ask, seed(home, wish), speed))
            }
        };
        hands.push(provider);
    }
    Ok(hands)
}

/// The account of a wish at a vendor, whose settings fill in what the spec leaves to them.
fn settle(wish: &mut Wish) -> Result<Account, Failure> {
    let place = wish.place.clone();
    let failure = |sentence: &str| Failure::new(format!("{place}: {sentence}"));
    let without_guest = wish.ask.spec.provider.local.as_ref().is_some_and(|it| it.machine == Machine::None);
    if without_guest && wish.ask.spec.configuration != Configuration::default() {
        return Err(failure("a server of the local cloud has no guest to configure: write configuration: none, or machine: qemu"));
    }
    if let Some(linode) = &wish.ask.spec.provider.linode {
        return linode::Account::find(linode.credentials.as_ref()).map(Account::Linode).map_err(|why| failure(&why));
    }
    let Some(scaleway) = &wish.ask.spec.provider.scaleway else { return Ok(Account::None) };
    let account = scaleway::Account::find(scaleway.credentials.as_ref()).map_err(|why| failure(&why))?;
    wish.ask.spec.amend(|spec| {
        if let Some(scaleway) = &mut spec.provider.scaleway {
            scaleway.project_id = scaleway.project_id.take().or_else(|| account.project.clone());
            scaleway.zone = scaleway.zone.take().or_else(|| account.zone.clone());
        }
    });
    match wish.ask.spec.provider.scaleway.as_ref().map(|it| (&it.project_id, &it.zone)) {
        None | Some((Some(_), Some(_))) => Ok(Account::Scaleway(account)),
        Some((None, _)) => Err(failure("which project? Write provider.scaleway.projectId, or set SCW_DEFAULT_PROJECT_ID")),
        Some((_, None)) => Err(failure("which zone? Write provider.scaleway.zone, or set SCW_DEFAULT_ZONE")),
    }
}

/// The file of the image that a real machine boots from first; `None` where there is no machine.
fn own_image(wish: &Wish, local: &spec::Local) -> Result<Option<PathBuf>, String> {
    match (local.machine, &local.image) {
        (Machine::None, _) => Ok(None),
        (Machine::Qemu, None) => Err("provider.local.image names no disk for machine: qemu to boot from".to_owned()),
        (Machine::Qemu, Some(text)) => {
            let found = read::resolve(&wish.directory, text).and_then(|it| std::path::absolute(it).ok());
            found.map(Some).ok_or_else(|| format!("{text:?} starts at a home directory that is not known"))
        }
    }
}

/// What the guest is given for its first boot, made when it is wanted.
fn seed(home: &Home, wish: &Wish) -> Seed {
    let host_key = host_key(home, &wish.ask.key);
    let named = wish.ask.spec.ssh.public_key_path.clone();
    let directory = wish.directory.clone();
    Box::new(move || {
        let public_key = match &named {
            Some(text) => {
                Some(read::resolve(&directory, text).ok_or_else(|| format!("{text:?} starts at a home directory that is not known"))?)
            }
            None => None,
        };
        let made = machine::seed(&host_key, public_key.as_deref()).map_err(|error| error.to_string())?;
        let fingerprint = made.identity.fingerprint();
        Ok(FirstBoot { document: Secret::new(made.document), authorized: made.authorized, fingerprint })
    })
}

/// Cloud seconds that pass in a second: 1, but for an emulator.
fn speed() -> Result<f64, Failure> {
    match std::env::var("CLOUDYPAD_CLOUD_SPEED") {
        Ok(text) if !text.is_empty() => match text.parse::<f64>() {
            Ok(speed) if speed.is_finite() && (1.0..=1e6).contains(&speed) => Ok(speed),
            _ => Err(Failure::new(format!(
                "CLOUDYPAD_CLOUD_SPEED is {text:?}: write how many seconds pass in an emulator in one of yours, from 1"
            ))),
        },
        _ => Ok(1.0),
    }
}
