//! Changes single values of a file, and not one other byte.

use std::fmt;
use std::path::Path;

use super::files;
use super::findings::{Finding, Findings};
use super::node::{Node, Style, Value};
use super::problem::{Problem, quoted, quoted_all};
use super::scalar::{resolve, truth_word};
use super::shape::{Form, Shape};
use super::source::{Source, Span};
use super::yaml::{self, Document};
use super::{examine, identity, shape};

/// Why a file was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub Box<Problem>);

/// The problem as it is drawn, but for the word `error` before it: whoever shows it says that.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.drawn(f)
    }
}

impl std::error::Error for Refusal {}

/// Sets values of one instance in a file's text: dotted paths below `spec`, like `serverState` or
/// `rootDiskSnapshot.enable`. `name` is the instance's, or `namespace/name`; it is needed only
/// where the file holds several.
///
/// Exactly the bytes of these values are replaced. The new text is read again, and must say the
/// same as the old one everywhere else.
pub fn set(file: &Path, text: &str, name: Option<&str>, assignments: &[(String, String)]) -> Result<String, Refusal> {
    let source = Source::new(file, text);
    if text.len() > files::LARGEST {
        return Err(whole(&source, files::too_large(), Some(files::TOO_LARGE_HINT.to_owned())));
    }
    let mut findings = Findings::default();
    let mut documents = yaml::parse(&source, &mut findings);
    if let Some(problem) = findings.into_problems(&source).into_iter().next() {
        return Err(Refusal(Box::new(problem)));
    }
    let chosen = choose(&source, &documents, name)?;
    let mut changes = Vec::new();
    for (index, (path, value)) in assignments.iter().enumerate() {
        if assignments.iter().take(index).any(|(other, _)| other == path) {
            return Err(whole(&source, format!("spec.{path} is set twice"), None));
        }
        changes.push(change(&source, &documents[chosen].root, path, value)?);
    }
    let mut earlier = Findings::default();
    examine(&documents[chosen].root, file, &mut earlier);
    // The old document as it should come out.
    for change in &changes {
        if let Some(node) = documents[chosen].root.at_mut(&change.path) {
            node.value = change.value.clone();
        }
    }
    changes.sort_by_key(|change| change.span.start);
    let new_text = splice(text, &changes);
    verify(&source, &new_text, &documents, chosen, &changes, &earlier)?;
    Ok(new_text)
}

/// One value that changes.
struct Change {
    /// The whole path, `spec` included.
    path: String,
    span: Span,
    /// What was asked for.
    asked: String,
    /// What that says.
    value: Value,
    /// How that is written.
    written: String,
    anchored: bool,
}

fn whole(source: &Source<'_>, message: impl Into<String>, hint: Option<String>) -> Refusal {
    Refusal(Box::new(Problem::whole(source.file, message, hint)))
}

fn at(source: &Source<'_>, span: Span, message: impl Into<String>, hint: Option<String>) -> Refusal {
    Refusal(Box::new(Problem::at(source, span, message, hint)))
}

/// The index of the document that is meant.
fn choose(source: &Source<'_>, documents: &[Document], name: Option<&str>) -> Result<usize, Refusal> {
    let named: Vec<(usize, String, bool)> = documents
        .iter()
        .enumerate()
        .filter_map(|(index, document)| {
            let (key, _) = identity(&document.root)?;
            let full = format!("{}/{}", key.namespace, key.name);
            let meant = name.is_none_or(|name| name == key.name || name == full);
            Some((index, full, meant))
        })
        .collect();
    let all = || quoted_all(named.iter().map(|(_, full, _)| full.as_str()).take(20));
    let mut meant = named.iter().filter(|(_, _, meant)| *meant);
    match (meant.next(), meant.next(), name) {
        (Some((index, ..)), None, _) => Ok(*index),
        (Some(_), Some(_), None) => Err(whole(source, "the file holds several instances", Some(format!("say which: {}", all())))),
        (Some(_), Some(_), Some(name)) => {
            let message = format!("several instances in the file are named {}", quoted(name));
            Err(whole(source, message, Some(format!("say which: {}", all()))))
        }
        (None, _, Some(name)) if !named.is_empty() => {
            Err(whole(source, format!("the file holds no instance {}", quoted(name)), Some(format!("it holds {}", all()))))
        }
        (None, ..) => Err(whole(source, "the file holds no instance", None)),
    }
}

