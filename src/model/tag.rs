//! Ownership tags: what marks an object as ours, and what it remembers.
//!
//! Tags fit the narrowest cloud (Linode: 3 to 50 characters, case-insensitive), so they are
//! lower-case, and long names are shortened with a digest.

use super::{InstanceKey, Stamp};
use std::fmt;

/// The tag that says "made by cloudypad, in this format".
pub const FORMAT: &str = "cloudypad:v1";
/// The tag by which server, root disk and root copies remember that there is a data disk.
pub const HAD_DATA: &str = "had:data";
/// The tag of a server whose first deploy is yet to be captured.
pub const CAPTURE_DUE: &str = "capture:due";
/// The word of the tag that says which host key a server was given: the beginning of its SHA-256 fingerprint.
pub const HOST: &str = "host";
/// The tag of a data disk that was made empty, until it is told that it was mounted: one of two keys to formatting it.
pub const BLANK: &str = "blank:yes";
/// The tag of a server on which something is to run once it is started, from before that start until it did.
pub const START_DUE: &str = "start:due";
/// The tag of a data disk that was made empty and has not been attached yet, on a cloud whose volumes do not say so.
pub const FRESH: &str = "fresh:yes";
/// The word of the tag by which the firewall remembers the DNS record that is the instance's, by the vendor's id.
pub const RECORD: &str = "record";
/// The word of the tag of a server whose capture the cloud gave up. Its value: the account's limit then, in GB, and
/// when that capture was begun, in seconds: `6-1747766192`.
pub const UNCAPTURED: &str = "uncaptured";
/// The word of the tag that says when an object was made, in seconds of the vendor's clock, where the API shows no stamp.
const BORN: &str = "born";
/// The tag that outlives the spec's `protect: true`.
pub const PROTECTED: &str = "protect:yes";
/// The tag that outlives the spec's `keepOnDeletion: true`.
pub const KEEP: &str = "keep:yes";
/// The tag of a copy that was kept when its instance was deleted: it does not bind a new one to its zone.
pub const DELETED: &str = "deleted:yes";
/// Longest tag that every cloud takes.
const LONGEST: usize = 50;

/// What a disk or a copy is to its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The disk the machine boots from.
    Root,
    /// The disk for games and saves.
    Data,
}

impl Role {
    /// `root` or `data`.
    pub fn word(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Data => "data",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The tags of one object, in the cloud's order. Tags that are not ours are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(pub Vec<String>);

impl Tags {
    /// The tags every object of `key` carries.
    pub fn of(key: &InstanceKey) -> Self {
        Tags(vec![FORMAT.to_owned(), instance_tag(key)])
    }

    /// The part after `word:`, where there is such a tag.
    pub fn get(&self, word: &str) -> Option<&str> {
        self.0.iter().find_map(|tag| tag.strip_prefix(word)?.strip_prefix(':'))
    }

    /// Whether the tag is there, as written.
    pub fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|it| it == tag)
    }

    /// Adds a tag once.
    pub fn with(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.has(&tag) {
            self.0.push(tag);
        }
        self
    }

    /// Adds a tag where `wanted`, removes it where not.
    pub fn with_if(self, tag: &str, wanted: bool) -> Self {
        if wanted { self.with(tag) } else { self.without(tag) }
    }

    /// Removes a tag.
    pub fn without(mut self, tag: &str) -> Self {
        self.0.retain(|it| it != tag);
        self
    }

    /// Sets `word:value` in place of any other value of `word`.
    pub fn with_value(mut self, word: &str, value: &str) -> Self {
        let tag = fit(&format!("{word}:{value}"));
        if self.has(&tag) {
            return self;
        }
        self.0.retain(|it| it.strip_prefix(word).is_none_or(|rest| !rest.starts_with(':')));
        self.0.push(tag);
        self
    }

