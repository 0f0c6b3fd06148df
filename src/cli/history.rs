//! `history`: what runs did, and why.

use super::{
    Exit, Failure, Outcome,
    args::{History, Output},
    chronicle::past_runs,
    hands, print, print_json,
};
use crate::{
    model::InstanceKey,
    report::{PastRun, Screen, plain, runs_table},
    store::{Home, Stories},
};

/// Tells the runs of instances, or the story of one run. No spec is needed: what was deleted has a past as well.
pub(crate) async fn history(args: History) -> Outcome {
    let home = hands::home()?;
    let keys = match &args.name {
        Some(name) => vec![known(&home, name)?],
        None => Stories::all(&home)?,
    };
    let mut runs = Vec::new();
    for key in &keys {
        runs.extend(past_runs(&home, key)?);
    }
    if let Some(id) = &args.run {
        return tell(&one(runs, id)?, args.output);
    }
    runs.sort_by(|one, other| one.run.cmp(&other.run));
    let runs = &runs[runs.len().saturating_sub(args.limit)..];
    match args.output {
        Output::Json => runs.iter().for_each(print_json),
        Output::Text if runs.is_empty() => print("no run is kept: apply, delete and watch leave theirs here\n"),
        Output::Text => print(&runs_table(runs, keys.len() > 1, &Screen::of_stdout())),
    }
    Ok(Exit::Done)
}

fn tell(run: &PastRun, output: Output) -> Outcome {
    match output {
        Output::Json => run.lines().iter().for_each(print_json),
        Output::Text => print(&run.story()),
    }
    Ok(Exit::Done)
}

/// The instance of that name whose runs are kept.
fn known(home: &Home, name: &str) -> Result<InstanceKey, Failure> {
    let all = Stories::all(home)?;
    let mut named = all.iter().filter(|it| match name.split_once('/') {
        Some((namespace, name)) => it.namespace == namespace && it.name == name,
        None => it.name == name,
    });
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => Err(Failure::new(format!("{name}: several namespaces have an instance of that name: write NAMESPACE/NAME"))),
        (None, _) => {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            let there = if names.is_empty() { "none is kept here".to_owned() } else { format!("there are runs of: {}", names.join(", ")) };
            Err(Failure::new(format!("no run of {} is kept ({there})", plain(name))))
        }
    }
}

/// The run with this id, or whose id alone ends so: that is where ids of one day differ.
fn one(runs: Vec<PastRun>, id: &str) -> Result<PastRun, Failure> {
    let mut meant: Vec<PastRun> = runs.into_iter().filter(|it| it.run.ends_with(id)).collect();
    match meant.len() {
        1 => Ok(meant.remove(0)),
        0 => Err(Failure::new(format!("no run {} is kept of it: cloudypad history NAME lists those that are", plain(id)))),
        _ => Err(Failure::new(format!("several runs end in {}: write all of the id", plain(id)))),
    }
}