/// What setting one value means for the text.
fn change(source: &Source<'_>, root: &Node, path: &str, value: &str) -> Result<Change, Refusal> {
    let whole_path = format!("spec.{path}");
    let Some(shape) = shape::instance().below(&whole_path) else {
        return Err(whole(source, format!("{} is not a key of a spec", quoted(&whole_path)), None));
    };
    let meant = meaning(source, root, shape, &whole_path, value)?;
    let node = find(source, root, &whole_path, value)?;
    let plain_place = node.span.length > 0 && !source.slice(node.span).contains(['\n', '\r']);
    let scalar = matches!(node.style, Style::Plain | Style::Single | Style::Double);
    if node.defined.is_some() {
        let hint = "write the value itself there first";
        return Err(at(source, node.span, format!("{whole_path} is an alias"), Some(hint.to_owned())));
    }
    if !scalar || !plain_place {
        let place = root.entry(&whole_path).map_or(node.span, |(key, node)| node.place(Some(key)));
        let message = format!("{whole_path} is not a value on one line");
        return Err(at(source, place, message, Some(format!("write {} there yourself", quoted(value)))));
    }
    let written = if shape.takes_text() { written_text(value, node.style) } else { value.to_owned() };
    let asked = value.to_owned();
    Ok(Change { path: whole_path, span: node.span, asked, value: meant, written, anchored: node.anchored })
}

/// What a value means where this shape is wanted.
fn meaning(source: &Source<'_>, root: &Node, shape: &Shape, path: &str, value: &str) -> Result<Value, Refusal> {
    if shape.takes_text() {
        return Ok(Value::Text(value.to_owned()));
    }
    if let resolved @ (Value::Bool(_) | Value::Int(_) | Value::Float(_)) = resolve(value) {
        return Ok(resolved);
    }
    let message = format!("{} is not a value for {path}", quoted(value));
    let takes_truth = match &shape.form {
        Form::Either(shapes) => shapes.iter().any(|it| matches!(it.form, Form::Boolean)),
        form => matches!(form, Form::Boolean),
    };
    let hint = truth_word(value).filter(|_| takes_truth).map(|truth| format!("write {truth}"));
    Err(match root.entry(path) {
        Some((key, node)) => at(source, node.place(Some(key)), message, hint),
        None => whole(source, message, hint),
    })
}

/// Goes down a path, and refuses where it would not be clear which bytes are meant.
fn find<'n>(source: &Source<'_>, root: &'n Node, path: &str, value: &str) -> Result<&'n Node, Refusal> {
    let mut node = root;
    let mut way = Vec::new();
    let mut line = None;
    for name in path.split('.') {
        if node.defined.is_some() {
            let message = format!("{} is an alias: what it holds is written elsewhere", way.join("."));
            return Err(at(source, node.span, message, None));
        }
        let mut entries = node.entries().iter().filter(|(key, _)| key.text == name);
        let Some((key, below)) = entries.next() else {
            let rest = path.split('.').skip(way.len()).collect::<Vec<_>>();
            let addition = rest.join(": {") + ": " + value + &"}".repeat(rest.len().saturating_sub(1));
            let hint = match line {
                Some(line) => format!("add {} under `{}:` at line {line}", quoted(&addition), way.join(".")),
                None => format!("add {}", quoted(&addition)),
            };
            let message = format!("{path} is not in the file");
            return Err(at(source, node.span, message, Some(hint)));
        };
        if let Some((again, _)) = entries.next() {
            let message = format!("{} is given twice", quoted(name));
            return Err(at(source, again.span, message, Some(format!("the first is on line {}", key.line))));
        }
        node = below;
        way.push(name);
        line = Some(key.line);
    }
    Ok(node)
}

