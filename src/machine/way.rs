//! The way into a machine: the system's OpenSSH, which checks whom it talks to.
//!
//! OpenSSH rather than a library: Ansible takes it anyway, and with it come agents, hardware keys, jump hosts and the
//! owner's own configuration.

use super::{Identity, private};
use std::{ffi::OsString, path::PathBuf, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// Seconds after which a machine that does not answer counts as one that does not answer yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds for which one knock waits for a first word: a machine that boots may take the call and never speak.
const KNOCK: Duration = Duration::from_secs(4);

/// What SSH itself ends with where it could not do what it was told; every other code is the command's own.
pub(super) const NOT_IN: i32 = 255;

/// Where a machine is, who comes, and whom it must show itself to be.
#[derive(Debug, Clone)]
pub struct Way {
    /// Its address.
    pub address: String,
    /// The port of its SSH server.
    pub port: u16,
    /// The login name.
    pub user: String,
    /// The owner's key, private or public (then an agent has the other half); what SSH finds by itself where there is none.
    pub key: Option<PathBuf>,
    /// The name under which its identity is known, whatever its address: the instance's.
    pub alias: String,
    /// The file in which its identity is known.
    pub known_hosts: PathBuf,
    /// Environment variables with secrets in them, which no program that is run on this way gets.
    pub withheld: Vec<String>,
}

/// Why nobody is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// Nobody answers yet, with what SSH said: it may still boot.
    NotYet(String),
    /// It answers, and does not let us in, or is not whom it should be: that does not pass by itself.
    Shut {
        /// What is wrong.
        why: String,
        /// What the owner can do.
        remedy: String,
    },
}

impl Way {
    /// The options that every use of this way has.
    pub fn options(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut option = |name: &str, value: &std::ffi::OsStr| {
            let mut pair = OsString::from(format!("{name}="));
            pair.push(value);
            words.extend([OsString::from("-o"), pair]);
        };
        option("StrictHostKeyChecking", "yes".as_ref());
        option("HostKeyAlias", self.alias.as_ref());
        option("HostKeyAlgorithms", "ssh-ed25519".as_ref());
        option("UserKnownHostsFile", self.known_hosts.as_os_str());
        option("GlobalKnownHostsFile", "/dev/null".as_ref());
        option("CheckHostIP", "no".as_ref());
        option("UpdateHostKeys", "no".as_ref());
        option("ConnectTimeout", PATIENCE.as_secs().to_string().as_ref());
        option("ServerAliveInterval", "15".as_ref());
        if let Some(key) = &self.key {
            option("IdentityFile", key.as_os_str());
            option("IdentitiesOnly", "yes".as_ref());
        }
        words
    }

