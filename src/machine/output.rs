//! What a program writes, as it writes it, and what Ansible's own words say of how far it came.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest line that is told, in bytes; what is longer is told in parts.
const LONGEST_LINE: usize = 1 << 16;

/// The last line that says something.
pub(super) fn keep(last: &mut String, line: &str) {
    if !line.trim().is_empty() {
        line.trim().clone_into(last);
    }
}

/// What Ansible's own output says of how far it came.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The task under way, and the last that failed.
    under_way: String,
    pub task: String,
    /// What the task that failed said.
    pub answer: String,
    /// An object of JSON over several lines, as far as it was read: where more is said, Ansible writes it so.
    unfinished: Option<String>,
    pub last: String,
    pub failed: bool,
    pub unreachable: bool,
}

impl Course {
    pub fn read(&mut self, line: &str) {
        keep(&mut self.last, line);
        // What its playbook passes over did not end it.
        if line.starts_with("...ignoring") {
            (self.failed, self.unreachable) = (false, false);
        }
        let head = ["TASK [", "RUNNING HANDLER ["].iter().find_map(|it| line.strip_prefix(it));
        if let Some(name) = head.and_then(|it| it.rsplit_once(']')) {
            name.0.clone_into(&mut self.under_way);
        } else if line.starts_with("fatal: ") || line.starts_with("failed: ") {
            self.unreachable = line.contains("]: UNREACHABLE! =>");
            self.failed = !self.unreachable;
            self.task.clone_from(&self.under_way);
            let said = line.split_once("=> ").map_or(line, |it| it.1);
            self.unfinished = (said == "{").then(|| said.to_owned());
            self.answer = message(said).unwrap_or_else(|| said.to_owned());
        } else if let Some(mut said) = self.unfinished.take() {
            said.push_str(line);
            match message(&said) {
                Some(message) => self.answer = message,
                None if line.starts_with([' ', '\t']) => self.unfinished = Some(said),
                None => {}
            }
        }
    }
}

/// What an object of JSON that Ansible writes has to say.
fn message(said: &str) -> Option<String> {
    serde_json::from_str::<Value>(said).ok()?.get("msg")?.as_str().map(str::to_owned)
}

/// The lines that a program writes, as it writes them.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
    pub ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn of(from: R) -> Self {
        Self { from: BufReader::new(from), line: Vec::new(), ended: false }
    }

    /// The next line, without its end. It may be dropped half-way and asked again.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let Ok(bytes) = self.from.fill_buf().await else {
                self.ended = true;
                return None;
            };
            if bytes.is_empty() {
                self.ended = true;
                return (!self.line.is_empty()).then(|| self.take());
            }
            let end = bytes.iter().position(|it| *it == b'\n');
            let length = end.map_or(bytes.len(), |it| it + 1);
            self.line.extend_from_slice(&bytes[..length]);
            self.from.consume(length);
            if end.is_some() || self.line.len() > LONGEST_LINE {
                return Some(self.take());
            }
        }
    }

    fn take(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.line).trim_end_matches(['\n', '\r']).to_owned();
        self.line.clear();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Course;

    #[test]
    fn a_failure_is_told_in_its_own_words_however_much_is_said() {
        let lines = |text: &str| {
            text.lines().fold(Course::default(), |mut course, line| {
                course.read(line);
                course
            })
        };
        let brief = lines("TASK [install] ***\nfatal: [pad]: FAILED! => {\"msg\": \"no such package\"}\n");
        let long = lines(
            "TASK [install] ***\nfatal: [pad]: FAILED! => {\n    \"changed\": false,\n    \"msg\": \"no such package\"\n}\n\nPLAY RECAP\n",
        );
        for course in [brief, long] {
            assert_eq!((course.task.as_str(), course.answer.as_str(), course.failed), ("install", "no such package", true));
        }
        assert_eq!(lines("fatal: [pad]: FAILED! => {\nPLAY RECAP\n").answer, "{");
    }
}
