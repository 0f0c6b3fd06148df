//! Who kills at a system call: `strace`, which stops the traced process there and sends the signal itself.

use super::stage::Stage;
use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
};

/// A system call that is a point of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syscall {
    /// Intents, receipts or the end of a run are written to the journal.
    JournalWrite,
    /// What was written is made durable.
    JournalSync,
    /// The local cloud's truth is replaced: whatever was called has happened.
    Commit,
}

/// On which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As it is made: it does not happen any more.
    Before,
    /// As it returns: it has happened, and the process does nothing more.
    After,
}

/// Whether processes can be traced here.
pub fn is_here() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    traced.is_ok_and(|it| it.success())
}

impl Syscall {
    fn names(self) -> &'static str {
        match self {
            Syscall::JournalWrite => "write",
            Syscall::JournalSync => "fdatasync",
            Syscall::Commit => "rename",
        }
    }

    /// The file that it is about.
    fn path(self, stage: &Stage) -> std::path::PathBuf {
        match self {
            Syscall::JournalWrite | Syscall::JournalSync => stage.journal(),
            Syscall::Commit => stage.shop.path(stage.ground.data).join("cloud.json.tmp"),
        }
    }

    /// Runs a command of the stage undisturbed: how often it makes this call.
    pub fn count(self, stage: &Stage, args: &[&str]) -> usize {
        let log = stage.shop.path("strace.log");
        let ran = self.traced(stage, args, &log, None).output().unwrap();
        assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        std::fs::read_to_string(&log).unwrap().lines().filter(|it| it.contains(&format!(" {}(", self.names()))).count()
    }

    /// Runs a command of the stage until it makes this call for the `number`-th time, counted from 1, and kills it there.
    ///
    /// A process is killed before a call by the signal that nothing can catch. After a call nothing is quicker than a signal
    /// that was sent as the call began: it waits for the call's end, and ends the process before it goes on.
    pub fn kill(self, stage: &Stage, args: &[&str], side: Side, number: usize) -> Result<(), String> {
        let (name, deadly) = match side {
            Side::Before => ("SIGKILL", 9),
            Side::After => ("SIGALRM", 14),
        };
        let rule = format!("inject={}:signal={name}:when={number}", self.names());
        let ran = self.traced(stage, args, Path::new("/dev/null"), Some(&rule)).output().unwrap();
        match ran.status.signal() {
            Some(signal) if signal == deadly => Ok(()),
            _ => Err(format!("it was not killed: {}\n{}", ran.status, String::from_utf8_lossy(&ran.stdout))),
        }
    }

    fn traced(self, stage: &Stage, args: &[&str], log: &Path, rule: Option<&str>) -> Command {
        let command = stage.command(args);
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-o"]).arg(log).arg("-P").arg(self.path(stage));
        traced.args(["-e", &format!("trace={}", self.names())]);
        if let Some(rule) = rule {
            traced.args(["-e", rule]);
        }
        traced.arg(command.get_program()).args(command.get_args()).current_dir(stage.shop.path(""));
        traced.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        traced.stdin(Stdio::null());
        traced
    }
}
