//! Names as Linode takes them. They are derived from the instance's alone, so that asking twice asks for the same.
//!
//! Linodes take 3 to 64 characters, volumes and firewalls 32, images 50, rules 32; all begin with a letter, end with a
//! letter or a digit, and no two of `-`, `_` and `.` of a kind stand side by side (source: the vendor's OpenAPI).

use crate::model::digest;

/// The longest label of a Linode.
pub(crate) const LINODE: usize = 64;
/// The longest label of a volume or a firewall.
pub(crate) const SHORT: usize = 32;
/// The longest label of an image.
pub(crate) const IMAGE: usize = 50;

/// `name` as a label of at most `longest` characters: unchanged where that is possible, else with a digest of the
/// whole name at its end.
pub(crate) fn label(name: &str, longest: usize) -> String {
    let mut plain = String::new();
    for each in name.chars() {
        let each = if each.is_ascii_alphanumeric() { each } else { '-' };
        if !(each == '-' && plain.ends_with('-')) {
            plain.push(each);
        }
    }
    let plain = plain.trim_matches('-');
    let plain = if plain.starts_with(|it: char| it.is_ascii_alphabetic()) { plain.to_owned() } else { format!("c-{plain}") };
    if plain == name && (3..=longest).contains(&plain.len()) {
        return plain;
    }
    let end = format!("{:08x}", digest(name) as u32);
    let keep = plain[..plain.len().min(longest - end.len() - 1)].trim_end_matches('-');
    format!("{keep}-{end}")
}

#[cfg(test)]
mod tests {
    use super::{LINODE, SHORT, label};
    use proptest::prelude::*;

    #[test]
    fn a_name_that_fits_stays_as_it_is() {
        assert_eq!(label("mypad-data", SHORT), "mypad-data");
        assert_eq!(label("team--pad", SHORT), "team-pad-270bd40b");
        assert_ne!(label("team--pad", SHORT), label("team-pad", SHORT));
    }

    proptest! {
        /// Whatever the name: a label that Linode takes, the same each time, another one for another name.
        #[test]
        fn every_label_is_taken(one in "[ -~]{0,80}", other in "[ -~]{0,80}", short in any::<bool>()) {
            let longest = if short { SHORT } else { LINODE };
            let made = label(&one, longest);
            prop_assert!((3..=longest).contains(&made.len()), "{made}");
            prop_assert!(made.starts_with(|it: char| it.is_ascii_alphabetic()) && made.ends_with(|it: char| it.is_ascii_alphanumeric()));
            prop_assert!(!made.contains("--"));
            prop_assert_eq!(&made, &label(&one, longest));
            prop_assert!(one == other || made != label(&other, longest));
        }
    }
}
