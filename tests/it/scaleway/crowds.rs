//! Killed at any instant.

use super::TRIAL;

#[test]
fn killed_at_any_instant_a_plain_apply_goes_on() {
    TRIAL.killed_at_any_instant();
}
