//! From a YAML text to trees, one for each document.
//!
//! The parser's own events are read, not serde's calls: they carry exact places, quotes, anchors
//! and aliases, a broken document does not hide its neighbours, and duplicate keys come through.

use serde_saphyr::granit_parser::{self, ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};
use std::collections::HashMap;

use super::findings::Findings;
use super::node::{Key, Node, Style, Value};
use super::problem::quoted;
use super::scalar::resolve;
use super::source::{Source, Span};

/// How deep collections may be nested.
const DEPTH: usize = 64;
/// How many documents a file may hold.
const DOCUMENTS: usize = 1000;
/// How much all trees of a file may weigh, aliases written out: one for each node, one more for each 32 bytes of text.
const WEIGHT: usize = 100_000;

/// One document that is not empty.
pub struct Document {
    /// Its number in the file, from 1; empty documents count.
    pub number: usize,
    /// Its value.
    pub root: Node,
}

/// Reads all documents of a text. A broken one becomes a problem, and the next one is read.
pub fn parse(source: &Source<'_>, findings: &mut Findings) -> Vec<Document> {
    let mut documents = Vec::new();
    if let Some(at) = source.text.find('\0') {
        findings.add(Span { start: at, length: 1 }, "the file holds a NUL byte: it is not text");
        return documents;
    }
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut parser = Parser::new_from_str_with_options(source.text, options);
    let (mut number, mut failures) = (0, 0);
    let mut builder = Builder::new(source, findings);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::DocumentStart(..), span)) => {
                number += 1;
                builder.abandon();
                if number > DOCUMENTS {
                    builder.findings.add(span_of(source, &span), format!("more than {DOCUMENTS} documents in one file"));
                    break;
                }
            }
            Ok((Event::DocumentEnd, _)) => {
                if let Some(root) = builder.root.take().filter(|root| !matches!(root.value, Value::Null)) {
                    documents.push(Document { number, root });
                }
            }
            Ok((event, span)) => {
                if builder.take(event, &span).is_err() {
                    let message = builder.what_is_too_much();
                    builder.findings.add(span_of(source, &span), message);
                    break;
                }
            }
            Err(error) => {
                builder.refuse(&error);
                builder.abandon();
                failures += 1;
                if failures > DOCUMENTS || !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    documents
}

/// The trees weigh too much.
struct TooMuch;

/// A tree in the making.
struct Builder<'a> {
    source: &'a Source<'a>,
    findings: &'a mut Findings,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    weight: usize,
    /// Whether there was an alias.
    aliases: bool,
}

/// A collection that has not ended.
struct Open {
    span: Span,
    style: Style,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, key: Awaited },
}

