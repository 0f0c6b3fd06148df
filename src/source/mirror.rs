//! Our own copy of the branch: a bare repository that holds what was fetched.

use super::{
    Place, Trouble,
    program::{Program, Said, bounded},
    room::is_commit,
    tree::{Kind, Tree},
};
use crate::model::is_unseen;
use jiff::Timestamp;
use std::{collections::BTreeSet, fs, path::Path};
use tokio::time::Instant;

/// What was fetched, and what was carried out last: neither is ever pruned.
const SEEN: &str = "refs/cloudypad/seen";
const GOOD: &str = "refs/cloudypad/good";
/// How many bytes the list of a commit's files may have.
const MOST_LISTED: usize = 32 << 20;
/// How many links a commit may have: each is asked for.
const MOST_LINKS: usize = 1000;
/// How many commits that came together are asked for approvals.
const MOST_COMMITS: &str = "--max-count=256";
/// How many approvals are taken.
const MOST_APPROVALS: usize = 256;
/// How many characters of a subject are shown.
const MOST_SUBJECT: usize = 120;

/// Whose fault it is.
#[derive(Debug)]
pub(super) enum Fault {
    /// Our own copy's, as far as can be told: another one helps, if anything does.
    Mirror(String),
    Trouble(Trouble),
}

impl<T: Into<Trouble>> From<T> for Fault {
    fn from(trouble: T) -> Self {
        Fault::Trouble(trouble.into())
    }
}

/// What a commit says of itself.
pub(super) struct About {
    pub time: Timestamp,
    pub subject: String,
}

/// A bare repository of our own, and the time there is for it.
pub(super) struct Mirror<'a> {
    pub git: &'a Program,
    pub path: &'a Path,
    pub until: Instant,
}

/// The newest commit of the branch, asked without any repository of our own.
pub(super) async fn tip(git: &Program, place: &Place, url: &str, until: Instant) -> Result<String, Trouble> {
    let name = format!("refs/heads/{}", place.branch);
    let said = git.run(None, &["ls-remote", "--", url, &name], until).await?;
    if !said.is_good {
        return Err(read_complaint(said.complaint));
    }
    let text = String::from_utf8_lossy(&said.out).into_owned();
    let found = text.lines().filter_map(|it| it.split_once('\t')).find(|it| it.1 == name).map(|it| it.0.to_owned());
    found.filter(|it| is_commit(it)).ok_or_else(|| Trouble::NoBranch(place.branch.clone()))
}

