//! Killed at any instant, and two people applying at once.

use super::TRIAL;

#[test]
fn killed_at_any_instant_a_plain_apply_goes_on() {
    TRIAL.killed_at_any_instant();
}

#[test]
fn two_who_apply_at_once_end_with_one_machine() {
    TRIAL.two_at_once();
}
