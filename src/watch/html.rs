//! A page being written. Markup is ours, known when this is compiled; everything else is text, and is escaped.

use crate::report::plain;
use std::fmt::Display;

/// HTML.
///
/// What is not a literal of ours can only become text: a name from a cloud never becomes markup.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of ours.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anybody's text, between tags or in a quoted attribute. Without what nobody sees, and of bearable length.
    pub fn text(&mut self, text: impl Display) -> &mut Self {
        for c in plain(&text.to_string()).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// The page written so far.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = Html::default();
        html.raw("<p title=\"").text("\"><script>alert('1')</script>").raw("\">").text("a & b\u{202e}\n").raw("</p>");
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\">a &amp; b\u{fffd}\u{fffd}</p>";
        assert_eq!(html.into_text(), expected);
    }
}
