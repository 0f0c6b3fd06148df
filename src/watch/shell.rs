//! What every page has around it, and pages that say little else.

use super::{
    html::Html,
    row::{Switch, Verdict},
};
use jiff::Timestamp;

/// What every answer says to a browser: no script but ours, no frame, no guessing, nothing kept.
pub(super) const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // With less, browsers do not say from where a form of ours was sent.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// What a page says to its reader apart from what it shows.
#[derive(Debug, Default)]
pub(super) struct Says {
    /// Whether he may order something.
    pub may_order: bool,
    /// What he has just ordered.
    pub asked: String,
}

/// A page; `stream` is where what happens is told, for pages that go on living.
pub(super) fn page(title: &str, stream: Option<&str>, content: impl FnOnce(&mut Html)) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n");
    html.raw("<link rel=\"stylesheet\" href=\"/page.css\">\n");
    if stream.is_some() {
        html.raw("<script src=\"/page.js\" defer></script>\n");
    }
    html.raw("<title>").text(title).raw(" · cloudypad</title>\n</head>\n<body>\n");
    html.raw("<a class=\"skip\" href=\"#content\">Skip to the content</a>\n");
    html.raw("<header class=\"top\"><a id=\"home\" class=\"mark\" href=\"/\">cloudypad</a>");
    if let Some(stream) = stream {
        html.raw("<p id=\"live\" role=\"status\" data-stream=\"").text(stream).raw("\"></p>");
    }
    html.raw("</header>\n<main id=\"content\">\n");
    content(&mut html);
    html.raw("</main>\n</body>\n</html>\n");
    html.into_text()
}

/// Something is wrong, and there is a way back.
pub(super) fn problem(title: &str, why: &str) -> String {
    page(title, None, |html| {
        html.raw("<h1>").text(title).raw("</h1>\n<p>").text(why).raw("</p>\n");
        html.raw("<p><a href=\"/\">Back to the fleet</a></p>\n");
    })
}

/// There is no such page.
pub(super) fn missing() -> String {
    problem("Nothing here", "There is no such page, or nothing describes that instance any more.")
}

/// Asks for the token.
pub(super) fn login(complaint: &'static str) -> String {
    page("Token", None, |html| {
        html.raw("<h1>This page needs a token</h1>\n");
        if !complaint.is_empty() {
            html.raw("<p class=\"notice held\" role=\"alert\">").raw(complaint).raw("</p>\n");
        }
        html.raw("<form class=\"login\" method=\"post\" action=\"/login\">\n<label for=\"token\">Token</label>\n");
        html.raw("<input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required>\n");
        html.raw("<button id=\"enter\">Open</button>\n</form>\n");
        html.raw("<p class=\"quiet\">It is the one that cloudypad was started with. <a href=\"/\">Back to the fleet</a></p>\n");
    })
}

/// That an order was taken.
pub(super) fn notice(html: &mut Html, says: &Says) {
    let words = match says.asked.as_str() {
        "wake" => "It is asked to wake.",
        "look" => "It is looked at now, and what is due is done.",
        "approve" => "It is approved.",
        _ => return,
    };
    html.raw("<p class=\"notice\" role=\"status\">").raw(words).raw("</p>\n");
}

/// A verdict, as a word with its colour.
pub(super) fn verdict(html: &mut Html, verdict: Verdict) {
    let class = match verdict {
        Verdict::Held => "<b class=\"word held\">",
        Verdict::Drifted => "<b class=\"word drifted\">",
        Verdict::Progressing => "<b class=\"word progressing\">",
        Verdict::InSync => "<b class=\"word in-sync\">",
        Verdict::Unknown => "<b class=\"word unknown\">",
    };
    html.raw(class).raw(verdict.word()).raw("</b>");
}

/// A moment, to the second.
pub(super) fn moment(html: &mut Html, at: Timestamp) {
    html.raw("<time datetime=\"").text(at).raw("\">").text(at.strftime("%Y-%m-%d %H:%M:%S UTC")).raw("</time>");
}

/// When the wish changes, and to what.
pub(super) fn switch(html: &mut Html, switch: &Switch) {
    html.text(&switch.to).raw(" at <time datetime=\"").text(switch.at).raw("\">");
    html.text(switch.at.strftime("%Y-%m-%d %H:%M UTC")).raw("</time>");
}

/// A commit, as short as people say it.
pub(super) fn commit(html: &mut Html, commit: &str) {
    let short: String = commit.chars().take(8).collect();
    html.raw("<code title=\"").text(commit).raw("\">").text(short).raw("</code>");
}
