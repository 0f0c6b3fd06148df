//! One instance: what is wished beside what is, the plan, the last run, and what happens.

use super::{
    bars,
    html::Html,
    hub::{Hub, Portrait},
    path::{encoded, page_of},
    row::{Glance, Row},
    shell::{self, Says},
};
use crate::{
    model::{InstanceKey, Truth},
    report::span,
};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// How many events the page begins with.
const MOST_EVENTS: usize = 60;

/// The page of an instance.
pub(super) fn page(hub: &Hub, key: &InstanceKey, portrait: &Portrait, says: &Says) -> String {
    // What happens from here on is heard through the stream; what happened before is on the page.
    let after = hub.news.last();
    let name = format!("{}/{}", key.namespace, key.name);
    let stream = format!("/events?instance={}&after={}", encoded(&name), encoded(&after));
    shell::page(&key.to_string(), Some(&stream), |html| {
        html.raw("<h1>").text(key).raw("</h1>\n");
        shell::notice(html, says);
        html.raw("<div id=\"head\" data-part>\n");
        match &portrait.row {
            Some((glance, row)) => head(html, glance, row),
            None => _ = html.raw("<p class=\"quiet\">Not looked at yet.</p>\n"),
        }
        html.raw("</div>\n");
        if says.may_order {
            orders(html, key);
        }
        let row = portrait.row.as_ref().map(|it| &it.1);
        let plan = |html: &mut Html| {
            section(html, "<section id=\"plan\" data-part><h2>The plan now</h2>\n", |html| row.map(|it| plan(html, &it.plan)));
        };
        // What happens now comes before what is to happen.
        let is_under_way = portrait.course.as_ref().is_some_and(|it| it.outcome.is_none());
        if !is_under_way {
            plan(html);
        }
        section(html, "<section id=\"run\" data-part><h2>The last run</h2>\n", |html| {
            portrait.course.as_ref().map(|it| bars::chart(html, it))
        });
        if is_under_way {
            plan(html);
        }
        html.raw("<div id=\"sides\" class=\"sides\" data-part>\n");
        section(html, "<section><h2>Desired</h2>\n", |html| row.map(|it| desired(html, it)));
        section(html, "<section><h2>Observed</h2>\n", |html| row.map(|it| observed(html, it)));
        html.raw("</div>\n");
        section(html, "<section id=\"billed\" data-part><h2>Billed now</h2>\n", |html| {
            row.filter(|it| !it.billed.is_empty()).map(|it| list(html, &it.billed))
        });
        events(html, hub, key);
    })
}

/// A section, or that there is nothing to show in it.
fn section(html: &mut Html, opening: &'static str, content: impl FnOnce(&mut Html) -> Option<()>) {
    html.raw(opening);
    if content(html).is_none() {
        html.raw("<p class=\"quiet\">Nothing.</p>\n");
    }
    html.raw("</section>\n");
}

fn head(html: &mut Html, glance: &Glance, row: &Row) {
    html.raw("<p class=\"lead\">");
    shell::verdict(html, glance.verdict);
    html.raw(" <span>").text(&row.standing);
    if row.standing != row.wished {
        html.raw(" → ").text(&row.wished);
    }
    html.raw("</span></p>\n");
    if !glance.message.is_empty() {
        html.raw("<p class=\"notice\"><span class=\"code\">").text(&glance.reason).raw("</span> ").text(&glance.message);
        if let Some(remedy) = row.plan["hold"]["remedy"].as_str() {
            html.raw("<br>You can: ").text(remedy);
        }
        html.raw("</p>\n");
    }
    html.raw("<dl class=\"facts\">");
    html.raw("<div><dt>Written in</dt><dd>").text(&row.place).raw("</dd></div>");
    if let Some(commit) = &row.commit {
        html.raw("<div><dt>Commit</dt><dd>");
        shell::commit(html, commit);
        html.raw("</dd></div>");
    }
    if let Some(switch) = &glance.switch {
        html.raw("<div><dt>Next change</dt><dd>");
        shell::switch(html, switch);
        html.raw("</dd></div>");
    }
    for it in &row.conditions {
        html.raw("<div><dt>").raw(it.kind.word()).raw("</dt><dd>").raw(it.status.word());
        if it.status != Truth::False || !it.reason.is_empty() {
            html.raw(" <span class=\"code\">").text(&it.reason).raw("</span> ").text(&it.message);
        }
        html.raw("</dd></div>");
    }
    html.raw("</dl>\n");
}

