//! One cell of the matrix: a call, and the point of it at which the process is killed.

use super::{
    rehearsal::{Outcome, Rehearsal, Written},
    stage::{Scenes, Stage},
    tracer::{Side, Syscall},
};
use crate::support::face::Face;
use std::{fmt, time::Duration};

/// The points of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before its intent is written.
    BeforeIntent,
    /// Its intent is durable; nothing is sent.
    IntentDurable,
    /// It is sent, and never carried out.
    NeverCarriedOut,
    /// It is sent, and carried out later: within the time that vendors take, and right after the next command has looked, if it can be.
    CarriedOutLate,
    /// It is carried out; the answer is not read.
    Unanswered,
    /// It is answered; the receipt is not written.
    BeforeReceipt,
    /// Its receipt is durable.
    ReceiptDurable,
    /// Every call is made; that the run has ended is not written.
    BeforeEnd,
}

/// All points, in the order of time.
pub const POINTS: [Point; 8] = [
    Point::BeforeIntent,
    Point::IntentDurable,
    Point::NeverCarriedOut,
    Point::CarriedOutLate,
    Point::Unanswered,
    Point::BeforeReceipt,
    Point::ReceiptDurable,
    Point::BeforeEnd,
];

/// For how many cloud microseconds after its intent a call may be on its way: vendors take a minute at most.
const LATE: i64 = 55_000_000;
/// How fast the clock then goes: slow enough for the next command to look before that. Nothing else is waited for meanwhile.
const UNHURRIED: &str = "60";

/// For how long a call that was made in the rehearsal is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

impl Point {
    pub fn word(self) -> &'static str {
        match self {
            Point::BeforeIntent => "before intent",
            Point::IntentDurable => "intent durable",
            Point::NeverCarriedOut => "never done",
            Point::CarriedOutLate => "done late",
            Point::Unanswered => "unanswered",
            Point::BeforeReceipt => "before receipt",
            Point::ReceiptDurable => "receipt durable",
            Point::BeforeEnd => "before end",
        }
    }
}

/// One cell.
pub struct Cell<'r> {
    pub rehearsal: &'r Rehearsal,
    pub point: Point,
    /// Which turn, call or commit, counted from 0.
    pub number: usize,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rehearsal { ground, asked, calls, turns, .. } = self.rehearsal;
        let what = match self.point {
            Point::BeforeIntent | Point::IntentDurable | Point::BeforeReceipt | Point::ReceiptDurable => &turns[self.number],
            Point::NeverCarriedOut | Point::CarriedOutLate | Point::Unanswered => calls.get(self.number).map_or("commit", String::as_str),
            Point::BeforeEnd => "end",
        };
        write!(f, "[{}, {}, {}, {}: {what}]", ground.name, asked.name, self.point.word(), self.number)
    }
}

/// What came to light while a cell was played.
pub struct Played {
    /// How many calls the killed process had made.
    pub made: usize,
    /// Whether its last call was carried out between the next command's look and call.
    pub overtaken: bool,
}

/// Every cell of a rehearsal. Calls of one turn share its intents and its receipts, which are written at once.
pub fn cells(rehearsal: &Rehearsal, traced: bool) -> Vec<Cell<'_>> {
    let sent = if rehearsal.ground.vendor.is_some() { rehearsal.calls.len() } else { rehearsal.commits };
    let count = |point: Point| match point {
        Point::BeforeIntent | Point::IntentDurable | Point::BeforeReceipt | Point::ReceiptDurable if traced => rehearsal.turns.len(),
        Point::BeforeEnd if traced => 1,
        Point::NeverCarriedOut | Point::Unanswered => sent,
        // What is carried out in the process itself is not carried out without it.
        Point::CarriedOutLate => rehearsal.calls.len(),
        _ => 0,
    };
    POINTS.into_iter().flat_map(|point| (0..count(point)).map(move |number| Cell { rehearsal, point, number })).collect()
}

