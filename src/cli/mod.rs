//! Floor 4, the door: arguments in, text and an exit code out.

mod account;
mod apply;
mod approve;
mod args;
mod chronicle;
mod describe;
mod emulator;
mod follow;
mod get;
mod hands;
mod history;
mod inside;
mod notify;
mod pair;
mod plan;
mod prompt;
mod ready;
mod set;
mod ssh;
mod stop;
mod target;
mod validate;
mod watch;

use crate::report::{LogLine, LogObject, gate, json_line, plain};
use args::{Args, Command, LogFormat};
use clap::Parser;
use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

/// How a command ends. The numbers are the program's exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed; what was said tells what to do.
    Failed = 1,
    /// `plan --detailed-exitcode`: changes are pending.
    Pending = 2,
    /// Held, or a server runs that nobody can play on: the owner is needed.
    Held = 3,
    /// Interrupted, everything in flight settled; the same command goes on.
    Interrupted = 130,
}

/// A command that failed, with a sentence for people that says what to do next. It may have several
/// lines. It is no error type itself, so that every error can become one.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, line) in self.0.split('\n').enumerate() {
            let end_of_last = if number == 0 { "" } else { "\n" };
            write!(f, "{end_of_last}{}", plain(line))?;
        }
        Ok(())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.to_string())
    }
}

pub(crate) type Outcome = Result<Exit, Failure>;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and the version come as errors as well, that go to standard output.
            let exit = if error.use_stderr() { Exit::Failed } else { Exit::Done };
            let _ = error.print();
            return ExitCode::from(exit as u8);
        }
    };
    start_log(args.verbose, args.log_format);
    let outcome = match args.command {
        Command::Validate(it) => validate::validate(&it),
        Command::Schema => validate::print_schema(),
        Command::Plan(it) => in_runtime(plan::plan(it)),
        Command::Apply(it) => in_runtime(apply::apply(it)),
        Command::Delete(it) => in_runtime(apply::delete(it)),
        Command::Adopt(it) => in_runtime(apply::adopt(it)),
        Command::Wake(it) => in_runtime(apply::wake(it)),
        Command::Approve(it) => approve::approve(&it),
        Command::Watch(it) => in_runtime(watch::watch(it)),
        Command::Get(it) => in_runtime(get::get(it)),
        Command::Describe(it) => in_runtime(describe::describe(it)),
        Command::History(it) => in_runtime(history::history(it)),
        Command::Ssh(it) => in_runtime(ssh::ssh(it)),
        Command::Pair(it) => in_runtime(pair::pair(it)),
        Command::Set(it) => in_runtime(set::set(it)),
        Command::Emulator(it) => in_runtime(emulator::serve(it)),
    };
    let exit = outcome.unwrap_or_else(|failure| {
        complain(&format!("error: {failure}"));
        Exit::Failed
    });
    let exit = if OUTPUT_LOST.load(Ordering::Relaxed) { Exit::Failed } else { exit };
    ExitCode::from(exit as u8)
}

fn in_runtime(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(command)
}

/// `-v` shows what is done, `-vv` also what is thought; `CLOUDYPAD_LOG` filters as tracing does.
fn start_log(verbose: u8, format: LogFormat) {
    let filter = match std::env::var("CLOUDYPAD_LOG") {
        Ok(filter) => filter,
        Err(_) if verbose == 0 => return,
        Err(_) if verbose == 1 => "cloudypad=info".to_owned(),
        Err(_) => "cloudypad=debug".to_owned(),
    };
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Text => log.with_writer(LogLine::default).with_ansi(console::colors_enabled_stderr()).init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).with_writer(LogObject::default).init(),
    }
}

/// Nothing more is printed: nobody reads, or nothing can be written.
static OUTPUT_ENDED: AtomicBool = AtomicBool::new(false);
/// Something that somebody wanted to read could not be written: the program fails at its end.
static OUTPUT_LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. A reader that went away, like `head`, ends the output and nothing else.
pub(crate) fn print(text: &str) {
    if OUTPUT_ENDED.load(Ordering::Relaxed) {
        return;
    }
    let mut out = std::io::stdout().lock();
    let Err(error) = out.write_all(gate(text).as_bytes()).and_then(|()| out.flush()) else { return };
    OUTPUT_ENDED.store(true, Ordering::Relaxed);
    if error.kind() != ErrorKind::BrokenPipe {
        OUTPUT_LOST.store(true, Ordering::Relaxed);
        complain(&format!("error: cannot write to standard output: {error}; what is under way goes on"));
    }
}

/// Whether somebody reads what is printed, as far as was seen.
pub(crate) fn is_read() -> bool {
    !OUTPUT_ENDED.load(Ordering::Relaxed)
}

/// Writes an object to standard output, on a line of its own.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    match json_line(value) {
        Ok(line) => print(&format!("{line}\n")),
        Err(error) => {
            OUTPUT_LOST.store(true, Ordering::Relaxed);
            complain(&format!("error: cannot write it as JSON: {error}"));
        }
    }
}

/// Writes a line to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", gate(text));
}
