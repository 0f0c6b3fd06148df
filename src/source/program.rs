//! Running the real `git`: with nothing of our environment that it does not need, within a time, and with bounds.

use super::{Place, Trouble};
use crate::model::is_unseen;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{env, fmt, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// What `git`, `ssh` and `curl` in it need of our environment. No `GIT_…`: those could send it elsewhere.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "TMPDIR",
];
/// Answers with what is in its environment, and forgets nothing when it is told to. Git runs it with a shell.
const HELPER: &str =
    "!answer() { test \"$1\" != get || printf 'username=%s\\npassword=%s\\n' \"$CLOUDYPAD_GIT_USER\" \"$CLOUDYPAD_GIT_TOKEN\"; }; answer";
/// The oldest `git` that is used: from then on it has what keeps a strange repository from running programs.
const OLDEST: (u32, u32) = (2, 34);
/// How many bytes of complaints are kept.
const MOST_SAID: usize = 16 << 10;
/// How many characters of complaints are shown.
const MOST_SHOWN: usize = 400;
/// How long a `git` that was told to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A user name and a token, or a password, for HTTPS. They are passed in the environment of `git` alone.
#[derive(Clone)]
pub struct Access {
    /// The user name; many forges take any.
    pub user: String,
    /// The token.
    pub token: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(…)")
    }
}

impl Access {
    /// From `CLOUDYPAD_GIT_TOKEN`, and `CLOUDYPAD_GIT_USER`, which is `git` if missing.
    pub fn find() -> Option<Self> {
        let var = |name: &str| env::var(name).ok().filter(|it| !it.is_empty());
        Some(Self { token: var("CLOUDYPAD_GIT_TOKEN")?, user: var("CLOUDYPAD_GIT_USER").unwrap_or_else(|| "git".to_owned()) })
    }
}

/// How a repository is asked.
#[derive(Debug, Clone)]
pub struct Manner {
    /// How long one fetch may take, from its beginning to its end.
    pub patience: Duration,
    /// What it is asked with, over HTTPS.
    pub access: Option<Access>,
    /// Becomes true when everything is to stop.
    pub stop: watch::Receiver<bool>,
}

/// What a `git` said before it ended.
pub(super) struct Said {
    /// Whether it ended well.
    pub is_good: bool,
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    pub out: Vec<u8>,
    /// The complaint that matters, fit to be shown.
    pub complaint: String,
}

impl Said {
    /// Its first line.
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.out).lines().next().unwrap_or_default().trim().to_owned()
    }
}

/// How `git` is run for one place.
#[derive(Debug)]
pub(super) struct Program {
    manner: Manner,
    transport: String,
    origin: Option<String>,
}

/// Takes what a program writes, piece by piece; what is wrong with it ends the program.
pub(super) type Take<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), String> + Send);

impl Program {
    pub fn new(place: &Place, manner: Manner) -> Self {
        Self { manner, transport: place.transport().to_owned(), origin: place.origin() }
    }

    pub fn patience(&self) -> Duration {
        self.manner.patience
    }

    pub fn is_told_to_stop(&self) -> bool {
        *self.manner.stop.borrow()
    }

