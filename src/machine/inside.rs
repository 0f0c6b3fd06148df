//! One instance, from inside: who gets in, what runs there, and where it is written down.

use super::{
    Barred, Identity, PlayError, Playing, Way,
    private::close_to_others,
    recipe::{Play, Recipe},
};
use serde_json::{Map, Value};
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, process::Stdio, sync::Mutex, time::Duration};
use tokio::{
    process::Child,
    sync::watch,
    time::{Instant, timeout},
};

/// For how long a machine that runs may take until it lets us in: images with drivers take minutes.
const READY: Duration = Duration::from_secs(600);
/// Between two tries to get in, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// A log longer than this is begun anew, one generation kept, in bytes.
const LONGEST_LOG: u64 = 4 << 20;

/// Gives the whole of a path as a spec writes it.
pub type Finder = dyn Fn(&str) -> Option<PathBuf> + Send + Sync;

/// What this machine knows of getting into one instance.
pub struct Inside {
    /// The instance, as Ansible's inventory and the files beside know it.
    pub name: String,
    /// The login name.
    pub user: String,
    /// The owner's key; what SSH finds by itself where there is none.
    pub key: Option<PathBuf>,
    /// Where the instance's host key is kept.
    pub host_key: PathBuf,
    /// Where its public half is written for SSH.
    pub known_hosts: PathBuf,
    /// Environment variables with secrets in them, which nothing that is run gets.
    pub withheld: Vec<String>,
    /// Where what runs makes its files.
    pub scratch: PathBuf,
    /// Where what runs is kept, line by line.
    pub log: PathBuf,
    /// What runs.
    pub recipe: Recipe,
    /// Gives the whole of a path as the spec writes it.
    pub resolve: Box<Finder>,
}

/// A server as it can be reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Its address.
    pub address: String,
    /// The port of its SSH server.
    pub port: u16,
    /// The fingerprint of its host key, as the cloud's object says it.
    pub identity: Option<String>,
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The recipe.
    Once,
    /// What runs at every start.
    OnStart,
}

impl Inside {
    /// The way into a server.
    pub fn way(&self, reach: &Reach) -> Way {
        Way {
            address: reach.address.clone(),
            port: reach.port,
            user: self.user.clone(),
            key: self.key.clone(),
            alias: format!("cloudypad-{}", self.name),
            known_hosts: self.known_hosts.clone(),
            withheld: self.withheld.clone(),
        }
    }

    /// [`Inside::way`], once SSH knows whom it leads to.
    ///
    /// # Errors
    /// [`Barred`], where nobody answers yet, or it is not whom it should be.
    pub async fn known_way(&self, reach: &Reach) -> Result<Way, Barred> {
        let way = self.way(reach);
        // A key of ours that cannot be read is as good as none: the fingerprint says who it is.
        let kept = Identity::kept(&self.host_key).ok().flatten();
        way.know(reach.identity.as_deref(), kept).await?;
        Ok(way)
    }

    /// Waits until the server lets us in, runs a part, and keeps every line of it. `facts` are what a playbook is told
    /// beside its own variables.
    ///
    /// # Errors
    /// [`PlayError`], by what is to be done about it.
    pub async fn play(
        &self,
        part: Part,
        reach: &Reach,
        facts: Map<String, Value>,
        stop: watch::Receiver<bool>,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<(), PlayError> {
        let play = match part {
            Part::Once => &self.recipe.once,
            Part::OnStart => &self.recipe.on_start,
        };
        let Some(play) = play else { return Ok(()) };
        let secrets = play
            .secrets(&*self.resolve)
            .map_err(|error| PlayError::Unable { why: error.to_string(), remedy: "put it there; the same command goes on".to_owned() })?;
        let way = self.enter(reach, &stop, tell).await?;
        let _at_work = say_at_work(&way);
        // What a run that was killed left there; the instance's lock is held.
        let _ = std::fs::remove_dir_all(&self.scratch);
        let log = Mutex::new(self.open_log(play));
        let keep = |line: &str| {
            if let Ok(Some(log)) = log.lock().as_deref_mut() {
                // What cannot be kept was told.
                let _ = writeln!(log, "{line}");
            }
            tell(line);
        };
        Playing { play, way: &way, name: &self.name, facts, secrets: &secrets, scratch: &self.scratch, stop, tell: &keep }.run().await
    }

    /// Tries to get in until that works, does not pass, or took too long.
    async fn enter(&self, reach: &Reach, stop: &watch::Receiver<bool>, tell: &(dyn Fn(&str) + Sync)) -> Result<Way, PlayError> {
        let began = Instant::now();
        let mut pause = PAUSES.0;
        let mut told = String::new();
        loop {
            let barred = match self.known_way(reach).await {
                Ok(way) => match way.knock().await {
                    Ok(()) => return Ok(way),
                    Err(barred) => barred,
                },
                Err(barred) => barred,
            };
            match barred {
                Barred::NotYet(why) if began.elapsed() <= READY => {
                    if why != told {
                        tell(&format!("not in yet: {why}"));
                        told = why;
                    }
                }
                barred => return Err(barred.into()),
            }
            let mut stop = stop.clone();
            if let Ok(Ok(_)) = timeout(pause, stop.wait_for(|it| *it)).await {
                return Err(PlayError::Stopped);
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// The log, at its end; none where it cannot be written, which keeps nothing from running.
    fn open_log(&self, play: &Play) -> Option<std::fs::File> {
        let dir = self.log.parent()?;
        super::private::make_dir(dir).ok()?;
        if std::fs::metadata(&self.log).is_ok_and(|it| it.len() > LONGEST_LOG) {
            let _ = std::fs::rename(&self.log, self.log.with_extension("log.old"));
        }
        let mut log = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log).ok()?;
        close_to_others(&self.log);
        let what = match play {
            Play::Playbook { path, .. } | Play::Script(path) => path.display(),
        };
        let _ = writeln!(log, "--- {} {what}", jiff::Timestamp::now());
        Some(log)
    }
}

/// Tells the guest that it is being configured, and so is in use, until this is dropped. A guest that cannot be told is not
/// one that would fall asleep.
fn say_at_work(way: &Way) -> Option<Child> {
    let mut ssh = way.ssh();
    // Never for longer than an hour: a guest that is taken for used is never put to sleep.
    ssh.arg("mkdir -p /run/cloudypad && exec flock -n /run/cloudypad/configuring timeout 3600 cat");
    ssh.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}
