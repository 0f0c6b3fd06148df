//! Some recordings were made in the vendor's laboratories, which are regions that nobody else sees. Here they take place in one that
//! everybody does.

use crate::{names::map_texts, recording::Recording};

/// The region that stands for those of laboratories.
const ELSEWHERE: &str = "us-ord";

/// A recording in a region that everybody sees; what is told about regions stays as it is.
pub fn replaced(mut recording: Recording) -> Recording {
    let elsewhere = |text: &str| if is_laboratory(text) { ELSEWHERE.to_owned() } else { text.to_owned() };
    for interaction in recording.interactions.iter_mut().filter(|it| !it.path.contains("/regions")) {
        for tree in [&mut interaction.request, &mut interaction.answer].into_iter().flatten() {
            *tree = map_texts(tree, &elsewhere);
        }
    }
    recording
}

/// Is it the id of such a region: a country, and a laboratory?
fn is_laboratory(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 3 && parts[0].len() == 2 && parts[1].starts_with("lab") && parts[2].bytes().all(|it| it.is_ascii_digit())
}
