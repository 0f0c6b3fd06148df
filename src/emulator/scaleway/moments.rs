//! The two ways in which this vendor writes a moment.

use crate::emulator::Moment;

/// As instance objects have it: `2026-01-01T00:00:00.000000+00:00`.
pub fn offset(moment: Moment) -> String {
    moment.to_string().replace('Z', "+00:00")
}

/// As block, IAM and network objects have it: `2026-01-01T00:00:00.000000Z`.
pub fn zulu(moment: Moment) -> String {
    moment.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_two_ways() {
        let moment = Moment(1_785_416_063_036_059);
        assert_eq!(offset(moment), "2026-07-30T12:54:23.036059+00:00");
        assert_eq!(zulu(moment), "2026-07-30T12:54:23.036059Z");
    }
}
