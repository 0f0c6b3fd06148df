//! Builds the hands that specs ask for: the local cloud's, and one shared look per account and zone.

use super::Failure;
use crate::{
    machine,
    model::{Ask, InstanceKey, spec::Configuration},
    provider::{
        Provider,
        http::Secret,
        local::Local,
        scaleway::{Account, Scaleway, Seed, Zone},
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

/// The hands of every wish, in their order. What a wish leaves to its account's settings is filled in.
///
/// # Errors
/// Where a wish cannot be served, with its place and what to do.
pub(crate) fn give_hands(home: &Home, wishes: &mut [Wish]) -> Result<Vec<Box<dyn Provider>>, Failure> {
    let speed = speed()?;
    let accounts = wishes.iter_mut().map(settle).collect::<Result<Vec<_>, _>>()?;
    if speed > 1.0 && accounts.iter().flatten().any(Account::is_at_the_vendor) {
        return Err(Failure::new("CLOUDYPAD_CLOUD_SPEED is for emulators: SCW_API_URL does not name one"));
    }
    let mut zones: Vec<(Account, String, Arc<Zone>)> = Vec::new();
    for (wish, account) in wishes.iter().zip(&accounts) {
        let Some(account) = account else { continue };
        let zone = wish.ask.spec.placement().zone;
        if zones.iter().any(|(its, name, _)| its.is_same(account) && name == zone) {
            continue;
        }
        let neighbours = wishes
            .iter()
            .zip(&accounts)
            .filter(|(other, its)| its.as_ref().is_some_and(|its| its.is_same(account)) && other.ask.spec.placement().zone == zone);
        let keys: Vec<InstanceKey> = neighbours.map(|(other, _)| other.ask.key.clone()).collect();
        let rules = home.cache().join(format!("scaleway-{zone}-rules.json"));
        let opened =
            Zone::open(account.clone(), zone, &keys, Some(rules), speed).map_err(|why| Failure::new(format!("{}: {why}", wish.place)))?;
        zones.push((account.clone(), zone.to_owned(), Arc::new(opened)));
    }
    let mut hands = Vec::new();
    for (wish, account) in wishes.iter().zip(accounts) {
        let spec = &wish.ask.spec;
        let provider: Box<dyn Provider> = match (&spec.provider.local, &spec.provider.scaleway, account) {
            (Some(local), _, _) => Box::new(Local::open(&home.local_cloud(), local)?),
            (None, Some(scaleway), Some(account)) => {
                let zone = zones.iter().find(|(its, name, _)| its.is_same(&account) && Some(name) == scaleway.zone.as_ref());
                let (Some((_, _, zone)), Some(project)) = (zone, &scaleway.project_id) else { return Err(no_hands(wish)) };
                Box::new(Scaleway::new(zone.clone(), project, &wish.ask, seed(home, wish), speed))
            }
            _ => return Err(no_hands(wish)),
        };
        hands.push(provider);
    }
    Ok(hands)
}

fn no_hands(wish: &Wish) -> Failure {
    let provider = wish.ask.spec.placement().provider;
    let sentence = format!("this version of cloudypad has no hands for {provider} yet; provider: {{local: {{}}}} works");
    Failure::new(format!("{}: {sentence}", wish.place))
}

/// The account of a wish at a vendor, whose settings fill in what the spec leaves to them.
fn settle(wish: &mut Wish) -> Result<Option<Account>, Failure> {
    let place = wish.place.clone();
    let failure = |sentence: &str| Failure::new(format!("{place}: {sentence}"));
    if wish.ask.spec.configuration != Configuration::default() {
        return Err(failure("this version of cloudypad does not run configurations yet; write configuration: none"));
    }
    let Some(scaleway) = &mut wish.ask.spec.provider.scaleway else { return Ok(None) };
    let account = Account::find(scaleway.credentials.as_ref()).map_err(|why| failure(&why))?;
    if scaleway.project_id.is_none() {
        scaleway.project_id.clone_from(&account.project);
    }
    if scaleway.zone.is_none() {
        scaleway.zone.clone_from(&account.zone);
    }
    match (&scaleway.project_id, &scaleway.zone) {
        (Some(_), Some(_)) => Ok(Some(account)),
        (None, _) => Err(failure("which project? Write provider.scaleway.projectId, or set SCW_DEFAULT_PROJECT_ID")),
        (_, None) => Err(failure("which zone? Write provider.scaleway.zone, or set SCW_DEFAULT_ZONE")),
    }
}

/// What the guest is given for its first boot, made when it is wanted.
fn seed(home: &Home, wish: &Wish) -> Seed {
    let host_key = home.host_keys().join(wish.ask.key.dotted());
    let named = wish.ask.spec.ssh.public_key_path.clone();
    let directory = wish.directory.clone();
    Box::new(move || {
        let public_key = match &named {
            Some(text) => {
                Some(read::resolve(&directory, text).ok_or_else(|| format!("{text:?} starts at a home directory that is not known"))?)
            }
            None => None,
        };
        machine::seed(&host_key, public_key.as_deref()).map(Secret::new).map_err(|error| error.to_string())
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
