//! Isotonic regression of rows that count unequally.
//!
//! Knot for knot it is that of scikit-learn.
//! The map that bundles get has one knot per block and stays away from 0 and 1. This one has
//! neither change, for comparison with other tools.

use crate::model::calibration::CalibrationMap;
use crate::training::calibrate::HeldOut;

/// Rows next to each other that share a value.
#[derive(Clone, Copy)]
struct Block {
    low: f64,
    high: f64,
    sum: f64,
    weight: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }
}

/// The rising function nearest to the targets by weighted squares (Ayer and others, "An empirical
/// distribution function for sampling with incomplete information", 1955): flat within blocks,
/// straight between them. Weights go with rows and are above 0.
pub fn weighted_isotonic(rows: &[HeldOut], weights: &[f64]) -> CalibrationMap {
    let mut sorted: Vec<(HeldOut, f64)> =
        rows.iter().copied().zip(weights.iter().copied()).collect();
    sorted.sort_by(|a, b| a.0.raw.total_cmp(&b.0.raw));
    let mut blocks: Vec<Block> = Vec::new();
    for tied in sorted.chunk_by(|a, b| a.0.raw.total_cmp(&b.0.raw).is_eq()) {
        let weight = tied.iter().map(|(_, weight)| weight).sum();
        let sum = tied.iter().map(|(row, weight)| weight * row.target).sum();
        let mut block = Block { low: tied[0].0.raw, high: tied[0].0.raw, sum, weight };
        while let Some(before) = blocks.pop_if(|before| block.mean() <= before.mean()) {
            block.low = before.low;
            block.sum += before.sum;
            block.weight += before.weight;
        }
        blocks.push(block);
    }
    let (mut raw, mut probability) = (Vec::new(), Vec::new());
    for block in blocks {
        let ends = [Some(block.low), (block.low < block.high).then_some(block.high)];
        for end in ends.into_iter().flatten() {
            raw.push(end);
            probability.push(block.mean());
        }
    }
    CalibrationMap::Isotonic { raw, probability }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_pooled_by_weight_and_joined_by_straight_lines() {
        let rows = [(1.0, 0.0), (2.0, 1.0), (3.0, 0.0), (4.0, 1.0), (4.0, 0.0)];
        let rows = rows.map(|(raw, target)| HeldOut { raw, target });
        let map = weighted_isotonic(&rows, &[1.0, 1.0, 3.0, 3.0, 1.0]);
        // 0; 1/4 from 2 to 3; 3/4.
        for (at, expected) in [
            (0.0, 0.0),
            (1.0, 0.0),
            (1.5, 0.125),
            (2.0, 0.25),
            (2.9, 0.25),
            (3.5, 0.5),
            (9.0, 0.75),
        ] {
            let found = map.apply(at);
            assert!((found - expected).abs() < 1e-12, "{found} at {at}");
        }
    }
}
