//! What is said in the end: a line to the endpoint, then every difference.

use crate::{
    compare::Difference,
    replay::{Line, Verdict, said},
};
use std::{collections::BTreeMap, fmt::Write};

#[derive(Default)]
struct Row {
    recorded: usize,
    compared: usize,
    shape: usize,
    values: usize,
    overtaken: usize,
    differing: usize,
    depending: usize,
}

/// The whole report.
pub fn table(lines: &[Line]) -> String {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut whole = Row::default();
    let mut outside = 0;
    for line in lines {
        let Some(route) = &line.route else {
            outside += 1;
            continue;
        };
        for row in [rows.entry(format!("{} {}", route.template, route.method)).or_default(), &mut whole] {
            row.recorded += 1;
            match &line.verdict {
                Verdict::Outside => {}
                Verdict::Depends(_) => row.depending += 1,
                Verdict::Compared { differences, overtaken, .. } => {
                    let shape = differences.iter().all(|it| it.is_of_value());
                    row.compared += 1;
                    row.shape += usize::from(shape);
                    row.values += usize::from(differences.is_empty());
                    row.overtaken += usize::from(*overtaken);
                    row.differing += usize::from(!differences.is_empty());
                }
            }
        }
    }
    let mut text = format!(
        "{:<78} {:>8} {:>8} {:>6} {:>6} {:>9} {:>9} {:>9}\n",
        "endpoint", "recorded", "compared", "shape", "values", "overtaken", "differing", "depending"
    );
    let named: Vec<(String, &Row)> = rows.iter().map(|(name, row)| (name.clone(), row)).chain([("all".to_owned(), &whole)]).collect();
    for (name, row) in named {
        let _ = writeln!(
            text,
            "{name:<78} {:>8} {:>8} {:>6} {:>6} {:>9} {:>9} {:>9}",
            row.recorded, row.compared, row.shape, row.values, row.overtaken, row.differing, row.depending
        );
    }
    let _ = writeln!(text, "and {outside} calls of endpoints that are not held to account");
    text
}

/// Why calls could not be replayed, and how often.
pub fn reasons(lines: &[Line]) -> String {
    let mut counts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for line in lines {
        if let Verdict::Depends(reason) = &line.verdict {
            let kind = crate::names::without_ids(reason);
            let first = format!("{}:{} {}", line.recording, line.seq, line.call);
            counts.entry(kind).or_insert((0, first)).0 += 1;
        }
    }
    counts.into_iter().map(|(reason, (count, first))| format!("depending: {count} × {reason}; first {first}\n")).collect()
}

/// What differed rightly, and how often: the measure of how lenient the comparison was.
pub fn excuses(lines: &[Line]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        if let Verdict::Compared { excused, .. } = &line.verdict {
            let last = |it: &Difference| it.pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default().to_owned();
            excused.iter().for_each(|it| *counts.entry(format!("{:?} {}", it.aspect, last(it)).to_lowercase()).or_default() += 1);
        }
    }
    let all: Vec<String> = counts.into_iter().map(|(what, count)| format!("{count} × {what}")).collect();
    if all.is_empty() { String::new() } else { format!("excused: {}\n", all.join(", ")) }
}

/// Every difference, a line each.
pub fn differences(lines: &[Line]) -> Vec<String> {
    let mut all = Vec::new();
    for line in lines {
        if let Verdict::Compared { differences, .. } = &line.verdict {
            all.extend(differences.iter().map(|it| format!("{}:{} {}: {}", line.recording, line.seq, line.call, said(it))));
        }
    }
    all
}
