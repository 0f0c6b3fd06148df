//! `set`: change one value in a spec file, and nothing else of it.

use super::{Exit, Failure, Outcome, apply, args::Set, complain, print};
use crate::{read, report::plain};
use similar::{ChangeTag, TextDiff};
use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

/// The largest file that is changed, in bytes.
const LARGEST: u64 = 1_000_000;

/// Replaces the bytes of the named values; shows the difference; applies the file where asked.
pub(crate) async fn set(args: Set) -> Outcome {
    let assignments = args.assignments.iter().map(|it| match it.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.strip_prefix("spec.").unwrap_or(key).to_owned(), value.to_owned())),
        _ => Err(Failure::new(format!("{}: write KEY=VALUE, like serverState=absent", plain(it)))),
    });
    let assignments: Vec<_> = assignments.collect::<Result<_, _>>()?;
    let text = read_file(&args.file)?;
    let changed = read::set(&args.file, &text, args.name.as_deref(), &assignments)?;
    if changed == text {
        complain(&format!("{} says so already", shown(&args.file)));
    } else {
        replace(&args.file, &changed)?;
        print(&difference(&args.file, &text, &changed));
    }
    if !args.apply {
        return Ok(Exit::Done);
    }
    apply::apply_file(&args.file, args.name.as_deref(), args.yes).await
}

fn shown(file: &Path) -> String {
    plain(&file.display().to_string())
}

fn read_file(file: &Path) -> Result<String, Failure> {
    let failing = |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", shown(file)));
    let found = fs::metadata(file).map_err(failing)?;
    if !found.is_file() {
        return Err(Failure::new(format!("{} is not a file", shown(file))));
    }
    if found.len() > LARGEST {
        return Err(Failure::new(format!("{} is larger than 1 MB: change it by hand", shown(file))));
    }
    fs::read_to_string(file).map_err(failing)
}

fn difference(file: &Path, before: &str, after: &str) -> String {
    let mut text = format!("{}\n", shown(file));
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

/// Replaces a file's content whole or not at all, keeping its owner and permissions; a link is followed.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    let failing = |error: std::io::Error| Failure::new(format!("cannot write {}: {error}; it is as it was", shown(file)));
    let path = fs::canonicalize(file).map_err(failing)?;
    let old = fs::metadata(&path).map_err(failing)?;
    if old.nlink() > 1 {
        let sentence = "it has more than one name (hard links), and would change under one only; change it by hand";
        return Err(Failure::new(format!("{}: {sentence}", shown(file))));
    }
    if old.mode() & 0o200 == 0 {
        return Err(Failure::new(format!("{} is read-only; it is as it was", shown(file))));
    }
    let mut aside = path.clone().into_os_string();
    aside.push(format!(".{}.tmp", std::process::id()));
    let aside = PathBuf::from(aside);
    let write = || {
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        new.write_all(text.as_bytes())?;
        let made = new.metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            fchown(&new, Some(old.uid()), Some(old.gid()))?;
        }
        new.set_permissions(old.permissions())?;
        new.sync_all()?;
        fs::rename(&aside, &path)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written.map_err(failing)
}
