//! The known word that a mistyped one most likely meant.

/// The nearest of the known words, if one is near.
///
/// Near: at most a third of the letters differ (Levenshtein distance).
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let n_chars = word.chars().count();
    let limit = n_chars.div_ceil(3);
    known
        .into_iter()
        // Each char more or less is a difference, so most words need no closer look.
        .filter(|candidate| n_chars.abs_diff(candidate.chars().count()) <= limit)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replace = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_slip_finds_the_word_that_was_meant_and_nonsense_finds_none() {
        let known = ["review_above", "decline_above", "loss_share"];
        assert_eq!(nearest("reveiw_above", known), Some("review_above"));
        assert_eq!(nearest("los_share", known), Some("loss_share"));
        assert_eq!(nearest("zzz", known), None);
    }
}
