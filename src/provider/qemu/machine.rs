//! One machine: a process of QEMU's that outlives us, and its files.
//!
//! They lie in `machines/ID` of the cloud's directory:
//!
//! | file | what |
//! |---|---|
//! | `hand` | locked by whoever acts on the machine |
//! | `pid` | locked by the machine itself for as long as it lives |
//! | `monitor` | the socket on which it takes orders |
//! | `ssh-port` | the port of this machine behind which its guest's SSH server is |
//! | `ordered-off` | its guest was asked to shut down; the file's time says when |
//! | `went-off` | its guest shut down by itself |
//! | `seed/` | what its guest is given for its first boot |
//! | `console.log`, `qemu.log` | what the guest, and QEMU, said since the last start |

use super::{line::Line, monitor::Monitor};
use crate::provider::Problem;
use rustix::{
    fs::{FlockOperation, fcntl_lock},
    process::{Pid, Signal, kill_process},
};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};
use tokio::{process::Command, time::Instant};

/// Where guests are reached.
pub(super) const ADDRESS: &str = "127.0.0.1";
/// How many ports are tried: one that was free may be taken by the time that a machine wants it.
const PORTS: usize = 4;
/// For how long a machine may take to end once it was told to.
const END: Duration = Duration::from_secs(20);
/// Between two looks whether it did.
const BLINK: Duration = Duration::from_millis(20);

/// One server's machine.
pub(super) struct Machine {
    dir: PathBuf,
}

/// How a machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// There is none.
    Gone,
    /// It was made, and its guest never let loose.
    Poised,
    /// Its guest runs.
    Runs,
    /// Its guest was halted: by somebody, or since a disk cannot be written.
    Halted,
    /// It lives, and does not answer: it begins or ends just now.
    Mute,
}

impl Machine {
    /// Every machine of a cloud that has files, by its server's id.
    pub(super) fn all(cloud: &Path) -> Vec<String> {
        let found = fs::read_dir(cloud.join("machines")).into_iter().flatten().flatten();
        found.filter_map(|it| it.file_name().into_string().ok()).collect()
    }

