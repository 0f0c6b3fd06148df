//! Telling others what happens: what the command line says of it.

use super::{Failure, complain, inside::OWN_KEYS};
use crate::{
    herald::{Herald, Key, Say, Ways},
    machine::find_secret,
    model::spec::SecretSource,
    report::plain,
};
use std::{path::PathBuf, sync::Arc};

/// Whom to tell what happens.
#[derive(Debug, clap::Args)]
pub(crate) struct Notify {
    /// Post what happens there, as JSON: runs that changed something, holds, readiness, drift.
    #[arg(long, value_name = "URL")]
    pub notify: Option<String>,
    /// The environment variable that holds the secret which signs what is posted.
    #[arg(long, value_name = "VARIABLE", requires = "notify", conflicts_with = "notify_secret_file")]
    pub notify_secret_env: Option<String>,
    /// The file whose first line is the secret.
    #[arg(long, value_name = "FILE", requires = "notify")]
    pub notify_secret_file: Option<PathBuf>,
    /// Run this for each of them, by a shell, with the JSON on its standard input.
    #[arg(long, value_name = "COMMAND")]
    pub notify_command: Option<String>,
}

/// Who tells it; nobody, where nobody is to be told.
///
/// # Errors
/// Where the address cannot be posted to, or the secret is not there.
pub(super) fn herald(args: &Notify) -> Result<Option<Herald>, Failure> {
    if args.notify.is_none() && args.notify_command.is_none() {
        return Ok(None);
    }
    let key = match (&args.notify_secret_env, &args.notify_secret_file) {
        (None, None) => None,
        (env, file) => {
            let source = SecretSource { env: env.clone(), file: file.as_ref().map(|it| it.to_string_lossy().into_owned()) };
            Some(Key::new(find_secret("--notify", &source, &|text| std::path::absolute(text).ok())?))
        }
    };
    // A command gets neither the keys of vendors nor the secret that signs.
    let withheld = OWN_KEYS.iter().map(ToString::to_string).chain(args.notify_secret_env.clone()).collect();
    let say: Say = Arc::new(|text: &str| complain(&plain(text)));
    let ways = Ways { url: args.notify.clone(), key, command: args.notify_command.clone(), withheld };
    Ok(Some(Herald::new(ways, &say).map_err(Failure::new)?))
}
