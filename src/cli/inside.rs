//! What this machine knows of getting into an instance, from its spec.

use super::{Failure, account::Wish};
use crate::{
    machine::{Inside, Recipe},
    model::{InstanceKey, ServerState, Spec, spec::Configuration},
    read,
    store::Home,
};
use std::path::{Path, PathBuf};

/// The login name, where the spec names none: the images of both vendors, and the local cloud's machines, let root in.
const USER: &str = "root";

/// The variable that names the private key, where the spec does not: in a pipeline it is a file of its own.
const KEY: &str = "CLOUDYPAD_SSH_KEY";

/// How a wish's server is got into, and what runs there.
///
/// # Errors
/// Where a part of its configuration cannot be read, with the spec's place.
pub(crate) fn inside(home: &Home, wish: &Wish) -> Result<Inside, Failure> {
    let key = &wish.ask.key;
    let directory = wish.directory.clone();
    // What runs may run elsewhere.
    let resolve = Box::new(move |text: &str| std::path::absolute(read::resolve(&directory, text)?).ok());
    let recipe = match Recipe::read(&wish.ask.spec.configuration, &*resolve) {
        Ok(recipe) => recipe,
        // What is archived or deleted runs nothing: a playbook that is gone keeps no bill running.
        Err(_) if wish.ask.deletion.is_some() || wish.ask.wished() != ServerState::Present => Recipe::default(),
        Err(error) => return Err(Failure::new(format!("{}: {error}", wish.place))),
    };
    let ssh = &wish.ask.spec.ssh;
    Ok(Inside {
        name: key.dotted(),
        user: ssh.user.clone().unwrap_or_else(|| USER.to_owned()),
        key: owners_key(ssh.private_key_path.as_deref(), ssh.public_key_path.as_deref(), &*resolve),
        host_key: host_key(home, key),
        known_hosts: home.known_hosts().join(key.dotted()),
        scratch: home.scratch().join(key.dotted()),
        log: home.logs().join(format!("{}.log", key.dotted())),
        withheld: withheld(&wish.ask.spec),
        recipe,
        resolve,
    })
}

/// Where an instance's host key is kept.
pub(crate) fn host_key(home: &Home, key: &InstanceKey) -> PathBuf {
    home.host_keys().join(key.dotted())
}

/// The key that opens the door: the one that is named, else the other half of the public one, else the public one
/// itself, whose other half an agent has.
fn owners_key(private: Option<&str>, public: Option<&str>, resolve: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if let Some(private) = private {
        return resolve(private);
    }
    if let Some(named) = std::env::var_os(KEY).filter(|it| !it.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let public = resolve(public?)?;
    let beside = public.to_str()?.strip_suffix(".pub").map(Path::new).filter(|it| it.is_file());
    Some(beside.map_or(public.clone(), Path::to_owned))
}

/// The variables that our own keys, at vendors and elsewhere, are found in.
pub(super) const OWN_KEYS: [&str; 5] =
    ["SCW_SECRET_KEY", "LINODE_TOKEN", "CLOUDYPAD_GIT_TOKEN", "CLOUDYPAD_WEBHOOK_SECRET", "CLOUDYPAD_TOKEN"];

/// Environment variables whose secrets are for this program alone: the vendors' keys, and what a playbook is told otherwise.
fn withheld(spec: &Spec) -> Vec<String> {
    let provider = &spec.provider;
    let (scaleway, linode) = (provider.scaleway.as_ref(), provider.linode.as_ref());
    let named = scaleway.and_then(|it| it.credentials.as_ref()).or(linode.and_then(|it| it.credentials.as_ref()));
    let mut names: Vec<String> = OWN_KEYS.into_iter().map(str::to_owned).collect();
    names.extend(named.and_then(|it| it.env.clone()));
    if let Configuration::Recipe(recipe) = &spec.configuration {
        let plays = [recipe.ansible.as_ref(), recipe.on_start.as_ref().and_then(|it| it.ansible.as_ref())];
        names.extend(plays.into_iter().flatten().flat_map(|it| it.secrets.values()).filter_map(|it| it.env.clone()));
    }
    names
}
