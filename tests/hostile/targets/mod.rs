//! Functions of any bytes whatever. Each keeps what it promises, or panics: no crash, no hang, no growth without bound, and
//! the laws that its own file states.
//!
//! Two engines feed them: `fuzz` in every test run, with bytes bent out of valid ones, and a coverage-guided one on demand
//! (`tests/fuzz`), which includes these same files.

pub mod answers;
pub mod journal;
pub mod lives;
pub mod requests;
pub mod spec;

use cloudypad::model::is_unseen;

/// A target: its name, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Target; 6] = [
    ("spec", spec::spec),
    ("journal", journal::journal),
    ("scaleway-answers", answers::scaleway),
    ("linode-answers", answers::linode),
    ("scaleway-requests", requests::scaleway),
    ("linode-requests", requests::linode),
];

/// What is shown to people holds nothing that a terminal would obey.
pub fn assert_shown_clean(text: &str, what: &str) {
    let odd: Vec<_> = text.lines().filter(|it| it.contains(is_unseen)).take(3).collect();
    assert!(odd.is_empty(), "{what} is shown raw: {odd:?}");
}
