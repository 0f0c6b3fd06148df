//! The word that somebody probably meant.

/// Longer words are nobody's typing mistake.
const LONGEST: usize = 40;

/// The candidate nearest to `word`, if one is near. `server_state` and `serverstate` are very near `serverState`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = folded(word);
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether at most `most` letters are wrong with a word, whatever their case.
pub fn is_near(word: &str, meant: &str, most: usize) -> bool {
    word.len() <= LONGEST && distance(&folded(word), &folded(meant)) <= most
}

fn folded(word: &str) -> Vec<char> {
    word.chars().filter(|each| !matches!(each, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out, changed, or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}