    /// # Errors
    /// [`Trouble::NoGit`] and [`Trouble::OldGit`].
    pub async fn check(&self, until: Instant) -> Result<(), Trouble> {
        let said = self.run(None, &["version"], until).await?;
        let line = said.line();
        let version = line.strip_prefix("git version ").unwrap_or_default();
        let mut numbers = version.split(['.', ' ', '-']).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => Ok(()),
            (Some(Ok(_)), Some(Ok(_))) => Err(Trouble::OldGit(version.to_owned())),
            _ => Err(Trouble::NoGit(format!("it says \"{}\"", self.shown(&line)))),
        }
    }

    /// Runs it in a repository, or in none, and keeps what it says, up to a megabyte.
    pub async fn run(&self, repository: Option<&Path>, arguments: &[&str], until: Instant) -> Result<Said, Trouble> {
        let mut out = Vec::new();
        let mut said = self.feed(repository, arguments, Vec::new(), until, &mut bounded(&mut out, 1 << 20)).await?;
        said.out = out;
        Ok(said)
    }

    /// Runs it with something to read, and hands on what it says.
    pub async fn feed(
        &self,
        repository: Option<&Path>,
        arguments: &[&str],
        input: Vec<u8>,
        until: Instant,
        take: Take<'_>,
    ) -> Result<Said, Trouble> {
        let mut command = self.command(repository, arguments);
        let mut child = command.spawn().map_err(|error| Trouble::NoGit(error.to_string()))?;
        let mut group = Group(child.id());
        let (Some(mut stdin), Some(mut stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(Trouble::NoGit("its output cannot be had".to_owned()));
        };
        // One at a time would wait for ever where both pipes are full.
        let talk = async {
            let write = async {
                // Where nobody reads it any more, the exit code says why.
                let _ = stdin.write_all(&input).await;
                drop(stdin);
            };
            let read = async {
                let mut piece = vec![0; 64 << 10];
                loop {
                    match stdout.read(&mut piece).await {
                        Ok(0) | Err(_) => return Ok(()),
                        Ok(length) => take(&piece[..length])?,
                    }
                }
            };
            let (_, taken, complaints) = tokio::join!(
                write,
                async {
                    let taken: Result<(), String> = read.await;
                    if taken.is_err() {
                        group.signal(Signal::KILL);
                    }
                    taken
                },
                complaints(stderr)
            );
            (taken, complaints)
        };
        let mut stop = self.manner.stop.clone();
        let told_to_stop = async {
            if stop.wait_for(|it| *it).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            (taken, complaints) = talk => Ok((taken, complaints)),
            () = sleep_until(until) => Err(Trouble::TimedOut { what: "git", after: self.patience() }),
            () = told_to_stop => Err(Trouble::Stopped),
        };
        if ended.is_err() {
            group.signal(Signal::TERM);
        }
        let status = timeout(GRACE, child.wait()).await;
        if status.is_err() {
            group.signal(Signal::KILL);
        }
        let (taken, complaints) = ended?;
        let status = match status {
            Ok(status) => status,
            Err(_) => child.wait().await,
        };
        group.0 = None;
        let mut said = Said { is_good: false, code: None, out: Vec::new(), complaint: self.shown(&complaints) };
        match (taken, status) {
            (Err(why), _) => said.complaint = self.shown(&why),
            (Ok(()), Ok(status)) => (said.is_good, said.code) = (status.success(), status.code()),
            (Ok(()), Err(error)) => said.complaint = error.to_string(),
        }
        Ok(said)
    }

    fn command(&self, repository: Option<&Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear();
        for name in PASSED {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        // Nothing asks anybody, nothing is translated, and no other transport comes in by a redirect or a setting.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("SSH_ASKPASS_REQUIRE", "never");
        command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20").env("GIT_SSH_VARIANT", "ssh");
        command.env("GIT_ALLOW_PROTOCOL", &self.transport).env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
        let mut settings = vec![
            ("core.hooksPath".to_owned(), "/dev/null"),
            ("core.fsmonitor".to_owned(), "false"),
            ("core.pager".to_owned(), "cat"),
            ("gc.auto".to_owned(), "0"),
            ("maintenance.auto".to_owned(), "false"),
            ("log.showSignature".to_owned(), "false"),
            ("submodule.recurse".to_owned(), "false"),
            ("http.followRedirects".to_owned(), if self.transport == "http" { "false" } else { "initial" }),
        ];
        if let (Some(origin), Some(access)) = (&self.origin, &self.manner.access) {
            // To this server alone, and in place of what helps elsewhere.
            settings.push((format!("credential.{origin}.helper"), ""));
            settings.push((format!("credential.{origin}.helper"), HELPER));
            command.env("CLOUDYPAD_GIT_USER", &access.user).env("CLOUDYPAD_GIT_TOKEN", &access.token);
        }
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        if let Some(repository) = repository {
            command.arg("--git-dir").arg(repository);
        }
        // A place where no repository is, or which is not what it seems, has no say.
        command.args(arguments).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        command
    }

    /// What `git` or a server said, on one line, without secrets and without what a terminal would obey.
    fn shown(&self, text: &str) -> String {
        let masked = match &self.manner.access {
            Some(access) if !access.token.is_empty() => text.replace(&access.token, "[secret]"),
            _ => text.to_owned(),
        };
        let lines: Vec<&str> = masked.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        // The first complaint is the cause; what a server sends along is a hint at best.
        let complaint = |it: &&&str| ["fatal: ", "error: ", "ERROR: "].iter().any(|head| it.starts_with(head));
        let told = lines.iter().find(complaint).or(lines.last()).copied().unwrap_or("it ended without a word");
        let told = ["fatal: ", "error: ", "ERROR: "].iter().find_map(|it| told.strip_prefix(it)).unwrap_or(told);
        without_passwords(told).chars().take(MOST_SHOWN).map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
    }
}

/// Keeps what comes, up to a bound.
pub(super) fn bounded(out: &mut Vec<u8>, most: usize) -> impl FnMut(&[u8]) -> Result<(), String> + Send {
    move |piece| {
        if out.len() + piece.len() > most {
            return Err(format!("it says more than {} kB", most >> 10));
        }
        out.extend_from_slice(piece);
        Ok(())
    }
}

/// All that is read is read to its end, and the beginning is kept.
async fn complaints(mut from: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 8 << 10]);
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let room = MOST_SAID.saturating_sub(kept.len()).min(length);
        kept.extend_from_slice(&piece[..room]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// `https://me:secret@host` becomes `https://[secret]@host`, wherever it stands.
fn without_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("://");
        let end = part.find(|c: char| c.is_whitespace() || "/'\"".contains(c)).unwrap_or(part.len());
        match part[..end].rfind('@') {
            Some(at) if part[..at].contains(':') => {
                clean.push_str("[secret]");
                clean.push_str(&part[at..]);
            }
            _ => clean.push_str(part),
        }
    }
    clean
}

/// A running program and everything that it started: they end with it, also where nobody waits for it any more.
struct Group(Option<u32>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0.and_then(|it| i32::try_from(it).ok()).and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn no_password_is_shown() {
        let said = "Authentication failed for 'https://me:hunter2@example.com/a' and ssh://git@example.com/b, http://x:hunter2@y";
        let clean = "Authentication failed for 'https://[secret]@example.com/a' and ssh://git@example.com/b, http://[secret]@y";
        assert_eq!(without_passwords(said), clean);
    }
}