/// A text as it is written in the style of the value it replaces, where that style can say it.
fn written_text(text: &str, style: Style) -> String {
    let printable = text.chars().all(|each| !each.is_control() && !matches!(each, '\u{feff}' | '\u{2028}' | '\u{2029}'));
    match style {
        Style::Single if printable => format!("'{}'", text.replace('\'', "''")),
        Style::Plain if is_plain(text) => text.to_owned(),
        // A JSON string is a double-quoted scalar of YAML, but for DEL and C1, which JSON leaves as they are.
        _ => {
            let quoted = serde_json::Value::from(text).to_string();
            let mut written = String::with_capacity(quoted.len());
            for each in quoted.chars() {
                match each {
                    '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                        written.push_str(&format!("\\u{:04x}", u32::from(each)));
                    }
                    other => written.push(other),
                }
            }
            written
        }
    }
}

/// Whether every reader of YAML, old and new, takes a text for itself without quotes.
fn is_plain(text: &str) -> bool {
    let first = |each: char| each.is_ascii_alphanumeric() || matches!(each, '/' | '_' | '.' | '~');
    text.starts_with(first)
        && text.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '/' | '_' | '.' | '~' | '-' | '+' | '@'))
        && matches!(resolve(text), Value::Text(_))
        && truth_word(text).is_none()
}

/// Puts the new values in place of the old ones. The changes are sorted, and apart from each other.
fn splice(text: &str, changes: &[Change]) -> String {
    let mut new = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for change in changes {
        new.push_str(text.get(done..change.span.start).unwrap_or(""));
        new.push_str(&change.written);
        done = change.span.end();
    }
    new.push_str(text.get(done..).unwrap_or(""));
    new
}

/// Reads the new text, and compares it with what it should say.
fn verify(
    old: &Source<'_>,
    new_text: &str,
    wanted: &[Document],
    chosen: usize,
    changes: &[Change],
    earlier: &Findings,
) -> Result<(), Refusal> {
    let new = Source::new(old.file, new_text);
    let mut findings = Findings::default();
    let documents = yaml::parse(&new, &mut findings);
    let same = findings.count() == 0
        && documents.len() == wanted.len()
        && documents.iter().zip(wanted).all(|(is, wanted)| is.root.says_the_same_as(&wanted.root));
    if !same {
        let anchored = changes.iter().find(|change| change.anchored);
        let (message, change) = match anchored {
            Some(change) => (format!("{} has an anchor, and aliases refer to it", change.path), Some(change)),
            None => ("the change would change more than it should".to_owned(), changes.first()),
        };
        return Err(match change {
            Some(change) => at(old, change.span, message, Some("change the file by hand".to_owned())),
            None => whole(old, message, None),
        });
    }
    // Only what the new values bring is refused: the file may have had other problems before.
    examine(&documents[chosen].root, old.file, &mut findings);
    match findings.beyond(earlier) {
        Some(finding) => Err(refused(old, finding, changes)),
        None => Ok(()),
    }
}

/// What is wrong with the new text, shown in the old one: it is the one that people see.
fn refused(old: &Source<'_>, finding: &Finding, changes: &[Change]) -> Refusal {
    let (span, changed) = old_place(finding.span, changes);
    let culprit = match changes {
        [only] => Some(only),
        _ => changed,
    };
    let message = match culprit {
        Some(change) if !finding.message.contains(&change.asked) => {
            format!("{} cannot be {}: {}", change.path, quoted(&change.asked), finding.message)
        }
        _ => finding.message.clone(),
    };
    at(old, span, message, finding.hint.clone())
}

/// Where a place of the new text is in the old one, and the change it lies in.
fn old_place(span: Span, changes: &[Change]) -> (Span, Option<&Change>) {
    let mut start = span.start;
    for change in changes {
        if start < change.span.start {
            break;
        }
        if start < change.span.start + change.written.len() {
            return (change.span, Some(change));
        }
        start = start - change.written.len() + change.span.length;
    }
    (Span { start, length: span.length }, None)
}
