//! How long names may be remembered: only some numbers of seconds are possible.

/// The numbers of seconds that are possible; 0 stands for the usual one.
const POSSIBLE: [i64; 15] = [0, 30, 120, 300, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 172_800, 345_600, 604_800, 1_209_600, 2_419_200];

/// The next possible number of seconds from this one up, or else the last.
pub fn rounded(seconds: i64) -> i64 {
    POSSIBLE.into_iter().find(|possible| *possible >= seconds).unwrap_or(POSSIBLE[POSSIBLE.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (given, kept) in [(0, 0), (-5, 0), (1, 30), (30, 30), (31, 120), (60, 120), (299, 300), (301, 3600), (9_999_999, 2_419_200)] {
            assert_eq!(rounded(given), kept, "{given}");
        }
    }
}