fn orders(html: &mut Html, key: &InstanceKey) {
    html.raw("<div class=\"orders\">");
    html.raw("<form method=\"post\" action=\"").text(format!("{}/wake", page_of(key))).raw("\"><button id=\"wake\">Wake</button></form>");
    html.raw("<form method=\"post\" action=\"").text(format!("{}/apply-now", page_of(key)));
    html.raw("\"><button id=\"apply-now\">Look and apply now</button></form></div>\n");
}

fn plan(html: &mut Html, plan: &Value) {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let actions = plan["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    match plan["verdict"].as_str() {
        Some("held") => {
            html.raw("<p><b class=\"word held\">held</b> <span class=\"code\">").text(text(&plan["hold"], "code")).raw("</span> ");
            html.text(text(&plan["hold"], "message")).raw(". You can: ").text(text(&plan["hold"], "remedy")).raw("</p>\n");
        }
        _ if actions.is_empty() => _ = html.raw("<p>Nothing to do.</p>\n"),
        _ => {}
    }
    if !actions.is_empty() {
        html.raw("<table class=\"cards\"><thead><tr><th scope=\"col\">Step</th><th scope=\"col\">Because</th>");
        html.raw("<th scope=\"col\" class=\"number\">Cloud time</th></tr></thead>\n<tbody>\n");
        for act in actions {
            html.raw("<tr><th scope=\"row\">").text(text(act, "verb")).raw(" ").text(text(act, "object"));
            html.raw("</th><td data-label=\"Because\">").text(text(act, "reason"));
            html.raw("</td><td data-label=\"Cloud time\" class=\"number\">");
            let seconds = |field: &str| act[field].as_u64().unwrap_or_default();
            html.text(span(Duration::from_secs(seconds("endsSeconds").saturating_sub(seconds("beginsSeconds"))))).raw("</td></tr>\n");
        }
        html.raw("</tbody></table>\n");
    }
    let notes: Vec<String> = plan["notes"].as_array().into_iter().flatten().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
    if !notes.is_empty() {
        list(html, &notes);
    }
}

fn list(html: &mut Html, items: &[String]) {
    html.raw("<ul>");
    for it in items {
        html.raw("<li>").text(it).raw("</li>");
    }
    html.raw("</ul>\n");
}

/// The spec, a line for each value.
fn desired(html: &mut Html, row: &Row) {
    html.raw("<dl class=\"facts\">");
    let mut lines = Vec::new();
    flatten(&row.desired, String::new(), &mut lines);
    for (path, value) in lines {
        html.raw("<div><dt>").text(path).raw("</dt><dd>").text(value).raw("</dd></div>");
    }
    html.raw("</dl>\n");
}

fn flatten(value: &Value, path: String, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(value, below, lines);
            }
        }
        Value::Array(items) => {
            let words = items.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
            lines.push((path, words.collect::<Vec<_>>().join(", ")));
        }
        Value::String(text) => lines.push((path, text.clone())),
        other => lines.push((path, other.to_string())),
    }
}

fn observed(html: &mut Html, row: &Row) {
    if row.observed.is_empty() {
        html.raw("<p class=\"quiet\">Nothing of it exists.</p>\n");
        return;
    }
    html.raw("<ul class=\"objects\">");
    for (number, it) in row.observed.iter().enumerate() {
        html.raw("<li><b>").text(&it.kind).raw("</b> ").text(&it.standing).raw(" ").text(&it.size);
        html.raw(" <code>").text(&it.id).raw("</code>");
        if !it.tags.is_empty() {
            html.raw("<details id=\"tags-").text(number).raw("\"><summary id=\"tags-of-").text(number).raw("\">Tags</summary>");
            list(html, &it.tags);
            html.raw("</details>");
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn events(html: &mut Html, hub: &Hub, key: &InstanceKey) {
    html.raw("<section><h2>Events</h2>\n<ol id=\"events\" class=\"events\">\n");
    let items = hub.news.of(key);
    let told = items.iter().filter_map(|it| serde_json::from_str::<Value>(&it.json).ok()).filter(|it| it["text"].is_string());
    let told: Vec<Value> = told.collect();
    for it in &told[told.len().saturating_sub(MOST_EVENTS)..] {
        html.raw("<li>");
        if let Some(at) = it["at"].as_str().and_then(|it| it.parse::<Timestamp>().ok()) {
            html.raw("<time datetime=\"").text(at).raw("\">").text(at.strftime("%H:%M:%S")).raw("</time> ");
        }
        html.raw("<span>").text(it["text"].as_str().unwrap_or_default()).raw("</span></li>\n");
    }
    html.raw("</ol>\n<p class=\"quiet\">Times are UTC. The latest is at the end.</p>\n</section>\n");
}
