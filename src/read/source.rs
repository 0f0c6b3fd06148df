//! One file's text, and where in it a byte lies.

use std::cell::Cell;
use std::path::Path;

/// A stretch of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// How many bytes. Zero: a place, not a stretch.
    pub length: usize,
}

impl Span {
    /// The place before the byte at `start`.
    pub fn point(start: usize) -> Self {
        Self { start, length: 0 }
    }

    /// The byte after the last one.
    pub fn end(self) -> usize {
        self.start + self.length
    }
}

/// One file's text. Lines end at LF, CRLF or a lone CR, as in YAML; a byte order mark is no column.
pub struct Source<'a> {
    /// Where the text comes from.
    pub file: &'a Path,
    /// The whole text.
    pub text: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    /// The last place asked for, as (line index, offset, characters before it): places on one
    /// very long line are mostly asked for in order, and need not be counted from its start again.
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Source<'a> {
    /// Takes a file's text.
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let bytes = text.as_bytes();
        let mut lines = vec![first];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                lines.push(at + 1);
            }
        }
        Self { file, text, lines, last: Cell::new((0, first, 0)) }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn locate(&self, offset: usize) -> (usize, usize) {
        let offset = self.boundary(offset);
        let index = self.line_index(offset);
        let (last_index, last_offset, last_column) = self.last.get();
        let (from, before) = if last_index == index && last_offset <= offset { (last_offset, last_column) } else { (self.lines[index], 0) };
        let column = before + self.text.get(from..offset).map_or(0, |text| text.chars().count());
        self.last.set((index, offset.max(from), column));
        (index + 1, column + 1)
    }

    /// The line of a byte, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_index(offset) + 1
    }

    /// The line that holds a byte, without its end, and where in it the byte lies.
    pub fn line_around(&self, offset: usize) -> (&'a str, usize) {
        let offset = self.boundary(offset);
        let index = self.line_index(offset);
        let start = self.lines[index];
        let end = self.lines.get(index + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r']);
        (line, offset.saturating_sub(start).min(line.len()))
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end()).unwrap_or("")
    }

    fn line_index(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The nearest place at or before `offset` that does not cut a character.
    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}
