//! Which repository, branch and directory a command line names.

use crate::model::is_unseen;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    path::{Component, Path, PathBuf, absolute},
};

/// The branch where none is named.
const BRANCH: &str = "main";
/// What an address of a repository may begin with, and what `git` knows it as.
const SCHEMES: &[(&str, &str)] = &[
    ("git+ssh://", "ssh://"),
    ("git+https://", "https://"),
    ("git+http://", "http://"),
    ("git+file://", "file://"),
    ("ssh://", "ssh://"),
    ("https://", "https://"),
    ("http://", "http://"),
    ("file://", "file://"),
];

/// Where specs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files and directories of this machine.
    Paths(Vec<PathBuf>),
    /// A branch of a Git repository.
    Git(Place),
}

/// A directory in a branch of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As `git` takes it: `ssh://`, `https://`, `file://`, `http://` on the loopback, or the path of a directory.
    pub url: String,
    /// Its name, without `refs/heads/`.
    pub branch: String,
    /// The directory, or the file, within the repository; empty for all of it.
    pub path: String,
}

/// Why words name no source. Nothing in it repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}; {remedy}")]
pub struct Misnamed {
    /// What is wrong.
    pub why: String,
    /// What to write.
    pub remedy: String,
}

fn misnamed<T>(why: impl Into<String>, remedy: &str) -> Result<T, Misnamed> {
    Err(Misnamed { why: why.into(), remedy: remedy.to_owned() })
}

impl Source {
    /// Reads the words of a command line: a repository's address (`git+ssh://…`, `https://…`, `file:///…`, each with
    /// `#directory` if need be), the path of a repository where a branch is named beside it, or else paths.
    ///
    /// # Errors
    /// [`Misnamed`], for what is ambiguous, unsafe or would show a secret.
    pub fn read(words: &[PathBuf], branch: Option<&str>, path: Option<&str>) -> Result<Self, Misnamed> {
        for word in words {
            let text = word.to_string_lossy();
            if text.is_empty() || text.starts_with('-') {
                return misnamed(format!("`{}` is no path", clean(&text)), "write ./ before a name that begins with -");
            }
            if text.contains(is_unseen) {
                return misnamed(format!("`{}` holds characters that nobody sees", clean(&text)), "write it without them");
            }
        }
        let is_address = |word: &PathBuf| word.to_str().is_some_and(|it| it.contains("://") || transport(it).is_some() || is_short(it));
        if !words.iter().any(is_address) && branch.is_none() {
            return match path {
                None => Ok(Source::Paths(words.to_vec())),
                Some(_) => misnamed("--path is for Git repositories", "name a repository, or --branch; or the directory itself"),
            };
        }
        let [word] = words else {
            return misnamed("one Git repository is a source of its own", "name it alone, and each other one to another process");
        };
        let Some(word) = word.to_str() else { return misnamed("the repository's path is not UTF-8", "rename it") };
        Place::read(word, branch, path).map(Source::Git)
    }
}

impl Place {
    fn read(word: &str, branch: Option<&str>, path: Option<&str>) -> Result<Self, Misnamed> {
        let (address, fragment) = match word.split_once('#') {
            Some((address, fragment)) if address.contains("://") => (address, Some(fragment)),
            _ => (word, None),
        };
        if fragment.is_some() && path.is_some() {
            return misnamed("the directory is named twice", "write either #directory or --path");
        }
        let url = match SCHEMES.iter().find(|(written, _)| starts_with(address, written)) {
            Some((written, known)) => url(known, &address[written.len()..])?,
            None if address.contains("://") => {
                let scheme = address.split("://").next().unwrap_or_default();
                return misnamed(format!("`{}://` is no way to a repository here", clean(scheme)), "use git+ssh:// or https://");
            }
            None if transport(address).is_some() => {
                return misnamed("an address with `::` runs a command", "use git+ssh://, https:// or a path");
            }
            None if is_short(address) => {
                return misnamed("an address like `user@host:path` could be a path", "write git+ssh://user@host/path");
            }
            None => address.to_owned(),
        };
        Ok(Self { url, branch: branch_name(branch.unwrap_or(BRANCH))?, path: inner_path(fragment.or(path).unwrap_or_default())? })
    }

