//! A branch of a repository as a source of specs: asked for its newest commit, again and again.

use super::{
    Checkout, Manner, Place, Trouble,
    layout::holds_spec,
    mirror::{Fault, Mirror, tip},
    program::Program,
    room::{Known, Room, is_beginning},
    tree::Lead,
};
use crate::{model::digest, store::Home};
use std::{collections::BTreeSet, fs, path::absolute, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A branch of a repository, and what was carried out of it last.
///
/// Several processes may have the same one: they take turns. Dropping a fetch half-way ends what it started.
#[derive(Debug)]
pub struct Git {
    place: Place,
    /// As `git` is given it, wherever it runs.
    url: String,
    program: Program,
    room: Room,
    current: Option<Checkout>,
    /// Where our own file is lost.
    known: Option<Known>,
    is_checked: bool,
}

impl Git {
    /// Makes nothing yet, and asks nobody.
    ///
    /// # Errors
    /// [`Trouble::Unreadable`] where the path of a repository cannot be told, for want of a current directory.
    pub fn open(home: &Home, place: Place, manner: Manner) -> Result<Self, Trouble> {
        let url = if place.url.contains("://") {
            place.url.clone()
        } else {
            absolute(&place.url).map_err(|error| Trouble::Unreadable(error.to_string()))?.to_string_lossy().into_owned()
        };
        let (program, room) = (Program::new(&place, manner), Room::of(home, &place));
        Ok(Self { place, url, program, room, current: None, known: None, is_checked: false })
    }

    /// What is asked.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What its instances' objects are tagged with: see [`Place::owner`].
    pub fn owner(&self) -> String {
        self.place.owner()
    }

    /// The last good checkout: of this process, or, after a restart, what the last process carried out, laid out again from
    /// our own copy, whatever became of the repository. None where there is none, or no copy any more.
    ///
    /// # Errors
    /// [`Trouble`] of this machine's own.
    pub async fn last(&mut self) -> Result<Option<Checkout>, Trouble> {
        if self.current.is_none() {
            let until = Instant::now() + self.program.patience();
            self.check(until).await?;
            let _lock = self.lock(until).await?;
            self.room.sweep();
            let path = self.room.mirror();
            let mirror = Mirror { git: &self.program, path: &path, until };
            if let Some(known) = self.room.known()
                && mirror.has(&known.commit).await?
            {
                self.current = match self.lay(&mirror, &known.commit, false, known.approvals.clone()).await {
                    Ok(checkout) => Some(checkout),
                    // The next fetch makes another copy.
                    Err(Fault::Mirror(_)) => None,
                    Err(Fault::Trouble(trouble)) => return Err(trouble),
                };
                self.known = Some(known);
            }
        }
        Ok(self.current.clone())
    }

    /// Asks for the branch's newest commit, and lays it out where it is another one. Nothing is fetched where it is not.
    ///
    /// # Errors
    /// [`Trouble`]; then what [`Git::last`] gives is as good as before.
    pub async fn fetch(&mut self) -> Result<Checkout, Trouble> {
        let until = Instant::now() + self.program.patience();
        self.check(until).await?;
        let tip = tip(&self.program, &self.place, &self.url, until).await?;
        if let Some(current) = self.current.as_ref().filter(|it| it.commit == tip) {
            return Ok(current.clone());
        }
        let _lock = self.lock(until).await?;
        self.room.sweep();
        let known = self.room.known().or_else(|| self.known.clone());
        let (path, aside) = (self.room.mirror(), self.room.aside());
        let mirror = Mirror { git: &self.program, path: &path, until };
        let checkout = match self.renew(&mirror, &tip, known.as_ref(), true).await {
            Err(Fault::Trouble(trouble)) => return Err(trouble),
            Ok(checkout) => checkout,
            // The repository answers; so another copy is made of it, with its whole history, and takes the old one's place.
            Err(Fault::Mirror(why)) => {
                tracing::info!(source = %self.owner(), why, "the copy of the repository is made again");
                let _ = fs::remove_dir_all(&aside);
                let fresh = Mirror { git: &self.program, path: &aside, until };
                let renewed = self.renew(&fresh, &tip, known.as_ref(), false).await;
                let is_whole = !matches!(renewed, Err(Fault::Mirror(_) | Fault::Trouble(Trouble::TimedOut { .. } | Trouble::Stopped)));
                if is_whole {
                    let _ = fs::remove_dir_all(&path);
                    let moved = fs::rename(&aside, &path);
                    moved.map_err(|source| crate::store::StoreError { verb: "write", path: path.clone(), source })?;
                } else {
                    let _ = fs::remove_dir_all(&aside);
                }
                renewed.map_err(|fault| match fault {
                    Fault::Mirror(why) => Trouble::Unreadable(why),
                    Fault::Trouble(trouble) => trouble,
                })?
            }
        };
        let known = Known {
            commit: checkout.commit.clone(),
            approvals: checkout.approvals.clone(),
            url: self.url.clone(),
            branch: self.place.branch.clone(),
            path: self.place.path.clone(),
        };
        self.room.keep(&known)?;
        self.room.forget_accepted();
        self.known = Some(known);
        self.current = Some(Checkout { is_rewritten: false, ..checkout.clone() });
        Ok(checkout)
    }

    /// Lets the next fetch take a commit that does not follow what was carried out last, or one that follows it. Any process
    /// may say so.  `commit` is its name, or the first seven digits of it, or more. False where that is no commit's name, or nothing was carried out of this branch and directory here.
    ///
    /// # Errors
    /// Where our own file cannot be written.
    pub fn accept(&self, commit: &str) -> Result<bool, Trouble> {
        let commit = commit.to_ascii_lowercase();
        if !is_beginning(&commit) || self.room.known().is_none() {
            return Ok(false);
        }
        self.room.accept(&commit).map(|()| true)
    }

    async fn check(&mut self, until: Instant) -> Result<(), Trouble> {
        if !self.is_checked {
            self.program.check(until).await?;
            self.is_checked = true;
        }
        Ok(())
    }

    async fn lock(&self, until: Instant) -> Result<fs::File, Trouble> {
        self.room.lock(until, self.program.patience(), &|| self.program.is_told_to_stop()).await
    }

    /// Fetches into a mirror, judges what came, and lays it out.
    async fn renew(&self, mirror: &Mirror<'_>, tip: &str, known: Option<&Known>, brief: bool) -> Result<Checkout, Fault> {
        let commit = mirror.fetch(&self.place, &self.url, tip, brief && known.is_none()).await?;
        let mut is_rewritten = false;
        if let Some(known) = known
            && !mirror.follows(&commit, &known.commit).await?
        {
            is_rewritten = match self.room.accepted() {
                Some(accepted) => mirror.follows_beginning(&commit, &accepted).await?,
                None => false,
            };
            if !is_rewritten {
                return Err(Trouble::Rewritten { was: known.commit.clone(), now: commit }.into());
            }
        }
        let approvals = match known {
            // Laid out again, it approves what it did.
            Some(known) if known.commit == commit => known.approvals.clone(),
            Some(known) if !is_rewritten => mirror.approvals(&commit, Some(&known.commit)).await?,
            _ => mirror.approvals(&commit, None).await?,
        };
        let checkout = self.lay(mirror, &commit, is_rewritten, approvals).await?;
        mirror.keep(&commit).await?;
        Ok(checkout)
    }

    async fn lay(&self, mirror: &Mirror<'_>, commit: &str, is_rewritten: bool, approvals: BTreeSet<String>) -> Result<Checkout, Fault> {
        let about = mirror.about(commit).await?;
        let tree = mirror.tree(commit).await?;
        if let Some(at) = tree.submodule_of(&self.place.path) {
            return Err(Trouble::MissingSubmodule { commit: commit.to_owned(), at }.into());
        }
        let empty = || Trouble::Empty { commit: commit.to_owned(), path: self.place.path.clone() };
        let Lead::To(inner) = tree.follow(&self.place.path) else { return Err(empty().into()) };
        let pin = self.room.pin(commit)?;
        mirror.lay_out(&tree, &pin.root).await?;
        let directory = if inner.is_empty() { pin.root.clone() } else { pin.root.join(inner) };
        if !holds_spec(&directory) {
            return Err(empty().into());
        }
        let strays = tree.strays();
        Ok(Checkout {
            commit: commit.to_owned(),
            time: about.time,
            subject: about.subject,
            directory,
            is_rewritten,
            strays,
            approvals,
            _pin: Arc::new(pin),
        })
    }
}

/// How long to wait before the repository is asked for the `turn`th time: `every`, give or take a tenth, another for each
/// source and turn, so that not everybody asks at once.
pub fn pause(every: Duration, source: &str, turn: u64) -> Duration {
    let spread = digest(&format!("{source} {turn}")) % 2001;
    every.mul_f64(0.9 + 0.0001 * f64::from(u32::try_from(spread).unwrap_or(1000)))
}
