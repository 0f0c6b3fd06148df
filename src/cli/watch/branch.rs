//! A branch of a Git repository that is watched: asked for its newest commit in turns, and whenever somebody says that there
//! is one.

use crate::{
    cli::{Failure, args::Watch},
    source::{Access, Checkout, Git, Manner, Place, Trouble, pause, webhook},
    store::Home,
    watch::{Hook, HookCheck},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

/// How long one fetch may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The shortest time between two questions to a repository.
pub(super) const SHORTEST_POLL: Duration = Duration::from_secs(1);
/// The variable with the secret that a Git host signs its words with.
const SECRET: &str = "CLOUDYPAD_WEBHOOK_SECRET";

/// What asking gave.
pub(super) type Found = Result<Checkout, Trouble>;

/// A branch that is followed.
pub(super) struct Branch {
    git: Git,
    every: Duration,
    stop: watch::Receiver<bool>,
    /// Whoever knows of news says so here.
    pub bell: Arc<Notify>,
}

impl Branch {
    pub fn open(home: &Home, place: Place, args: &Watch, stop: watch::Receiver<bool>) -> Result<Self, Failure> {
        let manner = Manner { patience: PATIENCE, access: Access::find(), stop: stop.clone() };
        Ok(Self { git: Git::open(home, place, manner)?, every: args.poll, stop, bell: Arc::default() })
    }

    /// What the branch's instances are tagged with.
    pub fn owner(&self) -> String {
        self.git.owner()
    }

    /// How it is called, for people.
    pub fn name(&self) -> String {
        let Place { url, branch, .. } = self.git.place();
        format!("{url}, branch {branch}")
    }

    /// What was carried out last, before this process.
    pub async fn last(&mut self) -> Option<Checkout> {
        self.git.last().await.unwrap_or_else(|trouble| {
            tracing::warn!(%trouble, "the last checkout is not there any more");
            None
        })
    }

    /// Asks again and again, and hands on what that gives.
    pub async fn follow(mut self, found: mpsc::UnboundedSender<Found>) {
        for turn in 0.. {
            let began = Instant::now();
            if found.send(self.git.fetch().await).is_err() {
                return;
            }
            tokio::select! {
                () = sleep(pause(self.every, &self.git.owner(), turn)) => {}
                // However often it rings.
                () = async {
                    self.bell.notified().await;
                    sleep_until(began + SHORTEST_POLL).await;
                } => {}
                _ = self.stop.wait_for(|it| *it) => return,
            }
        }
    }

    /// Judges what a Git host says, where there is a secret to judge by: what speaks of the branch rings the bell.
    pub fn hook(&self) -> Option<HookCheck> {
        let secret = std::env::var(SECRET).ok().filter(|it| !it.is_empty())?;
        let (bell, branch) = (self.bell.clone(), self.git.place().branch.clone());
        Some(Arc::new(move |headers, body| {
            let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
            let is_genuine = header("x-hub-signature-256").is_some_and(|it| webhook::is_signed(body, it, &secret))
                || header("x-gitlab-token").is_some_and(|it| webhook::is_token(it, &secret));
            match webhook::news(body) {
                _ if !is_genuine => Hook::Refused,
                webhook::News::Branch(other) if other != branch => Hook::Ignored,
                _ => {
                    bell.notify_one();
                    Hook::Accepted
                }
            }
        }))
    }
}

/// Where the specs are now.
#[derive(Default, Clone)]
pub(super) struct Origin {
    pub paths: Vec<PathBuf>,
    /// The commit that they are of, which stays laid out as long as this is held.
    pub checkout: Option<Checkout>,
}

impl Origin {
    pub fn of(checkout: Checkout) -> Self {
        Self { paths: vec![checkout.directory.clone()], checkout: Some(checkout) }
    }

    /// A file's name as people know it: within the repository, where there is one.
    pub fn name(&self, file: &std::path::Path) -> PathBuf {
        let inner = self.checkout.as_ref().and_then(|it| file.strip_prefix(&it.directory).ok());
        inner.unwrap_or(file).to_owned()
    }
}
