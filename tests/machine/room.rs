//! A room with a real SSH server in it, which plays the machine.

use crate::sshd::{SshServer, own_user};
use cloudypad::machine::{FirstBoot, Identity, Play, PlayError, Playing, Way, seed};
use serde_json::Map;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::watch;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A directory of its own, with a server in it where one was started; removed at the end.
pub struct Room {
    pub dir: PathBuf,
    pub port: u16,
    server: Option<SshServer>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.close();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Whether a program is there; says what is skipped where it is not.
pub fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: no {program}");
    }
    there
}

impl Room {
    /// A room with an owner's key, and a machine's, both made by what makes them in the product's life.
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cloudypad-machine-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let room = Self { dir, port: SshServer::free_port(), server: None };
        room.born("owner");
        room
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Makes a host key under a name, as at an instance's birth.
    pub fn born(&self, name: &str) -> FirstBoot {
        seed(&self.path(name), None).unwrap()
    }

    pub fn identity(&self, name: &str) -> Identity {
        Identity::kept(&self.path(name)).unwrap().unwrap()
    }

    /// Starts a server that shows this host key and lets the owner in; the same port each time.
    pub fn open(&mut self, host_key: &str) {
        self.close();
        self.born(host_key);
        self.server = Some(SshServer::open(&self.dir, self.port, &self.path(host_key), &self.path("owner")));
    }

    pub fn close(&mut self) {
        self.server = None;
    }

    /// The owner's way in.
    pub fn way(&self) -> Way {
        Way {
            address: "127.0.0.1".to_owned(),
            port: self.port,
            user: own_user(),
            key: Some(self.path("owner")),
            alias: format!("cloudypad-default.{}", self.dir.file_name().unwrap().to_str().unwrap()),
            known_hosts: self.path("known/default.mypad"),
            withheld: Vec::new(),
        }
    }

    /// Plays something there; gives what came of it, and what was told.
    pub fn play(&self, play: &Play, secrets: &BTreeMap<String, String>) -> (Result<(), PlayError>, Vec<String>) {
        let (_teller, stop) = watch::channel(false);
        self.play_until(play, secrets, stop, &|_| {})
    }

    pub fn play_until(
        &self,
        play: &Play,
        secrets: &BTreeMap<String, String>,
        stop: watch::Receiver<bool>,
        hear: &(dyn Fn(&str) + Sync),
    ) -> (Result<(), PlayError>, Vec<String>) {
        let told = Mutex::new(Vec::new());
        let tell = |line: &str| {
            told.lock().unwrap().push(line.to_owned());
            hear(line);
        };
        let way = self.way();
        let scratch = self.path("scratch");
        let playing = Playing { play, way: &way, name: "default.mypad", facts: Map::new(), secrets, scratch: &scratch, stop, tell: &tell };
        let came = run(playing.run());
        assert_eq!(files_in(&scratch), Vec::<PathBuf>::new(), "nothing is left behind");
        (came, told.into_inner().unwrap())
    }
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|it| it.map(|it| it.unwrap().path()).collect()).unwrap_or_default()
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
