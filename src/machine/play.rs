//! Running a recipe: the real `ansible-playbook`, or a script over SSH, told line by line.

use super::{
    Barred, Way,
    output::{Course, Lines, keep},
    recipe::{Play, RecipeError},
    way::NOT_IN,
};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    process::Command,
    sync::watch,
    time::{Instant, sleep_until},
};

/// No shorter secret is looked for in what is told: it would be found everywhere.
const SHORTEST_SECRET: usize = 4;
/// A directory of sockets is not longer, in bytes: their names take forty more, and a socket's path has 107.
const LONGEST_SOCKET_DIR: usize = 60;
/// For how long a program that ended, or was told to, may leave its output open.
const GRACE: Duration = Duration::from_secs(10);
/// Longer than anything runs.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);
/// What a script ends with where an earlier run of it is still at work.
const STILL_AT_WORK: i32 = 75;

/// Runs a script that comes over standard input, under the instance's lock: one that was cut off here may go on there.
fn run_script(alias: &str) -> String {
    format!(
        "umask 077; file=$(mktemp) || exit 1; trap 'rm -f \"$file\"' EXIT; cat > \"$file\" && chmod 700 \"$file\" || exit 1; \
         if command -v flock > /dev/null; then exec 9> \"${{TMPDIR:-/tmp}}/.{alias}.$(id -u).lock\"; flock -n 9 || exit {STILL_AT_WORK}; fi; \
         \"$file\" < /dev/null 9>&-"
    )
}

/// Why a recipe did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum PlayError {
    /// The machine went away, or an earlier run of the recipe is still at work there: tried again later.
    NotYet(String),
    /// A task or the script failed.
    Failed {
        /// Which: a task by name, or the script.
        what: String,
        /// What it said.
        answer: String,
    },
    /// It cannot be run at all: the owner is needed.
    Unable {
        /// What is wrong.
        why: String,
        /// What the owner can do.
        remedy: String,
    },
    /// It was told to stop.
    Stopped,
}

impl From<Barred> for PlayError {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Shut { why, remedy } => PlayError::Unable { why, remedy },
            Barred::NotYet(why) => PlayError::NotYet(why),
        }
    }
}

