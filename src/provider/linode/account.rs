//! Whose account: the environment and the configuration file of Linode's own command line.
//!
//! The token is taken from `LINODE_TOKEN`, else from the file's profile (its `default-user`). A spec that names
//! `credentials` says where its token is, whatever the environment says. `LINODE_URL` and `LINODE_API_VERSION` say
//! where the API is. (Sources: the vendor's documentation of its command line; the official Go library.)

use super::super::http::{Secret, check_address};
use crate::model::spec;
use std::{collections::BTreeMap, env, fs, io::ErrorKind, path::PathBuf};

/// Where the API is, unless somebody says otherwise.
const API: &str = "https://api.linode.com";

/// What it takes to talk to Linode for one account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The personal access token.
    pub token: Secret,
    /// Where the token was found, for people.
    pub found: String,
    /// Where the API is, without its version.
    pub url: String,
    /// `v4`, or `v4beta`.
    pub version: String,
}

/// The configuration file: its sections with their settings.
#[derive(Default)]
struct File {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    path: PathBuf,
    /// It was named and is not there.
    missing: bool,
}

impl Account {
    /// Finds the account that a spec speaks of.
    ///
    /// # Errors
    /// A sentence for people that says what is missing, and where it may be put. It never holds a secret.
    pub fn find(credentials: Option<&spec::Credentials>) -> Result<Self, String> {
        let credentials = credentials.cloned().unwrap_or_default();
        if let Some(name) = &credentials.env {
            let token =
                var(name).ok_or_else(|| format!("the spec's credentials name the environment variable {name}, which is not set"))?;
            return Self::at_hand(token, format!("the environment variable {name}"));
        }
        if credentials.profile.is_none()
            && let Some(token) = var("LINODE_TOKEN")
        {
            return Self::at_hand(token, "the environment variable LINODE_TOKEN".to_owned());
        }
        let file = File::read()?;
        let place = file.path.display();
        let user = credentials.profile.clone().or_else(|| file.get("DEFAULT", "default-user").cloned());
        match user.as_ref().and_then(|user| file.get(user, "token")) {
            Some(token) => Self::at_hand(token.clone(), format!("the profile {} of {place}", user.unwrap_or_default())),
            None if file.missing => Err(format!("LINODE_CLI_CONFIG names {place}, which is not there")),
            None => match credentials.profile {
                Some(name) => {
                    let known: Vec<&str> = file.sections.keys().map(String::as_str).filter(|it| *it != "DEFAULT").collect();
                    let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                    Err(format!("there is no token for {name:?} in {place} ({known})"))
                }
                None => Err(format!(
                    "no credentials for Linode: set LINODE_TOKEN, or run linode-cli configure, which writes {place}. \
                     Tokens are made at https://cloud.linode.com/profile/tokens"
                )),
            },
        }
    }

    fn at_hand(token: String, found: String) -> Result<Self, String> {
        let url = var("LINODE_URL").unwrap_or_else(|| API.to_owned());
        let url = if url.contains("://") { url } else { format!("https://{url}") };
        check_address(&url).map_err(|why| format!("Linode: {why} (LINODE_URL)"))?;
        // The official tools take it with or without the version.
        let url = url.trim_end_matches('/').trim_end_matches("/v4beta").trim_end_matches("/v4").to_owned();
        let version = var("LINODE_API_VERSION").unwrap_or_else(|| "v4".to_owned());
        if !matches!(version.as_str(), "v4" | "v4beta") {
            return Err(format!("LINODE_API_VERSION is {version:?}; it is v4 or v4beta"));
        }
        Ok(Account { token: Secret::new(token.trim()), found, url, version })
    }

    /// Whether it is the same account at the same place.
    pub fn is_same(&self, other: &Account) -> bool {
        self.token == other.token && self.url == other.url
    }

    /// Whether it is at the vendor's own address.
    pub fn is_at_the_vendor(&self) -> bool {
        self.url.trim_end_matches('/') == API
    }
}

impl File {
    /// Reads the configuration file. One that is not there says nothing.
    fn read() -> Result<Self, String> {
        let named = var("LINODE_CLI_CONFIG").map(PathBuf::from);
        let below = |dir: String, rest: &str| PathBuf::from(dir).join(rest);
        let usual = var("XDG_CONFIG_HOME").map(|dir| below(dir, "linode-cli"));
        let usual = usual.or_else(|| var("HOME").map(|dir| below(dir, ".config/linode-cli")));
        let is_named = named.is_some();
        let path = named.or(usual).unwrap_or_else(|| PathBuf::from("~/.config/linode-cli"));
        match fs::read_to_string(&path) {
            Ok(text) => Ok(File { sections: sections(&text), path, missing: false }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(File { path, missing: is_named, ..File::default() }),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    fn get(&self, section: &str, key: &str) -> Option<&String> {
        self.sections.get(section)?.get(key).filter(|it| !it.is_empty())
    }
}

/// The settings below each `[section]`, as Python's `configparser` writes them.
fn sections(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim).filter(|it| !it.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once(['=', ':']) {
            all.entry(section.clone()).or_default().insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    all
}

fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_of_the_vendors_own_command_line_is_read() {
        let text = "[DEFAULT]\ndefault-user = me\n\n# a remark\n[me]\ntoken = abc=\nregion=fr-par\n[other]\nToken: x\n";
        let read = super::sections(text);
        assert_eq!(read["DEFAULT"]["default-user"], "me");
        assert_eq!(read["me"]["token"], "abc=");
        assert_eq!(read["other"]["token"], "x");
    }
}
