//! An owner's desk: a shop whose local cloud has real machines, a key, and a disk that boots. No machine outlives it.

use crate::shop::{Ran, Shop};
use cloudypad::emulator::{Clock, Cloud, Imitate, Settings};
use rustix::{
    fs::{FlockOperation, fcntl_lock},
    process::{Pid, Signal, kill_process},
};
use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How fast the book of the clouds runs; guests take their own time.
const SPEED: u32 = 600;

/// A desk; when it is dropped its machines are cut off.
pub struct Scene {
    pub shop: Shop,
    /// Where cloudypad keeps its files.
    pub home: PathBuf,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for machine in self.machines() {
            machine.kill();
        }
        if std::thread::panicking() {
            // What was said stays for a look; disks are large.
            for kind in ["scaleway-qemu", "linode-qemu"] {
                let _ = fs::remove_dir_all(self.cloud_dir(kind).join("disks"));
            }
        }
    }
}

/// One machine's files.
pub struct Machine {
    pub dir: PathBuf,
}

impl Scene {
    /// A desk without a disk to boot from; `None` where there is no QEMU, which is said.
    pub fn bare() -> Option<Self> {
        let runs = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !["qemu-system-x86_64", "qemu-io"].iter().all(|it| runs(it)) {
            println!("skipped: no QEMU (qemu-system-x86, qemu-utils)");
            return None;
        }
        let shop = Shop::new();
        let scene = Self { home: shop.path("home"), shop };
        let keys = scene.shop.path(".ssh");
        fs::create_dir_all(&keys).unwrap();
        let key = keys.join("id_ed25519");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key).status().unwrap();
        assert!(made.success());
        Some(scene)
    }

    /// A desk with the disk of a Debian guest; `None` where it cannot be built, which is said.
    pub fn with_guest() -> Option<Self> {
        let scene = Self::bare()?;
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/qemu/image");
        let built = Command::new(recipe).stderr(Stdio::inherit()).output().unwrap();
        if built.status.code() == Some(77) {
            println!("skipped: no guest image");
            return None;
        }
        assert!(built.status.success(), "the guest image could not be built");
        let image = String::from_utf8(built.stdout).unwrap();
        symlink(image.trim(), scene.shop.path("guest.img")).unwrap();
        Some(scene)
    }

    /// A desk with a disk that boots nothing: its machine runs, and has no guest.
    pub fn without_guest() -> Option<Self> {
        let scene = Self::bare()?;
        scene.shop.write("guest.img", "");
        Some(scene)
    }

    /// Writes the wish; `more` comes below `spec:`.
    pub fn wish(&self, state: &str, more: &str) {
        let spec = format!(
            "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata: {{name: mypad}}\nspec:\n  serverState: {state}\n  \
             provider: {{local: {{machine: qemu, image: guest.img, speed: {SPEED}}}}}\n  ssh: {{publicKeyPath: .ssh/id_ed25519.pub}}\n  \
             rootDisk: {{sizeGb: 8}}\n  dataDisk: {{sizeGb: 1}}\n{more}"
        );
        self.shop.write("pad.yaml", &spec);
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.shop.command(args);
        command.env("HOME", self.shop.path("")).env("CLOUDYPAD_HOME", &self.home);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub fn expect(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "cloudypad {}\n{}\n{}", args.join(" "), ran.out, ran.err);
        ran
    }

    pub fn apply(&self) -> Ran {
        self.expect(0, &["apply", "pad.yaml", "--yes"])
    }

    /// The file behind the root disk.
    pub fn root_file(&self) -> PathBuf {
        let cloud = self.cloud();
        let truth = cloud.truth().unwrap();
        let root = truth.volumes.values().find(|it| it.from_image.is_some()).unwrap();
        cloud.disk_path(&root.id)
    }

    /// Applies, and kills cloudypad, as `kill -9` does, at the first line that begins like this.
    pub fn apply_until(&self, killed_at: &str) {
        let mut child = self.command(&["apply", "pad.yaml", "--yes"]).spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            if line.starts_with(killed_at) {
                child.kill().unwrap();
                child.wait().unwrap();
                return;
            }
            said.push_str(&line);
            said.push('\n');
        }
        panic!("never said {killed_at:?}:\n{said}");
    }

    /// Applies, while somebody else does something at each line that it says.
    pub fn apply_while(&self, meanwhile: &dyn Fn()) {
        let mut child = self.command(&["apply", "pad.yaml", "--yes"]).spawn().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            line.unwrap();
            meanwhile();
        }
        assert!(child.wait().unwrap().success());
    }

    /// What a command says inside the guest.
    pub fn inside(&self, command: &str) -> String {
        self.expect(0, &["ssh", "pad.yaml", "--", command]).out
    }

    fn cloud_dir(&self, kind: &str) -> PathBuf {
        self.home.join("local").join(kind)
    }

    /// The cloud behind the desk, past all of cloudypad.
    pub fn cloud(&self) -> Cloud {
        let settings = Settings { imitate: Imitate::Volumes, clock: Clock::AsIs };
        Cloud::open(self.cloud_dir("scaleway-qemu"), settings).unwrap()
    }

    /// The states of servers in the book.
    pub fn book(&self) -> Vec<String> {
        self.cloud().inventory().unwrap().into_iter().filter(|it| it.starts_with("server ")).collect()
    }

    /// Every machine that lives.
    pub fn machines(&self) -> Vec<Machine> {
        let kinds = ["scaleway-qemu", "linode-qemu"].map(|it| self.cloud_dir(it).join("machines"));
        let found = kinds.iter().flat_map(|it| fs::read_dir(it).into_iter().flatten().flatten());
        found.map(|it| Machine { dir: it.path() }).filter(Machine::lives).collect()
    }

    pub fn the_machine(&self) -> Machine {
        let mut machines = self.machines();
        assert_eq!(machines.len(), 1, "one machine runs");
        machines.remove(0)
    }
}

impl Machine {
    /// Whether its process lives: it holds a lock on the file with its number.
    fn lives(&self) -> bool {
        let Ok(file) = OpenOptions::new().write(true).open(self.dir.join("pid")) else { return false };
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
    }

    /// The number of its process.
    pub fn number(&self) -> String {
        fs::read_to_string(self.dir.join("pid")).unwrap().trim().to_owned()
    }

    /// Waits until its process has ended.
    pub fn ended(&self) {
        // It may be gone by now, and its file with it.
        if let Ok(file) = OpenOptions::new().write(true).open(self.dir.join("pid")) {
            fcntl_lock(&file, FlockOperation::LockExclusive).unwrap();
        }
    }

    /// Kills it, as a host that loses its power does.
    pub fn kill(&self) {
        let number = fs::read_to_string(self.dir.join("pid")).ok().and_then(|it| it.trim().parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw).filter(|_| self.lives()) {
            let _ = kill_process(pid, Signal::KILL);
            self.ended();
        }
    }
}