/// What a map waits for.
enum Awaited {
    Key,
    ValueOf(Key),
    ValueOfNothing,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source<'a>, findings: &'a mut Findings) -> Self {
        Self { source, findings, open: Vec::new(), root: None, anchors: HashMap::new(), weight: 0, aliases: false }
    }

    /// Forgets a document that did not end well.
    fn abandon(&mut self) {
        self.open.clear();
        self.root = None;
        self.anchors.clear();
    }

    fn take(&mut self, event: Event<'_>, span: &granit_parser::Span) -> Result<(), TooMuch> {
        let at = span_of(self.source, span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(1 + text.len() / 32)?;
                let forced = self.read_tag(tag.as_deref(), span, true);
                // A value that is not there comes as `~`, at the place of some other token.
                let absent = style == ScalarStyle::Plain && self.source.slice(at) != text && (text.is_empty() || text == "~");
                let (text, at) = if absent { (String::new(), Span::point(at.start)) } else { (text.into_owned(), at) };
                if self.awaits_key() {
                    self.take_key(text, at, style, anchor);
                    return Ok(());
                }
                let value = if style == ScalarStyle::Plain && !forced { resolve(&text) } else { Value::Text(text) };
                self.complete(Node::new(value, at, style_of(style)), anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.spend(1)?;
                self.read_tag(tag.as_deref(), span, false);
                self.begin(at, style, anchor, Content::List(Vec::new()));
                Ok(())
            }
            Event::MappingStart(style, anchor, tag) => {
                self.spend(1)?;
                self.read_tag(tag.as_deref(), span, false);
                self.begin(at, style, anchor, Content::Map { entries: Vec::new(), key: Awaited::Key });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let length = if open.style == Style::Flow { at.end().saturating_sub(open.span.start) } else { 0 };
                let value = match open.content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                self.complete(Node::new(value, Span { start: open.span.start, length }, open.style), open.anchor)
            }
            Event::Alias(anchor) => {
                self.aliases = true;
                let Some(node) = self.anchors.get(&anchor) else {
                    self.findings.add(at, "an alias stands inside what it refers to");
                    self.put(Node::new(Value::Null, at, Style::Plain));
                    return Ok(());
                };
                let weight = weigh(node);
                let node = Node { span: at, defined: Some(node.span), anchored: false, ..node.clone() };
                self.spend(weight)?;
                self.put(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, span: Span, style: StructureStyle, anchor: usize, content: Content) {
        let style = if style == StructureStyle::Flow { Style::Flow } else { Style::Block };
        self.open.push(Open { span, style, anchor, content });
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: Awaited::Key, .. }, .. }))
    }

    fn take_key(&mut self, text: String, span: Span, style: ScalarStyle, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Node::new(Value::Text(text.clone()), span, style_of(style)));
        }
        let merge = text == "<<" && style == ScalarStyle::Plain;
        if merge {
            self.findings.add_with_hint(span, "merge keys (`<<`) are not read here", "write the keys out");
        }
        let line = self.source.line_of(span.start);
        if let Some(Open { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = if merge { Awaited::ValueOfNothing } else { Awaited::ValueOf(Key { text, span, line }) };
        }
    }

    /// A node is complete: remembers it where aliases may refer to it, and puts it where it belongs.
    fn complete(&mut self, mut node: Node, anchor: usize) -> Result<(), TooMuch> {
        if anchor != 0 {
            node.anchored = true;
            let weight = weigh(&node);
            self.anchors.insert(anchor, node.clone());
            self.spend(weight)?;
        }
        self.put(node);
        Ok(())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match std::mem::replace(key, Awaited::Key) {
                Awaited::ValueOf(key) => entries.push((key, node)),
                Awaited::ValueOfNothing => {}
                Awaited::Key => {
                    self.findings.add(node.span, "a key must be plain text");
                    *key = Awaited::ValueOfNothing;
                }
            },
        }
    }

    /// Whether a tag makes a scalar text. All other tags are problems.
    fn read_tag(&mut self, tag: Option<&Tag>, span: &granit_parser::Span, scalar: bool) -> bool {
        let Some(tag) = tag else { return false };
        let text = tag.is_yaml_core_schema_tag("str") || tag.original() == "!";
        if scalar && text {
            return true;
        }
        if self.findings.is_full() {
            self.findings.skip();
        } else {
            let at = span.tag_span().map_or_else(|| span_of(self.source, span), |span| span_of(self.source, &span));
            let message = format!("{} is a tag, and tags mean nothing here", quoted(&tag.original()));
            self.findings.add_with_hint(at, message, "remove it");
        }
        text
    }

    fn spend(&mut self, weight: usize) -> Result<(), TooMuch> {
        self.weight += weight;
        if self.weight > WEIGHT { Err(TooMuch) } else { Ok(()) }
    }

    /// What a file that weighs too much has too much of. Anchors weigh what they remember.
    fn what_is_too_much(&self) -> String {
        if self.aliases {
            "the file is too big, once its aliases are written out".to_owned()
        } else if !self.anchors.is_empty() {
            "the file has too many anchors (`&name`), or too large ones".to_owned()
        } else {
            format!("the file holds more than {WEIGHT} keys and values")
        }
    }

    fn refuse(&mut self, error: &ScanError) {
        let text = self.source.text;
        let marker = error.marker();
        let offset =
            marker.byte_offset().or_else(|| text.char_indices().nth(marker.index()).map(|(offset, _)| offset)).unwrap_or(text.len());
        let message = format!("this is not YAML: {}", error.kind());
        match remedy(error.kind()) {
            Some(hint) => self.findings.add_with_hint(Span::point(offset), message, hint),
            None => self.findings.add(Span::point(offset), message),
        }
    }
}

/// How many nodes a tree has, long texts counting more.
fn weigh(node: &Node) -> usize {
    match &node.value {
        Value::Text(text) => 1 + text.len() / 32,
        Value::List(items) => 1 + items.iter().map(weigh).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(key, node)| 1 + key.text.len() / 32 + weigh(node)).sum::<usize>(),
        _ => 1,
    }
}

fn span_of(source: &Source<'_>, span: &granit_parser::Span) -> Span {
    let range = span.byte_range().unwrap_or(0..0);
    let start = range.start.min(source.text.len());
    Span { start, length: range.end.min(source.text.len()).saturating_sub(start) }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

/// What usually helps against a syntax error.
fn remedy(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            Some("indent with spaces, not with tabs")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            Some("put a text that contains `: ` in quotes, and look at the indentation of the line above")
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockSequenceEntry => {
            Some("keys of one map start in the same column")
        }
        ErrorKind::SimpleKeyExpected => Some("a line of a map is `key: value`, with a space after the colon"),
        ErrorKind::UnclosedQuotedScalar => Some("a quote that is opened here is never closed"),
        ErrorKind::UnknownAnchor => Some("no `&name` above gives this alias a meaning; put a text that starts with `*` in quotes"),
        ErrorKind::RecursionLimitExceeded => Some("no spec is nested that deeply"),
        ErrorKind::UnexpectedCharacter { .. } => Some("put a text that starts with this character in quotes"),
        _ => None,
    }
}
