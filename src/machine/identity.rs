//! Whom a machine must show itself to be: one host key per instance, known by its fingerprint wherever its file is lost.

use super::{SeedError, seed::read_host};
use ssh_key::{HashAlg, PublicKey};
use std::path::Path;

/// Hexadecimal digits of a fingerprint: as many as the tag of the narrowest cloud takes, 160 bits.
const DIGITS: usize = 40;

/// A machine's public host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    public: PublicKey,
}

impl Identity {
    pub(super) fn of(public: &PublicKey) -> Self {
        Self { public: public.clone() }
    }

    /// The key that is kept in a file, where there is one.
    ///
    /// # Errors
    /// Where a file is there and cannot be read as a key.
    pub fn kept(host_key: &Path) -> Result<Option<Self>, SeedError> {
        Ok(read_host(host_key)?.map(|it| Self::of(it.public_key())))
    }

    /// The key in a line of `ssh-keyscan`: a host, a kind, the key.
    pub fn shown(line: &str) -> Option<Self> {
        let key = line.split_once(' ')?.1;
        PublicKey::from_openssh(key).ok().map(|public| Self { public })
    }

    /// What a tag says of it: the beginning of its SHA-256 fingerprint, in lower-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let digest = self.public.fingerprint(HashAlg::Sha256);
        digest.as_bytes().iter().map(|it| format!("{it:02x}")).collect::<String>()[..DIGITS].to_owned()
    }

    /// A line for a file of known hosts.
    pub(super) fn known_as(&self, alias: &str) -> String {
        let mut bare = self.public.clone();
        bare.set_comment("");
        let key = bare.to_openssh().unwrap_or_default();
        format!("{alias} {}\n", key.trim())
    }
}
