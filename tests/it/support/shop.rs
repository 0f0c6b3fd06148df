//! A workshop: a directory of its own, the real binary, and the local cloud behind it.

use cloudypad::emulator::{Clock, Cloud, Imitate, Settings};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// How fast the shops' clouds run: every wait ends within a few looks.
pub const SPEED: u32 = 5_000;

/// A directory with specs, cloudypad's files and a local cloud; removed at the end.
pub struct Shop {
    dir: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Shop {
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("cloudypad-test-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    /// A shop where everything is as it is in this one, disks and their times of writing included.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let copied = Command::new("cp").args(["-a", "--sparse=always"]).arg(self.dir.join(".")).arg(&copy.dir).status().unwrap();
        assert!(copied.success(), "{} could not be copied", self.dir.display());
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The spec most tests use: both disks snapshotted, on the Scaleway kind of cloud.
    pub fn write_pad(&self, state: &str) {
        self.write("pad.yaml", &pad(state, ""));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudypad"));
        command.args(args).current_dir(&self.dir).env_clear();
        command.env("CLOUDYPAD_HOME", self.path("home")).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        Ran::from(output)
    }

    /// Runs a command that must end with this exit code.
    pub fn expect(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "cloudypad {}\n{}\n{}", args.join(" "), ran.out, ran.err);
        ran
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    /// Runs a command with something to read on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Writes the spec's wish and applies it.
    pub fn apply(&self, state: &str) -> Ran {
        self.write_pad(state);
        self.expect(0, &["apply", "pad.yaml", "--yes"])
    }

    /// The cloud behind the shop, past all of cloudypad.
    pub fn cloud(&self) -> Cloud {
        self.cloud_at(f64::from(SPEED))
    }

    pub fn cloud_at(&self, speed: f64) -> Cloud {
        let settings = Settings { imitate: Imitate::Volumes, clock: Clock::Speed(speed) };
        Cloud::open(self.path("home/local/scaleway"), settings).unwrap()
    }

    /// The Linode kind of cloud behind the shop.
    pub fn linode_cloud(&self) -> Cloud {
        let settings = Settings { imitate: Imitate::LocalDisks, clock: Clock::Speed(f64::from(SPEED)) };
        Cloud::open(self.path("home/local/linode"), settings).unwrap()
    }

    pub fn describe(&self) -> Value {
        let ran = self.run(&["describe", "pad.yaml", "-o", "json"]);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
    }

    /// The files behind the root and the data disk.
    pub fn disk_files(&self) -> (PathBuf, PathBuf) {
        let described = self.describe();
        let file = |role: &str| {
            let volumes = described["volumes"].as_array().unwrap();
            let volume = volumes.iter().find(|it| it["role"] == role).unwrap_or_else(|| panic!("no {role} disk in {described:#}"));
            PathBuf::from(volume["file"].as_str().unwrap())
        };
        (file("root"), file("data"))
    }

    /// How many mutating calls the cloud has carried out.
    pub fn calls(&self) -> u64 {
        self.cloud().ledger().unwrap().calls.values().sum()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A spec named mypad with `state`, and more lines below `spec:`.
pub fn pad(state: &str, more: &str) -> String {
    format!(
        "apiVersion: cloudypad.gg/v1alpha1\nkind: Instance\nmetadata:\n  name: mypad\nspec:\n  serverState: {state}\n  \
         provider:\n    local:\n      speed: {SPEED}\n  rootDisk:\n    sizeGb: 30\n  dataDisk:\n    sizeGb: 100\n  \
         rootDiskSnapshot:\n    enable: true\n  dataDiskSnapshot:\n    enable: true\n{more}"
    )
}

/// The same on the Linode kind of cloud, its root captured again at every archive.
pub fn pad_like_linode(state: &str) -> String {
    pad(state, "")
        .replace("    local:\n", "    local:\n      imitate: linode\n")
        .replace("  dataDiskSnapshot:\n    enable: true\n", "")
        .replace("    enable: true\n", "    enable: true\n    onStop: refresh\n")
}

/// Writes bytes into a disk's file at an offset, as a guest would.
pub fn write_at(file: &Path, offset: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(bytes, offset).unwrap();
}

/// Reads bytes from a disk's file.
pub fn read_at(file: &Path, offset: u64, length: usize) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length];
    fs::File::open(file).unwrap().read_exact_at(&mut bytes, offset).unwrap();
    bytes
}
