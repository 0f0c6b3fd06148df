//! Whose account: the environment and the configuration file of Scaleway's own tools, with their precedence.
//!
//! A setting is taken from the environment, else from the profile (`SCW_PROFILE`, else the file's
//! `active_profile`), else from the top of the file. A spec that names `credentials` says where its key is,
//! whatever the environment says. (Source: the official Go SDK's configuration loader.)

use super::super::http::Secret;
use crate::model::spec;
use serde::Deserialize;
use std::{collections::BTreeMap, env, fs, io::ErrorKind, path::PathBuf};

/// Where the API is, unless somebody says otherwise.
const API: &str = "https://api.scaleway.com";

/// What it takes to talk to Scaleway for one account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The secret key.
    pub key: Secret,
    /// Where the key was found, for people.
    pub found: String,
    /// Where the API is.
    pub url: String,
    /// The project of specs that name none.
    pub project: Option<String>,
    /// The zone of specs that name none.
    pub zone: Option<String>,
}

/// One profile of the configuration file, or its top.
#[derive(Debug, Clone, Default, Deserialize)]
struct Profile {
    access_key: Option<String>,
    secret_key: Option<String>,
    api_url: Option<String>,
    default_project_id: Option<String>,
    default_zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    active_profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
    #[serde(flatten)]
    top: Profile,
}

impl Profile {
    fn over(self, below: Profile) -> Profile {
        Profile {
            access_key: self.access_key.or(below.access_key),
            secret_key: self.secret_key.or(below.secret_key),
            api_url: self.api_url.or(below.api_url),
            default_project_id: self.default_project_id.or(below.default_project_id),
            default_zone: self.default_zone.or(below.default_zone),
        }
    }

    fn of_environment() -> Profile {
        Profile {
            access_key: var("SCW_ACCESS_KEY"),
            secret_key: var("SCW_SECRET_KEY"),
            api_url: var("SCW_API_URL"),
            default_project_id: var("SCW_DEFAULT_PROJECT_ID"),
            default_zone: var("SCW_DEFAULT_ZONE"),
        }
    }
}

impl Account {
    /// Whether it is the same account at the same place.
    pub fn is_same(&self, other: &Account) -> bool {
        self.key == other.key && self.url == other.url
    }

    /// Finds the account that a spec speaks of.
    ///
    /// # Errors
    /// A sentence for people that says what is missing, and where it may be put. It never holds a secret.
    pub fn find(credentials: Option<&spec::Credentials>) -> Result<Self, String> {
        let environment = Profile::of_environment();
        let credentials = credentials.cloned().unwrap_or_default();
        if let Some(name) = &credentials.env {
            let key = var(name).ok_or_else(|| format!("the spec's credentials name the environment variable {name}, which is not set"))?;
            let (file, _) = File::read()?;
            let profile = Profile { secret_key: None, access_key: None, ..environment }.over(file.profile(None)?.0);
            return profile.account(key, format!("the environment variable {name}"));
        }
        let (file, path) = File::read()?;
        let wanted = credentials.profile.clone().or_else(|| var("SCW_PROFILE"));
        let (profile, name) = file.profile(wanted.as_deref())?;
        // A spec that names a profile means that profile's account; where the API is may still be said outside.
        let (settings, in_environment) = match &credentials.profile {
            Some(_) => (Profile { api_url: environment.api_url, ..Profile::default() }.over(profile), false),
            None => {
                let says = environment.secret_key.is_some();
                (environment.over(profile), says)
            }
        };
        // The access key is no secret: it tells which of several keys was meant.
        let access = settings.access_key.as_ref().map(|it| format!(" (access key {it})")).unwrap_or_default();
        let found = match in_environment {
            true => format!("the environment variable SCW_SECRET_KEY{access}"),
            false => format!("{name} of {}{access}", path.display()),
        };
        match settings.secret_key.clone() {
            Some(key) => settings.account(key, found),
            None => Err(format!(
                "no credentials for Scaleway: set SCW_SECRET_KEY, or write secret_key into {name} of {} (scw init does). \
                 Keys are made at https://console.scaleway.com/iam/api-keys",
                path.display()
            )),
        }
    }
}

impl Profile {
    fn account(self, key: String, found: String) -> Result<Account, String> {
        let key = key.trim().to_owned();
        if key.starts_with("SCW") && key.len() == 20 {
            return Err(format!("{found} holds an access key (SCW…); the secret key is wanted, a UUID"));
        }
        let url = self.api_url.unwrap_or_else(|| API.to_owned());
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(format!("the address of the Scaleway API is {url:?}; it begins with https://"));
        }
        Ok(Account { key: Secret::new(key), found, url, project: self.default_project_id, zone: self.default_zone })
    }
}

impl File {
    /// The configuration file, and where it is or would be. A file that is not there says nothing, unless it was named.
    fn read() -> Result<(File, PathBuf), String> {
        let named = var("SCW_CONFIG_PATH").map(PathBuf::from);
        let below = |dir: String, rest: &str| PathBuf::from(dir).join(rest);
        let usual = var("XDG_CONFIG_HOME").map(|dir| below(dir, "scw/config.yaml"));
        let usual = usual.or_else(|| var("HOME").map(|dir| below(dir, ".config/scw/config.yaml")));
        let is_named = named.is_some();
        let Some(path) = named.or(usual) else { return Ok((File::default(), PathBuf::from("~/.config/scw/config.yaml"))) };
        match fs::read_to_string(&path) {
            // What an error quotes of the file may be a secret: only the place is told.
            Ok(text) => match serde_yaml::from_str(&text) {
                Ok(file) => Ok((file, path)),
                Err(error) => {
                    let place = error.location().map_or_else(String::new, |it| format!(" at line {}, column {}", it.line(), it.column()));
                    Err(format!("{} is not a configuration file of Scaleway's tools{place}", path.display()))
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound && !is_named => Ok((File::default(), path)),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    /// A profile over the top of the file, and what it is called.
    fn profile(&self, name: Option<&str>) -> Result<(Profile, String), String> {
        let name = name.or(self.active_profile.as_deref()).filter(|it| *it != "default");
        let Some(name) = name else { return Ok((self.top.clone(), "the default profile".to_owned())) };
        match self.profiles.get(name) {
            Some(profile) => Ok((profile.clone().over(self.top.clone()), format!("the profile {name}"))),
            None => {
                let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                Err(format!("there is no profile {name:?} in the configuration of Scaleway's tools ({known})"))
            }
        }
    }
}

fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|it| !it.is_empty())
}