    /// The arguments of `ssh` that lead there, up to the command.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words = self.options();
        words.extend(["-p".into(), self.port.to_string().into(), "-l".into(), self.user.clone().into(), self.address.clone().into()]);
        words
    }

    /// An `ssh` that asks nobody anything.
    pub fn ssh(&self) -> Command {
        self.ssh_with(&[])
    }

    /// [`Way::ssh`], with more options.
    pub(super) fn ssh_with(&self, options: &[&str]) -> Command {
        let mut ssh = Command::new("ssh");
        // A shared connection that outlives it would keep its output open.
        ssh.args(["-T", "-o", "BatchMode=yes", "-o", "ControlPath=none"]).args(options).args(self.arguments()).kill_on_drop(true);
        self.withhold(&mut ssh);
        ssh
    }

    /// Keeps from a program what is none of its business.
    pub(super) fn withhold(&self, program: &mut Command) {
        for variable in &self.withheld {
            program.env_remove(variable);
        }
    }

    /// Lets SSH know whom the machine must show itself to be: `tagged` is the fingerprint that the cloud's object carries,
    /// `kept` the key in our own file. With our file lost, the key that the machine shows is taken where it has the
    /// fingerprint.
    ///
    /// # Errors
    /// [`Barred`], where nobody answers yet, or it shows another key.
    pub async fn know(&self, tagged: Option<&str>, kept: Option<Identity>) -> Result<(), Barred> {
        let fits = |it: &Identity| tagged.is_none_or(|tag| it.fingerprint() == tag);
        let identity = match (kept.filter(fits), tagged) {
            (Some(identity), _) => identity,
            (None, Some(tagged)) => {
                let shown = self.shown().await?;
                if shown.fingerprint() != tagged {
                    return Err(self.strange());
                }
                shown
            }
            (None, None) => {
                return Err(Barred::Shut {
                    why: "nothing says which host key the machine has".to_owned(),
                    remedy: "serverState: absent, then present: it is given a new one at its next birth".to_owned(),
                });
            }
        };
        let line = identity.known_as(&self.alias);
        private::write(&self.known_hosts, line.as_bytes()).map_err(|error| Barred::Shut {
            why: format!("cannot write {}: {error}", self.known_hosts.display()),
            remedy: "make room there".to_owned(),
        })
    }

    /// The host key that whoever answers there shows.
    async fn shown(&self) -> Result<Identity, Barred> {
        let seconds = PATIENCE.as_secs().to_string();
        let mut scan = Command::new("ssh-keyscan");
        scan.args(["-T", &seconds, "-t", "ed25519", "-p", &self.port.to_string(), &self.address]);
        scan.stdin(Stdio::null()).kill_on_drop(true);
        self.withhold(&mut scan);
        let out = scan.output().await.map_err(|error| missing("ssh-keyscan", &error))?;
        let text = String::from_utf8_lossy(&out.stdout);
        let shown = text.lines().filter(|it| !it.starts_with('#')).find_map(Identity::shown);
        shown.ok_or_else(|| Barred::NotYet("nobody answers at the SSH port yet".to_owned()))
    }

    /// Tries to get in.
    ///
    /// # Errors
    /// [`Barred`], by whether that passes by itself.
    pub async fn knock(&self) -> Result<(), Barred> {
        let short = format!("ConnectTimeout={}", KNOCK.as_secs());
        let mut ssh = self.ssh_with(&["-o", &short]);
        let out = timeout(PATIENCE * 2, ssh.arg("true").stdin(Stdio::null()).output()).await;
        match out {
            Err(_) => Err(Barred::NotYet(format!("no answer within {} s", 2 * PATIENCE.as_secs()))),
            Ok(Err(error)) => Err(missing("ssh", &error)),
            Ok(Ok(out)) if out.status.code() == Some(NOT_IN) => Err(self.read(&String::from_utf8_lossy(&out.stderr))),
            // Whatever else the machine makes of `true`: it let us in.
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// What SSH's own words mean.
    pub(super) fn read(&self, said: &str) -> Barred {
        let lower = said.to_ascii_lowercase();
        let last = said.lines().map(str::trim).rfind(|it| !it.is_empty()).unwrap_or("no answer").to_owned();
        if lower.contains("host key verification failed") || lower.contains("remote host identification has changed") {
            return self.strange();
        }
        if lower.contains("permission denied") || lower.contains("too many authentication failures") {
            let key = self.key.as_deref().map_or("any key that SSH finds by itself".to_owned(), |it| it.display().to_string());
            return Barred::Shut {
                why: format!("the machine does not let {} in with {key}", self.user),
                remedy: "name the private key in ssh.privateKeyPath or add it to your agent; ssh.publicKeyPath is what a server is given when it is next made".to_owned(),
            };
        }
        if lower.contains("bad configuration option") || lower.contains("bad owner or permissions") {
            return Barred::Shut { why: last, remedy: "mend your SSH configuration".to_owned() };
        }
        Barred::NotYet(last)
    }

    fn strange(&self) -> Barred {
        Barred::Shut {
            why: format!("whoever answers at {} port {} shows another host key than the machine was given", self.address, self.port),
            remedy: "nothing was sent there. Is the address the machine's? If you changed its key yourself, serverState: absent and then present gives it a known one".to_owned(),
        }
    }
}

pub(super) fn missing(program: &str, error: &std::io::Error) -> Barred {
    Barred::Shut { why: format!("cannot run {program}: {error}"), remedy: "install OpenSSH's client (Debian: openssh-client)".to_owned() }
}
