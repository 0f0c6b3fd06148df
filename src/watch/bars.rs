//! The last run as a chart of bars: what was planned above what came, on one scale.

use super::{
    course::{Bar, Course, Outcome},
    html::Html,
    shell,
};
use crate::report::span;
use std::time::Duration;

/// The chart of a run, with how it ended.
pub(super) fn chart(html: &mut Html, course: &Course) {
    html.raw("<p>Began ");
    shell::moment(html, course.at);
    html.raw(": ").text(&course.why).raw(". ");
    match &course.outcome {
        None => _ = html.raw("<b class=\"word progressing\" data-underway>under way</b>"),
        Some((took, Outcome::Done { calls })) => {
            html.raw("<b class=\"word in-sync\">done</b> after ").text(span(*took)).raw(", ").text(calls);
            html.raw(if *calls == 1 { " change" } else { " changes" });
        }
        Some((took, Outcome::Held { code, message })) => {
            html.raw("<b class=\"word held\">held</b> <span class=\"code\">").raw(code).raw("</span> after ").text(span(*took));
            html.raw(": ").text(message);
        }
        Some((took, Outcome::Interrupted)) => {
            html.raw("<b class=\"word unknown\">interrupted</b> after ").text(span(*took)).raw(", between two steps");
        }
        Some((_, Outcome::Failed(why))) => _ = html.raw("<b class=\"word held\">failed</b>: ").text(why),
    }
    html.raw(" <span class=\"quiet run\">run ").text(&course.run).raw("</span></p>\n");
    if course.bars.is_empty() {
        return;
    }
    let now = course.outcome.as_ref().map_or_else(|| course.began.elapsed(), |it| it.0);
    let ends = course.bars.iter().flat_map(|it| [it.planned.map(|it| it.1), it.ended, it.began.map(|_| now)]);
    let scale = ends.flatten().max().unwrap_or_default().max(Duration::from_millis(1));
    html.raw("<p class=\"legend quiet\"><span class=\"key planned\"></span> planned <span class=\"key actual\"></span> came ");
    html.raw("<span class=\"key waited\"></span> waited; the scale ends at ").text(span(scale)).raw("</p>\n<ol class=\"bars\">\n");
    for bar in in_order(&course.bars) {
        row(html, bar, now, scale, course.outcome.is_some());
    }
    html.raw("</ol>\n");
}

/// By when they began, or were to begin.
fn in_order(bars: &[Bar]) -> Vec<&Bar> {
    let mut bars: Vec<&Bar> = bars.iter().collect();
    bars.sort_by_key(|it| (it.began.is_none(), it.began.or(it.planned.map(|it| it.0))));
    bars
}

fn row(html: &mut Html, bar: &Bar, now: Duration, scale: Duration, is_over: bool) {
    html.raw("<li><span class=\"what\">").text(&bar.what).raw("</span> <span class=\"times\">");
    if let Some((begins, ends)) = bar.planned {
        html.raw("planned ").text(span(ends.saturating_sub(begins)));
    }
    match (bar.began, bar.ended) {
        (Some(began), Some(ended)) => {
            html.raw(if bar.planned.is_some() { ", took " } else { "not planned, took " });
            html.text(span(ended.saturating_sub(began)));
        }
        (Some(_), None) => _ = html.raw(", under way"),
        (None, _) if is_over => _ = html.raw(", not needed or not reached"),
        (None, _) => {}
    }
    if bar.failures > 0 {
        html.raw(", failed ").text(bar.failures).raw(if bar.failures == 1 { " time" } else { " times" });
    }
    html.raw("</span><svg class=\"bar\" aria-hidden=\"true\">");
    if let Some((begins, ends)) = bar.planned {
        rectangle(html, "<rect class=\"planned\" y=\"0\" height=\"6\"", begins, ends, scale);
    }
    if let Some(began) = bar.began {
        let class = match (bar.failures > 0 && bar.ended.is_some(), bar.is_wait) {
            (true, _) => "<rect class=\"failed\" y=\"7\" height=\"7\"",
            (false, true) => "<rect class=\"waited\" y=\"7\" height=\"7\"",
            (false, false) => "<rect class=\"actual\" y=\"7\" height=\"7\"",
        };
        rectangle(html, class, began, bar.ended.unwrap_or(now), scale);
    }
    html.raw("</svg></li>\n");
}

fn rectangle(html: &mut Html, opening: &'static str, from: Duration, to: Duration, scale: Duration) {
    let share = |it: Duration| (it.as_secs_f64() / scale.as_secs_f64() * 100.0).clamp(0.0, 100.0);
    // What took no time at all is seen as well.
    let width = (share(to) - share(from)).max(0.4);
    let left = share(from).min(100.0 - width);
    html.raw(opening).raw(" x=\"").text(format!("{left:.2}%")).raw("\" width=\"").text(format!("{width:.2}%")).raw("\"></rect>");
}
