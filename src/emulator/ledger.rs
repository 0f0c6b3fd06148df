//! The judge: knows whether any byte's last copy was ever destroyed, and what everything costs.
//!
//! It looks at no tag and trusts nobody's reasoning. Each disk file has a *content*, a number that
//! changes whenever somebody may have written to the file, and every content but the first knows the
//! one it came from. Copies carry the content of their original. A content is lost when its last file
//! goes and no living file's content descends from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::physics::Deed;
use super::refusal::Refusal;

/// Which bytes a disk file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The bytes: files with the same number hold the same bytes.
    pub id: u64,
    /// The content the file's first ancestor was born with.
    pub line: u64,
    /// Whether nobody ever wrote to it: it is empty, or a stock image.
    pub virgin: bool,
}

/// The destruction of bytes that live nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The id of the disk, snapshot or image that was destroyed.
    pub object: String,
    /// The name of the object, or of the server a local disk belonged to.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The line of the lost bytes.
    pub line: u64,
    /// The lost bytes.
    pub content: u64,
    /// When.
    pub at: Moment,
}

/// A span of time in which something cost something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// The id of what is paid for.
    pub object: String,
    /// `compute`, `volume`, `snapshot`, `image` or `address`.
    pub kind: String,
    /// The name it had.
    pub name: String,
    /// From when.
    pub from: Moment,
    /// Until when; nothing while it goes on.
    pub to: Option<Moment>,
    /// The price in EUR per hour.
    pub eur_per_hour: f64,
}

/// The judge's book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The content of every living disk file, by the id of its volume, local disk or copy.
    pub contents: BTreeMap<String, Content>,
    /// The content that each content came from by writing, as far as living files descend from it.
    pub parents: BTreeMap<u64, u64>,
    /// When each file was last written to, in nanoseconds since 1970, as far as that was noticed and the
    /// file may not be sealed again yet.
    #[serde(default)]
    pub noticed: BTreeMap<String, i64>,
    /// The latest content number.
    pub last_content: u64,
    /// Every loss there ever was.
    pub losses: Vec<Loss>,
    /// The bills that are open, and the latest that were closed.
    pub bill: Vec<Bill>,
    /// What older bills came to, in EUR.
    pub settled_eur: f64,
    /// How many mutating calls were committed, by operation.
    pub calls: BTreeMap<String, u64>,
}

/// How many closed bills are kept one by one.
const KEPT_BILLS: usize = 200;

impl Bill {
    /// What it comes to by `now`, in EUR.
    fn euros(&self, now: Moment) -> f64 {
        self.to.unwrap_or(now).seconds_since(self.from).max(0.0) / 3600.0 * self.eur_per_hour
    }
}

impl Ledger {
    /// What it all cost until now, in EUR.
    pub fn euros(&self, now: Moment) -> f64 {
        self.settled_eur + self.bill.iter().map(|bill| bill.euros(now)).sum::<f64>()
    }

    /// A content, the one it came from, and so on.
    fn ancestors(&self, content: u64) -> impl Iterator<Item = u64> + '_ {
        std::iter::successors(Some(content), |it| self.parents.get(it).copied())
    }

    /// Forgets the descent of contents that no living file descends from.
    fn forget_the_dead(&mut self) {
        let living = self.contents.values().flat_map(|it| self.ancestors(it.id)).collect::<std::collections::BTreeSet<_>>();
        self.parents.retain(|content, _| living.contains(content));
    }

    /// What it costs at present, in EUR per hour.
    pub fn euros_per_hour(&self) -> f64 {
        self.bill.iter().filter(|bill| bill.to.is_none()).map(|bill| bill.eur_per_hour).sum()
    }
}

impl Deed {
    /// Notes a new disk file that nobody has written to.
    pub(super) fn note_birth(&mut self, file: &str) {
        let id = self.next_content();
        let content = Content { id, line: id, virgin: true };
        self.truth.ledger.contents.insert(file.to_owned(), content);
    }

    /// Notes a new disk file with the bytes of another one.
    pub(super) fn note_copy(&mut self, from: &str, to: &str) {
        match self.truth.ledger.contents.get(from).copied() {
            Some(content) => {
                self.truth.ledger.contents.insert(to.to_owned(), content);
            }
            None => self.note_birth(to),
        }
    }

    /// Notes that somebody may be writing to a disk file from now on.
    pub(super) fn note_writing(&mut self, file: &str) {
        let id = self.next_content();
        if let Some(content) = self.truth.ledger.contents.get_mut(file) {
            self.truth.ledger.parents.insert(id, content.id);
            content.id = id;
            content.virgin = false;
        }
    }

    /// Finds out whether somebody wrote to a disk file since we last looked.
    pub(super) fn notice_writes(&mut self, file: &str) -> Result<(), Refusal> {
        let Some(written) = self.disks.unsealed_since(file)? else { return Ok(()) };
        // A kill may come between noticing and sealing: one write is noticed once.
        if self.truth.ledger.noticed.insert(file.to_owned(), written) != Some(written) {
            self.note_writing(file);
        }
        self.unsealed.push(file.to_owned());
        Ok(())
    }

    /// Judges the end of a disk file, while its object is still there, and has the file removed.
    pub(super) fn destroy(&mut self, file: &str, name: &str, tags: &[String]) -> Result<(), Refusal> {
        self.notice_writes(file)?;
        self.bury(file, name, tags);
        Ok(())
    }

    /// The same for a disk file whose writes were noticed before.
    pub(super) fn bury(&mut self, file: &str, name: &str, tags: &[String]) {
        let was_whole = self.truth.is_whole(file) && self.truth.volumes.get(file).is_none_or(|it| !it.ephemeral);
        if let Some(content) = self.truth.ledger.contents.remove(file)
            && was_whole
            && !content.virgin
            && !self.survives(content)
        {
            let loss = Loss {
                object: file.to_owned(),
                name: name.to_owned(),
                tags: tags.to_vec(),
                line: content.line,
                content: content.id,
                at: self.now,
            };
            self.truth.ledger.losses.push(loss);
        }
        self.truth.ledger.noticed.remove(file);
        self.truth.ledger.forget_the_dead();
        self.doomed.push(file.to_owned());
    }

    /// Whether a content lives on in some file, as it was or as what was made of it.
    fn survives(&self, gone: Content) -> bool {
        let ledger = &self.truth.ledger;
        let keeps = |other: &Content| ledger.ancestors(other.id).any(|it| it == gone.id);
        ledger.contents.iter().any(|(file, other)| keeps(other) && self.truth.is_whole(file))
    }

    fn next_content(&mut self) -> u64 {
        self.truth.ledger.last_content += 1;
        self.truth.ledger.last_content
    }

    /// Begins to bill an object.
    pub(super) fn open_bill(&mut self, object: &str, kind: &str, name: &str, eur_per_hour: f64) {
        let bill = Bill { object: object.to_owned(), kind: kind.to_owned(), name: name.to_owned(), from: self.now, to: None, eur_per_hour };
        self.truth.ledger.bill.push(bill);
    }

    /// Ends the open bills of an object.
    pub(super) fn close_bills(&mut self, object: &str) {
        let now = self.now;
        for bill in &mut self.truth.ledger.bill {
            if bill.object == object && bill.to.is_none() {
                bill.to = Some(now);
            }
        }
        let ledger = &mut self.truth.ledger;
        while ledger.bill.len() > KEPT_BILLS
            && let Some(index) = ledger.bill.iter().position(|bill| bill.to.is_some())
        {
            ledger.settled_eur += ledger.bill.remove(index).euros(now);
        }
    }
}
