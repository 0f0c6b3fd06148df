//! News to a command: on its standard input, for a bounded time.

use super::news::News;
use std::{process::Stdio, time::Duration};
use tokio::{io::AsyncWriteExt, time::timeout};

/// The longest that a command may take.
const LONGEST: Duration = Duration::from_secs(30);

/// A command, as a shell takes it.
pub(super) struct Command {
    pub line: String,
    /// Variables of the environment that it does not get.
    pub withheld: Vec<String>,
}

impl Command {
    /// Runs it, with news to read.
    pub async fn carry(&self, news: &News) -> Result<(), String> {
        match timeout(LONGEST, self.run(news)).await {
            Ok(ran) => ran,
            // Dropped, and so killed.
            Err(_) => Err(format!("it took more than {} s and was ended", LONGEST.as_secs())),
        }
    }

    async fn run(&self, news: &News) -> Result<(), String> {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", &self.line]).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("CLOUDYPAD_NOTICE", news.what);
        for variable in &self.withheld {
            command.env_remove(variable);
        }
        let mut child = command.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            let line = [news.body.as_slice(), b"\n"].concat();
            // Whoever does not read it need not.
            let _ = input.write_all(&line).await;
        }
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) }
    }
}
