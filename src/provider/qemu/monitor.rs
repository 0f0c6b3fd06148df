//! The talk with a machine: QEMU's own protocol (QMP), one line of JSON a message.

use serde_json::{Value, json};
use std::{fs::File, io, os::fd::AsRawFd, path::Path, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

/// For how long an answer may be waited for. It takes milliseconds, on a busy machine more.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open talk. A machine talks to one at a time.
pub(super) struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    /// Begins the talk with the machine whose files are in `dir`.
    pub(super) async fn open(dir: &Path) -> io::Result<Self> {
        // A socket's path has 107 bytes, and a directory may have more.
        let dir = File::open(dir)?;
        let path = format!("/proc/self/fd/{}/monitor", dir.as_raw_fd());
        let stream = UnixStream::connect(path).await?;
        let mut monitor = Self { stream: BufReader::new(stream) };
        monitor.hear().await?;
        monitor.order("qmp_capabilities").await?;
        Ok(monitor)
    }

    /// Gives an order that has no answer but that it was heard.
    pub(super) async fn order(&mut self, order: &str) -> io::Result<()> {
        self.ask(order).await.map(|_| ())
    }

    /// The word that QEMU has for how its guest is.
    pub(super) async fn status(&mut self) -> io::Result<String> {
        let answer = self.ask("query-status").await?;
        Ok(answer["status"].as_str().unwrap_or_default().to_owned())
    }

    async fn ask(&mut self, order: &str) -> io::Result<Value> {
        let line = format!("{}\n", json!({"execute": order}));
        self.stream.get_mut().write_all(line.as_bytes()).await?;
        loop {
            let message = self.hear().await?;
            // Events come in between.
            if let Some(error) = message.get("error") {
                return Err(io::Error::other(format!("QEMU refuses {order}: {}", error["desc"].as_str().unwrap_or_default())));
            }
            if let Some(answer) = message.get("return") {
                return Ok(answer.clone());
            }
        }
    }

    async fn hear(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        match timeout(PATIENCE, self.stream.read_line(&mut line)).await {
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "QEMU does not answer")),
            Ok(Ok(0)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "QEMU ended")),
            Ok(read) => read.and_then(|_| serde_json::from_str(&line).map_err(io::Error::other)),
        }
    }
}
