//! A workshop with a cloud of some kind behind it, files of our own in one place, and the judge of what is true.

use crate::support::{
    face::Face,
    linode, scaleway,
    shop::{Ran, SPEED, Shop, pad},
};
use cloudypad::emulator::{Clock, Cloud, Imitate, Settings};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The cloud of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Local,
    Scaleway,
    Linode,
}

/// A workshop, its cloud, and cloudypad's files: state and data apart, so that either can have a disk of its own.
pub struct Stage {
    pub kind: Kind,
    pub shop: Shop,
    pub face: Option<Face>,
}

impl Stage {
    pub fn new(kind: Kind) -> Self {
        let shop = Shop::new();
        let face = match kind {
            Kind::Local => None,
            Kind::Scaleway => Some(Face::scaleway(&shop)),
            Kind::Linode => Some(Face::linode(&shop)),
        };
        Self { kind, shop, face }
    }

    /// The face of a vendor's cloud.
    pub fn face(&self) -> &Face {
        self.face.as_ref().unwrap()
    }

    /// Writes the reference spec with a wish.
    pub fn write(&self, state: &str) {
        let text = match self.kind {
            Kind::Local => pad(state, ""),
            Kind::Scaleway => scaleway::pad(state, ""),
            Kind::Linode => linode::pad(state, ""),
        };
        self.shop.write("pad.yaml", &text);
    }

    /// A command with the stage's cloud and files.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.face {
            Some(face) => face.command(&self.shop, args),
            None => self.shop.command(args),
        };
        command.env_remove("CLOUDYPAD_HOME").env("XDG_STATE_HOME", self.shop.path("state")).env("XDG_DATA_HOME", self.shop.path("data"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// A plain apply of what the spec says.
    pub fn apply(&self) -> Ran {
        self.run(&["apply", "pad.yaml", "--yes"])
    }

    /// Writes a wish, and has it fulfilled.
    pub fn reach(&self, state: &str, what: &str) {
        self.write(state);
        let ran = self.apply();
        assert_eq!(ran.code, 0, "{what}: {state}\n{}{}", ran.out, ran.err);
        self.judge(state, what);
    }

    /// The directory of state, and below it the file that `what` (`journal`, `locks`) keeps of the reference instance.
    pub fn state(&self) -> PathBuf {
        self.shop.path("state/cloudypad")
    }

    pub fn journal(&self) -> PathBuf {
        self.state().join("journal/default.mypad.jsonl")
    }

    pub fn lock(&self) -> PathBuf {
        self.state().join("locks/default.mypad.lock")
    }

    pub fn host_key(&self) -> PathBuf {
        self.shop.path("data/cloudypad/host-keys/default.mypad")
    }

    /// Where the local cloud is.
    pub fn local_cloud(&self) -> PathBuf {
        self.shop.path("data/cloudypad/local/scaleway")
    }

    fn cloud(&self) -> Cloud {
        let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Speed(f64::from(SPEED)) };
        Cloud::open(self.local_cloud(), settings).unwrap()
    }

    /// Everything there is in the cloud, a line each.
    pub fn inventory(&self) -> Vec<String> {
        match &self.face {
            Some(face) => face.inventory(),
            None => self.cloud().inventory().unwrap(),
        }
    }

    /// What nobody owns, and what was lost.
    pub fn harm(&self) -> Vec<String> {
        let living = ["in:default.mypad"];
        let (mut harm, losses) = match &self.face {
            Some(face) => {
                let (leaks, losses) = face.judge(&living);
                (leaks, losses.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            None => {
                let losses = self.cloud().ledger().unwrap().losses;
                (self.cloud().leaks(&living).unwrap(), losses.iter().map(|it| format!("{it:?}")).collect())
            }
        };
        harm.iter_mut().for_each(|it| *it = format!("leaked: {it}"));
        harm.extend(losses.iter().map(|it| format!("lost: {it}")));
        harm
    }

    /// The wish is fulfilled: nothing is lost, leaked or there twice, and another plan has nothing to do.
    pub fn judge(&self, state: &str, what: &str) {
        assert_eq!(self.harm(), [""; 0], "{what}: {state}");
        let inventory = self.inventory();
        let count = |kind: &str| inventory.iter().filter(|it| it.starts_with(kind)).count();
        let there = usize::from(state != "absent");
        let disks = if self.kind == Kind::Linode { 1 } else { 2 * there };
        assert_eq!((count("server "), count("volume ")), (there, disks), "{what}: {state}: {inventory:#?}");
        let copies = count("snapshot ") + inventory.iter().filter(|it| it.starts_with("image ") && it.contains("mypad")).count();
        assert!(copies <= 2, "{what}: {state}: {inventory:#?}");
        let firewalls = inventory.iter().filter(|it| it.starts_with("firewall ") && it.contains(" mypad")).count();
        assert!(count("address ") <= 1 && firewalls <= 1, "{what}: {state}: {inventory:#?}");
        let again = self.run(&["plan", "pad.yaml", "--detailed-exitcode"]);
        assert_eq!(again.code, 0, "{what}: {state}: not in sync\n{}{}", again.out, again.err);
    }
}

/// A refusal that names a file and says what to do about it.
pub fn assert_names(ran: &Ran, file: &Path, remedy: &str, what: &str) {
    let told = format!("{}{}", ran.out, ran.err);
    assert!(told.contains(&file.display().to_string()), "{what}: does not name {}\n{told}", file.display());
    assert!(told.contains(remedy), "{what}: does not say {remedy:?}\n{told}");
}
