//! `get --watch`: rows as they change, until it is told to end.

use super::{
    Exit, Failure, Outcome,
    args::{Get, Shape},
    get::{self, Row},
    hands::{self, Cases},
    is_read, print, print_json,
    target::{self, Unnamed},
    validate::show_problems,
};
use crate::{
    read::{Problem, ReadSpec},
    report::{Screen, table, yaml_document},
};
use std::{io::IsTerminal, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

/// The shortest time between two rounds: each is some calls of the account.
const SHORTEST: Duration = Duration::from_secs(2);

/// Shows instances, and again whatever changed of them.
pub(crate) async fn follow(args: &Get) -> Outcome {
    if args.every < SHORTEST {
        return Err(Failure::new(format!("--every: write {} s or more; each look is some calls of your account", SHORTEST.as_secs())));
    }
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let told = tell_changes(args);
    tokio::select! {
        outcome = told => outcome,
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Interrupted),
    }
}

async fn tell_changes(args: &Get) -> Outcome {
    let mut board = Board::new(args.output);
    let mut desk = Desk::default();
    loop {
        desk.read(args)?;
        if let Some(cases) = &desk.cases {
            board.show(get::rows(cases).await?)?;
        }
        if !is_read() {
            return Ok(Exit::Done);
        }
        sleep(args.every).await;
    }
}

/// What was last read of the specs: their hands are kept while they say the same.
#[derive(Default)]
struct Desk {
    specs: Vec<ReadSpec>,
    problems: Vec<Problem>,
    cases: Option<Cases>,
}

impl Desk {
    /// Reads them again. What is broken is told once, and shown as it was before.
    fn read(&mut self, args: &Get) -> Result<(), Failure> {
        let found = target::find(&args.targets, Unnamed::Everything)?;
        if !found.problems.is_empty() {
            if found.problems != self.problems {
                show_problems(&found.problems, "; it is shown as it was before");
            }
            self.problems = found.problems;
            return Ok(());
        }
        self.problems.clear();
        let now = jiff::Timestamp::now();
        let changed = self.cases.as_mut().is_some_and(|it| it.cases.iter_mut().filter_map(|case| case.mind_clock(now)).count() > 0);
        if self.cases.is_none() || changed || found.specs != self.specs {
            self.specs.clone_from(&found.specs);
            self.cases = hands::prepare(found, args.owner.owner.as_deref(), None, None)?.ok();
        }
        Ok(())
    }
}

/// What was shown.
struct Board {
    shape: Shape,
    /// Drawn in place: how many lines stand there.
    drawn: Option<usize>,
    rows: Vec<Row>,
    /// The header, as wide as the widest cell that was shown below it.
    header: Option<Vec<String>>,
}

impl Board {
    fn new(shape: Shape) -> Self {
        let in_place = shape == Shape::Table && std::io::stdout().is_terminal();
        Self { shape, drawn: in_place.then_some(0), rows: Vec::new(), header: None }
    }

    fn show(&mut self, rows: Vec<Row>) -> Result<(), Failure> {
        let changed: Vec<&Row> = rows.iter().filter(|it| !self.rows.iter().any(|old| it.tells_the_same(old))).collect();
        let went = self.rows.iter().any(|old| !rows.iter().any(|it| it.is_of(old)));
        match self.shape {
            Shape::Json => changed.into_iter().for_each(print_json),
            Shape::Yaml => {
                for row in changed {
                    print(&yaml_document(row)?);
                }
            }
            Shape::Table => match self.drawn {
                Some(lines) if went || !changed.is_empty() => {
                    let _ = console::Term::stdout().clear_last_lines(lines);
                    let text = get::rows_table(&rows, &Screen::of_stdout());
                    self.drawn = Some(text.lines().count());
                    print(&text);
                }
                Some(_) => {}
                None if changed.is_empty() => {}
                None => print(&lines_of(&mut self.header, &changed)),
            },
        }
        self.rows = rows;
        Ok(())
    }
}

/// Rows below a header that was said once, in its columns.
fn lines_of(header: &mut Option<Vec<String>>, rows: &[&Row]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|it| it.cells()).collect();
    let first = header.is_none();
    let header = header.get_or_insert_with(|| {
        let width = |column: usize| cells.iter().map(|it| it[column].chars().count()).max().unwrap_or(0);
        get::HEADER.iter().enumerate().map(|(column, name)| format!("{name:<wide$}", wide = width(column))).collect()
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let text = table(&header, &cells, &[], &Screen::plain());
    match text.split_once('\n') {
        Some((_, lines)) if !first => lines.to_owned(),
        _ => text,
    }
}
