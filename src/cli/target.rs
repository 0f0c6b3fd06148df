//! From FILE, DIR or NAME to specs, and back to words.

use super::{Failure, args::Targets};
use crate::{
    read::{self, ReadSpec, Reading},
    report::{plain, visible},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What leaving the targets out means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// Everything: the command changes nothing.
    Everything,
    /// Everything where `-f` says, which must be on the command line.
    WhatIsGiven,
    /// Nothing: each target must be said.
    Refused,
}

/// Finds the specs, each once. Where there are problems, nothing is made sure of but them.
///
/// # Errors
/// Where no target says what is meant, a name is unknown, or one instance is described at two places.
pub(crate) fn find(targets: &Targets, unnamed: Unnamed) -> Result<Reading, Failure> {
    if targets.targets.is_empty() {
        let meant = match unnamed {
            Unnamed::Everything => true,
            Unnamed::WhatIsGiven => targets.specs.is_some(),
            Unnamed::Refused => false,
        };
        if !meant {
            return Err(Failure::new("say what is meant: a spec file, a directory of specs, or the name of an instance"));
        }
        return Ok(read::read(&[base(targets)]));
    }
    let (paths, names): (Vec<&String>, Vec<&String>) = targets.targets.iter().partition(|it| is_path(it));
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let mut reading = if paths.is_empty() { Reading::default() } else { read::read(&paths) };
    if !names.is_empty() {
        look_up(&names, &base(targets), &mut reading)?;
    }
    if reading.problems.is_empty() {
        reading.specs = distinct(reading.specs)?;
    }
    Ok(reading)
}

/// The one instance that is meant in a file; `name` says which where it holds several.
///
/// # Errors
/// Where the file leaves it open.
pub(crate) fn in_file(file: &Path, name: Option<&str>) -> Result<Reading, Failure> {
    let mut reading = read::read(&[file.to_owned()]);
    if let Some(name) = name {
        reading.specs.retain(|it| is_named(it, name));
    }
    if reading.problems.is_empty() && reading.specs.len() != 1 {
        let file = plain(&file.display().to_string());
        return Err(Failure::new(format!("cannot tell which instance in {file} is meant: say so with -n NAME")));
    }
    Ok(reading)
}

/// Where a spec's wish is written, like `specs/mypad.yaml:5`.
pub(crate) fn place(spec: &ReadSpec) -> String {
    plain(&format!("{}:{}", spec.file.display(), spec.state_line))
}

/// The command that applies what these targets mean, as a shell takes it.
pub(crate) fn apply_command(targets: &Targets, owner: Option<&str>) -> String {
    let mut meant = targets.targets.clone();
    if meant.is_empty() && targets.specs.is_none() {
        meant.push(base(targets).to_string_lossy().into_owned());
    }
    let mut words: Vec<String> = meant.iter().map(|it| quoted(it)).collect();
    let mut options = Vec::new();
    if let Some(specs) = &targets.specs {
        options.push(option("-f", &specs.to_string_lossy()));
    }
    if let Some(owner) = owner {
        options.push(option("--owner", owner));
    }
    // A target that looks like an option comes last, after a mark.
    if meant.iter().any(|it| it.starts_with('-')) {
        options.push("--".to_owned());
        options.append(&mut words);
    }
    words.append(&mut options);
    visible(&format!("cloudypad apply {}", words.join(" ")))
}

fn option(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { "=" } else { " " };
    format!("{name}{between}{}", quoted(value))
}

/// A word as a shell takes it for itself.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=-".contains(c);
    if !word.is_empty() && word.chars().all(harmless) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Where names are looked up: what `-f` says, else `CLOUDYPAD_SPECS`, else the current directory.
fn base(targets: &Targets) -> PathBuf {
    let variable = || std::env::var_os("CLOUDYPAD_SPECS").filter(|it| !it.is_empty()).map(PathBuf::from);
    targets.specs.clone().or_else(variable).unwrap_or_else(|| PathBuf::from("."))
}

/// Adds the specs with these names. Any problem below `base` is added instead: what it hides might have
/// one of the names.
fn look_up(names: &[&String], base: &Path, reading: &mut Reading) -> Result<(), Failure> {
    let Reading { specs, problems } = read::read(&[base.to_owned()]);
    if !problems.is_empty() {
        for problem in problems {
            if !reading.problems.contains(&problem) {
                reading.problems.push(problem);
            }
        }
        return Ok(());
    }
    for name in names {
        let mut named = specs.iter().filter(|it| is_named(it, name));
        match (named.next(), named.next()) {
            (Some(one), None) => reading.specs.push(one.clone()),
            (None, _) => return Err(unknown(name, base, &specs)),
            (Some(_), Some(_)) => {
                let each = "several namespaces have an instance of that name: write NAMESPACE/NAME";
                return Err(Failure::new(format!("{name}: {each}")));
            }
        }
    }
    Ok(())
}

/// Each document once, however often it was said. An instance that is described at two places is refused.
fn distinct(specs: Vec<ReadSpec>) -> Result<Vec<ReadSpec>, Failure> {
    let mut known = BTreeSet::new();
    let mut places = BTreeMap::new();
    let mut distinct = Vec::new();
    for spec in specs {
        let file = std::fs::canonicalize(&spec.file).unwrap_or_else(|_| spec.file.clone());
        if !known.insert((file, spec.document)) {
            continue;
        }
        let (key, here) = (spec.instance.key(), place(&spec));
        if let Some(first) = places.insert(key.clone(), here.clone()) {
            let sentence = format!("{key} is described twice, at {first} and at {here}: one instance has one document");
            return Err(Failure::new(sentence));
        }
        distinct.push(spec);
    }
    Ok(distinct)
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
        plain(name),
        plain(&base.display().to_string())
    ))
}
