//! The fleet: a table of all instances.

use super::{
    html::Html,
    hub::Roll,
    path::{encoded, page_of},
    row::{Glance, Verdict},
    shell::{self, Says},
};
use crate::model::InstanceKey;
use std::collections::BTreeMap;

/// The page of the fleet.
pub(super) fn page(roll: &Roll, says: &Says) -> String {
    let count = roll.glances.len();
    let title = if count == 1 { "1 instance".to_owned() } else { format!("{count} instances") };
    shell::page(&title, Some(&format!("/events?after={}", encoded(&roll.last))), |html| {
        html.raw("<h1>Fleet</h1>\n");
        shell::notice(html, says);
        questions(html, roll, says);
        summary(html, roll);
        if count == 0 {
            let why = if roll.was_read { "No spec describes an instance." } else { "The specs were not read yet." };
            html.raw("<p id=\"fleet\" data-part>").raw(why).raw("</p>\n");
            return;
        }
        html.raw("<table id=\"fleet\" class=\"cards\" data-part>\n<thead><tr><th scope=\"col\">Instance</th><th scope=\"col\">Stands</th>");
        html.raw("<th scope=\"col\">Wished</th><th scope=\"col\">Verdict</th><th scope=\"col\">Next change</th>");
        html.raw("<th scope=\"col\">Commit</th></tr></thead>\n<tbody>\n");
        for (key, glance) in &roll.glances {
            row(html, key, glance.as_ref());
        }
        html.raw("</tbody>\n</table>\n");
    })
}

/// What waits for approval.
fn questions(html: &mut Html, roll: &Roll, says: &Says) {
    html.raw("<div id=\"questions\" data-part>\n");
    for question in &roll.questions {
        html.raw("<section class=\"notice held\"><h2>Waits for your approval</h2>\n<p>").text(&question.message).raw("</p>\n");
        if says.may_order {
            html.raw("<form method=\"post\" action=\"/approve\"><input type=\"hidden\" name=\"what\" value=\"").text(&question.what);
            html.raw("\"><button>Approve</button></form>\n");
        } else {
            html.raw("<p class=\"quiet\">cloudypad approve ").text(&question.what).raw("</p>\n");
        }
        html.raw("</section>\n");
    }
    html.raw("</div>\n");
}

/// How many there are of each, in one line.
fn summary(html: &mut Html, roll: &Roll) {
    let known = || roll.glances.iter().filter_map(|it| it.1.as_ref());
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut standings: BTreeMap<&str, usize> = BTreeMap::new();
    for glance in known() {
        *verdicts.entry(glance.verdict).or_default() += 1;
        *standings.entry(&glance.standing).or_default() += 1;
    }
    html.raw("<p id=\"summary\" class=\"summary\" data-part>");
    for (verdict, count) in &verdicts {
        html.raw("<span>").text(count).raw(" ");
        shell::verdict(html, *verdict);
        html.raw("</span> ");
    }
    for (standing, count) in &standings {
        html.raw("<span>").text(count).raw(" ").text(standing).raw("</span> ");
    }
    html.raw("</p>\n");
}

fn row(html: &mut Html, key: &InstanceKey, glance: Option<&Glance>) {
    html.raw("<tr><th scope=\"row\"><a id=\"to-").text(encoded(&key.namespace)).raw("-").text(encoded(&key.name));
    html.raw("\" href=\"").text(page_of(key)).raw("\">").text(key).raw("</a></th>");
    let Some(glance) = glance else {
        html.raw("<td data-label=\"Stands\" class=\"quiet\" colspan=\"5\">not looked at yet</td></tr>\n");
        return;
    };
    html.raw("<td data-label=\"Stands\">").text(&glance.standing);
    if glance.is_ready {
        html.raw(", ready");
    }
    html.raw("</td><td data-label=\"Wished\">").text(&glance.wished).raw("</td><td data-label=\"Verdict\">");
    shell::verdict(html, glance.verdict);
    if !glance.reason.is_empty() {
        html.raw(" <span class=\"code\">").text(&glance.reason).raw("</span>");
    }
    if !glance.message.is_empty() {
        html.raw("<span class=\"why\">").text(&glance.message).raw("</span>");
    }
    html.raw("</td><td data-label=\"Next change\">");
    match &glance.switch {
        Some(it) => shell::switch(html, it),
        None => _ = html.raw("–"),
    }
    html.raw("</td><td data-label=\"Commit\">");
    match &glance.commit {
        Some(it) => shell::commit(html, it),
        None => _ = html.raw("–"),
    }
    html.raw("</td></tr>\n");
}
