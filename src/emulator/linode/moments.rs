//! How this vendor writes a moment.

use crate::emulator::Moment;

/// In whole seconds, those begun cut off, and without a zone: `2026-01-01T00:00:00`.
pub fn stamp(moment: Moment) -> String {
    moment.to_string().chars().take(19).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_cut_to_seconds() {
        assert_eq!(stamp(Moment(1_785_416_063_036_059)), "2026-07-30T12:54:23");
    }
}
