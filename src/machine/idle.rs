//! The guest's own word that nobody uses it, as the program `cloudypad-idle` says it (`examples/gaming`).

use super::{Barred, Inside, Reach, output::Lines};
use serde::Deserialize;
use std::process::Stdio;

/// Where a recipe installs it; a shell that nobody logs in to may not look there by itself.
const PROGRAM: &str = "PATH=\"$PATH:/usr/local/sbin\" cloudypad-idle";

/// That nobody uses a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdleWord {
    /// What it is taken up by.
    pub word: String,
    /// Why it was said, for people.
    #[serde(default)]
    pub reason: String,
}

/// A line of `cloudypad-idle tell`: a word, or none.
fn word_in(line: &str) -> Option<IdleWord> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    let word: IdleWord = said["idle"].as_bool()?.then(|| serde_json::from_value(said).ok())??;
    // It comes from the guest, and goes back through a shell.
    (!word.word.is_empty() && word.word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).then_some(word)
}

impl Inside {
    /// Listens until the guest says that nobody uses it, and takes that up: from then on the guest leaves it to us to end
    /// what is paid for, for a quarter of an hour. The word `spent` was acted on before, and is none.
    ///
    /// # Errors
    /// [`Barred`], where nobody lets us in, or what is there does not say; that may be otherwise later.
    pub async fn await_idleness(&self, reach: &Reach, spent: Option<&str>) -> Result<IdleWord, Barred> {
        let way = self.known_way(reach).await?;
        let not_yet = |why: &str| Barred::NotYet(why.to_owned());
        let mut ssh = way.ssh();
        ssh.arg(format!("{PROGRAM} tell --follow")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = ssh.spawn().map_err(|error| not_yet(&error.to_string()))?;
        let Some(out) = child.stdout.take() else { return Err(not_yet("it has no output")) };
        let mut lines = Lines::of(out);
        while !lines.ended {
            let Some(word) = lines.next().await.as_deref().and_then(word_in).filter(|it| Some(it.word.as_str()) != spent) else { continue };
            let mut heard = way.ssh();
            heard.arg(format!("{PROGRAM} heard {}", word.word)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // A word that was taken back meanwhile is none.
            if heard.status().await.is_ok_and(|it| it.success()) {
                return Ok(word);
            }
        }
        Err(not_yet("the machine does not say whether anybody uses it"))
    }
}

#[cfg(test)]
mod tests {
    use super::word_in;

    #[test]
    fn only_a_word_is_a_word() {
        let said = r#"{"idle": true, "word": "7cbf", "since": "2026-11-23T18:03:12+00:00", "reason": "no stream"}"#;
        assert_eq!(word_in(said).map(|it| (it.word, it.reason)), Some(("7cbf".to_owned(), "no stream".to_owned())));
        for other in [
            "",
            "{",
            r#"{"idle": false, "busy": null, "watched": false}"#,
            r#"{"idle": true}"#,
            r#"{"idle": true, "word": ""}"#,
            r#"{"idle": true, "word": "x; poweroff"}"#,
            r#"{"idle": "true", "word": "7cbf"}"#,
        ] {
            assert_eq!(word_in(other), None, "{other}");
        }
    }
}
