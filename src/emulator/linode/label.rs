//! What things may be called.

use super::problem::invalid;
use crate::emulator::face::Answer;

/// Refuses what no Linode may be called: 3 to 64 characters, a letter first, then letters, digits and single `-`, `_` or
/// `.`, and a letter or digit last.
pub fn check_linode(label: &str) -> Result<(), Answer> {
    check_length(label, 3, 64)?;
    check_characters(label, "-_.")?;
    if !label.ends_with(|last: char| last.is_ascii_alphanumeric()) {
        return Err(invalid("label", "Must end with a letter or number"));
    }
    Ok(())
}

/// Refuses what no volume may be called: 1 to 32 characters, a letter first, then letters, digits and single `-` or `_`.
pub fn check_volume(label: &str) -> Result<(), Answer> {
    check_length(label, 1, 32)?;
    check_characters(label, "-_")
}

/// Refuses a label of another length, in characters.
pub fn check_length(label: &str, least: usize, most: usize) -> Result<(), Answer> {
    if (least..=most).contains(&label.chars().count()) {
        return Ok(());
    }
    Err(invalid("label", &format!("Length must be {least}-{most} characters")))
}

fn check_characters(label: &str, marks: &str) -> Result<(), Answer> {
    if !label.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(invalid("label", "Must begin with a letter"));
    }
    if !label.chars().all(|it| it.is_ascii_alphanumeric() || marks.contains(it)) {
        let named = if marks.contains('.') { "dashes, underscores, and periods" } else { "dashes, and underscores" };
        return Err(invalid("label", &format!("Must only use ASCII letters, numbers, {named}")));
    }
    if marks.chars().any(|mark| label.contains(&format!("{mark}{mark}"))) {
        return Err(invalid("label", "Must not have two dashes, underscores or periods in a row"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_linodes_follow_their_rule() {
        for good in ["abc", "my-pad.1_x", &"a".repeat(64)] {
            assert_eq!(check_linode(good), Ok(()), "{good}");
        }
        for wrong in ["ab", "1abc", "a--b", "a__b", "a..b", "abc-", "a b c", "äbc", &"a".repeat(65)] {
            assert!(check_linode(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_of_volumes_follow_theirs() {
        for good in ["a", "my-vol_1", &"a".repeat(32)] {
            assert_eq!(check_volume(good), Ok(()), "{good}");
        }
        for wrong in ["", "1a", "a--b", "a.b", &"a".repeat(33)] {
            assert!(check_volume(wrong).is_err(), "{wrong}");
        }
    }
}