/// What Git's own words mean.
fn read_complaint(said: String) -> Trouble {
    const DENIED: &[&str] = &[
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Permission denied (",
        "Host key verification failed",
        "returned error: 401",
        "returned error: 403",
        "Too many authentication failures",
    ];
    if DENIED.iter().any(|it| said.contains(it)) { Trouble::Denied(said) } else { Trouble::Unreadable(said) }
}

impl Mirror<'_> {
    /// Fetches the branch, into a new repository where there is none, and gives the commit that came. With `brief`, a new
    /// repository takes no history.
    pub async fn fetch(&self, place: &Place, url: &str, tip: &str, brief: bool) -> Result<String, Fault> {
        let is_new = !self.path.join("HEAD").exists();
        if is_new {
            // What is there without a head is no repository.
            let _ = fs::remove_dir_all(self.path);
            let format = if tip.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
            let path = self.path.to_string_lossy();
            let said = self.git.run(None, &["init", "--quiet", "--bare", "--template=", format, "--", &path], self.until).await?;
            good(said)?;
            crate::store::make_private(self.path)?;
        }
        let line = format!("+refs/heads/{}:{SEEN}", place.branch);
        let mut words = vec!["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--update-shallow", "--no-auto-maintenance"];
        if is_new && brief {
            words.push("--depth=1");
        }
        words.extend(["--", url, &line]);
        good(self.run(&words).await?)?;
        let commit = good(self.run(&["rev-parse", "--verify", "--quiet", &format!("{SEEN}^{{commit}}")]).await?)?.line();
        if is_commit(&commit) { Ok(commit) } else { Err(Fault::Mirror("it has a branch without a commit".to_owned())) }
    }

    /// Whether a commit is there, with its files.
    pub async fn has(&self, commit: &str) -> Result<bool, Trouble> {
        Ok(self.path.join("HEAD").exists() && self.run(&["cat-file", "-e", &format!("{commit}^{{tree}}")]).await?.is_good)
    }

    /// Whether one commit is part of another's history; what is not here is not.
    pub async fn follows(&self, later: &str, earlier: &str) -> Result<bool, Fault> {
        if later == earlier {
            return Ok(true);
        }
        if !self.has(earlier).await? {
            return Ok(false);
        }
        let said = self.run(&["merge-base", "--is-ancestor", earlier, later]).await?;
        match said.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(Fault::Mirror(said.complaint)),
        }
    }

    /// Whether a commit whose name begins so is part of another's history.
    pub async fn follows_beginning(&self, later: &str, beginning: &str) -> Result<bool, Fault> {
        let found = self.run(&["rev-parse", "--verify", "--quiet", &format!("{beginning}^{{commit}}")]).await?;
        if found.is_good { self.follows(later, &found.line()).await } else { Ok(false) }
    }

    pub async fn about(&self, commit: &str) -> Result<About, Fault> {
        let said = good(self.run(&["log", "-1", "--no-color", "--no-notes", "--format=%at%n%s", commit]).await?)?;
        let text = String::from_utf8_lossy(&said.out).into_owned();
        let (time, subject) = text.split_once('\n').unwrap_or((&text, ""));
        Ok(About {
            time: time.parse().ok().and_then(|it| Timestamp::from_second(it).ok()).unwrap_or(Timestamp::UNIX_EPOCH),
            subject: subject.trim_end().chars().take(MOST_SUBJECT).map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect(),
        })
    }

    /// What a commit approves, and those that came with it since `before`.
    pub async fn approvals(&self, commit: &str, before: Option<&str>) -> Result<BTreeSet<String>, Fault> {
        let range = before.map_or_else(|| commit.to_owned(), |it| format!("{it}..{commit}"));
        let most = if before.is_some() { MOST_COMMITS } else { "--max-count=1" };
        let format = "--format=%(trailers:key=Cloudypad-Approve,valueonly)";
        let said = good(self.run(&["log", most, "--no-color", "--no-notes", format, &range]).await?)?;
        let text = String::from_utf8_lossy(&said.out).into_owned();
        let is_name = |it: &&str| it.len() <= 128 && it.chars().all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c));
        let names = text.split([',', ' ', '\n', '\t', '\r']).filter(|it| !it.is_empty()).filter(is_name);
        Ok(names.take(MOST_APPROVALS).map(str::to_owned).collect())
    }

    /// The files of a commit, with where its links lead.
    pub async fn tree(&self, commit: &str) -> Result<Tree, Fault> {
        let mut text = Vec::new();
        let words = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit];
        good(self.git.feed(Some(self.path), &words, Vec::new(), self.until, &mut bounded(&mut text, MOST_LISTED)).await?)?;
        let mut tree = Tree::read(&text).map_err(Trouble::Unreadable)?;
        if tree.0.values().filter(|it| it.kind == Kind::Link(None)).count() > MOST_LINKS {
            return Err(Trouble::Unreadable(format!("it has more than {MOST_LINKS} links")).into());
        }
        for leaf in tree.0.values_mut().filter(|it| it.kind == Kind::Link(None) && it.size < 4096) {
            let said = good(self.run(&["cat-file", "blob", &leaf.object]).await?)?;
            leaf.kind = Kind::Link(String::from_utf8(said.out).ok().filter(|it| !it.is_empty() && !it.contains('\0')));
        }
        Ok(tree)
    }

    /// Keeps a commit, whatever becomes of the branch, and packs what is loose.
    pub async fn keep(&self, commit: &str) -> Result<(), Fault> {
        good(self.run(&["update-ref", GOOD, commit]).await?)?;
        // Git decides whether there is something to do; what it cannot do, it does next time.
        let _ = self.run(&["-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"]).await;
        Ok(())
    }

    async fn run(&self, words: &[&str]) -> Result<Said, Trouble> {
        self.git.run(Some(self.path), words, self.until).await
    }
}

/// What our own repository should have been able to say.
pub(super) fn good(said: Said) -> Result<Said, Fault> {
    if said.is_good { Ok(said) } else { Err(Fault::Mirror(said.complaint)) }
}
