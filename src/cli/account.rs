//! Builds the hands that specs ask for: the local cloud's, and one shared look per account (and zone).

use super::{Failure, inside::host_key};
use crate::{
    machine,
    model::{
        Ask, InstanceKey,
        spec::{self, Configuration, Machine},
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
use std::{path::PathBuf, sync::Arc};

/// A wish, without hands yet.
pub(crate) struct Wish {
    pub ask: Ask,
    /// Where it is written.
    pub place: String,
    /// Where its relative paths start.
    pub directory: PathBuf,
}

/// Whose account a wish is served from.
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

/// The hands of every wish, in their order. What a wish leaves to its account's settings is filled in.
///
/// # Errors
/// Where a wish cannot be served, with its place and what to do.
pub(crate) fn give_hands(home: &Home, wishes: &mut [Wish]) -> Result<Vec<Box<dyn Provider>>, Failure> {
    let speed = speed()?;
    let accounts = wishes.iter_mut().map(settle).collect::<Result<Vec<_>, _>>()?;
    if speed > 1.0
        && let Some(variable) = accounts.iter().find_map(Account::at_the_vendor)
    {
        return Err(Failure::new(format!("CLOUDYPAD_CLOUD_SPEED is for emulators: {variable} does not name one")));
    }
    let failure = |wish: &Wish, why: String| Failure::new(format!("{}: {why}", wish.place));
    // What is looked at once for all: a zone at Scaleway, an account at Linode.
    let mut zones: Vec<(usize, Arc<Zone>)> = Vec::new();
    let mut estates: Vec<(usize, Arc<Estate>)> = Vec::new();
    let mut hands = Vec::new();
    for (index, wish) in wishes.iter().enumerate() {
        let (spec, account) = (&wish.ask.spec, &accounts[index]);
        let zone = spec.placement().zone;
        let is_here = |other: usize| wishes[other].ask.spec.placement().zone == zone;
        let neighbours = || (0..wishes.len()).filter(|other| accounts[*other].is_same(account));
        let keys = |with: &dyn Fn(usize) -> bool| -> Vec<InstanceKey> {
            neighbours().filter(|other| with(*other)).map(|other| wishes[other].ask.key.clone()).collect()
        };
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
                let known = zones.iter().find(|(other, _)| accounts[*other].is_same(account) && is_here(*other));
                let shared = match known {
                    Some((_, zone)) => zone.clone(),
                    None => {
                        let rules = home.cache().join(format!("scaleway-{zone}-rules.json"));
                        let opened = Zone::open(own.clone(), zone, &keys(&is_here), Some(rules), speed);
                        let opened = Arc::new(opened.map_err(|why| failure(wish, why))?);
                        zones.push((index, opened.clone()));
                        opened
                    }
                };
                let project = spec.provider.scaleway.as_ref().and_then(|it| it.project_id.as_deref()).unwrap_or_default();
                Box::new(Scaleway::new(shared, project, &wish.ask, seed(home, wish), speed))
            }
            (Account::Linode(own), _) => {
                let known = estates.iter().find(|(other, _)| accounts[*other].is_same(account));
                let shared = match known {
                    Some((_, estate)) => estate.clone(),
                    None => {
                        let names: Vec<_> = neighbours().filter_map(|other| wishes[other].ask.spec.network.dns.clone()).collect();
                        let opened = Estate::open(own.clone(), &keys(&|_| true), &names, speed);
                        let opened = Arc::new(opened.map_err(|why| failure(wish, why))?);
                        estates.push((index, opened.clone()));
                        opened
                    }
                };
                Box::new(Linode::new(shared, &wish.ask, seed(home, wish), speed))
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
