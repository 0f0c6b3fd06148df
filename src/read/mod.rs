//! Paper: YAML files and directories into specs, with every mistake located.
//!
//! A text becomes trees that remember where everything stands (`yaml`, `node`). Each tree is
//! compared with the published schema (`shape`, `walk`) and with what a schema cannot say
//! (`check`); both speak up together, so that one run names all mistakes of a file. What has none
//! becomes an `Instance`. `edit` changes single values and leaves every other byte alone.

mod check;
mod edit;
mod envelope;
mod files;
mod findings;
mod nearest;
mod node;
mod problem;
mod scalar;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod walk;
mod yaml;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::model::{Instance, InstanceKey};
use findings::Findings;
use source::{Source, Span};

pub use check::resolve;
pub use edit::{Refusal, set};
pub use problem::Problem;
pub use shape::schema;

/// What reading gave.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The documents that nothing is wrong with.
    pub specs: Vec<ReadSpec>,
    /// What is wrong with the others, sorted by file, line and column.
    pub problems: Vec<Problem>,
}

/// One document that nothing is wrong with.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSpec {
    /// What it says.
    pub instance: Instance,
    /// Where it was read.
    pub file: PathBuf,
    /// The line of `spec.serverState`, from 1.
    pub state_line: usize,
    /// Its number in the file, from 1.
    pub document: usize,
}

/// Reads files, and all YAML files below directories.
pub fn read(paths: &[PathBuf]) -> Reading {
    let (files, problems) = files::collect(paths);
    let mut reading = Reading { specs: Vec::new(), problems };
    let mut owners = Owners::default();
    for file in &files {
        read_into(&file.path, &file.text, file.named, &mut owners, &mut reading);
    }
    reading.without_the_doubtful(&owners).sorted()
}

/// Reads the same paths again and again: a file that says what it said is not parsed again.
#[derive(Debug, Default)]
pub struct Reader {
    /// Files that nothing is wrong with.
    known: HashMap<PathBuf, Known>,
    /// Files that were parsed the last time.
    parsed: HashSet<PathBuf>,
}

#[derive(Debug)]
struct Known {
    text: String,
    specs: Vec<ReadSpec>,
}

impl Reader {
    /// What [`read`] would give now.
    pub fn read(&mut self, paths: &[PathBuf]) -> Reading {
        let (files, problems) = files::collect(paths);
        let mut all = Reading { specs: Vec::new(), problems };
        let mut known = HashMap::new();
        self.parsed.clear();
        for file in files {
            let before = self.known.remove(&file.path).filter(|it| it.text == file.text);
            let specs = match before {
                Some(Known { specs, .. }) => specs,
                None => {
                    self.parsed.insert(file.path.clone());
                    let mut alone = Reading::default();
                    read_into(&file.path, &file.text, file.named, &mut Owners::default(), &mut alone);
                    if !alone.problems.is_empty() {
                        all.problems.append(&mut alone.problems);
                        all.specs.append(&mut alone.specs);
                        continue;
                    }
                    alone.specs
                }
            };
            all.specs.extend_from_slice(&specs);
            known.insert(file.path, Known { text: file.text, specs });
        }
        self.known = known;
        // Who is described twice is told by a reading of everything, of broken documents too.
        let distinct: HashSet<InstanceKey> = all.specs.iter().map(|it| it.instance.key()).collect();
        if distinct.len() < all.specs.len() || !all.problems.is_empty() {
            return read(paths);
        }
        all.sorted()
    }

    /// Whether the last reading found that a file says something else than before, or something wrong.
    pub fn has_changed(&self, file: &Path) -> bool {
        self.parsed.contains(file)
    }
}

/// Reads the text of one file. Relative paths in it start at the file's directory.
pub fn read_text(file: &Path, text: &str) -> Reading {
    let (mut reading, mut owners) = (Reading::default(), Owners::default());
    read_into(file, text, true, &mut owners, &mut reading);
    reading.without_the_doubtful(&owners).sorted()
}

impl Reading {
    /// Of an instance that is described twice nobody knows which description is meant.
    fn without_the_doubtful(mut self, owners: &Owners) -> Self {
        self.specs.retain(|it| !owners.get(&it.instance.key()).is_some_and(|(_, again)| *again));
        self
    }

    /// The last word about a file follows its last problem: the sort is stable.
    fn sorted(mut self) -> Self {
        self.problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self
    }
}

/// Where each instance was found first, and whether it was found again.
type Owners = HashMap<InstanceKey, (String, bool)>;

fn read_into(file: &Path, text: &str, named: bool, owners: &mut Owners, reading: &mut Reading) {
    if text.len() > files::LARGEST {
        reading.problems.push(Problem::whole(file, files::too_large(), Some(files::TOO_LARGE_HINT.to_owned())));
        return;
    }
    let source = Source::new(file, text);
    let mut findings = Findings::default();
    let documents = yaml::parse(&source, &mut findings);
    if documents.is_empty() && findings.count() == 0 && named {
        let hint = "a spec starts with `apiVersion: cloudypad.gg/v1alpha1`".to_owned();
        reading.problems.push(Problem::whole(file, "the file is empty", Some(hint)));
    }
    for document in &documents {
        let problems_before = findings.count();
        examine(&document.root, file, &mut findings);
        unique(&document.root, &source, owners, &mut findings);
        if findings.count() > problems_before {
            continue;
        }
        match serde_json::from_value::<Instance>(document.root.to_json()) {
            Ok(instance) => reading.specs.push(ReadSpec {
                instance,
                file: file.to_owned(),
                state_line: document.root.entry("spec.serverState").map_or(1, |(key, _)| key.line),
                document: document.number,
            }),
            // The schema and the type come from one source; this is the net below it.
            Err(error) => findings.add(document.root.span, problem::visible_text(&error.to_string())),
        }
    }
    reading.problems.extend(findings.into_problems(&source));
}

/// All that one document can have wrong by itself.
fn examine(root: &node::Node, file: &Path, findings: &mut Findings) {
    if !envelope::is_ours(root, findings) {
        return;
    }
    walk::walk(root, shape::instance(), &walk::Path::Root, None, findings);
    let directory = file.parent().unwrap_or(Path::new(""));
    check::check(root, directory, findings);
}

/// One instance has one document.
fn unique(root: &node::Node, source: &Source<'_>, owners: &mut Owners, findings: &mut Findings) {
    let Some((key, place)) = identity(root) else { return };
    let (line, column) = source.locate(place.start);
    let here = format!("{}:{line}:{column}", problem::visible_text(&source.file.display().to_string()));
    if let Some((first, again)) = owners.get_mut(&key) {
        *again = true;
        let message = format!("{} is described a second time", problem::quoted(&key.to_string()));
        let hint = format!("the first is at {first}; one instance has one document");
        findings.add_with_hint(place, message, hint);
    } else {
        owners.insert(key, (here, false));
    }
}

/// Which instance a document is about, and where it says so.
fn identity(root: &node::Node) -> Option<(InstanceKey, Span)> {
    if root.at("kind").and_then(node::Node::text) != Some("Instance") {
        return None;
    }
    let (key, node) = root.entry("metadata.name")?;
    let name = node.text()?.to_owned();
    let namespace = match root.at("metadata.namespace") {
        Some(namespace) => namespace.text()?.to_owned(),
        None => "default".to_owned(),
    };
    Some((InstanceKey { namespace, name }, node.place(Some(key))))
}
