//! One commit, laid out in a directory that stays as long as somebody holds it.

use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::PathBuf,
    sync::Arc,
};

/// How many characters of a commit's name are enough for people.
const SHORT: usize = 12;

/// A commit and its files. Its directory is there until the last copy of it is dropped.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The commit's full name.
    pub commit: String,
    /// When it was written, as its author's clock said: to be shown, not to be decided by.
    pub time: Timestamp,
    /// The first line of its message, fit to be shown.
    pub subject: String,
    /// Where its specs are: the source's path within the tree.
    pub directory: PathBuf,
    /// Whether it does not follow what was carried out before, and was approved.
    pub is_rewritten: bool,
    /// Links that lead out of the tree, by their paths in it: they lead nowhere here.
    pub strays: Vec<PathBuf>,
    pub(super) approvals: BTreeSet<String>,
    pub(super) _pin: Arc<Pin>,
}

impl Checkout {
    /// The beginning of the commit's name, for people and tags.
    pub fn short(&self) -> &str {
        self.commit.get(..SHORT).unwrap_or(&self.commit)
    }

    /// Which instances may be changed beyond what the guard against mass changes lets pass, or `all`: from trailers like
    /// `Cloudypad-Approve: mypad, home.yourpad` of this commit and of those that came with it.
    pub fn approvals(&self) -> &BTreeSet<String> {
        &self.approvals
    }
}

/// Keeps a directory; it goes with this. Where the process dies first, the next fetch removes it: nobody locks it then.
#[derive(Debug)]
pub(super) struct Pin {
    pub root: PathBuf,
    pub lock: PathBuf,
    pub _file: File,
}

impl Drop for Pin {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next fetch.
        let _ = fs::remove_dir_all(&self.root);
        let _ = fs::remove_file(&self.lock);
    }
}
