//! The ground that two people share: a cloud, and for each a directory of specs and a state directory.

use crate::support::{
    face::Face,
    linode::LINODE,
    scaleway::SCALEWAY,
    shop::{Ran, Shop, pad, pad_like_linode},
    vendor::Vendor,
};
use cloudypad::emulator::{Cloud, Fault, FaultKind};
use serde_json::json;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
};

/// Where the instance lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The local cloud, whose disks outlive servers.
    Local,
    /// The local cloud, whose root disks die with their servers.
    LocalLikeLinode,
    /// An emulator of Scaleway's API.
    Scaleway,
    /// An emulator of Linode's.
    Linode,
}

/// Every place.
pub const PLACES: [Place; 4] = [Place::Local, Place::LocalLikeLinode, Place::Scaleway, Place::Linode];

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    One,
    Other,
}

/// What the instance has.
#[derive(Debug, PartialEq, Eq)]
pub struct Stock {
    pub servers: usize,
    pub volumes: usize,
    pub addresses: usize,
    pub firewalls: usize,
}

/// A cloud and two people.
pub struct Ground {
    pub place: Place,
    one: Shop,
    other: Shop,
    face: Option<Face>,
}

impl Place {
    fn vendor(self) -> Option<&'static Vendor> {
        match self {
            Place::Scaleway => Some(&SCALEWAY),
            Place::Linode => Some(&LINODE),
            Place::Local | Place::LocalLikeLinode => None,
        }
    }

    /// The reference spec with this wish.
    pub fn spec(self, state: &str) -> String {
        match self {
            Place::Local => pad(state, ""),
            Place::LocalLikeLinode => pad_like_linode(state),
            Place::Scaleway => (SCALEWAY.pad)(state, ""),
            Place::Linode => (LINODE.pad)(state, ""),
        }
    }

    /// The calls whose answers may be lost on the way to any wish.
    fn changes(self) -> &'static [&'static str] {
        match self {
            Place::Local | Place::LocalLikeLinode => {
                &["create_volume", "create_server", "reserve_address", "create_firewall", "snapshot_volume", "relabel", "delete_server"]
            }
            Place::Scaleway | Place::Linode => &["POST *", "PATCH *", "PUT *", "DELETE *"],
        }
    }
}

impl Ground {
    pub fn new(place: Place) -> Self {
        let (one, other) = (Shop::new(), Shop::new());
        let face = place.vendor().map(|vendor| Face::start(vendor, &one));
        if face.is_none() {
            // One cloud behind two state directories.
            for shop in [&one, &other] {
                fs::create_dir_all(shop.path("home")).unwrap();
            }
            fs::create_dir_all(one.path("home/local")).unwrap();
            symlink(one.path("home/local"), other.path("home/local")).unwrap();
        }
        Self { place, one, other, face }
    }

    pub fn shop(&self, who: Who) -> &Shop {
        match who {
            Who::One => &self.one,
            Who::Other => &self.other,
        }
    }

    /// Writes somebody's spec.
    pub fn write(&self, who: Who, spec: &str) {
        self.shop(who).write("pad.yaml", spec);
    }

    pub fn command(&self, who: Who, args: &[&str]) -> Command {
        match &self.face {
            Some(face) => face.command(self.shop(who), args),
            None => self.shop(who).command(args),
        }
    }

    pub fn run(&self, who: Who, args: &[&str]) -> Ran {
        Ran::from(self.command(who, args).output().unwrap())
    }

    /// Runs a command that must end with this exit code.
    pub fn expect(&self, who: Who, code: i32, args: &[&str], what: &str) -> Ran {
        let ran = self.run(who, args);
        assert_eq!(ran.code, code, "{what}: {who:?}: cloudypad {}\n{}\n{}", args.join(" "), ran.out, ran.err);
        ran
    }

    /// Runs two commands that overlap: the other begins when one has told so many events, or has ended.
    pub fn overlap(&self, one: Command, other: Command, events: u64) -> (Ran, Ran) {
        let spawn = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut first, mut told) = (spawn(one), String::new());
        let mut out = BufReader::new(first.stdout.take().unwrap());
        for _ in 0..events {
            if out.read_line(&mut told).unwrap() == 0 {
                break;
            }
        }
        let second = spawn(other);
        out.read_to_string(&mut told).unwrap();
        (Self::ended(first, told), Ran::from(second.wait_with_output().unwrap()))
    }

    fn ended(child: Child, out: String) -> Ran {
        let ran = Ran::from(child.wait_with_output().unwrap());
        Ran { out, ..ran }
    }

    /// Has lists lag by so many cloud seconds. The local cloud's never do.
    pub fn lag(&self, seconds: u64) {
        if let Some(face) = &self.face {
            face.post("/_emulator/settings", json!({"listing_lag": seconds}));
        }
    }

    /// Loses the answer to a call to come.
    pub fn lose_an_answer(&self, random: &mut fastrand::Rng) {
        let operation = random.choice(self.place.changes()).unwrap();
        match &self.face {
            Some(face) => face.arm(operation, "lost-reply", 1, random.u32(0..4)),
            None => {
                let fault = Fault { operation: (*operation).to_owned(), what: FaultKind::LostReply, times: 1, skip: random.u32(0..2) };
                self.cloud().arm(fault).unwrap();
            }
        }
    }

    /// Good weather.
    pub fn clear_up(&self) {
        match &self.face {
            Some(face) => face.disarm(),
            None => self.cloud().disarm_all().unwrap(),
        }
        self.lag(0);
    }

    /// What was lost of bytes, and what nobody's living instance owns.
    pub fn judge(&self, living: &[&str]) -> (Vec<String>, usize) {
        match &self.face {
            Some(face) => {
                let (leaks, losses) = face.judge(living);
                (leaks, losses.len())
            }
            None => (self.cloud().leaks(living).unwrap(), self.cloud().ledger().unwrap().losses.len()),
        }
    }

    /// What the instance has.
    pub fn stock(&self) -> Stock {
        let lines = self.inventory();
        let count = |kind: &str| lines.iter().filter(|it| it.starts_with(kind)).count();
        // A vendor has a firewall of its own.
        let firewalls = lines.iter().filter(|it| it.starts_with("firewall ") && it.contains("mypad")).count();
        Stock { servers: count("server "), volumes: count("volume "), addresses: count("address "), firewalls }
    }

    /// Everything there is, a line each.
    pub fn inventory(&self) -> Vec<String> {
        match &self.face {
            Some(face) => face.inventory(),
            None => self.cloud().inventory().unwrap(),
        }
    }

    /// What a wish comes to once it is fulfilled.
    pub fn wanted(&self, state: &str) -> Stock {
        let there = usize::from(state != "absent");
        let volumes = match self.place {
            Place::Local | Place::Scaleway => 2 * there,
            // The data disk stays; the root disk is its server's.
            Place::LocalLikeLinode | Place::Linode => 1,
        };
        Stock { servers: there, volumes, addresses: 1, firewalls: 1 }
    }

    fn cloud(&self) -> Cloud {
        match self.place {
            Place::LocalLikeLinode => self.one.linode_cloud(),
            _ => self.one.cloud(),
        }
    }
}
