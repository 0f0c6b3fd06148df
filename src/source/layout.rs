//! Lays a tree out as files: what Git holds, byte by byte, without filters, attributes or hooks.

use super::{
    Trouble,
    mirror::{Fault, Mirror, good},
    tree::{Kind, Lead, Leaf, Tree},
};
use crate::store::StoreError;
use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink},
    path::{Path, PathBuf},
};

/// Where a link leads that would have led out of the tree.
const NOWHERE: &str = "leads-out-of-the-repository";
/// How many bytes of a file are looked through for a spec.
const MOST_LOOKED_AT: usize = 1 << 20;

impl Mirror<'_> {
    /// Writes all files of a tree below an empty directory. Nobody else can read them. Links are made last, so that nothing
    /// is written through one.
    pub async fn lay_out(&self, tree: &Tree, root: &Path) -> Result<(), Fault> {
        let mut files = Vec::new();
        for (path, leaf) in &tree.0 {
            let at = root.join(path);
            let directory = if leaf.kind == Kind::Submodule { Some(at.as_path()) } else { at.parent() };
            if let Some(directory) = directory {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
                made.map_err(|error| failed(directory, error))?;
            }
            if let Kind::File { runs } = leaf.kind {
                files.push((at, leaf, runs));
            }
        }
        let asked: String = files.iter().map(|it| format!("{}\n", it.1.object)).collect();
        let mut unpacking = Unpacking { files: files.iter(), doing: Doing::Head(Vec::new()), failed: None };
        let said =
            self.git.feed(Some(self.path), &["cat-file", "--batch"], asked.into_bytes(), self.until, &mut |it| unpacking.take(it)).await?;
        if let Some(error) = unpacking.failed {
            return Err(error.into());
        }
        let is_whole = unpacking.is_done();
        good(said)?;
        if !is_whole {
            return Err(Fault::Mirror("files are missing in it".to_owned()));
        }
        for (path, leaf) in &tree.0 {
            if let Kind::Link(target) = &leaf.kind {
                let at = root.join(path);
                let target = target.as_deref().filter(|_| tree.follow(path) != Lead::Astray);
                symlink(target.unwrap_or(NOWHERE), &at).map_err(|error| failed(&at, error))?;
            }
        }
        Ok(())
    }
}

/// A disk that is full is ours to say; two things at one path are the tree's.
fn failed(path: &Path, error: io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::InvalidFilename => {
            Trouble::Unreadable(format!("a path in it cannot be a file here: {error}"))
        }
        _ => StoreError { verb: "write", path: path.to_owned(), source: error }.into(),
    }
}

type Wanted<'a> = (PathBuf, &'a Leaf, bool);

/// Reads what `git cat-file --batch` writes, however it is cut into pieces: a head, so many bytes, a line's end.
struct Unpacking<'a> {
    files: std::slice::Iter<'a, Wanted<'a>>,
    doing: Doing,
    /// What could not be written.
    failed: Option<Trouble>,
}

enum Doing {
    /// As much of a line as has come.
    Head(Vec<u8>),
    Body {
        file: File,
        path: PathBuf,
        left: u64,
    },
    End,
}

impl Unpacking<'_> {
    fn take(&mut self, mut piece: &[u8]) -> Result<(), String> {
        while !piece.is_empty() {
            match &mut self.doing {
                Doing::Head(head) => {
                    let end = piece.iter().position(|it| *it == b'\n');
                    let (now, later) = piece.split_at(end.unwrap_or(piece.len()));
                    head.extend_from_slice(now);
                    if end.is_none() && head.len() < 200 {
                        return Ok(());
                    }
                    piece = later.get(1..).unwrap_or_default();
                    let Some((path, leaf, runs)) = self.files.next() else { return Err("it says too much".to_owned()) };
                    if *head != format!("{} blob {}", leaf.object, leaf.size).into_bytes() {
                        return Err(format!("it does not have {}", leaf.object));
                    }
                    let mode = if *runs { 0o700 } else { 0o600 };
                    match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
                        Ok(file) => self.doing = Doing::Body { file, path: path.clone(), left: leaf.size },
                        Err(error) => return self.fail(failed(path, error)),
                    }
                    self.end_of_body();
                }
                Doing::Body { file, path, left } => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                    if let Err(error) = file.write_all(&piece[..length]) {
                        let trouble = failed(path, error);
                        return self.fail(trouble);
                    }
                    *left -= length as u64;
                    piece = &piece[length..];
                    self.end_of_body();
                }
                Doing::End => {
                    piece = &piece[1..];
                    self.doing = Doing::Head(Vec::new());
                }
            }
        }
        Ok(())
    }

    fn end_of_body(&mut self) {
        if matches!(self.doing, Doing::Body { left: 0, .. }) {
            self.doing = Doing::End;
        }
    }

    fn fail(&mut self, trouble: Trouble) -> Result<(), String> {
        let why = trouble.to_string();
        self.failed = Some(trouble);
        Err(why)
    }

    fn is_done(&self) -> bool {
        self.files.len() == 0 && matches!(&self.doing, Doing::Head(head) if head.is_empty())
    }
}

/// Whether any file at or below a path could be a spec: a YAML file that names our API. Hidden ones are not read.
pub(super) fn holds_spec(path: &Path) -> bool {
    let mut ahead = vec![path.to_owned()];
    let mut seen = HashSet::new();
    while let Some(at) = ahead.pop() {
        if at.is_dir() {
            // A link does not lead in circles.
            if !at.canonicalize().is_ok_and(|it| seen.insert(it)) {
                continue;
            }
            let entries = fs::read_dir(&at).into_iter().flatten().flatten();
            ahead.extend(entries.filter(|it| !it.file_name().to_string_lossy().starts_with('.')).map(|it| it.path()));
        } else if at.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml")) || at == path {
            let mut text = fs::read(&at).unwrap_or_default();
            text.truncate(MOST_LOOKED_AT);
            if text.windows(API.len()).any(|it| it == API) {
                return true;
            }
        }
    }
    false
}

/// What every spec names.
const API: &[u8] = b"cloudypad.gg/";
