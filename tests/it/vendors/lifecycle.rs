//! The reference lifecycle, each wish twice: what it costs, and that every byte comes back.

use super::Trial;
use crate::support::{
    face::{Face, in_any_order},
    shop::{Shop, read_at, write_at},
};
use std::path::PathBuf;

/// A wish, and the calls that change something on the way to it, in parts.
pub type Leg = (&'static str, &'static [&'static [&'static str]]);

fn all(parts: &[&[&str]]) -> Vec<String> {
    in_any_order(parts.concat())
}

impl Trial {
    /// One wish after the other, and then deletion: these calls and no others, and none the second time.
    pub fn costs(&self, legs: &[Leg], delete: &[&str], losses: usize) {
        let shop = Shop::new();
        let face = Face::start(self.vendor, &shop);
        let pad = |state| (self.vendor.pad)(state, "");
        for (number, (state, calls)) in legs.iter().enumerate() {
            let what = format!("{number}: {state}");
            let (ran, made) = face.apply(&shop, &pad(state));
            assert_eq!(in_any_order(made), all(calls), "{what}");
            assert!(*state != "absent" || ran.out.contains("kept, still billed: "), "{what}: {}", ran.out);
            let ran = self.settled(&shop, &face, state, &what);
            assert!(ran.out.contains("Nothing to do: 1 instance in sync"), "{what}: {}", ran.out);
        }
        let destroy = ["delete", "pad.yaml", "--yes", "--destroy-data", "mypad"];
        face.log();
        face.expect(&shop, 0, &destroy);
        assert_eq!(in_any_order(face.changes()), all(&[delete]));
        let (leaks, lost) = face.judge(&[]);
        assert_eq!((leaks, lost.len()), (Vec::new(), losses), "nothing billable is left; the owner let two disks go");
        let ran = face.expect(&shop, 0, &destroy);
        assert!(ran.out.contains("does not exist"), "{}", ran.out);
    }

    /// What a guest wrote to either disk is there after the archive; `disks` finds their files, the root disk's first.
    pub fn every_byte_comes_back(&self, disks: fn(&Shop, &Face) -> (PathBuf, PathBuf)) {
        let shop = Shop::new();
        let face = Face::start(self.vendor, &shop);
        let apply = |state| face.apply(&shop, &(self.vendor.pad)(state, ""));
        apply("present");
        for round in 0..3u8 {
            let (root, data) = disks(&shop, &face);
            write_at(&root, 4096, &[round + 1; 512]);
            write_at(&data, 1 << 20, &[round + 101; 512]);
            apply("absent");
            apply("present");
            let (root, data) = disks(&shop, &face);
            assert_eq!(read_at(&root, 4096, 512), [round + 1; 512], "root, round {round}");
            assert_eq!(read_at(&data, 1 << 20, 512), [round + 101; 512], "data, round {round}");
        }
        assert_eq!(face.judge(&["in:default.mypad"]), (Vec::new(), Vec::new()));
    }

    /// An example as a newcomer takes it: applied, archived, had back, deleted.
    pub fn example_works(&self, example: &str, name: &str) {
        let shop = Shop::new();
        let face = Face::start(self.vendor, &shop);
        shop.write("example.yaml", example);
        face.expect(&shop, 0, &["apply", "example.yaml", "--yes"]);
        face.expect(&shop, 0, &["set", "example.yaml", "serverState=absent", "--apply", "--yes"]);
        face.expect(&shop, 0, &["set", "example.yaml", "serverState=present", "--apply", "--yes"]);
        face.expect(&shop, 0, &["delete", "example.yaml", "--yes", "--destroy-data", name]);
        assert_eq!(face.judge(&[]).0, Vec::<String>::new());
    }
}
