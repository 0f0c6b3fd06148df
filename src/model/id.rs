//! Names of things: typed ids, vendor time stamps, and the key of an instance.

use serde::{Deserialize, Serialize};
use std::{fmt, marker::PhantomData, sync::Arc};

/// The vendor's id of one object of kind `K`.
///
/// Ids of different kinds do not mix: a snapshot's id does not fit where a volume's is wanted.
///
/// ```compile_fail
/// use cloudypad::model::{Boot, Id, Snapshot};
/// let snapshot: Id<Snapshot> = Id::new("snap-1");
/// let boot = Boot::Volume(snapshot); // a block snapshot is not something a server boots from
/// ```
///
/// ```compile_fail
/// use cloudypad::model::{Boot, Id, Snapshot};
/// let snapshot: Id<Snapshot> = Id::new("snap-1");
/// let boot = Boot::Image(snapshot); // and neither is it an instance image
/// ```
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// Takes the vendor's text as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// The vendor's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A moment on the vendor's clock, in microseconds since the Unix epoch.
///
/// Decisions compare stamps of one API with each other; the local clock is never asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub i64);

impl Stamp {
    /// Whole seconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub fn seconds_since(self, earlier: Stamp) -> i64 {
        (self.0 - earlier.0).div_euclid(1_000_000)
    }

    /// `self` moved by `seconds`.
    pub fn plus_seconds(self, seconds: u64) -> Stamp {
        Stamp(self.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000)))
    }
}

/// Which instance: its namespace and name, unique among all specs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl InstanceKey {
    /// `namespace.name`, as tags and file names carry it.
    pub fn dotted(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// The name that objects of this instance get in the cloud, before a suffix like `-root`. Outside
    /// the default namespace it ends in digits of the key's digest, so that `a-b/c` and `a/b-c` differ.
    pub fn object_name(&self) -> String {
        if self.namespace == "default" {
            return self.name.clone();
        }
        format!("{}-{:04x}", self.name, super::digest(&self.dotted()) & 0xffff)
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == "default" { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    #[test]
    fn ids_compare_and_read_as_the_vendors_text() {
        let (a, b) = (Id::<Thing>::new("a-1"), Id::<Thing>::new("b-1"));
        assert!(a < b);
        assert!(b > a);
        assert_eq!(format!("{a} {a:?}"), "a-1 a-1");
    }

    #[test]
    fn a_span_is_in_whole_seconds_and_knows_its_direction() {
        let (early, late) = (Stamp(1_000_000), Stamp(3_500_000));
        assert_eq!(late.seconds_since(early), 2);
        assert_eq!(early.seconds_since(late), -3);
        assert_eq!(early.plus_seconds(2), Stamp(3_000_000));
        assert_eq!(late.plus_seconds(u64::MAX), Stamp(i64::MAX), "the end of time, and not its beginning");
    }

    #[test]
    fn a_namespace_is_named_where_it_is_not_the_default() {
        let key = |namespace: &str| InstanceKey { namespace: namespace.to_owned(), name: "pad".to_owned() };
        assert_eq!([key("default").to_string(), key("default").object_name(), key("default").dotted()], ["pad", "pad", "default.pad"]);
        assert_eq!([key("lab").to_string(), key("lab").dotted()], ["lab/pad", "lab.pad"]);
        assert!(key("lab").object_name().starts_with("pad-") && key("lab").object_name() != key("attic").object_name());
    }
}
