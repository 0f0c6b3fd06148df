//! Where our own files live.

use super::StoreError;
use std::{
    env, fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Our directories: everything under `CLOUDYPAD_HOME`, else under the XDG directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    state: PathBuf,
    data: PathBuf,
}

impl Home {
    /// Finds the directories; makes none of them.
    ///
    /// # Errors
    /// Where neither `CLOUDYPAD_HOME`, nor an XDG variable, nor `HOME` says.
    pub fn find() -> Result<Self, String> {
        let var = |name: &str| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        if let Some(all) = var("CLOUDYPAD_HOME") {
            return Ok(Self::at(&all));
        }
        let home = var("HOME");
        let xdg = |name: &str, rest: &str| var(name).filter(|it| it.is_absolute()).or_else(|| home.as_ref().map(|it| it.join(rest)));
        match (xdg("XDG_STATE_HOME", ".local/state"), xdg("XDG_DATA_HOME", ".local/share")) {
            (Some(state), Some(data)) => Ok(Self { state: state.join("cloudypad"), data: data.join("cloudypad") }),
            _ => Err("cannot tell where to keep files: set CLOUDYPAD_HOME, or HOME".to_owned()),
        }
    }

    /// Everything under one directory.
    pub fn at(all: &Path) -> Self {
        Self { state: all.to_owned(), data: all.to_owned() }
    }

    /// Journals, one file an instance.
    pub fn journals(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// What runs told, one file an instance.
    pub fn stories(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// Locks, one file an instance.
    pub fn locks(&self) -> PathBuf {
        self.state.join("locks")
    }

    /// What was said inside servers, one file an instance.
    pub fn logs(&self) -> PathBuf {
        self.state.join("log")
    }

    /// Whom SSH must find, one file an instance.
    pub fn known_hosts(&self) -> PathBuf {
        self.state.join("known-hosts")
    }

    /// Files of what is run inside servers, one directory an instance, empty between runs.
    pub fn scratch(&self) -> PathBuf {
        self.state.join("scratch")
    }

    /// Host keys of ours, one file an instance.
    pub fn host_keys(&self) -> PathBuf {
        self.data.join("host-keys")
    }

    /// What may be deleted at any time, at the price of asking again.
    pub fn cache(&self) -> PathBuf {
        self.state.join("cache")
    }

    /// What was fetched of repositories of specs, one directory a source.
    pub fn sources(&self) -> PathBuf {
        self.state.join("sources")
    }

    /// The local cloud.
    pub fn local_cloud(&self) -> PathBuf {
        self.data.join("local")
    }
}

/// Makes a directory that only its owner may enter; one that others may enter is closed to them.
pub(crate) fn make_private(dir: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| StoreError { verb: "create", path: dir.to_owned(), source })?;
    close_to_others(dir);
    Ok(())
}

/// Takes everybody else's leave to a file or directory of ours. Where that cannot be had, as on a file system without
/// owners, nothing is worse than it was.
pub(crate) fn close_to_others(path: &Path) {
    let closed = fs::metadata(path).and_then(|it| match it.mode() & 0o777 & !0o700 {
        0 => Ok(()),
        _ => fs::set_permissions(path, fs::Permissions::from_mode(it.mode() & 0o700)),
    });
    if let Err(error) = closed {
        tracing::warn!(path = %path.display(), %error, "others may read it");
    }
}
