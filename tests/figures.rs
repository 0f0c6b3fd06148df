//! What a test did, in figures: told at the end of a test run, where `CLOUDYPAD_FIGURES` names a file to gather them in.

use std::{fs::OpenOptions, io::Write};

/// Tells one figure, such as `crash points tried: 812`.
pub fn tell(what: &str, figure: impl std::fmt::Display) {
    println!("{what}: {figure}");
    let Some(path) = std::env::var_os("CLOUDYPAD_FIGURES") else { return };
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut it| writeln!(it, "{what}: {figure}")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
