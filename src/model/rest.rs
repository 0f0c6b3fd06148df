//! An instance that went to sleep by itself: the tag that says so, and for which wish.

use super::{Spec, Tags, digest};

/// The word of the tag of everything that is kept of an instance that fell idle. Its value: a digest of `serverState` and
/// `wake`, and since when nobody uses it, in seconds of the vendor's clock: `4bf92f3577b34da6-1747766192`.
pub const REST: &str = "rest";

/// That nobody uses the server, as its guest said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Idle {
    /// For how many seconds already.
    pub seconds: u64,
}

/// That an instance rests although its spec says `present`: until its owner wakes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rest {
    /// Since when nobody uses it, in seconds of the vendor's clock.
    pub since: i64,
    /// For which wish.
    digest: u64,
}

impl Rest {
    /// The rest of an instance with this spec.
    pub fn of(spec: &Spec, since: i64) -> Self {
        Self { since, digest: wish(spec) }
    }

    /// Whether this spec is still the one that fell idle: `serverState` and `wake` are what they were.
    pub fn is_of(&self, spec: &Spec) -> bool {
        self.digest == wish(spec)
    }

    /// What an object's tags say, where they do.
    pub fn said_by(tags: &Tags) -> Option<Self> {
        let (digest, since) = tags.get(REST)?.rsplit_once('-')?;
        Some(Self { since: since.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()? })
    }

    /// The tag's value.
    pub fn value(&self) -> String {
        format!("{:016x}-{}", self.digest, self.since)
    }
}

fn wish(spec: &Spec) -> u64 {
    digest(&format!("{:?} {}", spec.server_state, spec.wake))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ServerState, spec::ProviderSpec};

    fn spec() -> Spec {
        Spec::undeclared(ServerState::Present, ProviderSpec::default())
    }

    #[test]
    fn unrelated_edits_wake_nobody() {
        let rest = Rest::of(&spec(), 1_747_766_192);
        assert!(rest.is_of(&Spec { protect: true, ..spec() }));
        assert!(!rest.is_of(&Spec { wake: "tonight".to_owned(), ..spec() }));
        assert!(!rest.is_of(&Spec { server_state: ServerState::Stopped, ..spec() }));
    }

    #[test]
    fn what_is_written_is_read() {
        let rest = Rest::of(&spec(), 99_999_999_999);
        let tags = Tags::default().with_value(REST, &rest.value());
        assert_eq!(Rest::said_by(&tags), Some(rest), "not shortened: {tags:?}");
        for odd in ["rest", "rest:", "rest:1", "rest:x-1", "rest:1-", "rest:1-x"] {
            assert_eq!(Rest::said_by(&Tags(vec![odd.to_owned()])), None, "{odd}");
        }
    }
}
