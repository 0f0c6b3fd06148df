//! The `cloudypad` program: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cloudypad::cli::main()
}
