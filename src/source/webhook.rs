//! What a forge says when somebody pushed: whether it is the forge that says it, and of which branch.
//!
//! A push is a reason to look at once, never more: what is carried out comes from the repository itself.

use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// What a forge tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A push to this branch.
    Branch(String),
    /// Something else, or something that we cannot read: a look does no harm.
    Something,
}

/// Whether a body was signed with the secret: `header` is the value of `X-Hub-Signature-256` (GitHub, Gitea, Forgejo), like
/// `sha256=…`. Takes as long for a wrong signature as for a right one. Without a secret nothing is signed.
pub fn is_signed(body: &[u8], header: &str, secret: &str) -> bool {
    let Some(code) = header.trim().strip_prefix("sha256=").and_then(bytes) else { return false };
    !secret.is_empty() && digest(secret, body).is_some_and(|it| it.verify_slice(&code).is_ok())
}

/// Whether the value of GitLab's `X-Gitlab-Token` is the secret. Takes as long whatever it is.
pub fn is_token(header: &str, secret: &str) -> bool {
    // Digests are compared: they tell nothing of how much was right.
    let given = digest(secret, header.as_bytes()).map(|it| it.finalize().into_bytes());
    let right = digest(secret, secret.as_bytes());
    !secret.is_empty() && given.zip(right).is_some_and(|(given, right)| right.verify_slice(&given).is_ok())
}

/// Which branch the body of a push speaks of, as GitHub, Gitea, Forgejo and GitLab write it.
pub fn news(body: &[u8]) -> News {
    #[derive(Deserialize)]
    struct Push {
        r#ref: String,
    }
    let branch = serde_json::from_slice::<Push>(body).ok().and_then(|it| it.r#ref.strip_prefix("refs/heads/").map(str::to_owned));
    branch.filter(|it| !it.is_empty()).map_or(News::Something, News::Branch)
}

fn digest(secret: &str, text: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok().map(|it| it.chain_update(text))
}

/// Bytes from pairs of hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
    digits.filter(|it| it.len() % 2 == 0).map(|it| it.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn a_signature_is_right_or_it_is_not() {
        assert!(is_signed(b"Hello, World!", SIGNED, SECRET), "the example in GitHub's documentation");
        assert!(is_signed(b"Hello, World!", &SIGNED.to_uppercase().replace("SHA256", "sha256"), SECRET));
        for (body, header, secret) in [
            ("Hello, World?", SIGNED, SECRET),
            ("Hello, World!", SIGNED, "another"),
            ("Hello, World!", &SIGNED[..SIGNED.len() - 2], SECRET),
            ("Hello, World!", &SIGNED["sha256=".len()..], SECRET),
            ("Hello, World!", "sha256=", SECRET),
            ("Hello, World!", "sha256=é", SECRET),
            ("Hello, World!", "", SECRET),
        ] {
            assert!(!is_signed(body.as_bytes(), header, secret), "{body} {header} {secret}");
        }
        // Whoever knows that there is no secret could sign with none.
        let with_none: String = digest("", b"x").unwrap().finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
        assert!(!is_signed(b"x", &format!("sha256={with_none}"), ""));
    }

    #[test]
    fn a_token_is_the_secret_or_it_is_not() {
        assert!(is_token(SECRET, SECRET));
        for (header, secret) in [("", SECRET), ("It's a Secret", SECRET), ("", ""), (" ", "")] {
            assert!(!is_token(header, secret), "{header} {secret}");
        }
    }

    #[test]
    fn a_push_names_its_branch_and_everything_else_is_something() {
        let github = r#"{"ref":"refs/heads/main","before":"6113","after":"59b2","repository":{"full_name":"me/pads"}}"#;
        let gitlab = r#"{"object_kind":"push","event_name":"push","ref":"refs/heads/live/eu","checkout_sha":"da15"}"#;
        assert_eq!(news(github.as_bytes()), News::Branch("main".to_owned()));
        assert_eq!(news(gitlab.as_bytes()), News::Branch("live/eu".to_owned()));
        for other in [r#"{"zen":"Keep it logically awesome."}"#, r#"{"ref":"refs/tags/v1"}"#, r#"{"ref":3}"#, "payload=%7B", "", "[]"] {
            assert_eq!(news(other.as_bytes()), News::Something, "{other}");
        }
    }
}
