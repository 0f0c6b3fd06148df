//! Whose account: the environment and the configuration file of Scaleway's own tools, with their precedence.
//!
//! A setting is taken from the environment, else from the profile (`SCW_PROFILE`, else the file's
//! `active_profile`), else from the top of the file. A spec that names `credentials` says where its key is,
//! whatever the environment says. (Source: the official Go SDK's configuration loader.)

use super::super::http::{Secret, check_address};
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

/// One profile of the configuration file, or its top, or the environment.
#[derive(Clone, Default, Deserialize)]
struct Profile {
    access_key: Option<String>,
    secret_key: Option<String>,
    api_url: Option<String>,
    default_project_id: Option<String>,
    default_zone: Option<String>,
}

#[derive(Default, Deserialize)]
struct File {
    active_profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
    #[serde(flatten)]
    top: Profile,
}

/// The configuration file, and where it is or would be.
struct Found {
    file: File,
    path: PathBuf,
    /// It was named and is not there.
    missing: bool,
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

    /// Settings without a key.
    fn keyless(self) -> Profile {
        Profile { access_key: None, secret_key: None, ..self }
    }

    /// The key with the place it was found at. The access key is no secret: it tells which of several keys is meant.
    fn key(&self, place: &str) -> Option<(String, String)> {
        let access = self.access_key.as_ref().map(|it| format!(" (access key {it})")).unwrap_or_default();
        Some((self.secret_key.clone()?, format!("{place}{access}")))
    }

    fn account(self, (key, found): (String, String)) -> Result<Account, String> {
        let key = key.trim().to_owned();
        if key.starts_with("SCW") && key.len() == 20 {
            return Err(format!("{found} holds an access key (SCW…); the secret key is wanted, a UUID"));
        }
        let url = self.api_url.unwrap_or_else(|| API.to_owned());
        check_address(&url).map_err(|why| format!("Scaleway: {why} (SCW_API_URL, or api_url of the profile)"))?;
        Ok(Account { key: Secret::new(key), found, url, project: self.default_project_id, zone: self.default_zone })
    }
}

impl Account {
    /// Finds the account that a spec speaks of.
    ///
    /// # Errors
    /// A sentence for people that says what is missing, and where it may be put. It never holds a secret.
    pub fn find(credentials: Option<&spec::Credentials>) -> Result<Self, String> {
        let environment = Profile::of_environment();
        let credentials = credentials.cloned().unwrap_or_default();
        let found = File::read()?;
        let wanted = credentials.profile.clone().or_else(|| var("SCW_PROFILE"));
        if let Some(name) = &credentials.env {
            let key = var(name).ok_or_else(|| format!("the spec's credentials name the environment variable {name}, which is not set"))?;
            let (profile, _) = found.profile(wanted.as_deref())?;
            return environment.keyless().over(profile.keyless()).account((key, format!("the environment variable {name}")));
        }
        // With a key in the environment nothing more is needed: a profile that is not there takes nothing away.
        let outside = environment.key("the environment variable SCW_SECRET_KEY").filter(|_| credentials.profile.is_none());
        let (profile, name) = match found.profile(wanted.as_deref()) {
            Err(why) if outside.is_none() || found.path.exists() => return Err(why),
            Err(_) => (Profile::default(), String::new()),
            Ok(profile) => profile,
        };
        let inside = profile.key(&format!("{name} of {}", found.path.display()));
        match outside.or(inside) {
            // A spec that names a profile means that profile's account; where the API is may still be said outside.
            Some(key) if credentials.profile.is_some() => {
                Profile { api_url: environment.api_url, ..Profile::default() }.over(profile).account(key)
            }
            Some(key) => environment.over(profile).account(key),
            None if found.missing => Err(format!("SCW_CONFIG_PATH names {}, which is not there", found.path.display())),
            None => Err(format!(
                "no credentials for Scaleway: set SCW_SECRET_KEY, or write secret_key into {name} of {} (scw init does). \
                 Keys are made at https://console.scaleway.com/iam/api-keys",
                found.path.display()
            )),
        }
    }

    /// Whether it is the same account at the same place.
    pub fn is_same(&self, other: &Account) -> bool {
        self.key == other.key && self.url == other.url
    }

    /// Whether it is at the vendor's own address.
    pub fn is_at_the_vendor(&self) -> bool {
        self.url.trim_end_matches('/') == API
    }
}

impl File {
    /// Reads the configuration file. One that is not there says nothing.
    fn read() -> Result<Found, String> {
        let named = var("SCW_CONFIG_PATH").map(PathBuf::from);
        let below = |dir: String, rest: &str| PathBuf::from(dir).join(rest);
        let usual = var("XDG_CONFIG_HOME").map(|dir| below(dir, "scw/config.yaml"));
        let usual = usual.or_else(|| var("HOME").map(|dir| below(dir, ".config/scw/config.yaml")));
        let is_named = named.is_some();
        let Some(path) = named.or(usual) else {
            return Ok(Found { file: File::default(), path: PathBuf::from("~/.config/scw/config.yaml"), missing: false });
        };
        match fs::read_to_string(&path) {
            // What an error quotes of the file may be a secret: only the place is told.
            Ok(text) => match serde_yaml::from_str(&text) {
                Ok(file) => Ok(Found { file, path, missing: false }),
                Err(error) => {
                    let place = error.location().map_or_else(String::new, |it| format!(" at line {}, column {}", it.line(), it.column()));
                    Err(format!("{} is not a configuration file of Scaleway's tools{place}", path.display()))
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found { file: File::default(), path, missing: is_named }),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }
}

impl Found {
    /// A profile over the top of the file, and what it is called.
    fn profile(&self, name: Option<&str>) -> Result<(Profile, String), String> {
        let name = name.or(self.file.active_profile.as_deref()).filter(|it| *it != "default");
        let Some(name) = name else { return Ok((self.file.top.clone(), "the default profile".to_owned())) };
        match self.file.profiles.get(name) {
            Some(profile) => Ok((profile.clone().over(self.file.top.clone()), format!("the profile {name}"))),
            None => {
                let known: Vec<&str> = self.file.profiles.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                Err(format!("there is no profile {name:?} in {} ({known})", self.path.display()))
            }
        }
    }
}

fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|it| !it.is_empty())
}
