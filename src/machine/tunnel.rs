//! A connection to a port of the machine itself, through SSH: the machine's own services answer to nobody else.

use super::{Barred, Way};
use rustix::process::{Pid, Signal, kill_process};
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    process::Child,
    task::JoinHandle,
    time::timeout,
};

/// For how long an `ssh` that has nothing left to do may take to end.
const GRACE: Duration = Duration::from_secs(2);
/// Most that is kept of what `ssh` says, in bytes.
const MOST_SAID: u64 = 64 << 10;

/// The `ssh` that carries a connection.
pub(super) struct Tunnel {
    child: Child,
    said: JoinHandle<String>,
}

/// How a tunnel ended.
pub(super) struct Ended {
    /// The exit code of `ssh`, where it ended by itself.
    pub code: Option<i32>,
    /// What it said.
    pub said: String,
}

impl Tunnel {
    /// Opens one, and gives what goes through it. Whether somebody listens there shows when something is read.
    ///
    /// # Errors
    /// Where there is no `ssh` here.
    pub fn open(way: &Way, port: u16) -> Result<(Self, impl AsyncRead + AsyncWrite + Send + Unpin + 'static), Barred> {
        let mut ssh = way.ssh_with(&["-W", &format!("localhost:{port}")]);
        // A group of its own, so that the terminal's Ctrl-C comes to us alone.
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = ssh.spawn().map_err(|error| super::way::missing("ssh", &error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(Barred::NotYet("ssh has no input and output".to_owned()));
        };
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            // What cannot be read was not said.
            let _ = stderr.take(MOST_SAID).read_to_end(&mut said).await;
            String::from_utf8_lossy(&said).into_owned()
        });
        Ok((Self { child, said }, tokio::io::join(stdout, stdin)))
    }

    /// Ends it, once nobody uses its connection any more: at once, or when `ssh` has said what is wrong.
    pub async fn close(mut self, at_once: bool) -> Ended {
        let mut code = None;
        if !at_once && let Ok(Ok(status)) = timeout(GRACE, self.child.wait()).await {
            code = status.code();
        }
        // Told to end, rather than killed, it ends a jump host's connection too.
        if let Some(pid) = self.child.id().and_then(|it| i32::try_from(it).ok()).and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
            if timeout(GRACE, self.child.wait()).await.is_err() {
                let _ = self.child.kill().await;
            }
        }
        // What it started may keep its output open, and is not waited for.
        let said = timeout(GRACE, self.said).await.ok().and_then(Result::ok).unwrap_or_default();
        Ended { code, said }
    }
}
