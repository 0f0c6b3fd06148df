//! The arms of the planner's matches, as its sources write them.

use proc_macro2::{LineColumn, Span};
use std::{
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Arm, Attribute, Expr, ExprMatch, ImplItemFn, ItemFn, ItemMod, Macro, Token, parse::Parser, punctuated::Punctuated, spanned::Spanned,
    visit, visit::Visit,
};

/// A place in a source, as compilers count: lines and bytes from 1.
pub type Place = (u64, u64);

/// One arm of a match.
pub struct Written {
    pub file: PathBuf,
    /// Where its pattern begins.
    pub line: u64,
    /// Function, matched expression, and the arm up to its arrow.
    pub text: String,
    /// Where what it does begins, and where that has ended.
    pub body: (Place, Place),
}

/// What the sources say.
#[derive(Default)]
pub struct Sources {
    pub arms: Vec<Written>,
    /// `matches!`, which has conditions and no arms that do something.
    pub conditions: usize,
    /// Macros whose arguments are no list of expressions: no match in them is seen.
    pub unread: Vec<String>,
}

/// Reads every file of the planner.
pub fn read() -> Sources {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/plan");
    let mut files: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "rs"));
    files.sort();
    let mut sources = Sources::default();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Reader { lines: text.lines().collect(), file, function: Vec::new(), sources: &mut sources }.visit_file(&parsed);
    }
    sources
}

struct Reader<'a> {
    file: PathBuf,
    lines: Vec<&'a str>,
    /// The functions that the reader is in.
    function: Vec<String>,
    sources: &'a mut Sources,
}

impl Reader<'_> {
    /// Parsers count columns in characters and from 0.
    fn place(&self, at: LineColumn) -> Place {
        let before = self.lines[at.line - 1].chars().take(at.column).map(char::len_utf8).sum::<usize>();
        (at.line as u64, before as u64 + 1)
    }

    fn text(&self, span: Span) -> String {
        let text = span.source_text().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn within(&mut self, function: String, read: impl FnOnce(&mut Self)) {
        self.function.push(function);
        read(self);
        self.function.pop();
    }

    fn arm(&self, of: &Expr, arm: &Arm) -> Written {
        let function = self.function.join("/");
        Written {
            file: self.file.clone(),
            line: arm.pat.span().start().line as u64,
            text: format!("{function}: match {} {{ {} }}", self.text(of.span()), self.text(arm.pat.span())),
            body: (self.place(arm.body.span().start()), self.place(arm.body.span().end())),
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| it.path().is_ident("cfg") && it.parse_args::<syn::Ident>().is_ok_and(|it| it == "test"))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, it: &'ast ItemMod) {
        if !is_of_tests(&it.attrs) {
            visit::visit_item_mod(self, it);
        }
    }

    fn visit_item_fn(&mut self, it: &'ast ItemFn) {
        self.within(it.sig.ident.to_string(), |reader| visit::visit_item_fn(reader, it));
    }

    fn visit_impl_item_fn(&mut self, it: &'ast ImplItemFn) {
        self.within(it.sig.ident.to_string(), |reader| visit::visit_impl_item_fn(reader, it));
    }

    fn visit_expr_match(&mut self, it: &'ast ExprMatch) {
        for arm in &it.arms {
            let arm = self.arm(&it.expr, arm);
            self.sources.arms.push(arm);
        }
        visit::visit_expr_match(self, it);
    }

    fn visit_macro(&mut self, it: &'ast Macro) {
        let name = it.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
        if name == "matches" {
            self.sources.conditions += 1;
            return;
        }
        match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(it.tokens.clone()) {
            Ok(arguments) => {
                for argument in &arguments {
                    Reader { file: self.file.clone(), lines: self.lines.clone(), function: self.function.clone(), sources: self.sources }
                        .visit_expr(argument);
                }
            }
            Err(_) => self.sources.unread.push(format!("{}:{} {name}!", self.file.display(), it.span().start().line)),
        }
    }
}
