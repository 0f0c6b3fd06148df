//! What is asked, done once undisturbed: the calls it comes to, and what stands in the end.

use super::{
    asked::Asked,
    ground::Ground,
    stage::{Scenes, Stage},
    standing,
    tracer::Syscall,
};
use serde_json::Value;

/// What an undisturbed run came to.
pub struct Rehearsal {
    pub asked: &'static Asked,
    pub ground: &'static Ground,
    /// The calls that changed something, in order, as faults know them; on the local cloud there is no wire.
    pub calls: Vec<String>,
    /// The turns: what the intents of each spoke of.
    pub turns: Vec<String>,
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
        let before = turns(&stage).len();
        let ran = stage.run(asked.command);
        assert_eq!(ran.code, 0, "{}: {}\n{}\n{}", stage.ground.name, asked.name, ran.out, ran.err);
        let calls = stage.changes();
        let turns = turns(&stage).split_off(before);
        let ended = Outcome::of(&stage, asked).unwrap();
        assert!(!turns.is_empty() && ended.leaks + ended.lost == 0, "{}: {ended:#?}", asked.name);
        let commits = match stage.face.is_none() && traced {
            true => Syscall::Commit.count(&scenes.set(asked), asked.command),
            false => 0,
        };
        Self { asked, ground: stage.ground, calls, turns, commits, ended }
    }
}

impl Outcome {
    /// Looks at everything, and asks the same once more: that must come to nothing.
    pub fn of(stage: &Stage, asked: &Asked) -> Result<Self, String> {
        let calls = stage.local_calls();
        let again = stage.run(asked.command);
        if again.code != 0 {
            return Err(format!("once more: {}\n{}\n{}", again.code, again.out, again.err));
        }
        let changed = stage.changes().join(", ");
        if stage.local_calls() != calls || !changed.is_empty() {
            return Err(format!("once more something was changed: {changed}\n{}", again.out));
        }
        let (leaks, lost) = stage.judge(&["in:default.mypad"]);
        let lost = if asked.destroys() { 0 } else { lost };
        Ok(Self { stands: standing::lines(&stage.truth(), &stage.disks()), leaks: leaks.len(), lost })
    }
}

/// The intents of each turn, without ids.
fn turns(stage: &Stage) -> Vec<String> {
    let journal = std::fs::read_to_string(stage.journal()).unwrap_or_default();
    let entries = journal.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
    let (mut turns, mut open) = (Vec::<String>::new(), false);
    for entry in entries {
        let intent = entry["intent"].as_str().map(|it| it.split(' ').next().unwrap_or_default().to_owned());
        match (&intent, open) {
            (Some(word), true) => turns.last_mut().unwrap().push_str(&format!(" + {word}")),
            (Some(word), false) => turns.push(word.clone()),
            (None, _) => {}
        }
        open = intent.is_some();
    }
    turns
}
