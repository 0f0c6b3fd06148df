//! A file on its way to the whole: every beginning of every example, as if it were written slowly, and nothing is done
//! before it is whole and was left alone.

use crate::{
    figures,
    support::{face::Face, linode::LINODE, scaleway::SCALEWAY, shop::Shop, teller::Teller},
};
use cloudypad::read;
use std::{
    fs,
    path::{Path, PathBuf},
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// For how long each beginning lies there: less than what is taken for the whole.
const LIES: Duration = Duration::from_millis(300);
/// What may be taken for the whole, with some time to spare.
const ENOUGH: Duration = Duration::from_millis(450);

fn examples() -> Vec<PathBuf> {
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(below).unwrap().map(|it| it.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|it| it.extension().is_some_and(|it| it == "yaml")).collect();
    found.sort();
    assert!(found.len() > 5, "{found:?}");
    found
}

/// How many beginnings of an example are saved, unless all are.
const FEW: usize = 30;

/// The lengths that are saved: all of them, or some of those that can be read, and of what cannot be between them.
fn lengths(file: &Path, whole: &str) -> Vec<usize> {
    let all: Vec<usize> = (1..whole.len()).filter(|it| whole.is_char_boundary(*it)).collect();
    if std::env::var("CLOUDYPAD_PREFIXES").is_ok_and(|it| it == "all") {
        return all;
    }
    let is_readable = |length: &usize| !read::read_text(file, &whole[..*length]).specs.is_empty();
    let first = all.iter().position(is_readable).expect("an example can be read");
    let step = ((all.len() - first) / FEW).max(1);
    all[first..].iter().rev().step_by(step).rev().copied().collect()
}

/// What is being watched: an example's cloud, and the directory that it grows in.
struct Bed {
    shop: Shop,
    face: Option<Face>,
    watch: Teller,
    file: String,
}

impl Bed {
    fn of(example: &Path, whole: &str) -> Self {
        let shop = Shop::new();
        fs::create_dir_all(shop.path("specs")).unwrap();
        let vendor = [&SCALEWAY, &LINODE].into_iter().find(|it| whole.contains(&format!("    {}:", it.name)));
        let face = vendor.map(|it| Face::start(it, &shop));
        // What an example needs beside it.
        std::os::unix::fs::symlink(example.with_file_name("gaming"), shop.path("specs/gaming")).unwrap();
        let mut command = match &face {
            Some(face) => face.command(&shop, &["watch", "specs"]),
            None => shop.command(&["watch", "specs"]),
        };
        let file = format!("specs/{}", example.file_name().unwrap().to_str().unwrap());
        Self { watch: Teller::of(&mut command), shop, face, file }
    }

    fn changes(&self) -> u64 {
        if let Some(face) = &self.face {
            return face.changes_so_far() as u64;
        }
        let there = |kind: &str| self.shop.path(&format!("home/local/{kind}")).exists();
        let clouds = [there("scaleway").then(|| self.shop.cloud()), there("linode").then(|| self.shop.linode_cloud())];
        clouds.into_iter().flatten().flat_map(|it| it.ledger().unwrap().calls.into_values()).sum()
    }

    /// Saves beginnings, each in its turn; the longest time that one lay there.
    fn grow(&self, lengths: &[usize], whole: &str) -> Duration {
        let mut longest = Duration::ZERO;
        let mut last: Option<Instant> = None;
        for length in lengths {
            self.shop.write(&self.file, &whole[..*length]);
            let now = Instant::now();
            longest = longest.max(last.map_or(Duration::ZERO, |it| now - it));
            last = Some(now);
            sleep(LIES);
        }
        longest.max(last.map_or(Duration::ZERO, |it| it.elapsed()))
    }
}

/// Saves an example bit by bit beneath a watch; how many beginnings that were.
fn grow(example: &Path) -> usize {
    let whole = fs::read_to_string(example).unwrap();
    let lengths = lengths(example, &whole);
    loop {
        let mut bed = Bed::of(example, &whole);
        let longest = bed.grow(&lengths, &whole);
        if bed.changes() > 0 && longest > ENOUGH {
            // This machine was busy elsewhere, and a beginning lay there as if it were the whole.
            continue;
        }
        assert_eq!(bed.changes(), 0, "{}: {:#?}", bed.file, bed.watch.told);
        bed.shop.write(&bed.file, &whole);
        // A machine of one's own needs an image that is not here, and what a clock wishes depends on the hour.
        if !whole.contains("machine: qemu") && !whole.contains("schedule:") {
            bed.watch.until("create ");
            while bed.changes() == 0 {
                // It is told before it is done.
                bed.watch.until("");
            }
        }
        return lengths.len();
    }
}

/// Of no beginning anything is done.
#[test]
fn nothing_is_done_of_a_file_that_is_being_written() {
    let growing: Vec<_> = examples().into_iter().map(|it| thread::spawn(move || grow(&it))).collect();
    let saved: usize = growing.into_iter().map(|it| it.join().unwrap()).sum();
    assert!(saved > 100, "{saved} beginnings");
    figures::tell("beginnings of examples saved, none acted on", saved);
}
