//! Questions, asked only of a terminal.

use super::{Failure, complain};
use crate::report::gate;
use std::io::{BufRead, IsTerminal, Write};

/// Asks for `yes`; nothing else is taken as one.
///
/// # Errors
/// Where there is nobody to ask; `otherwise` says what to add instead.
pub(crate) fn confirm(question: &str, otherwise: &str) -> Result<bool, Failure> {
    Ok(ask(&format!("{question} Type yes to go on: "), otherwise)?.eq_ignore_ascii_case("yes"))
}

/// Asks for a word to be typed as it is.
///
/// # Errors
/// Where there is nobody to ask; `otherwise` says what to add instead.
pub(crate) fn confirm_word(question: &str, word: &str, otherwise: &str) -> Result<bool, Failure> {
    Ok(ask(question, otherwise)? == word)
}

/// Asks for a word.
///
/// # Errors
/// Where there is nobody to ask; `otherwise` says what to add instead.
pub(crate) fn word(question: &str, otherwise: &str) -> Result<String, Failure> {
    ask(question, otherwise)
}

fn ask(question: &str, otherwise: &str) -> Result<String, Failure> {
    // Whoever cannot see the plan is not asked about it.
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(format!("there is no terminal to ask on, and nothing was changed; {otherwise}")));
    }
    let mut out = std::io::stderr();
    write!(out, "{}", gate(question))?;
    out.flush()?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer)? == 0 {
        complain("");
    }
    Ok(answer.trim().to_owned())
}
