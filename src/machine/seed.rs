//! First-boot data: a cloud-init document with the owner's public key and a host key of ours.
//!
//! The host key is made once per instance and kept on this machine, so that whoever connects knows the server
//! again after every rebuild. Losing it means a new one at the next birth.

use super::{
    Identity,
    private::{self, close_to_others},
};
use ssh_key::{
    LineEnding, PrivateKey, PublicKey,
    private::{Ed25519Keypair, KeypairData},
};
use std::{
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

/// No key is longer, in bytes.
const LARGEST: u64 = 1 << 20;

/// Why the first-boot data could not be made; the message names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The owner's public key cannot be read.
    #[error("cannot read the public key {}: {why}; check ssh.publicKeyPath", path.display())]
    PublicKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The host key cannot be kept.
    #[error("cannot keep the host key in {}: {why}; make room there, or move what is there out of the way: a new key is made", path.display())]
    HostKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// What a guest is given for its first boot. It holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstBoot {
    /// The cloud-init document.
    pub document: String,
    /// Who may log in: a public key in one line, without a comment.
    pub authorized: Option<String>,
    /// Whom the guest will show itself to be.
    pub identity: Identity,
}

impl std::fmt::Debug for FirstBoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FirstBoot {{ authorized: {:?}, .. }}", self.authorized)
    }
}

/// The first-boot data for an instance whose host key is in `host_key` (made where there is none), and who may
/// log in with the key in `public_key`, where the owner names one.
///
/// # Errors
/// [`SeedError`], before anything was changed at the cloud.
pub fn seed(host_key: &Path, public_key: Option<&Path>) -> Result<FirstBoot, SeedError> {
    let authorized = public_key.map(authorized).transpose()?;
    let host = host(host_key)?;
    let fault = |why: ssh_key::Error| SeedError::HostKey { path: host_key.to_owned(), why: why.to_string() };
    let private = host.to_openssh(LineEnding::LF).map_err(fault)?;
    let public = host.public_key().to_openssh().map_err(fault)?;
    let mut text = String::from("#cloud-config\nssh_deletekeys: true\nssh_genkeytypes: []\nssh_keys:\n  ed25519_private: |\n");
    for line in private.lines() {
        text.push_str("    ");
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!("  ed25519_public: {public}\n"));
    if let Some(key) = &authorized {
        text.push_str(&format!("ssh_authorized_keys:\n  - {key}\n"));
    }
    Ok(FirstBoot { document: text, authorized, identity: Identity::of(host.public_key()) })
}

/// The owner's key in one line, read as what it must be: nothing else gets into the document.
fn authorized(path: &Path) -> Result<String, SeedError> {
    let fault = |why: String| SeedError::PublicKey { path: path.to_owned(), why };
    let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let mut key = PublicKey::from_openssh(text.trim()).map_err(|error| fault(error.to_string()))?;
    key.set_comment("");
    key.to_openssh().map(|it| it.trim().to_owned()).map_err(|error| fault(error.to_string()))
}

fn host(path: &Path) -> Result<PrivateKey, SeedError> {
    match read_host(path)? {
        Some(key) => Ok(key),
        None => make(path).map_err(|why| SeedError::HostKey { path: path.to_owned(), why }),
    }
}

/// The host key in a file, where there is one.
pub(super) fn read_host(path: &Path) -> Result<Option<PrivateKey>, SeedError> {
    let fault = |why: String| SeedError::HostKey { path: path.to_owned(), why };
    match fs::metadata(path) {
        // A pipe in its place would be waited for, and a device would never end.
        Ok(found) if !found.is_file() => Err(fault("it is not a file".to_owned())),
        Ok(_) => {
            // Whoever else reads it could pretend to be the machine.
            path.parent().into_iter().chain([path]).for_each(close_to_others);
            let mut text = String::new();
            let read = fs::File::open(path).and_then(|it| it.take(LARGEST).read_to_string(&mut text));
            read.map_err(|error| fault(error.to_string()))?;
            PrivateKey::from_openssh(&text).map(Some).map_err(|error| fault(error.to_string()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(error.to_string())),
    }
}

fn make(path: &Path) -> Result<PrivateKey, String> {
    let mut seed = [0; Ed25519Keypair::BYTE_SIZE / 2];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut seed).map_err(|_| "the system gave no random numbers".to_owned())?;
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    let key = PrivateKey::new(pair, "cloudypad").map_err(|error| error.to_string())?;
    let text = key.to_openssh(LineEnding::LF).map_err(|error| error.to_string())?;
    // Half a key would be a key that nobody can read.
    private::write(path, text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_key_is_made_once_and_the_owners_key_is_let_in() {
        let dir = std::env::temp_dir().join(format!("cloudypad-seed-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let (host, owner) = (dir.join("keys/pad"), dir.join("id.pub"));
        let pair = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[7; 32])), "me@here").unwrap();
        fs::write(&owner, format!("{}\n", pair.public_key().to_openssh().unwrap())).unwrap();
        let made = seed(&host, Some(&owner)).unwrap();
        assert!(seed(&host, Some(&owner)).unwrap() == made);
        let first = made.document;
        let read: serde_json::Value = serde_yaml::from_str(&first).unwrap();
        let private = PrivateKey::from_openssh(read["ssh_keys"]["ed25519_private"].as_str().unwrap()).unwrap();
        assert_eq!(private.public_key().to_openssh().unwrap(), read["ssh_keys"]["ed25519_public"].as_str().unwrap());
        let let_in = read["ssh_authorized_keys"][0].as_str().unwrap();
        assert_eq!(made.authorized.as_deref(), Some(let_in));
        assert_eq!(PublicKey::from_openssh(let_in).unwrap().key_data(), pair.public_key().key_data());
        assert!(first.starts_with("#cloud-config\n"));

        fs::write(&owner, "not a key\nruncmd: [reboot]").unwrap();
        assert!(seed(&host, Some(&owner)).unwrap_err().to_string().contains("ssh.publicKeyPath"));
        fs::remove_file(&host).unwrap();
        assert_ne!(seed(&host, None).unwrap().document, first);
        fs::remove_dir_all(&dir).unwrap();
    }
}