    /// What the disk or copy is, by its `role:` tag.
    pub fn role(&self) -> Option<Role> {
        match self.get("role")? {
            "root" => Some(Role::Root),
            "data" => Some(Role::Data),
            _ => None,
        }
    }

    /// The line of descent of a disk's bytes: the first disk's id, inherited by copies and by disks
    /// made from them. A copy takes the place of an older one of the same line only.
    pub fn line(&self) -> Option<&str> {
        self.get("line")
    }

    /// Says that the object is made now, on the vendor's clock, where that is known.
    pub fn born(self, now: Stamp) -> Self {
        if now.0 > 0 { self.with_value(BORN, &now.0.div_euclid(1_000_000).to_string()) } else { self }
    }

    /// When the object was made, where its tags say so; else the beginning of time.
    pub fn birth(&self) -> Stamp {
        let seconds: Option<i64> = self.get(BORN).and_then(|it| it.parse().ok());
        seconds.map_or(Stamp(0), |it| Stamp(it.saturating_mul(1_000_000)))
    }

    /// The source that manages the object, where one does.
    pub fn owner(&self) -> Option<&str> {
        self.get("by")
    }
}

/// The tag by which everything of an instance is found.
pub fn instance_tag(key: &InstanceKey) -> String {
    fit(&format!("in:{}", key.dotted()))
}

/// A tag's value as it can be stored and compared: lower-case, shortened where it must be.
pub fn tag_value(word: &str, value: &str) -> String {
    fit(&format!("{word}:{value}"))[word.len() + 1..].to_owned()
}

/// Lower-case, without the separators that clouds use between tags, and within every cloud's limit.
fn fit(tag: &str) -> String {
    let plain: String =
        tag.chars().map(|c| if c.is_ascii_alphanumeric() || ":._-/".contains(c) { c.to_ascii_lowercase() } else { '-' }).collect();
    if plain.len() <= LONGEST && plain.eq_ignore_ascii_case(tag) {
        return plain;
    }
    let digest = format!("{:016x}", digest(tag));
    let keep = plain.len().min(LONGEST - digest.len() - 1);
    format!("{}-{digest}", &plain[..keep])
}

/// A 64-bit digest (FNV-1a) of a text: for names and tags, not for secrets.
pub fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The narrowest cloud takes 50 characters: what is longer ends in a digest, so that two long names stay two.
    #[test]
    fn a_tag_fits_every_cloud_and_stays_its_own() {
        let long = |end: &str| fit(&format!("in:default.{}{end}", "a".repeat(60)));
        assert_eq!((long("x").len(), long("y").len()), (LONGEST, LONGEST));
        assert_ne!(long("x"), long("y"));
        assert_eq!(fit(&"a".repeat(LONGEST)), "a".repeat(LONGEST), "what just fits is left as it is");
        assert_eq!(fit("Name:MyPad"), "name:mypad", "one cloud does not tell upper from lower case");
        let [comma, space] = ["name:a,b", "name:a b"].map(fit);
        assert!(comma.starts_with("name:a-b-") && comma != space, "{comma} {space}");
        assert_eq!(fit(&"é".repeat(40)).len(), LONGEST);
        assert_eq!(fit(&format!("{}é", "a".repeat(10))).len(), 10 + 1 + 1 + 16);
    }

    /// FNV-1a, as published: objects that earlier versions named are found by it.
    #[test]
    fn digests_are_what_they_were() {
        assert_eq!(digest(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(digest("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_object_says_when_it_was_made_where_that_is_known() {
        let born = Tags::default().with("kept").born(Stamp(7_900_000));
        assert_eq!((born.0.as_slice(), born.birth()), (["kept".to_owned(), "born:7".to_owned()].as_slice(), Stamp(7_000_000)));
        let unknown = Tags::default().with("kept").born(Stamp(0));
        assert_eq!((unknown.0.as_slice(), unknown.birth()), (["kept".to_owned()].as_slice(), Stamp(0)));
    }
}
