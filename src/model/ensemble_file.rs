//! The file form of an ensemble: short keys, whole steps.

use serde::{Deserialize, Serialize};

use crate::model::ensemble::{Ensemble, MissingSide, Split, Tree, TreeError};
use crate::model::fixed::Scale;

/// An ensemble as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct WrittenEnsemble {
    /// A step is `2^-shift`.
    shift: Scale,
    /// Steps before the first tree.
    bias: i32,
    trees: Vec<WrittenTree>,
}

#[derive(Debug, Serialize)]
struct WrittenTree {
    /// Splits: feature, border, 1 when missing goes above.
    s: Vec<(u16, u8, u8)>,
    /// Steps by leaf number.
    v: Vec<i32>,
    /// Covers: sum of training weights by leaf number.
    n: Vec<f32>,
}

/// An ensemble as it is read; that steps are whole is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadEnsemble {
    shift: Scale,
    bias: f64,
    trees: Vec<ReadTree>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadTree {
    s: Vec<(u16, u8, u8)>,
    v: Vec<f64>,
    n: Vec<f32>,
}

impl From<Ensemble> for WrittenEnsemble {
    fn from(ensemble: Ensemble) -> Self {
        let scale = ensemble.scale();
        let split = |split: &Split| (split.feature, split.border, side_to_file(split.missing));
        let tree = |tree: &Tree| WrittenTree {
            s: tree.splits().iter().map(split).collect(),
            v: tree.leaves().iter().map(|&leaf| scale.to_steps(leaf)).collect(),
            n: tree.covers().iter().map(|&cover| narrow(cover)).collect(),
        };
        let trees = ensemble.trees().iter().map(tree).collect();
        Self { shift: scale, bias: scale.to_steps(ensemble.bias()), trees }
    }
}

impl TryFrom<ReadEnsemble> for Ensemble {
    type Error = TreeError;
    fn try_from(read: ReadEnsemble) -> Result<Self, TreeError> {
        let step = read.shift.step();
        let split = |(feature, border, side)| {
            let missing = if side == 0 { MissingSide::Below } else { MissingSide::Above };
            Split { feature, border, missing }
        };
        let tree = |tree: ReadTree| {
            let leaves = tree.v.into_iter().map(|leaf| leaf * step).collect();
            Tree::from_parts(tree.s.into_iter().map(split).collect(), leaves, &tree.n)
        };
        let trees: Vec<Tree> = read.trees.into_iter().map(tree).collect::<Result<_, _>>()?;
        Self::at_scale(read.shift, read.bias * step, trees)
    }
}

fn side_to_file(side: MissingSide) -> u8 {
    match side {
        MissingSide::Below => 0,
        MissingSide::Above => 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "covers came from f32")]
fn narrow(cover: f64) -> f32 {
    cover as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensemble() -> Ensemble {
        let split = |border, missing| Split { feature: 0, border, missing };
        let splits = vec![split(3, MissingSide::Above), split(0, MissingSide::Below)];
        let tree = Tree::new(splits, &[0.1, -1e-30, 3.0, 1.0 / 3.0], &[1.0, 0.0, 2.5, 7.0]);
        Ensemble::new(-1.7, vec![tree.unwrap()])
    }

    #[test]
    fn an_ensemble_reads_back_exactly_as_it_was_written() {
        let text = serde_json::to_string(&ensemble()).unwrap();
        assert!(text.contains("\"shift\":27"), "{text}");
        assert_eq!(serde_json::from_str::<Ensemble>(&text).unwrap(), ensemble());
    }

    #[test]
    fn steps_that_could_overflow_or_are_not_whole_are_refused() {
        for (leaf, expected) in [("2000000000", "more than"), ("0.5", "whole")] {
            let text =
                format!(r#"{{"shift":20,"bias":0,"trees":[{{"s":[],"v":[{leaf}],"n":[1.0]}}]}}"#);
            let error = serde_json::from_str::<Ensemble>(&text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