impl Cell<'_> {
    /// Kills at the point, goes on with the same command, and compares with the rehearsal.
    pub fn play(&self, scenes: &Scenes) -> Result<Played, String> {
        let asked = self.rehearsal.asked;
        let stage = match self.point {
            Point::CarriedOutLate => scenes.set_at(asked, UNHURRIED),
            _ => scenes.set(asked),
        };
        self.kill(&stage)?;
        let made = stage.made();
        self.check_the_point(&stage, made)?;
        let ran = stage.run(asked.command);
        let said = format!("{}\n{}", ran.out, ran.err);
        if ran.code != 0 {
            return Err(format!("the same command again ended with {}\n{said}", ran.code));
        }
        let ended = Outcome::of(&stage, asked).map_err(|why| format!("{why}\nafter\n{said}"))?;
        let (to_come, overtaken) = stage.face.as_ref().map_or((0, 0), Face::drop_held);
        match ended == self.rehearsal.ended && to_come == 0 {
            true => Ok(Played { made, overtaken: overtaken > 0 }),
            false => Err(format!("{ended:#?}, {to_come} to come,\nis not\n{:#?}\nafter\n{said}", self.rehearsal.ended)),
        }
    }

    /// Whether the process died where it was to die: what it had written, and what it had called.
    pub fn check_the_point(&self, stage: &Stage, made: usize) -> Result<(), String> {
        let written = Written::in_the_journal_of(stage);
        let (turns, open) = (written.turns.len(), written.open);
        let as_meant = match self.point {
            Point::BeforeIntent => turns == self.number && !open && made == written.receipts,
            Point::IntentDurable => turns == self.number + 1 && open && made == written.receipts,
            Point::BeforeReceipt => turns == self.number + 1 && open && made == written.intents,
            Point::ReceiptDurable => turns == self.number + 1 && !open && made == written.intents,
            Point::BeforeEnd => turns == self.rehearsal.turns.len() && !open,
            // The local cloud's truth is replaced between calls, too: by what has come due.
            Point::NeverCarriedOut | Point::CarriedOutLate | Point::Unanswered => open || stage.face.is_none(),
        };
        match as_meant && !written.ended {
            true => Ok(()),
            false => Err(format!("it died elsewhere: {written:?}, {made} calls")),
        }
    }

    pub fn kill(&self, stage: &Stage) -> Result<(), String> {
        let at = |syscall: Syscall, side, number| syscall.kill(stage, self.rehearsal.asked.command, side, number);
        // Intents and receipts take turns: the intents of turn 0 are the first to be written.
        let (intents, receipts) = (2 * self.number + 1, 2 * self.number + 2);
        match (self.point, &stage.face) {
            (Point::BeforeIntent, _) => at(Syscall::JournalWrite, Side::Before, intents),
            (Point::IntentDurable, _) => at(Syscall::JournalSync, Side::After, intents),
            (Point::BeforeReceipt, _) => at(Syscall::JournalWrite, Side::Before, receipts),
            (Point::ReceiptDurable, _) => at(Syscall::JournalSync, Side::After, receipts),
            (Point::BeforeEnd, _) => at(Syscall::JournalWrite, Side::Before, 2 * self.rehearsal.turns.len() + 1),
            (Point::NeverCarriedOut, None) => at(Syscall::Commit, Side::Before, self.number + 1),
            (Point::Unanswered | Point::CarriedOutLate, None) => at(Syscall::Commit, Side::After, self.number + 1),
            (Point::NeverCarriedOut, Some(_)) => self.kill_on_the_wire(stage, "hold-before", false),
            (Point::CarriedOutLate, Some(_)) => self.kill_on_the_wire(stage, "hold-before", true),
            (Point::Unanswered, Some(_)) => self.kill_on_the_wire(stage, "hold-after", false),
        }
    }

    /// Kills the process while the emulator holds its call.
    fn kill_on_the_wire(&self, stage: &Stage, hold: &str, late: bool) -> Result<(), String> {
        let Some(face) = &stage.face else { return Err("there is no wire".to_owned()) };
        let (before, call) = (&self.rehearsal.calls[..self.number], &self.rehearsal.calls[self.number]);
        let same = before.iter().filter(|it| *it == call).count();
        face.arm(call, hold, 1, u32::try_from(same).unwrap_or_default());
        if late {
            face.hurry();
        }
        let mut child = stage.command(self.rehearsal.asked.command).spawn().unwrap();
        let held = face.await_held(PATIENCE);
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        match Written::in_the_journal_of(stage).last_intent {
            Some(intent) if late => face.let_held_come_late(intent + LATE),
            _ => {
                face.drop_held();
            }
        }
        match held {
            true => Ok(()),
            false => Err(format!("the call was not made:\n{}", String::from_utf8_lossy(&output.stdout))),
        }
    }
}
