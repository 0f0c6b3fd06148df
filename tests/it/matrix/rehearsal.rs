//! What is asked, done once undisturbed: the calls it comes to, and what stands in the end.

use super::{
    asked::Asked,
    ground::Ground,
    stage::{Scenes, Stage},
    standing,
    tracer::Syscall,
};
use cloudypad::model::is_play_key;
use serde_json::Value;

/// What an undisturbed run came to.
pub struct Rehearsal {
    pub asked: &'static Asked,
    pub ground: &'static Ground,
    /// The calls that changed something, in order, as faults know them; on the local cloud there is no wire.
    pub calls: Vec<String>,
    /// The turns: what the intents of each spoke of.
    pub turns: Vec<String>,
    /// How many calls were made.
    pub made: usize,
    /// How often the local cloud's truth was replaced.
    pub commits: usize,
    pub ended: Outcome,
}

/// How things stand after a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Every object.
    pub stands: Vec<String>,
    /// What belongs to nobody.
    pub leaks: usize,
    /// Bytes that are nowhere any more, unless the owner let them go.
    pub lost: usize,
}

impl Rehearsal {
    pub fn of(asked: &'static Asked, scenes: &Scenes, traced: bool) -> Self {
        let stage = scenes.set(asked);
        let ran = stage.run(asked.command);
        assert_eq!(ran.code, 0, "{}: {}\n{}\n{}", stage.ground.name, asked.name, ran.out, ran.err);
        let (made, calls) = (stage.made(), stage.changes());
        let written = Written::in_the_journal_of(&stage);
        assert_eq!((written.intents, written.receipts, written.ended), (made, made, true), "{}: {}", stage.ground.name, asked.name);
        let ended = Outcome::of(&stage, asked).unwrap();
        assert!(made > 0 && ended.leaks + ended.lost == 0, "{}: {ended:#?}", asked.name);
        let commits = match stage.face.is_none() && traced {
            true => Syscall::Commit.count(&scenes.set(asked), asked.command),
            false => 0,
        };
        Self { asked, ground: stage.ground, calls, turns: written.turns, made, commits, ended }
    }
}

impl Outcome {
    /// Looks at everything, and asks the same once more: that must come to nothing.
    pub fn of(stage: &Stage, asked: &Asked) -> Result<Self, String> {
        stage.changes();
        let calls = stage.made();
        let again = stage.run(asked.command);
        if again.code != 0 {
            return Err(format!("once more: {}\n{}\n{}", again.code, again.out, again.err));
        }
        if stage.made() != calls {
            return Err(format!("once more something was changed: {:?}\n{}", stage.changes(), again.out));
        }
        let (leaks, lost) = stage.judge(&["in:default.mypad"]);
        let lost = if asked.destroys() { 0 } else { lost };
        Ok(Self { stands: standing::lines(&stage.truth(), &stage.disks()), leaks: leaks.len(), lost })
    }
}

/// What a run wrote into the journal.
#[derive(Debug, Default)]
pub struct Written {
    /// The turns: the intents of each, without ids.
    pub turns: Vec<String>,
    /// Of calls: what runs inside a machine is none.
    pub intents: usize,
    pub receipts: usize,
    /// Whether an intent has no receipt.
    pub open: bool,
    /// When the last intent was written, in microseconds by the cloud's clock.
    pub last_intent: Option<i64>,
    /// Whether it says that the run ended.
    pub ended: bool,
}

impl Written {
    /// What was written since the scene was set.
    pub fn in_the_journal_of(stage: &Stage) -> Self {
        let journal = std::fs::read(stage.journal()).unwrap_or_default();
        let new = String::from_utf8_lossy(&journal[stage.written_before..]).into_owned();
        let (mut written, mut open, mut unanswered) = (Self::default(), false, 0_i32);
        let calls = |key: &str| usize::from(!is_play_key(key));
        for entry in new.lines().map(|it| serde_json::from_str::<Value>(it).unwrap()) {
            if let Some(key) = entry["receipt"].as_str() {
                written.receipts += calls(key);
                unanswered -= 1;
            }
            written.ended |= entry["ended"].is_string();
            let Some(intent) = entry["intent"].as_str() else {
                open = false;
                written.open = unanswered > 0;
                continue;
            };
            let word = intent.split(' ').next().unwrap_or_default();
            written.intents += calls(intent);
            unanswered += 1;
            written.open = true;
            written.last_intent = entry["cloud"].as_i64();
            match written.turns.last_mut().filter(|_| open) {
                Some(turn) => turn.push_str(&format!(" + {word}")),
                None => written.turns.push(word.to_owned()),
            }
            open = true;
        }
        written
    }
}
