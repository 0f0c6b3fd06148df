//! A machine at a vendor: the cloud is the vendor's emulator, what is behind the machine's SSH port a real SSH server, and
//! addresses are this machine's own, so that a test can play whatever else listens there.

use super::{
    face::{Face, SPEED},
    shop::{Ran, Shop},
    sshd::{SshServer, has_ssh, own_user},
    vendor::Vendor,
};
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

/// A range of addresses of this machine that nobody else's test uses meanwhile.
struct Range {
    numbers: String,
    _claim: TcpListener,
}

impl Range {
    fn claim() -> Self {
        let first = std::process::id() % 200;
        let mut ranges = (0..200).map(|it| format!("127.{}", 32 + (first + it) % 200));
        // Whoever holds a port at its end has the range.
        let claimed =
            ranges.find_map(|numbers| Some(Self { _claim: TcpListener::bind(format!("{numbers}.255.254:40404")).ok()?, numbers }));
        claimed.expect("no range of loopback addresses is free")
    }
}

/// Opens a real SSH server for the machine of a shop's instance, and gives what a spec says to get in.
pub fn open_machine(shop: &Shop) -> (SshServer, String) {
    let owner = shop.path("owner");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&owner).status().unwrap();
    assert!(made.success());
    // The key that the machine is given at its birth is made beforehand, as if it had been born before.
    let host_key = shop.path("home/host-keys/default.mypad");
    cloudypad::machine::seed(&host_key, None).unwrap();
    let port = SshServer::free_port();
    let machine = SshServer::open(&shop.path(""), port, &host_key, &owner);
    lead_to(shop, port);
    (machine, format!("  ssh: {{publicKeyPath: owner.pub, user: {}}}\n", own_user()))
}

/// Has the way to the machine lead to this port of ours. Vendors' machines have SSH on port 22, which is taken here or not
/// ours to take: an `ssh` before the real one knows better.
fn lead_to(shop: &Shop, port: u16) {
    let way = format!("#!/bin/sh\nexec {} -o HostName=127.0.0.1 -o Port={port} \"$@\"\n", real_ssh().display());
    shop.write("bin/ssh", &way);
    fs::set_permissions(shop.path("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where programs are found, that `ssh` first.
pub fn path_with(shop: &Shop) -> String {
    format!("{}:{}", shop.path("bin").display(), std::env::var("PATH").unwrap_or_default())
}

/// A machine at a vendor, with its owner's specs.
pub struct Scene {
    pub shop: Shop,
    pub face: Face,
    pub machine: SshServer,
    range: Range,
}

impl Scene {
    pub fn at(vendor: &'static Vendor) -> Option<Self> {
        Self::with(vendor, &[])
    }

    /// One at a vendor that takes this key alone.
    pub fn demanding(vendor: &'static Vendor, key: &str) -> Option<Self> {
        Self::with(vendor, &["--token", key])
    }

    fn with(vendor: &'static Vendor, more: &[&str]) -> Option<Self> {
        if !has_ssh() {
            return None;
        }
        let shop = Shop::new();
        let range = Range::claim();
        let face = Face::start_at(vendor, &shop, SPEED, &[&["--network", &range.numbers], more].concat());
        let machine = open_machine(&shop).0;
        let scene = Self { shop, face, machine, range };
        scene.script("once", "");
        scene.script("start", "");
        Some(scene)
    }

    /// [`lead_to`] of this scene's shop.
    pub fn lead_to(&self, port: u16) {
        lead_to(&self.shop, port);
    }

    /// The machine's first address.
    pub fn address(&self) -> String {
        format!("{}.0.{}", self.range.numbers, if self.face.vendor.name == "linode" { 2 } else { 1 })
    }

    /// A script that writes down that it ran, and does something more.
    pub fn script(&self, name: &str, more: &str) {
        let diary = self.shop.path("diary");
        self.shop.write(&format!("{name}.sh"), &format!("#!/bin/sh\necho {name} >> {}\necho {name} runs\n{more}\n", diary.display()));
    }

    pub fn wish(&self, state: &str) {
        self.wish_with(state, "");
    }

    /// Writes the wish; `more` is more of the configuration.
    pub fn wish_with(&self, state: &str, more: &str) {
        let configuration = format!("    script: once.sh\n    onStart: {{script: start.sh}}\n    readyPort: none\n{more}");
        self.wish_for(state, &configuration);
    }

    /// Writes the wish, with this configuration.
    pub fn wish_for(&self, state: &str, configuration: &str) {
        let own = format!("  ssh: {{publicKeyPath: owner.pub, user: {}}}\n  configuration:\n{configuration}", own_user());
        self.shop.write("pad.yaml", &(self.face.vendor.pad)(state, &own));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.face.command(&self.shop, args);
        command.env("PATH", path_with(&self.shop));
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub fn expect(&self, code: i32, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
        ran
    }

    pub fn apply(&self) -> Ran {
        self.expect(0, &["apply", "pad.yaml", "--yes"])
    }

    /// What `get` says of the instance, for tools.
    pub fn row(&self) -> Value {
        serde_json::from_str(&self.expect(0, &["get", "pad.yaml", "-o", "json"]).out).unwrap()
    }

    /// What ran in the machine since this was asked last.
    pub fn ran(&self) -> Vec<String> {
        let diary = self.shop.path("diary");
        let text = fs::read_to_string(&diary).unwrap_or_default();
        let _ = fs::remove_file(diary);
        text.lines().map(str::to_owned).collect()
    }
}

fn real_ssh() -> PathBuf {
    let found = Command::new("sh").args(["-c", "command -v ssh"]).stdin(Stdio::null()).output().unwrap();
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}