    /// What the objects of this source's instances are tagged with (`by:`): a digest of repository, branch and directory, which
    /// every cloud's tags can hold. However the same repository is written (over SSH or HTTPS, with `.git` or without), it
    /// is the same.
    pub fn owner(&self) -> String {
        let mut sum = Sha256::new();
        for part in [&self.normal_url(), &self.branch, &self.path] {
            sum.update(part.as_bytes());
            sum.update([0]);
        }
        sum.finalize()[..8].iter().fold("git-".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn normal_url(&self) -> String {
        let remote = |rest: &str, port: &str| {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |it| it.1).to_ascii_lowercase();
            let host = host.strip_suffix(port).unwrap_or(&host).to_owned();
            let path = path.trim_matches('/');
            format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
        };
        match self.url.split_once("://") {
            Some(("ssh", rest)) => remote(rest, ":22"),
            Some(("https", rest)) => remote(rest, ":443"),
            Some(("http", rest)) => remote(rest, ":80"),
            Some((_, path)) => format!("file:{}", path.trim_end_matches('/')),
            // Links are not followed: the name must not change when the repository is away.
            None => {
                let path = absolute(&self.url).unwrap_or_else(|_| PathBuf::from(&self.url));
                let plain: PathBuf = path.components().filter(|it| *it != Component::CurDir).collect();
                format!("file:{}", plain.display())
            }
        }
    }

    /// The one transport that `git` may use for it, by the name that `git` has for it.
    pub(super) fn transport(&self) -> &str {
        self.url.split_once("://").map_or("file", |it| it.0)
    }

    /// Scheme, host and port, for what is bound to a server.
    pub(super) fn origin(&self) -> Option<String> {
        let (scheme, rest) = self.url.split_once("://")?;
        ["http", "https"].contains(&scheme).then(|| format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()))
    }
}

fn starts_with(text: &str, head: &str) -> bool {
    text.get(..head.len()).is_some_and(|it| it.eq_ignore_ascii_case(head))
}

