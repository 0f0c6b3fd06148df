//! What a run remembers, in plain words: `create-server asked at 980; copy srv refused; applied at 880`.

use super::words::at;
use cloudypad::model::{Aim, Applied, Ask, Facts, ServerState};

/// Facts from items separated by `;`. A step is named by its key, times are seconds.
pub fn facts(text: &str, ask: &Ask) -> Result<Facts, String> {
    let mut facts = Facts::default();
    for item in text.split(';').map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = item.split(' ').collect();
        let stamp = |seconds: &str| seconds.parse().map(at).map_err(|_| format!("journal: when is {item:?}?"));
        let moment = |seconds: &str| stamp(seconds).map(|it| it.0 / 1_000_000);
        match words.as_slice() {
            // The answer was lost.
            [key @ .., "asked", "at", seconds] => {
                facts.open.insert(key.join(" "), stamp(seconds)?);
            }
            // It was answered well, and a list may not show it yet.
            [key @ .., "made", "at", seconds] => {
                facts.made.insert(key.join(" "), stamp(seconds)?);
            }
            [key @ .., "refused"] => {
                facts.refused.insert(key.join(" "));
            }
            [key @ .., "played"] => {
                facts.played.insert(key.join(" "));
            }
            [server, "ordered", "off", "at", seconds] => {
                facts.stopped.insert((*server).to_owned(), stamp(seconds)?);
            }
            [server, "ordered", "off"] => {
                facts.ordered_off.insert((*server).to_owned());
            }
            [server, "restarted", "at", seconds] => {
                facts.restarted.insert((*server).to_owned(), stamp(seconds)?);
            }
            ["mounted"] => facts.mounted = true,
            ["begun"] => facts.begun = true,
            // Something else was in force before this run.
            ["anew"] => facts.anew = true,
            // This very wish, by this run.
            ["applied", "at", seconds] => facts.applied = Some(Applied { at: moment(seconds)?, digest: ask.spec.digest(), aim: ask.aim() }),
            // What the look shows to be applied, by an earlier run from this machine.
            ["absent", "applied", "here", "at", seconds] => {
                let aim = Aim::Reach(ServerState::Absent);
                facts.applied_here = Some(Applied { at: moment(seconds)?, digest: super::words::ANOTHER_SPEC, aim });
            }
            ["present", "applied", "here", "at", seconds] => {
                let aim = Aim::Reach(ServerState::Present);
                facts.applied_here = Some(Applied { at: moment(seconds)?, digest: super::words::ANOTHER_SPEC, aim });
            }
            _ => return Err(format!("journal: what is {item:?}?")),
        }
    }
    Ok(facts)
}
