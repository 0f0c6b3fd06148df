//! Which files to read, and their texts.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// The largest file that is read, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// One file's text.
pub struct File {
    /// As it was named, or found below a directory that was named.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// Whether it was named itself.
    pub named: bool,
}

/// Reads the files that were named, and all YAML files below directories that were named: each
/// file once, sorted by path.
pub fn collect(paths: &[PathBuf]) -> (Vec<File>, Vec<Problem>) {
    let mut search = Search::default();
    for path in paths {
        search.take_named(path);
    }
    search.found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut files = Vec::new();
    for (path, named) in search.found {
        match text_of(&path) {
            Ok(text) => files.push(File { path, text, named }),
            Err(Unreadable { message, hint }) => search.problems.push(Problem::whole(&path, message, hint)),
        }
    }
    (files, search.problems)
}

/// Why a file cannot be read.
struct Unreadable {
    message: String,
    hint: Option<String>,
}

#[derive(Default)]
struct Search {
    found: Vec<(PathBuf, bool)>,
    problems: Vec<Problem>,
    /// Files and directories seen, by their real paths: a link does not lead in circles.
    seen: HashSet<PathBuf>,
}

impl Search {
    fn take_named(&mut self, path: &Path) {
        let found = match path.metadata() {
            Ok(found) => found,
            Err(error) => {
                self.problems.push(unfound(path, &error));
                return;
            }
        };
        if !found.is_dir() {
            if self.is_new(path) {
                self.found.push((path.to_owned(), true));
            }
            return;
        }
        if self.is_new(path) && self.take_directory(path) == 0 {
            let hint = "files named *.yaml and *.yml are read, hidden ones are not".to_owned();
            self.problems.push(Problem::whole(path, "the directory holds no YAML files", Some(hint)));
        }
    }

    /// Takes all YAML files below a directory, and says how many there are, known ones included.
    fn take_directory(&mut self, root: &Path) -> usize {
        let mut count = 0;
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problems.push(Problem::whole(&directory, format!("the directory cannot be read: {error}"), None));
                    count += 1;
                    continue;
                }
            };
            for entry in entries.flatten() {
                let path = entry.path();
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                match path.metadata() {
                    Ok(found) if found.is_dir() => {
                        if !is_version_control(&path) && !is_playbooks(&path) && self.is_new(&path) {
                            directories.push(path);
                        }
                    }
                    Ok(found) if found.is_file() && is_yaml(&path) => {
                        count += 1;
                        if self.is_new(&path) {
                            self.found.push((path, false));
                        }
                    }
                    Err(error) if is_yaml(&path) => {
                        count += 1;
                        self.problems.push(unfound(&path, &error));
                    }
                    _ => {}
                }
            }
        }
        count
    }

    fn is_new(&mut self, path: &Path) -> bool {
        self.seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }
}

fn unfound(path: &Path, error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::NotFound {
        let message = if path.is_symlink() { "the link leads nowhere" } else { "there is no such file or directory" };
        let hint = "name a spec file, or a directory of them".to_owned();
        return Problem::whole(path, message, Some(hint));
    }
    Problem::whole(path, format!("it cannot be read: {error}"), None)
}

/// Directories of version control that do not hide behind a dot.
fn is_version_control(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "CVS" || name == "_darcs")
}

/// A directory of Ansible's own YAML files, as its settings say, kept beside the specs that name a playbook in it.
fn is_playbooks(path: &Path) -> bool {
    path.join("ansible.cfg").is_file()
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml"))
}

/// Reads no more than it would take, whatever the file is.
fn text_of(path: &Path) -> Result<String, Unreadable> {
    let failed = |error: io::Error| Unreadable { message: format!("it cannot be read: {error}"), hint: None };
    let mut bytes = Vec::new();
    let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > LARGEST {
        return Err(Unreadable { message: too_large(), hint: Some(TOO_LARGE_HINT.to_owned()) });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes.iter().take(valid).filter(|byte| **byte == b'\n').count();
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let hint = if utf16 { "it looks like UTF-16: save it as UTF-8" } else { "save it as UTF-8" };
        Unreadable { message: format!("it is not UTF-8, from line {line} on"), hint: Some(hint.to_owned()) }
    })
}

/// What helps with a text over the limit.
pub const TOO_LARGE_HINT: &str = "a spec is a few kB; is this the right file?";

/// What is said about a text over the limit.
pub fn too_large() -> String {
    format!("it is larger than {} MB, which no spec is", LARGEST / 1024 / 1024)
}
