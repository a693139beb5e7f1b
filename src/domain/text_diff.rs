//! Which lines two texts share: a difference that people read.

use serde::Serialize;

/// Most pairs of lines that are compared, beyond what both texts begin and end with:
/// 2,000 changed lines on either side.
const PAIRS_MAX: usize = 4_000_000;

/// All lines of both texts, in order; what goes stands before what comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextDiff {
    /// The lines.
    pub lines: Vec<DiffLine>,
    /// Lines that only the new text has.
    pub n_added: usize,
    /// Lines that only the old text has.
    pub n_removed: usize,
    /// True when the texts differ in too many lines to be compared one by one: everything
    /// between their common beginning and end is then removed and added as a whole.
    pub is_coarse: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// What became of it.
    pub change: LineChange,
    /// Line in the old text, from 1; `None` when it was added.
    pub old_line: Option<usize>,
    /// Line in the new text, from 1; `None` when it was removed.
    pub new_line: Option<usize>,
    /// The line, without its end.
    pub text: Box<str>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineChange {
    /// Both texts have it.
    Same,
    /// Only the old text has it.
    Removed,
    /// Only the new text has it.
    Added,
}

/// Compares two texts by a longest common sequence of their lines.
pub fn text_diff(old: &str, new: &str) -> TextDiff {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let n_head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.iter().skip(n_head).rev().zip(new.iter().skip(n_head).rev());
    let n_tail = rest.take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - n_tail, new.len() - n_tail);
    let (old_middle, new_middle) = (&old[n_head..old_end], &new[n_head..new_end]);
    let mut diff = TextDiff::default();
    let mut at = Place::default();
    diff.push_all(&mut at, LineChange::Same, &old[..n_head]);
    if PAIRS_MAX < old_middle.len().saturating_mul(new_middle.len()) {
        diff.is_coarse = true;
        diff.push_all(&mut at, LineChange::Removed, old_middle);
        diff.push_all(&mut at, LineChange::Added, new_middle);
    } else {
        diff.compare(&mut at, old_middle, new_middle);
    }
    diff.push_all(&mut at, LineChange::Same, &old[old_end..]);
    diff
}

/// Lines of both texts that are told already.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    old: usize,
    new: usize,
}

impl TextDiff {
    /// The changed lines with at most `context` unchanged ones around them, in runs.
    pub fn hunks(&self, context: usize) -> Vec<&[DiffLine]> {
        let mut hunks: Vec<(usize, usize)> = Vec::new();
        for (idx, line) in self.lines.iter().enumerate() {
            if line.change == LineChange::Same {
                continue;
            }
            let (from, to) =
                (idx.saturating_sub(context), (idx + context + 1).min(self.lines.len()));
            match hunks.last_mut() {
                Some(last) if from <= last.1 => last.1 = to,
                Some(_) | None => hunks.push((from, to)),
            }
        }
        hunks.into_iter().map(|(from, to)| &self.lines[from..to]).collect()
    }

    fn compare(&mut self, at: &mut Place, old: &[&str], new: &[&str]) {
        let width = new.len() + 1;
        // Common lines from each pair of places on.
        let mut common = vec![0_u32; (old.len() + 1) * width];
        for i in (0..old.len()).rev() {
            for j in (0..new.len()).rev() {
                common[i * width + j] = if old[i] == new[j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            if old[i] == new[j] {
                self.push(at, LineChange::Same, old[i]);
                (i, j) = (i + 1, j + 1);
            } else if common[i * width + j + 1] <= common[(i + 1) * width + j] {
                self.push(at, LineChange::Removed, old[i]);
                i += 1;
            } else {
                self.push(at, LineChange::Added, new[j]);
                j += 1;
            }
        }
        self.push_all(at, LineChange::Removed, &old[i..]);
        self.push_all(at, LineChange::Added, &new[j..]);
    }

    fn push_all(&mut self, at: &mut Place, change: LineChange, lines: &[&str]) {
        for line in lines {
            self.push(at, change, line);
        }
    }

    fn push(&mut self, at: &mut Place, change: LineChange, text: &str) {
        let (is_old, is_new) = (change != LineChange::Added, change != LineChange::Removed);
        at.old += usize::from(is_old);
        at.new += usize::from(is_new);
        self.n_added += usize::from(!is_old);
        self.n_removed += usize::from(!is_new);
        self.lines.push(DiffLine {
            change,
            old_line: is_old.then_some(at.old),
            new_line: is_new.then_some(at.new),
            text: text.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines that are not of one kind, as a text.
    fn without(diff: &TextDiff, change: LineChange) -> String {
        let kept = diff.lines.iter().filter(|line| line.change != change);
        kept.map(|line| &*line.text).collect::<Vec<_>>().join("\n")
    }

    /// Fewest lines to remove and add, by trying both.
    fn fewest(old: &[&str], new: &[&str]) -> usize {
        match (old, new) {
            ([], rest) | (rest, []) => rest.len(),
            ([a, old_rest @ ..], [b, new_rest @ ..]) if a == b => fewest(old_rest, new_rest),
            ([_, old_rest @ ..], [_, new_rest @ ..]) => {
                1 + fewest(old_rest, new).min(fewest(old, new_rest))
            }
        }
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec("[abc]?", 0..8).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn both_texts_come_back_and_nothing_is_told_that_both_share(old in text(), new in text()) {
            let diff = text_diff(&old, &new);
            prop_assert_eq!(without(&diff, LineChange::Added), &*old);
            prop_assert_eq!(without(&diff, LineChange::Removed), &*new);
            let (old, new): (Vec<&str>, Vec<&str>) =
                (old.split('\n').collect(), new.split('\n').collect());
            prop_assert_eq!(diff.n_added + diff.n_removed, fewest(&old, &new));
            let told: Vec<usize> = diff.lines.iter().filter_map(|line| line.new_line).collect();
            prop_assert_eq!(told, (1..=new.len()).collect::<Vec<_>>());
            let told: Vec<usize> = diff.lines.iter().filter_map(|line| line.old_line).collect();
            prop_assert_eq!(told, (1..=old.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_change_is_in_one_hunk(old in text(), new in text(), context in 0_usize..4) {
            let diff = text_diff(&old, &new);
            let changed = |lines: &[DiffLine]| {
                lines.iter().filter(|line| line.change != LineChange::Same).count()
            };
            let hunks = diff.hunks(context);
            let told: usize = hunks.iter().map(|lines| changed(lines)).sum();
            prop_assert_eq!(told, diff.n_added + diff.n_removed);
            prop_assert!(hunks.iter().all(|lines| changed(lines) != 0));
        }
    }

    #[test]
    fn a_changed_number_shows_as_one_line_out_and_one_in() {
        let diff = text_diff("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 4\nc = 3\n");
        let told: Vec<(Option<usize>, Option<usize>, &str)> =
            diff.hunks(0)[0].iter().map(|it| (it.old_line, it.new_line, &*it.text)).collect();
        assert_eq!(told, [(Some(2), None, "b = 2"), (None, Some(2), "b = 4")]);
    }

    #[test]
    fn texts_that_differ_everywhere_are_exchanged_as_a_whole() {
        let lines =
            |name: &str, n| (0..n).map(|k| format!("{name}{k}")).collect::<Vec<_>>().join("\n");
        let at_limit = text_diff(&lines("a", 2_000), &lines("b", 2_000));
        assert!(!at_limit.is_coarse);
        let beyond = text_diff(&lines("a", 2_000), &format!("{}\na7", lines("b", 2_000)));
        assert!(beyond.is_coarse);
        assert_eq!((beyond.n_removed, beyond.n_added), (2_000, 2_001));
    }
}