    /// The machine of a server, in a cloud's directory.
    pub(super) fn of(cloud: &Path, server: &str) -> Self {
        Self { dir: cloud.join("machines").join(server) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether it ever had files.
    pub(super) fn is_known(&self) -> bool {
        self.dir.is_dir()
    }

    /// Makes a place for its files.
    pub(super) fn give_place(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)
    }

    /// The right to act on it, until dropped; `None` where another process has it.
    pub(super) fn hand(&self) -> io::Result<Option<Hand>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.path("hand"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hand { _file: file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether its process lives: it holds a lock that ends with it.
    pub(super) fn lives(&self) -> io::Result<bool> {
        let file = match OpenOptions::new().write(true).open(self.path("pid")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// How it is.
    pub(super) async fn life(&self) -> io::Result<Life> {
        if !self.lives()? {
            return Ok(Life::Gone);
        }
        let said = match Monitor::open(&self.dir).await {
            Ok(mut monitor) => monitor.status().await,
            Err(error) => Err(error),
        };
        Ok(match said.as_deref() {
            Ok("prelaunch") => Life::Poised,
            Ok("running") => Life::Runs,
            Ok("paused" | "io-error") => Life::Halted,
            Ok(_) | Err(_) => Life::Mute,
        })
    }

    /// Makes it: with disks and port, its guest not let loose yet.
    pub(super) async fn make(&self, line: &Line<'_>) -> Result<(), Problem> {
        let failed = |error: io::Error| Problem::NotDone { answer: format!("cannot run {}: {error}", line.qemu.display()), pause: None };
        let mut last = String::new();
        for port in self.ports().map_err(failed)? {
            let mut qemu = Command::new(line.qemu);
            qemu.args(line.arguments(&self.dir, port)).current_dir(&self.dir);
            // It lives longer than we do, and nothing of our environment is its business.
            qemu.env_clear();
            // In a group of its own, a Ctrl-C that is ours does not reach it.
            qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
            let out = qemu.output().await.map_err(failed)?;
            if out.status.success() {
                fs::write(self.path("ssh-port"), port.to_string()).map_err(failed)?;
                return Ok(());
            }
            last = self.last_words(&out.stderr);
            if !last.contains("host forwarding") {
                break;
            }
        }
        Err(Problem::Refused {
            answer: format!("QEMU does not start: {last}"),
            remedy: Some(format!("mend what it names; all it said: {}", self.path("qemu.log").display())),
        })
    }

    /// The last two lines that QEMU said: in its log, or before it had one.
    fn last_words(&self, said: &[u8]) -> String {
        let said = String::from_utf8_lossy(said);
        let log = self.path("qemu.log");
        let kept = OpenOptions::new().create(true).append(true).mode(0o600).open(&log).and_then(|mut it| it.write_all(said.as_bytes()));
        if let Err(error) = kept {
            tracing::warn!(%error, "what QEMU said could not be kept");
        }
        let all = fs::read_to_string(&log).unwrap_or_else(|_| said.into_owned());
        let lines: Vec<&str> = all.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        match lines.as_slice() {
            [] => "it said nothing".to_owned(),
            [.., one, two] => format!("{one} {two}"),
            [one] => (*one).to_owned(),
        }
    }

    /// Ports to try: the last one first, so that what knows the machine by it still does, then free ones.
    fn ports(&self) -> io::Result<Vec<u16>> {
        let mut ports: Vec<u16> = self.ssh_port().into_iter().collect();
        while ports.len() < PORTS {
            ports.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
        }
        Ok(ports)
    }

    /// Lets its guest loose, or go on.
    pub(super) async fn release(&self) -> io::Result<()> {
        Monitor::open(&self.dir).await?.order("cont").await
    }

    /// Presses its power button where it was ordered off, and cuts its power where its guest took longer than `patience`.
    /// Whether it is on its way off.
    pub(super) async fn press_on(&self, patience: Duration) -> io::Result<bool> {
        let Some(ordered) = self.ordered_off() else { return Ok(false) };
        if SystemTime::now().duration_since(ordered).is_ok_and(|it| it > patience) {
            self.cut().await?;
            return Ok(true);
        }
        // A guest that still boots does not hear it: it is pressed at every look.
        match Monitor::open(&self.dir).await {
            Ok(mut monitor) => monitor.order("system_powerdown").await?,
            // Just gone.
            Err(error) if !self.lives()? => tracing::debug!(%error, "its monitor is gone"),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Cuts its power, and waits until it is gone.
    pub(super) async fn cut(&self) -> io::Result<()> {
        if !self.lives()? {
            return Ok(());
        }
        if let Ok(mut monitor) = Monitor::open(&self.dir).await {
            // It may go before it answers.
            let _ = monitor.order("quit").await;
        }
        let began = Instant::now();
        let mut killed = false;
        while self.lives()? {
            if began.elapsed() > END && !std::mem::replace(&mut killed, true) {
                self.kill()?;
            }
            if began.elapsed() > END * 2 {
                return Err(io::Error::other("it does not end"));
            }
            tokio::time::sleep(BLINK).await;
        }
        Ok(())
    }

    /// Kills its process, which holds the lock of the file that says its number: nobody else has that number.
    fn kill(&self) -> io::Result<()> {
        let text = fs::read_to_string(self.path("pid"))?;
        match text.trim().parse().ok().and_then(Pid::from_raw) {
            Some(pid) if self.lives()? => Ok(kill_process(pid, Signal::KILL)?),
            _ => Ok(()),
        }
    }

    /// Writes down that it was ordered off.
    pub(super) fn note_order(&self) -> io::Result<()> {
        match OpenOptions::new().create_new(true).write(true).open(self.path("ordered-off")) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// When it was ordered off, where it was.
    fn ordered_off(&self) -> Option<SystemTime> {
        fs::metadata(self.path("ordered-off")).and_then(|it| it.modified()).ok()
    }

    /// Whether it was ordered off.
    pub(super) fn is_leaving(&self) -> bool {
        self.ordered_off().is_some()
    }

    /// Writes down that its guest went off by itself.
    pub(super) fn note_own_doing(&self) -> io::Result<()> {
        fs::write(self.path("went-off"), "")
    }

    /// Whether its guest went off by itself.
    pub(super) fn went_off_by_itself(&self) -> bool {
        self.path("went-off").exists()
    }

    /// What was noted of its last run is no longer so.
    pub(super) fn forget_the_last_run(&self) -> io::Result<()> {
        for name in ["ordered-off", "went-off", "qemu.log"] {
            match fs::remove_file(self.path(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The port of this machine behind which its guest's SSH server is.
    pub(super) fn ssh_port(&self) -> Option<u16> {
        fs::read_to_string(self.path("ssh-port")).ok()?.trim().parse().ok()
    }

    /// Puts down what its guest is given for its first boot, in the way that images with cloud-init look for it.
    pub(super) fn give_seed(&self, name: &str, document: &str) -> io::Result<()> {
        let dir = self.path("seed");
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let server = self.dir.file_name().unwrap_or_default().to_string_lossy();
        fs::write(dir.join("meta-data"), format!("instance-id: {server}\nlocal-hostname: {name}\n"))?;
        let aside = dir.join("user-data.new");
        let _ = fs::remove_file(&aside);
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&aside)?.write_all(document.as_bytes())?;
        fs::rename(aside, dir.join("user-data"))
    }

    /// Whether that is there.
    pub(super) fn has_seed(&self) -> bool {
        self.path("seed/user-data").exists()
    }

    /// Removes its files, secrets among them, once its server is gone. What stays is of no use to anybody.
    pub(super) fn forget(&self) {
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(dir = %self.dir.display(), %error, "could not remove the files of a machine");
        }
    }
}

/// The right to act on a machine.
pub(super) struct Hand {
    _file: File,
}
