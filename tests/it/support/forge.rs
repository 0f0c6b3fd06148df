//! A forge: real Git repositories, by path, and over HTTP with Git's own server behind it.

use super::shop::{Shop, pad};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

/// Whether `git` is here, with its HTTP server; says what is skipped where it is not.
pub fn has_git() -> bool {
    let path = Command::new("git").arg("--exec-path").output().map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    let there = path.is_ok_and(|it| Path::new(&it).join("git-http-backend").exists());
    if !there {
        println!("skipped: no git");
    }
    there
}

/// A repository that people push to, and the clone in which they work.
pub struct Forge {
    pub shop: Shop,
}

impl Forge {
    /// With one spec in `specs/`, pushed to `main`.
    pub fn new() -> Self {
        let forge = Self::unborn();
        forge.commit("specs/mypad.yaml", Some(&pad("present", "")), "mypad begins");
        forge
    }

    /// Nobody has committed anything yet.
    pub fn unborn() -> Self {
        let shop = Shop::new();
        let forge = Self { shop };
        for arguments in [&["init", "-q", "--bare", "-b", "main", "pads.git"][..], &["clone", "-q", "pads.git", "work"]] {
            forge.git_in(&forge.shop.path(""), arguments);
        }
        forge
    }

    /// The repository that people push to.
    pub fn bare(&self) -> PathBuf {
        self.shop.path("pads.git")
    }

    /// Runs `git` in the clone.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.shop.path("work"), arguments)
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
            git.env(format!("GIT_{who}_DATE"), "2026-03-01T12:00:00Z");
        }
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Writes a file, or removes it, commits it and pushes. Gives the commit.
    pub fn commit(&self, file: &str, text: Option<&str>, message: &str) -> String {
        match text {
            Some(text) => self.shop.write(&format!("work/{file}"), text),
            None => std::fs::remove_file(self.shop.path(&format!("work/{file}"))).unwrap(),
        }
        self.commit_all(message)
    }

    /// Commits whatever is in the clone, and pushes.
    pub fn commit_all(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.push()
    }

    /// Pushes, by force where need be. Gives the commit.
    pub fn push(&self) -> String {
        self.git(&["push", "-q", "--force", "origin", "HEAD:main"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// How a server answers.
#[derive(Clone, Copy)]
pub enum Way {
    /// As Git's own server does.
    Open,
    /// So, for those who have this user and password.
    Locked(&'static str),
    /// It takes connections, and says nothing.
    Silent,
    /// It never ends what it says.
    Endless,
}

/// Serves the repositories below a directory until the test ends; gives where.
pub fn serve(root: &Path, way: Way) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let root = root.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let root = root.clone();
            // Who asks may go away at any time, which is not the server's trouble.
            thread::spawn(move || answer(&stream, &root, way));
        }
    });
    address
}

fn answer(stream: &TcpStream, root: &Path, way: Way) -> std::io::Result<()> {
    let mut from = BufReader::new(stream);
    let mut to = stream;
    let mut line = String::new();
    from.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let header = |name: &str| headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap_or_default();
    match way {
        Way::Silent => {
            // Until the other side has enough of it.
            from.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
        Way::Endless => {
            to.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nConnection: close\r\n\r\n")?;
            to.write_all(b"001e# service=git-upload-pack\n0000")?;
            for number in 0_u64.. {
                to.write_all(format!("0043{number:040x} refs/heads/b{number:012}\n").as_bytes())?;
            }
            return Ok(());
        }
        Way::Locked(basic) if header("authorization") != format!("Basic {basic}") => {
            let said =
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"pads\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return to.write_all(said);
        }
        Way::Open | Way::Locked(_) => {}
    }
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    from.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut cgi = Command::new("git");
    cgi.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("PATH_INFO", path);
    cgi.env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("CONTENT_TYPE", header("content-type"));
    cgi.env("CONTENT_LENGTH", body.len().to_string()).env("HTTP_CONTENT_ENCODING", header("content-encoding"));
    cgi.env("GIT_PROTOCOL", header("git-protocol"));
    let mut child = cgi.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    child.stdin.take().unwrap().write_all(&body)?;
    let output = child.wait_with_output()?.stdout;
    let status = output
        .strip_prefix(b"Status: ")
        .map_or("200 OK".into(), |it| String::from_utf8_lossy(it.split(|c| *c == b'\r').next().unwrap_or_default()).into_owned());
    to.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n").as_bytes())?;
    to.write_all(&output)
}
