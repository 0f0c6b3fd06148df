//! `set`: change one value in a spec file, and nothing else of it.

use super::{
    Exit, Failure, Outcome, apply,
    args::{Apply, Output, Owner, Set, Targets},
    complain, print,
};
use crate::{read, report::plain};
use similar::{ChangeTag, TextDiff};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Replaces the bytes of the named values; shows the difference; applies the file where asked.
pub(crate) async fn set(args: Set) -> Outcome {
    let assignments = args.assignments.iter().map(|it| match it.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.strip_prefix("spec.").unwrap_or(key).to_owned(), value.to_owned())),
        _ => Err(Failure::new(format!("{}: write KEY=VALUE, like serverState=absent", plain(it)))),
    });
    let assignments: Vec<_> = assignments.collect::<Result<_, _>>()?;
    let reading = |error| Failure::new(format!("cannot read {}: {error}", args.file.display()));
    let text = fs::read_to_string(&args.file).map_err(reading)?;
    let changed = read::set(&args.file, &text, args.name.as_deref(), &assignments)?;
    if changed == text {
        complain(&format!("{} says so already", args.file.display()));
    } else {
        print(&difference(&args.file, &text, &changed));
        replace(&args.file, &changed)?;
    }
    if !args.apply {
        return Ok(Exit::Done);
    }
    let target = args.name.clone().unwrap_or_else(|| args.file.display().to_string());
    let specs = args.name.is_some().then(|| args.file.clone());
    let owner = Owner { owner: None };
    apply::apply(Apply { targets: Targets { targets: vec![target], specs }, owner, yes: args.yes, output: Output::Text }).await
}

fn difference(file: &Path, before: &str, after: &str) -> String {
    let mut text = format!("{}\n", file.display());
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        let (sign, number) = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => ('-', change.old_index()),
            ChangeTag::Insert => ('+', change.new_index()),
        };
        let number = number.map_or(0, |it| it + 1);
        text.push_str(&format!("{number:>4} {sign} {}\n", plain(change.value().trim_end_matches(['\n', '\r']))));
    }
    text
}

/// Replaces a file's content whole or not at all, keeping its permissions; a link is followed.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    let failing = |error: std::io::Error| Failure::new(format!("cannot write {}: {error}; it is as it was", file.display()));
    let path = fs::canonicalize(file).map_err(failing)?;
    let permissions = fs::metadata(&path).map_err(failing)?.permissions();
    let mut aside = path.clone().into_os_string();
    aside.push(format!(".{}.tmp", std::process::id()));
    let aside = PathBuf::from(aside);
    let write = || {
        let mut new = fs::OpenOptions::new().write(true).create_new(true).open(&aside)?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(permissions)?;
        new.sync_all()?;
        fs::rename(&aside, &path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.map_err(failing)
}
