//! From FILE, DIR or NAME to specs.

use super::{Failure, args::Targets};
use crate::read::{self, Problem, ReadSpec, Reading};
use std::path::{Path, PathBuf};

/// Specs that were asked for, and every problem on the way.
pub(crate) struct Found {
    pub specs: Vec<ReadSpec>,
    pub problems: Vec<Problem>,
    /// How the user can say the same again, for "Apply with: …".
    pub words: String,
}

/// Whether leaving the targets out may mean everything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// Yes: the command changes nothing.
    Everything,
    /// Only where `-f` or `CLOUDYPAD_SPECS` says what everything is.
    MustBeSaid,
}

/// Finds the specs.
///
/// # Errors
/// Where no target says what is meant, or a name is unknown.
pub(crate) fn find(targets: &Targets, unnamed: Unnamed) -> Result<Found, Failure> {
    let base = targets.specs.clone();
    if targets.targets.is_empty() {
        if unnamed == Unnamed::MustBeSaid && base.is_none() {
            return Err(Failure::new("say what is meant: a spec file, a directory of specs, or the name of an instance"));
        }
        let all = base.unwrap_or_else(|| PathBuf::from("."));
        let Reading { specs, problems } = read::read(&[all]);
        return Ok(Found { specs, problems, words: String::new() });
    }
    let (paths, names): (Vec<&String>, Vec<&String>) = targets.targets.iter().partition(|it| is_path(it));
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let Reading { mut specs, mut problems } = if paths.is_empty() { Reading::default() } else { read::read(&paths) };
    if !names.is_empty() {
        let base = base.unwrap_or_else(|| PathBuf::from("."));
        let all = read::read(std::slice::from_ref(&base));
        for name in names {
            let named: Vec<&ReadSpec> = all.specs.iter().filter(|it| is_named(it, name)).collect();
            match named.as_slice() {
                [one] => specs.push((*one).clone()),
                [] if all.problems.is_empty() => return Err(unknown(name, &base, &all.specs)),
                [] => problems.extend(all.problems.iter().cloned()),
                _ => {
                    let each = "several namespaces have an instance of that name: write NAMESPACE/NAME";
                    return Err(Failure::new(format!("{name}: {each}")));
                }
            }
        }
    }
    Ok(Found { specs, problems, words: targets.targets.join(" ") })
}

fn is_path(target: &str) -> bool {
    let looks_like_one = target.ends_with(".yaml") || target.ends_with(".yml") || target.starts_with('.') || target.starts_with('/');
    looks_like_one || Path::new(target).exists()
}

fn is_named(spec: &ReadSpec, name: &str) -> bool {
    let metadata = &spec.instance.metadata;
    match name.split_once('/') {
        Some((namespace, name)) => metadata.namespace == namespace && metadata.name == name,
        None => metadata.name == name,
    }
}

fn unknown(name: &str, base: &Path, specs: &[ReadSpec]) -> Failure {
    let mut known: Vec<String> = specs.iter().map(|it| it.instance.key().to_string()).collect();
    known.sort();
    let known = match known.len() {
        0 => "there are no specs there".to_owned(),
        _ => format!("there are: {}", known.join(", ")),
    };
    Failure::new(format!(
        "no file and no instance called {} in {} ({known}); name a spec file, or say with -f where the specs are",
        crate::report::plain(name),
        base.display()
    ))
}
