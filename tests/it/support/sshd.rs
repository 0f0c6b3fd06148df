//! A real SSH server, which plays a machine's.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running server on the loopback; it ends when it is dropped.
pub struct SshServer {
    child: Child,
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl SshServer {
    /// A port that is free now; whoever takes it before a server does fails the test loudly.
    pub fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    /// Starts one that shows this host key and lets in whoever has the key of `owner`, a private key's file. Its own files
    /// are put into `dir`.
    pub fn open(dir: &Path, port: u16, host_key: &Path, owner: &Path) -> Self {
        Self::open_with(dir, port, host_key, owner, "")
    }

    /// One with more settings.
    pub fn open_with(dir: &Path, port: u16, host_key: &Path, owner: &Path, more: &str) -> Self {
        let public = dir.join("let-in.pub");
        let made = Command::new("ssh-keygen").arg("-y").arg("-f").arg(owner).output().unwrap();
        fs::write(&public, made.stdout).unwrap();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\nSetEnv TMPDIR={} PATH={}/guest/bin:{}\n{more}",
            host_key.display(),
            public.display(),
            // Machines share no files with one another, and what is installed on one is on it alone.
            dir.display(),
            dir.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let file = dir.join("sshd_config");
        fs::write(&file, config).unwrap();
        // As root the server wants this directory, which a package's start-up script makes.
        let _ = fs::create_dir_all("/run/sshd");
        let mut child =
            Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(file).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Server listening on") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the SSH server ended: {:?}", child.wait());
        }
        // Whatever else it says is read, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child }
    }
}

/// Whether both ends of SSH are here; says what is skipped where they are not.
pub fn has_ssh() -> bool {
    let there = Path::new("/usr/sbin/sshd").exists() && Command::new("ssh").arg("-V").stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: no OpenSSH client and server");
    }
    there
}

/// The login name of whoever runs the tests, who is let in.
pub fn own_user() -> String {
    let user = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(user.stdout).unwrap().trim().to_owned()
}