/// What is run, where, and who is told.
pub struct Playing<'a> {
    /// The recipe.
    pub play: &'a Play,
    /// Where.
    pub way: &'a Way,
    /// The instance's name, as Ansible's inventory knows it.
    pub name: &'a str,
    /// What a playbook is told beside its own variables.
    pub facts: Map<String, Value>,
    /// Values of the recipe's secrets, by variable: told to the playbook, and blotted out of what is told here.
    pub secrets: &'a BTreeMap<String, String>,
    /// Where files that nobody else may read can be made while it runs.
    pub scratch: &'a Path,
    /// Becomes true when it is to stop.
    pub stop: watch::Receiver<bool>,
    /// Told every line.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl Playing<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// [`PlayError`], by what is to be done about it.
    pub async fn run(&self) -> Result<(), PlayError> {
        match self.play {
            Play::Playbook { path, .. } => self.playbook(path).await,
            Play::Script(path) => self.script(path).await,
        }
    }

    async fn script(&self, path: &Path) -> Result<(), PlayError> {
        let text = fs::read(path).map_err(|source| unable(&RecipeError::Unreadable { path: path.to_owned(), source }))?;
        let mut ssh = self.way.ssh();
        ssh.arg(run_script(&self.way.alias)).stdin(Stdio::piped());
        let mut last = String::new();
        let code = self.follow(ssh, "ssh", Some(text), &mut |line| keep(&mut last, line)).await?;
        let what = || format!("script {}", path.display());
        match code {
            Some(0) => Ok(()),
            Some(STILL_AT_WORK) => Err(PlayError::NotYet("an earlier run of the script is still at work".to_owned())),
            Some(NOT_IN) => Err(self.way.read(&last).into()),
            Some(code) => Err(PlayError::Failed { what: what(), answer: format!("exit code {code}: {last}") }),
            None => Err(PlayError::Failed { what: what(), answer: "it was killed".to_owned() }),
        }
    }

    async fn playbook(&self, path: &Path) -> Result<(), PlayError> {
        let Play::Playbook { ansible, .. } = self.play else { return Ok(()) };
        let scratch = Scratch::make(self.scratch).map_err(|error| PlayError::Unable {
            why: format!("cannot make a directory in {}: {error}", self.scratch.display()),
            remedy: "make room there".to_owned(),
        })?;
        let inventory = self.inventory();
        let mut variables: Map<String, Value> = ansible.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        variables.extend(self.facts.clone());
        variables.extend(self.secrets.iter().map(|(name, value)| (name.clone(), json!(value))));
        let file = |name: &str, value: &Value| {
            scratch.write(name, value.to_string().as_bytes()).map_err(|error| PlayError::Unable {
                why: format!("cannot write to {}: {error}", self.scratch.display()),
                remedy: "make room there".to_owned(),
            })
        };
        let inventory = file("inventory.json", &inventory)?;
        let variables = file("variables.json", &Value::Object(variables))?;
        let mut command = Command::new("ansible-playbook");
        command.arg("--inventory").arg(&inventory).arg("--extra-vars").arg(format!("@{}", variables.display()));
        if !ansible.tags.is_empty() {
            command.arg("--tags").arg(ansible.tags.join(","));
        }
        // Where a playbook's own settings are found.
        if let Some(dir) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            command.current_dir(dir);
        }
        command.args(&ansible.extra_arguments).arg(path).stdin(Stdio::null());
        command.env("ANSIBLE_NOCOLOR", "1").env("ANSIBLE_RETRY_FILES_ENABLED", "0").env("PYTHONUNBUFFERED", "1");
        command.env("ANSIBLE_HOST_KEY_CHECKING", "True").env("ANSIBLE_SSH_HOST_KEY_CHECKING", "True");
        // A socket's path has a hundred bytes; where this is too long, Ansible's own place does.
        if scratch.path.as_os_str().len() < LONGEST_SOCKET_DIR {
            command.env("ANSIBLE_SSH_CONTROL_PATH_DIR", scratch.path.join("cp"));
        }
        let mut course = Course::default();
        let code = self.follow(command, "ansible-playbook", None, &mut |line| course.read(line)).await?;
        match code {
            Some(0) => Ok(()),
            _ if course.unreachable && !course.failed => Err(PlayError::NotYet(course.answer)),
            Some(code) if course.task.is_empty() => Err(PlayError::Failed {
                what: format!("playbook {}", path.display()),
                answer: format!("exit code {code}: {}", course.last),
            }),
            Some(_) => Err(PlayError::Failed { what: format!("task \"{}\"", course.task), answer: course.answer }),
            None => Err(PlayError::Failed { what: format!("playbook {}", path.display()), answer: "it was killed".to_owned() }),
        }
    }

    /// The one machine, as Ansible reads it.
    fn inventory(&self) -> Value {
        let way = self.way;
        let words: Vec<String> = way.options().iter().map(|it| quoted(&it.to_string_lossy())).collect();
        let host = json!({
            "ansible_host": way.address, "ansible_port": way.port, "ansible_user": way.user,
            // In place of what the owner's settings say, so that ours come first: SSH takes the first of each.
            "ansible_ssh_args": format!("{} -o BatchMode=yes -o ControlMaster=auto -o ControlPersist=60s", words.join(" ")),
            "ansible_host_key_checking": true, "ansible_ssh_host_key_checking": true,
        });
        let mut hosts = Map::new();
        hosts.insert(self.name.to_owned(), host);
        json!({"all": {"hosts": hosts}})
    }

    /// Runs a program to its end, tells its lines, and gives its exit code; none where a signal ended it.
    async fn follow(
        &self,
        mut command: Command,
        program: &str,
        input: Option<Vec<u8>>,
        read: &mut dyn FnMut(&str),
    ) -> Result<Option<i32>, PlayError> {
        self.way.withhold(&mut command);
        // A group of its own, so that the terminal's Ctrl-C comes to us alone, and we end all of it.
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
        let mut child = command.spawn().map_err(|error| PlayError::Unable {
            why: format!("cannot run {program}: {error}"),
            remedy: format!("install it (Debian: {})", if program == "ssh" { "openssh-client" } else { "ansible-core" }),
        })?;
        let group = child.id();
        let (Some(out), Some(err), stdin) = (child.stdout.take(), child.stderr.take(), child.stdin.take()) else { return Ok(None) };
        let (mut out, mut err) = (Lines::of(out), Lines::of(err));
        let feed = async {
            if let (Some(mut pipe), Some(bytes)) = (stdin, input) {
                // Where nobody reads it any more, the exit code says why.
                let _ = pipe.write_all(&bytes).await;
            }
        };
        let told_to_stop = async {
            let mut stop = self.stop.clone();
            if stop.wait_for(|it| *it).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(feed, told_to_stop);
        let (mut fed, mut stopped, mut status) = (false, false, None);
        // Whatever it started may keep its output open, or not hear: then it is not waited for.
        let mut patience = Instant::now() + FOREVER;
        while !(out.ended && err.ended) {
            tokio::select! {
                () = &mut feed, if !fed => fed = true,
                () = &mut told_to_stop, if !stopped => {
                    stopped = true;
                    patience = Instant::now() + GRACE;
                    signal_all(group, Signal::TERM);
                }
                ended = child.wait(), if status.is_none() => {
                    status = ended.ok();
                    patience = Instant::now() + GRACE;
                }
                () = sleep_until(patience) => {
                    signal_all(group, Signal::KILL);
                    break;
                }
                line = out.next(), if !out.ended => self.say(line, read),
                line = err.next(), if !err.ended => self.say(line, read),
            }
        }
        let status = match status {
            Some(status) => status,
            None => child.wait().await.map_err(|error| PlayError::NotYet(error.to_string()))?,
        };
        if stopped && !status.success() { Err(PlayError::Stopped) } else { Ok(status.code()) }
    }

    fn say(&self, line: Option<String>, read: &mut dyn FnMut(&str)) {
        let Some(line) = line else { return };
        let mut forms: Vec<String> = Vec::new();
        for secret in self.secrets.values().filter(|it| it.len() >= SHORTEST_SECRET) {
            // Itself, as it is within a text of JSON, and within such a text once more.
            let inner = within_json(secret);
            forms.extend([within_json(&inner), inner, secret.clone()]);
        }
        forms.sort_by_key(|it| std::cmp::Reverse(it.len()));
        let clean = forms.iter().fold(line, |line, it| line.replace(it.as_str(), "[secret]"));
        read(&clean);
        (self.tell)(&clean);
    }
}

fn unable(error: &RecipeError) -> PlayError {
    PlayError::Unable { why: error.to_string(), remedy: "mend it; the next apply goes on from here".to_owned() }
}

/// Ends a program and everything that it started. Not as Ctrl-C does: where a shell began us in the background, nobody hears
/// that.
fn signal_all(group: Option<u32>, signal: Signal) {
    if let Some(group) = group.and_then(|it| i32::try_from(it).ok()).and_then(Pid::from_raw) {
        // It may have ended by itself. One that is stopped hears nothing before it goes on.
        let _ = kill_process_group(group, signal);
        let _ = kill_process_group(group, Signal::CONT);
    }
}

/// A text as it is written in JSON, without its quotes.
fn within_json(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A directory that only its owner may enter, until it is dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn make(below: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(below)?;
        for number in 0.. {
            let path = below.join(format!("play-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(bytes)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind nobody else may read.
        let _ = fs::remove_dir_all(&self.path);
    }
}
