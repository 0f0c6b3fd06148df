//! `validate` and `schema`.

use super::{
    Exit, Outcome,
    args::{Output, Validate},
    complain, print, print_json,
    target::{self, Unnamed},
};
use crate::read::{self, Problem};

/// Checks specs without asking any cloud.
pub(crate) fn validate(args: &Validate) -> Outcome {
    let found = target::find(&args.targets, Unnamed::Everything)?;
    if args.output == Output::Json {
        for problem in &found.problems {
            print_json(problem);
        }
    } else {
        show_problems(&found.problems, "");
    }
    if !found.problems.is_empty() {
        return Ok(Exit::Failed);
    }
    if args.output == Output::Text {
        for spec in &found.specs {
            print(&format!("{}  {}  ok\n", spec.instance.key(), target::place(spec)));
        }
        if found.specs.is_empty() {
            complain("no specs found: a spec is a *.yaml file that begins with apiVersion: cloudypad.gg/v1alpha1");
        }
    }
    Ok(Exit::Done)
}

/// Prints every problem, and how many there are; `then` ends that sentence.
pub(crate) fn show_problems(problems: &[Problem], then: &str) {
    for problem in problems {
        complain(&format!("{problem}"));
    }
    if problems.len() > 1 {
        complain(&format!("{} problems{then}", problems.len()));
    }
}

/// Prints the JSON Schema.
pub(crate) fn print_schema() -> Outcome {
    print(&format!("{}\n", serde_json::to_string_pretty(&read::schema())?));
    Ok(Exit::Done)
}