fn clean(text: &str) -> String {
    text.chars().take(80).map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// `ext` of `ext::…`.
fn transport(text: &str) -> Option<&str> {
    let (head, _) = text.split_once("::")?;
    (!head.contains('/')).then_some(head)
}

/// Whether it is written like `git@host:path`.
fn is_short(text: &str) -> bool {
    text.split_once(':').is_some_and(|(head, _)| head.contains('@') && !head.contains('/'))
}

fn url(scheme: &str, rest: &str) -> Result<String, Misnamed> {
    const ALONE: &str = "leave it out: arguments can be seen by everybody on this machine. Use Git's credential helper, or \
                         CLOUDYPAD_GIT_USER and CLOUDYPAD_GIT_TOKEN";
    if rest.contains(char::is_whitespace) || rest.contains(['\\', '"', '\'', '<', '>', '`']) {
        return misnamed("the address holds a character that addresses do not have", "write it as %20 and the like");
    }
    if scheme == "file://" {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        return if path.len() > 1 && path.starts_with('/') {
            Ok(format!("file://{path}"))
        } else {
            misnamed("a file:// address names no directory of this machine", "write file:/// and the path")
        };
    }
    if rest.contains('?') {
        return misnamed("the address has a query, where secrets are", ALONE);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if path.trim_matches('/').is_empty() {
        return misnamed("the address names no repository", "write the host, / and the repository's path");
    }
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    match user {
        Some(user) if user.contains(':') => return misnamed("the address holds a password", ALONE),
        Some(_) if scheme != "ssh://" => return misnamed("the address holds a user name or a token", ALONE),
        Some(user) if user.is_empty() || !is_plain(user) => return misnamed("that is no user name", "write git+ssh://user@host/path"),
        _ => {}
    }
    let (name, port) = match host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((inner, port)) if inner.parse::<std::net::Ipv6Addr>().is_ok() => {
            (inner, port.strip_prefix(':').or(port.is_empty().then_some("0")))
        }
        Some(_) => ("", None),
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    let is_host = host.starts_with('[') || is_plain(name);
    if name.is_empty() || !is_host || port.and_then(|it| it.parse::<u16>().ok()).is_none() {
        return misnamed("the address names no host", "write git+ssh://user@host/path or https://host/path");
    }
    let loopback = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    if scheme == "http://" && !loopback {
        return misnamed("http:// can be read and changed on its way", "use https://");
    }
    Ok(format!("{scheme}{}{}/{path}", user.map(|it| format!("{it}@")).unwrap_or_default(), host.to_ascii_lowercase()))
}

/// A name that no program takes for an option.
fn is_plain(text: &str) -> bool {
    !text.starts_with('-') && !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

/// A branch's name as Git allows it.
fn branch_name(name: &str) -> Result<String, Misnamed> {
    let name = name.strip_prefix("refs/heads/").unwrap_or(name);
    let strange = |c: char| c.is_whitespace() || is_unseen(c) || "~^:?*[\\".contains(c);
    let part = |it: &str| it.is_empty() || it.starts_with('.') || it.ends_with(".lock") || it.ends_with('.');
    if name.starts_with('-') || name.contains(strange) || name.contains("..") || name.contains("@{") || name.split('/').any(part) {
        return misnamed(format!("`{}` is no branch", clean(name)), "write its name, like main");
    }
    Ok(name.to_owned())
}

/// A path within a repository, without its dots.
fn inner_path(path: &str) -> Result<String, Misnamed> {
    let parts: Option<Vec<&str>> = Path::new(path)
        .components()
        .filter(|it| *it != Component::CurDir)
        .map(|it| if let Component::Normal(name) = it { name.to_str() } else { None })
        .collect();
    match parts {
        Some(parts) if !path.contains(is_unseen) => Ok(parts.join("/")),
        _ => misnamed(format!("`{}` is no directory within a repository", clean(path)), "write one like specs/home"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str, branch: Option<&str>, path: Option<&str>) -> Result<Source, Misnamed> {
        Source::read(&[PathBuf::from(word)], branch, path)
    }

    fn place(word: &str) -> Place {
        match read(word, None, None) {
            Ok(Source::Git(place)) => place,
            other => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn an_address_is_a_repository_and_a_path_is_one_beside_a_branch() {
        for (word, url) in [
            ("git+ssh://git@example.com/me/pads.git", "ssh://git@example.com/me/pads.git"),
            ("ssh://example.com:2222/~/pads", "ssh://example.com:2222/~/pads"),
            ("https://example.com/me/pads.git", "https://example.com/me/pads.git"),
            ("git+https://EXAMPLE.com/me/pads", "https://example.com/me/pads"),
            ("http://127.0.0.1:8080/pads", "http://127.0.0.1:8080/pads"),
            ("http://[::1]:8080/pads", "http://[::1]:8080/pads"),
            ("file:///srv/pads", "file:///srv/pads"),
        ] {
            assert_eq!(place(word), Place { url: url.to_owned(), branch: "main".to_owned(), path: String::new() });
        }
        assert_eq!(place("https://example.com/pads#./specs//home/").path, "specs/home");
        let beside = read("./pads", Some("refs/heads/live"), Some("specs")).unwrap();
        assert_eq!(beside, Source::Git(Place { url: "./pads".to_owned(), branch: "live".to_owned(), path: "specs".to_owned() }));
        assert_eq!(read("./pads", None, None).unwrap(), Source::Paths(vec!["./pads".into()]));
        let several = ["a.yaml", "specs"].map(PathBuf::from);
        assert_eq!(Source::read(&several, None, None).unwrap(), Source::Paths(several.to_vec()));
    }

    #[test]
    fn what_is_unsafe_ambiguous_or_secret_is_refused() {
        for (word, why) in [
            ("https://me:hunter2@example.com/pads", "holds a password"),
            ("https://ghp_hunter2@example.com/pads", "user name or a token"),
            ("ssh://me:hunter2@example.com/pads", "holds a password"),
            ("https://example.com/pads?access_token=hunter2", "query"),
            ("ext::sh -c hunter2", "runs a command"),
            ("fd::7", "runs a command"),
            ("git://example.com/pads", "`git://` is no way"),
            ("ftp://example.com/pads", "`ftp://` is no way"),
            ("http://example.com/pads", "read and changed on its way"),
            ("git@example.com:me/pads.git", "could be a path"),
            ("ssh://-oProxyCommand=x/pads", "names no host"),
            ("ssh://-l@example.com/pads", "no user name"),
            ("https:///pads", "names no host"),
            ("https://example.com:99999/pads", "names no host"),
            ("https://example.com/", "names no repository"),
            ("file://elsewhere/pads", "names no directory"),
            ("https://example.com/a b", "a character that addresses"),
            ("--upload-pack=x", "is no path"),
            ("https://example.com/\u{1b}[2J", "nobody sees"),
            ("https://example.com/pads#../..", "no directory within"),
        ] {
            let refused = read(word, None, None).unwrap_err().to_string();
            assert!(refused.contains(why), "{word}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        for branch in ["-x", "a..b", "a b", "a:b", "", "a/", "x.lock", "a@{1}", ".a"] {
            assert!(read("./pads", Some(branch), None).is_err(), "{branch}");
        }
        assert!(read("./pads", None, Some("specs")).is_err());
        assert!(Source::read(&["https://example.com/a".into(), "b.yaml".into()], None, None).is_err());
    }

    #[test]
    fn one_place_has_one_owner_however_it_is_written() {
        let same = ["https://example.com/me/pads", "git+ssh://git@Example.com/me/pads.git", "https://example.com:443/me/pads/"];
        let owners = same.map(|it| place(it).owner());
        assert_eq!(owners[0], owners[1]);
        assert_eq!(owners[0], owners[2]);
        assert_eq!(owners[0], crate::model::tag_value("by", &owners[0]), "a tag takes it as it is");
        for other in ["https://example.com/me/pads#specs", "https://example.com/me/pads2", "https://example.com:8443/me/pads"] {
            assert_ne!(place(other).owner(), owners[0]);
        }
        let path = |word: &str, branch: &str| match read(word, Some(branch), None) {
            Ok(Source::Git(place)) => place.owner(),
            other => panic!("{other:?}"),
        };
        assert_eq!(path("./pads", "main"), path("pads/", "main"));
        assert_ne!(path("pads", "main"), path("pads", "live"));
    }
}
