//! `plan`: what apply would do, and why.

use super::{
    Outcome,
    args::{Output, Plan},
    hands::{self, Cases, Seen, foresee_all, plan_exit},
    print, print_json,
    target::{self, Unnamed},
};
use crate::report::{PlanView, Screen, plan_json, plan_text, summary};

/// Shows the plans of the specs asked for.
pub(crate) async fn plan(args: Plan) -> Outcome {
    let cases = match hands::cases_at(&args.targets, Unnamed::Everything, args.owner.owner.as_deref(), args.at)? {
        Ok(cases) => cases,
        Err(exit) => return Ok(exit),
    };
    let seen = foresee_all(&cases).await?;
    let command = target::apply_command(&args.targets, args.owner.owner.as_deref());
    show(&cases, &seen, args.output, &command);
    plan_exit(&views(&cases, &seen), args.detailed_exitcode)
}

/// The views of all cases.
pub(crate) fn views<'a>(cases: &'a Cases, seen: &'a [Seen]) -> Vec<PlanView<'a>> {
    cases.cases.iter().zip(seen).map(|(case, seen)| case.view(seen)).collect()
}

/// Prints plans and their summary.
pub(crate) fn show(cases: &Cases, seen: &[Seen], output: Output, command: &str) {
    let views = views(cases, seen);
    if output == Output::Json {
        for view in &views {
            print_json(&plan_json(view));
        }
        return;
    }
    let screen = Screen::of_stdout();
    for view in &views {
        print(&plan_text(view, &screen));
    }
    print(&format!("{}\n", summary(&views, command)));
}
