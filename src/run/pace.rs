//! Pauses: between looks while something is awaited, and after a call that failed.

use crate::model::Pace;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// How many times a failing call, or a failing look, is tried in one run.
pub(crate) const MOST_TRIES: usize = 6;

/// The longest pause that a cloud may ask for.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(60);
/// How many times a look is tried that nothing follows: somebody sits there waiting.
pub(crate) const TRIES_OF_A_LOOK_ALONE: usize = 3;
/// How many times a step that the run can do without is tried.
pub(crate) const TRIES_OF_OPTIONAL: usize = 3;

/// Pauses between looks at something awaited: growing, without end.
pub(crate) fn between_looks(pace: &Pace) -> impl Iterator<Item = Duration> {
    let growing = ExponentialBuilder::default().with_factor(1.5).with_min_delay(pace.first).with_max_delay(pace.longest);
    growing.without_max_times().build()
}

/// How long whoever is overridden may take from his last look to the end of what he decided on. A cloud may run fast;
/// the people in front of it do not.
pub(crate) fn until_seen(pace: &Pace) -> Duration {
    (pace.first * 2).max(Duration::from_millis(250))
}

/// Pauses after failures: growing, with jitter, at most [`MOST_TRIES`].
pub(crate) fn after_failures(pace: &Pace) -> impl Iterator<Item = Duration> {
    let growing = ExponentialBuilder::default().with_min_delay(pace.first).with_max_delay(pace.longest * 3).with_jitter();
    growing.with_max_times(MOST_TRIES).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Capabilities;

    /// Else all who were refused at the same moment would come back at the same moment.
    #[test]
    fn two_processes_pause_differently() {
        let pauses = || after_failures(&Capabilities::linode().pace).collect::<Vec<_>>();
        let (one, other) = (pauses(), pauses());
        assert_eq!(one.len(), MOST_TRIES);
        assert_ne!(one, other);
    }
}
