//! Who may come in, and who may order something.
//!
//! Without a token everybody at this machine may look, and nobody may order. A page of somebody else's in a browser here is
//! kept out by names: it can have its own name lead to this machine, but not have the browser say another one. With a token,
//! it alone opens; a form also says from where it was sent.

use hyper::{HeaderMap, Uri, header};
use sha2::{Digest, Sha256};

/// The shortest token that is taken: a shorter one could be guessed.
const SHORTEST: usize = 16;
/// The cookie that a browser shows after it told the token.
const COOKIE: &str = "cloudypad-session";

/// The secret that opens the door. It is kept, and compared, as a digest.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
    /// What the cookie holds: from it the token cannot be told.
    session: String,
}

/// A token that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is shorter than {SHORTEST} characters, and could be guessed; openssl rand -hex 16 makes one")]
pub struct WeakToken;

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Takes a token, without the space around it.
    ///
    /// # Errors
    /// [`WeakToken`].
    pub fn new(text: &str) -> Result<Self, WeakToken> {
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(WeakToken);
        }
        let session = Sha256::digest(format!("cloudypad session\n{text}"));
        let session = session.iter().map(|it| format!("{it:02x}")).collect();
        Ok(Self { digest: Sha256::digest(text).into(), session })
    }

    /// Whether it is this one. How long that takes tells nothing about it.
    pub(super) fn is(&self, offered: &str) -> bool {
        same(&self.digest, &Sha256::digest(offered.trim()))
    }

    /// The header that has a browser keep the session: only for us, never shown to scripts.
    pub(super) fn cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", self.session)
    }
}

/// Compares every byte, wherever the first difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

/// What somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nothing, or something wrong.
    None,
    /// A browser's cookie: what it sends may be somebody else's idea.
    Cookie,
    /// The token itself.
    Token,
}

pub(super) fn pass(headers: &HeaderMap, token: &Token) -> Pass {
    let bearer = text(headers, header::AUTHORIZATION).and_then(|it| it.split_once(' '));
    if bearer.is_some_and(|(scheme, offered)| scheme.eq_ignore_ascii_case("bearer") && token.is(offered)) {
        return Pass::Token;
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(';'));
    let mut sessions = cookies.filter_map(|it| it.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    if sessions.any(|it| same(it.as_bytes(), token.session.as_bytes())) { Pass::Cookie } else { Pass::None }
}

/// Whether the name by which we were called is one of this machine's own.
pub(super) fn is_called_by_own_name(uri: &Uri, headers: &HeaderMap) -> bool {
    let is_own = |authority: &str| {
        let host = match authority.strip_prefix('[').and_then(|it| it.split_once(']')) {
            Some((host, _)) => host,
            None => authority.rsplit_once(':').map_or(authority, |it| it.0),
        };
        let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
        is_loopback || host.eq_ignore_ascii_case("localhost")
    };
    let named = uri.authority().map(|it| it.as_str());
    text(headers, header::HOST).is_some_and(is_own) && named.is_none_or(is_own)
}

/// Whether a browser says that a page of ours sent this.
pub(super) fn is_sent_by_own_page(headers: &HeaderMap) -> bool {
    let (origin, host) = (text(headers, header::ORIGIN), text(headers, header::HOST));
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| host == Some(authority));
    origin.is_some_and(is_own) && text(headers, "sec-fetch-site").is_none_or(|it| it == "same-origin")
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_token_and_its_cookie_open_and_nothing_else_does() {
        let token = Token::new(" correct horse battery \n").unwrap();
        let cookie = token.cookie().split(';').next().unwrap().to_owned();
        assert_eq!(pass(&headers(&[("authorization", "Bearer correct horse battery")]), &token), Pass::Token);
        assert_eq!(pass(&headers(&[("cookie", &format!("a=b; {cookie}"))]), &token), Pass::Cookie);
        for wrong in ["Bearer correct horse batter", "Bearer ", "Basic correct horse battery", "correct horse battery"] {
            assert_eq!(pass(&headers(&[("authorization", wrong)]), &token), Pass::None, "{wrong}");
        }
        assert_eq!(pass(&headers(&[("cookie", &cookie[..cookie.len() - 1])]), &token), Pass::None);
        assert_eq!(pass(&headers(&[("cookie", "cloudypad-session=")]), &token), Pass::None);
        assert_eq!(Token::new("short").unwrap_err(), WeakToken);
        assert!(!format!("{token:?} {}", token.cookie()).contains("horse"));
    }

    #[test]
    fn only_this_machines_own_names_are_answered() {
        let called = |host: &str| is_called_by_own_name(&Uri::from_static("/"), &headers(&[("host", host)]));
        for own in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"] {
            assert!(called(own), "{own}");
        }
        for other in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "192.168.0.1", "0.0.0.0", ""] {
            assert!(!called(other), "{other}");
        }
        assert!(!is_called_by_own_name(&Uri::from_static("/"), &HeaderMap::new()));
        assert!(!is_called_by_own_name(&Uri::from_static("http://evil.example/"), &headers(&[("host", "localhost")])));
    }

    #[test]
    fn a_form_says_from_where_it_was_sent() {
        let sent = |pairs: &[(&'static str, &str)]| is_sent_by_own_page(&headers(pairs));
        assert!(sent(&[("host", "localhost:1"), ("origin", "http://localhost:1")]));
        assert!(sent(&[("host", "pads.example"), ("origin", "https://pads.example"), ("sec-fetch-site", "same-origin")]));
        assert!(!sent(&[("host", "localhost:1")]));
        assert!(!sent(&[("host", "localhost:1"), ("origin", "null")]));
        assert!(!sent(&[("host", "localhost:1"), ("origin", "http://localhost:2")]));
        assert!(!sent(&[("host", "localhost:1"), ("origin", "http://localhost:1"), ("sec-fetch-site", "cross-site")]));
    }
}
